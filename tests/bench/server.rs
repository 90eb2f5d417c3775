//! The server that is measured: a process of its own on a free port, and connections to it.

#![allow(dead_code, reason = "every benchmark uses another part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server in a process of its own, killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// A server with its store in this folder.
    pub fn start(folder: &Path) -> Self {
        Self::of(&["--data", folder.to_str().expect("temporary folders have UTF-8 names")])
    }

    /// A server that is given these flags.
    pub fn of(flags: &[&str]) -> Self {
        Self::run(Path::new(env!("CARGO_BIN_EXE_mortise")), flags)
    }

    /// A server that this binary runs, which is given these flags.
    pub fn run(binary: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "error"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server says that it is ready");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split([',', '\n']).next()?.parse().ok());
        Self { child, address: address.expect("the ready line has the address") }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many bytes it has written to disks, where the system says so.
    pub fn written_bytes(&self) -> Option<u64> {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.id())).ok()?;
        io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing of what it recorded is needed any more.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// One connection that is kept.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// A new connection.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket can be told");
        Self { stream: BufReader::new(stream) }
    }

    /// Posts a body and gives the answer back, which must be a success.
    pub fn post(&mut self, path: &str, body: &str) -> String {
        self.send_body("POST", path, body)
    }

    /// Puts a body and gives the answer back, which must be a success.
    pub fn put(&mut self, path: &str, body: &str) -> String {
        self.send_body("PUT", path, body)
    }

    fn send_body(&mut self, method: &str, path: &str, body: &str) -> String {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json");
        self.send(path, format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// Gets an answer, which must be a success.
    pub fn get(&mut self, path: &str) -> String {
        self.send(path, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    fn send(&mut self, path: &str, request: String) -> String {
        self.stream.get_mut().write_all(request.as_bytes()).expect("the server reads");
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status).expect("the server answers");
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("the server answers");
            match line.trim_end().split_once(':') {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap_or(0)
                }
                Some(_) => {}
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("the server answers whole");
        let answer = String::from_utf8(answer).expect("answers are UTF-8");
        assert!(status.contains(" 20"), "{path}: {status}{answer}");
        answer
    }
}

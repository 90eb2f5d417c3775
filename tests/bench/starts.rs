//! Durable starts over HTTP, beside the echo.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::database::{Engine, shared};
use super::echo;

const PROVIDERS: usize = 200;
const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Server::start(folder.path());
    activate(server.address);
    let echo = echo::start();
    let (mut echoes, mut starts, mut recorded) = (Vec::new(), Vec::new(), 0.0);
    let before = server.written_bytes();
    for round in 0..ROUNDS {
        echoes.push(load(echo, &format!("echo-{round}")));
        starts.push(load(server.address, &format!("start-{round}")));
        recorded += starts.last().expect("it was just measured") * ROUND.as_secs_f64();
    }
    let written = server.written_bytes().zip(before).map(|(after, before)| after - before);
    let (echo, start) = (median(echoes), median(starts));
    println!("durable starts: {start:.0}/s, an echo of the same request: {echo:.0}/s: {:.3} of it", start / echo);
    if let Some(written) = written {
        println!("written: {:.1} kB a durable start", written as f64 / recorded / 1e3);
    }
    let alone = alone(server.address);
    println!("one client alone: {:.2} ms a durable start", alone.as_secs_f64() * 1e3);
    let (list, health) =
        (get(server.address, "/deployments?condition=Pending&limit=1000"), get(server.address, "/healthz"));
    println!(
        "1,000 pending attempts: {:.2} ms, {:.0} times a request that does nothing",
        list.as_secs_f64() * 1e3,
        list.as_secs_f64() / health.as_secs_f64()
    );
}

/// How long a GET takes: the median of several.
fn get(address: SocketAddr, path: &str) -> Duration {
    let mut client = Client::connect(address);
    let mut took: Vec<_> = (0..51)
        .map(|_| {
            let started = Instant::now();
            client.get(path);
            started.elapsed()
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}

/// Durable starts on a real Neo4j: many in a transaction beside one in a transaction, on the same database.
pub fn run_on_neo4j() {
    let database = match shared(Engine::Neo4j) {
        Ok(database) => database.exclusive(),
        Err(absent) => return println!("skipped: {absent}"),
    };
    // One process after the other on one history, each with the other's before it: neither has the emptier database.
    let serve = |batch: &str| Server::of(&["--store", database.uri(), "--max-batch", batch]);
    activate(serve("512").address);
    let (mut grouped, mut single) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (rates, batch) in [(&mut grouped, "512"), (&mut single, "1")] {
            let server = serve(batch);
            let rate = load(server.address, &format!("neo4j-{batch}-{round}"));
            // The first round is for the database to learn the statements.
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let (grouped, single) = (median(grouped), median(single));
    let ratio = grouped / single;
    println!(
        "durable starts on Neo4j: {grouped:.0}/s in groups, {single:.0}/s one a transaction: {ratio:.1} times as many"
    );
    let alone = alone(serve("512").address);
    println!("one client alone on Neo4j: {:.2} ms a durable start", alone.as_secs_f64() * 1e3);
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &std::path::Path) -> Self {
        Self::of(&["--data", folder.to_str().expect("temporary folders have UTF-8 names")])
    }

    fn of(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mortise"))
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
}

impl Server {
    /// How many bytes it has written to disks, where the system says so.
    fn written_bytes(&self) -> Option<u64> {
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

fn activate(address: SocketAddr) {
    let mut client = Client::connect(address);
    for index in 0..PROVIDERS {
        let body = format!(
            r#"{{"artifactSpec": {{"system": "platform", "name": "org.bench.provider-{index}", "provides": [{{"interface": "interface-{index}", "layer": "server", "attributes": {{"url": "https://provider-{index}/", "port": "8443"}}}}]}}, "input": {{"version": "1.4.0", "environment": "test"}}}}"#
        );
        let answer = client.post("/deployments/start", &body);
        let id = answer
            .split(r#""id":""#)
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a plan has an id")
            .to_owned();
        client.post(&format!("/deployments/{id}/finish"), r#"{"success": true}"#);
    }
}

/// About 1.5 kB: five requires, two provides, templates in most attributes.
fn request(name: &str) -> String {
    let requires: Vec<_> = (0..5)
        .map(|index| {
            let interface = index * 37 % PROVIDERS;
            format!(
                r#""need{index}": {{"interface": "interface-{interface}", "selector": [{{"key": "environment", "values": ["${{input.environment}}"]}}, {{"key": "version", "values": ["[1.0,2.0)"]}}]}}"#
            )
        })
        .collect();
    let provides: Vec<_> = ["server", "router"]
        .map(|layer| {
            format!(
                r#"{{"interface": "shop-{name}", "layer": "{layer}", "labels": {{"tier": "gold", "channel": "${{input.channel}}"}}, "attributes": {{"url": "https://{name}.${{input.environment}}.example.org/${{input.version}}", "owner": "team-${{input.team}}", "version": "${{input.version}}"}}}}"#
            )
        })
        .into();
    format!(
        r#"{{"artifactSpec": {{"system": "shop", "name": "org.bench.{name}", "provides": [{}], "requires": {{{}}}}}, "input": {{"version": "2.3.0", "environment": "test", "channel": "stable", "team": "checkout"}}}}"#,
        provides.join(", "),
        requires.join(", ")
    )
}

/// Requests a second, over as many connections as wait in a busy pipeline.
fn load(address: SocketAddr, run: &str) -> f64 {
    let started = Instant::now();
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|worker| {
            let run = run.to_owned();
            std::thread::spawn(move || {
                let mut client = Client::connect(address);
                let mut count = 0_u32;
                while started.elapsed() < ROUND {
                    client.post("/deployments/start", &request(&format!("{run}-{worker}-{count}")));
                    count += 1;
                }
                count
            })
        })
        .collect();
    let total: u32 = workers.into_iter().map(|worker| worker.join().expect("a client does not fail")).sum();
    f64::from(total) / started.elapsed().as_secs_f64()
}

fn alone(address: SocketAddr) -> Duration {
    const COUNT: u32 = 300;
    let mut client = Client::connect(address);
    let started = Instant::now();
    for index in 0..COUNT {
        client.post("/deployments/start", &request(&format!("alone-{index}")));
    }
    started.elapsed() / COUNT
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// One connection that is kept.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket can be told");
        Self { stream: BufReader::new(stream) }
    }

    /// Posts a body and gives the answer back, which must be a success.
    fn post(&mut self, path: &str, body: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json");
        self.send(path, format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// Gets an answer, which must be a success.
    fn get(&mut self, path: &str) -> String {
        self.send(path, format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n"))
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

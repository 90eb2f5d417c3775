//! Large answers: what is held for clients that do not take them is bounded, and they keep neither memory nor a stop waiting.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{Client, Server};

/// The size of the answer to [`LIST`], about.
const LIST_BYTES: usize = 36 << 20;
const LIST: &str = "GET /servers HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// How much the process may hold beside answers: what it is itself, and the declarations of the Servers.
const BESIDE_BYTES: usize = 200 << 20;

/// A server that has much to tell.
fn server(flags: &[&str]) -> Server {
    let server = Server::start_with(flags);
    let attributes: serde_json::Map<_, _> =
        (0..15).map(|number| (format!("a{number}"), "x".repeat(60 << 10).into())).collect();
    let declared = json!({"environment": "test", "attributes": attributes});
    for number in 0..LIST_BYTES / (15 * (60 << 10)) {
        server.put(&format!("/servers/s{number}"), &declared).expect(201);
    }
    server
}

/// Asks for the list, and takes no more of it than its first byte.
fn ask(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(LIST.as_bytes()).unwrap();
    stream.peek(&mut [0]).unwrap();
    stream
}

#[test]
fn a_client_that_takes_nothing_is_cut_and_gives_its_place_back() {
    let server = server(&["--max-connections", "2", "--write-timeout-seconds", "1", "--head-timeout-seconds", "3600"]);
    // One place is that of the client which declared the Servers.
    let _slow = ask(&server);
    let fresh = |_| Client::of(server.address()).try_send("GET", "/healthz", &[], "");
    assert!((0..100_000).flat_map(fresh).any(|answer| answer.status == 200));
}

#[test]
fn forty_clients_that_take_nothing_hold_no_more_than_is_allowed() {
    let server = server(&["--max-held-bytes", "80000000"]);
    let slow: Vec<_> = (0..40).map(|_| ask(&server)).collect();
    let begun = slow.iter().filter(|stream| {
        let mut first = [0; 12];
        stream.peek(&mut first).unwrap();
        match &first {
            b"HTTP/1.1 200" => true,
            b"HTTP/1.1 503" => false,
            other => panic!("{:?}", String::from_utf8_lossy(other)),
        }
    });
    assert_eq!(begun.count(), 2);
    assert!(most_memory(server.pid()) < 80_000_000 + BESIDE_BYTES, "{}", most_memory(server.pid()));
    // Others are answered meanwhile, and so is what is not large.
    server.get("/healthz").expect(200);
    assert_eq!(server.items("/environments").len(), 1);
    drop(slow);
    // Once they are gone there is room again.
    let answered = (0..100_000).map(|_| server.get("/servers")).find(|answer| answer.status == 200).unwrap();
    assert!(answered.text.len() > 30 << 20);
    assert_eq!(server.get("/servers").header("content-length"), Some(answered.text.len().to_string().as_str()));
}

#[test]
fn a_large_answer_is_refused_with_the_time_to_ask_again() {
    let server = server(&["--max-held-bytes", "1000000"]);
    let refused = server.get("/servers");
    let problem = refused.expect_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(problem["detail"].as_str().unwrap().contains("--max-held-bytes"), "{problem}");
    server.get("/servers?limit=1").expect(200);
}

#[test]
fn a_stop_does_not_wait_for_clients_that_take_nothing() {
    let mut server = server(&["--write-timeout-seconds", "3600", "--head-timeout-seconds", "3600"]);
    let slow: Vec<_> = (0..5).map(|_| ask(&server)).collect();
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut answered, mut some) = (Vec::new(), [0; 1024]);
    while !answered.ends_with(b"}") {
        let read = idle.read(&mut some).unwrap();
        answered.extend_from_slice(&some[..read]);
    }
    assert!(answered.starts_with(b"HTTP/1.1 200"));
    idle.write_all(b"G").unwrap();
    let begun = Instant::now();
    server.terminate();
    assert!(server.wait().success());
    // Five seconds are promised, on a machine that does nothing else.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    drop((idle, slow));
}

/// The most memory that a process ever had, in bytes.
fn most_memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

//! Connections: none keeps its place without asking for anything, and there are never so many that the store lacks files.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;

use crate::server::{Client, Server, command, read_to_end};
use crate::specs::spec;

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn a_connection_that_stops_within_the_head_of_a_later_request_is_closed() {
    let server = Server::start_with(&["--head-timeout-seconds", "1"]);
    for begun in ["G", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n", ""] {
        let mut stream = server.connect();
        for _ in 0..3 {
            assert_eq!(answer(&mut stream, HEALTH).0, 200);
        }
        stream.write_all(begun.as_bytes()).unwrap();
        assert_eq!(read_to_end(stream), "", "after {begun:?}");
    }
}

#[test]
fn a_connection_that_never_asks_anything_is_told_so_and_closed() {
    let server = Server::start_with(&["--head-timeout-seconds", "1"]);
    let mut stream = server.connect();
    stream.write_all(b"GET /hea").unwrap();
    assert!(read_to_end(stream).starts_with("HTTP/1.1 408 "));
}

#[test]
fn an_answer_may_take_longer_than_a_head() {
    let server = Server::start_with(&["--head-timeout-seconds", "1"]);
    // The body is waited for; the answer comes when it is there.
    let body = spec("org.shop.api").to_string();
    let head = format!(
        "POST /deployments/start HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut slow = server.connect();
    slow.write_all(head.as_bytes()).unwrap();
    let mut idle = server.connect();
    assert_eq!(answer(&mut idle, HEALTH).0, 200);
    // By then the other one has waited for as long.
    assert_eq!(read_to_end(idle), "");
    assert_eq!(answer(&mut slow, &body).0, 201);
}

#[test]
fn beyond_the_limit_of_files_connections_are_turned_away_and_the_store_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::run(with_files(64, &command(data.path(), &["--head-timeout-seconds", "3600"])));
    let (mut admitted, mut turned_away) = (Vec::new(), 0);
    for _ in 0..100 {
        let mut stream = server.connect();
        match answer(&mut stream, HEALTH) {
            (200, _) => {
                // It keeps its place with one byte of the next head.
                stream.write_all(b"G").unwrap();
                admitted.push(stream);
            }
            (503, problem) => {
                assert_eq!(problem["code"], "overloaded");
                assert!(problem["detail"].as_str().unwrap().contains("--max-connections"), "{problem}");
                turned_away += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(admitted.len() >= 4 && turned_away >= 50, "{} and {turned_away}", admitted.len());
    // One goes, and its place is there for another, whose request has all the files that it needs.
    admitted.pop();
    let body = spec("org.shop.api").to_string();
    let started = retried(&server, |client| {
        client.try_send("POST", "/deployments/start", &[crate::server::JSON], &body).map(|answer| answer.status)
    });
    assert_eq!(started, 201);
}

#[test]
fn the_most_connections_may_be_set_lower() {
    let server = Server::start_with(&["--max-connections", "2"]);
    let mut kept = [server.connect(), server.connect()];
    for stream in &mut kept {
        assert_eq!(answer(stream, HEALTH).0, 200);
    }
    assert_eq!(answer(&mut server.connect(), HEALTH).0, 503);
}

/// The first answer that is no refusal of the connection.
fn retried(server: &Server, ask: impl Fn(&Client) -> Result<u16, ureq::Error>) -> u16 {
    let statuses = (0..100_000).map(|_| ask(&Client::of(server.address())));
    statuses.flatten().find(|status| *status != 503).expect("a place that was given up can be had")
}

/// The status and the body of the answer to what is sent.
fn answer(stream: &mut TcpStream, sent: &str) -> (u16, Value) {
    // A connection that is turned away may be closed before it has taken the request.
    let written = stream.write_all(sent.as_bytes());
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap_or_else(|error| panic!("{error} after {written:?}"));
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// The same command, with so many files that it may open.
fn with_files(most: usize, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -n {most} && exec \"$0\" \"$@\"")).arg(command.get_program());
    limited.args(command.get_args()).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

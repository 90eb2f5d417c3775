//! SIGTERM: what was accepted is finished first.

use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::server::{Server, read_to_end, text};
use crate::specs::{provider, spec};

#[test]
fn what_was_answered_before_and_while_stopping_is_there_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(data.path(), &[]);
    let begun = AtomicUsize::new(0);
    let recorded: Vec<String> = thread::scope(|scope| {
        let client = |client: usize| {
            let (server, begun) = (&server, &begun);
            scope.spawn(move || {
                let mut ids = Vec::new();
                for round in 0.. {
                    let body = provider(&format!("a{client}.{round}"), "i").to_string();
                    let answer = server.try_send("POST", "/deployments/start", &[crate::server::JSON], body);
                    begun.fetch_add(1, Ordering::Relaxed);
                    match answer {
                        Ok(answer) if answer.status == 201 => ids.push(text(&answer.json(), "id").to_owned()),
                        // Not accepted any more: refused as a whole, or no connection at all.
                        Ok(answer) => {
                            answer.expect_problem(503, "unavailable");
                            break;
                        }
                        Err(_) => break,
                    }
                }
                ids
            })
        };
        let clients: Vec<_> = (0..4).map(client).collect();
        while begun.load(Ordering::Relaxed) < 40 {
            thread::yield_now();
        }
        server.terminate();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(server.wait().success());
    let server = Server::start_in(data.path(), &[]);
    assert!(recorded.len() >= 36, "{}", recorded.len());
    for id in &recorded {
        assert_eq!(server.deployment(id)["deployment"]["condition"], "Pending");
    }
}

#[test]
fn a_request_whose_body_is_still_on_its_way_is_answered() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start_in(data.path(), &[]);
    let body = spec("org.shop.api").to_string();
    let mut stream = server.connect();
    let head = format!(
        "POST /deployments/start HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server has the request once it asks for the body.
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "HTTP/1.1 100 Continue");
    server.terminate();
    stream.write_all(body.as_bytes()).unwrap();
    let answer = read_to_end(stream);
    assert!(answer.contains("HTTP/1.1 201 Created"), "{answer}");
    assert!(server.wait().success());
    let server = Server::start_in(data.path(), &[]);
    assert_eq!(server.items("/deployments").len(), 1);
}

#[test]
fn an_idle_server_ends_at_once_and_with_success() {
    let server = Server::start();
    server.get("/healthz").expect(200);
    assert!(server.stop().success());
}

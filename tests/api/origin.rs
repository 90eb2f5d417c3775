//! Pages of other sites: they write nothing, and find no server under a name that they pointed at it.

use std::io::Write;

use mortise::http::{Effect, ROUTES};
use serde_json::json;

use crate::server::{Answer, JSON, Server, read_to_end, text};
use crate::specs::provider;

/// What a browser says of a page of another site; the rest of what it sends does not matter.
const FOREIGN: [&[(&str, &str)]; 5] = [
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:1")],
    &[("Origin", "https://evil.example")],
    &[("Origin", "null")],
    &[("Origin", "http://localhost.evil.example")],
];

#[test]
fn a_page_of_another_site_finishes_no_deployment() {
    let server = Server::start();
    let plan = server.started(&provider("a", "i"));
    let finish = format!("/deployments/{}/finish?success=true", text(&plan, "id"));
    for foreign in FOREIGN {
        // A form sends this without asking before.
        let headers = [foreign, &[("Content-Type", "text/plain")]].concat();
        server.send("POST", &finish, &headers, "").expect_problem(403, "cross-site-request");
    }
    assert_eq!(server.deployment(text(&plan, "id"))["deployment"]["condition"], "Pending");
    server.send("POST", &finish, &[], "").expect(200);
}

#[test]
fn no_route_that_writes_takes_what_a_page_of_another_site_sends() {
    let server = Server::start();
    for route in ROUTES {
        let path = route.path.replace("{id}", "x").replace("{name}", "x").replace("{code}", "x");
        for foreign in FOREIGN {
            let answer = server.send(route.method.as_str(), &path, &[foreign, &[JSON]].concat(), "{}");
            assert_eq!(answer.status == 403, route.effect == Effect::Writes, "{} {path}: {answer:?}", route.method);
        }
    }
    assert_eq!(server.items("/environments").len(), 0);
}

#[test]
fn pages_of_the_server_itself_and_clients_that_are_no_pages_write() {
    let server = Server::start_with(&["--allowed-host", "cmdb.example.org"]);
    let (own, host) = (server.url(), server.address().to_owned());
    let sent: [&[(&str, &str)]; 6] = [
        &[],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", &own)],
        &[("Origin", &format!("https://{host}"))],
        &[("Origin", "https://cmdb.example.org"), ("Host", "cmdb.example.org")],
    ];
    for (number, headers) in sent.iter().enumerate() {
        let body = json!({"environment": "test"}).to_string();
        server.send("PUT", &format!("/servers/s{number}"), &[headers, &[JSON][..]].concat(), body).expect(201);
    }
}

#[test]
fn on_loopback_only_known_hosts_are_answered() {
    let server = Server::start_with(&["--allowed-host", "cmdb.example.org"]);
    for host in
        ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "cmdb.example.org:443"]
    {
        asked_as(&server, host).expect(200);
    }
    for host in
        ["evil.example", "localhost.evil.example", "evil.example:8080", "192.0.2.1", "[2001:db8::1]", "x@localhost"]
    {
        let problem = asked_as(&server, host).expect_problem(421, "unknown-host");
        assert!(text(&problem, "detail").contains("--allowed-host"), "{problem}");
    }
    let twice =
        server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(twice.starts_with("HTTP/1.1 4"), "{twice}");
    // Whoever sends no Host is no browser.
    assert!(server.raw(b"GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let server = Server::start();
    for (path, most) in
        [("/deployments/start", 16 << 20), ("/deployments/%73tart", 16 << 20), ("/graph/query", 1 << 20)]
    {
        let head = |length: usize| {
            format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
            )
        };
        let mut stream = server.connect();
        stream.write_all(head(most + 1).as_bytes()).unwrap();
        let answer = read_to_end(stream);
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload-too-large"), "{path}: {answer}");
        assert!(answer.contains(&format!("{most} bytes")), "{path}: {answer}");
        let mut stream = server.connect();
        stream.write_all(head(2).as_bytes()).unwrap();
        stream.write_all(b"{}").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(read_to_end(stream).starts_with("HTTP/1.1 100 Continue"), "{path}");
    }
}

fn asked_as(server: &Server, host: &str) -> Answer {
    server.send("GET", "/healthz", &[("Host", host)], "")
}

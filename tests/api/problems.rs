//! The one envelope of every refusal, and where its codes are explained.

use std::collections::BTreeSet;

use mortise::model::Code;
use serde_json::{Value, json};

use crate::server::{JSON, Server, keys, text};
use crate::specs::{consumer, spec};

#[test]
fn every_code_is_explained_at_its_address() {
    let server = Server::start();
    for code in Code::ALL {
        let explained = server.get(&format!("/problems/{code}")).expect(200);
        assert_eq!(keys(&explained), ["code", "meaning", "remedy", "title"]);
        assert_eq!(explained["code"], code.as_str());
        assert!(["meaning", "remedy", "title"].iter().all(|field| !text(&explained, field).is_empty()), "{explained}");
    }
    let unknown = server.get("/problems/lease-lots").expect_problem(404, "not-found");
    assert!(text(&unknown, "detail").contains("lease-lost"), "{unknown}");
}

#[test]
fn a_type_can_be_followed_and_each_instance_is_another() {
    let server = Server::start();
    let refused: Vec<_> =
        (0..2).map(|_| server.start_deployment(&consumer("a", "b")).expect_problem(422, "not-deployable")).collect();
    assert_ne!(refused[0]["instance"], refused[1]["instance"]);
    let explained = server.get(text(&refused[0], "type")).expect(200);
    assert_eq!(explained["title"], refused[0]["title"]);
    let again = server.start_deployment(&consumer("a", "b"));
    let places = ["\"type\"", "\"title\"", "\"status\"", "\"code\"", "\"detail\"", "\"instance\"", "\"plan\""];
    assert!(places.map(|member| again.text.find(member).unwrap()).is_sorted(), "{again:?}");
}

#[test]
fn a_problem_has_no_member_that_says_nothing() {
    let server = Server::start();
    let problem = server.get("/nowhere").expect_problem(404, "not-found");
    assert_eq!(keys(&problem), ["code", "detail", "instance", "status", "title", "type"]);
}

#[test]
fn an_address_that_does_not_exist_is_404_with_any_method() {
    let server = Server::start();
    for path in [
        "/",
        "/deployment",
        "/deployments/",
        "/deployments/a/b/c",
        "/servers/",
        "/healthz/x",
        "//",
        "/%00",
        "/problems/",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            server.send(method, path, &[], "").expect_problem(404, "not-found");
        }
    }
}

#[test]
fn health_readiness_and_the_schema_are_served() {
    let server = Server::start();
    assert_eq!(server.get("/healthz").expect(200), json!({"status": "ok"}));
    assert_eq!(server.get("/readyz").expect(200), json!({"status": "ready"}));
    let schema = server.get("/schema/artifact-spec");
    let stands: Value = serde_json::from_str(include_str!("../../schema/artifact-spec.schema.json")).unwrap();
    assert_eq!(schema.expect(200), stands);
    assert_eq!(schema.content_type, "application/schema+json");
}

#[test]
fn codes_are_kebab_case_and_unique() {
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len());
    assert!(codes.iter().all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '-')), "{codes:?}");
}

#[test]
fn a_header_that_cannot_be_read_is_400() {
    let server = Server::start();
    let body = spec("a").to_string();
    let long = "a".repeat(1_025);
    for actor in ["", long.as_str(), "a\tb"] {
        server
            .send("POST", "/deployments/start", &[JSON, ("Mortise-Actor", actor)], &body)
            .expect_problem(400, "malformed");
    }
    let twice = [JSON, ("Mortise-Actor", "one"), ("Mortise-Actor", "two")];
    server.send("POST", "/deployments/start", &twice, &body).expect_problem(400, "malformed");
    assert_eq!(server.items("/deployments").len(), 0);
}

//! YAML out: `Accept`, problems included.

use mortise::document::{Document, Json, JsonText, Limits};
use serde_json::{Value, json};

use crate::server::{Answer, JSON, Server, YAML, text};
use crate::specs::{provider, spec, with};

const ACCEPT: (&str, &str) = ("Accept", "application/yaml");

/// A YAML answer as JSON, read by the reader of posted documents.
fn read(answer: &Answer) -> Value {
    let document = Document::from_yaml(answer.text.as_bytes(), Limits::default()).expect("an answer is YAML");
    let json: Json = document.root.to_json();
    serde_json::from_str(JsonText::from(&json).as_str()).unwrap()
}

#[test]
fn accept_yaml_answers_every_kind_of_answer_in_yaml() {
    let server = Server::start();
    server.put("/servers/troy", &json!({"environment": "test", "labels": {"a": "no", "b": "1.10"}})).expect(201);
    let attributes =
        json!({"text": "0x1F", "date": "2026-11-21", "on": "yes", "lines": "a\n b\n", "number": 1.5, "nothing": null});
    let provides = json!([{"interface": "i", "layer": "server", "attributes": attributes}]);
    let plan = server.deploy(&with(spec("a"), json!({"provides": provides, "version": "1.10"})));
    let id = text(&plan, "id");
    let paths = [
        format!("/deployments/{id}"),
        format!("/deployments/{id}/specification"),
        "/deployments".to_owned(),
        "/components".to_owned(),
        "/servers/troy".to_owned(),
        "/interfaces/i".to_owned(),
        "/healthz".to_owned(),
        "/problems/not-found".to_owned(),
    ];
    for path in paths {
        let answer = server.send("GET", &path, &[ACCEPT], "");
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/yaml"), "{answer:?}");
        assert_eq!(read(&answer), server.get(&path).expect(200), "{path}");
    }
}

#[test]
fn start_and_its_refusals_speak_yaml_both_ways() {
    let server = Server::start();
    let yaml = "system: shop\nname: a\nversion: 1.10\nenvironment: test\n";
    let started = server.send("POST", "/deployments/start", &[YAML, ACCEPT], yaml);
    assert_eq!((started.status, started.content_type.as_str()), (201, "application/yaml"));
    assert!(started.text.contains("version: \"1.10\""), "{started:?}");
    let pending = server.send("POST", "/deployments/start", &[YAML, ACCEPT], yaml);
    assert_eq!((pending.status, pending.content_type.as_str()), (409, "application/problem+yaml"));
    assert_eq!(read(&pending)["code"], "deployment-pending");
    for (body, code) in [("a: [", "malformed"), ("name: a\n", "invalid-specification")] {
        let refused = server.send("POST", "/deployments/start", &[YAML, ACCEPT], body);
        assert_eq!(refused.content_type, "application/problem+yaml");
        assert_eq!(read(&refused)["code"], code);
    }
    for (method, path, status) in [("GET", "/nowhere", 404), ("PUT", "/deployments", 405)] {
        let refused = server.send(method, path, &[ACCEPT], "");
        assert_eq!((refused.status, refused.content_type.as_str()), (status, "application/problem+yaml"));
    }
}

#[test]
fn json_is_answered_unless_yaml_is_preferred() {
    let server = Server::start();
    for (accept, content_type) in [
        ("*/*", "application/json"),
        ("application/json, application/yaml", "application/json"),
        ("text/html, application/yaml;q=0.9, */*;q=0.8", "application/yaml"),
        ("text/yaml", "application/yaml"),
        ("application/x-yaml", "application/yaml"),
        ("text/html", "application/json"),
        ("Application/YAML", "application/yaml"),
        ("application/yaml;q=0.1, application/json", "application/json"),
        ("application/yaml;q=0, */*", "application/json"),
    ] {
        let answer = server.send("GET", "/healthz", &[("Accept", accept)], "");
        assert_eq!(answer.content_type, content_type, "{accept}");
    }
    assert_eq!(
        server.send("POST", "/deployments/start", &[YAML], spec("a").to_string()).content_type,
        "application/json"
    );
}

#[test]
fn plain_scalars_of_yaml_are_read_as_they_are_written() {
    let server = Server::start();
    let yaml = "system: shop\nname: a\nversion: 1.10\nenvironment: no\nprovides:\n  - interface: i\n    layer: server\n    labels: {x: \
                0x1F, y: 2026-11-21, z: true}\n    attributes: {a: 010, b: 1.10, c: true, d: null, e: ~, f: yes, g: '1'}\n";
    let plan = server.send("POST", "/deployments/start", &[YAML], yaml).expect(201);
    assert_eq!(
        (&plan["artifactSpec"]["version"], &plan["artifactSpec"]["environment"]),
        (&json!("1.10"), &json!("no"))
    );
    let provide = &plan["artifactSpec"]["provides"][0];
    let own = ["x", "y", "z"].map(|key| text(&provide["labels"], key));
    assert_eq!(own, ["0x1F", "2026-11-21", "true"]);
    assert_eq!(
        provide["attributes"],
        json!({"a": "010", "b": 1.10, "c": true, "d": null, "e": "~", "f": "yes", "g": "1"})
    );
}

#[test]
fn a_number_where_text_is_meant_is_an_error_in_json() {
    let server = Server::start();
    let body = with(provider("a", "i"), json!({"version": 1.10}));
    let problem = server
        .send("POST", "/deployments/start", &[JSON], body.to_string())
        .expect_problem(422, "invalid-specification");
    assert_eq!(problem["problems"][0]["code"], "wrong-type");
    assert!(text(&problem["problems"][0], "message").contains("quote"), "{problem}");
}

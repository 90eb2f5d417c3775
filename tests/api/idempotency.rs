//! Idempotency keys.

use std::thread;

use serde_json::{Value, json};

use crate::server::{JSON, Server, YAML, keys, text};
use crate::specs::{consumer, provider, spec, with};

fn keyed(spec: Value, key: &str) -> Value {
    json!({"artifactSpec": spec, "idempotencyKey": key})
}

#[test]
fn a_repeat_is_200_with_the_recorded_plan_and_the_lease_again() {
    let server = Server::start();
    let body = keyed(provider("org.shop.api", "shop-api"), "ci-1");
    let first = server.started(&body);
    let answer = server.start_deployment(&body);
    assert_eq!(answer.expect(200), first);
    assert_eq!(server.items("/deployments").len(), 1);
}

#[test]
fn a_repeat_after_the_end_shows_the_deployment_as_it_is_now_without_lease() {
    let server = Server::start();
    let body = keyed(provider("org.shop.api", "shop-api"), "ci-1");
    let finished = server.deploy(&body);
    let repeat = server.start_deployment(&body).expect(200);
    assert_eq!(repeat["id"], finished["id"]);
    assert_eq!(repeat["deployment"]["outcome"], "succeeded");
    assert_eq!(repeat["deployment"]["currentState"], "Active");
    assert_eq!(repeat.get("lease"), None);
}

#[test]
fn json_and_yaml_older_spellings_and_both_places_of_input_are_the_same_request() {
    let server = Server::start();
    let json = json!({
        "system": "shop", "name": "org.shop.api",
        "provides": [{"interface": "shop-api", "layer": "server", "labels": {"tier": "1.10"}, "attributes": {"port": 80, "on": true}}],
        "requires": {"cache": {"interface": "redis", "resolution": "optional",
                               "selector": [{"key": "tier", "values": ["gold"]}], "attributes": ["host"]}},
    });
    let yaml = "system: shop\nname: org.shop.api\nruntimeSpec:\n  provides:\n    shop-api:\n      layer: server\n      labels: \
                {tier: 1.10}\n      attributes: {on: true, port: 80}\n  requires:\n    cache:\n      interface: redis\n      \
                selector: {tier: gold}\n      expand: [host]\n      resolution: optional\n";
    let key = ("Idempotency-Key", "ci-1");
    let path = "/deployments/start?version=1.10&environment=test";
    let first = server.send("POST", path, &[JSON, key], json.to_string()).expect(201);
    let second = server.send("POST", path, &[YAML, key], yaml).expect(200);
    assert_eq!(second, first);
    let wrapped =
        json!({"artifactSpec": json, "input": {"environment": "test", "version": "1.10"}, "idempotencyKey": "ci-1"});
    assert_eq!(server.start_deployment(&wrapped).expect(200), first);
}

#[test]
fn a_specification_that_came_as_yaml_is_compared_as_it_was_received() {
    let server = Server::start();
    let yaml = "artifactSpec:\n  system: shop\n  name: a\n  version: 1.10\n  environment: test\n  provides:\n    - {interface: i, \
                layer: server, attributes: {zip: 01234, ratio: 1.10, no: no, nothing: null}}\ninput: {build: 007, is: true}\n\
                idempotencyKey: ci-1\n";
    let first = server.send("POST", "/deployments/start", &[YAML], yaml).expect(201);
    assert_eq!(server.send("POST", "/deployments/start", &[YAML], yaml).expect(200), first);
    let attributes = json!({"zip": "01234", "ratio": 1.10, "no": "no", "nothing": null});
    assert_eq!(first["artifactSpec"]["provides"][0]["attributes"], attributes);
}

#[test]
fn annotations_of_the_attempt_are_not_compared() {
    let server = Server::start();
    let body = keyed(spec("org.shop.api"), "ci-1");
    let first = server.started(&with(body.clone(), json!({"annotations": {"run": "1"}})));
    let repeat = server.start_deployment(&with(body, json!({"annotations": {"run": "2"}}))).expect(200);
    assert_eq!(repeat, first);
}

#[test]
fn another_specification_input_or_form_under_a_key_is_409_with_the_difference() {
    let server = Server::start();
    let body = json!({"artifactSpec": spec("org.shop.api"), "input": {"build": "1"}, "idempotencyKey": "ci-1"});
    let plan = server.started(&body);
    let others = [
        with(body.clone(), json!({"artifactSpec": with(spec("org.shop.api"), json!({"version": "2.0"}))})),
        with(body.clone(), json!({"input": {"build": "2"}})),
        with(body.clone(), json!({"input": {"build": 1}})),
        json!({"artifactSpecs": [spec("org.shop.api")], "input": {"build": "1"}, "idempotencyKey": "ci-1"}),
    ];
    for other in others {
        let problem = server.start_deployment(&other).expect_problem(409, "idempotency-key-reused");
        assert_eq!(problem["recorded"], plan["id"]);
        assert!(text(&problem, "detail").contains('/'), "{problem} says where they differ");
    }
    assert_eq!(server.items("/deployments").len(), 1);
}

#[test]
fn header_and_body_key_may_both_be_sent_but_not_differ() {
    let server = Server::start();
    let body = keyed(spec("org.shop.api"), "ci-1");
    let send =
        |key: &str| server.send("POST", "/deployments/start", &[JSON, ("Idempotency-Key", key)], body.to_string());
    send("ci-2").expect_problem(400, "malformed");
    assert_eq!(server.items("/deployments").len(), 0);
    send("ci-1").expect(201);
    send("ci-1").expect(200);
}

#[test]
fn a_key_is_sent_once_and_is_a_filled_text_of_at_most_1024_bytes() {
    let server = Server::start();
    let body = spec("org.shop.api").to_string();
    let twice = [JSON, ("Idempotency-Key", "one"), ("Idempotency-Key", "two")];
    server.send("POST", "/deployments/start", &twice, &body).expect_problem(400, "malformed");
    let long = "k".repeat(1_025);
    for key in ["", long.as_str()] {
        server
            .send("POST", "/deployments/start", &[JSON, ("Idempotency-Key", key)], &body)
            .expect_problem(400, "malformed");
    }
    for key in [json!(""), json!(long), json!("a\tb"), json!(1)] {
        let problems = server.start_deployment(&json!({"artifactSpec": spec("a"), "idempotencyKey": key}));
        let problems = problems.expect_invalid("invalid-specification");
        assert_eq!(problems[0].1, "/idempotencyKey");
    }
    assert_eq!(server.items("/deployments").len(), 0);
    server.send("POST", "/deployments/start", &[JSON, ("Idempotency-Key", &long[1..])], &body).expect(201);
}

#[test]
fn a_key_is_looked_up_before_the_slot_and_the_owner() {
    let server = Server::start();
    let body = keyed(spec("org.shop.api"), "ci-1");
    server.deploy(&body);
    server.started(&with(spec("org.shop.api"), json!({"version": "2.0"})));
    server.start_deployment(&body).expect(200);
    let stolen = keyed(with(spec("org.shop.api"), json!({"system": "bank"})), "ci-1");
    server.start_deployment(&stolen).expect_problem(409, "idempotency-key-reused");
}

#[test]
fn only_recorded_starts_hold_a_key() {
    let server = Server::start();
    let refused = keyed(consumer("org.shop.ui", "shop-api"), "ci-1");
    server.start_deployment(&refused).expect_problem(422, "not-deployable");
    server.post("/deployments/start?dryRun=true", &keyed(spec("org.shop.ui"), "ci-1")).expect(200);
    server.started(&keyed(provider("org.shop.api", "shop-api"), "ci-1"));
}

#[test]
fn a_repeated_set_has_the_leases_of_its_open_members() {
    let server = Server::start();
    let body = json!({"artifactSpecs": [spec("a"), spec("b")], "idempotencyKey": "ci-1"});
    let first = server.started(&body);
    assert_eq!(server.start_deployment(&body).expect(200), first);
    server.finish(text(&first["deployments"][0], "id"), &json!({"success": true})).expect(200);
    let repeat = server.start_deployment(&body).expect(200);
    assert_eq!(repeat["deployments"][0].get("lease"), None);
    assert_eq!(repeat["deployments"][1], first["deployments"][1]);
    assert!(!keys(&repeat).contains(&"lease"));
}

#[test]
fn starts_with_one_key_at_the_same_time_make_one_attempt() {
    let server = Server::start();
    let body = keyed(provider("org.shop.api", "shop-api"), "ci-1");
    let answers: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| server.start_deployment(&body))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    assert!(
        answers.iter().all(|answer| matches!(answer.status, 200 | 201) && answer.json() == answers[0].json()),
        "{answers:?}"
    );
    assert_eq!(server.items("/deployments").len(), 1);
}

#[test]
fn a_key_is_known_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let body = keyed(provider("org.shop.api", "shop-api"), "ci-1");
    let server = Server::start_in(data.path(), &[]);
    let first = server.started(&body);
    assert!(server.stop().success());
    let server = Server::start_in(data.path(), &[]);
    assert_eq!(server.start_deployment(&body).expect(200), first);
}

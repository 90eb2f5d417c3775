//! Starts that are refused, and in which order.

use serde_json::{Value, json};

use crate::server::{JSON, Server, text};
use crate::specs::{consumer, provider, spec, with};

#[test]
fn a_second_start_on_a_slot_is_409_with_holder_and_retry_after() {
    let server = Server::start();
    let body = spec("org.shop.api").to_string();
    let open = server.send("POST", "/deployments/start", &[JSON, ("Mortise-Actor", "ci/1")], &body).expect(201);
    let answer = server.send("POST", "/deployments/start", &[JSON, ("Mortise-Actor", "ci/2")], &body);
    let problem = answer.expect_problem(409, "deployment-pending");
    assert_eq!((&problem["deployment"], &problem["holder"]), (&open["id"], &json!("ci/1")));
    assert_eq!(problem.get("expiresAt"), None);
    let seconds: u32 = answer.header("Retry-After").expect("there is one").parse().expect("it is in seconds");
    assert!(seconds > 0);
}

#[test]
fn a_holder_that_nobody_named_is_absent() {
    let server = Server::start();
    server.started(&spec("org.shop.api"));
    let problem = server.start_deployment(&spec("org.shop.api")).expect_problem(409, "deployment-pending");
    assert_eq!(problem.get("holder"), None);
}

#[test]
fn another_environment_or_instance_is_another_slot() {
    let server = Server::start();
    server.started(&spec("org.shop.api"));
    let production = server.started(&with(spec("org.shop.api"), json!({"environment": "production"})));
    let blue = server.started(&with(spec("org.shop.api"), json!({"instance": "blue"})));
    assert_eq!((&production["deployment"]["number"], &blue["deployment"]["number"]), (&json!(1), &json!(1)));
}

#[test]
fn numbers_of_a_slot_count_failures_and_skip_refusals() {
    let server = Server::start();
    server.fail(&server.started(&spec("org.shop.api")));
    server
        .start_deployment(&with(spec("org.shop.api"), json!({"requires": {"x": {"interface": "nothing"}}})))
        .expect(422);
    let second = server.started(&spec("org.shop.api"));
    assert_eq!(second["deployment"]["number"], 2);
    server.start_deployment(&spec("org.shop.api")).expect(409);
    server.succeed(&second);
    assert_eq!(server.started(&spec("org.shop.api"))["deployment"]["number"], 3);
}

/// A world in which a start of `org.shop.api` under the System `bank` with the key `used` breaks every rule at once.
fn hostile() -> Server {
    let server = Server::start();
    server.deploy(&spec("org.shop.api"));
    server.deploy(&json!({"artifactSpec": spec("org.shop.keyed"), "idempotencyKey": "used"}));
    server.started(&spec("org.shop.api"));
    server
}

fn body(key: &str, over: Value) -> Value {
    json!({"artifactSpec": with(spec("org.shop.api"), over), "idempotencyKey": key})
}

#[test]
fn refusals_come_in_the_documented_order() {
    let server = hostile();
    let stolen = json!({"system": "bank", "requires": {"x": {"interface": "nothing"}}});
    // Malformed before invalid.
    let invalid = body("used", json!({"system": "bank", "nonsense": 1})).to_string();
    server.send("POST", "/deployments/start?wait=1", &[JSON], &invalid).expect_problem(400, "not-yet-supported");
    server
        .send("POST", "/deployments/start", &[JSON, ("Idempotency-Key", "b")], body("a", json!({})).to_string())
        .expect_problem(400, "malformed");
    // Invalid before idempotency.
    server.send("POST", "/deployments/start", &[JSON], &invalid).expect_invalid("invalid-specification");
    // Idempotency before pending.
    server.start_deployment(&body("used", stolen.clone())).expect_problem(409, "idempotency-key-reused");
    // Pending before the owner.
    server.start_deployment(&body("new", stolen.clone())).expect_problem(409, "deployment-pending");
    // The owner before the verdict.
    let elsewhere = with(stolen, json!({"environment": "production"}));
    server.start_deployment(&body("new", elsewhere)).expect_problem(409, "artifact-owned-elsewhere");
    // The verdict last.
    let unmet = json!({"environment": "production", "requires": {"x": {"interface": "nothing"}}});
    server.start_deployment(&body("new", unmet)).expect_problem(422, "not-deployable");
}

#[test]
fn a_content_type_is_needed_and_one_of_those_that_are_read() {
    let server = Server::start();
    let body = spec("org.shop.api").to_string();
    server.send("POST", "/deployments/start", &[], &body).expect_problem(415, "unsupported-media-type");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", ""] {
        let headers = [("Content-Type", content_type)];
        server.send("POST", "/deployments/start", &headers, &body).expect_problem(415, "unsupported-media-type");
    }
    let compressed = [JSON, ("Content-Encoding", "gzip")];
    server.send("POST", "/deployments/start", &compressed, &body).expect_problem(415, "unsupported-media-type");
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON", "application/yaml", "text/yaml", "application/x-yaml"]
    {
        let headers = [("Content-Type", content_type)];
        server.send("POST", "/deployments/start?dryRun=true", &headers, &body).expect(200);
    }
}

#[test]
fn a_wrapped_body_beside_query_inputs_is_400() {
    let server = Server::start();
    let wrapped = json!({"artifactSpec": spec("org.shop.api")});
    for path in
        ["/deployments/start?version=1", "/deployments/start?input.version=1", "/deployments/start?dryRun=true&x=1"]
    {
        server.post(path, &wrapped).expect_problem(400, "invalid-query");
        server.post(path, &json!({"artifactSpecs": [spec("org.shop.api")]})).expect_problem(400, "invalid-query");
    }
    server.post("/deployments/start?dryRun=true", &wrapped).expect(200);
}

#[test]
fn all_problems_are_reported_at_once_with_pointers_into_what_was_posted() {
    let server = Server::start();
    let broken = json!({
        "name": "org.shop.api", "vesrion": "1", "environment": "test", "provides": [{"interface": "i", "layer": "sevrer"}],
        "requires": {"a": {"interfaec": "x"}, "b": {"interface": "x", "quantifier": "many"}},
    });
    for (body, prefix) in
        [(broken.clone(), ""), (json!({"artifactSpec": broken}), "/artifactSpec"), (json!([broken]), "/0")]
    {
        let problems = server.start_deployment(&body).expect_invalid("invalid-specification");
        let expected = [
            ("unknown-field", "/vesrion"),
            ("unknown-value", "/provides/0/layer"),
            ("unknown-field", "/requires/a/interfaec"),
            ("invalid-quantifier", "/requires/b/quantifier"),
        ];
        for (code, pointer) in expected {
            let wanted = (code.to_owned(), format!("{prefix}{pointer}"));
            assert!(problems.contains(&wanted), "{wanted:?} in {problems:?}");
        }
        assert!(problems.iter().any(|(code, _)| code == "missing-field"), "{problems:?}");
    }
    assert_eq!(server.items("/deployments").len(), 0);
}

#[test]
fn a_problem_of_a_template_has_line_and_column() {
    let server = Server::start();
    let body = with(provider("org.shop.api", "shop-api"), json!({"description": "first\n  ${input.verison}"}));
    let problem = server.post("/deployments/start?version=1", &body).expect_problem(422, "invalid-specification");
    let first = &problem["problems"][0];
    assert_eq!((&first["code"], &first["pointer"]), (&json!("template-undefined"), &json!("/description")));
    assert_eq!((&first["line"], first["column"].is_u64()), (&json!(2), true));
    assert!(text(first, "message").contains("input.version"), "{first}");
}

#[test]
fn limits_of_requires_and_matches_are_configuration() {
    let server = Server::start_with(&["--max-requires", "2", "--max-matches", "1"]);
    server.deploy(&provider("a", "i"));
    server.deploy(&provider("b", "i"));
    let requires: serde_json::Map<_, _> = (0..3).map(|n| (format!("r{n}"), json!({"interface": "i"}))).collect();
    let many = with(spec("c"), json!({"requires": requires}));
    let problems = server.start_deployment(&many).expect_invalid("invalid-specification");
    assert_eq!(problems[0].0, "too-many-requires");
    let all = with(spec("c"), json!({"requires": {"all": {"interface": "i", "quantifier": "1..*"}}}));
    let problem = server.start_deployment(&all).expect_problem(422, "not-deployable");
    assert_eq!(problem["plan"]["explanation"]["unmet"][0]["kind"], "too-many-matches");
    server
        .deploy(&with(consumer("c", "i"), json!({"requires": {"one": {"interface": "i", "selector": {"name": "a"}}}})));
}

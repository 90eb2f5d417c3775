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

#[test]
fn a_plan_that_would_be_too_large_is_refused_with_the_require_and_what_to_name() {
    let server = Server::start_with(&["--max-plan-bytes", "200000"]);
    for host in 0..3 {
        let attributes = json!({"address": host.to_string(), "keys": vec!["x".repeat(50_000); 2]});
        let body = json!({"environment": "test", "interface": "host", "attributes": attributes});
        server.put(&format!("/servers/h{host}"), &body).expect(201);
    }
    let asks = |attributes: Value| {
        let require = json!({"interface": "host", "quantifier": "*", "attributes": attributes});
        with(spec("org.shop.api"), json!({"requires": {"hosts": require}}))
    };
    let all = asks(json!([]));
    let wrapped = json!({"artifactSpec": &all});
    let set = json!([spec("org.shop.other"), &all]);
    let places = [(&all, "/requires/hosts"), (&wrapped, "/artifactSpec/requires/hosts"), (&set, "/1/requires/hosts")];
    for (body, pointer) in places {
        for address in ["/deployments/start", "/deployments/start?dryRun=true"] {
            let problem = server.post(address, body).expect_problem(422, "plan-too-large");
            let [only] = problem["problems"].as_array().unwrap().as_slice() else { panic!("{problem}") };
            assert_eq!((text(only, "code"), text(only, "pointer")), ("plan-too-large", pointer));
            let message = text(only, "message");
            assert!(message.contains("`attributes`") && message.contains("200000"), "{message}");
        }
    }
    assert_eq!(server.items("/deployments").len(), 0, "nothing is recorded");
    let plan = server.started(&asks(json!(["address"])));
    assert_eq!(plan["artifactSpec"]["requires"]["hosts"]["matches"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_specification_that_is_wrong_in_many_places_is_not_looked_through_to_its_end() {
    let server = Server::start();
    let attributes: serde_json::Map<_, _> =
        (0..8_000).map(|at| (format!("a{at}"), format!("${{input.im{at:05}}}").into())).collect();
    let provides = json!([{"interface": "i", "layer": "server", "attributes": attributes}]);
    let input: serde_json::Map<_, _> = (0..10_000).map(|at| (format!("in{at:05}"), "v".into())).collect();
    let body = json!({"artifactSpec": with(spec("org.shop.api"), json!({"provides": provides})), "input": input});
    let problems = server.start_deployment(&body).expect_invalid("invalid-specification");
    assert_eq!(problems.len(), 1_000);
}

#[test]
fn a_require_asks_for_a_bounded_number_of_attributes() {
    let server = Server::start();
    let asks = |count: usize| {
        let names: Vec<_> = (0..count).map(|at| format!("a{at}")).collect();
        let require = json!({"interface": "i", "quantifier": "*", "attributes": names});
        with(spec("org.shop.api"), json!({"requires": {"r": require}}))
    };
    server.post("/deployments/start?dryRun=true", &asks(1_000)).expect(200);
    let problems = server.start_deployment(&asks(1_001)).expect_invalid("invalid-specification");
    assert_eq!(problems, [("too-large".to_owned(), "/requires/r/attributes".to_owned())]);
}

#[test]
fn what_the_members_of_a_set_share_is_counted_for_each_that_lays_something_over_it() {
    let server = Server::start();
    let member = |at: usize| json!({"artifactSpec": spec(&format!("a{at}")), "input": {"own": at}});
    let shared: serde_json::Map<_, _> = (0..100).map(|at| (format!("in{at}"), "x".repeat(15_000).into())).collect();
    let members: Vec<_> = (0..100).map(member).collect();
    let body = json!({"artifactSpecs": members, "input": shared});
    let problems = server.start_deployment(&body).expect_invalid("invalid-specification");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].0, "too-large");
    let plan = json!({"artifactSpecs": (0..10).map(member).collect::<Vec<_>>(), "input": shared});
    server.post("/deployments/start?dryRun=true", &plan).expect(200);
}

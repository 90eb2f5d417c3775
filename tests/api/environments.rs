//! `/environments` and the first-deployment policy.

use serde_json::json;

use crate::server::{Server, keys};
use crate::specs::{consumer, spec, with};

#[test]
fn put_is_201_for_a_new_environment_and_200_after() {
    let server = Server::start();
    let shown = server.put("/environments/production", &json!({"firstDeployment": "refuse"})).expect(201);
    assert_eq!(shown, json!({"name": "production", "firstDeployment": "refuse"}));
    assert_eq!(server.put("/environments/production", &json!({"firstDeployment": "refuse"})).expect(200), shown);
    assert_eq!(server.get("/environments/production").expect(200), shown);
    let reset = server.put("/environments/production", &json!({})).expect(200);
    assert_eq!(keys(&reset), ["name"]);
}

#[test]
fn an_environment_that_is_not_valid_is_422() {
    let server = Server::start();
    let put = |body| server.put("/environments/production", &body).expect_invalid("invalid-environment");
    assert_eq!(put(json!({"firstDeployment": "maybe"})), [("unknown-value".to_owned(), "/firstDeployment".to_owned())]);
    assert_eq!(put(json!({"firstDeploymnet": "warn"}))[0].0, "unknown-field");
    put(json!([]));
    server.put("/environments/%0A", &json!({})).expect_problem(422, "invalid-environment");
    server.put("/environments/production?x=1", &json!({})).expect_problem(400, "invalid-query");
    assert_eq!(server.items("/environments").len(), 0);
}

#[test]
fn refuse_answers_undecided_until_something_succeeded_there() {
    let server = Server::start();
    server.put("/environments/test", &json!({"firstDeployment": "refuse"})).expect(201);
    let problem = server.start_deployment(&spec("org.shop.api")).expect_problem(422, "undecided");
    assert_eq!(problem["plan"]["deployable"], "unknown");
    let unmet = &problem["plan"]["explanation"]["unmet"][0];
    assert_eq!((&unmet["kind"], unmet.get("require")), (&json!("first-deployment"), None));
    let dry = server.post("/deployments/start?dryRun=true", &spec("org.shop.api")).expect(200);
    assert_eq!(dry["deployable"], "unknown");
    // What is missing weighs more than a policy.
    server.start_deployment(&consumer("org.shop.api", "nothing")).expect_problem(422, "not-deployable");
    assert_eq!(server.items("/deployments").len(), 0);
    server.put("/environments/test", &json!({"firstDeployment": "allow"})).expect(200);
    server.deploy(&spec("org.shop.api"));
    server.put("/environments/test", &json!({"firstDeployment": "refuse"})).expect(200);
    server.deploy(&spec("org.shop.ui"));
}

#[test]
fn a_failed_attempt_proves_nothing() {
    let server = Server::start();
    server.fail(&server.started(&spec("org.shop.api")));
    server.put("/environments/test", &json!({"firstDeployment": "refuse"})).expect(200);
    server.start_deployment(&spec("org.shop.api")).expect_problem(422, "undecided");
}

#[test]
fn warn_warns_and_allow_says_nothing() {
    let server = Server::start();
    assert_eq!(server.started(&spec("a")).get("warnings"), None);
    server.put("/environments/test", &json!({"firstDeployment": "warn"})).expect(200);
    let plan = server.started(&spec("b"));
    assert_eq!(plan["warnings"][0]["code"], "first-deployment");
    server.succeed(&plan);
    assert_eq!(server.started(&spec("c")).get("warnings"), None);
}

#[test]
fn the_default_policy_is_a_setting_that_an_environment_of_its_own_overrides() {
    let server = Server::start_with(&["--first-deployment", "refuse"]);
    server.start_deployment(&spec("a")).expect_problem(422, "undecided");
    server.put("/environments/test", &json!({"firstDeployment": "allow"})).expect(201);
    server.deploy(&spec("a"));
    server.start_deployment(&with(spec("a"), json!({"environment": "tets"}))).expect_problem(422, "undecided");
}

//! Sets: all of it or nothing.

use serde_json::{Value, json};

use crate::server::{Server, keys, text};
use crate::specs::{consumer, provider, spec, with};

fn member(plan: &Value, index: usize) -> &str {
    text(&plan["deployments"][index], "id")
}

#[test]
fn a_set_is_answered_in_set_form_in_request_order_even_for_one() {
    let server = Server::start();
    let answer = server.start_deployment(&json!([spec("b"), spec("a")]));
    let plan = answer.expect(201);
    assert_eq!(keys(&plan), ["artifactSpecs", "deployable", "deployments", "id", "revision"]);
    assert_eq!(answer.header("Location"), Some(format!("/deployments/{}", text(&plan, "id")).as_str()));
    let names: Vec<_> = plan["artifactSpecs"].as_array().unwrap().iter().map(|spec| text(spec, "name")).collect();
    assert_eq!(names, ["b", "a"]);
    let first = &plan["deployments"][0];
    assert_eq!(keys(first), ["condition", "createdAt", "currentState", "id", "lease", "number", "targetState"]);
    assert_ne!(first["lease"]["token"], plan["deployments"][1]["lease"]["token"]);
    assert_ne!(first["id"], plan["id"]);
    let one = server.started(&json!({"artifactSpecs": [spec("c")]}));
    assert_eq!(one["artifactSpecs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_member_is_shown_in_single_form_with_its_set() {
    let server = Server::start();
    let plan = server.started(&json!([spec("a"), spec("b")]));
    let shown = server.deployment(member(&plan, 1));
    assert_eq!(keys(&shown), ["artifactSpec", "deployable", "deployment", "id", "revision", "set"]);
    assert_eq!((&shown["set"], &shown["artifactSpec"]), (&plan["id"], &plan["artifactSpecs"][1]));
    let set = server.deployment(text(&plan, "id"));
    assert_eq!(keys(&set), ["artifactSpecs", "deployable", "deployments", "id", "revision"]);
    assert_eq!(set["deployments"][0].get("lease"), None);
    assert!(server.items("/deployments").iter().all(|item| item["set"] == plan["id"]));
}

#[test]
fn members_have_inputs_and_annotations_of_their_own_over_the_shared_ones() {
    let server = Server::start();
    let named = |name: &str| json!({"system": "shop", "name": name});
    let plan = server.started(&json!({
        "artifactSpecs": [named("a"), {"artifactSpec": named("b"), "input": {"version": "2"}, "annotations": {"own": "1"}}],
        "input": {"version": "1", "environment": "test"},
        "annotations": {"shared": "1"},
    }));
    assert_eq!(
        (&plan["artifactSpecs"][0]["version"], &plan["artifactSpecs"][1]["version"]),
        (&json!("1"), &json!("2"))
    );
    assert_eq!(plan["deployments"][0]["annotations"], json!({"shared": "1"}));
    assert_eq!(plan["deployments"][1]["annotations"], json!({"own": "1", "shared": "1"}));
    let received = server.get(&format!("/deployments/{}/specification", text(&plan, "id"))).expect(200);
    assert_eq!(received["artifactSpecs"][1]["input"], json!({"environment": "test", "version": "2"}));
    assert_eq!(received["artifactSpecs"][1]["id"], plan["deployments"][1]["id"]);
}

#[test]
fn members_provide_for_each_other_and_the_end_of_all_is_not_stale() {
    let server = Server::start();
    let plan =
        server.started(&json!([consumer("org.shop.api", "postgresql"), provider("org.shop.database", "postgresql")]));
    let matched = &plan["artifactSpecs"][0]["requires"]["needed"]["matches"][0];
    assert_eq!(matched["component"], plan["artifactSpecs"][1]["provides"][0]["component"]);
    assert_eq!(matched["deployment"], plan["deployments"][1]["id"]);
    let finished = server.succeed(&plan);
    for deployment in finished["deployments"].as_array().unwrap() {
        assert_eq!((&deployment["outcome"], &deployment["stale"]), (&json!("succeeded"), &json!([])));
        assert_eq!(deployment.get("lease"), None);
    }
    assert_eq!(finished.get("warnings"), None);
    assert_eq!(server.deployment(text(&plan, "id")), finished);
}

#[test]
fn one_member_that_cannot_be_deployed_makes_the_set_no() {
    let server = Server::start();
    let problem =
        server.start_deployment(&json!([spec("a"), consumer("b", "nothing")])).expect_problem(422, "not-deployable");
    let plan = &problem["plan"];
    assert_eq!(keys(plan), ["artifactSpecs", "deployable", "explanation", "revision"]);
    assert_eq!(plan["explanation"]["unmet"][0]["pointer"], "/artifactSpecs/1/requires/needed");
    assert_eq!(server.items("/deployments").len(), 0);
    let dry = server.post("/deployments/start?dryRun=true", &json!([spec("a"), consumer("b", "nothing")])).expect(200);
    assert_eq!(keys(&dry), ["artifactSpecs", "deployable", "explanation", "revision"]);
}

#[test]
fn one_held_slot_locks_none_of_a_set() {
    let server = Server::start();
    let open = server.started(&spec("b"));
    let problem = server.start_deployment(&json!([spec("a"), spec("b")])).expect_problem(409, "deployment-pending");
    assert_eq!(problem["deployment"], open["id"]);
    assert_eq!(server.items("/deployments").len(), 1);
    server.started(&spec("a"));
}

#[test]
fn the_same_slot_twice_and_an_empty_set_are_422() {
    let server = Server::start();
    let problems =
        server.start_deployment(&json!([spec("a"), spec("b"), spec("a")])).expect_invalid("invalid-specification");
    assert_eq!(problems, [("duplicate-slot".to_owned(), "/2".to_owned())]);
    let wrapped = json!({"artifactSpecs": [{"artifactSpec": spec("a")}, {"artifactSpec": spec("a")}]});
    let problems = server.start_deployment(&wrapped).expect_invalid("invalid-specification");
    assert_eq!(problems, [("duplicate-slot".to_owned(), "/artifactSpecs/1/artifactSpec".to_owned())]);
    server.start_deployment(&json!([])).expect_invalid("invalid-specification");
    server.start_deployment(&json!({"artifactSpecs": []})).expect_invalid("invalid-specification");
    let both = json!({"artifactSpec": spec("a"), "artifactSpecs": [spec("b")]});
    server.start_deployment(&both).expect_invalid("invalid-specification");
    server.started(&json!([spec("a"), with(spec("a"), json!({"instance": "blue"}))]));
}

#[test]
fn finish_on_the_plan_ends_every_open_member_alike_and_leaves_ended_ones_alone() {
    let server = Server::start();
    let plan = server.started(&json!([spec("a"), spec("b"), spec("c")]));
    let failed = server.finish(member(&plan, 1), &json!({"success": false})).expect(200);
    let finished = server.succeed(&plan);
    let outcomes: Vec<_> =
        finished["deployments"].as_array().unwrap().iter().map(|member| text(member, "outcome")).collect();
    assert_eq!(outcomes, ["succeeded", "failed", "succeeded"]);
    assert_eq!(server.deployment(member(&plan, 1)), failed);
    // None is open now, and one ended otherwise than either report says.
    server.finish(text(&plan, "id"), &json!({"success": true})).expect_problem(409, "already-finished");
    server.finish(text(&plan, "id"), &json!({"success": false})).expect_problem(409, "already-finished");
}

#[test]
fn finish_on_the_plan_twice_is_200() {
    let server = Server::start();
    let plan = server.started(&json!([spec("a"), spec("b")]));
    assert_eq!(server.fail(&plan), server.fail(&plan));
    server.finish(text(&plan, "id"), &json!({"success": true})).expect_problem(409, "already-finished");
}

#[test]
fn finish_on_a_member_takes_the_posted_set_plan_with_its_token_and_attributes() {
    let server = Server::start();
    let mut plan = server.started(&json!([provider("a", "one"), provider("b", "two")]));
    plan["success"] = json!(true);
    plan["artifactSpecs"][0]["provides"][0]["attributes"]["url"] = json!("first");
    plan["artifactSpecs"][1]["provides"][0]["attributes"]["url"] = json!("second");
    let mut wrong = plan.clone();
    wrong["deployments"][1]["lease"]["token"] = json!("wrong");
    server.finish(member(&plan, 1), &wrong).expect_problem(409, "lease-lost");
    let finished = server.finish(member(&plan, 1), &plan).expect(200);
    assert_eq!(finished["set"], plan["id"]);
    assert_eq!(finished["artifactSpec"]["provides"][0]["attributes"], json!({"url": "second"}));
    assert_eq!(server.deployment(member(&plan, 0))["deployment"]["condition"], "Pending");
    let all = server.finish(text(&plan, "id"), &plan).expect(200);
    assert_eq!(all["artifactSpecs"][0]["provides"][0]["attributes"], json!({"url": "first"}));
    assert_eq!(all["artifactSpecs"][1]["provides"][0]["attributes"], json!({"url": "second"}));
}

#[test]
fn one_wrong_token_ends_no_member() {
    let server = Server::start();
    let mut plan = server.started(&json!([spec("a"), spec("b")]));
    plan["success"] = json!(true);
    plan["deployments"][1]["lease"]["token"] = json!("wrong");
    let problem = server.finish(text(&plan, "id"), &plan).expect_problem(409, "lease-lost");
    assert_eq!(problem["deployment"], plan["deployments"][1]["id"]);
    assert_eq!(server.items("/deployments?condition=Pending").len(), 2);
}

#[test]
fn corrections_of_a_set_need_to_say_whose_they_are() {
    let server = Server::start();
    let plan = server.started(&json!([provider("a", "one"), provider("b", "one")]));
    let provides = json!([{"interface": "one", "layer": "server", "attributes": {"url": "whose"}}]);
    let body = json!({"success": true, "artifactSpec": {"provides": provides}});
    server.finish(text(&plan, "id"), &body).expect_invalid("invalid-finish");
    let body = json!({"success": true, "artifactSpecs": [{"provides": provides}, {}]});
    server.finish(member(&plan, 1), &body).expect_invalid("invalid-finish");
    let finished = server.finish(text(&plan, "id"), &body).expect(200);
    assert_eq!(finished["artifactSpecs"][0]["provides"][0]["attributes"], json!({"url": "whose"}));
    assert_eq!(finished["artifactSpecs"][1]["provides"][0]["attributes"], json!({"url": "tcp://one"}));
}

#[test]
fn a_member_finished_before_one_that_it_needs_is_recorded_with_a_warning() {
    let server = Server::start();
    let api = with(
        spec("org.shop.api"),
        json!({
            "requires": {"data/base": {"interface": "postgresql"}},
            "deploymentSpec": {"other": {"selector": {"interface": "postgresql"}}},
        }),
    );
    let plan = server.started(&json!([api, provider("org.shop.database", "postgresql")]));
    let early = server.finish(member(&plan, 0), &json!({"success": true})).expect(200);
    assert_eq!(early["deployment"]["outcome"], "succeeded");
    let warnings: Vec<_> = early["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| (text(warning, "code"), text(warning, "pointer")))
        .collect();
    let code = "provider-unfinished";
    assert_eq!(warnings, [(code, "/artifactSpec/requires/data~1base"), (code, "/artifactSpec/deploymentSpec/other")]);
    assert_eq!(early["stale"], json!([]));
    let late = server.finish(member(&plan, 1), &json!({"success": true})).expect(200);
    assert_eq!((late.get("warnings"), &late["stale"]), (None, &json!([])));
}

#[test]
fn members_finished_one_by_one_providers_first_are_not_stale() {
    let server = Server::start();
    let plan =
        server.started(&json!([consumer("org.shop.api", "postgresql"), provider("org.shop.database", "postgresql")]));
    server.finish(member(&plan, 1), &json!({"success": true})).expect(200);
    let second = server.finish(member(&plan, 0), &json!({"success": true})).expect(200);
    assert_eq!((second.get("warnings"), &second["stale"]), (None, &json!([])));
}

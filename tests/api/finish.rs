//! `POST /deployments/{id}/finish` of a single plan.

use serde_json::{Value, json};

use crate::server::{JSON, Server, YAML, keys, text};
use crate::specs::{consumer, provider, spec, with};

fn finish(server: &Server, plan: &Value, body: &Value) -> crate::server::Answer {
    server.finish(text(plan, "id"), body)
}

#[test]
fn success_makes_the_attempt_active_and_shows_how_it_ended() {
    let server = Server::start();
    let plan = server.started(&provider("org.shop.api", "shop-api"));
    let finished = finish(&server, &plan, &json!({"success": true, "reason": "all green"})).expect(200);
    assert_eq!(keys(&finished), ["artifactSpec", "deployable", "deployment", "id", "revision", "stale"]);
    let deployment = &finished["deployment"];
    let members =
        ["condition", "createdAt", "currentState", "finishedAt", "number", "outcome", "reason", "targetState"];
    assert_eq!(keys(deployment), members);
    assert_eq!((&deployment["currentState"], &deployment["targetState"]), (&json!("Active"), &json!("Active")));
    assert_eq!((&deployment["condition"], &deployment["outcome"]), (&json!("Ok"), &json!("succeeded")));
    assert_eq!((&deployment["reason"], &finished["stale"]), (&json!("all green"), &json!([])));
    assert!(text(deployment, "finishedAt") >= text(deployment, "createdAt"));
    assert_eq!(server.deployment(text(&plan, "id")), finished);
}

#[test]
fn failure_makes_it_an_error_and_leaves_the_predecessor_as_it_was() {
    let server = Server::start();
    let first = server.deploy(&provider("org.shop.api", "shop-api"));
    let components = server.items("/components");
    let second = server.started(&with(provider("org.shop.api", "shop-api"), json!({"version": "2.0"})));
    let failed = finish(&server, &second, &json!({"success": false, "reason": "disk full"})).expect(200);
    let deployment = &failed["deployment"];
    assert_eq!((&deployment["currentState"], &deployment["targetState"]), (&json!("Error"), &json!("Active")));
    assert_eq!((&deployment["condition"], &deployment["outcome"]), (&json!("Error"), &json!("failed")));
    assert_eq!(deployment["reason"], "disk full");
    assert_eq!((failed.get("supersedes"), failed.get("lease")), (None, None));
    assert_eq!(server.deployment(text(&first, "id")), first);
    assert_eq!(server.items("/components"), components);
    assert_eq!(server.items("/components?state=planned").len(), 0);
}

#[test]
fn success_supersedes_the_predecessor_and_what_had_failed_in_between() {
    let server = Server::start();
    let first = server.deploy(&spec("org.shop.api"));
    let failed = server.fail(&server.started(&spec("org.shop.api")));
    let third = server.deploy(&spec("org.shop.api"));
    assert_eq!(third["supersedes"], first["id"]);
    for replaced in [&first, &failed] {
        let now = server.deployment(text(replaced, "id"));
        let states =
            (&now["deployment"]["currentState"], &now["deployment"]["targetState"], &now["deployment"]["condition"]);
        assert_eq!(states, (&json!("Inactive"), &json!("Inactive"), &json!("Ok")));
        assert_eq!(now["deployment"]["outcome"], replaced["deployment"]["outcome"]);
    }
    assert_eq!(server.deployment(text(&third, "id")), third);
    assert_eq!(first.get("supersedes"), None);
}

#[test]
fn components_are_kept_added_and_dropped_to_be_exactly_what_is_provided() {
    let server = Server::start();
    let provides = |interfaces: &[&str], version: &str| {
        let provides: Vec<_> = interfaces.iter().map(|name| json!({"interface": name, "layer": "server"})).collect();
        with(spec("org.shop.api"), json!({"provides": provides, "version": version}))
    };
    let first = server.deploy(&provides(&["kept", "dropped"], "1.0"));
    let second = server.started(&provides(&["new", "kept"], "2.0"));
    let id = |plan: &Value, index: usize| plan["artifactSpec"]["provides"][index]["component"].clone();
    assert_eq!(id(&second, 1), id(&first, 0));
    server.succeed(&second);
    let active = server.items("/components");
    let active: Vec<_> =
        active.iter().map(|item| (text(item, "interface"), &item["component"], text(item, "version"))).collect();
    assert_eq!(active, [("kept", &id(&first, 0), "2.0"), ("new", &id(&second, 0), "2.0")]);
    let inactive = server.items("/components?state=inactive");
    assert_eq!(inactive.len(), 1);
    assert_eq!((&inactive[0]["component"], &inactive[0]["state"]), (&id(&first, 1), &json!("inactive")));
    let third = server.deploy(&provides(&["dropped"], "3.0"));
    assert_eq!(id(&third, 0), id(&first, 1), "a Component that comes back is the same one");
}

#[test]
fn the_same_outcome_again_is_200_and_ignores_its_attributes() {
    let server = Server::start();
    for success in [true, false] {
        let plan = server.started(&provider(&format!("org.shop.{success}"), "shop-api"));
        let first = finish(&server, &plan, &json!({"success": success, "reason": "first"})).expect(200);
        let corrected = json!([{"interface": "shop-api", "layer": "server", "attributes": {"url": "late"}}]);
        let again = json!({"success": success, "reason": "second", "artifactSpec": {"provides": corrected}});
        assert_eq!(finish(&server, &plan, &again).expect(200), first);
        assert_eq!(server.deployment(text(&plan, "id")), first);
    }
}

#[test]
fn a_different_outcome_is_409_with_the_recorded_one() {
    let server = Server::start();
    let good = server.deploy(&spec("good"));
    let bad = server.fail(&server.started(&spec("bad")));
    let problem = finish(&server, &good, &json!({"success": false})).expect_problem(409, "already-finished");
    assert_eq!((&problem["deployment"], &problem["outcome"]), (&good["id"], &json!("succeeded")));
    let problem = finish(&server, &bad, &json!({"success": true})).expect_problem(409, "already-finished");
    assert_eq!(problem["outcome"], "failed");
    assert_eq!(server.deployment(text(&good, "id")), good);
}

#[test]
fn a_wrong_token_is_409_and_the_right_one_and_none_are_accepted() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    let wrong = json!({"success": true, "lease": {"token": "wrong"}});
    let problem = finish(&server, &plan, &wrong).expect_problem(409, "lease-lost");
    assert_eq!(problem["deployment"], plan["id"]);
    assert_eq!(server.deployment(text(&plan, "id"))["deployment"]["condition"], "Pending");
    let right = json!({"success": true, "lease": {"token": plan["lease"]["token"]}});
    finish(&server, &plan, &right).expect(200);
    finish(&server, &plan, &right).expect(200);
    finish(&server, &plan, &wrong).expect_problem(409, "lease-lost");
}

#[test]
fn a_setting_may_demand_the_token() {
    let server = Server::start_with(&["--finish-needs-token", "true"]);
    let plan = server.started(&spec("org.shop.api"));
    finish(&server, &plan, &json!({"success": true})).expect_problem(409, "lease-lost");
    finish(&server, &plan, &with(plan.clone(), json!({"success": true}))).expect(200);
}

#[test]
fn get_never_shows_the_token() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    let token = text(&plan["lease"], "token");
    let id = text(&plan, "id");
    for path in [format!("/deployments/{id}"), format!("/deployments/{id}/specification"), "/deployments".to_owned()] {
        assert!(!server.get(&path).text.contains(token), "{path}");
    }
    assert_eq!(server.deployment(id).get("lease"), None);
    assert_eq!(server.succeed(&plan).get("lease"), None);
}

#[test]
fn the_plan_as_it_was_given_with_success_added_finishes_it() {
    let server = Server::start();
    server.deploy(&provider("org.shop.database", "postgresql"));
    let body = with(
        consumer("org.shop.api", "postgresql"),
        json!({"provides": [{"interface": "shop-api", "layer": "server"}]}),
    );
    let plan = server.started(&body);
    let posted = with(plan.clone(), json!({"success": true}));
    let finished = finish(&server, &plan, &posted).expect(200);
    assert_eq!(finished["artifactSpec"], plan["artifactSpec"]);
    assert_eq!(finished["stale"], json!([]));
}

#[test]
fn a_plan_that_was_answered_in_yaml_can_be_posted_back_in_yaml() {
    let server = Server::start();
    let accept = ("Accept", "application/yaml");
    let body = provider("org.shop.api", "shop-api").to_string();
    let plan = server.send("POST", "/deployments/start", &[JSON, accept], body);
    let location = plan.header("Location").expect("there is one").to_owned();
    let posted = format!("{}success: true\n", plan.text);
    let finished = server.send("POST", &format!("{location}/finish"), &[YAML, accept], posted);
    assert_eq!((finished.status, finished.content_type.as_str()), (200, "application/yaml"), "{finished:?}");
    assert!(finished.text.contains("outcome: succeeded"), "{finished:?}");
}

#[test]
fn success_in_the_query_needs_neither_body_nor_content_type() {
    let server = Server::start();
    let path = |plan: &Value, query: &str| format!("/deployments/{}/finish{query}", text(plan, "id"));
    let good = server.started(&spec("good"));
    server.send("POST", &path(&good, "?success=true"), &[], "").expect(200);
    let bad = server.started(&spec("bad"));
    let failed = server.send("POST", &path(&bad, "?success=false"), &[], "").expect(200);
    assert_eq!(failed["deployment"]["outcome"], "failed");
    let both = server.started(&spec("both"));
    server.post(&path(&both, "?success=true"), &json!({"success": false})).expect_problem(400, "malformed");
    server.post(&path(&both, "?success=perhaps"), &json!({})).expect_problem(400, "invalid-query");
    server.post(&path(&both, "?success=true&success=true"), &json!({})).expect_problem(400, "invalid-query");
    server.post(&path(&both, "?sucess=true"), &json!({})).expect_problem(400, "invalid-query");
    server.post(&path(&both, "?wait=1"), &json!({"success": true})).expect_problem(400, "not-yet-supported");
    server.post(&path(&both, "?success=true"), &json!({"success": true})).expect(200);
}

#[test]
fn a_report_that_says_nothing_of_success_is_refused() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    let path = format!("/deployments/{}/finish", text(&plan, "id"));
    server.send("POST", &path, &[], "").expect_invalid("invalid-finish");
    server.post(&path, &json!({})).expect_invalid("invalid-finish");
    server.post(&path, &json!({"success": "yes"})).expect_invalid("invalid-finish");
    server.post(&path, &json!([])).expect_invalid("invalid-finish");
    server.post(&path, &json!({"success": true, "reason": 1})).expect_invalid("invalid-finish");
    server.send("POST", &path, &[], r#"{"success": true}"#).expect_problem(415, "unsupported-media-type");
    server.send("POST", &path, &[JSON], "{").expect_problem(400, "malformed");
    assert_eq!(server.deployment(text(&plan, "id"))["deployment"]["condition"], "Pending");
}

#[test]
fn an_unknown_id_is_404_and_one_in_the_body_that_differs_is_400() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    let other = server.started(&spec("org.shop.ui"));
    server.finish("0193f3a2-0000-7000-8000-000000000000", &json!({"success": true})).expect_problem(404, "not-found");
    server.finish("nonsense", &json!({"success": true})).expect_problem(404, "not-found");
    finish(&server, &plan, &json!({"success": true, "id": other["id"]})).expect_problem(400, "malformed");
    finish(&server, &plan, &json!({"success": true, "id": "nonsense"})).expect_problem(400, "malformed");
    finish(&server, &plan, &json!({"success": true, "id": plan["id"]})).expect(200);
}

#[test]
fn corrected_attributes_replace_key_by_key_and_null_removes() {
    let server = Server::start();
    let attributes = json!({"url": "planned", "pool": {"min": 1, "max": 2}, "gone": 1, "kept": [1]});
    let provides =
        json!([{"interface": "a", "layer": "server", "attributes": attributes}, {"interface": "a", "layer": "client"}]);
    let plan = server.started(&with(spec("org.shop.api"), json!({"provides": provides})));
    let literal = "${input.nothing} $$ $name";
    let corrected = json!([
        {"interface": "a", "layer": "client", "attributes": {"port": 1}},
        {"interface": "a", "layer": "server", "attributes": {"url": literal, "pool": {"max": 9}, "gone": null, "never": null, "new": true}},
    ]);
    let finished =
        finish(&server, &plan, &json!({"success": true, "artifactSpec": {"provides": corrected}})).expect(200);
    let expected = json!({"url": literal, "pool": {"max": 9}, "kept": [1], "new": true});
    assert_eq!(finished["artifactSpec"]["provides"][0]["attributes"], expected);
    assert_eq!(finished["artifactSpec"]["provides"][1]["attributes"], json!({"port": 1}));
    assert_eq!(server.deployment(text(&plan, "id")), finished);
    let component = text(&plan["artifactSpec"]["provides"][0], "component");
    assert_eq!(server.get(&format!("/components/{component}")).expect(200)["attributes"], expected);
    let require = json!({"requires": {"a": {"interface": "a", "selector": {"layer": "server"}}}});
    let matched = server.started(&with(spec("org.shop.ui"), require));
    assert_eq!(matched["artifactSpec"]["requires"]["a"]["matches"][0]["attributes"], expected);
    let next = server
        .post("/deployments/start?dryRun=true", &with(spec("org.shop.api"), json!({"provides": provides})))
        .expect(200);
    assert_eq!(next["artifactSpec"]["provides"][0]["attributes"], attributes, "a correction is of one attempt");
}

#[test]
fn a_correction_of_what_is_not_provided_is_422_and_ends_nothing() {
    let server = Server::start();
    let plan = server.started(&provider("org.shop.api", "shop-api"));
    let corrected = |provide: Value| json!({"success": true, "artifactSpec": {"provides": [provide]}});
    for provide in
        [json!({"interface": "other", "layer": "server"}), json!({"interface": "shop-api", "layer": "client"})]
    {
        let problems = finish(&server, &plan, &corrected(provide)).expect_invalid("invalid-finish");
        assert_eq!(problems, [("unknown-value".to_owned(), "/artifactSpec/provides/0".to_owned())]);
    }
    for provide in [json!({"layer": "server"}), json!({"interface": "shop-api", "layer": "top"}), json!(1)] {
        finish(&server, &plan, &corrected(provide)).expect_invalid("invalid-finish");
    }
    assert_eq!(server.deployment(text(&plan, "id"))["deployment"]["condition"], "Pending");
}

#[test]
fn the_actor_of_an_attempt_is_who_started_it() {
    let server = Server::start();
    let start = [JSON, ("Mortise-Actor", "ci/start")];
    let plan = server.send("POST", "/deployments/start", &start, spec("org.shop.api").to_string()).expect(201);
    let path = format!("/deployments/{}/finish", text(&plan, "id"));
    let finished =
        server.send("POST", &path, &[JSON, ("Mortise-Actor", "ci/finish")], r#"{"success":true}"#).expect(200);
    assert_eq!(finished["deployment"]["actor"], "ci/start");
}

#[test]
fn a_provide_is_corrected_once() {
    let server = Server::start();
    let plan = server.started(&provider("org.shop.database", "postgresql"));
    let provide = json!({"interface": "postgresql", "layer": "server", "attributes": {"url": "a"}});
    let twice = json!({"success": true, "artifactSpec": {"provides": [provide, provide]}});
    let problem = server.finish(text(&plan, "id"), &twice).expect_problem(422, "invalid-finish");
    assert_eq!(problem["problems"][0]["code"], "duplicate-provide");
    let once = json!({"success": true, "artifactSpec": {"provides": [provide]}});
    let finished = server.finish(text(&plan, "id"), &once).expect(200);
    assert_eq!(finished["artifactSpec"]["provides"][0]["attributes"]["url"], "a");
}

//! `POST /deployments/start`: the plan that it answers, and the dry run.

use serde_json::json;

use crate::server::{JSON, Server, keys, text};
use crate::specs::{consumer, provider, spec, with};

#[test]
fn start_answers_201_with_location_and_the_whole_plan() {
    let server = Server::start();
    server.deploy(&provider("org.shop.database", "postgresql"));
    let body = with(
        consumer("org.shop.api", "postgresql"),
        json!({"provides": [{"interface": "shop-api", "layer": "server", "attributes": {"port": 8080}}]}),
    );
    let answer = server.send("POST", "/deployments/start", &[JSON, ("Mortise-Actor", "ci/shop")], body.to_string());
    let plan = answer.expect(201);
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.header("Location"), Some(format!("/deployments/{}", text(&plan, "id")).as_str()));
    assert_eq!(keys(&plan), ["artifactSpec", "deployable", "deployment", "id", "lease", "revision"]);
    assert_eq!(plan["deployable"], "yes");
    let artifact = &plan["artifactSpec"];
    assert_eq!(keys(artifact), ["deploymentSpec", "environment", "name", "provides", "requires", "system", "version"]);
    let provide = &artifact["provides"][0];
    assert_eq!(keys(provide), ["attributes", "component", "interface", "labels", "layer", "version"]);
    let labels = json!({"environment": "test", "interface": "shop-api", "layer": "server", "name": "org.shop.api", "version": "1.0"});
    assert_eq!(provide["labels"], labels);
    assert_eq!(provide["attributes"], json!({"port": 8080}));
    let require = &artifact["requires"]["needed"];
    assert_eq!(keys(require), ["attributes", "interface", "matches", "quantifier", "scope", "selector"]);
    assert_eq!(require["quantifier"], json!({"min": 1, "max": 1}));
    assert_eq!(require["selector"], json!([{"key": "environment", "operator": "In", "values": ["test"]}]));
    assert_eq!((&require["scope"], &require["attributes"]), (&json!("runtime"), &json!([])));
    let matched = &require["matches"][0];
    let expected = [
        "artifact",
        "attributes",
        "component",
        "deployment",
        "environment",
        "interface",
        "labels",
        "layer",
        "system",
        "version",
    ];
    assert_eq!(keys(matched), expected);
    assert_eq!(matched["attributes"], json!({"url": "tcp://postgresql"}));
    let deployment = &plan["deployment"];
    assert_eq!(keys(deployment), ["actor", "condition", "createdAt", "currentState", "number", "targetState"]);
    assert_eq!((&deployment["number"], &deployment["currentState"]), (&json!(1), &json!("Draft")));
    assert_eq!((&deployment["targetState"], &deployment["condition"]), (&json!("Active"), &json!("Pending")));
    assert_eq!(deployment["actor"], "ci/shop");
    let time = text(deployment, "createdAt");
    assert!(time.len() == 24 && time.ends_with('Z') && &time[19..20] == ".", "{time} is RFC 3339 with milliseconds");
    assert_eq!(keys(&plan["lease"]), ["token"]);
}

#[test]
fn a_plan_keeps_its_documented_order_and_has_no_null() {
    let server = Server::start();
    let answer = server.start_deployment(&provider("org.shop.database", "postgresql"));
    let places = ["\"id\"", "\"deployable\"", "\"revision\"", "\"artifactSpec\"", "\"deployment\"", "\"lease\""];
    let places = places.map(|member| answer.text.find(member).unwrap_or_else(|| panic!("{member} in {answer:?}")));
    assert!(places.is_sorted(), "{answer:?}");
    assert!(!answer.text.contains("null"), "{answer:?}");
}

#[test]
fn max_is_absent_where_there_is_no_upper_bound() {
    let server = Server::start();
    let body = with(spec("org.shop.api"), json!({"requires": {"all": {"interface": "nothing", "quantifier": "*"}}}));
    let plan = server.started(&body);
    assert_eq!(plan["artifactSpec"]["requires"]["all"]["quantifier"], json!({"min": 0}));
    assert_eq!(plan["artifactSpec"]["requires"]["all"]["matches"], json!([]));
    assert_eq!(plan["warnings"][0]["code"], "optional-unmatched");
    assert!(text(&plan["warnings"][0], "pointer").starts_with("/artifactSpec/requires/all"), "{plan}");
}

#[test]
fn an_instance_is_shown_only_where_it_is_not_empty() {
    let server = Server::start();
    let plan = server.deploy(&with(provider("org.shop.api", "shop-api"), json!({"instance": "blue"})));
    assert_eq!(plan["artifactSpec"]["instance"], "blue");
    assert_eq!(plan["artifactSpec"]["provides"][0]["labels"]["instance"], "blue");
    let matched = server.started(&consumer("org.shop.ui", "shop-api"));
    assert_eq!(matched["artifactSpec"]["requires"]["needed"]["matches"][0]["instance"], "blue");
    assert_eq!(matched["artifactSpec"].get("instance"), None);
}

#[test]
fn a_wrapped_body_has_its_own_input_and_annotations() {
    let server = Server::start();
    let body = json!({
        "artifactSpec": {"system": "shop", "name": "org.shop.api"},
        "input": {"version": "2.3.0", "environment": "test"},
        "annotations": {"commit": "9f2c", "build": ""},
    });
    let plan = server.started(&body);
    assert_eq!(
        (&plan["artifactSpec"]["version"], &plan["artifactSpec"]["environment"]),
        (&json!("2.3.0"), &json!("test"))
    );
    assert_eq!(plan["deployment"]["annotations"], json!({"commit": "9f2c", "build": ""}));
    assert_eq!(server.deployment(text(&plan, "id"))["deployment"]["annotations"], plan["deployment"]["annotations"]);
}

#[test]
fn inputs_come_in_the_query_of_a_bare_specification() {
    let server = Server::start();
    let body =
        json!({"system": "shop", "name": "org.shop.api", "description": "${input.region.name}, ${input.dryRun}"});
    let path =
        "/deployments/start?version=1.2&input.environment=test&input.region.name=eu%2B%C3%BC+west&input.dryRun=no";
    let plan = server.post(path, &body).expect(201);
    assert_eq!(plan["artifactSpec"]["version"], "1.2");
    assert_eq!(plan["artifactSpec"]["description"], "eu+ü west, no");
}

#[test]
fn what_is_not_deployable_is_422_with_the_whole_plan_and_records_nothing() {
    let server = Server::start();
    let body = with(
        consumer("org.shop.api", "postgresql"),
        json!({"provides": [{"interface": "shop-api", "layer": "server"}]}),
    );
    let problem = server.start_deployment(&body).expect_problem(422, "not-deployable");
    let plan = &problem["plan"];
    assert_eq!(keys(plan), ["artifactSpec", "deployable", "explanation", "revision"]);
    assert_eq!(plan["deployable"], "no");
    assert_eq!(plan["artifactSpec"]["provides"][0].get("component"), None);
    assert_eq!(plan["artifactSpec"]["requires"]["needed"]["matches"], json!([]));
    let unmet = &plan["explanation"]["unmet"][0];
    assert_eq!((&unmet["pointer"], &unmet["kind"]), (&json!("/artifactSpec/requires/needed"), &json!("unmatched")));
    assert_eq!((&unmet["require"], &unmet["needed"]), (&json!("needed"), &json!({"min": 1, "max": 1})));
    assert_eq!((&unmet["found"], &unmet["considered"]), (&json!(0), &json!(0)));
    assert!(!text(&plan["explanation"], "summary").is_empty());
    assert_eq!(server.items("/deployments"), [] as [serde_json::Value; 0]);
    assert_eq!(server.items("/systems"), [] as [serde_json::Value; 0]);
}

#[test]
fn an_ambiguous_require_lists_its_candidates_and_matches_none() {
    let server = Server::start();
    server.deploy(&provider("org.shop.first", "postgresql"));
    server.deploy(&provider("org.shop.second", "postgresql"));
    let problem =
        server.start_deployment(&consumer("org.shop.api", "postgresql")).expect_problem(422, "not-deployable");
    let unmet = &problem["plan"]["explanation"]["unmet"][0];
    assert_eq!(unmet["kind"], "ambiguous");
    let names: Vec<_> =
        unmet["candidates"].as_array().unwrap().iter().map(|candidate| text(candidate, "artifact")).collect();
    assert_eq!(names, ["org.shop.first", "org.shop.second"]);
    assert_eq!(problem["plan"]["artifactSpec"]["requires"]["needed"]["matches"], json!([]));
}

#[test]
fn numbers_of_attributes_stay_as_they_were_written() {
    let server = Server::start();
    let body = r#"{"system":"shop","name":"a","version":"1","environment":"test","provides":[{"interface":"i","layer":"server",
        "attributes":{"ratio":1.10,"big":123456789012345678901234567890,"exponent":1E400}}]}"#;
    let answer = server.send("POST", "/deployments/start", &[JSON], body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.text.split('"').nth(3).unwrap().to_owned();
    let finished = server.finish(&id, &json!({"success": true}));
    for shown in [&answer, &finished, &server.get(&format!("/deployments/{id}")), &server.get("/components")] {
        for number in ["\"ratio\":1.10", "\"big\":123456789012345678901234567890", "\"exponent\":1E400"] {
            assert!(shown.text.contains(number), "{number} in {shown:?}");
        }
    }
}

#[test]
fn a_dry_run_answers_200_whatever_the_verdict_and_records_nothing() {
    let server = Server::start();
    let yes = server.post("/deployments/start?dryRun=true", &provider("org.shop.api", "shop-api")).expect(200);
    assert_eq!(keys(&yes), ["artifactSpec", "deployable", "revision"]);
    assert_eq!(yes["artifactSpec"]["provides"][0].get("component"), None);
    let no = server.post("/deployments/start?dryRun", &consumer("org.shop.ui", "shop-api")).expect(200);
    assert_eq!(keys(&no), ["artifactSpec", "deployable", "explanation", "revision"]);
    assert_eq!(no["deployable"], "no");
    assert_eq!(server.items("/deployments"), [] as [serde_json::Value; 0]);
    assert_eq!(server.items("/artifacts"), [] as [serde_json::Value; 0]);
    server.post("/deployments/start?dryRun=false", &provider("org.shop.api", "shop-api")).expect(201);
}

#[test]
fn a_dry_run_of_a_kept_provide_shows_the_component_that_it_would_keep() {
    let server = Server::start();
    let before = server.deploy(&provider("org.shop.api", "shop-api"));
    let dry = server.post("/deployments/start?dryRun=true", &provider("org.shop.api", "shop-api")).expect(200);
    assert_eq!(dry["artifactSpec"]["provides"][0]["component"], before["artifactSpec"]["provides"][0]["component"]);
}

#[test]
fn a_dry_run_ignores_an_open_slot_and_its_key_but_warns() {
    let server = Server::start();
    let keyed = json!({"artifactSpec": spec("org.shop.api"), "idempotencyKey": "one"});
    server.started(&keyed);
    let other = json!({"artifactSpec": with(spec("org.shop.api"), json!({"version": "2.0"})), "idempotencyKey": "one"});
    for body in [&keyed, &other] {
        let dry = server.post("/deployments/start?dryRun=true", body).expect(200);
        assert_eq!(dry["deployable"], "yes");
        assert_eq!(dry.get("id"), None);
        assert_eq!(dry["warnings"][0]["code"], "deployment-pending");
        assert_eq!(dry["warnings"][0]["pointer"], "/artifactSpec");
    }
}

#[test]
fn a_dry_run_heeds_the_owner_and_every_problem_of_the_specification() {
    let server = Server::start();
    server.deploy(&spec("org.shop.api"));
    let stolen = with(spec("org.shop.api"), json!({"system": "bank"}));
    server.post("/deployments/start?dryRun=true", &stolen).expect_problem(409, "artifact-owned-elsewhere");
    let undefined = with(spec("org.shop.ui"), json!({"version": "${input.missing}"}));
    server.post("/deployments/start?dryRun=true", &undefined).expect_invalid("invalid-specification");
}

#[test]
fn a_start_sees_the_revision_that_it_was_planned_at_for_ever() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    server.deploy(&spec("org.shop.ui"));
    assert_eq!(server.deployment(text(&plan, "id"))["revision"], plan["revision"]);
    assert_eq!(server.succeed(&plan)["revision"], plan["revision"]);
    let later = server.post("/deployments/start?dryRun=true", &spec("org.shop.ui")).expect(200);
    assert!(later["revision"].as_u64() > plan["revision"].as_u64());
}

#[test]
fn warnings_of_a_plan_are_shown_again_by_get_and_finish() {
    let server = Server::start();
    let body = with(spec("org.shop.api"), json!({"requires": {"a/b~c": {"interface": "nothing", "quantifier": "+"}}}));
    let plan = server.started(&body);
    let codes: Vec<_> = plan["warnings"].as_array().unwrap().iter().map(|warning| text(warning, "code")).collect();
    assert_eq!(codes, ["quantifier-dialect", "optional-unmatched"]);
    assert!(text(&plan["warnings"][0], "pointer").starts_with("/artifactSpec/requires/a~1b~0c"), "{plan}");
    assert_eq!(server.deployment(text(&plan, "id"))["warnings"], plan["warnings"]);
    assert_eq!(server.succeed(&plan)["warnings"], plan["warnings"]);
}

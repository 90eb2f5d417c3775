//! `stale`: what had changed between plan and finish, exactly.

use serde_json::{Value, json};

use crate::server::{Server, text};
use crate::specs::{consumer, provider, spec, with};

fn host(server: &Server, name: &str, address: &str) -> String {
    let body = json!({"environment": "test", "interface": "host", "attributes": {"address": address, "note": address}});
    text(&server.put(&format!("/servers/{name}"), &body).json(), "component").to_owned()
}

/// A start that requires every host, and of each only its address.
fn uses_hosts() -> Value {
    let requires = json!({"hosts": {"interface": "host", "quantifier": "*", "attributes": ["address"]}});
    with(spec("org.shop.api"), json!({"requires": requires}))
}

#[test]
fn what_is_gone_changed_and_added_is_listed_with_was_and_now() {
    let server = Server::start();
    let changed = host(&server, "a", "10.0.0.1");
    let gone = host(&server, "b", "10.0.0.2");
    host(&server, "c", "10.0.0.3");
    let plan = server.started(&uses_hosts());
    host(&server, "a", "10.0.0.9");
    server.delete("/servers/b").expect(200);
    let added = host(&server, "d", "10.0.0.4");
    let finished = server.succeed(&plan);
    assert_eq!(finished["deployment"]["currentState"], "Active", "what was really deployed is recorded");
    let stale = finished["stale"].as_array().unwrap();
    let shown: Vec<_> =
        stale.iter().map(|one| (text(one, "require"), text(one, "kind"), text(one, "component"))).collect();
    let expected = [("hosts", "changed", changed.as_str()), ("hosts", "gone", &gone), ("hosts", "added", &added)];
    assert_eq!(shown, expected);
    let matches = &plan["artifactSpec"]["requires"]["hosts"]["matches"];
    assert_eq!((&stale[0]["was"], &stale[0]["now"]["attributes"]), (&matches[0], &json!({"address": "10.0.0.9"})));
    assert_eq!((&stale[1]["was"], stale[1].get("now")), (&matches[1], None));
    assert_eq!((stale[2].get("was"), &stale[2]["now"]["attributes"]), (None, &json!({"address": "10.0.0.4"})));
    assert_eq!(server.deployment(text(&plan, "id")), finished);
}

#[test]
fn what_was_not_handed_to_the_script_makes_nothing_stale() {
    let server = Server::start();
    server.put(
        "/servers/a",
        &json!({"environment": "test", "interface": "host", "attributes": {"address": "1", "note": "x"}}),
    );
    let plan = server.started(&uses_hosts());
    server.put(
        "/servers/a",
        &json!({"environment": "test", "interface": "host", "attributes": {"address": "1", "note": "y"}}),
    );
    server.deploy(&provider("org.shop.other", "other"));
    assert_eq!(server.succeed(&plan)["stale"], json!([]));
}

#[test]
fn a_redeployed_provider_is_a_change() {
    let server = Server::start();
    server.deploy(&provider("org.shop.database", "postgresql"));
    let plan = server.started(&consumer("org.shop.api", "postgresql"));
    server.deploy(&with(provider("org.shop.database", "postgresql"), json!({"version": "2.0"})));
    let finished = server.succeed(&plan);
    assert_eq!(finished["stale"][0]["kind"], "changed");
    assert_eq!(finished["stale"][0]["was"]["version"], "1.0");
    assert_eq!(finished["stale"][0]["now"]["version"], "2.0");
    assert_eq!(
        finished["artifactSpec"]["requires"]["needed"]["matches"][0]["version"], "1.0",
        "the plan stays as it was given"
    );
}

#[test]
fn entries_of_the_deployment_spec_can_be_stale_too() {
    let server = Server::start();
    host(&server, "a", "10.0.0.1");
    let plan = server
        .started(&with(spec("org.shop.api"), json!({"deploymentSpec": {"host": {"selector": {"interface": "host"}}}})));
    server.delete("/servers/a").expect(200);
    let stale = &server.succeed(&plan)["stale"];
    assert_eq!(
        (stale.as_array().map(Vec::len), &stale[0]["require"], &stale[0]["kind"]),
        (Some(1), &json!("host"), &json!("gone"))
    );
}

#[test]
fn a_failed_finish_finds_nothing_stale() {
    let server = Server::start();
    host(&server, "a", "10.0.0.1");
    let plan = server.started(&uses_hosts());
    server.delete("/servers/a").expect(200);
    assert_eq!(server.fail(&plan)["stale"], json!([]));
}

#[test]
fn stale_is_judged_once_and_a_repeat_shows_the_same() {
    let server = Server::start();
    host(&server, "a", "10.0.0.1");
    let plan = server.started(&uses_hosts());
    server.delete("/servers/a").expect(200);
    let first = server.succeed(&plan);
    host(&server, "b", "10.0.0.2");
    assert_eq!(server.succeed(&plan), first);
}

#[test]
fn a_provider_of_the_set_that_failed_is_gone() {
    let server = Server::start();
    let provider = json!({"system": "shop", "name": "org.shop.provider", "version": "1", "environment": "test",
        "provides": [{"interface": "fruit", "layer": "server"}]});
    let consumer = json!({"system": "shop", "name": "org.shop.consumer", "version": "1", "environment": "test",
        "requires": {"fruit": {"interface": "fruit"}}});
    let set = server.post("/deployments/start", &json!([provider, consumer])).expect(201);
    let id = |member: usize| set["deployments"][member]["id"].as_str().expect("a member has an id").to_owned();
    server.post(&format!("/deployments/{}/finish", id(0)), &json!({"success": false})).expect(200);
    let finished = server.post(&format!("/deployments/{}/finish", id(1)), &json!({"success": true})).expect(200);
    assert_eq!(
        (&finished["stale"][0]["require"], &finished["stale"][0]["kind"], finished["stale"].as_array().map(Vec::len)),
        (&json!("fruit"), &json!("gone"), Some(1))
    );
}

#[test]
fn a_repeated_finish_does_not_look_at_attributes() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    server.succeed(&plan);
    let path = format!("/deployments/{}/finish", plan["id"].as_str().expect("a plan has an id"));
    let provides = json!([{"interface": "unknown", "layer": "server", "attributes": {"a": 1}}]);
    server.post(&path, &json!({"success": true, "artifactSpec": {"provides": provides}})).expect(200);
}

#[test]
fn what_still_matches_is_never_gone_however_many_came_before_it() {
    const MANY: usize = 1_100;
    let server = Server::start();
    let declare = |name: &str, environment: &str| {
        let body = json!({"environment": environment, "interface": "host", "attributes": {"address": name}});
        server.put(&format!("/servers/{name}"), &body)
    };
    (0..MANY).for_each(|number| drop(declare(&format!("old-{number}"), "elsewhere")));
    declare("newest", "test");
    let plan = server.started(&uses_hosts());
    (0..MANY).for_each(|number| drop(declare(&format!("old-{number}"), "test")));
    let finished = server.succeed(&plan);
    let stale = finished["stale"].as_array().unwrap();
    assert_eq!(stale.len(), 1_000);
    assert!(stale.iter().all(|one| text(one, "kind") == "added"));
    let warned = finished["warnings"].as_array().unwrap().iter().map(|warning| text(warning, "code"));
    assert!(warned.into_iter().any(|code| code == "stale-truncated"), "more were added than are listed");
}

#[test]
fn a_value_that_changed_is_found_among_many_that_only_moved() {
    const MANY: usize = 999;
    let server = Server::start();
    let declare = |name: &str, address: &str, note: &str| {
        let attributes = json!({"address": address, "note": note});
        server.put(
            &format!("/servers/{name}"),
            &json!({"environment": "test", "interface": "host", "attributes": attributes}),
        )
    };
    let name = |number: usize| format!("a{number:04}");
    (0..MANY).for_each(|number| drop(declare(&name(number), "same", "x")));
    declare("b", "old", "x");
    let plan = server.started(&uses_hosts());
    // Other rows, of which nothing that was handed out is different.
    (0..MANY).for_each(|number| drop(declare(&name(number), "same", "y")));
    declare("b", "new", "y");
    let finished = server.succeed(&plan);
    let stale = finished["stale"].as_array().unwrap();
    let only: Vec<_> = stale.iter().map(|one| (text(one, "kind"), &one["now"]["attributes"]["address"])).collect();
    assert_eq!(only, [("changed", &json!("new"))]);
}

#[test]
fn what_was_added_is_looked_for_with_no_more_comparisons_than_allowed() {
    let server = Server::start_with(&["--max-comparisons", "10000"]);
    let declare = |number: usize| {
        let body = json!({"environment": "test", "interface": "host", "labels": {"size": "3"}});
        server.put(&format!("/servers/host-{number}"), &body).expect(201);
    };
    let sizes = |number: usize| {
        let selector =
            json!([{"key": "size", "operator": "InRange", "values": [format!("[{},{})", number + 9, number + 10)]}]);
        (format!("r{number}"), json!({"interface": "host", "selector": selector, "quantifier": "*"}))
    };
    (0..100).for_each(declare);
    let mut asks = spec("org.shop.api");
    let requires: serde_json::Map<_, _> = (0..60).map(sizes).collect();
    asks["requires"] = requires.into();
    let plan = server.started(&asks);
    declare(100);
    let finished = server.succeed(&plan);
    assert_eq!(finished["stale"], json!([]));
    let warned = finished["warnings"].as_array().unwrap().iter().map(|warning| text(warning, "code"));
    assert!(warned.into_iter().any(|code| code == "stale-truncated"), "not all was looked at");
}

#[test]
fn every_member_of_a_large_set_that_is_finished_at_once_is_told_what_changed() {
    const MEMBERS: usize = 500;
    let server = Server::start();
    let declare = |address: &str| {
        let body = json!({"environment": "test", "interface": "host", "attributes": {"address": address}});
        server.put("/servers/one", &body)
    };
    declare("old").expect(201);
    let member = |at: usize| {
        let provides = json!([{"interface": format!("i{at}"), "layer": "server"}]);
        let requires = json!({"host": {"interface": "host"}});
        with(spec(&format!("a{at:03}")), json!({"provides": provides, "requires": requires}))
    };
    let plan = server.started(&Value::Array((0..MEMBERS).map(member).collect()));
    declare("new").expect(200);
    let finished = server.succeed(&plan);
    let told = finished["deployments"].as_array().unwrap();
    assert_eq!(told.len(), MEMBERS);
    for member in told {
        let [only] = member["stale"].as_array().unwrap().as_slice() else { panic!("{member}") };
        assert_eq!((text(only, "kind"), &only["now"]["attributes"]["address"]), ("changed", &json!("new")));
    }
    assert_eq!(finished.get("warnings"), None, "nothing was left out");
}

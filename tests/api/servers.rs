//! `/servers`: declared, declared again, withdrawn.

use serde_json::{Value, json};

use crate::server::{JSON, Server, YAML, keys, text};
use crate::specs::{spec, with};

fn declared() -> Value {
    json!({"environment": "test", "labels": {"os_family": "linux"}, "attributes": {"address": "10.0.0.1"}})
}

/// Couples `name` to the Server `troy`.
fn couple(server: &Server, name: &str) -> Value {
    let requires = json!({"host": {"interface": "server", "selector": {"name": "troy"}}});
    server.deploy(&with(spec(name), json!({"requires": requires})))
}

#[test]
fn put_is_201_for_a_new_server_and_200_after_with_defaults() {
    let server = Server::start();
    let put = server.put("/servers/troy", &declared());
    let shown = put.expect(201);
    assert_eq!(
        keys(&shown),
        ["attributes", "component", "consumers", "environment", "interface", "labels", "layer", "name", "since"]
    );
    assert_eq!((&shown["interface"], &shown["layer"]), (&json!("server"), &json!("server")));
    let labels =
        json!({"environment": "test", "interface": "server", "layer": "server", "name": "troy", "os_family": "linux"});
    assert_eq!((&shown["labels"], &shown["consumers"]), (&labels, &json!([])));
    assert_eq!(server.put("/servers/troy", &declared()).expect(200), shown, "nothing happened");
    let full = json!({"environment": "test", "interface": "host", "layer": "router", "version": "1.10", "labels": {}, "attributes": {}});
    let again = server.put("/servers/troy", &full).expect(200);
    assert_eq!(again["component"], shown["component"]);
    assert_eq!((&again["version"], &again["labels"]["version"]), (&json!("1.10"), &json!("1.10")));
    assert_eq!(server.get("/servers/troy").expect(200), again);
}

#[test]
fn a_server_can_be_declared_in_yaml() {
    let server = Server::start();
    let yaml = "environment: test\nversion: 1.10\nlabels: {cores: 64}\nattributes: {cores: 64}\n";
    let shown = server.send("PUT", "/servers/troy", &[YAML], yaml).expect(201);
    assert_eq!(
        (&shown["version"], &shown["labels"]["cores"], &shown["attributes"]["cores"]),
        (&json!("1.10"), &json!("64"), &json!(64))
    );
}

#[test]
fn a_withdrawn_server_is_gone_and_keeps_its_component_when_it_comes_back() {
    let server = Server::start();
    let first = server.put("/servers/troy", &declared()).expect(201);
    assert_eq!(server.delete("/servers/troy").expect(200), json!({"name": "troy", "broken": []}));
    server.get("/servers/troy").expect_problem(404, "not-found");
    server.delete("/servers/troy").expect_problem(404, "not-found");
    assert_eq!(server.items("/servers").len(), 0);
    assert_eq!(server.items("/components").len(), 0);
    assert_eq!(server.items("/components?state=inactive")[0]["component"], first["component"]);
    let back = server.put("/servers/troy", &with(declared(), json!({"environment": "production"}))).expect(201);
    assert_eq!(back["component"], first["component"]);
}

#[test]
fn a_withdrawal_lists_the_couplings_that_it_breaks() {
    let server = Server::start();
    server.put("/servers/troy", &declared()).expect(201);
    let second = couple(&server, "org.shop.second");
    let first = couple(&server, "org.shop.first");
    let deployment_spec = json!({"deploymentSpec": {"host": {"selector": {"name": "troy"}}}});
    server.deploy(&with(spec("org.shop.third"), deployment_spec));
    let consumers = server.get("/servers/troy").expect(200)["consumers"].clone();
    let scopes: Vec<_> =
        consumers.as_array().unwrap().iter().map(|one| (text(one, "artifact"), text(one, "scope"))).collect();
    assert_eq!(
        scopes,
        [("org.shop.first", "runtime"), ("org.shop.second", "runtime"), ("org.shop.third", "deployment")]
    );
    let broken = server.delete("/servers/troy").expect(200)["broken"].clone();
    let coupling = |artifact: &str, plan: &Value| {
        let scope = "runtime";
        json!({"artifact": artifact, "environment": "test", "require": "host", "scope": scope, "deployment": plan["id"], "broken": true})
    };
    assert_eq!(broken, json!([coupling("org.shop.first", &first), coupling("org.shop.second", &second)]));
    server.put("/servers/troy", &declared()).expect(201);
    let mended = server.get("/servers/troy").expect(200)["consumers"].clone();
    assert!(mended.as_array().unwrap().iter().all(|one| one.get("broken").is_none()), "broken is derived: {mended}");
}

#[test]
fn environment_interface_and_layer_cannot_change_under_couplings() {
    let server = Server::start();
    server.put("/servers/troy", &declared()).expect(201);
    couple(&server, "org.shop.api");
    for over in [json!({"environment": "production"}), json!({"interface": "host"}), json!({"layer": "client"})] {
        let problem = server.put("/servers/troy", &with(declared(), over)).expect_problem(409, "server-in-use");
        assert_eq!(problem["couplings"][0]["artifact"], "org.shop.api");
    }
    server.put("/servers/troy", &with(declared(), json!({"labels": {"os_family": "solaris"}}))).expect(200);
    server.delete("/servers/troy").expect(200);
    server.put("/servers/troy", &with(declared(), json!({"environment": "production"}))).expect(201);
}

#[test]
fn a_declaration_that_is_not_valid_is_422_with_every_problem() {
    let server = Server::start();
    let labels = json!({"name": "other", "a": 1});
    let body = json!({"interfaec": "x", "environment": "e", "layer": "top", "labels": labels, "version": "", "attributes": []});
    let problems = server.put("/servers/troy", &body).expect_invalid("invalid-server");
    for pointer in ["/interfaec", "/layer", "/labels/name", "/labels/a", "/version", "/attributes"] {
        assert!(problems.iter().any(|(_, at)| at == pointer), "{pointer} in {problems:?}");
    }
    let missing = server.put("/servers/troy", &json!({})).expect_invalid("invalid-server");
    assert_eq!(missing[0].0, "missing-field");
    server.put("/servers/troy", &json!([])).expect_invalid("invalid-server");
    server.put("/servers/%01", &declared()).expect_problem(422, "invalid-server");
    server.put("/servers/%20troy", &declared()).expect_problem(422, "invalid-server");
    server.send("PUT", "/servers/troy", &[], declared().to_string()).expect_problem(415, "unsupported-media-type");
    server.send("PUT", "/servers/troy", &[JSON], "").expect_problem(400, "malformed");
    server.put("/servers/troy?force=true", &declared()).expect_problem(400, "invalid-query");
    server.delete("/servers/troy?force=true").expect_problem(400, "invalid-query");
    assert_eq!(server.items("/servers").len(), 0);
    assert_eq!(server.items("/environments").len(), 0);
}

#[test]
fn labels_of_a_server_are_checked_even_where_its_environment_is_missing() {
    let server = Server::start();
    let body = json!({"labels": {"name": "other", "a": 1}});
    let problems = server.put("/servers/troy", &body).expect_invalid("invalid-server");
    let pointers: Vec<_> = problems.iter().map(|(_, at)| at.as_str()).collect();
    assert_eq!(pointers, ["", "/labels/a", "/labels/name"]);
}

#[test]
fn a_server_that_is_unknown_gives_the_nearest_name() {
    let server = Server::start();
    server.put("/servers/beaverton", &declared()).expect(201);
    for problem in [server.get("/servers/beavertn"), server.delete("/servers/beavertn")] {
        assert_eq!(problem.expect_problem(404, "not-found")["nearest"], "beaverton");
    }
    let far = server.get("/servers/xyz").expect_problem(404, "not-found");
    assert_eq!(far.get("nearest"), None);
}

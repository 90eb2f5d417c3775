//! `/systems`, `/artifacts`, `/interfaces`, `/environments`, each with `/{name}`

use serde_json::{Value, json};

use crate::server::{Server, keys, text};
use crate::specs::{consumer, provider, spec, with};

#[test]
fn each_kind_is_listed_in_name_order() {
    let server = Server::start();
    server.deploy(&with(provider("b", "ib"), json!({"system": "sb", "environment": "eb"})));
    server.deploy(&with(provider("a", "ia"), json!({"system": "sa", "environment": "ea"})));
    for name in ["vb", "va"] {
        server.put(&format!("/servers/{name}"), &json!({"environment": "ea", "interface": "ia"})).expect(201);
    }
    for (path, names) in [
        ("/systems", ["sa", "sb"]),
        ("/artifacts", ["a", "b"]),
        ("/interfaces", ["ia", "ib"]),
        ("/environments", ["ea", "eb"]),
        ("/servers", ["va", "vb"]),
    ] {
        let items = server.items(path);
        assert_eq!(items.iter().map(|item| text(item, "name")).collect::<Vec<_>>(), names, "{path}");
        let first = server.get(&format!("{path}?limit=1")).expect(200);
        assert_eq!((first["items"].as_array().map(Vec::len), &first["next"]), (Some(1), &json!(names[0])));
        let last = server.get(&format!("{path}?limit=1&cursor={}", names[0])).expect(200);
        assert_eq!((&last["items"], last.get("next")), (&json!([items[1]]), None));
        server.get(&format!("{path}?limit=0")).expect_problem(400, "invalid-query");
        server.get(&format!("{path}?name=a")).expect_problem(400, "invalid-query");
        server.get(&format!("{path}/{}?limit=1", names[0])).expect_problem(400, "invalid-query");
    }
}

#[test]
fn unknown_names_are_404_with_the_nearest() {
    let server = Server::start();
    server.deploy(&with(provider("org.shop.api", "shop-api"), json!({"environment": "production"})));
    for (path, nearest) in [
        ("/systems/shp", "shop"),
        ("/artifacts/org.shop.app", "org.shop.api"),
        ("/interfaces/shopapi", "shop-api"),
        ("/environments/prodution", "production"),
    ] {
        let problem = server.get(path).expect_problem(404, "not-found");
        assert_eq!(problem["nearest"], nearest);
        assert!(text(&problem, "detail").contains(nearest), "{problem}");
    }
}

#[test]
fn names_with_a_slash_and_other_signs_are_percent_encoded_in_paths() {
    let server = Server::start();
    let name = "@shop/ui +%2F?#ü";
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
    server.put(&format!("/servers/{encoded}"), &json!({"environment": "ea"})).expect(201);
    server.put(&format!("/environments/{encoded}"), &json!({})).expect(201);
    server.deploy(&with(provider(name, name), json!({"system": name, "environment": name})));
    for kind in ["systems", "artifacts", "interfaces", "environments", "servers"] {
        assert_eq!(server.get(&format!("/{kind}/{encoded}")).expect(200)["name"], name);
    }
    server.delete(&format!("/servers/{encoded}")).expect(200);
    for filter in ["system", "artifact", "environment"] {
        assert_eq!(server.items(&format!("/deployments?{filter}={encoded}")).len(), 1);
    }
    assert_eq!(
        server.get("/servers/@shop%2fui").expect_problem(404, "not-found")["detail"],
        "the server `@shop/ui` is not known"
    );
}

#[test]
fn a_system_names_what_it_owns() {
    let server = Server::start();
    server.deploy(&provider("org.shop.b", "ib"));
    server.deploy(&provider("org.shop.a", "ia"));
    let system = server.get("/systems/shop").expect(200);
    assert_eq!(system, json!({"name": "shop", "artifacts": ["org.shop.a", "org.shop.b"], "interfaces": ["ia", "ib"]}));
}

#[test]
fn an_artifact_names_its_environments_and_attempts() {
    let server = Server::start();
    let first = server.deploy(&spec("org.shop.api"));
    let second = server.started(&with(spec("org.shop.api"), json!({"environment": "production"})));
    server.deploy(&spec("org.shop.ui"));
    let artifact = server.get("/artifacts/org.shop.api").expect(200);
    assert_eq!(keys(&artifact), ["attempts", "environments", "name", "system"]);
    assert_eq!(artifact["environments"], json!(["production", "test"]));
    let ids: Vec<_> = artifact["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["id"]).collect();
    assert_eq!(ids, [&second["id"], &first["id"]]);
}

#[test]
fn an_interface_names_its_providers_and_requirers() {
    let server = Server::start();
    server.deploy(&provider("org.shop.database", "postgresql"));
    let api = server.deploy(&consumer("org.shop.api", "postgresql"));
    let interface = server.get("/interfaces/postgresql").expect(200);
    assert_eq!(keys(&interface), ["name", "providers", "requirers", "system"]);
    let providers: Vec<_> =
        interface["providers"].as_array().unwrap().iter().map(|item| text(item, "artifact")).collect();
    assert_eq!(providers, ["org.shop.database"]);
    let selector = json!([{"key": "environment", "operator": "In", "values": ["test"]}]);
    let by = json!([{"artifact": "org.shop.api", "environment": "test", "require": "needed", "deployment": api["id"]}]);
    assert_eq!(interface["requirers"], json!([{"selector": selector, "matching": 1, "by": by}]));
    assert_eq!(interface["system"], "shop");
}

#[test]
fn lists_of_names_can_be_paged_while_names_come() {
    let server = Server::start();
    (0..5).for_each(|n| drop(server.started(&spec(&format!("b{n}")))));
    let (mut seen, mut path) = (Vec::<Value>::new(), "/artifacts?limit=2".to_owned());
    loop {
        let page = server.get(&path).expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page.get("next") else { break };
        server.started(&spec(&format!("a-{}", seen.len())));
        path = format!("/artifacts?limit=2&cursor={}", next.as_str().unwrap());
    }
    assert_eq!(seen.iter().map(|item| text(item, "name")).collect::<Vec<_>>(), ["b0", "b1", "b2", "b3", "b4"]);
}

//! `GET /components` and `/components/{id}`

use serde_json::{Value, json};

use crate::server::{Server, keys, text};
use crate::specs::{consumer, provider, spec, with};

/// Two Servers and three deployed providers.
fn world() -> Server {
    let server = Server::start();
    server.put("/servers/troy", &json!({"environment": "staging", "labels": {"os_version": "9.2"}})).expect(201);
    server.put("/servers/beaverton", &json!({"environment": "test", "labels": {"os_version": "8.10"}})).expect(201);
    server.deploy(&provider("org.shop.database", "postgresql"));
    server.deploy(&with(
        provider("org.shop.database", "postgresql"),
        json!({"environment": "production", "version": "2.0-rc 1"}),
    ));
    server.deploy(&with(provider("org.bank.ledger", "ledger"), json!({"system": "bank"})));
    server
}

fn names(items: &[Value]) -> Vec<String> {
    let name = |item: &Value| item.get("artifact").or(item.get("server")).unwrap().as_str().unwrap().to_owned();
    items.iter().map(|item| format!("{}/{}", name(item), text(item, "environment"))).collect()
}

#[test]
fn items_are_like_matches_with_state_and_since() {
    let server = world();
    let items = server.items("/components");
    let all = [
        "troy/staging",
        "beaverton/test",
        "org.shop.database/test",
        "org.shop.database/production",
        "org.bank.ledger/test",
    ];
    assert_eq!(names(&items), all);
    let of_server =
        ["attributes", "component", "environment", "interface", "labels", "layer", "server", "since", "state"];
    assert_eq!(keys(&items[0]), of_server);
    let of_artifact = [
        "artifact",
        "attributes",
        "component",
        "deployment",
        "environment",
        "interface",
        "labels",
        "layer",
        "since",
        "state",
        "system",
        "version",
    ];
    assert_eq!(keys(&items[2]), of_artifact);
    assert_eq!(
        (&items[2]["state"], &items[2]["system"], &items[2]["version"]),
        (&json!("active"), &json!("shop"), &json!("1.0"))
    );
}

#[test]
fn filters_narrow_together_and_unknown_names_give_an_empty_list() {
    let server = world();
    let found = |query: &str| names(&server.items(&format!("/components?{query}")));
    assert_eq!(found("system=bank"), ["org.bank.ledger/test"]);
    assert_eq!(found("environment=staging"), ["troy/staging"]);
    assert_eq!(found("interface=postgresql"), ["org.shop.database/test", "org.shop.database/production"]);
    assert_eq!(found("interface=postgresql&environment=test"), ["org.shop.database/test"]);
    assert_eq!(found("artifact=org.bank.ledger"), ["org.bank.ledger/test"]);
    assert_eq!(found("server=troy"), ["troy/staging"]);
    assert_eq!(found("state=active").len(), 5);
    for query in [
        "system=no",
        "environment=no",
        "interface=no",
        "artifact=troy",
        "server=org.bank.ledger",
        "artifact=",
        "state=inactive",
    ] {
        assert_eq!(found(query), [] as [&str; 0], "{query}");
    }
}

#[test]
fn a_selector_is_taken_in_its_short_form_and_as_json() {
    let server = world();
    let found = |selector: &str| {
        let encoded = percent_encoding::utf8_percent_encode(selector, percent_encoding::NON_ALPHANUMERIC);
        names(&server.items(&format!("/components?selector={encoded}")))
    };
    assert_eq!(found("name=troy"), ["troy/staging"]);
    assert_eq!(found("os_version"), ["troy/staging", "beaverton/test"]);
    assert_eq!(found("!os_version,environment=test"), ["org.shop.database/test", "org.bank.ledger/test"]);
    assert_eq!(found("os_version inrange ([9,10), [1,2))"), ["troy/staging"]);
    assert_eq!(found("os_version notinrange ([9,10)),os_version"), ["beaverton/test"]);
    assert_eq!(found("version = \"2.0-rc 1\""), ["org.shop.database/production"]);
    assert_eq!(found("version==[1.0,2.0)"), ["org.shop.database/test", "org.bank.ledger/test"]);
    assert_eq!(found("name in (troy, beaverton), name != troy"), ["beaverton/test"]);
    assert_eq!(
        found("name notin (troy,beaverton), environment=test"),
        ["org.shop.database/test", "org.bank.ledger/test"]
    );
    assert_eq!(found(r#"[{"key": "name", "values": ["troy"]}]"#), ["troy/staging"]);
    assert_eq!(found("").len(), 5);
    for selector in
        ["version in (>=1.0, <2)", "=", "name in (troy", "[{\"key\":\"a\"", "[{\"kye\":\"a\"}]", "a,", "\"x"]
    {
        let encoded = percent_encoding::utf8_percent_encode(selector, percent_encoding::NON_ALPHANUMERIC);
        let problem = server.get(&format!("/components?selector={encoded}")).expect_problem(400, "invalid-query");
        assert!(text(&problem, "detail").starts_with("selector"), "{problem}");
    }
}

#[test]
fn what_an_open_attempt_would_make_is_planned() {
    let server = Server::start();
    let plan = server.started(&provider("org.shop.api", "shop-api"));
    let items = server.items("/components?state=planned");
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["state"], &items[0]["deployment"]), (&json!("planned"), &plan["id"]));
    assert_eq!(items[0]["component"], plan["artifactSpec"]["provides"][0]["component"]);
    assert_eq!(server.items("/components").len(), 0);
    let one = server.get(&format!("/components/{}", text(&items[0], "component"))).expect(200);
    assert_eq!((&one["state"], &one["consumers"]), (&json!("planned"), &json!([])));
    server.succeed(&plan);
    assert_eq!(server.items("/components?state=planned").len(), 0);
}

#[test]
fn a_component_has_its_consumers_and_the_attempts_that_made_it() {
    let server = Server::start();
    let provider = provider("org.shop.database", "postgresql");
    let first = server.deploy(&provider);
    let consumer = server.deploy(&consumer("org.shop.api", "postgresql"));
    let second = server.deploy(&with(provider, json!({"version": "2.0"})));
    let id = text(&first["artifactSpec"]["provides"][0], "component");
    let component = server.get(&format!("/components/{id}")).expect(200);
    assert_eq!((&component["component"], &component["version"]), (&json!(id), &json!("2.0")));
    let coupling = json!({"artifact": "org.shop.api", "environment": "test", "require": "needed", "scope": "runtime",
                          "deployment": consumer["id"]});
    assert_eq!(component["consumers"], json!([coupling]));
    let attempts: Vec<_> = component["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["id"]).collect();
    assert_eq!(attempts, [&second["id"], &first["id"]]);
}

#[test]
fn a_coupling_is_broken_where_the_provider_is_gone_or_matches_no_more() {
    let server = Server::start();
    let provides = json!([{"interface": "postgresql", "layer": "server", "labels": {"tier": "gold"}}]);
    let database = server.deploy(&with(spec("org.shop.database"), json!({"provides": provides})));
    let require = json!({"db": {"interface": "postgresql", "selector": {"tier": "gold"}}});
    server.deploy(&with(spec("org.shop.api"), json!({"requires": require})));
    let path = format!("/components/{}", text(&database["artifactSpec"]["provides"][0], "component"));
    let broken = || server.get(&path).expect(200)["consumers"][0].get("broken").cloned();
    assert_eq!(broken(), None);
    server.deploy(&provider("org.shop.database", "postgresql"));
    assert_eq!(broken(), Some(json!(true)));
    server.deploy(&with(spec("org.shop.database"), json!({"provides": provides})));
    assert_eq!(broken(), None);
    server.deploy(&spec("org.shop.database"));
    assert_eq!(broken(), Some(json!(true)));
}

#[test]
fn an_unknown_component_is_404() {
    let server = Server::start();
    server.get("/components/0193f3a2-0000-7000-8000-000000000000").expect_problem(404, "not-found");
    server.get("/components/nonsense").expect_problem(404, "not-found");
}

#[test]
fn paging_loses_none_and_shows_none_twice_while_components_come() {
    let server = Server::start();
    let declare = |n: usize| server.put(&format!("/servers/s{n}"), &json!({"environment": "test"})).expect(201);
    (0..7).for_each(|n| drop(declare(n)));
    let (mut seen, mut path) = (Vec::new(), "/components?limit=3&environment=test".to_owned());
    for round in 7.. {
        let page = server.get(&path).expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|item| text(item, "component").to_owned()));
        let Some(next) = page.get("next") else { break };
        path = format!("/components?limit=3&environment=test&cursor={}", next.as_str().unwrap());
        if round < 9 {
            declare(round);
        }
    }
    let all: Vec<_> = server.items("/components").iter().map(|item| text(item, "component").to_owned()).collect();
    assert_eq!(seen, all);
    assert!(seen.is_sorted() && seen.len() == 9, "{seen:?}");
}

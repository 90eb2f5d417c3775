//! The route table, and the server that is made from it.

use std::collections::{BTreeMap, BTreeSet};

use mortise::http::{BodyLimit, Effect, HttpLimits, ROUTES};
use serde_json::json;

use crate::server::{JSON, Server, text};
use crate::specs::provider;

/// Every method that some server knows.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// The methods of every address, in order.
fn methods() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut methods: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for route in ROUTES {
        methods.entry(route.path).or_default().push(route.method.as_str());
    }
    methods
}

#[test]
fn every_route_answers() {
    let server = Server::start();
    server.put("/servers/beaverton", &json!({"environment": "test"})).expect(201);
    let spec = json!({"system": "shop", "name": "org.shop.api", "version": "1.0", "environment": "test",
        "provides": [{"interface": "shop-api", "layer": "server"}]});
    let plan = server.deploy(&spec);
    let component = server.items("/components?artifact=org.shop.api").remove(0);
    let known = [
        ("/deployments/{id}", format!("/deployments/{}", text(&plan, "id"))),
        ("/components/{id}", format!("/components/{}", text(&component, "component"))),
        ("/servers/{name}", "/servers/beaverton".to_owned()),
        ("/systems/{name}", "/systems/shop".to_owned()),
        ("/artifacts/{name}", "/artifacts/org.shop.api".to_owned()),
        ("/interfaces/{name}", "/interfaces/shop-api".to_owned()),
        ("/environments/{name}", "/environments/test".to_owned()),
        ("/problems/{code}", "/problems/not-found".to_owned()),
    ];
    for route in ROUTES {
        let path = known.iter().fold(route.path.to_owned(), |path, (named, known)| path.replace(named, known));
        let body = if route.body == BodyLimit::None { "" } else { "{}" };
        let answer = server.send(route.method.as_str(), &path, &[JSON], body);
        assert!(![404, 405].contains(&answer.status) && answer.status < 500, "{} {path}: {answer:?}", route.method);
    }
}

#[test]
fn a_method_that_an_address_does_not_have_is_405_with_allow() {
    let server = Server::start();
    for (path, allowed) in methods() {
        let address = path.replace("{id}", "x").replace("{name}", "x").replace("{code}", "x");
        for method in METHODS.iter().filter(|method| !allowed.contains(method)) {
            let answer = server.send(method, &address, &[JSON], "{}");
            answer.expect_problem(405, "method-not-allowed");
            assert_eq!(answer.header("Allow"), Some(allowed.join(", ").as_str()), "{method} {address}");
        }
    }
}

#[test]
fn an_address_is_told_apart_from_others_once_it_is_decoded() {
    let server = Server::start();
    let answer = server.send("GET", "/deployments/%73tart", &[], "");
    answer.expect_problem(405, "method-not-allowed");
    assert_eq!(answer.header("Allow"), Some("POST"));
    let spec = provider("a", "i").to_string();
    server.send("POST", "/deployments/%73tart", &[JSON], spec).expect(201);
}

#[test]
fn the_table_holds_these_addresses() {
    let expected = [
        ("/artifacts", "GET"),
        ("/artifacts/{name}", "GET"),
        ("/components", "GET"),
        ("/components/{id}", "GET"),
        ("/deployments", "GET"),
        ("/deployments/start", "POST"),
        ("/deployments/{id}", "GET"),
        ("/deployments/{id}/finish", "POST"),
        ("/deployments/{id}/specification", "GET"),
        ("/environments", "GET"),
        ("/environments/{name}", "GET, PUT"),
        ("/graph/query", "POST"),
        ("/healthz", "GET"),
        ("/interfaces", "GET"),
        ("/interfaces/{name}", "GET"),
        ("/limits", "GET"),
        ("/problems/{code}", "GET"),
        ("/readyz", "GET"),
        ("/schema/artifact-spec", "GET"),
        ("/servers", "GET"),
        ("/servers/{name}", "GET, PUT, DELETE"),
        ("/systems", "GET"),
        ("/systems/{name}", "GET"),
    ];
    let held: Vec<_> = methods().into_iter().map(|(path, methods)| (path, methods.join(", "))).collect();
    let held: Vec<_> = held.iter().map(|(path, methods)| (*path, methods.as_str())).collect();
    assert_eq!(held, expected);
}

#[test]
fn the_routes_of_an_address_stand_together_each_of_another_method() {
    let together: Vec<_> = ROUTES.chunk_by(|one, next| one.path == next.path).map(|routes| routes[0].path).collect();
    assert_eq!(together.len(), methods().len(), "{together:?}");
    for (path, methods) in methods() {
        assert_eq!(methods.iter().collect::<BTreeSet<_>>().len(), methods.len(), "{path}");
    }
}

#[test]
fn every_route_is_described_in_a_sentence_of_its_own() {
    let mut seen = BTreeSet::new();
    for route in ROUTES {
        let described = route.description;
        assert!(seen.insert(described), "{described}");
        assert!(described.starts_with(char::is_uppercase) && described.ends_with('.'), "{described}");
        assert!(!described.trim_end_matches('.').contains(". "), "{described}");
    }
}

#[test]
fn what_is_read_with_get_records_nothing_and_only_questions_are_read_otherwise() {
    for route in ROUTES {
        let is_read = route.method == "GET" || route.path == "/graph/query";
        assert_eq!(route.effect == Effect::Reads, is_read, "{} {}", route.method, route.path);
    }
}

#[test]
fn a_body_beyond_the_limit_of_its_route_is_413_with_the_limit() {
    let server = Server::start();
    let limits = HttpLimits::default();
    for route in ROUTES.iter().filter(|route| route.body != BodyLimit::None) {
        let path = route.path.replace("{id}", "x").replace("{name}", "x");
        let most = route.body.bytes(&limits);
        let send = |bytes: usize| server.send(route.method.as_str(), &path, &[JSON], " ".repeat(bytes));
        let problem = send(most + 1).expect_problem(413, "payload-too-large");
        assert!(text(&problem, "detail").contains(&format!("{most} bytes")), "{path}: {problem}");
        assert_ne!(send(most).status, 413, "{path}");
    }
}

#[test]
fn limits_are_listed_with_their_values_and_the_readme_has_the_same_table() {
    let server = Server::start_with(&["--max-plan-bytes", "5000", "--max-body-bytes", "7000"]);
    let listed = server.get("/limits").expect(200)["limits"].as_array().unwrap().clone();
    let named = |name: &str| listed.iter().find(|limit| text(limit, "name") == name).expect("it is listed").clone();
    assert_eq!(named("max-plan-bytes")["value"], 5_000);
    assert_eq!(named("max-plan-bytes")["change"], "mortise settings set --max-plan-bytes");
    assert_eq!(named("max-body-bytes")["value"], 7_000);
    assert_eq!(named("plan-matches").get("change"), None);

    let defaults = Server::start().get("/limits").expect(200)["limits"].as_array().unwrap().clone();
    let readme = include_str!("../../README.md");
    let rows = readme.lines().skip_while(|line| !line.starts_with("| limit |")).skip(2);
    let rows: Vec<Vec<_>> =
        rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), defaults.len());
    for (row, limit) in rows.iter().zip(&defaults) {
        assert_eq!(row[1].trim_matches('`'), text(limit, "name"));
        let bounds = text(limit, "bounds").trim_end_matches('.');
        assert!(bounds.eq_ignore_ascii_case(row[3]), "{bounds} is {} in README.md", row[3]);
        let change = limit.get("change").map_or("", |change| change.as_str().unwrap().split(" --").next().unwrap());
        assert_eq!(row[4].trim_matches('`'), change);
        // Those of the pool depend on the machine, and so may how many connections there can be.
        if !row[2].contains("processor") && row[1] != "`max-connections`" {
            let digits: String = row[2].chars().filter(char::is_ascii_digit).collect();
            assert_eq!(digits, limit["value"].to_string(), "{}", row[1]);
        }
    }
}

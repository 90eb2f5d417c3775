//! `GET /deployments`, `/deployments/{id}`, `/deployments/{id}/specification`

use serde_json::{Value, json};

use crate::server::{JSON, Server, YAML, keys, text};
use crate::specs::{spec, with};

/// Five attempts: one superseded, one failed, one open, one elsewhere, one active.
fn world() -> Server {
    let server = Server::start();
    server.deploy(&spec("a"));
    server.fail(&server.started(&spec("b")));
    let headers = [JSON, ("Mortise-Actor", "ci/ü")];
    let blue = with(spec("a"), json!({"instance": "blue", "environment": "production"}));
    server.send("POST", "/deployments/start", &headers, blue.to_string()).expect(201);
    server.deploy(&with(spec("c"), json!({"system": "bank"})));
    server.deploy(&with(spec("a"), json!({"version": "2.0"})));
    server
}

fn names(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| format!("{}{}", text(item, "artifact"), item["number"])).collect()
}

#[test]
fn the_list_has_the_newest_first_with_what_tells_them_apart() {
    let server = world();
    let items = server.items("/deployments");
    assert_eq!(names(&items), ["a2", "c1", "a1", "b1", "a1"]);
    let open = [
        "actor",
        "artifact",
        "condition",
        "createdAt",
        "currentState",
        "environment",
        "id",
        "instance",
        "number",
        "system",
        "targetState",
        "version",
    ];
    assert_eq!(keys(&items[2]), open);
    let ended = [
        "artifact",
        "condition",
        "createdAt",
        "currentState",
        "environment",
        "finishedAt",
        "id",
        "number",
        "outcome",
        "supersedes",
        "system",
        "targetState",
        "version",
    ];
    assert_eq!(keys(&items[0]), ended);
    assert_eq!(items[0]["supersedes"], items[4]["id"]);
}

#[test]
fn filters_narrow_together_and_unknown_names_give_an_empty_list() {
    let server = world();
    let found = |query: &str| names(&server.items(&format!("/deployments?{query}")));
    assert_eq!(found("system=bank"), ["c1"]);
    assert_eq!(found("artifact=a"), ["a2", "a1", "a1"]);
    assert_eq!(found("artifact=a&environment=test"), ["a2", "a1"]);
    assert_eq!(found("environment=production"), ["a1"]);
    assert_eq!(found("instance=blue"), ["a1"]);
    assert_eq!(found("instance=&artifact=a"), ["a2", "a1"]);
    assert_eq!(found("state=Active"), ["a2", "c1"]);
    assert_eq!(found("state=Inactive"), ["a1"]);
    assert_eq!(found("state=Draft"), ["a1"]);
    assert_eq!(found("state=Error"), ["b1"]);
    assert_eq!(found("targetState=Active"), ["a2", "c1", "a1", "b1"]);
    assert_eq!(found("condition=Pending"), ["a1"]);
    assert_eq!(found("condition=Error"), ["b1"]);
    assert_eq!(found("outcome=succeeded"), ["a2", "c1", "a1"]);
    assert_eq!(found("outcome=failed&artifact=b"), ["b1"]);
    assert_eq!(found("actor=ci/%C3%BC"), ["a1"]);
    for query in
        ["system=no", "artifact=no", "environment=no", "instance=no", "actor=no", "state=Deleted", "outcome=abandoned"]
    {
        assert_eq!(found(query), [] as [&str; 0], "{query}");
    }
}

#[test]
fn from_is_inclusive_and_to_exclusive_in_time_of_creation() {
    let server = world();
    let items = server.items("/deployments");
    let created = text(&items[2], "createdAt");
    let at_or_after: Vec<_> = items.iter().filter(|item| text(item, "createdAt") >= created).cloned().collect();
    assert_eq!(server.items(&format!("/deployments?from={created}")), at_or_after);
    assert_eq!(server.items(&format!("/deployments?to={created}")).len(), items.len() - at_or_after.len());
    assert_eq!(server.items("/deployments?from=2100-01-01T00:00:00Z").len(), 0);
    assert_eq!(server.items("/deployments?from=1999-01-01T00:00:00%2B02:00").len(), 5);
}

#[test]
fn values_that_are_none_of_those_allowed_are_400() {
    let server = Server::start();
    let queries = [
        "state=active",
        "condition=pending",
        "outcome=ok",
        "targetState=On",
        "from=yesterday",
        "to=2026",
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "limit=",
        "cursor=!",
        "limit=1&limit=1",
        "sytem=shop",
        "artifact=%FF",
    ];
    for query in queries {
        server.get(&format!("/deployments?{query}")).expect_problem(400, "invalid-query");
    }
    server.get("/deployments?limit=1000").expect(200);
    server.get("/deployments?limit=1").expect(200);
}

#[test]
fn paging_goes_on_where_it_was_while_attempts_come_and_end() {
    let server = Server::start();
    let open: Vec<_> = (0..7).map(|n| server.started(&spec(&format!("a{n}")))).collect();
    let (mut seen, mut path) = (Vec::new(), "/deployments?limit=3".to_owned());
    for round in 7.. {
        let page = server.get(&path).expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| text(item, "id").to_owned()));
        let Some(next) = page.get("next") else { break };
        server.started(&spec(&format!("a{round}")));
        server.succeed(&open[round - 7]);
        path = format!("/deployments?limit=3&cursor={}", next.as_str().unwrap());
    }
    let expected: Vec<_> = open.iter().rev().map(|plan| text(plan, "id").to_owned()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_last_page_that_is_full_has_no_next() {
    let server = Server::start();
    (0..4).for_each(|n| drop(server.started(&spec(&format!("a{n}")))));
    for path in ["/deployments?limit=4", "/deployments?limit=1000", "/artifacts?limit=4"] {
        assert_eq!(keys(&server.get(path).expect(200)), ["items"]);
    }
    let page = server.get("/deployments?limit=2").expect(200);
    let last = server.get(&format!("/deployments?limit=2&cursor={}", text(&page, "next"))).expect(200);
    assert_eq!((last["items"].as_array().map(Vec::len), last.get("next")), (Some(2), None));
}

#[test]
fn an_unknown_id_is_404() {
    let server = Server::start();
    for id in ["0193f3a2-0000-7000-8000-000000000000", "nonsense", "%2F", "start%00"] {
        server.get(&format!("/deployments/{id}")).expect_problem(404, "not-found");
        server.get(&format!("/deployments/{id}/specification")).expect_problem(404, "not-found");
    }
}

#[test]
fn the_specification_is_shown_as_it_was_received() {
    let server = Server::start();
    let posted = json!({"name": "a", "system": "${input.system}", "runtimeSpec": {"requires": [
        {"interface": "x", "quantifier": "*", "selector": {"tier": "${input.tier}"}},
    ]}});
    let plan = server.post("/deployments/start?version=1&environment=test&system=shop&tier=gold", &posted).expect(201);
    let path = format!("/deployments/{}/specification", text(&plan, "id"));
    let received = server.get(&path);
    let input = json!({"version": "1", "environment": "test", "system": "shop", "tier": "gold"});
    assert_eq!(received.expect(200), json!({"artifactSpec": posted, "input": input}));
    assert!(
        received.text.find("\"name\"") < received.text.find("\"system\""),
        "the order of the keys is kept: {received:?}"
    );
    server.succeed(&plan);
    assert_eq!(server.get(&path).text, received.text);
}

#[test]
fn a_received_specification_can_be_started_again() {
    let server = Server::start();
    let yaml = "artifactSpec: {system: shop, name: a, version: 1.10, environment: test}\ninput: {build: 7}\n";
    let plan = server.send("POST", "/deployments/start", &[YAML], yaml).expect(201);
    server.succeed(&plan);
    let received = server.get(&format!("/deployments/{}/specification", text(&plan, "id"))).expect(200);
    let again = server.started(&received);
    assert_eq!(again["artifactSpec"], plan["artifactSpec"]);
}

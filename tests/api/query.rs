//! Queries, which are read strictly on every route.

use serde_json::json;

use crate::server::{JSON, Server, text};
use crate::specs::spec;

const RESERVED: [&str; 11] =
    ["dryRun", "wait", "lease", "draft", "at", "atRevision", "consistency", "strictImpact", "why", "success", "format"];

/// Every route, in a form that answers 2xx without a query where it can.
const ROUTES: [(&str, &str); 25] = [
    ("GET", "/deployments"),
    ("GET", "/deployments/x"),
    ("GET", "/deployments/x/specification"),
    ("POST", "/deployments/x/finish"),
    ("GET", "/components"),
    ("GET", "/components/x"),
    ("GET", "/servers"),
    ("GET", "/servers/x"),
    ("PUT", "/servers/x"),
    ("DELETE", "/servers/x"),
    ("GET", "/systems"),
    ("GET", "/systems/x"),
    ("GET", "/artifacts"),
    ("GET", "/artifacts/x"),
    ("GET", "/interfaces"),
    ("GET", "/interfaces/x"),
    ("GET", "/environments"),
    ("GET", "/environments/x"),
    ("PUT", "/environments/x"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/problems/not-found"),
    ("GET", "/schema/artifact-spec"),
    ("POST", "/graph/query"),
    ("POST", "/deployments/start"),
];

/// What reads nothing that is recorded.
const NOTHING_RECORDED: [&str; 4] = ["/healthz", "/readyz", "/problems/not-found", "/schema/artifact-spec"];

#[test]
fn consistency_is_a_word_on_every_route_that_reads_what_is_recorded() {
    let server = Server::start();
    let plan = server.deploy(&spec("a"));
    let id = text(&plan, "id");
    let paths = ["/deployments", "/components", "/artifacts", "/artifacts/a", "/environments/test"].map(str::to_owned);
    for path in paths.into_iter().chain([format!("/deployments/{id}"), format!("/deployments/{id}/specification")]) {
        let answers =
            ["", "?consistency=strong", "?consistency=eventual"].map(|query| server.get(&format!("{path}{query}")));
        assert!(answers.iter().all(|answer| answer.expect(200) == answers[0].json()), "{path}");
        server.get(&format!("{path}?consistency=none")).expect_problem(400, "invalid-query");
    }
}

#[test]
fn reserved_names_are_refused_on_every_route_that_does_not_read_them() {
    let server = Server::start();
    for (method, path) in ROUTES {
        // Unknown ids are 404 before their query is looked at.
        if path.starts_with("/deployments/x") || path.starts_with("/components/x") {
            continue;
        }
        let reads = |name: &str| match name {
            "dryRun" => path == "/deployments/start",
            "consistency" => (method == "GET" || path == "/graph/query") && !NOTHING_RECORDED.contains(&path),
            _ => false,
        };
        for name in RESERVED.into_iter().filter(|name| !reads(name)) {
            let headers: &[_] = if matches!(method, "GET" | "DELETE") { &[] } else { &[JSON] };
            let body = if headers.is_empty() { String::new() } else { spec("a").to_string() };
            let answer = server.send(method, &format!("{path}?{name}=true"), headers, body);
            let problem = answer.expect_problem(400, "not-yet-supported");
            assert!(text(&problem, "detail").contains(name), "{method} {path}: {problem}");
        }
    }
    assert_eq!(server.items("/deployments").len(), 0);
    assert_eq!(server.items("/environments").len(), 0);
}

#[test]
fn unknown_and_repeated_parameters_are_refused_on_every_route() {
    let server = Server::start();
    let plan = server.started(&spec("a"));
    for (method, path) in ROUTES.into_iter().filter(|(_, path)| *path != "/deployments/start") {
        let path = path.replace("/deployments/x", &format!("/deployments/{}", text(&plan, "id")));
        let headers: &[_] = if matches!(method, "GET" | "DELETE") { &[] } else { &[JSON] };
        let body = if headers.is_empty() { "" } else { "{}" };
        for query in ["nonsense=1", "limit=1&limit=2", "%FF=1", "nonsense"] {
            server.send(method, &format!("{path}?{query}"), headers, body).expect_problem(400, "invalid-query");
        }
    }
    server.post("/deployments/start?version=1&version=1", &spec("b")).expect_problem(400, "invalid-query");
    server.post("/deployments/start?dryRun=1", &spec("b")).expect_problem(400, "invalid-query");
}

#[test]
fn a_parameter_one_edit_away_is_named() {
    let server = Server::start();
    let problem = server.get("/deployments?artefact=a").expect_problem(400, "invalid-query");
    assert!(text(&problem, "detail").contains("artifact"), "{problem}");
}

#[test]
fn an_input_in_the_query_is_given_once_and_not_below_another() {
    let server = Server::start();
    let bare = json!({"system": "shop", "name": "a"});
    for query in ["version=1&input.version=1", "a=1&a.b=2", "a.b=1&a=2", "=1", "a..b=1", "input.=1", "a=%01", "a%00=1"]
    {
        server
            .post(&format!("/deployments/start?environment=test&{query}"), &bare)
            .expect_problem(400, "invalid-query");
    }
    server.post("/deployments/start?environment=test&version=1&unused=x&", &bare).expect(201);
}

#[test]
fn reserved_names_are_inputs_behind_their_prefix_and_in_a_body() {
    let server = Server::start();
    let body =
        json!({"system": "shop", "name": "a", "version": "1", "environment": "test", "description": "${input.wait}"});
    let plan = server.post("/deployments/start?dryRun=true&input.wait=5m", &body).expect(200);
    assert_eq!(plan["artifactSpec"]["description"], "5m");
    let wrapped = json!({"artifactSpec": body, "input": {"wait": "6m"}});
    assert_eq!(server.started(&wrapped)["artifactSpec"]["description"], "6m");
}

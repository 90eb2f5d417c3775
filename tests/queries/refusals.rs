//! What is never sent, whichever store there is, and what is wrong with what was posted.

use serde_json::{Value, json};

use crate::backend::{Backend, laws};
use crate::company::{ask, rows};
use crate::harness::{Tested, tests};
use crate::server::{JSON, Server, YAML, text};

tests![a_body_that_is_no_question_is_refused_with_every_place];

laws![
    what_writes_or_reads_secrets_is_refused_and_changes_nothing,
    nodes_that_come_out_whole_come_without_their_secrets,
    what_the_engine_rejects_is_an_invalid_question,
];

/// The clause that is named, and the statement.
const WRITING: [(&str, &str); 10] = [
    ("CREATE", "CREATE (n:Nothing) RETURN n"),
    ("CREATE", "crea\\u0074e (:Nothing)"),
    ("MERGE", "MATCH (n) MERGE (m:Nothing) RETURN m"),
    ("SET", "MATCH (n:System) SET n.name = 'x' RETURN n"),
    ("DETACH", "MATCH (n) DETACH DELETE n"),
    ("REMOVE", "MATCH (n) REMOVE n.name"),
    ("CALL", "CALL dbms.listConfig()"),
    ("LOAD CSV", "LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line"),
    ("SHOW", "SHOW USERS"),
    ("TERMINATE", "TERMINATE TRANSACTIONS 'x'"),
];

/// Every way to the token of a lease, or to a text of the history, that comes to mind.
const SECRETS: [&str; 17] = [
    "MATCH (l:Lease) RETURN l",
    "MATCH (n) RETURN n.token",
    "MATCH (n) RETURN n.`token`",
    "MATCH (n) RETURN n['token']",
    "MATCH (n) RETURN n['to' + 'ken']",
    "MATCH (n) RETURN n[$key]",
    "MATCH (n) RETURN [k IN keys(n) | n[k]]",
    "MATCH (n) RETURN properties(n)",
    "MATCH (n) RETURN n {.*}",
    "MATCH (n) RETURN n {.token}",
    "MATCH (n {token: 'x'}) RETURN count(n)",
    "MATCH (n) WHERE n.tok\\u0065n STARTS WITH 'a' RETURN count(n)",
    "MATCH (r)-[:PART]->(p) RETURN p",
    "MATCH (p:Part) RETURN count(p)",
    "MATCH (r:Record) RETURN r",
    "MATCH (n) RETURN CASE WHEN true THEN n END['token']",
    "MATCH (n) RETURN n.bytes",
];

fn what_writes_or_reads_secrets_is_refused_and_changes_nothing(backend: Backend) -> Tested {
    backend.serve(&[], |server| {
        let before = rows(server, "MATCH (n:System) RETURN count(n) AS n", &json!({}));
        for (clause, statement) in WRITING {
            let problem = ask(server, statement, &json!({})).expect_problem(400, "query-refused");
            assert_eq!(text(&problem, "clause"), clause, "{statement}");
            assert!(problem["line"].is_u64() && problem["column"].is_u64(), "{problem}");
        }
        for statement in SECRETS {
            ask(server, statement, &json!({"key": "token"})).expect_problem(400, "query-refused");
        }
        assert_eq!(rows(server, "MATCH (n:System) RETURN count(n) AS n", &json!({})), before);
    })
}

fn nodes_that_come_out_whole_come_without_their_secrets(backend: Backend) -> Tested {
    backend.serve(&[], |server| {
        let name = server.address().replace(':', "-");
        let plan = server.started(&json!({"system": "x", "name": name, "version": "1", "environment": "x"}));
        let token = text(&plan["lease"], "token");
        for statement in
            ["MATCH (:DeploymentSpec)-->(n) RETURN n", "MATCH (n)<-[:LEASED_AS]-() RETURN n", "MATCH (n) RETURN n"]
        {
            let answer = ask(server, statement, &json!({}));
            // All nodes: on the embedded store those of the history are not in memory.
            if statement == "MATCH (n) RETURN n" && answer.status == 400 {
                answer.expect_problem(400, "query-refused");
                continue;
            }
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.text.contains(r#"{"labels":["Lease"],"properties":{"id":""#));
            assert!(!answer.text.contains(token), "{statement}");
        }
    })
}

fn what_the_engine_rejects_is_an_invalid_question(backend: Backend) -> Tested {
    backend.serve(&[], |server| {
        let invalid = |statement: &str| {
            let answer = ask(server, statement, &json!({}));
            // The embedded store reads the statement itself, and refuses what it does not know.
            let code = text(&answer.json(), "code").to_owned();
            assert!(["invalid-graph-query", "query-refused"].contains(&code.as_str()), "{answer:?}");
            answer.expect_problem(400, &code);
        };
        invalid("MATCH (n) RETURN m");
        invalid("MATCH (n) RETURN n.name AS x, n.id AS x");
        invalid("MATCH (n) RETURN $nothing");
        invalid("MATCH (n RETURN n");
        for computed in ["substring('abc', -1)", "left('abc', -1)", "range(1, 10, 0)", "1 / 0", "'a' + date('x')"] {
            invalid(&format!("RETURN {computed} AS x"));
        }
        ask(server, "RETURN 1 AS truncated", &json!({})).expect_problem(400, "invalid-graph-query");
    })
}

fn a_body_that_is_no_question_is_refused_with_every_place() {
    let server = Server::start();
    let problems = |body: &str, headers: &[(&str, &str)]| {
        let problem = server.send("POST", "/graph/query", headers, body).expect_problem(400, "invalid-graph-query");
        let pointers =
            problem["problems"].as_array().unwrap().iter().map(|problem| text(problem, "pointer").to_owned());
        pointers.collect::<Vec<_>>()
    };
    assert_eq!(problems("{}", &[JSON]), [""]);
    assert_eq!(problems(r#"{"query": 1, "parameters": [], "limit": 3}"#, &[JSON]), ["/limit", "/query", "/parameters"]);
    assert_eq!(problems("[]", &[JSON]), [""]);
    assert_eq!(problems(r#"{"query": "RETURN 1", "query": "RETURN 2"}"#, &[JSON]), ["/query"]);
    for body in ["", "{", "\u{0}"] {
        server.send("POST", "/graph/query", &[JSON], body).expect_problem(400, "malformed");
    }
    server.send("POST", "/graph/query", &[], "{}").expect_problem(415, "unsupported-media-type");
    server.send("POST", "/graph/query", &[JSON], " ".repeat(2 << 20)).expect_problem(413, "payload-too-large");
    server.post("/graph/query?limit=1", &json!({"query": "RETURN 1"})).expect_problem(400, "invalid-query");
    let yaml = "query: |\n  RETURN $x AS x,\n    2 AS y\nparameters: {x: no}\n";
    let answer = server.send("POST", "/graph/query", &[YAML], yaml);
    assert_eq!((answer.status, answer.text.as_str()), (200, "{\"x\":\"no\",\"y\":2}\n"));
    let strong = server.post("/graph/query?consistency=strong", &json!({"query": "RETURN 1 AS x"}));
    assert_eq!((strong.status, strong.text.as_str()), (200, "{\"x\":1}\n"));
    assert_eq!(server.items("/deployments"), [] as [Value; 0]);
}

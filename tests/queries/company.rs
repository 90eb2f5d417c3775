//! A little company, made through the API: three Systems, two Environments, everything that can become of an attempt.

use std::path::Path;
use std::process::Stdio;

use mortise::model::KeptKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Answer, Client, JSON, Server, mortise, text};

/// A history, and what questions about it want to know.
pub struct Company {
    data: TempDir,
    /// The parameters that every question is asked with.
    pub parameters: Value,
}

impl Company {
    /// Makes the history on an embedded store.
    pub fn found() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start_in(data.path(), &[]);
        let parameters = history(&server);
        assert!(server.stop().success());
        Self { data, parameters }
    }

    /// A server on the embedded store.
    pub fn serve(&self, flags: &[&str]) -> Server {
        Server::start_in(self.data.path(), flags)
    }

    /// Moves the history into a database that is empty.
    pub fn move_to(&self, uri: &str) {
        let file = self.data.path().join("history.jsonl");
        run(&["export", "--data", path(self.data.path()), "-o", path(&file)]);
        run(&["import", "--store", uri, path(&file)]);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(arguments: &[&str]) {
    let run = mortise().args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// Asks a server; the answer whatever it is.
pub fn ask(server: &Client, query: &str, parameters: &Value) -> Answer {
    server.post("/graph/query", &json!({"query": query, "parameters": parameters}))
}

/// The rows of an answer that is whole.
#[track_caller]
pub fn rows(server: &Client, query: &str, parameters: &Value) -> Vec<Value> {
    let answer = ask(server, query, parameters);
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/x-ndjson"), "{query}: {answer:?}");
    lines(&answer)
}

/// Every line of an answer.
pub fn lines(answer: &Answer) -> Vec<Value> {
    answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn history(server: &Server) -> Value {
    let as_actor = |actor: &str, body: &Value| {
        server.send("POST", "/deployments/start", &[JSON, ("Mortise-Actor", actor)], body.to_string()).expect(201)
    };
    for (name, environment) in [("beaverton", "test"), ("portland", "production"), ("größe", "test")] {
        let declared = json!({"environment": environment, "interface": "linux", "layer": "server", "labels": {"os_family": "linux"},
            "attributes": {"cores": 8}});
        server.put(&format!("/servers/{}", name.replace('ö', "%C3%B6").replace('ß', "%C3%9F")), &declared).expect(201);
    }
    for environment in ["test", "production"] {
        server.deploy(&database("15.4", environment));
        server.deploy(&api("2.3.0", environment));
        server.deploy(&web("1.0", environment));
    }
    server.fail(&server.started(&database("16.1", "test")));
    server.deploy(&api("2.4.0", "test"));
    let noon = text(&server.deploy(&billing("core", "3.0"))["deployment"], "createdAt").to_owned();
    let keyed = with(ledger("1.0"), json!({"labels": {"größe": "日本", "tier": "back"}}));
    let keyed = server.send("POST", "/deployments/start", &[JSON, ("Idempotency-Key", "ci-4711")], keyed.to_string());
    server.succeed(&keyed.expect(201));
    let failing = as_actor("ci/ledger", &ledger("1.1"));
    let reason = "the disk of the build was full, and so was the log ".repeat(200);
    server.finish(text(&failing, "id"), &json!({"success": false, "reason": reason})).expect(200);
    let failing = as_actor("ci/ledger", &ledger("1.2"));
    server.finish(text(&failing, "id"), &json!({"success": false, "reason": "größe 'x' \"y\" \\ ☃"})).expect(200);
    server.deploy(&with(api("2.4.0", "test"), json!({"instance": "blue"})));
    as_actor("anna", &database("16.2", "test"));
    let set = json!({"artifactSpecs": [ledger("1.3"), with(web("1.1", "production"), json!({}))]});
    as_actor("bert", &set);
    json!({"noon": noon, "key": KeptKey::of("ci-4711").as_str()})
}

fn spec(system: &str, name: &str, version: &str, environment: &str) -> Value {
    json!({"system": system, "name": name, "version": version, "environment": environment})
}

fn with(mut value: Value, over: Value) -> Value {
    let (Some(members), Value::Object(over)) = (value.as_object_mut(), over) else { panic!("both are objects") };
    if let Some(labels) = over.get("labels") {
        members["provides"][0]["labels"] = labels.clone();
    }
    members.extend(over.into_iter().filter(|(name, _)| name != "labels"));
    value
}

fn database(version: &str, environment: &str) -> Value {
    let over = json!({
        "provides": [{"interface": "postgresql", "layer": "server", "labels": {"tier": "data"},
            "attributes": {"host": format!("db.{environment}"), "port": 5432}}],
        "deploymentSpec": {"host": {"selector": [{"key": "os_family", "operator": "In", "values": ["linux"]},
            {"key": "name", "operator": "In", "values": ["beaverton", "portland"]}]}},
    });
    with(spec("platform", "org.platform.database", version, environment), over)
}

fn api(version: &str, environment: &str) -> Value {
    let over = json!({
        "provides": [{"interface": "shop-api", "layer": "server", "labels": {"tier": "front"}, "attributes": {"url": "https://api"}}],
        "requires": {"database": {"interface": "postgresql"}, "reporting": {"interface": "postgresql"}},
    });
    with(spec("shop", "org.shop.api", version, environment), over)
}

fn web(version: &str, environment: &str) -> Value {
    let over = json!({
        "provides": [{"interface": "shop-web", "layer": "client", "labels": {"tier": "front"}}],
        "requires": {"api": {"interface": "shop-api", "quantifier": "1..*"}, "mail": {"interface": "smtp", "quantifier": "0..1"}},
    });
    with(spec("shop", "org.shop.web", version, environment), over)
}

fn billing(name: &str, version: &str) -> Value {
    let over = json!({
        "provides": [{"interface": "invoices", "layer": "server", "labels": {"tier": "back"}}],
        "requires": {"database": {"interface": "postgresql"}, "orders": {"interface": "shop-api", "quantifier": "1..*"}},
    });
    with(spec("billing", &format!("org.billing.{name}"), version, "test"), over)
}

fn ledger(version: &str) -> Value {
    let over = json!({
        "provides": [{"interface": "ledger", "layer": "server", "labels": {"tier": "back"}}],
        "requires": {"invoices": {"interface": "invoices"}, "database": {"interface": "postgresql", "scope": "deployment"}},
    });
    with(spec("billing", "org.billing.ledger", version, "test"), over)
}

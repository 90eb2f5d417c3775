//! A database, an API that needs it, and a Server: all that is in the graph then.

use mortise::model::KeptKey;
use serde_json::{Value, json};

use crate::database::{Engine, shared};
use crate::harness::{Tested, tests};
use crate::rows::{COUPLED, MATCHED, assert_rows, labels_of, rows};
use crate::server::{JSON, Server, text};
use crate::specs::{provider, spec, with};

tests![every_relationship_of_a_database_an_api_and_a_server_is_there_and_no_other];

fn every_relationship_of_a_database_an_api_and_a_server_is_there_and_no_other() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (uri, server) = (database.uri(), Server::start_on(database.uri(), &[]));
    let labels = json!({"os_family": "linux"});
    let troy = server.put("/servers/troy", &json!({"environment": "test", "labels": labels})).expect(201);
    let base = server.deploy(&provider("org.shop.database", "postgresql"));
    let body = with(
        spec("org.shop.api"),
        json!({
            "provides": [{"interface": "shop-api", "layer": "router", "labels": {"tier": "gold"}, "attributes": {"port": 80}}],
            "requires": {
                "database": {"interface": "postgresql", "selector": {"name": "org.shop.database"}},
                "backups": {"interface": "postgresql", "quantifier": "0..2", "scope": "deployment"},
            },
            "deploymentSpec": {"host": {"selector": {"os_family": "linux"}, "quantifier": "1..*"}},
        }),
    );
    let body = json!({"artifactSpec": body, "idempotencyKey": "once"}).to_string();
    let started = server.send("POST", "/deployments/start", &[JSON, ("Mortise-Actor", "ci/shop")], body).expect(201);
    let open =
        rows(uri, "MATCH (:DeploymentSpec {artifact: 'org.shop.api'})-[:LEASED_AS]->(l:Lease) RETURN [properties(l)]");
    let (id, lease) = (&started["id"], &open[0][0]);
    assert_eq!((&lease["id"], &lease["revision"]), (id, &json!(5)));
    let (kept, token) = (text(lease, "token"), text(&started["lease"], "token"));
    assert!(kept.starts_with("t1:") && !kept.contains(token), "{kept} shows the token {token}");
    let api = server.succeed(&started);

    assert_rows(
        uri,
        "MATCH (s)-[:OWNS]->(a) RETURN [labels(s), properties(s), labels(a), properties(a)]",
        &json!([
            [["System"], {"name": "shop"}, ["Artifact"], {"name": "org.shop.api", "proven": true}],
            [["System"], {"name": "shop"}, ["Artifact"], {"name": "org.shop.database", "proven": true}],
        ]),
    );
    assert_rows(
        uri,
        "MATCH (a)-[:HAS_VERSION]->(v) RETURN [labels(a), a.name, labels(v), properties(v)]",
        &json!([
            [["Artifact"], "org.shop.api", ["ArtifactVersion"], {"artifact": "org.shop.api", "version": "1.0"}],
            [["Artifact"], "org.shop.database", ["ArtifactVersion"], {"artifact": "org.shop.database", "version": "1.0"}],
        ]),
    );
    assert_rows(
        uri,
        "MATCH (s)-[:DEFINES]->(i) RETURN [labels(s), s.name, labels(i), properties(i)]",
        &json!([
            [["System"], "shop", ["Interface"], {"name": "postgresql", "proven": true}],
            [["System"], "shop", ["Interface"], {"name": "shop-api", "proven": true}],
        ]),
    );
    assert_rows(uri, "MATCH (i:Interface) WHERE NOT (i)<-[:DEFINES]-() RETURN [i.name]", &json!([["server"]]));
    let placed = "MATCH (d:DeploymentSpec)-[:DEPLOYS]->(v:ArtifactVersion)
                  RETURN [d.id, v.artifact, v.version, [(d)-[:IN]->(e:Environment) | e.name]]";
    assert_rows(
        uri,
        placed,
        &json!([[base["id"], "org.shop.database", "1.0", ["test"]], [api["id"], "org.shop.api", "1.0", ["test"]],]),
    );
    assert_rows(
        uri,
        "MATCH (s:Server)-[:IN]->(e:Environment) RETURN [properties(s), properties(e)]",
        &json!([
            [{"name": "troy"}, {"name": "test", "proven": true}],
        ]),
    );
    let [url, port, none] = [r#"{"url":"tcp://postgresql"}"#, r#"{"port":80}"#, "{}"];
    let component = |id: &Value, layer: &str, since: &Value, attributes: &str| json!({"id": id, "layer": layer, "state": "active", "since": since, "attributes": attributes});
    let provided = |plan: &Value| plan["artifactSpec"]["provides"][0]["component"].clone();
    let finished = |plan: &Value| plan["deployment"]["finishedAt"].clone();
    let manifests = "MATCH (d)-[m:MANIFESTS]->(c:Component)-[:PROVIDES]->(i:Interface)
                     RETURN [labels(d), coalesce(d.id, d.name), properties(m), properties(c), i.name]";
    assert_rows(
        uri,
        manifests,
        &json!([
            [["DeploymentSpec"], base["id"], {"active": true}, component(&provided(&base), "server", &finished(&base), url), "postgresql"],
            [["DeploymentSpec"], api["id"], {"active": true}, component(&provided(&api), "router", &finished(&api), port), "shop-api"],
            [["Server"], "troy", {"active": true}, component(&troy["component"], "server", &troy["since"], none), "server"],
        ]),
    );
    assert_eq!(
        labels_of(uri, &provided(&api)),
        json!({"environment": "test", "interface": "shop-api", "layer": "router",
        "name": "org.shop.api", "tier": "gold", "version": "1.0"})
    );
    assert_eq!(
        labels_of(uri, &troy["component"]),
        json!({"environment": "test", "interface": "server", "layer": "server",
        "name": "troy", "os_family": "linux"})
    );
    let requires = "MATCH (d:DeploymentSpec)-[:REQUIRES]->(r:Require)
                    RETURN [d.id, r {.name, .selector, .scope, .min, .max}, keys(r), [(r)-[:OF]->(i:Interface) | i.name]]";
    let [test, named, linux] = [("environment", "test"), ("name", "org.shop.database"), ("os_family", "linux")]
        .map(|(key, value)| format!(r#"{{"key":"{key}","operator":"In","values":["{value}"]}}"#));
    let found = rows(uri, requires);
    let unbounded = found.as_array().unwrap().iter().find(|row| row[1]["name"] == "host").unwrap();
    assert!(!unbounded[2].as_array().unwrap().contains(&json!("max")), "{unbounded}");
    let without_keys = requires.replace("keys(r), ", "");
    assert_rows(
        uri,
        &without_keys,
        &json!([
            [id, {"name": "backups", "selector": format!("[{test}]"), "scope": "deployment", "min": 0, "max": 2}, ["postgresql"]],
            [id, {"name": "database", "selector": format!("[{named},{test}]"), "scope": "runtime", "min": 1, "max": 1}, ["postgresql"]],
            [id, {"name": "host", "selector": format!("[{linux},{test}]"), "scope": "deployment", "min": 1, "max": null}, []],
        ]),
    );
    assert_rows(
        uri,
        MATCHED,
        &json!([[id, "backups", provided(&base)], [id, "database", provided(&base)], [id, "host", troy["component"]],]),
    );
    assert_rows(uri, COUPLED, &json!([[id, "database", provided(&base)]]));
    assert_rows(
        uri,
        "MATCH (k:IdempotencyKey) RETURN [properties(k)]",
        &json!([[{"key": KeptKey::of("once").as_str(), "plan": id, "revision": 5}]]),
    );
    assert_rows(
        uri,
        &format!("MATCH (l:Lease {{id: {id}}}) RETURN [properties(l)]"),
        &json!([[{"id": id, "token": kept, "revision": 5}]]),
    );
    // Which number `place` is, is not told; only that it orders attempts.
    assert_rows(
        uri,
        "MATCH (b:DeploymentSpec {artifact: 'org.shop.database'}) MATCH (d:DeploymentSpec {artifact: 'org.shop.api'})
         RETURN [d {.*, place: b.place < d.place}]",
        &json!([[{"id": id, "number": 1, "instance": "", "currentState": "Active", "targetState": "Active",
        "condition": "Ok", "outcome": "succeeded", "createdAt": api["deployment"]["createdAt"], "finishedAt": finished(&api),
        "actor": "ci/shop", "system": "shop", "artifact": "org.shop.api", "version": "1.0", "environment": "test", "plan": id,
        "revision": 6, "receivedAt": 5, "resolvedAt": 5, "endedAt": 6, "place": true}]]),
    );
    assert_rows(
        uri,
        "MATCH (s:Settings) RETURN [s.id, s.quantifierDialect, s.firstDeployment, s.finishNeedsToken]",
        &json!([["settings", "document", "allow", false]]),
    );
    assert_rows(uri, "MATCH (h:Head) RETURN [h.name, h.revision]", &json!([["head", 6]]));
    assert_rows(
        uri,
        "MATCH (c:Change) RETURN [c.revision, c.cause, c.actor]",
        &json!([
            [1, "settings", null],
            [2, "put-server", null],
            [3, "start", null],
            [4, "finish", null],
            [5, "start", "ci/shop"],
            [6, "finish", null],
        ]),
    );
    let times = "MATCH (n) UNWIND [n.createdAt, n.finishedAt, n.since, n.time] AS time WITH time WHERE time IS NOT NULL
                 RETURN DISTINCT [time =~ '\\\\d{4}-\\\\d\\\\d-\\\\d\\\\dT\\\\d\\\\d:\\\\d\\\\d:\\\\d\\\\d[.]\\\\d{3}Z']";
    assert_rows(uri, times, &json!([[true]]));
    let types = "MATCH ()-[r]->() WHERE type(r) <> 'PART' WITH type(r) AS type, count(*) AS count RETURN [type, count]";
    assert_rows(
        uri,
        types,
        &json!([
            ["OWNS", 2],
            ["HAS_VERSION", 2],
            ["DEFINES", 2],
            ["DEPLOYS", 2],
            ["IN", 3],
            ["LEASED_AS", 2],
            ["MANIFESTS", 3],
            ["PROVIDES", 3],
            ["LABELLED", 16],
            ["REQUIRES", 3],
            ["OF", 2],
            ["MATCHED", 3],
            ["COUPLED", 1],
        ]),
    );
    Ok(())
}

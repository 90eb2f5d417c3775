//! What the graph in Neo4j means, asked in Cypher and told in literal rows: nothing here knows how Mortise makes it.

#[path = "support/database.rs"]
mod database;
#[path = "graph_in_neo4j/every_relationship.rs"]
mod every_relationship;
#[path = "support/graph.rs"]
mod graph;
#[path = "support/harness.rs"]
mod harness;
#[path = "graph_in_neo4j/rows.rs"]
mod rows;
#[path = "support/server.rs"]
mod server;
#[path = "support/specs.rs"]
mod specs;

use std::process::ExitCode;

use database::{Engine, shared};
use graph::number;
use harness::{Tested, tests};
use rows::{COUPLED, MANIFESTS, MATCHED, PLANS, assert_rows, labels_of, rows};
use serde_json::{Value, json};
use server::Server;
use specs::{consumer, provider, spec, with};

tests![
    a_redeploy_moves_what_is_active_and_coupled_to_the_new_attempt,
    what_an_open_attempt_plans_is_gone_when_it_failed,
    members_of_a_set_that_need_each_other_are_coupled_once_they_are_finished_together,
    an_artifact_has_one_system_and_a_server_one_environment_whatever_they_had_before,
    a_text_too_long_for_the_graph_stands_in_the_history_in_parts,
];

fn main() -> ExitCode {
    harness::run([tests(), every_relationship::tests()])
}

fn a_redeploy_moves_what_is_active_and_coupled_to_the_new_attempt() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (uri, server) = (database.uri(), Server::start_on(database.uri(), &[]));
    let version = |version: &str, labels: Value, other: &str| {
        let provides =
            json!([{"interface": "sql", "layer": "server", "labels": labels}, {"interface": other, "layer": "server"}]);
        with(spec("base"), json!({"version": version, "provides": provides}))
    };
    let first = server.deploy(&version("1.0", json!({"tier": "gold", "zone": "a"}), "admin"));
    let old = server.deploy(&consumer("api", "sql"));
    let sql = &first["artifactSpec"]["provides"][0]["component"];
    assert_rows(uri, COUPLED, &json!([[old["id"], "needed", sql]]));
    let second = server.deploy(&version("2.0", json!({"tier": "silver"}), "metrics"));
    assert_eq!(second["artifactSpec"]["provides"][0]["component"], *sql);
    assert_rows(
        uri,
        MANIFESTS,
        &json!([
            ["DeploymentSpec", "base", "1.0", "sql", false, "active"],
            ["DeploymentSpec", "base", "1.0", "admin", false, "inactive"],
            ["DeploymentSpec", "base", "2.0", "sql", true, "active"],
            ["DeploymentSpec", "base", "2.0", "metrics", true, "active"],
        ]),
    );
    assert_eq!(
        labels_of(uri, sql),
        json!({"environment": "test", "interface": "sql", "layer": "server", "name": "base",
        "tier": "silver", "version": "2.0"})
    );
    assert_rows(uri, COUPLED, &json!([[old["id"], "needed", sql]]));
    let failed = server.fail(&server.started(&consumer("api", "sql")));
    assert_rows(uri, COUPLED, &json!([[old["id"], "needed", sql]]));
    let new = server.deploy(&consumer("api", "sql"));
    assert_rows(uri, COUPLED, &json!([[new["id"], "needed", sql]]));
    let matched = [&old, &failed, &new].map(|api| json!([api["id"], "needed", sql]));
    assert_rows(uri, MATCHED, &json!(matched));
    server.deploy(&spec("api"));
    assert_rows(uri, COUPLED, &json!([]));
    assert_rows(
        uri,
        "MATCH (d:DeploymentSpec) RETURN [d.artifact, d.version, d.number, d.currentState]",
        &json!([
            ["base", "1.0", 1, "Inactive"],
            ["base", "2.0", 2, "Active"],
            ["api", "1.0", 1, "Inactive"],
            ["api", "1.0", 2, "Inactive"],
            ["api", "1.0", 3, "Inactive"],
            ["api", "1.0", 4, "Active"],
        ]),
    );
    Ok(())
}

fn what_an_open_attempt_plans_is_gone_when_it_failed() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (uri, server) = (database.uri(), Server::start_on(database.uri(), &[]));
    let open = server.started(&provider("base", "sql"));
    assert_rows(uri, PLANS, &json!([["base", "1.0", "sql", "planned"]]));
    assert_rows(uri, MANIFESTS, &json!([]));
    server.fail(&open);
    assert_eq!(number(uri, "MATCH ()-[p:PLANS]->() RETURN count(p)"), 0);
    assert_eq!(number(uri, "MATCH (c:Component) RETURN count(c)"), 0);
    let running = server.deploy(&provider("base", "sql"));
    let labels = labels_of(uri, &running["artifactSpec"]["provides"][0]["component"]);
    let open = server.started(&with(provider("base", "sql"), json!({"version": "2.0"})));
    let runs = json!([["DeploymentSpec", "base", "1.0", "sql", true, "active"]]);
    assert_rows(uri, PLANS, &json!([["base", "2.0", "sql", "active"]]));
    assert_rows(uri, MANIFESTS, &runs);
    server.fail(&open);
    assert_rows(uri, PLANS, &json!([]));
    assert_rows(uri, MANIFESTS, &runs);
    assert_eq!(labels_of(uri, &running["artifactSpec"]["provides"][0]["component"]), labels);
    Ok(())
}

fn members_of_a_set_that_need_each_other_are_coupled_once_they_are_finished_together() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (uri, server) = (database.uri(), Server::start_on(database.uri(), &[]));
    let set = server.started(&json!([consumer("api", "sql"), provider("base", "sql")]));
    let (api, base) = (&set["deployments"][0]["id"], &set["deployments"][1]["id"]);
    let sql = &set["artifactSpecs"][1]["provides"][0]["component"];
    assert_rows(
        uri,
        "MATCH (p:Plan)-[i:INCLUDES]->(d:DeploymentSpec) RETURN [p.id, p.revision, i.n, d.id, d.plan]",
        &json!([[set["id"], 2, 0, api, set["id"]], [set["id"], 2, 1, base, set["id"]],]),
    );
    let matched = json!([[api, "needed", sql]]);
    assert_rows(uri, MATCHED, &matched);
    assert_rows(uri, PLANS, &json!([["base", "1.0", "sql", "planned"]]));
    assert_rows(uri, COUPLED, &json!([]));
    server.succeed(&set);
    assert_rows(uri, MATCHED, &matched);
    assert_rows(uri, COUPLED, &matched);
    assert_rows(uri, PLANS, &json!([]));
    assert_rows(uri, MANIFESTS, &json!([["DeploymentSpec", "base", "1.0", "sql", true, "active"]]));
    Ok(())
}

fn an_artifact_has_one_system_and_a_server_one_environment_whatever_they_had_before() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (uri, server) = (database.uri(), Server::start_on(database.uri(), &[]));
    server.fail(&server.started(&with(spec("api"), json!({"system": "shpo"}))));
    let owns = "MATCH (s:System)-[:OWNS]->(a:Artifact) RETURN [s.name, a.name, a.proven]";
    assert_rows(uri, owns, &json!([["shpo", "api", false]]));
    server.deploy(&spec("api"));
    assert_rows(uri, owns, &json!([["shop", "api", true]]));
    let troy = server.put("/servers/troy", &json!({"environment": "test", "labels": {"os": "linux"}})).expect(201);
    server.put("/servers/troy", &json!({"environment": "production", "labels": {"zone": "a"}})).expect(200);
    assert_rows(
        uri,
        "MATCH (s:Server)-[:IN]->(e:Environment) RETURN [s.name, e.name]",
        &json!([["troy", "production"]]),
    );
    assert_eq!(
        labels_of(uri, &troy["component"]),
        json!({"environment": "production", "interface": "server",
        "layer": "server", "name": "troy", "zone": "a"})
    );
    assert_rows(uri, MANIFESTS, &json!([["Server", "troy", null, "server", true, "active"]]));
    server.delete("/servers/troy").expect(200);
    assert_rows(uri, MANIFESTS, &json!([["Server", "troy", null, "server", false, "inactive"]]));
    Ok(())
}

fn a_text_too_long_for_the_graph_stands_in_the_history_in_parts() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (uri, server) = (database.uri(), Server::start_on(database.uri(), &[]));
    let attributes = json!({"motd": noise(40_000)});
    let provides = json!([{"interface": "sql", "layer": "server", "attributes": attributes}]);
    let started = server.started(&with(spec("base"), json!({"provides": provides})));
    let (token, plan) = (started["lease"]["token"].as_str().unwrap(), server.succeed(&started));
    let id = &plan["artifactSpec"]["provides"][0]["component"];
    assert_rows(uri, "MATCH (c:Component) RETURN [c.id, c.state, c.attributes]", &json!([[id, "active", null]]));
    assert_eq!(server.get(&format!("/components/{}", id.as_str().unwrap())).expect(200)["attributes"], attributes);
    let records = rows(
        uri,
        "MATCH (r:Record) RETURN [r.first, r.last, r.beside,
                             COLLECT { MATCH (r)-[p:PART]->(t:Part) RETURN [p.n, t.bytes] ORDER BY p.n }]",
    );
    let records = records.as_array().unwrap();
    let told: Vec<_> = records.iter().map(|record| json!([record[0], record[1], record[2]])).collect();
    assert_eq!(json!(told), json!([[1, 1, 0], [2, 2, 1], [3, 3, 0]]), "each was committed alone; a start has a lease");
    assert!(records[2][3].as_array().unwrap().len() > 4, "a finish with 40,000 bytes is in many parts");
    let changes = rows(uri, "MATCH (c:Change) RETURN [c.revision, c.id, c.time, c.cause]");
    for (record, change) in records.iter().zip(changes.as_array().unwrap()) {
        let parts = record[3].as_array().unwrap();
        assert!(parts.iter().enumerate().all(|(n, part)| part[0] == n));
        assert!(parts.iter().all(|part| part[1].as_array().unwrap().len() < 7_000));
        let bytes = parts.iter().flat_map(|part| part[1].as_array().unwrap());
        let bytes: Vec<u8> = bytes.map(|byte| byte.as_u64().unwrap() as u8).collect();
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
        let line: Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(
            ["revision", "id", "time", "cause"].map(|name| &line[name]),
            [0, 1, 2, 3].map(|place| &change[place])
        );
        assert!(!text.contains(token), "the history has a token in it");
    }
    assert_eq!(plan["deployment"]["finishedAt"], changes[2][2]);
    Ok(())
}

/// A text of so many characters that cannot be made much smaller.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'0' + (state >> 58) as u8)
    };
    std::iter::repeat_with(next).take(length).collect()
}

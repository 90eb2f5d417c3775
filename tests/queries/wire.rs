//! The form of answers: columns, nodes, relationships, what is null.

use serde_json::json;

use crate::company::{Company, ask, rows};
use crate::database::{Engine, shared};
use crate::harness::{Tested, tests};
use crate::server::Server;

tests![
    columns_stand_in_their_order_and_null_is_written,
    nodes_and_relationships_are_labels_type_and_properties,
    neo4j_answers_what_only_it_can_in_texts_and_lists,
];

fn columns_stand_in_their_order_and_null_is_written() {
    let server = Server::start();
    let answer = ask(&server, "RETURN 1 AS z, null AS a, 'größe\\n' AS m, 2.0 AS `b c`", &json!({}));
    assert_eq!(answer.text, "{\"z\":1,\"a\":null,\"m\":\"größe\\n\",\"b c\":2.0}\n");
    assert_eq!(answer.content_type, "application/x-ndjson");
    assert_eq!(ask(&server, "MATCH (n:Nothing) RETURN n", &json!({})).text, "");
}

fn nodes_and_relationships_are_labels_type_and_properties() {
    let company = Company::found();
    let server = company.serve(&[]);
    let statement = "MATCH (s:System {name: 'billing'})-[r:OWNS]->(a:Artifact) RETURN s, r, a ORDER BY a.name LIMIT 1";
    let expected = json!({
        "s": {"labels": ["System"], "properties": {"name": "billing"}},
        "r": {"type": "OWNS", "properties": {}},
        "a": {"labels": ["Artifact"], "properties": {"name": "org.billing.core", "proven": true}},
    });
    assert_eq!(rows(&server, statement, &json!({})), [expected]);
}

fn neo4j_answers_what_only_it_can_in_texts_and_lists() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let company = Company::found();
    company.move_to(database.uri());
    let server = Server::start_on(database.uri(), &[]);
    let times = "RETURN date('2026-01-31') AS d, datetime('2026-01-31T10:00:00.5+02:00') AS t, \
                 localdatetime('2026-01-31T10:00:00') AS l, localtime('10:00:01.5') AS c, \
                 duration('P1Y2M3DT4H5M6.5S') AS a, duration('PT0S') AS z, duration('-PT1.5S') AS n";
    let expected = json!({"d": "2026-01-31", "t": "2026-01-31T10:00:00.500+02:00", "l": "2026-01-31T10:00:00",
        "c": "10:00:01.500", "a": "P1Y2M3DT4H5M6.5S", "z": "PT0S", "n": "PT-1.5S"});
    assert_eq!(rows(&server, times, &json!({})), [expected]);
    let numbers = "RETURN 0.0 / 0.0 AS a, 1 / 0.0 AS b, -1 / 0.0 AS c, {x: [1, null]} AS m";
    let expected = json!({"a": "NaN", "b": "Infinity", "c": "-Infinity", "m": {"x": [1, null]}});
    assert_eq!(rows(&server, numbers, &json!({})), [expected]);
    let path = "MATCH p = (a:Artifact {name: 'org.shop.api'})<-[:OWNS]-(s)-[:DEFINES]->({name: 'shop-api'}) RETURN p";
    let expected = json!({"p": {
        "nodes": [
            {"labels": ["Artifact"], "properties": {"name": "org.shop.api", "proven": true}},
            {"labels": ["System"], "properties": {"name": "shop"}},
            {"labels": ["Interface"], "properties": {"name": "shop-api", "proven": true}},
        ],
        "relationships": [{"type": "OWNS", "properties": {}}, {"type": "DEFINES", "properties": {}}],
    }});
    assert_eq!(rows(&server, path, &json!({})), [expected]);
    // Something goes wrong when rows are on their way already.
    let broken = ask(&server, "UNWIND [1, 2, 0] AS x RETURN 2 / x AS y", &json!({}));
    let last = broken.text.lines().last().unwrap();
    assert!(broken.status == 400 || last.starts_with("{\"error\":{\"code\":\"invalid-graph-query\""), "{broken:?}");
    Ok(())
}

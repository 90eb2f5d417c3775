//! Rows as JSON, and the questions that several tests ask.

use neo4rs::{BoltMap, BoltType};
use serde_json::{Map, Value};

use crate::graph::ask;

/// Who runs what, and whether still.
pub const MANIFESTS: &str = "MATCH (d)-[m:MANIFESTS]->(c:Component)-[:PROVIDES]->(i:Interface)
     RETURN [labels(d)[0], coalesce(d.artifact, d.name), d.version, i.name, m.active, c.state]";
/// Who would run what.
pub const PLANS: &str = "MATCH (d:DeploymentSpec)-[:PLANS]->(c:Component)-[:PROVIDES]->(i:Interface)
     RETURN [d.artifact, d.version, i.name, c.state]";
/// Who consumes what, under which name.
pub const COUPLED: &str = "MATCH (d:DeploymentSpec)-[k:COUPLED]->(c:Component) RETURN [d.id, k.require, c.id]";
/// What each require matched.
pub const MATCHED: &str = "MATCH (d:DeploymentSpec)-[:REQUIRES]->(r:Require)-[:MATCHED]->(c:Component)
     RETURN [d.id, r.name, c.id]";

/// The labels of a Component.
pub fn labels_of(uri: &str, component: &Value) -> Value {
    let statement = format!("MATCH (:Component {{id: {component}}})-[:LABELLED]->(l:Label) RETURN [l.key, l.value]");
    let found = rows(uri, &statement);
    let found = found.as_array().unwrap();
    let labels: Map<String, Value> =
        found.iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].clone())).collect();
    // An object would hide a value that should have been replaced.
    assert_eq!(labels.len(), found.len(), "a key has one value: {found:?}");
    Value::Object(labels)
}

/// The statement answers these rows, in whatever order.
#[track_caller]
pub fn assert_rows(uri: &str, statement: &str, expected: &Value) {
    assert_eq!(rows(uri, statement), sorted(expected.as_array().unwrap().clone()), "{statement}");
}

/// The rows of a statement with one column, a list, since a row of the driver has no order of columns.
pub fn rows(uri: &str, statement: &str) -> Value {
    let rows = ask(uri, statement, BoltMap::default());
    sorted(rows.iter().map(|row| json_of(row.get(&row.keys()[0].value).unwrap())).collect())
}

fn sorted(mut rows: Vec<Value>) -> Value {
    rows.sort_by_cached_key(Value::to_string);
    Value::Array(rows)
}

fn json_of(value: BoltType) -> Value {
    match value {
        BoltType::Null(_) => Value::Null,
        BoltType::String(text) => text.value.into(),
        BoltType::Integer(integer) => integer.value.into(),
        BoltType::Boolean(boolean) => boolean.value.into(),
        BoltType::Bytes(bytes) => bytes.value.iter().map(|&byte| Value::from(byte)).collect(),
        BoltType::List(list) => list.value.into_iter().map(json_of).collect(),
        BoltType::Map(map) => map.value.into_iter().map(|(name, value)| (name.value, json_of(value))).collect(),
        other => panic!("{other:?} is no value that is written"),
    }
}

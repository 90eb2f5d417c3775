//! What stands in a database, read with plain Cypher, beside what the history there stands for.

#![allow(dead_code, reason = "every test crate uses another part of it")]

use std::collections::BTreeMap;
use std::time::Duration;

use mortise::graph::{Delta, MemoryGraph, Value};
use mortise::store::Store;
use mortise::store::neo4j::{Address, Neo4jStore};
use neo4rs::{BoltMap, BoltType, Graph, Row, query};

use crate::database::connect;

/// Far more than anything takes, so that a hang shows as a failure.
const PATIENCE: Duration = Duration::from_secs(120);
/// What stands beside the graph: the history, and what is only for starting quickly.
const BESIDE: [&str; 3] = ["Record", "Part", "Snapshot"];

/// The rows of a statement, asked by a driver that knows nothing of Mortise.
pub fn ask(uri: &str, statement: &str, parameters: BoltMap) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asked = async {
        let graph: Graph = connect(uri);
        let mut stream = graph.execute_read(query(statement).with_params(parameters)).await.unwrap();
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await.unwrap() {
            rows.push(row);
        }
        rows
    };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await }).expect("the database answers")
}

/// Runs a statement that changes what stands there.
pub fn change(uri: &str, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let changed = async { connect(uri).run(query(statement)).await };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, changed).await }).expect("the database answers").unwrap();
}

/// The one number that a statement answers.
pub fn number(uri: &str, statement: &str) -> i64 {
    let rows = ask(uri, statement, BoltMap::default());
    rows[0].get(&rows[0].keys()[0].value).unwrap()
}

/// A store on the database.
pub fn store(uri: &str) -> Neo4jStore {
    Neo4jStore::open(Address::parse(uri, None).unwrap(), PATIENCE).unwrap()
}

/// Every node and relationship is there that the history stands for, with the properties that it should have, and no other.
pub fn assert_graph_is_that_of_its_history(uri: &str) {
    let store = store(uri);
    let mut graph = MemoryGraph::default();
    loop {
        let changes = store.changes_after(graph.revision(), 500).unwrap();
        let Some(last) = changes.last() else { break };
        graph.apply(&Delta::of(&changes), last.revision);
    }
    assert_eq!(nodes(uri), expected_nodes(&graph));
    assert_eq!(relationships(uri), expected_relationships(&graph));
}

fn nodes(uri: &str) -> Vec<String> {
    let rows = ask(uri, "MATCH (n) RETURN labels(n)[0] AS label, properties(n) AS properties", BoltMap::default());
    let rows = rows.iter().map(|row| (row.get::<String>("label").unwrap(), row.get("properties").unwrap()));
    let rows = rows.filter(|(label, _)| !BESIDE.contains(&label.as_str()));
    sorted(rows.map(|(label, properties)| format!("{label} {}", described(&label, properties))))
}

fn relationships(uri: &str) -> Vec<String> {
    let rows = ask(
        uri,
        "MATCH (a)-[r]->(b) WHERE type(r) <> 'PART'
         RETURN labels(a)[0] AS fromLabel, properties(a) AS from, type(r) AS type, properties(r) AS properties,
                labels(b)[0] AS toLabel, properties(b) AS to",
        BoltMap::default(),
    );
    sorted(rows.iter().map(|row| {
        let text = |name: &str| row.get::<String>(name).unwrap();
        let map = |name: &str| row.get::<BoltMap>(name).unwrap();
        let (from, to) = (key(&text("fromLabel"), &map("from")), key(&text("toLabel"), &map("to")));
        format!("{from} {} {to} {}", text("type"), described("", map("properties")))
    }))
}

fn expected_nodes(graph: &MemoryGraph) -> Vec<String> {
    sorted(graph.nodes().map(|(_, node)| format!("{} {}", node.key.label, of_values(&node.properties))))
}

fn expected_relationships(graph: &MemoryGraph) -> Vec<String> {
    sorted(graph.relationships().map(|(_, found)| {
        let [from, to] = [found.from, found.to].map(|id| {
            let key = &graph.node(id).unwrap().key;
            format!("({} {} {})", key.label, key.first, key.second)
        });
        format!("{from} {} {to} {}", found.kind, of_values(&found.properties))
    }))
}

fn key(label: &str, properties: &BoltMap) -> String {
    let label = mortise::graph::Label::ALL.iter().find(|known| known.as_str() == label).expect("it is a known label");
    let part = |name: Option<&&str>| {
        name.map_or_else(String::new, |name| match &properties.value[*name] {
            BoltType::String(text) => text.value.clone(),
            other => panic!("{other:?} is no key"),
        })
    };
    format!("({label} {} {})", part(label.key().first()), part(label.key().get(1)))
}

fn described(label: &str, properties: BoltMap) -> String {
    let values = properties.value.into_iter().map(|(name, value)| {
        let value = match value {
            BoltType::String(text) => Value::Text(text.value),
            BoltType::Integer(integer) => Value::Integer(integer.value),
            BoltType::Boolean(boolean) => Value::Boolean(boolean.value),
            other => panic!("{other:?} is no value that was written"),
        };
        (name.value, value)
    });
    let values: BTreeMap<String, Value> =
        values.filter(|(name, _)| !(label == "Head" && (name == "turn" || name == "format"))).collect();
    format!("{values:?}")
}

fn of_values(values: &BTreeMap<&'static str, Value>) -> String {
    format!("{values:?}")
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts
}

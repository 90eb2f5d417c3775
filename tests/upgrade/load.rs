//! The database of the fixture, written with plain Cypher.

use std::collections::HashMap;

use neo4rs::{BoltList, BoltMap, BoltType, Query, Txn, query};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::database::connect;
use crate::fixture::{LATER, more_changes, path};

/// How many bytes of a file go into one message at most. A longer one is answered late.
const MESSAGE_BYTES: usize = 6_000;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Node {
        label: String,
        properties: Map<String, Value>,
    },
    Relationship {
        #[serde(rename = "type")]
        kind: String,
        from: usize,
        to: usize,
        properties: Map<String, Value>,
    },
}

/// Writes what the fixture has, and so many changes more, into an empty database, and the schema after it.
pub fn load(uri: &str, more: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let graph = connect(uri);
        let mut transaction = graph.start_txn().await.unwrap();
        load_fixture(&mut transaction).await;
        load_more(&mut transaction, more).await;
        transaction.commit().await.unwrap();
        for statement in schema() {
            graph.run(query(&statement)).await.unwrap();
        }
    });
}

/// The constraints and indexes of format 1.
fn schema() -> Vec<String> {
    let file = std::fs::read_to_string(path("graph.cypher")).unwrap();
    let statements = file.lines().filter_map(|line| line.strip_prefix("CREATE ")?.strip_suffix(';'));
    let statements: Vec<_> = statements.map(|statement| format!("CREATE {statement}")).collect();
    assert_eq!(statements.len(), 27);
    statements
}

async fn load_fixture(transaction: &mut Txn) {
    let file = std::fs::read_to_string(path("neo4j.jsonl")).unwrap();
    let lines = file.split_terminator('\n').map(|line| (line.len(), serde_json::from_str::<Line>(line).unwrap()));
    let (mut nodes, mut relationships) = (Batches::default(), Batches::default());
    let mut count = 0;
    for (bytes, line) in lines {
        match line {
            Line::Node { label, properties } => {
                let row = [("n", BoltType::from(count)), ("properties", map(properties))];
                nodes.push(label, bytes, row);
                count += 1;
            }
            Line::Relationship { kind, from, to, properties } => {
                let row = [("from", (from as i64).into()), ("to", (to as i64).into()), ("properties", map(properties))];
                relationships.push(kind, bytes, row);
            }
        }
    }
    // By its number in the file, each node as the database knows it.
    let mut known: HashMap<i64, String> = HashMap::new();
    for (label, rows) in nodes.all {
        // Labels and types can be no parameters; these are those of the fixture.
        let create = format!(
            "UNWIND $rows AS row CREATE (n:`{label}`) SET n = row.properties RETURN row.n AS n, elementId(n) AS id"
        );
        let mut created = transaction.execute(query(&create).param("rows", list(rows))).await.unwrap();
        while let Some(row) = created.next(transaction.handle()).await.unwrap() {
            known.insert(row.get("n").unwrap(), row.get("id").unwrap());
        }
    }
    assert_eq!(known.len() as i64, count);
    for (kind, mut rows) in relationships.all {
        for (end, number) in rows.iter_mut().flat_map(|row| &mut row.value) {
            if let ("from" | "to", BoltType::Integer(place)) = (end.value.as_str(), &*number) {
                *number = known[&place.value].as_str().into();
            }
        }
        let create = format!(
            "UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row.from MATCH (b) WHERE elementId(b) = row.to
             CREATE (a)-[r:`{kind}`]->(b) SET r = row.properties"
        );
        run(transaction, query(&create).param("rows", list(rows))).await;
    }
}

/// As format 1 keeps them.
async fn load_more(transaction: &mut Txn, more: u64) {
    const CREATE: &str = "UNWIND $rows AS row
        CREATE (:Change {revision: row.revision, id: row.id, time: row.time, cause: 'put-environment'})-[:PART {n: 0}]->(:Text {text: row.text})
        WITH max(row.revision) AS last MATCH (h:Head {name: 'head'}) SET h.revision = last";
    let mut batches = Batches::default();
    for (revision, id, text) in more_changes(more) {
        let row = [("revision", BoltType::from(revision as i64)), ("id", id.into()), ("time", LATER.into())];
        batches.push(String::new(), 2 * text.len(), row.into_iter().chain([("text", text.into())]));
    }
    for (_, rows) in batches.all {
        run(transaction, query(CREATE).param("rows", list(rows))).await;
    }
}

async fn run(transaction: &mut Txn, query: Query) {
    transaction.run(query).await.unwrap();
}

/// Rows, as many of one kind together as go into one message.
#[derive(Default)]
struct Batches {
    all: Vec<(String, Vec<BoltMap>)>,
    /// Of the last batch.
    bytes: usize,
}

impl Batches {
    fn push(&mut self, kind: String, bytes: usize, row: impl IntoIterator<Item = (&'static str, BoltType)>) {
        let row = BoltMap { value: row.into_iter().map(|(name, value)| (name.into(), value)).collect() };
        match self.all.last_mut().filter(|(last, _)| *last == kind && self.bytes + bytes <= MESSAGE_BYTES) {
            Some((_, rows)) => {
                self.bytes += bytes;
                rows.push(row);
            }
            None => {
                self.bytes = bytes;
                self.all.push((kind, vec![row]));
            }
        }
    }
}

fn list(rows: Vec<BoltMap>) -> BoltType {
    BoltType::List(BoltList::from(rows.into_iter().map(BoltType::Map).collect::<Vec<_>>()))
}

fn map(properties: Map<String, Value>) -> BoltType {
    let properties = properties.into_iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => text.into(),
            Value::Bool(truth) => truth.into(),
            Value::Number(number) => number.as_i64().expect("every number is whole").into(),
            other => panic!("{other} is no property"),
        };
        (name.as_str().into(), value)
    });
    BoltType::Map(BoltMap { value: properties.collect() })
}

//! Statements: what is written of a batch, each in a message small enough to leave in one piece.
//!
//! The driver writes through a buffer of 8 KiB and leaves Nagle's algorithm on: a longer message leaves in two pieces, of
//! which the second waits 40 ms for the peer's delayed acknowledgement. Many small statements in one transaction are faster.

use std::collections::BTreeMap;

use neo4rs::{BoltList, BoltMap, BoltNull, BoltType, Query, query};

use super::history::PART_BYTES;
use super::read::{number, parameters};
use crate::graph::{Delta, Direction, Label, NodeKey, Presence, Properties, RelationshipType, Turn, Value};
use crate::model::ChangeSet;
use crate::store::{StoreError, record};

/// What the rows of one statement may come to: with the text of the statement this stays below 8,000 bytes.
const ROWS_BYTES: usize = 7_300;

/// A statement over rows.
struct Statement {
    text: String,
    rows: Vec<BoltMap>,
    bytes: usize,
}

/// Statements in order; rows of equal texts that follow each other share a message while there is room.
#[derive(Default)]
struct Statements(Vec<Statement>);

/// What is written of a batch, in order.
///
/// # Errors
/// [`StoreError`] where it has no form in the history.
pub(super) fn of(batch: &[ChangeSet]) -> Result<Vec<Query>, StoreError> {
    let delta = Delta::of(batch);
    let mut statements = Statements::default();
    statements.nodes(&delta);
    statements.records(batch, &delta)?;
    statements.clear(&delta);
    statements.relationships(&delta);
    statements.turns(&delta);
    Ok(statements.into_queries())
}

/// What is written of a batch that a graph of format 1 shows already: its records, and the properties that nodes had not then.
///
/// # Errors
/// [`StoreError`] where it has no form in the history.
pub(super) fn since_format_1(batch: &[ChangeSet]) -> Result<Vec<Query>, StoreError> {
    let mut delta = Delta::of(batch);
    let mut statements = Statements::default();
    statements.records(batch, &delta)?;
    for (key, put) in &mut delta.nodes {
        let fresh: &[&str] = match key.label {
            Label::DeploymentSpec => &["opening", "endedAt", "resolvedAt"],
            Label::Lease => &["revision", "token"],
            Label::IdempotencyKey => &["revision", "plan"],
            _ => &[],
        };
        put.properties.retain(|name, _| fresh.contains(name));
        if key.label == Label::Lease {
            // An attempt itself has it as `opening`.
            put.properties.insert("action", None);
        }
    }
    delta.nodes.retain(|_, put| !put.properties.is_empty());
    statements.nodes(&delta);
    Ok(statements.into_queries())
}

impl Statements {
    fn nodes(&mut self, delta: &Delta) {
        let mut grouped: BTreeMap<String, Vec<BoltMap>> = BTreeMap::new();
        for (key, put) in &delta.nodes {
            let set = match put.presence {
                Presence::Whatever => "SET n += row.p",
                Presence::OnlyIfAbsent => "ON CREATE SET n += row.p",
            };
            let text = format!("UNWIND $rows AS row MERGE {} {set}", node("n", key, ["a", "b"]));
            // Properties are laid over what is there, so that a long row can come in pieces.
            for piece in pieces(&put.properties, put.presence) {
                let mut row = key_of(key, ["a", "b"]);
                row.put("p".into(), piece);
                grouped.entry(text.clone()).or_default().push(row);
            }
        }
        self.add_all(grouped);
    }

    fn records(&mut self, batch: &[ChangeSet], delta: &Delta) -> Result<(), StoreError> {
        let text = "UNWIND $rows AS row MERGE (r:Record {last: row.l}) ON CREATE SET r.first = row.f, r.beside = row.s \
                    CREATE (r)-[:PART {n: row.n}]->(:Part {bytes: row.b})";
        for record in record::pack(batch)? {
            let beside = revisions_beside(delta).filter(|revision| (record.first..=record.last).contains(revision));
            let beside = beside.count() as u64;
            for (n, part) in (0_u64..).zip(record.body.chunks(PART_BYTES)) {
                let row = [("l", number(record.last)), ("f", number(record.first)), ("s", number(beside))];
                let part = [("n", number(n)), ("b", part.to_vec().into())];
                self.add(text, parameters(row.into_iter().chain(part)));
            }
        }
        Ok(())
    }

    fn clear(&mut self, delta: &Delta) {
        let mut grouped: BTreeMap<String, Vec<BoltMap>> = BTreeMap::new();
        for (key, kind, direction) in &delta.cleared {
            let node = node("n", key, ["a", "b"]);
            let pattern = match direction {
                Direction::Outgoing => format!("{node}-[r:{kind}]->()"),
                Direction::Incoming => format!("{node}<-[r:{kind}]-()"),
            };
            let text = format!("UNWIND $rows AS row MATCH {pattern} DELETE r");
            grouped.entry(text).or_default().push(key_of(key, ["a", "b"]));
        }
        for key in &delta.changed {
            let pattern = format!("{}<-[r:{}]-()", node("n", key, ["a", "b"]), RelationshipType::Manifests);
            let text = format!("UNWIND $rows AS row MATCH {pattern} WHERE r.active SET r.active = false");
            grouped.entry(text).or_default().push(key_of(key, ["a", "b"]));
        }
        self.add_all(grouped);
    }

    fn relationships(&mut self, delta: &Delta) {
        let mut grouped: BTreeMap<String, Vec<BoltMap>> = BTreeMap::new();
        for (key, properties) in &delta.relationships {
            let (from, to) = (node("f", &key.from, ["a", "b"]), node("t", &key.to, ["c", "d"]));
            let identity = if key.require.is_empty() { "" } else { " {require: row.q}" };
            let set = if properties.is_empty() { "" } else { " SET r += row.p" };
            let kind = key.kind;
            let text = format!("UNWIND $rows AS row MATCH {from} MATCH {to} MERGE (f)-[r:{kind}{identity}]->(t){set}");
            let mut row = key_of(&key.from, ["a", "b"]);
            row.value.extend(key_of(&key.to, ["c", "d"]).value);
            if !key.require.is_empty() {
                row.put("q".into(), key.require.as_str().into());
            }
            if !properties.is_empty() {
                row.put("p".into(), BoltType::Map(properties_of(properties.iter())));
            }
            grouped.entry(text).or_default().push(row);
        }
        self.add_all(grouped);
    }

    fn turns(&mut self, delta: &Delta) {
        for turn in &delta.turns {
            match turn {
                Turn::Coupled(key) => self.couple(key),
                Turn::Failed(key) => self.drop_plans(key),
            }
        }
        delta.ended.iter().for_each(|key| self.drop_plans(key));
    }

    fn couple(&mut self, key: &NodeKey) {
        let text = format!(
            "UNWIND $rows AS row MATCH {}-[:REQUIRES]->(r:Require {{scope: 'runtime'}})-[:MATCHED]->(c:Component) MERGE (d)-[:{} {{require: r.name}}]->(c)",
            node("d", key, ["a", "b"]),
            RelationshipType::Coupled
        );
        self.add(&text, key_of(key, ["a", "b"]));
    }

    fn drop_plans(&mut self, key: &NodeKey) {
        let text = format!(
            "UNWIND $rows AS row MATCH {}-[r:{}]->(c:Component) DELETE r WITH c WHERE c.state = 'planned' AND NOT (c)<-[:COUPLED]-() DETACH DELETE c",
            node("n", key, ["a", "b"]),
            RelationshipType::Plans
        );
        self.add(&text, key_of(key, ["a", "b"]));
    }

    fn add_all(&mut self, grouped: BTreeMap<String, Vec<BoltMap>>) {
        for (text, rows) in grouped {
            rows.into_iter().for_each(|row| self.add(&text, row));
        }
    }

    fn into_queries(self) -> Vec<Query> {
        self.0.into_iter().map(Statement::into_query).collect()
    }

    fn add(&mut self, text: &str, row: BoltMap) {
        let bytes = map_bytes(&row);
        match self.0.last_mut() {
            Some(last) if last.text == text && last.bytes + bytes <= ROWS_BYTES => {
                last.bytes += bytes;
                last.rows.push(row);
            }
            _ => self.0.push(Statement { text: text.to_owned(), rows: vec![row], bytes }),
        }
    }
}

impl Statement {
    fn into_query(self) -> Query {
        let rows: Vec<BoltType> = self.rows.into_iter().map(BoltType::Map).collect();
        query(&self.text).param("rows", BoltType::List(BoltList::from(rows)))
    }
}

/// The revisions of the leases and keys that are put.
fn revisions_beside(delta: &Delta) -> impl Iterator<Item = u64> {
    let beside = delta.nodes.iter().filter(|(key, _)| matches!(key.label, Label::Lease | Label::IdempotencyKey));
    beside.filter_map(|(_, put)| match put.properties.get("revision") {
        Some(Some(Value::Integer(revision))) => u64::try_from(*revision).ok(),
        _ => None,
    })
}

/// `(n:Label {key: row.a, …})`: labels and names of properties are our own words, values are only ever parameters.
fn node(variable: &str, key: &NodeKey, columns: [&str; 2]) -> String {
    let properties: Vec<_> =
        key.properties().zip(columns).map(|((name, _), column)| format!("{name}: row.{column}")).collect();
    format!("({variable}:{} {{{}}})", key.label, properties.join(", "))
}

fn key_of(key: &NodeKey, columns: [&str; 2]) -> BoltMap {
    key.properties().zip(columns).map(|((_, value), column)| (column.into(), value.as_str().into())).collect()
}

/// Properties in maps of which each fits into a message with its key. Those of a node that is put only where it is absent
/// are set in one piece: they fit.
fn pieces(properties: &Properties, presence: Presence) -> Vec<BoltType> {
    const PIECE_BYTES: usize = 4_500;
    let mut pieces = vec![BoltMap::default()];
    let mut bytes = 0;
    for property in properties {
        let piece = properties_of([property]);
        let more = map_bytes(&piece);
        if bytes > 0 && bytes + more > PIECE_BYTES && presence == Presence::Whatever {
            pieces.push(BoltMap::default());
            bytes = 0;
        }
        bytes += more;
        if let Some(last) = pieces.last_mut() {
            last.value.extend(piece.value);
        }
    }
    pieces.into_iter().map(BoltType::Map).collect()
}

fn properties_of<'a>(properties: impl IntoIterator<Item = (&'a &'static str, &'a Option<Value>)>) -> BoltMap {
    let properties = properties.into_iter().map(|(&name, value)| {
        let value = match value {
            None => BoltType::Null(BoltNull),
            Some(Value::Text(text)) => text.as_str().into(),
            Some(Value::Integer(integer)) => (*integer).into(),
            Some(Value::Boolean(boolean)) => (*boolean).into(),
        };
        (name.into(), value)
    });
    properties.collect()
}

/// What a map takes on the wire, or a little more (PackStream).
fn map_bytes(map: &BoltMap) -> usize {
    3 + map.value.iter().map(|(name, value)| name.value.len() + 2 + value_bytes(value)).sum::<usize>()
}

fn value_bytes(value: &BoltType) -> usize {
    match value {
        BoltType::String(text) => text.value.len() + 5,
        BoltType::Bytes(bytes) => bytes.value.len() + 5,
        BoltType::Map(map) => map_bytes(map),
        _ => 9,
    }
}

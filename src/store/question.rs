//! Questions asked of the graph itself, and what is answered.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::StoreError;
pub use crate::cypher::portable::Unanswerable;
use crate::cypher::statement::{Statement, is_secret};
use crate::document::{Json, JsonText};

/// A question as it is put to a store: a statement that only reads, and how much may be spent on it.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// What is asked.
    pub statement: &'a Statement,
    /// The values of its parameters, by name.
    pub parameters: &'a [(String, Json)],
    /// The most rows to answer.
    pub rows: usize,
    /// The most bytes of a row.
    pub row_bytes: usize,
    /// How long it may take, until the last row was taken.
    pub time: Duration,
    /// Whether anyone still waits for the answer.
    pub is_wanted: &'a (dyn Fn() -> bool + Sync),
}

/// Takes one row, an object keyed by column; breaks off where no more are wanted.
pub type TakeRow<'a> = dyn FnMut(JsonText) -> ControlFlow<()> + 'a;

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every row was taken, or whoever took them wanted no more.
    Complete,
    /// There are more rows than were asked for.
    RowLimit,
    /// The next row alone, or with those before it, has more than so many bytes.
    ByteLimit(usize),
    /// There may be more rows; the time was over.
    TimeLimit,
}

/// Why a question is not answered, or not to its end.
#[derive(Debug)]
pub enum QueryError {
    /// This store must not answer it, because it might answer wrongly.
    Refused(Unanswerable),
    /// The statement, or a parameter, is wrong; what the engine says of it.
    Invalid(String),
    /// The store cannot be read now.
    Unavailable(StoreError),
}

/// A value of an answer, whichever engine it came from.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is a value of that kind")]
pub enum Cell {
    Null,
    Boolean(bool),
    Integer(i64),
    /// What is no number is written as text: `NaN`, `Infinity`, `-Infinity`.
    Float(f64),
    Text(String),
    List(Vec<Cell>),
    Map(BTreeMap<String, Cell>),
    Node {
        labels: Vec<String>,
        properties: BTreeMap<String, Cell>,
    },
    Relationship {
        kind: String,
        properties: BTreeMap<String, Cell>,
    },
    /// Nodes and relationships in the order in which the path takes them.
    Path {
        nodes: Vec<Cell>,
        relationships: Vec<Cell>,
    },
}

impl Cell {
    /// A node as it may be shown: without secrets.
    pub(super) fn node(labels: Vec<String>, mut properties: BTreeMap<String, Cell>) -> Self {
        properties.retain(|name, _| !is_secret(name, &labels));
        Self::Node { labels, properties }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.is_nan() => serializer.serialize_str("NaN"),
            Self::Float(value) if *value == f64::INFINITY => serializer.serialize_str("Infinity"),
            Self::Float(value) if *value == f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(cells) => serializer.collect_seq(cells),
            Self::Map(members) => serializer.collect_map(members),
            Self::Node { labels, properties } => pair(serializer, ("labels", labels), ("properties", properties)),
            Self::Relationship { kind, properties } => pair(serializer, ("type", kind), ("properties", properties)),
            Self::Path { nodes, relationships } => pair(serializer, ("nodes", nodes), ("relationships", relationships)),
        }
    }
}

fn pair<S: Serializer>(
    serializer: S,
    first: (&str, &impl Serialize),
    second: (&str, &impl Serialize),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry(first.0, first.1)?;
    map.serialize_entry(second.0, second.1)?;
    map.end()
}

/// A row as it is answered: an object keyed by column, in the order of the columns.
pub(super) fn row<'a>(cells: impl Iterator<Item = (&'a str, Cell)>) -> JsonText {
    struct Row<'a>(Vec<(&'a str, Cell)>);
    impl Serialize for Row<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(column, cell)| (column, cell)))
        }
    }
    JsonText::of(&Row(cells.collect())).expect("the keys of a row are texts")
}

/// What a number in a parameter is: an integer where it is written as one, else a float.
///
/// # Errors
/// Where no engine can hold it.
pub(super) fn number(written: &str) -> Result<Cell, QueryError> {
    let unheld = || QueryError::Invalid(format!("the number {written} of a parameter is too great to be held"));
    if written.contains(['.', 'e', 'E']) {
        let value: f64 = written.parse().map_err(|_| unheld())?;
        return if value.is_finite() { Ok(Cell::Float(value)) } else { Err(unheld()) };
    }
    written.parse().map(Cell::Integer).map_err(|_| unheld())
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

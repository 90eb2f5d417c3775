//! Values, to the engine and from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::document::Json;
use crate::graph::{MemoryGraph, NodeId, RelationshipId, Value};
use crate::store::question::number;
use crate::store::{Cell, QueryError};

/// What the engine marks nodes and relationships with, among their properties.
const ID: &str = "_id";
const LABELS: &str = "_labels";
const TYPE: &str = "_type";

/// The parameters as the engine takes them.
pub(super) fn parameters(given: &[(String, Json)]) -> Result<HashMap<String, grafeo::Value>, QueryError> {
    given.iter().map(|(name, value)| Ok((name.clone(), parameter(value)?))).collect()
}

fn parameter(value: &Json) -> Result<grafeo::Value, QueryError> {
    Ok(match value {
        Json::Null => grafeo::Value::Null,
        Json::Bool(value) => grafeo::Value::Bool(*value),
        Json::Number(written) => match number(written)? {
            Cell::Integer(value) => grafeo::Value::Int64(value),
            Cell::Float(value) => grafeo::Value::Float64(value),
            _ => grafeo::Value::Null,
        },
        Json::Text(text) => grafeo::Value::from(text.as_str()),
        Json::Array(elements) => {
            grafeo::Value::List(elements.iter().map(parameter).collect::<Result<Vec<_>, _>>()?.into())
        }
        Json::Object(members) => {
            if members.iter().any(|(name, _)| name.starts_with('_')) {
                let told = "a map in a parameter has no names that begin with `_` on the embedded store";
                return Err(QueryError::Invalid(told.to_owned()));
            }
            let members = members.iter().map(|(name, value)| Ok((name.as_str().into(), parameter(value)?)));
            grafeo::Value::Map(Arc::new(members.collect::<Result<_, QueryError>>()?))
        }
    })
}

/// A property as the engine takes it.
pub(super) fn property(value: &Value) -> grafeo::Value {
    match value {
        Value::Text(text) => grafeo::Value::from(text.as_str()),
        Value::Integer(integer) => grafeo::Value::Int64(*integer),
        Value::Boolean(boolean) => grafeo::Value::Bool(*boolean),
    }
}

/// How many bytes a value has at least as it is answered.
pub(super) fn bytes(value: &grafeo::Value) -> usize {
    match value {
        grafeo::Value::String(text) => text.len(),
        grafeo::Value::List(list) => list.iter().map(bytes).sum(),
        _ => 1,
    }
}

/// A value as it is answered.
pub(super) fn cell(graph: &MemoryGraph, value: grafeo::Value) -> Result<Cell, QueryError> {
    Ok(match value {
        grafeo::Value::Null => Cell::Null,
        grafeo::Value::Bool(value) => Cell::Boolean(value),
        grafeo::Value::Int64(value) => Cell::Integer(value),
        grafeo::Value::Float64(value) => Cell::Float(value),
        grafeo::Value::String(text) => Cell::Text(text.to_string()),
        grafeo::Value::List(list) => {
            Cell::List(list.iter().map(|value| cell(graph, value.clone())).collect::<Result<_, _>>()?)
        }
        grafeo::Value::Map(map) => {
            let id = match map.get(ID) {
                Some(grafeo::Value::Int64(id)) => u64::try_from(*id).ok(),
                _ => None,
            };
            match id {
                Some(id) if map.contains_key(LABELS) => node(graph, NodeId(id))?,
                Some(id) if map.contains_key(TYPE) => relationship(graph, RelationshipId(id))?,
                _ => {
                    let members = map.iter().map(|(name, value)| Ok((name.to_string(), cell(graph, value.clone())?)));
                    Cell::Map(members.collect::<Result<_, QueryError>>()?)
                }
            }
        }
        other => return Err(super::failed(&format!("the engine answered {other:?}, which is no value of the graph"))),
    })
}

fn node(graph: &MemoryGraph, id: NodeId) -> Result<Cell, QueryError> {
    let node = graph.node(id).ok_or_else(|| super::failed("the engine answered a node that is not there"))?;
    Ok(Cell::node(vec![node.key.label.as_str().to_owned()], shown(&node.properties)))
}

fn relationship(graph: &MemoryGraph, id: RelationshipId) -> Result<Cell, QueryError> {
    let found = graph.relationship(id);
    let found = found.ok_or_else(|| super::failed("the engine answered a relationship that is not there"))?;
    Ok(Cell::Relationship { kind: found.kind.as_str().to_owned(), properties: shown(&found.properties) })
}

fn shown(properties: &BTreeMap<&'static str, Value>) -> BTreeMap<String, Cell> {
    let members = properties.iter().map(|(name, value)| {
        let cell = match value {
            Value::Text(text) => Cell::Text(text.clone()),
            Value::Integer(integer) => Cell::Integer(*integer),
            Value::Boolean(boolean) => Cell::Boolean(*boolean),
        };
        ((*name).to_owned(), cell)
    });
    members.collect()
}

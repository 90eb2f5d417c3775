//! Values, to the database and from it. What only the database knows a thing by is left out.

use std::collections::BTreeMap;

use neo4rs::{BoltInteger, BoltList, BoltMap, BoltNode, BoltNull, BoltPath, BoltString, BoltType};

use super::super::fault::Fault;
use crate::document::Json;
use crate::store::question::number;
use crate::store::{Cell, QueryError};

/// The parameters as the database takes them.
pub(super) fn parameters(given: &[(String, Json)]) -> Result<BoltMap, QueryError> {
    let members = given.iter().map(|(name, value)| Ok((BoltString::new(name), parameter(value)?)));
    members.collect()
}

fn parameter(value: &Json) -> Result<BoltType, QueryError> {
    Ok(match value {
        Json::Null => BoltType::Null(BoltNull),
        Json::Bool(value) => (*value).into(),
        Json::Number(written) => match number(written)? {
            Cell::Float(value) => value.into(),
            Cell::Integer(value) => value.into(),
            _ => BoltType::Null(BoltNull),
        },
        Json::Text(text) => text.as_str().into(),
        Json::Array(elements) => {
            let value = elements.iter().map(parameter).collect::<Result<_, _>>()?;
            BoltType::List(BoltList { value })
        }
        Json::Object(members) => BoltType::Map(parameters(members)?),
    })
}

/// A value as it is answered.
pub(super) fn cell(value: BoltType) -> Result<Cell, Fault> {
    Ok(match value {
        BoltType::Null(_) => Cell::Null,
        BoltType::Boolean(boolean) => Cell::Boolean(boolean.value),
        BoltType::Integer(integer) => Cell::Integer(integer.value),
        BoltType::Float(float) => Cell::Float(float.value),
        BoltType::String(text) => Cell::Text(text.value),
        BoltType::List(list) => Cell::List(list.value.into_iter().map(cell).collect::<Result<_, _>>()?),
        BoltType::Map(map) => Cell::Map(members(map)?),
        BoltType::Node(found) => node(found)?,
        BoltType::Relation(found) => relationship(found.typ, found.properties)?,
        BoltType::UnboundedRelation(found) => relationship(found.typ, found.properties)?,
        BoltType::Path(path) => walked(path)?,
        BoltType::Point2D(point) => Cell::Map(BTreeMap::from([
            ("x".to_owned(), Cell::Float(point.x.value)),
            ("y".to_owned(), Cell::Float(point.y.value)),
        ])),
        BoltType::Point3D(point) => Cell::Map(BTreeMap::from([
            ("x".to_owned(), Cell::Float(point.x.value)),
            ("y".to_owned(), Cell::Float(point.y.value)),
            ("z".to_owned(), Cell::Float(point.z.value)),
        ])),
        BoltType::Bytes(bytes) => Cell::List(bytes.value.iter().map(|&byte| Cell::Integer(byte.into())).collect()),
        duration @ BoltType::Duration(_) => Cell::Text(iso_duration(read(duration)?)),
        // The driver reads points of time as texts.
        time => Cell::Text(read(time)?),
    })
}

/// A value by way of serde: the driver shows the insides of these in no other way.
fn read<T: serde::de::DeserializeOwned>(value: BoltType) -> Result<T, Fault> {
    let map: BoltMap = [(BoltString::new("value"), value)].into_iter().collect();
    Ok(map.get("value")?)
}

/// ISO 8601, as Neo4j writes it: months, days, seconds, nanoseconds.
fn iso_duration((months, days, seconds, nanoseconds): (i64, i64, i64, i64)) -> String {
    let mut text = "P".to_owned();
    let part = |text: &mut String, value: i64, unit: char| {
        if value != 0 {
            text.push_str(&format!("{value}{unit}"));
        }
    };
    part(&mut text, months / 12, 'Y');
    part(&mut text, months % 12, 'M');
    part(&mut text, days, 'D');
    let all = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    if all != 0 || text.len() == 1 {
        text.push('T');
        let (whole, rest) = ((all / 1_000_000_000) as i64, (all % 1_000_000_000).unsigned_abs());
        part(&mut text, whole / 3_600, 'H');
        part(&mut text, whole / 60 % 60, 'M');
        let sign = if all < 0 && whole % 60 == 0 { "-" } else { "" };
        let fraction = if rest == 0 { String::new() } else { format!(".{rest:09}").trim_end_matches('0').to_owned() };
        if whole % 60 != 0 || rest != 0 || all == 0 {
            text.push_str(&format!("{sign}{}{fraction}S", whole % 60));
        }
    }
    text
}

fn node(found: BoltNode) -> Result<Cell, Fault> {
    let labels = found.labels.value.into_iter().map(|label| match label {
        BoltType::String(label) => Ok(label.value),
        other => Err(Fault::Damaged(format!("{other:?} is no label"))),
    });
    Ok(Cell::node(labels.collect::<Result<_, _>>()?, members(found.properties)?))
}

fn relationship(kind: BoltString, properties: BoltMap) -> Result<Cell, Fault> {
    Ok(Cell::Relationship { kind: kind.value, properties: members(properties)? })
}

fn members(map: BoltMap) -> Result<BTreeMap<String, Cell>, Fault> {
    map.value.into_iter().map(|(name, value)| Ok((name.value, cell(value)?))).collect()
}

/// A path comes as its distinct nodes and relationships, and as places in these: of a relationship counted from one, and
/// negative where it is taken against its direction; of a node counted from zero.
fn walked(path: BoltPath) -> Result<Cell, Fault> {
    let places: Vec<i64> = path.indices().into_iter().map(|BoltInteger { value }| value).collect();
    let (known, taken) = (path.nodes(), path.rels());
    let torn = || Fault::Damaged("the path has a place that is not in it".to_owned());
    let at = |place: i64| usize::try_from(place).ok().and_then(|place| known.get(place)).ok_or_else(torn);
    let mut nodes = vec![node(at(0)?.clone())?];
    let mut relationships = Vec::new();
    for step in places.chunks_exact(2) {
        let place = usize::try_from(step[0].unsigned_abs()).ok().and_then(|place| place.checked_sub(1));
        let found = place.and_then(|place| taken.get(place)).ok_or_else(torn)?;
        relationships.push(relationship(found.typ.clone(), found.properties.clone())?);
        nodes.push(node(at(step[1])?.clone())?);
    }
    Ok(Cell::Path { nodes, relationships })
}

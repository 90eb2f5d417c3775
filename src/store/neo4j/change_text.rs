//! A ChangeSet as the graph keeps it: its JSON in parts, each small enough for one message.

use std::collections::BTreeMap;

use neo4rs::Row;

use super::fault::Fault;
use crate::model::ChangeSet;

/// The most bytes of a part.
pub(super) const PART_BYTES: usize = 6_900;

/// The parts of a text, in order, cut between characters.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, later) = rest.split_at(end_of_part(rest));
        rest = later;
        Some(part)
    })
}

/// Where the first part of a text ends.
pub(super) fn end_of_part(text: &str) -> usize {
    text.floor_char_boundary(PART_BYTES)
}

/// Puts changes together from rows of `revision`, `n` and `text`, one a part, in whatever order those come.
pub(super) fn read(rows: &[Row]) -> Result<Vec<ChangeSet>, Fault> {
    let mut texts: BTreeMap<u64, BTreeMap<u64, &str>> = BTreeMap::new();
    for row in rows {
        texts.entry(row.get("revision")?).or_default().insert(row.get("n")?, row.get("text")?);
    }
    let mut changes = Vec::with_capacity(texts.len());
    for (revision, parts) in texts {
        let text: String = parts.into_values().collect();
        let change: ChangeSet = serde_json::from_str(&text)
            .map_err(|error| Fault::Damaged(format!("revision {revision} cannot be read: {error}")))?;
        if change.revision != revision {
            return Err(Fault::Damaged(format!("revision {revision} says that it is revision {}", change.revision)));
        }
        changes.push(change);
    }
    Ok(changes)
}

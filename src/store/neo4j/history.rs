//! The history as the graph keeps it: records in parts, each small enough for one message, and what is kept beside them.

use std::collections::{BTreeMap, BTreeSet};

use neo4rs::{BoltList, BoltMap, BoltType, Row};

use super::fault::Fault;
use super::read::{number, parameters, parsed};
use crate::model::{Beside, ChangeSet, KeptKey, KeptToken, KeyRow, LeaseRow};
use crate::store::{StoreError, record};

/// The most bytes of a part.
pub(super) const PART_BYTES: usize = 6_900;
/// How many records are read at once.
const RECORDS: u64 = 64;

/// Reads up to `$records` records that end after `$after`.
pub(super) const RECORDS_AFTER: &str = "MATCH (r:Record) WHERE r.last > $after WITH r ORDER BY r.last LIMIT $records
    RETURN r.first AS first, r.last AS last, r.beside AS beside, [(r)-[p:PART]->(t:Part) | [p.n, t.bytes]] AS parts";

/// Reads the records that have `$revisions`.
pub(super) const RECORDS_OF: &str = "UNWIND $revisions AS revision
    CALL { WITH revision MATCH (r:Record) WHERE r.last >= revision RETURN r ORDER BY r.last LIMIT 1 } WITH DISTINCT r
    RETURN r.first AS first, r.last AS last, r.beside AS beside, [(r)-[p:PART]->(t:Part) | [p.n, t.bytes]] AS parts";

/// Reads what is kept beside the history and was written after `$after`, up to `$last`. Of each thing that is the newest state.
pub(super) const BESIDE: &str = "MATCH (l:Lease) WHERE l.revision > $after AND l.revision <= $last
    RETURN l.revision AS revision, true AS isLease, l.id AS key, l.token AS value
    UNION ALL MATCH (k:IdempotencyKey) WHERE k.revision > $after AND k.revision <= $last
    RETURN k.revision AS revision, false AS isLease, k.key AS key, k.plan AS value";

/// The parameters of [`RECORDS_AFTER`], of those up to `last`.
pub(super) fn after(after: u64, last: u64) -> BoltMap {
    parameters([("after", number(after)), ("records", number(RECORDS.min(last.saturating_sub(after))))])
}

/// Changes that follow each other, out of records that were read.
pub(super) struct Stretch {
    pub changes: Vec<ChangeSet>,
    /// Where the first of the records begins: the revision before it.
    after: u64,
    /// Where the last of them ends.
    last: u64,
    /// How many leases and keys were written with the records.
    beside: u64,
}

impl Stretch {
    /// The changes after `after`, up to `last`, as far as the records in these rows of [`RECORDS_AFTER`] follow without a gap.
    pub fn of(rows: &[Row], after: u64, last: u64) -> Result<Self, Fault> {
        let mut stretch = Self { changes: Vec::new(), after, last: after, beside: 0 };
        for record in Record::all(rows)? {
            if record.first > stretch.last + 1 {
                break;
            }
            stretch.after = stretch.after.min(record.first.saturating_sub(1));
            stretch.last = record.last;
            stretch.beside += record.beside;
            let text = record.text()?;
            let lines = (record.first..=record.last).zip(text.lines());
            for (revision, line) in lines.filter(|&(revision, _)| revision > after && revision <= last) {
                stretch.changes.push(read(line, revision)?);
            }
        }
        Ok(stretch)
    }

    /// The parameters by which [`BESIDE`] reads all that was written with the records; `None` where nothing was.
    pub fn beside(&self) -> Option<BoltMap> {
        (self.beside > 0).then(|| parameters([("after", number(self.after)), ("last", number(self.last))]))
    }

    /// Whether these rows of [`BESIDE`] have all that was written with the records. If not, some was written again since, or
    /// does not show yet.
    pub fn has_all(&self, rows: &[Row]) -> bool {
        rows.len() as u64 >= self.beside
    }

    /// The changes, with what was written beside them last, in the order of keys.
    pub fn with(self, rows: &[Row]) -> Result<Vec<ChangeSet>, Fault> {
        let mut changes = self.changes;
        let Some(first) = changes.first().map(|change| change.revision) else { return Ok(changes) };
        let mut all = BTreeMap::new();
        for row in rows {
            let (revision, is_lease, key): (u64, bool, String) =
                (row.get("revision")?, row.get("isLease")?, row.get("key")?);
            all.insert((revision, !is_lease, key), row.get::<String>("value")?);
        }
        for ((revision, is_key, key), value) in all {
            // The records may have more than the changes.
            let place = revision.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            let Some(change) = place.and_then(|place| changes.get_mut(place)) else { continue };
            change.beside.push(if is_key {
                Beside::Key(KeyRow { key: KeptKey::from_kept(key), plan: parsed(&value)? })
            } else {
                Beside::Lease(LeaseRow { deployment: parsed(&key)?, token: KeptToken::from_kept(value) })
            });
        }
        Ok(changes)
    }
}

/// Those of these revisions that the records in rows of [`RECORDS_OF`] have.
pub(super) fn changes_of(rows: &[Row], revisions: &[u64]) -> Result<BTreeMap<u64, ChangeSet>, Fault> {
    let wanted: BTreeSet<u64> = revisions.iter().copied().collect();
    let mut changes = BTreeMap::new();
    for record in Record::all(rows)? {
        let text = record.text()?;
        for (revision, line) in (record.first..=record.last).zip(text.lines()) {
            if wanted.contains(&revision) {
                changes.insert(revision, read(line, revision)?);
            }
        }
    }
    Ok(changes)
}

/// A record as it was read.
struct Record {
    first: u64,
    last: u64,
    beside: u64,
    body: Vec<u8>,
}

impl Record {
    /// The records in the order of the history.
    fn all(rows: &[Row]) -> Result<Vec<Self>, Fault> {
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let (first, last) = (row.get("first")?, row.get("last")?);
            let why = || "a part of their record has no bytes".to_owned();
            let body = body(row.get("parts")?)
                .ok_or_else(|| Fault::DamagedChanges(StoreError::DamagedChanges { first, last, why: why() }))?;
            records.push(Self { first, last, beside: row.get("beside")?, body });
        }
        records.sort_by_key(|record| record.last);
        Ok(records)
    }

    /// Each change in a line.
    fn text(&self) -> Result<String, Fault> {
        record::unpack(self.first, self.last, &self.body).map_err(Fault::damaged)
    }
}

fn read(line: &str, revision: u64) -> Result<ChangeSet, Fault> {
    record::read(line, revision).map_err(Fault::damaged)
}

/// Puts together what stands in parts, each a list of its place and its bytes, in whatever order they come; `None` where one is no
/// such list.
fn body(parts: BoltList) -> Option<Vec<u8>> {
    let mut ordered = BTreeMap::new();
    for part in parts.value {
        let BoltType::List(BoltList { value }) = part else { return None };
        let Ok([BoltType::Integer(n), BoltType::Bytes(bytes)]) = <[BoltType; 2]>::try_from(value) else { return None };
        ordered.insert(n.value, bytes.value);
    }
    Some(ordered.into_values().flatten().collect())
}

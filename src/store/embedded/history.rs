//! The history: appended in batches, and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::schema::failed;
use super::{entry, index};
use crate::model::{
    Beside, ChangeSet, ComponentId, ComponentRows, DeploymentId, KeptKey, KeptToken, KeyRow, LeaseRow, PlanId,
};
use crate::store::{CommitError, StoreError, check_follows, record};

/// Appends a batch in one durable transaction.
pub(super) fn append(connection: &mut Connection, batch: &[ChangeSet]) -> Result<(), CommitError> {
    let clean = |error: rusqlite::Error| CommitError::Failed(failed(&error));
    let records = record::pack(batch).map_err(CommitError::Failed)?;
    // Writing from its beginning: what begins to write only after it has read fails at once where a reader holds the lock for a
    // moment, which it does where it came upon a header of the log that was half written.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(clean)?;
    check_follows(batch, last_revision(&transaction).map_err(clean)?)
        .map_err(|error| CommitError::Failed(StoreError::Failed(error)))?;
    for record in records {
        let mut insert =
            transaction.prepare_cached("INSERT INTO record (last, first, body) VALUES (?1, ?2, ?3)").map_err(clean)?;
        insert.execute(params![record.last, record.first, record.body]).map_err(clean)?;
    }
    for change in batch {
        index::add(&transaction, change).map_err(clean)?;
        put_beside(&transaction, change).map_err(clean)?;
    }
    entry::enter(&transaction).map_err(clean)?;
    transaction.commit().map_err(|error| {
        // The log ends with the frame that makes the batch valid. A full disk keeps it from being written, so that nobody will
        // ever read the batch. A COMMIT that fails otherwise has been rolled back or has not; SQLite does not promise which.
        if was_not_written(&error) { clean(error) } else { CommitError::Lost(failed(&error)) }
    })
}

/// Whether a write itself failed: there is no space (ENOSPC), or none for this user or this file (EDQUOT, EFBIG).
fn was_not_written(error: &rusqlite::Error) -> bool {
    let Some(error) = error.sqlite_error() else { return false };
    error.code == ErrorCode::DiskFull || error.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE
}

/// Keeps what is kept beside the history, in the newest state only.
fn put_beside(transaction: &Transaction<'_>, change: &ChangeSet) -> rusqlite::Result<()> {
    for beside in &change.beside {
        match beside {
            Beside::Lease(LeaseRow { deployment, token }) => {
                let mut insert = transaction
                    .prepare_cached("INSERT INTO lease (revision, deployment, token) VALUES (?1, ?2, ?3)")?;
                insert.execute(params![change.revision, deployment.0.as_bytes(), token.as_str()])?;
            }
            Beside::Key(KeyRow { key, plan }) => {
                let mut put = transaction.prepare_cached(
                    "INSERT INTO idempotency_key (key, revision, plan) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO UPDATE SET revision = ?2, plan = ?3",
                )?;
                put.execute(params![key.as_str(), change.revision, plan.0.as_bytes()])?;
            }
        }
    }
    Ok(())
}

/// Calls `each` with what is kept beside the history and was recorded after `after`, up to `last`.
pub(super) fn each_beside(
    connection: &Connection,
    after: u64,
    last: u64,
    mut each: impl FnMut(u64, Beside),
) -> Result<(), StoreError> {
    let mut read = || -> rusqlite::Result<()> {
        let between = params![bound(after), bound(last)];
        let mut leases = connection.prepare_cached(
            "SELECT revision, deployment, token FROM lease WHERE revision > ?1 AND revision <= ?2
             ORDER BY revision, deployment",
        )?;
        let mut rows = leases.query(between)?;
        while let Some(row) = rows.next()? {
            let (deployment, token) = (DeploymentId(uuid(row, 1)?), KeptToken::from_kept(row.get::<_, String>(2)?));
            each(row.get(0)?, Beside::Lease(LeaseRow { deployment, token }));
        }
        let mut keys = connection.prepare_cached(
            "SELECT revision, key, plan FROM idempotency_key WHERE revision > ?1 AND revision <= ?2
             ORDER BY revision, key",
        )?;
        let mut rows = keys.query(between)?;
        while let Some(row) = rows.next()? {
            each(
                row.get(0)?,
                Beside::Key(KeyRow { key: KeptKey::from_kept(row.get::<_, String>(1)?), plan: PlanId(uuid(row, 2)?) }),
            );
        }
        Ok(())
    };
    read().map_err(|error| failed(&error))
}

/// An identity in a column.
pub(super) fn uuid(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

/// A revision as SQLite has numbers.
fn bound(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn last_revision(connection: &Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("SELECT coalesce(max(last), 0) FROM record")?.query_row([], |row| row.get(0))
}

pub(super) fn head(connection: &Connection) -> Result<u64, StoreError> {
    last_revision(connection).map_err(|error| failed(&error))
}

/// Calls `each` with every change after `revision`, in order, until it breaks off. A gap is damage.
pub(super) fn each_change_after(
    connection: &Connection,
    revision: u64,
    mut each: impl FnMut(ChangeSet) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT first, last, body FROM record WHERE last > ?1 ORDER BY last")
        .map_err(|error| failed(&error))?;
    let mut rows = statement.query([bound(revision)]).map_err(|error| failed(&error))?;
    let mut known = revision;
    while let Some(row) = rows.next().map_err(|error| failed(&error))? {
        let (first, last): (u64, u64) =
            row.get(0).and_then(|first| Ok((first, row.get(1)?))).map_err(|e| failed(&e))?;
        let text = row
            .get_ref(2)
            .and_then(|body| Ok(record::unpack(first, last, body.as_blob()?)))
            .map_err(|e| failed(&e))??;
        if first > known + 1 {
            let due = known + 1;
            return Err(StoreError::Damaged(format!(
                "the history has the revisions {first} to {last} where {due} is due"
            )));
        }
        for (revision, line) in (first..=last).zip(text.lines()).skip_while(|&(revision, _)| revision <= known) {
            if each(record::read(line, revision)?).is_break() {
                return Ok(());
            }
        }
        known = last;
    }
    Ok(())
}

/// Up to `limit` changes after `revision`, with what is kept beside the history.
pub(super) fn changes_after(
    connection: &Connection,
    revision: u64,
    limit: usize,
) -> Result<Vec<ChangeSet>, StoreError> {
    let mut changes = Vec::new();
    if limit == 0 {
        return Ok(changes);
    }
    each_change_after(connection, revision, |change| {
        changes.push(change);
        if changes.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let last = changes.last().map_or(revision, |change| change.revision);
    each_beside(connection, revision, last, |at, beside| {
        // Both begin after `revision`, and changes have no gap.
        let index = usize::try_from(at - revision - 1).ok();
        if let Some(change) = index.and_then(|index| changes.get_mut(index)) {
            change.beside.push(beside);
        }
    })?;
    Ok(changes)
}

/// The changes of these revisions.
pub(super) fn changes_at(
    connection: &Connection,
    revisions: &BTreeSet<u64>,
) -> Result<BTreeMap<u64, ChangeSet>, StoreError> {
    let mut changes = BTreeMap::new();
    each_line_at(connection, revisions.iter().copied(), |revision, line| {
        changes.insert(revision, record::read(line, revision)?);
        Ok(())
    })?;
    Ok(changes)
}

/// The rows of Components as these revisions wrote them.
pub(super) fn components_at(
    connection: &Connection,
    wanted: &BTreeMap<u64, BTreeSet<ComponentId>>,
) -> Result<ComponentRows, StoreError> {
    let mut found = ComponentRows::new();
    each_line_at(connection, wanted.keys().copied(), |revision, line| {
        let rows = record::read_components(line, revision, &wanted[&revision])?;
        found.extend(rows.into_iter().map(|row| ((row.id, revision), row)));
        Ok(())
    })?;
    Ok(found)
}

/// Calls `each` with the text of the change of each of these revisions, which ascend.
fn each_line_at(
    connection: &Connection,
    revisions: impl Iterator<Item = u64>,
    mut each: impl FnMut(u64, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut wanted = revisions.peekable();
    let mut statement = connection
        .prepare_cached("SELECT first, last, body FROM record WHERE last >= ?1 ORDER BY last LIMIT 1")
        .map_err(|error| failed(&error))?;
    while let Some(&revision) = wanted.peek() {
        let missing = || StoreError::Damaged(format!("the history has no revision {revision}"));
        let found = statement
            .query_row([bound(revision)], |row| {
                let (first, last): (u64, u64) = (row.get(0)?, row.get(1)?);
                Ok((first, last, record::unpack(first, last, row.get_ref(2)?.as_blob()?)))
            })
            .optional()
            .map_err(|error| failed(&error))?;
        let (first, last, text) = found.ok_or_else(missing)?;
        let text = text?;
        // All that is wanted of this record at once.
        let mut lines = (first..=last).zip(text.lines());
        while let Some(revision) = wanted.next_if(|&revision| revision <= last) {
            let (_, line) = lines.find(|&(at, _)| at == revision).ok_or_else(missing)?;
            each(revision, line)?;
        }
    }
    Ok(())
}

/// The identity of the change at `revision`, by which a snapshot knows that it belongs to this history.
pub(super) fn change_id(connection: &Connection, revision: u64) -> Result<Option<Uuid>, StoreError> {
    // A revision that SQLite cannot even ask for is in no history.
    if revision == 0 || revision > head(connection)? {
        return Ok(None);
    }
    Ok(changes_at(connection, &BTreeSet::from([revision]))?.remove(&revision).map(|change| change.id))
}

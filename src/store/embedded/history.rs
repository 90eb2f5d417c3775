//! The history: appended in batches, and read again.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params, params_from_iter};
use uuid::Uuid;

use super::schema::failed;
use crate::model::{ChangeSet, DeploymentId, DeploymentSpec, PlanId, PlanRow, Row};
use crate::store::{
    CommitError, DeploymentFilter, ListedDeployment, Page, StoreError, StoredDeployment, check_follows,
};

/// Appends a batch in one durable transaction.
pub(super) fn append(connection: &mut Connection, batch: &[ChangeSet]) -> Result<(), CommitError> {
    let clean = |error: rusqlite::Error| CommitError::Failed(failed(&error));
    let transaction = connection.transaction().map_err(clean)?;
    check_follows(batch, last_revision(&transaction).map_err(clean)?)
        .map_err(|error| CommitError::Failed(StoreError::Failed(error)))?;
    for change in batch {
        let body = serde_json::to_string(change).map_err(|e| CommitError::Failed(StoreError::Failed(e.to_string())))?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO change (revision, body) VALUES (?1, ?2)").map_err(clean)?;
        insert.execute(params![change.revision, body]).map_err(clean)?;
        index(&transaction, change).map_err(clean)?;
    }
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

fn last_revision(connection: &Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("SELECT coalesce(max(revision), 0) FROM change")?.query_row([], |row| row.get(0))
}

pub(super) fn head(connection: &Connection) -> Result<u64, StoreError> {
    last_revision(connection).map_err(|error| failed(&error))
}

/// Keeps the tables that say where things are in the history.
fn index(transaction: &Transaction<'_>, change: &ChangeSet) -> rusqlite::Result<()> {
    for row in &change.rows {
        match row {
            Row::DeploymentSpec(spec) => put_deployment(transaction, change.revision, spec)?,
            Row::Resolution(resolution) => {
                let mut update = transaction
                    .prepare_cached("UPDATE deployment SET resolved = ?2 WHERE id = ?1 AND resolved <> ?2")?;
                update.execute(params![resolution.deployment.0.as_bytes(), change.revision])?;
            }
            Row::Plan(plan) => {
                let mut insert = transaction.prepare_cached("INSERT INTO plan_set (id, revision) VALUES (?1, ?2)")?;
                insert.execute(params![plan.id.0.as_bytes(), change.revision])?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A new attempt is received and resolved in the change that opens it; a known one only changes its state.
fn put_deployment(transaction: &Transaction<'_>, revision: u64, spec: &DeploymentSpec) -> rusqlite::Result<()> {
    let row = serde_json::to_string(spec).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO deployment (id, system, artifact, environment, instance, current_state, target_state, condition,
                                 outcome, actor, created_at, received, resolved, row)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET current_state = ?6, target_state = ?7, condition = ?8, outcome = ?9, row = ?13",
    )?;
    upsert.execute(params![
        spec.id.0.as_bytes(),
        spec.system.as_str(),
        spec.slot.artifact.as_str(),
        spec.slot.environment.as_str(),
        &*spec.slot.instance,
        spec.current_state.as_str(),
        spec.target_state.as_str(),
        spec.condition().as_str(),
        spec.outcome.map(|outcome| outcome.as_str()),
        spec.actor.as_deref(),
        spec.created_at.as_milliseconds(),
        revision,
        row,
    ])?;
    Ok(())
}

/// Calls `each` with every change after `revision`, in order. A gap is damage.
pub(super) fn each_change_after(
    connection: &Connection,
    revision: u64,
    mut each: impl FnMut(ChangeSet),
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT revision, body FROM change WHERE revision > ?1 ORDER BY revision")
        .map_err(|error| failed(&error))?;
    let mut rows = statement.query(params![revision]).map_err(|error| failed(&error))?;
    let mut expected = revision;
    while let Some(row) = rows.next().map_err(|error| failed(&error))? {
        expected += 1;
        let found: u64 = row.get(0).map_err(|error| failed(&error))?;
        if found != expected {
            return Err(StoreError::Damaged(format!("the history has revision {found} where {expected} is due")));
        }
        each(parse(row.get_ref(1).and_then(|body| Ok(body.as_str()?)).map_err(|error| failed(&error))?, found)?);
    }
    Ok(())
}

pub(super) fn changes_after(
    connection: &Connection,
    revision: u64,
    limit: usize,
) -> Result<Vec<ChangeSet>, StoreError> {
    let bound = |revision: u64| i64::try_from(revision).unwrap_or(i64::MAX);
    let (after, last) = (bound(revision), bound(revision.saturating_add(limit as u64)));
    let mut statement = connection
        .prepare_cached("SELECT revision, body FROM change WHERE revision > ?1 AND revision <= ?2 ORDER BY revision")
        .map_err(|error| failed(&error))?;
    let bodies = statement
        .query_map(params![after, last], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?)))
        .map_err(|error| failed(&error))?;
    bodies.map(|row| row.map_err(|error| failed(&error)).and_then(|(revision, body)| parse(&body, revision))).collect()
}

/// The change at `revision`, or `None`.
pub(super) fn change(connection: &Connection, revision: u64) -> Result<Option<ChangeSet>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT body FROM change WHERE revision = ?1").map_err(|error| failed(&error))?;
    let body: Option<String> =
        statement.query_row(params![revision], |row| row.get(0)).optional().map_err(|error| failed(&error))?;
    body.map(|body| parse(&body, revision)).transpose()
}

fn parse(body: &str, revision: u64) -> Result<ChangeSet, StoreError> {
    serde_json::from_str(body)
        .map_err(|error| StoreError::Damaged(format!("revision {revision} cannot be read: {error}")))
}

/// Changes that were read, each once; no more of them than a few.
#[derive(Default)]
pub(super) struct Changes(HashMap<u64, Arc<ChangeSet>>);

/// So many changes are kept while several attempts are read: those of a set stand in one, and in those that ended them apart.
const KEPT: usize = 64;

impl Changes {
    fn at(&mut self, connection: &Connection, revision: u64) -> Result<Option<Arc<ChangeSet>>, StoreError> {
        if let Some(known) = self.0.get(&revision) {
            return Ok(Some(known.clone()));
        }
        let Some(read) = change(connection, revision)?.map(Arc::new) else { return Ok(None) };
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        self.0.insert(revision, read.clone());
        Ok(Some(read))
    }
}

pub(super) fn deployment(
    connection: &Connection,
    id: DeploymentId,
    changes: &mut Changes,
) -> Result<Option<StoredDeployment>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT row, received, resolved FROM deployment WHERE id = ?1")
        .map_err(|error| failed(&error))?;
    let found = statement
        .query_row(params![id.0.as_bytes()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, u64>(2)?))
        })
        .optional()
        .map_err(|error| failed(&error))?;
    let Some((row, received_at, resolved_at)) = found else { return Ok(None) };
    let missing = |what: &str| StoreError::Damaged(format!("the {what} of deployment {id} is not in the history"));
    let opened = changes.at(connection, received_at)?.ok_or_else(|| missing("opening"))?;
    let received = opened.rows.iter().find_map(|row| match row {
        Row::Received(received) if received.deployment == id => Some(received.clone()),
        _ => None,
    });
    let resolved = changes.at(connection, resolved_at)?.ok_or_else(|| missing("resolution"))?;
    let resolution = resolved.rows.iter().find_map(|row| match row {
        Row::Resolution(resolution) if resolution.deployment == id => Some(resolution.clone()),
        _ => None,
    });
    Ok(Some(StoredDeployment {
        spec: parse_spec(&row)?,
        received: received.ok_or_else(|| missing("specification"))?,
        resolution: resolution.ok_or_else(|| missing("resolution"))?,
    }))
}

fn parse_spec(row: &str) -> Result<DeploymentSpec, StoreError> {
    serde_json::from_str(row).map_err(|error| StoreError::Damaged(format!("a deployment cannot be read: {error}")))
}

pub(super) fn set(connection: &Connection, id: PlanId) -> Result<Option<PlanRow>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT revision FROM plan_set WHERE id = ?1").map_err(|error| failed(&error))?;
    let revision: Option<u64> =
        statement.query_row(params![id.0.as_bytes()], |row| row.get(0)).optional().map_err(|error| failed(&error))?;
    let Some(revision) = revision else { return Ok(None) };
    let rows = change(connection, revision)?.into_iter().flat_map(|change| change.rows);
    Ok(rows
        .filter_map(|row| match row {
            Row::Plan(plan) if plan.id == id => Some(plan),
            _ => None,
        })
        .next())
}

pub(super) fn deployments(
    connection: &Connection,
    filter: &DeploymentFilter,
    page: Page,
) -> Result<Vec<ListedDeployment>, StoreError> {
    let text = |value: &Option<String>| value.clone().map(Value::Text);
    let word = |value: Option<&'static str>| value.map(|value| Value::Text(value.to_owned()));
    let conditions = [
        ("system = ?", text(&filter.system)),
        ("artifact = ?", text(&filter.artifact)),
        ("environment = ?", text(&filter.environment)),
        ("instance = ?", text(&filter.instance)),
        ("current_state = ?", word(filter.state.map(|state| state.as_str()))),
        ("target_state = ?", word(filter.target_state.map(|state| state.as_str()))),
        ("condition = ?", word(filter.condition.map(|condition| condition.as_str()))),
        ("outcome = ?", word(filter.outcome.map(|outcome| outcome.as_str()))),
        ("actor = ?", text(&filter.actor)),
        ("created_at >= ?", filter.from.map(|time| Value::Integer(time.as_milliseconds()))),
        ("created_at < ?", filter.to.map(|time| Value::Integer(time.as_milliseconds()))),
        ("place < ?", page.before.map(Value::Integer)),
    ];
    // The conditions are our own words; what the client gave is only ever bound.
    let mut sql = "SELECT place, row FROM deployment WHERE 1".to_owned();
    let mut values = Vec::new();
    for (condition, value) in conditions {
        let Some(value) = value else { continue };
        sql.push_str(" AND ");
        // Bound as a value it would not be known to be that of the partial index.
        if condition == "condition = ?" && value == Value::Text("Pending".to_owned()) {
            sql.push_str("condition = 'Pending'");
            continue;
        }
        sql.push_str(condition);
        values.push(value);
    }
    sql.push_str(" ORDER BY place DESC LIMIT ?");
    values.push(Value::Integer(i64::try_from(page.limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql).map_err(|error| failed(&error))?;
    let rows = statement
        .query_map(params_from_iter(values), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .map_err(|error| failed(&error))?;
    rows.map(|row| {
        let (place, row) = row.map_err(|error| failed(&error))?;
        Ok(ListedDeployment { place, spec: parse_spec(&row)? })
    })
    .collect()
}

/// The identity of the change at `revision`, by which a snapshot knows that it belongs to this history.
pub(super) fn change_id(connection: &Connection, revision: u64) -> Result<Option<Uuid>, StoreError> {
    // A revision that SQLite cannot even ask for is in no history.
    if i64::try_from(revision).is_err() {
        return Ok(None);
    }
    Ok(change(connection, revision)?.map(|change| change.id))
}

//! The index: where things are in the history, and what lists show of attempts.

use std::collections::BTreeMap;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row as Columns, Transaction, params};
use uuid::Uuid;

use super::checksum::{Mismatch, checksum};
use super::history::uuid;
use super::schema;
use crate::model::{
    Action, Beside, ChangeSet, DeploymentId, DeploymentSpec, KeptToken, Name, Outcome, PlanId, PlanRow, Row, Slot,
    State, Timestamp,
};
use crate::store::{LocatedAttempt, StoreError};

/// What a change has of an attempt besides its row.
#[derive(Clone, Copy, Default)]
struct Has {
    received: bool,
    resolved: bool,
    leased: bool,
}

/// Keeps what a change says.
pub(super) fn add(transaction: &Transaction<'_>, change: &ChangeSet) -> rusqlite::Result<()> {
    let mut has: BTreeMap<DeploymentId, Has> = BTreeMap::new();
    for row in &change.rows {
        match row {
            Row::Received(row) => has.entry(row.deployment).or_default().received = true,
            Row::Resolution(row) => has.entry(row.deployment).or_default().resolved = true,
            _ => {}
        }
    }
    for beside in &change.beside {
        if let Beside::Lease(row) = beside {
            has.entry(row.deployment).or_default().leased = true;
        }
    }
    for row in &change.rows {
        match row {
            Row::DeploymentSpec(spec) => {
                put(transaction, change.revision, spec, has.get(&spec.id).copied().unwrap_or_default())?;
            }
            Row::Plan(plan) => {
                let members: Vec<u8> = plan.members.iter().flat_map(|member| *member.0.as_bytes()).collect();
                let mut insert =
                    transaction.prepare_cached("INSERT INTO plan_set (id, members, checksum) VALUES (?1, ?2, ?3)")?;
                insert.execute(params![plan.id.0.as_bytes(), members, checksum(plan)])?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Keeps where the leases stand of all attempts.
pub(super) fn find_leases(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let found = "UPDATE deployment SET leased = last.revision
        FROM (SELECT deployment, max(revision) AS revision FROM lease GROUP BY deployment) AS last
        WHERE last.deployment = deployment.id";
    transaction.execute(found, []).map(drop)
}

/// All that is known of an attempt, and where the rest of it stands.
fn put(transaction: &Transaction<'_>, revision: u64, spec: &DeploymentSpec, has: Has) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO deployment (id, plan, system, artifact, environment, instance, version, number, current_state,
                                 target_state, condition, opening, outcome, reason, actor, created_at, finished_at,
                                 supersedes, ended, received, resolved, leased, checksum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                 coalesce(?20, ?23), coalesce(?21, ?23), ?22, ?24)
         ON CONFLICT (id) DO UPDATE SET
             version = ?7, number = ?8, current_state = ?9, target_state = ?10, condition = ?11, opening = ?12,
             outcome = ?13, reason = ?14, actor = ?15, created_at = ?16, finished_at = ?17, supersedes = ?18, ended = ?19, checksum = ?24,
             received = coalesce(?20, received), resolved = coalesce(?21, resolved), leased = coalesce(?22, leased)",
    )?;
    upsert.execute(params![
        spec.id.0.as_bytes(),
        spec.plan.0.as_bytes(),
        spec.system.as_str(),
        spec.slot.artifact.as_str(),
        spec.slot.environment.as_str(),
        &*spec.slot.instance,
        &*spec.version,
        spec.number,
        spec.current_state.as_str(),
        spec.target_state.as_str(),
        spec.condition().as_str(),
        spec.opening.map(Action::as_str),
        spec.outcome.map(|outcome| outcome.as_str()),
        spec.reason,
        spec.actor,
        spec.created_at.as_milliseconds(),
        spec.finished_at.map(Timestamp::as_milliseconds),
        spec.supersedes.map(|id| id.0.into_bytes()),
        spec.ended,
        has.received.then_some(revision),
        has.resolved.then_some(revision),
        has.leased.then_some(revision),
        revision,
        checksum(spec),
    ])?;
    Ok(())
}

/// The columns of an attempt, in the order in which [`attempt`] reads them.
pub(super) const ATTEMPT: &str =
    "place, id, plan, system, artifact, environment, instance, version, number, current_state, target_state,
    opening, outcome, reason, actor, created_at, finished_at, supersedes, ended, checksum";

pub(super) fn attempt(row: &Columns<'_>) -> rusqlite::Result<DeploymentSpec> {
    let name = |column| {
        let text: String = row.get(column)?;
        Name::recorded(text).map_err(|error| unreadable(column, error))
    };
    let word = |column| row.get_ref(column)?.as_str().map_err(|error| unreadable(column, error));
    let state = |column| {
        let written = word(column)?;
        let found = State::ALL.into_iter().find(|state| state.as_str() == written);
        found.ok_or_else(|| unreadable(column, std::fmt::Error))
    };
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_milliseconds));
    let supersedes = row.get::<_, Option<[u8; 16]>>(17)?.map(|id| DeploymentId(Uuid::from_bytes(id)));
    let (opening, outcome): (Option<String>, Option<String>) = (row.get(11)?, row.get(12)?);
    let spec = DeploymentSpec {
        id: DeploymentId(uuid(row, 1)?),
        plan: PlanId(uuid(row, 2)?),
        system: name(3)?,
        slot: Slot { artifact: name(4)?, environment: name(5)?, instance: word(6)?.into() },
        version: word(7)?.into(),
        number: row.get(8)?,
        current_state: state(9)?,
        target_state: state(10)?,
        opening: opening.and_then(|written| Action::from_text(&written)),
        outcome: outcome.and_then(|written| Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == written)),
        reason: row.get(13)?,
        actor: row.get(14)?,
        created_at: Timestamp::from_milliseconds(row.get(15)?),
        finished_at: time(16)?,
        supersedes,
        ended: row.get(18)?,
    };
    if row.get::<_, u32>(19)? == checksum(&spec) { Ok(spec) } else { Err(unreadable(19, Mismatch)) }
}

/// What went wrong with the index. What cannot be read of it is damage, which is mended by making it anew.
pub(super) fn failed(error: &rusqlite::Error) -> StoreError {
    let is_damage = match error.sqlite_error_code() {
        Some(code) => code == ErrorCode::DatabaseCorrupt,
        None => matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
        ),
    };
    if is_damage { StoreError::Damaged(format!("the index of the history: {error}")) } else { schema::failed(error) }
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

/// An attempt, and where what belongs to it stands.
pub(super) fn located(connection: &Connection, id: DeploymentId) -> Result<Option<LocatedAttempt>, StoreError> {
    let find = || -> rusqlite::Result<Option<LocatedAttempt>> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ATTEMPT}, received, resolved,
                    (SELECT token FROM lease WHERE lease.revision = leased AND lease.deployment = deployment.id)
             FROM deployment WHERE id = ?1"
        ))?;
        let found = statement.query_row(params![id.0.as_bytes()], |row| {
            Ok(LocatedAttempt {
                spec: attempt(row)?,
                token: row.get::<_, Option<String>>(22)?.map(KeptToken::from_kept),
                received: row.get(20)?,
                resolved: row.get(21)?,
            })
        });
        found.optional()
    };
    find().map_err(|error| failed(&error))
}

pub(super) fn set(connection: &Connection, id: PlanId) -> Result<Option<PlanRow>, StoreError> {
    let find = || -> rusqlite::Result<Option<PlanRow>> {
        let mut statement = connection.prepare_cached("SELECT members, checksum FROM plan_set WHERE id = ?1")?;
        let found = statement.query_row(params![id.0.as_bytes()], |row| {
            let members = row.get_ref(0)?.as_blob()?.as_chunks().0;
            let members = members.iter().map(|id| DeploymentId(Uuid::from_bytes(*id))).collect();
            let plan = PlanRow { id, members };
            if row.get::<_, u32>(1)? == checksum(&plan) { Ok(plan) } else { Err(unreadable(1, Mismatch)) }
        });
        found.optional()
    };
    find().map_err(|error| failed(&error))
}

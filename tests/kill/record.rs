//! What stands on the disk in the end, read with SQLite itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mortise::model::{ChangeSet, DeploymentId, DeploymentSpec, KeptKey, PlanId, Row, Slot, State};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use crate::ledger::{End, Ledger};

/// Everything recorded.
pub struct Record {
    changes: Vec<ChangeSet>,
    deployments: Vec<DeploymentRow>,
    keys: BTreeMap<String, String>,
    leases: BTreeSet<DeploymentId>,
    sets: BTreeMap<PlanId, Vec<DeploymentId>>,
}

/// A row of the table `deployment`.
struct DeploymentRow {
    id: DeploymentId,
    columns: [Option<String>; 11],
    received: u64,
    resolved: u64,
    /// Its number, the revision that ended it, and when that was.
    numbers: (u64, Option<u64>, Option<i64>),
}

/// Reads a folder that no process has open.
pub fn read(folder: &Path) -> Record {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(folder.join("mortise.sqlite"), flags).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut statement = connection.prepare("SELECT first, last, body FROM record ORDER BY last").unwrap();
    let records = statement
        .query_map([], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?, row.get::<_, Vec<u8>>(2)?)))
        .unwrap();
    let mut changes: Vec<ChangeSet> = Vec::new();
    for record in records {
        let (first, last, body) = record.unwrap();
        let text = zstd::decode_all(&*body).unwrap();
        changes.extend(text.split_inclusive(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()));
        assert_eq!(changes.last().map(|change| change.revision), Some(last));
        assert_eq!(changes.len() as u64, last, "the record from {first} to {last} does not follow the one before it");
    }
    let mut statement = connection.prepare("SELECT key, plan FROM idempotency_key").unwrap();
    let keys = statement.query_map([], |row| Ok((row.get(0)?, identity(row.get(1)?).to_string()))).unwrap();
    let keys = keys.map(Result::unwrap).collect();
    let mut statement = connection.prepare("SELECT deployment FROM lease").unwrap();
    let leases = statement.query_map([], |row| Ok(DeploymentId(identity(row.get(0)?)))).unwrap();
    let leases = leases.map(Result::unwrap).collect();
    let mut statement = connection
        .prepare(
            "SELECT id, system, artifact, environment, instance, current_state, target_state, condition, outcome,
                    opening, reason, version, received, resolved, number, ended, finished_at FROM deployment ORDER BY place",
        )
        .unwrap();
    let deployments = statement.query_map([], |row| {
        let mut columns = [const { None }; 11];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = row.get(index + 1)?;
        }
        Ok(DeploymentRow {
            id: DeploymentId(identity(row.get(0)?)),
            columns,
            received: row.get(12)?,
            resolved: row.get(13)?,
            numbers: (row.get(14)?, row.get(15)?, row.get(16)?),
        })
    });
    let deployments = deployments.unwrap().map(Result::unwrap).collect();
    let mut statement = connection.prepare("SELECT id, members FROM plan_set").unwrap();
    let members = |bytes: Vec<u8>| bytes.chunks(16).map(|id| DeploymentId(identity(id.to_vec()))).collect();
    let sets = statement.query_map([], |row| Ok((PlanId(identity(row.get(0)?)), members(row.get(1)?)))).unwrap();
    Record { changes, deployments, keys, leases, sets: sets.map(Result::unwrap).collect() }
}

fn identity(bytes: Vec<u8>) -> Uuid {
    Uuid::from_slice(&bytes).expect("it is the identity of something")
}

impl Record {
    /// Whether the history is whole, and everything beside it says the same.
    pub fn check(&self) {
        let mut attempts: BTreeMap<DeploymentId, DeploymentSpec> = BTreeMap::new();
        let mut newest: BTreeMap<DeploymentId, u64> = BTreeMap::new();
        let (mut ids, mut sets) = (BTreeSet::new(), BTreeMap::new());
        let mut numbers: BTreeMap<Slot, u64> = BTreeMap::new();
        let mut slots: BTreeMap<Slot, BTreeSet<DeploymentId>> = BTreeMap::new();
        let mut order = Vec::new();
        for (index, change) in self.changes.iter().enumerate() {
            assert_eq!(change.revision, index as u64 + 1, "the history has a gap");
            assert!(
                index == 0 || self.changes[index - 1].time <= change.time,
                "time runs backwards at {}",
                change.revision
            );
            assert!(ids.insert(change.id), "two changes are one");
            for row in &change.rows {
                match row {
                    Row::DeploymentSpec(spec) => {
                        let is_new = attempts.insert(spec.id, spec.clone()).is_none();
                        let last = numbers.entry(spec.slot.clone()).or_default();
                        *last += u64::from(is_new);
                        let is_next = !is_new || spec.number == *last;
                        assert!(is_next, "the numbers of {} have a gap, or one is used again", spec.slot);
                        slots.entry(spec.slot.clone()).or_default().insert(spec.id);
                        order.extend(is_new.then_some((spec.id, change.revision)));
                    }
                    Row::Resolution(resolution) => drop(newest.insert(resolution.deployment, change.revision)),
                    Row::Plan(plan) => {
                        let here: BTreeSet<_> = specs(change).map(|spec| spec.id).collect();
                        assert!(plan.members.iter().all(|member| here.contains(member)), "a set is recorded in halves");
                        sets.insert(plan.id, plan.members.clone());
                    }
                    _ => {}
                }
            }
            for slot in specs(change).map(|spec| &spec.slot) {
                let here = || slots[slot].iter().map(|id| &attempts[id]);
                let active = here().filter(|spec| spec.current_state == State::Active).count();
                let open = here().filter(|spec| spec.opening.is_some()).count();
                assert!(active <= 1 && open <= 1, "{slot} has {active} active and {open} open at {}", change.revision);
            }
        }
        assert_eq!(self.sets, sets);
        assert_eq!(self.deployments.iter().map(|row| (row.id, row.received)).collect::<Vec<_>>(), order);
        for row in &self.deployments {
            let spec = attempts.get(&row.id).expect("the history knows it");
            let numbers = (spec.number, spec.ended, spec.finished_at.map(|time| time.as_milliseconds()));
            assert_eq!(row.numbers, numbers, "the row is not what the history says");
            assert!(self.leases.contains(&row.id), "the token of {} is lost", row.id);
            assert_eq!(newest.get(&row.id), Some(&row.resolved));
            let received = self.changes[row.received as usize - 1].rows.iter();
            assert!(
                received
                    .into_iter()
                    .any(|other| matches!(other, Row::Received(received) if received.deployment == row.id))
            );
            let says = [
                Some(spec.system.to_string()),
                Some(spec.slot.artifact.to_string()),
                Some(spec.slot.environment.to_string()),
                Some(spec.slot.instance.to_string()),
                Some(spec.current_state.as_str().to_owned()),
                Some(spec.target_state.as_str().to_owned()),
                Some(spec.condition().as_str().to_owned()),
                spec.outcome.map(|outcome| outcome.as_str().to_owned()),
                spec.opening.map(|action| action.as_str().to_owned()),
                spec.reason.clone(),
                Some(spec.version.to_string()),
            ];
            assert_eq!(row.columns, says);
        }
    }

    /// Whether everything that a client was told stands in the history, once.
    pub fn check_ledger(&self, ledger: &Ledger) {
        let recorded: BTreeSet<String> = self.deployments.iter().map(|row| row.id.to_string()).collect();
        let mut attempts: BTreeMap<String, &DeploymentSpec> = BTreeMap::new();
        for spec in self.changes.iter().flat_map(specs) {
            attempts.insert(spec.id.to_string(), spec);
        }
        for plan in &ledger.plans {
            for member in plan.members() {
                assert!(recorded.contains(member), "{member} was acknowledged, and is not recorded");
                let spec = attempts[member];
                assert_eq!(spec.plan.to_string(), plan.id());
                assert_eq!(spec.opening.is_none(), matches!(plan.end, End::Ended(_)), "{member}");
            }
            if let Some(key) = &plan.start.key {
                assert_eq!(self.keys.get(KeptKey::of(key).as_str()).map(String::as_str), Some(plan.id()));
            }
        }
    }
}

fn specs(change: &ChangeSet) -> impl Iterator<Item = &DeploymentSpec> {
    change.rows.iter().filter_map(|row| match row {
        Row::DeploymentSpec(spec) => Some(spec),
        _ => None,
    })
}

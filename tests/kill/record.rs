//! What stands on the disk in the end, read with SQLite itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mortise::model::{ChangeSet, DeploymentId, DeploymentSpec, PlanId, Row, Slot, State};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use crate::ledger::{End, Ledger};

/// Everything recorded.
pub struct Record {
    changes: Vec<ChangeSet>,
    deployments: Vec<DeploymentRow>,
    sets: BTreeMap<PlanId, u64>,
}

/// A row of the table `deployment`.
struct DeploymentRow {
    id: DeploymentId,
    columns: [Option<String>; 8],
    received: u64,
    resolved: u64,
    spec: DeploymentSpec,
}

/// Reads a folder that no process has open.
pub fn read(folder: &Path) -> Record {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(folder.join("mortise.sqlite"), flags).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut statement = connection.prepare("SELECT revision, body FROM change ORDER BY revision").unwrap();
    let changes = statement.query_map([], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?))).unwrap();
    let changes = changes.map(|row| {
        let (revision, body) = row.unwrap();
        let change: ChangeSet = serde_json::from_str(&body).unwrap();
        assert_eq!(change.revision, revision);
        change
    });
    let changes = changes.collect();
    let mut statement = connection
        .prepare(
            "SELECT id, system, artifact, environment, instance, current_state, target_state, condition, outcome,
                    received, resolved, row FROM deployment ORDER BY place",
        )
        .unwrap();
    let deployments = statement.query_map([], |row| {
        let mut columns = [const { None }; 8];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = row.get(index + 1)?;
        }
        let spec: String = row.get(11)?;
        let spec = serde_json::from_str(&spec).expect("it is what was written");
        Ok(DeploymentRow {
            id: DeploymentId(identity(row.get(0)?)),
            columns,
            received: row.get(9)?,
            resolved: row.get(10)?,
            spec,
        })
    });
    let deployments = deployments.unwrap().map(Result::unwrap).collect();
    let mut statement = connection.prepare("SELECT id, revision FROM plan_set").unwrap();
    let sets = statement.query_map([], |row| Ok((PlanId(identity(row.get(0)?)), row.get(1)?))).unwrap();
    Record { changes, deployments, sets: sets.map(Result::unwrap).collect() }
}

fn identity(bytes: Vec<u8>) -> Uuid {
    Uuid::from_slice(&bytes).expect("it is the identity of something")
}

impl Record {
    /// Whether the history is whole, and everything beside it says the same.
    pub fn check(&self) {
        let mut attempts: BTreeMap<DeploymentId, DeploymentSpec> = BTreeMap::new();
        let mut newest: BTreeMap<DeploymentId, u64> = BTreeMap::new();
        let (mut ids, mut keys, mut sets) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        let mut numbers: BTreeMap<Slot, u64> = BTreeMap::new();
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
                        order.extend(is_new.then_some((spec.id, change.revision)));
                    }
                    Row::Resolution(resolution) => drop(newest.insert(resolution.deployment, change.revision)),
                    Row::Key(key) => assert!(keys.insert(key.key.clone()), "the key {} stands for two plans", key.key),
                    Row::Plan(plan) => {
                        let here: BTreeSet<_> = specs(change).map(|spec| spec.id).collect();
                        assert!(plan.members.iter().all(|member| here.contains(member)), "a set is recorded in halves");
                        sets.insert(plan.id, change.revision);
                    }
                    _ => {}
                }
            }
            for slot in specs(change).map(|spec| &spec.slot) {
                let here = || attempts.values().filter(|spec| spec.slot == *slot);
                let active = here().filter(|spec| spec.current_state == State::Active).count();
                let open = here().filter(|spec| spec.opening.is_some()).count();
                assert!(active <= 1 && open <= 1, "{slot} has {active} active and {open} open at {}", change.revision);
            }
        }
        assert_eq!(self.sets, sets);
        assert_eq!(self.deployments.iter().map(|row| (row.id, row.received)).collect::<Vec<_>>(), order);
        for row in &self.deployments {
            assert_eq!(attempts.get(&row.id), Some(&row.spec), "the row is not what the history says");
            assert_eq!(newest.get(&row.id), Some(&row.resolved));
            let received = self.changes[row.received as usize - 1].rows.iter();
            assert!(
                received
                    .into_iter()
                    .any(|other| matches!(other, Row::Received(received) if received.deployment == row.id))
            );
            let spec = &row.spec;
            let says = [
                Some(spec.system.to_string()),
                Some(spec.slot.artifact.to_string()),
                Some(spec.slot.environment.to_string()),
                Some(spec.slot.instance.to_string()),
                Some(spec.current_state.as_str().to_owned()),
                Some(spec.target_state.as_str().to_owned()),
                Some(spec.condition().as_str().to_owned()),
                spec.outcome.map(|outcome| outcome.as_str().to_owned()),
            ];
            assert_eq!(row.columns, says);
        }
    }

    /// Whether everything that a client was told stands in the history, once.
    pub fn check_ledger(&self, ledger: &Ledger) {
        let recorded: BTreeMap<String, &DeploymentRow> =
            self.deployments.iter().map(|row| (row.id.to_string(), row)).collect();
        let keys = self.changes.iter().flat_map(|change| &change.rows).filter_map(|row| match row {
            Row::Key(key) => Some((key.key.as_str(), key.plan.to_string())),
            _ => None,
        });
        let keys: BTreeMap<&str, String> = keys.collect();
        for plan in &ledger.plans {
            for member in plan.members() {
                let row =
                    recorded.get(member).unwrap_or_else(|| panic!("{member} was acknowledged, and is not recorded"));
                assert_eq!(row.spec.plan.to_string(), plan.id());
                assert_eq!(row.spec.opening.is_none(), matches!(plan.end, End::Ended(_)), "{member}");
            }
            if let Some(key) = &plan.start.key {
                assert_eq!(keys.get(key.as_str()).map(String::as_str), Some(plan.id()));
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

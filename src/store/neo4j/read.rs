//! What is read of the graph: the head, changes, attempts, sets.

use std::collections::{BTreeMap, BTreeSet};

use neo4rs::{BoltList, BoltMap, BoltType, Row, query};

use super::Neo4jStore;
use super::change_text;
use super::fault::{Deadline, Fault};
use super::pool::{Pool, pause};
use crate::model::{ChangeSet, DeploymentId, PlanId, PlanRow, Row as Kept};
use crate::store::StoredDeployment;

/// How often a reading is tried, where the connection breaks.
const TRIES: u32 = 3;
/// How often a part of the history that must be there is looked for.
const LOOKS: u32 = 20;
/// How many changes are read at once.
const CHANGES: u64 = 128;

const HEAD: &str = "MATCH (h:Head {name: 'head'}) OPTIONAL MATCH (c:Change {revision: $known})
    RETURN h.revision AS revision, c.id AS id";

impl Neo4jStore {
    /// Reads with a statement, again where that may help.
    pub(super) async fn rows(&self, text: &str, parameters: BoltMap) -> Result<Vec<Row>, Fault> {
        let deadline = Deadline::after(self.timeout);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.readers.rows(deadline, query(text).with_params(parameters.clone())).await {
                Err(fault) if fault.is_transient() && tries < TRIES && !deadline.is_past() => {
                    pause(tries, deadline).await
                }
                result => return result,
            }
        }
    }

    pub(super) async fn head_revision(&self) -> Result<u64, Fault> {
        let known = self.known.newest();
        let rows = self.rows(HEAD, parameters([("known", number(known.revision))])).await?;
        let row = rows.first().ok_or_else(|| Fault::Damaged("the graph has no head any more".to_owned()))?;
        known.check(row)
    }

    /// Up to `limit` changes after `after`, in order, without a gap.
    pub(super) async fn changes(&self, after: u64, limit: usize) -> Result<Vec<ChangeSet>, Fault> {
        // What is committed shows piece by piece to whoever reads meanwhile. The head was read before, so that all of what
        // stands behind it will show, if not at the first look.
        let head = self.head_revision().await?;
        let last = head.min(after.saturating_add(limit as u64));
        let mut changes: Vec<ChangeSet> = Vec::new();
        let deadline = Deadline::after(self.timeout);
        let mut looks = 0;
        while changes.last().map_or(after, |change| change.revision) < last {
            let known = changes.last().map_or(after, |change| change.revision);
            let rows = self.rows(CHANGES_BETWEEN, between(known, last)).await?;
            let more = whole(change_text::read(&rows), known);
            match more {
                Ok(more) if !more.is_empty() => changes.extend(more),
                _ if !deadline.is_past() && looks < LOOKS => {
                    looks += 1;
                    pause(looks, deadline).await;
                }
                Ok(_) => return Err(gap(known, last)),
                Err(fault) => return Err(fault),
            }
        }
        self.known.remember(&changes);
        Ok(changes)
    }

    /// Attempts with what belongs to them, in the order of `ids`.
    pub(super) async fn stored(&self, ids: &[DeploymentId]) -> Result<Vec<Option<StoredDeployment>>, Fault> {
        let mut found = BTreeMap::new();
        for some in ids.chunks(IDS) {
            let given = some.iter().map(|id| BoltType::from(id.to_string())).collect::<Vec<_>>();
            for row in self.rows(ATTEMPTS, parameters([("ids", BoltType::List(BoltList::from(given)))])).await? {
                let places: [u64; 3] = [row.get("revision")?, row.get("received")?, row.get("resolved")?];
                found.insert(parsed::<DeploymentId>(&row.get::<String>("id")?)?, places);
            }
        }
        let mut stored = BTreeMap::new();
        let attempts: Vec<_> = found.into_iter().collect();
        // Those of a set stand in a change or two; others are read some at a time, so that not all of it is in memory.
        for some in attempts.chunks(IDS) {
            let revisions: BTreeSet<u64> = some.iter().flat_map(|(_, places)| *places).collect();
            let changes = self.changes_at(&revisions).await?;
            for &(id, places) in some {
                stored.insert(id, assembled(id, places.map(|revision| &changes[&revision]))?);
            }
        }
        Ok(ids.iter().map(|id| stored.remove(id)).collect())
    }

    /// The changes with these revisions, all of them.
    async fn changes_at(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, Fault> {
        let given: Vec<BoltType> = revisions.iter().map(|&revision| number(revision)).collect();
        let given = parameters([("revisions", BoltType::List(BoltList::from(given)))]);
        let deadline = Deadline::after(self.timeout);
        let mut looks = 0;
        loop {
            let rows = self.rows(CHANGES_AT, given.clone()).await?;
            let found = change_text::read(&rows);
            // What is committed shows piece by piece to whoever reads meanwhile.
            match found {
                Ok(found) if found.len() == revisions.len() => {
                    return Ok(found.into_iter().map(|change| (change.revision, change)).collect());
                }
                _ if looks < LOOKS && !deadline.is_past() => {
                    looks += 1;
                    pause(looks, deadline).await;
                }
                Ok(_) => return Err(Fault::Damaged(format!("the history lacks one of the revisions {revisions:?}"))),
                Err(fault) => return Err(fault),
            }
        }
    }

    pub(super) async fn plan_set(&self, id: PlanId) -> Result<Option<PlanRow>, Fault> {
        let text = "MATCH (p:Plan {id: $id}) OPTIONAL MATCH (p)-[r:INCLUDES]->(d:DeploymentSpec)
                    RETURN r.n AS n, d.id AS member ORDER BY n";
        let rows = self.rows(text, parameters([("id", id.to_string().into())])).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let members = rows.iter().filter_map(|row| row.get::<Option<String>>("member").transpose());
        let members = members.map(|id| parsed(&id?)).collect::<Result<_, Fault>>()?;
        Ok(Some(PlanRow { id, set: true, members }))
    }
}

/// A text of the database as what it stands for.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|error: T::Err| Fault::Damaged(format!("`{text}` cannot be read: {error}")))
}

/// The parameters of a statement.
pub(super) fn parameters<const N: usize>(given: [(&str, BoltType); N]) -> BoltMap {
    given.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Reads changes after `$after` up to `$last`. The columns are those that [`change_text::read`] reads.
const CHANGES_BETWEEN: &str = "MATCH (c:Change)-[p:PART]->(t:Text) WHERE c.revision > $after AND c.revision <= $last
    RETURN c.revision AS revision, p.n AS n, t.text AS text";

/// How many ids or revisions a message has room for.
const IDS: usize = 150;

/// Where the rows of attempts stand in the history.
const ATTEMPTS: &str =
    "MATCH (d:DeploymentSpec) WHERE d.id IN $ids AND d.receivedAt IS NOT NULL AND d.resolvedAt IS NOT NULL
    RETURN d.id AS id, d.revision AS revision, d.receivedAt AS received, d.resolvedAt AS resolved";

/// An attempt out of the changes that have its newest row, what was received of it, and its newest resolution.
fn assembled(id: DeploymentId, [changed, received, resolved]: [&ChangeSet; 3]) -> Result<StoredDeployment, Fault> {
    let missing = |what: &str| Fault::Damaged(format!("the {what} of deployment {id} is not in the history"));
    let spec = changed.rows.iter().rev().find_map(|row| match row {
        Kept::DeploymentSpec(spec) if spec.id == id => Some(spec.clone()),
        _ => None,
    });
    let received = received.rows.iter().rev().find_map(|row| match row {
        Kept::Received(received) if received.deployment == id => Some(received.clone()),
        _ => None,
    });
    let resolution = resolved.rows.iter().rev().find_map(|row| match row {
        Kept::Resolution(resolution) if resolution.deployment == id => Some(resolution.clone()),
        _ => None,
    });
    Ok(StoredDeployment {
        spec: spec.ok_or_else(|| missing("row"))?,
        received: received.ok_or_else(|| missing("specification"))?,
        resolution: resolution.ok_or_else(|| missing("resolution"))?,
    })
}

/// Reads the changes `$revisions`.
const CHANGES_AT: &str = "MATCH (c:Change)-[p:PART]->(t:Text) WHERE c.revision IN $revisions
    RETURN c.revision AS revision, p.n AS n, t.text AS text";

/// A revision as the database has it.
pub(super) fn number(number: u64) -> BoltType {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

/// The parameters for the next changes after `after`, of those up to `last`.
fn between(after: u64, last: u64) -> BoltMap {
    parameters([("after", number(after)), ("last", number(last.min(after.saturating_add(CHANGES))))])
}

/// Those changes that follow `after` without a gap.
fn whole(read: Result<Vec<ChangeSet>, Fault>, after: u64) -> Result<Vec<ChangeSet>, Fault> {
    let mut due = after;
    let follows = |change: &ChangeSet| {
        due += 1;
        change.revision == due
    };
    Ok(read?.into_iter().take_while(follows).collect())
}

fn gap(after: u64, last: u64) -> Fault {
    Fault::Damaged(format!("the history has no revision {}, though the head stands at {last} or later", after + 1))
}

/// What another replica recorded after `known`, read inside of a transaction that holds the head.
pub(super) async fn missed(
    transaction: &mut neo4rs::Txn,
    pool: &Pool,
    deadline: Deadline,
    known: u64,
    head: u64,
) -> Result<Vec<ChangeSet>, Fault> {
    let mut changes: Vec<ChangeSet> = Vec::new();
    loop {
        let after = changes.last().map_or(known, |change| change.revision);
        if after >= head {
            return Ok(changes);
        }
        let statement = query(CHANGES_BETWEEN).with_params(between(after, head));
        let rows = deadline.within(pool.step(), all_rows(transaction, statement)).await?;
        let more = whole(change_text::read(&rows), after)?;
        if more.is_empty() {
            return Err(gap(after, head));
        }
        changes.extend(more);
    }
}

/// Every row of a statement inside of a transaction.
pub(super) async fn all_rows(
    transaction: &mut neo4rs::Txn,
    statement: neo4rs::Query,
) -> Result<Vec<Row>, neo4rs::Error> {
    let mut stream = transaction.execute(statement).await?;
    let mut rows = Vec::new();
    while let Some(row) = stream.next(transaction.handle()).await? {
        rows.push(row);
    }
    Ok(rows)
}

//! What is read of the graph: the head, changes, attempts, sets.

use std::collections::{BTreeMap, BTreeSet};

use neo4rs::{BoltList, BoltMap, BoltType, Row, query};

use super::Neo4jStore;
use super::fault::{Deadline, Fault};
use super::history::{self, Stretch};
use super::pool::{Pool, pause};
use crate::model::{ChangeSet, PlanId, PlanRow};

/// How often a reading is tried, where the connection breaks.
const TRIES: u32 = 3;
/// How often a part of the history that must be there is looked for.
const LOOKS: u32 = 20;
/// How often at most where what shows is not as it was written: a second or so, in which nobody else is served by this connection.
const LOOKS_AT_DAMAGE: u32 = 6;
/// How many revisions are asked for at once, so that they have room in one message.
const REVISIONS: usize = 500;

const HEAD: &str = "MATCH (h:Head {name: 'head'}) OPTIONAL MATCH (c:Change {revision: $known})
    RETURN h.revision AS revision, c.id AS id";
/// Waits until whoever has the head is done with it.
const WAIT_FOR_HEAD: &str = "MATCH (h:Head {name: 'head'}) SET h.turn = h.turn";

impl Neo4jStore {
    /// Reads with a statement, again where that may help.
    pub(super) async fn rows(&self, text: &str, parameters: BoltMap) -> Result<Vec<Row>, Fault> {
        let read = async |deadline| self.readers.rows(deadline, query(text).with_params(parameters.clone())).await;
        self.tried(read).await
    }

    /// Reads with a statement while nobody else has the head, again where that may help.
    async fn rows_of_free_head(&self, text: &str, parameters: BoltMap) -> Result<Vec<Row>, Fault> {
        let read = async |deadline: Deadline| {
            let mut transaction = self.readers.begin(deadline).await?;
            let read = async {
                transaction.run(query(WAIT_FOR_HEAD)).await?;
                let rows = all_rows(&mut transaction, query(text).with_params(parameters.clone())).await?;
                transaction.rollback().await.map(|()| rows)
            };
            let read = deadline.within(self.timeout, read).await;
            if read.is_err() {
                // The transaction may still be open.
                self.readers.reset();
            }
            read
        };
        self.tried(read).await
    }

    async fn tried<T>(&self, mut work: impl AsyncFnMut(Deadline) -> Result<T, Fault>) -> Result<T, Fault> {
        let deadline = Deadline::after(self.timeout);
        let mut tries = 0;
        loop {
            tries += 1;
            match work(deadline).await {
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
            match self.look(known, last).await {
                Ok(more) if !more.is_empty() => changes.extend(more),
                Err(fault @ Fault::DamagedChanges(_)) if looks >= LOOKS_AT_DAMAGE => return Err(fault),
                Ok(_) | Err(Fault::Damaged(_) | Fault::DamagedChanges(_)) if !deadline.is_past() && looks < LOOKS => {
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

    /// The next changes after `after`, up to `last`, as far as they show, with what was written beside them last.
    async fn look(&self, after: u64, last: u64) -> Result<Vec<ChangeSet>, Fault> {
        let rows = self.rows(history::RECORDS_AFTER, history::after(after, last)).await?;
        let stretch = Stretch::of(&rows, after, last)?;
        let Some(beside) = stretch.beside() else { return Ok(stretch.changes) };
        let mut rows = self.rows(history::BESIDE, beside.clone()).await?;
        if !stretch.has_all(&rows) {
            // Written again since, or not to be seen yet: once the head is free, all that was committed shows.
            rows = self.rows_of_free_head(history::BESIDE, beside).await?;
        }
        stretch.with(&rows)
    }

    /// The changes with these revisions, all of them.
    pub(super) async fn changes_of(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, Fault> {
        let revisions: Vec<u64> = revisions.iter().copied().collect();
        let mut changes = BTreeMap::new();
        for some in revisions.chunks(REVISIONS) {
            changes.append(&mut self.some_of(some).await?);
        }
        Ok(changes)
    }

    async fn some_of(&self, revisions: &[u64]) -> Result<BTreeMap<u64, ChangeSet>, Fault> {
        let given: Vec<BoltType> = revisions.iter().map(|&revision| number(revision)).collect();
        let given = parameters([("revisions", BoltType::List(BoltList::from(given)))]);
        let deadline = Deadline::after(self.timeout);
        let mut looks = 0;
        loop {
            let rows = self.rows(history::RECORDS_OF, given.clone()).await?;
            // What is committed shows piece by piece to whoever reads meanwhile.
            match history::changes_of(&rows, revisions) {
                Ok(found) if found.len() == revisions.len() => return Ok(found),
                Err(fault @ Fault::DamagedChanges(_)) if looks >= LOOKS_AT_DAMAGE => return Err(fault),
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
        Ok(Some(PlanRow { id, members }))
    }
}

/// A text of the database as what it stands for.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|error: T::Err| Fault::Damaged(format!("`{text}` cannot be read: {error}")))
}

/// The parameters of a statement.
pub(super) fn parameters<'a>(given: impl IntoIterator<Item = (&'a str, BoltType)>) -> BoltMap {
    given.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// A revision as the database has it.
pub(super) fn number(number: u64) -> BoltType {
    i64::try_from(number).unwrap_or(i64::MAX).into()
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
        let statement = query(history::RECORDS_AFTER).with_params(history::after(after, head));
        let rows = deadline.within(pool.step(), all_rows(transaction, statement)).await?;
        let stretch = Stretch::of(&rows, after, head)?;
        let more = match stretch.beside() {
            None => stretch.changes,
            Some(beside) => {
                let statement = query(history::BESIDE).with_params(beside);
                stretch.with(&deadline.within(pool.step(), all_rows(transaction, statement)).await?)?
            }
        };
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

//! Who holds the head, and does not let go: a replica that was cut off in the middle of its turn.
//!
//! From outside it looks like one that is only slow, so that it is left alone for as long as its own replica may still wait for it,
//! which a transaction tells when it begins.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use neo4rs::{Row, query};

use super::fault::{Deadline, Fault};
use super::pool::Pool;

/// Every transaction, what it waits for, and by what it is seen to go on. Only Neo4j tells all of it.
const TRANSACTIONS: &str =
    "SHOW TRANSACTIONS YIELD transactionId, currentQuery, currentQueryId, status, activeLockCount, metaData, elapsedTime
    RETURN transactionId AS id, currentQuery AS query, currentQueryId AS queryId, status, activeLockCount AS locks,
        elapsedTime.milliseconds AS lived, metaData.mortiseMilliseconds AS life, metaData.mortiseProcess AS process,
        metaData.mortiseTurn AS turn";
/// By this a transaction is known to wait for the head.
const WAITS: &str = "SET h.turn";
/// By what it is known whose time is over.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// This process, which takes one turn after another, and the turn that it takes now: whatever else it has open is given up.
    pub process: &'a str,
    pub turn: &'a str,
    /// How long one may live that says nothing of itself.
    pub untold: Duration,
}

/// Ends the transaction that holds the head, if its time is over, unless it goes on with its work: one that writes has taken more
/// locks after `look`. What cannot be done is told in the log.
pub(super) async fn end(pool: &Pool, look: Duration, known: Known<'_>, deadline: Deadline) {
    match find_and_end(pool, look, known, deadline).await {
        Ok(ended) if ended.is_empty() => {
            tracing::debug!("waiting for the head, whose holder has time left, or goes on with its work");
        }
        Ok(ended) => tracing::warn!(?ended, "ended a transaction that held the head and did not go on"),
        Err(fault) => tracing::warn!(%fault, "waiting for the head, and cannot find out who holds it"),
    }
}

async fn find_and_end(
    pool: &Pool,
    look: Duration,
    known: Known<'_>,
    deadline: Deadline,
) -> Result<BTreeSet<String>, Fault> {
    let before = holders(pool, known, deadline).await?;
    // Nobody has to see that this process does not go on with what it gave up.
    let mut stuck: BTreeSet<String> =
        before.iter().filter(|(_, holder)| holder.is_own).map(|(id, _)| id.clone()).collect();
    if stuck.is_empty() && !before.is_empty() {
        tokio::time::sleep(look.min(deadline.left())).await;
        let after = holders(pool, known, deadline).await?;
        stuck.extend(after.into_iter().filter(|(id, holder)| before.get(id) == Some(holder)).map(|(id, _)| id));
    }
    for id in &stuck {
        // Its rows are taken, for the driver ends nothing where they are not.
        pool.run(deadline, query("TERMINATE TRANSACTIONS $id").param("id", id.as_str())).await?;
    }
    Ok(stuck)
}

/// A transaction whose time is over, and how far it has come: its locks, and the statement that it is at.
#[derive(PartialEq, Eq)]
struct Holder {
    is_own: bool,
    locks: i64,
    statement: Option<String>,
}

/// Those that somebody waits for who wants the head, that wait for nobody themselves, and whose time is over.
async fn holders(pool: &Pool, known: Known<'_>, deadline: Deadline) -> Result<BTreeMap<String, Holder>, Fault> {
    let rows = pool.rows(deadline, query(TRANSACTIONS)).await?;
    let mut blockers = BTreeSet::new();
    let mut free = BTreeMap::new();
    for row in &rows {
        let (id, status): (String, String) = (row.get("id")?, row.get("status")?);
        if status.starts_with("Blocked") {
            if row.get::<Option<String>>("query")?.is_some_and(|query| query.contains(WAITS)) {
                blockers.extend(transactions_in(&status));
            }
        } else if is_over(row, known)? {
            let is_own = row.get::<Option<String>>("process")?.is_some_and(|process| process == known.process);
            let locks = row.get::<Option<i64>>("locks")?.unwrap_or(0);
            free.insert(id, Holder { is_own, locks, statement: row.get("queryId")? });
        }
    }
    Ok(free.into_iter().filter(|(id, _)| blockers.contains(id)).collect())
}

fn is_over(row: &Row, known: Known<'_>) -> Result<bool, Fault> {
    let (lived, life): (i64, Option<i64>) = (row.get("lived")?, row.get("life")?);
    if row.get::<Option<String>>("process")?.is_some_and(|process| process == known.process) {
        // It may have got the head while it is looked for who has it.
        return Ok(row.get::<Option<String>>("turn")?.is_some_and(|turn| turn != known.turn));
    }
    Ok(milliseconds(lived) > life.map_or(known.untold, milliseconds))
}

fn milliseconds(count: i64) -> Duration {
    Duration::from_millis(count.try_into().unwrap_or(0))
}

/// The names in `Blocked by: [neo4j-transaction-3, …]`.
fn transactions_in(status: &str) -> Vec<String> {
    let (_, list) = status.split_once('[').unwrap_or_default();
    let list = list.trim_end_matches(']').split(',');
    list.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
}

//! Who holds the head, and does not let go: a replica that was cut off in the middle of its turn.

use std::collections::BTreeSet;

use neo4rs::query;

use super::commit::PATIENCE;
use super::fault::{Deadline, Fault};
use super::pool::Pool;

/// Every transaction, and what it waits for. Only Neo4j has it.
const TRANSACTIONS: &str = "SHOW TRANSACTIONS YIELD transactionId, currentQuery, status, elapsedTime
    RETURN transactionId AS id, currentQuery AS query, status, elapsedTime.milliseconds AS elapsed";
/// By this a transaction is known to wait for the head.
const WAITS: &str = "SET h.turn";

/// Ends the transaction that holds the head, where it has had it for long. What cannot be done is told in the log.
pub(super) async fn end(pool: &Pool, deadline: Deadline) {
    match find_and_end(pool, deadline).await {
        Ok(ended) if ended.is_empty() => tracing::debug!("waiting for the head, which changes hands"),
        Ok(ended) => tracing::warn!(?ended, "ended a transaction that held the head and did not let it go"),
        Err(fault) => tracing::warn!(%fault, "waiting for the head, and cannot find out who holds it"),
    }
}

async fn find_and_end(pool: &Pool, deadline: Deadline) -> Result<BTreeSet<String>, Fault> {
    let rows = pool.rows(deadline, query(TRANSACTIONS)).await?;
    let (mut blockers, mut blocked, mut old) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let (id, status): (String, String) = (row.get("id")?, row.get("status")?);
        let waits = row.get::<Option<String>>("query")?.is_some_and(|query| query.contains(WAITS));
        if status.starts_with("Blocked") {
            blocked.insert(id.clone());
            if waits {
                blockers.extend(transactions_in(&status));
            }
        }
        if row.get::<Option<i64>>("elapsed")?.is_some_and(|elapsed| elapsed.unsigned_abs() >= limit()) {
            old.insert(id);
        }
    }
    // Whoever is blocked itself is not the one that everybody waits for.
    let holders: BTreeSet<String> =
        blockers.into_iter().filter(|id| !blocked.contains(id) && old.iter().any(|old| is_same(old, id))).collect();
    for id in &holders {
        pool.run(deadline, query("TERMINATE TRANSACTIONS $id").param("id", id.as_str())).await?;
    }
    Ok(holders)
}

/// A holder younger than this may still be at work: milliseconds.
fn limit() -> u64 {
    u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX) * 4 / 5
}

fn is_same(left: &str, right: &str) -> bool {
    left == right
}

/// The names in `Blocked by: [neo4j-transaction-3, …]`.
fn transactions_in(status: &str) -> Vec<String> {
    let (_, list) = status.split_once('[').unwrap_or_default();
    let list = list.trim_end_matches(']');
    list.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
}

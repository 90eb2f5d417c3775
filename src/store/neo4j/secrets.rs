//! From format 2 to 3: tokens and keys, which stood there in clear, are kept as nobody can read them.
//!
//! Steps of the upgrade, some of them at a time. The leases come first, as their tokens are sealed under the keys; then the keys;
//! then the snapshots, which have both. The head has a mark all the while.

use neo4rs::{BoltList, BoltMap, BoltType, Row, Txn};

use super::Neo4jStore;
use super::fault::{Deadline, Fault};
use super::read::{parameters, parsed};
use super::schema::FORMAT;
use super::snapshot;
use crate::model::{KeptKey, KeptToken, LeaseToken};

/// Puts the new format into the head, so that processes of older versions write no more, and the mark beside it.
const BEGIN: &str = "MATCH (h:Head {name: 'head'}) SET h.format = $format, h.secrets = 'clear'";
const LEASES: &str = "MATCH (l:Lease) WHERE NOT l.token STARTS WITH 't1:' WITH l LIMIT $most
    OPTIONAL MATCH (k:IdempotencyKey {revision: l.revision})
    RETURN l.id AS id, l.token AS token, head(collect(k.key)) AS key";
const KEEP_LEASES: &str = "UNWIND $rows AS row MATCH (l:Lease {id: row.id}) SET l.token = row.kept";
const KEYS: &str = "MATCH (k:IdempotencyKey) WHERE NOT k.key =~ 'k1:[0-9a-f]{32}' RETURN k.key AS id LIMIT $most";
const KEEP_KEYS: &str = "UNWIND $rows AS row MATCH (k:IdempotencyKey {key: row.id}) SET k.key = row.kept";
const DROP_PARTS: &str = "MATCH (s:Snapshot)-[:PART]->(t) WHERE s.format < $format WITH t LIMIT 1000
    DETACH DELETE t RETURN count(*) AS dropped";
const DROP: &str = "MATCH (s:Snapshot) WHERE s.format < $format WITH s LIMIT 1000
    DETACH DELETE s RETURN count(*) AS dropped";
const END: &str = "MATCH (h:Head {name: 'head'}) REMOVE h.secrets";
/// How many leases or keys are kept anew in one step, so that they have room in one message: keys have 1,024 bytes at most.
const MOST: i64 = 200;
/// How many bytes a message may have.
const MESSAGE_BYTES: usize = 6_900;

impl Neo4jStore {
    /// Writes the next step, in a transaction that has the head.
    pub(super) async fn keep_secrets(
        &self,
        transaction: &mut Txn,
        is_begun: bool,
        deadline: Deadline,
    ) -> Result<(), Fault> {
        if !is_begun {
            tracing::info!(database = %self.address, "upgrading the graph to format {FORMAT}");
            return self.run(transaction, BEGIN, [("format", FORMAT.into())], deadline).await.map(drop);
        }
        let leases = self.run(transaction, LEASES, [("most", MOST.into())], deadline).await?;
        if !leases.is_empty() {
            let kept = leases.iter().map(lease).collect::<Result<Vec<_>, _>>()?;
            return self.write_kept(transaction, KEEP_LEASES, kept, deadline).await;
        }
        let keys = self.run(transaction, KEYS, [("most", MOST.into())], deadline).await?;
        if !keys.is_empty() {
            let kept = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
            return self.write_kept(transaction, KEEP_KEYS, kept, deadline).await;
        }
        for text in [DROP_PARTS, DROP] {
            let rows = self.run(transaction, text, [("format", snapshot::FORMAT.into())], deadline).await?;
            if rows.first().map_or(Ok(0), |row| row.get::<u64>("dropped"))? > 0 {
                return Ok(());
            }
        }
        self.run(transaction, END, [], deadline).await?;
        tracing::info!(database = %self.address, "the graph is of format {FORMAT} now");
        Ok(())
    }

    async fn write_kept(
        &self,
        transaction: &mut Txn,
        text: &str,
        kept: Vec<(String, String)>,
        deadline: Deadline,
    ) -> Result<(), Fault> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for (id, kept) in kept {
            let more = id.len() + kept.len() + 20;
            if bytes + more > MESSAGE_BYTES {
                let some = BoltType::List(BoltList::from(std::mem::take(&mut rows)));
                self.run(transaction, text, [("rows", some)], deadline).await?;
                bytes = 0;
            }
            bytes += more;
            let row: BoltMap = parameters([("id", id.into()), ("kept", kept.into())]);
            rows.push(BoltType::Map(row));
        }
        let rest = BoltType::List(BoltList::from(rows));
        self.run(transaction, text, [("rows", rest)], deadline).await.map(drop)
    }
}

/// The id of a lease, and its token as it is kept now.
fn lease(row: &Row) -> Result<(String, String), Fault> {
    let (id, token, key): (String, String, Option<String>) = (row.get("id")?, row.get("token")?, row.get("key")?);
    let kept = KeptToken::of(&LeaseToken(token), parsed(&id)?, key.as_deref());
    Ok((id, kept.as_str().to_owned()))
}

/// A key, and as it is kept now.
fn key(row: &Row) -> Result<(String, String), Fault> {
    let key: String = row.get("id")?;
    let kept = KeptKey::of(&key).as_str().to_owned();
    Ok((key, kept))
}

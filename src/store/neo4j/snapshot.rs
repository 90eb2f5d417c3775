//! Snapshots: the Catalog as rows, kept beside the history, so that a replica that starts need not replay all of it.
//!
//! One is written in the background, in many small transactions, while commits go on; it counts once its number of rows is
//! set, which is last. Several replicas may write one at the same time: each has its own, and older ones go. One that is
//! damaged, or of another history, is passed over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use neo4rs::{BoltList, BoltMap, BoltType, query};
use tokio::runtime::Handle;

use super::change_text;
use super::fault::{Deadline, Fault};
use super::pool::Pool;
use super::read::{number, parameters};
use crate::catalog::Catalog;
use crate::model::{Row, Timestamp};

/// How many changes after the last snapshot make the next one worth its while, at least.
pub(super) const CHANGES: u64 = 20_000;
/// How many parts are written in one transaction, or read at once.
const PARTS: usize = 200;

const NEWEST: &str = "MATCH (s:Snapshot) WHERE s.rows IS NOT NULL
    RETURN s.id AS id, s.revision AS revision, s.change AS change, s.time AS time, s.rows AS rows
    ORDER BY revision DESC LIMIT 1";
const CHANGE_AT: &str = "MATCH (c:Change {revision: $revision}) RETURN c.id AS id";
const READ: &str = "MATCH (s:Snapshot {id: $id})-[p:PART]->(t:Text) WHERE p.n >= $from AND p.n < $to
    RETURN p.n AS n, t.text AS text ORDER BY n";
const BEGIN: &str = "CREATE (:Snapshot {id: $id, revision: $revision, change: $change, time: $time})";
const WRITE: &str =
    "UNWIND $rows AS row MATCH (s:Snapshot {id: row.s}) CREATE (s)-[:PART {n: row.n}]->(:Text {text: row.t})";
const COMPLETE: &str = "MATCH (s:Snapshot {id: $id}) SET s.rows = $rows";
const DROP_PARTS: &str = "MATCH (s:Snapshot)-[:PART]->(t:Text) WHERE s.revision < $revision
    WITH t LIMIT 1000 DETACH DELETE t RETURN count(*) AS dropped";
const DROP: &str = "MATCH (s:Snapshot) WHERE s.revision < $revision DETACH DELETE s";

/// What keeps snapshots.
pub(super) struct Snapshots {
    keeper: Arc<Keeper>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Keeper {
    pool: Pool,
    handle: Handle,
    timeout: Duration,
    /// How many changes make a snapshot worth its while.
    changes: u64,
    /// The revision of the last snapshot known.
    kept: AtomicU64,
    /// How many changes after it the next one is due.
    due: AtomicU64,
    is_stopped: AtomicBool,
}

impl Snapshots {
    pub fn new(pool: Pool, handle: Handle, timeout: Duration, changes: u64) -> Self {
        let (kept, due) = (AtomicU64::new(0), AtomicU64::new(changes));
        let keeper = Keeper { pool, handle, timeout, changes, kept, due, is_stopped: AtomicBool::new(false) };
        Self { keeper: Arc::new(keeper), thread: Mutex::new(None) }
    }

    /// The Catalog of the newest snapshot that can be used; the empty one where there is none.
    pub async fn load(&self) -> Result<Catalog, Fault> {
        let keeper = &self.keeper;
        let catalog = match keeper.read().await? {
            Some((catalog, rows)) => {
                keeper.remember(catalog.revision(), rows);
                catalog
            }
            None => Catalog::default(),
        };
        Ok(catalog)
    }

    /// Offers a Catalog, which is kept if enough has changed since the last one. Returns at once.
    pub fn offer(&self, catalog: &Arc<Catalog>) {
        let keeper = &self.keeper;
        let changed = catalog.revision().saturating_sub(keeper.kept.load(Ordering::Relaxed));
        if changed < keeper.due.load(Ordering::Relaxed) {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let (keeper, catalog) = (keeper.clone(), catalog.clone());
        let keep = move || keeper.handle.block_on(keeper.keep(&catalog));
        match std::thread::Builder::new().name("snapshot".to_owned()).spawn(keep) {
            Ok(started) => *thread = Some(started),
            Err(error) => tracing::warn!(%error, "a snapshot could not be kept; the next start replays more"),
        }
    }

    /// Waits until nothing is written any more; what is half-written never counts.
    pub fn stop(&self) {
        self.keeper.is_stopped.store(true, Ordering::Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that keeps snapshots ended in a panic");
        }
        self.keeper.pool.reset();
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Keeper {
    fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    /// In proportion to what is alive, not to the history: replaying stays bounded, and so does what snapshots cost.
    fn remember(&self, revision: u64, rows: u64) {
        self.kept.store(revision, Ordering::Relaxed);
        self.due.store(self.changes.max(2 * rows), Ordering::Relaxed);
    }

    async fn keep(&self, catalog: &Catalog) {
        match self.write(catalog).await {
            Ok(Some(rows)) => self.remember(catalog.revision(), rows),
            Ok(None) => {}
            Err(fault) => tracing::warn!(%fault, "a snapshot could not be kept; the next start replays more"),
        }
    }

    /// Writes a snapshot, unless another replica has just done so, and drops older ones; how many rows it has.
    async fn write(&self, catalog: &Catalog) -> Result<Option<u64>, Fault> {
        let newest = self.pool.rows(self.deadline(), query(NEWEST)).await?;
        if let Some(row) = newest.first() {
            let (revision, rows): (u64, u64) = (row.get("revision")?, row.get("rows")?);
            if catalog.revision().saturating_sub(revision) < self.changes.max(2 * rows) {
                self.remember(revision, rows);
                return Ok(None);
            }
        }
        let Some(change) = self.change_at(catalog.revision()).await? else { return Ok(None) };
        let id = uuid::Uuid::now_v7().to_string();
        let revision = || number(catalog.revision());
        let begin = parameters([
            ("id", id.as_str().into()),
            ("revision", revision()),
            ("change", change.into()),
            ("time", catalog.time().to_string().into()),
        ]);
        self.pool.run(self.deadline(), query(BEGIN).with_params(begin)).await?;
        let Some(rows) = self.write_rows(&id, catalog).await? else { return Ok(None) };
        let complete = parameters([("id", id.as_str().into()), ("rows", number(rows))]);
        self.pool.run(self.deadline(), query(COMPLETE).with_params(complete)).await?;
        self.drop_older(&revision()).await?;
        Ok(Some(rows))
    }

    /// Writes the rows as lines of JSON, in parts; how many there are, or `None` where the store was closed meanwhile.
    async fn write_rows(&self, id: &str, catalog: &Catalog) -> Result<Option<u64>, Fault> {
        let (mut text, mut rows, mut n) = (String::new(), 0, 0);
        let mut parts: Vec<BoltMap> = Vec::new();
        for row in catalog.rows() {
            text += &serde_json::to_string(&row).map_err(|error| Fault::Damaged(error.to_string()))?;
            text.push('\n');
            rows += 1;
            while text.len() >= change_text::PART_BYTES {
                let rest = text.split_off(change_text::end_of_part(&text));
                parts.push(part(id, &mut n, &std::mem::replace(&mut text, rest)));
            }
            if parts.len() >= PARTS {
                if self.is_stopped.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                self.write_parts(std::mem::take(&mut parts)).await?;
            }
        }
        if !text.is_empty() {
            parts.push(part(id, &mut n, &text));
        }
        self.write_parts(parts).await?;
        Ok(Some(rows))
    }

    async fn write_parts(&self, parts: Vec<BoltMap>) -> Result<(), Fault> {
        let deadline = self.deadline();
        let mut transaction = self.pool.begin(deadline).await?;
        for part in parts {
            let rows = BoltType::List(BoltList::from(vec![BoltType::Map(part)]));
            let written = transaction.run(query(WRITE).param("rows", rows));
            self.pool.watched(deadline.within(self.pool.step(), written).await)?;
        }
        self.pool.watched(deadline.within(self.pool.step(), transaction.commit()).await)
    }

    async fn drop_older(&self, revision: &BoltType) -> Result<(), Fault> {
        let older = || parameters([("revision", revision.clone())]);
        loop {
            let dropped = self.pool.run(self.deadline(), query(DROP_PARTS).with_params(older())).await?;
            let dropped = dropped.first().map_or(Ok(0), |row| row.get::<i64>("dropped"))?;
            if dropped == 0 || self.is_stopped.load(Ordering::Relaxed) {
                break;
            }
        }
        self.pool.run(self.deadline(), query(DROP).with_params(older())).await.map(drop)
    }

    async fn change_at(&self, revision: u64) -> Result<Option<String>, Fault> {
        let revision = parameters([("revision", number(revision))]);
        let rows = self.pool.rows(self.deadline(), query(CHANGE_AT).with_params(revision)).await?;
        Ok(rows.first().map(|row| row.get("id")).transpose()?)
    }

    /// The Catalog of the newest snapshot and how many rows it has.
    async fn read(&self) -> Result<Option<(Catalog, u64)>, Fault> {
        let newest = self.pool.rows(self.deadline(), query(NEWEST)).await?;
        let Some(newest) = newest.first() else { return Ok(None) };
        let (id, change): (String, String) = (newest.get("id")?, newest.get("change")?);
        let (revision, due): (u64, u64) = (newest.get("revision")?, newest.get("rows")?);
        let time: String = newest.get("time")?;
        let time: Option<Timestamp> = time.parse().ok();
        let (Some(time), true) = (time, self.change_at(revision).await? == Some(change)) else {
            tracing::warn!(id, "the snapshot is not of this history; replaying the history instead");
            return Ok(None);
        };
        let mut catalog = Catalog::default();
        catalog.begin_at(revision, time);
        let (mut rows, mut text, mut n) = (0, String::new(), 0_i64);
        loop {
            let to = n + PARTS as i64;
            let window = parameters([("id", id.as_str().into()), ("from", n.into()), ("to", to.into())]);
            let parts = self.pool.rows(self.deadline(), query(READ).with_params(window)).await?;
            for part in &parts {
                text += part.get::<&str>("text")?;
            }
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            for line in text[..whole].lines() {
                let Ok(row) = serde_json::from_str::<Row>(line) else {
                    tracing::warn!(id, "the snapshot is damaged; replaying the history instead");
                    return Ok(None);
                };
                catalog.apply_row(&row);
                rows += 1;
            }
            text.drain(..whole);
            if parts.len() < PARTS {
                break;
            }
            n = to;
        }
        if rows == due && text.is_empty() {
            return Ok(Some((catalog, rows)));
        }
        tracing::warn!(id, rows, due, "the snapshot is not whole; replaying the history instead");
        Ok(None)
    }
}

fn part(id: &str, n: &mut i64, text: &str) -> BoltMap {
    let part = parameters([("s", id.into()), ("n", (*n).into()), ("t", text.into())]);
    *n += 1;
    part
}

//! Snapshots: the Catalog as lines of JSON, compressed and checksummed, so that a replica that starts need not replay the whole
//! history.
//!
//! One is written in the background, in many small transactions, while commits go on; it counts once its number of rows is
//! set, which is last. Several replicas may write one at the same time: each has its own, and older ones go. One that is
//! damaged, or of another history, is passed over.

use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use neo4rs::{BoltBytes, BoltList, BoltMap, BoltType, Row, query};
use tokio::runtime::Handle;
use zstd::stream::{read::Decoder, write::Encoder};

use super::fault::{Deadline, Fault};
use super::history::PART_BYTES;
use super::pool::Pool;
use super::read::{number, parameters};
use crate::catalog::{Catalog, SnapshotRow};
use crate::model::Timestamp;

/// How many changes after the last snapshot make the next one worth its while, at least.
pub(super) const CHANGES: u64 = 20_000;
/// How many parts are written in one transaction, or read at once.
const PARTS: usize = 200;

/// The format of snapshots; others are passed over.
pub(super) const FORMAT: i64 = 3;

const NEWEST: &str = "MATCH (s:Snapshot) WHERE s.rows IS NOT NULL AND s.format = $format
    RETURN s.id AS id, s.revision AS revision, s.change AS change, s.time AS time, s.rows AS rows
    ORDER BY revision DESC LIMIT 1";
const CHANGE_AT: &str = "MATCH (c:Change {revision: $revision}) RETURN c.id AS id";
const READ: &str = "MATCH (s:Snapshot {id: $id})-[p:PART]->(t:Part) WHERE p.n >= $from AND p.n < $to
    RETURN p.n AS n, t.bytes AS bytes ORDER BY n";
const BEGIN: &str = "CREATE (:Snapshot {id: $id, format: $format, revision: $revision, change: $change, time: $time})";
const WRITE: &str =
    "UNWIND $rows AS row MATCH (s:Snapshot {id: row.s}) CREATE (s)-[:PART {n: row.n}]->(:Part {bytes: row.b})";
const COMPLETE: &str = "MATCH (s:Snapshot {id: $id}) SET s.rows = $rows";
const DROP_PARTS: &str = "MATCH (s:Snapshot)-[:PART]->(t) WHERE s.revision < $revision
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
        let newest = self.newest().await?;
        if let Some(row) = newest {
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
            ("format", FORMAT.into()),
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

    /// Writes the rows in parts; how many rows there are, or `None` where the store was closed meanwhile.
    async fn write_rows(&self, id: &str, catalog: &Catalog) -> Result<Option<u64>, Fault> {
        let mut encoder = Encoder::new(Vec::new(), 1)?;
        encoder.include_checksum(true)?;
        let (mut rows, mut n) = (0, 0);
        for row in catalog.rows() {
            serde_json::to_writer(&mut encoder, &row).map_err(std::io::Error::from)?;
            encoder.write_all(b"\n")?;
            rows += 1;
            if encoder.get_ref().len() >= PARTS * PART_BYTES {
                if self.is_stopped.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                let body = encoder.get_mut();
                let rest = body.split_off(body.len() / PART_BYTES * PART_BYTES);
                let whole = std::mem::replace(body, rest);
                self.write_parts(parts(id, &mut n, &whole)).await?;
            }
        }
        self.write_parts(parts(id, &mut n, &encoder.finish()?)).await?;
        Ok(Some(rows))
    }

    async fn write_parts(&self, parts: impl Iterator<Item = BoltMap>) -> Result<(), Fault> {
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

    async fn newest(&self) -> Result<Option<Row>, Fault> {
        let newest = query(NEWEST).with_params(parameters([("format", FORMAT.into())]));
        Ok(self.pool.rows(self.deadline(), newest).await?.into_iter().next())
    }

    /// The Catalog of the newest snapshot and how many rows it has.
    async fn read(&self) -> Result<Option<(Catalog, u64)>, Fault> {
        let Some(newest) = self.newest().await? else { return Ok(None) };
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
        let body = self.read_parts(&id).await?;
        if apply(&body, &mut catalog).is_ok_and(|rows| rows == due) {
            return Ok(Some((catalog, due)));
        }
        tracing::warn!(id, "the snapshot is damaged; replaying the history instead");
        Ok(None)
    }

    async fn read_parts(&self, id: &str) -> Result<Vec<u8>, Fault> {
        let (mut body, mut n) = (Vec::new(), 0);
        loop {
            let to = n + PARTS as i64;
            let window = parameters([("id", id.into()), ("from", n.into()), ("to", to.into())]);
            let parts = self.pool.rows(self.deadline(), query(READ).with_params(window)).await?;
            for part in &parts {
                let bytes: Option<BoltBytes> = part.get("bytes")?;
                body.extend(bytes.map(|bytes| bytes.value).unwrap_or_default());
            }
            if parts.len() < PARTS {
                return Ok(body);
            }
            n = to;
        }
    }
}

/// Applies the rows of a snapshot; how many they are.
fn apply(body: &[u8], catalog: &mut Catalog) -> std::io::Result<u64> {
    let mut rows = 0;
    for line in BufReader::with_capacity(1 << 20, Decoder::new(body)?).lines() {
        catalog.apply_snapshot(serde_json::from_str::<SnapshotRow>(&line?)?);
        rows += 1;
    }
    Ok(rows)
}

/// Bytes in parts, which are numbered from `n` on.
fn parts<'a>(id: &'a str, n: &'a mut i64, bytes: &'a [u8]) -> impl Iterator<Item = BoltMap> {
    bytes.chunks(PART_BYTES).map(move |bytes| {
        let part = parameters([("s", id.into()), ("n", (*n).into()), ("b", bytes.to_vec().into())]);
        *n += 1;
        part
    })
}

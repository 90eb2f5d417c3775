//! What happens beside the commits: moving the write-ahead log into the database, and keeping snapshots.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::folder::Folder;
use super::{schema, snapshot};
use crate::catalog::Catalog;
use crate::store::{StoreError, spawn_vital};

/// How many rows written after the last snapshot make the next one worth its while, at least: a second or two of replaying. Rows
/// and not changes, as a change of a set has many.
const ROWS: u64 = 300_000;
/// How many make a last one worth its while when the store is closed.
const ROWS_AT_CLOSE: u64 = 2_000;
/// From which length the write-ahead log is begun anew.
const LOG_BYTES: i64 = 32 << 20;
/// How often it is moved. Often and little: what is moved in bursts makes commits wait for the same disk.
const PERIOD: Duration = Duration::from_millis(50);

/// The background thread.
pub(super) struct Background {
    folder: Arc<Folder>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    woken: Condvar,
    /// How many rows were written after the snapshot that the store was loaded from.
    written: AtomicU64,
    /// How many of them the last snapshot knows.
    kept: AtomicU64,
    /// How many more make the next one due.
    due: AtomicU64,
}

#[derive(Default)]
struct State {
    /// With how many rows had been written.
    offered: Option<(Arc<Catalog>, u64)>,
    /// Why the write-ahead log could not be moved the last time.
    trouble: Option<String>,
    stopped: bool,
}

impl Background {
    pub fn start(folder: Arc<Folder>, writer: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            woken: Condvar::new(),
            written: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            due: AtomicU64::new(ROWS),
        });
        let connection = schema::open_writer(&folder.database())?;
        let (worker, in_folder) = (shared.clone(), folder.clone());
        let thread = spawn_vital("store-background", move || worker.run(&in_folder, &connection, &writer))
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { folder, shared, thread: Mutex::new(Some(thread)) })
    }

    /// What keeps the write-ahead log from being moved into the database: commits go on, until there is no room for it.
    ///
    /// # Errors
    /// [`StoreError`], as it was found last.
    pub fn trouble(&self) -> Result<(), StoreError> {
        self.shared.lock().trouble.clone().map_or(Ok(()), |error| Err(StoreError::Failed(error)))
    }

    /// Tells how many rows are in the history after the last snapshot.
    pub fn loaded(&self, rows: usize) {
        self.shared.written.store(rows as u64, Ordering::Relaxed);
        self.shared.kept.store(0, Ordering::Relaxed);
    }

    /// Tells how many rows were written besides.
    pub fn wrote(&self, rows: usize) {
        self.shared.written.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Offers a Catalog, which is kept if enough was written since the last one.
    pub fn offer(&self, catalog: &Arc<Catalog>) {
        let (written, fresh) = self.shared.fresh();
        if fresh >= self.shared.due.load(Ordering::Relaxed) {
            self.shared.lock().offered = Some((catalog.clone(), written));
            self.shared.woken.notify_one();
        }
    }

    /// Stops the thread, and keeps a last snapshot where that is worth it.
    pub fn stop(&self, catalog: &Catalog) {
        self.end_thread();
        let (written, fresh) = self.shared.fresh();
        if fresh >= ROWS_AT_CLOSE {
            match schema::open_reader(&self.folder.database()) {
                Ok(connection) => self.shared.keep(&self.folder, &connection, catalog, written),
                Err(error) => tracing::warn!(%error, "no last snapshot was kept; the next start replays more"),
            }
        }
    }

    fn end_thread(&self) {
        self.shared.lock().stopped = true;
        self.shared.woken.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the background thread of the store ended in a panic");
        }
    }
}

/// A store that is dropped without having been closed lets its folder go too.
impl Drop for Background {
    fn drop(&mut self) {
        self.end_thread();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, folder: &Folder, connection: &Connection, writer: &Mutex<Connection>) {
        loop {
            let state = self.lock();
            let waited =
                self.woken.wait_timeout_while(state, PERIOD, |state| !state.stopped && state.offered.is_none());
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.stopped {
                return;
            }
            let offered = state.offered.take();
            drop(state);
            if let Some((catalog, written)) = offered {
                self.keep(folder, connection, &catalog, written);
            }
            let moved = checkpoint(connection, writer);
            // Whoever looks after the store tells it, once: this is tried again and again.
            self.lock().trouble =
                moved.err().map(|error| format!("the write-ahead log could not be moved into the database: {error}"));
        }
    }

    /// How many rows were written, and how many of them no snapshot knows.
    fn fresh(&self) -> (u64, u64) {
        let written = self.written.load(Ordering::Relaxed);
        (written, written.saturating_sub(self.kept.load(Ordering::Relaxed)))
    }

    fn keep(&self, folder: &Folder, connection: &Connection, catalog: &Catalog, written: u64) {
        match snapshot::write(folder, connection, catalog) {
            Ok(rows) => {
                self.kept.store(written, Ordering::Relaxed);
                // In proportion to what is alive, not to the history: replaying stays bounded, and so does what snapshots cost.
                self.due.store(ROWS.max(4 * rows), Ordering::Relaxed);
            }
            Err(error) => {
                // Not tried again with every commit: it takes long, and may fail for a while.
                self.due.fetch_add(ROWS, Ordering::Relaxed);
                tracing::warn!(%error, "a snapshot could not be kept; the next start replays more");
            }
        }
    }
}

/// Moves what it can of the write-ahead log into the database; commits go on meanwhile. A long log, which commits would only
/// ever append to, is moved to its end while they wait for the little that is left, so that it begins anew.
fn checkpoint(connection: &Connection, writer: &Mutex<Connection>) -> rusqlite::Result<()> {
    if log_bytes(connection)? < LOG_BYTES {
        return Ok(());
    }
    log_bytes(connection)?;
    let _no_commit = writer.lock().unwrap_or_else(PoisonError::into_inner);
    log_bytes(connection).map(drop)
}

/// Moves what can be moved, and says how long the log was.
fn log_bytes(connection: &Connection) -> rusqlite::Result<i64> {
    let pages: i64 = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    Ok(pages.saturating_mul(schema::PAGE_BYTES))
}

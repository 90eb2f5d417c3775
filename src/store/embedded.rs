//! The embedded store: one folder, one SQLite database, nothing to install.
//!
//! The history are the records; leases and idempotency keys stand beside it, and the rest is an index that can be made anew from
//! both. One connection
//! writes, on the committer's thread; readers have connections of their own, and WAL lets neither wait for the other. The
//! write-ahead log is moved into the database in the background, so that no commit waits for that.

mod background;
mod checksum;
mod entry;
mod folder;
mod history;
mod index;
mod list;
mod probe;
mod query;
mod schema;
mod secrets;
mod snapshot;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::{
    CommitError, Decide, DeploymentFilter, DeploymentPage, Ending, LocatedAttempt, Page, Query, QueryError, Store,
    StoreError, TakeRow, Turn,
};
use crate::catalog::Catalog;
use crate::model::{ChangeSet, ComponentId, ComponentRows, DeploymentId, PlanId, PlanRow};
use background::Background;
use folder::Folder;
use probe::Doubt;
use query::Asking;

/// An open folder.
pub struct EmbeddedStore {
    folder: Arc<Folder>,
    // Before the writer: the last to close tidies up, and readers may not.
    readers: Mutex<Vec<Connection>>,
    writer: Arc<Mutex<Connection>>,
    background: Background,
    asking: Asking,
    /// Whether the last commit failed.
    doubt: Doubt,
    /// Whether it was tried in vain to make the index anew.
    is_index_lost: Mutex<bool>,
}

impl EmbeddedStore {
    /// Whether there is a store in a folder.
    ///
    /// # Errors
    /// What the system says where that cannot be told.
    pub fn exists(path: &Path) -> std::io::Result<bool> {
        path.join(folder::DATABASE).try_exists()
    }

    /// Opens a folder, made where there is none. While it is open no other process can open it.
    ///
    /// # Errors
    /// [`StoreError`] where another process has it, or it cannot be read or written, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let folder = Arc::new(Folder::open(path)?);
        upgrade::database(&folder)?;
        let writer = Arc::new(Mutex::new(schema::open_writer(&folder.database())?));
        let background = Background::start(folder.clone(), writer.clone())?;
        Ok(Self {
            folder,
            readers: Mutex::default(),
            writer,
            background,
            asking: Asking::default(),
            doubt: Doubt::default(),
            is_index_lost: Mutex::default(),
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.folder.database())?,
        };
        let result = read(&connection);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    /// Reads of the index. Where that is damaged it is made anew, and read again.
    fn read_index<T>(&self, read: impl Fn(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.read(&read) {
            Err(StoreError::Damaged(why)) => {
                self.mend_index(&read, why)?;
                self.read(read)
            }
            other => other,
        }
    }

    /// Makes the index anew, unless somebody else has done so by now, or it was in vain before: commits wait meanwhile.
    fn mend_index<T>(
        &self,
        read: impl Fn(&Connection) -> Result<T, StoreError>,
        why: String,
    ) -> Result<(), StoreError> {
        let mut is_lost = self.is_index_lost.lock().unwrap_or_else(PoisonError::into_inner);
        if self.read(read).is_ok() {
            return Ok(());
        }
        if *is_lost {
            return Err(StoreError::Damaged(why));
        }
        tracing::warn!(why, "the index is damaged; making it anew from the history, while nothing is recorded");
        let made = upgrade::make_index(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner));
        *is_lost = made.is_err();
        made
    }
}

impl Store for EmbeddedStore {
    fn load(&self) -> Result<Catalog, StoreError> {
        self.read(|connection| {
            let mut catalog = snapshot::load(&self.folder, connection)?.unwrap_or_default();
            let kept = catalog.revision();
            let mut rows = 0;
            history::each_change_after(connection, kept, |change| {
                catalog.apply(&change);
                rows += change.rows.len();
                ControlFlow::Continue(())
            })?;
            self.background.loaded(rows);
            history::each_beside(connection, kept, u64::MAX, |_, beside| catalog.apply_beside(&beside))?;
            Ok(catalog)
        })
    }

    fn commit(&self, _known: u64, decide: &mut Decide<'_>) -> Result<Vec<ChangeSet>, CommitError> {
        // The folder is this process's alone: it has missed nothing, and has no clock but its own.
        let batch = decide(Turn { missed: &[], now: None });
        if !batch.is_empty() {
            let appended = self.folder.check().map_err(CommitError::Failed).and_then(|()| {
                history::append(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner), &batch)
            });
            self.doubt.set(appended.is_err());
            appended?;
            self.background.wrote(batch.iter().map(|change| change.rows.len()).sum());
        }
        Ok(batch)
    }

    fn head(&self) -> Result<u64, StoreError> {
        self.read(history::head)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn changes_after(&self, revision: u64, limit: usize) -> Result<Vec<ChangeSet>, StoreError> {
        self.read(|connection| history::changes_after(connection, revision, limit))
    }

    fn changes_at(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, StoreError> {
        self.read(|connection| history::changes_at(connection, revisions))
    }

    fn components_at(&self, wanted: &BTreeMap<u64, BTreeSet<ComponentId>>) -> Result<ComponentRows, StoreError> {
        self.read(|connection| history::components_at(connection, wanted))
    }

    fn located(&self, ids: &[DeploymentId]) -> Result<Vec<Option<LocatedAttempt>>, StoreError> {
        self.read_index(|connection| ids.iter().map(|&id| index::located(connection, id)).collect())
    }

    fn set(&self, id: PlanId) -> Result<Option<PlanRow>, StoreError> {
        self.read_index(|connection| index::set(connection, id))
    }

    fn deployments(&self, filter: &DeploymentFilter, page: Page) -> Result<DeploymentPage, StoreError> {
        self.read_index(|connection| list::deployments(connection, filter, page))
    }

    fn query(&self, query: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError> {
        self.answer(query, take)
    }

    fn probe(&self) -> Result<(), StoreError> {
        probe::folder(&self.folder)?;
        if self.doubt.get() {
            probe::commit(&self.writer.lock().unwrap_or_else(PoisonError::into_inner))?;
            self.doubt.set(false);
        }
        self.background.trouble()
    }

    fn offer_snapshot(&self, catalog: &Arc<Catalog>) {
        self.background.offer(catalog);
    }

    fn close(&self, catalog: &Catalog) {
        self.background.stop(catalog);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if let Err(error) = schema::empty_log(&self.writer.lock().unwrap_or_else(PoisonError::into_inner)) {
            tracing::warn!(%error, "the next start reads the write-ahead log");
        }
    }
}

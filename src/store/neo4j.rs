//! The graph in Neo4j: one database, which many processes of Mortise may share.
//!
//! The history stands there as compressed records, and beside it everything that it stands for, as nodes and relationships that
//! anyone can read with Neo4j's own tools; see `schema/graph.cypher`. Both are written in one transaction.

mod address;
mod attempts;
mod commit;
mod fault;
mod gate;
mod history;
mod holder;
mod known;
mod pool;
mod query;
mod read;
mod schema;
mod secrets;
mod snapshot;
mod statement;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Runtime;

pub use address::Address;

use super::{
    CommitError, Decide, DeploymentFilter, DeploymentPage, Ending, LocatedAttempt, Page, Query, QueryError, Store,
    StoreError, TakeRow,
};
use crate::catalog::Catalog;
use crate::model::{ChangeSet, DeploymentId, PlanId, PlanRow};
use gate::Gate;
use known::Known;
use pool::Pool;
use snapshot::Snapshots;

/// How many connections are read over.
const READERS: usize = 8;
/// How long one exchange may take at least: a database that has just started has statements to learn.
const STEP: Duration = Duration::from_secs(3);
/// How many connections the graph is asked over: heavy questions never take those of commits and readings.
const ASKERS: usize = 4;
/// How many changes are read at once where all of them are.
const REPLAYED: usize = 1_024;

/// A database that is connected to.
pub struct Neo4jStore {
    address: Address,
    /// How long one piece of work may take, with everything that is tried again.
    timeout: Duration,
    readers: Pool,
    askers: Pool,
    /// What the askers connect through; absent where the connection is encrypted.
    gate: Option<Gate>,
    /// One connection: of the turns of one process only one is under way.
    writer: Pool,
    snapshots: Snapshots,
    warnings: Vec<String>,
    /// By which its transactions tell whose they are.
    process: String,
    /// Whether the database lets transactions tell that, and how long they may live.
    tells_life: OnceLock<bool>,
    known: Known,
    // The last to go: what is above closes its connections in it.
    runtime: Runtime,
}

impl Neo4jStore {
    /// Connects, applies the schema, and upgrades what an older version wrote. One piece of work may take `timeout`.
    ///
    /// # Errors
    /// [`StoreError`] where the database cannot be reached or used, or a newer version wrote it.
    pub fn open(address: Address, timeout: Duration) -> Result<Self, StoreError> {
        Self::open_keeping(address, timeout, snapshot::CHANGES)
    }

    /// The same, with a snapshot for a quick start every so many changes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_keeping(address: Address, timeout: Duration, snapshot_changes: u64) -> Result<Self, StoreError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("neo4j").enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Failed(error.to_string()))?;
        let step = (timeout / 3).max(STEP).min(timeout);
        let (readers, writer) = (Pool::new(&address, READERS, step, step)?, Pool::new(&address, 1, step, timeout)?);
        let beside = Pool::new(&address, 1, timeout, timeout)?;
        let snapshots = Snapshots::new(beside, runtime.handle().clone(), timeout, snapshot_changes);
        let gate = address.readable().map(|database| runtime.block_on(Gate::open(database.to_owned()))).transpose();
        let gate = gate.map_err(|error| StoreError::Failed(format!("no port can be had for questions: {error}")))?;
        let asked = gate.as_ref().map_or_else(|| address.clone(), |gate| address.through(gate.address()));
        let askers = Pool::new(&asked, ASKERS, step, query::LONGEST)?;
        let mut store = Self {
            address,
            timeout,
            readers,
            askers,
            gate,
            writer,
            snapshots,
            warnings: Vec::new(),
            process: uuid::Uuid::now_v7().to_string(),
            tells_life: OnceLock::new(),
            known: Known::default(),
            runtime,
        };
        store.runtime.block_on(store.prepare())?;
        store.warnings = store.runtime.block_on(store.unlimited());
        store.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        Ok(store)
    }
}

impl Store for Neo4jStore {
    fn load(&self) -> Result<Catalog, StoreError> {
        let mut catalog = self.runtime.block_on(self.snapshots.load())?;
        loop {
            let changes = self.changes_after(catalog.revision(), REPLAYED)?;
            if changes.is_empty() {
                if catalog.revision() > self.known.newest().revision {
                    // All of it came from a snapshot: this is what the history is known by.
                    self.changes_after(catalog.revision() - 1, 1)?;
                }
                return Ok(catalog);
            }
            changes.iter().for_each(|change| catalog.apply(change));
        }
    }

    fn commit(&self, known: u64, decide: &mut Decide<'_>) -> Result<Vec<ChangeSet>, CommitError> {
        self.runtime.block_on(self.take_turn(known, decide))
    }

    fn head(&self) -> Result<u64, StoreError> {
        Ok(self.runtime.block_on(self.head_revision())?)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn changes_after(&self, revision: u64, limit: usize) -> Result<Vec<ChangeSet>, StoreError> {
        Ok(self.runtime.block_on(self.changes(revision, limit))?)
    }

    fn changes_at(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, StoreError> {
        Ok(self.runtime.block_on(self.changes_of(revisions))?)
    }

    fn located(&self, ids: &[DeploymentId]) -> Result<Vec<Option<LocatedAttempt>>, StoreError> {
        Ok(self.runtime.block_on(self.located_attempts(ids))?)
    }

    fn set(&self, id: PlanId) -> Result<Option<PlanRow>, StoreError> {
        Ok(self.runtime.block_on(self.plan_set(id))?)
    }

    fn deployments(&self, filter: &DeploymentFilter, page: Page) -> Result<DeploymentPage, StoreError> {
        Ok(self.runtime.block_on(self.attempts(filter, page))?)
    }

    fn probe(&self) -> Result<(), StoreError> {
        Ok(self.runtime.block_on(self.try_to_write())?)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn offer_snapshot(&self, catalog: &Arc<Catalog>) {
        self.snapshots.offer(catalog);
    }

    fn query(&self, query: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError> {
        self.answer(query, take)
    }

    fn close(&self, _catalog: &Catalog) {
        self.snapshots.stop();
        self.writer.reset();
        self.readers.reset();
        self.askers.reset();
    }
}

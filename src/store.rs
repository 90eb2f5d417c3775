//! The store: a durable, totally ordered history of ChangeSets, and what is asked of it later.
//!
//! A store never resolves, it records, so two backends cannot resolve differently. Calls block; callers run them on threads
//! that may.

pub mod embedded;
mod format_1;
pub mod neo4j;
mod plan;
mod question;
mod record;
pub mod transfer;
mod vital;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use plan::{component_rows, newest_rows, plan};
pub use question::{Cell, Ending, Query, QueryError, TakeRow, Unanswerable};
pub use vital::spawn_vital;

use crate::catalog::Catalog;
use crate::model::{
    ChangeSet, ComponentId, ComponentRows, Condition, DeploymentId, DeploymentSpec, KeptToken, Outcome, PlanId,
    PlanRow, Row, State, Timestamp,
};

/// What every backend provides.
pub trait Store: Send + Sync {
    /// The newest state.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    fn load(&self) -> Result<Catalog, StoreError>;

    /// Takes the caller's turn to write: tells `decide` what it missed after revision `known`, and records the batch that it
    /// answers, all of it or nothing, durably. Nobody else writes between the two. Gives back what was recorded.
    ///
    /// The revision of the first ChangeSet must follow the last one stored; an empty batch records nothing. `decide` may be
    /// asked again, where a turn came to nothing: what it was told then is durable all the same, and is not told twice.
    ///
    /// # Errors
    /// [`CommitError`].
    fn commit(&self, known: u64, decide: &mut Decide<'_>) -> Result<Vec<ChangeSet>, CommitError>;

    /// Appends a batch that was decided before; it must follow the last revision stored.
    ///
    /// # Errors
    /// [`CommitError`].
    fn append(&self, batch: &[ChangeSet]) -> Result<(), CommitError> {
        let known = batch.first().map_or(0, |change| change.revision.saturating_sub(1));
        self.commit(known, &mut |_| batch.to_vec()).map(drop)
    }

    /// The revision of the last ChangeSet stored; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    fn head(&self) -> Result<u64, StoreError>;

    /// Whether other processes may write to it too, so that what this one knows may be old.
    fn is_shared(&self) -> bool;

    /// Up to `limit` ChangeSets after `revision`, in order; with each what is kept beside the history and was written with it last.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    fn changes_after(&self, revision: u64, limit: usize) -> Result<Vec<ChangeSet>, StoreError>;

    /// The ChangeSets of these revisions, all of them.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read, or one is missing.
    fn changes_at(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, StoreError>;

    /// The rows of Components as these revisions wrote them.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    fn components_at(&self, wanted: &BTreeMap<u64, BTreeSet<ComponentId>>) -> Result<ComponentRows, StoreError> {
        let mut found = ComponentRows::new();
        plan::each_change(self, wanted.keys().copied(), |change| {
            let revision = change.revision;
            let rows = change.rows.into_iter().filter_map(|row| match row {
                Row::Component(row) if wanted[&revision].contains(&row.id) => Some(row),
                _ => None,
            });
            found.extend(rows.map(|row| ((row.id, revision), row)));
        })?;
        Ok(found)
    }

    /// Attempts and where their rows stand in the history, in the order of `ids`.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    fn located(&self, ids: &[DeploymentId]) -> Result<Vec<Option<LocatedAttempt>>, StoreError>;

    /// A plan that was posted as a set.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    fn set(&self, id: PlanId) -> Result<Option<PlanRow>, StoreError>;

    /// Attempts, the newest first. Where few of those that are looked at satisfy the filter, the page may have fewer than asked
    /// for, or none, and says where to go on.
    ///
    /// # Errors
    /// [`StoreError`] where they cannot be read.
    fn deployments(&self, filter: &DeploymentFilter, page: Page) -> Result<DeploymentPage, StoreError>;

    /// Answers a question of the graph, row by row, as the graph was at one moment of the call.
    ///
    /// # Errors
    /// [`QueryError`], perhaps after rows were taken.
    fn query(&self, query: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError>;

    /// Looks whether it can be written and read now. Asked about once a second, by whoever takes turns to write.
    ///
    /// # Errors
    /// [`StoreError`]: why not.
    fn probe(&self) -> Result<(), StoreError>;

    /// What whoever runs it should mend about it, in sentences.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Is offered every published Catalog, to keep a snapshot of it for a quick start; returns at once.
    fn offer_snapshot(&self, catalog: &std::sync::Arc<Catalog>);

    /// Keeps a last snapshot where that is worth it, and stops what runs in the background.
    fn close(&self, catalog: &Catalog);
}

/// What a store tells before it asks for a batch.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// What others recorded after the last revision that the caller is known to know, in order.
    pub missed: &'a [ChangeSet],
    /// The time by the store's own clock, where all who write to it share one.
    pub now: Option<Timestamp>,
}

/// Decides what to record, once it has learnt what it missed.
pub type Decide<'a> = dyn FnMut(Turn<'_>) -> Vec<ChangeSet> + 'a;

/// An attempt, and where what belongs to it stands in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct LocatedAttempt {
    /// The attempt as it is now.
    pub spec: DeploymentSpec,
    /// The token that it was opened with last, as it is kept.
    pub token: Option<KeptToken>,
    /// The revision that has what was received of it.
    pub received: u64,
    /// The revision that has its newest resolution.
    pub resolved: u64,
}

/// An attempt in a list, and where it stands in the order of the list.
#[derive(Clone, Debug)]
pub struct ListedDeployment {
    /// Its place: later attempts have greater ones.
    pub place: i64,
    /// The attempt as it is now.
    pub spec: DeploymentSpec,
}

/// Which attempts to list; absent: any.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field is the property of the attempt of that name")]
pub struct DeploymentFilter {
    pub system: Option<String>,
    pub artifact: Option<String>,
    pub environment: Option<String>,
    pub instance: Option<String>,
    pub state: Option<State>,
    pub target_state: Option<State>,
    pub condition: Option<Condition>,
    pub outcome: Option<Outcome>,
    pub actor: Option<String>,
    /// Created at or after.
    pub from: Option<Timestamp>,
    /// Created before.
    pub to: Option<Timestamp>,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// At most so many.
    pub limit: usize,
    /// Only those whose place is less.
    pub before: Option<i64>,
    /// At most so many attempts are looked at.
    pub looks: usize,
}

impl Page {
    /// How many attempts are looked at for a page, unless it says otherwise.
    pub const LOOKS: usize = 5_000;

    /// The newest attempts, at most `limit` of them.
    pub fn newest(limit: usize) -> Self {
        Self { limit, before: None, looks: Self::LOOKS }
    }
}

/// A page of a list of attempts.
#[derive(Clone, Debug, Default)]
pub struct DeploymentPage {
    /// The attempts, the newest first.
    pub items: Vec<ListedDeployment>,
    /// The place before which the list goes on, where there may be more.
    pub next: Option<i64>,
    /// How many attempts and entries of indexes were looked at for it, as far as the store can tell.
    pub looked: usize,
}

/// Why a store cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("{folder} is in use by another mortise process{}; stop that one, or give this one another folder with --data", pid.as_ref().map_or_else(String::new, |pid| format!(" (process {pid})")))]
    InUse {
        /// The folder.
        folder: String,
        /// The process, where it can be told.
        pid: Option<String>,
    },
    /// It was written by a newer version.
    #[error("{what} was written by a newer mortise (format {found}; this one knows {known}); use that version")]
    TooNew {
        /// What.
        what: String,
        /// Its format.
        found: i64,
        /// The newest format that is known.
        known: i64,
    },
    /// The address of a database cannot be used.
    #[error("the address of the database cannot be used: {0}; it reads bolt://user:password@host:7687/database")]
    Address(String),
    /// A database cannot be used from the start.
    #[error("the database at {address} cannot be used: {why}; {remedy}")]
    Unusable {
        /// Where it is, without user and password.
        address: String,
        /// Why.
        why: String,
        /// What may be done about it.
        remedy: &'static str,
    },
    /// A database does not answer, or refuses.
    #[error("{0}")]
    Away(String),
    /// It holds what cannot be there.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Changes of the history are not as they were written; what else the store holds is not concerned.
    #[error("{} damaged: {why}; restore a backup, or import an export into an empty store", named(*.first, *.last))]
    DamagedChanges {
        /// The first revision of those that were written together.
        first: u64,
        /// The last one.
        last: u64,
        /// What is wrong.
        why: String,
    },
    /// The backend failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Changes as the subject of a sentence.
fn named(first: u64, last: u64) -> String {
    if first == last { format!("change {last} is") } else { format!("the changes {first} to {last} are") }
}

/// Refuses a batch whose revisions do not follow `last`, the last that is recorded, without a gap.
fn check_follows(batch: &[ChangeSet], mut last: u64) -> Result<(), String> {
    for change in batch {
        if change.revision != last + 1 {
            return Err(format!(
                "revision {} does not follow revision {last}, the last that is recorded",
                change.revision
            ));
        }
        last = change.revision;
    }
    Ok(())
}

/// Why a batch was not committed.
#[derive(Debug)]
pub enum CommitError {
    /// Certainly nothing was recorded.
    Failed(StoreError),
    /// It cannot be told yet whether the batch was recorded. The next turn tells it, among what was missed.
    Unknown(StoreError),
    /// It cannot be told, and nothing that this process does will tell it.
    Lost(StoreError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "nothing was recorded: {error}"),
            Self::Unknown(error) | Self::Lost(error) => {
                write!(f, "it is not known whether the batch was recorded: {error}")
            }
        }
    }
}

impl std::error::Error for CommitError {}

//! The use cases: start, finish, Servers, Environments, and the questions asked of the graph.
//!
//! Planning happens on the caller's thread, against the published Catalog. What is to be recorded goes to the one
//! `committer`, which decides it anew against its working copy, writes a batch of it durably, publishes, and only then
//! answers.

mod ask;
mod clock;
mod committer;
mod error;
mod finish;
mod follower;
mod health;
mod names;
mod plan;
mod pool;
mod published;
mod queries;
mod servers;
mod start;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use uuid::Uuid;

pub use ask::{Part, Question};
pub use clock::{Clock, ClockError, check_clock, system_clock};
pub use error::AppError;
pub use finish::FinishRequest;
pub use names::{Beginning, NamedDetail, NamedKind, Requirers};
pub use plan::{PlanAnswer, PlanRows};
pub use pool::{Pool, PoolLimits, Size};
pub use queries::{Attempts, ComponentDetail, Listed};
pub use start::{Proposal, ReadStart, StartOutcome, StartRequest};

use crate::catalog::Catalog;
use crate::lifecycle::{ChangeSettings, Command, Moment};
use crate::model::limits::QUESTIONS;
use crate::model::{ComponentId, DeploymentId, LeaseToken, PlanId, Settings};
use crate::store::{Store, StoreError};
use committer::Committer;
use follower::Follower;
use published::Published;

/// The application: one for a process.
pub struct App {
    store: Arc<dyn Store>,
    published: Arc<Published>,
    committer: Committer,
    /// Absent where nobody else writes to the store.
    follower: Option<Follower>,
    /// So many questions of the graph are answered at once.
    askers: Arc<Semaphore>,
    pool: Pool,
}

/// How the application goes about it. None of this changes answers.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often a store that others write to is looked at.
    pub follow: Duration,
    /// How many commands are recorded in one durable commit, at most.
    pub batch: usize,
    /// How often it is looked whether the store can be used: what is wrong with it shows so long after, where nobody writes.
    pub probe: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { follow: Duration::from_millis(200), batch: 512, probe: Duration::from_secs(1) }
    }
}

/// Settings that a process is started with: those given are wished for, the others are as recorded.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field is the setting of that name")]
pub struct SettingsWish {
    pub quantifier_dialect: Option<crate::model::Dialect>,
    pub first_deployment: Option<crate::model::FirstDeployment>,
    pub max_requires: Option<u32>,
    pub max_matches: Option<u32>,
    pub max_plan_bytes: Option<u32>,
    pub max_comparisons: Option<u32>,
    pub max_depth: Option<u32>,
    pub finish_needs_token: Option<bool>,
}

/// Why the application cannot run.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings wished for are not those recorded.
    #[error(
        "this process was started with other settings than the store was: {}; see `mortise settings show`, and change them with `mortise settings set`",
        crate::wire::settings_difference(recorded, wished)
    )]
    OtherSettings {
        /// Those that the store has.
        recorded: Settings,
        /// Those that the process was started with.
        wished: Settings,
    },
    /// The first settings could not be recorded.
    #[error("the settings could not be recorded: {0}")]
    NotRecorded(String),
}

impl SettingsWish {
    /// These settings, laid over `base`.
    pub fn over(&self, base: &Settings) -> Settings {
        Settings {
            quantifier_dialect: self.quantifier_dialect.unwrap_or(base.quantifier_dialect),
            first_deployment: self.first_deployment.unwrap_or(base.first_deployment),
            max_requires: self.max_requires.unwrap_or(base.max_requires),
            max_matches: self.max_matches.unwrap_or(base.max_matches),
            max_plan_bytes: self.max_plan_bytes.unwrap_or(base.max_plan_bytes),
            max_comparisons: self.max_comparisons.unwrap_or(base.max_comparisons),
            max_depth: self.max_depth.unwrap_or(base.max_depth),
            finish_needs_token: self.finish_needs_token.unwrap_or(base.finish_needs_token),
        }
    }
}

impl App {
    /// Loads the newest state, and begins to take requests. Blocks while it loads.
    ///
    /// # Errors
    /// [`OpenError`] where the store cannot be read, or was set up with other settings than those wished for.
    pub fn open(store: Arc<dyn Store>, wish: &SettingsWish, clock: Clock, pace: Pace) -> Result<Self, OpenError> {
        let mut catalog = store.load()?;
        // Where two processes come to an empty store at once, the second one finds the settings of the first.
        record_settings(store.as_ref(), &mut catalog, &clock, |recorded| {
            recorded.is_none().then(|| wish.over(&Settings::default()))
        })?;
        let recorded = Self::settings(&catalog);
        let wished = wish.over(&recorded);
        if wished != recorded {
            return Err(OpenError::OtherSettings { recorded, wished });
        }
        let published = Arc::new(Published::new(catalog));
        let committer = Committer::start(store.clone(), published.clone(), clock, pace);
        let follower = Follower::start(store.clone(), published.clone(), pace.follow);
        let askers = Arc::new(Semaphore::new(QUESTIONS));
        let pool = Pool::new(PoolLimits::default());
        Ok(Self { store, published, committer, follower, askers, pool })
    }

    /// Where work is done that may take long.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The newest durable state that this process knows.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.published.load()
    }

    /// Waits until this process knows everything that was recorded before, by whomever.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the store does not answer.
    pub async fn catch_up(&self) -> Result<(), AppError> {
        match &self.follower {
            None => Ok(()),
            Some(follower) => follower.catch_up().await.map_err(AppError::Unavailable),
        }
    }

    /// What `look` finds in the Catalog, where it finds nothing once more: another process may have recorded it a moment ago.
    async fn found_at_last<T>(&self, look: impl AsyncFn() -> Result<T, AppError>) -> Result<T, AppError> {
        match look().await {
            Err(AppError::NotFound { .. }) if self.follower.is_some() => {
                self.catch_up().await?;
                look().await
            }
            known => known,
        }
    }

    /// Whether requests can be recorded now.
    ///
    /// # Errors
    /// Why not.
    pub fn readiness(&self) -> Result<(), String> {
        self.committer.readiness(self.store.is_shared())?;
        self.follower.as_ref().map_or(Ok(()), Follower::contact)
    }

    /// What whoever runs the store should mend about it, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        self.store.warnings()
    }

    /// Finishes what was accepted, and closes the store. Requests after it are answered `unavailable`.
    pub fn close(&self) {
        self.committer.stop();
        if let Some(follower) = &self.follower {
            follower.stop();
        }
        self.store.close(&self.published.load());
    }

    /// The settings that a Catalog answers by.
    pub fn settings(catalog: &Catalog) -> Settings {
        catalog.settings().cloned().unwrap_or_default()
    }

    /// Reads from the store what may be large, once it is this reading's turn.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let store = self.store.clone();
        self.pool.read(move || read(store.as_ref())).await
    }

    /// Runs what blocks on a thread that may.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(store.as_ref())).await;
        done.map_err(|error| AppError::internal("a task failed", &error))
    }
}

/// Records what `choose` makes of the recorded settings as a change of their own, before any request is taken; nothing where
/// it makes nothing, or nothing new. `catalog` is brought up to date with the store.
///
/// # Errors
/// [`OpenError::NotRecorded`] where that fails.
pub fn record_settings(
    store: &dyn Store,
    catalog: &mut Catalog,
    clock: &Clock,
    choose: impl Fn(Option<&Settings>) -> Option<Settings>,
) -> Result<(), OpenError> {
    let recorded = store.commit(catalog.revision(), &mut |turn| {
        turn.missed.iter().for_each(|change| catalog.apply(change));
        let Some(settings) = choose(catalog.settings()) else { return Vec::new() };
        let time = turn.now.unwrap_or_else(|| clock()).max(catalog.time());
        let Ok(decision) = ChangeSettings { settings }.decide(Moment { catalog, time });
        decision.steps.into_iter().map(|step| committer::change(catalog, time, step)).collect()
    });
    let recorded = recorded.map_err(|error| OpenError::NotRecorded(error.to_string()))?;
    recorded.iter().for_each(|change| catalog.apply(change));
    Ok(())
}

fn new_component() -> ComponentId {
    ComponentId(Uuid::now_v7())
}

fn new_deployment() -> DeploymentId {
    DeploymentId(Uuid::now_v7())
}

fn new_plan() -> PlanId {
    PlanId(Uuid::now_v7())
}

fn new_token() -> LeaseToken {
    LeaseToken(Uuid::new_v4().simple().to_string())
}

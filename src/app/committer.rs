//! The committer: the one thread that decides what is recorded, batch by batch.
//!
//! It takes every command that waits, decides each against a working copy of the Catalog, writes all of it in one durable
//! commit, publishes the copy, and only then answers. A command alone is committed at once: there is no timer. Where others
//! write to the same store, what they recorded meanwhile is applied first, inside of the same turn to write.
//!
//! A batch that fails drops the copy. One whose outcome is not known yet is answered so, and the next turn learns it; one
//! whose outcome can never be known ends the process, rather than letting memory and disk differ.
//!
//! Between the batches it looks now and then whether the store can be used, so that this is known where nobody writes either.

mod job;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use uuid::Uuid;

pub(super) use job::NotRecorded;
use job::{Job, Waiting};

use super::Pace;
use super::clock::{Clock, ClockError};
use super::health::{Failed, Health};
use super::published::Published;
use crate::catalog::Catalog;
use crate::lifecycle::{Command, Moment, Step};
use crate::model::{ChangeSet, Timestamp};
use crate::store::{CommitError, Store, Turn, spawn_vital};

/// About how many bytes are recorded in one batch, at most; a command that has more is a batch of its own.
const BATCH_BYTES: usize = 4 << 20;

/// The handle to the committer's thread.
pub struct Committer {
    queue: Arc<Queue>,
    health: Arc<Health>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

// A mutex with a condition variable: channels that spin while they hand over cost milliseconds on busy cores.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Box<dyn Job>>,
    stopped: bool,
}

/// The next ChangeSet after `catalog`, with an identity of its own.
pub(super) fn change(catalog: &Catalog, time: Timestamp, step: Step) -> ChangeSet {
    let Step { cause, actor, rows, beside } = step;
    ChangeSet { revision: catalog.revision() + 1, id: Uuid::now_v7(), time, cause, actor, rows, beside }
}

impl Committer {
    /// Starts the thread, which decides up to `pace.batch` commands at once.
    pub fn start(store: Arc<dyn Store>, published: Arc<Published>, clock: Clock, pace: Pace) -> Self {
        let (queue, health) = (Arc::new(Queue::default()), Arc::new(Health::default()));
        let probed = Cell::new(Instant::now());
        let worker = Worker { queue: queue.clone(), health: health.clone(), store, published, clock, pace, probed };
        let thread = spawn_vital("committer", move || worker.run());
        let thread = thread.expect("a thread can be started when the process starts");
        Self { queue, health, thread: Mutex::new(Some(thread)) }
    }

    /// Gives a command, and waits until it is durable or refused.
    ///
    /// # Errors
    /// [`NotRecorded`].
    pub async fn commit<C>(&self, command: Arc<C>) -> Result<C::Answer, NotRecorded<C::Refusal>>
    where
        C: Command<Answer: Send, Refusal: Send> + Send + Sync + 'static,
    {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.queue.lock();
            if state.stopped {
                return Err(NotRecorded::Unavailable("the server is shutting down".to_owned()));
            }
            state.waiting.push(Box::new(Waiting::new(command, reply)));
        }
        self.queue.arrived.notify_one();
        let ended = || NotRecorded::Unavailable("the committer has ended".to_owned());
        answer.await.map_err(|_| ended())?.answer()
    }

    /// Whether commands can be recorded now, in a store that others write to too, or in one of its own.
    ///
    /// # Errors
    /// Why not.
    pub fn readiness(&self, is_shared: bool) -> Result<(), String> {
        if self.queue.lock().stopped {
            return Err("nothing can be recorded any more".to_owned());
        }
        self.health.check(is_shared)
    }

    /// Commits what waits, and ends the thread.
    pub fn stop(&self) {
        self.queue.lock().stopped = true;
        self.queue.arrived.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the committer ended in a panic");
        }
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses every job that waits: a database that is away would let them wait as long again.
    fn refuse(&self, why: &str) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        waiting.into_iter().for_each(|job| job.fail(&Failure::Failed(why.to_owned())));
    }

    /// The jobs that wait, up to `most` and to [`BATCH_BYTES`]: none where none came within `time`, `None` when there is none and
    /// there will be none.
    fn take(&self, most: usize, time: Duration) -> Option<Vec<Box<dyn Job>>> {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.stopped;
        let waited = self.arrived.wait_timeout_while(self.lock(), time, is_idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return if state.stopped { None } else { Some(Vec::new()) };
        }
        // A batch of large sets would hold others up for longer than anybody waits.
        let mut bytes = 0;
        let fits = state.waiting.iter().take(most).take_while(|job| {
            bytes += job.bytes();
            bytes <= BATCH_BYTES
        });
        let count = fits.count().max(1);
        let rest = state.waiting.split_off(count);
        Some(std::mem::replace(&mut state.waiting, rest))
    }
}

struct Worker {
    queue: Arc<Queue>,
    health: Arc<Health>,
    store: Arc<dyn Store>,
    published: Arc<Published>,
    clock: Clock,
    pace: Pace,
    /// When it was looked last whether the store can be used.
    probed: Cell<Instant>,
}

impl Worker {
    fn run(&self) {
        while let Some(jobs) = self.queue.take(self.pace.batch.max(1), self.pace.probe) {
            if !jobs.is_empty() {
                self.health.begin();
                self.batch(jobs);
                self.health.end();
            }
            if self.probed.get().elapsed() >= self.pace.probe {
                self.probe();
            }
        }
    }

    /// Looks whether the store can be used. One that others write to is looked at by the follower, until a batch fails.
    fn probe(&self) {
        if !self.store.is_shared() || self.health.is_failing() {
            self.health.begin();
            match self.store.probe() {
                Ok(()) => self.health.succeed(),
                Err(error) => self.fail(Failed::Probe, &error.to_string()),
            }
            self.health.end();
        }
        self.probed.set(Instant::now());
    }

    /// Tells that something came to nothing.
    fn fail(&self, failed: Failed, error: &str) {
        self.health.fail(failed, error);
        // Whatever it finds, a look comes a while later, so that whoever asks meanwhile is told of the failure.
        self.probed.set(Instant::now());
        if self.store.is_shared() {
            self.queue.refuse(error);
        }
    }

    /// Commits what can be recorded of it, and answers all.
    fn batch(&self, jobs: Vec<Box<dyn Job>>) {
        let mut batch = Batch::new(jobs, Catalog::clone(&self.published.load()));
        let known = batch.base.revision();
        let committed = self.store.commit(known, &mut |turn| batch.decide(turn, &self.clock));
        let committed = committed.map_err(Failure::of).and_then(|changes| match batch.clock {
            Ok(()) => Ok(changes),
            Err(error) => Err(Failure::Failed(error.to_string())),
        });
        if matches!(&committed, Ok(changes) if !changes.is_empty()) {
            let published = Arc::new(batch.working);
            self.published.offer(published.clone());
            self.store.offer_snapshot(&published);
        } else if batch.base.revision() > known {
            self.published.offer(Arc::new(batch.base));
        }
        match committed {
            Ok(changes) => {
                let mut changes = changes.into_iter();
                for job in batch.jobs {
                    let recorded = changes.by_ref().take(job.steps()).collect();
                    job.answer(recorded);
                }
            }
            Err(failure) => {
                // Before the answers: whoever has read one is told so by the readiness too.
                match &failure {
                    Failure::Failed(error) => self.fail(Failed::Batch, error),
                    Failure::Unknown(error) => self.fail(Failed::Unknown, error),
                }
                batch.jobs.into_iter().for_each(|job| job.fail(&failure));
            }
        }
    }
}

/// Commands that are decided together.
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    /// What is durable, as far as it is known.
    base: Catalog,
    /// The same, with all that was decided.
    working: Catalog,
    /// Whether what said the time can be right: nothing is decided otherwise.
    clock: Result<(), ClockError>,
}

impl Batch {
    fn new(jobs: Vec<Box<dyn Job>>, base: Catalog) -> Self {
        Self { jobs, working: base.clone(), base, clock: Ok(()) }
    }

    /// Decides every command in order; where this is not the first turn, anew.
    fn decide(&mut self, turn: Turn<'_>, clock: &Clock) -> Vec<ChangeSet> {
        turn.missed.iter().for_each(|change| self.base.apply(change));
        let mut working = self.base.clone();
        let now = turn.now.unwrap_or_else(|| clock());
        self.clock = if now.is_beyond_writing() { Err(ClockError::TooLate) } else { Ok(()) };
        if self.clock.is_err() {
            return Vec::new();
        }
        let time = now.max(working.time());
        let mut changes = Vec::with_capacity(self.jobs.len());
        for job in &mut self.jobs {
            // One command that hits a fault of ours must not take the others with it; deciding changes nothing.
            let moment = Moment { catalog: &working, time };
            let steps = catch_unwind(AssertUnwindSafe(|| job.decide(moment))).unwrap_or_default();
            for step in steps {
                let change = change(&working, time, step);
                working.apply(&change);
                changes.push(change);
            }
        }
        self.working = working;
        changes
    }
}

/// Why a batch was not recorded, or not certainly.
enum Failure {
    Failed(String),
    Unknown(String),
}

impl Failure {
    fn of(error: CommitError) -> Self {
        match error {
            CommitError::Failed(error) => Self::Failed(error.to_string()),
            CommitError::Unknown(error) => Self::Unknown(error.to_string()),
            CommitError::Lost(error) => {
                tracing::error!(%error, "ending the process: what is in memory and what is on the disk may differ");
                std::process::exit(2);
            }
        }
    }
}

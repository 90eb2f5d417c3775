//! The committer: the one thread that decides what is recorded, batch by batch.
//!
//! It takes every command that waits, decides each against a working copy of the Catalog, writes all of it in one durable
//! commit, publishes the copy, and only then answers. A command alone is committed at once: there is no timer. Where others
//! write to the same store, what they recorded meanwhile is applied first, inside of the same turn to write.
//!
//! A batch that fails drops the copy. One whose outcome is not known yet is answered so, and the next turn learns it; one
//! whose outcome can never be known ends the process, rather than letting memory and disk differ.

mod job;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use uuid::Uuid;

pub(super) use job::NotRecorded;
use job::{Job, Waiting};

use super::published::Published;
use crate::catalog::Catalog;
use crate::lifecycle::{Command, Moment, Step};
use crate::model::{ChangeSet, Timestamp};
use crate::store::{CommitError, Store, Turn};

/// What says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// About how many bytes are recorded in one batch, at most; a command that has more is a batch of its own.
const BATCH_BYTES: usize = 4 << 20;

/// The handle to the committer's thread.
pub struct Committer {
    queue: Arc<Queue>,
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
    /// Starts the thread, which decides up to `batch` commands at once.
    pub fn start(store: Arc<dyn Store>, published: Arc<Published>, clock: Clock, batch: usize) -> Self {
        let queue = Arc::new(Queue::default());
        let worker =
            Worker { queue: queue.clone(), store, published, clock, batch: batch.max(1), is_failing: Cell::new(false) };
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || worker.run());
        let thread = thread.expect("a thread can be started when the process starts");
        Self { queue, thread: Mutex::new(Some(thread)) }
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

    pub fn is_running(&self) -> bool {
        !self.queue.lock().stopped
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

    /// The jobs that wait, up to `most` and to [`BATCH_BYTES`]; `None` when there is none and there will be none.
    fn take(&self, most: usize) -> Option<Vec<Box<dyn Job>>> {
        let waiting = self.arrived.wait_while(self.lock(), |state| state.waiting.is_empty() && !state.stopped);
        let mut state = waiting.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return None;
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
    store: Arc<dyn Store>,
    published: Arc<Published>,
    clock: Clock,
    batch: usize,
    /// Whether the last batch could not be recorded.
    is_failing: Cell<bool>,
}

impl Worker {
    fn run(&self) {
        let guard = StopOnPanic(&self.queue);
        while let Some(jobs) = self.queue.take(self.batch) {
            let failure = self.batch(jobs);
            self.tell(failure.as_ref());
            if let Some(Failure::Failed(error) | Failure::Unknown(error)) = failure
                && self.store.is_shared()
            {
                self.queue.refuse(&error);
            }
        }
        std::mem::forget(guard);
    }

    /// Tells the log of the first of several failures, and of the end of them.
    fn tell(&self, failure: Option<&Failure>) {
        let is_first = self.is_failing.replace(failure.is_some()) != failure.is_some();
        match failure {
            Some(Failure::Failed(error)) if is_first => {
                tracing::error!(
                    error,
                    "nothing can be recorded: a batch could not be committed, and nothing of it is recorded"
                );
            }
            Some(Failure::Unknown(error)) => tracing::error!(error, "it is not known yet whether a batch was recorded"),
            Some(Failure::Failed(error)) => tracing::debug!(error, "a batch could not be committed"),
            None if is_first => tracing::info!("batches are recorded again"),
            None => {}
        }
    }

    /// Commits what can be recorded of it, and answers all; why not, where that failed.
    fn batch(&self, jobs: Vec<Box<dyn Job>>) -> Option<Failure> {
        let mut batch = Batch::new(jobs, Catalog::clone(&self.published.load()));
        let known = batch.base.revision();
        let committed = self.store.commit(known, &mut |turn| batch.decide(turn, &self.clock));
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
                None
            }
            Err(error) => {
                let failure = Failure::of(error);
                batch.jobs.into_iter().for_each(|job| job.fail(&failure));
                Some(failure)
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
}

impl Batch {
    fn new(jobs: Vec<Box<dyn Job>>, base: Catalog) -> Self {
        Self { jobs, working: base.clone(), base }
    }

    /// Decides every command in order; where this is not the first turn, anew.
    fn decide(&mut self, turn: Turn<'_>, clock: &Clock) -> Vec<ChangeSet> {
        turn.missed.iter().for_each(|change| self.base.apply(change));
        let mut working = self.base.clone();
        let time = turn.now.unwrap_or_else(|| clock()).max(working.time());
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

/// Lets nobody wait for a committer that is no more.
struct StopOnPanic<'a>(&'a Queue);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.stopped = true;
        let failure = Failure::Failed("the committer has ended".to_owned());
        state.waiting.drain(..).for_each(|job| job.fail(&failure));
    }
}

//! The committer: the one thread that decides what is recorded, batch by batch.
//!
//! It takes every command that waits, decides each against a working copy of the Catalog, writes all of it in one durable
//! commit, publishes the copy, and only then answers. A command alone is committed at once: there is no timer. Where others
//! write to the same store, what they recorded meanwhile is applied first, inside of the same turn to write.
//!
//! A batch that fails drops the copy. One whose outcome is not known yet is answered so, and the next turn learns it; one
//! whose outcome can never be known ends the process, rather than letting memory and disk differ.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::Command;
use super::decide::{Answer, Decision, Refusal};
use super::published::Published;
use crate::catalog::Catalog;
use crate::model::{Cause, ChangeSet, Row, Timestamp};
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
    waiting: Vec<Job>,
    stopped: bool,
}

struct Job {
    command: Command,
    reply: oneshot::Sender<Decided>,
}

/// What became of a command.
pub(super) type Decided = Result<Done, Refused>;

/// A command that is durable. What it was made of goes back to the thread that made it: freeing it there is cheaper.
pub(super) struct Done {
    pub answer: Answer,
    pub command: Command,
    /// What was recorded, where anything was.
    #[expect(dead_code, reason = "it is handed back only to be freed")]
    pub change: Option<ChangeSet>,
}

/// A refusal, and the command, so that it can be given again.
pub(super) struct Refused {
    pub refusal: Refusal,
    /// Absent where the committer ended while it had it.
    pub command: Option<Command>,
}

/// A ChangeSet with an identity of its own.
pub(super) fn change(revision: u64, time: Timestamp, cause: Cause, actor: Option<String>, rows: Vec<Row>) -> ChangeSet {
    ChangeSet { revision, id: Uuid::now_v7(), time, cause, actor, rows }
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
    pub(super) async fn commit(&self, command: Command) -> Decided {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.queue.lock();
            if state.stopped {
                return Err(Refused::unavailable(Some(command), "the server is shutting down"));
            }
            state.waiting.push(Job { command, reply });
        }
        self.queue.arrived.notify_one();
        answer.await.unwrap_or_else(|_| Err(Refused::unavailable(None, "the committer has ended")))
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

impl Refused {
    fn unavailable(command: Option<Command>, why: &str) -> Self {
        Self { refusal: Refusal::Unavailable(why.to_owned()), command }
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses every job that waits: a database that is away would let them wait as long again.
    fn refuse(&self, why: &str) {
        for Job { command, reply } in std::mem::take(&mut self.lock().waiting) {
            drop(reply.send(Err(Refused::unavailable(Some(command), why))));
        }
    }

    /// The jobs that wait, up to `most` and to [`BATCH_BYTES`]; `None` when there is none and there will be none.
    fn take(&self, most: usize) -> Option<Vec<Job>> {
        let waiting = self.arrived.wait_while(self.lock(), |state| state.waiting.is_empty() && !state.stopped);
        let mut state = waiting.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return None;
        }
        // A batch of large sets would hold others up for longer than anybody waits.
        let mut bytes = 0;
        let fits = state.waiting.iter().take(most).take_while(|job| {
            bytes += job.command.bytes();
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
    fn batch(&self, jobs: Vec<Job>) -> Option<Failure> {
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
        let (changes, failure) = match committed {
            Ok(changes) => (changes, None),
            Err(error) => (Vec::new(), Some(Failure::of(error))),
        };
        let mut changes = changes.into_iter();
        // A turn that never came decided nothing.
        let mut decided = batch.decided.into_iter();
        for (command, reply) in batch.commands {
            let answer = match (&failure, decided.next().unwrap_or(Err(Refusal::Fault))) {
                (None, Ok((answer, is_recorded))) => {
                    let change = if is_recorded { changes.next() } else { None };
                    Ok(Done { answer, command, change })
                }
                (None, Err(refusal)) => Err(Refused { refusal, command: Some(command) }),
                // Even a refusal may rest on what the batch would have recorded.
                (Some(failure), decided) => {
                    let is_recorded = matches!(decided, Ok((_, true)));
                    Err(Refused { refusal: failure.refusal(is_recorded), command: Some(command) })
                }
            };
            // A caller that has gone away does not wait for its answer; what was recorded stays.
            drop(reply.send(answer));
        }
        failure
    }
}

/// What is decided of a command: its answer, and whether anything is recorded for it.
type Decisions = Vec<Result<(Answer, bool), Refusal>>;

/// Commands that are decided together.
struct Batch {
    commands: Vec<(Command, oneshot::Sender<Decided>)>,
    /// What is durable, as far as it is known.
    base: Catalog,
    /// The same, with all that was decided.
    working: Catalog,
    /// In the order of the commands; empty until they were decided.
    decided: Decisions,
}

impl Batch {
    fn new(jobs: Vec<Job>, base: Catalog) -> Self {
        let commands = jobs.into_iter().map(|Job { command, reply }| (command, reply)).collect();
        Self { commands, working: base.clone(), base, decided: Vec::new() }
    }

    /// Decides every command in order; where this is not the first turn, anew.
    fn decide(&mut self, turn: Turn<'_>, clock: &Clock) -> Vec<ChangeSet> {
        turn.missed.iter().for_each(|change| self.base.apply(change));
        let mut working = self.base.clone();
        let time = turn.now.unwrap_or_else(|| clock()).max(working.time());
        let mut changes = Vec::with_capacity(self.commands.len());
        self.decided.clear();
        for (command, _) in &mut self.commands {
            // One command that hits a fault of ours must not take the others with it; deciding changes nothing.
            let decided = catch_unwind(AssertUnwindSafe(|| command.decide(&working, time)));
            let decided = decided.unwrap_or_else(|_| Err(Refusal::Fault)).map(|Decision { rows, answer }| {
                let is_recorded = !rows.is_empty();
                if is_recorded {
                    let (actor, cause) = (command.actor().cloned(), command.cause());
                    let change = change(working.revision() + 1, time, cause, actor, rows);
                    working.apply(&change);
                    changes.push(change);
                }
                (answer, is_recorded)
            });
            self.decided.push(decided);
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

    fn refusal(&self, is_recorded: bool) -> Refusal {
        match self {
            Self::Unknown(error) if is_recorded => Refusal::OutcomeUnknown(error.clone()),
            Self::Unknown(error) | Self::Failed(error) => Refusal::Unavailable(error.clone()),
        }
    }
}

/// Lets nobody wait for a committer that is no more.
struct StopOnPanic<'a>(&'a Queue);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.stopped = true;
        for Job { command, reply } in state.waiting.drain(..) {
            drop(reply.send(Err(Refused::unavailable(Some(command), "the committer has ended"))));
        }
    }
}

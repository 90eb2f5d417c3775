//! The follower: learns what other processes recorded in the same store.
//!
//! One thread looks at the head again and again, and at once where somebody waits for it. Everybody who waits is answered by
//! a look that began after they came: whatever was recorded before they asked, they know then. A store that nobody else
//! writes to is not followed.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::published::Published;
use crate::catalog::Catalog;
use crate::store::{Store, StoreError, spawn_vital};

/// How many changes are read at once.
const CHANGES: usize = 256;
/// How often the store is asked at least whether it is there.
const CONTACT: Duration = Duration::from_secs(1);
/// After which time without an answer of the store it counts as away.
const AWAY: Duration = Duration::from_secs(3);

/// The handle to the follower's thread.
pub(super) struct Follower {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    asked: Condvar,
}

struct State {
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    stopped: bool,
    /// When the store answered last.
    answered: Instant,
    /// What it said since, or did not.
    error: Option<String>,
}

impl Follower {
    /// Follows `store` every `interval`; `None` for a store that nobody else writes to.
    pub fn start(store: Arc<dyn Store>, published: Arc<Published>, interval: Duration) -> Option<Self> {
        if !store.is_shared() {
            return None;
        }
        let state = State { waiting: Vec::new(), stopped: false, answered: Instant::now(), error: None };
        let shared = Arc::new(Shared { state: Mutex::new(state), asked: Condvar::new() });
        let worker = shared.clone();
        let run = move || worker.run(store.as_ref(), &published, interval);
        let thread = spawn_vital("follower", run);
        let thread = thread.expect("a thread can be started when the process starts");
        Some(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Waits until everything is known that was recorded before.
    ///
    /// # Errors
    /// Why the store could not be asked.
    pub async fn catch_up(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        self.shared.lock().waiting.push(reply);
        self.shared.asked.notify_one();
        answer.await.unwrap_or_else(|_| Err("the server is shutting down".to_owned()))
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// Why it counts as away.
    pub fn contact(&self) -> Result<(), String> {
        let state = self.shared.lock();
        if state.answered.elapsed() < AWAY {
            return Ok(());
        }
        Err(state.error.clone().unwrap_or_else(|| "the store does not answer".to_owned()))
    }

    /// Ends the thread, once it is done with what it is doing.
    pub fn stop(&self) {
        self.shared.lock().stopped = true;
        self.shared.asked.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the follower ended in a panic");
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, store: &dyn Store, published: &Published, interval: Duration) {
        let mut last_look = Instant::now();
        loop {
            let state = self.lock();
            let idle = |state: &mut State| state.waiting.is_empty() && !state.stopped;
            let woken = self.asked.wait_timeout_while(state, interval.min(CONTACT), idle);
            let (mut state, _) = woken.unwrap_or_else(PoisonError::into_inner);
            if state.stopped {
                return;
            }
            let mut waiting = std::mem::take(&mut state.waiting);
            drop(state);
            if waiting.is_empty() && last_look.elapsed() < interval {
                self.remember(&store.head().map(drop).map_err(|error| error.to_string()));
                continue;
            }
            last_look = Instant::now();
            let looked = catch_up(store, published).map_err(|error| error.to_string());
            self.remember(&looked);
            if looked.is_err() {
                // Whoever came meanwhile need not wait for as long again to be told the same.
                waiting.append(&mut self.lock().waiting);
            }
            for reply in waiting {
                // One that has gone away does not wait for it.
                drop(reply.send(looked.clone()));
            }
        }
    }

    fn remember(&self, looked: &Result<(), String>) {
        let mut state = self.lock();
        match looked {
            Ok(()) => {
                if state.error.take().is_some() {
                    tracing::info!("the store answers again");
                }
                state.answered = Instant::now();
            }
            Err(error) => {
                if state.error.is_none() {
                    tracing::warn!(error, "the store does not answer; asking again");
                }
                state.error = Some(error.clone());
            }
        }
    }
}

/// Applies what was recorded after the published Catalog, and publishes it.
fn catch_up(store: &dyn Store, published: &Published) -> Result<(), StoreError> {
    loop {
        let known = published.load();
        let missed = store.changes_after(known.revision(), CHANGES)?;
        if missed.is_empty() {
            return Ok(());
        }
        let mut newer = Catalog::clone(&known);
        missed.iter().for_each(|change| newer.apply(change));
        published.offer(Arc::new(newer));
        if missed.len() < CHANGES {
            return Ok(());
        }
    }
}

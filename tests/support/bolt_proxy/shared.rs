//! What the threads of a proxy share, and how they wait for one another.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::State;

/// The state of a proxy, and word of every change of it.
#[derive(Debug, Default)]
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// Changes the state, and wakes whoever waits for a change.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// What the state is now.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    /// Waits until this is so.
    pub fn wait(&self, so: impl Fn(&State) -> bool) {
        drop(self.changed.wait_while(self.lock(), |state| !so(state)).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until this is so, or for so long; whether it is.
    pub fn wait_for(&self, patience: Duration, so: impl Fn(&State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !so(state));
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    // A test that fails while it holds the state must not hide its failure behind another.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

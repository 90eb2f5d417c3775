//! Reading plans from the store: a few at a time, as one may be large, or the store slow.

use tokio::sync::Semaphore;

use super::{App, AppError, Pace};
use crate::store::Store;

/// The turns of those who read plans.
pub(super) struct Reading {
    turns: Semaphore,
    pace: Pace,
}

impl Reading {
    pub fn new(pace: Pace) -> Self {
        Self { turns: Semaphore::new(pace.reads.max(1)), pace }
    }
}

impl App {
    /// Reads a plan, on a thread that may block, once it is this reading's turn.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where others read, and none of them comes to an end.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let Pace { reads, read_wait, .. } = self.reading.pace;
        let turn = tokio::time::timeout(read_wait, self.reading.turns.acquire()).await;
        let Some(_turn) = turn.ok().and_then(Result::ok) else {
            let seconds = read_wait.as_secs();
            let why = format!("{reads} plans are being read already, and it was nobody else's turn within {seconds} s");
            return Err(AppError::Unavailable(why));
        };
        self.blocking(read).await
    }
}

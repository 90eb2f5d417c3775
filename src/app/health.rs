//! Health: whether what is asked for can be recorded now, as the committer found out last.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For how long a store that nobody else writes to may be at one batch, before it counts as stuck.
const STUCK: Duration = Duration::from_secs(4);

/// What the committer tells, and whoever asks is told.
#[derive(Default)]
pub(super) struct Health(Mutex<Found>);

#[derive(Default)]
struct Found {
    trouble: Option<Trouble>,
    /// Since when the store is at something.
    busy: Option<Instant>,
}

struct Trouble {
    since: Instant,
    /// What came to nothing last.
    last: Failed,
    error: String,
    /// How many batches came to nothing.
    batches: u64,
}

/// What came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// A batch: nothing of it is recorded.
    Batch,
    /// A batch, of which it is not known yet whether it is recorded.
    Unknown,
    /// To look whether the store can be used.
    Probe,
}

impl Health {
    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests can be recorded now. Where others write to the store too, a batch may have to wait for theirs, so that one
    /// that takes long says nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, is_shared: bool) -> Result<(), String> {
        let found = self.found();
        if let Some(trouble) = &found.trouble {
            return Err(format!("nothing can be recorded: {}", trouble.error));
        }
        match found.busy.filter(|since| !is_shared && since.elapsed() >= STUCK) {
            Some(since) => Err(format!("the store has been at one batch for {} s", since.elapsed().as_secs())),
            None => Ok(()),
        }
    }

    /// The store is at something from now on.
    pub fn begin(&self) {
        self.found().busy = Some(Instant::now());
    }

    /// The store is done with it.
    pub fn end(&self) {
        self.found().busy = None;
    }

    pub fn is_failing(&self) -> bool {
        self.found().trouble.is_some()
    }

    /// Something came to nothing. The log is told of the first of several alike.
    pub fn fail(&self, failed: Failed, error: &str) {
        let mut found = self.found();
        let before = found.trouble.take();
        let (since, batches) = before.as_ref().map_or((Instant::now(), 0), |known| (known.since, known.batches));
        let batches = batches + u64::from(failed != Failed::Probe);
        found.trouble = Some(Trouble { since, last: failed, error: error.to_owned(), batches });
        drop(found);
        match failed {
            // A batch that fails while nothing can be recorded is no news, nor is a look that finds it so.
            Failed::Unknown if before.as_ref().is_some_and(|known| known.last == Failed::Unknown) => {}
            Failed::Unknown => tracing::error!(error, "it is not known yet whether a batch was recorded"),
            Failed::Batch | Failed::Probe if before.is_some() => {
                tracing::debug!(error, "still nothing can be recorded")
            }
            Failed::Batch => tracing::error!(
                error,
                "nothing can be recorded: a batch could not be committed, and nothing of it is recorded"
            ),
            Failed::Probe => tracing::error!(error, "nothing can be recorded: the store cannot be used"),
        }
    }

    /// The store can be used, or was.
    pub fn succeed(&self) {
        let Some(trouble) = self.found().trouble.take() else { return };
        let (failed_batches, seconds) = (trouble.batches, trouble.since.elapsed().as_secs());
        tracing::info!(failed_batches, seconds, "batches are recorded again");
    }
}

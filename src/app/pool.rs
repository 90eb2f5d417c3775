//! The pool: where work is done that may take longer than a thread that serves may be held.
//!
//! What is certainly small is done where it comes. The rest waits for one of a few places, of which large work has its own: however
//! much of it there is, it keeps smaller work from no place, and the system shares the processors among the threads. Whoever finds too
//! many waiting, or waits too long, is told so before anything of the work is begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::AppError;

/// How much work something is, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Some hundred microseconds at most.
    Small,
    /// Some ten milliseconds at most.
    Medium,
    /// More.
    Large,
}

/// From how many bytes on a text is no small, and no medium work to read or to write.
const BYTES: (usize, usize) = (32 * 1024, 1 << 20);

/// How many comparisons are small, and medium work.
const COMPARISONS: (usize, usize) = (25_000, 1_000_000);

impl Size {
    /// That of reading or writing so many bytes.
    pub fn of_bytes(bytes: usize) -> Self {
        match bytes {
            bytes if bytes < BYTES.0 => Self::Small,
            bytes if bytes < BYTES.1 => Self::Medium,
            _ => Self::Large,
        }
    }

    /// How many comparisons work of this size makes, where it may make `most`.
    pub fn comparisons(self, most: usize) -> usize {
        match self {
            Self::Small => most.min(COMPARISONS.0),
            Self::Medium => most.min(COMPARISONS.1),
            Self::Large => most,
        }
    }

    /// The next greater one; `None` for the greatest.
    pub fn greater(self) -> Option<Self> {
        match self {
            Self::Small => Some(Self::Medium),
            Self::Medium => Some(Self::Large),
            Self::Large => None,
        }
    }
}

/// How many of each size are done at once, how many may wait, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// How much medium work is done at once.
    pub medium: usize,
    /// How much large work is done at once.
    pub large: usize,
    /// How many plans are read from the store at once: one may be large, or the store slow.
    pub reads: usize,
    /// How much medium work, and how many reads, may wait. Of large work much less is held, and so may wait.
    pub waiting: usize,
    /// How much large work may wait.
    pub large_waiting: usize,
    /// How long it waits at most.
    pub patience: Duration,
}

impl Default for PoolLimits {
    /// Two medium ones and two reads a processor, and one large for two processors.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            medium: 2 * processors,
            large: processors.div_ceil(2),
            reads: 2 * processors,
            waiting: 4_096,
            large_waiting: 64,
            patience: Duration::from_secs(10),
        }
    }
}

/// The places.
pub struct Pool {
    medium: Lane,
    large: Lane,
    reads: Lane,
}

struct Lane {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    /// The name of the limit of how many may wait.
    limit: &'static str,
    patience: Duration,
}

impl Pool {
    /// A pool of these limits.
    pub fn new(limits: PoolLimits) -> Self {
        let PoolLimits { medium, large, reads, waiting, large_waiting, patience } = limits;
        let lane = |places, waiting, limit| Lane::new(places, waiting, limit, patience);
        Self {
            medium: lane(medium, waiting, "waiting"),
            large: lane(large, large_waiting, "large-waiting"),
            reads: lane(reads, waiting, "waiting"),
        }
    }

    /// Does `work` of a size, here or in the pool.
    ///
    /// # Errors
    /// [`AppError::Overloaded`], and then nothing of it was done.
    pub async fn run<T: Send + 'static>(
        &self,
        size: Size,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let place = match self.lane(size) {
            None => return Ok(work()),
            Some(lane) => lane.place().await?,
        };
        run(place, work).await
    }

    /// Does `work` that reads from the store.
    ///
    /// # Errors
    /// As [`Pool::run`].
    pub async fn read<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        run(self.reads.place().await?, work).await
    }

    /// Does `work` that is the end of something that was begun, however long it has to wait.
    ///
    /// # Errors
    /// [`AppError::Internal`] where it failed.
    pub async fn finish<T: Send + 'static>(
        &self,
        size: Size,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let place = match self.lane(size) {
            None => return Ok(work()),
            Some(lane) => lane.places.clone().acquire_owned().await,
        };
        run(place.expect("the places are never taken away"), work).await
    }

    fn lane(&self, size: Size) -> Option<&Lane> {
        match size {
            Size::Small => None,
            Size::Medium => Some(&self.medium),
            Size::Large => Some(&self.large),
        }
    }
}

/// Does `work` on a thread that may block, and gives the place free after it.
async fn run<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    });
    done.await.map_err(|error| AppError::internal("a task failed", &error))
}

impl Lane {
    fn new(places: usize, most_waiting: usize, limit: &'static str, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), waiting: AtomicUsize::new(0), most_waiting, limit, patience }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, AppError> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Waiting::of(&self.waiting);
        if waiting.count > self.most_waiting {
            return Err(AppError::Overloaded(format!(
                "{} requests like this are waiting (limit {})",
                self.most_waiting, self.limit
            )));
        }
        let place = tokio::time::timeout(self.patience, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| {
            let seconds = self.patience.as_secs();
            AppError::Overloaded(format!(
                "others like this took longer than {seconds} seconds (limit patience-seconds)"
            ))
        })?;
        Ok(place.expect("the places are never taken away"))
    }
}

/// Somebody who waits, and may go away.
struct Waiting<'a> {
    waiting: &'a AtomicUsize,
    count: usize,
}

impl<'a> Waiting<'a> {
    fn of(waiting: &'a AtomicUsize) -> Self {
        let count = waiting.fetch_add(1, Ordering::Relaxed) + 1;
        Self { waiting, count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

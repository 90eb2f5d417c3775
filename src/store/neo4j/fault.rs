//! What can go wrong between here and the database, told apart by what may be done about it.

use std::fmt;
use std::time::{Duration, Instant};

use crate::store::StoreError;

/// Why a piece of work came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database answered that it will not. Nothing of the transaction is kept.
    Refused {
        /// Its code, as `Neo.ClientError.…`.
        code: String,
        /// What it says.
        message: String,
    },
    /// The connection broke, or never was.
    Broken(String),
    /// It did not answer in time.
    Late(Duration),
    /// Another transaction held the head for so long.
    Held(Duration),
    /// It answered what it cannot.
    Damaged(String),
    /// What it answered of the history is not as it was written.
    DamagedChanges(StoreError),
}

impl Fault {
    /// What cannot be read.
    pub fn damaged(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(what) => Self::Damaged(what),
            damaged @ StoreError::DamagedChanges { .. } => Self::DamagedChanges(damaged),
            other => Self::Damaged(other.to_string()),
        }
    }

    /// Whether the same may go well in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            // A transaction that another replica ended, and one that a concurrent one made impossible: ArcadeDB answers the
            // latter with its own codes.
            Self::Refused { code, message } => {
                code.contains("TransientError")
                    || code.ends_with("Transaction.Terminated")
                    || code.ends_with("Transaction.TransactionTimedOut")
                    // The index of a constraint that another process makes, or made and was killed, until that is undone.
                    || code.ends_with("Schema.IndexWithNameAlreadyExists")
                    // So it says where the transaction is ended that is to tell something of itself.
                    || (code.ends_with("Procedure.ProcedureCallFailed") && message.contains("tx.setMetaData"))
                    || is_conflict(message)
            }
            Self::Broken(_) | Self::Late(_) | Self::Held(_) => true,
            Self::Damaged(_) | Self::DamagedChanges(_) => false,
        }
    }

    /// Which of two faults to tell: one that the deadline cut short says less than the one before it.
    pub fn or_when_cut_short(self, earlier: Option<Self>, step: Duration) -> Self {
        match (self, earlier) {
            (Self::Late(time), Some(earlier)) if time < step => earlier,
            (this, _) => this,
        }
    }

    /// What may be done about it where a database is used for the first time.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Refused { code, .. } if code.contains(".Security.") => {
                "look at the user in --store, and at the password there, in --store-password-file or in MORTISE_STORE_PASSWORD"
            }
            Self::Refused { code, .. } if code.ends_with(".DatabaseNotFound") => {
                "look at the name of the database in --store, which stands behind the port"
            }
            Self::Refused { .. } => "look at what the database logs",
            _ => "see whether it runs there, and look at --store and --store-timeout-seconds",
        }
    }

    /// Whether the database itself may not know whether it committed what it was told to commit.
    pub fn leaves_a_commit_open(&self) -> bool {
        match self {
            Self::Refused { code, .. } => code.contains(".DatabaseError."),
            _ => true,
        }
    }

    /// Whether the connection cannot be used again.
    pub fn breaks_the_connection(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

/// What ArcadeDB says where two transactions met, which it does not mark as transient.
fn is_conflict(message: &str) -> bool {
    ["ConcurrentModificationException", "Please retry the operation", "DuplicatedKeyException", "Duplicated key"]
        .iter()
        .any(|phrase| message.contains(phrase))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, message } => write!(f, "the database refused: {message} ({code})"),
            Self::Broken(why) => write!(f, "the database cannot be reached: {why}"),
            Self::Held(time) => {
                write!(f, "another transaction held the head of the graph for {:.1} s", time.as_secs_f64())
            }
            Self::Late(time) => write!(f, "the database did not answer within {:.1} s", time.as_secs_f64()),
            Self::Damaged(what) => f.write_str(what),
            Self::DamagedChanges(error) => error.fmt(f),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(what) => Self::Damaged(what),
            Fault::DamagedChanges(error) => error,
            other => Self::Away(other.to_string()),
        }
    }
}

impl From<neo4rs::Error> for Fault {
    fn from(error: neo4rs::Error) -> Self {
        match error {
            neo4rs::Error::Neo4j(error) => {
                Self::Refused { code: error.code().to_owned(), message: error.message().to_owned() }
            }
            neo4rs::Error::AuthenticationError(message) => {
                Self::Refused { code: "Neo.ClientError.Security.Unauthorized".to_owned(), message }
            }
            neo4rs::Error::DeserializationError(error) => {
                Self::Damaged(format!("the database answered what cannot be read: {error}"))
            }
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<neo4rs::DeError> for Fault {
    fn from(error: neo4rs::DeError) -> Self {
        neo4rs::Error::DeserializationError(error).into()
    }
}

/// Until when a piece of work must be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The same, but not before so much time from now.
    pub fn or_after(self, time: Duration) -> Self {
        Self(self.0.max(Instant::now() + time))
    }

    /// What is left of the time.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub fn is_past(self) -> bool {
        self.left().is_zero()
    }

    /// Does `work` for no longer than `most`, and not beyond the deadline.
    pub async fn within<T, E: Into<Fault>>(
        self,
        most: Duration,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        let time = self.left().min(most);
        match tokio::time::timeout(time, work).await {
            Ok(done) => done.map_err(Into::into),
            Err(_) => Err(Fault::Late(time)),
        }
    }
}

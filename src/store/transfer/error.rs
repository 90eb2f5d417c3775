//! Why a history cannot be moved.

use std::fmt;
use std::io;

use crate::store::{CommitError, StoreError};

/// Why a history was not exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch was not committed.
    #[error(transparent)]
    Commit(CommitError),
    /// The file is there already.
    #[error("the file is there already; give another name, or --force to replace it")]
    Exists,
    /// What is there is no file that could be replaced.
    #[error("it is there and no regular file; give another name, or - for standard output")]
    NoFile,
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    Write(io::Error),
    /// The file cannot be read.
    #[error("line {line} cannot be read: {error}")]
    Read {
        /// The line.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// The file is something else.
    #[error("line 1 is not the header of an export; give a file that `mortise export` wrote")]
    NoExport,
    /// A newer version wrote the file.
    #[error("line 1 tells a newer format ({found}; this mortise knows {known}); use the version that wrote the file")]
    TooNew {
        /// Its format.
        found: u64,
        /// The newest format that is known.
        known: u64,
    },
    /// The file ends too early.
    #[error("line {line} is cut off, or missing: the file ends too early; copy it again, or export again")]
    Cut {
        /// The line.
        line: u64,
    },
    /// A line is not as it was written.
    #[error("line {line} {damage}; copy the file again, or export again")]
    Damaged {
        /// The line.
        line: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A line says what would be lost.
    #[error("line {line} says more than this mortise knows, and it would be lost; use the version that wrote the file")]
    Unfamiliar {
        /// The line.
        line: u64,
    },
    /// The store holds something else.
    #[error(
        "the store holds another history: its revision {revision}, the last, is not that of the file; import into an empty one"
    )]
    Foreign {
        /// The last revision of the store.
        revision: u64,
    },
    /// The store holds more than the file.
    #[error("the store holds {held} changes, the file only {end}; there is nothing in it to go on with")]
    Ahead {
        /// The last revision of the store.
        held: u64,
        /// The last revision of the file.
        end: u64,
    },
    /// Somebody else wrote to the store.
    #[error(
        "another process recorded revision {revision} in the store meanwhile; stop what writes to it, and import again"
    )]
    Overtaken {
        /// The revision that was to be imported next.
        revision: u64,
    },
    /// The file was right until then, and the store may hold more than before.
    #[error("the import stopped after revision {revision}; import the whole file again to go on from there")]
    Stopped {
        /// The last revision that is certainly imported.
        revision: u64,
        /// Why.
        #[source]
        cause: Box<TransferError>,
    },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is not what its checksum was made of.
    Checksum,
    /// Another revision stands there.
    Order {
        /// The revision that stands there.
        found: u64,
        /// The revision that is due.
        due: u64,
    },
    /// It is of an earlier time than the change before.
    Time,
    /// It says what an earlier line said of the same lease or key, or should stand before that.
    Repeated,
    /// It cannot be read.
    Unreadable(String),
    /// It does not say what the header says.
    Header,
    /// It follows the end.
    Surplus,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum => f.write_str("does not match its checksum"),
            Self::Order { found, due } => {
                write!(f, "holds revision {found} where {due} is due: lines are missing, repeated or swapped")
            }
            Self::Time => f.write_str("is of an earlier time than the change before it"),
            Self::Repeated => f.write_str("repeats what the line before it says, or should stand before that"),
            Self::Unreadable(why) => write!(f, "cannot be understood: {why}"),
            Self::Header => f.write_str("does not agree with the header"),
            Self::Surplus => f.write_str("follows the end of the export"),
        }
    }
}

//! Moving a history from one store to another, whatever backends they are: out into a file, and in again.
//!
//! The file is JSON Lines: a header, which names the format and says how far the history goes; one line for each ChangeSet,
//! in order, each followed by one line for every lease and key that is kept beside the history and was recorded with it; a
//! trailer with the count of ChangeSets. Every line ends with a checksum over itself and all lines before it, so that damage
//! is found at the line where it begins, and two exports whose last lines are equal are equal. Nothing in the file tells when
//! or where it was written: the same history gives the same bytes.

mod error;
mod export;
mod file;
mod import;
mod line;
mod read;

pub use error::{Damage, TransferError};
pub use export::export;
pub use file::{Existing, export_file};
pub use import::{Imported, Source, import};

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// The last revision that it is done with.
    pub revision: u64,
    /// The revision that it ends with.
    pub end: u64,
}

/// The steps of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A history is written into a file.
    Export,
    /// A file is read to its end, to see that it is whole.
    Verify,
    /// A history is written into a store.
    Import,
}

/// Is told how far a transfer is, often.
pub type Report<'a> = dyn FnMut(Progress) + 'a;

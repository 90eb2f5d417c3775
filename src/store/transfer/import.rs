//! Writing a history into a store.

use std::collections::BTreeSet;
use std::io::{BufRead, Seek};

use super::line::Owner;
use super::read::Reader;
use super::{Progress, Report, Step, TransferError};
use crate::model::ChangeSet;
use crate::store::{CommitError, Store};

/// How many changes to commit at once at most, and how many bytes of them, as far as one change has no more.
const BATCH_CHANGES: usize = 256;
const BATCH_BYTES: usize = 4 << 20;

/// An export that is to be imported.
pub struct Source<'a> {
    input: Box<dyn BufRead + 'a>,
}

impl<'a> Source<'a> {
    /// A file that was read to its end and found whole, so that a damaged one leaves every store as it is.
    ///
    /// # Errors
    /// [`TransferError`] where it cannot be read, is damaged or cut, or comes from a newer version: with the line.
    pub fn verified(mut input: impl BufRead + Seek + 'a, report: &mut Report<'_>) -> Result<Self, TransferError> {
        let mut reader = Reader::open(&mut input)?;
        let end = reader.header().to;
        while let Some((change, _)) = reader.next()? {
            report(Progress { step: Step::Verify, revision: change.revision, end });
        }
        drop(reader);
        input.rewind().map_err(|error| TransferError::Read { line: 1, error })?;
        Ok(Self { input: Box::new(input) })
    }

    /// What can be read only once. It is verified as it is read: where it is damaged, the batches before that are recorded.
    pub fn streamed(input: impl BufRead + 'a) -> Self {
        Self { input: Box::new(input) }
    }
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// How many changes it recorded; those that were there already are not among them.
    pub changes: u64,
    /// The last revision of the store.
    pub revision: u64,
}

/// Records what the source has and the store has not, with its revisions, ids and times, in batches, each all or nothing.
///
/// The store must be empty, or hold the beginning of the same history, as an import that was interrupted leaves it.
///
/// # Errors
/// [`TransferError`]; [`TransferError::Stopped`] where something was recorded before, or may have been.
pub fn import(store: &dyn Store, source: Source<'_>, report: &mut Report<'_>) -> Result<Imported, TransferError> {
    let head = store.head()?;
    let mut writer = Writer { store, head, batch: Vec::new(), bytes: 0 };
    match writer.write(source, report) {
        Ok(()) => Ok(Imported { changes: writer.head - head, revision: writer.head }),
        Err(error) if writer.head == head && !matches!(error, TransferError::Commit(_)) => Err(error),
        Err(error) => Err(TransferError::Stopped { revision: writer.head, cause: Box::new(error) }),
    }
}

struct Writer<'a> {
    store: &'a dyn Store,
    /// The last revision of the store.
    head: u64,
    /// What follows it, to be committed at once.
    batch: Vec<ChangeSet>,
    bytes: usize,
}

impl Writer<'_> {
    fn write(&mut self, source: Source<'_>, report: &mut Report<'_>) -> Result<(), TransferError> {
        let mut reader = Reader::open(source.input)?;
        let (held, end) = (self.head, reader.header().to);
        if held > end {
            return Err(TransferError::Ahead { held, end });
        }
        report(Progress { step: Step::Import, revision: held, end });
        while let Some((change, bytes)) = reader.next()? {
            match change.revision {
                revision if revision < held => {}
                revision if revision == held => self.compare(change)?,
                _ => {
                    self.bytes += bytes;
                    self.batch.push(change);
                }
            }
            if self.batch.len() == BATCH_CHANGES || self.bytes >= BATCH_BYTES {
                self.commit()?;
                report(Progress { step: Step::Import, revision: self.head, end });
            }
        }
        self.commit()?;
        report(Progress { step: Step::Import, revision: self.head, end });
        Ok(())
    }

    /// Sees to it that the last change of the store is that of the file. Ids are drawn at random: where the last change is
    /// the same, so is everything before it. Of what is kept beside, each lease and key must be there: what a lease says may
    /// have changed since.
    fn compare(&self, mut change: ChangeSet) -> Result<(), TransferError> {
        let foreign = TransferError::Foreign { revision: change.revision };
        let Some(mut last) = self.store.changes_after(change.revision - 1, 1)?.pop() else { return Err(foreign) };
        let [wanted, held] = [&mut change, &mut last].map(|change| std::mem::take(&mut change.beside));
        let held: BTreeSet<_> = held.iter().map(Owner::of).collect();
        let is_same = last == change && wanted.iter().all(|beside| held.contains(&Owner::of(beside)));
        if is_same { Ok(()) } else { Err(foreign) }
    }

    fn commit(&mut self) -> Result<(), TransferError> {
        let Some(last) = self.batch.last().map(|change| change.revision) else { return Ok(()) };
        let (next, batch) = (self.head + 1, &self.batch);
        // Whoever asks again does not tell again what was missed.
        let mut is_overtaken = false;
        let committed = self.store.commit(self.head, &mut |turn| {
            is_overtaken |= !turn.missed.is_empty();
            if is_overtaken { Vec::new() } else { batch.clone() }
        });
        match committed {
            _ if is_overtaken => Err(TransferError::Overtaken { revision: next }),
            Ok(_) => {
                self.head = last;
                self.batch.clear();
                self.bytes = 0;
                Ok(())
            }
            // A store that knows nobody else finds it out by the revision.
            Err(CommitError::Failed(_)) if self.store.head().is_ok_and(|head| head != self.head) => {
                Err(TransferError::Overtaken { revision: next })
            }
            Err(error) => Err(TransferError::Commit(error)),
        }
    }
}

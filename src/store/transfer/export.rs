//! Writing a history out.

use std::io::Write;

use super::line::{Chain, FORMAT, Header, Kind, Owner, Trailer, VERSION};
use super::{Progress, Report, Step, TransferError};
use crate::model::ChangeSet;
use crate::store::{Store, StoreError};

/// How many bytes of changes to ask a store for at once, as far as that can be guessed.
const BATCH_BYTES: usize = 4 << 20;
/// How many changes to ask it for at most: few, for the guess may be wrong, and a large set makes a change of 40 MB.
const BATCH_CHANGES: usize = 16;

/// Writes the history of `store` as it is now, and gives its last revision. What is recorded meanwhile is left out.
///
/// # Errors
/// [`TransferError`] where the store cannot be read, its history has a gap, or `output` cannot be written.
pub fn export(store: &dyn Store, output: &mut dyn Write, report: &mut Report<'_>) -> Result<u64, TransferError> {
    let to = store.head()?;
    let last = match to.checked_sub(1) {
        Some(before) => Some(store.changes_after(before, 1)?.first().ok_or_else(|| gap(to, None))?.id),
        None => None,
    };
    let mut lines = Lines { output, chain: Chain::default(), line: Vec::new() };
    lines.write(Kind::Header, &Header { format: FORMAT.to_owned(), version: VERSION, from: 1, to, last })?;
    let (mut revision, mut limit) = (0, 1);
    while revision < to {
        report(Progress { step: Step::Export, revision, end: to });
        let left = usize::try_from(to - revision).unwrap_or(usize::MAX);
        let batch = store.changes_after(revision, limit.min(left))?;
        if batch.is_empty() {
            return Err(gap(revision + 1, None).into());
        }
        let mut bytes = 0;
        for change in &batch {
            if change.revision != revision + 1 {
                return Err(gap(revision + 1, Some(change.revision)).into());
            }
            revision = change.revision;
            bytes += lines.write_change(change)?;
        }
        // As many as fit, if they are like these.
        limit = (BATCH_BYTES / (bytes / batch.len()).max(1)).clamp(1, BATCH_CHANGES);
    }
    lines.write(Kind::Trailer, &Trailer { changes: to })?;
    lines.output.flush().map_err(TransferError::Write)?;
    report(Progress { step: Step::Export, revision, end: to });
    Ok(to)
}

/// Where lines are written to.
struct Lines<'a> {
    output: &'a mut dyn Write,
    chain: Chain,
    /// The line written last, kept for its memory.
    line: Vec<u8>,
}

impl Lines<'_> {
    /// Writes a change, and what is kept beside it in lines of its own; their bytes.
    fn write_change(&mut self, change: &ChangeSet) -> Result<usize, TransferError> {
        let mut bytes = self.write(Kind::Change, change)?;
        let mut beside: Vec<_> = change.beside.iter().collect();
        beside.sort_by_key(|beside| Owner::of(beside));
        for beside in beside {
            bytes += self.write(Kind::Beside, beside)?;
        }
        Ok(bytes)
    }

    /// Writes a line; its bytes.
    fn write(&mut self, kind: Kind, content: &impl serde::Serialize) -> Result<usize, TransferError> {
        self.chain.seal(kind, content, &mut self.line);
        self.output.write_all(&self.line).map_err(TransferError::Write)?;
        Ok(self.line.len())
    }
}

fn gap(due: u64, found: Option<u64>) -> StoreError {
    let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("revision {found}"));
    StoreError::Damaged(format!("the history has {found} where revision {due} is due"))
}

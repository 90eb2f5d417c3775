//! `mortise changes`

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{Exit, escaped};
use crate::config::{Changes, Output};
use crate::document::{DocumentError, Json, JsonText, to_yaml};
use crate::model::{Cause, ChangeSet, Timestamp};
use crate::store::{Store, StoreError};

/// How many changes are read at once.
const BATCH_CHANGES: usize = 64;

/// Why changes are not shown.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The history does not go so far.
    #[error("there is no revision {asked}; {}", extent(*head))]
    NoRevision {
        /// The revision that was asked for.
        asked: u64,
        /// The last that there is; 0 where there is none.
        head: u64,
    },
    /// Standard output cannot be written.
    #[error("the changes cannot be written")]
    Output(#[from] io::Error),
}

fn extent(head: u64) -> String {
    match head {
        0 => "the history is empty".to_owned(),
        1 => "the history has revision 1 only".to_owned(),
        _ => format!("the history goes from revision 1 to {head}"),
    }
}

/// Shows one change in full, or lists changes. What is kept beside the history, tokens and keys, is not shown.
///
/// # Errors
/// [`ChangesError`].
pub fn changes(store: &dyn Store, command: &Changes) -> Result<Exit, ChangesError> {
    let head = store.head()?;
    let mut out = io::stdout().lock();
    let shown = match command.revision {
        Some(revision) => one(store, revision, head, command.output, &mut out),
        None => list(store, command, head, &mut out),
    };
    match shown.and_then(|()| Ok(out.flush()?)) {
        // Whoever read it has seen enough.
        Err(ChangesError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Yes),
        shown => shown.map(|()| Exit::Yes),
    }
}

fn one(
    store: &dyn Store,
    asked: u64,
    head: u64,
    output: Output,
    out: &mut io::StdoutLock<'_>,
) -> Result<(), ChangesError> {
    if asked == 0 || asked > head {
        return Err(ChangesError::NoRevision { asked, head });
    }
    let found = store.changes_at(&BTreeSet::from([asked]))?;
    let change = found.get(&asked).ok_or(ChangesError::NoRevision { asked, head })?;
    let text = serde_json::to_string(change).map_err(io::Error::from)?;
    let tree = || Json::parse(&text).map_err(|error| damaged(asked, &error));
    match output {
        Output::Text if out.is_terminal() => {
            serde_json::to_writer_pretty(&mut *out, &tree()?).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Output::Text | Output::Json => writeln!(out, "{text}")?,
        Output::Yaml => write!(out, "{}", to_yaml(&tree()?))?,
    }
    Ok(())
}

fn damaged(revision: u64, error: &DocumentError) -> StoreError {
    StoreError::Damaged(format!("revision {revision} cannot be read: {error}"))
}

/// What a list shows of a change.
#[derive(Serialize)]
struct Listed {
    revision: u64,
    time: Timestamp,
    cause: Cause,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
}

fn list(store: &dyn Store, command: &Changes, head: u64, out: &mut impl Write) -> Result<(), ChangesError> {
    let Changes { since, limit, output, .. } = *command;
    if since > head {
        return Err(ChangesError::NoRevision { asked: since, head });
    }
    let last = limit.map_or(head, |limit| head.min(since.saturating_add(limit)));
    // As long as the last revision, so that what follows stands in columns.
    let width = last.to_string().len();
    let mut revision = since;
    while revision < last {
        let left = usize::try_from(last - revision).unwrap_or(usize::MAX);
        let batch = store.changes_after(revision, left.min(BATCH_CHANGES))?;
        let Some(end) = batch.last() else { break };
        revision = end.revision;
        for ChangeSet { revision, time, cause, actor, .. } in batch {
            match output {
                Output::Text => {
                    let line = format!("{revision:>width$}  {time}  {:<15}  ", cause.as_str());
                    writeln!(out, "{}", escaped((line + actor.as_deref().unwrap_or_default()).trim_end()))?;
                }
                Output::Json | Output::Yaml => {
                    let listed = JsonText::of(&Listed { revision, time, cause, actor }).map_err(io::Error::from)?;
                    if output == Output::Json {
                        writeln!(out, "{}", listed.as_str())?;
                    } else {
                        write!(out, "---\n{}", to_yaml(&listed.to_json()))?;
                    }
                }
            }
        }
    }
    Ok(())
}

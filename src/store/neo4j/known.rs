//! What this process knows of the history, by which it sees that another one has taken its place: a database that was emptied,
//! or set back to an older state, and written to since.

use std::sync::{Mutex, PoisonError};

use neo4rs::Row;
use uuid::Uuid;

use super::fault::Fault;
use crate::model::ChangeSet;

/// The newest change that was read or recorded.
#[derive(Default)]
pub(super) struct Known(Mutex<Newest>);

/// A place in the history; revision 0 where nothing is known yet.
#[derive(Clone, Copy, Default)]
pub(super) struct Newest {
    pub revision: u64,
    id: Uuid,
}

impl Known {
    pub fn newest(&self) -> Newest {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the last of these changes, where it is newer.
    pub fn remember(&self, changes: &[ChangeSet]) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = changes.last().filter(|last| last.revision > newest.revision) {
            *newest = Newest { revision: last.revision, id: last.id };
        }
    }
}

impl Newest {
    /// The revision of the head, in a row that has it with the `id` of the change at this place.
    pub fn check(self, row: &Row) -> Result<u64, Fault> {
        let head: u64 = row.get("revision")?;
        let id: Option<String> = row.get("id")?;
        let is_known = head >= self.revision && id.is_some_and(|id| id == self.id.to_string());
        if self.revision == 0 || is_known {
            return Ok(head);
        }
        Err(Fault::Damaged(format!(
            "the history in the database is another one: it ends at revision {head}, and has not the revision {} that this \
             process knows; restart this process, so that it reads what is there now",
            self.revision
        )))
    }
}

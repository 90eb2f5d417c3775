//! Which Components changed a short while ago.

use super::Handle;

/// How many changes are remembered. More than any batch makes while a plan is under way.
const REMEMBERED: usize = 16_384;

/// The last changes of Components, by the revision that made them.
#[derive(Clone, Default)]
pub(super) struct Changed {
    entries: imbl::Vector<(u64, Handle)>,
    /// Of changes up to this revision some may not be remembered.
    forgotten: u64,
}

impl Changed {
    /// Remembers nothing of what was recorded up to `revision`.
    pub fn begin_at(revision: u64) -> Self {
        Self { entries: imbl::Vector::new(), forgotten: revision }
    }

    pub fn push(&mut self, revision: u64, handle: Handle) {
        if revision <= self.forgotten {
            return;
        }
        if self.entries.len() == REMEMBERED
            && let Some((oldest, _)) = self.entries.pop_front()
        {
            self.forgotten = oldest;
        }
        self.entries.push_back((revision, handle));
    }

    /// The Components that changed after `revision`, each once; `None` where some may be forgotten.
    pub fn since(&self, revision: u64) -> Option<Vec<Handle>> {
        if revision < self.forgotten {
            return None;
        }
        let newer = self.entries.iter().rev().take_while(|(changed, _)| *changed > revision);
        let mut handles: Vec<_> = newer.map(|&(_, handle)| handle).collect();
        handles.sort_unstable();
        handles.dedup();
        Some(handles)
    }
}

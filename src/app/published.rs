//! The newest durable Catalog that this process knows.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::catalog::Catalog;

/// What readers see. The committer and the follower both put newer ones in its place; an older one never replaces a newer.
pub(super) struct Published {
    newest: ArcSwap<Catalog>,
    replacing: Mutex<()>,
}

impl Published {
    pub fn new(catalog: Catalog) -> Self {
        Self { newest: ArcSwap::from_pointee(catalog), replacing: Mutex::new(()) }
    }

    /// The newest Catalog, which stays as it is.
    pub fn load(&self) -> Arc<Catalog> {
        self.newest.load_full()
    }

    /// Puts `catalog` in its place, where it is newer. Both are of one history, so that the greater revision knows all that
    /// the lesser does.
    pub fn offer(&self, catalog: Arc<Catalog>) {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        if catalog.revision() > self.newest.load().revision() {
            self.newest.store(catalog);
        }
    }
}

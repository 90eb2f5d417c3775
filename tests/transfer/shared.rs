//! A store that somebody else writes to during an import.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use mortise::catalog::Catalog;
use mortise::model::{ChangeSet, DeploymentId, PlanId, PlanRow};
use mortise::store::transfer::{Source, TransferError, import};
use mortise::store::{
    CommitError, Decide, DeploymentFilter, DeploymentPage, Ending, LocatedAttempt, Page, Query, QueryError, Store,
    StoreError, TakeRow, Turn,
};

use crate::harness::tests;
use crate::written::{Embedded, exported, history_of, long};

tests![an_import_that_is_overtaken_writes_nothing_of_the_batch];

/// A file during whose reading somebody else writes to the store.
struct Intruded<'a> {
    file: &'a [u8],
    at: usize,
    store: &'a dyn Store,
    change: Option<ChangeSet>,
}

impl Read for Intruded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == 0 {
            if let Some(change) = self.change.take() {
                self.store.append(&[change]).unwrap();
            }
            return self.file.read(buffer);
        }
        let read = (&self.file[..self.at]).read(buffer)?;
        self.file = &self.file[read..];
        self.at -= read;
        Ok(read)
    }
}

/// An import into an empty store, to which somebody else writes after the first batch, leaves that batch and nothing else.
pub fn an_import_that_is_overtaken_stops(store: &dyn Store) {
    let (changes, mut foreign) = (long(600), long(300));
    let file = exported(&*Embedded::holding(&changes));
    // As far as the third hundred changes, in about equal lines.
    let at = file.len() / 2;
    let change = foreign.swap_remove(256);
    let source = Source::streamed(BufReader::with_capacity(
        64,
        Intruded { file: &file, at, store, change: Some(change.clone()) },
    ));
    let refused = import(store, source, &mut |_| {}).unwrap_err();
    let TransferError::Stopped { revision: 256, cause } = &refused else { panic!("{refused:?}") };
    assert!(matches!(**cause, TransferError::Overtaken { revision: 257 }), "{refused:?}");
    assert_eq!(history_of(store), [&changes[..256], &[change]].concat());
}

/// The embedded store, which tells what others recorded as a database does that several share, and asks twice. It has what is
/// beside the history in another order.
pub struct Shared(pub Embedded);

impl Store for Shared {
    fn commit(&self, known: u64, decide: &mut Decide<'_>) -> Result<Vec<ChangeSet>, CommitError> {
        let missed = self.0.changes_after(known, usize::MAX).map_err(CommitError::Failed)?;
        if missed.is_empty() {
            return self.0.commit(known, decide);
        }
        // The first turn came to nothing, and the second tells nothing twice.
        let answers = [decide(Turn { missed: &missed, now: None }), decide(Turn { missed: &[], now: None })];
        assert!(answers.iter().all(Vec::is_empty), "a batch is offered that would not follow");
        Ok(Vec::new())
    }

    fn head(&self) -> Result<u64, StoreError> {
        self.0.head()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn load(&self) -> Result<Catalog, StoreError> {
        self.0.load()
    }

    fn changes_after(&self, revision: u64, limit: usize) -> Result<Vec<ChangeSet>, StoreError> {
        let mut changes = self.0.changes_after(revision, limit)?;
        changes.iter_mut().for_each(|change| change.beside.reverse());
        Ok(changes)
    }

    fn changes_at(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, StoreError> {
        self.0.changes_at(revisions)
    }

    fn located(&self, ids: &[DeploymentId]) -> Result<Vec<Option<LocatedAttempt>>, StoreError> {
        self.0.located(ids)
    }

    fn set(&self, id: PlanId) -> Result<Option<PlanRow>, StoreError> {
        self.0.set(id)
    }

    fn deployments(&self, filter: &DeploymentFilter, page: Page) -> Result<DeploymentPage, StoreError> {
        self.0.deployments(filter, page)
    }

    fn probe(&self) -> Result<(), StoreError> {
        self.0.probe()
    }

    fn offer_snapshot(&self, catalog: &Arc<Catalog>) {
        self.0.offer_snapshot(catalog);
    }

    fn query(&self, query: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError> {
        self.0.query(query, take)
    }

    fn close(&self, catalog: &Catalog) {
        self.0.close(catalog);
    }
}

fn an_import_that_is_overtaken_writes_nothing_of_the_batch() {
    an_import_that_is_overtaken_stops(&*Embedded::new());
    an_import_that_is_overtaken_stops(&Shared(Embedded::new()));
}

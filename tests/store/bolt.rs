//! The store in a database that speaks Bolt: the same laws on a real Neo4j and a real ArcadeDB.

use std::time::Duration;

use mortise::store::Store;
use mortise::store::neo4j::{Address, Neo4jStore};

use crate::conformance::Place;
use crate::database::{Absent, Engine, Exclusive, shared};

/// Far more than anything takes, so that a hang shows as a failure.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A database that the test has alone.
struct Shared(Exclusive<'static>);

impl Shared {
    fn open(&self) -> Neo4jStore {
        Neo4jStore::open(Address::parse(self.0.uri(), None).unwrap(), TIMEOUT).unwrap()
    }
}

pub mod neo4j {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use mortise::model::ChangeSet;
    use mortise::store::StoreError;

    use super::*;
    use crate::conformance::{applied, assert_same};
    use crate::generator::{Generator, random_change};
    use crate::graph::{assert_graph_is_that_of_its_history, change as change_graph, number};
    use crate::harness::{Tested, tests};
    use crate::history::History;

    tests![
        a_replica_starts_from_the_newest_snapshot_that_is_whole_and_of_this_history,
        a_damaged_snapshot_is_passed_over,
        a_damaged_record_is_told_by_its_revision,
    ];

    struct Neo4j(Shared);

    impl Place for Neo4j {
        fn new() -> Result<Self, Absent> {
            Ok(Self(Shared(shared(Engine::Neo4j)?.exclusive())))
        }

        fn open(&self) -> Box<dyn Store> {
            Box::new(self.0.open())
        }
    }

    crate::conformance::conformance!(Neo4j);

    fn a_replica_starts_from_the_newest_snapshot_that_is_whole_and_of_this_history() -> Tested {
        let place = Neo4j::new()?;
        let uri = place.0.0.uri();
        let history = random(420);
        let store = place.keeping_snapshots_every(20);
        store.append(&history[..10]).unwrap();
        store.offer_snapshot(&Arc::new(applied(&history[..10])));
        store.close(&applied(&history[..10]));
        assert_eq!(number(uri, "MATCH (s:Snapshot) RETURN count(s)"), 0, "it is not worth it yet");
        // As many changes later as the snapshot has rows, and then some.
        for known in [100, 400] {
            let store = place.keeping_snapshots_every(20);
            store.append(&history[store.head().unwrap() as usize..known]).unwrap();
            store.offer_snapshot(&Arc::new(applied(&history[..known])));
            // Waits until it is written.
            store.close(&applied(&history[..known]));
        }
        assert_eq!(number(uri, "MATCH (s:Snapshot) RETURN count(s)"), 1, "the older one is gone");
        assert_eq!(number(uri, "MATCH (s:Snapshot) RETURN s.revision"), 400);
        place.0.open().append(&history[400..]).unwrap();
        assert_same(&place.0.open().load().unwrap(), &applied(&history));
        assert_graph_is_that_of_its_history(uri);

        // Without what came before it in the history it still gives everything, so it is what is read.
        change_graph(uri, "MATCH (r:Record)-[:PART]->(t:Part) WHERE r.first = 1 SET t.bytes = null");
        assert_same(&place.0.open().load().unwrap(), &applied(&history));
        change_graph(uri, "MATCH (s:Snapshot) SET s.change = 'another'");
        assert!(place.0.open().load().is_err(), "the history is damaged, and the snapshot is not of this one");
        Ok(())
    }

    fn a_damaged_snapshot_is_passed_over() -> Tested {
        let place = Neo4j::new()?;
        let uri = place.0.0.uri();
        let history = random(40);
        let damages = [
            "MATCH (:Snapshot)-[p:PART]->(t:Part) WITH p, t ORDER BY p.n DESC LIMIT 1 DETACH DELETE t",
            "MATCH (:Snapshot)-[:PART]->(t:Part) MATCH (:Record)-[:PART]->(other:Part) WITH t, other LIMIT 1 SET t.bytes = other.bytes",
            "MATCH (s:Snapshot) SET s.rows = s.rows + 1",
            "MATCH (s:Snapshot) SET s.revision = 100000",
        ];
        for (number, damage) in (1_u64..).zip(damages) {
            let known = number as usize * 10;
            let store = place.keeping_snapshots_every(5);
            store.append(&history[known - 10..known]).unwrap();
            change_graph(uri, "MATCH (s:Snapshot) DETACH DELETE s");
            store.offer_snapshot(&Arc::new(applied(&history[..known])));
            store.close(&applied(&history[..known]));
            change_graph(uri, damage);
            assert_same(&place.0.open().load().unwrap(), &applied(&history[..known]));
        }
        Ok(())
    }

    fn a_damaged_record_is_told_by_its_revision() -> Tested {
        let place = Neo4j::new()?;
        let history = random(3);
        let store = place.0.open();
        history.iter().for_each(|change| store.append(std::slice::from_ref(change)).unwrap());
        let damages = [
            "MATCH (:Record {last: 2})-[:PART]->(t:Part) MATCH (:Record {last: 3})-[:PART]->(o:Part) SET t.bytes = o.bytes",
            "MATCH (:Record {last: 2})-[:PART]->(t:Part) SET t.bytes = null",
            "MATCH (:Record {last: 2})-[:PART]->(t:Part) DETACH DELETE t",
        ];
        for damage in damages {
            change_graph(place.0.0.uri(), damage);
            let refused = store.changes_at(&BTreeSet::from([2])).unwrap_err();
            assert!(matches!(refused, StoreError::DamagedChanges { first: 2, last: 2, .. }), "{damage}: {refused}");
            assert_eq!(store.changes_at(&BTreeSet::from([3])).unwrap()[&3], without_beside(&history[2]), "{damage}");
        }
        Ok(())
    }

    fn without_beside(change: &ChangeSet) -> ChangeSet {
        ChangeSet { beside: Vec::new(), ..change.clone() }
    }

    impl Neo4j {
        fn keeping_snapshots_every(&self, changes: u64) -> Neo4jStore {
            Neo4jStore::open_keeping(Address::parse(self.0.0.uri(), None).unwrap(), TIMEOUT, changes).unwrap()
        }
    }

    /// A history of so many changes.
    fn random(changes: usize) -> Vec<mortise::model::ChangeSet> {
        let (mut generator, mut history) = (Generator::new(17), History::default());
        while history.changes.len() < changes {
            random_change(&mut generator, &mut history);
        }
        history.changes
    }
}

pub mod arcadedb {
    use super::*;

    struct ArcadeDb(Shared);

    impl Place for ArcadeDb {
        fn new() -> Result<Self, Absent> {
            Ok(Self(Shared(shared(Engine::ArcadeDb)?.exclusive())))
        }

        fn open(&self) -> Box<dyn Store> {
            Box::new(self.0.open())
        }
    }

    crate::conformance::conformance!(ArcadeDb);
}

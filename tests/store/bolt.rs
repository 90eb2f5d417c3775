//! The store in a database that speaks Bolt: the same laws on a real Neo4j and a real ArcadeDB.

use std::time::Duration;

use mortise::store::Store;
use mortise::store::neo4j::{Address, Neo4jStore};

use crate::conformance::Place;
use crate::database::{Engine, Exclusive, shared};

/// Far more than anything takes, so that a hang shows as a failure.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A database that the test has alone.
struct Shared(Exclusive<'static>);

impl Shared {
    fn open(&self) -> Neo4jStore {
        Neo4jStore::open(Address::parse(self.0.uri(), None).unwrap(), TIMEOUT).unwrap()
    }
}

mod neo4j {
    use super::*;

    struct Neo4j(Shared);

    impl Place for Neo4j {
        fn new() -> Option<Self> {
            Some(Self(Shared(shared(Engine::Neo4j)?.exclusive())))
        }

        fn open(&self) -> Box<dyn Store> {
            Box::new(self.0.open())
        }
    }

    crate::conformance::conformance!(Neo4j);
}

mod arcadedb {
    use super::*;

    struct ArcadeDb(Shared);

    impl Place for ArcadeDb {
        fn new() -> Option<Self> {
            Some(Self(Shared(shared(Engine::ArcadeDb)?.exclusive())))
        }

        fn open(&self) -> Box<dyn Store> {
            Box::new(self.0.open())
        }
    }

    crate::conformance::conformance!(ArcadeDb);
}

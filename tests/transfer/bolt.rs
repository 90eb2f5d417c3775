//! From a folder into a database and back into a folder.

use crate::database::{Engine, shared};
use crate::graph::{assert_graph_is_that_of_its_history, store};
use crate::moves::moves;
use crate::shared::an_import_that_is_overtaken_stops;
use crate::written::{Embedded, long, random, various};

#[test]
fn a_history_that_is_moved_through_neo4j_stays_the_same_byte_for_byte() {
    for changes in [various(), random(11, 60), long(700)] {
        let Some(database) = shared(Engine::Neo4j) else { return };
        let database = database.exclusive();
        moves(&*Embedded::holding(&changes), &store(database.uri()), &*Embedded::new());
        assert_graph_is_that_of_its_history(database.uri());
    }
}

#[test]
fn a_history_that_is_moved_through_arcadedb_stays_the_same_byte_for_byte() {
    let Some(database) = shared(Engine::ArcadeDb) else { return };
    let database = database.exclusive();
    moves(&*Embedded::holding(&various()), &store(database.uri()), &*Embedded::new());
}

#[test]
fn an_import_into_neo4j_that_is_overtaken_stops() {
    let Some(database) = shared(Engine::Neo4j) else { return };
    let database = database.exclusive();
    an_import_that_is_overtaken_stops(&store(database.uri()));
}

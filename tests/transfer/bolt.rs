//! From a folder into a database and back into a folder.

use crate::command::run;
use crate::database::{Engine, shared};
use crate::graph::{assert_graph_is_that_of_its_history, store};
use crate::harness::{Tested, tests};
use crate::moves::moves;
use crate::shared::an_import_that_is_overtaken_stops;
use crate::written::{Embedded, exported, long, random, various};

tests![
    a_history_that_is_moved_through_neo4j_stays_the_same_byte_for_byte,
    a_history_that_is_moved_through_arcadedb_stays_the_same_byte_for_byte,
    an_import_into_neo4j_that_is_overtaken_stops,
    the_changes_of_a_database_are_shown_as_those_of_a_folder,
];

fn a_history_that_is_moved_through_neo4j_stays_the_same_byte_for_byte() -> Tested {
    for changes in [various(), random(11, 60), long(700)] {
        let database = shared(Engine::Neo4j)?.exclusive();
        moves(&*Embedded::holding(&changes), &store(database.uri()), &*Embedded::new());
        assert_graph_is_that_of_its_history(database.uri());
    }
    Ok(())
}

fn a_history_that_is_moved_through_arcadedb_stays_the_same_byte_for_byte() -> Tested {
    let database = shared(Engine::ArcadeDb)?.exclusive();
    moves(&*Embedded::holding(&various()), &store(database.uri()), &*Embedded::new());
    Ok(())
}

fn an_import_into_neo4j_that_is_overtaken_stops() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    an_import_that_is_overtaken_stops(&store(database.uri()));
    Ok(())
}

fn the_changes_of_a_database_are_shown_as_those_of_a_folder() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (folder, file) = (tempfile::tempdir().unwrap(), exported(&*Embedded::holding(&various())));
    let places = [["--data", folder.path().to_str().unwrap()], ["--store", database.uri()]];
    for place in places {
        run(&[&["import"], &place[..], &["-"]].concat(), &file, 0);
    }
    for asked in [&[][..], &["--since", "2", "--limit", "3"], &["--revision", "3"], &["--revision", "3", "-o", "json"]]
    {
        let [in_folder, in_database] = places.map(|place| run(&[&["changes"], &place[..], asked].concat(), b"", 0).0);
        assert!(!in_folder.is_empty());
        assert!(in_folder == in_database, "{asked:?}");
    }
    Ok(())
}

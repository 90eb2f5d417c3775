//! The database itself is stopped, killed and paused under load, and started again.

use std::thread;

use crate::database::{Engine, PrivateDatabase, private};
use crate::graph::{assert_sound, attempts};
use crate::harness::{Tested, tests};
use crate::ledger::{Start, assert_recorded, assert_shown};
use crate::load::{Client, Load};
use crate::replica::{Replica, apply_schema};

tests![a_database_that_is_stopped_paused_and_killed_under_load_costs_nothing_that_was_acknowledged];

/// How many clients load the two servers.
const CLIENTS: usize = 6;
/// How many acknowledged requests lie between two faults.
const BETWEEN: usize = 60;
/// How many requests are refused before the database is there again.
const REFUSED: usize = 2 * CLIENTS;

/// What takes a database away, and what brings it back.
type Fault = (fn(&PrivateDatabase), fn(&PrivateDatabase));

const FAULTS: [Fault; 4] = [
    (PrivateDatabase::stop, PrivateDatabase::start),
    (PrivateDatabase::pause, PrivateDatabase::resume),
    (PrivateDatabase::kill, PrivateDatabase::start),
    (PrivateDatabase::pause, PrivateDatabase::resume),
];

fn a_database_that_is_stopped_paused_and_killed_under_load_costs_nothing_that_was_acknowledged() -> Tested {
    let database = private(Engine::Neo4j)?;
    apply_schema(database.uri());
    let replicas = [Replica::on(database.uri(), 4), Replica::on(database.uri(), 4)];
    let load = Load::default();
    let clients: Vec<Client<'_>> = thread::scope(|scope| {
        let over = load.until_dropped();
        let run = |number: usize| {
            let mut client = Client::new(number, &replicas[number % 2], &load);
            while !load.is_over() {
                client.act();
            }
            client
        };
        let running: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || run(number))).collect();
        load.wait_for_acknowledged(BETWEEN);
        for (take_away, bring_back) in FAULTS {
            take_away(&database);
            replicas.iter().for_each(Replica::wait_until_red);
            load.wait_for_refused(REFUSED);
            bring_back(&database);
            replicas.iter().for_each(Replica::wait_until_green);
            load.wait_for_acknowledged(BETWEEN);
        }
        drop(over);
        running.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let slowest = clients.iter().map(|client| client.slowest).max().unwrap();
    let mut starts: Vec<Start> = Vec::new();
    for mut client in clients {
        client.settle();
        starts.append(&mut client.starts);
    }
    let unknown = starts.iter().filter(|start| !start.unknown.is_empty()).count();
    let refused = starts.iter().filter(|start| start.refused > 0).count();
    let recorded = starts.iter().filter(|start| start.recorded.is_some()).count();
    println!("{recorded} recorded; {refused} were refused, {unknown} not known; the slowest answer took {slowest:?}");
    for replica in &replicas {
        println!("{} lines were logged", replica.log().lines().count());
        assert!(!replica.log().contains("mortise-test"), "the password is shown");
    }

    assert_sound(database.uri());
    assert_recorded(&starts, &attempts(database.uri()));
    assert_shown(&starts, &replicas[0]);
    let world = Replica::on(database.uri(), 15).world();
    replicas.iter().for_each(|replica| assert_eq!(replica.world(), world));
    Ok(())
}

//! A database.

use serde_json::json;

use crate::afterwards::{assert_goes_on, assert_gone_on};
use crate::bolt_proxy::{Action, BoltProxy, Forward, Seen, Times};
use crate::database::{Database, Engine, Exclusive, shared};
use crate::fixture::{ANSWERS, Place};
use crate::folder::{run, text};
use crate::graph::{assert_graph_is_that_of_its_history, change, number};
use crate::harness::{Tested, tests};
use crate::load::load;
use crate::server::{Server, command_on};
use crate::starting::{Starting, killed_on_its_way, middles};

tests![
    a_database_of_format_1_is_upgraded_and_every_answer_comes_back_byte_for_byte,
    a_database_of_format_1_moves_into_a_folder,
    an_upgrade_of_a_database_that_is_killed_at_any_moment_is_done_by_the_next_start,
    two_servers_that_are_started_at_once_on_a_database_of_format_1_upgrade_it_once,
    an_upgrade_of_a_database_that_is_cut_off_anywhere_is_gone_on_with,
    nothing_is_recorded_in_a_graph_whose_upgrade_is_not_done,
];

/// How many changes more than the fixture the history has where its upgrade is killed, so that it takes a while.
const MORE: u64 = 2_000;
/// At how many moments an upgrade is killed.
const MOMENTS: u32 = 6;

/// The database that tests share, with what a version of format 1 left there, and so many changes more.
fn of_format_1(database: &'static Database, more: u64) -> Exclusive<'static> {
    let database = database.exclusive();
    load(database.uri(), more);
    assert_eq!(format_of(&database), 1);
    database
}

fn format_of(database: &Database) -> i64 {
    number(database.uri(), "MATCH (h:Head {name: 'head'}) RETURN h.format AS format")
}

/// The format that this version writes.
fn newest_format(database: &'static Database) -> i64 {
    let database = database.exclusive();
    assert!(Server::start_on(database.uri(), &[]).stop().success());
    format_of(&database)
}

fn a_database_of_format_1_is_upgraded_and_every_answer_comes_back_byte_for_byte() -> Tested {
    let database = shared(Engine::Neo4j)?;
    let newest = newest_format(database);
    let database = of_format_1(database, 0);
    for _ in 0..2 {
        let server = Server::start_on(database.uri(), &[]);
        ANSWERS.assert_given_by(&server, Place::Database);
        ANSWERS.assert_told_by(&server);
        assert!(server.stop().success());
        assert_eq!(format_of(&database), newest);
        assert_graph_is_that_of_its_history(database.uri());
    }
    assert_eq!(run(&["settings", "show", "--store", database.uri()]), ANSWERS.settings_now());
    let server = Server::start_on(database.uri(), &[]);
    assert_goes_on(&server, &server);
    drop(server);
    let server = Server::start_on(database.uri(), &[]);
    assert_gone_on(&server);
    assert_graph_is_that_of_its_history(database.uri());
    Ok(())
}

fn a_database_of_format_1_moves_into_a_folder() -> Tested {
    let database = shared(Engine::Neo4j)?;
    let database = of_format_1(database, 0);
    let to = tempfile::tempdir().unwrap();
    let (file, data) = (to.path().join("history.jsonl"), to.path().join("data"));
    run(&["export", "--store", database.uri(), "-o", text(&file)]);
    run(&["import", "--data", text(&data), text(&file)]);
    let server = Server::start_in(&data, &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    ANSWERS.assert_told_by(&server);
    Ok(())
}

fn an_upgrade_of_a_database_that_is_killed_at_any_moment_is_done_by_the_next_start() -> Tested {
    let database = shared(Engine::Neo4j)?;
    let newest = newest_format(database);
    let start = |database: &Database| Starting::run(command_on(database.uri(), &["--log", "off"]));
    let mut whole = start(&of_format_1(database, MORE)).whole();
    for (round, part) in middles(MOMENTS).enumerate() {
        let database = killed_on_its_way(&mut whole, part, || of_format_1(database, MORE), |database| start(database));
        // The one that mends it is killed too, every other time.
        if round % 2 == 1 {
            start(&database).kill_after(whole / 2);
        }
        let server = Server::start_on(database.uri(), &[]);
        ANSWERS.assert_given_by(&server, Place::Database);
        assert!(server.stop().success());
        assert_eq!(format_of(&database), newest);
        assert_graph_is_that_of_its_history(database.uri());
        if round % 3 == 2 {
            let server = Server::start_on(database.uri(), &[]);
            assert_goes_on(&server, &server);
            assert_gone_on(&server);
        }
    }
    println!("a whole start takes {whole:?}");
    Ok(())
}

fn two_servers_that_are_started_at_once_on_a_database_of_format_1_upgrade_it_once() -> Tested {
    let database = shared(Engine::Neo4j)?;
    let newest = newest_format(database);
    let database = of_format_1(database, 0);
    // Nor is a snapshot there: everything is replayed.
    change(database.uri(), "MATCH (s:Snapshot) OPTIONAL MATCH (s)-[:PART]->(t) DETACH DELETE s, t");
    let (one, other) = std::thread::scope(|scope| {
        let start = || Server::start_on(database.uri(), &[]);
        let (one, other) = (scope.spawn(start), scope.spawn(start));
        (one.join().unwrap(), other.join().unwrap())
    });
    for server in [&one, &other] {
        ANSWERS.assert_given_by(server, Place::Database);
        ANSWERS.assert_told_by(server);
    }
    assert_goes_on(&one, &other);
    assert_gone_on(&other);
    assert!(one.stop().success() && other.stop().success());
    assert_eq!(format_of(&database), newest);
    assert_graph_is_that_of_its_history(database.uri());
    Ok(())
}

/// What each step of an upgrade writes last.
const LAST: [&str; 4] = ["SET h.format", "SET h.upgraded", "AS dropped", "REMOVE h.upgraded"];

fn an_upgrade_of_a_database_that_is_cut_off_anywhere_is_gone_on_with() -> Tested {
    let database = of_format_1(shared(Engine::Neo4j)?, 0);
    let proxy = BoltProxy::before(database.uri());
    let killed_when = |so: &dyn Fn(&Seen) -> bool| {
        let mut process = command_on(&proxy.uri(), &["--log", "off"]).spawn().unwrap();
        proxy.wait_until(so);
        process.kill().unwrap();
        process.wait().unwrap();
        proxy.clear();
        proxy.heal();
    };
    let mut steps = 0;
    while number(database.uri(), UNDONE) == 1 {
        // Before a step is committed: nothing of it is kept.
        LAST.into_iter().for_each(|marker| proxy.script(Action::BlackholeAfterRun { marker, nth: 1 }, Times::Once));
        killed_when(&|seen| seen.blackholed > steps);
        // After a step or two, of which it never learns that they are committed.
        proxy.script(Action::LoseCommit(Forward::AtOnce), Times::UntilCleared);
        let before = proxy.seen().lost_commits_answered;
        killed_when(&|seen| seen.lost_commits_answered > before);
        steps += 1;
    }
    assert!(steps > 2, "it was upgraded in {steps} steps");
    let server = Server::start_on(database.uri(), &[]);
    ANSWERS.assert_given_by(&server, Place::Database);
    ANSWERS.assert_told_by(&server);
    assert_goes_on(&server, &server);
    assert_graph_is_that_of_its_history(database.uri());
    assert_eq!(number(database.uri(), "MATCH (n) WHERE n:Text OR n:Snapshot RETURN count(n)"), 0);
    Ok(())
}

/// Whether there is still something to upgrade: 1 or 0.
const UNDONE: &str = "MATCH (h:Head {name: 'head'}) RETURN CASE WHEN h.format < 3 OR h.upgraded IS NOT NULL OR h.secrets IS NOT NULL THEN 1 ELSE 0 END";

fn nothing_is_recorded_in_a_graph_whose_upgrade_is_not_done() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let server = Server::start_on(database.uri(), &[]);
    let start = json!({"system": "shop", "name": "api", "version": "1", "environment": "test"});
    for undone in ["SET h.upgraded = 0", "SET h.secrets = 'clear'", "SET h.format = 2", "SET h.format = 1"] {
        change(database.uri(), &format!("MATCH (h:Head) {undone}"));
        let refused = server.start_deployment(&start).expect_problem(503, "unavailable");
        assert!(refused["detail"].as_str().unwrap().contains("restart this process"), "{refused}");
        change(database.uri(), "MATCH (h:Head) SET h.format = 3 REMOVE h.upgraded, h.secrets");
    }
    assert_eq!(server.started(&start)["deployment"]["number"], 1);
    Ok(())
}

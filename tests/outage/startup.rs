//! A server comes up as soon as its database does. Where that cannot be used at all, it ends, and says what to do.

use std::net::TcpListener;

use crate::bolt_proxy::{Action, BoltProxy, Times};
use crate::database::{Engine, shared};
use crate::graph::rows;
use crate::harness::{Tested, tests};
use crate::replica::{Replica, database, ended};

tests![
    a_database_that_nobody_listens_at_is_named,
    a_host_that_is_not_known_is_named,
    an_address_that_cannot_be_read_is_explained,
    a_wrong_password_is_refused_at_once,
    a_database_that_does_not_exist_is_named,
    a_server_whose_database_never_answers_does_not_come_up_and_says_why,
    a_graph_that_a_newer_version_wrote_is_left_alone,
    a_server_that_comes_before_its_database_waits_for_it,
];

/// What nobody must see.
const PASSWORD: &str = "opensesame";

/// Runs a server that must end with exit code 2 and a last line that contains each of these; never the password.
#[track_caller]
fn assert_refused(uri: &str, timeout_seconds: u64, phrases: &[&str]) {
    for level in ["warn", "trace"] {
        let (status, said) = ended(uri, timeout_seconds, level);
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(!said.contains(PASSWORD) && !said.contains("mortise-test"), "{level} shows the password: {said}");
        let last = said.lines().last().unwrap_or_default();
        println!("{last}");
        assert!(last.starts_with("mortise: "), "{said}");
        for phrase in phrases {
            assert!(last.contains(phrase), "`{phrase}` is not in what it said: {said}");
        }
    }
}

fn a_database_that_nobody_listens_at_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_refused(&format!("bolt://neo4j:{PASSWORD}@{free}"), 2, &["cannot be reached", &free.to_string(), "--store"]);
}

fn a_host_that_is_not_known_is_named() {
    assert_refused(
        &format!("bolt://neo4j:{PASSWORD}@nowhere.invalid/db"),
        2,
        &["lookup address", "nowhere.invalid", "--store"],
    );
}

fn an_address_that_cannot_be_read_is_explained() {
    assert_refused(&format!("http://neo4j:{PASSWORD}@127.0.0.1:7687"), 2, &["bolt://user:password@host:7687/database"]);
    assert_refused(&format!("bolt://neo4j:{PASSWORD}@127.0.0.1:port"), 2, &["bolt://user:password@host:7687/database"]);
}

fn a_wrong_password_is_refused_at_once() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let (_, address) = database.uri().split_once('@').unwrap();
    // A user of whom nobody knows: Neo4j locks out one that it knows after a few attempts.
    assert_refused(&format!("bolt://nobody:{PASSWORD}@{address}"), 30, &[address, "--store-password-file"]);
    Ok(())
}

fn a_database_that_does_not_exist_is_named() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    assert_refused(&format!("{}/missing", database.uri()), 30, &["missing", "--store"]);
    Ok(())
}

fn a_server_whose_database_never_answers_does_not_come_up_and_says_why() {
    let proxy = BoltProxy::silent();
    let (status, said) = ended(&proxy.uri(), 2, "warn");
    assert_eq!(status.code(), Some(2), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("mortise: ") && last.contains("did not answer within"), "{said}");
}

fn a_graph_that_a_newer_version_wrote_is_left_alone() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    rows(database.uri(), "MERGE (h:Head {name: 'head'}) SET h.format = 99, h.revision = 0 RETURN h.format AS format");
    assert_refused(database.uri(), 30, &["newer", "99"]);
    let constraints = rows(database.uri(), "SHOW CONSTRAINTS YIELD name RETURN name");
    assert!(constraints.is_empty(), "its schema was changed");
    Ok(())
}

fn a_server_that_comes_before_its_database_waits_for_it() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    proxy.script(Action::StaySilent, Times::Once);
    let replica = Replica::on(&proxy.uri(), 9);
    replica.get("/readyz").expect(200);
    assert!(proxy.seen().connections > 1);
    assert!(replica.log().contains("the database is not ready"), "{}", replica.log());
    Ok(())
}

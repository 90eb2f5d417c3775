//! The databases that tests run against, and the proxy that has them go wrong, do what the tests believe.

#[path = "support/bolt_proxy.rs"]
mod bolt_proxy;
#[path = "support/database.rs"]
mod database;
#[path = "support/harness.rs"]
mod harness;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::process::{Command, ExitCode};
use std::time::Duration;

use bolt_proxy::{Action, BoltProxy, DEADLOCK, Forward, Times};
use database::{Engine, connect, private, shared};
use harness::{Tested, tests};
use neo4rs::{Error, Graph, Neo4jErrorKind, query};
use tokio::time::timeout;

tests![
    a_test_that_lacks_its_database_is_ignored_with_the_reason_and_fails_where_that_is_required,
    a_shared_neo4j_is_given_empty,
    a_shared_arcadedb_is_given_empty,
    a_transaction_that_a_test_left_open_does_not_stand_in_the_way_of_the_next,
    a_private_database_keeps_what_was_committed_when_it_is_killed_and_answers_nothing_while_it_is_paused,
    a_proxy_that_is_told_nothing_forwards_and_counts,
    a_silent_peer_accepts_and_never_answers,
    new_connections_are_silent_or_refused_until_they_no_longer_are,
    a_connection_that_is_dropped_after_a_run_leaves_nothing_behind,
    a_commit_whose_answer_is_lost_arrives_at_once_or_when_it_is_released_or_never,
    a_commit_that_fails_is_rolled_back,
    a_client_in_a_blackhole_holds_its_locks_until_it_is_healed,
];

fn main() -> ExitCode {
    harness::run([tests()])
}

/// Adds a node with this name, in a transaction of its own.
async fn add(graph: &Graph, name: &str) -> Result<(), Error> {
    let mut transaction = graph.start_txn().await?;
    transaction.run(query("CREATE (:Thing {name: $name})").param("name", name)).await?;
    transaction.commit().await
}

/// The names of all nodes.
async fn names(graph: &Graph) -> Result<Vec<String>, Error> {
    let mut rows = graph.execute_read(query("MATCH (t:Thing) RETURN t.name AS name ORDER BY name")).await?;
    let mut names = Vec::new();
    while let Some(row) = rows.next().await? {
        names.push(row.get("name")?);
    }
    Ok(names)
}

/// Runs to its end, and fails where that takes a minute.
fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(60), future).await }).expect("it ends within a minute")
}

/// Whether it hangs, as far as a moment tells.
async fn hangs<T>(future: impl Future<Output = T>) -> bool {
    timeout(Duration::from_millis(300), future).await.is_err()
}

fn a_test_that_lacks_its_database_is_ignored_with_the_reason_and_fails_where_that_is_required() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing has been fetched, and this fetches nothing.
    let maven = folder.path().join("mvn");
    std::fs::write(&maven, "#!/bin/sh\nexit 1\n").unwrap();
    std::fs::set_permissions(&maven, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let run = |ci: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_shared_neo4j_is_given_empty"]);
        command.env_remove("MORTISE_TEST_BOLT_URI").env_remove("MORTISE_TEST_REQUIRE_NEO4J").env("CI", ci);
        let output = command.env("MORTISE_TEST_CACHE", folder.path()).env("PATH", &path).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = run("");
    assert!(said.contains("ignored (Neo4j") && said.contains("cannot run here"), "{said}");
    assert!(said.contains("test result: ok. 0 passed; 0 failed; 1 ignored;") && code == Some(0), "{code:?}: {said}");
    let (code, said) = run("1");
    assert!(said.contains("0 passed; 1 failed; 0 ignored;") && code == Some(101), "{code:?}: {said}");
}

fn a_shared_database_is_given_empty(engine: Engine) -> Tested {
    let database = shared(engine)?;
    {
        let database = database.exclusive();
        run(async {
            let graph = connect(database.uri());
            graph.run(query("CREATE CONSTRAINT thing_name FOR (t:Thing) REQUIRE t.name IS UNIQUE")).await.unwrap();
            graph.run(query("CREATE INDEX thing_size FOR (t:Thing) ON (t.size)")).await.unwrap();
            add(&graph, "first").await.unwrap();
            assert!(add(&graph, "first").await.is_err(), "a name is unique");
            assert_eq!(names(&graph).await.unwrap(), ["first"]);
        });
    }
    let database = database.exclusive();
    run(async {
        let graph = connect(database.uri());
        assert_eq!(names(&graph).await.unwrap(), [""; 0]);
        add(&graph, "twice").await.unwrap();
        add(&graph, "twice").await.expect("the constraint is gone");
    });
    Ok(())
}

fn a_shared_neo4j_is_given_empty() -> Tested {
    a_shared_database_is_given_empty(Engine::Neo4j)
}

fn a_shared_arcadedb_is_given_empty() -> Tested {
    a_shared_database_is_given_empty(Engine::ArcadeDb)
}

fn a_transaction_that_a_test_left_open_does_not_stand_in_the_way_of_the_next() -> Tested {
    let database = shared(Engine::Neo4j)?;
    let first = database.exclusive();
    let proxy = BoltProxy::before(first.uri());
    proxy.script(Action::BlackholeAfterRun { marker: "SET", nth: 1 }, Times::Once);
    run(async {
        add(&connect(first.uri()), "locked").await.unwrap();
        let graph = connect(&proxy.uri());
        let mut transaction = graph.start_txn().await.unwrap();
        assert!(hangs(transaction.run(query("MATCH (t:Thing) SET t.taken = true"))).await);
        proxy.wait_until(|seen| seen.blackholed == 1);
    });
    drop(first);
    let second = database.exclusive();
    assert_eq!(run(names(&connect(second.uri()))).unwrap(), [""; 0]);
    Ok(())
}

fn a_private_database_keeps_what_was_committed_when_it_is_killed_and_answers_nothing_while_it_is_paused() -> Tested {
    let database = private(Engine::ArcadeDb)?;
    run(async {
        add(&connect(database.uri()), "kept").await.unwrap();
        database.kill();
        assert!(names(&connect(database.uri())).await.is_err());
        database.start();
        let graph = connect(database.uri());
        assert_eq!(names(&graph).await.unwrap(), ["kept"]);
        database.pause();
        assert!(hangs(names(&graph)).await);
        database.resume();
        assert_eq!(names(&connect(database.uri())).await.unwrap(), ["kept"]);
    });
    Ok(())
}

fn a_proxy_that_is_told_nothing_forwards_and_counts() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let proxy = BoltProxy::before(database.uri());
    run(async {
        add(&connect(&proxy.uri()), &"x".repeat(7_000)).await.unwrap();
    });
    let seen = proxy.seen();
    assert_eq!((seen.connections, seen.begins, seen.runs, seen.commits), (1, 1, 1, 1));
    assert!((7_000..7_200).contains(&seen.largest_message), "{seen:?}");
    Ok(())
}

fn a_silent_peer_accepts_and_never_answers() {
    let proxy = BoltProxy::silent();
    run(async {
        assert!(hangs(names(&connect(&proxy.uri()))).await);
    });
    proxy.wait_until(|seen| seen.connections == 1);
}

fn new_connections_are_silent_or_refused_until_they_no_longer_are() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let proxy = BoltProxy::before(database.uri());
    run(async {
        let open = connect(&proxy.uri());
        names(&open).await.unwrap();
        proxy.script(Action::StaySilent, Times::Once);
        assert!(hangs(names(&connect(&proxy.uri()))).await);
        names(&connect(&proxy.uri())).await.expect("it is silent once");
        proxy.refuse();
        assert!(matches!(names(&connect(&proxy.uri())).await, Err(Error::IOError { .. })));
        names(&open).await.expect("what is open stays open");
        proxy.admit();
        names(&connect(&proxy.uri())).await.unwrap();
    });
    Ok(())
}

fn a_connection_that_is_dropped_after_a_run_leaves_nothing_behind() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let proxy = BoltProxy::before(database.uri());
    proxy.script(Action::DropAfterRun { marker: "CREATE" }, Times::Exactly(2));
    run(async {
        let graph = connect(&proxy.uri());
        for _ in 0..2 {
            assert!(matches!(add(&graph, "lost").await, Err(Error::IOError { .. })));
        }
        add(&graph, "kept").await.unwrap();
        assert_eq!(names(&graph).await.unwrap(), ["kept"]);
    });
    assert_eq!(proxy.seen().dropped, 2);
    Ok(())
}

fn a_commit_whose_answer_is_lost_arrives_at_once_or_when_it_is_released_or_never() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let proxy = BoltProxy::before(database.uri());
    run(async {
        let (through, beside) = (connect(&proxy.uri()), connect(database.uri()));
        for (forward, name) in
            [(Forward::AtOnce, "1 at once"), (Forward::WhenReleased, "2 later"), (Forward::Never, "3 never")]
        {
            proxy.script(Action::LoseCommit(forward), Times::Once);
            let lost = add(&through, name).await;
            assert!(matches!(lost, Err(Error::IOError { .. })), "{lost:?}");
            if forward == Forward::AtOnce {
                proxy.wait_until(|seen| seen.lost_commits_answered == 1);
            }
        }
        assert_eq!(names(&beside).await.unwrap(), ["1 at once"]);
    });
    assert_eq!(proxy.seen().lost_commits, 3);
    proxy.release_commits();
    run(async {
        assert_eq!(names(&connect(database.uri())).await.unwrap(), ["1 at once", "2 later"]);
    });
    Ok(())
}

fn a_commit_that_fails_is_rolled_back() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let proxy = BoltProxy::before(database.uri());
    proxy.script(Action::FailCommit { code: DEADLOCK }, Times::Once);
    run(async {
        let graph = connect(&proxy.uri());
        let failed = add(&graph, "first").await;
        let Err(Error::Neo4j(error)) = failed else { panic!("{failed:?}") };
        assert_eq!((error.kind(), error.code()), (Neo4jErrorKind::Transient, DEADLOCK));
        add(&graph, "second").await.unwrap();
        assert_eq!(names(&graph).await.unwrap(), ["second"]);
    });
    assert_eq!(proxy.seen().failed_commits, 1);
    Ok(())
}

fn a_client_in_a_blackhole_holds_its_locks_until_it_is_healed() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let proxy = BoltProxy::before(database.uri());
    let take = || query("MATCH (t:Thing {name: 'head'}) SET t.taken = timestamp()");
    run(async {
        let beside = connect(database.uri());
        add(&beside, "head").await.unwrap();
        proxy.script(Action::BlackholeAfterRun { marker: "SET t.taken", nth: 1 }, Times::Once);
        let through = connect(&proxy.uri());
        let mut transaction = through.start_txn().await.unwrap();
        assert!(hangs(transaction.run(take())).await);
        proxy.wait_until(|seen| seen.blackholed == 1);
        // Its client goes, and the database does not learn of it.
        drop((transaction, through));
        let mut waiting = beside.start_txn().await.unwrap();
        {
            let mut taken = pin!(waiting.run(take()));
            assert!(hangs(&mut taken).await);
            proxy.heal();
            taken.await.unwrap();
        }
        waiting.commit().await.unwrap();
    });
    Ok(())
}

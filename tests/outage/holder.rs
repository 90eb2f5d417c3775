//! A replica that is cut off while it holds the head, and one that is only slow.

use serde_json::json;

use crate::bolt_proxy::{Action, BoltProxy, Times};
use crate::graph::{assert_sound, attempts_on};
use crate::harness::{Tested, tests};
use crate::replica::{Replica, assert_unavailable, database};
use crate::server::text;
use crate::specs::{consumer, provider, spec};

tests![
    a_replica_that_is_cut_off_with_the_head_in_its_hands_stops_the_others_for_a_few_seconds_only,
    a_replica_that_is_cut_off_in_the_middle_of_writing_leaves_nothing_behind,
    a_commit_that_is_only_slow_is_waited_for,
];

fn a_replica_that_is_cut_off_with_the_head_in_its_hands_stops_the_others_for_a_few_seconds_only() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let (cut_off, other) = (Replica::on(&proxy.uri(), 4), Replica::on(database.uri(), 15));
    let open = other.started(&provider("running", "sql"));
    proxy.script(Action::BlackholeAfterRun { marker: "SET h.turn", nth: 1 }, Times::UntilCleared);
    std::thread::scope(|scope| {
        let lost = scope.spawn(|| cut_off.in_time(|http| http.start_deployment(&spec("lost"))));
        proxy.wait_until(|seen| seen.blackholed > 0);
        other.in_time(|http| http.finish(text(&open, "id"), &json!({"success": true}))).expect(200);
        other.in_time(|http| http.start_deployment(&consumer("api", "sql"))).expect(201);
        assert_unavailable(&lost.join().unwrap());
    });
    assert_eq!(attempts_on(database.uri(), "lost"), [""; 0]);
    // It reads all the while, and knows what the other did.
    cut_off.wait_until_green();
    assert_eq!(cut_off.items("/components?consistency=strong").len(), 1);

    proxy.clear();
    proxy.heal();
    cut_off.wait_until_green();
    let started = cut_off.in_time(|http| http.start_deployment(&spec("lost"))).expect(201);
    assert_eq!(attempts_on(database.uri(), "lost"), [text(&started, "id")]);
    other.in_time(|http| http.finish(text(&started, "id"), &json!({"success": true}))).expect(200);
    assert_eq!(cut_off.world(), other.world());
    assert_sound(database.uri());
    Ok(())
}

fn a_replica_that_is_cut_off_in_the_middle_of_writing_leaves_nothing_behind() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let (cut_off, other) = (Replica::on(&proxy.uri(), 9), Replica::on(database.uri(), 15));
    // After the nodes of the attempt were written, before its relationships were.
    proxy.script(Action::BlackholeAfterRun { marker: "CREATE (r)-[:PART", nth: 1 }, Times::Once);
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| cut_off.in_time(|http| http.start_deployment(&spec("new"))));
        proxy.wait_until(|seen| seen.blackholed == 1);
        let beside = other.in_time(|http| http.start_deployment(&spec("beside"))).expect(201);
        // The first is taken again over another connection, where there is time.
        let started = starting.join().unwrap();
        match started.status {
            201 => assert_eq!(attempts_on(database.uri(), "new"), [text(&started.json(), "id")]),
            _ => drop(assert_unavailable(&started)),
        }
        assert_eq!(attempts_on(database.uri(), "beside"), [text(&beside, "id")]);
    });
    proxy.heal();
    cut_off.wait_until_green();
    assert_eq!(cut_off.world(), other.world());
    assert_sound(database.uri());
    Ok(())
}

fn a_commit_that_is_only_slow_is_waited_for() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    // So much time that a third of it, which a commit may take, is more than the other waits before it looks who holds the head.
    let (slow, other) = (Replica::on(&proxy.uri(), 60), Replica::telling_all(database.uri(), 15));
    proxy.script(Action::HoldCommit, Times::Once);
    let (started, beside) = std::thread::scope(|scope| {
        let starting = scope.spawn(|| slow.start_deployment(&spec("slow")).expect(201));
        proxy.wait_until(|seen| seen.held_commits == 1);
        let waiting = scope.spawn(|| other.start_deployment(&spec("beside")).expect(201));
        other.wait_until_told("whose holder has time left");
        proxy.release_commits();
        (starting.join().unwrap(), waiting.join().unwrap())
    });
    assert!(!other.log().contains("ended a transaction"), "{}", other.log());
    assert_eq!(proxy.seen().commits, 2, "the settings, and the start, at the first try");
    assert_eq!(attempts_on(database.uri(), "slow"), [text(&started, "id")]);
    assert_eq!(attempts_on(database.uri(), "beside"), [text(&beside, "id")]);
    assert_sound(database.uri());
    Ok(())
}

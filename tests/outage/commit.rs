//! A commit whose answer never comes, or says that it failed.

use serde_json::json;

use crate::bolt_proxy::{Action, BoltProxy, DEADLOCK, Forward, Times};
use crate::database::Exclusive;
use crate::graph::{assert_sound, attempts_on};
use crate::harness::{Tested, tests};
use crate::replica::{Replica, assert_outcome_unknown, assert_unavailable, database};
use crate::server::{Answer, Client, text};
use crate::specs::{spec, with};

tests![
    a_commit_whose_answer_is_lost_is_found_recorded_and_not_recorded_again,
    a_commit_that_never_arrived_is_made_again,
    commits_that_never_arrive_are_outcome_unknown_until_the_database_tells,
    a_commit_that_comes_later_is_outcome_unknown_and_then_recorded_once,
    a_commit_that_is_held_back_is_ended_by_who_waits_for_it_and_comes_to_nothing,
    a_commit_that_is_held_back_is_ended_by_its_own_server_where_there_is_time,
    a_commit_that_fails_for_the_moment_is_made_again_until_the_deadline,
    a_finish_that_is_recorded_is_not_answered_as_if_nothing_was_where_the_plan_cannot_be_read_then,
];

fn a_commit_whose_answer_is_lost_is_found_recorded_and_not_recorded_again() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 6);
    proxy.script(Action::LoseCommit(Forward::AtOnce), Times::Once);
    let started = replica.in_time(|http| http.start_deployment(&spec("new"))).expect(201);
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);
    proxy.script(Action::LoseCommit(Forward::AtOnce), Times::Once);
    let finished = replica.in_time(|http| http.finish(text(&started, "id"), &json!({"success": true}))).expect(200);
    assert_eq!(finished["deployment"]["outcome"], "succeeded");
    assert_eq!(proxy.seen().lost_commits, 2);
    assert_sound(database.uri());
    Ok(())
}

fn a_commit_that_never_arrived_is_made_again() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 6);
    proxy.script(Action::LoseCommit(Forward::Never), Times::Exactly(2));
    let started = replica.in_time(|http| http.start_deployment(&spec("new"))).expect(201);
    assert_eq!(proxy.seen().lost_commits, 2);
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);
    assert_sound(database.uri());
    Ok(())
}

fn commits_that_never_arrive_are_outcome_unknown_until_the_database_tells() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 5);
    proxy.script(Action::LoseCommit(Forward::Never), Times::UntilCleared);
    let id = assert_outcome_unknown(&unsettled(&proxy, &replica, |http| http.start_deployment(&spec("new"))));
    // What is no plan has no id to look for.
    let server = unsettled(&proxy, &replica, |http| http.put("/servers/s", &json!({"environment": "test"})));
    assert!(server.expect_problem(503, "outcome-unknown").get("id").is_none(), "{server:?}");
    proxy.clear();
    replica.put("/servers/s", &json!({"environment": "test"})).expect(201);
    replica.get(&format!("/deployments/{id}")).expect_problem(404, "not-found");
    let started = replica.started(&spec("new"));
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);
    assert_sound(database.uri());
    Ok(())
}

/// The answer to a request whose commit is lost. After that nobody is let in, so that what became of it cannot be looked up.
fn unsettled(proxy: &BoltProxy, replica: &Replica, ask: impl FnOnce(&Client) -> Answer + Send) -> Answer {
    let lost = proxy.seen().lost_commits;
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| replica.in_time(ask));
        proxy.wait_until(|seen| seen.lost_commits > lost);
        proxy.refuse();
        let answer = asked.join().unwrap();
        proxy.admit();
        answer
    })
}

/// A server whose commit is held back; it has been told that the outcome is not known. The id of the plan, and its body.
fn held_back(
    database: &Exclusive<'_>,
    proxy: &BoltProxy,
    replica: &Replica,
    name: &str,
) -> (String, serde_json::Value) {
    proxy.script(Action::LoseCommit(Forward::WhenReleased), Times::Once);
    // It would find out who holds the head, and end that.
    proxy.script(Action::DropAfterRun { marker: "SHOW TRANSACTIONS" }, Times::UntilCleared);
    let body = json!({"artifactSpec": spec(name), "idempotencyKey": format!("key of {name}")});
    let id = assert_outcome_unknown(&replica.in_time(|http| http.start_deployment(&body)));
    proxy.clear();
    assert_eq!(attempts_on(database.uri(), name), [""; 0]);
    (id, body)
}

fn a_commit_that_comes_later_is_outcome_unknown_and_then_recorded_once() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 5);
    let (id, body) = held_back(&database, &proxy, &replica, "new");
    proxy.release_commits();
    let shown = replica.in_time(|http| http.get(&format!("/deployments/{id}"))).expect(200);
    assert_eq!(shown["deployment"]["condition"], "Pending");
    // Whoever starts it again is told of it, with the key and without.
    let repeated = replica.in_time(|http| http.start_deployment(&body)).expect(200);
    assert_eq!(text(&repeated, "id"), id);
    let pending = replica.start_deployment(&spec("new")).expect_problem(409, "deployment-pending");
    assert_eq!(pending["deployment"], id.as_str());
    assert_eq!(attempts_on(database.uri(), "new"), [id.as_str()]);
    replica.succeed(&repeated);
    assert_sound(database.uri());
    Ok(())
}

fn a_commit_that_is_held_back_is_ended_by_who_waits_for_it_and_comes_to_nothing() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 4);
    let (id, body) = held_back(&database, &proxy, &replica, "new");
    // It holds the head until somebody has waited for that long enough.
    let other = loop {
        let answer = replica.in_time(|http| http.start_deployment(&spec("other")));
        if answer.status == 201 {
            break answer.json();
        }
        assert_unavailable(&answer);
    };
    proxy.release_commits();
    replica.get(&format!("/deployments/{id}")).expect_problem(404, "not-found");
    let started = replica.started(&body);
    assert_ne!(text(&started, "id"), id);
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);
    assert_eq!(attempts_on(database.uri(), "other"), [text(&other, "id")]);
    assert_sound(database.uri());
    Ok(())
}

fn a_commit_that_is_held_back_is_ended_by_its_own_server_where_there_is_time() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 15);
    proxy.script(Action::LoseCommit(Forward::WhenReleased), Times::Once);
    let started = replica.in_time(|http| http.start_deployment(&spec("new"))).expect(201);
    proxy.release_commits();
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);
    replica.succeed(&started);
    assert_sound(database.uri());
    Ok(())
}

fn a_commit_that_fails_for_the_moment_is_made_again_until_the_deadline() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 5);
    proxy.script(Action::FailCommit { code: DEADLOCK }, Times::Once);
    let started = replica.in_time(|http| http.start_deployment(&spec("new"))).expect(201);
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);

    proxy.script(Action::FailCommit { code: DEADLOCK }, Times::UntilCleared);
    assert_unavailable(&replica.in_time(|http| http.start_deployment(&spec("other"))));
    assert_unavailable(&replica.in_time(|http| http.finish(text(&started, "id"), &json!({"success": true}))));
    proxy.clear();
    assert_eq!(attempts_on(database.uri(), "other"), [""; 0]);
    assert_eq!(replica.deployment(text(&started, "id"))["deployment"]["condition"], "Pending");

    // What will not go well in a moment is refused at once, and neither is recorded.
    proxy.script(Action::FailCommit { code: "Neo.ClientError.Schema.ConstraintValidationFailed" }, Times::Once);
    assert_unavailable(&replica.in_time(|http| http.start_deployment(&with(spec("other"), json!({"version": "2"})))));
    assert_eq!(attempts_on(database.uri(), "other"), [""; 0]);
    replica.started(&spec("other"));
    assert_sound(database.uri());
    Ok(())
}

fn a_finish_that_is_recorded_is_not_answered_as_if_nothing_was_where_the_plan_cannot_be_read_then() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::learnt(&proxy.uri(), 15);
    let started = replica.started(&spec("new"));
    let id = text(&started, "id");
    proxy.script(Action::LoseCommit(Forward::WhenReleased), Times::Once);
    std::thread::scope(|scope| {
        let finishing = scope.spawn(|| replica.in_time(|http| http.finish(id, &json!({"success": true}))));
        proxy.wait_until(|seen| seen.lost_commits == 1);
        // By now it has read the plan that it finishes; what it reads once it is recorded fails.
        proxy.script(Action::DropAfterRun { marker: "MATCH (p:Plan {id: $id})" }, Times::UntilCleared);
        proxy.release_commits();
        let answer = finishing.join().unwrap();
        if answer.status != 200 {
            assert_eq!(assert_outcome_unknown(&answer), id);
        }
    });
    proxy.clear();
    assert_eq!(replica.deployment(id)["deployment"]["outcome"], "succeeded");
    replica.succeed(&started);
    assert_sound(database.uri());
    Ok(())
}

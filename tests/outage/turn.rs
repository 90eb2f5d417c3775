//! Connections that break in the middle of a turn to write.

use serde_json::json;

use crate::bolt_proxy::{Action, BoltProxy, Times};
use crate::graph::{assert_sound, attempts_on};
use crate::harness::{Tested, tests};
use crate::replica::{Replica, assert_unavailable, database};
use crate::server::text;
use crate::specs::{consumer, provider, spec};

tests![
    a_turn_that_is_cut_off_once_is_taken_again_and_recorded_once,
    a_turn_that_is_cut_off_again_and_again_is_refused_and_records_nothing,
    readings_whose_connection_breaks_are_repeated,
];

/// Where a turn is cut off: when it takes the head, when it reads the clock, and at several of its statements.
const MARKERS: [&str; 6] = [
    "SET h.turn",
    "datetime.realtime()",
    "MERGE (n:DeploymentSpec",
    "MERGE (n:Change",
    "CREATE (r)-[:PART",
    "MERGE (n:Head",
];

fn a_turn_that_is_cut_off_once_is_taken_again_and_recorded_once() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 6);
    replica.deploy(&provider("running", "sql"));
    for (number, marker) in MARKERS.into_iter().enumerate() {
        let name = format!("artifact-{number}");
        proxy.script(Action::DropAfterRun { marker }, Times::Once);
        let started = replica.in_time(|http| http.start_deployment(&consumer(&name, "sql"))).expect(201);
        assert_eq!(proxy.seen().dropped, 2 * number + 1, "{marker}");
        assert_eq!(attempts_on(database.uri(), &name), [text(&started, "id")], "{marker}");
        proxy.script(Action::DropAfterRun { marker }, Times::Once);
        let finished = replica.in_time(|http| http.finish(text(&started, "id"), &json!({"success": true}))).expect(200);
        assert_eq!(proxy.seen().dropped, 2 * number + 2, "{marker}");
        assert_eq!(finished["deployment"]["currentState"], "Active");
    }
    assert_sound(database.uri());
    Ok(())
}

fn a_turn_that_is_cut_off_again_and_again_is_refused_and_records_nothing() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 3);
    for marker in MARKERS {
        proxy.script(Action::DropAfterRun { marker }, Times::UntilCleared);
        assert_unavailable(&replica.in_time(|http| http.start_deployment(&spec("new"))));
        let set = json!({"artifactSpecs": [spec("new"), spec("other")]});
        assert_unavailable(&replica.in_time(|http| http.start_deployment(&set)));
        proxy.clear();
        assert_eq!(attempts_on(database.uri(), "new"), [""; 0], "{marker}");
    }
    // What cannot be written is red, though reads are well all the while; it is green by itself.
    replica.wait_until_green();
    let started = replica.started(&spec("new"));
    assert_eq!(attempts_on(database.uri(), "new"), [text(&started, "id")]);
    assert_sound(database.uri());
    Ok(())
}

fn readings_whose_connection_breaks_are_repeated() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 6);
    let started = replica.started(&spec("new"));
    for marker in ["d.id IN $ids", "(r)-[p:PART]", "RETURN h.revision"] {
        let dropped = proxy.seen().dropped;
        proxy.script(Action::DropAfterRun { marker }, Times::Once);
        let path = format!("/deployments/{}?consistency=strong", text(&started, "id"));
        let shown = replica.in_time(|http| http.get(&path)).expect(200);
        assert_eq!(shown["artifactSpec"], started["artifactSpec"]);
        assert_eq!(proxy.seen().dropped, dropped + 1, "{marker}");
    }
    replica.get("/readyz").expect(200);
    Ok(())
}

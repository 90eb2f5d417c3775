//! What a disk returns that was not written to it: found where it is read, and in nobody else's way.

use std::collections::BTreeSet;
use std::path::Path;

use mortise::model::Outcome;
use mortise::store::embedded::EmbeddedStore;
use mortise::store::{DeploymentFilter, Page, Store, StoreError};
use rusqlite::Connection;
use serde_json::json;

use crate::harness::tests;
use crate::sample::{Sample, slot};
use crate::server::{Server, mortise, text};
use crate::specs::{consumer, provider, spec, with};

tests![
    whatever_byte_of_a_record_is_another_is_found_when_it_is_read,
    a_damaged_change_is_told_by_its_revision_and_takes_nothing_else_down,
    a_finish_is_answered_though_what_it_matched_cannot_be_read_any_more,
    a_damaged_history_is_not_exported,
    an_index_that_is_damaged_is_made_anew,
    an_index_that_cannot_be_made_anew_is_told_and_not_tried_again_and_again,
];

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("mortise.sqlite")).unwrap()
}

/// Flips a bit in the middle of the record that has this revision.
fn damage(folder: &Path, revision: u64) {
    let database = database(folder);
    let of = "FROM record WHERE last = (SELECT min(last) FROM record WHERE last >= ?1)";
    let (last, mut body): (u64, Vec<u8>) = database
        .query_row(&format!("SELECT last, body {of}"), [revision], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let middle = body.len() / 2;
    body[middle] ^= 1;
    database.execute("UPDATE record SET body = ?1 WHERE last = ?2", (body, last)).unwrap();
}

fn whatever_byte_of_a_record_is_another_is_found_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut sample = Sample::default();
    let opened = sample.open("shop", slot("api", "test", ""), Some("ci"));
    sample.end(opened, Outcome::Succeeded);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.append(&sample.changes).unwrap();
    let connection = database(folder.path());
    let whole: Vec<u8> = connection.query_row("SELECT body FROM record", [], |row| row.get(0)).unwrap();
    let read = || store.changes_at(&BTreeSet::from([1, 2]));
    let written = read().unwrap();
    let write = |body: &[u8]| assert_eq!(connection.execute("UPDATE record SET body = ?1", [body]).unwrap(), 1);
    let mut found = 0;
    for place in 0..whole.len() {
        let mut body = whole.clone();
        body[place] ^= 1 << (place % 8);
        write(&body);
        match read() {
            Err(StoreError::DamagedChanges { first: 1, last: 2, .. }) => found += 1,
            // One of the few bits that mean nothing to whoever unpacks it.
            Ok(same) => assert_eq!(same, written, "byte {place}"),
            Err(other) => panic!("byte {place}: {other}"),
        }
    }
    assert!(found + 8 >= whole.len(), "{found} of {}", whole.len());
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        write(&whole[..length]);
        assert!(matches!(read(), Err(StoreError::DamagedChanges { .. })), "cut to {length} bytes");
    }
    write(&whole);
    connection.execute("UPDATE record SET first = 2", []).unwrap();
    let refused = store.changes_at(&BTreeSet::from([2])).unwrap_err();
    assert!(matches!(refused, StoreError::DamagedChanges { first: 2, last: 2, .. }), "{refused}");
    assert!(refused.to_string().starts_with("change 2 is damaged: "), "{refused}");
    assert!(refused.to_string().ends_with("; restore a backup, or import an export into an empty store"), "{refused}");
}

fn a_damaged_change_is_told_by_its_revision_and_takes_nothing_else_down() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    let (damaged, whole) = (server.started(&spec("damaged")), server.started(&spec("whole")));
    let revision = server.items("/deployments").len() as u64;
    damage(data.path(), revision);
    let refused = server.get(&format!("/deployments/{}", text(&damaged, "id"))).expect_problem(500, "damaged");
    assert!(text(&refused, "detail").starts_with(&format!("change {revision} is damaged: ")), "{refused}");
    // Its end cannot be decided, as what it planned to make cannot be read: nothing is recorded of it.
    server.finish(text(&damaged, "id"), &json!({"success": true})).expect_problem(500, "damaged");
    assert_eq!(server.items("/deployments").len(), 2);
    server.deployment(text(&whole, "id"));
    server.succeed(&whole);
    server.deploy(&provider("next", "sql"));
    server.started(&json!({"artifactSpec": consumer("api", "sql"), "idempotencyKey": "once"}));
    server.start_deployment(&json!({"artifactSpec": consumer("api", "sql"), "idempotencyKey": "once"})).expect(200);
    server.get("/readyz").expect(200);
}

fn a_finish_is_answered_though_what_it_matched_cannot_be_read_any_more() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    let first = server.deploy(&provider("database", "sql"));
    let opened = server.started(&consumer("api", "sql"));
    // What was matched is another row by now, and the one before stands in the history only.
    let component = text(&opened["artifactSpec"]["requires"]["needed"]["matches"][0], "component").to_owned();
    server.deploy(&with(provider("database", "sql"), json!({"version": "2.0"})));
    let row = database(data.path()).query_row(
        "SELECT ended FROM deployment WHERE id = ?1",
        [id_of(text(&first, "id"))],
        |row| row.get(0),
    );
    damage(data.path(), row.unwrap());
    server.get(&format!("/deployments/{}", text(&opened, "id"))).expect_problem(500, "damaged");
    // Twice: a repeat is answered alike.
    for _ in 0..2 {
        let finished = server.finish(text(&opened, "id"), &json!({"success": true})).expect(200);
        assert_eq!(finished["deployment"]["outcome"], "succeeded");
        let shown = &finished["artifactSpec"]["requires"]["needed"]["matches"][0];
        assert_eq!((text(shown, "component"), &shown["version"]), (component.as_str(), &json!("2.0")));
        let warnings = finished["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|warning| warning["code"] == "match-not-as-it-was"), "{warnings:?}");
    }
}

fn id_of(text: &str) -> [u8; 16] {
    uuid::Uuid::parse_str(text).unwrap().into_bytes()
}

fn a_damaged_history_is_not_exported() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    (0..5).for_each(|number| drop(server.started(&spec(&format!("artifact-{number}")))));
    assert!(server.stop().success());
    damage(data.path(), 4);
    let file = data.path().join("export");
    let mut export = mortise();
    export.args(["export", "--log", "error", "--data"]).arg(data.path()).arg("--output-file").arg(&file);
    let refused = export.output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("change 4 is damaged"), "{told}");
    assert!(!file.exists(), "nothing that might be taken for an export");
}

fn an_index_that_is_damaged_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut sample = Sample::default();
    let opened = sample.open("shop", slot("api", "test", "blue"), Some("ci"));
    sample.end(opened, Outcome::Failed);
    let (set, members) =
        sample.open_set(&[("shop", slot("a", "test", "")), ("shop", slot("b", "test", ""))], None, true);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.append(&sample.changes).unwrap();
    let page = Page::newest(100);
    let world = || {
        let listed = store.deployments(&DeploymentFilter::default(), page).unwrap();
        let listed: Vec<_> = listed.items.into_iter().map(|listed| (listed.place, listed.spec)).collect();
        (store.located(&[opened, members[0]]).unwrap(), store.set(set).unwrap(), listed)
    };
    let before = world();
    let damages = [
        "UPDATE deployment SET version = '1.1' WHERE place = 1",
        "UPDATE deployment SET actor = NULL WHERE place = 1",
        "UPDATE deployment SET outcome = 'succeeded' WHERE place = 1",
        "UPDATE deployment SET current_state = 'Activf' WHERE place = 1",
        "UPDATE deployment SET artifact = '' WHERE place = 1",
        "UPDATE deployment SET supersedes = x'00' WHERE place = 1",
        "UPDATE plan_set SET members = zeroblob(32)",
    ];
    for statement in damages {
        assert!(database(folder.path()).execute(statement, []).unwrap() > 0, "{statement}");
        assert_eq!(world(), before, "{statement}");
    }
    // It is on the disk as it was, too.
    drop(store);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(store.located(&[opened, members[0]]).unwrap(), before.0);
}

fn an_index_that_cannot_be_made_anew_is_told_and_not_tried_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut sample = Sample::default();
    let (first, second) =
        (sample.open("shop", slot("a", "test", ""), None), sample.open("shop", slot("b", "test", ""), None));
    let store = EmbeddedStore::open(folder.path()).unwrap();
    sample.changes.iter().for_each(|change| store.append(std::slice::from_ref(change)).unwrap());
    let whole = store.located(&[second]).unwrap();
    database(folder.path()).execute("UPDATE deployment SET version = '1.1' WHERE place = 1", []).unwrap();
    damage(folder.path(), 1);
    assert!(matches!(store.located(&[first]), Err(StoreError::DamagedChanges { first: 1, .. })));
    // From now on it is not tried, even though it would go well.
    damage(folder.path(), 1);
    assert!(matches!(store.located(&[first]), Err(StoreError::Damaged(_))));
    assert_eq!(store.located(&[second]).unwrap(), whole);
}

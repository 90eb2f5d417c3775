//! What a version of format 1 left, and what it answered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mortise::model::KeptKey;
use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;

use crate::server::Client;

/// Where a history stands. The cursors of some lists are others in a folder and in a database.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Folder,
    Database,
}

/// What it answered.
#[derive(Deserialize)]
pub struct Answers {
    /// What `mortise settings show` printed.
    settings: String,
    answers: BTreeMap<String, String>,
    folder: BTreeMap<String, String>,
    database: BTreeMap<String, String>,
    questions: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    query: String,
    answer: String,
}

/// The answers of the fixture.
pub static ANSWERS: LazyLock<Answers> = LazyLock::new(|| read("answers.json"));

impl Answers {
    /// What `mortise settings show` prints now: settings that there were none of then are as they are by default.
    pub fn settings_now(&self) -> String {
        self.settings.replace("maxDepth", "maxPlanBytes: 16777216\nmaxComparisons: 20000000\nmaxDepth")
    }

    /// The bodies of GET by path.
    pub fn of(&self, place: Place) -> impl Iterator<Item = (&str, &str)> {
        let apart = match place {
            Place::Folder => &self.folder,
            Place::Database => &self.database,
        };
        self.answers.iter().chain(apart).map(|(path, body)| (path.as_str(), body.as_str()))
    }

    /// Every path is answered as it was, byte for byte.
    #[track_caller]
    pub fn assert_given_by(&self, client: &Client, place: Place) {
        let found = self.of(place).map(|(path, body)| (path, body, client.get(path).text));
        assert_same(found);
    }

    /// Every question of the graph is answered as it was, byte for byte, but for where resolutions stand: the end of an attempt
    /// does not repeat them any more, and for keys, of which hashes are kept.
    #[track_caller]
    pub fn assert_told_by(&self, client: &Client) {
        let without_places = |text: &str| {
            let mut pieces = text.split(r#""resolved":"#);
            let first = pieces.next().unwrap_or_default().to_owned();
            pieces.fold(first, |text, piece| text + piece.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        };
        let told = self.questions.iter().map(|Question { query, answer }| {
            let answered = client.post("/graph/query", &json!({"query": query})).text;
            let answer = if query.contains("n:IdempotencyKey") { keys_as_kept(answer) } else { answer.clone() };
            (query.as_str(), without_places(&answer), without_places(&answered))
        });
        let told: Vec<_> = told.collect();
        assert_same(told.iter().map(|(query, before, after)| (*query, before.as_str(), after.clone())));
    }
}

/// Rows of keys and plans in the order of keys, as those are kept now.
fn keys_as_kept(rows: &str) -> String {
    #[derive(Deserialize)]
    struct Row {
        key: String,
        plan: String,
    }
    let rows: Vec<Row> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let kept = rows.into_iter().map(|row| (KeptKey::of(&row.key).as_str().to_owned(), row.plan));
    let kept: BTreeMap<_, _> = kept.collect();
    kept.iter().map(|(key, plan)| json!({"key": key, "plan": plan}).to_string() + "\n").collect()
}

/// Of each of these the second text is the third.
#[track_caller]
pub fn assert_same<'a>(found: impl Iterator<Item = (&'a str, &'a str, String)>) {
    let (mut count, mut others) = (0, Vec::new());
    for (asked, expected, answered) in found {
        count += 1;
        if answered != expected {
            let place = expected.bytes().zip(answered.bytes()).take_while(|(left, right)| left == right).count();
            others.push(format!("{asked}\n  was {}\n  is  {}", excerpt(expected, place), excerpt(&answered, place)));
        }
    }
    assert!(count > 0, "nothing was asked");
    others.truncate(10);
    assert!(others.is_empty(), "of {count} answers some are others, the first of them:\n{}", others.join("\n"));
}

/// A text around a place.
fn excerpt(text: &str, place: usize) -> &str {
    &text[text.floor_char_boundary(place.saturating_sub(100))..text.ceil_char_boundary(place + 200)]
}

/// A file of the fixture.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1").join(name)
}

/// A file of the fixture, read.
pub fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(path(name)).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A copy of the folder.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(path("mortise.sqlite"), database_of(folder.path())).unwrap();
    folder
}

/// Where the database of a folder is.
pub fn database_of(folder: &Path) -> PathBuf {
    folder.join("mortise.sqlite")
}

/// The format of a folder that no process has open, as its database says.
pub fn format_of(folder: &Path) -> i64 {
    let database = Connection::open_with_flags(database_of(folder), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// So many changes more than the history has, in which nothing is other in the end: the policy of an Environment goes back and
/// forth. Each has its revision, its id and its JSON.
pub fn more_changes(count: u64) -> impl Iterator<Item = (u64, String, String)> {
    const HELD: u64 = 160;
    assert_eq!(count % 2, 0, "the last one has the policy that the fixture has");
    (HELD + 1..=HELD + count).map(|revision| {
        let id = uuid::Uuid::from_u128(u128::from(revision)).to_string();
        let policy = if revision % 2 == 0 { "refuse" } else { "warn" };
        let body = format!(
            r#"{{"revision":{revision},"id":"{id}","time":"{LATER}","cause":"put-environment","rows":[{{"environment":{{"name":"never","firstDeployment":"{policy}","proven":false}}}}]}}"#
        );
        (revision, id, body)
    })
}

/// When they were recorded: after everything in the fixture, and before any test is run.
pub const LATER: &str = "2026-11-24T17:53:08.000Z";

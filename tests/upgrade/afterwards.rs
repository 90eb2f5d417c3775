//! What goes on after an upgrade: attempts that were open are ended, starts are repeated under their keys, numbers go on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{self, ANSWERS, Place, assert_same};
use crate::server::{Client, text};

/// What is done, and what is answered during it and after it. Later times are masked there.
#[derive(Deserialize)]
struct Afterwards {
    /// The last time that the history of the fixture has.
    newest: String,
    steps: Vec<Step>,
    /// The answers that are others after it, by path.
    answers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Step {
    what: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
    status: u16,
    /// Absent where an answer names its own request.
    answer: Option<String>,
}

/// The slot of an attempt.
type Slot = (String, String, String);

/// Everything goes on through `one` server as it would have without an upgrade, and is seen through `other`.
#[track_caller]
pub fn assert_goes_on(one: &Client, other: &Client) {
    let afterwards: Afterwards = fixture::read("afterwards.json");
    for step in &afterwards.steps {
        let headers: Vec<_> = step.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = one.send("POST", &step.path, &headers, &step.body);
        assert_eq!(answer.status, step.status, "{}: {answer:?}", step.what);
        let Some(expected) = &step.answer else { continue };
        assert_same([(step.what.as_str(), expected.as_str(), afterwards.masked(&answer.text))].into_iter());
    }
    // Whoever looks through another server waits for what was recorded.
    other.get("/deployments?limit=1&consistency=strong").expect(200);
    afterwards.assert_seen_by(other);
}

/// A server that has started since sees it too, and opens the next attempt of every slot under the number after the last one.
#[track_caller]
pub fn assert_gone_on(client: &Client) {
    fixture::read::<Afterwards>("afterwards.json").assert_seen_by(client);
    assert_numbers_go_on(client);
}

impl Afterwards {
    #[track_caller]
    fn assert_seen_by(&self, client: &Client) {
        // Lists of attempts have times in their paths, and other cursors elsewhere.
        let is_asked =
            |path: &str| !path.contains('?') || path.starts_with("/components?state=") && !path.contains("cursor");
        let paths = ANSWERS.of(Place::Folder).filter(|(path, _)| is_asked(path));
        assert_same(paths.map(|(path, before)| {
            let expected = self.answers.get(path).map_or(before, String::as_str);
            (path, expected, self.masked(&client.get(path).text))
        }));
    }

    /// A text in which every time after those of the fixture is the same.
    fn masked(&self, text: &str) -> String {
        let is_time =
            |piece: &str| piece.len() == self.newest.len() && piece.ends_with('Z') && piece.as_bytes()[10] == b'T';
        let pieces = text.split('"').map(|piece| match piece {
            later if is_time(later) && later > self.newest.as_str() => "(later)",
            other => other,
        });
        pieces.collect::<Vec<_>>().join("\"")
    }
}

#[track_caller]
fn assert_numbers_go_on(client: &Client) {
    assert!(client.items("/deployments?condition=Pending").is_empty(), "something is still open");
    let mut last: BTreeMap<Slot, u64> = BTreeMap::new();
    for attempt in client.items("/deployments?limit=1000") {
        let slot = ["artifact", "environment", "instance"].map(|name| attempt[name].as_str().unwrap_or("").to_owned());
        let number = last.entry(slot.into()).or_default();
        *number = (*number).max(attempt["number"].as_u64().unwrap());
    }
    assert!(last.values().any(|number| *number > 5), "{last:?}");
    let owned = client.items("/artifacts?limit=1000");
    for ((artifact, environment, instance), number) in last {
        let known = owned.iter().find(|known| known["name"] == artifact).unwrap();
        let started = client.started(&json!({
            "system": text(known, "system"), "name": artifact, "version": "99", "environment": environment, "instance": instance,
        }));
        assert_eq!(started["deployment"]["number"], Value::from(number + 1), "{started}");
    }
}

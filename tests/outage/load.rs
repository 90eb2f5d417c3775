//! Clients that start and finish plans, whatever becomes of the database meanwhile.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::ledger::{End, Finish, Start};
use crate::replica::{Replica, assert_outcome_unknown, assert_unavailable};
use crate::server::{Answer, JSON, text};

/// How many Artifacts each client has for itself.
const ARTIFACTS: usize = 3;
/// How long a client that was refused waits before it asks again: less than it is told, so that much is refused.
const PACE: Duration = Duration::from_millis(20);
/// How long it may take until clients have done what a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all clients have done together, and whether they go on.
#[derive(Default)]
pub struct Load {
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    is_over: AtomicBool,
}

/// Ends the load when it goes, so that nobody works on behind a test that failed.
pub struct Over<'a>(&'a Load);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Load {
    pub fn until_dropped(&self) -> Over<'_> {
        Over(self)
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Waits until so many requests more were acknowledged.
    #[track_caller]
    pub fn wait_for_acknowledged(&self, more: usize) {
        wait(&self.acknowledged, more);
    }

    /// Waits until so many requests more were refused.
    #[track_caller]
    pub fn wait_for_refused(&self, more: usize) {
        wait(&self.refused, more);
    }
}

#[track_caller]
fn wait(count: &AtomicUsize, more: usize) {
    let (began, until) = (Instant::now(), count.load(Ordering::Relaxed) + more);
    while count.load(Ordering::Relaxed) < until {
        assert!(began.elapsed() < PATIENCE, "the clients are stuck");
        std::thread::sleep(PACE);
    }
}

/// One client, and all that it asked for.
pub struct Client<'a> {
    number: usize,
    replica: &'a Replica,
    load: &'a Load,
    pub starts: Vec<Start>,
    /// What it is at, for each of its Artifacts.
    current: [Option<usize>; ARTIFACTS],
    turn: usize,
    /// The longest that a request took.
    pub slowest: Duration,
}

impl<'a> Client<'a> {
    pub fn new(number: usize, replica: &'a Replica, load: &'a Load) -> Self {
        let (starts, current) = (Vec::new(), [None; ARTIFACTS]);
        Self { number, replica, load, starts, current, turn: 0, slowest: Duration::ZERO }
    }

    /// Does the next thing for the next of its Artifacts.
    pub fn act(&mut self) {
        self.turn += 1;
        let artifact = self.turn % ARTIFACTS;
        let place = match self.current[artifact] {
            None => self.next(artifact),
            Some(place) => place,
        };
        let start = &self.starts[place];
        match (&start.recorded, &start.key, start.unknown.last()) {
            (Some(_), ..) => self.finish(artifact, place),
            // What was refused without a key is given up; what may be recorded is looked for.
            (None, None, None) if start.refused > 0 => self.current[artifact] = None,
            (None, None, Some(id)) => {
                let id = id.clone();
                self.look(artifact, place, id);
            }
            (None, ..) => self.start(artifact, place),
        }
    }

    /// Finds out what became of everything, and finishes what is open, now that the database is there.
    pub fn settle(&mut self) {
        while self.current.iter().any(Option::is_some) {
            self.turn += 1;
            if self.current[self.turn % ARTIFACTS].is_some() {
                self.turn -= 1;
                self.act();
            }
        }
    }

    fn next(&mut self, artifact: usize) -> usize {
        let place = self.starts.len();
        let name = format!("client-{}.artifact-{artifact}", self.number);
        let body = json!({
            "system": format!("client-{}", self.number), "name": name, "version": format!("1.{place}"), "environment": "test",
            "provides": [{"interface": format!("interface-{}", self.number), "layer": "server"}],
            "requires": {"neighbour": {"interface": format!("interface-{}", self.number / 2), "quantifier": "0..*"}},
        });
        let actor = format!("client-{} for the {place}th time", self.number);
        let key = place.is_multiple_of(2).then(|| format!("key-{}-{place}", self.number));
        self.starts.push(Start::new(body, actor, key));
        self.current[artifact] = Some(place);
        place
    }

    fn start(&mut self, artifact: usize, place: usize) {
        let start = &self.starts[place];
        let mut headers = vec![JSON, ("Mortise-Actor", start.actor.as_str())];
        headers.extend(start.key.as_deref().map(|key| ("Idempotency-Key", key)));
        let (body, replica) = (start.body.to_string(), self.replica);
        let began = Instant::now();
        let answer = replica.in_time(|http| http.send("POST", "/deployments/start", &headers, body));
        self.slowest = self.slowest.max(began.elapsed());
        let start = &mut self.starts[place];
        match answer.status {
            200 | 201 => {
                let id = text(&answer.json(), "id").to_owned();
                let is_known = start.unknown.contains(&id);
                assert_eq!(
                    is_known,
                    answer.status == 200,
                    "{} was told of {:?}, then {id}",
                    start.actor,
                    start.unknown
                );
                start.recorded = Some(id);
                self.acknowledged();
            }
            409 => {
                let problem = answer.expect_problem(409, "deployment-pending");
                self.adopt(artifact, text(&problem, "deployment"));
            }
            _ => self.refused(place, &answer),
        }
    }

    /// One that was not known to be recorded is in the way.
    fn adopt(&mut self, artifact: usize, id: &str) {
        let place = self.starts.iter().position(|start| start.unknown.iter().any(|unknown| unknown == id));
        let place = place.unwrap_or_else(|| panic!("{id} is open, and nobody was told of it"));
        self.starts[place].recorded = Some(id.to_owned());
        self.current[artifact] = Some(place);
    }

    fn look(&mut self, artifact: usize, place: usize, id: String) {
        let replica = self.replica;
        let answer = replica.in_time(|http| http.get(&format!("/deployments/{id}?consistency=strong")));
        match answer.status {
            200 => self.starts[place].recorded = Some(id),
            404 => self.current[artifact] = None,
            _ => drop(assert_unavailable(&answer)),
        }
    }

    fn finish(&mut self, artifact: usize, place: usize) {
        let start = &mut self.starts[place];
        let id = start.recorded.as_deref().expect("it is recorded");
        let finish = if place % 4 == 3 { Finish::Fail } else { Finish::Succeed };
        let (path, body) = (format!("/deployments/{id}/finish"), json!({"success": finish == Finish::Succeed}));
        let (replica, began) = (self.replica, Instant::now());
        let answer = replica.in_time(|http| http.post(&path, &body));
        self.slowest = self.slowest.max(began.elapsed());
        if answer.status == 200 {
            assert_eq!(answer.json()["deployment"]["outcome"], finish.outcome());
            start.end = End::Ended(finish);
            self.current[artifact] = None;
            return self.acknowledged();
        }
        start.end = End::Asked(finish);
        if answer.expect(503)["code"] == "outcome-unknown" {
            assert_eq!(assert_outcome_unknown(&answer), id);
        } else {
            assert_unavailable(&answer);
        }
        self.was_refused();
    }

    fn refused(&mut self, place: usize, answer: &Answer) {
        let start = &mut self.starts[place];
        if answer.expect(503)["code"] == "outcome-unknown" {
            start.unknown.push(assert_outcome_unknown(answer));
        } else {
            assert_unavailable(answer);
            start.refused += 1;
        }
        self.was_refused();
    }

    fn acknowledged(&self) {
        self.load.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    fn was_refused(&self) {
        self.load.refused.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(PACE);
    }
}

//! What a soak does: the same few things to the same slots.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::CONNECTIONS;
use super::figures::Round;
use super::server::Client;

/// How many slots there are; each belongs to one connection.
pub const SLOTS: usize = 400;
/// How many Components run that nobody deploys again.
const PROVIDERS: usize = 200;
/// So many attempts of each worker have one that fails.
const FAILING: u64 = 10;
/// So many attempts of each worker have one question beside them.
const ASKING: u64 = 4;

/// When a round ends.
pub enum Until {
    /// At this moment.
    Time(Instant),
    /// When so many attempts were begun.
    Attempts(u64),
}

impl Until {
    /// After this time.
    pub fn time(length: Duration) -> Self {
        Self::Time(Instant::now() + length)
    }

    /// After so many attempts.
    pub fn attempts(count: u64) -> Self {
        Self::Attempts(count)
    }

    fn is_over(&self, begun: &AtomicU64) -> bool {
        let before = begun.fetch_add(1, Ordering::Relaxed);
        match *self {
            Self::Time(end) => Instant::now() >= end,
            Self::Attempts(count) => before >= count,
        }
    }
}

/// A connection that deploys to its slots in turn.
pub struct Worker {
    client: Client,
    number: usize,
    attempts: u64,
    /// How long what it asked took since that was last taken.
    pub took: Round,
}

impl Worker {
    /// A worker that has its own part of the slots.
    pub fn new(address: SocketAddr, number: usize) -> Self {
        Self { client: Client::connect(address), number, attempts: 0, took: Round::default() }
    }

    /// Starts and finishes until the round is over.
    pub fn work(&mut self, until: &Until, begun: &AtomicU64) {
        while !until.is_over(begun) {
            self.attempt();
        }
    }

    fn attempt(&mut self) {
        let own = SLOTS / CONNECTIONS;
        let slot = self.number * own + self.attempts as usize % own;
        let key = Uuid::new_v4();
        let body = format!(r#"{{"idempotencyKey": "{key}", {}"#, &request(slot, self.attempts)[1..]);
        let started = Instant::now();
        let plan = self.client.post("/deployments/start", &body);
        self.took.starts.push(started.elapsed());
        let id = plan.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()).expect("a plan has an id");
        // Of every slot in its turn, whatever number of slots there is.
        let end = if (self.attempts + self.attempts / own as u64) % FAILING == FAILING - 1 {
            r#"{"success": false, "reason": "the smoke test failed"}"#
        } else {
            r#"{"success": true}"#
        };
        self.client.post(&format!("/deployments/{id}/finish"), end);
        if self.attempts.is_multiple_of(ASKING) {
            self.ask(slot, id);
            let started = Instant::now();
            self.client.get("/healthz");
            self.took.idle.push(started.elapsed());
        }
        self.attempts += 1;
    }

    /// Asks one of the questions in turn.
    fn ask(&mut self, slot: usize, id: &str) {
        match self.attempts / ASKING % 6 {
            0 => self.client.post("/deployments/start?dryRun=true", &request(slot, self.attempts)),
            1 => self.client.get("/deployments?condition=Pending"),
            2 => self.client.get("/deployments?limit=20"),
            3 => self.client.get(&format!("/deployments/{id}")),
            4 => self.client.get(&format!("/components?interface=soak-{slot}")),
            _ => self.client.get("/components?limit=20"),
        };
    }
}

/// Activates what every attempt requires.
pub fn activate(address: SocketAddr) {
    let mut client = Client::connect(address);
    for index in 0..PROVIDERS {
        let server = format!(
            r#"{{"environment": "test", "interface": "interface-{index}", "version": "1.4.0", "attributes": {{"url": "https://provider-{index}/", "port": "8443"}}}}"#
        );
        client.put(&format!("/servers/provider-{index}"), &server);
    }
}

/// Another version with every attempt; three fixed providers, and what a neighbour provides where it runs.
fn request(slot: usize, attempt: u64) -> String {
    let requires: Vec<_> = (0..3)
        .map(|index| {
            let interface = (slot + index * 37) % PROVIDERS;
            format!(
                r#""need{index}": {{"interface": "interface-{interface}", "selector": [{{"key": "version", "values": ["[1.0,2.0)"]}}]}}"#
            )
        })
        .collect();
    let neighbour = (slot + 1) % SLOTS;
    format!(
        r#"{{"artifactSpec": {{"system": "shop", "name": "org.soak.artifact-{slot}", "provides": [{{"interface": "soak-{slot}", "layer": "server", "version": "1.0", "labels": {{"tier": "gold"}}, "attributes": {{"url": "https://${{name}}.${{environment}}.example.org/${{version}}", "database": "${{requires.need0.matches[0].attributes.url}}"}}}}], "requires": {{{}, "neighbour": {{"interface": "soak-{neighbour}", "quantifier": "0..1"}}}}}}, "input": {{"version": "2.3.{attempt}", "environment": "test"}}}}"#,
        requires.join(", ")
    )
}

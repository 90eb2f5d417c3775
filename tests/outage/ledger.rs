//! What clients asked for, what they were answered, and whether the database has it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::graph::Attempt;
use crate::server::{Client as Http, text};

/// A plan that a client wants started. It is asked for again under its key, or not at all; whoever asks names it.
pub struct Start {
    pub body: Value,
    pub actor: String,
    pub key: Option<String>,
    /// The id under which it was acknowledged, or found where its answer was not known.
    pub recorded: Option<String>,
    /// The ids of which it was said that they may be recorded.
    pub unknown: Vec<String>,
    /// How often it was said that nothing was recorded.
    pub refused: usize,
    pub end: End,
}

/// How far a recorded plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Open,
    /// A finish was asked for, and not acknowledged.
    Asked(Finish),
    Ended(Finish),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    Succeed,
    Fail,
}

impl Finish {
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Succeed => "succeeded",
            Self::Fail => "failed",
        }
    }
}

impl Start {
    pub fn new(body: Value, actor: String, key: Option<String>) -> Self {
        Self { body, actor, key, recorded: None, unknown: Vec::new(), refused: 0, end: End::Open }
    }
}

/// Compares what was answered with what stands in the database.
#[track_caller]
pub fn assert_recorded(starts: &[Start], attempts: &[Attempt]) {
    let mut by_actor: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
    for attempt in attempts {
        by_actor.entry(attempt.actor.as_deref().expect("every client says who it is")).or_default().push(attempt);
    }
    for start in starts {
        let found = by_actor.remove(start.actor.as_str()).unwrap_or_default();
        let ids: Vec<_> = found.iter().map(|attempt| attempt.id.as_str()).collect();
        let (actor, unknown) = (&start.actor, &start.unknown);
        match &start.recorded {
            Some(id) => assert_eq!(ids, [id.as_str()], "{actor} was acknowledged once"),
            None => assert!(
                ids.len() <= 1 && ids.iter().all(|id| unknown.iter().any(|unknown| unknown == id)),
                "{actor} was told that nothing was recorded but, perhaps, {unknown:?}; there is {ids:?}"
            ),
        }
        for attempt in found {
            match start.end {
                End::Ended(finish) => {
                    assert_eq!(attempt.outcome.as_deref(), Some(finish.outcome()), "{actor}: {attempt:?}");
                    assert_ne!(attempt.condition, "Pending", "{actor}: {attempt:?}");
                    // A successor may have taken its place.
                    let state = if finish == Finish::Succeed { "Active" } else { "Error" };
                    assert!([state, "Inactive"].contains(&attempt.state.as_str()), "{actor}: {attempt:?}");
                }
                End::Open => assert_eq!(attempt.condition, "Pending", "{actor}: {attempt:?}"),
                End::Asked(finish) => assert!(
                    attempt.outcome.as_deref().is_none_or(|outcome| outcome == finish.outcome()),
                    "{actor}: {attempt:?}"
                ),
            }
        }
    }
    assert!(by_actor.is_empty(), "nobody asked for {by_actor:?}");
}

/// Compares what was answered with what a server shows.
#[track_caller]
pub fn assert_shown(starts: &[Start], http: &Http) {
    for start in starts {
        if let Some(id) = &start.recorded {
            let shown = http.deployment(id);
            assert_eq!(text(&shown, "id"), id);
            assert_eq!(shown["artifactSpec"]["name"], start.body["name"]);
            assert_eq!(shown["deployment"]["actor"], start.actor.as_str());
            if let End::Ended(finish) = start.end {
                assert_eq!(shown["deployment"]["outcome"], finish.outcome());
            }
        }
        for id in start.unknown.iter().filter(|id| start.recorded.is_some() && Some(*id) != start.recorded.as_ref()) {
            http.get(&format!("/deployments/{id}")).expect_problem(404, "not-found");
        }
    }
}

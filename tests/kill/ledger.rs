//! What one client was answered, and what it asked without being answered.

use serde_json::Value;

use crate::server::text;

/// What a client knows for sure, and what it has to find out.
#[derive(Default)]
pub struct Ledger {
    /// Plans that the server acknowledged, or that were found to be recorded although the answer was lost.
    pub plans: Vec<Plan>,
    /// A start that was not answered.
    pub lost_start: Option<Start>,
    /// The answer to the last declaration of the client's Server.
    pub server: Option<Value>,
    /// A declaration of it that was not answered.
    pub lost_server: Option<Value>,
    /// How many answers were lost.
    pub lost: usize,
    /// How many starts were recorded although their answer was lost.
    pub found: usize,
}

/// A start as it was sent.
#[derive(Clone)]
pub struct Start {
    pub body: Value,
    pub key: Option<String>,
    /// The Artifacts of its members, in order.
    pub artifacts: Vec<String>,
}

/// A plan that is recorded.
pub struct Plan {
    pub start: Start,
    /// As it was answered.
    pub answer: Value,
    pub end: End,
}

/// How far a plan has come.
pub enum End {
    Open,
    /// A finish with this success was not answered.
    Asked(bool),
    /// A finish was acknowledged with this answer.
    Ended(Value),
}

impl Ledger {
    /// How many plans are recorded, how many answers were lost, and how many starts were recorded all the same.
    pub fn counts(&self) -> [usize; 3] {
        [self.plans.len(), self.lost, self.found]
    }

    /// The place of a plan that is open, in which the Artifact takes part.
    pub fn open(&self, artifact: &str) -> Option<usize> {
        let takes_part = |plan: &Plan| plan.start.artifacts.iter().any(|other| other == artifact);
        self.plans.iter().position(|plan| takes_part(plan) && !matches!(plan.end, End::Ended(_)))
    }
}

impl Plan {
    pub fn id(&self) -> &str {
        text(&self.answer, "id")
    }

    /// The ids of its attempts, in order.
    pub fn members(&self) -> Vec<&str> {
        match self.answer["deployments"].as_array() {
            Some(members) => members.iter().map(|member| text(member, "id")).collect(),
            None => vec![self.id()],
        }
    }

    /// Whether what is shown now is what was answered, but for what may have happened since.
    #[track_caller]
    pub fn assert_shown(&self, now: &Value) {
        let since_start = [
            "lease",
            "outcome",
            "reason",
            "finishedAt",
            "supersedes",
            "stale",
            "currentState",
            "targetState",
            "condition",
        ];
        assert_eq!(
            without(&self.answer, &since_start),
            without(now, &since_start),
            "what start answered is not what is shown"
        );
        match &self.end {
            End::Open => each_deployment(now, |deployment| {
                assert_eq!(deployment["condition"], "Pending", "nobody finished {now}")
            }),
            End::Asked(success) => {
                let mut outcomes = Vec::new();
                each_deployment(now, |deployment| outcomes.push(deployment.get("outcome").cloned()));
                let asked = Some(Value::from(if *success { "succeeded" } else { "failed" }));
                assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "half of it is finished: {now}");
                assert!(outcomes[0].is_none() || outcomes[0] == asked, "nobody asked for that: {now}");
            }
            End::Ended(answer) => {
                // A successor may have taken its slot; the warnings of a finish are its own.
                let since_finish = ["currentState", "targetState", "condition", "warnings"];
                assert_eq!(
                    without(answer, &since_finish),
                    without(now, &since_finish),
                    "what finish answered is not what is shown"
                );
            }
        }
    }
}

fn each_deployment(plan: &Value, mut each: impl FnMut(&Value)) {
    match plan["deployments"].as_array() {
        Some(members) => members.iter().for_each(each),
        None => each(&plan["deployment"]),
    }
}

/// A plan without these members, of itself and of its deployments.
fn without(plan: &Value, names: &[&str]) -> Value {
    let mut plan = plan.clone();
    let strip = |value: &mut Value| {
        if let Some(members) = value.as_object_mut() {
            members.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    strip(&mut plan);
    if let Some(deployment) = plan.get_mut("deployment") {
        strip(deployment);
    }
    plan.get_mut("deployments").and_then(Value::as_array_mut).into_iter().flatten().for_each(strip);
    plan
}

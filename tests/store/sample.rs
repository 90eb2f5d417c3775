//! ChangeSets as the server records them, made without it: attempts opened and ended, sets, Servers, policies.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use mortise::document::{Json, JsonText};
use mortise::model::{
    Action, ArtifactRow, Beside, Cause, ChangeSet, DeploymentId, DeploymentSpec, EnvironmentRow, KeptToken, LeaseRow,
    LeaseToken, Name, Outcome, PlanId, PlanRow, ReceivedRow, ResolutionRow, ResolvedSpec, Row, Slot, State, SystemRow,
    Timestamp,
};
use uuid::Uuid;

use crate::history::{deployment_id, name};

/// The milliseconds between two changes.
const STEP: i64 = 1_000;

/// A history in the making.
#[derive(Default)]
pub struct Sample {
    pub changes: Vec<ChangeSet>,
    attempts: Vec<DeploymentSpec>,
}

impl Sample {
    /// Opens an attempt.
    pub fn open(&mut self, system: &str, slot: Slot, actor: Option<&str>) -> DeploymentId {
        self.open_set(&[(system, slot)], actor, false).1[0]
    }

    /// Opens the attempts of one plan.
    pub fn open_set(
        &mut self,
        members: &[(&str, Slot)],
        actor: Option<&str>,
        is_set: bool,
    ) -> (PlanId, Vec<DeploymentId>) {
        let first = self.attempts.len() as u64;
        let ids: Vec<_> = (0..members.len() as u64).map(|member| deployment_id(first + member)).collect();
        let plan = if is_set { PlanId(Uuid::from_u128(0xabc0_0000 + u128::from(first))) } else { PlanId(ids[0].0) };
        let mut rows = Vec::new();
        for ((system, slot), &id) in members.iter().zip(&ids) {
            let number = self.attempts.iter().filter(|attempt| attempt.slot == *slot).count() as u64 + 1;
            let attempt = DeploymentSpec {
                id,
                plan,
                slot: slot.clone(),
                system: name(system),
                version: "1.0".into(),
                number,
                current_state: State::Draft,
                target_state: State::Active,
                opening: Some(Action::Publish),
                outcome: None,
                reason: None,
                ended: None,
                created_at: self.time(),
                finished_at: None,
                actor: actor.map(str::to_owned),
                supersedes: None,
            };
            rows.push(Row::System(SystemRow { name: name(system) }));
            rows.push(Row::Artifact(ArtifactRow { name: slot.artifact.clone(), system: name(system), proven: false }));
            rows.push(Row::Environment(EnvironmentRow {
                name: slot.environment.clone(),
                first_deployment: None,
                proven: false,
            }));
            rows.push(Row::DeploymentSpec(attempt.clone()));
            rows.push(Row::Received(received(&attempt).into()));
            rows.push(Row::Resolution(resolution(&attempt, "as planned", self.changes.len() as u64).into()));
            self.attempts.push(attempt);
        }
        if is_set {
            rows.push(Row::Plan(PlanRow { id: plan, members: ids.clone() }));
        }
        self.commit(Cause::Start, actor, rows);
        let leases = ids.iter().map(|&deployment| Beside::Lease(LeaseRow { deployment, token: token(deployment) }));
        self.changes.last_mut().expect("it was just made").beside = leases.collect();
        (plan, ids)
    }

    /// Ends an attempt; what it took the slot from becomes inactive.
    pub fn end(&mut self, id: DeploymentId, outcome: Outcome) {
        let (time, succeeded) = (self.time(), outcome == Outcome::Succeeded);
        let ending = self.attempt(id).clone();
        let mut rows = Vec::new();
        for other in self.attempts.iter_mut().filter(|other| other.slot == ending.slot && other.id != id && succeeded) {
            if matches!(other.current_state, State::Active | State::Error) {
                (other.current_state, other.target_state) = (State::Inactive, State::Inactive);
                rows.push(Row::DeploymentSpec(other.clone()));
            }
        }
        let ended = self.attempts.iter_mut().find(|attempt| attempt.id == id).expect("it was opened");
        ended.current_state = if succeeded { State::Active } else { State::Error };
        ended.opening = None;
        ended.ended = Some(self.changes.len() as u64 + 1);
        ended.outcome = Some(outcome);
        ended.reason = Some("so it went".to_owned());
        ended.finished_at = Some(time);
        rows.push(Row::DeploymentSpec(ended.clone()));
        self.commit(Cause::Finish, None, rows);
    }

    /// Records another resolution of an attempt.
    pub fn resolve_again(&mut self, id: DeploymentId, what: &str) -> ResolutionRow {
        let newest = resolution(self.attempt(id), what, self.changes.len() as u64);
        let row = Row::DeploymentSpec(self.attempt(id).clone());
        self.commit(Cause::Finish, None, vec![row, Row::Resolution(newest.clone().into())]);
        newest
    }

    /// Sets the policy of an Environment, which is the smallest change there is.
    pub fn touch(&mut self, environment: &str) {
        let row = EnvironmentRow { name: name(environment), first_deployment: None, proven: false };
        self.commit(Cause::PutEnvironment, None, vec![Row::Environment(row)]);
    }

    /// One change of many rows, as a set makes it.
    pub fn touch_all<'a>(&mut self, environments: impl Iterator<Item = &'a str>) {
        let row = |environment| EnvironmentRow { name: name(environment), first_deployment: None, proven: false };
        let rows = environments.map(|environment| Row::Environment(row(environment))).collect();
        self.commit(Cause::PutEnvironment, None, rows);
    }

    /// An attempt as it is now.
    pub fn attempt(&self, id: DeploymentId) -> &DeploymentSpec {
        self.attempts.iter().find(|attempt| attempt.id == id).expect("it was opened")
    }

    /// Every attempt as it is now, in the order of their opening.
    pub fn attempts(&self) -> &[DeploymentSpec] {
        &self.attempts
    }

    /// The time of the next change.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_milliseconds((self.changes.len() as i64 + 1) * STEP)
    }

    fn commit(&mut self, cause: Cause, actor: Option<&str>, rows: Vec<Row>) {
        let (revision, time) = (self.changes.len() as u64 + 1, self.time());
        self.changes.push(ChangeSet {
            revision,
            id: Uuid::now_v7(),
            time,
            cause,
            actor: actor.map(str::to_owned),
            rows,
            beside: Vec::new(),
        });
    }
}

/// What was received of an attempt: it names the attempt, so that no two are alike.
pub fn received(attempt: &DeploymentSpec) -> ReceivedRow {
    let written = Json::Object(vec![
        ("name".to_owned(), Json::Text(attempt.id.to_string())),
        ("weight".to_owned(), number("2.50")),
    ]);
    let input = Json::Object(vec![("version".to_owned(), Json::Text(attempt.number.to_string()))]);
    let annotations = [(name("build"), attempt.slot.to_string())].into();
    ReceivedRow {
        deployment: attempt.id,
        artifact_spec: JsonText::from(&written),
        input: JsonText::from(&input),
        annotations,
    }
}

/// What an attempt resolved to.
pub fn resolution(attempt: &DeploymentSpec, what: &str, revision: u64) -> ResolutionRow {
    let spec = ResolvedSpec { description: Some(format!("{what}: {}", attempt.id)), ..ResolvedSpec::default() };
    ResolutionRow { deployment: attempt.id, resolved_at: revision, spec }
}

/// The token that an attempt is opened with.
pub fn token(deployment: DeploymentId) -> KeptToken {
    KeptToken::of(&LeaseToken(format!("token-{deployment}")), deployment, Some("key"))
}

/// The slot of an Artifact.
pub fn slot(artifact: &str, environment: &str, instance: &str) -> Slot {
    let [artifact, environment]: [Name; 2] = [artifact, environment].map(name);
    Slot { artifact, environment, instance: instance.into() }
}

/// A number as it is written.
fn number(written: &str) -> Json {
    Json::Number(written.into())
}

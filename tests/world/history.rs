//! A history in the making: what tests deploy, open, stop and declare, as ChangeSets and the Catalog that they give.
//!
//! What is recorded is decided by the same commands as in the server; only identities, tokens and times are the same in every run.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use std::sync::Arc;

use mortise::catalog::{Catalog, Effort};
use mortise::document::{Json, JsonText};
use mortise::lifecycle::{
    Command, DeleteServer, Finish, FinishMember, Moment, PutEnvironment, PutServer, Start, StartMember, Step,
    resolutions,
};
use mortise::model::{
    ArtifactSpec, Cause, ChangeSet, ComponentId, ComponentRow, ComponentState, DeploymentId, DeploymentSpec,
    FirstDeployment, KeptToken, LeaseToken, Name, PlanId, Quantifier, ReceivedRow, Row, ServerDeclaration, Slot, State,
    Timestamp,
};
use mortise::planner::{Identities, Verdict, plan};
use uuid::Uuid;

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn component_id(number: u64) -> ComponentId {
    ComponentId(Uuid::from_u128(0x0193_0000_0000_7000_8000_c000_0000_0000 + u128::from(number)))
}

pub fn deployment_id(number: u64) -> DeploymentId {
    DeploymentId(Uuid::from_u128(0x0193_0000_0000_7000_8000_d000_0000_0000 + u128::from(number)))
}

/// ChangeSets with revisions, times and identities that are the same in every run.
#[derive(Clone, Default)]
pub struct History {
    pub catalog: Catalog,
    pub changes: Vec<ChangeSet>,
    components: u64,
    deployments: u64,
}

impl History {
    /// Records rows as they are, whoever would decide them.
    pub fn commit(&mut self, cause: Cause, rows: Vec<Row>) {
        self.record(Step { cause, actor: None, rows, beside: Vec::new() });
    }

    /// Records what a command decides.
    fn decide<C: Command<Refusal: std::fmt::Debug>>(&mut self, command: &C) -> C::Answer {
        let decision = command.decide(Moment { catalog: &self.catalog, time: self.time() });
        let decision = decision.unwrap_or_else(|refusal| panic!("it is refused: {refusal:?}"));
        decision.steps.into_iter().for_each(|step| self.record(step));
        decision.answer
    }

    fn record(&mut self, step: Step) {
        let change = self.change(step);
        self.catalog.apply(&change);
        self.changes.push(change);
    }

    /// The Catalog as it would be after one more row.
    pub fn with(&self, row: Row) -> Catalog {
        let mut catalog = self.catalog.clone();
        catalog.apply(&self.change(Step { cause: Cause::Finish, actor: None, rows: vec![row], beside: Vec::new() }));
        catalog
    }

    fn change(&self, step: Step) -> ChangeSet {
        let revision = self.changes.len() as u64 + 1;
        let Step { cause, actor, rows, beside } = step;
        let id = Uuid::from_u128(u128::from(revision));
        ChangeSet { revision, id, time: self.time(), cause, actor, rows, beside }
    }

    /// The time of the next change: a second after the last.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_milliseconds((self.changes.len() as i64 + 1) * 1_000)
    }

    pub fn next_component(&mut self) -> ComponentId {
        self.components += 1;
        component_id(self.components)
    }

    pub fn next_deployment(&mut self) -> DeploymentId {
        self.deployments += 1;
        deployment_id(self.deployments)
    }

    /// One identity for each Provide; those that are kept take none of the new ones.
    fn identities(&mut self, specs: &[ArtifactSpec]) -> Vec<ComponentId> {
        let is_kept = |spec: &ArtifactSpec, provide: &mortise::model::Provide| {
            let mut kept = self.catalog.slot_components(&spec.slot);
            kept.any(|kept| **kept.interface() == *provide.interface.as_str() && kept.layer() == provide.layer)
        };
        let provides = specs.iter().flat_map(|spec| spec.provides.iter().map(move |provide| (spec, provide)));
        let kept: Vec<_> = provides.map(|(spec, provide)| is_kept(spec, provide)).collect();
        kept.into_iter().map(|kept| if kept { component_id(0) } else { self.next_component() }).collect()
    }

    /// Brings `spec` into its slot with success.
    pub fn deploy(&mut self, spec: &ArtifactSpec) -> DeploymentId {
        let deployment = self.open(spec);
        self.finish(&spec.slot, true);
        deployment
    }

    /// Opens an attempt of `spec`, and leaves it open. What it requires and nothing provides, it goes without.
    pub fn open(&mut self, spec: &ArtifactSpec) -> DeploymentId {
        self.open_all(std::slice::from_ref(spec))[0]
    }

    /// Opens the attempts of a plan, of a set where there are several.
    pub fn open_all(&mut self, specs: &[ArtifactSpec]) -> Vec<DeploymentId> {
        let start = self.start(specs);
        self.decide(&start);
        start.members.iter().map(|member| member.deployment).collect()
    }

    /// A start of these specifications, planned.
    pub fn start(&mut self, specs: &[ArtifactSpec]) -> Start {
        let deployments: Vec<_> = specs.iter().map(|_| self.next_deployment()).collect();
        let components = self.identities(specs);
        let identities = Identities::Given { deployments: &deployments, components: &components };
        let settings = self.catalog.settings().cloned().unwrap_or_default();
        let mut planned = plan(&self.catalog, specs, &settings, identities, &Effort::unlimited()).unwrap();
        if planned.verdict != Verdict::Yes {
            let lenient: Vec<_> = specs.iter().map(lenient).collect();
            planned = plan(&self.catalog, &lenient, &settings, identities, &Effort::unlimited()).unwrap();
        }
        let active_revision = planned.active_revision;
        let rows = resolutions(planned, &deployments);
        let members = deployments.iter().zip(rows).map(|(&deployment, resolution)| StartMember {
            deployment,
            token: token(deployment),
            kept_token: KeptToken::of(&token(deployment), deployment, None),
            received: Arc::new(received(deployment)),
            resolution,
        });
        let is_set = specs.len() > 1;
        Start {
            specs: specs.into(),
            members: members.collect(),
            components: components.into(),
            active_revision,
            plan: PlanId(if is_set {
                Uuid::from_u128(deployments[0].0.as_u128() + (1 << 64))
            } else {
                deployments[0].0
            }),
            is_set,
            key: None,
            actor: None,
            settings: Arc::new(settings),
            rounds: 1,
        }
    }

    /// Ends the open attempt of `slot` without success.
    pub fn fail(&mut self, slot: &Slot) {
        self.finish(slot, false);
    }

    /// Ends the open attempt of `slot`.
    pub fn finish(&mut self, slot: &Slot, success: bool) {
        let open = self.catalog.slot(slot).and_then(|state| state.open()).expect("an attempt is open");
        let id = open.spec.id;
        let started =
            self.changes.iter().rev().find(|change| {
                change.rows.iter().any(|row| matches!(row, Row::Resolution(row) if row.deployment == id))
            });
        let rows = &started.expect("it was started").rows;
        let together = rows.iter().filter_map(|row| match row {
            Row::Resolution(row) => Some(row.deployment),
            _ => None,
        });
        let member = FinishMember {
            id,
            slot: slot.clone(),
            token: None,
            corrected: Vec::new(),
            bytes: 0,
            together: together.collect(),
            looked: None,
        };
        self.decide(&Finish { members: vec![member], success, reason: None, actor: None });
    }

    /// Makes what runs in `slot` inactive.
    pub fn stop(&mut self, slot: &Slot) {
        let state = self.catalog.slot(slot).expect("something was deployed");
        let mut rows: Vec<_> = state
            .active()
            .map(|active| {
                let (current_state, target_state) = (State::Inactive, State::Inactive);
                Row::DeploymentSpec(DeploymentSpec { current_state, target_state, ..active.spec.as_ref().clone() })
            })
            .into_iter()
            .collect();
        let stopped = self.catalog.slot_components(slot).map(|component| component.row());
        rows.extend(
            stopped
                .map(|row| Row::Component(ComponentRow { state: ComponentState::Inactive, since: self.time(), ..row })),
        );
        self.commit(Cause::Finish, rows);
    }

    /// Declares a Server.
    pub fn declare(&mut self, server: &ServerDeclaration) {
        let component = match self.catalog.server_ever(server.name.as_str()) {
            Some(component) => component.id(),
            None => self.next_component(),
        };
        let put = PutServer { declaration: server.clone(), component, actor: None };
        // One that moves away from under its couplings would be refused.
        if put.decide(Moment { catalog: &self.catalog, time: self.time() }).is_ok() {
            self.decide(&put);
        }
    }

    /// Withdraws a Server.
    pub fn withdraw(&mut self, server: &str) {
        self.decide(&DeleteServer { name: name(server), actor: None });
    }

    /// Sets the policy of an Environment.
    pub fn set_policy(&mut self, environment: &Name, policy: Option<FirstDeployment>) {
        let (name, first_deployment) = (environment.clone(), policy);
        self.decide(&PutEnvironment { name, first_deployment, actor: None });
    }
}

/// The same, met by whatever there is.
fn lenient(spec: &ArtifactSpec) -> ArtifactSpec {
    let mut spec = spec.clone();
    for require in spec.requires.values_mut().chain(spec.deployment_spec.values_mut()) {
        require.quantifier = Quantifier::new(0, None).expect("it has no upper bound");
    }
    spec
}

/// What was received of an attempt, of which these tests know nothing.
fn received(deployment: DeploymentId) -> ReceivedRow {
    let nothing = JsonText::from(&Json::Object(Vec::new()));
    ReceivedRow { deployment, artifact_spec: nothing.clone(), input: nothing, annotations: Default::default() }
}

fn token(deployment: DeploymentId) -> LeaseToken {
    LeaseToken(format!("token of {deployment}"))
}

//! Start: opening the attempts of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Answer, Decision, Refusal};
use crate::app::new_component;
use crate::catalog::Catalog;
use crate::document::JsonText;
use crate::model::{
    Action, ArtifactRow, ArtifactSpec, ComponentRow, ComponentState, DeploymentId, DeploymentSpec, EnvironmentRow,
    FirstDeployment, InterfaceRow, KeyRow, LeaseToken, Name, Opening, Owner, PlanId, PlanRow, ReceivedRow,
    ResolutionRow, Row, Settings, State, SystemRow, Timestamp,
};
use crate::planner::{self, Identities, Plan, Verdict};
use crate::wire;

/// How often a plan is made again by its caller before the committer makes it itself.
const ROUNDS: u32 = 3;

/// A plan to be recorded.
#[derive(Debug)]
pub struct StartCommand {
    /// The specifications, rendered.
    pub specs: Vec<ArtifactSpec>,
    /// What they resolved to: a `yes`.
    pub plan: Plan,
    /// The specifications as the plan shows them.
    pub texts: Vec<JsonText>,
    /// What is recorded of each besides the attempt itself, prepared by the caller so that the committer need not.
    pub prepared: Vec<Vec<Row>>,
    /// Specification, inputs and annotations of each as received.
    pub received: Vec<Received>,
    /// The identities of the attempts.
    pub deployments: Vec<DeploymentId>,
    /// The tokens of their leases.
    pub tokens: Vec<LeaseToken>,
    /// The identity of the plan.
    pub plan_id: PlanId,
    /// Whether it was posted as a set.
    pub is_set: bool,
    /// The idempotency key.
    pub key: Option<String>,
    /// Who starts.
    pub actor: Option<String>,
    /// The settings that it was read by.
    pub settings: Settings,
    /// How often it was planned.
    pub rounds: u32,
}

/// A specification as received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The specification as posted.
    pub artifact_spec: JsonText,
    /// The inputs as posted.
    pub input: JsonText,
    /// The annotations of the attempt.
    pub annotations: Arc<BTreeMap<Name, String>>,
}

/// What a start recorded.
#[derive(Debug)]
pub struct Recorded {
    /// The attempts, in order.
    pub specs: Vec<DeploymentSpec>,
}

/// Whether anything stands in the way of a start, besides the verdict: the key, the slots, the owners, in this order.
///
/// # Errors
/// The first [`Refusal`].
pub fn check_order(catalog: &Catalog, key: Option<&str>, specs: &[ArtifactSpec]) -> Result<(), Refusal> {
    if let Some(plan) = key.and_then(|key| catalog.plan_of_key(key)) {
        return Err(Refusal::KeyKnown(plan));
    }
    if let Some(open) = specs.iter().find_map(|spec| catalog.slot(&spec.slot)?.open()) {
        return Err(Refusal::Pending(Box::new(open.as_ref().clone())));
    }
    check_owners(catalog, specs)
}

/// Whether every Artifact may be started under its System.
///
/// # Errors
/// [`Refusal::OwnedElsewhere`] for the first that may not.
pub fn check_owners(catalog: &Catalog, specs: &[ArtifactSpec]) -> Result<(), Refusal> {
    // Within a set the first that names an Artifact says whose it is.
    let mut claimed = BTreeMap::new();
    let elsewhere = specs.iter().find_map(|spec| {
        let proven = catalog.artifact(spec.slot.artifact.as_str()).filter(|row| row.proven).map(|row| row.system);
        let owner = proven.unwrap_or_else(|| (*claimed.entry(&spec.slot.artifact).or_insert(&spec.system)).clone());
        (owner != spec.system).then(|| Refusal::OwnedElsewhere { artifact: spec.slot.artifact.clone(), system: owner })
    });
    elsewhere.map_or(Ok(()), Err)
}

impl StartCommand {
    pub(super) fn decide(&mut self, catalog: &Catalog, time: Timestamp) -> Result<Decision, Refusal> {
        check_order(catalog, self.key.as_deref(), &self.specs)?;
        let settings = catalog.settings().cloned().unwrap_or_default();
        if settings != self.settings {
            return Err(Refusal::Unavailable("the settings were changed meanwhile; send it again".to_owned()));
        }
        let refuses = |spec: &ArtifactSpec| {
            catalog.first_deployment(&spec.slot.environment, &settings) == Some(FirstDeployment::Refuse)
        };
        if self.specs.iter().any(refuses) {
            return Err(Refusal::NotDeployable);
        }
        if !planner::still_holds(catalog, &self.specs, &settings, &self.plan) {
            if self.rounds < ROUNDS {
                return Err(Refusal::Moved);
            }
            self.plan_again(catalog, &settings)?;
        }
        let specs = self.deployment_specs(catalog, time);
        let rows = self.rows(catalog, &specs);
        Ok(Decision { rows, answer: Answer::Started(Recorded { specs }) })
    }

    /// About how many bytes it records.
    pub fn bytes(&self) -> usize {
        let received = self.received.iter().map(|received| received.artifact_spec.as_str().len());
        received.chain(self.texts.iter().map(|text| text.as_str().len())).sum()
    }

    /// Takes a plan, and prepares what is recorded of it.
    pub fn set_plan(&mut self, plan: Plan) {
        self.texts = wire::artifact_specs(&self.specs, &plan.members);
        self.plan = plan;
        self.prepare_all();
    }

    fn prepare_all(&mut self) {
        self.prepared = (0..self.specs.len()).map(|member| self.prepare(member)).collect();
    }

    fn prepare(&self, member: usize) -> Vec<Row> {
        let (spec, planned, deployment) = (&self.specs[member], &self.plan.members[member], self.deployments[member]);
        let Received { artifact_spec, input, annotations } = self.received[member].clone();
        let mut rows = vec![
            Row::Received(ReceivedRow { deployment, artifact_spec, input, annotations: annotations.as_ref().clone() }),
            Row::Resolution(ResolutionRow {
                deployment,
                resolved_at: self.plan.revision,
                artifact_spec: self.texts[member].clone(),
                warnings: planned.warnings.clone(),
                stale: Vec::new(),
            }),
        ];
        let provides = spec.provides.iter().zip(&planned.provides);
        rows.extend(provides.map(|(provide, planned)| {
            Row::Planned(ComponentRow {
                id: planned.component.expect("a plan that is recorded gives every Provide an identity"),
                owner: Owner::Slot(spec.slot.clone()),
                system: Some(spec.system.clone()),
                interface: provide.interface.clone(),
                layer: provide.layer,
                version: Some(spec.version.clone()),
                labels: provide.labels.clone(),
                attributes: planned.attributes.clone(),
                state: ComponentState::Planned,
                // Only the committer knows the time.
                since: Timestamp::default(),
                deployment: Some(deployment),
            })
        }));
        rows
    }

    fn plan_again(&mut self, catalog: &Catalog, settings: &Settings) -> Result<(), Refusal> {
        let identities = Identities::Given { deployments: &self.deployments, component: &mut new_component };
        match planner::plan(catalog, &self.specs, settings, identities) {
            Ok(plan) if plan.verdict == Verdict::Yes => {
                // It was made of what this turn decides, which is the case nowhere else, should the turn come to nothing.
                self.set_plan(Plan { active_revision: u64::MAX, ..plan });
                Ok(())
            }
            _ => Err(Refusal::NotDeployable),
        }
    }

    fn deployment_specs(&self, catalog: &Catalog, time: Timestamp) -> Vec<DeploymentSpec> {
        let members = self.specs.iter().zip(&self.deployments).zip(&self.tokens);
        let opened = members.map(|((spec, &id), token)| DeploymentSpec {
            id,
            plan: self.plan_id,
            slot: spec.slot.clone(),
            system: spec.system.clone(),
            version: spec.version.clone(),
            number: catalog.slot(&spec.slot).map_or(0, |slot| slot.last_number()) + 1,
            current_state: State::Draft,
            target_state: State::Active,
            opening: Some(Opening { action: Action::Publish, token: token.clone() }),
            outcome: None,
            reason: None,
            ended_with: None,
            created_at: time,
            finished_at: None,
            actor: self.actor.clone(),
            supersedes: None,
        });
        opened.collect()
    }

    fn rows(&mut self, catalog: &Catalog, specs: &[DeploymentSpec]) -> Vec<Row> {
        // Decided before, in a turn that came to nothing: what was prepared went with it.
        if self.prepared.is_empty() {
            self.prepare_all();
        }
        let mut rows = self.rows_of_names(catalog);
        if self.is_set {
            rows.push(Row::Plan(PlanRow { id: self.plan_id, set: true, members: self.deployments.clone() }));
        }
        for (attempt, prepared) in specs.iter().zip(std::mem::take(&mut self.prepared)) {
            rows.push(Row::DeploymentSpec(attempt.clone()));
            rows.extend(prepared.into_iter().map(|row| match row {
                Row::Planned(planned) => Row::Planned(ComponentRow { since: attempt.created_at, ..planned }),
                other => other,
            }));
        }
        rows.extend(self.key.as_ref().map(|key| Row::Key(KeyRow { key: key.clone(), plan: self.plan_id })));
        rows
    }

    /// Everything that is named here for the first time, and Artifacts that change hands.
    fn rows_of_names(&self, catalog: &Catalog) -> Vec<Row> {
        let (mut systems, mut environments) = (BTreeSet::new(), BTreeSet::new());
        let (mut artifacts, mut interfaces) = (BTreeMap::new(), BTreeMap::new());
        for spec in &self.specs {
            systems.insert(&spec.system);
            environments.insert(&spec.slot.environment);
            artifacts.entry(&spec.slot.artifact).or_insert(&spec.system);
            for provide in &spec.provides {
                interfaces.insert(&provide.interface, Some(&spec.system));
            }
            for interface in spec.requires.values().filter_map(|require| require.interface.as_ref()) {
                interfaces.entry(interface).or_insert(None);
            }
        }
        let mut rows = Vec::new();
        let systems = systems.into_iter().filter(|name| catalog.system(name.as_str()).is_none());
        rows.extend(systems.map(|name| Row::System(SystemRow { name: name.clone() })));
        let environments = environments.into_iter().filter(|name| catalog.environment(name.as_str()).is_none());
        rows.extend(environments.map(|name| {
            Row::Environment(EnvironmentRow { name: name.clone(), first_deployment: None, proven: false })
        }));
        rows.extend(artifacts.into_iter().filter_map(|(name, system)| match catalog.artifact(name.as_str()) {
            Some(row) if row.proven || row.system == *system => None,
            _ => Some(Row::Artifact(ArtifactRow { name: name.clone(), system: system.clone(), proven: false })),
        }));
        rows.extend(interfaces.into_iter().filter_map(|(name, system)| {
            match (catalog.interface(name.as_str()), system) {
                (Some(row), _) if row.system.is_some() => None,
                (Some(_), None) => None,
                (_, system) => {
                    Some(Row::Interface(InterfaceRow { name: name.clone(), system: system.cloned(), proven: false }))
                }
            }
        }));
        rows
    }
}

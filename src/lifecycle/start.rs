//! Start: opening the attempts of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Command, Decision, Moment, Step};
use crate::catalog::{Catalog, Effort};
use crate::model::{
    Action, ArtifactRow, ArtifactSpec, Beside, Cause, ComponentId, DeploymentId, DeploymentSpec, EnvironmentRow,
    FirstDeployment, InterfaceRow, KeptKey, KeptToken, KeyRow, LeaseRow, LeaseToken, Name, PlanId, PlanRow,
    ReceivedRow, ResolutionRow, ResolvedSpec, Row, Settings, State, SystemRow, Timestamp,
};
use crate::planner::{self, Identities, Plan, Scrutiny, Verdict};

/// How often a plan is made again by its caller before it is made where it is decided.
const ROUNDS: u32 = 3;

/// How many comparisons a plan may take that is made where it is decided; one that takes more is made by its caller again.
const PLANNED: usize = 1_000_000;

/// How many comparisons it may take to tell whether a plan still holds. All other writes wait meanwhile.
const HELD: usize = 50_000;

/// Open the attempts of a plan that is a `yes`.
#[derive(Clone, Debug)]
pub struct Start {
    /// The specifications, rendered.
    pub specs: Arc<[ArtifactSpec]>,
    /// What belongs to each of them, in order.
    pub members: Vec<StartMember>,
    /// One identity for each Provide of every member, in order, for what is new in its slot.
    pub components: Arc<[ComponentId]>,
    /// The revision that had last changed what is active when it was planned.
    pub active_revision: u64,
    /// The identity of the plan.
    pub plan: PlanId,
    /// Whether it was posted as a set.
    pub is_set: bool,
    /// The idempotency key, as it is kept.
    pub key: Option<KeptKey>,
    /// Who starts.
    pub actor: Option<String>,
    /// The settings that it was read by.
    pub settings: Arc<Settings>,
    /// How often it was planned.
    pub rounds: u32,
}

/// What belongs to one specification of a start.
#[derive(Clone, Debug)]
pub struct StartMember {
    /// The identity of the attempt.
    pub deployment: DeploymentId,
    /// The token of its lease.
    pub token: LeaseToken,
    /// The token as it is kept.
    pub kept_token: KeptToken,
    /// Specification, inputs and annotations as received.
    pub received: Arc<ReceivedRow>,
    /// What it resolved to.
    pub resolution: Arc<ResolutionRow>,
}

impl StartMember {
    /// What was received, with the identity of its attempt and the token of its lease, before it was resolved. `key` is the
    /// idempotency key that it is started under.
    pub fn of(received: ReceivedRow, token: LeaseToken, key: Option<&str>) -> Self {
        let deployment = received.deployment;
        let resolution = ResolutionRow { deployment, resolved_at: 0, spec: ResolvedSpec::default() };
        let kept_token = KeptToken::of(&token, deployment, key);
        Self { deployment, token, kept_token, received: Arc::new(received), resolution: Arc::new(resolution) }
    }
}

/// The attempts are open.
#[derive(Clone)]
pub struct Started {
    /// The attempts, in order.
    pub attempts: Vec<DeploymentSpec>,
    /// Where what was planned did not hold any more, and it was planned anew: what it resolved to, and the Catalog that this
    /// refers to.
    pub planned_anew: Option<(Vec<Arc<ResolutionRow>>, Catalog)>,
}

/// Why nothing is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartRefusal {
    /// The idempotency key is known: this plan was recorded under it.
    KeyKnown(PlanId),
    /// The slot is held.
    Pending(Box<DeploymentSpec>),
    /// An Artifact belongs to another System.
    OwnedElsewhere(OwnedElsewhere),
    /// The settings are others than those that it was read by.
    OtherSettings,
    /// The plan does not hold any more, or would not be a `yes`: plan again, against what is published now.
    PlanAgain,
}

/// An Artifact that belongs to another System than it is started under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedElsewhere {
    /// The Artifact.
    pub artifact: Name,
    /// The System that owns it.
    pub system: Name,
}

/// Whether every Artifact may be started under its System.
///
/// # Errors
/// The first that may not.
pub fn check_owners(catalog: &Catalog, specs: &[ArtifactSpec]) -> Result<(), OwnedElsewhere> {
    // Within a set the first that names an Artifact says whose it is.
    let mut claimed = BTreeMap::new();
    let elsewhere = specs.iter().find_map(|spec| {
        let proven = catalog.artifact(spec.slot.artifact.as_str()).filter(|row| row.proven).map(|row| row.system);
        let owner = proven.unwrap_or_else(|| (*claimed.entry(&spec.slot.artifact).or_insert(&spec.system)).clone());
        (owner != spec.system).then(|| OwnedElsewhere { artifact: spec.slot.artifact.clone(), system: owner })
    });
    elsewhere.map_or(Ok(()), Err)
}

impl Command for Start {
    type Answer = Started;
    type Refusal = StartRefusal;

    fn decide(&self, moment: Moment<'_>) -> Result<Decision<Started>, StartRefusal> {
        let Moment { catalog, time } = moment;
        self.check_order(catalog)?;
        let settings = &self.settings;
        let refuses = |spec: &ArtifactSpec| {
            catalog.first_deployment(&spec.slot.environment, settings) == Some(FirstDeployment::Refuse)
        };
        if self.specs.iter().any(refuses) {
            return Err(StartRefusal::PlanAgain);
        }
        let planned_anew = if self.still_holds(catalog) { None } else { Some(self.plan_again(catalog)?) };
        let attempts = self.attempts(catalog, time);
        let step = Step {
            cause: Cause::Start,
            actor: self.actor.clone(),
            rows: self.rows(catalog, &attempts, planned_anew.as_deref()),
            beside: self.beside(),
        };
        let planned_anew = planned_anew.map(|resolutions| (resolutions, catalog.clone()));
        Ok(Decision { steps: vec![step], answer: Started { attempts, planned_anew } })
    }

    fn bytes(&self) -> usize {
        self.members.iter().map(|member| member.received.artifact_spec.as_str().len()).sum::<usize>() * 2
    }
}

impl Start {
    /// Whether anything stands in the way, besides the verdict: the key, the slots, the owners, in this order, and settings
    /// other than those that it was read by.
    ///
    /// # Errors
    /// The first [`StartRefusal`].
    pub fn check_order(&self, catalog: &Catalog) -> Result<(), StartRefusal> {
        if let Some(plan) = self.key.as_ref().and_then(|key| catalog.plan_of_key(key)) {
            return Err(StartRefusal::KeyKnown(plan));
        }
        if let Some(open) = self.specs.iter().find_map(|spec| catalog.slot(&spec.slot)?.open()) {
            return Err(StartRefusal::Pending(Box::new(open.spec.as_ref().clone())));
        }
        check_owners(catalog, &self.specs).map_err(StartRefusal::OwnedElsewhere)?;
        match catalog.settings() {
            Some(recorded) if recorded != self.settings.as_ref() => Err(StartRefusal::OtherSettings),
            _ => Ok(()),
        }
    }

    fn still_holds(&self, catalog: &Catalog) -> bool {
        let resolved: Vec<&ResolvedSpec> = self.members.iter().map(|member| &member.resolution.spec).collect();
        planner::still_holds(catalog, &self.specs, self.active_revision, &resolved, &Effort::of(HELD))
    }

    /// Plans where it is decided, once its caller has tried it often enough.
    fn plan_again(&self, catalog: &Catalog) -> Result<Vec<Arc<ResolutionRow>>, StartRefusal> {
        if self.rounds < ROUNDS {
            return Err(StartRefusal::PlanAgain);
        }
        let deployments: Vec<_> = self.members.iter().map(|member| member.deployment).collect();
        let identities = Identities::Given { deployments: &deployments, components: &self.components };
        // Whoever plans again finds what is wrong with it, and says so.
        let effort = Effort::of(planner::effort(&self.settings).min(PLANNED));
        let plan = planner::plan(catalog, &self.specs, &self.settings, identities, &effort)
            .map_err(|_| StartRefusal::PlanAgain)?;
        let is_right = plan.verdict == Verdict::Yes
            && planner::check(catalog, &self.specs, &self.settings, &plan, Scrutiny::EachMatch).is_ok();
        if is_right { Ok(resolutions(plan, &deployments)) } else { Err(StartRefusal::PlanAgain) }
    }

    fn attempts(&self, catalog: &Catalog, time: Timestamp) -> Vec<DeploymentSpec> {
        let opened = self.specs.iter().zip(&self.members).map(|(spec, member)| DeploymentSpec {
            id: member.deployment,
            plan: self.plan,
            slot: spec.slot.clone(),
            system: spec.system.clone(),
            version: spec.version.clone(),
            number: catalog.slot(&spec.slot).map_or(0, |slot| slot.last_number()) + 1,
            current_state: State::Draft,
            target_state: State::Active,
            opening: Some(Action::Publish),
            outcome: None,
            reason: None,
            ended: None,
            created_at: time,
            finished_at: None,
            actor: self.actor.clone(),
            supersedes: None,
        });
        opened.collect()
    }

    fn rows(
        &self,
        catalog: &Catalog,
        attempts: &[DeploymentSpec],
        planned_anew: Option<&[Arc<ResolutionRow>]>,
    ) -> Vec<Row> {
        let mut rows = self.rows_of_names(catalog);
        if self.is_set {
            let members = attempts.iter().map(|attempt| attempt.id).collect();
            rows.push(Row::Plan(PlanRow { id: self.plan, members }));
        }
        for (index, (attempt, member)) in attempts.iter().zip(&self.members).enumerate() {
            let resolution = planned_anew.map_or(&member.resolution, |resolutions| &resolutions[index]);
            rows.push(Row::DeploymentSpec(attempt.clone()));
            rows.push(Row::Received(member.received.clone()));
            rows.push(Row::Resolution(resolution.clone()));
        }
        rows
    }

    fn beside(&self) -> Vec<Beside> {
        let leases = self
            .members
            .iter()
            .map(|member| Beside::Lease(LeaseRow { deployment: member.deployment, token: member.kept_token.clone() }));
        let key = self.key.as_ref().map(|key| Beside::Key(KeyRow { key: key.clone(), plan: self.plan }));
        leases.chain(key).collect()
    }

    /// Everything that is named here for the first time, and Artifacts that change hands.
    fn rows_of_names(&self, catalog: &Catalog) -> Vec<Row> {
        let (mut systems, mut environments) = (BTreeSet::new(), BTreeSet::new());
        let (mut artifacts, mut interfaces) = (BTreeMap::new(), BTreeMap::new());
        for spec in self.specs.iter() {
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

/// What a plan resolved to, as it is recorded of the attempts `deployments`.
pub fn resolutions(plan: Plan, deployments: &[DeploymentId]) -> Vec<Arc<ResolutionRow>> {
    let members = plan.members.into_iter().zip(deployments);
    let rows = members.map(|(spec, &deployment)| ResolutionRow { deployment, resolved_at: plan.revision, spec });
    rows.map(Arc::new).collect()
}

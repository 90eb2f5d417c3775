//! A history in the making: what tests deploy, open, stop and declare, as ChangeSets and the Catalog that they give.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use mortise::catalog::Catalog;
use mortise::model::{
    Action, ActiveRequire, ArtifactRow, ArtifactSpec, Cause, ChangeSet, ComponentId, ComponentRow, ComponentState,
    DeploymentId, DeploymentSpec, EnvironmentRow, FirstDeployment, InterfaceRow, LeaseToken, Name, Opening, Outcome,
    Owner, PlanId, RequirementsRow, Row, ServerDeclaration, Settings, Slot, State, SystemRow, Timestamp,
};
use mortise::planner::{Identities, PlannedSpec, Resolved, plan};
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
    pub fn commit(&mut self, cause: Cause, rows: Vec<Row>) {
        let change = self.change(cause, rows);
        self.catalog.apply(&change);
        self.changes.push(change);
    }

    /// The Catalog as it would be after one more row.
    pub fn with(&self, row: Row) -> Catalog {
        let mut catalog = self.catalog.clone();
        catalog.apply(&self.change(Cause::Finish, vec![row]));
        catalog
    }

    fn change(&self, cause: Cause, rows: Vec<Row>) -> ChangeSet {
        let revision = self.changes.len() as u64 + 1;
        ChangeSet { revision, id: Uuid::from_u128(u128::from(revision)), time: self.time(), cause, actor: None, rows }
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

    /// Resolves `spec` for a start, whatever the verdict.
    fn planned(&mut self, spec: &ArtifactSpec) -> (DeploymentId, PlannedSpec) {
        let deployment = self.next_deployment();
        let catalog = self.catalog.clone();
        let identities = Identities::Given { deployments: &[deployment], component: &mut || self.next_component() };
        let mut plan = plan(&catalog, std::slice::from_ref(spec), &Settings::default(), identities).unwrap();
        (deployment, plan.members.remove(0))
    }

    /// Brings `spec` into its slot with success.
    pub fn deploy(&mut self, spec: &ArtifactSpec) -> DeploymentId {
        let (deployment, planned) = self.planned(spec);
        self.deploy_planned(spec, &planned, deployment);
        deployment
    }

    /// Brings what was planned into its slot with success.
    pub fn deploy_planned(&mut self, spec: &ArtifactSpec, planned: &PlannedSpec, deployment: DeploymentId) {
        let mut rows = self.names(spec, true);
        rows.extend(self.predecessor(&spec.slot, State::Inactive));
        rows.push(Row::DeploymentSpec(self.attempt(spec, deployment, State::Active)));
        let provided = self.components(spec, planned, deployment, ComponentState::Active);
        let dropped = self
            .catalog
            .slot_components(&spec.slot)
            .filter(|component| component.is_active())
            .map(|component| component.row());
        let dropped: Vec<_> = dropped.filter(|row| provided.iter().all(|kept| kept.id != row.id)).collect();
        rows.extend(
            dropped.into_iter().map(|row| Row::Component(ComponentRow { state: ComponentState::Inactive, ..row })),
        );
        rows.extend(provided.into_iter().map(Row::Component));
        let requires = active_requires(spec, planned);
        rows.push(Row::Requirements(RequirementsRow {
            slot: spec.slot.clone(),
            deployment: Some(deployment),
            requires,
        }));
        self.commit(Cause::Finish, rows);
    }

    /// Opens an attempt of `spec`, and leaves it open.
    pub fn open(&mut self, spec: &ArtifactSpec) -> DeploymentId {
        let (deployment, planned) = self.planned(spec);
        let mut rows = self.names(spec, false);
        let opening = Opening { action: Action::Publish, token: LeaseToken("token".to_owned()) };
        let attempt = self.attempt(spec, deployment, State::Draft);
        let target_state = State::Active;
        rows.push(Row::DeploymentSpec(DeploymentSpec {
            opening: Some(opening),
            target_state,
            outcome: None,
            ..attempt
        }));
        rows.extend(self.components(spec, &planned, deployment, ComponentState::Planned).into_iter().map(Row::Planned));
        self.commit(Cause::Start, rows);
        deployment
    }

    /// Ends the open attempt of `slot` without success.
    pub fn fail(&mut self, slot: &Slot) {
        let open = self.catalog.slot(slot).and_then(|state| state.open()).expect("an attempt is open").as_ref().clone();
        let failed = DeploymentSpec {
            current_state: State::Error,
            opening: None,
            outcome: Some(Outcome::Failed),
            finished_at: Some(self.time()),
            ..open
        };
        self.commit(Cause::Finish, vec![Row::DeploymentSpec(failed)]);
    }

    /// Makes what runs in `slot` inactive.
    pub fn stop(&mut self, slot: &Slot) {
        let mut rows = self.predecessor(slot, State::Inactive);
        let stopped = self.catalog.slot_components(slot).map(|component| component.row());
        rows.extend(
            stopped
                .map(|row| Row::Component(ComponentRow { state: ComponentState::Inactive, since: self.time(), ..row })),
        );
        rows.push(Row::Requirements(RequirementsRow { slot: slot.clone(), deployment: None, requires: Vec::new() }));
        self.commit(Cause::Finish, rows);
    }

    /// Declares a Server.
    pub fn declare(&mut self, server: &ServerDeclaration) {
        let id = match self.catalog.server_ever(server.name.as_str()) {
            Some(component) => component.id(),
            None => self.next_component(),
        };
        let rows = vec![
            Row::Interface(InterfaceRow { name: server.interface.clone(), system: None, proven: true }),
            self.environment(&server.environment, false),
            Row::Component(ComponentRow {
                id,
                owner: Owner::Server { name: server.name.clone(), environment: server.environment.clone() },
                system: None,
                interface: server.interface.clone(),
                layer: server.layer,
                version: server.version.clone(),
                labels: server.labels.clone(),
                attributes: server.attributes.clone(),
                state: ComponentState::Active,
                since: self.time(),
                deployment: None,
            }),
        ];
        self.commit(Cause::PutServer, rows);
    }

    /// Withdraws a Server.
    pub fn withdraw(&mut self, server: &str) {
        let row = self.catalog.server(server).expect("it was declared").row();
        self.commit(Cause::DeleteServer, vec![Row::Component(ComponentRow { state: ComponentState::Inactive, ..row })]);
    }

    /// Sets the policy of an Environment.
    pub fn set_policy(&mut self, environment: &Name, policy: Option<FirstDeployment>) {
        let Row::Environment(row) = self.environment(environment, false) else { unreachable!("it is one") };
        self.commit(Cause::PutEnvironment, vec![Row::Environment(EnvironmentRow { first_deployment: policy, ..row })]);
    }

    fn environment(&self, environment: &Name, proven: bool) -> Row {
        let known = self.catalog.environment(environment.as_str());
        Row::Environment(EnvironmentRow {
            name: environment.clone(),
            first_deployment: known.as_ref().and_then(|row| row.first_deployment),
            proven: proven || known.is_some_and(|row| row.proven),
        })
    }

    fn names(&self, spec: &ArtifactSpec, proven: bool) -> Vec<Row> {
        let (artifact, system) = (spec.slot.artifact.clone(), spec.system.clone());
        let mut rows = vec![
            Row::System(SystemRow { name: system.clone() }),
            Row::Artifact(ArtifactRow { name: artifact, system: system.clone(), proven }),
            self.environment(&spec.slot.environment, proven),
        ];
        let interfaces = spec.provides.iter().map(|provide| &provide.interface);
        rows.extend(
            interfaces
                .map(|name| Row::Interface(InterfaceRow { name: name.clone(), system: Some(system.clone()), proven })),
        );
        rows
    }

    /// The active attempt of `slot`, which is to be in another state.
    fn predecessor(&self, slot: &Slot, state: State) -> Vec<Row> {
        let active = self.catalog.slot(slot).and_then(|state| state.active());
        let ended =
            active.map(|spec| DeploymentSpec { current_state: state, target_state: state, ..spec.as_ref().clone() });
        ended.map(Row::DeploymentSpec).into_iter().collect()
    }

    fn attempt(&self, spec: &ArtifactSpec, id: DeploymentId, state: State) -> DeploymentSpec {
        DeploymentSpec {
            id,
            plan: PlanId(id.0),
            slot: spec.slot.clone(),
            system: spec.system.clone(),
            version: spec.version.clone(),
            number: self.catalog.slot(&spec.slot).map_or(0, |slot| slot.last_number()) + 1,
            current_state: state,
            target_state: state,
            opening: None,
            outcome: Some(Outcome::Succeeded),
            reason: None,
            ended_with: None,
            created_at: self.time(),
            finished_at: None,
            actor: None,
            supersedes: None,
        }
    }

    fn components(
        &self,
        spec: &ArtifactSpec,
        planned: &PlannedSpec,
        deployment: DeploymentId,
        state: ComponentState,
    ) -> Vec<ComponentRow> {
        let provides = spec.provides.iter().zip(&planned.provides);
        let rows = provides.map(|(provide, planned)| ComponentRow {
            id: planned.component.expect("a start gives identities"),
            owner: Owner::Slot(spec.slot.clone()),
            system: Some(spec.system.clone()),
            interface: provide.interface.clone(),
            layer: provide.layer,
            version: Some(spec.version.clone()),
            labels: provide.labels.clone(),
            attributes: planned.attributes.clone(),
            state,
            since: self.time(),
            deployment: Some(deployment),
        });
        rows.collect()
    }
}

fn active_requires(spec: &ArtifactSpec, planned: &PlannedSpec) -> Vec<ActiveRequire> {
    let requires = spec.requires.iter().map(|(name, require)| (name, require, &planned.requires[name]));
    let hosts = spec.deployment_spec.iter().map(|(name, require)| (name, require, &planned.deployment_spec[name]));
    let active = requires.chain(hosts).map(|(name, require, resolved): (_, _, &Resolved)| ActiveRequire {
        name: name.clone(),
        interface: require.interface.clone(),
        selector: resolved.selector.clone(),
        scope: require.scope,
        quantifier: require.quantifier,
        providers: resolved.matches.iter().filter_map(|found| found.component).collect(),
    });
    active.collect()
}

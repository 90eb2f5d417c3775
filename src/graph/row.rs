//! What each kind of row makes of the graph.

use super::TEXT_BYTES;
use super::delta::{Delta, Direction, Opened, Turn};
use super::shape::{Label, NodeKey, RelationshipType, Value};
use crate::document::JsonText;
use crate::model::{
    ArtifactRow, Attributes, ChangeSet, ComponentId, ComponentRow, ComponentState, DeploymentId, DeploymentSpec,
    Dialect, EnvironmentRow, FirstDeployment, InterfaceRow, KeyRow, Layer, LeaseRow, Owner, PlanRow, ReceivedRow,
    ResolutionRow, ResolvedProvide, ResolvedRequire, Scope, Settings, State, Timestamp,
};

/// From one revision to the next there are so many places in the order of attempts: more than a set has members.
const PLACES: u64 = 1 << 10;

/// The first place in the order of attempts that those of a revision have.
pub fn first_place(revision: u64) -> u64 {
    revision.saturating_mul(PLACES)
}

impl Delta {
    pub(super) fn settings(&mut self, settings: &Settings) {
        let dialect = match settings.quantifier_dialect {
            Dialect::Document => "document",
            Dialect::Regex => "regex",
        };
        let properties = [
            ("quantifierDialect", text(dialect)),
            ("firstDeployment", text(policy(settings.first_deployment))),
            ("maxRequires", Some(settings.max_requires.into())),
            ("maxMatches", Some(settings.max_matches.into())),
            ("maxPlanBytes", Some(settings.max_plan_bytes.into())),
            ("maxComparisons", Some(settings.max_comparisons.into())),
            ("maxDepth", Some(settings.max_depth.into())),
            ("finishNeedsToken", Some(settings.finish_needs_token.into())),
        ];
        self.put(NodeKey::new(Label::Settings, "settings"), properties);
    }

    pub(super) fn artifact(&mut self, row: &ArtifactRow) {
        let artifact = NodeKey::new(Label::Artifact, row.name.shared().clone());
        self.put(artifact.clone(), [("proven", Some(row.proven.into()))]);
        self.clear(&artifact, RelationshipType::Owns, Direction::Incoming);
        self.link(&NodeKey::new(Label::System, row.system.shared().clone()), RelationshipType::Owns, artifact);
    }

    pub(super) fn interface(&mut self, row: &InterfaceRow) {
        let interface = NodeKey::new(Label::Interface, row.name.shared().clone());
        self.put(interface.clone(), [("proven", Some(row.proven.into()))]);
        self.clear(&interface, RelationshipType::Defines, Direction::Incoming);
        if let Some(system) = &row.system {
            self.link(&NodeKey::new(Label::System, system.shared().clone()), RelationshipType::Defines, interface);
        }
    }

    pub(super) fn environment(&mut self, row: &EnvironmentRow) {
        let policy = row.first_deployment.and_then(|first_deployment| text(policy(first_deployment)));
        let properties = [("firstDeployment", policy), ("proven", Some(row.proven.into()))];
        self.put(NodeKey::new(Label::Environment, row.name.shared().clone()), properties);
    }

    pub(super) fn plan(&mut self, change: &ChangeSet, row: &PlanRow) {
        let plan = NodeKey::new(Label::Plan, row.id.to_string());
        self.put(plan.clone(), [("revision", Some(change.revision.into()))]);
        for (place, member) in (0_u64..).zip(&row.members) {
            self.link_with(&plan, RelationshipType::Includes, attempt(*member), "", [("n", place.into())]);
        }
    }

    pub(super) fn deployment(&mut self, change: &ChangeSet, spec: &DeploymentSpec) {
        let deployment = attempt(spec.id);
        let artifact = NodeKey::new(Label::Artifact, spec.slot.artifact.shared().clone());
        let version = NodeKey::pair(Label::ArtifactVersion, spec.slot.artifact.shared().clone(), spec.version.clone());
        let environment = NodeKey::new(Label::Environment, spec.slot.environment.shared().clone());
        let properties = [
            ("plan", text(&spec.plan.to_string())),
            ("system", text(spec.system.as_str())),
            ("artifact", text(spec.slot.artifact.as_str())),
            ("environment", text(spec.slot.environment.as_str())),
            ("instance", text(&spec.slot.instance)),
            ("version", text(&spec.version)),
            ("number", Some(spec.number.into())),
            ("currentState", text(spec.current_state.as_str())),
            ("targetState", text(spec.target_state.as_str())),
            ("opening", spec.opening.and_then(|action| text(action.as_str()))),
            ("condition", text(spec.condition().as_str())),
            ("outcome", spec.outcome.and_then(|outcome| text(outcome.as_str()))),
            ("reason", spec.reason.as_deref().and_then(text)),
            ("reasonInHistory", spec.reason.as_deref().filter(|reason| text(reason).is_none()).map(|_| true.into())),
            ("createdAt", text(&spec.created_at.to_string())),
            ("finishedAt", spec.finished_at.and_then(|time| text(&time.to_string()))),
            ("actor", spec.actor.as_deref().and_then(text)),
            ("endedAt", spec.ended.map(Value::from)),
            ("supersedes", spec.supersedes.and_then(|id| text(&id.to_string()))),
            ("revision", Some(change.revision.into())),
        ];
        self.put(version.clone(), []);
        self.put(deployment.clone(), properties);
        self.link(&artifact, RelationshipType::HasVersion, version.clone());
        self.link(&deployment, RelationshipType::Deploys, version);
        self.link(&deployment, RelationshipType::In, environment);
        // A draft never was active.
        if !matches!(spec.current_state, State::Active | State::Draft) {
            self.turns.retain(|turn| *turn != Turn::Coupled(deployment.clone()));
            self.clear(&deployment, RelationshipType::Coupled, Direction::Outgoing);
        }
        match (spec.current_state, spec.opening) {
            (State::Active, _) => {
                self.turns.push(Turn::Coupled(deployment.clone()));
                self.ended.insert(deployment);
            }
            (State::Error, None) => self.turns.push(Turn::Failed(deployment)),
            (_, None) => drop(self.ended.insert(deployment)),
            (_, Some(_)) => {}
        }
    }

    pub(super) fn received(&mut self, change: &ChangeSet, opened: &Opened, row: &ReceivedRow) {
        let member = opened.get(&row.deployment).copied().unwrap_or_default();
        let place = first_place(change.revision).saturating_add(member);
        let properties = [("place", Some(place.into())), ("receivedAt", Some(change.revision.into()))];
        self.put(attempt(row.deployment), properties);
    }

    pub(super) fn resolution(&mut self, change: &ChangeSet, opened: &Opened, row: &ResolutionRow) {
        let deployment = attempt(row.deployment);
        self.put(deployment.clone(), [("resolvedAt", Some(change.revision.into()))]);
        let is_first = opened.contains_key(&row.deployment);
        for require in row.spec.requires.iter() {
            let (section, name) = (require.section, &require.name);
            let node = NodeKey::new(Label::Require, format!("{}/{section}/{name}", row.deployment));
            self.put(node.clone(), require_properties(require));
            self.link(&deployment, RelationshipType::Requires, node.clone());
            if let Some(interface) = &require.predicate.interface {
                let interface = NodeKey::new(Label::Interface, interface.shared().clone());
                self.link(&node, RelationshipType::Of, interface);
            }
            if !is_first {
                self.clear(&node, RelationshipType::Matched, Direction::Outgoing);
            }
            for id in require.providers() {
                self.link(&node, RelationshipType::Matched, component(id));
            }
        }
        for provide in &row.spec.provides {
            self.planned(&deployment, change.time, provide);
        }
    }

    pub(super) fn component(&mut self, row: &ComponentRow) {
        let node = component(row.id);
        self.put(node.clone(), component_properties(row.layer, row.state, row.since, &row.attributes));
        self.provided(&node, row);
        self.changed(&node);
        let active = [("active", Value::from(row.state == ComponentState::Active))];
        match (&row.owner, row.deployment) {
            (Owner::Slot(_), Some(deployment)) => {
                self.link_with(&attempt(deployment), RelationshipType::Manifests, node, "", active);
            }
            (Owner::Slot(_), None) => {}
            (Owner::Server { name, environment }, _) => {
                let server = NodeKey::new(Label::Server, name.shared().clone());
                self.put(server.clone(), []);
                self.clear(&server, RelationshipType::In, Direction::Outgoing);
                let environment = NodeKey::new(Label::Environment, environment.shared().clone());
                self.link(&server, RelationshipType::In, environment);
                self.link_with(&server, RelationshipType::Manifests, node, "", active);
            }
        }
    }

    fn planned(&mut self, deployment: &NodeKey, since: Timestamp, provide: &ResolvedProvide) {
        let Some(id) = provide.component else { return };
        let node = component(id);
        let properties = component_properties(provide.layer, ComponentState::Planned, since, &provide.attributes);
        self.put_if_absent(node.clone(), properties.into_iter().collect());
        self.link(deployment, RelationshipType::Plans, node.clone());
        // A part of its identity, so that one that runs has it already. Labels may be others than those that it runs with.
        let interface = NodeKey::new(Label::Interface, provide.interface.shared().clone());
        self.link(&node, RelationshipType::Provides, interface);
    }

    pub(super) fn lease(&mut self, change: &ChangeSet, row: &LeaseRow) {
        let lease = NodeKey::new(Label::Lease, row.deployment.to_string());
        let properties = [("token", text(row.token.as_str())), ("revision", Some(change.revision.into()))];
        self.put(lease.clone(), properties);
        self.link(&attempt(row.deployment), RelationshipType::LeasedAs, lease);
    }

    pub(super) fn key(&mut self, change: &ChangeSet, row: &KeyRow) {
        let properties = [("plan", text(&row.plan.to_string())), ("revision", Some(change.revision.into()))];
        self.put(NodeKey::new(Label::IdempotencyKey, row.key.as_str()), properties);
    }

    /// What a Component provides, and what it is labelled with.
    fn provided(&mut self, node: &NodeKey, row: &ComponentRow) {
        self.clear(node, RelationshipType::Provides, Direction::Outgoing);
        self.link(node, RelationshipType::Provides, NodeKey::new(Label::Interface, row.interface.shared().clone()));
        self.clear(node, RelationshipType::Labelled, Direction::Outgoing);
        for (key, value) in row.labels.iter() {
            let label = NodeKey::pair(Label::ComponentLabel, key.shared().clone(), value.clone());
            self.put(label.clone(), []);
            self.link(node, RelationshipType::Labelled, label);
        }
    }
}

fn attempt(id: DeploymentId) -> NodeKey {
    NodeKey::new(Label::DeploymentSpec, id.to_string())
}

fn component(id: ComponentId) -> NodeKey {
    NodeKey::new(Label::Component, id.to_string())
}

fn component_properties(
    layer: Layer,
    state: ComponentState,
    since: Timestamp,
    attributes: &Attributes,
) -> [(&'static str, Option<Value>); 4] {
    [
        ("layer", text(layer.as_str())),
        ("state", text(state.as_str())),
        ("since", text(&since.to_string())),
        ("attributes", text(attributes.as_str())),
    ]
}

fn require_properties(require: &ResolvedRequire) -> [(&'static str, Option<Value>); 5] {
    let selector = JsonText::of(&require.predicate.selector).expect("every key of a selector is text");
    [
        ("name", text(require.name.as_str())),
        ("selector", text(selector.as_str())),
        ("scope", text(if require.scope == Scope::Runtime { "runtime" } else { "deployment" })),
        ("min", Some(require.quantifier.min().into())),
        ("max", require.quantifier.max().map(Value::from)),
    ]
}

fn policy(first_deployment: FirstDeployment) -> &'static str {
    match first_deployment {
        FirstDeployment::Allow => "allow",
        FirstDeployment::Warn => "warn",
        FirstDeployment::Refuse => "refuse",
    }
}

/// A text, or nothing where it is too long for the graph.
fn text(text: &str) -> Option<Value> {
    (text.len() <= TEXT_BYTES).then(|| Value::Text(text.to_owned()))
}

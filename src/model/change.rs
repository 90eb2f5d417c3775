//! ChangeSets: everything that happens, as absolute rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ComponentId, ComponentRow, DeploymentId, DeploymentSpec, FirstDeployment, Labels, Name, PlanId, Predicate,
    Quantifier, Scope, Selector, Settings, Slot, Timestamp, Warning,
};
use crate::document::JsonText;

/// One step of the history: who did what when, and the rows as they are after it.
///
/// Revisions are contiguous from 1 and times never decrease. Rows are absolute: applied again, or over newer rows of
/// other things, they do no harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSet {
    /// Its place in the history.
    pub revision: u64,
    /// Its identity, by which a commit of unknown outcome is looked up.
    pub id: Uuid,
    /// The committer's time.
    pub time: Timestamp,
    /// What was done.
    pub cause: Cause,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The rows as they are after it, in the order in which they apply.
    pub rows: Vec<Row>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A plan was started.
    Start,
    /// Attempts were finished.
    Finish,
    /// A Server was declared.
    PutServer,
    /// A Server was withdrawn.
    DeleteServer,
    /// An Environment's policy was set.
    PutEnvironment,
    /// Settings were set.
    Settings,
}

impl Cause {
    /// The cause as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Finish => "finish",
            Self::PutServer => "put-server",
            Self::DeleteServer => "delete-server",
            Self::PutEnvironment => "put-environment",
            Self::Settings => "settings",
        }
    }
}

/// The state of one thing after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Row {
    /// The settings that change answers.
    Settings(Settings),
    /// A System.
    System(SystemRow),
    /// An Artifact.
    Artifact(ArtifactRow),
    /// An Interface.
    Interface(InterfaceRow),
    /// An Environment.
    Environment(EnvironmentRow),
    /// How far a slot has been numbered. Only in snapshots: in changes the attempts themselves say so.
    Slot(SlotRow),
    /// A Plan.
    Plan(PlanRow),
    /// An attempt.
    DeploymentSpec(DeploymentSpec),
    /// Specification and inputs as received, once for each attempt.
    Received(ReceivedRow),
    /// What an opening of an attempt resolved to.
    Resolution(ResolutionRow),
    /// A Component that runs or ran.
    Component(ComponentRow),
    /// A Component as an open attempt would make it; it goes with the opening.
    Planned(ComponentRow),
    /// What the active attempt of a slot requires.
    Requirements(RequirementsRow),
    /// An idempotency key.
    Key(KeyRow),
}

/// A System.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRow {
    /// Its name.
    pub name: Name,
}

/// An Artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactRow {
    /// Its name.
    pub name: Name,
    /// The System that owns it.
    pub system: Name,
    /// Whether any attempt of it ever succeeded; until then it belongs to whoever starts it next.
    pub proven: bool,
}

/// An Interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceRow {
    /// Its name.
    pub name: Name,
    /// The System that it belongs to; absent where only a Server provides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Name>,
    /// Whether that System ever provided it with success.
    pub proven: bool,
}

/// An Environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentRow {
    /// Its name.
    pub name: Name,
    /// Its own first-deployment policy; the server's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_deployment: Option<FirstDeployment>,
    /// Whether any attempt of anything ever succeeded here.
    pub proven: bool,
}

/// How far a slot has been numbered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotRow {
    /// The slot.
    pub slot: Slot,
    /// The number given last; numbers are never reused.
    pub last_number: u64,
}

/// A Plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    /// Its identity.
    pub id: PlanId,
    /// Whether it was posted as a set, and so is answered in set form even with one member.
    pub set: bool,
    /// Its attempts, in the order of the request.
    pub members: Vec<DeploymentId>,
}

/// Specification and inputs of an attempt as received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedRow {
    /// The attempt.
    pub deployment: DeploymentId,
    /// The specification as posted, in JSON whatever it was posted in; spellings and numbers as written.
    pub artifact_spec: JsonText,
    /// The inputs as posted.
    pub input: JsonText,
    /// The annotations of the attempt.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<Name, String>,
}

/// What an opening of an attempt resolved to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolutionRow {
    /// The attempt.
    pub deployment: DeploymentId,
    /// The revision it was resolved at.
    pub resolved_at: u64,
    /// The specification, rendered and resolved, in the form in which a plan shows it.
    pub artifact_spec: JsonText,
    /// The warnings of the plan that concern this attempt, pointers relative to the specification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What had changed between plan and finish.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Difference>,
}

/// What a value handed to a deploy script was, and what it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The require.
    pub require: Name,
    /// The kind of difference.
    pub kind: DifferenceKind,
    /// The Component.
    pub component: ComponentId,
    /// The match as it was handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<JsonText>,
    /// The match as it would be handed out now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<JsonText>,
}

/// The kinds of [`Difference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceKind {
    /// It matched, and does not match any more.
    Gone,
    /// It matches still, with other values.
    Changed,
    /// It did not match then.
    Added,
}

/// What the active attempt of a slot requires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequirementsRow {
    /// The slot.
    pub slot: Slot,
    /// The attempt that is active in it; absent where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
    /// Its requires and `deploymentSpec` entries, by name.
    pub requires: Vec<ActiveRequire>,
}

/// A require of an active attempt, and what it is coupled to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveRequire {
    /// Its name.
    pub name: Name,
    /// The Interface; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Name>,
    /// Every expression that applies.
    pub selector: Selector,
    /// Whether its matches are Couplings.
    pub scope: Scope,
    /// How many must match.
    pub quantifier: Quantifier,
    /// The Components it matched, in match order.
    pub providers: Vec<ComponentId>,
}

impl ActiveRequire {
    /// Interface and selector together.
    pub fn predicate(&self) -> Predicate {
        Predicate { interface: self.interface.clone(), selector: self.selector.clone() }
    }
}

/// An idempotency key and the plan it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// The key.
    pub key: String,
    /// The plan recorded under it.
    pub plan: PlanId,
}

/// What a Server is declared to be.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerDeclaration {
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub environment: Name,
    /// What it provides.
    pub interface: Name,
    /// In which layer.
    pub layer: super::Layer,
    /// Its version, where it has one.
    pub version: Option<smol_str::SmolStr>,
    /// All labels, the reserved ones included.
    pub labels: Labels,
    /// Its attributes.
    pub attributes: super::Attributes,
}

//! ChangeSets: everything that happens, as absolute rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ComponentRow, DeploymentId, DeploymentSpec, EndingRow, FirstDeployment, KeptKey, KeptToken, Labels, Name, PlanId,
    ResolutionRow, Settings, Timestamp,
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
    /// What is recorded with it, but kept beside the history, and so is no part of it.
    #[serde(skip)]
    pub beside: Vec<Beside>,
}

/// What is kept beside the history, in the newest state only: secrets, and what does not last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Beside {
    /// The lease of an attempt.
    Lease(LeaseRow),
    /// An idempotency key.
    Key(KeyRow),
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
    /// A Plan.
    Plan(PlanRow),
    /// An attempt.
    DeploymentSpec(DeploymentSpec),
    /// Specification and inputs as received, once for each attempt.
    Received(Arc<ReceivedRow>),
    /// What an opening of an attempt resolved to. What it plans to make follows from it, and so does what it requires once it is
    /// active.
    Resolution(Arc<ResolutionRow>),
    /// A Component that runs or ran.
    Component(ComponentRow),
    /// What is to be known of the end of an attempt besides.
    Ending(EndingRow),
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

/// A Plan that was posted as a set, and so is answered in set form even with one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    /// Its identity.
    pub id: PlanId,
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

/// The lease that an attempt was opened under last; the attempt itself says whether it is still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRow {
    /// The attempt.
    pub deployment: DeploymentId,
    /// The fencing token, as it is kept.
    pub token: KeptToken,
}

/// An idempotency key and the plan it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// The key, as it is kept.
    pub key: KeptKey,
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

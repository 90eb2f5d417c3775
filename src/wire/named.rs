//! What is known by name as answers show it: Systems, Artifacts, Interfaces, Environments, Servers.

use serde::Serialize;
use smol_str::SmolStr;

use super::{AttemptView, ComponentView, CouplingView, RequirersView};
use crate::model::{
    ArtifactRow, Attributes, ComponentId, ComponentRow, EnvironmentRow, FirstDeployment, InterfaceRow, Labels, Layer,
    Name, SystemRow, Timestamp,
};

/// A thing known by name, with what belongs to it.
#[derive(Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "each variant is the thing of that name, and each field is named as what it holds")]
pub enum NamedDetailView {
    System {
        #[serde(flatten)]
        system: SystemView,
        artifacts: Vec<Name>,
        interfaces: Vec<Name>,
        #[serde(flatten)]
        rest: Rest,
    },
    Artifact {
        #[serde(flatten)]
        artifact: ArtifactView,
        environments: Vec<Name>,
        attempts: Vec<AttemptView>,
        #[serde(flatten)]
        rest: Rest,
    },
    Interface {
        #[serde(flatten)]
        interface: InterfaceView,
        providers: Vec<ComponentView>,
        requirers: Vec<RequirersView>,
        #[serde(flatten)]
        rest: Rest,
    },
    Environment(EnvironmentView),
    Server {
        #[serde(flatten)]
        server: ServerView,
        consumers: Vec<CouplingView>,
        #[serde(flatten)]
        rest: Rest,
    },
}

/// What an answer leaves out of its lists: that it does, and how many of each there are in all. Nothing where they are whole.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "each field is the count of what it is named after")]
pub struct Rest {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirer_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer_count: Option<usize>,
}

impl Rest {
    /// The same, which says that something is left out where any count is there, or there are more attempts.
    #[must_use]
    pub fn with_flag(mut self, more_attempts: bool) -> Self {
        let counts = [
            self.artifact_count,
            self.interface_count,
            self.environment_count,
            self.provider_count,
            self.requirer_count,
            self.consumer_count,
        ];
        self.truncated = more_attempts || counts.iter().any(Option::is_some);
        self
    }
}

/// A System.
#[derive(Serialize)]
pub struct SystemView {
    name: Name,
}

impl From<SystemRow> for SystemView {
    fn from(row: SystemRow) -> Self {
        Self { name: row.name }
    }
}

/// An Artifact.
#[derive(Serialize)]
pub struct ArtifactView {
    name: Name,
    system: Name,
}

impl From<ArtifactRow> for ArtifactView {
    fn from(row: ArtifactRow) -> Self {
        Self { name: row.name, system: row.system }
    }
}

/// An Interface.
#[derive(Serialize)]
pub struct InterfaceView {
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Name>,
}

impl From<InterfaceRow> for InterfaceView {
    fn from(row: InterfaceRow) -> Self {
        Self { name: row.name, system: row.system }
    }
}

/// An Environment.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentView {
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_deployment: Option<FirstDeployment>,
}

impl From<EnvironmentRow> for EnvironmentView {
    fn from(row: EnvironmentRow) -> Self {
        Self { name: row.name, first_deployment: row.first_deployment }
    }
}

/// A Server as it was declared, and its Component.
#[derive(Serialize)]
pub struct ServerView {
    name: Name,
    component: ComponentId,
    environment: Name,
    interface: Name,
    layer: Layer,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<SmolStr>,
    labels: Labels,
    attributes: Attributes,
    since: Timestamp,
}

impl From<ComponentRow> for ServerView {
    fn from(row: ComponentRow) -> Self {
        Self {
            name: row.owner.name().clone(),
            component: row.id,
            environment: row.owner.environment().clone(),
            interface: row.interface,
            layer: row.layer,
            version: row.version,
            labels: row.labels,
            attributes: row.attributes,
            since: row.since,
        }
    }
}

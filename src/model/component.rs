//! Components: the running manifestations of deployed artifacts, and of Servers.

use smol_str::SmolStr;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Attributes, ComponentId, DeploymentId, Labels, Layer, Name, Slot, Timestamp};

/// Who manifests a Component.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// An Artifact, in a slot.
    Slot(Slot),
    /// A Server, which nobody deploys through Mortise.
    Server {
        /// Its name.
        name: Name,
        /// Where it is.
        environment: Name,
    },
}

impl Owner {
    /// The Artifact's or the Server's name.
    pub fn name(&self) -> &Name {
        match self {
            Self::Slot(slot) => &slot.artifact,
            Self::Server { name, .. } => name,
        }
    }

    /// Where it runs.
    pub fn environment(&self) -> &Name {
        match self {
            Self::Slot(slot) => &slot.environment,
            Self::Server { environment, .. } => environment,
        }
    }

    /// The instance; empty for Servers.
    pub fn instance(&self) -> &str {
        match self {
            Self::Slot(slot) => &slot.instance,
            Self::Server { .. } => "",
        }
    }
}

/// Whether a Component runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComponentState {
    /// It runs; only these match.
    Active,
    /// It ran.
    Inactive,
    /// An open attempt would provide it.
    Planned,
}

impl ComponentState {
    /// The state as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Planned => "planned",
        }
    }
}

impl fmt::Display for ComponentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A Component as it is recorded: the absolute state of its row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRow {
    /// Its identity, kept by its successors.
    pub id: ComponentId,
    /// Who manifests it.
    pub owner: Owner,
    /// The System of its Artifact; a Server has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<Name>,
    /// What it provides.
    pub interface: Name,
    /// In which layer.
    pub layer: Layer,
    /// The ArtifactVersion that runs; a Server may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<SmolStr>,
    /// What selectors see.
    pub labels: Labels,
    /// What deploy scripts are handed.
    pub attributes: Attributes,
    /// Whether it runs.
    pub state: ComponentState,
    /// Since when it has been in that state.
    pub since: Timestamp,
    /// The attempt that made it what it is; a Server has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
}

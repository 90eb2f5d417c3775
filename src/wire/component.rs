//! Components as answers show them.

use serde::Serialize;
use smol_str::SmolStr;

use super::{AttemptView, CouplingView, Rest};
use crate::model::{
    Attributes, ComponentId, ComponentRow, ComponentState, DeploymentId, Labels, Layer, Name, Owner, Slot, Timestamp,
};

/// A Component in a list: what a match of a plan shows, and besides its state and since when it has been in it.
#[derive(Serialize)]
pub struct ComponentView {
    component: ComponentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<SmolStr>,
    environment: Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: SmolStr,
    interface: Name,
    layer: Layer,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentId>,
    state: ComponentState,
    since: Timestamp,
    labels: Labels,
    attributes: Attributes,
}

impl From<ComponentRow> for ComponentView {
    fn from(row: ComponentRow) -> Self {
        let (artifact, server, environment, instance) = match row.owner {
            Owner::Slot(Slot { artifact, environment, instance }) => (Some(artifact), None, environment, instance),
            Owner::Server { name, environment } => (None, Some(name), environment, SmolStr::default()),
        };
        Self {
            component: row.id,
            artifact,
            server,
            system: row.system,
            version: row.version,
            environment,
            instance,
            interface: row.interface,
            layer: row.layer,
            deployment: row.deployment,
            state: row.state,
            since: row.since,
            labels: row.labels,
            attributes: row.attributes,
        }
    }
}

/// A Component, its consumers, and the attempts of its slot.
#[derive(Serialize)]
#[allow(missing_docs, reason = "each field is named as what it holds")]
pub struct ComponentDetailView {
    #[serde(flatten)]
    pub component: ComponentView,
    pub consumers: Vec<CouplingView>,
    pub attempts: Vec<AttemptView>,
    #[serde(flatten)]
    pub rest: Rest,
}

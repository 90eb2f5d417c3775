//! Couplings as answers show them.

use serde::Serialize;

use crate::catalog::Consumer;
use crate::model::{DeploymentId, Name, Scope, Slot};

/// A require of an active attempt that is coupled to something.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CouplingView {
    artifact: Name,
    environment: Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: String,
    require: Name,
    scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentId>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    broken: bool,
}

impl CouplingView {
    /// A consumer, and whether its coupling is broken.
    pub fn new(consumer: &Consumer<'_>, broken: bool) -> Self {
        let Slot { artifact, environment, instance } = &consumer.requirements.slot;
        Self {
            artifact: artifact.clone(),
            environment: environment.clone(),
            instance: instance.to_string(),
            require: consumer.require.name.clone(),
            scope: consumer.require.scope,
            deployment: consumer.requirements.deployment,
            // What is not coupled cannot break.
            broken: broken && consumer.require.scope == Scope::Runtime,
        }
    }

    /// A coupling that is broken now.
    pub fn broken(consumer: &Consumer<'_>) -> Self {
        Self::new(consumer, true)
    }
}

//! Couplings and requirers as answers show them.

use serde::Serialize;
use smol_str::SmolStr;

use crate::model::{Coupling, DeploymentId, Name, Requirer, Scope, Selector};

/// A consumer of a Component.
#[derive(Debug, Serialize)]
pub struct CouplingView {
    artifact: Name,
    environment: Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: SmolStr,
    require: Name,
    scope: Scope,
    deployment: DeploymentId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    broken: bool,
}

impl From<Coupling> for CouplingView {
    fn from(Coupling { requirer, scope, broken }: Coupling) -> Self {
        let RequirerView { artifact, environment, instance, require, deployment } = requirer.into();
        Self { artifact, environment, instance, require, scope, deployment, broken }
    }
}

/// Requires that ask the same of an Interface.
#[derive(Serialize)]
pub struct RequirersView {
    /// What they ask.
    pub selector: Selector,
    /// How many Components match that now; absent where too many would have to be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matching: Option<usize>,
    /// Who asks it.
    pub by: Vec<RequirerView>,
}

/// A require of what is active in a slot.
#[derive(Serialize)]
pub struct RequirerView {
    artifact: Name,
    environment: Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: SmolStr,
    require: Name,
    deployment: DeploymentId,
}

impl From<Requirer> for RequirerView {
    fn from(Requirer { slot, require, deployment }: Requirer) -> Self {
        Self { artifact: slot.artifact, environment: slot.environment, instance: slot.instance, require, deployment }
    }
}

//! Attempts as lists show them, and what was received of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use smol_str::SmolStr;

use super::plan::DeploymentView;
use crate::document::JsonText;
use crate::model::{DeploymentId, DeploymentSpec, Name, PlanId, ReceivedRow};

/// An attempt in a list.
#[derive(Serialize)]
pub struct AttemptView {
    id: DeploymentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<PlanId>,
    system: Name,
    artifact: Name,
    version: SmolStr,
    environment: Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: SmolStr,
    #[serde(flatten)]
    deployment: DeploymentView,
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<DeploymentId>,
}

impl From<DeploymentSpec> for AttemptView {
    fn from(spec: DeploymentSpec) -> Self {
        Self {
            id: spec.id,
            set: (spec.plan.0 != spec.id.0).then_some(spec.plan),
            deployment: DeploymentView::new(&spec, BTreeMap::new()),
            system: spec.system,
            artifact: spec.slot.artifact,
            version: spec.version,
            environment: spec.slot.environment,
            instance: spec.slot.instance,
            supersedes: spec.supersedes,
        }
    }
}

/// Specification and input as they were received, of one attempt or of a set.
#[derive(Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "each variant is the form of that name")]
pub enum ReceivedView {
    Single(ReceivedSpec),
    #[serde(rename_all = "camelCase")]
    Set {
        artifact_specs: Vec<ReceivedSpec>,
    },
}

/// Specification and input of one attempt as they were received.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<DeploymentId>,
    artifact_spec: JsonText,
    input: JsonText,
}

impl ReceivedView {
    /// What was received of all attempts of a plan, in order; those of a set show their ids.
    pub fn new(rows: &[Arc<ReceivedRow>], is_set: bool) -> Self {
        let specs = rows.iter().map(|row| ReceivedSpec {
            id: is_set.then_some(row.deployment),
            artifact_spec: row.artifact_spec.clone(),
            input: row.input.clone(),
        });
        let mut specs: Vec<_> = specs.collect();
        if is_set { Self::Set { artifact_specs: specs } } else { Self::Single(specs.remove(0)) }
    }
}

//! The plan as a whole: the answer of start, dry run, GET and finish.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::JsonText;
use crate::model::{
    Condition, DeploymentId, DeploymentSpec, Difference, LeaseToken, Name, Outcome, PlanId, State, Timestamp, Warning,
};
use crate::planner::{Explanation, Verdict};

/// Whether a plan can be deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Deployable {
    /// Everything required is there.
    Yes,
    /// Something is not.
    No,
    /// Policy refuses to decide.
    Unknown,
}

impl From<&Verdict> for Deployable {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Yes => Self::Yes,
            Verdict::No(_) => Self::No,
            Verdict::Unknown(_) => Self::Unknown,
        }
    }
}

/// A plan.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// Absent for what was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<PlanId>,
    /// The plan of the set that this attempt is a member of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<PlanId>,
    /// The verdict.
    pub deployable: Deployable,
    /// The revision it was resolved at.
    pub revision: u64,
    /// The specifications and, where recorded, their attempts.
    #[serde(flatten)]
    pub body: PlanBody,
    /// Why not, unless it is `yes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// What a reader should know; pointers into this plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// The specifications of a plan, in single or in set form.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum PlanBody {
    /// One specification.
    #[serde(rename_all = "camelCase")]
    Single {
        /// The specification, resolved.
        artifact_spec: JsonText,
        /// The attempt.
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<Box<DeploymentView>>,
        /// The lease, while it is open and to whom it was given.
        #[serde(skip_serializing_if = "Option::is_none")]
        lease: Option<LeaseView>,
        /// The attempt that it took the slot from.
        #[serde(skip_serializing_if = "Option::is_none")]
        supersedes: Option<DeploymentId>,
        /// What had changed between plan and finish; present once it is finished.
        #[serde(skip_serializing_if = "Option::is_none")]
        stale: Option<Vec<Difference>>,
    },
    /// A set, in the order of the request.
    #[serde(rename_all = "camelCase")]
    Set {
        /// The specifications, resolved.
        artifact_specs: Vec<JsonText>,
        /// Their attempts.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        deployments: Vec<MemberDeployment>,
    },
}

/// The attempt of one member of a set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberDeployment {
    /// Its identity.
    pub id: DeploymentId,
    /// The attempt.
    #[serde(flatten)]
    pub deployment: DeploymentView,
    /// The lease, while it is open and to whom it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseView>,
    /// The attempt that it took the slot from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<DeploymentId>,
    /// What had changed between plan and finish; present once it is finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<Vec<Difference>>,
}

/// An attempt as it is now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentView {
    number: u64,
    current_state: State,
    target_state: State,
    condition: Condition,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<Name, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
}

impl DeploymentView {
    /// The attempt as its row says, with its annotations.
    pub fn new(spec: &DeploymentSpec, annotations: BTreeMap<Name, String>) -> Self {
        Self {
            number: spec.number,
            current_state: spec.current_state,
            target_state: spec.target_state,
            condition: spec.condition(),
            created_at: spec.created_at,
            actor: spec.actor.clone(),
            annotations,
            outcome: spec.outcome,
            reason: spec.reason.clone(),
            finished_at: spec.finished_at,
        }
    }
}

/// A lease as the holder sees it.
#[derive(Debug, Serialize)]
pub struct LeaseView {
    /// The fencing token.
    pub token: LeaseToken,
}

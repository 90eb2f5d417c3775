//! What is answered: recorded things, put together for the wire.

use std::collections::BTreeMap;

use super::error::AppError;
use crate::document::JsonText;
use crate::model::{DeploymentId, DeploymentSpec, Name, PlanId, State, Warning};
use crate::store::{Store, StoredDeployment};
use crate::wire::{Deployable, DeploymentView, LeaseView, MemberDeployment, PlanBody, PlanView};

/// Whether leases are shown: to whom they were given, but never by GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leases {
    /// They are.
    Shown,
    /// They are not.
    Hidden,
}

/// An attempt that was just opened.
pub struct OpenMember<'a> {
    /// The attempt.
    pub spec: &'a DeploymentSpec,
    /// The specification as the plan shows it.
    pub text: &'a JsonText,
    /// The attempt's annotations.
    pub annotations: &'a BTreeMap<Name, String>,
}

/// Where a member stands in a plan: `/artifactSpec`, or `/artifactSpecs/0` in a set.
pub fn member_prefix(is_set: bool, member: usize) -> String {
    if is_set { format!("/artifactSpecs/{member}") } else { "/artifactSpec".to_owned() }
}

/// The attempts of a plan, in order, and whether it is a set; `None` where there is no such plan.
pub fn members_of(store: &dyn Store, id: PlanId) -> Result<Option<(Vec<StoredDeployment>, bool)>, AppError> {
    let Some(set) = store.set(id)? else {
        return Ok(store.deployment(DeploymentId(id.0))?.map(|member| (vec![member], false)));
    };
    let members = set.members.iter().zip(store.members(&set.members)?);
    let members = members
        .map(|(id, found)| found.ok_or_else(|| AppError::internal("a set has a member that is not recorded", id)));
    Ok(Some((members.collect::<Result<_, _>>()?, true)))
}

/// A recorded plan.
pub fn plan(id: PlanId, members: Vec<StoredDeployment>, is_set: bool, leases: Leases) -> PlanView {
    let revision = members.first().map_or(0, |member| member.resolution.resolved_at);
    let mut warnings = Vec::new();
    for (index, member) in members.iter().enumerate() {
        warnings.extend(below(&member.resolution.warnings, &member_prefix(is_set, index)));
    }
    let in_set = members
        .first()
        .filter(|member| !is_set && member.spec.plan.0 != member.spec.id.0)
        .map(|member| member.spec.plan);
    let mut recorded: Vec<_> = members.into_iter().map(|member| recorded(member, leases)).collect();
    let body = if is_set {
        let (artifact_specs, deployments) = recorded.into_iter().unzip();
        PlanBody::Set { artifact_specs, deployments }
    } else {
        let (artifact_spec, member) = recorded.remove(0);
        let MemberDeployment { deployment, lease, supersedes, stale, .. } = member;
        PlanBody::Single { artifact_spec, deployment: Some(Box::new(deployment)), lease, supersedes, stale }
    };
    PlanView { id: Some(id), set: in_set, deployable: Deployable::Yes, revision, body, explanation: None, warnings }
}

/// Warnings, their pointers moved below `prefix`.
pub fn below<'a>(warnings: &'a [Warning], prefix: &'a str) -> impl Iterator<Item = Warning> + 'a {
    warnings.iter().map(move |warning| warning.clone().below(prefix))
}

fn recorded(member: StoredDeployment, leases: Leases) -> (JsonText, MemberDeployment) {
    let StoredDeployment { spec, received, resolution } = member;
    let view = MemberDeployment {
        id: spec.id,
        lease: lease(&spec).filter(|_| leases == Leases::Shown),
        supersedes: spec.supersedes,
        stale: spec.finished_at.is_some().then_some(resolution.stale),
        deployment: DeploymentView::new(&spec, received.annotations),
    };
    (resolution.artifact_spec, view)
}

fn lease(spec: &DeploymentSpec) -> Option<LeaseView> {
    spec.opening.as_ref().map(|opening| LeaseView { token: opening.token.clone() })
}

/// The body of a plan whose attempts were just opened.
pub fn open_body<'a>(members: impl Iterator<Item = OpenMember<'a>>, is_set: bool) -> PlanBody {
    let opened = members.map(|OpenMember { spec, text, annotations }| {
        debug_assert_eq!(spec.current_state, State::Draft);
        let deployment = DeploymentView::new(spec, annotations.clone());
        (text.clone(), MemberDeployment { id: spec.id, deployment, lease: lease(spec), supersedes: None, stale: None })
    });
    let mut opened: Vec<_> = opened.collect();
    if is_set {
        let (artifact_specs, deployments) = opened.into_iter().unzip();
        return PlanBody::Set { artifact_specs, deployments };
    }
    let (artifact_spec, member) = opened.remove(0);
    let deployment = Some(Box::new(member.deployment));
    PlanBody::Single { artifact_spec, deployment, lease: member.lease, supersedes: None, stale: None }
}

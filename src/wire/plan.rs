//! The plan as a whole: the answer of start, dry run, GET and finish.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::MatchedRows;
use super::artifact_spec::{self, Shown, Values};
use crate::document::JsonText;
use crate::model::limits::STALE_BYTES;
use crate::model::{
    ArtifactSpec, Attempt, Code, ComponentId, Condition, DeploymentId, DeploymentSpec, LeaseToken, MovedMatch, Name,
    Outcome, PlanId, PlanRecord, ResolvedAttempt, State, Timestamp, Warning,
};
use crate::planner::{Explanation, Plan, Verdict};

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

/// Whether leases are shown: to whom they were given, but never by GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leases {
    /// They are.
    Shown,
    /// They are not.
    Hidden,
}

/// A plan as it is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// Absent for what was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<PlanId>,
    /// The plan of the set that this attempt is a member of.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<PlanId>,
    /// The verdict.
    pub deployable: Deployable,
    /// The revision it was resolved at.
    revision: u64,
    /// The specifications and, where recorded, their attempts.
    #[serde(flatten)]
    body: PlanBody,
    /// Why not, unless it is `yes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// What a reader should know; pointers into this plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// The specifications of a plan, in single or in set form.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum PlanBody {
    /// One specification.
    #[serde(rename_all = "camelCase")]
    Single {
        artifact_spec: JsonText,
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<Box<DeploymentView>>,
        #[serde(flatten)]
        ending: Option<EndingView>,
    },
    /// A set, in the order of the request.
    #[serde(rename_all = "camelCase")]
    Set {
        artifact_specs: Vec<JsonText>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        deployments: Vec<MemberDeployment>,
    },
}

/// Where a member stands in a plan: `/artifactSpec`, or `/artifactSpecs/0` in a set.
pub fn member_prefix(is_set: bool, member: usize) -> String {
    if is_set { format!("/artifactSpecs/{member}") } else { "/artifactSpec".to_owned() }
}

impl PlanView {
    /// A plan that is recorded; `rows` has the values of its matches. `also` are warnings of this answer, each of the member
    /// that it concerns.
    ///
    /// # Errors
    /// What serde_json says; the Component whose row is not known.
    pub fn recorded(
        plan: &PlanRecord,
        rows: &dyn MatchedRows,
        leases: Leases,
        also: &[(usize, Warning)],
    ) -> serde_json::Result<Self> {
        // The members of a set were resolved together: what is shown of that is made once.
        let mut shown: Vec<(&Arc<[ResolvedAttempt]>, Vec<Shown<'_>>)> = Vec::new();
        for member in &plan.members {
            if !shown.iter().any(|(known, _)| Arc::ptr_eq(known, &member.together)) {
                shown.push((&member.together, member.together.iter().map(Shown::from).collect()));
            }
        }
        let (mut artifact_specs, mut deployments) = (Vec::new(), Vec::new());
        let mut stale_bytes = STALE_BYTES;
        let mut warnings = Vec::new();
        for (index, member) in plan.members.iter().enumerate() {
            let resolved = &member.resolution.spec;
            let together = shown.iter().find(|(known, _)| Arc::ptr_eq(known, &member.together));
            let values = Values { rows, together: together.map_or(&[], |(_, together)| together) };
            artifact_specs.push(artifact_spec::text(&Shown::of_attempt(&member.spec, resolved), values, &member.made)?);
            let (ending, is_cut) = EndingView::new(member, values, leases, &mut stale_bytes)?;
            deployments.push(MemberDeployment {
                id: member.spec.id,
                deployment: DeploymentView::new(&member.spec, member.received.annotations.clone()),
                ending,
            });
            let prefix = member_prefix(plan.is_set, index);
            warnings.extend(resolved.warnings.iter().map(|warning| warning.clone().below(&prefix)));
            if is_cut || member.ending.as_ref().is_some_and(|ending| ending.truncated) {
                let message = "more may have changed than `stale` lists";
                warnings.push(Warning::new(Code::StaleTruncated, prefix, message));
            }
        }
        warnings
            .extend(also.iter().map(|(member, warning)| warning.clone().below(&member_prefix(plan.is_set, *member))));
        let first = plan.members.first();
        let in_set = first.filter(|member| !plan.is_set && member.spec.plan.0 != member.spec.id.0);
        let body = if plan.is_set {
            PlanBody::Set { artifact_specs, deployments }
        } else {
            let MemberDeployment { deployment, ending, .. } = deployments.remove(0);
            let deployment = Some(Box::new(deployment));
            PlanBody::Single { artifact_spec: artifact_specs.remove(0), deployment, ending: Some(ending) }
        };
        Ok(Self {
            id: Some(plan.id),
            set: in_set.map(|member| member.spec.plan),
            deployable: Deployable::Yes,
            revision: first.map_or(0, |member| member.resolution.resolved_at),
            body,
            explanation: None,
            warnings,
        })
    }

    /// A plan that is not recorded; `rows` is the Catalog that it was resolved against.
    ///
    /// # Errors
    /// As [`PlanView::recorded`].
    pub fn unrecorded(
        specs: &[ArtifactSpec],
        plan: &Plan,
        is_set: bool,
        rows: &dyn MatchedRows,
    ) -> serde_json::Result<Self> {
        let together: Vec<_> =
            specs.iter().zip(&plan.members).map(|(spec, member)| Shown::of_spec(spec, member)).collect();
        let values = Values { rows, together: &together };
        let texts = together.iter().map(|member| artifact_spec::text(member, values, &BTreeMap::new()));
        let mut artifact_specs = texts.collect::<Result<Vec<_>, _>>()?;
        let body = if is_set {
            PlanBody::Set { artifact_specs, deployments: Vec::new() }
        } else {
            PlanBody::Single { artifact_spec: artifact_specs.remove(0), deployment: None, ending: None }
        };
        let explanation = match &plan.verdict {
            Verdict::Yes => None,
            Verdict::No(explanation) | Verdict::Unknown(explanation) => {
                Some(explanation.clone().below(|member| member_prefix(is_set, member)))
            }
        };
        let warnings = plan.members.iter().enumerate().flat_map(|(index, member)| {
            let prefix = member_prefix(is_set, index);
            member.warnings.iter().map(move |warning| warning.clone().below(&prefix))
        });
        Ok(Self {
            id: None,
            set: None,
            deployable: Deployable::from(&plan.verdict),
            revision: plan.revision,
            body,
            explanation,
            warnings: warnings.collect(),
        })
    }
}

/// The attempt of one member of a set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberDeployment {
    id: DeploymentId,
    #[serde(flatten)]
    deployment: DeploymentView,
    #[serde(flatten)]
    ending: EndingView,
}

/// How an attempt is to be ended, or was.
#[derive(Debug, Serialize)]
struct EndingView {
    /// The lease, while it is open and to whom it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseView>,
    /// The attempt that it took the slot from.
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<DeploymentId>,
    /// What had changed between plan and finish; present once it is finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<Vec<DifferenceView>>,
}

impl EndingView {
    /// How it ended, and whether `stale` is cut because it has more than so many bytes, which are counted down.
    fn new(
        attempt: &Attempt,
        values: Values<'_>,
        leases: Leases,
        stale_bytes: &mut usize,
    ) -> serde_json::Result<(Self, bool)> {
        let is_open = attempt.spec.opening.is_some() && leases == Leases::Shown;
        let lease = attempt.token.clone().filter(|_| is_open).map(|token| LeaseView { token });
        let stale = attempt.spec.finished_at.map(|_| stale(attempt, values, stale_bytes)).transpose()?;
        let (stale, is_cut) = stale.map_or((None, false), |(stale, is_cut)| (Some(stale), is_cut));
        Ok((Self { lease, supersedes: attempt.spec.supersedes, stale }, is_cut))
    }
}

/// What a value handed to a deploy script was, and what it is now.
#[derive(Debug, Serialize)]
struct DifferenceView {
    require: Name,
    kind: &'static str,
    component: ComponentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<JsonText>,
}

/// Those of the matches that stood otherwise whose values are others too, and whether some are left out for their size.
fn stale(attempt: &Attempt, values: Values<'_>, bytes: &mut usize) -> serde_json::Result<(Vec<DifferenceView>, bool)> {
    let (mut differences, mut is_cut) = (Vec::new(), false);
    for moved in attempt.ending.iter().flat_map(|ending| &ending.moved) {
        let MovedMatch { section, require, component, was, now } = moved;
        let resolved = attempt.resolution.spec.require(*section, require);
        let asked = resolved.map_or(&[][..], |resolved| &resolved.attributes);
        let text =
            |view: Option<super::MatchView<'_>>| view.map(|view| JsonText::of(&view.with_only(asked))).transpose();
        let was = text(was.and_then(|was| values.view(&was)))?;
        let now = match now {
            None => None,
            Some(revision) => match text(values.rows.matched(*component, *revision))? {
                Some(now) => Some(now),
                None => {
                    is_cut = true;
                    continue;
                }
            },
        };
        let kind = match (&was, &now) {
            (Some(was), Some(now)) if was == now => continue,
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "gone",
            (None, _) => "added",
        };
        let texts = [&was, &now].into_iter().flatten();
        let Some(left) = bytes.checked_sub(texts.map(|text| text.as_str().len()).sum()) else {
            return Ok((differences, true));
        };
        *bytes = left;
        differences.push(DifferenceView { require: require.clone(), kind, component: *component, was, now });
    }
    Ok((differences, is_cut))
}

/// An attempt as it is now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentView {
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
    pub(super) fn new(spec: &DeploymentSpec, annotations: BTreeMap<Name, String>) -> Self {
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
struct LeaseView {
    token: LeaseToken,
}

//! Finish: reporting how attempts ended.

use crate::document::Json;
use crate::model::{Attributes, Code, DeploymentId, DeploymentSpec, LeaseToken, Outcome, PlanId};
use crate::reading::Problems;
use crate::store::StoredDeployment;
use crate::wire::{AttributeCorrection, FinishDocument, PlanView, RecordedSpec, with_attributes};

use super::App;
use super::committer::{Done, Refused};
use super::decide::{Answer, Command, FinishCommand, FinishMember, Finished, Refusal};
use super::error::AppError;
use super::start::refused;
use super::views::{self, Leases, below, member_prefix};

/// How a plan, or one attempt of it, ended.
#[derive(Debug)]
pub struct FinishRequest {
    /// The id in the path: of a plan, or of a member of a set.
    pub id: PlanId,
    /// Whether it succeeded.
    pub success: bool,
    /// What was posted besides.
    pub document: FinishDocument,
    /// Who says so.
    pub actor: Option<String>,
}

/// The most bytes that the attributes of a Provide may have, as in a rendered specification.
const ATTRIBUTE_BYTES: usize = 1 << 20;

/// The attempts that a finish is about.
struct Target {
    members: Vec<StoredDeployment>,
    is_set: bool,
}

impl App {
    /// Ends the open attempts of a plan, or one attempt, and answers with the plan as it is then. Ended attempts with the same
    /// outcome are left as they are.
    ///
    /// # Errors
    /// [`AppError`]: not found, malformed, invalid corrections, already finished otherwise, lease lost.
    pub async fn finish(&self, request: FinishRequest) -> Result<PlanView, AppError> {
        let FinishRequest { id, success, document, actor } = request;
        let target = self.target(id).await?;
        check_identity(&document, id, &target)?;
        if target.members.iter().all(|member| member.spec.opening.is_none()) {
            // The attributes of a repeat are not even looked at.
            return self.repeat_finish(id, success, &document).await;
        }
        let members = members(&target, &document)?;
        let command = FinishCommand { members, success, reason: document.reason.clone(), actor };
        match self.committer.commit(Command::Finish(Box::new(command))).await {
            Ok(Done { answer: Answer::Finished(finished), .. }) => {
                self.finished(id, &finished).await.map_err(|error| match error {
                    // It is recorded, and only cannot be shown: nobody must be told that nothing was.
                    AppError::Unavailable(error) => AppError::OutcomeUnknown { plan: Some(id), error },
                    other => other,
                })
            }
            Ok(_) => Err(AppError::Internal("a finish was answered as something else".to_owned())),
            Err(Refused { refusal: Refusal::NoneOpen, .. }) => self.repeat_finish(id, success, &document).await,
            Err(Refused { refusal: Refusal::LeaseLost { reason, deployment }, .. }) => {
                let held =
                    target.members.iter().find(|member| member.spec.id == deployment).map(|member| &member.spec.slot);
                let catalog = self.catalog();
                let holder =
                    held.and_then(|slot| catalog.slot(slot)?.open()).map(|open| Box::new(open.as_ref().clone()));
                Err(AppError::LeaseLost { reason, holder })
            }
            Err(Refused { refusal: Refusal::OutcomeUnknown(error), .. }) => {
                Err(AppError::OutcomeUnknown { plan: Some(id), error })
            }
            Err(Refused { refusal, .. }) => Err(refused(refusal)),
        }
    }

    async fn target(&self, id: PlanId) -> Result<Target, AppError> {
        let found = self.blocking(move |store| views::members_of(store, id)).await??;
        let (members, is_set) = found.ok_or_else(|| AppError::not_found(format!("the deployment {id}")))?;
        Ok(Target { members, is_set })
    }

    /// The plan as it is now, with the warnings of this finish.
    async fn finished(&self, id: PlanId, finished: &Finished) -> Result<PlanView, AppError> {
        let target = self.target(id).await?;
        let mut warnings = Vec::new();
        for (index, member) in target.members.iter().enumerate() {
            if let Some(ended) = finished.members.iter().find(|ended| ended.spec.id == member.spec.id) {
                warnings.extend(below(&ended.warnings, &member_prefix(target.is_set, index)));
            }
        }
        let mut plan = views::plan(id, target.members, target.is_set, Leases::Hidden);
        plan.warnings.extend(warnings);
        Ok(plan)
    }

    /// Nothing is open: the same outcome again is answered as it was, another one is refused.
    async fn repeat_finish(&self, id: PlanId, success: bool, document: &FinishDocument) -> Result<PlanView, AppError> {
        let target = self.target(id).await?;
        let outcome = if success { Outcome::Succeeded } else { Outcome::Failed };
        for (index, member) in target.members.iter().enumerate() {
            let given = token(document, &target, index);
            if let (Some(given), Some(ended_with)) = (&given, &member.spec.ended_with)
                && given != ended_with
            {
                let reason = "the token is not the one that this attempt was opened with";
                let catalog = self.catalog();
                let holder = catalog.slot(&member.spec.slot).and_then(|slot| slot.open());
                return Err(AppError::LeaseLost { reason, holder: holder.map(|open| Box::new(open.as_ref().clone())) });
            }
        }
        match target.members.iter().find(|member| member.spec.outcome != Some(outcome)) {
            Some(other) => Err(AppError::AlreadyFinished(Box::new(other.spec.clone()))),
            None => Ok(views::plan(id, target.members, target.is_set, Leases::Hidden)),
        }
    }
}

/// The id in the body, where there is one, is that of the path, or of the set that the attempt is a member of.
fn check_identity(document: &FinishDocument, id: PlanId, target: &Target) -> Result<(), AppError> {
    let listed: Vec<_> = document.members.iter().map(|(listed, _)| *listed).collect();
    let is_member = |id: &DeploymentId| target.members.iter().any(|member| member.spec.id == *id);
    // A member may be finished with the whole set that was posted; a set only with its own.
    let is_foreign =
        if target.is_set { !listed.iter().all(is_member) } else { !listed.is_empty() && !listed.iter().any(is_member) };
    if is_foreign {
        let message = "`deployments` lists attempts that this finish is not about; post the plan as it was given";
        return Err(AppError::Malformed(message.to_owned()));
    }
    let Some(written) = &document.id else { return Ok(()) };
    let set = target.members.first().map(|member: &StoredDeployment| member.spec.plan);
    match written.parse::<PlanId>() {
        Ok(posted) if posted == id || Some(posted) == set => Ok(()),
        _ => Err(AppError::Malformed(format!(
            "the body is about the plan {written}, the path about {id}; they must be the same"
        ))),
    }
}

/// The token that was sent for a member: beside its id in a set, or the one of a single plan.
fn token(document: &FinishDocument, target: &Target, member: usize) -> Option<LeaseToken> {
    let id = target.members[member].spec.id;
    let listed = document.members.iter().find(|(listed, _)| *listed == id).and_then(|(_, token)| token.clone());
    listed.or_else(|| document.token.clone().filter(|_| document.members.is_empty()))
}

fn members(target: &Target, document: &FinishDocument) -> Result<Vec<FinishMember>, AppError> {
    let mut problems = Problems::default();
    check_corrections(document, target, &mut problems);
    let mut members = Vec::with_capacity(target.members.len());
    for (index, stored) in target.members.iter().enumerate() {
        let mut resolution = stored.resolution.clone();
        let mut recorded = RecordedSpec::read(&resolution.artifact_spec)
            .map_err(|error| AppError::internal("a recorded plan cannot be read", &error))?;
        let mut is_corrected = false;
        for correction in corrections(document, target, index) {
            let provided = recorded.provides.iter_mut().enumerate();
            let mut provided =
                provided.filter(|(_, p)| p.interface == correction.interface && p.layer == correction.layer);
            let Some((provide, found)) = provided.next() else {
                let message = format!(
                    "{} in the layer {} is none of what this attempt provides",
                    correction.interface, correction.layer
                );
                problems.add(Code::UnknownValue, correction.pointer.clone(), message);
                continue;
            };
            let corrected = corrected(&found.attributes, &correction.attributes);
            if corrected.as_str().len() > ATTRIBUTE_BYTES {
                let message = format!("with this the attributes have more than {ATTRIBUTE_BYTES} bytes");
                problems.add(Code::TooLarge, correction.pointer.clone(), message);
                continue;
            }
            if corrected != found.attributes {
                is_corrected = true;
                resolution.artifact_spec = with_attributes(&resolution.artifact_spec, provide, &corrected);
                found.attributes = corrected;
            }
        }
        let DeploymentSpec { id, slot, .. } = stored.spec.clone();
        members.push(FinishMember {
            id,
            slot,
            token: token(document, target, index),
            resolution,
            recorded,
            is_corrected,
            is_in_set: stored.spec.plan.0 != id.0,
        });
    }
    problems.or(members).map_err(|problems| AppError::Invalid(Code::InvalidFinish, problems))
}

/// Refuses corrections that do not say whose they are: one element for each member listed in `deployments` or, where none is,
/// for each that is to be finished.
fn check_corrections(document: &FinishDocument, target: &Target, problems: &mut Problems) {
    let members = if document.members.is_empty() { target.members.len() } else { document.members.len() };
    let given = document.corrections.len();
    if given != 0 && given != members {
        let message = format!("there are {given} specifications for {members} attempts; post the plan as it was given");
        problems.add(Code::WrongType, "", message);
    }
}

/// The corrections for one member: in a posted set its place is that of its id in `deployments`.
fn corrections<'a>(document: &'a FinishDocument, target: &Target, member: usize) -> &'a [AttributeCorrection] {
    let id: DeploymentId = target.members[member].spec.id;
    let listed = document.members.iter().position(|(listed, _)| *listed == id);
    let place = if document.members.is_empty() { Some(member) } else { listed };
    place.and_then(|place| document.corrections.get(place)).map_or(&[], Vec::as_slice)
}

/// Top-level keys given replace, `null` removes, everything else stays.
fn corrected(attributes: &Attributes, given: &[(String, Json)]) -> Attributes {
    let mut members = attributes.members();
    for (key, value) in given {
        let known = members.iter().position(|(name, _)| name == key);
        match (known, value) {
            (Some(index), Json::Null) => drop(members.remove(index)),
            (None, Json::Null) => {}
            (Some(index), value) => members[index].1 = value.clone(),
            (None, value) => members.push((key.clone(), value.clone())),
        }
    }
    Attributes::new(members)
}

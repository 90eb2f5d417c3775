//! Finish: reporting how attempts ended.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::Effort;
use crate::document::Json;
use crate::lifecycle::{Corrected, FOREIGN_TOKEN, Finish, FinishMember, FinishRefusal, Finished, Looked};
use crate::model::limits::CORRECTED_BYTES;
use crate::model::{
    Attempt, Attributes, Code, DeploymentId, KeptToken, LeaseToken, Outcome, PlanId, PlanRecord, Warning,
};
use crate::reading::Problems;
use crate::store;
use crate::wire::{AttributeCorrection, FinishDocument};

use super::committer::NotRecorded;
use super::error::AppError;
use super::{App, PlanAnswer, PlanRows, Size};

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

impl App {
    /// Ends the open attempts of a plan, or one attempt, and answers with the plan as it is then. Ended attempts with the same
    /// outcome are left as they are.
    ///
    /// # Errors
    /// [`AppError`]: not found, malformed, invalid corrections, already finished otherwise, lease lost.
    pub async fn finish(&self, request: FinishRequest) -> Result<PlanAnswer, AppError> {
        let FinishRequest { id, success, document, actor } = request;
        let plan = self.record(id).await?;
        check_identity(&document, &plan)?;
        if plan.members.iter().all(|member| member.spec.opening.is_none()) {
            // The attributes of a repeat are not even looked at.
            return self.repeat_finish(id, success, &document).await;
        }
        // What is corrected is read, changed and written whole.
        let bytes = |member: &Attempt| {
            let provides = member.resolution.spec.provides.iter();
            provides.map(|provide| provide.attributes.as_str().len()).sum::<usize>()
        };
        let size = match document.corrections.is_empty() {
            true => Size::Small,
            false => Size::of_bytes(plan.members.iter().map(bytes).sum::<usize>() + document.bytes()),
        };
        let (members, document) = self.pool.run(size, move || (members(&plan, &document), document)).await?;
        let mut members = members?;
        if success {
            self.look(&mut members).await?;
        }
        let finish = Arc::new(Finish { members, success, reason: document.reason.clone(), actor });
        match self.committer.commit(finish).await {
            Ok(finished) => self.finished(id, &finished).await.map_err(|error| match error {
                // It is recorded, and only cannot be shown: nobody must be told that nothing was.
                AppError::Unavailable(error) | AppError::Overloaded(error) => {
                    AppError::OutcomeUnknown { plan: Some(id), error }
                }
                AppError::Damaged { error, .. } => AppError::Damaged { recorded: Some(id), error },
                other => other,
            }),
            Err(NotRecorded::Refused(FinishRefusal::NoneOpen)) => self.repeat_finish(id, success, &document).await,
            Err(NotRecorded::Refused(FinishRefusal::LeaseLost { reason, holder })) => {
                Err(AppError::LeaseLost { reason, holder })
            }
            Err(NotRecorded::Unavailable(error)) => Err(AppError::Unavailable(error)),
            Err(NotRecorded::OutcomeUnknown(error)) => Err(AppError::OutcomeUnknown { plan: Some(id), error }),
            Err(NotRecorded::Fault) => Err(AppError::fault()),
        }
    }

    /// Looks for what matches now and did not when the attempts were planned: that may take long.
    async fn look(&self, members: &mut [FinishMember]) -> Result<(), AppError> {
        let catalog = self.catalog();
        let ids: Vec<_> = members.iter().map(|member| member.id).collect();
        let most = Self::settings(&catalog).max_comparisons as usize;
        let look = move |size: Size| {
            let effort = Effort::of(size.comparisons(most));
            let looked: Vec<_> = ids.iter().map(|&id| Looked::of(&catalog, id, &effort)).collect();
            (looked, effort.left() > 0)
        };
        let looked = match look(Size::Small) {
            (looked, true) => looked,
            (_, false) => self.pool.run(Size::Large, move || look(Size::Large).0).await?,
        };
        members.iter_mut().zip(looked).for_each(|(member, looked)| member.looked = looked);
        Ok(())
    }

    /// The plan as it is now, with the warnings of this finish.
    async fn finished(&self, id: PlanId, finished: &Finished) -> Result<PlanAnswer, AppError> {
        let mut answer = self.ended(id).await?;
        let members = answer.plan.members.iter().enumerate();
        let warnings = members.flat_map(|(index, member)| {
            let ended = finished.members.iter().filter(|ended| ended.spec.id == member.spec.id);
            ended.flat_map(|ended| &ended.warnings).map(move |warning: &Warning| (index, warning.clone()))
        });
        answer.warnings.extend(warnings);
        Ok(answer)
    }

    /// A plan that was finished, as it is now. Whoever reports an end is not to fail for the values of a match that cannot be read
    /// any more: they are answered as they are today, with a warning.
    async fn ended(&self, id: PlanId) -> Result<PlanAnswer, AppError> {
        let error = match self.plan(id).await {
            Err(AppError::Damaged { error, .. }) => error,
            other => return other,
        };
        let plan = self.record(id).await?;
        let rows = store::newest_rows(&self.catalog(), &plan);
        let rows = rows.ok_or_else(|| AppError::Damaged { recorded: Some(id), error: error.clone() })?;
        let members = 0..plan.members.len();
        let warnings = members.map(|member| (member, Warning::new(Code::MatchNotAsItWas, "", error.clone()))).collect();
        Ok(PlanAnswer { plan, rows: PlanRows::History(rows), warnings })
    }

    /// Nothing is open: the same outcome again is answered as it was, another one is refused.
    async fn repeat_finish(
        &self,
        id: PlanId,
        success: bool,
        document: &FinishDocument,
    ) -> Result<PlanAnswer, AppError> {
        let answer = self.ended(id).await?;
        let outcome = if success { Outcome::Succeeded } else { Outcome::Failed };
        for (index, member) in answer.plan.members.iter().enumerate() {
            let given = token(document, &answer.plan, index);
            let is_foreign = |kept: &KeptToken| given.as_ref().is_some_and(|given| !kept.is_of(given));
            if member.kept_token.as_ref().is_some_and(is_foreign) {
                let catalog = self.catalog();
                let holder = catalog.slot(&member.spec.slot).and_then(|slot| slot.open());
                let holder = holder.map(|open| Box::new(open.spec.as_ref().clone()));
                return Err(AppError::LeaseLost { reason: FOREIGN_TOKEN, holder });
            }
        }
        match answer.plan.members.iter().find(|member| member.spec.outcome != Some(outcome)) {
            Some(other) => Err(AppError::AlreadyFinished(Box::new(other.spec.clone()))),
            None => Ok(answer),
        }
    }

    /// A recorded plan, or a member of a set, as it is now.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub(super) async fn record(&self, id: PlanId) -> Result<PlanRecord, AppError> {
        let found = self.reading(move |store| store::plan(store, id)).await??;
        found.ok_or_else(|| AppError::not_found(format!("the deployment {id}")))
    }

    /// A recorded plan, or a member of a set, as it is now, with the values of its matches.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn plan(&self, id: PlanId) -> Result<PlanAnswer, AppError> {
        let catalog = self.catalog();
        let found = self.reading(move |store| {
            let Some(plan) = store::plan(store, id)? else { return Ok(None) };
            store::component_rows(store, &catalog, &plan).map(|rows| Some((plan, rows)))
        });
        let (plan, rows) = found.await??.ok_or_else(|| AppError::not_found(format!("the deployment {id}")))?;
        Ok(PlanAnswer { plan, rows: PlanRows::History(rows), warnings: Vec::new() })
    }
}

/// The id in the body, where there is one, is that of the path, or of the set that the attempt is a member of.
fn check_identity(document: &FinishDocument, plan: &PlanRecord) -> Result<(), AppError> {
    let listed: Vec<_> = document.members.iter().map(|(listed, _)| *listed).collect();
    let is_member = |id: &DeploymentId| plan.members.iter().any(|member| member.spec.id == *id);
    // A member may be finished with the whole set that was posted; a set only with its own.
    let is_foreign =
        if plan.is_set { !listed.iter().all(is_member) } else { !listed.is_empty() && !listed.iter().any(is_member) };
    if is_foreign {
        let message = "`deployments` lists attempts that this finish is not about; post the plan as it was given";
        return Err(AppError::Malformed(message.to_owned()));
    }
    let Some(written) = &document.id else { return Ok(()) };
    let set = plan.members.first().map(|member| member.spec.plan);
    match written.parse::<PlanId>() {
        Ok(posted) if posted == plan.id || Some(posted) == set => Ok(()),
        _ => Err(AppError::Malformed(format!(
            "the body is about the plan {written}, the path about {}; they must be the same",
            plan.id
        ))),
    }
}

/// The token that was sent for a member: beside its id in a set, or the one of a single plan.
fn token(document: &FinishDocument, plan: &PlanRecord, member: usize) -> Option<LeaseToken> {
    let id = plan.members[member].spec.id;
    let listed = document.members.iter().find(|(listed, _)| *listed == id).and_then(|(_, token)| token.clone());
    listed.or_else(|| document.token.clone().filter(|_| document.members.is_empty()))
}

fn members(plan: &PlanRecord, document: &FinishDocument) -> Result<Vec<FinishMember>, AppError> {
    let mut problems = Problems::default();
    check_corrections(document, plan, &mut problems);
    let mut members = Vec::with_capacity(plan.members.len());
    for (index, attempt) in plan.members.iter().enumerate() {
        members.push(FinishMember {
            id: attempt.spec.id,
            slot: attempt.spec.slot.clone(),
            token: token(document, plan, index),
            corrected: corrections(attempt, given(document, plan, index), &mut problems),
            bytes: attempt.resolution.spec.provides.iter().map(|provide| provide.attributes.as_str().len()).sum(),
            together: attempt.together.iter().map(|other| other.spec.id).collect(),
            looked: None,
        });
    }
    problems.or(members).map_err(|problems| AppError::Invalid(Code::InvalidFinish, problems))
}

/// The Components whose attributes turned out otherwise than an attempt planned.
fn corrections(attempt: &Attempt, given: &[AttributeCorrection], problems: &mut Problems) -> Vec<Corrected> {
    let provides = attempt.resolution.spec.provides.iter();
    let mut provided: HashMap<_, _> = provides
        .filter_map(|provide| Some(((provide.interface.as_str(), provide.layer), (provide.component?, provide))))
        .collect();
    let (mut corrected, mut known) = (Vec::new(), HashSet::new());
    for correction in given {
        let place = (correction.interface.as_str(), correction.layer);
        let Some((component, planned)) = provided.remove(&place) else {
            let (code, why) = match known.contains(&place) {
                true => (Code::DuplicateProvide, "corrected twice; merge the two"),
                false => (Code::UnknownValue, "none of what this attempt provides"),
            };
            let message = format!("{} in the layer {} is {why}", correction.interface, correction.layer);
            problems.add(code, correction.pointer.clone(), message);
            continue;
        };
        known.insert(place);
        let attributes = with_corrections(&planned.attributes, &correction.attributes);
        if attributes.as_str().len() > CORRECTED_BYTES {
            let message =
                format!("with this the attributes have more than {CORRECTED_BYTES} bytes (limit corrected-bytes)");
            problems.add(Code::TooLarge, correction.pointer.clone(), message);
        } else if attributes != planned.attributes {
            corrected.push(Corrected { component, attributes });
        }
    }
    corrected
}

/// Refuses corrections that do not say whose they are: one element for each member listed in `deployments` or, where none is,
/// for each that is to be finished.
fn check_corrections(document: &FinishDocument, plan: &PlanRecord, problems: &mut Problems) {
    let members = if document.members.is_empty() { plan.members.len() } else { document.members.len() };
    let given = document.corrections.len();
    if given != 0 && given != members {
        let message = format!("there are {given} specifications for {members} attempts; post the plan as it was given");
        problems.add(Code::WrongType, "", message);
    }
}

/// The corrections that were sent for one member: in a posted set their place is that of its id in `deployments`.
fn given<'a>(document: &'a FinishDocument, plan: &PlanRecord, member: usize) -> &'a [AttributeCorrection] {
    let id: DeploymentId = plan.members[member].spec.id;
    let listed = document.members.iter().position(|(listed, _)| *listed == id);
    let place = if document.members.is_empty() { Some(member) } else { listed };
    place.and_then(|place| document.corrections.get(place)).map_or(&[], Vec::as_slice)
}

/// Top-level keys given replace, `null` removes, everything else stays.
fn with_corrections(attributes: &Attributes, given: &[(String, Json)]) -> Attributes {
    let mut members: Vec<_> = attributes.members().into_iter().map(|(name, value)| (name, Some(value))).collect();
    let mut places: HashMap<String, usize> =
        members.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
    for (key, value) in given {
        match (places.get(key), value) {
            (Some(&place), Json::Null) => {
                members[place].1 = None;
                places.remove(key);
            }
            (None, Json::Null) => {}
            (Some(&place), value) => members[place].1 = Some(value.clone()),
            (None, value) => {
                places.insert(key.clone(), members.len());
                members.push((key.clone(), Some(value.clone())));
            }
        }
    }
    Attributes::new(members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

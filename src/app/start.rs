//! Start and dry run.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::document::JsonText;
use crate::model::{ArtifactSpec, Code, PlanId, Warning};
use crate::planner::{self, Identities, Plan, Scrutiny, Verdict};
use crate::reading::Problems;
use crate::spec::{Inputs, ReadContext, StartDocument, comparable_received, difference};
use crate::wire::{self, Deployable, PlanBody, PlanView};

use super::committer::{Done, Refused};
use super::decide::{Answer, Command, Received, Recorded, Refusal, StartCommand, check_order, check_owners};
use super::error::AppError;
use super::views::{self, member_prefix};
use super::{App, new_component, new_deployment, new_plan, new_token};

/// What is to be started.
#[derive(Debug)]
pub struct StartRequest {
    /// The specifications and their inputs.
    pub document: StartDocument,
    /// The idempotency key, of header or body.
    pub key: Option<String>,
    /// Who starts.
    pub actor: Option<String>,
}

/// The answer to a start.
#[derive(Debug)]
pub enum StartOutcome {
    /// It is recorded now.
    Started(Box<PlanView>),
    /// It was recorded before, under the same idempotency key.
    Repeated(Box<PlanView>),
}

/// A request once its texts are rendered.
struct Rendered {
    specs: Vec<ArtifactSpec>,
    is_set: bool,
}

impl App {
    /// Plans, and records nothing. The answer has the verdict, whatever it is. Give it what was read after [`App::catch_up`].
    ///
    /// # Errors
    /// [`AppError::Invalid`], and [`AppError::OwnedElsewhere`], which is the only refusal that a dry run heeds.
    pub async fn dry_run(&self, request: StartRequest) -> Result<PlanView, AppError> {
        let catalog = self.catalog();
        let document = request.document;
        sized(is_large(&document), move || {
            let rendered = Rendered::of(&document)?;
            check_owners(&catalog, &rendered.specs).map_err(refused)?;
            let mut plan = rendered.plan(&catalog, Identities::Withheld)?;
            for (spec, planned) in rendered.specs.iter().zip(&mut plan.members) {
                if let Some(open) = catalog.slot(&spec.slot).and_then(|slot| slot.open()) {
                    let message = format!(
                        "attempt {} on {} is open ({}); a real start would be refused",
                        open.number, spec.slot, open.id
                    );
                    planned.warnings.push(Warning::new(Code::DeploymentPending, "", message));
                }
            }
            Ok(rendered.unrecorded(&plan))
        })
        .await?
    }

    /// Plans and, where the verdict is `yes`, records the attempts and opens them. Give it what was read after
    /// [`App::catch_up`]: then everything that was recorded before the request came is known to whatever refuses it.
    ///
    /// # Errors
    /// [`AppError`], in the order of refusals: invalid, idempotency, pending, owner, verdict.
    pub async fn start(&self, request: StartRequest) -> Result<StartOutcome, AppError> {
        let StartRequest { document, key, actor } = request;
        let is_large = is_large(&document);
        let (document, rendered) = sized(is_large, move || {
            let rendered = Rendered::of(&document);
            (document, rendered)
        })
        .await?;
        let rendered = rendered?;
        let deployments: Vec<_> = rendered.specs.iter().map(|_| new_deployment()).collect();
        let plan_id = if rendered.is_set { new_plan() } else { PlanId(deployments[0].0) };
        let mut command = Box::new(StartCommand {
            specs: rendered.specs,
            plan: Plan { revision: 0, active_revision: 0, members: Vec::new(), verdict: Verdict::Yes },
            texts: Vec::new(),
            prepared: Vec::new(),
            received: received(&document),
            tokens: deployments.iter().map(|_| new_token()).collect(),
            deployments,
            plan_id,
            is_set: rendered.is_set,
            key: key.clone(),
            actor,
            settings: Self::settings(&self.catalog()),
            rounds: 0,
        });
        // Only under a key can the request turn out to be a repeat, to be compared with what was recorded.
        let repeated = key.as_ref().map(|_| document);
        loop {
            let catalog = self.catalog();
            let order = check_order(&catalog, key.as_deref(), &command.specs);
            command.rounds += 1;
            let (again, planned) = sized(is_large, move || plan_command(&catalog, command)).await?;
            command = again;
            match (planned, order) {
                // Only planning finds what is wrong in late texts, and what is invalid is refused before anything else.
                (Err(invalid @ AppError::Invalid(..)), _) => return Err(invalid),
                (_, Err(refusal)) => return self.refused_start(refusal, repeated.as_ref()).await,
                (planned, Ok(())) => planned?,
            }
            match self.committer.commit(Command::Start(command)).await {
                Ok(Done { answer: Answer::Started(recorded), command: Command::Start(command), .. }) => {
                    return Ok(StartOutcome::Started(Box::new(started(&command, &recorded))));
                }
                Ok(_) => return Err(AppError::Internal("a start was answered as something else".to_owned())),
                // What it was planned against has moved, or is no longer enough: plan again, against what is published now.
                Err(Refused {
                    refusal: Refusal::Moved | Refusal::NotDeployable,
                    command: Some(Command::Start(again)),
                }) => command = again,
                Err(Refused { refusal: Refusal::OutcomeUnknown(error), .. }) => {
                    return Err(AppError::OutcomeUnknown { plan: Some(plan_id), error });
                }
                Err(Refused { refusal, .. }) => return self.refused_start(refusal, repeated.as_ref()).await,
            }
        }
    }

    async fn refused_start(
        &self,
        refusal: Refusal,
        repeated: Option<&StartDocument>,
    ) -> Result<StartOutcome, AppError> {
        match (refusal, repeated) {
            (Refusal::KeyKnown(plan), Some(document)) => {
                self.repeat(plan, document).await.map(|plan| StartOutcome::Repeated(Box::new(plan)))
            }
            (refusal, _) => Err(refused(refusal)),
        }
    }

    /// The plan recorded under the key, if it was recorded for the same request.
    async fn repeat(&self, id: PlanId, document: &StartDocument) -> Result<PlanView, AppError> {
        let comparable = document.comparable();
        let settings = Self::settings(&self.catalog());
        self.blocking(move |store| {
            let (members, is_set) =
                views::members_of(store, id)?.ok_or_else(|| AppError::not_found(format!("the plan {id}")))?;
            let stored = members.iter().map(|member| (&member.received.artifact_spec, &member.received.input));
            let recorded = comparable_received(is_set, stored, ReadContext { settings: &settings });
            match recorded.map(|recorded| difference(&recorded, &comparable)) {
                Ok(None) => Ok(views::plan(id, members, is_set, views::Leases::Shown)),
                Ok(Some(pointer)) => {
                    Err(AppError::KeyReused { plan: id, difference: format!("they differ first at {pointer}") })
                }
                Err(_) => Err(AppError::KeyReused {
                    plan: id,
                    difference: "the recorded one cannot be read any more".to_owned(),
                }),
            }
        })
        .await?
    }
}

/// What a refusal says to the client.
pub(super) fn refused(refusal: Refusal) -> AppError {
    match refusal {
        Refusal::Pending(open) => AppError::Pending(open),
        Refusal::OwnedElsewhere { artifact, system } => AppError::OwnedElsewhere { artifact, system },
        Refusal::Unavailable(error) => AppError::Unavailable(error),
        Refusal::OutcomeUnknown(error) => AppError::OutcomeUnknown { plan: None, error },
        Refusal::LeaseLost { reason, .. } => AppError::LeaseLost { reason, holder: None },
        Refusal::NoServer => AppError::not_found("the server"),
        other => AppError::internal("a command was refused for no reason that it can have", &format_args!("{other:?}")),
    }
}

/// From how many bytes on, or members, or requires, a request is worked on by a thread that may block.
const LARGE: (usize, usize) = (256 * 1024, 32);

fn is_large(document: &StartDocument) -> bool {
    let bytes: usize = document.members.iter().map(|member| member.received.as_str().len()).sum();
    let requires: usize = document.members.iter().map(|member| member.specification.require_count()).sum();
    bytes >= LARGE.0 || document.members.len() >= LARGE.1 || requires >= LARGE.1
}

/// Runs `work` here, or, where it may take long, on a thread that may block.
async fn sized<T: Send + 'static>(is_large: bool, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    if !is_large {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| AppError::internal("a task failed", &error))
}

/// Plans `command` against `catalog`, and prepares what is recorded of it. The command comes back, whatever is found.
///
/// # Errors
/// [`AppError::Invalid`] and [`AppError::NotDeployable`].
fn plan_command(catalog: &Catalog, mut command: Box<StartCommand>) -> (Box<StartCommand>, Result<(), AppError>) {
    let rendered = Rendered { specs: std::mem::take(&mut command.specs), is_set: command.is_set };
    let planned = checked_plan(catalog, &rendered, &command);
    command.specs = rendered.specs;
    let planned = planned.map(|plan| command.set_plan(plan));
    (command, planned)
}

/// A plan whose verdict is `yes`, and which passed its check.
fn checked_plan(catalog: &Catalog, rendered: &Rendered, command: &StartCommand) -> Result<Plan, AppError> {
    let identities = Identities::Given { deployments: &command.deployments, component: &mut new_component };
    let plan = rendered.plan(catalog, identities)?;
    if plan.verdict != Verdict::Yes {
        return Err(AppError::NotDeployable(Box::new(rendered.refused(catalog)?)));
    }
    let settings = App::settings(catalog);
    if let Err(violations) = planner::check(catalog, &rendered.specs, &settings, &plan, Scrutiny::EachMatch) {
        let first = violations.first().map_or_else(String::new, ToString::to_string);
        return Err(AppError::internal("a plan did not pass its check", &first));
    }
    Ok(plan)
}

impl Rendered {
    /// Renders every member.
    fn of(document: &StartDocument) -> Result<Self, AppError> {
        let specs = document.render().map_err(|problems| AppError::Invalid(Code::InvalidSpecification, problems))?;
        Ok(Self { specs, is_set: document.form.is_set() })
    }

    fn plan(&self, catalog: &Catalog, identities: Identities<'_>) -> Result<Plan, AppError> {
        planner::plan(catalog, &self.specs, &App::settings(catalog), identities).map_err(|invalid| {
            let mut problems = Problems::default();
            invalid.into_iter().for_each(|invalid| problems.push(invalid.into()));
            AppError::Invalid(Code::InvalidSpecification, problems)
        })
    }

    /// The plan of what is refused, which gives nothing new an identity.
    fn refused(&self, catalog: &Catalog) -> Result<PlanView, AppError> {
        Ok(self.unrecorded(&self.plan(catalog, Identities::Withheld)?))
    }

    fn unrecorded(&self, plan: &Plan) -> PlanView {
        let mut texts = wire::artifact_specs(&self.specs, &plan.members);
        let body = if self.is_set {
            PlanBody::Set { artifact_specs: texts, deployments: Vec::new() }
        } else {
            PlanBody::Single {
                artifact_spec: texts.remove(0),
                deployment: None,
                lease: None,
                supersedes: None,
                stale: None,
            }
        };
        let explanation = match &plan.verdict {
            Verdict::Yes => None,
            Verdict::No(explanation) | Verdict::Unknown(explanation) => {
                Some(explanation.clone().below(|member| member_prefix(self.is_set, member)))
            }
        };
        let (id, set, deployable, revision) = (None, None, Deployable::from(&plan.verdict), plan.revision);
        PlanView { id, set, deployable, revision, body, explanation, warnings: warnings(plan, self.is_set) }
    }
}

fn warnings(plan: &Plan, is_set: bool) -> Vec<Warning> {
    let members = plan.members.iter().enumerate();
    let warnings = members.flat_map(|(index, member)| {
        let prefix = member_prefix(is_set, index);
        member.warnings.iter().map(move |warning| warning.clone().below(&prefix))
    });
    warnings.collect()
}

fn received(document: &StartDocument) -> Vec<Received> {
    let mut shared: Option<(&Arc<Inputs>, JsonText)> = None;
    let received = document.members.iter().map(|member| {
        let known = shared.take().filter(|(inputs, _)| Arc::ptr_eq(inputs, &member.inputs));
        let (_, input) =
            shared.insert(known.unwrap_or_else(|| (&member.inputs, JsonText::from(member.inputs.as_json()))));
        Received {
            artifact_spec: member.received.clone(),
            input: input.clone(),
            annotations: member.annotations.clone(),
        }
    });
    received.collect()
}

fn started(command: &StartCommand, recorded: &Recorded) -> PlanView {
    let members = recorded.specs.iter().zip(&command.texts).zip(&command.received);
    let members =
        members.map(|((spec, text), received)| views::OpenMember { spec, text, annotations: &received.annotations });
    let body = views::open_body(members, command.is_set);
    let (id, revision) = (Some(command.plan_id), command.plan.revision);
    let warnings = warnings(&command.plan, command.is_set);
    PlanView { id, set: None, deployable: Deployable::Yes, revision, body, explanation: None, warnings }
}

//! Start and dry run: read -> render -> check -> plan -> record -> answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::document::JsonText;
use crate::lifecycle::{Start, StartMember, StartRefusal, Started, check_owners, resolutions};
use crate::model::{ArtifactSpec, Attempt, Code, PlanId, PlanRecord, ReceivedRow, ResolvedAttempt, Settings, Warning};
use crate::planner::{self, Identities, Plan, Scrutiny, Verdict};
use crate::reading::Problems;
use crate::spec::{Inputs, ReadContext, StartDocument, comparable_received, difference};
use crate::store;

use super::committer::NotRecorded;
use super::error::AppError;
use super::{App, PlanAnswer, PlanRows, new_component, new_deployment, new_plan, new_token};

/// What is to be started.
pub struct StartRequest {
    /// The specifications and their inputs.
    pub document: StartDocument,
    /// The Catalog by whose settings the document was read; it is planned against the same. Taken after [`App::catch_up`], it
    /// knows everything that was recorded before the request came.
    pub catalog: Arc<Catalog>,
    /// The idempotency key, of header or body.
    pub key: Option<String>,
    /// Who starts.
    pub actor: Option<String>,
}

/// The answer to a start.
pub enum StartOutcome {
    /// It is recorded now.
    Started(PlanAnswer),
    /// It was recorded before, under the same idempotency key.
    Repeated(PlanAnswer),
}

/// A plan that is not recorded: of a dry run, or one that is refused.
pub struct Proposal {
    /// The specifications, rendered.
    pub specs: Arc<[ArtifactSpec]>,
    /// What they resolve to.
    pub plan: Plan,
    /// Whether it was posted as a set.
    pub is_set: bool,
    /// The Catalog that it was resolved against.
    pub catalog: Arc<Catalog>,
}

impl std::fmt::Debug for Proposal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proposal").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl App {
    /// Plans, and records nothing. The answer has the verdict, whatever it is.
    ///
    /// # Errors
    /// [`AppError::Invalid`], and [`AppError::OwnedElsewhere`], which is the only refusal that a dry run heeds.
    pub async fn dry_run(&self, request: StartRequest) -> Result<Proposal, AppError> {
        let StartRequest { document, catalog, .. } = request;
        sized(is_large(&document), move || {
            let specs = render(&document)?;
            check_owners(&catalog, &specs).map_err(AppError::OwnedElsewhere)?;
            let mut plan = planned(&catalog, &specs, &App::settings(&catalog), Identities::Withheld)?;
            for (spec, planned) in specs.iter().zip(&mut plan.members) {
                if let Some(open) = catalog.slot(&spec.slot).and_then(|slot| slot.open()) {
                    let message = format!(
                        "attempt {} on {} is open ({}); a real start would be refused",
                        open.spec.number, spec.slot, open.spec.id
                    );
                    planned.warnings.push(Warning::new(Code::DeploymentPending, "", message));
                }
            }
            Ok(Proposal { specs, plan, is_set: document.form.is_set(), catalog })
        })
        .await?
    }

    /// Plans and, where the verdict is `yes`, records the attempts and opens them.
    ///
    /// # Errors
    /// [`AppError`], in the order of refusals: invalid, idempotency, pending, owner, verdict.
    pub async fn start(&self, request: StartRequest) -> Result<StartOutcome, AppError> {
        let StartRequest { document, catalog, key, actor } = request;
        let is_large = is_large(&document);
        let settings = Arc::new(Self::settings(&catalog));
        // Only under a key can the request turn out to be a repeat, to be compared with what was recorded.
        let is_keyed = key.is_some();
        let read_by = settings.clone();
        let (mut planned, repeated) = sized(is_large, move || {
            let planned = render(&document).map(|specs| opening(&document, specs, read_by, key, actor));
            let planned = planned.map_err(NotPlanned::from).and_then(|start| plan_start(start, catalog));
            (planned, is_keyed.then_some(document))
        })
        .await?;
        loop {
            let (start, catalog) = match planned {
                Ok(planned) => planned,
                Err(NotPlanned::Known(plan)) => return self.repeat(plan, repeated, settings).await,
                Err(NotPlanned::Refused(error)) => return Err(error),
            };
            let start = Arc::new(start);
            let refusal = match self.committer.commit(start.clone()).await {
                Ok(started) => return Ok(StartOutcome::Started(answer(&start, started, catalog))),
                Err(NotRecorded::Refused(refusal)) => refusal,
                Err(NotRecorded::Unavailable(error)) => return Err(AppError::Unavailable(error)),
                Err(NotRecorded::OutcomeUnknown(error)) => {
                    return Err(AppError::OutcomeUnknown { plan: Some(start.plan), error });
                }
                Err(NotRecorded::Fault) => return Err(AppError::fault()),
            };
            planned = match refusal {
                StartRefusal::PlanAgain => {
                    let catalog = self.catalog();
                    sized(is_large, move || plan_start(Arc::unwrap_or_clone(start), catalog)).await?
                }
                refusal => Err(NotPlanned::of(refusal)),
            };
        }
    }

    /// The plan recorded under the key, if it was recorded for the same request.
    async fn repeat(
        &self,
        id: PlanId,
        document: Option<StartDocument>,
        settings: Arc<Settings>,
    ) -> Result<StartOutcome, AppError> {
        let missing = move || AppError::not_found(format!("the plan {id}"));
        let document = document.ok_or_else(missing)?;
        let comparable = document.comparable();
        let catalog = self.catalog();
        let (plan, rows) = self
            .blocking(move |store| {
                let plan = store::plan(store, id)?.ok_or_else(missing)?;
                let received =
                    plan.members.iter().map(|member| (&member.received.artifact_spec, &member.received.input));
                let recorded = comparable_received(plan.is_set, received, ReadContext { settings: &settings });
                let difference = match recorded.map(|recorded| difference(&recorded, &comparable)) {
                    Ok(None) => return Ok((store::component_rows(store, &catalog, &plan)?, plan)),
                    Ok(Some(pointer)) => format!("they differ first at {pointer}"),
                    Err(_) => "the recorded one cannot be read any more".to_owned(),
                };
                Err(AppError::KeyReused { plan: id, difference })
            })
            .await?
            .map(|(rows, plan)| (plan, rows))?;
        Ok(StartOutcome::Repeated(PlanAnswer { plan, rows: PlanRows::History(rows), warnings: Vec::new() }))
    }
}

/// Why there is no plan to record.
enum NotPlanned {
    /// The key is known, for this plan.
    Known(PlanId),
    Refused(AppError),
}

impl From<AppError> for NotPlanned {
    fn from(error: AppError) -> Self {
        Self::Refused(error)
    }
}

impl NotPlanned {
    /// What a refusal says: that it is a repeat, or what is told to the client.
    fn of(refusal: StartRefusal) -> Self {
        let error = match refusal {
            StartRefusal::KeyKnown(plan) => return Self::Known(plan),
            StartRefusal::Pending(open) => AppError::Pending(open),
            StartRefusal::OwnedElsewhere(elsewhere) => AppError::OwnedElsewhere(elsewhere),
            StartRefusal::OtherSettings => {
                AppError::Unavailable("the settings were changed meanwhile; send it again".to_owned())
            }
            StartRefusal::PlanAgain => {
                AppError::Unavailable("what runs changed while it was planned; send it again".to_owned())
            }
        };
        Self::Refused(error)
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

/// Renders every member.
fn render(document: &StartDocument) -> Result<Arc<[ArtifactSpec]>, AppError> {
    let specs = document.render().map_err(|problems| AppError::Invalid(Code::InvalidSpecification, problems))?;
    Ok(specs.into())
}

/// What the specifications resolve to.
fn planned(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    identities: Identities<'_>,
) -> Result<Plan, AppError> {
    planner::plan(catalog, specs, settings, identities).map_err(|invalid| {
        let mut problems = Problems::default();
        invalid.into_iter().for_each(|invalid| problems.push(invalid.into()));
        AppError::Invalid(Code::InvalidSpecification, problems)
    })
}

/// A start, with every identity that it may need, that is still to be planned.
fn opening(
    document: &StartDocument,
    specs: Arc<[ArtifactSpec]>,
    settings: Arc<Settings>,
    key: Option<String>,
    actor: Option<String>,
) -> Start {
    let provides: usize = specs.iter().map(|spec| spec.provides.len()).sum();
    let members: Vec<_> =
        received(document).into_iter().map(|received| StartMember::of(received, new_token())).collect();
    let is_set = document.form.is_set();
    Start {
        plan: if is_set { new_plan() } else { PlanId(members[0].deployment.0) },
        specs,
        members,
        components: (0..provides).map(|_| new_component()).collect(),
        active_revision: 0,
        is_set,
        key,
        actor,
        settings,
        rounds: 0,
    }
}

/// Checks what stands in the way of a start, and plans it.
///
/// # Errors
/// [`NotPlanned`], in the order of refusals.
fn plan_start(mut start: Start, catalog: Arc<Catalog>) -> Result<(Start, Arc<Catalog>), NotPlanned> {
    start.check_order(&catalog).map_err(NotPlanned::of)?;
    let deployments: Vec<_> = start.members.iter().map(|member| member.deployment).collect();
    let identities = Identities::Given { deployments: &deployments, components: &start.components };
    let plan = planned(&catalog, &start.specs, &start.settings, identities)?;
    if plan.verdict != Verdict::Yes {
        let proposal = Proposal { specs: start.specs, plan, is_set: start.is_set, catalog };
        return Err(AppError::NotDeployable(Box::new(proposal)).into());
    }
    if let Err(violations) = planner::check(&catalog, &start.specs, &start.settings, &plan, Scrutiny::EachMatch) {
        let first = violations.first().map_or_else(String::new, ToString::to_string);
        return Err(AppError::internal("a plan did not pass its check", &first).into());
    }
    start.rounds += 1;
    start.active_revision = plan.active_revision;
    for (member, resolution) in start.members.iter_mut().zip(resolutions(plan, &deployments)) {
        member.resolution = resolution;
    }
    Ok((start, catalog))
}

/// What was received of each member, as it is recorded of an attempt with a new identity. Members that share their inputs share
/// the text of them.
fn received(document: &StartDocument) -> Vec<ReceivedRow> {
    let mut shared: Option<(&Arc<Inputs>, JsonText)> = None;
    let received = document.members.iter().map(|member| {
        let known = shared.take().filter(|(inputs, _)| Arc::ptr_eq(inputs, &member.inputs));
        let (_, input) =
            shared.insert(known.unwrap_or_else(|| (&member.inputs, JsonText::from(member.inputs.as_json()))));
        ReceivedRow {
            deployment: new_deployment(),
            artifact_spec: member.received.clone(),
            input: input.clone(),
            annotations: member.annotations.as_ref().clone(),
        }
    });
    received.collect()
}

/// What a start answers: the plan as it is recorded.
fn answer(start: &Start, started: Started, catalog: Arc<Catalog>) -> PlanAnswer {
    let Started { attempts, planned_anew } = started;
    let planned = start.members.iter().map(|member| member.resolution.clone()).collect();
    let (resolutions, catalog) =
        planned_anew.map_or((planned, catalog), |(resolutions, catalog)| (resolutions, Arc::new(catalog)));
    let together = attempts.iter().cloned().zip(&resolutions);
    let together: Arc<[_]> =
        together.map(|(spec, resolution)| ResolvedAttempt { spec, resolution: resolution.clone() }).collect();
    let members =
        attempts.into_iter().zip(&start.members).zip(resolutions).map(|((spec, member), resolution)| Attempt {
            spec,
            token: Some(member.token.clone()),
            received: member.received.clone(),
            resolution,
            together: together.clone(),
            made: BTreeMap::new(),
            ending: None,
        });
    let plan = PlanRecord { id: start.plan, is_set: start.is_set, members: members.collect() };
    PlanAnswer { plan, rows: PlanRows::Catalog(catalog), warnings: Vec::new() }
}

//! Start and dry run: read -> render -> check -> plan -> record -> answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Catalog, Effort};
use crate::document::JsonText;
use crate::lifecycle::{Start, StartMember, StartRefusal, Started, check_owners, resolutions};
use crate::model::{
    ArtifactSpec, Attempt, Code, KeptKey, PlanId, PlanRecord, ReceivedRow, ResolvedAttempt, Settings, Warning,
};
use crate::planner::{self, Excess, Identities, Plan, Scrutiny, TooLarge, Unplannable, Verdict};
use crate::reading::{Problem, Problems};
use crate::spec::{Inputs, ReadContext, StartDocument, comparable_received, difference};
use crate::store;

use super::committer::NotRecorded;
use super::error::AppError;
use super::{App, PlanAnswer, PlanRows, Size, new_component, new_deployment, new_plan, new_token};

/// Reads specifications and their inputs, by settings. It may take long where what is read has many bytes.
pub type ReadStart<E> = Box<dyn FnOnce(&Settings) -> Result<StartDocument, E> + Send>;

/// What is to be started.
pub struct StartRequest<E> {
    /// Reads it.
    pub read: ReadStart<E>,
    /// As how many bytes of plain JSON it counts to read it.
    pub bytes: usize,
    /// The idempotency key of the header; the document may have one too.
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
    /// Those of reading, [`AppError::Invalid`], [`AppError::Overloaded`], and [`AppError::OwnedElsewhere`], which is the only refusal
    /// that a dry run heeds.
    pub async fn dry_run<E: From<AppError> + Send + 'static>(&self, request: StartRequest<E>) -> Result<Proposal, E> {
        let StartRequest { read, bytes, .. } = request;
        let (catalog, settings) = self.newest().await?;
        let mut size = Size::of_bytes(bytes);
        let drafted = move || -> Result<_, E> {
            let document = read(&settings)?;
            let specs = render(&document)?;
            check_owners(&catalog, &specs).map_err(AppError::OwnedElsewhere)?;
            Ok(Draft { document, specs, catalog, settings }.propose(size)?)
        };
        let mut proposed = self.pool.run(size, drafted).await??;
        loop {
            match proposed {
                Ok(proposal) => return Ok(proposal),
                Err((draft, greater)) => {
                    size = greater;
                    proposed = self.pool.run(size, move || draft.propose(size)).await??;
                }
            }
        }
    }

    /// Plans and, where the verdict is `yes`, records the attempts and opens them.
    ///
    /// # Errors
    /// Those of reading, and [`AppError`], in the order of refusals: invalid, idempotency, pending, owner, verdict.
    pub async fn start<E: From<AppError> + Send + 'static>(&self, request: StartRequest<E>) -> Result<StartOutcome, E> {
        let StartRequest { read, bytes, key, actor } = request;
        let (catalog, settings) = self.newest().await?;
        let mut size = Size::of_bytes(bytes);
        let read_by = settings.clone();
        let drafted = move || -> Result<_, E> {
            let mut document = read(&read_by)?;
            document.idempotency_key = one_key(key, document.idempotency_key.as_deref())?;
            let specs = render(&document)?;
            let start = opening(&document, specs, read_by, actor);
            Ok(plan_start(start, document, catalog, size))
        };
        let mut planned = self.pool.run(size, drafted).await??;
        loop {
            let (start, document, catalog) = match planned {
                Planned::Yes(start, document, catalog) => (start, document, catalog),
                Planned::Known(plan, document) => return Ok(self.repeat(plan, document, settings).await?),
                Planned::Refused(error) => return Err(error.into()),
                Planned::Larger(start, document, catalog, greater) => {
                    size = greater;
                    planned = self.pool.run(size, move || plan_start(*start, document, catalog, size)).await?;
                    continue;
                }
            };
            let start = Arc::new(start);
            let refusal = match self.committer.commit(start.clone()).await {
                Ok(started) => return Ok(StartOutcome::Started(answer(&start, started, catalog))),
                Err(NotRecorded::Refused(refusal)) => refusal,
                Err(NotRecorded::Unavailable(error)) => return Err(AppError::Unavailable(error).into()),
                Err(NotRecorded::OutcomeUnknown(error)) => {
                    return Err(AppError::OutcomeUnknown { plan: Some(start.plan), error }.into());
                }
                Err(NotRecorded::Fault) => return Err(AppError::fault().into()),
            };
            planned = match refusal {
                StartRefusal::PlanAgain if start.rounds < ROUNDS => {
                    let catalog = self.catalog();
                    let again = move || plan_start(Arc::unwrap_or_clone(start), document, catalog, size);
                    self.pool.run(size, again).await?
                }
                refusal => Planned::of(refusal, document),
            };
        }
    }

    /// What is recorded by now, by whomever, and the settings of that. By these a document is read, and what it asks for is planned
    /// against the same: whatever refuses it must know all that was recorded before it came.
    async fn newest(&self) -> Result<(Arc<Catalog>, Arc<Settings>), AppError> {
        self.catch_up().await?;
        let catalog = self.catalog();
        let settings = Arc::new(Self::settings(&catalog));
        Ok((catalog, settings))
    }

    /// The plan recorded under the key, if it was recorded for the same request.
    async fn repeat(
        &self,
        id: PlanId,
        document: StartDocument,
        settings: Arc<Settings>,
    ) -> Result<StartOutcome, AppError> {
        let missing = move || AppError::not_found(format!("the plan {id}"));
        let (comparable, key) = (document.comparable(), document.idempotency_key.unwrap_or_default());
        let catalog = self.catalog();
        let (mut plan, rows) = self
            .reading(move |store| {
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
        // Whoever has the key is told the token again.
        for member in &mut plan.members {
            member.token = member.kept_token.as_ref().and_then(|kept| kept.open(member.spec.id, &key));
        }
        Ok(StartOutcome::Repeated(PlanAnswer { plan, rows: PlanRows::History(rows), warnings: Vec::new() }))
    }
}

/// What planning a start gave.
enum Planned {
    /// What is to be recorded.
    Yes(Start, StartDocument, Arc<Catalog>),
    /// The key is known, for this plan.
    Known(PlanId, StartDocument),
    Refused(AppError),
    /// It takes more effort than work of this size: plan it as such work.
    Larger(Box<Start>, StartDocument, Arc<Catalog>, Size),
}

impl Planned {
    /// What a refusal says: that it is a repeat, or what is told to the client.
    fn of(refusal: StartRefusal, document: StartDocument) -> Self {
        Self::Refused(match refusal {
            StartRefusal::KeyKnown(plan) => return Self::Known(plan, document),
            StartRefusal::Pending(open) => AppError::Pending(open),
            StartRefusal::OwnedElsewhere(elsewhere) => AppError::OwnedElsewhere(elsewhere),
            StartRefusal::OtherSettings => {
                AppError::Unavailable("the settings were changed meanwhile; send it again".to_owned())
            }
            StartRefusal::PlanAgain => {
                AppError::Unavailable("what runs changed while it was planned; send it again".to_owned())
            }
        })
    }
}

/// Specifications that are to be planned, and not recorded.
struct Draft {
    document: StartDocument,
    specs: Arc<[ArtifactSpec]>,
    catalog: Arc<Catalog>,
    settings: Arc<Settings>,
}

impl Draft {
    /// Plans them as work of this size; gives them back, and a greater size, where that is too much.
    fn propose(self, size: Size) -> Result<Result<Proposal, (Self, Size)>, AppError> {
        let mut plan = match planned(&self.catalog, &self.specs, &self.settings, Identities::Withheld, size) {
            Ok(plan) => plan,
            Err(NoPlan::Larger(greater)) => return Ok(Err((self, greater))),
            Err(NoPlan::Unplannable(why)) => return Err(unplannable(why, &self.document)),
        };
        let Self { document, specs, catalog, .. } = self;
        for (spec, planned) in specs.iter().zip(&mut plan.members) {
            if let Some(open) = catalog.slot(&spec.slot).and_then(|slot| slot.open()) {
                let message = format!(
                    "attempt {} on {} is open ({}); a real start would be refused",
                    open.spec.number, spec.slot, open.spec.id
                );
                planned.warnings.push(Warning::new(Code::DeploymentPending, "", message));
            }
        }
        Ok(Ok(Proposal { specs, plan, is_set: document.form.is_set(), catalog }))
    }
}

/// The key of header and body, which must not differ.
fn one_key(header: Option<String>, body: Option<&str>) -> Result<Option<String>, AppError> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => Err(AppError::Malformed(format!(
            "the header Idempotency-Key is `{header}`, and that of the body `{body}`; send one of them"
        ))),
        (header, body) => Ok(header.or_else(|| body.map(str::to_owned))),
    }
}

/// Renders every member.
fn render(document: &StartDocument) -> Result<Arc<[ArtifactSpec]>, AppError> {
    let specs = document.render().map_err(|problems| AppError::Invalid(Code::InvalidSpecification, problems))?;
    Ok(specs.into())
}

/// How often a start is planned, where what runs changes all the while.
const ROUNDS: u32 = 20;

/// Why there is no plan.
enum NoPlan {
    /// It takes more effort than work of its size.
    Larger(Size),
    Unplannable(Unplannable),
}

/// What the specifications resolve to, with the effort of work of this size.
fn planned(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    identities: Identities<'_>,
    size: Size,
) -> Result<Plan, NoPlan> {
    let effort = Effort::of(size.comparisons(planner::effort(settings)));
    planner::plan(catalog, specs, settings, identities, &effort).map_err(|why| match (&why, size.greater()) {
        (Unplannable::TooLarge(TooLarge { excess: Excess::Effort, .. }), Some(greater)) => NoPlan::Larger(greater),
        _ => NoPlan::Unplannable(why),
    })
}

/// The problems of what cannot be planned, with pointers into the document.
fn unplannable(why: Unplannable, document: &StartDocument) -> AppError {
    match why {
        Unplannable::Invalid(invalid) => {
            let mut problems = Problems::default();
            invalid.into_iter().for_each(|invalid| problems.push(invalid.into()));
            AppError::Invalid(Code::InvalidSpecification, problems)
        }
        Unplannable::TooLarge(too_large) => {
            let pointer = document.pointer_of(too_large.member, too_large.section, too_large.require.as_ref());
            let problem = Problem::new(Code::PlanTooLarge, pointer, too_large.to_string());
            AppError::Invalid(Code::PlanTooLarge, problem.into())
        }
    }
}

/// A start, with every identity that it may need, that is still to be planned.
fn opening(
    document: &StartDocument,
    specs: Arc<[ArtifactSpec]>,
    settings: Arc<Settings>,
    actor: Option<String>,
) -> Start {
    let key = document.idempotency_key.as_deref();
    let provides: usize = specs.iter().map(|spec| spec.provides.len()).sum();
    let members: Vec<_> =
        received(document).into_iter().map(|received| StartMember::of(received, new_token(), key)).collect();
    let is_set = document.form.is_set();
    Start {
        plan: if is_set { new_plan() } else { PlanId(members[0].deployment.0) },
        specs,
        members,
        components: (0..provides).map(|_| new_component()).collect(),
        active_revision: 0,
        is_set,
        key: key.map(KeptKey::of),
        actor,
        settings,
        rounds: 0,
    }
}

/// Checks what stands in the way of a start, in the order of refusals, and plans it as work of this size.
fn plan_start(mut start: Start, document: StartDocument, catalog: Arc<Catalog>, size: Size) -> Planned {
    if let Err(refusal) = start.check_order(&catalog) {
        return Planned::of(refusal, document);
    }
    let deployments: Vec<_> = start.members.iter().map(|member| member.deployment).collect();
    let identities = Identities::Given { deployments: &deployments, components: &start.components };
    let plan = match planned(&catalog, &start.specs, &start.settings, identities, size) {
        Ok(plan) => plan,
        Err(NoPlan::Larger(greater)) => return Planned::Larger(Box::new(start), document, catalog, greater),
        Err(NoPlan::Unplannable(why)) => return Planned::Refused(unplannable(why, &document)),
    };
    if plan.verdict != Verdict::Yes {
        let proposal = Proposal { specs: start.specs, plan, is_set: start.is_set, catalog };
        return Planned::Refused(AppError::NotDeployable(Box::new(proposal)));
    }
    if let Err(violations) = planner::check(&catalog, &start.specs, &start.settings, &plan, Scrutiny::EachMatch) {
        let first = violations.first().map_or_else(String::new, ToString::to_string);
        return Planned::Refused(AppError::internal("a plan did not pass its check", &first));
    }
    start.rounds += 1;
    start.active_revision = plan.active_revision;
    for (member, resolution) in start.members.iter_mut().zip(resolutions(plan, &deployments)) {
        member.resolution = resolution;
    }
    Planned::Yes(start, document, catalog)
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
            kept_token: Some(member.kept_token.clone()),
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

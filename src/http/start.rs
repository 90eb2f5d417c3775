//! `POST /deployments/start`

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::{Answer, respond};
use super::body::{Body, Incoming};
use super::plans;
use super::problem::Refusal;
use super::query::{Query, actor, header as text_header};
use super::{BodyLimit, HttpLimits, State, body};
use crate::app::{AppError, PlanAnswer, ReadStart, StartOutcome, StartRequest};
use crate::document::Syntax;
use crate::model::{Code, TextRule};
use crate::spec::{Inputs, ReadContext, StartDocument, StartForm};
use crate::wire::Leases;

pub(super) async fn start(request: HttpRequest, incoming: Incoming, state: web::Data<State>) -> HttpResponse {
    respond(&request, answer(&request, incoming, &state).await)
}

async fn answer(request: &HttpRequest, incoming: Incoming, state: &State) -> Answer {
    // Collected first, so that a refusal never meets a client that is still sending.
    let received = incoming.collect().await?;
    let syntax = body::required_syntax(request)?;
    let mut query = Query::of(request)?;
    let is_dry_run = query.take_flag("dryRun")?.unwrap_or(false);
    let start = StartRequest {
        bytes: body::weight(syntax, &received),
        key: text_header(request, "Idempotency-Key", TextRule::FilledValue)?,
        actor: actor(request)?,
        read: reading(syntax, received, query, state.limits),
    };
    if is_dry_run {
        return match state.app.dry_run(start).await {
            Ok(proposal) => plans::unrecorded(request, state, proposal).await,
            Err(failure) => Err(refused(state, failure).await),
        };
    }
    match state.app.start(start).await {
        Ok(StartOutcome::Started(plan)) => created(request, state, plan).await,
        Ok(StartOutcome::Repeated(plan)) => plans::recorded(request, state, StatusCode::OK, plan, Leases::Shown).await,
        Err(failure) => Err(refused(state, failure).await),
    }
}

async fn refused(state: &State, failure: Failure) -> Refusal {
    match failure {
        Failure::Refused(refusal) => refusal,
        Failure::App(error) => plans::refused(state, error).await,
    }
}

/// Why nothing was started.
enum Failure {
    /// It cannot be read.
    Refused(Refusal),
    App(AppError),
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Reads what was posted. The tree of it goes before anything is waited for: what many waiting requests hold, no cache does.
fn reading(syntax: Syntax, received: Body, query: Query, limits: HttpLimits) -> ReadStart<Failure> {
    Box::new(move |settings| {
        let tree = body::parse(syntax, &received, Code::InvalidSpecification, settings.max_depth as usize)?;
        let form = StartForm::of(&tree.root);
        if !form.is_set() && received.len() > limits.body_bytes {
            return Err(body::too_large(BodyLimit::Document, &limits).into());
        }
        drop(received);
        let inputs = inputs(form, query)?;
        StartDocument::read(&tree, &inputs, ReadContext { settings })
            .map_err(|problems| Refusal::from(AppError::Invalid(Code::InvalidSpecification, problems)).into())
    })
}

/// The inputs of the query, which only a bare body may have.
fn inputs(form: StartForm, query: Query) -> Result<Inputs, Refusal> {
    let inputs = query.into_inputs()?;
    if let (false, Some((name, _))) = (form.is_bare(), inputs.first()) {
        let detail =
            format!("the parameter `{name}` stands beside a body that has `input` of its own; put it in there");
        return Err(Refusal::new(Code::InvalidQuery, detail));
    }
    let pairs = inputs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Inputs::from_pairs(pairs).map_err(|message| Refusal::new(Code::InvalidQuery, message))
}

async fn created(request: &HttpRequest, state: &State, plan: PlanAnswer) -> Answer {
    let location = format!("/deployments/{}", plan.plan.id);
    let mut response = plans::recorded(request, state, StatusCode::CREATED, plan, Leases::Shown).await?;
    if let Ok(location) = header::HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

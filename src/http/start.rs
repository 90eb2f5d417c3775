//! `POST /deployments/start`

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::{Answer, respond};
use super::body::Incoming;
use super::plans;
use super::problem::Refusal;
use super::query::{Query, actor, header as text_header};
use super::{State, body};
use crate::app::{AppError, PlanAnswer, StartOutcome, StartRequest};
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
    let actor = actor(request)?;
    let key = text_header(request, "Idempotency-Key", TextRule::FilledValue)?;
    let size = received.len();
    let (document, catalog) = {
        // The tree goes before anything is waited for: what many waiting requests hold, no cache does.
        let tree = body::read(state, syntax, received, Code::InvalidSpecification).await?;
        let form = StartForm::of(&tree.root);
        if !form.is_set() && size > state.limits.body_bytes {
            return Err(body::too_large(state.limits.body_bytes));
        }
        let inputs = inputs(form, query)?;
        // Its settings say how the document is read, and it is planned against the same: whatever refuses it must know all that
        // was recorded before it came.
        state.app.catch_up().await?;
        let catalog = state.app.catalog();
        let settings = catalog.settings().cloned().unwrap_or_default();
        let read = move || StartDocument::read(&tree, &inputs, ReadContext { settings: &settings });
        let read = if size < body::LARGE_BYTES { read() } else { body::blocking(read).await? };
        let document = read.map_err(|problems| AppError::Invalid(Code::InvalidSpecification, problems))?;
        (document, catalog)
    };
    let key = match (key, document.idempotency_key.clone()) {
        (Some(header), Some(body)) if header != body => {
            let detail =
                format!("the header Idempotency-Key is `{header}`, and that of the body `{body}`; send one of them");
            return Err(Refusal::new(Code::Malformed, detail));
        }
        (header, body) => header.or(body),
    };
    let start = StartRequest { document, catalog, key, actor };
    if is_dry_run {
        return plans::unrecorded(request, state.app.dry_run(start).await?).await;
    }
    match state.app.start(start).await {
        Ok(StartOutcome::Started(plan)) => created(request, plan).await,
        Ok(StartOutcome::Repeated(plan)) => plans::recorded(request, StatusCode::OK, plan, Leases::Shown).await,
        Err(error) => Err(plans::refused(error).await),
    }
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

async fn created(request: &HttpRequest, plan: PlanAnswer) -> Answer {
    let location = format!("/deployments/{}", plan.plan.id);
    let mut response = plans::recorded(request, StatusCode::CREATED, plan, Leases::Shown).await?;
    if let Ok(location) = header::HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

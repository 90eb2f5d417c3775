//! Plans on their way to the client: encoded here, or, where that may take long, in the pool.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::State;
use super::format::Format;
use super::problem::Refusal;
use crate::app::{AppError, PlanAnswer, Proposal, Size};
use crate::model::{Code, ComponentId, Origin, ResolvedSpec};
use crate::wire::{Leases, MatchedRows, PlanView};

/// A recorded plan.
pub(super) async fn recorded(
    request: &HttpRequest,
    state: &State,
    status: StatusCode,
    answer: PlanAnswer,
    leases: Leases,
) -> Result<HttpResponse, Refusal> {
    let members = answer.plan.members.iter().map(|member| {
        let moved = member.ending.iter().flat_map(|ending| &ending.moved);
        let moved = moved.flat_map(|moved| {
            let was = moved.was.map(|was| matched(&answer.rows, Some(moved.component), was.origin));
            was.into_iter().chain(moved.now.map(|now| MATCH_BYTES + answer.rows.bytes(moved.component, now)))
        });
        resolved(&answer.rows, &member.resolution.spec) + moved.sum::<usize>()
    });
    let bytes = members.sum();
    let view = move || PlanView::recorded(&answer.plan, &answer.rows, leases, &answer.warnings);
    encoded(request, state, status, bytes, view).await
}

/// A plan that is not recorded.
pub(super) async fn unrecorded(
    request: &HttpRequest,
    state: &State,
    proposal: Proposal,
) -> Result<HttpResponse, Refusal> {
    let bytes = bytes(&proposal);
    check_room(state, bytes)?;
    encoded(request, state, StatusCode::OK, bytes, move || view(&proposal)).await
}

/// Refuses a large answer about what is not recorded, where many wait for their clients already.
fn check_room(state: &State, bytes: usize) -> Result<(), Refusal> {
    if Size::of_bytes(bytes) > Size::Small { state.held.check() } else { Ok(()) }
}

/// What a start is refused with.
pub(super) async fn refused(state: &State, error: AppError) -> Refusal {
    let AppError::NotDeployable(proposal) = error else { return error.into() };
    if let Err(full) = check_room(state, bytes(&proposal)) {
        return full;
    }
    let size = Size::of_bytes(bytes(&proposal));
    state.app.pool().finish(size, move || Refusal::not_deployable(&proposal)).await.unwrap_or_else(Refusal::from)
}

/// A plan that is not recorded, as it is shown.
pub(super) fn view(proposal: &Proposal) -> serde_json::Result<PlanView> {
    PlanView::unrecorded(&proposal.specs, &proposal.plan, proposal.is_set, proposal.catalog.as_ref())
}

/// About how many bytes a match has besides its attributes.
const MATCH_BYTES: usize = 512;

fn bytes(proposal: &Proposal) -> usize {
    let catalog = proposal.catalog.as_ref();
    proposal.plan.members.iter().map(|member| resolved(catalog, member)).sum()
}

/// About how many bytes a member of a plan has, with all attributes of its matches: those that are not asked for are read too.
fn resolved(rows: &impl MatchedRows, spec: &ResolvedSpec) -> usize {
    let provided = spec.provides.iter().map(|provide| MATCH_BYTES + provide.attributes.as_str().len());
    let matches = spec.requires.iter().flat_map(|require| &require.matches);
    let matches = matches.map(|found| matched(rows, found.component, found.origin));
    let warnings = spec.warnings.iter().map(|warning| warning.message.len()).sum::<usize>();
    warnings + MATCH_BYTES * (1 + spec.requires.len()) + provided.sum::<usize>() + matches.sum::<usize>()
}

fn matched(rows: &impl MatchedRows, component: Option<ComponentId>, origin: Origin) -> usize {
    match (component, origin) {
        (Some(component), Origin::Catalog { revision }) => MATCH_BYTES + rows.bytes(component, revision),
        _ => MATCH_BYTES,
    }
}

async fn encoded(
    request: &HttpRequest,
    state: &State,
    status: StatusCode,
    bytes: usize,
    view: impl FnOnce() -> serde_json::Result<PlanView> + Send + 'static,
) -> Result<HttpResponse, Refusal> {
    let format = Format::accepted(request);
    let encode = move || view().map(|view| format.encode(&view));
    let size = Size::of_bytes(bytes);
    // What was recorded is answered all the same.
    if size > Size::Small && *request.method() == Method::GET {
        state.held.check()?;
    }
    let text = state.app.pool().finish(size, encode).await?;
    Ok(format.respond_encoded(status, text.map_err(unreadable)?))
}

/// What is said of a plan whose parts are not all there.
pub(super) fn unreadable(error: serde_json::Error) -> Refusal {
    Refusal::new(Code::Unavailable, format!("the store is damaged: {error}"))
}

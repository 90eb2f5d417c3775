//! Plans on their way to the client: encoded here, or, where that may take long, on a thread that may block.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::format::Format;
use super::problem::Refusal;
use crate::app::{AppError, PlanAnswer, Proposal};
use crate::model::{Code, ComponentId, Origin, ResolvedSpec};
use crate::wire::{Leases, MatchedRows, PlanView};

/// How many members and matches of a plan are encoded on the thread that serves, at most; each [`BYTES`] of their attributes count
/// as one more.
const SMALL: usize = 256;
const BYTES: usize = 1024;

/// A recorded plan.
pub(super) async fn recorded(
    request: &HttpRequest,
    status: StatusCode,
    answer: PlanAnswer,
    leases: Leases,
) -> Result<HttpResponse, Refusal> {
    let members = answer.plan.members.iter().map(|member| {
        let moved = member.ending.iter().flat_map(|ending| &ending.moved);
        let moved = moved.flat_map(|moved| {
            let was = moved.was.map(|was| matched(&answer.rows, Some(moved.component), was.origin));
            was.into_iter().chain(moved.now.map(|now| 1 + answer.rows.bytes(moved.component, now) / BYTES))
        });
        resolved(&answer.rows, &member.resolution.spec) + moved.sum::<usize>()
    });
    let size = members.sum();
    encoded(request, status, size, move || PlanView::recorded(&answer.plan, &answer.rows, leases, &answer.warnings))
        .await
}

/// A plan that is not recorded.
pub(super) async fn unrecorded(request: &HttpRequest, proposal: Proposal) -> Result<HttpResponse, Refusal> {
    encoded(request, StatusCode::OK, size(&proposal), move || view(&proposal)).await
}

/// What a start is refused with.
pub(super) async fn refused(error: AppError) -> Refusal {
    let AppError::NotDeployable(proposal) = error else { return error.into() };
    if size(&proposal) <= SMALL {
        return Refusal::not_deployable(&proposal);
    }
    let refusal = web::block(move || Refusal::not_deployable(&proposal)).await;
    refusal.unwrap_or_else(|_| Refusal::new(Code::Internal, "a task failed"))
}

/// A plan that is not recorded, as it is shown.
pub(super) fn view(proposal: &Proposal) -> serde_json::Result<PlanView> {
    PlanView::unrecorded(&proposal.specs, &proposal.plan, proposal.is_set, proposal.catalog.as_ref())
}

fn size(proposal: &Proposal) -> usize {
    let catalog = proposal.catalog.as_ref();
    proposal.specs.len() + proposal.plan.members.iter().map(|member| resolved(catalog, member)).sum::<usize>()
}

/// How much a member of a plan is to encode.
fn resolved(rows: &impl MatchedRows, spec: &ResolvedSpec) -> usize {
    let provided = spec.provides.iter().map(|provide| provide.attributes.as_str().len() / BYTES);
    let matches = spec.requires.iter().flat_map(|require| &require.matches);
    1 + provided.sum::<usize>() + matches.map(|found| matched(rows, found.component, found.origin)).sum::<usize>()
}

/// How much a match is.
fn matched(rows: &impl MatchedRows, component: Option<ComponentId>, origin: Origin) -> usize {
    match (component, origin) {
        (Some(component), Origin::Catalog { revision }) => 1 + rows.bytes(component, revision) / BYTES,
        _ => 1,
    }
}

async fn encoded(
    request: &HttpRequest,
    status: StatusCode,
    size: usize,
    view: impl FnOnce() -> serde_json::Result<PlanView> + Send + 'static,
) -> Result<HttpResponse, Refusal> {
    let format = Format::accepted(request);
    let encode = move || view().map(|view| format.encode(&view));
    let text = if size <= SMALL {
        encode()
    } else {
        web::block(encode).await.map_err(|_| Refusal::new(Code::Internal, "a task failed"))?
    };
    Ok(format.respond_encoded(status, text.map_err(unreadable)?))
}

/// What is said of a plan whose parts are not all there.
pub(super) fn unreadable(error: serde_json::Error) -> Refusal {
    Refusal::new(Code::Unavailable, format!("the store is damaged: {error}"))
}

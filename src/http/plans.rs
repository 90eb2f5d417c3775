//! Plans on their way to the client: encoded here, or, where that may take long, on a thread that may block.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::format::Format;
use super::problem::Refusal;
use crate::app::{AppError, PlanAnswer, Proposal};
use crate::model::Code;
use crate::wire::{Leases, PlanView};

/// How many members and matches of a plan are encoded on the thread that serves, at most.
const SMALL: usize = 256;

/// A recorded plan.
pub(super) async fn recorded(
    request: &HttpRequest,
    status: StatusCode,
    answer: PlanAnswer,
    leases: Leases,
) -> Result<HttpResponse, Refusal> {
    let matches = answer.plan.members.iter().flat_map(|member| member.resolution.spec.requires.iter());
    let size = answer.plan.members.len() + matches.map(|require| require.matches.len()).sum::<usize>();
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
    let matches = proposal.plan.members.iter().flat_map(|member| member.requires.iter());
    proposal.specs.len() + matches.map(|require| require.matches.len()).sum::<usize>()
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

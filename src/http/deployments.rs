//! `GET /deployments`, `/deployments/{id}`, `/deployments/{id}/specification`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::State;
use super::answer::{Answer, ok_encoded, page, respond};
use super::plans;
use super::query::{Query, id};
use crate::model::{Condition, Outcome, State as DeploymentState};
use crate::store::DeploymentFilter;
use crate::wire::{AttemptView, Leases, ReceivedView};

const PARAMETERS: [&str; 14] = [
    "system",
    "artifact",
    "environment",
    "instance",
    "state",
    "condition",
    "targetState",
    "outcome",
    "actor",
    "from",
    "to",
    "limit",
    "cursor",
    "consistency",
];

pub(super) async fn list(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, list_answer(&request, &state).await)
}

async fn list_answer(request: &HttpRequest, state: &State) -> Answer {
    let mut query = Query::of(request)?;
    let states = DeploymentState::ALL.map(|state| (state.as_str(), state));
    let filter = DeploymentFilter {
        system: query.take("system"),
        artifact: query.take("artifact"),
        environment: query.take("environment"),
        instance: query.take("instance"),
        state: query.take_choice("state", &states)?,
        target_state: query.take_choice("targetState", &states)?,
        condition: query.take_choice("condition", &Condition::ALL.map(|condition| (condition.as_str(), condition)))?,
        outcome: query.take_choice("outcome", &Outcome::ALL.map(|outcome| (outcome.as_str(), outcome)))?,
        actor: query.take("actor"),
        from: query.take_parsed("from", "a time, such as 2026-11-21T09:30:00Z")?,
        to: query.take_parsed("to", "a time, such as 2026-11-21T09:30:00Z")?,
    };
    let limit = query.take_limit()?;
    let before = query.take_parsed("cursor", "the `next` of the answer before")?;
    query.finish_reading(&PARAMETERS, &state.app).await?;
    page(request, state.app.deployments(filter, limit, before).await?, AttemptView::from).await
}

pub(super) async fn get(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, get_answer(&request, &state).await)
}

async fn get_answer(request: &HttpRequest, state: &State) -> Answer {
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    plans::recorded(request, state, StatusCode::OK, state.app.plan(id(request)?).await?, Leases::Hidden).await
}

pub(super) async fn specification(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, specification_answer(&request, &state).await)
}

async fn specification_answer(request: &HttpRequest, state: &State) -> Answer {
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    let (rows, is_set) = state.app.received(id(request)?).await?;
    ok_encoded(request, move |format, held| format.encode_held(&ReceivedView::new(&rows, is_set), held)).await
}

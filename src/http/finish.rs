//! `POST /deployments/{id}/finish`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::{Answer, respond};
use super::body::Incoming;
use super::plans;
use super::problem::Refusal;
use super::query::{Query, actor, id};
use super::{State, body};
use crate::app::FinishRequest;
use crate::model::Code;
use crate::reading::Problem;
use crate::wire::{FinishDocument, Leases};

pub(super) async fn finish(request: HttpRequest, incoming: Incoming, state: web::Data<State>) -> HttpResponse {
    respond(&request, answer(&request, incoming, &state).await)
}

async fn answer(request: &HttpRequest, incoming: Incoming, state: &State) -> Answer {
    let received = incoming.collect().await?;
    let id = id(request)?;
    let mut query = Query::of(request)?;
    let asked = query.take_flag("success")?;
    query.finish(&["success"])?;
    let actor = actor(request)?;
    let document = if received.is_empty() {
        FinishDocument::default()
    } else {
        let syntax = body::required_syntax(request)?;
        body::read_plan(state, syntax, received, Code::InvalidFinish, FinishDocument::read).await?
    };
    let success = match (asked, document.success) {
        (Some(query), Some(body)) if query != body => {
            let detail = format!("the query says success={query}, the body {body}; they must be the same");
            return Err(Refusal::new(Code::Malformed, detail));
        }
        (Some(success), _) | (None, Some(success)) => success,
        (None, None) => return Err(missing_success()),
    };
    let plan = state.app.finish(FinishRequest { id, success, document, actor }).await?;
    plans::recorded(request, state, StatusCode::OK, plan, Leases::Hidden).await
}

fn missing_success() -> Refusal {
    let message = "`success` is missing; say whether it succeeded: {\"success\": true}";
    Refusal::of_problems(Code::InvalidFinish, Problem::new(Code::MissingField, "/success", message).into())
}

//! `GET /systems`, `/artifacts`, `/interfaces`, `/environments`, `/servers`, each with `/{name}`

use actix_web::{HttpRequest, HttpResponse, web};

use super::State;
use super::answer::{Answer, ok, page, respond};
use super::query::{Query, segment};
use crate::app::NamedKind;

pub(super) async fn list(request: HttpRequest, state: web::Data<State>, kind: NamedKind) -> HttpResponse {
    respond(&request, list_answer(&request, &state, kind).await)
}

async fn list_answer(request: &HttpRequest, state: &State, kind: NamedKind) -> Answer {
    let mut query = Query::of(request)?;
    let limit = query.take_limit()?;
    let after = query.take("cursor");
    query.finish_reading(&["limit", "cursor", "consistency"], &state.app).await?;
    Ok(page(request, &state.app.named(kind, limit, after).await?))
}

pub(super) async fn get(request: HttpRequest, state: web::Data<State>, kind: NamedKind) -> HttpResponse {
    respond(&request, get_answer(&request, &state, kind).await)
}

async fn get_answer(request: &HttpRequest, state: &State, kind: NamedKind) -> Answer {
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    let name = segment(request, "name")?;
    Ok(ok(request, &state.app.named_one(kind, &name).await?))
}

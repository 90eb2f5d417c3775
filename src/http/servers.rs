//! `PUT`, `DELETE /servers/{name}` and `PUT /environments/{name}`

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::answer::{Answer, ok, respond, views};
use super::body::Incoming;
use super::format::Format;
use super::names::detail;
use super::problem::Refusal;
use super::query::{Query, actor, segment};
use super::{State, body};
use crate::app::NamedKind;
use crate::document::Document;
use crate::model::{Code, Name};
use crate::wire::{CouplingView, read_environment, read_server};

pub(super) async fn put(request: HttpRequest, incoming: Incoming, state: web::Data<State>) -> HttpResponse {
    respond(&request, put_answer(&request, incoming, &state).await)
}

async fn put_answer(request: &HttpRequest, incoming: Incoming, state: &State) -> Answer {
    let received = incoming.collect().await?;
    Query::without(request)?;
    let (syntax, name) = (body::required_syntax(request)?, name(request, Code::InvalidServer)?);
    let named = name.clone();
    let read = move |document: &Document| read_server(named, document);
    let declaration = body::read(state, syntax, received, Code::InvalidServer, read).await?;
    let is_new = state.app.put_server(declaration, actor(request)?).await?.is_new;
    let server = state.app.declared_server(name.as_str())?;
    Ok(Format::accepted(request).respond(status(is_new), &detail(server)))
}

pub(super) async fn delete(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, delete_answer(&request, &state).await)
}

async fn delete_answer(request: &HttpRequest, state: &State) -> Answer {
    #[derive(Serialize)]
    struct Deleted {
        name: Name,
        broken: Vec<CouplingView>,
    }
    Query::without(request)?;
    // One that was declared under a name which is refused now can still be withdrawn.
    let name = Name::recorded(segment(request, "name")?)
        .map_err(|error| Refusal::new(Code::NotFound, format!("the name in the path is none: {error}")))?;
    let broken = state.app.delete_server(name.clone(), actor(request)?).await?;
    Ok(ok(request, &Deleted { name, broken: views(broken, CouplingView::from) }))
}

pub(super) async fn put_environment(request: HttpRequest, incoming: Incoming, state: web::Data<State>) -> HttpResponse {
    respond(&request, put_environment_answer(&request, incoming, &state).await)
}

async fn put_environment_answer(request: &HttpRequest, incoming: Incoming, state: &State) -> Answer {
    let received = incoming.collect().await?;
    Query::without(request)?;
    let (syntax, name) = (body::required_syntax(request)?, name(request, Code::InvalidEnvironment)?);
    let policy = body::read(state, syntax, received, Code::InvalidEnvironment, read_environment).await?;
    let is_new = state.app.put_environment(name.clone(), policy, actor(request)?).await?;
    let environment = state.app.named_one(NamedKind::Environment, name.as_str()).await?;
    Ok(Format::accepted(request).respond(status(is_new), &detail(environment)))
}

fn status(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}

fn name(request: &HttpRequest, code: Code) -> Result<Name, Refusal> {
    let written = segment(request, "name")?;
    Name::new(written.as_str())
        .map_err(|error| Refusal::new(code, format!("the name in the path is not allowed: {error}")))
}

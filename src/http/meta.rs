//! `GET /healthz`, `/readyz`, `/problems/{code}`, `/schema/artifact-spec`

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::State;
use super::answer::{Answer, ok, respond};
use super::problem::Refusal;
use super::query::{Query, segment};
use crate::app::AppError;
use crate::model::Code;
use crate::reading::hint;

/// The JSON Schema of the artifact specification.
const SCHEMA: &str = include_str!("../../schema/artifact-spec.schema.json");

#[derive(Serialize)]
struct Status<'a> {
    status: &'a str,
    /// What whoever runs the store should mend about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The process runs.
pub(super) async fn healthz(request: HttpRequest) -> HttpResponse {
    respond(&request, Query::without(&request).map(|()| ok(&request, &Status { status: "ok", warnings: Vec::new() })))
}

/// Requests can be recorded.
pub(super) async fn readyz(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, readyz_answer(&request, &state))
}

fn readyz_answer(request: &HttpRequest, state: &State) -> Answer {
    Query::without(request)?;
    match state.app.readiness() {
        Ok(()) => Ok(ok(request, &Status { status: "ready", warnings: state.app.warnings() })),
        Err(why) => Err(AppError::Unavailable(why).into()),
    }
}

pub(super) async fn problem(request: HttpRequest) -> HttpResponse {
    respond(&request, problem_answer(&request))
}

fn problem_answer(request: &HttpRequest) -> Answer {
    #[derive(Serialize)]
    struct Explained {
        code: Code,
        title: &'static str,
        meaning: &'static str,
        remedy: &'static str,
    }
    Query::without(request)?;
    let written = segment(request, "code")?;
    let Some(code) = Code::from_text(&written) else {
        let hint = hint(&written, Code::ALL.iter().map(|code| code.as_str()));
        return Err(Refusal::new(Code::NotFound, format!("`{written}` is no code{hint}")));
    };
    Ok(ok(request, &Explained { code, title: code.title(), meaning: code.meaning(), remedy: code.remedy() }))
}

/// The JSON Schema of the artifact specification, as it stands in the repository.
pub(super) async fn schema(request: HttpRequest) -> HttpResponse {
    let schema = |()| HttpResponse::Ok().content_type("application/schema+json").body(SCHEMA);
    respond(&request, Query::without(&request).map(schema))
}

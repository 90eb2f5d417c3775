//! What handlers answer.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::format::Format;
use super::problem::Refusal;
use crate::app::Listed;
use crate::document::JsonText;

/// What a handler answers.
pub(super) type Answer = Result<HttpResponse, Refusal>;

/// 200 with `body`.
pub(super) fn ok(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    Format::accepted(request).respond(StatusCode::OK, body)
}

/// 200 with a page of a list.
pub(super) fn page(request: &HttpRequest, listed: &Listed) -> HttpResponse {
    #[derive(Serialize)]
    struct Page<'a> {
        items: &'a [JsonText],
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<&'a str>,
    }
    ok(request, &Page { items: &listed.items, next: listed.next.as_deref() })
}

/// The answer, or the problem that stands for it.
pub(super) fn respond(request: &HttpRequest, answer: Answer) -> HttpResponse {
    answer.unwrap_or_else(|refusal| refusal.respond(request))
}

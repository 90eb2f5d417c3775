//! What handlers answer.

use std::fmt::Display;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::format::Format;
use super::problem::Refusal;
use crate::app::Listed;
use crate::model::Code;

/// What a handler answers.
pub(super) type Answer = Result<HttpResponse, Refusal>;

/// 200 with `body`.
pub(super) fn ok(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    Format::accepted(request).respond(StatusCode::OK, body)
}

/// 200 with the view of a value that may be large: it is made and encoded on a thread that may block.
pub(super) async fn ok_large<T: Send + 'static, V: Serialize>(
    request: &HttpRequest,
    value: T,
    view: impl FnOnce(T) -> V + Send + 'static,
) -> Answer {
    let format = Format::accepted(request);
    let encoded = web::block(move || format.encode(&view(value))).await;
    let encoded = encoded.map_err(|_| Refusal::new(Code::Internal, "a task failed"))?;
    Ok(format.respond_encoded(StatusCode::OK, encoded))
}

/// 200 with a page of a list, each item in its view.
pub(super) async fn page<T: Send + 'static, P: Display + Send + 'static, V: Serialize>(
    request: &HttpRequest,
    listed: Listed<T, P>,
    view: impl Fn(T) -> V + Send + 'static,
) -> Answer {
    #[derive(Serialize)]
    struct Page<V> {
        items: Vec<V>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    }
    let page = move |Listed { items, next }: Listed<T, P>| Page {
        items: views(items, view),
        next: next.map(|place| place.to_string()),
    };
    ok_large(request, listed, page).await
}

/// The views of several values.
pub(super) fn views<T, V>(values: Vec<T>, view: impl Fn(T) -> V) -> Vec<V> {
    values.into_iter().map(view).collect()
}

/// The answer, or the problem that stands for it.
pub(super) fn respond(request: &HttpRequest, answer: Answer) -> HttpResponse {
    answer.unwrap_or_else(|refusal| refusal.respond(request))
}

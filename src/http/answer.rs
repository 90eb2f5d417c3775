//! What handlers answer.

use std::fmt::Display;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::State;
use super::format::Format;
use super::held::{Held, HeldBytes, Pieces};
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
    ok_encoded(request, move |format, held| format.encode_held(&view(value), held)).await
}

/// 200 with what `encode` makes on a thread that may block.
pub(super) async fn ok_encoded(
    request: &HttpRequest,
    encode: impl FnOnce(Format, &Arc<HeldBytes>) -> Result<(Pieces, Held), Refusal> + Send + 'static,
) -> Answer {
    let (format, room) = (Format::accepted(request), State::of(request).held.clone());
    let encoded = web::block(move || encode(format, &room)).await;
    let (pieces, held) = encoded.map_err(|_| Refusal::new(Code::Internal, "a task failed"))??;
    let mut response = format.respond_pieces(StatusCode::OK, pieces);
    // Held until the body was taken, see [`super::serving`].
    response.extensions_mut().insert(held);
    Ok(response)
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

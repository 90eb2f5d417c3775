//! Bodies: collected within their bounds, and read as JSON or YAML.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;

use super::held::{Held, HeldBytes};
use super::problem::Refusal;
use super::routes::{BodyLimit, route_at, route_of};
use super::{HttpLimits, State};
use crate::app::{App, Size};
use crate::document::{Document, Limits, Syntax};
use crate::model::Code;
use crate::reading::{Problem, Problems};

/// How many levels deeper than where they were posted the attributes of a plan stand.
const PLAN_DEPTH: usize = 16;
/// As how many bytes a filter counts.
const FILTER_BYTES: usize = 2 * 1024;
/// As how many bytes one of YAML counts, and one of YAML that has aliases.
const YAML: usize = 4;
const ALIASED: usize = 256;
/// How much of a body that is refused is still taken in, so that the client can read why before the connection closes.
const DRAINED_BYTES: usize = 256 << 20;

/// A body that is still to be taken in, and how much of it the route allows.
pub(super) struct Incoming {
    payload: Payload,
    limit: BodyLimit,
    limits: HttpLimits,
    room: Arc<HeldBytes>,
}

/// A body that was taken in. Its bytes count as long as it is held.
pub(super) struct Body {
    bytes: Vec<u8>,
    _held: Held,
}

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl FromRequest for Incoming {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let state = State::of(request);
        let limit = route_of(request).map_or(BodyLimit::None, |route| route.body);
        ready(Ok(Self { payload: payload.take(), limit, limits: state.limits, room: state.received.clone() }))
    }
}

impl Incoming {
    /// Collects the body, as far as the route allows.
    ///
    /// # Errors
    /// 413 beyond the limit, 408 where it takes too long, 400 where the connection breaks off, 503 where there is no room for it.
    pub async fn collect(self) -> Result<Body, Refusal> {
        let collected =
            tokio::time::timeout(self.limits.body_timeout, take(self.payload, self.limit, &self.limits, &self.room))
                .await;
        collected.unwrap_or_else(|_| {
            let detail = format!("the body did not arrive within {} seconds", self.limits.body_timeout.as_secs());
            Err(Refusal::new(Code::RequestTimeout, detail))
        })
    }

    /// Takes in the body of a request that is refused whatever it says, so that the client can read why.
    pub async fn drain(self) {
        // Neither its size nor how it ends matters.
        drop(self.collect().await);
    }
}

async fn take(
    mut payload: Payload,
    body_limit: BodyLimit,
    limits: &HttpLimits,
    room: &Arc<HeldBytes>,
) -> Result<Body, Refusal> {
    let limit = body_limit.bytes(limits);
    let mut body = Vec::new();
    let mut held = room.count(0);
    let mut taken = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Refusal::new(Code::Malformed, format!("the body breaks off: {error}")))?;
        taken = taken.saturating_add(chunk.len());
        if taken <= limit {
            if !held.grow(chunk.len()) {
                return Err(Refusal::retried(
                    Code::Overloaded,
                    "bodies of other requests that are received, or wait to be read, have the most bytes that may be held; ask again, or raise --max-held-bytes",
                ));
            }
            body.extend_from_slice(&chunk);
        } else if taken > DRAINED_BYTES {
            break;
        }
    }
    if taken > limit { Err(too_large(body_limit, limits)) } else { Ok(Body { bytes: body, _held: held }) }
}

/// Looks at a request that asks whether to send its body: one that is announced too large need not be sent.
///
/// # Errors
/// 413 beyond the limit of its route.
pub(super) fn check_announced(head: &RequestHead, limits: &HttpLimits) -> Result<(), Refusal> {
    let length = head.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let route = route_at(&head.method, head.uri.path()).filter(|route| route.body != BodyLimit::None);
    match (length, route) {
        (Some(length), Some(route)) if route.body.bytes(limits) < length => Err(too_large(route.body, limits)),
        _ => Ok(()),
    }
}

/// 413.
pub(super) fn too_large(body: BodyLimit, limits: &HttpLimits) -> Refusal {
    let (limit, flag) = (body.bytes(limits), body.flag());
    let detail = format!("the body is larger than the {limit} bytes that are allowed here ({flag})");
    Refusal::new(Code::PayloadTooLarge, detail)
}

/// The notation that `Content-Type` names; `None` where there is no such header.
///
/// # Errors
/// 415 for anything but JSON and YAML, and for compressed bodies.
pub(super) fn syntax(request: &HttpRequest) -> Result<Option<Syntax>, Refusal> {
    let unsupported = |detail: String| Err(Refusal::new(Code::UnsupportedMediaType, detail));
    if let Some(encoding) = request.headers().get(header::CONTENT_ENCODING).filter(|value| *value != "identity") {
        return unsupported(format!("the body has the encoding {encoding:?}; send it as it is"));
    }
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(None) };
    let written = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    match written.split(';').next().unwrap_or_default().trim() {
        "application/json" => Ok(Some(Syntax::Json)),
        "application/yaml" | "text/yaml" | "application/x-yaml" => Ok(Some(Syntax::Yaml)),
        other => unsupported(format!("`{other}` is not read here; send application/json or application/yaml")),
    }
}

/// The notation of a body that has to be there.
///
/// # Errors
/// 415 where there is no `Content-Type`, or another one.
pub(super) fn required_syntax(request: &HttpRequest) -> Result<Syntax, Refusal> {
    let missing = || {
        Refusal::new(Code::UnsupportedMediaType, "there is no Content-Type; send application/json or application/yaml")
    };
    syntax(request)?.ok_or_else(missing)
}

/// Reads a body as a document, and that as what `read` makes of it. `code` is that of a document which can be read but not used.
///
/// # Errors
/// 400 where it is no JSON or YAML; the problem of `code` where it passes a bound, or `read` finds problems.
pub(super) async fn read<T: Send + 'static>(
    state: &State,
    syntax: Syntax,
    body: Body,
    code: Code,
    read: impl FnOnce(&Document) -> Result<T, Problems> + Send + 'static,
) -> Result<T, Refusal> {
    read_to_depth(state, syntax, body, code, max_depth(state), read).await
}

/// Reads a body that may be a plan as it was given: a few levels down it holds attributes that were as deep as allowed when
/// they were posted.
///
/// # Errors
/// As [`read`].
pub(super) async fn read_plan<T: Send + 'static>(
    state: &State,
    syntax: Syntax,
    body: Body,
    code: Code,
    read: impl FnOnce(&Document) -> Result<T, Problems> + Send + 'static,
) -> Result<T, Refusal> {
    read_to_depth(state, syntax, body, code, max_depth(state) + PLAN_DEPTH, read).await
}

fn max_depth(state: &State) -> usize {
    App::settings(&state.app.catalog()).max_depth as usize
}

async fn read_to_depth<T: Send + 'static>(
    state: &State,
    syntax: Syntax,
    body: Body,
    code: Code,
    depth: usize,
    read: impl FnOnce(&Document) -> Result<T, Problems> + Send + 'static,
) -> Result<T, Refusal> {
    let size = Size::of_bytes(weight(syntax, &body));
    let work = move || {
        let document = parse(syntax, &body, code, depth)?;
        drop(body);
        read(&document).map_err(|problems| Refusal::of_problems(code, problems))
    };
    state.app.pool().run(size, work).await?
}

/// As how many bytes of plain JSON a body counts to read it, and to put inputs into its templates. A few bytes of YAML may stand
/// for many by its aliases, and a filter may be handed a text of any length.
pub(super) fn weight(syntax: Syntax, body: &[u8]) -> usize {
    let count = |of: &[u8]| body.iter().filter(|byte| of.contains(byte)).count();
    let filters = count(b"|?") * FILTER_BYTES;
    match syntax {
        Syntax::Json => body.len() + filters,
        Syntax::Yaml if count(b"&") > 0 && count(b"*") > 0 => body.len() * ALIASED + filters,
        Syntax::Yaml => body.len() * YAML + filters,
    }
}

/// Reads a body as a document, here and now.
///
/// # Errors
/// As [`read`].
pub(super) fn parse(syntax: Syntax, body: &[u8], code: Code, depth: usize) -> Result<Document, Refusal> {
    let limits = Limits { depth, ..Limits::default() };
    Document::read(body, syntax, limits).map_err(|error| match Problem::of_document(&error) {
        None => Refusal::new(Code::Malformed, error.to_string()),
        Some(problem) => Refusal::of_problems(code, problem.into()),
    })
}

//! The notation of answers: JSON, or YAML where the client asks for it.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::http::header::HeaderMap;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::held::{Held, HeldBytes, PIECE_BYTES, Pieces};
use super::problem::Refusal;
use crate::document::{Json, to_yaml};

/// The notation of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

impl Format {
    /// What `Accept` prefers among what is known, the first of equals; JSON where it says nothing of that.
    pub fn accepted(request: &HttpRequest) -> Self {
        Self::of(request.headers())
    }

    /// The same of the headers of a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut preferred = (0.0, Self::Json);
        for part in accept.to_ascii_lowercase().split(',') {
            let mut parameters = part.split(';').map(str::trim);
            let format = match parameters.next().unwrap_or_default() {
                "application/yaml" | "application/x-yaml" | "text/yaml" => Self::Yaml,
                "application/json" | "application/*" | "*/*" | "application/problem+json" => Self::Json,
                _ => continue,
            };
            // RFC 9110 §12.4.2: a weight from 0, which means never, to 1, which it is where none stands.
            let weight = parameters.find_map(|parameter| parameter.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > preferred.0 {
                preferred = (weight, format);
            }
        }
        preferred.1
    }

    /// `body` in this notation.
    pub fn encode(self, body: &impl Serialize) -> String {
        let text = serde_json::to_string(body).expect("every key of an answer is text");
        match self {
            Self::Json => text,
            Self::Yaml => yaml(&text),
        }
    }

    /// The same for what may be large.
    ///
    /// # Errors
    /// Where no room is left for large answers.
    pub fn encode_held(self, body: &impl Serialize, held: &Arc<HeldBytes>) -> Result<(Pieces, Held), Refusal> {
        let mut writer = held.writer();
        match serde_json::to_writer(&mut writer, body) {
            Err(error) if error.is_io() => return Err(held.full()),
            written => written.expect("every key of an answer is text"),
        }
        let (pieces, held) = writer.finish();
        Ok((if self == Self::Json { pieces } else { yaml(&pieces.into_text()).into() }, held))
    }

    /// An answer with `body`.
    pub fn respond(self, status: StatusCode, body: &impl Serialize) -> HttpResponse {
        self.respond_encoded(status, self.encode(body))
    }

    /// An answer with a body that was encoded before.
    pub fn respond_encoded(self, status: StatusCode, body: String) -> HttpResponse {
        // Nearly every answer is small, and is handed over as it is.
        if body.len() <= PIECE_BYTES { self.answer(status, body) } else { self.respond_pieces(status, body.into()) }
    }

    /// An answer with a body in pieces.
    pub fn respond_pieces(self, status: StatusCode, body: Pieces) -> HttpResponse {
        self.answer(status, body)
    }

    fn answer(self, status: StatusCode, body: impl MessageBody + 'static) -> HttpResponse {
        let content_type = match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
        };
        HttpResponse::build(status).content_type(content_type).body(body)
    }

    /// A problem with `body`.
    pub fn respond_problem(self, status: StatusCode, body: &impl Serialize) -> HttpResponse {
        let content_type = match self {
            Self::Json => "application/problem+json",
            Self::Yaml => "application/problem+yaml",
        };
        HttpResponse::build(status).content_type(content_type).body(self.encode(body))
    }
}

fn yaml(json: &str) -> String {
    to_yaml(&Json::parse(json).expect("what was just written as JSON is JSON"))
}

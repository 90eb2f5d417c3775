//! Requests to a server.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::config::Config;
use ureq::http::Response;
use ureq::{Body, BodyReader};

use super::CliError;
use crate::config::Client;
use crate::document::Json;

/// How long a server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(120);

/// An answer of the server.
pub(super) struct Answer {
    pub status: u16,
    pub body: Json,
}

/// Posts `body` to `path`, with `parameters` in the query.
pub(super) fn post(
    client: &Client,
    path: &str,
    parameters: &[(String, String)],
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, CliError> {
    let query = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let query = query.collect::<Vec<_>>().join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build();
    whole(client, send(client, agent, &format!("{path}{separator}{query}"), headers, body)?)
}

/// An answer that comes line by line, or a refusal.
pub(super) enum Streamed {
    Lines(BodyReader<'static>),
    Refused(Answer),
}

/// Posts a JSON `body` to `path`, for an answer that is read while it comes.
pub(super) fn stream(client: &Client, path: &str, body: &[u8]) -> Result<Streamed, CliError> {
    // The server decides how long the whole answer may take.
    let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_connect(Some(TIMEOUT)).build();
    let response = send(client, agent, path, &[("Content-Type", "application/json")], body)?;
    if response.status().as_u16() == 200 {
        return Ok(Streamed::Lines(response.into_body().into_with_config().limit(u64::MAX).reader()));
    }
    Ok(Streamed::Refused(whole(client, response)?))
}

fn send(
    client: &Client,
    agent: Config,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Response<Body>, CliError> {
    let base = address(&client.server)?;
    let agent: ureq::Agent = agent.into();
    let mut request = agent.post(format!("{base}{path}")).header("Accept", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(actor) = &client.actor {
        request = request.header("Mortise-Actor", actor);
    }
    request.send(body).map_err(|error| unreachable(client, error))
}

fn whole(client: &Client, mut response: Response<Body>) -> Result<Answer, CliError> {
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(u64::MAX).read_to_string();
    let text = text.map_err(|error| unreachable(client, error))?;
    let body = Json::parse(&text)
        .map_err(|error| CliError::Strange { server: client.server.clone(), error: error.to_string() })?;
    Ok(Answer { status, body })
}

fn unreachable(client: &Client, error: ureq::Error) -> CliError {
    match error {
        ureq::Error::Http(error) => CliError::Unsendable(error.to_string()),
        error => CliError::Unreachable { server: client.server.clone(), error: error.to_string() },
    }
}

/// A text as it stands in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn address(server: &str) -> Result<String, CliError> {
    let trimmed = server.trim_end_matches('/');
    match trimmed.split_once("://") {
        Some(("http", rest)) if !rest.is_empty() => Ok(trimmed.to_owned()),
        None if !trimmed.is_empty() => Ok(format!("http://{trimmed}")),
        _ => Err(CliError::Address(server.to_owned())),
    }
}

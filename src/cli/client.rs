//! Requests to a server.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
    let base = address(&client.server)?;
    let query = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let query = query.collect::<Vec<_>>().join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build().into();
    let mut request = agent.post(format!("{base}{path}{separator}{query}")).header("Accept", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(actor) = &client.actor {
        request = request.header("Mortise-Actor", actor);
    }
    let unreachable = |error: ureq::Error| match error {
        ureq::Error::Http(error) => CliError::Unsendable(error.to_string()),
        error => CliError::Unreachable { server: client.server.clone(), error: error.to_string() },
    };
    let mut response = request.send(body).map_err(unreachable)?;
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(u64::MAX).read_to_string().map_err(unreachable)?;
    let body = Json::parse(&text)
        .map_err(|error| CliError::Strange { server: client.server.clone(), error: error.to_string() })?;
    Ok(Answer { status, body })
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

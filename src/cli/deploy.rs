//! `mortise start`, `plan` and `finish`

use std::io::Write;

use super::client::{Answer, encoded, post};
use super::source::Source;
use super::{CliError, Exit, escaped, show};
use crate::config::{Client, Finish, Output, Plan, Specification, Start};
use crate::document::{Json, to_yaml};

/// Starts a deployment.
///
/// # Errors
/// [`CliError`] where the file cannot be read or the server not be reached.
pub fn start(command: &Start) -> Result<Exit, CliError> {
    let key = command.idempotency_key.as_deref().map(|key| ("Idempotency-Key", key));
    let answer = send(&command.specification, &command.client, key, Vec::new())?;
    let exit = report(&command.client, &answer)?;
    if answer.status == 200 {
        let what = if exit == Exit::Yes { "is still open" } else { "has ended; use a new key to deploy again" };
        eprintln!("mortise: it was started before under this idempotency key, and {what}");
    }
    Ok(exit)
}

/// Plans a deployment, recording nothing.
///
/// # Errors
/// [`CliError`] where the file cannot be read or the server not be reached.
pub fn plan(command: &Plan) -> Result<Exit, CliError> {
    let answer = send(&command.specification, &command.client, None, vec![("dryRun".to_owned(), "true".to_owned())])?;
    report(&command.client, &answer)
}

/// Reports how a deployment ended.
///
/// # Errors
/// [`CliError`] where the file cannot be read or the server not be reached.
pub fn finish(command: &Finish) -> Result<Exit, CliError> {
    let path = format!("/deployments/{}/finish", encoded(&command.id));
    let answer = match &command.file {
        Some(file) => {
            let source = Source::read(file)?;
            let parameters = [("success".to_owned(), command.success.to_string())];
            post(&command.client, &path, &parameters, &[("Content-Type", source.content_type())], &source.bytes)?
        }
        None => {
            let text = |text: &String| Json::Text(text.clone());
            let mut members = vec![("success".to_owned(), Json::Bool(command.success))];
            members.extend(command.reason.as_ref().map(|reason| ("reason".to_owned(), text(reason))));
            let lease = |token| ("lease".to_owned(), Json::Object(vec![("token".to_owned(), text(token))]));
            members.extend(command.token.as_ref().map(lease));
            let body = Json::Object(members).to_string();
            post(&command.client, &path, &[], &[("Content-Type", "application/json")], body.as_bytes())?
        }
    };
    let exit = report(&command.client, &answer)?;
    // The question was whether the outcome is recorded, and it is.
    Ok(if answer.status == 200 { Exit::Yes } else { exit })
}

fn send(
    specification: &Specification,
    client: &Client,
    header: Option<(&str, &str)>,
    mut parameters: Vec<(String, String)>,
) -> Result<Answer, CliError> {
    let source = Source::read(&specification.file)?;
    let mut headers = vec![("Content-Type", source.content_type())];
    headers.extend(header);
    // With the prefix, no input can be taken for a parameter of the route.
    parameters.extend(specification.inputs.iter().map(|(name, value)| (format!("input.{name}"), value.clone())));
    post(client, "/deployments/start", &parameters, &headers, &source.bytes)
}

fn report(client: &Client, answer: &Answer) -> Result<Exit, CliError> {
    let mut out = std::io::stdout().lock();
    match client.output {
        Output::Json => writeln!(out, "{}", answer.body)?,
        Output::Yaml => write!(out, "{}", to_yaml(&answer.body))?,
        Output::Text => write!(out, "{}", escaped(&show::answer(answer.status, &answer.body)))?,
    }
    Ok(exit(answer))
}

/// The exit code for an answer.
fn exit(answer: &Answer) -> Exit {
    let word = |name: &str| answer.body.get(name).and_then(Json::as_text);
    match (answer.status, word("deployable"), word("code")) {
        (200, Some("yes"), _) if !still_pending(&answer.body) => Exit::No,
        (200 | 201, Some("yes"), _) => Exit::Yes,
        (_, _, Some("undecided")) | (_, Some("unknown"), _) => Exit::Unknown,
        (_, Some("no"), _) => Exit::No,
        (_, _, Some("not-deployable" | "deployment-pending" | "already-finished" | "lease-lost")) => Exit::No,
        _ => Exit::Failed,
    }
}

/// Whether any recorded attempt of the answer is open; true for a dry run, which has none.
fn still_pending(body: &Json) -> bool {
    let pending = |deployment: &Json| deployment.get("condition").and_then(Json::as_text) == Some("Pending");
    match (body.get("deployment"), body.get("deployments")) {
        (Some(deployment), _) => pending(deployment),
        (None, Some(Json::Array(members))) => members.iter().any(pending),
        _ => true,
    }
}

//! Answers as text for people.

use std::fmt::Write as _;

use crate::document::Json;
use crate::planner::Explanation;

/// An answer of the server: a plan, or a problem.
pub(super) fn answer(status: u16, body: &Json) -> String {
    if body.get("code").is_some() { problem(status, body) } else { plan(body) }
}

fn word<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_text).unwrap_or_default()
}

fn elements<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    match json.get(name) {
        Some(Json::Array(elements)) => elements,
        _ => &[],
    }
}

fn members<'a>(json: &'a Json, name: &str) -> &'a [(String, Json)] {
    match json.get(name) {
        Some(Json::Object(members)) => members,
        _ => &[],
    }
}

/// A problem: what, why, and each place.
fn problem(status: u16, body: &Json) -> String {
    let mut text = format!("{} ({}, {status})\n", word(body, "title"), word(body, "code"));
    let problems = elements(body, "problems");
    if problems.is_empty() {
        line(&mut text, word(body, "detail"));
    }
    for problem in problems {
        let place = match (problem.get("line"), problem.get("column")) {
            (Some(line), Some(column)) => format!(" {line}:{column}"),
            _ => String::new(),
        };
        line(
            &mut text,
            &format!("  {}{place}  {} [{}]", word(problem, "pointer"), word(problem, "message"), word(problem, "code")),
        );
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A plan: the verdict, what matched, what to do next.
fn plan(body: &Json) -> String {
    let mut text = String::new();
    let id = word(body, "id");
    match word(body, "deployable") {
        "yes" if id.is_empty() => line(&mut text, "deployable: yes (a dry run; nothing was recorded)"),
        verdict => line(&mut text, &format!("deployable: {verdict}")),
    }
    let single = body.get("artifactSpec").map(|spec| (spec, body.get("deployment")));
    let deployments = elements(body, "deployments");
    let set = elements(body, "artifactSpecs").iter().enumerate().map(|(index, spec)| (spec, deployments.get(index)));
    for (spec, deployment) in single.into_iter().chain(set) {
        specification(&mut text, spec, deployment);
    }
    if let Some(explanation) =
        body.get("explanation").and_then(|json| serde_json::from_str::<Explanation>(&json.to_string()).ok())
    {
        line(&mut text, &explanation.to_string());
    }
    for warning in elements(body, "warnings") {
        line(&mut text, &format!("warning: {} [{}]", word(warning, "message"), word(warning, "code")));
    }
    let pending = |json: &Json| word(json, "condition") == "Pending";
    if body.get("deployment").is_some_and(pending) || deployments.iter().any(pending) {
        line(&mut text, &format!("when it is done: mortise finish {id} --success"));
    }
    text
}

fn specification(text: &mut String, spec: &Json, deployment: Option<&Json>) {
    let instance = word(spec, "instance");
    let instance = if instance.is_empty() { String::new() } else { format!(" (instance {instance})") };
    let what = format!("{} {} in {}{instance}", word(spec, "name"), word(spec, "version"), word(spec, "environment"));
    match deployment {
        None => line(text, &what),
        Some(deployment) => {
            let number = deployment.get("number").map_or_else(String::new, ToString::to_string);
            let outcome = word(deployment, "outcome");
            let state =
                if outcome.is_empty() { word(deployment, "condition").to_lowercase() } else { outcome.to_owned() };
            line(text, &format!("{what}: attempt {number}, {}, {state}", word(deployment, "currentState")));
        }
    }
    for provide in elements(spec, "provides") {
        line(
            text,
            &format!(
                "  provides {} ({}) {}",
                word(provide, "interface"),
                word(provide, "layer"),
                word(provide, "version")
            ),
        );
    }
    for section in ["requires", "deploymentSpec"] {
        for (name, require) in members(spec, section) {
            let matches = elements(require, "matches");
            let interface = word(require, "interface");
            let of = if interface.is_empty() { String::new() } else { format!(" {interface}") };
            line(
                text,
                &format!("  requires {name}:{of}{}", if matches.is_empty() { " (nothing matched)" } else { "" }),
            );
            for found in matches {
                matched(text, found);
            }
        }
    }
}

fn matched(text: &mut String, found: &Json) {
    let name = [word(found, "artifact"), word(found, "server")].concat();
    let version = word(found, "version");
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    write!(text, "    {name}{version} in {}", word(found, "environment")).expect("writing to a String cannot fail");
    for (key, value) in members(found, "attributes") {
        let value = value.as_text().map_or_else(|| value.to_string(), str::to_owned);
        write!(text, "  {key}={value}").expect("writing to a String cannot fail");
    }
    text.push('\n');
}

//! Answers as text for people.

use std::fmt::{Display, Write as _};

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

/// A problem: what it is, why, and each place.
fn problem(status: u16, body: &Json) -> String {
    let mut text = format!("{} ({}, {status})\n", word(body, "title"), word(body, "code"));
    let problems = elements(body, "problems");
    if problems.is_empty() {
        line(&mut text, word(body, "detail"));
    }
    for problem in problems {
        let number = |name: &str| problem.get(name).map(ToString::to_string);
        let place = place(word(problem, "pointer"), number("line").zip(number("column")));
        line(&mut text, format!("  {place}{} [{}]", word(problem, "message"), word(problem, "code")));
    }
    text
}

/// Where something is wrong, as `/provides/0/labels/tier, line 1, column 11: `; empty where it is the whole document. With
/// a pointer, line and column are those of the text that it points at.
pub(super) fn place<N: Display>(pointer: &str, position: Option<(N, N)>) -> String {
    match (pointer, position) {
        ("", None) => String::new(),
        ("", Some((line, column))) => format!("line {line}, column {column}: "),
        (pointer, None) => format!("{pointer}: "),
        (pointer, Some((line, column))) => format!("{pointer}, line {line}, column {column}: "),
    }
}

fn line(text: &mut String, line: impl AsRef<str>) {
    text.push_str(line.as_ref());
    text.push('\n');
}

/// A plan: the verdict, what matched, what has changed since, what to do next.
fn plan(body: &Json) -> String {
    let mut text = String::new();
    let id = word(body, "id");
    let deployments = elements(body, "deployments");
    let is_pending = body.get("deployment").into_iter().chain(deployments).any(|it| word(it, "condition") == "Pending");
    match word(body, "deployable") {
        "yes" if id.is_empty() => line(&mut text, "deployable: yes (a dry run; nothing was recorded)"),
        // Once an attempt has ended, the verdict no longer matters.
        "yes" if !is_pending => {}
        verdict => line(&mut text, format!("deployable: {verdict}")),
    }
    let single = body.get("artifactSpec").map(|spec| (spec, body.get("deployment")));
    let set = elements(body, "artifactSpecs").iter().enumerate().map(|(index, spec)| (spec, deployments.get(index)));
    for (spec, deployment) in single.into_iter().chain(set) {
        specification(&mut text, spec, deployment);
    }
    for ended in std::iter::once(body).chain(deployments) {
        stale(&mut text, ended);
    }
    let explanation = body.get("explanation").map(ToString::to_string);
    if let Some(explanation) = explanation.and_then(|json| serde_json::from_str::<Explanation>(&json).ok()) {
        line(&mut text, explanation.to_string());
    }
    for warning in elements(body, "warnings") {
        line(&mut text, format!("warning: {} [{}]", word(warning, "message"), word(warning, "code")));
    }
    if is_pending {
        line(&mut text, format!("when it is deployed: mortise finish {id} --success"));
        line(&mut text, format!("if that fails:       mortise finish {id} --failure --reason \"…\""));
    }
    text
}

fn specification(text: &mut String, spec: &Json, deployment: Option<&Json>) {
    let instance = spaced(" (instance ", word(spec, "instance"), ")");
    let what = format!("{} {} in {}{instance}", word(spec, "name"), word(spec, "version"), word(spec, "environment"));
    match deployment {
        None => line(text, what),
        Some(deployment) => {
            let number = deployment.get("number").map_or_else(String::new, ToString::to_string);
            line(text, format!("{what}: attempt {number} {}", state(deployment)));
        }
    }
    for provide in elements(spec, "provides") {
        let [interface, layer, version] = ["interface", "layer", "version"].map(|name| word(provide, name));
        line(text, format!("  provides {interface} {version} ({layer})"));
    }
    for (section, verb) in [("requires", "requires"), ("deploymentSpec", "is deployed with")] {
        for (name, require) in members(spec, section) {
            let matches = elements(require, "matches");
            let interface = spaced(" ", word(require, "interface"), "");
            let nothing = if matches.is_empty() { " (nothing matched)" } else { "" };
            line(text, format!("  {verb} {name}:{interface}{nothing}"));
            matches.iter().for_each(|found| matched(text, found));
        }
    }
}

/// `is open`, or how it ended and what became of it.
fn state(deployment: &Json) -> String {
    if word(deployment, "condition") == "Pending" {
        return "is open".to_owned();
    }
    let reason = spaced(" (", word(deployment, "reason"), ")");
    format!("{}{reason}, now {}", word(deployment, "outcome"), word(deployment, "currentState"))
}

/// The matches that were handed to the deploy script, and that had changed when the attempt ended.
fn stale(text: &mut String, ended: &Json) {
    for difference in elements(ended, "stale") {
        let found = difference.get("now").or(difference.get("was"));
        let name = found.map_or_else(|| word(difference, "component").to_owned(), provider);
        let what = match word(difference, "kind") {
            "gone" => "does not match any more",
            "added" => "matches too",
            _ => "has other values",
        };
        line(text, format!("changed since the plan was made: {}: {name} {what}", word(difference, "require")));
    }
}

fn matched(text: &mut String, found: &Json) {
    let version = spaced(" ", word(found, "version"), "");
    let instance = spaced(" (instance ", word(found, "instance"), ")");
    let mut matched = format!("    {}{version} in {}{instance}", provider(found), word(found, "environment"));
    for (key, value) in members(found, "attributes") {
        let value = value.as_text().map_or_else(|| value.to_string(), str::to_owned);
        write!(matched, "  {key}={value}").expect("writing to a String cannot fail");
    }
    line(text, matched);
}

/// The Artifact or Server that a match is on.
fn provider(found: &Json) -> String {
    [word(found, "artifact"), word(found, "server")].concat()
}

/// A word with what stands around it, or nothing where there is no word.
fn spaced(before: &str, word: &str, after: &str) -> String {
    if word.is_empty() { String::new() } else { format!("{before}{word}{after}") }
}

//! `mortise check`: what can be said of a specification without a server.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use serde::Serialize;

use super::show::place;
use super::source::Source;
use super::{CliError, Exit, escaped};
use crate::catalog::{Catalog, Effort};
use crate::config::{Check, Output};
use crate::document::{Document, JsonText, Limits, to_yaml};
use crate::model::{ArtifactSpec, Code, Settings};
use crate::planner::{self, Identities, Unplannable};
use crate::reading::{Problem, Problems};
use crate::spec::{InputNeed, Inputs, ReadContext, StartDocument, StartForm};

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    valid: bool,
    problems: Vec<Problem>,
    warnings: Vec<crate::model::Warning>,
    #[serde(rename = "inputs")]
    needs: Vec<Need>,
}

#[derive(Debug, Serialize)]
struct Need {
    name: String,
    required: bool,
    given: bool,
}

/// Checks a specification. Without inputs it lists those that are needed, instead of missing them.
///
/// # Errors
/// [`CliError`] where the file cannot be read.
pub fn check(command: &Check) -> Result<Exit, CliError> {
    let source = Source::read(&command.specification.file)?;
    let settings = command.settings.wish().over(&Settings::default());
    let findings = find(&source, &command.specification.inputs, &settings);
    let mut out = std::io::stdout().lock();
    let text = JsonText::of(&findings).expect("every key of the findings is text");
    match command.output {
        Output::Json => writeln!(out, "{}", text.as_str())?,
        Output::Yaml => write!(out, "{}", to_yaml(&text.to_json()))?,
        Output::Text => write!(out, "{}", escaped(&show(&source.name, &findings)))?,
    }
    Ok(if findings.valid { Exit::Yes } else { Exit::Failed })
}

fn find(source: &Source, given: &[(String, String)], settings: &Settings) -> Findings {
    let mut findings = Findings::default();
    match read(source, given, settings) {
        Ok(start) => {
            findings.needs = needs(&start);
            // Without inputs nothing can be rendered, and a problem for each missing input would tell nothing new.
            let nothing_given = given.is_empty() && start.members.iter().all(|member| member.inputs.is_empty());
            if nothing_given && findings.needs.iter().any(|need| need.required) {
                let warnings = start.members.iter().flat_map(|member| member.specification.warnings());
                findings.warnings = warnings.cloned().collect();
            } else {
                match start.render() {
                    Ok(specs) => {
                        findings.problems = late_problems(&specs, settings);
                        findings.warnings = specs.into_iter().flat_map(|spec| spec.warnings).collect();
                    }
                    Err(problems) => findings.problems = problems.into_vec(),
                }
            }
        }
        Err(problems) => findings.problems = problems.into_vec(),
    }
    findings.valid = findings.problems.is_empty();
    findings
}

/// What the members read, by name: required where any of them fails without it, given where every one has it.
fn needs(start: &StartDocument) -> Vec<Need> {
    let mut needs: BTreeMap<String, Need> = BTreeMap::new();
    for member in &start.members {
        for InputNeed { name, required } in member.specification.input_needs() {
            let is_given = member.inputs.has(&name.split('.').collect::<Vec<_>>());
            let need = needs.entry(name.clone()).or_insert(Need { name, required: false, given: true });
            need.required |= required;
            need.given &= is_given;
        }
    }
    needs.into_values().collect()
}

fn read(source: &Source, given: &[(String, String)], settings: &Settings) -> Result<StartDocument, Problems> {
    let limits = Limits { depth: settings.max_depth as usize, ..Limits::default() };
    let document = Document::read(&source.bytes, source.syntax, limits).map_err(|error| {
        let (line, column) = (Some(error.place.line), Some(error.place.column));
        let unreadable = || Problem { line, column, ..Problem::new(Code::Malformed, "", error.message.clone()) };
        Problem::of_document(&error).unwrap_or_else(unreadable)
    })?;
    let pairs = given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let inputs = Inputs::from_pairs(pairs).map_err(|message| Problem::new(Code::InvalidInput, "", message))?;
    let read = StartDocument::read(&document, &inputs, ReadContext { settings });
    let mut start = read.map_err(|problems| {
        // Without any input, a problem for each missing one would tell nothing new.
        let is_silent = given.is_empty() && StartForm::of(&document.root).is_bare();
        if is_silent { problems.but(reads_input) } else { problems }
    })?;
    for member in &mut start.members {
        member.inputs = Arc::new(Inputs::clone(&member.inputs).overlaid(&inputs));
    }
    Ok(start)
}

/// Whether a problem is that a template reads an input that was not given.
fn reads_input(problem: &Problem) -> bool {
    problem.code == Code::TemplateUndefined && problem.message.starts_with("`input")
}

/// What is wrong with late texts whatever they match, as far as that shows in a world where nothing matches.
fn late_problems(specs: &[ArtifactSpec], settings: &Settings) -> Vec<Problem> {
    let effort = Effort::of(planner::effort(settings));
    match planner::plan(&Catalog::default(), specs, settings, Identities::Withheld, &effort) {
        // Nothing is there that could be too large.
        Ok(_) | Err(Unplannable::TooLarge(_)) => Vec::new(),
        Err(Unplannable::Invalid(invalid)) => invalid.into_iter().map(Problem::from).collect(),
    }
}

fn show(name: &str, findings: &Findings) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").expect("writing to a String cannot fail");
    for problem in &findings.problems {
        let place = place(&problem.pointer, problem.line.zip(problem.column));
        say(format!("{name}: {place}{} [{}]", problem.message, problem.code));
    }
    for warning in &findings.warnings {
        let place = place::<u32>(&warning.pointer, None);
        say(format!("{name}: {place}warning: {} [{}]", warning.message, warning.code));
    }
    let missing: Vec<_> = findings.needs.iter().filter(|need| !need.given).collect();
    match (findings.problems.len(), missing.iter().any(|need| need.required)) {
        (0, true) => say(format!("{name}: valid, as far as can be told without its inputs:")),
        (0, false) => say(format!("{name}: valid")),
        (1, _) => say(format!("{name}: 1 problem")),
        (count, _) => say(format!("{name}: {count} problems")),
    }
    for need in missing {
        let how = if need.required { "" } else { "  (has a default)" };
        say(format!("  --input {}=…{how}", need.name));
    }
    text
}

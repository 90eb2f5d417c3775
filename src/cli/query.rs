//! `mortise query`

use std::io::{BufRead, BufReader, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};

use super::client::{Streamed, stream};
use super::source::Source;
use super::{CliError, Exit, escaped, show};
use crate::config::{Output, ParameterFlag, Query};
use crate::document::{Json, to_yaml};

/// The most rows of one table. After them another table begins, so that a long answer never has to be kept whole.
const ROWS_A_TABLE: usize = 1_000;

/// Asks the graph.
///
/// # Errors
/// [`CliError`] where the file cannot be read, the server not be reached, or the answer not be written.
pub fn query(command: &Query) -> Result<Exit, CliError> {
    let statement = match (&command.statement, &command.file) {
        (Some(statement), _) => statement.clone(),
        (None, Some(file)) => Source::read(file)?.text()?,
        (None, None) => String::new(),
    };
    let value = |value: &ParameterFlag| match value {
        ParameterFlag::Text(name, text) => (name.clone(), Json::Text(text.clone())),
        ParameterFlag::Json(name, json) => (name.clone(), json.clone()),
    };
    let parameters = Json::Object(command.parameters.iter().map(value).collect());
    let body = Json::Object(vec![("query".to_owned(), Json::Text(statement)), ("parameters".to_owned(), parameters)]);
    match stream(&command.client, "/graph/query", body.to_string().as_bytes())? {
        Streamed::Refused(answer) => {
            match command.client.output {
                Output::Json => println!("{}", answer.body),
                Output::Yaml => print!("{}", to_yaml(&answer.body)),
                Output::Text => eprint!("{}", show::answer(answer.status, &answer.body)),
            }
            Ok(Exit::Failed)
        }
        Streamed::Lines(lines) => {
            let shape = match command.client.output {
                Output::Text if std::io::stdout().is_terminal() => Shape::Table,
                Output::Text | Output::Json => Shape::Lines,
                Output::Yaml => Shape::Yaml,
            };
            print(&command.client.server, BufReader::new(lines), shape)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Table,
    Lines,
    Yaml,
}

fn print(server: &str, mut lines: impl BufRead, shape: Shape) -> Result<Exit, CliError> {
    let strange = |error: String| CliError::Strange { server: server.to_owned(), error };
    let mut out = std::io::stdout().lock();
    let mut rows: Vec<Json> = Vec::new();
    let (mut line, mut count) = (String::new(), 0_usize);
    let mut exit = Exit::Yes;
    let mut notice = None;
    loop {
        line.clear();
        let read = lines.read_line(&mut line).map_err(|error| CliError::Broken(error.to_string()))?;
        if read == 0 {
            break;
        }
        let row = Json::parse(&line).map_err(|error| strange(error.to_string()))?;
        let last = last_line(&row);
        if last.is_none() {
            count += 1;
        }
        match shape {
            Shape::Lines => out.write_all(line.as_bytes())?,
            Shape::Yaml => write!(out, "---\n{}", to_yaml(&row))?,
            Shape::Table if last.is_none() => rows.push(row),
            Shape::Table => {}
        }
        if let Some((ends, told)) = last {
            (exit, notice) = (ends, Some(told));
        }
        if rows.len() == ROWS_A_TABLE {
            writeln!(out, "{}", table(&rows))?;
            rows.clear();
        }
    }
    if !rows.is_empty() {
        writeln!(out, "{}", table(&rows))?;
    }
    if shape == Shape::Table {
        writeln!(out, "{count} {}", if count == 1 { "row" } else { "rows" })?;
    }
    out.flush()?;
    if let Some(notice) = notice {
        eprintln!("mortise: {}", escaped(&notice));
    }
    Ok(exit)
}

/// The exit code and the notice of a last line that is no row: the answer was cut short, or it broke off.
fn last_line(line: &Json) -> Option<(Exit, String)> {
    let Json::Object(members) = line else { return None };
    let [(name, value)] = members.as_slice() else { return None };
    let Json::Object(told) = value else { return None };
    match (name.as_str(), told.as_slice()) {
        ("truncated", [(unit, limit)]) if ["rows", "bytes", "seconds"].contains(&unit.as_str()) => {
            Some((Exit::Yes, format!("the answer is cut after {limit} {unit}, the limit of the server")))
        }
        ("error", told) if told.iter().any(|(name, _)| name == "code") => {
            let detail = value.get("detail").and_then(Json::as_text).unwrap_or_default();
            Some((Exit::Failed, format!("the answer broke off: {detail}")))
        }
        _ => None,
    }
}

fn table(rows: &[Json]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    if let Some(Json::Object(members)) = rows.first() {
        table.set_header(members.iter().map(|(column, _)| escaped(column)));
    }
    for row in rows {
        let Json::Object(members) = row else { continue };
        table.add_row(members.iter().map(|(_, value)| match value {
            Json::Null => String::new(),
            Json::Text(text) => escaped(text).into_owned(),
            other => escaped(&other.to_string()).into_owned(),
        }));
    }
    table
}

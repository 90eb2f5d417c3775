//! What can be wrong with a template, and where.

use super::Segment;
use crate::document::Place;

/// Why a template could not be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct TemplateError {
    /// The kind, for programs.
    pub kind: TemplateErrorKind,
    /// What is wrong and what to write instead, lower-case, without a full stop.
    pub message: String,
    /// Line in the template text, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The path that has no value, up to its first missing segment: `input.verison`, `requires.db.matches[3]`. For `null`,
    /// the path to it.
    pub path: Option<String>,
    /// The same path taken apart, a segment in brackets filled in with its value; empty where `path` is `None`.
    pub segments: Vec<Segment>,
}

/// The kinds of [`TemplateError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// No expression at all, or one that breaks off.
    Syntax,
    /// A path that has neither a value nor a default.
    Undefined,
    /// A function, filter, test or operator that templates do not have.
    NotAllowed,
    /// A form of FreeMarker that is not read here.
    FreemarkerUnsupported,
    /// A text or an expression goes beyond one of the [`Limits`](super::Limits).
    TooLong,
    /// A value of the wrong type: a list where a text is wanted, `null`, a text compared with a number.
    Type,
}

impl TemplateError {
    pub(super) fn new(kind: TemplateErrorKind, message: impl Into<String>, place: Place) -> Self {
        let Place { line, column } = place;
        Self { kind, message: message.into(), line, column, path: None, segments: Vec::new() }
    }
}

/// A fault found while a text is taken apart; `offset` counts bytes from the beginning of that text.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) kind: TemplateErrorKind,
    pub(super) message: String,
    pub(super) offset: usize,
}

impl Problem {
    pub(super) fn new(kind: TemplateErrorKind, message: impl Into<String>, offset: usize) -> Self {
        Self { kind, message: message.into(), offset }
    }

    pub(super) fn syntax(message: impl Into<String>, offset: usize) -> Self {
        Self::new(TemplateErrorKind::Syntax, message, offset)
    }

    /// The error for a problem in `text`, which begins at `start`.
    pub(super) fn within(self, text: &str, start: Place) -> TemplateError {
        let before = text.get(..self.offset).unwrap_or(text);
        TemplateError::new(self.kind, self.message, advance(start, before))
    }
}

/// Where `place` is once `text` has been passed. Lines end with LF, so CRLF counts once.
pub(super) fn advance(place: Place, text: &str) -> Place {
    let characters = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    match text.rsplit_once('\n') {
        None => Place { line: place.line, column: place.column.saturating_add(characters(text)) },
        Some((before, last)) => {
            let lines = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1);
            Place { line: place.line.saturating_add(lines), column: characters(last).saturating_add(1) }
        }
    }
}

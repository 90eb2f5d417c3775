//! What is wrong with a document, all of it at once.

use serde::{Deserialize, Serialize};

use crate::document::{DocumentError, DocumentErrorKind};
use crate::model::Code;
use crate::model::limits::PROBLEMS;

/// One problem of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// Where, in the document as it was posted.
    pub pointer: String,
    /// The line in the text there (in a template), or in the whole document (`pointer` is empty), from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong and what to do, for people.
    pub message: String,
}

/// Problems in the order in which they were found, which is that of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one that is about the whole value at `pointer`.
    pub fn add(&mut self, code: Code, pointer: impl Into<String>, message: impl Into<String>) {
        self.push(Problem::new(code, pointer, message));
    }

    /// Adds one, unless there are a thousand already.
    pub fn push(&mut self, problem: Problem) {
        if !self.is_full() {
            self.0.push(problem);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: Problems) {
        for problem in others.0 {
            self.push(problem);
        }
    }

    /// Whether there are a thousand: any further problem is dropped.
    pub fn is_full(&self) -> bool {
        self.0.len() >= PROBLEMS
    }

    /// These problems without those for which `left_out` is true.
    #[must_use]
    pub fn but(mut self, left_out: impl Fn(&Problem) -> bool) -> Self {
        self.0.retain(|problem| !left_out(problem));
        self
    }

    /// Whether there is no problem.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `value` where there is no problem.
    ///
    /// # Errors
    /// These problems, where there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The problems.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    /// The problems.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

/// The one problem.
impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl Problem {
    /// The problem of the whole value at `pointer`, not of a place inside its text.
    pub fn new(code: Code, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), line: None, column: None, message: message.into() }
    }

    /// The problem of a document that could be read but passes a bound or uses what is not allowed; `None` for one that
    /// cannot be read at all.
    pub fn of_document(error: &DocumentError) -> Option<Self> {
        let code = match error.kind {
            DocumentErrorKind::NotUtf8 | DocumentErrorKind::Syntax => return None,
            DocumentErrorKind::TooDeep => Code::TooDeep,
            DocumentErrorKind::TooLarge => Code::TooLarge,
            DocumentErrorKind::NotAllowed => Code::YamlNotAllowed,
        };
        let (line, column) = (Some(error.place.line), Some(error.place.column));
        Some(Self { line, column, ..Self::new(code, "", error.message.clone()) })
    }
}

//! How large values may grow. The engine makes a text in one step, and keeps what is collected or sorted: it looks at its time
//! in between only, and at its memory never.

use super::Unanswerable;
use super::cursor::Reader;
use super::kind::{Kind, Term};
use crate::document::Json;

/// The most bytes that a text may come to.
const TEXT_BYTES: usize = 16 << 20;
/// The most bytes that may be kept of rows that lists make.
const KEPT_BYTES: usize = 64 << 20;
/// How many bytes a value takes that is no text.
pub(super) const VALUE_BYTES: usize = 32;
/// How many elements a list is taken to have of which that is not known.
pub(super) const ELEMENTS: usize = 10_000;

impl Reader<'_> {
    /// A text of this many bytes at most, which the engine makes in one step, and of each row.
    pub fn grown(&self, at: usize, what: &str, term: Term, bytes: usize) -> Result<Term, Unanswerable> {
        if bytes > TEXT_BYTES {
            let advice =
                format!("the text may come to more than the {TEXT_BYTES} bytes that it may have; make it shorter");
            return Err(self.refuse_at(at, what, &advice));
        }
        self.kept(at, what, bytes)?;
        Ok(Term { bytes, ..term })
    }

    /// Refuses to keep a value of each row, where lists make too many rows.
    pub fn kept(&self, at: usize, what: &str, bytes: usize) -> Result<(), Unanswerable> {
        if self.unwound.saturating_mul(bytes.max(VALUE_BYTES)) <= KEPT_BYTES {
            return Ok(());
        }
        let advice = format!(
            "the lists that are unwound make so many rows that more than {KEPT_BYTES} bytes may have to be kept for it; unwind \
             shorter ones"
        );
        Err(self.refuse_at(at, what, &advice))
    }
}

/// The most bytes of a property: names, versions and labels are short, other texts may be long.
pub(super) fn of_property(kind: &Kind, name: &str) -> usize {
    match (kind, name) {
        (Kind::Text, "attributes" | "annotations" | "reason" | "value") => 64 << 10,
        (Kind::Text, _) => 1 << 10,
        _ => VALUE_BYTES,
    }
}

/// The most bytes of a parameter; of a list, of one element.
pub(super) fn of_parameter(value: &Json) -> usize {
    match value {
        Json::Text(text) => text.len(),
        Json::Array(elements) => elements.iter().map(of_parameter).max().unwrap_or(VALUE_BYTES),
        Json::Object(members) => members.iter().map(|(_, member)| of_parameter(member)).sum(),
        Json::Null | Json::Bool(_) | Json::Number(_) => VALUE_BYTES,
    }
}

/// How many bytes a value of this kind has that is made of these.
pub(super) fn of_parts(kind: &Kind, parts: &[&Term]) -> usize {
    match kind {
        Kind::Text | Kind::List(_) | Kind::Map | Kind::Any => {
            parts.iter().fold(VALUE_BYTES, |sum, part| sum.saturating_add(part.bytes))
        }
        _ => VALUE_BYTES,
    }
}

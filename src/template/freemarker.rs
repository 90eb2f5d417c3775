//! The messages for words that expressions do not have: those of FreeMarker, and those of Jinja that are kept out.

use super::error::{Problem, TemplateErrorKind};
use super::token::Word;

/// Built-ins of FreeMarker that are not read, and what to write instead.
const UNSUPPORTED: [(&[&str], &str); 9] = [
    (&["eval", "interpret", "new", "api", "eval_json"], "a template runs no code"),
    (&["size"], "write `|length`"),
    (&["has_content", "exists", "if_exists", "is_defined"], "write a default: `x!\"default\"`, or `x!` for none"),
    (&["default"], "write `x!\"default\"`"),
    (&["matches", "groups"], "there are no regular expressions; use `?contains`, `?starts_with` or `?split`"),
    (&["date", "time", "datetime", "long", "iso_utc", "iso_local"], "hand the finished text in as an input"),
    (
        &["keys", "values", "map", "filter", "sort", "sort_by", "reverse", "chunk"],
        "hand the finished text in as an input",
    ),
    (&["no_esc", "esc"], "nothing is escaped unless you ask for it with `?html`, `?xml` or `?url`"),
    (&["int", "round", "floor", "ceiling", "abs", "double", "float"], "write `?number` for a whole number"),
];

/// Whether a word cannot be the root of a path.
pub(super) fn is_keyword(name: &str) -> bool {
    is_operator(name) || matches!(name, "true" | "True" | "false" | "False" | "none" | "None" | "null")
}

/// Whether a word can follow a value.
pub(super) fn is_operator(name: &str) -> bool {
    matches!(name, "and" | "or" | "not" | "in" | "is" | "if" | "else")
}

/// The advice on a built-in that is not read.
pub(super) fn instead_of(builtin: &str) -> Option<&'static str> {
    let known = UNSUPPORTED.iter().find(|(names, _)| names.contains(&builtin)).map(|(_, advice)| *advice);
    known.or_else(|| builtin.starts_with("is_").then_some("write a comparison, or a default: `x!\"default\"`"))
}

/// The problem with a word that cannot stand behind what was read so far.
pub(super) fn unexpected(word: Option<&Word<'_>>, offset: usize) -> Problem {
    use TemplateErrorKind::{FreemarkerUnsupported, NotAllowed, Syntax};
    let word = match word {
        Some(word) => word,
        None => return Problem::syntax("the expression breaks off", offset),
    };
    let (kind, message) = match word {
        Word::Mark("??") => (FreemarkerUnsupported, "`??` is not read; write a default: `x!\"default\"`"),
        Word::Mark("&&" | "&") => (FreemarkerUnsupported, "write `and`"),
        Word::Mark("||") => (FreemarkerUnsupported, "write `or`"),
        Word::Mark("=") => (FreemarkerUnsupported, "write `==` to compare; arguments have no names"),
        Word::Mark("..") => (FreemarkerUnsupported, "write `x[1:3]` or `x?substring(1, 3)` for a part of a text"),
        Word::Mark("#" | "@") => (FreemarkerUnsupported, "directives are not read"),
        Word::Name("gt" | "gte" | "lt" | "lte") => (FreemarkerUnsupported, "write `>`, `>=`, `<` or `<=`"),
        Word::Mark("*" | "**" | "/" | "//" | "%") => (NotAllowed, "there is no arithmetic but `+` and `-`"),
        Word::Mark("~") => (NotAllowed, "`~` is not allowed; write the two one after the other, or join them with `+`"),
        Word::Mark("{" | "}") => (NotAllowed, "an expression has no maps"),
        Word::Mark("(") => return call(offset),
        Word::Name("is") => (NotAllowed, "there are no tests; write a comparison, or a default: `x!\"default\"`"),
        Word::Mark("==" | "!=" | "<" | "<=" | ">" | ">=") | Word::Name("in" | "not") => {
            (Syntax, "two values are compared at a time; join comparisons with `and`")
        }
        Word::Mark(mark) => return Problem::syntax(format!("`{mark}` cannot stand here"), offset),
        Word::Name(name) => return Problem::syntax(format!("`{name}` cannot stand here"), offset),
        Word::Integer(number) => return Problem::syntax(format!("`{number}` cannot stand here"), offset),
        Word::Text(_) => (Syntax, "a text cannot stand here; join texts with `+`"),
    };
    Problem::new(kind, message, offset)
}

/// The problem with a word where a value must stand.
pub(super) fn no_value(word: Option<&Word<'_>>, offset: usize) -> Problem {
    use TemplateErrorKind::{FreemarkerUnsupported, NotAllowed};
    let (kind, message) = match word {
        Some(Word::Mark("!")) => (FreemarkerUnsupported, "write `not x`"),
        Some(Word::Mark(".")) => {
            (FreemarkerUnsupported, "there are no special variables; hand the value in as an input")
        }
        Some(Word::Mark("-")) => (NotAllowed, "write `0 - x`"),
        Some(Word::Name("none" | "None" | "null")) => {
            (NotAllowed, "there is no null; write a default: `x!\"default\"`")
        }
        Some(Word::Name(name)) => return Problem::syntax(format!("a value is missing before `{name}`"), offset),
        other => return unexpected(other, offset),
    };
    Problem::new(kind, message, offset)
}

pub(super) fn call(offset: usize) -> Problem {
    let message = "functions and methods cannot be called; write a filter: `x|upper`";
    Problem::new(TemplateErrorKind::NotAllowed, message, offset)
}

pub(super) fn raw_text(offset: usize) -> Problem {
    let message = "raw texts are not read; write a plain text, with `\\\\` for `\\`";
    Problem::new(TemplateErrorKind::FreemarkerUnsupported, message, offset)
}

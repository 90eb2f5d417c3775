//! Takes a template apart into text and expressions, without reading the expressions.

use super::error::Problem;

/// The names that `$name` without braces may stand for; `input` is the one that also needs a member.
const SHORT_NAMES: [&str; 7] = ["interface", "layer", "name", "system", "version", "environment", "instance"];

/// A stretch of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stretch<'t> {
    /// Text as written.
    Text(&'t str),
    /// `$$`
    Dollar,
    /// What stands between `${` and `}`, and where it begins.
    Expression { source: &'t str, offset: usize },
    /// `$version`, or `$input.region` with its member.
    Short { name: &'t str, member: Option<&'t str>, offset: usize },
}

/// Whether `text` is a template: whether it holds `${` or a known `$name`, even behind a `$` that makes it literal.
///
/// ```
/// use mortise::template::holds_template;
/// assert!(holds_template("v${input.version}") && holds_template("$layer") && holds_template("$${literal}"));
/// assert!(!holds_template("5 $") && !holds_template("$versions") && !holds_template("$input"));
/// ```
pub fn holds_template(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = &text[at + 1..];
        rest.starts_with('{') || short_form(rest).is_some()
    })
}

/// The stretches of `text`, in order.
pub(super) fn stretches(text: &str) -> Result<Vec<Stretch<'_>>, Problem> {
    let mut found = Vec::new();
    let mut from = 0; // where the text begins that is in no stretch yet
    let mut search = 0;
    while let Some(at) = text[search..].find('$').map(|at| search + at) {
        let rest = &text[at + 1..];
        let (stretch, length) = if rest.starts_with('$') {
            (Stretch::Dollar, 1)
        } else if rest.starts_with('{') {
            let offset = at + 2;
            let end = expression_end(text, offset)?;
            (Stretch::Expression { source: &text[offset..end], offset }, end - at)
        } else if let Some((name, member)) = short_form(rest) {
            let length = name.len() + member.map_or(0, |member| member.len() + 1);
            (Stretch::Short { name, member, offset: at }, length)
        } else {
            search = at + 1;
            continue;
        };
        if from < at {
            found.push(Stretch::Text(&text[from..at]));
        }
        found.push(stretch);
        from = at + 1 + length;
        search = from;
    }
    if from < text.len() {
        found.push(Stretch::Text(&text[from..]));
    }
    Ok(found)
}

/// The `}` that ends the expression beginning at `start`: the first outside quotes and nested brackets.
fn expression_end(text: &str, start: usize) -> Result<usize, Problem> {
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut quote: Option<(u8, usize)> = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some((mark, _)), _) if byte == mark => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some((byte, at)),
            (None, b'(' | b'[' | b'{') => open.push((byte, at)),
            (None, b'}') => match open.pop() {
                None => return Ok(at),
                Some((b'{', _)) => {}
                Some((bracket, at)) => return Err(not_closed(bracket, at)),
            },
            (None, b')' | b']') => {
                open.pop();
            }
            (None, _) => {}
        }
    }
    match (quote, open.last()) {
        (Some((mark, at)), _) => Err(not_closed(mark, at)),
        (None, Some(&(bracket, at))) => Err(not_closed(bracket, at)),
        (None, None) => {
            let message = "`${` is not closed by a `}`; for a literal `${` write `$${`";
            Err(Problem::syntax(message, start.saturating_sub(2)))
        }
    }
}

fn not_closed(mark: u8, at: usize) -> Problem {
    Problem::syntax(format!("`{}` is not closed inside `${{…}}`", char::from(mark)), at)
}

/// The name, and the member of `input`, that the text behind a `$` begins with.
fn short_form(rest: &str) -> Option<(&str, Option<&str>)> {
    let name = identifier(rest)?;
    if SHORT_NAMES.contains(&name) {
        return Some((name, None));
    }
    let behind = rest.strip_prefix("input.")?;
    Some((&rest[..5], Some(identifier(behind)?)))
}

/// The identifier that `text` begins with, the longest one.
pub(super) fn identifier(text: &str) -> Option<&str> {
    if !text.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        return None;
    }
    let end = text.find(|other: char| !(other.is_alphanumeric() || other == '_')).unwrap_or(text.len());
    Some(&text[..end])
}

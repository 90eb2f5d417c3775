//! The words of an expression.

use super::error::{Problem, TemplateErrorKind};
use super::scan::identifier;

/// A word and where it begins, in bytes from the beginning of the expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) word: Word<'s>,
    pub(super) offset: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word<'s> {
    Name(&'s str),
    Integer(i64),
    Text(String),
    Mark(&'static str),
}

/// The marks, longest first. Some of them are known only to be refused with advice.
const MARKS: [&str; 34] = [
    "==", "!=", "<=", ">=", "**", "//", "??", "&&", "||", "..", ".", "[", "]", "(", ")", ",", "|", "?", "!", "+", "-",
    "*", "/", "%", "~", "<", ">", "=", ":", "{", "}", "&", "#", "@",
];

/// Takes `source` apart.
pub(super) fn tokens(source: &str) -> Result<Vec<Token<'_>>, Problem> {
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        offset += source[offset..].len() - source[offset..].trim_start().len();
        let rest = &source[offset..];
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (word, length) = match first {
            '"' | '\'' => text(rest, first, offset)?,
            '0'..='9' => integer(rest, offset)?,
            _ => {
                if let Some(name) = identifier(rest) {
                    (Word::Name(name), name.len())
                } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                    (Word::Mark(mark), mark.len())
                } else {
                    return Err(Problem::syntax(format!("`{}` has no meaning here", first.escape_debug()), offset));
                }
            }
        };
        found.push(Token { word, offset });
        offset += length;
    }
}

fn integer(rest: &str, offset: usize) -> Result<(Word<'_>, usize), Problem> {
    let length = rest.find(|other: char| !other.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(length);
    let fraction = behind.strip_prefix('.').is_some_and(|text| text.starts_with(|next: char| next.is_ascii_digit()));
    if fraction || identifier(behind).is_some() {
        let message = "a number here is a whole one; write any other in quotes, as a text";
        return Err(Problem::syntax(message, offset));
    }
    match digits.parse() {
        Ok(number) => Ok((Word::Integer(number), length)),
        Err(_) => Err(Problem::syntax(format!("`{digits}` is too large a number; write it in quotes"), offset)),
    }
}

fn text(rest: &str, quote: char, offset: usize) -> Result<(Word<'_>, usize), Problem> {
    let mut value = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((Word::Text(value), at + 1)),
            // FreeMarker would render it; `\$` keeps it literal.
            '$' if rest[at + 1..].starts_with('{') => {
                let message = "a text inside an expression is not rendered; join the parts with `+`";
                return Err(Problem::new(TemplateErrorKind::FreemarkerUnsupported, message, offset + at));
            }
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, plain @ ('\\' | '"' | '\'' | '/' | '$' | '{' | '}'))) => value.push(plain),
                _ => {
                    let message = r#"after `\` stands one of n, r, t, ", ', \, /, $, {, }"#;
                    return Err(Problem::syntax(message, offset + at));
                }
            },
            _ => value.push(character),
        }
    }
    Err(Problem::syntax(format!("`{quote}` is not closed inside `${{…}}`"), offset))
}

//! The columns of an answer, named as servers name them.

use super::tokens::{Token, TokenKind};

/// The columns of the first `RETURN` of the statement itself, in order; `None` where it returns `*`.
///
/// A column without an alias is named by its text as written. All parts of a `UNION` have the same columns.
pub(super) fn read(text: &str, tokens: &[Token]) -> Option<Vec<String>> {
    let mut depth = 0_usize;
    let mut items: Option<Vec<&[Token]>> = None;
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Mark('(' | '[' | '{') => depth += 1,
            TokenKind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            TokenKind::Mark(',') => {
                if let Some(items) = &mut items {
                    items.push(&tokens[start..at]);
                    start = at + 1;
                }
            }
            TokenKind::Word(_) if is_name(tokens, at) => {}
            TokenKind::Word(_) if items.is_none() && token.is_word("RETURN") => {
                items = Some(Vec::new());
                start = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|next| next.is_word("DISTINCT")));
            }
            TokenKind::Word(_) if items.is_some() && ENDS.iter().any(|word| token.is_word(word)) => {
                return names(text, items?, &tokens[start..at]);
            }
            _ => {}
        }
    }
    names(text, items?, &tokens[start.min(tokens.len())..])
}

const ENDS: [&str; 5] = ["ORDER", "SKIP", "OFFSET", "LIMIT", "UNION"];

/// After a dot, a colon or `AS` nothing is a keyword.
fn is_name(tokens: &[Token], at: usize) -> bool {
    at > 0 && (tokens[at - 1].is('.') || tokens[at - 1].is(':') || tokens[at - 1].is_word("AS"))
}

fn names<'a>(text: &str, mut items: Vec<&'a [Token]>, last: &'a [Token]) -> Option<Vec<String>> {
    items.push(last);
    items.into_iter().map(|item| name(text, item)).collect()
}

fn name(text: &str, item: &[Token]) -> Option<String> {
    match item {
        [] => None,
        [star, ..] if star.is('*') => None,
        [.., marker, alias] if marker.is_word("AS") => spelled(alias),
        [only] if spelled(only).is_some() => spelled(only),
        [first, .., last] => Some(text[first.start..last.end].to_owned()),
        [only] => Some(text[only.start..only.end].to_owned()),
    }
}

fn spelled(token: &Token) -> Option<String> {
    match &token.kind {
        TokenKind::Word(name) | TokenKind::Quoted(name) => Some(name.clone()),
        _ => None,
    }
}

//! What nobody may read, whoever asks: the tokens of leases, and what the history and its snapshots stand in.
//!
//! Their nodes may come out whole, without these properties (see [`is_secret`]); so what has to be told here is every other
//! way to a property: by its name, by a name that is made at run time, or all of them at once.

use super::tokens::{Token, TokenKind};
use super::{Refusal, RefusalKind};

/// Labels and types of what holds a secret, or is nothing but a part of the history.
const NAMES: [&str; 5] = ["Lease", "PART", "Part", "Record", "Snapshot"];
/// Properties that are secrets.
const PROPERTIES: [&str; 2] = ["bytes", "token"];
/// After these a bracket begins a list, not a place in one. WHERE and DISTINCT are not among them: Neo4j reads them as
/// variables where it can, and what stands in brackets behind them could then be the name of a secret.
const BEFORE_A_LIST: [&str; 14] =
    ["AND", "BY", "CASE", "CONTAINS", "ELSE", "IN", "NOT", "OR", "RETURN", "THEN", "UNWIND", "WHEN", "WITH", "XOR"];

/// By these after it a word at the beginning of a pattern, a list or a call is a variable.
const AFTER_A_VARIABLE: [char; 7] = [')', ']', ':', '{', '*', '|', ','];

/// Whether a property of a node with these labels is left out where the node comes out whole.
#[must_use]
pub fn is_secret(property: &str, labels: &[impl AsRef<str>]) -> bool {
    PROPERTIES.contains(&property) && labels.iter().any(|label| NAMES.contains(&label.as_ref()))
}

/// Refuses what could read a secret.
pub(super) fn check(text: &str, tokens: &[Token]) -> Result<(), Refusal> {
    let reader = Reader { text, tokens };
    for (at, token) in tokens.iter().enumerate() {
        if let Some(what) = reader.secret(at) {
            return Err(token.refused(what, RefusalKind::Secret));
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Reader<'_> {
    /// What at this place could read a secret.
    fn secret(&self, at: usize) -> Option<String> {
        match &self.tokens[at].kind {
            TokenKind::Word(name) | TokenKind::Quoted(name) => {
                let is_property = PROPERTIES.iter().any(|property| property.eq_ignore_ascii_case(name));
                let is_called = self.is(at + 1, '(');
                if NAMES.contains(&name.as_str()) {
                    return Some(name.clone());
                }
                if is_before_a_list(name) && self.is_bound(at) && self.has_bracket(name) {
                    return Some(format!("the variable {name}, which is named like a keyword and needs another name,"));
                }
                if is_property && (self.is_before(at, '.') || self.is(at + 1, ':')) {
                    return Some(format!("the property {name}"));
                }
                (name.eq_ignore_ascii_case("properties") && is_called).then(|| "the function properties".to_owned())
            }
            // `n {.*}`
            TokenKind::Mark('*') if self.is_before(at, '.') => Some(".*".to_owned()),
            TokenKind::Mark('[') if self.is_place(at) && !self.is_certain(at) => {
                Some("a property by a name that is not certain".to_owned())
            }
            _ => None,
        }
    }

    /// Whether a word that may be a keyword is the name of a variable here: a bracket after it would take a property then.
    fn is_bound(&self, at: usize) -> bool {
        let (before, next) = (at.checked_sub(1).map(|before| &self.tokens[before]), self.tokens.get(at + 1));
        if before.is_some_and(|before| before.is('.') || before.is(':')) {
            return false;
        }
        let is_quoted = matches!(self.tokens[at].kind, TokenKind::Quoted(_));
        let is_assigned = next.is_some_and(|next| next.is('=') || next.is_word("IN"));
        let is_first = before.is_some_and(|before| before.is('(') || before.is('['));
        let is_alone = |next: &Token| next.is_word("WHERE") || AFTER_A_VARIABLE.iter().any(|&mark| next.is(mark));
        is_quoted
            || is_assigned
            || before.is_some_and(|before| before.is_word("AS") || before.is_word("YIELD"))
            || is_first && next.is_none_or(is_alone)
    }

    /// Whether a bracket stands after this word anywhere.
    fn has_bracket(&self, name: &str) -> bool {
        let is_name = |token: &Token| match &token.kind {
            TokenKind::Word(word) | TokenKind::Quoted(word) => word.eq_ignore_ascii_case(name),
            _ => false,
        };
        self.tokens.windows(2).any(|pair| is_name(&pair[0]) && pair[1].is('['))
    }

    /// Whether a bracket stands after an operand, so that it takes a part of it.
    fn is_place(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        match &self.tokens[before].kind {
            TokenKind::Word(word) => {
                let is_name = self.is_before(before, '.') || self.is_before(before, ':');
                is_name || !is_before_a_list(word)
            }
            TokenKind::Mark(mark) => matches!(mark, ')' | ']' | '}'),
            TokenKind::Range => false,
            TokenKind::Quoted(_) | TokenKind::Text | TokenKind::Number | TokenKind::Parameter(_) => true,
        }
    }

    /// Whether what stands in a bracket is for certain no name of a secret: a slice, a number, or a text that is another name.
    fn is_certain(&self, open: usize) -> bool {
        let mut depth = 0_usize;
        let mut inside = Vec::new();
        for at in open + 1..self.tokens.len() {
            match self.tokens[at].kind {
                TokenKind::Mark('(' | '[' | '{') => depth += 1,
                TokenKind::Mark(']') if depth == 0 => break,
                TokenKind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
                TokenKind::Range if depth == 0 => return true,
                _ => {}
            }
            inside.push(at);
        }
        match inside.as_slice() {
            [only] => match &self.tokens[*only].kind {
                TokenKind::Number => true,
                TokenKind::Text => self.is_other_name(*only),
                _ => false,
            },
            [sign, number] => self.is(*sign, '-') && self.tokens[*number].kind == TokenKind::Number,
            // `list[size(list) - 1]`: only numbers are subtracted.
            [.., sign, number] => {
                self.is(*sign, '-') && self.tokens[*number].kind == TokenKind::Number && {
                    let before = &self.tokens[inside[0]];
                    (before.is_word("size") || before.is_word("length")) && self.closes(inside[1], *sign)
                }
            }
            [] => false,
        }
    }

    /// Whether the bracket that opens at `open` closes right before `end`.
    fn closes(&self, open: usize, end: usize) -> bool {
        let mut depth = 0_usize;
        for at in open..end {
            match self.tokens[at].kind {
                TokenKind::Mark('(' | '[' | '{') => depth += 1,
                TokenKind::Mark(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return at + 1 == end;
            }
        }
        false
    }

    fn is_other_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let name = &self.text[token.start + 1..token.end - 1];
        !name.contains('\\') && !PROPERTIES.iter().any(|property| property.eq_ignore_ascii_case(name))
    }

    fn is(&self, at: usize, mark: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(mark))
    }

    fn is_before(&self, at: usize, mark: char) -> bool {
        at > 0 && self.is(at - 1, mark)
    }
}

fn is_before_a_list(word: &str) -> bool {
    BEFORE_A_LIST.binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

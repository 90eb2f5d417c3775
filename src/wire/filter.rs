//! Selectors in a query: `tier=gold,version in ([1,2)),!legacy`.

use smol_str::SmolStr;

use crate::document::{Document, Limits};
use crate::model::{Expression, Name, Operator, Selector, TextRule};
use crate::reading::{At, Reader};
use crate::spec::read_literal_selector;

/// Why the selector of a query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorFilterError {
    /// The short form cannot be read at this place.
    #[error("at character {position} of the selector: {message}")]
    Syntax {
        /// Characters from 1.
        position: usize,
        /// What is wrong and what to do.
        message: String,
    },
    /// The JSON form has problems.
    #[error("{0}")]
    Json(String),
}

/// Reads the selector of a query, without any default.
///
/// `expr = key | !key | key op value | key (in|notin|inrange|notinrange) (value, …)`, joined by commas; `op` is `=`, `==`
/// or `!=`. A value is `"quoted"`, an interval (from `[` or `(` to the next `]` or `)`), or bare text without
/// `, ( ) [ ]`, quotes and spaces. A text that begins with `[` is JSON.
///
/// # Errors
/// [`SelectorFilterError`] says where and what.
///
/// ```
/// use mortise::wire::parse_filter;
/// let selector = parse_filter("tier=gold, version in ([1.0,2.0), 3.1), !legacy").unwrap();
/// let shown: Vec<_> = selector.0.iter().map(ToString::to_string).collect();
/// assert_eq!(shown, ["tier In gold", "version In [1.0,2.0), 3.1", "legacy DoesNotExist"]);
/// ```
pub fn parse_filter(text: &str) -> Result<Selector, SelectorFilterError> {
    if text.trim_start().starts_with('[') {
        return parse_json(text);
    }
    let mut scanner = Scanner { text, offset: 0 };
    let mut expressions = Vec::new();
    loop {
        expressions.push(scanner.expression()?);
        scanner.spaces();
        if scanner.rest().is_empty() {
            return Ok(Selector(expressions));
        }
        if !scanner.take(",") {
            return Err(scanner
                .error("expected a comma and another expression; a semver list such as \">=1.2, <2\" must be quoted"));
        }
    }
}

fn parse_json(text: &str) -> Result<Selector, SelectorFilterError> {
    let document = Document::from_json(text.as_bytes(), Limits::default())
        .map_err(|e| SelectorFilterError::Json(e.to_string()))?;
    let mut reader = Reader::new(&document);
    let selector = read_literal_selector(&mut reader, &document.root, &At::root(""));
    if let Some(first) = reader.problems.as_slice().first() {
        return Err(SelectorFilterError::Json(format!("{} at {}", first.message, first.pointer)));
    }
    selector.ok_or_else(|| SelectorFilterError::Json("a selector in a query holds no templates".to_owned()))
}

struct Scanner<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn spaces(&mut self) {
        self.offset += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        if there {
            self.offset += token.len();
        }
        there
    }

    fn error(&self, message: impl Into<String>) -> SelectorFilterError {
        SelectorFilterError::Syntax { position: self.text[..self.offset].chars().count() + 1, message: message.into() }
    }

    fn expression(&mut self) -> Result<Expression, SelectorFilterError> {
        self.spaces();
        let negated = self.take("!");
        let key = self.key()?;
        if negated {
            return self.build(key, Operator::DoesNotExist, Vec::new());
        }
        self.spaces();
        for (token, operator) in [("==", Operator::In), ("=", Operator::In), ("!=", Operator::NotIn)] {
            if self.take(token) {
                let value = self.value()?;
                return self.build(key, operator, vec![value]);
            }
        }
        let words = [
            ("notinrange", Operator::NotInRange),
            ("inrange", Operator::InRange),
            ("notin", Operator::NotIn),
            ("in", Operator::In),
        ];
        for (word, operator) in words {
            let after = self.rest().strip_prefix(word);
            if after.is_some_and(|after| after.trim_start().starts_with('(')) {
                self.offset += word.len();
                self.spaces();
                self.take("(");
                let values = self.values()?;
                return self.build(key, operator, values);
            }
        }
        self.build(key, Operator::Exists, Vec::new())
    }

    fn build(&self, key: Name, operator: Operator, values: Vec<SmolStr>) -> Result<Expression, SelectorFilterError> {
        Expression::new(key, operator, values).map_err(|error| self.error(error.to_string()))
    }

    fn key(&mut self) -> Result<Name, SelectorFilterError> {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || ",=!<>()[]\"'".contains(c)).unwrap_or(rest.len());
        if rest.starts_with(['<', '>', '^', '~']) {
            return Err(self.error("expected the key of a label; a semver list such as \">=1.2, <2\" must be quoted"));
        }
        let key =
            Name::new(&rest[..end]).map_err(|error| self.error(format!("expected the key of a label: {error}")))?;
        self.offset += end;
        Ok(key)
    }

    fn values(&mut self) -> Result<Vec<SmolStr>, SelectorFilterError> {
        let mut values = Vec::new();
        self.spaces();
        if self.take(")") {
            return Ok(values);
        }
        let mut bare_comparator = false;
        loop {
            self.spaces();
            bare_comparator |= self.rest().starts_with(['<', '>']);
            values.push(self.value()?);
            self.spaces();
            if self.take(")") {
                return Ok(values);
            }
            if bare_comparator || !self.take(",") {
                return Err(self.error("expected a comma or a closing parenthesis; a semver list must be quoted"));
            }
        }
    }

    fn value(&mut self) -> Result<SmolStr, SelectorFilterError> {
        self.spaces();
        let value = self.written()?;
        match TextRule::Value.check(value) {
            Ok(()) => Ok(value.into()),
            Err(error) => Err(self.error(format!("the value before it is not allowed: {error}"))),
        }
    }

    /// A value as it is written, without its quotes.
    fn written(&mut self) -> Result<&'a str, SelectorFilterError> {
        let rest = self.rest();
        if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
            let Some(end) = rest[1..].find(quote) else { return Err(self.error("the quoted value is not closed")) };
            self.offset += end + 2;
            return Ok(&rest[1..=end]);
        }
        let end = if rest.starts_with(['[', '(']) {
            let Some(end) = rest[1..].find([']', ')']) else { return Err(self.error("the interval is not closed")) };
            end + 2
        } else {
            rest.find(|c: char| c.is_whitespace() || ",()[]\"'".contains(c)).unwrap_or(rest.len())
        };
        self.offset += end;
        Ok(&rest[..end])
    }
}

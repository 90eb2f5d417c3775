//! Text to tokens, and no more than the tokens that every server reads alike.

use std::iter::Peekable;
use std::str::CharIndices;

use super::{Refusal, RefusalKind};

/// One token of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// Counted from one.
    pub line: usize,
    /// Counted from one, in characters.
    pub column: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or a name, as written.
    Word(String),
    /// A name that stood in backticks, without them; never a keyword.
    Quoted(String),
    /// A literal in quotes.
    Text,
    /// A number.
    Number,
    /// `$name`, by its name.
    Parameter(String),
    /// A single character of punctuation.
    Mark(char),
    /// `..`
    Range,
}

impl Token {
    /// Whether it is this punctuation.
    #[must_use]
    pub fn is(&self, mark: char) -> bool {
        self.kind == TokenKind::Mark(mark)
    }

    /// Whether it is this word outside backticks, in any case.
    #[must_use]
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(text) if text.eq_ignore_ascii_case(word))
    }

    pub(super) fn refused(&self, clause: impl Into<String>, kind: RefusalKind) -> Refusal {
        Refusal { clause: clause.into(), line: self.line, column: self.column, kind }
    }
}

/// The tokens, and the text with every comment blanked out.
// Blanked out rather than cut out, so that places in a server's own messages stay right.
pub(super) fn read(text: String) -> Result<(String, Vec<Token>), Refusal> {
    let mut reader = Reader { text: &text, characters: text.char_indices().peekable(), line: 1, line_start: 0 };
    let (mut tokens, mut comments) = (Vec::new(), Vec::new());
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Token(token) => tokens.push(token),
            Piece::Comment(start, end) => comments.push((start, end)),
        }
    }
    let mut sent = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in comments {
        sent.push_str(&text[done..start]);
        // As many bytes as before: the places of the tokens stay right too.
        sent.extend(text[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        done = end;
    }
    sent.push_str(&text[done..]);
    Ok((sent, tokens))
}

enum Piece {
    Token(Token),
    Comment(usize, usize),
}

struct Reader<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    line: usize,
    line_start: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Piece>, Refusal> {
        self.take_while(|character| matches!(character, ' ' | '\t' | '\r' | '\n'));
        let Some(&(start, first)) = self.characters.peek() else { return Ok(None) };
        let (line, column) = (self.line, self.text[self.line_start..start].chars().count() + 1);
        let fail = |clause: &str| Refusal { clause: clause.to_owned(), line, column, kind: RefusalKind::Token };
        if self.text[start..].starts_with("//") {
            self.take_while(|character| !matches!(character, '\r' | '\n'));
            return Ok(Some(Piece::Comment(start, self.place())));
        }
        if self.text[start..].starts_with("/*") {
            let length = self.text[start + 2..].find("*/").ok_or_else(|| fail("/*"))?;
            self.take_to(start + 2 + length + 2);
            return Ok(Some(Piece::Comment(start, self.place())));
        }
        self.take();
        let kind = match first {
            '\'' | '"' => self.literal(first).ok_or_else(|| fail("a string"))?,
            '`' => TokenKind::Quoted(self.quoted().ok_or_else(|| fail("a name in backticks"))?),
            '$' => TokenKind::Parameter(self.parameter().ok_or_else(|| fail("$"))?),
            '.' if self.take_if(|next| next == '.') => TokenKind::Range,
            first if first.is_ascii_digit() => self.number(start).ok_or_else(|| fail("a number"))?,
            first if first.is_alphabetic() || first == '_' => {
                self.word();
                let word = &self.text[start..self.place()];
                // `ſet` and a Kelvin sign are ASCII letters in another case: keywords to a reader that folds them.
                if !word.is_ascii() && word.chars().any(folds_to_ascii) || self.peeks('$') {
                    return Err(fail(word));
                }
                TokenKind::Word(word.to_owned())
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | ':' | '.' | '|' | '&' | '!' | '%' | '+' | '-' | '*'
            | '/' | '^' | '=' | '<' | '>' | '~' => TokenKind::Mark(first),
            // Among them every space and letter that servers do not agree on.
            other => return Err(fail(&format!("the character U+{:04X}", u32::from(other)))),
        };
        Ok(Some(Piece::Token(Token { kind, start, end: self.place(), line, column })))
    }

    fn literal(&mut self, quote: char) -> Option<TokenKind> {
        loop {
            match self.take()? {
                '\\' => {
                    let escaped = self.take()?;
                    if !matches!(escaped, '\\' | '\'' | '"' | 'b' | 'f' | 'n' | 'r' | 't') {
                        return None;
                    }
                }
                end if end == quote => return Some(TokenKind::Text),
                _ => {}
            }
        }
    }

    /// After the first backtick.
    fn quoted(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            match self.take()? {
                '`' if self.take_if(|next| next == '`') => name.push('`'),
                '`' => return (!name.is_empty()).then_some(name),
                // Not an escape to Neo4j, perhaps one to others.
                '\\' => return None,
                other => name.push(other),
            }
        }
    }

    /// After the dollar.
    fn parameter(&mut self) -> Option<String> {
        let start = self.place();
        if self.take_if(|next| next == '`') {
            return self.quoted();
        }
        self.word();
        let name = &self.text[start..self.place()];
        let digits = name.starts_with(|first: char| first.is_ascii_digit());
        // `$1SET` is one parameter to Neo4j, and might be a parameter and a clause to others.
        let certain =
            !name.is_empty() && name.is_ascii() && (!digits || name.bytes().all(|byte| byte.is_ascii_digit()));
        (certain && !self.peeks('$')).then(|| name.to_owned())
    }

    /// After the first digit. What follows a number at once is part of it or an error: `1SET` is no clause.
    fn number(&mut self, start: usize) -> Option<TokenKind> {
        self.word();
        let after = &self.text[self.place()..];
        if after.starts_with('.') && !after.starts_with("..") {
            self.take();
            self.word();
        }
        if self.text[start..self.place()].ends_with(['e', 'E']) && self.take_if(|next| matches!(next, '+' | '-')) {
            self.word();
        }
        is_number(&self.text[start..self.place()]).then_some(TokenKind::Number)
    }

    fn word(&mut self) {
        self.take_while(|character| character.is_alphanumeric() || character == '_');
    }

    fn place(&mut self) -> usize {
        self.characters.peek().map_or(self.text.len(), |(place, _)| *place)
    }

    fn peeks(&mut self, expected: char) -> bool {
        self.characters.peek().is_some_and(|(_, character)| *character == expected)
    }

    fn take(&mut self) -> Option<char> {
        let (place, character) = self.characters.next()?;
        if character == '\n' {
            (self.line, self.line_start) = (self.line + 1, place + 1);
        }
        Some(character)
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let found = self.characters.peek().is_some_and(|(_, character)| wanted(*character));
        if found {
            self.take();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.take_if(&wanted) {}
    }

    fn take_to(&mut self, end: usize) {
        while self.place() < end {
            self.take();
        }
    }
}

fn folds_to_ascii(character: char) -> bool {
    // `İ` becomes an `i` and a dot; `ß`, which becomes `SS`, is no letter of a keyword.
    let mut upper = character.to_uppercase();
    let upper = upper.next().filter(|_| upper.next().is_none());
    !character.is_ascii()
        && (character.to_lowercase().any(|folded| folded.is_ascii()) || upper.is_some_and(|folded| folded.is_ascii()))
}

/// `12`, `1.5`, `1e-3`, `0xff`, `0o17`.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal);
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && digits(fraction) && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

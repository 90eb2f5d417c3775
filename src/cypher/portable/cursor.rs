//! Tokens in hand, names in scope, and the edits that make of the text what is put to the engine.

use super::aggregate::Grouping;
use super::kind::Kind;
use super::{RELATIONSHIPS, Unanswerable, size};
use crate::cypher::statement::{Statement, Token, TokenKind};
use crate::document::Json;

/// A name in scope.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub name: String,
    pub kind: Kind,
    /// Whether it may be null although its kind is not.
    pub may_be_null: bool,
    /// Whether it may be a node of the history, which are not all in memory.
    pub may_be_history: bool,
    /// Whether it may be a list, or have one in it.
    pub may_hold_list: bool,
    /// Whether a clause has begun, other than `RETURN`, since it got its name.
    pub is_carried_on: bool,
    /// The most bytes that it may have; of a list, that one element may.
    pub bytes: usize,
}

impl Variable {
    pub fn new(name: &str, kind: Kind, may_be_null: bool) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            may_be_null,
            may_be_history: false,
            may_hold_list: false,
            is_carried_on: false,
            bytes: size::VALUE_BYTES,
        }
    }
}

/// Reads a statement once, from left to right.
pub(super) struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    pub at: usize,
    parameters: &'a [(String, Json)],
    pub scope: Vec<Variable>,
    /// What is put in the place of how many bytes, by where.
    edits: Vec<(usize, usize, String)>,
    relationships: usize,
    /// How many patterns of this part share no name with anything before them, and how many lists are unwound.
    pub products: (usize, usize),
    /// How many rows the lists of this part make at most that are unwound.
    pub unwound: usize,
    /// Nodes of a clause of which only its condition can say that they are none of the history.
    pub unlabelled: Vec<(usize, String)>,
    /// How many names were in scope before the clause in hand.
    pub known_before: usize,
    /// How many subqueries are open.
    pub subqueries: usize,
    /// What the projection in hand is grouped by.
    pub grouping: Grouping,
}

impl<'a> Reader<'a> {
    pub fn new(statement: &'a Statement, parameters: &'a [(String, Json)]) -> Self {
        let (text, tokens) = (statement.text(), statement.tokens());
        Self {
            text,
            tokens,
            at: 0,
            parameters,
            scope: Vec::new(),
            edits: Vec::new(),
            relationships: 0,
            products: (0, 0),
            unwound: 1,
            unlabelled: Vec::new(),
            known_before: 0,
            subqueries: 0,
            grouping: Grouping::default(),
        }
    }

    pub fn token(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub fn after(&self, count: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + count)
    }

    pub fn token_at(&self, at: usize) -> Option<&'a Token> {
        self.tokens.get(at)
    }

    pub fn text_between(&self, start: usize, end: usize) -> &'a str {
        &self.text[start..end]
    }

    pub fn is(&self, mark: char) -> bool {
        self.is_after(0, mark)
    }

    pub fn is_after(&self, count: usize, mark: char) -> bool {
        self.after(count).is_some_and(|token| token.is(mark))
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.is_word_after(0, word)
    }

    pub fn is_word_after(&self, count: usize, word: &str) -> bool {
        self.after(count).is_some_and(|token| token.is_word(word))
    }

    pub fn take(&mut self, mark: char) -> bool {
        let found = self.is(mark);
        self.at += usize::from(found);
        found
    }

    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub fn expect(&mut self, mark: char) -> Result<(), Unanswerable> {
        if self.take(mark) { Ok(()) } else { Err(self.refuse_here(&format!("`{mark}` is expected here"))) }
    }

    /// Refuses what does not have this word so many tokens on: the statement may even have ended.
    pub fn expect_word_after(&self, count: usize, word: &str) -> Result<(), Unanswerable> {
        if self.is_word_after(count, word) {
            Ok(())
        } else {
            Err(self.refuse_here(&format!("{word} is expected after it")))
        }
    }

    /// Takes a name, and puts it in backticks: the engine takes some of them for keywords.
    pub fn name(&mut self) -> Result<String, Unanswerable> {
        let name = match self.token().map(|token| &token.kind) {
            Some(TokenKind::Word(name)) => {
                self.edit_token(format!("`{name}`"));
                name.clone()
            }
            Some(TokenKind::Quoted(name)) if !name.contains('`') => name.clone(),
            _ => return Err(self.refuse_here("a plain name is expected here")),
        };
        self.at += 1;
        Ok(name)
    }

    pub fn is_name(&self) -> bool {
        self.is_name_after(0)
    }

    pub fn is_name_after(&self, count: usize) -> bool {
        matches!(self.after(count).map(|token| &token.kind), Some(TokenKind::Word(_) | TokenKind::Quoted(_)))
    }

    /// Where the token in hand begins.
    pub fn start(&self) -> usize {
        self.token().map_or(self.text.len(), |token| token.start)
    }

    /// Where the last token ended.
    pub fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |at| self.tokens[at].end)
    }

    pub fn written(&self, token: &Token) -> &'a str {
        &self.text[token.start..token.end]
    }

    pub fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.edits.push((at, 0, text.into()));
    }

    pub fn edit_token(&mut self, text: String) {
        if let Some(token) = self.token() {
            self.edits.push((token.start, token.end - token.start, text));
        }
    }

    /// The text with every edit made.
    pub fn edited(&self) -> String {
        let mut edits: Vec<_> = self.edits.iter().collect();
        // Stable: what was inserted at one place first stands first.
        edits.sort_by_key(|(at, ..)| *at);
        let mut edited = String::with_capacity(self.text.len() + 64);
        let mut done = 0;
        for (at, length, text) in edits {
            edited.push_str(&self.text[done..*at]);
            edited.push_str(text);
            done = at + length;
        }
        edited.push_str(&self.text[done..]);
        edited
    }

    pub fn parameter(&self, name: &str) -> Option<&'a Json> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether one of these names was read since `start`.
    pub fn is_named_since(&self, start: usize, names: &[String]) -> bool {
        self.tokens[start..self.at].iter().any(|token| match &token.kind {
            TokenKind::Word(word) | TokenKind::Quoted(word) => names.contains(word),
            _ => false,
        })
    }

    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.scope.iter().rev().find(|variable| variable.name == name)
    }

    pub fn bind(&mut self, name: &str, kind: Kind, may_be_null: bool) {
        self.scope.push(Variable::new(name, kind, may_be_null));
    }

    /// Begins a clause other than `RETURN`.
    pub fn carry_on(&mut self) {
        for variable in &mut self.scope {
            variable.is_carried_on = true;
        }
    }

    /// The name of a relationship that has none; none that anything in the statement has.
    pub fn fresh_name(&mut self) -> Result<String, Unanswerable> {
        self.relationships += 1;
        if self.relationships > RELATIONSHIPS {
            return Err(self.refuse_here(&format!("at most {RELATIONSHIPS} relationships may stand in a statement")));
        }
        let mut name = format!("r_{}", self.relationships);
        let is_taken = |name: &str| {
            self.tokens.iter().any(|token| match &token.kind {
                TokenKind::Word(other) | TokenKind::Quoted(other) => other == name,
                _ => false,
            })
        };
        while is_taken(&name) {
            name.push('_');
        }
        Ok(name)
    }

    pub fn refuse_here(&self, advice: &str) -> Unanswerable {
        let what = self.token().map_or("the end", |token| self.written(token));
        self.refuse(what, advice)
    }

    /// Refuses what stands at the token in hand.
    pub fn refuse(&self, what: &str, advice: &str) -> Unanswerable {
        self.refuse_at(self.at, what, advice)
    }

    pub fn refuse_at(&self, at: usize, what: &str, advice: &str) -> Unanswerable {
        let (line, column) = match self.tokens.get(at).or(self.tokens.last()) {
            Some(token) => (token.line, token.column),
            None => (1, 1),
        };
        let message = format!(
            "{what} at line {line}, column {column} is refused, because the embedded engine might answer it wrongly: {advice}"
        );
        Unanswerable { clause: what.to_owned(), line, column, message }
    }
}

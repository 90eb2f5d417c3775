//! Aggregates, and what stands beside them.
//!
//! Where anything is computed that rows are grouped by, or that an aggregate is made of, the engine takes every name beside it
//! for that of a node: a text becomes 0. Only nodes and whole numbers come out as they were.

use super::Unanswerable;
use super::cursor::Reader;
use super::kind::{Kind, Term};
use crate::cypher::statement::TokenKind;

/// What the rows of a projection are grouped by, and what its aggregates are made of.
#[derive(Default)]
pub(super) struct Grouping {
    /// Where the names stand that are only kept where nothing is computed.
    names: Vec<usize>,
    is_computed: bool,
}

impl Reader<'_> {
    /// An aggregate, its name already read.
    pub fn aggregate(&mut self, start: usize, name: &str) -> Result<Term, Unanswerable> {
        self.expect('(')?;
        let mut result = Term { aggregates: true, ..Term::of(Kind::Integer) };
        if name == "count" && self.take('*') {
            self.expect(')')?;
            return Ok(result);
        }
        let is_distinct = self.take_word("DISTINCT");
        let at = self.at;
        let term = self.expression()?;
        self.grouped(at, &term.kind, name == "count");
        self.expect(')')?;
        let is_scalar = term.kind.is_scalar() && term.kind != Kind::Float;
        let fits = match name {
            _ if term.aggregates => false,
            "count" => {
                is_scalar
                    || matches!(term.kind, Kind::Node | Kind::Relationship)
                    || !is_distinct && term.kind == Kind::Path
            }
            "collect" => is_scalar,
            "min" | "max" => term.kind == Kind::Integer || term.kind == Kind::Text,
            _ => term.kind == Kind::Integer && !is_distinct,
        };
        if !fits {
            let advice = "it is made of texts, whole numbers or true and false, of which the kind is certain; count also of nodes";
            return Err(self.refuse_at(start, name, advice));
        }
        if name == "collect" {
            self.kept(start, "collect", term.bytes)?;
        }
        result.bytes = term.bytes;
        result.kind = match name {
            "collect" => Kind::List(Box::new(term.kind)),
            "min" | "max" => term.kind,
            _ => Kind::Integer,
        };
        result.is_sum = name == "sum";
        Ok(result)
    }

    /// Notes what was read since `start`: a group, or what an aggregate is made of, which may only be counted.
    pub fn grouped(&mut self, start: usize, kind: &Kind, is_counted: bool) {
        let is_kept =
            matches!(kind, Kind::Node | Kind::Integer) || is_counted && matches!(kind, Kind::Relationship | Kind::Path);
        match self.bare_name(start) {
            None => self.grouping.is_computed = true,
            Some(_) if is_kept => {}
            Some(at) => self.grouping.names.push(at),
        }
    }

    /// Refuses a name that would not be kept.
    pub fn names_are_kept(&self) -> Result<(), Unanswerable> {
        match self.grouping.names.first() {
            Some(&at) if self.grouping.is_computed => {
                let what = self.token_at(at).map_or("", |token| self.written(token));
                let advice = "its value gets lost where a column or an aggregate beside it is computed; give each value a name in a \
                              WITH before, and use only these names here";
                Err(self.refuse_at(at, what, advice))
            }
            _ => Ok(()),
        }
    }

    /// Where the name stands that was read since `start`, in brackets or not; `None` where anything else was read.
    fn bare_name(&self, start: usize) -> Option<usize> {
        let (mut first, mut end) = (start, self.at);
        let is = |at: usize, mark| self.token_at(at).is_some_and(|token| token.is(mark));
        while end > first + 2 && is(first, '(') && is(end - 1, ')') {
            (first, end) = (first + 1, end - 1);
        }
        let is_literal = |word: &str| ["TRUE", "FALSE", "NULL"].iter().any(|known| word.eq_ignore_ascii_case(known));
        let is_name = match self.token_at(first).map(|token| &token.kind) {
            Some(TokenKind::Word(word)) => !is_literal(word),
            Some(TokenKind::Quoted(_)) => true,
            _ => false,
        };
        (end == first + 1 && is_name).then_some(first)
    }
}

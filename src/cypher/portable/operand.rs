//! Operands: literals, names, lists, choices, subqueries.

use super::Unanswerable;
use super::cursor::{Reader, Variable};
use super::kind::{Kind, Term, holds_list};
use super::pattern::Place;
use super::size;
use crate::cypher::statement::TokenKind;
use crate::document::Json;

impl Reader<'_> {
    pub fn operand(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let Some(token) = self.token() else { return Err(self.refuse_here("something is missing")) };
        match &token.kind {
            TokenKind::Text => {
                self.at += 1;
                let bytes = self.written(token).len() - 2;
                Ok(Term { bytes, ..Term::literal(Kind::Text, i64::try_from(bytes).ok()) })
            }
            TokenKind::Number => self.number(),
            TokenKind::Parameter(name) => {
                let Some(value) = self.parameter(name) else {
                    return Err(self.refuse(&format!("${name}"), "the parameter has no value"));
                };
                self.at += 1;
                let kind = Kind::of_parameter(value);
                let is_given = matches!(kind, Kind::List(_) | Kind::Map);
                let elements = if let Json::Array(elements) = value { elements.len() } else { size::ELEMENTS };
                let bytes = size::of_parameter(value);
                Ok(Term { is_given, is_flat: !holds_list(value), bytes, elements, ..Term::of(kind) })
            }
            TokenKind::Mark('(') if self.is_pattern() => {
                if !patterns {
                    return Err(
                        self.refuse_here("a pattern stands after WHERE, AND, OR and NOT only; else write EXISTS { … }")
                    );
                }
                let at = self.at;
                let mut steps = Vec::new();
                self.chain(Place::Expression, &mut steps, false)?;
                self.surely_differ(&steps, at)?;
                Ok(Term::variable(Kind::Boolean))
            }
            TokenKind::Mark('(') => {
                self.at += 1;
                let term = self.either(patterns)?;
                self.expect(')')?;
                Ok(Term { literal: None, ..term })
            }
            TokenKind::Mark('[') => self.list(),
            TokenKind::Mark('{') => Err(self.refuse_here("give each value of the map a column of its own")),
            TokenKind::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NULL" => {
                    self.at += 1;
                    Ok(Term::of(Kind::Null))
                }
                "TRUE" | "FALSE" => {
                    self.at += 1;
                    Ok(Term::literal(Kind::Boolean, None))
                }
                "CASE" => self.case(),
                "EXISTS" | "COUNT" | "COLLECT" if self.is_after(1, '{') => self.subquery(),
                _ => self.named(),
            },
            TokenKind::Quoted(_) => self.named(),
            TokenKind::Mark(_) | TokenKind::Range => Err(self.refuse_here("it is not known here")),
        }
    }

    fn named(&mut self) -> Result<Term, Unanswerable> {
        let mut dots = 1;
        while self.is_after(dots, '.') && self.is_name_after(dots + 1) {
            dots += 2;
        }
        if self.is_after(dots, '(') {
            return self.call(dots > 1);
        }
        let at = self.at;
        let name = self.name()?;
        let Some(known) = self.variable(&name) else {
            return Err(self.refuse_at(at, &name, "the name is not known here"));
        };
        // The engine forgets a list that it has unwound.
        if known.may_hold_list && (known.is_carried_on || self.subqueries > 0) {
            let advice = "it may be a list or hold one, and the name of a list is used only in the RETURN right after it; write \
                          the list itself or a parameter here, or go on with its elements as rows";
            return Err(self.refuse_at(at, &name, advice));
        }
        Ok(Term { is_flat: !known.may_hold_list, bytes: known.bytes, ..Term::variable(known.kind.clone()) })
    }

    fn number(&mut self) -> Result<Term, Unanswerable> {
        let Some(token) = self.token() else { return Err(self.refuse_here("a number is missing")) };
        let written = self.written(token);
        let is_whole = written.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<i64> = written.parse().ok().filter(|number: &i64| *number < 1 << 53);
        if is_whole && number.is_none() || written.starts_with("0x") || written.starts_with("0o") {
            return Err(self.refuse_here("write a whole number below 2^53, in decimal"));
        }
        self.at += 1;
        Ok(Term::literal(if is_whole { Kind::Integer } else { Kind::Float }, number))
    }

    /// Whether a bracket begins a pattern: a node, then a relationship.
    fn is_pattern(&self) -> bool {
        let mut depth = 0_usize;
        let mut count = 0;
        while let Some(token) = self.after(count) {
            match token.kind {
                TokenKind::Mark('(' | '[' | '{') => depth += 1,
                TokenKind::Mark(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
            count += 1;
            if depth == 0 {
                break;
            }
        }
        let dash = count + usize::from(self.is_after(count, '<'));
        self.is_after(dash, '-') && (self.is_after(dash + 1, '-') || self.is_after(dash + 1, '['))
    }

    fn case(&mut self) -> Result<Term, Unanswerable> {
        self.at += 1;
        let subject = if self.is_word("WHEN") { None } else { Some(self.expression()?) };
        let mut parts: Vec<Term> = Vec::new();
        let mut kind = Kind::Null;
        while self.take_word("WHEN") {
            let at = self.at;
            let condition = if subject.is_some() { self.expression()? } else { self.predicate()? };
            if let Some(subject) = &subject {
                self.compared(at, "=", subject, &condition)?;
            } else if !matches!(condition.kind, Kind::Boolean | Kind::Null) {
                return Err(self.refuse_at(at, "WHEN", "what follows must be true or false for certain"));
            }
            if !self.take_word("THEN") {
                return Err(self.refuse_here("THEN is expected here"));
            }
            let value = self.expression()?;
            kind = kind.or(value.kind.clone());
            parts.extend([condition, value]);
        }
        if self.take_word("ELSE") {
            let value = self.expression()?;
            kind = kind.or(value.kind.clone());
            parts.push(value);
        }
        if !self.take_word("END") {
            return Err(self.refuse_here("END is expected here"));
        }
        parts.extend(subject);
        Ok(Term::made_of(kind, &parts.iter().collect::<Vec<_>>()))
    }

    /// `EXISTS { … }` and `COUNT { … }`
    fn subquery(&mut self) -> Result<Term, Unanswerable> {
        let is_count = self.is_word("COUNT");
        if self.is_word("COLLECT") {
            return Err(self.refuse_here("match what is to be collected, and use collect(…)"));
        }
        self.at += 2;
        let outer = self.scope.len();
        self.subqueries += 1;
        if self.is_word("MATCH") {
            while self.take_word("MATCH") {
                let steps = self.patterns(false)?;
                self.distinct(&steps)?;
            }
        } else {
            let steps = self.patterns(false)?;
            self.distinct(&steps)?;
        }
        if !self.is('}') {
            return Err(self.refuse_here("a subquery has MATCH and WHERE only"));
        }
        self.at += 1;
        self.subqueries -= 1;
        self.scope.truncate(outer);
        Ok(Term::variable(if is_count { Kind::Integer } else { Kind::Boolean }))
    }

    /// A list, or one made of another: `[x IN list WHERE … | …]`.
    fn list(&mut self) -> Result<Term, Unanswerable> {
        let start = self.at;
        self.at += 1;
        if self.is('(') || self.is_name() && self.is_after(1, '=') {
            return Err(self.refuse_at(start, "a list of what a pattern matches", "match it, and use collect(…)"));
        }
        if self.is_name() && self.is_word_after(1, "IN") {
            let term = self.comprehension(start)?;
            self.expect(']')?;
            return Ok(term);
        }
        let mut kind = Kind::Null;
        let (mut count, mut bytes) = (0, size::VALUE_BYTES);
        while !self.is(']') {
            let at = self.at;
            let term = self.expression()?;
            if term.literal.is_none() || count > 0 && term.kind != kind {
                let advice = "in a list write texts or numbers, all of one kind; pass other lists as a parameter";
                return Err(self.refuse_at(at, "this element of a list", advice));
            }
            (kind, count, bytes) = (term.kind, count + 1, bytes.max(term.bytes));
            if !self.take(',') {
                break;
            }
        }
        self.expect(']')?;
        Ok(Term { bytes, elements: count, ..Term::of(Kind::List(Box::new(kind))) })
    }

    fn comprehension(&mut self, start: usize) -> Result<Term, Unanswerable> {
        let (list, outer) = self.each(start)?;
        let condition = if self.take_word("WHERE") { self.truth()? } else { Term::of(Kind::Boolean) };
        let value = if self.take('|') { self.expression()? } else { Term::of(list.kind.element()) };
        self.scope.truncate(outer);
        if value.kind == Kind::Node || value.kind == Kind::Relationship || matches!(value.kind, Kind::Any) {
            return Err(self.refuse_at(
                start,
                "a list made of another",
                "each element must be a text, a number, true or false",
            ));
        }
        // A value that is null would be left out by the engine: only what a list has already is certain to be none.
        let is_certain = value.literal.is_some() || list.kind.element() == value.kind;
        if !is_certain {
            return Err(self.refuse_at(start, "a list made of another", "UNWIND the list, and use collect(…)"));
        }
        Ok(Term::made_of(Kind::List(Box::new(value.kind.clone())), &[&list, &condition]))
    }

    /// `x IN list`, and how many names were in scope before.
    pub fn each(&mut self, start: usize) -> Result<(Term, usize), Unanswerable> {
        let outer = self.scope.len();
        let name = self.new_name()?;
        if !self.take_word("IN") {
            return Err(self.refuse_here("IN is expected here"));
        }
        let list = self.sum(false)?;
        if list.aggregates || list.is_given || !matches!(list.kind, Kind::List(_)) {
            return Err(self.refuse_at(start, "this list", "it must be a list for certain, and no aggregate"));
        }
        let element = list.kind.element();
        if matches!(element, Kind::Node | Kind::Relationship | Kind::Any | Kind::Map | Kind::List(_)) {
            return Err(self.refuse_at(start, "this list", "its elements must be texts or numbers; else UNWIND it"));
        }
        self.scope.push(Variable { bytes: list.bytes, ..Variable::new(&name, element, true) });
        Ok((list, outer))
    }

    /// A condition inside of an expression.
    pub fn truth(&mut self) -> Result<Term, Unanswerable> {
        let at = self.at;
        let term = self.expression()?;
        if term.aggregates || !matches!(term.kind, Kind::Boolean | Kind::Null) {
            return Err(self.refuse_at(at, "the condition", "it must be true or false for certain"));
        }
        Ok(term)
    }
}

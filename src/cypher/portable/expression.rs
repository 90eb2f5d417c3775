//! Expressions: read by precedence, each with the kind of its value.

use super::cursor::Reader;
use super::kind::{Kind, Term};
use super::{Unanswerable, size};
use crate::cypher::statement::TokenKind;

impl Reader<'_> {
    /// An expression that is no condition made of patterns.
    pub fn expression(&mut self) -> Result<Term, Unanswerable> {
        self.either(false)
    }

    /// An expression in which patterns may stand as conditions.
    pub fn predicate(&mut self) -> Result<Term, Unanswerable> {
        self.either(true)
    }

    pub fn either(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let mut term = self.both(patterns)?;
        while self.is_word("OR") || self.is_word("XOR") {
            let at = self.at;
            if self.is_word("XOR") {
                return Err(self.refuse_here("write (a OR b) AND NOT (a AND b)"));
            }
            self.at += 1;
            let right = self.both(patterns)?;
            term = self.logical(at, &term, &right)?;
        }
        Ok(term)
    }

    fn both(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let mut term = self.negated(patterns)?;
        while self.is_word("AND") {
            let at = self.at;
            self.at += 1;
            let right = self.negated(patterns)?;
            term = self.logical(at, &term, &right)?;
        }
        Ok(term)
    }

    fn logical(&self, at: usize, left: &Term, right: &Term) -> Result<Term, Unanswerable> {
        let is_truth = |term: &Term| matches!(term.kind, Kind::Boolean | Kind::Null);
        if is_truth(left) && is_truth(right) {
            return Ok(Term::made_of(Kind::Boolean, &[left, right]));
        }
        Err(self.refuse_at(at, "AND or OR", "both sides must be true or false for certain"))
    }

    fn negated(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let at = self.at;
        // Counted, not called again: there may be thousands.
        let mut count = 0;
        while self.take_word("NOT") {
            count += 1;
        }
        let term = self.comparison(patterns)?;
        if count == 0 {
            return Ok(term);
        }
        if count > 1 || !matches!(term.kind, Kind::Boolean | Kind::Null) {
            return Err(self.refuse_at(at, "NOT", "one NOT, before what is true or false for certain"));
        }
        Ok(Term::made_of(Kind::Boolean, &[&term]))
    }

    fn comparison(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let left = self.sum(patterns)?;
        let at = self.at;
        let Some(operator) = self.operator()? else { return Ok(left) };
        let result = match operator {
            "IS" => Term::made_of(Kind::Boolean, &[&left]),
            _ => {
                let right = self.sum(false)?;
                self.compared(at, operator, &left, &right)?
            }
        };
        let next = self.at;
        if self.operator()?.is_some() {
            return Err(self.refuse_at(next, "a comparison of a comparison", "join two comparisons with AND"));
        }
        Ok(result)
    }

    /// Takes an operator that compares; of `IS [NOT] NULL` all three words.
    fn operator(&mut self) -> Result<Option<&'static str>, Unanswerable> {
        let one = |mark: char| self.is(mark);
        let two = |first: char, second: char| {
            let (Some(left), Some(right)) = (self.token(), self.after(1)) else { return false };
            left.is(first) && right.is(second) && left.end == right.start
        };
        let (length, operator) = if two('<', '>') {
            (2, "<>")
        } else if two('<', '=') {
            (2, "<=")
        } else if two('>', '=') {
            (2, ">=")
        } else if two('=', '~') {
            (2, "=~")
        } else if one('=') {
            (1, "=")
        } else if one('<') {
            (1, "<")
        } else if one('>') {
            (1, ">")
        } else if self.is_word("STARTS") || self.is_word("ENDS") {
            self.expect_word_after(1, "WITH")?;
            (2, "STARTS WITH")
        } else if self.is_word("CONTAINS") {
            (1, "CONTAINS")
        } else if self.is_word("IN") {
            (1, "IN")
        } else if self.is_word("IS") {
            let before = 1 + usize::from(self.is_word_after(1, "NOT"));
            self.expect_word_after(before, "NULL")?;
            (before + 1, "IS")
        } else {
            return Ok(None);
        };
        self.at += length;
        Ok(Some(operator))
    }

    /// What a comparison of the two is.
    pub fn compared(&self, at: usize, operator: &str, left: &Term, right: &Term) -> Result<Term, Unanswerable> {
        use Kind::{Any, List, Node, Null, Relationship, Text};
        let (one, other) = (&left.kind, &right.kind);
        let is_null = *one == Null || *other == Null;
        let fits = match operator {
            "=" | "<>" => match (one, other) {
                (Node, Node) | (Relationship, Relationship) => true,
                (Any, kind) | (kind, Any) => kind.is_scalar() || *kind == Null,
                _ => is_null || one.is_scalar() && other.is_scalar(),
            },
            "IN" => match other {
                List(element) if **element == Null => true,
                List(element) => {
                    *one == Null || *one == **element && (one.is_scalar() || matches!(one, Node | Relationship))
                }
                _ => false,
            },
            "<" | "<=" | ">" | ">=" => {
                is_null || one.is_ordered() && (one == other || one.is_number() && other.is_number())
            }
            "=~" => *one == Text && *other == Text && self.is_plain_expression(),
            _ => is_null || *one == Text && *other == Text,
        };
        if fits {
            return Ok(Term::made_of(Kind::Boolean, &[left, right]));
        }
        let advice = match operator {
            "=~" => "a regular expression is a text in quotes, of letters, digits and . * + ? | ( ) [ ] - _ /",
            "IN" => "the list must be one of texts, of numbers or of nodes, as what is looked for in it",
            _ => "it cannot be told that both sides are of one kind; times are texts here: compare them with texts",
        };
        Err(self.refuse_at(at, operator, advice))
    }

    /// Whether the token before is a regular expression that every engine reads alike.
    fn is_plain_expression(&self) -> bool {
        let Some(token) = self.at.checked_sub(1).and_then(|at| self.token_at(at)) else { return false };
        let text = self.written(token);
        token.kind == TokenKind::Text
            && !text.contains("(?")
            && !text.contains("[[")
            && !text.contains("--")
            && text[1..text.len() - 1]
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || " .*+?|()[]-_/:,".contains(character))
    }

    /// What stands on one side of a comparison.
    pub fn sum(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let mut term = self.product(patterns)?;
        while self.is('+') || self.is('-') && !self.is_after(1, '-') && !self.is_after(1, '[') {
            let (at, is_plus) = (self.at, self.is('+'));
            self.at += 1;
            let right = self.product(false)?;
            let texts = is_plus && term.kind == Kind::Text && right.kind == Kind::Text;
            term = if texts {
                let joined = Term::made_of(Kind::Text, &[&term, &right]);
                let bytes = joined.bytes;
                self.grown(at, "this text", joined, bytes)?
            } else {
                self.calculated(at, &term, &right)?
            };
        }
        Ok(term)
    }

    fn product(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let mut term = self.signed(patterns)?;
        loop {
            let at = self.at;
            if self.is('^') {
                return Err(self.refuse_here("write the product out"));
            }
            let divides = self.is('/') || self.is('%');
            if !divides && !self.is('*') {
                return Ok(term);
            }
            self.at += 1;
            let right = self.signed(false)?;
            if divides && !matches!(right.literal, Some(Some(number)) if number != 0) {
                return Err(self.refuse_at(
                    at,
                    "this division",
                    "divide by a number that is written here and is not 0",
                ));
            }
            term = self.calculated(at, &term, &right)?;
        }
    }

    fn calculated(&self, at: usize, left: &Term, right: &Term) -> Result<Term, Unanswerable> {
        if left.kind == Kind::Integer && right.kind == Kind::Integer && !left.is_sum && !right.is_sum {
            return Ok(Term::made_of(Kind::Integer, &[left, right]));
        }
        Err(self.refuse_at(at, "this calculation", "both sides must be whole numbers for certain, or for + both texts"))
    }

    fn signed(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let at = self.at;
        if !self.is('-') && !self.is('+') {
            return self.part_of(patterns);
        }
        self.at += 1;
        let term = self.part_of(false)?;
        match term.literal {
            Some(Some(number)) if term.kind == Kind::Integer => {
                let is_minus = self.token_at(at).is_some_and(|sign| sign.is('-'));
                Ok(Term::literal(Kind::Integer, Some(if is_minus { -number } else { number })))
            }
            _ => Err(self.refuse_at(at, "this sign", "a sign stands before a number; else write 0 - x")),
        }
    }

    /// An operand and what is taken of it: `n.name`, `n:Label`, `list[0]`.
    fn part_of(&mut self, patterns: bool) -> Result<Term, Unanswerable> {
        let start = self.at;
        let mut term = self.operand(patterns)?;
        loop {
            if self.take('.') {
                let name = self.name()?;
                term = match term.kind {
                    Kind::Node | Kind::Relationship => {
                        let kind = Kind::of_property(&name);
                        Term { bytes: size::of_property(&kind, &name), ..Term::made_of(kind, &[&term]) }
                    }
                    Kind::Map | Kind::Any | Kind::Null => Term::made_of(Kind::Any, &[&term]),
                    _ => {
                        return Err(self.refuse_at(
                            start,
                            "a property",
                            "only nodes and relationships have properties here",
                        ));
                    }
                };
            } else if self.is(':') && term.kind == Kind::Node {
                self.at += 1;
                self.name()?;
                if self.is(':') || self.is('|') || self.is('&') {
                    return Err(self.refuse_here("a node has one label; write n:A OR n:B"));
                }
                term = Term::made_of(Kind::Boolean, &[&term]);
            } else if self.is('[') {
                let at = self.at;
                if term.aggregates || term.is_given || !matches!(term.kind, Kind::List(_)) {
                    return Err(self.refuse_at(
                        at,
                        "a part of this",
                        "name the list in a WITH before, and take the part then",
                    ));
                }
                term = self.element(&term)?;
            } else if self.is('{') {
                return Err(self.refuse_here("name the properties one by one"));
            } else {
                return Ok(term);
            }
        }
    }

    /// `[0]`, `[-1]`, `[0..2]`
    fn element(&mut self, list: &Term) -> Result<Term, Unanswerable> {
        self.expect('[')?;
        let mut is_slice = false;
        while !self.is(']') {
            match self.token().map(|token| &token.kind) {
                Some(TokenKind::Number) => {}
                Some(TokenKind::Mark('-')) if self.after(1).is_some_and(|next| next.kind == TokenKind::Number) => {}
                Some(TokenKind::Range) => is_slice = true,
                _ => return Err(self.refuse_here("parts of lists are taken by numbers that are written here")),
            }
            self.at += 1;
        }
        self.expect(']')?;
        Ok(Term::made_of(if is_slice { list.kind.clone() } else { list.kind.element() }, &[list]))
    }
}

//! Patterns, and which of their relationships might be the same one.

use super::cursor::Reader;
use super::kind::Kind;
use super::{PRODUCTS, Unanswerable};
use crate::cypher::statement::TokenKind;

/// A relationship of a pattern.
#[derive(Debug)]
pub(super) struct Step {
    pub name: String,
    /// Empty: any.
    pub types: Vec<String>,
    pub direction: Direction,
    /// Whether it stands for several in a row.
    pub is_long: bool,
    /// Whether it may stand for none at all.
    pub may_be_none: bool,
    /// Those next to each other that lead the same way have the same number.
    pub run: usize,
    /// Where a name can be put, and how; absent where it has one.
    pub place: Option<(usize, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Right,
    Left,
    Both,
}

/// A node of a pattern.
struct Seen {
    name: Option<String>,
    /// Whether it is for certain no part of the history, so that what hangs together with it is none either.
    is_beside: bool,
    /// Whether it has a label, or is known.
    is_told: bool,
}

/// Where a pattern stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a `MATCH`, where it may bring new names.
    Clause { is_optional: bool },
    /// Inside of an expression, where nothing can be added to it.
    Expression,
}

impl Reader<'_> {
    /// The patterns of a `MATCH`, and their relationships.
    pub fn patterns(&mut self, is_optional: bool) -> Result<Vec<Step>, Unanswerable> {
        let place = Place::Clause { is_optional };
        let mut steps = Vec::new();
        self.known_before = self.scope.len();
        let mut is_first = true;
        loop {
            self.pattern(is_first, place, &mut steps)?;
            is_first = false;
            if !self.take(',') {
                return Ok(steps);
            }
        }
    }

    fn pattern(&mut self, is_first: bool, place: Place, steps: &mut Vec<Step>) -> Result<(), Unanswerable> {
        let (start, known) = (self.at, self.scope.len());
        self.one_pattern(is_first, place, steps)?;
        let names: Vec<_> = self.scope[..known].iter().map(|variable| variable.name.clone()).collect();
        if matches!(place, Place::Clause { .. }) && !self.is_named_since(start, &names) {
            self.products.0 += 1;
        }
        if self.products.0 > PRODUCTS {
            let advice = "more than two patterns that share no name are a product of everything with everything; join them by names";
            return Err(self.refuse_at(start, "a pattern that hangs together with nothing", advice));
        }
        Ok(())
    }

    fn one_pattern(&mut self, is_first: bool, place: Place, steps: &mut Vec<Step>) -> Result<(), Unanswerable> {
        let start = self.at;
        let path = if self.is_name() && self.is_after(1, '=') {
            let name = self.new_name()?;
            self.at += 1;
            Some(name)
        } else {
            None
        };
        let first = steps.len();
        let is_shortest =
            ["shortestPath", "allShortestPaths"].iter().any(|word| self.is_word(word)) && self.is_after(1, '(');
        if is_shortest {
            self.at += 2;
            self.chain(place, steps, true)?;
            self.expect(')')?;
            if steps.len() != first + 1 || !steps[first].is_long {
                return Err(self.refuse_at(
                    start,
                    "a shortest path",
                    "it is found over one relationship of any length: ()-[*..10]-()",
                ));
            }
            if !is_first || self.is(',') {
                return Err(self.refuse_at(
                    start,
                    "a shortest path beside other patterns",
                    "give it a MATCH of its own",
                ));
            }
        } else {
            self.chain(place, steps, false)?;
        }
        let Some(path) = path else { return Ok(()) };
        if !is_shortest && steps.len() != first + 1 {
            let advice = "a path is named only where it has one relationship; name the nodes and relationships instead";
            return Err(self.refuse_at(start, "a named path", advice));
        }
        self.bind(&path, Kind::Path, place == Place::Clause { is_optional: true });
        Ok(())
    }

    /// Nodes and the relationships between them. Its relationships are added to `steps`.
    pub fn chain(&mut self, place: Place, steps: &mut Vec<Step>, is_shortest: bool) -> Result<(), Unanswerable> {
        let (first, start) = (steps.len(), self.at);
        let node = self.node(place)?;
        let mut is_beside = node.is_beside;
        let mut before = node.name.clone();
        while self.is('-') || self.is('<') {
            let at = self.at;
            let mut step = self.step(place, is_shortest)?;
            step.run = match steps.last() {
                Some(last) if steps.len() > first && last.direction == step.direction => last.run,
                _ => steps.len(),
            };
            let is_known = |reader: &Self, name: &Option<String>| {
                name.as_deref().is_some_and(|name| reader.variable(name).is_some())
            };
            let is_loose = !step.is_long || is_shortest || !is_known(self, &self.name_of_node());
            is_beside |= !step.types.is_empty() && !step.may_be_none;
            steps.push(step);
            if !is_loose {
                let advice =
                    "a path of any length leads to a node that has no name before; compare the two with WHERE a = b";
                return Err(self.refuse_at(at, "a path of any length to a node that is known", advice));
            }
            let node = self.node(place)?;
            if before.is_some() && before == node.name {
                return Err(self.refuse_at(
                    at,
                    "a relationship from a node to itself",
                    "nothing in this graph leads back to itself",
                ));
            }
            is_beside |= node.is_beside;
            before = node.name;
        }
        let is_alone = steps.len() == first;
        if is_beside || is_alone && node.is_told {
            return Ok(());
        }
        // What is alone may have its label from the condition.
        match node.name.filter(|_| is_alone && place != Place::Expression) {
            Some(name) => self.unlabelled.push((start, name)),
            None => return Err(self.refuse_history(start)),
        }
        Ok(())
    }

    /// The name of the node that comes next, where it has one.
    fn name_of_node(&self) -> Option<String> {
        match self.after(1).map(|token| &token.kind) {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) if self.is('(') => Some(name.clone()),
            _ => None,
        }
    }

    /// Whether a name was brought in by the clause in hand.
    fn is_new(&self, name: &str) -> bool {
        self.scope[self.known_before.min(self.scope.len())..].iter().any(|known| known.name == name)
    }

    fn node(&mut self, place: Place) -> Result<Seen, Unanswerable> {
        self.expect('(')?;
        let mut seen = Seen { name: None, is_beside: false, is_told: false };
        if self.is_name() && !self.is_word("WHERE") {
            let at = self.at;
            let name = self.name()?;
            if let Some(known) = self.variable(&name) {
                (seen.is_beside, seen.is_told) = (!known.may_be_history, true);
            }
            seen.name = Some(name.clone());
            match (self.variable(&name).map(|known| (known.kind.clone(), known.may_be_null)), place) {
                (None, Place::Clause { is_optional }) => self.bind(&name, Kind::Node, is_optional),
                (None, Place::Expression) => return Err(self.refuse_at(at, &name, "the name is not known here")),
                (Some((Kind::Node, _)), Place::Clause { is_optional: true }) if self.is_new(&name) => {
                    return Err(self.refuse_at(at, &name, "in an OPTIONAL MATCH each new name stands once"));
                }
                (Some((Kind::Node, false)), _) | (Some((Kind::Node, true)), Place::Clause { is_optional: true }) => {}
                (Some((Kind::Node, true)), _) => {
                    let advice = "after an OPTIONAL MATCH it may be null; match it without OPTIONAL, or go on with OPTIONAL MATCH";
                    return Err(self.refuse_at(at, &name, advice));
                }
                (Some(_), _) => return Err(self.refuse_at(at, &name, "it is no node")),
            }
        }
        if self.take(':') {
            let label = self.name()?;
            if self.is(':') || self.is('|') || self.is('&') {
                return Err(self.refuse_here("a node has one label; write WHERE n:A OR n:B"));
            }
            let is_change = label == "Change";
            seen.is_beside |= !is_change;
            // A change is in memory; its parts, which any relationship leads to, are not.
            seen.is_told = true;
            if let Some(variable) =
                seen.name.as_ref().and_then(|name| self.scope.iter_mut().rev().find(|known| known.name == *name))
            {
                variable.may_be_history |= is_change;
            }
        }
        self.properties()?;
        if self.is_word("WHERE") {
            return Err(self.refuse_here("write the condition after the pattern"));
        }
        self.expect(')')?;
        Ok(seen)
    }

    fn step(&mut self, place: Place, is_shortest: bool) -> Result<Step, Unanswerable> {
        let start = self.at;
        let to_left = self.take('<');
        self.expect('-')?;
        let mut step = Step {
            name: self.fresh_name()?,
            types: Vec::new(),
            direction: Direction::Both,
            is_long: false,
            may_be_none: false,
            run: 0,
            place: Some((self.start(), true)),
        };
        if self.take('[') {
            step.place = Some((self.start(), false));
            self.inside(&mut step, place)?;
            self.expect(']')?;
        }
        self.expect('-')?;
        let to_right = self.take('>');
        step.direction = match (to_left, to_right) {
            (true, true) => return Err(self.refuse_at(start, "<-->", "leave both arrows out")),
            (true, false) => Direction::Left,
            (false, true) => Direction::Right,
            (false, false) => Direction::Both,
        };
        if step.is_long && step.direction == Direction::Both && !is_shortest {
            let advice = "a path of any length needs a direction, or shortestPath(…) around it";
            return Err(self.refuse_at(start, "a path of any length in both directions", advice));
        }
        Ok(step)
    }

    /// What stands in the brackets of a relationship.
    fn inside(&mut self, step: &mut Step, place: Place) -> Result<(), Unanswerable> {
        let named_at = self.at;
        let mut is_named = false;
        if self.is_name() && !self.is_word("WHERE") {
            let Place::Clause { is_optional } = place else {
                return Err(self.refuse_here("leave out the name of the relationship here, or write EXISTS { … }"));
            };
            step.name = self.new_name()?;
            step.place = None;
            is_named = true;
            self.bind(&step.name, Kind::Relationship, is_optional);
        }
        if self.take(':') {
            loop {
                step.types.push(self.name()?);
                if !self.take('|') {
                    break;
                }
                if self.is(':') {
                    return Err(self.refuse_here("write the types as :A|B"));
                }
            }
        }
        if self.take('*') {
            step.is_long = true;
            if is_named {
                let advice = "leave its name out: it stands for many relationships";
                return Err(self.refuse_at(named_at, "a relationship of any length with a name", advice));
            }
            let least = self.length();
            step.may_be_none = least == Some(0);
            if self.is('{') {
                return Err(self.refuse_here("properties along a path of any length are not asked here"));
            }
        }
        self.properties()?;
        if self.is_word("WHERE") { Err(self.refuse_here("write the condition after the pattern")) } else { Ok(()) }
    }

    /// The least of a length: `*`, `*2`, `*1..3`, `*..3`, `*2..`
    fn length(&mut self) -> Option<u64> {
        let is_number = |reader: &Self| reader.token().is_some_and(|token| token.kind == TokenKind::Number);
        let mut least = None;
        if is_number(self) {
            least = self.token().and_then(|token| self.written(token).parse().ok());
            self.at += 1;
        }
        if self.token().is_some_and(|token| token.kind == TokenKind::Range) {
            self.at += 1;
            if is_number(self) {
                self.at += 1;
            }
        }
        least
    }

    /// `{name: 'shop'}`: values that are the same for every row.
    fn properties(&mut self) -> Result<(), Unanswerable> {
        if !self.take('{') || self.take('}') {
            return Ok(());
        }
        loop {
            self.name()?;
            self.expect(':')?;
            let at = self.at;
            let term = self.expression()?;
            let is_parameter = self.at == at + 1
                && self.token_at(at).is_some_and(|token| matches!(token.kind, TokenKind::Parameter(_)));
            if term.literal.is_none() && !is_parameter || !term.kind.is_scalar() {
                let advice = "in a pattern write a text, a number, true or false; everything else after WHERE";
                return Err(self.refuse_at(at, "this value of a property", advice));
            }
            if !self.take(',') {
                return self.expect('}');
            }
        }
    }
}

//! Functions: those that were seen to answer as Neo4j's do, with the kinds of their arguments.

use super::Unanswerable;
use super::cursor::Reader;
use super::kind::{Kind, Term};

/// The most numbers of a range.
const RANGE: i64 = 10_000;

impl Reader<'_> {
    /// A call, the name of the function in hand; one with a namespace has dots in it.
    pub fn call(&mut self, has_namespace: bool) -> Result<Term, Unanswerable> {
        let start = self.at;
        let written = self.token().map_or("", |token| self.written(token));
        let name = written.to_ascii_lowercase();
        let unknown = |reader: &Self| {
            let advice = match name.as_str() {
                "date" | "datetime" | "localdatetime" | "time" | "localtime" | "duration" | "timestamp" => {
                    "times are texts here, and compare as texts; pass the time as a text"
                }
                "range" => "its ends are numbers that are written here, not more than 10,000 apart",
                "avg" => "return coalesce(sum(x), 0) and count(x)",
                "exists" => "write EXISTS { … }, or IS NOT NULL",
                "nodes" | "relationships" => "name the nodes and relationships of the pattern",
                "startnode" | "endnode" => "name the nodes of the pattern",
                _ => "it is not on the list of functions that are certain to be answered alike",
            };
            Err(reader.refuse_at(start, &format!("the function {written}"), advice))
        };
        if has_namespace {
            return unknown(self);
        }
        self.at += 1;
        match name.as_str() {
            "all" | "any" | "none" | "single" => return self.quantifier(start),
            "count" | "collect" | "min" | "max" | "sum" => return self.aggregate(start, &name),
            _ => {}
        }
        let arguments = self.arguments()?;
        let parts: Vec<&Term> = arguments.iter().collect();
        let kinds: Vec<&Kind> = arguments.iter().map(|argument| &argument.kind).collect();
        if arguments.iter().any(|argument| argument.is_given) {
            let advice =
                "a list or a map that is a parameter stands after IN or UNWIND, or a value of it is taken by name";
            return Err(self.refuse_at(start, &format!("the function {written}"), advice));
        }
        let kind = match (name.as_str(), kinds.as_slice()) {
            ("coalesce", [first, rest @ ..]) => {
                let kind = rest.iter().fold((*first).clone(), |kind, other| kind.or((*other).clone()));
                if !kind.is_scalar() && !matches!(kind, Kind::Node | Kind::Relationship) {
                    return Err(self.refuse_at(
                        start,
                        "coalesce",
                        "its values must be texts, numbers or nodes, all of one kind",
                    ));
                }
                let term = Term::made_of(kind, &parts);
                // Now a sum of nothing is what Cypher says it is.
                let zero =
                    arguments.get(1).is_some_and(|zero| zero.kind == Kind::Integer && zero.literal == Some(Some(0)));
                let is_bare = parts.iter().any(|part| part.is_sum) && !(parts[0].is_sum && parts.len() == 2 && zero);
                return if is_bare {
                    Err(self.refuse_at(start, "sum", "write coalesce(sum(…), 0)"))
                } else {
                    Ok(term)
                };
            }
            ("size", [Kind::List(_)]) if !parts[0].aggregates => Kind::Integer,
            ("size", [Kind::Text]) | ("length", [Kind::Path]) => Kind::Integer,
            ("type", [Kind::Relationship]) => Kind::Text,
            ("labels", [Kind::Node]) => Kind::List(Box::new(Kind::Text)),
            ("head" | "last", [list @ Kind::List(_)]) if !parts[0].aggregates => list.element(),
            ("toupper" | "tolower" | "trim" | "ltrim" | "rtrim" | "reverse", [Kind::Text]) => Kind::Text,
            ("replace", [Kind::Text, Kind::Text, Kind::Text]) if is_filled(&arguments[1]) => {
                let bytes = parts[0].bytes.saturating_mul(parts[2].bytes.max(1));
                return self.grown(start, "replace", Term::made_of(Kind::Text, &parts), bytes);
            }
            ("left" | "right", [Kind::Text, Kind::Integer]) if is_number(&arguments[1]) => Kind::Text,
            ("substring", [Kind::Text, Kind::Integer]) if is_number(&arguments[1]) => Kind::Text,
            ("substring", [Kind::Text, Kind::Integer, Kind::Integer])
                if is_number(&arguments[1]) && is_number(&arguments[2]) =>
            {
                Kind::Text
            }
            ("tostring", [Kind::Integer | Kind::Text | Kind::Boolean]) => Kind::Text,
            ("abs" | "sign", [Kind::Integer]) => Kind::Integer,
            ("range", [Kind::Integer, Kind::Integer]) if let Some(elements) = short(&arguments) => {
                return Ok(Term { elements, ..Term::made_of(Kind::List(Box::new(Kind::Integer)), &parts) });
            }
            _ => return unknown(self),
        };
        if parts.iter().any(|part| part.is_sum) {
            return Err(self.refuse_at(start, "sum", "write coalesce(sum(…), 0)"));
        }
        Ok(Term::made_of(kind, &parts))
    }

    fn arguments(&mut self) -> Result<Vec<Term>, Unanswerable> {
        self.expect('(')?;
        let mut arguments = Vec::new();
        if self.take(')') {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if !self.take(',') {
                self.expect(')')?;
                return Ok(arguments);
            }
        }
    }

    /// `any(x IN list WHERE …)`
    fn quantifier(&mut self, start: usize) -> Result<Term, Unanswerable> {
        self.expect('(')?;
        let (list, outer) = self.each(start)?;
        if !self.take_word("WHERE") {
            return Err(self.refuse_here("WHERE is expected here"));
        }
        let condition = self.truth()?;
        self.scope.truncate(outer);
        self.expect(')')?;
        Ok(Term::made_of(Kind::Boolean, &[&list, &condition]))
    }
}

/// How many numbers a range has, if it is one of few numbers that are written here: the engine makes all of them before it
/// looks at one.
fn short(ends: &[Term]) -> Option<usize> {
    let (first, last) = (ends[0].literal??, ends[1].literal??);
    let apart = last.saturating_sub(first);
    (apart <= RANGE).then(|| usize::try_from(apart + 1).unwrap_or(0))
}

fn is_number(term: &Term) -> bool {
    matches!(term.literal, Some(Some(number)) if number >= 0)
}

/// Whether it is a text that is written here and is not empty.
fn is_filled(term: &Term) -> bool {
    matches!(term.literal, Some(Some(length)) if length > 0)
}

//! Clauses: what is matched, carried on and returned.

use super::aggregate::Grouping;
use super::cursor::{Reader, Variable};
use super::kind::{Kind, Term, holds_list};
use super::pattern::Step;
use super::{PRODUCTS, Unanswerable};
use crate::cypher::statement::TokenKind;
use crate::document::Json;

/// A column of a `WITH` or `RETURN`.
struct Item {
    name: String,
    term: Term,
    /// The variable that it is, where it is one and nothing else.
    source: Option<String>,
    /// Whether it begins with a call of `labels`.
    is_labels: bool,
}

impl Item {
    /// Whether two values of it are the same everywhere, or not.
    fn is_told_apart(&self) -> bool {
        let kind = &self.term.kind;
        kind.is_scalar() && *kind != Kind::Float
            || self.is_labels && *kind == Kind::List(Box::new(Kind::Text))
            || matches!(kind, Kind::Node | Kind::Relationship | Kind::Null)
    }
}

impl Reader<'_> {
    /// Reads the whole statement.
    pub fn statement(&mut self, rows: usize) -> Result<(), Unanswerable> {
        let mut parts = 0;
        let mut all = None;
        loop {
            parts += 1;
            self.scope.clear();
            (self.products, self.unwound) = ((0, 0), 1);
            self.part(rows, parts)?;
            if !self.is_word("UNION") {
                break;
            }
            self.at += 1;
            let is_all = self.take_word("ALL");
            if self.is_word("DISTINCT") {
                return Err(self.refuse_here("write UNION alone"));
            }
            if all.replace(is_all).is_some_and(|before| before != is_all) {
                return Err(self.refuse_here("UNION and UNION ALL do not go together"));
            }
        }
        if self.token().is_some() { Err(self.refuse_here("it is not known here")) } else { Ok(()) }
    }

    fn part(&mut self, rows: usize, parts: usize) -> Result<(), Unanswerable> {
        loop {
            if !self.is_word("RETURN") {
                self.carry_on();
            }
            if self.take_word("MATCH") {
                self.matched(false)?;
            } else if self.is_word("OPTIONAL") {
                self.at += 2;
                self.matched(true)?;
            } else if self.take_word("UNWIND") {
                self.unwind()?;
            } else if self.take_word("WITH") {
                self.projection(None, parts)?;
                if self.take_word("WHERE") {
                    self.condition()?;
                }
            } else if self.take_word("RETURN") {
                return self.projection(Some(rows), parts);
            } else {
                return Err(self.refuse_here("a clause is expected here"));
            }
        }
    }

    fn matched(&mut self, is_optional: bool) -> Result<(), Unanswerable> {
        let steps = self.patterns(is_optional)?;
        self.distinct(&steps)
    }

    /// Reads the condition of a pattern, if it has one, and completes it so that no two of these relationships are the same.
    pub fn distinct(&mut self, steps: &[Step]) -> Result<(), Unanswerable> {
        let conditions = self.differences(steps)?.join(" AND ");
        let pattern_end = self.end();
        if !self.take_word("WHERE") {
            self.all_labelled(&[])?;
            if !conditions.is_empty() {
                self.insert(pattern_end, format!(" WHERE {conditions}"));
            }
            return Ok(());
        }
        self.labelled_by_condition()?;
        let start = self.start();
        if !conditions.is_empty() {
            self.insert(start, "(");
        }
        self.condition()?;
        if !conditions.is_empty() {
            self.insert(self.end(), format!(") AND {conditions}"));
        }
        Ok(())
    }

    /// Reads a condition, in which nothing is aggregated.
    pub fn condition(&mut self) -> Result<(), Unanswerable> {
        let start = self.at;
        let term = self.predicate()?;
        if term.aggregates {
            return Err(self.refuse_at(start, "an aggregate in a condition", "give it a name in a WITH before"));
        }
        if !matches!(term.kind, Kind::Boolean | Kind::Null) {
            return Err(self.refuse_at(
                start,
                "the condition",
                "a condition is a comparison, or a property that is true or false",
            ));
        }
        Ok(())
    }

    fn unwind(&mut self) -> Result<(), Unanswerable> {
        let start = self.at;
        self.products.1 += 1;
        if self.products.1 > PRODUCTS {
            return Err(self.refuse_here(&format!(
                "at most {PRODUCTS} lists may be unwound: the engine would make all of their product"
            )));
        }
        let term = self.expression()?;
        if term.aggregates || !matches!(term.kind, Kind::List(_) | Kind::Null) {
            let advice = "it must be a list for certain: one that is written here, or a parameter of its own";
            return Err(self.refuse_at(start, "what is unwound", advice));
        }
        let may_hold_list = match self.sole(start).and_then(|kind| self.given(kind)) {
            Some(Json::Array(elements)) => elements.iter().any(holds_list),
            _ => term.kind.element().may_hold_list(),
        };
        if !self.take_word("AS") {
            return Err(self.refuse_here("AS is expected here"));
        }
        let name = self.new_name()?;
        self.unwound = self.unwound.saturating_mul(term.elements);
        self.scope.push(Variable {
            may_hold_list,
            bytes: term.bytes,
            ..Variable::new(&name, term.kind.element(), true)
        });
        Ok(())
    }

    /// The token that was read since `start`, where it is a single one.
    fn sole(&self, start: usize) -> Option<&TokenKind> {
        self.token_at(start).filter(|_| self.at == start + 1).map(|token| &token.kind)
    }

    /// The value of a parameter.
    fn given(&self, token: &TokenKind) -> Option<&Json> {
        if let TokenKind::Parameter(name) = token { self.parameter(name) } else { None }
    }

    /// A name that is not in scope yet.
    pub fn new_name(&mut self) -> Result<String, Unanswerable> {
        let at = self.at;
        let name = self.name()?;
        if self.variable(&name).is_some() {
            return Err(self.refuse_at(at, &name, "the name is taken; choose another one"));
        }
        Ok(name)
    }

    /// The columns of a `WITH`, or of a `RETURN`, which has at most so many rows.
    fn projection(&mut self, rows: Option<usize>, parts: usize) -> Result<(), Unanswerable> {
        let start = self.at;
        let is_distinct = self.take_word("DISTINCT");
        self.grouping = Grouping::default();
        let mut items: Vec<Item> = Vec::new();
        loop {
            let item = self.item(rows.is_none())?;
            if items.iter().any(|known| known.name == item.name) {
                return Err(self.refuse(&item.name, "two columns have this name"));
            }
            if is_distinct && !item.is_told_apart() {
                return Err(self.refuse(&item.name, "DISTINCT is for texts, numbers, nodes and relationships"));
            }
            items.push(item);
            if !self.take(',') {
                break;
            }
        }
        let aggregates = items.iter().any(|item| item.term.aggregates);
        if let Some(group) = items.iter().find(|item| aggregates && !item.term.aggregates && !item.is_told_apart()) {
            return Err(self.refuse(&group.name, "rows are grouped by texts, numbers, nodes and relationships"));
        }
        if aggregates {
            self.names_are_kept()?;
        }
        let is_grouped = is_distinct || aggregates && items.iter().any(|item| item.term.varies);
        let is_sorted = self.is_word("ORDER");
        if is_grouped || is_sorted {
            let bytes = items.iter().fold(0, |sum: usize, item| sum.saturating_add(item.term.bytes));
            self.kept(if is_sorted { self.at } else { start }, "what is grouped or put in order", bytes)?;
        }
        let carried = items.iter().map(|item| Variable {
            name: item.name.clone(),
            kind: item.term.kind.clone(),
            may_be_null: self.source_of(item).is_none_or(|known| known.may_be_null),
            may_be_history: self.source_of(item).is_none_or(|known| known.may_be_history),
            may_hold_list: item.term.may_hold_list(),
            is_carried_on: false,
            bytes: item.term.bytes,
        });
        let carried: Vec<Variable> = carried.collect();
        // After columns that are distinct or aggregated nothing else is in scope; else what was before still is.
        if aggregates || is_distinct {
            self.scope.clone_from(&carried);
        } else {
            // The newer of two that have one name counts.
            self.scope.extend(carried.iter().cloned());
        }
        self.order_and_limit(rows, parts)?;
        self.scope = carried;
        Ok(())
    }

    fn source_of(&self, item: &Item) -> Option<&Variable> {
        item.source.as_deref().and_then(|name| self.variable(name))
    }

    fn item(&mut self, needs_name: bool) -> Result<Item, Unanswerable> {
        let start = self.at;
        let is_labels = self.is_word("labels") && self.is_after(1, '(');
        if self.is('*') {
            return Err(self.refuse_here("name what is to be carried on"));
        }
        let term = self.expression()?;
        if !term.aggregates {
            self.grouped(start, &term.kind, false);
        }
        let sole = self.sole(start).cloned();
        if term.is_sum {
            return Err(self.refuse_at(start, "sum", "the engine makes no 0 of nothing; write coalesce(sum(…), 0)"));
        }
        if term.is_given {
            let advice =
                "a list or a map that is a parameter stands after IN or UNWIND, or a value of it is taken by name";
            return Err(self.refuse_at(start, "this parameter", advice));
        }
        if term.kind == Kind::Path {
            return Err(self.refuse_at(start, "a path", "return its length, or name its nodes and return these"));
        }
        if term.aggregates && term.varies {
            let advice = "a column is an aggregate or is not; name what it is made of in a WITH before";
            return Err(self.refuse_at(start, "an aggregate among other values", advice));
        }
        let source = match &sole {
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => Some(name.clone()),
            _ => None,
        };
        let named = self.take_word("AS");
        let name = match sole {
            _ if named => self.name()?,
            Some(TokenKind::Word(name) | TokenKind::Quoted(name)) => name,
            _ if needs_name => return Err(self.refuse_at(start, "a column without a name", "give it one with AS")),
            _ => {
                let (from, to) = (self.token_at(start).map_or(0, |token| token.start), self.end());
                self.text_between(from, to).to_owned()
            }
        };
        Ok(Item { name, term, source, is_labels })
    }

    fn order_and_limit(&mut self, rows: Option<usize>, parts: usize) -> Result<(), Unanswerable> {
        let start = self.at;
        if self.take_word("ORDER") {
            self.at += 1;
            loop {
                let from = self.at;
                let term = self.expression()?;
                if !term.kind.is_ordered() && term.kind != Kind::Null {
                    return Err(self.refuse_at(
                        from,
                        "the order",
                        "only texts and numbers are put in order alike everywhere",
                    ));
                }
                if term.aggregates {
                    return Err(self.refuse_at(
                        from,
                        "an aggregate in ORDER BY",
                        "give it a name in the columns before",
                    ));
                }
                for word in ["ASC", "ASCENDING", "DESC", "DESCENDING"] {
                    if self.take_word(word) {
                        break;
                    }
                }
                if !self.take(',') {
                    break;
                }
            }
        }
        if self.is_word("OFFSET") {
            return Err(self.refuse_here("write SKIP"));
        }
        if self.take_word("SKIP") {
            self.count()?;
        }
        let limit = if self.take_word("LIMIT") { Some(self.count()?) } else { None };
        let Some(rows) = rows else { return Ok(()) };
        if parts > 1 || self.is_word("UNION") {
            // Where these words belong to, and where to a part only, is not the same everywhere.
            return if self.at == start {
                Ok(())
            } else {
                Err(self.refuse_at(start, "ORDER BY, SKIP or LIMIT beside UNION", "leave it out"))
            };
        }
        // One row more than is answered tells that there are more.
        let most = rows.saturating_add(1);
        match limit {
            Some((_, limit)) if limit <= most as u64 => {}
            Some((at, _)) => {
                let end = self.at;
                self.at = at;
                self.edit_token(most.to_string());
                self.at = end;
            }
            None => self.insert(self.end(), format!(" LIMIT {most}")),
        }
        Ok(())
    }

    /// A number of rows: where it stands, and how many.
    fn count(&mut self) -> Result<(usize, u64), Unanswerable> {
        let at = self.at;
        let count = match self.token().map(|token| (&token.kind, token)) {
            Some((TokenKind::Number, token)) => self.written(token).parse().ok(),
            Some((TokenKind::Parameter(name), _)) => match self.parameter(name) {
                Some(Json::Number(written)) => written.parse().ok(),
                _ => None,
            },
            _ => None,
        };
        self.at += 1;
        let end = self.token().is_none()
            || ["LIMIT", "UNION", "MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "WHERE"]
                .iter()
                .any(|word| self.is_word(word))
            || self.is('}');
        match count.filter(|_| end) {
            Some(count) => Ok((at, count)),
            None => Err(self.refuse_at(at, "the number of rows", "write a number, or a parameter that is one")),
        }
    }
}

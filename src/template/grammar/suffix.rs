//! What may stand behind a value: `|filter`, `?built_in`, `!default`, `[0]`, `[:8]`.

use minijinja::Value;

use super::{Code, Parser, Part};
use crate::template::error::{Problem, TemplateErrorKind};
use crate::template::expression::{Need, Operand};
use crate::template::filters::Filter;
use crate::template::freemarker;
use crate::template::path::Step;
use crate::template::token::{Token, Word};

impl Parser<'_> {
    /// `|name(arguments)` or `?name(arguments)`; `look_up` knows the names.
    pub(super) fn filter(
        &mut self,
        part: Part,
        look_up: fn(&str) -> Result<&'static Filter, (TemplateErrorKind, String)>,
    ) -> Result<Part, Problem> {
        self.next += 1;
        let offset = self.offset();
        let Some(Word::Name(name)) = self.peek() else { return Err(self.unexpected()) };
        let name = *name;
        let filter = look_up(name).map_err(|(kind, message)| Problem::new(kind, message, offset))?;
        self.next += 1;
        self.step()?;
        if filter.id == "default" {
            let argument = self.default_in_parentheses()?;
            return self.default(part, argument, offset);
        }
        let code = self.code(part)?;
        let arguments = if self.takes("(") { self.list(")")? } else { Vec::new() };
        if !filter.arguments.contains(&arguments.len()) {
            let counts: Vec<String> = filter.arguments.iter().map(usize::to_string).collect();
            let message = format!("`{name}` takes {} arguments, not {}", counts.join(" or "), arguments.len());
            return Err(Problem::syntax(message, offset));
        }
        let call = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        // A filter behind an open one works on its result, which may be missing, so the whole stays open.
        let open = code.open || filter.open;
        Ok(Part::Code(Code { text: format!("{}|{}{call}", code.text, filter.id), open, ..code }))
    }

    fn default_in_parentheses(&mut self) -> Result<Option<Part>, Problem> {
        if !self.takes("(") || self.takes(")") {
            return Ok(None);
        }
        let part = self.expression()?;
        self.needs(")")?;
        Ok(Some(part))
    }

    /// `!`, `!"text"`, `!path`
    pub(super) fn exclamation(&mut self, part: Part) -> Result<Part, Problem> {
        let offset = self.offset();
        self.deeper()?;
        self.next += 1;
        let argument = match self.peek() {
            Some(Word::Name(name)) if freemarker::is_operator(name) => None,
            Some(Word::Name(_) | Word::Text(_) | Word::Integer(_) | Word::Mark("(")) => Some(self.value()?),
            Some(Word::Mark("-"))
                if matches!(self.tokens.get(self.next + 1), Some(Token { word: Word::Integer(_), .. })) =>
            {
                Some(self.value()?)
            }
            _ => None,
        };
        let argument = match argument {
            Some(Part::Path { mut path, offset }) => {
                while self.path_step(&mut path)? {}
                Some(Part::Path { path, offset })
            }
            other => other,
        };
        // `a!b!"c"` is `a!(b!"c")`: as in FreeMarker, a default may have one itself.
        let argument = match argument {
            Some(inner) if matches!(self.peek(), Some(Word::Mark("!"))) => Some(self.exclamation(inner)?),
            other => other,
        };
        self.depth -= 1;
        self.default(part, argument, offset)
    }

    fn default(&mut self, part: Part, argument: Option<Part>, offset: usize) -> Result<Part, Problem> {
        let code = self.code(part)?;
        if !code.defaultable && !code.open {
            return Err(Problem::syntax("a default belongs right behind a path or its filters", offset));
        }
        if let Some(Operand::Path { need, .. }) = code.base.and_then(|base| self.operands.get_mut(base)) {
            *need = Need::Covered;
        }
        let argument = match argument {
            None => self.constant(Value::from(""))?,
            Some(argument) => argument,
        };
        // Not finished: the filter `default` decides whether the argument is needed.
        let argument = self.code(argument)?;
        if let Some(Operand::Path { need: need @ Need::Required, .. }) =
            argument.base.and_then(|base| self.operands.get_mut(base))
        {
            *need = Need::Fallback;
        }
        let text = format!("{}|default({})", code.text, argument.text);
        Ok(Part::Code(Code { text, base: None, open: false, defaultable: true }))
    }

    /// `[0]`, `[path]` or `[1:3]` on a value that is no plain path any more, or a slice of one.
    pub(super) fn bracket(&mut self, part: Part) -> Result<Part, Problem> {
        let offset = self.offset();
        self.next += 1;
        self.step()?;
        let code = self.code(part)?;
        let from = self.whole_number();
        let (call, open) = if self.takes(":") {
            let to = self.whole_number();
            let mut bound = |bound: Option<i64>| match bound {
                Some(number) => self.operand(Operand::Constant(Value::from(number))),
                None => self.operand(Operand::Constant(Value::from(()))),
            };
            (format!("cut({}, {})", bound(from)?, bound(to)?), code.open)
        } else if let Some(index) = from {
            (format!("element({})", self.operand(Operand::Constant(Value::from(index)))?), true)
        } else if let Some(Step::Dynamic(path)) = self.bracketed()? {
            (format!("element({})", self.operand(Operand::Path { path, offset, need: Need::Required })?), true)
        } else {
            return Err(Problem::syntax("in brackets stands a whole number, a text or a path, or `[1:3]`", offset));
        };
        if !self.takes("]") {
            return Err(match self.peek() {
                Some(Word::Mark("..")) => self.unexpected(),
                _ => Problem::syntax("in brackets stands a whole number, a text or a path, or `[1:3]`", offset),
            });
        }
        Ok(Part::Code(Code { text: format!("{}|{call}", code.text), open, ..code }))
    }
}

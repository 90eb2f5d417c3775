//! The grammar of expressions: Jinja's, with FreeMarker's `?` and `!` on paths, without calls and loops.
//!
//! Each rule returns the code that minijinja shall run. A filter can be written behind all of it.

mod suffix;

use minijinja::Value;

use super::error::{Problem, TemplateErrorKind};
use super::expression::{Need, Operand};
use super::filters;
use super::freemarker;
use super::path::{Path, Step};
use super::token::{Token, Word, tokens};

/// How deep parentheses, `not`, `else` and brackets may nest. The length of an expression is a setting, but the stack has
/// a fixed size.
const MAX_DEPTH: usize = 16;

/// How many operands, steps of paths and filters an expression may have.
const MAX_STEPS: usize = 128;

/// An expression rewritten for minijinja.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) code: String,
    pub(super) operands: Vec<Operand>,
}

/// Reads a whole expression.
pub(super) fn parse(source: &str) -> Result<Draft, Problem> {
    let mut parser = Parser::new(source)?;
    if parser.tokens.is_empty() {
        let message = "an empty expression; write a name between `${` and `}`";
        return Err(Problem::syntax(message, 0));
    }
    let part = parser.expression()?;
    let code = parser.finish(part)?;
    match parser.peek() {
        None => Ok(Draft { code, operands: parser.operands }),
        Some(_) => Err(parser.unexpected()),
    }
}

/// Reads `source` if it is nothing but a path. The offset is where the path begins.
pub(super) fn plain_path(source: &str) -> Option<(Path, usize)> {
    let mut parser = Parser::new(source).ok()?;
    let Some(Word::Name(root)) = parser.peek() else { return None };
    let root = *root;
    if freemarker::is_keyword(root) {
        return None;
    }
    let offset = parser.offset();
    parser.next += 1;
    let mut path = Path::root(root);
    while parser.path_step(&mut path).ok()? {}
    parser.peek().is_none().then_some((path, offset))
}

/// What a rule has read.
enum Part {
    /// A path, which the next word may continue.
    Path {
        path: Path,
        offset: usize,
    },
    Code(Code),
}

struct Code {
    text: String,
    /// The operand that a default behind this would cover.
    base: Option<usize>,
    /// Whether its value may be missing although every path has one, as with `first`.
    open: bool,
    /// Whether a default may stand behind it.
    defaultable: bool,
}

impl Code {
    fn closed(text: String) -> Part {
        Part::Code(Self { text, base: None, open: false, defaultable: false })
    }
}

struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    next: usize,
    end: usize,
    depth: usize,
    steps: usize,
    operands: Vec<Operand>,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Result<Self, Problem> {
        Ok(Self { tokens: tokens(source)?, next: 0, end: source.len(), depth: 0, steps: 0, operands: Vec::new() })
    }

    fn peek(&self) -> Option<&Word<'s>> {
        self.tokens.get(self.next).map(|token| &token.word)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.offset)
    }

    fn takes(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Word::Mark(found)) if *found == mark);
        self.next += usize::from(found);
        found
    }

    fn takes_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Some(Word::Name(found)) if *found == name);
        self.next += usize::from(found);
        found
    }

    fn needs(&mut self, mark: &str) -> Result<(), Problem> {
        if self.takes(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Problem {
        freemarker::unexpected(self.peek(), self.offset())
    }

    fn step(&mut self) -> Result<(), Problem> {
        self.steps += 1;
        self.bounded(self.steps, MAX_STEPS)
    }

    fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        self.bounded(self.depth, MAX_DEPTH)
    }

    fn bounded(&self, found: usize, allowed: usize) -> Result<(), Problem> {
        if found <= allowed {
            return Ok(());
        }
        let message = "the expression is too deep or too long; take it apart";
        Err(Problem::new(TemplateErrorKind::TooLong, message, self.offset()))
    }

    fn operand(&mut self, operand: Operand) -> Result<String, Problem> {
        self.step()?;
        self.operands.push(operand);
        Ok(format!("v{}", self.operands.len() - 1))
    }

    fn constant(&mut self, value: Value) -> Result<Part, Problem> {
        let text = self.operand(Operand::Constant(value))?;
        Ok(Part::Code(Code { text, base: None, open: false, defaultable: true }))
    }

    /// A part as code; a path becomes an operand now.
    fn code(&mut self, part: Part) -> Result<Code, Problem> {
        match part {
            Part::Code(code) => Ok(code),
            Part::Path { path, offset } => {
                let text = self.operand(Operand::Path { path, offset, need: Need::Required })?;
                Ok(Code { text, base: Some(self.operands.len() - 1), open: false, defaultable: true })
            }
        }
    }

    /// A part that no default can follow any more.
    fn finish(&mut self, part: Part) -> Result<String, Problem> {
        let code = self.code(part)?;
        Ok(if code.open { format!("{}|required", code.text) } else { code.text })
    }

    /// `a if b else c`
    fn expression(&mut self) -> Result<Part, Problem> {
        self.deeper()?;
        let mut part = self.either()?;
        if self.takes_name("if") {
            let then = self.finish(part)?;
            let condition = self.either()?;
            let condition = self.finish(condition)?;
            if !self.takes_name("else") {
                return Err(Problem::syntax("`if` needs an `else` here: `a if b else c`", self.offset()));
            }
            let other = self.expression()?;
            let other = self.finish(other)?;
            part = Code::closed(format!("({then} if {condition}|condition else {other})"));
        }
        self.depth -= 1;
        Ok(part)
    }

    fn either(&mut self) -> Result<Part, Problem> {
        self.joined("or", |parser| parser.joined("and", Self::negation))
    }

    fn joined(&mut self, word: &str, rule: impl Fn(&mut Self) -> Result<Part, Problem>) -> Result<Part, Problem> {
        let mut part = rule(self)?;
        let mut code = String::new();
        while self.takes_name(word) {
            code += &format!("{}|condition {word} ", self.finish(part)?);
            part = rule(self)?;
        }
        if code.is_empty() {
            return Ok(part);
        }
        let last = self.finish(part)?;
        Ok(Code::closed(format!("({code}{last})")))
    }

    fn negation(&mut self) -> Result<Part, Problem> {
        if !self.takes_name("not") {
            return self.comparison();
        }
        self.deeper()?;
        let part = self.negation()?;
        let code = self.finish(part)?;
        self.depth -= 1;
        Ok(Code::closed(format!("(not {code}|condition)")))
    }

    fn comparison(&mut self) -> Result<Part, Problem> {
        let left = self.sum()?;
        let filter = match self.peek() {
            Some(Word::Mark("==")) => "equal",
            Some(Word::Mark("!=")) => "unequal",
            Some(Word::Mark("<")) => "less",
            Some(Word::Mark("<=")) => "at_most",
            Some(Word::Mark(">")) => "greater",
            Some(Word::Mark(">=")) => "at_least",
            Some(Word::Name("in")) => "within",
            Some(Word::Name("not")) if self.follows(&Word::Name("in")) => "not_within",
            _ => return Ok(left),
        };
        self.next += if filter == "not_within" { 2 } else { 1 };
        let left = self.finish(left)?;
        let right = self.sum()?;
        let right = self.finish(right)?;
        Ok(Code::closed(format!("{left}|{filter}({right})")))
    }

    /// Whether `word` comes right after the next one.
    fn follows(&self, word: &Word<'_>) -> bool {
        self.tokens.get(self.next + 1).is_some_and(|token| token.word == *word)
    }

    fn sum(&mut self) -> Result<Part, Problem> {
        let mut left = self.chain()?;
        loop {
            let filter = match self.peek() {
                Some(Word::Mark("+")) => "add",
                Some(Word::Mark("-")) => "subtract",
                _ => return Ok(left),
            };
            self.next += 1;
            let code = self.finish(left)?;
            let right = self.chain()?;
            let right = self.finish(right)?;
            left = Code::closed(format!("{code}|{filter}({right})"));
        }
    }

    /// A value and everything behind it: members, filters, built-ins, defaults.
    fn chain(&mut self) -> Result<Part, Problem> {
        let mut part = self.value()?;
        loop {
            if let Part::Path { path, .. } = &mut part {
                while self.path_step(path)? {}
            }
            part = match self.peek() {
                Some(Word::Mark("|")) => self.filter(part, filters::jinja)?,
                Some(Word::Mark("?")) => self.filter(part, filters::freemarker)?,
                Some(Word::Mark("[")) => self.bracket(part)?,
                Some(Word::Mark("!")) => self.exclamation(part)?,
                Some(Word::Mark("(")) => return Err(freemarker::call(self.offset())),
                _ => return Ok(part),
            };
        }
    }

    /// Continues `path` by `.name`, `[0]`, `["name"]` or `[path]`, if one of them follows.
    fn path_step(&mut self, path: &mut Path) -> Result<bool, Problem> {
        let before = self.next;
        if self.takes(".") {
            let Some(Word::Name(name)) = self.peek() else { return Err(self.unexpected()) };
            path.steps.push(Step::Name((*name).into()));
            self.next += 1;
        } else if self.takes("[") {
            let Some(step) = self.bracketed()?.filter(|_| self.takes("]")) else {
                self.next = before; // a slice, or nothing that is known
                return Ok(false);
            };
            path.steps.push(step);
        } else {
            return Ok(false);
        }
        self.step()?;
        Ok(true)
    }

    fn bracketed(&mut self) -> Result<Option<Step>, Problem> {
        let step = match self.peek() {
            Some(Word::Text(text)) => Step::Name(text.as_str().into()),
            Some(Word::Name(root)) if !freemarker::is_keyword(root) => {
                let mut path = Path::root(root);
                self.deeper()?;
                self.next += 1;
                while self.path_step(&mut path)? {}
                self.depth -= 1;
                return Ok(Some(Step::Dynamic(path)));
            }
            _ => return Ok(self.whole_number().map(Step::Index)),
        };
        self.next += 1;
        Ok(Some(step))
    }

    fn whole_number(&mut self) -> Option<i64> {
        let negative = self.takes("-");
        match self.peek() {
            Some(Word::Integer(number)) => {
                let number = if negative { -number } else { *number };
                self.next += 1;
                Some(number)
            }
            _ => {
                self.next -= usize::from(negative);
                None
            }
        }
    }

    fn value(&mut self) -> Result<Part, Problem> {
        let offset = self.offset();
        if let Some(number) = self.whole_number() {
            return self.constant(Value::from(number));
        }
        match self.peek() {
            Some(Word::Text(text)) => {
                let value = Value::from(text.as_str());
                self.next += 1;
                self.constant(value)
            }
            Some(Word::Name(name @ ("true" | "True" | "false" | "False"))) => {
                let value = Value::from(name.eq_ignore_ascii_case("true"));
                self.next += 1;
                self.constant(value)
            }
            Some(Word::Name("r"))
                if matches!(self.tokens.get(self.next + 1), Some(Token { word: Word::Text(_), .. })) =>
            {
                Err(freemarker::raw_text(offset))
            }
            Some(Word::Name(name)) if !freemarker::is_keyword(name) => {
                let path = Path::root(name);
                self.next += 1;
                Ok(Part::Path { path, offset })
            }
            Some(Word::Mark("(")) => {
                self.next += 1;
                let part = self.expression()?;
                self.needs(")")?;
                Ok(part)
            }
            Some(Word::Mark("[")) => {
                self.next += 1;
                let elements = self.list("]")?;
                Ok(Code::closed(format!("[{}]", elements.join(", "))))
            }
            other => Err(freemarker::no_value(other, offset)),
        }
    }

    /// Expressions between commas, up to the mark that closes them.
    fn list(&mut self, close: &str) -> Result<Vec<String>, Problem> {
        let mut elements = Vec::new();
        while !self.takes(close) {
            if !elements.is_empty() {
                self.needs(",")?;
            }
            let part = self.expression()?;
            elements.push(self.finish(part)?);
        }
        Ok(elements)
    }
}

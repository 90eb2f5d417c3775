//! Reads a tree: what is expected at a place, and the problem where something else stands there.

use super::nearest::hint;
use super::problem::{Problem, Problems};
use crate::document::{Document, Member, Node, NodeValue, Pointer, Style, Syntax};
use crate::model::{Code, Name, TextRule};

/// A place in the document. It is a path back to the root, so that a pointer is made only when something is wrong.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    parent: Option<&'a At<'a>>,
    token: Token<'a>,
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Root(&'a str),
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The place to which `prefix`, a JSON Pointer, points.
    pub fn root(prefix: &'a str) -> Self {
        Self { parent: None, token: Token::Root(prefix) }
    }

    pub fn key(&'a self, key: &'a str) -> At<'a> {
        At { parent: Some(self), token: Token::Key(key) }
    }

    pub fn index(&'a self, index: usize) -> At<'a> {
        At { parent: Some(self), token: Token::Index(index) }
    }

    pub fn pointer(&self) -> Pointer {
        // Room for most pointers, so that one is one allocation.
        let mut pointer = Pointer::with_capacity(96);
        self.write(&mut pointer);
        pointer
    }

    fn write(&self, pointer: &mut Pointer) {
        if let Some(parent) = self.parent {
            parent.write(pointer);
        }
        match self.token {
            Token::Root(prefix) => pointer.append(prefix),
            Token::Key(key) => pointer.push(key),
            Token::Index(index) => pointer.push(&index.to_string()),
        }
    }
}

/// Reads a document and gathers its problems.
pub(crate) struct Reader {
    pub syntax: Syntax,
    pub problems: Problems,
}

impl Reader {
    /// A reader of `document`, whose duplicate keys are its first problems.
    pub fn new(document: &Document) -> Self {
        let mut problems = Problems::default();
        for duplicate in &document.duplicates {
            problems.push(Problem {
                code: Code::DuplicateKey,
                pointer: duplicate.pointer.as_str().to_owned(),
                line: Some(duplicate.place.line),
                column: Some(duplicate.place.column),
                message: "the key stands twice; neither can win, so remove one".to_owned(),
            });
        }
        Self { syntax: document.syntax, problems }
    }

    pub fn problem(&mut self, at: &At<'_>, code: Code, message: impl Into<String>) {
        self.problems.add(code, at.pointer(), message);
    }

    /// The members of an object whose fields are `known`; any other field is a problem. `what` names the object: `a Require`.
    pub fn fields<'n>(&mut self, node: &'n Node, at: &At<'_>, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        let members = self.members(node, at, what)?;
        for member in members.iter().filter(|member| !known.contains(&member.key.as_str())) {
            let message =
                format!("`{}` is no field of {what}{}", shorten(&member.key), hint(&member.key, known.iter().copied()));
            self.problem(&at.key(&member.key), Code::UnknownField, message);
        }
        Some(Fields { members })
    }

    /// The members of an object with free keys.
    pub fn members<'n>(&mut self, node: &'n Node, at: &At<'_>, what: &str) -> Option<&'n [Member]> {
        let members = node.object();
        if members.is_none() {
            self.expected(node, at, &format!("{what} is an object"));
        }
        members
    }

    /// The elements of an array.
    pub fn elements<'n>(&mut self, node: &'n Node, at: &At<'_>, what: &str) -> Option<&'n [Node]> {
        let elements = node.array();
        if elements.is_none() {
            self.expected(node, at, &format!("{what} is an array"));
        }
        elements
    }

    pub fn expected(&mut self, node: &Node, at: &At<'_>, expectation: &str) {
        self.problem(at, Code::WrongType, format!("{expectation}, but here is {}", node.describe()));
    }

    pub fn missing(&mut self, at: &At<'_>, field: &str, what: &str) {
        self.problem(at, Code::MissingField, format!("`{field}` is missing; {what} needs it"));
    }

    /// The field of the object at `at`, which has to have it.
    pub fn required<'n>(&mut self, fields: &Fields<'n>, at: &At<'_>, field: &str, what: &str) -> Option<&'n Node> {
        let node = fields.get(field);
        if node.is_none() {
            self.missing(at, field, what);
        }
        node
    }

    /// The text here, as written. YAML plain scalars are text as they are; in JSON a number has to be quoted.
    pub fn text<'n>(&mut self, node: &'n Node, at: &At<'_>, what: &str) -> Option<&'n str> {
        match &node.value {
            _ if node.is_null() => {
                self.problem(
                    at,
                    Code::WrongType,
                    format!("{what} is text, but here is nothing; leave it out, or quote it"),
                );
                None
            }
            NodeValue::Scalar(scalar) if scalar.style == Style::Quoted || self.syntax == Syntax::Yaml => {
                Some(&scalar.text)
            }
            NodeValue::Scalar(scalar) => {
                let message = format!("{what} is text, but here is {}; quote it: \"{}\"", node.describe(), scalar.text);
                self.problem(at, Code::WrongType, message);
                None
            }
            _ => {
                self.expected(node, at, &format!("{what} is text"));
                None
            }
        }
    }

    /// The text here, where it keeps `rule`.
    pub fn checked_text<'n>(&mut self, node: &'n Node, at: &At<'_>, rule: TextRule, what: &str) -> Option<&'n str> {
        let text = self.text(node, at, what)?;
        self.check(text, rule, at, what).then_some(text)
    }

    /// A boolean; in YAML written plainly.
    pub fn boolean(&mut self, node: &Node, at: &At<'_>, what: &str) -> Option<bool> {
        match node.scalar() {
            Some(scalar) if scalar.style == Style::Plain && scalar.text == "true" => Some(true),
            Some(scalar) if scalar.style == Style::Plain && scalar.text == "false" => Some(false),
            _ => {
                self.expected(node, at, &format!("{what} is true or false"));
                None
            }
        }
    }

    /// Checks a text against a rule.
    pub fn check(&mut self, text: &str, rule: TextRule, at: &At<'_>, what: &str) -> bool {
        match rule.check(text) {
            Ok(()) => true,
            Err(error) => {
                self.problem(at, Code::InvalidText, format!("{what} `{}` is not allowed: {error}", shorten(text)));
                false
            }
        }
    }

    /// A name that is never a template: the key of a label, the name of a require.
    pub fn key_name(&mut self, key: &str, at: &At<'_>, what: &str) -> Option<Name> {
        if key.contains("${") {
            self.problem(at, Code::TemplateNotAllowed, format!("{what} is never a template; write it out"));
            return None;
        }
        self.check(key, TextRule::Name, at, what).then(|| Name::of_checked(key.into()))
    }

    /// The value whose name stands here.
    pub fn choice<T: Copy>(&mut self, node: &Node, at: &At<'_>, what: &str, values: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, at, what)?;
        let found = values.iter().find(|(name, _)| *name == text).map(|&(_, value)| value);
        if found.is_none() {
            let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
            self.problem(at, Code::UnknownValue, no_such(text, what, &names));
        }
        found
    }
}

/// The members of an object with known fields.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'n> {
    members: &'n [Member],
}

impl<'n> Fields<'n> {
    /// The fields of an object that may have others, which are ignored; none where it is no object.
    pub fn of(node: &'n Node) -> Self {
        Self { members: node.object().unwrap_or_default() }
    }

    /// The field, absent or `null` alike.
    pub fn get(&self, field: &str) -> Option<&'n Node> {
        self.members
            .iter()
            .find(|member| member.key == field)
            .map(|member| &member.value)
            .filter(|node| !node.is_null())
    }
}

/// The message for a text that is none of `names`.
pub(crate) fn no_such(text: &str, what: &str, names: &[&str]) -> String {
    let hint = hint(text, names.iter().copied());
    format!("`{}` is no {what}; it is one of {}{hint}", shorten(text), names.join(", "))
}

/// The beginning of a text, for messages: they are read by people.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    let shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{shown}…") } else { shown }
}

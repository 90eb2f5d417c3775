//! Texts of a specification: plain ones, and templates with the place where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::document::{Node, Pointer};
use crate::model::{Code, Name, TextRule};
use crate::reading::{At, Problem, Problems, Reader, shorten};
use crate::template::{Limits, Scope, Template, TemplateError, TemplateErrorKind};

/// A text of a specification as it was written.
#[derive(Clone, Debug)]
pub(super) enum Text {
    /// A text without expressions. It keeps its rule.
    Plain(SmolStr),
    /// A text with expressions.
    Template(Arc<TemplateText>),
}

/// A template and where it stands.
#[derive(Debug)]
pub(super) struct TemplateText {
    pub template: Template,
    pub written: String,
    /// In the document as posted.
    pub pointer: Pointer,
    pub rule: TextRule,
    /// What the text is, for messages.
    pub what: &'static str,
}

impl Text {
    /// Reads the text at `node`, which has to keep `rule` once it is rendered.
    pub fn read(reader: &mut Reader, node: &Node, at: &At<'_>, rule: TextRule, what: &'static str) -> Option<Self> {
        let written = reader.text(node, at, what)?;
        Self::of(reader, written, at, rule, what)
    }

    /// Reads a map of texts. `what` says what the map, a key of it and a text of it are.
    pub fn read_map(
        reader: &mut Reader,
        node: &Node,
        at: &At<'_>,
        rule: TextRule,
        (map, key, text): (&str, &str, &'static str),
    ) -> BTreeMap<Name, Self> {
        let mut read = BTreeMap::new();
        for member in reader.members(node, at, map).unwrap_or_default() {
            let at = at.key(&member.key);
            let name = reader.key_name(&member.key, &at, key);
            let text = Self::read(reader, &member.value, &at, rule, text);
            read.extend(name.zip(text));
        }
        read
    }

    /// Reads a text that stands at `at`.
    pub fn of(reader: &mut Reader, written: &str, at: &At<'_>, rule: TextRule, what: &'static str) -> Option<Self> {
        if !written.contains('$') {
            return reader.check(written, rule, at, what).then(|| Self::plain(written));
        }
        let template = match Template::parse(written, &Limits::default()) {
            Ok(template) => template,
            Err(error) => {
                reader.problems.push(problem_of(error, &at.pointer()));
                return None;
            }
        };
        match template.plain_text() {
            Some(plain) if !template.has_dollar_escape() => {
                reader.check(plain, rule, at, what).then(|| Self::Plain(plain.into()))
            }
            _ => {
                let pointer = at.pointer();
                Some(Self::Template(Arc::new(TemplateText {
                    template,
                    written: written.to_owned(),
                    pointer,
                    rule,
                    what,
                })))
            }
        }
    }

    /// A plain text that keeps its rule.
    pub fn plain(text: &str) -> Self {
        Self::Plain(text.into())
    }

    /// A key that stands at `at`. It is never a template, so each `$` is doubled where a template would read one.
    pub fn literal(key: &str, at: &At<'_>, rule: TextRule, what: &'static str) -> Self {
        match Template::parse(key, &Limits::default()) {
            Ok(template) if template.is_plain_text() && !template.has_dollar_escape() => Self::plain(key),
            _ => Self::default_template(&key.replace('$', "$$"), at, rule, what),
        }
    }

    /// A default that is a template; `at` is where it would stand.
    pub fn default_template(written: &str, at: &At<'_>, rule: TextRule, what: &'static str) -> Self {
        let template = Template::parse(written, &Limits::default()).expect("the defaults are valid templates");
        Self::Template(Arc::new(TemplateText {
            template,
            written: written.to_owned(),
            pointer: at.pointer(),
            rule,
            what,
        }))
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Template(template) => &template.written,
        }
    }

    /// The template, if it is one.
    pub fn template(&self) -> Option<&Arc<TemplateText>> {
        match self {
            Self::Plain(_) => None,
            Self::Template(template) => Some(template),
        }
    }

    /// Whether it reads a match.
    pub fn is_late(&self) -> bool {
        self.template().is_some_and(|text| text.template.reads().iter().any(|read| read.root() == "requires"))
    }

    /// The final text, or `None` with its problem added.
    pub fn render(&self, scope: &Scope<'_>, problems: &mut Problems) -> Option<SmolStr> {
        match self {
            Self::Plain(text) => Some(text.clone()),
            Self::Template(template) => match template.render(scope) {
                Ok(text) => Some(text),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            },
        }
    }
}

impl TemplateText {
    /// The final text.
    pub fn render(&self, scope: &Scope<'_>) -> Result<SmolStr, Problem> {
        let text = self.template.render(scope, &Limits::default());
        self.checked(text.map_err(|error| problem_of(error, &self.pointer))?)
    }

    /// A rendered text, checked against the rule of its place.
    pub fn checked(&self, text: String) -> Result<SmolStr, Problem> {
        match self.rule.check(&text) {
            Ok(()) => Ok(text.into()),
            Err(error) => {
                let (text, written) = (shorten(&text), shorten(&self.written));
                let message = format!("{} `{text}`, rendered from `{written}`, is not allowed: {error}", self.what);
                Err(Problem::new(Code::InvalidText, self.pointer.clone(), message))
            }
        }
    }

    /// Whether `$$` was read as a literal dollar.
    pub fn has_dollar_escape(&self) -> bool {
        self.template.has_dollar_escape()
    }
}

/// The problem of a template that stands at `pointer`.
pub(super) fn problem_of(error: TemplateError, pointer: &Pointer) -> Problem {
    let code = match error.kind {
        TemplateErrorKind::Syntax => Code::TemplateSyntax,
        TemplateErrorKind::Undefined => Code::TemplateUndefined,
        TemplateErrorKind::NotAllowed => Code::TemplateNotAllowed,
        TemplateErrorKind::FreemarkerUnsupported => Code::TemplateUnsupported,
        TemplateErrorKind::TooLong => Code::TemplateTooLong,
        TemplateErrorKind::Type => Code::TemplateType,
    };
    let (line, column) = (Some(error.line), Some(error.column));
    Problem { code, pointer: pointer.as_str().to_owned(), line, column, message: error.message }
}

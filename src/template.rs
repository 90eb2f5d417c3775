//! String templates: `https://${input.host!"localhost"}/${version?upper_case}/$environment`.
//!
//! A text is read once into a [`Template`] and rendered in a [`Scope`], once: a value that holds `${` stays text. What
//! stands between `${` and `}` is
//!
//! - a path, `input.version`, `requires["my-db"].matches[0].attributes.url`, read natively;
//! - a Jinja expression over paths, run by minijinja: the [`filters`] behind `|`, `a if b else c`, `and`, `or`, `not`,
//!   comparisons, `in`, `[1, 2]`, `[:8]`, `+` and `-`, texts in either quotation mark, whole numbers, `true`, `false`;
//! - FreeMarker's everyday forms: `x!"default"`, `x!`, `x?upper_case`, chained and with arguments.
//!
//! Without braces there are `$interface`, `$layer`, `$name`, `$system`, `$version`, `$environment`, `$instance` and
//! `$input.` with one name behind it. `$$` is a literal `$`, and any other `$` is text, as are `{{ }}`, `{% %}`, `{# #}`
//! and `<#if>`.
//!
//! A path without a value is an error wherever it is written, even in a branch that is not taken, unless a default stands
//! behind it or behind its filters. Nothing can be called, repeated or formatted. Whatever can grow a text is bounded by
//! [`Limits`] before it takes memory.

mod build;
mod cache;
mod engine;
mod error;
mod expression;
mod filters;
mod freemarker;
mod grammar;
mod path;
mod scan;
mod scope;
mod token;
mod wide;

use std::ops::Range;
use std::sync::Arc;

pub use error::{TemplateError, TemplateErrorKind};
pub use filters::filters;
pub use path::{Read, Segment};
pub use scan::holds_template;
pub use scope::Scope;
pub use wide::WideMaps;

use crate::document::{Json, Place};
use crate::model::limits::{EXPRESSION_BYTES, TEMPLATE_BYTES, TEXT_BYTES};
use engine::{Bounds, Fault};
use expression::Compiled;
use path::Path;

/// Bounds on templates, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A text that [holds a template](holds_template). Default 16 KiB.
    pub template_bytes: usize,
    /// What stands between `${` and `}`. Default 256.
    pub expression_bytes: usize,
    /// Any text, before and after rendering. Default 64 KiB.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { template_bytes: TEMPLATE_BYTES, expression_bytes: EXPRESSION_BYTES, text_bytes: TEXT_BYTES }
    }
}

/// A text that was read, ready to be rendered any number of times.
#[derive(Clone, Debug)]
pub struct Template {
    /// The text around the expressions, `$$` already `$`.
    text: String,
    pieces: Vec<Piece>,
    dollar_escape: bool,
}

/// What a template is made of when it holds an expression.
#[derive(Clone, Debug)]
enum Piece {
    Text(Range<usize>),
    Path { path: Path, place: Place },
    Expression { compiled: Arc<Compiled>, place: Place },
}

impl Template {
    /// Reads a text. A text without `$` costs no more than the search for one.
    ///
    /// # Errors
    /// [`TemplateError`] for what is wrong whatever the values are: [`TemplateErrorKind::Syntax`],
    /// [`NotAllowed`](TemplateErrorKind::NotAllowed),
    /// [`FreemarkerUnsupported`](TemplateErrorKind::FreemarkerUnsupported), [`TooLong`](TemplateErrorKind::TooLong).
    ///
    /// # Examples
    /// ```
    /// use mortise::template::{Limits, Template, TemplateErrorKind};
    ///
    /// let limits = Limits::default();
    /// assert_eq!(Template::parse("$${literal} costs $5", &limits)?.plain_text(), Some("${literal} costs $5"));
    ///
    /// let refused = Template::parse("id:\n${'a' * 100000000}", &limits).unwrap_err();
    /// assert_eq!((refused.kind, refused.line, refused.column), (TemplateErrorKind::NotAllowed, 2, 7));
    /// # Ok::<(), mortise::template::TemplateError>(())
    /// ```
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, TemplateError> {
        let start = Place { line: 1, column: 1 };
        let too_long = |what: &str, limit: usize, name: &str| {
            let message = format!("{what} is longer than {limit} bytes (limit {name})");
            TemplateError::new(TemplateErrorKind::TooLong, message, start)
        };
        if text.len() > limits.text_bytes {
            return Err(too_long("the text", limits.text_bytes, "text-bytes"));
        }
        if !text.contains('$') {
            return Ok(Self { text: text.to_owned(), pieces: Vec::new(), dollar_escape: false });
        }
        if text.len() > limits.template_bytes && holds_template(text) {
            return Err(too_long("the template", limits.template_bytes, "template-bytes"));
        }
        build::template(text, limits).map_err(|problem| problem.within(text, start))
    }

    /// Whether it holds no expression.
    pub fn is_plain_text(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text that it always renders to, if it holds no expression.
    pub fn plain_text(&self) -> Option<&str> {
        self.is_plain_text().then_some(self.text.as_str())
    }

    /// Whether a `$$` in it became `$`.
    pub fn has_dollar_escape(&self) -> bool {
        self.dollar_escape
    }

    /// Every path that it reads, in written order, as often as it is written.
    ///
    /// ```
    /// use mortise::template::{Limits, Template};
    /// let reads = Template::parse("${input.host!'localhost'}:${input.ports[layer]}", &Limits::default())?.reads();
    /// let told: Vec<_> = reads.iter().map(|read| (read.to_string(), read.required, read.dynamic)).collect();
    /// let (host, ports, layer) = ("input.host".into(), "input.ports".into(), "layer".into());
    /// assert_eq!(told, [(host, false, false), (ports, true, true), (layer, true, false)]);
    /// # Ok::<(), mortise::template::TemplateError>(())
    /// ```
    pub fn reads(&self) -> Vec<Read> {
        let mut reads = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Path { path, place } => path.reads(true, *place, &mut reads),
                Piece::Expression { compiled, place } => compiled.reads(*place, &mut reads),
            }
        }
        reads
    }

    /// The text with every expression replaced by its value in `scope`. Booleans are `true` or `false`, numbers as they
    /// were written.
    ///
    /// # Errors
    /// [`TemplateError`]: [`TemplateErrorKind::Undefined`] where a path has no value,
    /// [`Type`](TemplateErrorKind::Type) for `null`, for a list or a map as a whole and for values that do not go
    /// together, [`TooLong`](TemplateErrorKind::TooLong) where the text would outgrow `limits`.
    ///
    /// # Examples
    /// ```
    /// use mortise::document::Json;
    /// use mortise::template::{Limits, Scope, Template};
    ///
    /// let limits = Limits::default();
    /// let input = Json::Object(vec![("version".to_owned(), Json::Text("1.2-rc".to_owned()))]);
    /// let scope = Scope::new().with("input", &input);
    /// let url = Template::parse(r#"${input.host!"localhost"}/${input.version?upper_case}"#, &limits)?;
    /// assert_eq!(url.render(&scope, &limits)?, "localhost/1.2-RC");
    ///
    /// let misspelt = Template::parse("${input.verison}", &limits)?.render(&scope, &limits).unwrap_err();
    /// assert_eq!(misspelt.message, "`input.verison` is not defined; did you mean `input.version`?");
    /// # Ok::<(), mortise::template::TemplateError>(())
    /// ```
    pub fn render(&self, scope: &Scope<'_>, limits: &Limits) -> Result<String, TemplateError> {
        if self.is_plain_text() {
            return Ok(self.text.clone());
        }
        let bounds = Bounds::new(limits.text_bytes, scope.work());
        let mut text = bounds.text();
        text.reserve(self.text.len() + 32 * self.pieces.len());
        for piece in &self.pieces {
            let (pushed, place) = match piece {
                Piece::Text(range) => (text.push(&self.text[range.clone()]), Place { line: 1, column: 1 }),
                Piece::Path { path, place } => (text.push(printed(scope, path, *place)?), *place),
                Piece::Expression { compiled, place } => {
                    (text.push(&compiled.evaluate(scope, &bounds, *place)?), *place)
                }
            };
            pushed.map_err(|Fault { kind, message }| TemplateError::new(kind, message, place))?;
        }
        Ok(text.into_text())
    }
}

/// What is printed for a path that stands alone.
fn printed<'j>(scope: &Scope<'j>, path: &Path, place: Place) -> Result<&'j str, TemplateError> {
    let refuse = |message| Err(TemplateError::new(TemplateErrorKind::Type, message, place));
    match scope.resolve(path, place).map_err(|why| scope.explain(path, why, place))? {
        Json::Text(value) => Ok(value),
        Json::Number(digits) => Ok(digits),
        Json::Bool(value) => Ok(if *value { "true" } else { "false" }),
        Json::Null => Err(scope.null(path, place)),
        Json::Array(_) => refuse(format!("`{path}` is a list; name an element, or write `{path}|join(\",\")`")),
        Json::Object(_) => refuse(format!("`{path}` is a map; name the member that you want: `{path}.…`")),
    }
}

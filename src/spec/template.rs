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
//! A path that stands for nothing is an error wherever it is written, in the branch that is not taken too, unless a
//! default stands on it or on the filters behind it. Nothing can be called, repeated or formatted: everything that can
//! grow a text is bounded by [`Limits`] before it takes memory.

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

use std::ops::Range;
use std::sync::Arc;

pub use error::{TemplateError, TemplateErrorKind};
pub use filters::filters;
pub use path::{Read, Segment};
pub use scan::holds_template;
pub use scope::Scope;

use crate::document::{Json, Place};
use engine::{Bounded, Bounds, Fault};
use error::{Problem, advance};
use expression::Compiled;
use path::Path;
use scan::Stretch;

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
        Self { template_bytes: 16 << 10, expression_bytes: 256, text_bytes: 64 << 10 }
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
    /// Reads a text. One without `$` costs no more than looking for it.
    ///
    /// # Errors
    /// [`TemplateError`] for whatever can be told without values: [`TemplateErrorKind::Syntax`],
    /// [`NotAllowed`](TemplateErrorKind::NotAllowed),
    /// [`FreemarkerUnsupported`](TemplateErrorKind::FreemarkerUnsupported), [`TooLong`](TemplateErrorKind::TooLong).
    ///
    /// # Examples
    /// ```
    /// use mortise::spec::template::{Limits, Template, TemplateErrorKind};
    ///
    /// let limits = Limits::default();
    /// assert_eq!(Template::parse("$${literal} costs $5", &limits)?.plain_text(), Some("${literal} costs $5"));
    ///
    /// let refused = Template::parse("id:\n${'a' * 100000000}", &limits).unwrap_err();
    /// assert_eq!((refused.kind, refused.line, refused.column), (TemplateErrorKind::NotAllowed, 2, 7));
    /// # Ok::<(), mortise::spec::template::TemplateError>(())
    /// ```
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, TemplateError> {
        let start = Place { line: 1, column: 1 };
        let too_long = |what: &str, limit| {
            let message = format!("{what} is longer than {limit} bytes");
            TemplateError::new(TemplateErrorKind::TooLong, message, start)
        };
        if text.len() > limits.text_bytes {
            return Err(too_long("the text", limits.text_bytes));
        }
        if !text.contains('$') {
            return Ok(Self { text: text.to_owned(), pieces: Vec::new(), dollar_escape: false });
        }
        if text.len() > limits.template_bytes && holds_template(text) {
            return Err(too_long("the template", limits.template_bytes));
        }
        Builder::new(text, limits).build().map_err(|problem| problem.within(text, start))
    }

    /// Whether there is no expression in it.
    pub fn is_plain_text(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text that it always renders to, if there is no expression in it.
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
    /// use mortise::spec::template::{Limits, Template};
    /// let reads = Template::parse("${input.host!'localhost'}:${input.ports[layer]}", &Limits::default())?.reads();
    /// let told: Vec<_> = reads.iter().map(|read| (read.to_string(), read.required, read.dynamic)).collect();
    /// let (host, ports, layer) = ("input.host".into(), "input.ports".into(), "layer".into());
    /// assert_eq!(told, [(host, false, false), (ports, true, true), (layer, true, false)]);
    /// # Ok::<(), mortise::spec::template::TemplateError>(())
    /// ```
    pub fn reads(&self) -> Vec<Read> {
        let mut reads = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Path { path, .. } => path.reads(true, &mut reads),
                Piece::Expression { compiled, .. } => compiled.reads(&mut reads),
            }
        }
        reads
    }

    /// The text with every expression replaced by its value in `scope`. Booleans are `true` or `false`, numbers as they
    /// were written.
    ///
    /// # Errors
    /// [`TemplateError`]: [`TemplateErrorKind::Undefined`] where a path stands for nothing,
    /// [`Type`](TemplateErrorKind::Type) for `null`, for a list or a map as a whole and for values that do not go
    /// together, [`TooLong`](TemplateErrorKind::TooLong) where the text would outgrow `limits`.
    ///
    /// # Examples
    /// ```
    /// use mortise::document::Json;
    /// use mortise::spec::template::{Limits, Scope, Template};
    ///
    /// let limits = Limits::default();
    /// let input = Json::Object(vec![("version".to_owned(), Json::Text("1.2-rc".to_owned()))]);
    /// let scope = Scope::new().with("input", &input);
    /// let url = Template::parse(r#"${input.host!"localhost"}/${input.version?upper_case}"#, &limits)?;
    /// assert_eq!(url.render(&scope, &limits)?, "localhost/1.2-RC");
    ///
    /// let misspelt = Template::parse("${input.verison}", &limits)?.render(&scope, &limits).unwrap_err();
    /// assert_eq!(misspelt.message, "`input.verison` is not defined; did you mean `input.version`?");
    /// # Ok::<(), mortise::spec::template::TemplateError>(())
    /// ```
    pub fn render(&self, scope: &Scope<'_>, limits: &Limits) -> Result<String, TemplateError> {
        if self.is_plain_text() {
            return Ok(self.text.clone());
        }
        let bounds = Bounds::new(limits.text_bytes);
        let mut text = bounds.text();
        text.reserve(self.text.len() + 32 * self.pieces.len());
        let mut place = Place { line: 1, column: 1 };
        for piece in &self.pieces {
            let pushed = match piece {
                Piece::Text(range) => text.push(&self.text[range.clone()]),
                Piece::Path { path, place: here } => {
                    place = *here;
                    let value = scope.resolve(path, place).map_err(|why| scope.explain(path, why, place))?;
                    print(value, path, place, &mut text)?
                }
                Piece::Expression { compiled, place: here } => {
                    place = *here;
                    text.push(&compiled.evaluate(scope, &bounds, place)?)
                }
            };
            pushed.map_err(|Fault { kind, message }| TemplateError::new(kind, message, place))?;
        }
        Ok(text.into_text())
    }
}

/// Prints the value of a path that stands alone.
fn print(value: &Json, path: &Path, place: Place, text: &mut Bounded) -> Result<Result<(), Fault>, TemplateError> {
    let refuse = |message| Err(TemplateError::new(TemplateErrorKind::Type, message, place));
    match value {
        Json::Text(value) => Ok(text.push(value)),
        Json::Number(digits) => Ok(text.push(digits)),
        Json::Bool(value) => Ok(text.push(if *value { "true" } else { "false" })),
        Json::Null => Err(expression::is_null(path, place)),
        Json::Array(_) => refuse(format!("`{path}` is a list; name an element, or write `{path}|join(\",\")`")),
        Json::Object(_) => refuse(format!("`{path}` is a map; name the member that you want: `{path}.…`")),
    }
}

/// Puts a template together.
struct Builder<'t> {
    source: &'t str,
    limits: &'t Limits,
    template: Template,
    /// Where the text begins that no piece holds yet.
    text_from: usize,
    /// The last place that was asked for, and its offset.
    last: (usize, Place),
}

impl<'t> Builder<'t> {
    fn new(source: &'t str, limits: &'t Limits) -> Self {
        let template = Template { text: String::with_capacity(source.len()), pieces: Vec::new(), dollar_escape: false };
        Self { source, limits, template, text_from: 0, last: (0, Place { line: 1, column: 1 }) }
    }

    fn build(mut self) -> Result<Template, Problem> {
        for stretch in scan::stretches(self.source)? {
            match stretch {
                Stretch::Text(text) => self.template.text.push_str(text),
                Stretch::Dollar => {
                    self.template.text.push('$');
                    self.template.dollar_escape = true;
                }
                Stretch::Short { name, member, offset } => {
                    let path = Path::root(name);
                    let path = member.map_or(path.clone(), |member| path.member(member));
                    self.path(path, offset);
                }
                Stretch::Expression { source, offset } => self.expression(source, offset)?,
            }
        }
        if !self.template.pieces.is_empty() {
            self.end_text();
        }
        Ok(self.template)
    }

    fn expression(&mut self, source: &str, offset: usize) -> Result<(), Problem> {
        if source.len() > self.limits.expression_bytes {
            let message = format!("an expression is longer than {} bytes", self.limits.expression_bytes);
            return Err(Problem::new(TemplateErrorKind::TooLong, message, offset));
        }
        // Looked for first because a path needs neither minijinja nor the cache.
        let may_be_path = !source.contains(['|', '?', '!', '+', '(']);
        if let Some((path, within)) = may_be_path.then(|| grammar::plain_path(source)).flatten() {
            self.path(path, offset + within);
            return Ok(());
        }
        let compiled = cache::compiled(source).map_err(|found| Problem { offset: found.offset + offset, ..found })?;
        let place = self.place(offset);
        self.push(Piece::Expression { compiled, place });
        Ok(())
    }

    fn path(&mut self, path: Path, offset: usize) {
        let place = self.place(offset);
        self.push(Piece::Path { path, place });
    }

    fn push(&mut self, piece: Piece) {
        self.end_text();
        self.template.pieces.push(piece);
    }

    fn end_text(&mut self) {
        let end = self.template.text.len();
        if self.text_from < end {
            self.template.pieces.push(Piece::Text(self.text_from..end));
            self.text_from = end;
        }
    }

    fn place(&mut self, offset: usize) -> Place {
        let (from, place) = self.last;
        self.last = (offset, advance(place, &self.source[from..offset]));
        self.last.1
    }
}

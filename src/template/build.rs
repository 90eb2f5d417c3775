//! Puts a template together from the stretches of its text.

use super::error::{Problem, TemplateErrorKind, advance};
use super::path::Path;
use super::scan::{self, Stretch};
use super::{Limits, Piece, Template, cache, grammar};
use crate::document::Place;

/// Reads `text`, whose length is within `limits`.
pub(super) fn template(text: &str, limits: &Limits) -> Result<Template, Problem> {
    Builder::new(text, limits).build()
}

struct Builder<'t> {
    source: &'t str,
    limits: &'t Limits,
    template: Template,
    /// Where the text begins that is in no piece yet.
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
            let message =
                format!("an expression is longer than {} bytes (limit expression-bytes)", self.limits.expression_bytes);
            return Err(Problem::new(TemplateErrorKind::TooLong, message, offset));
        }
        // Nearly every expression is such a path, which needs neither the grammar nor minijinja.
        if let Some(path) = dotted_names(source) {
            self.path(path, offset);
            return Ok(());
        }
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

/// The path of `input.version` and the like: a name that templates know, then names behind dots, and nothing else.
fn dotted_names(source: &str) -> Option<Path> {
    const ROOTS: [&str; 9] =
        ["input", "version", "environment", "name", "system", "instance", "interface", "layer", "requires"];
    let mut names = source.split('.');
    let root = names.next().filter(|root| ROOTS.contains(root))?;
    let is_name = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
    };
    names.try_fold(Path::root(root), |path, name| is_name(name).then(|| path.member(name)))
}

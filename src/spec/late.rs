//! Late texts: texts that read matches. The planner is handed them, and has them rendered once it knows the matches.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::input::Inputs;
use super::text::{TemplateText, Text, problem_of};
use crate::document::{Json, Place, Pointer};
use crate::model::{Code, Late, LateProblem, LateProblemKind, Name, Read, ReadAttributes};
use crate::planner::InvalidText;
use crate::reading::{Problem, Problems, hint, shorten};
use crate::template::{Limits, Scope, Segment, TemplateError, TemplateErrorKind, WideMaps};

/// How many names of requires are looked through for a "did you mean".
const HINTED: usize = 256;

/// The values that the templates of a specification can read, besides matches. Shared, because late texts outlive the
/// rendering, and there may be thousands of them.
#[derive(Clone, Debug)]
pub(super) struct Values {
    names: Vec<(&'static str, Arc<Json>)>,
    /// Where the inputs stand, of which there may be thousands.
    wide: Arc<WideMaps>,
    /// What is left of the work of filters.
    work: Arc<AtomicUsize>,
}

impl Values {
    /// The inputs, and nothing else.
    pub fn of(inputs: &Inputs, work: Arc<AtomicUsize>) -> Self {
        let input = Arc::new(inputs.as_json().clone());
        Self { wide: Arc::new(WideMaps::of(&input)), names: vec![("input", input)], work }
    }

    pub fn set(&mut self, name: &'static str, value: Json) {
        self.names.push((name, Arc::new(value)));
    }

    pub fn scope(&self) -> Scope<'_> {
        Scope::of(self.names.iter().map(|(name, value)| (*name, value.as_ref())))
            .finding_by(&self.wide)
            .working_with(&self.work)
    }
}

/// A value in which some text reads a match.
pub(super) struct LateValue<T> {
    /// What its texts read of the matches.
    reads: Vec<Read>,
    values: Arc<Values>,
    posted_at: Pointer,
    /// Where it stands in the canonical form, relative to the specification.
    canonical: Pointer,
    known: Arc<BTreeSet<Name>>,
    render: Render<T>,
}

type Render<T> = Box<dyn Fn(&mut Renderer<'_>) -> Result<T, LateProblem> + Send + Sync>;

/// Renders the texts of one late value.
pub(super) struct Renderer<'a> {
    scope: Scope<'a>,
    canonical: &'a Pointer,
    known: &'a BTreeSet<Name>,
}

/// What all late values of a specification share.
pub(super) struct LateContext {
    pub values: Arc<Values>,
    /// The names of the requires.
    pub known: Arc<BTreeSet<Name>>,
}

impl LateContext {
    /// A late value that stands at `posted_at` and, in the canonical form, at `canonical`. `texts` are the templates in it.
    /// A text that reads an unknown require is a problem now, whatever matches.
    pub fn value<T>(
        &self,
        texts: &[Arc<TemplateText>],
        posted_at: &Pointer,
        canonical: Pointer,
        problems: &mut Problems,
        render: impl Fn(&mut Renderer<'_>) -> Result<T, LateProblem> + Send + Sync + 'static,
    ) -> LateValue<T> {
        let (mut reads, mut reads_any) = (Vec::new(), false);
        for text in texts {
            for read in text.template.reads().iter().filter(|read| read.root() == "requires") {
                match read.segments.get(1) {
                    Some(Segment::Name(name)) => match self.known.get(name.as_str()) {
                        Some(known) => {
                            reads.push(Read { require: known.clone(), attributes: attributes(&read.segments) })
                        }
                        None if problems.is_full() => {}
                        None => problems.push(self.unknown(text, name, read.place)),
                    },
                    // Only rendering tells which require is read.
                    _ => reads_any = true,
                }
            }
        }
        if reads_any {
            reads.extend(
                self.known.iter().map(|known| Read { require: known.clone(), attributes: ReadAttributes::Any }),
            );
        }
        let (values, known) = (self.values.clone(), self.known.clone());
        LateValue { reads, values, posted_at: posted_at.clone(), canonical, known, render: Box::new(render) }
    }

    fn unknown(&self, text: &TemplateText, name: &str, place: Place) -> Problem {
        // A template reads `requires.my-db` as `requires.my` minus `db`.
        let is_cut = |known: &&Name| known.as_str().strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        let hint = match self.known.iter().find(is_cut) {
            Some(whole) => format!("; for a name with `-` write requires[\"{whole}\"]"),
            None => hint(name, self.known.iter().map(Name::as_str).take(HINTED)),
        };
        Problem {
            code: Code::TemplateUndefined,
            pointer: text.pointer.as_str().to_owned(),
            line: Some(place.line),
            column: Some(place.column),
            message: format!("`requires.{}` is not defined: no require has this name{hint}", shorten(name)),
        }
    }
}

/// `requires.x.matches[0].attributes.NAME` reads one attribute, `requires.x.matches[0].labels.NAME` none.
fn attributes(segments: &[Segment]) -> ReadAttributes {
    match segments {
        [_, _, Segment::Name(matches), Segment::Index(_), Segment::Name(field), rest @ ..]
            if **matches == *"matches" =>
        {
            match rest {
                _ if **field != *"attributes" => ReadAttributes::None,
                [Segment::Name(name), ..] => ReadAttributes::One(name.as_str().to_owned()),
                _ => ReadAttributes::Any,
            }
        }
        // A template can print neither a whole list nor a whole match, so no attribute is read.
        [_, _] | [_, _, _] | [_, _, _, _] => ReadAttributes::None,
        _ => ReadAttributes::Any,
    }
}

impl<T> fmt::Debug for LateValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LateValue").field("posted_at", &self.posted_at).field("reads", &self.reads).finish()
    }
}

impl<T> Late<T> for LateValue<T> {
    fn reads(&self) -> &[Read] {
        &self.reads
    }

    fn posted_at(&self) -> &Pointer {
        &self.posted_at
    }

    fn render(&self, requires: &Json) -> Result<T, LateProblem> {
        let scope = self.values.scope().with("requires", requires);
        (self.render)(&mut Renderer { scope, canonical: &self.canonical, known: &self.known })
    }
}

impl Renderer<'_> {
    /// The final text.
    pub fn text(&mut self, text: &Text) -> Result<String, LateProblem> {
        match text {
            Text::Plain(plain) => Ok(plain.to_string()),
            Text::Template(written) => match written.template.render(&self.scope, &Limits::default()) {
                Ok(rendered) => written.checked(rendered).map(|text| text.to_string()).map_err(LateProblem::from),
                Err(error) => Err(self.classified(error, written)),
            },
        }
    }

    /// Tells what is at fault: the world, where a match or an attribute of a match is missing; otherwise the text itself.
    fn classified(&self, error: TemplateError, written: &TemplateText) -> LateProblem {
        let is_absent = matches!(error.kind, TemplateErrorKind::Undefined | TemplateErrorKind::Type);
        let require = match error.segments.as_slice() {
            [Segment::Name(root), Segment::Name(name), ..] if is_absent && **root == *"requires" => {
                self.known.get(name.as_str())
            }
            _ => None,
        };
        match require {
            Some(require) => LateProblem {
                kind: LateProblemKind::UndefinedMatch { require: require.clone() },
                pointer: self.canonical.clone(),
                place: Some((error.line, error.column)),
                message: error.message,
            },
            None => problem_of(error, &written.pointer).into(),
        }
    }
}

impl From<Problem> for LateProblem {
    fn from(problem: Problem) -> Self {
        Self {
            kind: LateProblemKind::Invalid(problem.code),
            pointer: Pointer::parsed(&problem.pointer),
            place: problem.line.zip(problem.column),
            message: problem.message,
        }
    }
}

/// What the planner found wrong in a late text.
impl From<InvalidText> for Problem {
    fn from(invalid: InvalidText) -> Self {
        let (line, column) = invalid.place.unzip();
        Self { code: invalid.code, pointer: invalid.pointer.into(), line, column, message: invalid.message }
    }
}

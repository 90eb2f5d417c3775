//! The values of the names in a template, and the error for a name without one.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::error::{TemplateError, TemplateErrorKind};
use super::path::{Path, Segment, Step, dotted};
use super::wide::WideMaps;
use crate::document::{Json, Place};

/// How many names are looked through for a "did you mean". A specification may hold many misspelt paths.
const MAX_CANDIDATES: usize = 256;

/// A longer name gets no "did you mean".
const MAX_NAME_LENGTH: usize = 32;

/// The names that a template may read, each with its value. It borrows the values and is cheap to build and to clone.
///
/// ```
/// use mortise::document::Json;
/// use mortise::template::{Limits, Scope, Template};
///
/// let (version, layer) = (Json::Text("1.2".into()), Json::Text("server".into()));
/// let artifact = Scope::new().with("version", &version);
/// let provide = artifact.with("layer", &layer);
/// let template = Template::parse("$layer-$version", &Limits::default())?;
/// assert_eq!(template.render(&provide, &Limits::default())?, "server-1.2");
/// assert!(template.render(&artifact, &Limits::default()).is_err());
/// # Ok::<(), mortise::template::TemplateError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    names: Vec<(&'a str, &'a Json)>,
    wide: Option<&'a WideMaps>,
    /// What is left of the work of filters, for all templates that are rendered together.
    work: Option<&'a Arc<AtomicUsize>>,
    /// No "did you mean" is looked for.
    is_terse: bool,
}

/// Why a path has no value.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// This many steps could be taken, but not the next one. 0: not even the root is there.
    Missing { taken: usize },
    /// A path in brackets has no usable value. No default covers that.
    Inner(Box<TemplateError>),
}

impl<'a> Scope<'a> {
    /// A scope without names.
    pub const fn new() -> Self {
        Self { names: Vec::new(), wide: None, work: None, is_terse: false }
    }

    /// This scope and one more name, which hides an earlier one of the same name.
    #[must_use]
    pub fn with(&self, name: &'a str, value: &'a Json) -> Self {
        let mut names = Vec::with_capacity(self.names.len() + 1);
        names.extend_from_slice(&self.names);
        names.push((name, value));
        Self { names, ..*self }
    }

    /// A scope with these names; a later one hides an earlier one of the same name.
    pub fn of(names: impl IntoIterator<Item = (&'a str, &'a Json)>) -> Self {
        Self { names: names.into_iter().collect(), ..Self::new() }
    }

    /// This scope, which finds the members of large maps in its values by `wide`.
    #[must_use]
    pub fn finding_by(self, wide: &'a WideMaps) -> Self {
        Self { wide: Some(wide), ..self }
    }

    /// This scope, whose filters take their work from `work`.
    #[must_use]
    pub fn working_with(self, work: &'a Arc<AtomicUsize>) -> Self {
        Self { work: Some(work), ..self }
    }

    /// This scope, which looks for no "did you mean" where `is_terse`.
    #[must_use]
    pub fn terse(self, is_terse: bool) -> Self {
        Self { is_terse, ..self }
    }

    pub(super) fn work(&self) -> Option<Arc<AtomicUsize>> {
        self.work.cloned()
    }

    fn member(&self, value: &'a Json, name: &str) -> Option<&'a Json> {
        self.wide.map_or_else(|| value.get(name), |wide| wide.get(value, name))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&'a Json> {
        self.names.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(super) fn resolve(&self, path: &Path, place: Place) -> Result<&'a Json, Unresolved> {
        let mut value = self.get(&path.root).ok_or(Unresolved::Missing { taken: 0 })?;
        for (index, step) in path.steps.iter().enumerate() {
            let missing = Unresolved::Missing { taken: index + 1 };
            value = match step {
                Step::Name(name) => self.member(value, name),
                Step::Index(index) => element(value, *index),
                Step::Dynamic(inner) => match self.segment(inner, place)? {
                    Segment::Name(name) => self.member(value, &name),
                    Segment::Index(index) => element(value, index),
                },
            }
            .ok_or(missing)?;
        }
        Ok(value)
    }

    /// The value of a path in brackets.
    fn segment(&self, inner: &Path, place: Place) -> Result<Segment, Unresolved> {
        let fail = |error| Unresolved::Inner(Box::new(error));
        let value = match self.resolve(inner, place) {
            Ok(value) => value,
            Err(unresolved) => return Err(fail(self.explain(inner, unresolved, place))),
        };
        match value {
            Json::Text(text) => Ok(Segment::Name(text.as_str().into())),
            Json::Number(digits) if digits.parse::<i64>().is_ok() => Ok(Segment::Index(digits.parse().unwrap_or(0))),
            other => {
                let message =
                    format!("`{}` is {}; in brackets stands a text or a whole number", inner, describe(other));
                Err(fail(TemplateError::new(TemplateErrorKind::Type, message, place)))
            }
        }
    }

    /// The error for a path that could not be resolved.
    pub(super) fn explain(&self, path: &Path, unresolved: Unresolved, place: Place) -> TemplateError {
        let taken = match unresolved {
            Unresolved::Missing { taken } => taken,
            Unresolved::Inner(error) => return *error,
        };
        let (segments, parent) = self.walked(path, taken, place);
        let written = dotted(&segments);
        let hint = match taken {
            _ if self.is_terse => String::new(),
            0 => self.root_hint(&path.root),
            _ => member_hint(&segments, parent),
        };
        let message = format!("`{written}` is not defined{hint}");
        TemplateError {
            path: Some(written),
            segments,
            ..TemplateError::new(TemplateErrorKind::Undefined, message, place)
        }
    }

    /// The error for a path that ends at `null`.
    pub(super) fn null(&self, path: &Path, place: Place) -> TemplateError {
        let (segments, _) = self.walked(path, path.steps.len(), place);
        let message = format!("`{path}` is null; give it a value, or write a default: `{path}!\"…\"`");
        let error = TemplateError::new(TemplateErrorKind::Type, message, place);
        TemplateError { path: Some(dotted(&segments)), segments, ..error }
    }

    /// The first `taken` steps of a path, and the value that the last of them is taken from.
    fn walked(&self, path: &Path, taken: usize, place: Place) -> (Vec<Segment>, Option<&'a Json>) {
        let mut segments = vec![Segment::Name(path.root.clone())];
        let mut parent = self.get(&path.root);
        for (index, step) in path.steps.iter().take(taken).enumerate() {
            let segment = match step {
                Step::Name(name) => Segment::Name(name.clone()),
                Step::Index(index) => Segment::Index(*index),
                Step::Dynamic(inner) => match self.segment(inner, place) {
                    Ok(segment) => segment,
                    Err(_) => break,
                },
            };
            if index + 1 < taken {
                parent = match &segment {
                    Segment::Name(name) => parent.and_then(|value| self.member(value, name)),
                    Segment::Index(index) => parent.and_then(|value| element(value, *index)),
                };
            }
            segments.push(segment);
        }
        (segments, parent)
    }

    fn root_hint(&self, name: &str) -> String {
        if self.get("input").is_some_and(|input| self.member(input, name).is_some()) {
            return format!(
                "; did you mean `{}`?",
                dotted(&[Segment::Name("input".into()), Segment::Name(name.into())])
            );
        }
        match nearest(name, self.names.iter().map(|(name, _)| *name)) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if self.names.is_empty() => String::new(),
            None => {
                let mut names: Vec<&str> = self.names.iter().map(|(name, _)| *name).collect();
                names.sort_unstable();
                names.dedup();
                format!("; what is defined here: {}", names.join(", "))
            }
        }
    }
}

/// What `value` is, for messages.
pub(super) fn describe(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::Text(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

/// The name among `names` that may be meant by `name`.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let length = name.chars().count();
    let allowed = if length < 3 { 1 } else { 2.max(length / 4) };
    let close = names.take(MAX_CANDIDATES).filter_map(|candidate| {
        // `my-db` is read as `my` minus `db` unless it stands in brackets.
        let cut_off = candidate.strip_prefix(name).is_some_and(|rest| rest.starts_with(['-', '/', '.', ':', '@']));
        if cut_off || candidate.eq_ignore_ascii_case(name) {
            return Some((0, candidate));
        }
        if candidate.chars().count().abs_diff(length) > allowed || length > MAX_NAME_LENGTH {
            return None;
        }
        let distance = strsim::osa_distance(name, candidate);
        (distance <= allowed && distance < length).then_some((distance, candidate))
    });
    close.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

fn member_hint(segments: &[Segment], parent: Option<&Json>) -> String {
    let Some((last, before)) = segments.split_last() else { return String::new() };
    match (last, parent) {
        (Segment::Name(name), Some(Json::Object(members))) => {
            match nearest(name, members.iter().map(|(key, _)| key.as_str())) {
                Some(near) => {
                    let mut meant = before.to_vec();
                    meant.push(Segment::Name(near.into()));
                    format!("; did you mean `{}`?", dotted(&meant))
                }
                None => String::new(),
            }
        }
        (Segment::Index(_), Some(Json::Array(elements))) => {
            format!("; `{}` has {} elements, counted from 0", dotted(before), elements.len())
        }
        (_, Some(other)) => format!("; `{}` is {}", dotted(before), describe(other)),
        (_, None) => String::new(),
    }
}

fn element(value: &Json, index: i64) -> Option<&Json> {
    let Json::Array(elements) = value else { return None };
    let index = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => elements.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    elements.get(index)
}

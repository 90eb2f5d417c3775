//! Dotted paths: `input.version`, `requires["my-db"].matches[0].attributes.url`, `input[environment]`.

use smol_str::SmolStr;

use std::fmt::{self, Write};

use super::scan::identifier;
use crate::document::Place;

/// A path as an expression writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) root: SmolStr,
    pub(super) steps: Vec<Step>,
}

/// A step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name(SmolStr),
    /// Negative ones count from the end.
    Index(i64),
    /// The name or index that another path stands for.
    Dynamic(Path),
}

/// A part of a path whose value is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A name: the root's, or a member's.
    Name(SmolStr),
    /// An element of an array, from 0; negative ones count from the end.
    Index(i64),
}

/// A path that a template reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The path, its root first; only the part before the brackets where it goes on dynamically (`input[version]`).
    pub segments: Vec<Segment>,
    /// Whether the template fails without it. `false` where a default stands right behind it, or where it is itself the
    /// default of another path (`b` in `a!b`).
    pub required: bool,
    /// Whether the path goes on in a way that only rendering can tell.
    pub dynamic: bool,
    /// Where the path begins in the template.
    pub place: Place,
}

impl Read {
    /// The name that the path begins with.
    pub fn root(&self) -> &str {
        match self.segments.first() {
            Some(Segment::Name(name)) => name,
            _ => "",
        }
    }
}

/// As a template writes it.
impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dotted(&self.segments))
    }
}

impl Path {
    pub(super) fn root(name: &str) -> Self {
        Self { root: name.into(), steps: Vec::new() }
    }

    pub(super) fn member(mut self, name: &str) -> Self {
        self.steps.push(Step::Name(name.into()));
        self
    }

    /// What this path, which begins at `place`, reads: itself, then the paths in its brackets.
    pub(super) fn reads(&self, required: bool, place: Place, into: &mut Vec<Read>) {
        let mut segments = vec![Segment::Name(self.root.clone())];
        let fixed = self.steps.iter().map_while(|step| match step {
            Step::Name(name) => Some(Segment::Name(name.clone())),
            Step::Index(index) => Some(Segment::Index(*index)),
            Step::Dynamic(_) => None,
        });
        segments.extend(fixed);
        let dynamic = segments.len() <= self.steps.len();
        into.push(Read { segments, required, dynamic, place });
        for step in &self.steps {
            // A default covers the path as a whole, but not the paths in its brackets.
            if let Step::Dynamic(inner) = step {
                inner.reads(true, place, into);
            }
        }
    }
}

/// As an expression writes it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write_name(f, name)?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Dynamic(inner) => write!(f, "[{inner}]")?,
            }
        }
        Ok(())
    }
}

/// `segments` as a template writes them.
pub(super) fn dotted(segments: &[Segment]) -> String {
    let mut text = String::new();
    for (index, segment) in segments.iter().enumerate() {
        let written = match segment {
            Segment::Name(name) if index == 0 => text.write_str(name),
            Segment::Name(name) => write_name(&mut text, name),
            Segment::Index(index) => write!(text, "[{index}]"),
        };
        written.expect("a String takes every text");
    }
    text
}

/// A name behind another: `.name`, or `["my-db"]` where it is no identifier.
fn write_name(out: &mut impl Write, name: &str) -> fmt::Result {
    if identifier(name) == Some(name) {
        write!(out, ".{name}")
    } else {
        write!(out, "[\"{}\"]", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

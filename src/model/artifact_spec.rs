//! An artifact specification once rendered: what the planner resolves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use serde::{Deserialize, Serialize};

use super::{Attributes, Code, Labels, Layer, Name, Quantifier, Selector, Slot};
use crate::document::{Json, Pointer};

/// A rendered specification. Texts that read matches are still [`Late`].
#[derive(Clone, Debug)]
pub struct ArtifactSpec {
    /// The System that owns the Artifact.
    pub system: Name,
    /// The slot: Artifact, Environment and instance.
    pub slot: Slot,
    /// The version to deploy, as written.
    pub version: SmolStr,
    /// A sentence for people.
    pub description: Option<String>,
    /// Notes, never matched.
    pub annotations: BTreeMap<Name, String>,
    /// What it will provide, in written order; (interface, layer) is unique.
    pub provides: Vec<Provide>,
    // BTreeMap: the order of requires is part of the answer and must not depend on how they were posted.
    /// What it requires of other Components.
    pub requires: BTreeMap<Name, Require>,
    /// What its deployment requires: hosts and the like.
    pub deployment_spec: BTreeMap<Name, Require>,
    /// What a reader should know although nothing is wrong; pointers are relative to this specification.
    pub warnings: Vec<Warning>,
    /// How many bytes its rendered texts have.
    pub rendered_bytes: usize,
}

/// What an Artifact will provide once deployed.
#[derive(Clone, Debug)]
pub struct Provide {
    /// The Interface.
    pub interface: Name,
    /// The layer.
    pub layer: Layer,
    /// The version of what is provided, which may differ from the artifact's.
    pub version: SmolStr,
    /// All labels, the reserved ones included.
    pub labels: Labels,
    /// Attributes in written order, keys unique.
    pub attributes: Vec<(String, Ready<Json>)>,
    /// Notes, never matched.
    pub annotations: BTreeMap<Name, String>,
}

/// What is required, of other Components or for the deployment itself.
#[derive(Clone, Debug)]
pub struct Require {
    /// The Interface that must be provided; any where absent.
    pub interface: Option<Name>,
    /// Every expression that applies: the written ones, then the `version` shorthand, then the environment default.
    pub selector: Ready<Selector>,
    /// Whether the match lasts.
    pub scope: Scope,
    /// Whether no match at all is acceptable; already part of `quantifier`.
    pub resolution: Resolution,
    /// How many must match.
    pub quantifier: Quantifier,
    /// The attributes asked for; empty: all.
    pub attributes: Ready<Vec<String>>,
}

/// Whether a Match becomes a Coupling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// It becomes a Coupling when the attempt is Active, and counts in impact.
    #[default]
    Runtime,
    /// It is resolved for the plan and recorded for audit.
    Deployment,
}

/// Whether a require may stay unmatched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// It must be met.
    #[default]
    Mandatory,
    /// Its least number of matches is zero.
    Optional,
}

impl Resolution {
    /// Whether it is optional.
    pub fn is_optional(&self) -> bool {
        *self == Self::Optional
    }
}

/// A value that is known, or one that waits for matches.
#[derive(Clone, Debug)]
pub enum Ready<T> {
    /// Known.
    Now(T),
    /// To be rendered once the matches that it reads are known.
    Late(Arc<dyn Late<T>>),
}

/// A value whose texts read matches. The planner calls it, and need not know how texts are rendered.
pub trait Late<T>: fmt::Debug + Send + Sync {
    /// Which matches it reads.
    fn reads(&self) -> &[Read];

    /// Where it stands in the document as posted.
    fn posted_at(&self) -> &Pointer;

    /// Renders it. `requires` is `{"<name>": {"matches": [{…, "attributes": {…}}]}}`, with at least the names in
    /// [`Late::reads`].
    ///
    /// # Errors
    /// [`LateProblem`] where a text reads what is not there, or is wrong in itself.
    fn render(&self, requires: &Json) -> Result<T, LateProblem>;
}

/// One reading of matches by a late text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The require whose matches are read.
    pub require: Name,
    /// Which attributes of the matches are read.
    pub attributes: ReadAttributes,
}

/// Which attributes of a match a late text reads, and so waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadAttributes {
    /// None: it reads a version or a label, which are known at once.
    None,
    /// This one.
    One(String),
    /// Which ones cannot be told beforehand.
    Any,
}

/// Why a late text could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateProblem {
    /// Whether it is the world or the text that is at fault.
    pub kind: LateProblemKind,
    /// Where: for an undefined match in the plan, relative to the specification; else in the document as posted.
    pub pointer: Pointer,
    /// Line and column in the text, from 1.
    pub place: Option<(u32, u32)>,
    /// What is wrong, for people.
    pub message: String,
}

/// The two faults of late texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LateProblemKind {
    /// The text reads a match, or an attribute of one, that is not there: the verdict is `no`.
    UndefinedMatch {
        /// The require that was read.
        require: Name,
    },
    /// The text is wrong whatever matches: the specification is not valid.
    Invalid(Code),
}

/// What a reader should know although nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The stable code.
    pub code: Code,
    /// Where: relative to a specification while planning, into the plan in an answer.
    pub pointer: String,
    /// For people.
    pub message: String,
}

impl Warning {
    /// A warning.
    pub fn new(code: Code, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, pointer: pointer.into(), message: message.into() }
    }

    /// About how many bytes it is shown with.
    pub fn bytes(&self) -> usize {
        60 + self.message.len() + self.pointer.len()
    }

    /// The same warning, its pointer moved below `prefix`.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

impl Provide {
    /// The attributes, where none of them is late.
    pub fn known_attributes(&self) -> Option<Attributes> {
        let known = self.attributes.iter().map(|(name, value)| match value {
            Ready::Now(json) => Some((name.clone(), json.clone())),
            Ready::Late(_) => None,
        });
        known.collect::<Option<Vec<_>>>().map(Attributes::new)
    }
}

impl Require {
    /// The attributes asked for, where they are known; none (which is all) where they are late.
    pub fn known_attributes(&self) -> &[String] {
        match &self.attributes {
            Ready::Now(attributes) => attributes,
            Ready::Late(_) => &[],
        }
    }
}

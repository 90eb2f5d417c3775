//! Resolutions: what an opening of an attempt resolved to, every fact once.
//!
//! A match does not repeat what its Component says: it names the Component and the revision of its row, and the row as of that
//! revision says what was handed out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    Attributes, ComponentId, ComponentRow, ComponentState, DeploymentId, DeploymentSpec, Labels, Layer, Name, Owner,
    Predicate, Quantifier, Resolution, Scope, Timestamp, Warning,
};

/// What an opening of an attempt resolved to. It never changes; another opening resolves anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolutionRow {
    /// The attempt.
    pub deployment: DeploymentId,
    /// The revision of the Catalog that it was resolved against.
    pub resolved_at: u64,
    /// What it resolved to.
    pub spec: ResolvedSpec,
}

/// A specification, rendered and resolved: with System, slot and version, which the attempt itself says, all that a plan shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedSpec {
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Notes, never matched.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<Name, String>,
    /// What it provides, in written order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<ResolvedProvide>,
    /// What it requires: `requires` before `deploymentSpec`, each by name. Shared, because an active attempt keeps them.
    #[serde(default, skip_serializing_if = "no_requires")]
    pub requires: Arc<[ResolvedRequire]>,
    /// What a reader should know; pointers are relative to the specification.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

fn no_requires(requires: &Arc<[ResolvedRequire]>) -> bool {
    requires.is_empty()
}

/// A Provide with its identity and its final attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResolvedProvide {
    /// The identity of the Component: that of its predecessor in the slot where there is one. Absent where it is new and nothing
    /// is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentId>,
    /// The Interface.
    pub interface: Name,
    /// The layer.
    pub layer: Layer,
    /// The version of what is provided.
    pub version: SmolStr,
    /// All labels, the reserved ones included.
    pub labels: Labels,
    /// The attributes, late ones rendered; those that could not be are absent.
    pub attributes: Attributes,
    /// Notes, never matched.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<Name, String>,
}

/// Where a require stands in a specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Section {
    /// In `requires`.
    #[default]
    Requires,
    /// In `deploymentSpec`.
    DeploymentSpec,
}

impl Section {
    /// The section as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requires => "requires",
            Self::DeploymentSpec => "deploymentSpec",
        }
    }

    fn is_requires(&self) -> bool {
        *self == Self::Requires
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A require and what it matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedRequire {
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Section::is_requires")]
    pub section: Section,
    /// Its name, unique in its section.
    pub name: Name,
    /// Interface and every expression that was applied. The selector is empty where a late text in it could not be rendered.
    pub predicate: Arc<Predicate>,
    /// Whether its matches become Couplings.
    #[serde(default, skip_serializing_if = "is_runtime")]
    pub scope: Scope,
    /// Whether no match at all is acceptable; already part of `quantifier`.
    #[serde(default, skip_serializing_if = "is_mandatory")]
    pub resolution: Resolution,
    /// How many must match.
    pub quantifier: Quantifier,
    /// The attributes that were asked for; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// In match order; empty for an ambiguous require.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
}

fn is_runtime(scope: &Scope) -> bool {
    *scope == Scope::Runtime
}

fn is_mandatory(resolution: &Resolution) -> bool {
    !resolution.is_optional()
}

/// A Component chosen for a require.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenMatch", into = "WrittenMatch")]
pub struct Match {
    /// Its identity. Absent where another member of the set would make it and nothing is recorded.
    pub component: Option<ComponentId>,
    /// Where it comes from, and so where the values stand that were handed out.
    pub origin: Origin,
}

/// Where a match comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It ran: its row as of this revision has the values.
    Catalog {
        /// The revision that wrote the row.
        revision: u64,
    },
    /// Another member of the set will make it: the resolution of that member, of the same ChangeSet, has the values.
    Member {
        /// Which specification of the set, from 0.
        member: usize,
        /// Which of its Provides, from 0.
        provide: usize,
    },
}

/// A match as it is written: with a revision, or with a member and its Provide.
#[derive(Serialize, Deserialize)]
struct WrittenMatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    component: Option<ComponentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provide: Option<usize>,
}

impl From<Match> for WrittenMatch {
    fn from(found: Match) -> Self {
        let (revision, member, provide) = match found.origin {
            Origin::Catalog { revision } => (Some(revision), None, None),
            Origin::Member { member, provide } => (None, Some(member), Some(provide)),
        };
        Self { component: found.component, revision, member, provide }
    }
}

impl TryFrom<WrittenMatch> for Match {
    type Error = &'static str;

    fn try_from(written: WrittenMatch) -> Result<Self, Self::Error> {
        let origin = match (written.revision, written.member, written.provide) {
            (Some(revision), None, None) => Origin::Catalog { revision },
            (None, Some(member), Some(provide)) => Origin::Member { member, provide },
            _ => return Err("a match has a revision, or a member and its Provide"),
        };
        Ok(Self { component: written.component, origin })
    }
}

impl ResolvedSpec {
    /// The require of this name in this section.
    pub fn require(&self, section: Section, name: &Name) -> Option<&ResolvedRequire> {
        let place = self.requires.binary_search_by(|require| (require.section, &require.name).cmp(&(section, name)));
        place.ok().map(|place| &self.requires[place])
    }

    /// The Provide of this Interface in this layer, and its place.
    pub fn provide(&self, interface: &str, layer: Layer) -> Option<(usize, &ResolvedProvide)> {
        let mut provides = self.provides.iter().enumerate();
        provides.find(|(_, provide)| provide.interface.as_str() == interface && provide.layer == layer)
    }
}

impl ResolvedProvide {
    /// The row of the Component that `attempt` makes of it in this state; `None` where it has no identity.
    pub fn made_by(&self, attempt: &DeploymentSpec, state: ComponentState, since: Timestamp) -> Option<ComponentRow> {
        Some(ComponentRow {
            id: self.component?,
            owner: Owner::Slot(attempt.slot.clone()),
            system: Some(attempt.system.clone()),
            interface: self.interface.clone(),
            layer: self.layer,
            version: Some(attempt.version.clone()),
            labels: self.labels.clone(),
            attributes: self.attributes.clone(),
            state,
            since,
            deployment: Some(attempt.id),
        })
    }
}

impl ResolvedRequire {
    /// The Components that it matched, in match order.
    pub fn providers(&self) -> impl Iterator<Item = ComponentId> + '_ {
        self.matches.iter().filter_map(|found| found.component)
    }

    /// Whether it matched this Component.
    pub fn matched(&self, component: ComponentId) -> bool {
        self.providers().any(|provider| provider == component)
    }
}

/// What is to be known of the end of an attempt besides its row; there is one only where there is something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndingRow {
    /// The attempt.
    pub deployment: DeploymentId,
    /// The attributes that a failure reported otherwise than planned, all of them of each Component. A success says them in the
    /// rows of its Components.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub corrected: BTreeMap<ComponentId, Attributes>,
    /// The matches that stood otherwise when it succeeded, in the order of the requires; of each require those that it had before
    /// those that were added. Whether the values that were handed out are others too is seen where both rows are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<MovedMatch>,
    /// Whether more moved than is listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// A match that stands otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovedMatch {
    /// Where the require stands.
    #[serde(default, skip_serializing_if = "Section::is_requires")]
    pub section: Section,
    /// The require.
    pub require: Name,
    /// The Component.
    pub component: ComponentId,
    /// The match as it was; absent where it did not match then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Match>,
    /// The revision of its row now; absent where it does not match any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<u64>,
}

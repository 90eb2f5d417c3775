//! A specification as a plan shows it: rendered, resolved, in the one canonical spelling.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{Error, SerializeMap, SerializeSeq, Serializer};

use super::{MatchView, MatchedRows};
use crate::document::JsonText;
use crate::model::{
    ArtifactSpec, Attributes, ComponentId, DeploymentId, DeploymentSpec, Labels, Layer, Match, Name, Origin,
    Quantifier, Resolution, ResolvedAttempt, ResolvedRequire, ResolvedSpec, Scope, Section, Selector, Slot,
};

/// A specification that is shown: what it resolved to, with System, slot and version, which that does not repeat.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub system: &'a Name,
    pub slot: &'a Slot,
    pub version: &'a str,
    /// The attempt, where it is recorded.
    pub deployment: Option<DeploymentId>,
    pub resolved: &'a ResolvedSpec,
}

impl<'a> Shown<'a> {
    /// One that is not recorded.
    pub fn of_spec(spec: &'a ArtifactSpec, resolved: &'a ResolvedSpec) -> Self {
        Self { system: &spec.system, slot: &spec.slot, version: &spec.version, deployment: None, resolved }
    }

    /// One that is recorded.
    pub fn of_attempt(spec: &'a DeploymentSpec, resolved: &'a ResolvedSpec) -> Self {
        Self { system: &spec.system, slot: &spec.slot, version: &spec.version, deployment: Some(spec.id), resolved }
    }
}

impl<'a> From<&'a ResolvedAttempt> for Shown<'a> {
    fn from(attempt: &'a ResolvedAttempt) -> Self {
        Self::of_attempt(&attempt.spec, &attempt.resolution.spec)
    }
}

/// Where the values of matches stand: in rows, and in what was resolved together.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub rows: &'a dyn MatchedRows,
    pub together: &'a [Shown<'a>],
}

impl<'a> Values<'a> {
    /// A match with all its attributes; `None` where its row is not known.
    pub fn view(&self, found: &Match) -> Option<MatchView<'a>> {
        match found.origin {
            Origin::Catalog { revision } => self.rows.matched(found.component?, revision),
            Origin::Member { member, provide } => {
                let member = self.together.get(member)?;
                Some(MatchView::planned(member, member.resolved.provides.get(provide)?))
            }
        }
    }
}

/// The text of a specification as its plan shows it; the attributes of what it provides as they were `made`, where they were.
///
/// # Errors
/// What serde_json says; the Component whose row is not known.
pub(super) fn text(
    shown: &Shown<'_>,
    values: Values<'_>,
    made: &BTreeMap<ComponentId, Attributes>,
) -> serde_json::Result<JsonText> {
    let resolved = shown.resolved;
    let provides = resolved.provides.iter().map(|provide| ProvideView {
        component: provide.component,
        interface: &provide.interface,
        layer: provide.layer,
        version: &provide.version,
        labels: &provide.labels,
        attributes: provide.component.and_then(|id| made.get(&id)).unwrap_or(&provide.attributes),
        annotations: &provide.annotations,
    });
    let section = |section| Requires { requires: &resolved.requires, section, values };
    JsonText::of(&ArtifactSpecView {
        system: shown.system,
        name: &shown.slot.artifact,
        version: shown.version,
        environment: &shown.slot.environment,
        instance: &shown.slot.instance,
        description: resolved.description.as_deref(),
        annotations: &resolved.annotations,
        provides: provides.collect(),
        requires: section(Section::Requires),
        deployment_spec: section(Section::DeploymentSpec),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactSpecView<'a> {
    system: &'a Name,
    name: &'a Name,
    version: &'a str,
    environment: &'a Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<Name, String>,
    provides: Vec<ProvideView<'a>>,
    requires: Requires<'a>,
    deployment_spec: Requires<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProvideView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<ComponentId>,
    interface: &'a Name,
    layer: Layer,
    version: &'a str,
    labels: &'a Labels,
    attributes: &'a Attributes,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<Name, String>,
}

/// The requires of one section by name.
struct Requires<'a> {
    requires: &'a [ResolvedRequire],
    section: Section,
    values: Values<'a>,
}

impl Serialize for Requires<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for require in self.requires.iter().filter(|require| require.section == self.section) {
            let view = RequireView {
                interface: require.predicate.interface.as_ref(),
                selector: &require.predicate.selector,
                scope: (self.section == Section::Requires).then_some(require.scope),
                quantifier: require.quantifier,
                resolution: require.resolution,
                attributes: &require.attributes,
                matches: Matches { require, values: self.values },
            };
            map.serialize_entry(&require.name, &view)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct RequireView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a Name>,
    selector: &'a Selector,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    quantifier: Quantifier,
    #[serde(skip_serializing_if = "is_mandatory")]
    resolution: Resolution,
    attributes: &'a [String],
    matches: Matches<'a>,
}

fn is_mandatory(resolution: &Resolution) -> bool {
    !resolution.is_optional()
}

/// The matches of a require, with their values.
struct Matches<'a> {
    require: &'a ResolvedRequire,
    values: Values<'a>,
}

impl Serialize for Matches<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.require.matches.len()))?;
        for found in &self.require.matches {
            let view = self.values.view(found).ok_or_else(|| unknown(found))?;
            list.serialize_element(&view.with_only(&self.require.attributes))?;
        }
        list.end()
    }
}

fn unknown<E: Error>(found: &Match) -> E {
    let component = found.component.map_or_else(|| "a Component".to_owned(), |id| format!("the Component {id}"));
    E::custom(format!("{component} was matched, but its row is not in the history"))
}

//! A specification as a plan shows it: rendered, resolved, in the one canonical spelling.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::MatchView;
use crate::document::JsonText;
use crate::model::{
    ArtifactSpec, Attributes, ComponentId, Labels, Layer, Name, Quantifier, Require, Resolution, Scope, Selector,
};
use crate::planner::{PlannedSpec, Resolved};

/// The texts of all specifications of a plan, in order.
pub fn artifact_specs(specs: &[ArtifactSpec], members: &[PlannedSpec]) -> Vec<JsonText> {
    specs.iter().zip(members).map(|(spec, planned)| artifact_spec(spec, planned)).collect()
}

/// The text of a specification as its plan shows it.
pub fn artifact_spec(spec: &ArtifactSpec, planned: &PlannedSpec) -> JsonText {
    let provides = spec.provides.iter().zip(&planned.provides).map(|(provide, planned)| ProvideView {
        component: planned.component,
        interface: &provide.interface,
        layer: provide.layer,
        version: &provide.version,
        labels: &provide.labels,
        attributes: &planned.attributes,
        annotations: &provide.annotations,
    });
    let view = ArtifactSpecView {
        system: &spec.system,
        name: &spec.slot.artifact,
        version: &spec.version,
        environment: &spec.slot.environment,
        instance: &spec.slot.instance,
        description: spec.description.as_deref(),
        annotations: &spec.annotations,
        provides: provides.collect(),
        requires: Requires { written: &spec.requires, resolved: &planned.requires, in_deployment_spec: false },
        deployment_spec: Requires {
            written: &spec.deployment_spec,
            resolved: &planned.deployment_spec,
            in_deployment_spec: true,
        },
    };
    JsonText::of(&view).expect("every key of a specification is text")
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
    written: &'a BTreeMap<Name, Require>,
    resolved: &'a BTreeMap<Name, Resolved>,
    in_deployment_spec: bool,
}

impl Serialize for Requires<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.written.len()))?;
        for (name, require) in self.written {
            let resolved = &self.resolved[name];
            let view = RequireView {
                interface: require.interface.as_ref(),
                selector: &resolved.selector,
                scope: (!self.in_deployment_spec).then_some(require.scope),
                quantifier: require.quantifier,
                resolution: require.resolution,
                attributes: &resolved.attributes,
                matches: resolved.matches.iter().map(MatchView::from).collect(),
            };
            map.serialize_entry(name, &view)?;
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
    matches: Vec<MatchView<'a>>,
}

fn is_mandatory(resolution: &Resolution) -> bool {
    !resolution.is_optional()
}

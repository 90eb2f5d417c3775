//! Components and matches as answers show them.

use serde::Serialize;

use crate::catalog::Component;
use crate::model::{Attributes, ComponentId, ComponentState, DeploymentId, Labels, Layer, Timestamp};
use crate::planner::Match;

/// A Component: a match of a plan, or an item of `GET /components`, which also has its state and since when.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<ComponentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    environment: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: &'a str,
    interface: &'a str,
    layer: Layer,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ComponentState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    labels: std::borrow::Cow<'a, Labels>,
    attributes: &'a Attributes,
}

impl<'a> From<&'a Match> for MatchView<'a> {
    fn from(found: &'a Match) -> Self {
        Self {
            component: found.component,
            artifact: (!found.is_server).then_some(&*found.name),
            server: found.is_server.then_some(&*found.name),
            system: found.system.as_deref(),
            version: found.version.as_deref(),
            environment: &found.environment,
            instance: &found.instance,
            interface: &found.interface,
            layer: found.layer,
            deployment: found.deployment,
            state: None,
            since: None,
            labels: std::borrow::Cow::Borrowed(&found.labels),
            attributes: &found.attributes,
        }
    }
}

impl<'a> From<&Component<'a>> for MatchView<'a> {
    fn from(component: &Component<'a>) -> Self {
        let (name, is_server) = (component.name().as_ref(), component.is_server());
        Self {
            component: Some(component.id()),
            artifact: (!is_server).then_some(name),
            server: is_server.then_some(name),
            system: component.system().map(AsRef::as_ref),
            version: component.version().map(AsRef::as_ref),
            environment: component.environment(),
            instance: component.instance(),
            interface: component.interface(),
            layer: component.layer(),
            deployment: component.deployment(),
            state: Some(component.state()),
            since: Some(component.since()),
            labels: std::borrow::Cow::Owned(component.labels()),
            attributes: component.attributes(),
        }
    }
}

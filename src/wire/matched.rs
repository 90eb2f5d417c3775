//! Matches as plans show them.

use std::borrow::Cow;

use serde::Serialize;

use crate::catalog::{Catalog, Component};
use crate::model::{
    Attributes, ComponentId, ComponentRow, ComponentRows, DeploymentId, Labels, Layer, Owner, ResolvedProvide,
};

use super::artifact_spec::Shown;

/// A Component that was chosen for a require.
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
    labels: Cow<'a, Labels>,
    attributes: Cow<'a, Attributes>,
}

/// Where the values of matches stand that were found in the Catalog.
pub trait MatchedRows {
    /// The Component as its row said that this revision wrote; `None` where it is not known.
    fn matched(&self, component: ComponentId, revision: u64) -> Option<MatchView<'_>>;
    /// How many bytes its attributes have as that row said, or 0.
    fn bytes(&self, component: ComponentId, revision: u64) -> usize;
}

/// The Catalog that a plan was resolved against has the rows that its matches refer to.
impl MatchedRows for Catalog {
    fn matched(&self, component: ComponentId, revision: u64) -> Option<MatchView<'_>> {
        let found = self.component(self.find_component(component)?);
        (found.revision() == revision).then(|| MatchView::from(&found))
    }

    fn bytes(&self, component: ComponentId, revision: u64) -> usize {
        let found = self.find_component(component).map(|handle| self.component(handle));
        found.filter(|found| found.revision() == revision).map_or(0, |found| found.attributes().as_str().len())
    }
}

impl MatchedRows for ComponentRows {
    fn matched(&self, component: ComponentId, revision: u64) -> Option<MatchView<'_>> {
        self.get(&(component, revision)).map(MatchView::from)
    }

    fn bytes(&self, component: ComponentId, revision: u64) -> usize {
        self.get(&(component, revision)).map_or(0, |row| row.attributes.as_str().len())
    }
}

impl<'a> MatchView<'a> {
    /// What a member of a set will make.
    pub(super) fn planned(member: &Shown<'a>, provide: &'a ResolvedProvide) -> Self {
        Self {
            component: provide.component,
            artifact: Some(member.slot.artifact.as_str()),
            server: None,
            system: Some(member.system.as_str()),
            version: Some(member.version),
            environment: member.slot.environment.as_str(),
            instance: &member.slot.instance,
            interface: provide.interface.as_str(),
            layer: provide.layer,
            deployment: member.deployment,
            labels: Cow::Borrowed(&provide.labels),
            attributes: Cow::Borrowed(&provide.attributes),
        }
    }

    /// Only those attributes that were `asked` for; all, where that is none.
    #[must_use]
    pub(super) fn with_only(mut self, asked: &[String]) -> Self {
        if !asked.is_empty() {
            self.attributes = Cow::Owned(self.attributes.select(asked).0);
        }
        self
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
            labels: Cow::Owned(component.labels()),
            attributes: Cow::Borrowed(component.attributes()),
        }
    }
}

impl<'a> From<&'a ComponentRow> for MatchView<'a> {
    fn from(row: &'a ComponentRow) -> Self {
        let (name, is_server) = (row.owner.name().as_str(), matches!(row.owner, Owner::Server { .. }));
        Self {
            component: Some(row.id),
            artifact: (!is_server).then_some(name),
            server: is_server.then_some(name),
            system: row.system.as_ref().map(|system| system.as_str()),
            version: row.version.as_deref(),
            environment: row.owner.environment().as_str(),
            instance: row.owner.instance(),
            interface: row.interface.as_str(),
            layer: row.layer,
            deployment: row.deployment,
            labels: Cow::Borrowed(&row.labels),
            attributes: Cow::Borrowed(&row.attributes),
        }
    }
}

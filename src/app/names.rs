//! What is known by name: Systems, Artifacts, Interfaces, Environments, Servers.

use serde::Serialize;

use super::coupling::CouplingView;
use super::queries::{ATTEMPTS, Listed, text};
use super::{App, AppError};
use crate::catalog::{Catalog, Component};
use crate::document::JsonText;
use crate::model::{
    ArtifactRow, Attributes, ComponentId, DeploymentId, EnvironmentRow, FirstDeployment, InterfaceRow, Labels, Layer,
    Name, Predicate, Selector, SystemRow, Timestamp,
};
use crate::reading::nearest;
use crate::store::DeploymentFilter;
use crate::wire::MatchView;

/// The kinds of things that are known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the thing of that name")]
pub enum NamedKind {
    System,
    Artifact,
    Interface,
    Environment,
    Server,
}

impl NamedKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Artifact => "artifact",
            Self::Interface => "interface",
            Self::Environment => "environment",
            Self::Server => "server",
        }
    }
}

impl App {
    /// Things known by name, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn named(&self, kind: NamedKind, limit: usize, after: Option<String>) -> Result<Listed, AppError> {
        let catalog = self.catalog();
        // The names are sorted for the answer, and there may be many.
        self.blocking(move |_| {
            let (after, count) = (after.as_deref(), limit + 1);
            let mut found: Vec<(String, JsonText)> = match kind {
                NamedKind::System => {
                    entries(&catalog.systems_after(after, count), |row| (&row.name, text(&SystemView::from(row))))
                }
                NamedKind::Artifact => {
                    entries(&catalog.artifacts_after(after, count), |row| (&row.name, text(&ArtifactView::from(row))))
                }
                NamedKind::Interface => {
                    entries(&catalog.interfaces_after(after, count), |row| (&row.name, text(&InterfaceView::from(row))))
                }
                NamedKind::Environment => entries(&catalog.environments_after(after, count), |row| {
                    (&row.name, text(&EnvironmentView::from(row)))
                }),
                NamedKind::Server => entries(&catalog.servers_after(after, count), |server| {
                    (server.name(), text(&ServerView::from(server)))
                }),
            };
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|(name, _)| name.clone());
            Listed { items: found.into_iter().map(|(_, item)| item).collect(), next }
        })
        .await
    }

    /// One thing known by name, with what belongs to it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] with the nearest name, where there is none.
    pub async fn named_one(&self, kind: NamedKind, name: &str) -> Result<JsonText, AppError> {
        self.found_at_last(async || self.known_one(kind, name).await).await
    }

    async fn known_one(&self, kind: NamedKind, name: &str) -> Result<JsonText, AppError> {
        let catalog = self.catalog();
        let missing = || not_found(&catalog, kind, name);
        match kind {
            NamedKind::System => {
                #[derive(Serialize)]
                struct View<'a> {
                    #[serde(flatten)]
                    system: SystemView<'a>,
                    artifacts: Vec<Name>,
                    interfaces: Vec<Name>,
                }
                let row = catalog.system(name).ok_or_else(missing)?;
                // Looks at everything that has a name, as the next ones look at all there is of their kind.
                self.blocking(move |_| {
                    let (artifacts, interfaces) = catalog.owned_by(&row.name);
                    text(&View { system: (&row).into(), artifacts, interfaces })
                })
                .await
            }
            NamedKind::Artifact => {
                #[derive(Serialize)]
                struct View<'a> {
                    #[serde(flatten)]
                    artifact: ArtifactView<'a>,
                    environments: Vec<Name>,
                    attempts: Vec<JsonText>,
                }
                let row = catalog.artifact(name).ok_or_else(missing)?;
                let filter = DeploymentFilter { artifact: Some(name.to_owned()), ..DeploymentFilter::default() };
                let attempts = self.deployments(filter, ATTEMPTS, None).await?.items;
                self.blocking(move |_| {
                    let environments = catalog.environments_of(&row.name);
                    text(&View { artifact: (&row).into(), environments, attempts })
                })
                .await
            }
            NamedKind::Interface => {
                let row = catalog.interface(name).ok_or_else(missing)?;
                self.blocking(move |_| interface_view(&catalog, &row)).await
            }
            NamedKind::Environment => Ok(text(&EnvironmentView::from(&catalog.environment(name).ok_or_else(missing)?))),
            NamedKind::Server => Ok(server_view(&catalog, &catalog.server(name).ok_or_else(missing)?)),
        }
    }

    /// A Server that was just declared, even where somebody has withdrawn it since.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it never was.
    pub fn declared_server(&self, name: &str) -> Result<JsonText, AppError> {
        let catalog = self.catalog();
        let server = catalog.server_ever(name).ok_or_else(|| not_found(&catalog, NamedKind::Server, name))?;
        Ok(server_view(&catalog, &server))
    }

    pub(super) fn no_server(&self, name: &str) -> AppError {
        not_found(&self.catalog(), NamedKind::Server, name)
    }
}

fn entries<'a, R, N: ToString + ?Sized + 'a>(
    rows: &'a [R],
    entry: impl Fn(&'a R) -> (&'a N, JsonText),
) -> Vec<(String, JsonText)> {
    rows.iter().map(entry).map(|(name, item)| (name.to_string(), item)).collect()
}

fn not_found(catalog: &Catalog, kind: NamedKind, name: &str) -> AppError {
    let near = match kind {
        NamedKind::System => nearest(name, catalog.system_names()),
        NamedKind::Artifact => nearest(name, catalog.artifact_names()),
        NamedKind::Interface => nearest(name, catalog.interface_names()),
        NamedKind::Environment => nearest(name, catalog.environment_names()),
        NamedKind::Server => nearest(name, catalog.server_names()),
    };
    AppError::NotFound { what: format!("the {} `{name}`", kind.as_str()), nearest: near.map(str::to_owned) }
}

fn server_view(catalog: &Catalog, server: &Component<'_>) -> JsonText {
    #[derive(Serialize)]
    struct View<'a> {
        #[serde(flatten)]
        server: ServerView<'a>,
        consumers: Vec<CouplingView>,
    }
    let consumers = catalog.consumers(server.id());
    let consumers = consumers.iter().map(|consumer| CouplingView::new(consumer, consumer.is_broken_on(server)));
    text(&View { server: ServerView::from(server), consumers: consumers.collect() })
}

fn interface_view(catalog: &Catalog, row: &InterfaceRow) -> JsonText {
    #[derive(Serialize)]
    struct View<'a> {
        #[serde(flatten)]
        interface: InterfaceView<'a>,
        providers: Vec<MatchView<'a>>,
        requirers: Vec<RequirerView<'a>>,
    }
    /// Requires that ask the same, so that it is asked once how much matches them now.
    #[derive(Serialize)]
    struct RequirerView<'a> {
        selector: &'a Selector,
        matching: usize,
        by: Vec<RequirerOf<'a>>,
    }
    #[derive(Serialize)]
    struct RequirerOf<'a> {
        artifact: &'a Name,
        environment: &'a Name,
        #[serde(skip_serializing_if = "str::is_empty")]
        instance: &'a str,
        require: &'a Name,
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<DeploymentId>,
    }
    let any = Predicate { interface: Some(row.name.clone()), selector: Selector::default() };
    let everything = catalog.excluding([]);
    let handles = catalog.resolve(&any, &everything, usize::MAX).handles;
    let components: Vec<_> = handles.into_iter().map(|handle| catalog.component(handle)).collect();
    let groups = catalog.requirers(row.name.as_str());
    let requirers = groups.iter().map(|group| RequirerView {
        selector: &group.predicate.selector,
        matching: catalog.resolve(group.predicate, &everything, usize::MAX).handles.len(),
        by: group
            .requirers
            .iter()
            .map(|(requirements, require)| RequirerOf {
                artifact: &requirements.slot.artifact,
                environment: &requirements.slot.environment,
                instance: &requirements.slot.instance,
                require,
                deployment: requirements.deployment,
            })
            .collect(),
    });
    let view = View {
        interface: row.into(),
        providers: components.iter().map(MatchView::from).collect(),
        requirers: requirers.collect(),
    };
    text(&view)
}

#[derive(Serialize)]
struct SystemView<'a> {
    name: &'a Name,
}

impl<'a> From<&'a SystemRow> for SystemView<'a> {
    fn from(row: &'a SystemRow) -> Self {
        Self { name: &row.name }
    }
}

#[derive(Serialize)]
struct ArtifactView<'a> {
    name: &'a Name,
    system: &'a Name,
}

impl<'a> From<&'a ArtifactRow> for ArtifactView<'a> {
    fn from(row: &'a ArtifactRow) -> Self {
        Self { name: &row.name, system: &row.system }
    }
}

#[derive(Serialize)]
struct InterfaceView<'a> {
    name: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a Name>,
}

impl<'a> From<&'a InterfaceRow> for InterfaceView<'a> {
    fn from(row: &'a InterfaceRow) -> Self {
        Self { name: &row.name, system: row.system.as_ref() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentView<'a> {
    name: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_deployment: Option<FirstDeployment>,
}

impl<'a> From<&'a EnvironmentRow> for EnvironmentView<'a> {
    fn from(row: &'a EnvironmentRow) -> Self {
        Self { name: &row.name, first_deployment: row.first_deployment }
    }
}

/// A Server as it was declared, and its Component.
#[derive(Serialize)]
struct ServerView<'a> {
    name: &'a str,
    component: ComponentId,
    environment: &'a str,
    interface: &'a str,
    layer: Layer,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    labels: Labels,
    attributes: &'a Attributes,
    since: Timestamp,
}

impl<'a> From<&Component<'a>> for ServerView<'a> {
    fn from(server: &Component<'a>) -> Self {
        Self {
            name: server.name(),
            component: server.id(),
            environment: server.environment(),
            interface: server.interface(),
            layer: server.layer(),
            version: server.version().map(AsRef::as_ref),
            labels: server.labels(),
            attributes: server.attributes(),
            since: server.since(),
        }
    }
}

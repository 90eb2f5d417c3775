//! What is known by name: Systems, Artifacts, Interfaces, Environments, Servers.

use super::queries::{Attempts, Listed, newest_attempts};
use super::{App, AppError};
use crate::catalog::{Catalog, Component, Effort, Within};
use crate::model::limits::{PLAN_MATCHES, SHOWN_OF_A_THING};
use crate::model::{
    ArtifactRow, ComponentRow, Coupling, EnvironmentRow, InterfaceRow, Name, Predicate, Requirer, Selector, SystemRow,
};
use crate::store::{DeploymentFilter, Store};

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

/// How many comparisons are made, at most, to tell how many Components match what requirers ask.
const COMPARISONS: usize = 100_000;

/// A list that belongs to a thing, or its beginning.
#[derive(Clone, Debug)]
pub struct Beginning<T> {
    /// At most a hundred of them.
    pub items: Vec<T>,
    /// How many there are in all, where these are not all.
    pub count: Option<usize>,
}

impl<T> Beginning<T> {
    fn of((items, count): (Vec<T>, usize)) -> Self {
        Self { count: (count > items.len()).then_some(count), items }
    }
}

impl<T> From<(Vec<T>, Option<usize>)> for Beginning<T> {
    fn from((items, count): (Vec<T>, Option<usize>)) -> Self {
        Self { items, count }
    }
}

/// A thing known by name, with what belongs to it.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each field is named as what it holds")]
pub enum NamedDetail {
    /// A System, and what belongs to it, in name order.
    System { system: SystemRow, artifacts: Beginning<Name>, interfaces: Beginning<Name> },
    /// An Artifact, the Environments in which it was ever started, in name order, and its newest attempts.
    Artifact { artifact: ArtifactRow, environments: Beginning<Name>, attempts: Attempts },
    /// An Interface, active Components that provide it, in match order, and who requires it.
    Interface { interface: InterfaceRow, providers: Beginning<ComponentRow>, requirers: Beginning<Requirers> },
    /// An Environment.
    Environment(EnvironmentRow),
    /// A Server, and its consumers of both scopes, ordered by slot and require.
    Server { server: ComponentRow, consumers: Beginning<Coupling> },
}

/// Active requires that ask the same of an Interface: how much matches them now is asked once for all of them.
#[derive(Clone, Debug)]
pub struct Requirers {
    /// What they ask.
    pub selector: Selector,
    /// How many Components match that now; absent where too many would have to be looked at.
    pub matching: Option<usize>,
    /// Who asks it, ordered by slot and require.
    pub by: Vec<Requirer>,
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
    /// Systems, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn systems(&self, limit: usize, after: Option<String>) -> Result<Listed<SystemRow, Name>, AppError> {
        self.named(limit, after, Catalog::systems_after, |row| &row.name).await
    }

    /// Artifacts, those of a System where one is given, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn artifacts(
        &self,
        limit: usize,
        after: Option<String>,
        system: Option<String>,
    ) -> Result<Listed<ArtifactRow, Name>, AppError> {
        let rows = move |catalog: &Catalog, after: Option<&str>, limit| match &system {
            None => catalog.artifacts_after(after, limit),
            Some(system) => {
                let (names, _) = catalog.names_within(Within::ArtifactsOfSystem, system, after, limit);
                names.iter().filter_map(|name| catalog.artifact(name.as_str())).collect()
            }
        };
        self.named(limit, after, rows, |row| &row.name).await
    }

    /// Interfaces, those of a System where one is given, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn interfaces(
        &self,
        limit: usize,
        after: Option<String>,
        system: Option<String>,
    ) -> Result<Listed<InterfaceRow, Name>, AppError> {
        let rows = move |catalog: &Catalog, after: Option<&str>, limit| match &system {
            None => catalog.interfaces_after(after, limit),
            Some(system) => {
                let (names, _) = catalog.names_within(Within::InterfacesOfSystem, system, after, limit);
                names.iter().filter_map(|name| catalog.interface(name.as_str())).collect()
            }
        };
        self.named(limit, after, rows, |row| &row.name).await
    }

    /// Environments, those in which an Artifact was ever started where one is given, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn environments(
        &self,
        limit: usize,
        after: Option<String>,
        artifact: Option<String>,
    ) -> Result<Listed<EnvironmentRow, Name>, AppError> {
        let rows = move |catalog: &Catalog, after: Option<&str>, limit| match &artifact {
            None => catalog.environments_after(after, limit),
            Some(artifact) => {
                let (names, _) = catalog.names_within(Within::EnvironmentsOfArtifact, artifact, after, limit);
                names.iter().filter_map(|name| catalog.environment(name.as_str())).collect()
            }
        };
        self.named(limit, after, rows, |row| &row.name).await
    }

    /// Servers that are not withdrawn, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn servers(&self, limit: usize, after: Option<String>) -> Result<Listed<ComponentRow, Name>, AppError> {
        let rows = |catalog: &Catalog, after: Option<&str>, limit| {
            catalog.servers_after(after, limit).iter().map(Component::row).collect()
        };
        self.named(limit, after, rows, |row| row.owner.name()).await
    }

    async fn named<T: Send + 'static>(
        &self,
        limit: usize,
        after: Option<String>,
        rows: impl FnOnce(&Catalog, Option<&str>, usize) -> Vec<T> + Send + 'static,
        name: impl FnOnce(&T) -> &Name + Send + 'static,
    ) -> Result<Listed<T, Name>, AppError> {
        let catalog = self.catalog();
        self.blocking(move |_| {
            Listed::first(rows(&catalog, after.as_deref(), limit + 1), limit, |last| name(last).clone())
        })
        .await
    }

    /// One thing known by name, with what belongs to it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] with the nearest name, where there is none.
    pub async fn named_one(&self, kind: NamedKind, name: &str) -> Result<NamedDetail, AppError> {
        self.found_at_last(async || {
            let (catalog, name) = (self.catalog(), name.to_owned());
            // It may read the store, and look at many Components.
            self.blocking(move |store| {
                detail(&catalog, store, kind, &name)?.ok_or_else(|| not_found(&catalog, kind, &name))
            })
            .await?
        })
        .await
    }

    /// A Server that was just declared, even where somebody has withdrawn it since.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where it never was.
    pub fn declared_server(&self, name: &str) -> Result<NamedDetail, AppError> {
        let catalog = self.catalog();
        let server = catalog.server_ever(name).ok_or_else(|| not_found(&catalog, NamedKind::Server, name))?;
        Ok(server_detail(&catalog, &server))
    }

    pub(super) fn no_server(&self, name: &str) -> AppError {
        not_found(&self.catalog(), NamedKind::Server, name)
    }
}

fn not_found(catalog: &Catalog, kind: NamedKind, name: &str) -> AppError {
    let near = match kind {
        NamedKind::System => catalog.systems().nearest(name),
        NamedKind::Artifact => catalog.artifacts().nearest(name),
        NamedKind::Interface => catalog.interfaces().nearest(name),
        NamedKind::Environment => catalog.environments().nearest(name),
        NamedKind::Server => catalog.servers().nearest(name),
    };
    AppError::NotFound { what: format!("the {} `{name}`", kind.as_str()), nearest: near.map(str::to_owned) }
}

fn detail(catalog: &Catalog, store: &dyn Store, kind: NamedKind, name: &str) -> Result<Option<NamedDetail>, AppError> {
    Ok(match kind {
        NamedKind::System => catalog.system(name).map(|system| {
            let owned = |within| Beginning::of(catalog.names_within(within, name, None, SHOWN_OF_A_THING));
            let (artifacts, interfaces) = (owned(Within::ArtifactsOfSystem), owned(Within::InterfacesOfSystem));
            NamedDetail::System { system, artifacts, interfaces }
        }),
        NamedKind::Artifact => {
            let Some(artifact) = catalog.artifact(name) else { return Ok(None) };
            let filter = DeploymentFilter { artifact: Some(name.to_owned()), ..DeploymentFilter::default() };
            let attempts = newest_attempts(store, &filter)?;
            let environments =
                Beginning::of(catalog.names_within(Within::EnvironmentsOfArtifact, name, None, SHOWN_OF_A_THING));
            Some(NamedDetail::Artifact { artifact, environments, attempts })
        }
        NamedKind::Interface => catalog.interface(name).map(|interface| interface_detail(catalog, interface)),
        NamedKind::Environment => catalog.environment(name).map(NamedDetail::Environment),
        NamedKind::Server => catalog.server(name).map(|server| server_detail(catalog, &server)),
    })
}

fn interface_detail(catalog: &Catalog, interface: InterfaceRow) -> NamedDetail {
    let everything = catalog.excluding([]);
    let provided = Predicate { interface: Some(interface.name.clone()), selector: Selector::default() };
    // All are brought into order, or as many as a plan may match, so that those shown are the first.
    let providers = catalog.resolve(&provided, &everything, PLAN_MATCHES, &Effort::unlimited());
    let is_cut = providers.more || providers.handles.len() > SHOWN_OF_A_THING;
    let count = is_cut.then(|| catalog.provider_count(interface.name.as_str()));
    let providers =
        providers.handles.into_iter().take(SHOWN_OF_A_THING).map(|handle| catalog.component(handle).row()).collect();
    let effort = Effort::of(COMPARISONS);
    let (groups, requirer_count) = catalog.some_requirers(interface.name.as_str(), SHOWN_OF_A_THING);
    let requirers = groups.into_iter().map(|group| {
        let found = catalog.resolve(group.predicate, &everything, usize::MAX, &effort);
        let matching = (!found.more).then_some(found.handles.len());
        let by = group.requirers.iter().map(|(requirements, require)| Requirer::new(requirements, require)).collect();
        Requirers { selector: group.predicate.selector.clone(), matching, by }
    });
    NamedDetail::Interface {
        providers: Beginning { items: providers, count },
        requirers: Beginning { items: requirers.collect(), count: requirer_count },
        interface,
    }
}

fn server_detail(catalog: &Catalog, server: &Component<'_>) -> NamedDetail {
    NamedDetail::Server { server: server.row(), consumers: catalog.some_couplings_of(server, SHOWN_OF_A_THING).into() }
}

//! What is known by name: Systems, Artifacts, Interfaces, Environments, Servers.

use super::queries::{Listed, newest_attempts};
use super::{App, AppError};
use crate::catalog::{Catalog, Component, Effort};
use crate::model::{
    ArtifactRow, ComponentRow, Coupling, DeploymentSpec, EnvironmentRow, InterfaceRow, Name, Predicate, Requirer,
    Selector, SystemRow,
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

/// A thing known by name, with what belongs to it.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each field is named as what it holds")]
pub enum NamedDetail {
    /// A System, and what belongs to it, in name order.
    System { system: SystemRow, artifacts: Vec<Name>, interfaces: Vec<Name> },
    /// An Artifact, the Environments in which it was ever started, in name order, and its attempts, the newest first.
    Artifact { artifact: ArtifactRow, environments: Vec<Name>, attempts: Vec<DeploymentSpec> },
    /// An Interface, the active Components that provide it, in match order, and who requires it.
    Interface { interface: InterfaceRow, providers: Vec<ComponentRow>, requirers: Vec<Requirers> },
    /// An Environment.
    Environment(EnvironmentRow),
    /// A Server, and its consumers of both scopes, ordered by slot and require.
    Server { server: ComponentRow, consumers: Vec<Coupling> },
}

/// Active requires that ask the same of an Interface: how much matches them now is asked once for all of them.
#[derive(Clone, Debug)]
pub struct Requirers {
    /// What they ask.
    pub selector: Selector,
    /// How many Components match that now.
    pub matching: usize,
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

    /// Artifacts, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn artifacts(&self, limit: usize, after: Option<String>) -> Result<Listed<ArtifactRow, Name>, AppError> {
        self.named(limit, after, Catalog::artifacts_after, |row| &row.name).await
    }

    /// Interfaces, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn interfaces(
        &self,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<InterfaceRow, Name>, AppError> {
        self.named(limit, after, Catalog::interfaces_after, |row| &row.name).await
    }

    /// Environments, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn environments(
        &self,
        limit: usize,
        after: Option<String>,
    ) -> Result<Listed<EnvironmentRow, Name>, AppError> {
        self.named(limit, after, Catalog::environments_after, |row| &row.name).await
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
        // The names are sorted for the answer, and there may be many.
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
            // It may look at everything that has a name, and the name that is nearest is sought among all of a kind.
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
            let (artifacts, interfaces) = catalog.owned_by(&system.name);
            NamedDetail::System { system, artifacts, interfaces }
        }),
        NamedKind::Artifact => {
            let Some(artifact) = catalog.artifact(name) else { return Ok(None) };
            let filter = DeploymentFilter { artifact: Some(name.to_owned()), ..DeploymentFilter::default() };
            let attempts = newest_attempts(store, &filter)?;
            Some(NamedDetail::Artifact { environments: catalog.environments_of(&artifact.name), artifact, attempts })
        }
        NamedKind::Interface => catalog.interface(name).map(|interface| interface_detail(catalog, interface)),
        NamedKind::Environment => catalog.environment(name).map(NamedDetail::Environment),
        NamedKind::Server => catalog.server(name).map(|server| server_detail(catalog, &server)),
    })
}

fn interface_detail(catalog: &Catalog, interface: InterfaceRow) -> NamedDetail {
    let everything = catalog.excluding([]);
    let resolve =
        |predicate: &Predicate| catalog.resolve(predicate, &everything, usize::MAX, &Effort::unlimited()).handles;
    let providers = resolve(&Predicate { interface: Some(interface.name.clone()), selector: Selector::default() });
    let requirers = catalog.requirers(interface.name.as_str()).into_iter().map(|group| Requirers {
        selector: group.predicate.selector.clone(),
        matching: resolve(group.predicate).len(),
        by: group.requirers.iter().map(|(requirements, require)| Requirer::new(requirements, require)).collect(),
    });
    NamedDetail::Interface {
        providers: providers.into_iter().map(|handle| catalog.component(handle).row()).collect(),
        requirers: requirers.collect(),
        interface,
    }
}

fn server_detail(catalog: &Catalog, server: &Component<'_>) -> NamedDetail {
    NamedDetail::Server { server: server.row(), consumers: catalog.couplings_of(server) }
}

//! What is known by name: Systems, Artifacts, Interfaces, Environments, Servers.
//!
//! What each is stands by its symbol, and the names of each kind stand in order beside it.

use super::known::{Known, Names};
use super::ordered::{End, Ordered};
use super::symbols::Symbol;
use super::{Catalog, Component, Posting};
use crate::model::{ArtifactRow, EnvironmentRow, FirstDeployment, InterfaceRow, Name, Settings, SystemRow};

#[derive(Clone, Copy)]
pub(super) struct NamedArtifact {
    pub system: Symbol,
    pub proven: bool,
}

#[derive(Clone, Copy)]
pub(super) struct NamedInterface {
    pub system: Option<Symbol>,
    pub proven: bool,
}

#[derive(Clone, Copy)]
pub(super) struct NamedEnvironment {
    pub first_deployment: Option<FirstDeployment>,
    pub proven: bool,
}

/// What belongs to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Within {
    /// The Artifacts of a System.
    ArtifactsOfSystem,
    /// The Interfaces of a System.
    InterfacesOfSystem,
    /// The Environments in which an Artifact was ever started.
    EnvironmentsOfArtifact,
}

/// The names of each kind, in order.
#[derive(Clone, Default)]
pub(super) struct NamesByKind {
    pub systems: Names,
    pub artifacts: Names,
    pub interfaces: Names,
    pub environments: Names,
    /// Those that are not withdrawn.
    pub servers: Names,
    /// Those of labels that active Components have, but for the keys that each has.
    pub label_keys: Names,
}

impl Catalog {
    /// The System `name`.
    pub fn system(&self, name: &str) -> Option<SystemRow> {
        let symbol = self.symbols.find(name)?;
        self.systems.get(&symbol).map(|()| self.system_row(symbol))
    }

    /// The names of all Systems.
    pub fn systems(&self) -> Known<'_> {
        Known::new(&self.names.systems, &self.symbols)
    }

    /// The first `limit` Systems after `after` in name order.
    pub fn systems_after(&self, after: Option<&str>, limit: usize) -> Vec<SystemRow> {
        self.systems().symbols_after(after).take(limit).map(|symbol| self.system_row(symbol)).collect()
    }

    /// The Artifact `name`.
    pub fn artifact(&self, name: &str) -> Option<ArtifactRow> {
        let symbol = self.symbols.find(name)?;
        self.artifacts.get(&symbol).map(|entry| self.artifact_row(symbol, *entry))
    }

    /// The names of all Artifacts.
    pub fn artifacts(&self) -> Known<'_> {
        Known::new(&self.names.artifacts, &self.symbols)
    }

    /// The first `limit` Artifacts after `after` in name order.
    pub fn artifacts_after(&self, after: Option<&str>, limit: usize) -> Vec<ArtifactRow> {
        let found = self.artifacts().symbols_after(after).take(limit);
        found.filter_map(|symbol| Some(self.artifact_row(symbol, *self.artifacts.get(&symbol)?))).collect()
    }

    /// The first `limit` names after `after` of what belongs to the thing `owner`, in order, and how many there are in all.
    pub fn names_within(&self, within: Within, owner: &str, after: Option<&str>, limit: usize) -> (Vec<Name>, usize) {
        let Some(owner) = self.symbols.find(owner) else { return (Vec::new(), 0) };
        if within == Within::EnvironmentsOfArtifact {
            // Mostly one or a few: they are put in order when they are asked for.
            let names = self.environments_of.get(&owner).into_iter().flat_map(Posting::iter);
            let mut names: Vec<_> = names.map(|name| self.symbols.name(name)).collect();
            let count = names.len();
            names.retain(|name| after.is_none_or(|after| name.as_str() > after));
            names.sort_unstable();
            names.truncate(limit);
            return (names, count);
        }
        let names = self.within.get(&(within, owner));
        names.map_or((Vec::new(), 0), |names| {
            let found = names.names_after(&self.symbols, after).take(limit);
            (found.map(|symbol| self.symbols.name(symbol)).collect(), names.len())
        })
    }

    /// Puts a thing among what belongs to another one.
    pub(super) fn put_within(&mut self, within: Within, owner: Symbol, name: Symbol) {
        if !self.within.contains_key(&(within, owner)) {
            self.within.insert((within, owner), Ordered::new(End::Front));
        }
        if let Some(names) = self.within.get_mut(&(within, owner)) {
            names.insert(name, &self.symbols);
        }
    }

    /// Takes a thing away from what belonged to another one.
    pub(super) fn take_from(&mut self, within: Within, owner: Symbol, name: Symbol) {
        if let Some(names) = self.within.get_mut(&(within, owner)) {
            names.remove(name, &self.symbols);
        }
    }

    /// The Interface `name`.
    pub fn interface(&self, name: &str) -> Option<InterfaceRow> {
        let symbol = self.symbols.find(name)?;
        self.interfaces.get(&symbol).map(|entry| self.interface_row(symbol, *entry))
    }

    /// The names of all Interfaces.
    pub fn interfaces(&self) -> Known<'_> {
        Known::new(&self.names.interfaces, &self.symbols)
    }

    /// The first `limit` Interfaces after `after` in name order.
    pub fn interfaces_after(&self, after: Option<&str>, limit: usize) -> Vec<InterfaceRow> {
        let found = self.interfaces().symbols_after(after).take(limit);
        found.filter_map(|symbol| Some(self.interface_row(symbol, *self.interfaces.get(&symbol)?))).collect()
    }

    /// The Environment `name`.
    pub fn environment(&self, name: &str) -> Option<EnvironmentRow> {
        let symbol = self.symbols.find(name)?;
        self.environments.get(&symbol).map(|entry| self.environment_row(symbol, *entry))
    }

    /// The names of all Environments.
    pub fn environments(&self) -> Known<'_> {
        Known::new(&self.names.environments, &self.symbols)
    }

    /// The first `limit` Environments after `after` in name order.
    pub fn environments_after(&self, after: Option<&str>, limit: usize) -> Vec<EnvironmentRow> {
        let found = self.environments().symbols_after(after).take(limit);
        found.filter_map(|symbol| Some(self.environment_row(symbol, *self.environments.get(&symbol)?))).collect()
    }

    /// The policy for a first deployment to `environment`, if this would be one: nothing ever succeeded there.
    pub fn first_deployment(&self, environment: &Name, settings: &Settings) -> Option<FirstDeployment> {
        let known = self.symbols.find(environment.as_str()).and_then(|symbol| self.environments.get(&symbol));
        match known {
            Some(entry) if entry.proven => None,
            Some(entry) => Some(entry.first_deployment.unwrap_or(settings.first_deployment)),
            None => Some(settings.first_deployment),
        }
    }

    /// The active Component of the Server `name`.
    pub fn server(&self, name: &str) -> Option<Component<'_>> {
        self.server_ever(name).filter(Component::is_active)
    }

    /// The Component of the Server `name`, withdrawn or not.
    pub fn server_ever(&self, name: &str) -> Option<Component<'_>> {
        self.servers.get(&self.symbols.find(name)?).map(|&handle| self.component(handle))
    }

    /// The names of all Servers that are not withdrawn.
    pub fn servers(&self) -> Known<'_> {
        Known::new(&self.names.servers, &self.symbols)
    }

    /// The first `limit` Servers after `after` in name order, withdrawn ones left out.
    pub fn servers_after(&self, after: Option<&str>, limit: usize) -> Vec<Component<'_>> {
        let found = self.servers().symbols_after(after).take(limit);
        found.filter_map(|symbol| self.servers.get(&symbol)).map(|&handle| self.component(handle)).collect()
    }

    pub(super) fn system_row(&self, name: Symbol) -> SystemRow {
        SystemRow { name: self.symbols.name(name) }
    }

    pub(super) fn artifact_row(&self, name: Symbol, entry: NamedArtifact) -> ArtifactRow {
        ArtifactRow { name: self.symbols.name(name), system: self.symbols.name(entry.system), proven: entry.proven }
    }

    pub(super) fn interface_row(&self, name: Symbol, entry: NamedInterface) -> InterfaceRow {
        let system = entry.system.map(|system| self.symbols.name(system));
        InterfaceRow { name: self.symbols.name(name), system, proven: entry.proven }
    }

    pub(super) fn environment_row(&self, name: Symbol, entry: NamedEnvironment) -> EnvironmentRow {
        EnvironmentRow { name: self.symbols.name(name), first_deployment: entry.first_deployment, proven: entry.proven }
    }
}

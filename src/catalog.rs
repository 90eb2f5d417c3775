//! The in-memory graph: what is active now, indexed by label, and what is open.
//!
//! A [`Catalog`] is a value. Cloning it costs a few pointers, because everything in it is a persistent collection; the
//! committer edits a working copy, and publishes it whole once it is durable. Readers keep the copy that they began with.
//! Applying the ChangeSets of the history in order to an empty Catalog gives today's Catalog, and so does applying the
//! rows of a snapshot ([`Catalog::rows`]) and then the ChangeSets after it.

mod apply;
mod component;
mod couplings;
mod posting;
mod resolve;
mod slots;
mod snapshot;
mod symbols;

use std::sync::Arc;

pub use component::{Component, Handle};
pub use couplings::{Consumer, RequirerGroup};
pub use resolve::{Candidates, Excluded, Found};
pub use slots::SlotState;

use crate::model::{
    ArtifactRow, ComponentId, EnvironmentRow, FirstDeployment, InterfaceRow, Name, PlanId, Settings, Slot, SystemRow, Timestamp,
};
use component::Stored;
use couplings::Couplings;
use posting::Posting;
use slots::SlotKey;
use symbols::{Symbol, Symbols};

/// A persistent map with a hash function that resists chosen keys. Its iteration order decides nothing.
type Map<K, V> = imbl::GenericHashMap<K, V, foldhash::fast::RandomState, imbl::shared_ptr::DefaultSharedPtr>;

/// The graph as it is at one revision.
#[derive(Clone, Default)]
pub struct Catalog {
    revision: u64,
    active_revision: u64,
    time: Timestamp,
    settings: Option<Settings>,
    symbols: Symbols,
    components: imbl::Vector<Arc<Stored>>,
    ids: imbl::OrdMap<ComponentId, Handle>,
    labels: Map<(Symbol, Symbol), Posting>,
    keys: Map<Symbol, Posting>,
    places: Map<(Symbol, Symbol), Posting>,
    planned: Map<Symbol, imbl::OrdSet<SlotKey>>,
    // OrdMap: the slots of an Artifact stand together.
    slots: imbl::OrdMap<SlotKey, Arc<SlotState>>,
    servers: imbl::OrdMap<Name, Handle>,
    couplings: Couplings,
    systems: imbl::OrdMap<Name, SystemRow>,
    artifacts: imbl::OrdMap<Name, ArtifactRow>,
    interfaces: imbl::OrdMap<Name, InterfaceRow>,
    environments: imbl::OrdMap<Name, EnvironmentRow>,
    idempotency: Map<Arc<str>, PlanId>,
}

impl Catalog {
    /// The revision of the last ChangeSet applied; 0 for the empty Catalog.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision that last changed what is active, and so what a require can match.
    pub fn active_revision(&self) -> u64 {
        self.active_revision
    }

    /// The time of the last ChangeSet applied.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The settings as recorded; `None` before they were recorded first.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// How many Components there are, inactive ones included and planned ones not.
    pub fn component_count(&self) -> usize {
        self.components.len()
    }

    /// The Component at `handle`.
    pub fn component(&self, handle: Handle) -> Component<'_> {
        Component::new(&self.symbols, &self.components[handle.index()])
    }

    /// The handle of the Component with this id.
    pub fn find_component(&self, id: ComponentId) -> Option<Handle> {
        self.ids.get(&id).copied()
    }

    /// The Components, active and inactive, in order of their ids, which is that of their first planning; those after `after`.
    pub fn components_after(&self, after: Option<ComponentId>) -> impl Iterator<Item = Component<'_>> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.ids.range((from, Bound::Unbounded)).map(|(_, &handle)| self.component(handle))
    }

    /// The Components that open attempts would make, in order of their ids; those after `after`.
    pub fn planned_components_after(&self, after: Option<ComponentId>) -> Vec<Component<'_>> {
        let planned = self.slots.values().flat_map(|slot| slot.planned.iter());
        let mut found: Vec<_> = planned
            .map(|stored| Component::new(&self.symbols, stored))
            .filter(|component| after.is_none_or(|after| component.id() > after))
            .collect();
        found.sort_by_key(|component| component.id());
        found
    }

    /// The state of a slot; `None` where nothing was ever recorded in it.
    pub fn slot(&self, slot: &Slot) -> Option<&SlotState> {
        self.slots.get(&self.slot_key(slot)?).map(AsRef::as_ref)
    }

    /// The Components, active or not, whose identity belongs to this slot.
    pub fn slot_components(&self, slot: &Slot) -> impl Iterator<Item = Component<'_>> {
        let handles = self.slot(slot).map_or(&[][..], |state| &state.components);
        handles.iter().map(|&handle| self.component(handle))
    }

    /// The active Component of the Server `name`.
    pub fn server(&self, name: &str) -> Option<Component<'_>> {
        let component = self.server_ever(name)?;
        component.is_active().then_some(component)
    }

    /// The Component of the Server `name`, withdrawn or not.
    pub fn server_ever(&self, name: &str) -> Option<Component<'_>> {
        self.servers.get(name).map(|&handle| self.component(handle))
    }

    /// The Servers in name order, withdrawn ones left out; those after `after`.
    pub fn servers_after<'a>(&'a self, after: Option<&'a str>) -> impl Iterator<Item = Component<'a>> {
        after_name(&self.servers, after).map(|(_, &handle)| self.component(handle)).filter(Component::is_active)
    }

    /// The System `name`.
    pub fn system(&self, name: &str) -> Option<&SystemRow> {
        self.systems.get(name)
    }

    /// The Systems in name order; those after `after`.
    pub fn systems_after<'a>(&'a self, after: Option<&'a str>) -> impl Iterator<Item = &'a SystemRow> {
        after_name(&self.systems, after).map(|(_, row)| row)
    }

    /// The Artifact `name`.
    pub fn artifact(&self, name: &str) -> Option<&ArtifactRow> {
        self.artifacts.get(name)
    }

    /// The Artifacts in name order; those after `after`.
    pub fn artifacts_after<'a>(&'a self, after: Option<&'a str>) -> impl Iterator<Item = &'a ArtifactRow> {
        after_name(&self.artifacts, after).map(|(_, row)| row)
    }

    /// The Interface `name`.
    pub fn interface(&self, name: &str) -> Option<&InterfaceRow> {
        self.interfaces.get(name)
    }

    /// The Interfaces in name order; those after `after`.
    pub fn interfaces_after<'a>(&'a self, after: Option<&'a str>) -> impl Iterator<Item = &'a InterfaceRow> {
        after_name(&self.interfaces, after).map(|(_, row)| row)
    }

    /// The Environment `name`.
    pub fn environment(&self, name: &str) -> Option<&EnvironmentRow> {
        self.environments.get(name)
    }

    /// The Environments in name order; those after `after`.
    pub fn environments_after<'a>(&'a self, after: Option<&'a str>) -> impl Iterator<Item = &'a EnvironmentRow> {
        after_name(&self.environments, after).map(|(_, row)| row)
    }

    /// The policy for a first deployment to `environment`, if this would be one: nothing ever succeeded there.
    pub fn first_deployment(&self, environment: &Name, settings: &Settings) -> Option<FirstDeployment> {
        match self.environments.get(environment) {
            Some(row) if row.proven => None,
            Some(row) => Some(row.first_deployment.unwrap_or(settings.first_deployment)),
            None => Some(settings.first_deployment),
        }
    }

    /// The Environments in which an Artifact was ever started, in name order.
    pub fn environments_of(&self, artifact: &Name) -> Vec<Name> {
        let Some(artifact) = self.symbols.find(artifact.as_str()) else { return Vec::new() };
        let slots = self.slots.range(SlotKey::first_of(artifact)..).take_while(|(slot, _)| slot.artifact == artifact);
        let started: std::collections::BTreeSet<_> = slots.map(|(slot, _)| self.symbols.name(slot.environment)).collect();
        started.into_iter().collect()
    }

    /// The plan recorded under an idempotency key.
    pub fn plan_of_key(&self, key: &str) -> Option<PlanId> {
        self.idempotency.get(key).copied()
    }

    fn slot_key(&self, slot: &Slot) -> Option<SlotKey> {
        Some(SlotKey {
            artifact: self.symbols.find(slot.artifact.as_str())?,
            environment: self.symbols.find(slot.environment.as_str())?,
            instance: self.symbols.find(&slot.instance)?,
        })
    }
}

fn after_name<'a, V: Clone>(map: &'a imbl::OrdMap<Name, V>, after: Option<&str>) -> impl Iterator<Item = (&'a Name, &'a V)> {
    use std::ops::Bound;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    map.range::<_, str>((from, Bound::Unbounded))
}

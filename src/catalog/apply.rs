//! Applying ChangeSets: the only way in which a Catalog changes.

use std::hash::Hash;
use std::sync::Arc;

use super::changed::Changed;
use super::component::Stored;
use super::cow_map::CowMap;
use super::list::{Property, Shelf};
use super::names::{NamedArtifact, NamedEnvironment, NamedInterface, Within};
use super::slots::{OpenAttempt, SlotIndex, SlotKey, SlotState};
use super::symbols::Symbol;
use super::{Catalog, Handle, Posting};
use crate::model::{
    Beside, ChangeSet, ComponentRow, ComponentState, DeploymentId, DeploymentSpec, LeaseRow, Name, Owner,
    ResolutionRow, Row, Slot, Timestamp,
};

impl Catalog {
    /// Applies one ChangeSet. Its revision becomes the Catalog's.
    pub fn apply(&mut self, change: &ChangeSet) {
        self.advance(change.revision, change.time);
        change.rows.iter().for_each(|row| self.apply_row(row));
        change.beside.iter().for_each(|beside| self.apply_beside(beside));
    }

    /// Takes the place in the history at which the rows that are applied next are written.
    pub fn advance(&mut self, revision: u64, time: Timestamp) {
        self.revision = revision;
        self.time = time;
    }

    /// Takes the place in the history that a snapshot was made at, before its rows are applied.
    pub fn begin_at(&mut self, revision: u64, time: Timestamp) {
        self.revision = revision;
        self.active_revision = revision;
        self.changed = Changed::begin_at(revision);
        self.time = time;
    }

    /// Applies one row.
    pub fn apply_row(&mut self, row: &Row) {
        match row {
            Row::Settings(settings) => self.settings = Some(settings.clone()),
            Row::System(row) => {
                let name = self.intern(&row.name);
                if !self.systems.contains_key(&name) {
                    self.names.systems.insert(name, &self.symbols);
                }
                self.systems.insert(name, ());
            }
            Row::Artifact(row) => {
                let (name, system) = (self.intern(&row.name), self.intern(&row.system));
                let before = self.artifacts.get(&name).map(|known| known.system);
                if before.is_none() {
                    self.names.artifacts.insert(name, &self.symbols);
                }
                self.own(Within::ArtifactsOfSystem, name, before, Some(system));
                self.artifacts.insert(name, NamedArtifact { system, proven: row.proven });
            }
            Row::Interface(row) => {
                let name = self.intern(&row.name);
                let system = row.system.as_ref().map(|system| self.intern(system));
                let before = self.interfaces.get(&name).map(|known| known.system);
                if before.is_none() {
                    self.names.interfaces.insert(name, &self.symbols);
                }
                self.own(Within::InterfacesOfSystem, name, before.flatten(), system);
                self.interfaces.insert(name, NamedInterface { system, proven: row.proven });
            }
            Row::Environment(row) => {
                let name = self.intern(&row.name);
                let entry = NamedEnvironment { first_deployment: row.first_deployment, proven: row.proven };
                if !self.environments.contains_key(&name) {
                    self.names.environments.insert(name, &self.symbols);
                }
                self.environments.insert(name, entry);
            }
            Row::DeploymentSpec(spec) => self.place_deployment(spec),
            Row::Resolution(row) => self.place_resolution(row),
            Row::Component(row) => self.place_component(row, self.revision),
            // These are only ever asked of the store.
            Row::Plan(_) | Row::Received(_) | Row::Ending(_) => {}
        }
    }

    /// Moves what belongs to a System to the one that it belongs to from now on.
    fn own(&mut self, within: Within, name: Symbol, before: Option<Symbol>, system: Option<Symbol>) {
        if before == system {
            return;
        }
        if let Some(before) = before {
            self.take_from(within, before, name);
        }
        if let Some(system) = system {
            self.put_within(within, system, name);
        }
    }

    /// Applies what is kept beside the history.
    pub fn apply_beside(&mut self, beside: &Beside) {
        match beside {
            Beside::Lease(LeaseRow { deployment, token }) => self.change_open(*deployment, |open, _| {
                open.token = Some(token.clone());
            }),
            Beside::Key(row) => {
                let key = self.symbols.intern(&row.key.as_str().into());
                self.idempotency.insert(key, row.plan);
            }
        }
    }

    fn place_deployment(&mut self, spec: &DeploymentSpec) {
        let index = self.slot_index(&spec.slot);
        let spec = Arc::new(self.sharing_texts(spec, index));
        let slot = self.slot_mut(index);
        let (planned, active) = (slot.open.clone(), slot.active.clone());
        slot.place(&spec);
        let (is_open, now) = (slot.is_open(spec.id), slot.active.clone());
        if is_open {
            self.open.insert(spec.id, index);
        } else if let Some(ended) = planned.filter(|open| open.spec.id == spec.id) {
            self.open.remove(&spec.id);
            for stored in &ended.planned {
                remove(&mut self.planned, stored.interface, index);
                self.planned_ids.remove(&stored.id);
            }
        }
        let is_same = active.as_ref().map(|active| active.spec.id) == now.as_ref().map(|active| active.spec.id);
        if let Some(before) = active.filter(|_| !is_same) {
            self.uncouple(index, &before.requires);
        }
        if let Some(now) = now.filter(|_| !is_same) {
            self.couple(index, &now.requires);
        }
    }

    /// An attempt with the texts that are kept already, so that each is in memory once.
    pub(super) fn sharing_texts(&mut self, spec: &DeploymentSpec, index: SlotIndex) -> DeploymentSpec {
        let key = self.slot_at(index).key;
        let system = self.intern(&spec.system);
        let slot = Slot {
            artifact: self.symbols.name(key.artifact),
            environment: self.symbols.name(key.environment),
            instance: self.symbols.text(key.instance).clone(),
        };
        DeploymentSpec { slot, system: self.symbols.name(system), ..spec.clone() }
    }

    /// Changes what is kept of an open attempt; of one that is not open nothing is.
    fn change_open(&mut self, id: DeploymentId, change: impl FnOnce(&mut OpenAttempt, SlotIndex)) {
        let Some(&index) = self.open.get(&id) else { return };
        if let Some(open) = &mut self.slot_mut(index).open {
            change(Arc::make_mut(open), index);
        }
    }

    fn place_resolution(&mut self, row: &ResolutionRow) {
        let Some(&index) = self.open.get(&row.deployment) else { return };
        let Some(open) = self.slot_at(index).open.clone() else { return };
        let (revision, time) = (self.revision, self.time);
        let made =
            row.spec.provides.iter().filter_map(|provide| provide.made_by(&open.spec, ComponentState::Planned, time));
        let planned = made.map(|row| Arc::new(Stored::of(&row, revision, &mut self.symbols))).collect();
        self.plan_in(index, planned);
        self.change_open(row.deployment, |open, _| {
            open.resolved_at = row.resolved_at;
            open.requires = row.spec.requires.clone();
        });
    }

    /// Puts what the open attempt of a slot would make in the place of what it would have made before.
    pub(super) fn plan_in(&mut self, index: SlotIndex, planned: Box<[Arc<Stored>]>) {
        for stored in &planned {
            insert(&mut self.planned, stored.interface, index);
            self.planned_ids.insert(stored.id, index);
        }
        let Some(open) = &mut self.slot_mut(index).open else { return };
        let before = std::mem::replace(&mut Arc::make_mut(open).planned, planned.clone());
        for stored in before {
            if planned.iter().all(|kept| kept.id != stored.id) {
                self.planned_ids.remove(&stored.id);
            }
            if planned.iter().all(|kept| kept.interface != stored.interface) {
                remove(&mut self.planned, stored.interface, index);
            }
        }
    }

    /// Puts a Component whose row was written by `revision`.
    pub(super) fn place_component(&mut self, row: &ComponentRow, revision: u64) {
        self.active_revision = self.revision;
        let stored = Arc::new(Stored::of(row, revision, &mut self.symbols));
        let handle = match self.ids.get(&row.id).copied() {
            Some(handle) => {
                let before = std::mem::replace(&mut self.components[handle.index()], stored.clone());
                if before.state == ComponentState::Active {
                    self.unindex(&before, handle);
                }
                shelves(&before).for_each(|shelf| remove(&mut self.shelves, shelf, row.id));
                handle
            }
            None => {
                let handle = Handle::new(self.components.len());
                self.components.push_back(stored.clone());
                self.ids.insert(row.id, handle);
                match &row.owner {
                    Owner::Server { name, .. } => {
                        let name = self.intern(name);
                        self.servers.insert(name, handle);
                    }
                    Owner::Slot(slot) => {
                        let slot = self.slot_index(slot);
                        let slot = self.slot_mut(slot);
                        slot.components = slot.components.iter().copied().chain([handle]).collect();
                    }
                }
                handle
            }
        };
        if stored.state == ComponentState::Active {
            self.index(&stored, handle);
        }
        self.changed.push(self.revision, handle);
        shelves(&stored).for_each(|shelf| insert(&mut self.shelves, shelf, row.id));
        if let Owner::Server { .. } = row.owner {
            match stored.state {
                ComponentState::Active => self.names.servers.insert(stored.name, &self.symbols),
                _ => self.names.servers.remove(stored.name, &self.symbols),
            }
        }
    }

    fn index(&mut self, stored: &Stored, handle: Handle) {
        for &(key, value) in &stored.labels {
            insert(&mut self.labels, (key, value), handle);
            if !key.is_always_a_label() {
                if !self.keys.contains_key(&key) {
                    self.names.label_keys.insert(key, &self.symbols);
                }
                insert(&mut self.keys, key, handle);
            }
        }
        insert(&mut self.places, (stored.interface, stored.environment), handle);
    }

    fn unindex(&mut self, stored: &Stored, handle: Handle) {
        for &(key, value) in &stored.labels {
            remove(&mut self.labels, (key, value), handle);
            if !key.is_always_a_label() {
                remove(&mut self.keys, key, handle);
                if !self.keys.contains_key(&key) {
                    self.names.label_keys.remove(key, &self.symbols);
                }
            }
        }
        remove(&mut self.places, (stored.interface, stored.environment), handle);
    }

    pub(super) fn intern(&mut self, name: &Name) -> Symbol {
        self.symbols.intern(name.shared())
    }

    /// Where a slot stands, from now on if it did not before.
    pub(super) fn slot_index(&mut self, slot: &Slot) -> SlotIndex {
        let key = SlotKey {
            artifact: self.intern(&slot.artifact),
            environment: self.intern(&slot.environment),
            instance: self.symbols.intern(&slot.instance),
        };
        if let Some(&index) = self.slot_indexes.get(&key) {
            return index;
        }
        let index = SlotIndex::new(self.slots.len());
        self.slots.push_back(Arc::new(SlotState::new(key)));
        insert(&mut self.environments_of, key.artifact, key.environment);
        self.slot_indexes.insert(key, index);
        index
    }

    pub(super) fn slot_mut(&mut self, index: SlotIndex) -> &mut SlotState {
        Arc::make_mut(&mut self.slots[index.index()])
    }
}

/// Where a Component is kept for lists.
fn shelves(stored: &Stored) -> impl Iterator<Item = Shelf> {
    let (is_active, property) = (stored.state == ComponentState::Active, Shelf::Of);
    let shelves = [
        stored.system.map(|system| property(is_active, Property::System, system)),
        Some(property(is_active, Property::Environment, stored.environment)),
        // Of those that run most are in a list of all, and labels have those of an Interface and of a name.
        (!is_active).then_some(property(false, Property::Interface, stored.interface)),
        (!is_active).then_some(property(false, Property::Name, stored.name)),
        (!is_active).then_some(Shelf::Inactive),
    ];
    shelves.into_iter().flatten()
}

fn insert<K: Copy + Eq + Hash, H: Copy + Ord>(postings: &mut CowMap<K, Posting<H>>, key: K, handle: H) {
    match postings.get_mut(&key) {
        Some(posting) => posting.insert(handle),
        None => postings.insert(key, Posting::One(handle)),
    }
}

fn remove<K: Copy + Eq + Hash, H: Copy + Ord>(postings: &mut CowMap<K, Posting<H>>, key: K, handle: H) {
    if postings.get_mut(&key).is_some_and(|posting| posting.remove(handle)) {
        postings.remove(&key);
    }
}

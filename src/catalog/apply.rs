//! Applying ChangeSets: the only way in which a Catalog changes.

use std::hash::Hash;
use std::sync::Arc;

use super::component::Stored;
use super::cow_map::CowMap;
use super::names::{NamedArtifact, NamedEnvironment, NamedInterface};
use super::slots::{SlotIndex, SlotKey, SlotState};
use super::symbols::Symbol;
use super::{Catalog, Handle, Posting};
use crate::model::{
    ChangeSet, ComponentRow, ComponentState, DeploymentSpec, Name, Owner, RequirementsRow, Row, Slot, Timestamp,
};

impl Catalog {
    /// Applies one ChangeSet. Its revision becomes the Catalog's.
    pub fn apply(&mut self, change: &ChangeSet) {
        self.revision = change.revision;
        self.time = change.time;
        for row in &change.rows {
            self.apply_row(row);
        }
    }

    /// Takes the place in the history that a snapshot was made at, before its rows are applied.
    pub fn begin_at(&mut self, revision: u64, time: Timestamp) {
        self.revision = revision;
        self.active_revision = revision;
        self.time = time;
    }

    /// Applies one row.
    pub fn apply_row(&mut self, row: &Row) {
        match row {
            Row::Settings(settings) => self.settings = Some(settings.clone()),
            Row::System(row) => {
                let name = self.intern(&row.name);
                self.systems.insert(name, ());
            }
            Row::Artifact(row) => {
                let (name, system) = (self.intern(&row.name), self.intern(&row.system));
                self.artifacts.insert(name, NamedArtifact { system, proven: row.proven });
            }
            Row::Interface(row) => {
                let name = self.intern(&row.name);
                let system = row.system.as_ref().map(|system| self.intern(system));
                self.interfaces.insert(name, NamedInterface { system, proven: row.proven });
            }
            Row::Environment(row) => {
                let name = self.intern(&row.name);
                let entry = NamedEnvironment { first_deployment: row.first_deployment, proven: row.proven };
                self.environments.insert(name, entry);
            }
            Row::Slot(row) => {
                let slot = self.slot_index(&row.slot);
                let slot = self.slot_mut(slot);
                slot.last_number = slot.last_number.max(row.last_number);
            }
            Row::DeploymentSpec(spec) => self.place_deployment(spec),
            Row::Component(row) => self.place_component(row),
            Row::Planned(row) => self.place_planned(row),
            Row::Requirements(row) => self.place_requirements(row),
            Row::Key(row) => {
                let key = self.symbols.intern(&row.key.as_str().into());
                self.idempotency.insert(key, row.plan);
            }
            // These are only ever asked of the store.
            Row::Plan(_) | Row::Received(_) | Row::Resolution(_) => {}
        }
    }

    fn place_deployment(&mut self, spec: &DeploymentSpec) {
        let index = self.slot_index(&spec.slot);
        let key = self.slot_at(index).key;
        let system = self.intern(&spec.system);
        let mut spec = spec.clone();
        // The texts that are kept already, so that each is in memory once.
        spec.slot = Slot {
            artifact: self.symbols.name(key.artifact),
            environment: self.symbols.name(key.environment),
            instance: self.symbols.text(key.instance).clone(),
        };
        spec.system = self.symbols.name(system);
        let slot = self.slot_mut(index);
        slot.place(Arc::new(spec));
        if slot.open.is_none() {
            for stored in std::mem::take(&mut slot.planned) {
                remove(&mut self.planned, stored.interface, index);
            }
        }
    }

    fn place_planned(&mut self, row: &ComponentRow) {
        let Owner::Slot(slot) = &row.owner else { return };
        let index = self.slot_index(slot);
        let stored = Arc::new(Stored::of(row, &mut self.symbols));
        insert(&mut self.planned, stored.interface, index);
        let slot = self.slot_mut(index);
        let kept = slot.planned.iter().filter(|planned| planned.id != row.id).cloned();
        slot.planned = kept.chain([stored]).collect();
    }

    fn place_component(&mut self, row: &ComponentRow) {
        self.active_revision = self.revision;
        let stored = Arc::new(Stored::of(row, &mut self.symbols));
        let handle = match self.ids.get(&row.id).copied() {
            Some(handle) => {
                let before = std::mem::replace(&mut self.components[handle.index()], stored.clone());
                if before.state == ComponentState::Active {
                    self.unindex(&before, handle);
                }
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
    }

    fn place_requirements(&mut self, row: &RequirementsRow) {
        let index = self.slot_index(&row.slot);
        let interfaces: Vec<_> = row
            .requires
            .iter()
            .map(|require| require.interface.as_ref().map(|interface| self.intern(interface)))
            .collect();
        if let Some(before) = self.slot_mut(index).requirements.take() {
            let symbols = &self.symbols;
            self.couplings.remove(index, &before, |name| symbols.find(name.as_str()));
        }
        if row.deployment.is_some() {
            self.couplings.add(index, row, &interfaces);
            self.slot_mut(index).requirements = Some(Arc::new(row.clone()));
        }
    }

    fn index(&mut self, stored: &Stored, handle: Handle) {
        for &(key, value) in &stored.labels {
            insert(&mut self.labels, (key, value), handle);
            if !key.is_always_a_label() {
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
            }
        }
        remove(&mut self.places, (stored.interface, stored.environment), handle);
    }

    fn intern(&mut self, name: &Name) -> Symbol {
        self.symbols.intern(name.shared())
    }

    /// Where a slot stands, from now on if it did not before.
    fn slot_index(&mut self, slot: &Slot) -> SlotIndex {
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
        self.slot_indexes.insert(key, index);
        index
    }

    fn slot_mut(&mut self, index: SlotIndex) -> &mut SlotState {
        Arc::make_mut(&mut self.slots[index.index()])
    }
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

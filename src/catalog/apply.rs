//! Applying ChangeSets: the only way in which a Catalog changes.

use std::sync::Arc;

use super::component::Stored;
use super::slots::{SlotKey, SlotState};
use super::{Catalog, Handle, Map, Posting};
use crate::model::{ChangeSet, ComponentRow, ComponentState, DeploymentSpec, Name, Owner, RequirementsRow, Row, Slot, Timestamp};

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
            Row::System(row) => drop(self.systems.insert(row.name.clone(), row.clone())),
            Row::Artifact(row) => drop(self.artifacts.insert(row.name.clone(), row.clone())),
            Row::Interface(row) => drop(self.interfaces.insert(row.name.clone(), row.clone())),
            Row::Environment(row) => drop(self.environments.insert(row.name.clone(), row.clone())),
            Row::Slot(row) => {
                let key = self.intern_slot(&row.slot);
                let slot = self.slot_mut(key);
                slot.last_number = slot.last_number.max(row.last_number);
            }
            Row::DeploymentSpec(spec) => self.place_deployment(spec),
            Row::Component(row) => self.place_component(row),
            Row::Planned(row) => self.place_planned(row),
            Row::Requirements(row) => self.place_requirements(row),
            Row::Key(row) => drop(self.idempotency.insert(row.key.as_str().into(), row.plan)),
            // These are only ever asked of the store.
            Row::Plan(_) | Row::Received(_) | Row::Resolution(_) => {}
        }
    }

    fn place_deployment(&mut self, spec: &DeploymentSpec) {
        let key = self.intern_slot(&spec.slot);
        let mut spec = spec.clone();
        spec.slot = Slot {
            artifact: self.symbols.name(key.artifact),
            environment: self.symbols.name(key.environment),
            instance: self.symbols.text(key.instance).clone(),
        };
        let system = self.symbols.intern(spec.system.shared());
        spec.system = self.symbols.name(system);
        let slot = self.slot_mut(key);
        slot.place(Arc::new(spec));
        if slot.open.is_none() && !slot.planned.is_empty() {
            let planned = std::mem::take(&mut slot.planned);
            for stored in planned {
                remove_planned(&mut self.planned, &stored, key);
            }
        }
    }

    fn place_planned(&mut self, row: &ComponentRow) {
        let Owner::Slot(slot) = &row.owner else { return };
        let key = self.intern_slot(slot);
        let stored = Arc::new(Stored::of(row, &mut self.symbols));
        self.planned.entry(stored.interface).or_default().insert(key);
        let slot = self.slot_mut(key);
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
                    Owner::Server { name, .. } => drop(self.servers.insert(name.clone(), handle)),
                    Owner::Slot(slot) => {
                        let key = self.intern_slot(slot);
                        self.slot_mut(key).components.push(handle);
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
        let key = self.intern_slot(&row.slot);
        for require in &row.requires {
            if let Some(interface) = &require.interface {
                self.symbols.intern(interface.shared());
            }
        }
        let symbols = self.symbols.clone();
        let interface = |name: &Name| symbols.find(name.as_str());
        if let Some(before) = self.slot_mut(key).requirements.take() {
            self.couplings.remove(key, &before, interface);
        }
        if row.deployment.is_some() {
            self.couplings.add(key, row, interface);
            self.slot_mut(key).requirements = Some(Arc::new(row.clone()));
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

    fn intern_slot(&mut self, slot: &Slot) -> SlotKey {
        SlotKey {
            artifact: self.symbols.intern(slot.artifact.shared()),
            environment: self.symbols.intern(slot.environment.shared()),
            instance: self.symbols.intern(&slot.instance),
        }
    }

    fn slot_mut(&mut self, key: SlotKey) -> &mut SlotState {
        Arc::make_mut(self.slots.entry(key).or_default())
    }
}

fn remove_planned(planned: &mut Map<super::Symbol, imbl::OrdSet<SlotKey>>, stored: &Stored, key: SlotKey) {
    if let Some(slots) = planned.get_mut(&stored.interface) {
        slots.remove(&key);
        if slots.is_empty() {
            planned.remove(&stored.interface);
        }
    }
}

fn insert<K: Clone + Eq + std::hash::Hash>(postings: &mut Map<K, Posting>, key: K, handle: Handle) {
    match postings.get_mut(&key) {
        Some(posting) => posting.insert(handle),
        None => drop(postings.insert(key, Posting::One(handle))),
    }
}

fn remove<K: Clone + Eq + std::hash::Hash>(postings: &mut Map<K, Posting>, key: K, handle: Handle) {
    if postings.get_mut(&key).is_some_and(|posting| posting.remove(handle)) {
        postings.remove(&key);
    }
}

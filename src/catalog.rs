//! The in-memory graph: what is active now, indexed by label, and what is open.
//!
//! A [`Catalog`] is a value. Cloning it costs a few pointers, because everything in it is a persistent collection; the
//! committer edits a working copy, and publishes it whole once it is durable. Readers keep the copy that they began with.
//! Applying the ChangeSets of the history in order to an empty Catalog gives today's Catalog, and so does applying the
//! rows of a snapshot ([`Catalog::rows`]) and then the ChangeSets after it.

mod apply;
mod changed;
mod component;
mod couplings;
mod cow_map;
mod effort;
mod known;
mod list;
mod names;
mod ordered;
mod posting;
mod resolve;
mod slots;
mod snapshot;
mod symbols;
mod walk;

use std::sync::Arc;

pub use component::{Component, Handle};
pub use couplings::{Consumer, RequirerGroup};
pub use effort::Effort;
pub use known::Known;
pub use list::{ComponentFilter, ComponentPage};
pub use names::Within;
pub use resolve::{Candidates, Excluded, Found};
pub use slots::{ActiveAttempt, OpenAttempt, SlotState};
pub use snapshot::{SnapshotComponent, SnapshotRow, SnapshotSlot};

use crate::model::{ComponentId, DeploymentId, KeptKey, PlanId, Settings, Slot, Timestamp};
use changed::Changed;
use component::Stored;
use couplings::Couplings;
use cow_map::CowMap;
use list::Shelf;
use names::{NamedArtifact, NamedEnvironment, NamedInterface, NamesByKind};
use ordered::Ordered;
use posting::Posting;
use slots::{SlotIndex, SlotKey};
use symbols::{Symbol, Symbols};

/// A persistent map, for what changes only when an attempt ends, with a hash function that resists chosen keys. Its iteration order decides nothing.
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
    changed: Changed,
    ids: imbl::OrdMap<ComponentId, Handle>,
    labels: CowMap<(Symbol, Symbol), Posting<Handle>>,
    keys: CowMap<Symbol, Posting<Handle>>,
    places: CowMap<(Symbol, Symbol), Posting<Handle>>,
    /// The slots whose open attempt would provide an Interface.
    planned: CowMap<Symbol, Posting<SlotIndex>>,
    /// The Components that open attempts would make, and their slots.
    planned_ids: imbl::OrdMap<ComponentId, SlotIndex>,
    shelves: CowMap<Shelf, Posting<ComponentId>>,
    /// The Environments in which an Artifact was ever started.
    environments_of: CowMap<Symbol, Posting<Symbol>>,
    slot_indexes: CowMap<SlotKey, SlotIndex>,
    slots: imbl::Vector<Arc<SlotState>>,
    /// The slots of the open attempts.
    open: CowMap<DeploymentId, SlotIndex>,
    servers: CowMap<Symbol, Handle>,
    couplings: Couplings,
    systems: CowMap<Symbol, ()>,
    artifacts: CowMap<Symbol, NamedArtifact>,
    interfaces: CowMap<Symbol, NamedInterface>,
    environments: CowMap<Symbol, NamedEnvironment>,
    names: NamesByKind,
    within: CowMap<(Within, Symbol), Ordered>,
    idempotency: CowMap<Symbol, PlanId>,
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

    /// The Components that changed after `revision`, each once; `None` where that is too long ago to be told.
    pub fn changed_since(&self, revision: u64) -> Option<Vec<Handle>> {
        self.changed.since(revision)
    }

    /// The time of the last ChangeSet applied.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The settings as recorded; `None` before they were recorded first.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
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

    /// The state of a slot; `None` where nothing was ever recorded in it.
    pub fn slot(&self, slot: &Slot) -> Option<&SlotState> {
        let index = self.slot_indexes.get(&self.slot_key(slot)?)?;
        Some(self.slot_at(*index))
    }

    /// The Components, active or not, whose identity belongs to this slot.
    pub fn slot_components(&self, slot: &Slot) -> impl Iterator<Item = Component<'_>> {
        let handles = self.slot(slot).map_or(&[][..], |state| &state.components);
        handles.iter().map(|&handle| self.component(handle))
    }

    /// The open attempt of this identity.
    pub fn open_attempt(&self, id: DeploymentId) -> Option<&Arc<OpenAttempt>> {
        self.slot_at(*self.open.get(&id)?).open()
    }

    /// The plan recorded under an idempotency key.
    pub fn plan_of_key(&self, key: &KeptKey) -> Option<PlanId> {
        self.idempotency.get(&self.symbols.find(key.as_str())?).copied()
    }

    fn slot_at(&self, index: SlotIndex) -> &SlotState {
        &self.slots[index.index()]
    }

    fn slot_key(&self, slot: &Slot) -> Option<SlotKey> {
        Some(SlotKey {
            artifact: self.symbols.find(slot.artifact.as_str())?,
            environment: self.symbols.find(slot.environment.as_str())?,
            instance: self.symbols.find(&slot.instance)?,
        })
    }
}

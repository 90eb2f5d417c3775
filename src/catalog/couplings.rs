//! What active attempts require: by what they are coupled to, and by what they ask for.

use std::sync::Arc;

use super::slots::SlotIndex;
use super::symbols::Symbol;
use super::{Catalog, Component, Map};
use crate::model::{ActiveRequire, ComponentId, Name, Predicate, RequirementsRow, Scope};

/// Who asks what: slots and the names of their requires, by predicate.
type Requirers = Map<Arc<Predicate>, imbl::OrdSet<(SlotIndex, Name)>>;

/// The two indexes over active requires.
#[derive(Clone, Default)]
pub(super) struct Couplings {
    consumers: Map<ComponentId, imbl::OrdSet<SlotIndex>>,
    // Grouped by equal predicate: hundreds of consumers ask the same question, which then is asked once.
    requirers: Map<Option<Symbol>, Requirers>,
}

/// A require of an active attempt that matched a given Component.
pub struct Consumer<'a> {
    /// The slot of the consumer, and which attempt is active in it.
    pub requirements: &'a RequirementsRow,
    /// The require.
    pub require: &'a ActiveRequire,
}

impl Consumer<'_> {
    /// Whether the coupling on `provider` is broken: the provider is inactive, or the predicate no longer holds.
    pub fn is_broken_on(&self, provider: &Component<'_>) -> bool {
        let holds = self.require.predicate().accepts(provider.interface(), |key| provider.label(key));
        !provider.is_active() || !holds
    }
}

/// Active requires that ask the same.
pub struct RequirerGroup<'a> {
    /// What they ask.
    pub predicate: &'a Predicate,
    /// Who asks: the slot's requirements and the require's name, ordered by slot and name.
    pub requirers: Vec<(&'a RequirementsRow, &'a Name)>,
}

impl Couplings {
    /// Adds what `requirements` asks for; `interfaces` are those of its requires, in order.
    pub fn add(&mut self, slot: SlotIndex, requirements: &RequirementsRow, interfaces: &[Option<Symbol>]) {
        for (require, interface) in requirements.requires.iter().zip(interfaces) {
            for &provider in &require.providers {
                self.consumers.entry(provider).or_default().insert(slot);
            }
            let group = self.requirers.entry(*interface).or_default();
            group.entry(Arc::new(require.predicate())).or_default().insert((slot, require.name.clone()));
        }
    }

    pub fn remove(
        &mut self,
        slot: SlotIndex,
        requirements: &RequirementsRow,
        interface: impl Fn(&Name) -> Option<Symbol>,
    ) {
        for require in &requirements.requires {
            for provider in &require.providers {
                if let Some(slots) = self.consumers.get_mut(provider) {
                    slots.remove(&slot);
                    if slots.is_empty() {
                        self.consumers.remove(provider);
                    }
                }
            }
            let key = require.interface.as_ref().and_then(&interface);
            let Some(group) = self.requirers.get_mut(&key) else { continue };
            let predicate = require.predicate();
            if let Some(slots) = group.get_mut(&predicate) {
                slots.remove(&(slot, require.name.clone()));
                if slots.is_empty() {
                    group.remove(&predicate);
                }
            }
            if group.is_empty() {
                self.requirers.remove(&key);
            }
        }
    }
}

impl Catalog {
    /// Every require of an active attempt that matched this Component, ordered by slot and name; of both scopes.
    pub fn consumers(&self, provider: ComponentId) -> Vec<Consumer<'_>> {
        let slots = self.couplings.consumers.get(&provider).into_iter().flatten();
        let requirements = slots.filter_map(|slot| self.slot_at(*slot).requirements.as_deref());
        let mut found: Vec<_> = requirements
            .flat_map(|requirements| {
                requirements.requires.iter().map(move |require| Consumer { requirements, require })
            })
            .filter(|consumer| consumer.require.providers.contains(&provider))
            .collect();
        found.sort_by_key(|consumer| (&consumer.requirements.slot, &consumer.require.name));
        found
    }

    /// The Couplings on this Component: its consumers of scope `runtime`.
    pub fn couplings_on(&self, provider: ComponentId) -> Vec<Consumer<'_>> {
        let mut found = self.consumers(provider);
        found.retain(|consumer| consumer.require.scope == Scope::Runtime);
        found
    }

    /// The active requires of an Interface, grouped by equal predicate; groups ordered by their first requirer.
    pub fn requirers(&self, interface: &str) -> Vec<RequirerGroup<'_>> {
        let groups = self.symbols.find(interface).and_then(|symbol| self.couplings.requirers.get(&Some(symbol)));
        let mut found: Vec<_> = groups
            .into_iter()
            .flatten()
            .map(|(predicate, slots)| {
                let mut requirers: Vec<_> = slots
                    .iter()
                    .filter_map(|(slot, name)| Some((self.slot_at(*slot).requirements.as_deref()?, name)))
                    .collect();
                requirers.sort_by_key(|(requirements, name)| (&requirements.slot, *name));
                RequirerGroup { predicate, requirers }
            })
            .collect();
        found.sort_by_key(|group| group.requirers.first().map(|(requirements, name)| (&requirements.slot, *name)));
        found
    }
}

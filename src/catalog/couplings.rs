//! What active attempts require: by what they are coupled to, and by what they ask for.

use std::sync::Arc;

use super::slots::SlotIndex;
use super::symbols::Symbol;
use super::{Catalog, Component, Map};
use crate::model::{ComponentId, Coupling, DeploymentSpec, Name, Predicate, Requirer, ResolvedRequire, Scope, Section};

/// Who asks what: slots and their requires, by predicate.
type Requirers = Map<Arc<Predicate>, imbl::OrdSet<(SlotIndex, Section, Name)>>;

/// The two indexes over active requires.
#[derive(Clone, Default)]
pub(super) struct Couplings {
    consumers: Map<ComponentId, imbl::OrdSet<SlotIndex>>,
    // Grouped by equal predicate: hundreds of consumers ask the same question, which then is asked once.
    requirers: Map<Option<Symbol>, Requirers>,
}

/// A require of an active attempt that matched a given Component.
pub struct Consumer<'a> {
    /// The attempt.
    pub attempt: &'a DeploymentSpec,
    /// The require.
    pub require: &'a ResolvedRequire,
}

impl Consumer<'_> {
    /// How it is coupled to `provider`.
    pub fn coupling(&self, provider: &Component<'_>) -> Coupling {
        Coupling {
            requirer: Requirer::new(self.attempt, &self.require.name),
            scope: self.require.scope,
            // What is not coupled cannot break.
            broken: self.require.scope == Scope::Runtime && self.is_broken_on(provider),
        }
    }

    /// Whether the coupling on `provider` is broken: the provider is inactive, or the predicate no longer holds.
    pub fn is_broken_on(&self, provider: &Component<'_>) -> bool {
        let holds = self.require.predicate.accepts(provider.interface(), |key| provider.label(key));
        !provider.is_active() || !holds
    }
}

/// Active requires that ask the same.
pub struct RequirerGroup<'a> {
    /// What they ask.
    pub predicate: &'a Predicate,
    /// Who asks: the attempt and the require's name, ordered by slot and name.
    pub requirers: Vec<(&'a DeploymentSpec, &'a Name)>,
}

impl Catalog {
    /// Adds what the attempt that is active in a slot requires.
    pub(super) fn couple(&mut self, slot: SlotIndex, requires: &[ResolvedRequire]) {
        for require in requires {
            for provider in require.providers() {
                self.couplings.consumers.entry(provider).or_default().insert(slot);
            }
            let interface = require.predicate.interface.as_ref().map(|interface| self.intern(interface));
            let group = self.couplings.requirers.entry(interface).or_default();
            group.entry(require.predicate.clone()).or_default().insert((slot, require.section, require.name.clone()));
        }
    }

    /// Takes away what an attempt required.
    pub(super) fn uncouple(&mut self, slot: SlotIndex, requires: &[ResolvedRequire]) {
        for require in requires {
            for provider in require.providers() {
                if let Some(slots) = self.couplings.consumers.get_mut(&provider) {
                    slots.remove(&slot);
                    if slots.is_empty() {
                        self.couplings.consumers.remove(&provider);
                    }
                }
            }
            let key = require.predicate.interface.as_ref().and_then(|name| self.symbols.find(name.as_str()));
            let Some(group) = self.couplings.requirers.get_mut(&key) else { continue };
            if let Some(slots) = group.get_mut(&require.predicate) {
                slots.remove(&(slot, require.section, require.name.clone()));
                if slots.is_empty() {
                    group.remove(&require.predicate);
                }
            }
            if group.is_empty() {
                self.couplings.requirers.remove(&key);
            }
        }
    }

    /// Every require of an active attempt that matched this Component, ordered by slot and name; of both scopes.
    pub fn consumers(&self, provider: ComponentId) -> Vec<Consumer<'_>> {
        self.consumers_in(self.couplings.consumers.get(&provider).into_iter().flatten(), provider)
    }

    fn consumers_in<'a>(
        &'a self,
        slots: impl Iterator<Item = &'a SlotIndex>,
        provider: ComponentId,
    ) -> Vec<Consumer<'a>> {
        let active = slots.filter_map(|slot| self.slot_at(*slot).active.as_deref());
        let mut found: Vec<_> = active
            .flat_map(|active| active.requires.iter().map(|require| Consumer { attempt: &active.spec, require }))
            .filter(|consumer| consumer.require.matched(provider))
            .collect();
        found.sort_by_key(|consumer| (&consumer.attempt.slot, &consumer.require.name));
        found
    }

    /// How some of what consumes this Component is coupled to it, in the order of [`Catalog::consumers`]: at most `limit`. Where
    /// there is more, how many attempts consume it as well.
    pub fn some_couplings_of(&self, provider: &Component<'_>, limit: usize) -> (Vec<Coupling>, Option<usize>) {
        let Some(slots) = self.couplings.consumers.get(&provider.id()) else { return (Vec::new(), None) };
        let mut found = self.consumers_in(slots.iter().take(limit), provider.id());
        let is_cut = slots.len() > limit || found.len() > limit;
        found.truncate(limit);
        (found.iter().map(|consumer| consumer.coupling(provider)).collect(), is_cut.then_some(slots.len()))
    }

    /// How everything that consumes this Component is coupled to it, in the order of [`Catalog::consumers`].
    pub fn couplings_of(&self, provider: &Component<'_>) -> Vec<Coupling> {
        self.consumers(provider.id()).iter().map(|consumer| consumer.coupling(provider)).collect()
    }

    /// The Couplings on this Component: its consumers of scope `runtime`.
    pub fn couplings_on(&self, provider: ComponentId) -> Vec<Consumer<'_>> {
        let mut found = self.consumers(provider);
        found.retain(|consumer| consumer.require.scope == Scope::Runtime);
        found
    }

    /// The active requires of an Interface, grouped by equal predicate; groups ordered by their first requirer.
    pub fn requirers(&self, interface: &str) -> Vec<RequirerGroup<'_>> {
        self.some_requirers(interface, usize::MAX).0
    }

    /// Some of the active requires of an Interface, at most `limit`, in the order of [`Catalog::requirers`]; and how many there
    /// are in all, where these are not all.
    pub fn some_requirers(&self, interface: &str, limit: usize) -> (Vec<RequirerGroup<'_>>, Option<usize>) {
        let groups = self.symbols.find(interface).and_then(|symbol| self.couplings.requirers.get(&Some(symbol)));
        let mut groups: Vec<_> = groups.into_iter().flatten().collect();
        let count: usize = groups.iter().map(|(_, slots)| slots.len()).sum();
        if groups.len() > limit {
            // Those that were there first.
            groups.select_nth_unstable_by_key(limit, |(_, slots)| slots.get_min());
            groups.truncate(limit);
        }
        groups.sort_unstable_by_key(|(_, slots)| slots.get_min());
        let mut left = limit;
        let mut found: Vec<_> = groups
            .into_iter()
            .map(|(predicate, slots)| {
                let mut requirers: Vec<_> = slots
                    .iter()
                    .take(left)
                    .filter_map(|(slot, _, name)| Some((self.slot_at(*slot).active.as_deref()?.spec.as_ref(), name)))
                    .collect();
                left -= requirers.len();
                requirers.sort_by_key(|(attempt, name)| (&attempt.slot, *name));
                RequirerGroup { predicate, requirers }
            })
            .collect();
        found.retain(|group| !group.requirers.is_empty());
        found.sort_by_key(|group| group.requirers.first().map(|(attempt, name)| (&attempt.slot, *name)));
        (found, (count > limit).then_some(count))
    }
}

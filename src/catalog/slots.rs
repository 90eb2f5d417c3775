//! Slots: what is open, active and broken in each, and how far it is numbered.

use std::sync::Arc;

use super::component::Stored;
use super::symbols::Symbol;
use super::{Catalog, Component, Handle};
use crate::model::{ComponentId, DeploymentId, DeploymentSpec, KeptToken, ResolvedRequire, State};

/// A slot, its texts interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SlotKey {
    pub artifact: Symbol,
    pub environment: Symbol,
    pub instance: Symbol,
}

/// Where a slot stands in a Catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SlotIndex(u32);

impl SlotIndex {
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("memory ends before four billion slots do"))
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a slot without asking the store: the attempts that can still change by themselves.
#[derive(Clone, Debug)]
pub struct SlotState {
    pub(super) key: SlotKey,
    pub(super) last_number: u64,
    pub(super) open: Option<Arc<OpenAttempt>>,
    pub(super) active: Option<Arc<ActiveAttempt>>,
    pub(super) errored: Vec<Arc<DeploymentSpec>>,
    pub(super) components: Box<[Handle]>,
}

/// The attempt that is active in a slot.
#[derive(Clone, Debug)]
pub struct ActiveAttempt {
    /// The attempt.
    pub spec: Arc<DeploymentSpec>,
    /// What it requires, and what it is coupled to.
    pub requires: Arc<[ResolvedRequire]>,
}

/// The attempt that is open in a slot.
#[derive(Clone, Debug)]
pub struct OpenAttempt {
    /// The attempt.
    pub spec: Arc<DeploymentSpec>,
    /// The token of its lease, as it is kept.
    pub token: Option<KeptToken>,
    /// The revision that it was resolved at.
    pub resolved_at: u64,
    /// What it requires.
    pub requires: Arc<[ResolvedRequire]>,
    pub(super) planned: Box<[Arc<Stored>]>,
}

impl OpenAttempt {
    /// The Components that it would make, read from the Catalog that it is in.
    pub fn planned<'a>(&'a self, catalog: &'a Catalog) -> impl Iterator<Item = Component<'a>> {
        self.planned.iter().map(|stored| Component::new(&catalog.symbols, stored))
    }

    /// The Component of this identity that it would make.
    pub fn planned_component<'a>(&'a self, catalog: &'a Catalog, id: ComponentId) -> Option<Component<'a>> {
        self.planned(catalog).find(|component| component.id() == id)
    }
}

impl SlotState {
    pub(super) fn new(key: SlotKey) -> Self {
        Self { key, last_number: 0, open: None, active: None, errored: Vec::new(), components: Box::default() }
    }

    /// The number given last.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// The open attempt, which alone blocks the slot.
    pub fn open(&self) -> Option<&Arc<OpenAttempt>> {
        self.open.as_ref()
    }

    /// The active attempt.
    pub fn active(&self) -> Option<&Arc<ActiveAttempt>> {
        self.active.as_ref()
    }

    /// Attempts in `Error`, the oldest first.
    pub fn errored(&self) -> &[Arc<DeploymentSpec>] {
        &self.errored
    }

    /// Every attempt that is kept, each once: those in `Error`, the active one, the open one.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &Arc<DeploymentSpec>> {
        let active = self.active.as_ref().map(|active| &active.spec);
        let open = self.open.as_ref().map(|open| &open.spec);
        let is_kept = |spec: &&Arc<DeploymentSpec>| matches!(spec.current_state, State::Active | State::Error);
        self.errored.iter().chain(active).chain(open.filter(move |spec| !is_kept(spec)))
    }

    /// Puts an attempt where its state says that it belongs. One that becomes active takes along what its opening resolved to.
    pub(super) fn place(&mut self, spec: &Arc<DeploymentSpec>) {
        self.last_number = self.last_number.max(spec.number);
        self.errored.retain(|errored| errored.id != spec.id);
        let before = self.open.take_if(|open| open.spec.id == spec.id);
        let active = self.active.take_if(|active| active.spec.id == spec.id);
        if spec.current_state == State::Active {
            let known = active.as_ref().map(|active| &active.requires);
            let requires = known.or(before.as_ref().map(|open| &open.requires)).cloned().unwrap_or_default();
            self.active = Some(Arc::new(ActiveAttempt { spec: spec.clone(), requires }));
        } else if spec.current_state == State::Error {
            self.errored.push(spec.clone());
            self.errored.sort_by_key(|errored| errored.number);
        }
        if spec.opening.is_some() {
            let spec = spec.clone();
            self.open = Some(Arc::new(match before.map(Arc::unwrap_or_clone) {
                Some(open) => OpenAttempt { spec, ..open },
                None => {
                    OpenAttempt { spec, token: None, resolved_at: 0, requires: Arc::default(), planned: Box::default() }
                }
            }));
        }
    }

    /// Whether this attempt is the open one.
    pub(super) fn is_open(&self, id: DeploymentId) -> bool {
        self.open.as_ref().is_some_and(|open| open.spec.id == id)
    }
}

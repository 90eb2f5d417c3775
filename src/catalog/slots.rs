//! Slots: what is open, active and broken in each, and how far it is numbered.

use std::sync::Arc;

use super::Handle;
use super::component::Stored;
use super::symbols::Symbol;
use crate::model::{DeploymentId, DeploymentSpec, RequirementsRow, State};

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
    pub(super) open: Option<Arc<DeploymentSpec>>,
    pub(super) active: Option<Arc<DeploymentSpec>>,
    pub(super) errored: Vec<Arc<DeploymentSpec>>,
    pub(super) planned: Box<[Arc<Stored>]>,
    pub(super) components: Box<[Handle]>,
    pub(super) requirements: Option<Arc<RequirementsRow>>,
}

impl SlotState {
    pub(super) fn new(key: SlotKey) -> Self {
        Self {
            key,
            last_number: 0,
            open: None,
            active: None,
            errored: Vec::new(),
            planned: Box::default(),
            components: Box::default(),
            requirements: None,
        }
    }

    /// The number given last.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// The open attempt, which alone blocks the slot.
    pub fn open(&self) -> Option<&Arc<DeploymentSpec>> {
        self.open.as_ref()
    }

    /// The active attempt.
    pub fn active(&self) -> Option<&Arc<DeploymentSpec>> {
        self.active.as_ref()
    }

    /// Attempts in `Error`, the oldest first.
    pub fn errored(&self) -> &[Arc<DeploymentSpec>] {
        &self.errored
    }

    /// What the active attempt requires.
    pub fn requirements(&self) -> Option<&Arc<RequirementsRow>> {
        self.requirements.as_ref()
    }

    /// Puts an attempt where its state says that it belongs.
    pub(super) fn place(&mut self, spec: Arc<DeploymentSpec>) {
        self.remove(spec.id);
        self.last_number = self.last_number.max(spec.number);
        if spec.current_state == State::Active {
            self.active = Some(spec.clone());
        } else if spec.current_state == State::Error {
            self.errored.push(spec.clone());
            self.errored.sort_by_key(|errored| errored.number);
        }
        if spec.opening.is_some() {
            self.open = Some(spec);
        }
    }

    fn remove(&mut self, id: DeploymentId) {
        self.errored.retain(|spec| spec.id != id);
        if self.active.as_ref().is_some_and(|spec| spec.id == id) {
            self.active = None;
        }
        if self.open.as_ref().is_some_and(|spec| spec.id == id) {
            self.open = None;
        }
    }
}

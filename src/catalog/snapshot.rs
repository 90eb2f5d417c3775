//! Snapshots: a Catalog as rows, for a quick start.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::component::Stored;
use super::{Catalog, Component};
use crate::model::{
    ArtifactRow, Beside, ComponentRow, DeploymentSpec, EnvironmentRow, InterfaceRow, KeptKey, KeptToken, KeyRow,
    ResolvedRequire, Settings, Slot, State, SystemRow,
};

/// A part of a Catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SnapshotRow {
    /// The settings that change answers.
    Settings(Settings),
    /// A System.
    System(SystemRow),
    /// An Artifact.
    Artifact(ArtifactRow),
    /// An Interface.
    Interface(InterfaceRow),
    /// An Environment.
    Environment(EnvironmentRow),
    /// A Component that runs or ran.
    Component(SnapshotComponent),
    /// A slot, with all that is known of it.
    Slot(Box<SnapshotSlot>),
    /// An idempotency key.
    Key(KeyRow),
}

/// A Component that runs or ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotComponent {
    /// The revision that wrote its row.
    pub revision: u64,
    /// The row.
    pub row: ComponentRow,
}

/// A slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotSlot {
    /// Which one.
    pub slot: Slot,
    /// The number given last; numbers are never reused.
    pub last_number: u64,
    /// Those attempts that can still change by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<DeploymentSpec>,
    /// What the active one requires.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub requires: Arc<[ResolvedRequire]>,
    /// The token of the open one, as it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<KeptToken>,
    /// The revision that the open one was resolved at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<u64>,
    /// What the open one would make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<SnapshotComponent>,
    /// What the open one requires.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub planned_requires: Arc<[ResolvedRequire]>,
}

fn is_empty(requires: &Arc<[ResolvedRequire]>) -> bool {
    requires.is_empty()
}

impl Catalog {
    /// The rows that, applied to an empty Catalog at this revision, give this Catalog again.
    ///
    /// Components come in the order of their first recording, so that handles are the same again.
    pub fn rows(&self) -> impl Iterator<Item = SnapshotRow> {
        let settings = self.settings.iter().cloned().map(SnapshotRow::Settings);
        let systems = self.systems.iter().map(|(&name, ())| SnapshotRow::System(self.system_row(name)));
        let artifacts =
            self.artifacts.iter().map(|(&name, entry)| SnapshotRow::Artifact(self.artifact_row(name, *entry)));
        let interfaces =
            self.interfaces.iter().map(|(&name, entry)| SnapshotRow::Interface(self.interface_row(name, *entry)));
        let environments =
            self.environments.iter().map(|(&name, entry)| SnapshotRow::Environment(self.environment_row(name, *entry)));
        let components = self.components.iter().map(|stored| SnapshotRow::Component(self.snapshot_component(stored)));
        let keys = self.idempotency.iter().map(|(key, &plan)| {
            SnapshotRow::Key(KeyRow { key: KeptKey::from_kept(self.symbols.text(*key).as_str()), plan })
        });
        let slots = self.slots.iter().map(|state| {
            let key = state.key;
            let slot = Slot {
                artifact: self.symbols.name(key.artifact),
                environment: self.symbols.name(key.environment),
                instance: self.symbols.text(key.instance).clone(),
            };
            let (open, active) = (state.open.as_deref(), state.active.as_deref());
            SnapshotRow::Slot(Box::new(SnapshotSlot {
                slot,
                last_number: state.last_number,
                attempts: state.attempts().map(|spec| spec.as_ref().clone()).collect(),
                requires: active.map(|active| active.requires.clone()).unwrap_or_default(),
                token: open.and_then(|open| open.token.clone()),
                resolved_at: open.map(|open| open.resolved_at),
                planned: open
                    .map(|open| open.planned.iter().map(|stored| self.snapshot_component(stored)).collect())
                    .unwrap_or_default(),
                planned_requires: open.map(|open| open.requires.clone()).unwrap_or_default(),
            }))
        });
        settings
            .chain(systems)
            .chain(artifacts)
            .chain(interfaces)
            .chain(environments)
            .chain(components)
            .chain(slots)
            .chain(keys)
    }

    fn snapshot_component(&self, stored: &Stored) -> SnapshotComponent {
        SnapshotComponent { revision: stored.revision, row: Component::new(&self.symbols, stored).row() }
    }

    /// Applies a row of a snapshot.
    pub fn apply_snapshot(&mut self, row: SnapshotRow) {
        use crate::model::Row;
        match row {
            SnapshotRow::Settings(row) => self.apply_row(&Row::Settings(row)),
            SnapshotRow::System(row) => self.apply_row(&Row::System(row)),
            SnapshotRow::Artifact(row) => self.apply_row(&Row::Artifact(row)),
            SnapshotRow::Interface(row) => self.apply_row(&Row::Interface(row)),
            SnapshotRow::Environment(row) => self.apply_row(&Row::Environment(row)),
            SnapshotRow::Component(SnapshotComponent { revision, row }) => self.place_component(&row, revision),
            SnapshotRow::Slot(slot) => self.place_slot(*slot),
            SnapshotRow::Key(row) => self.apply_beside(&Beside::Key(row)),
        }
    }

    fn place_slot(&mut self, kept: SnapshotSlot) {
        let index = self.slot_index(&kept.slot);
        self.slot_mut(index).last_number = kept.last_number;
        for spec in &kept.attempts {
            let spec = Arc::new(self.sharing_texts(spec, index));
            self.slot_mut(index).place(&spec);
            if spec.opening.is_some() {
                self.open.insert(spec.id, index);
            }
            if spec.current_state == State::Active {
                self.couple(index, &kept.requires);
            }
        }
        let planned = kept.planned.iter();
        let planned = planned.map(|planned| Arc::new(Stored::of(&planned.row, planned.revision, &mut self.symbols)));
        let planned = planned.collect();
        self.plan_in(index, planned);
        let slot = self.slot_mut(index);
        if let Some(active) = &mut slot.active {
            Arc::make_mut(active).requires = kept.requires;
        }
        if let Some(open) = &mut slot.open {
            let open = Arc::make_mut(open);
            open.resolved_at = kept.resolved_at.unwrap_or_default();
            (open.token, open.requires) = (kept.token, kept.planned_requires);
        }
    }
}

//! Snapshots: a Catalog as rows, for a quick start.

use super::Catalog;
use crate::model::{ComponentState, KeyRow, Row, SlotRow};

impl Catalog {
    /// The rows that, applied to an empty Catalog at this revision, give this Catalog again.
    ///
    /// Components come in the order of their first recording, so that handles are the same again.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let settings = self.settings.iter().cloned().map(Row::Settings);
        let systems = self.systems.iter().map(|(&name, ())| Row::System(self.system_row(name)));
        let artifacts = self.artifacts.iter().map(|(&name, entry)| Row::Artifact(self.artifact_row(name, *entry)));
        let interfaces = self.interfaces.iter().map(|(&name, entry)| Row::Interface(self.interface_row(name, *entry)));
        let environments =
            self.environments.iter().map(|(&name, entry)| Row::Environment(self.environment_row(name, *entry)));
        let components = self.components.iter().map(|stored| Row::Component(self.view(stored).row()));
        let keys = self
            .idempotency
            .iter()
            .map(|(key, &plan)| Row::Key(KeyRow { key: self.symbols.text(*key).to_string(), plan }));
        let slots = self.slots.iter().flat_map(|state| {
            let key = state.key;
            let slot = crate::model::Slot {
                artifact: self.symbols.name(key.artifact),
                environment: self.symbols.name(key.environment),
                instance: self.symbols.text(key.instance).clone(),
            };
            let numbered = Row::Slot(SlotRow { slot, last_number: state.last_number });
            let specs = state.errored.iter().chain(&state.active).chain(&state.open);
            let specs = specs.map(|spec| Row::DeploymentSpec(spec.as_ref().clone()));
            let planned = state.planned.iter().map(|stored| {
                debug_assert_eq!(stored.state, ComponentState::Planned);
                Row::Planned(self.view(stored).row())
            });
            let requirements = state.requirements.iter().map(|row| Row::Requirements(row.as_ref().clone()));
            std::iter::once(numbered).chain(specs).chain(planned).chain(requirements)
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

    fn view<'a>(&'a self, stored: &'a super::Stored) -> super::Component<'a> {
        super::Component::new(&self.symbols, stored)
    }
}

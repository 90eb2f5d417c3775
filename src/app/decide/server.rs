//! Servers: declared, declared anew, withdrawn.

use super::{Answer, Decision, Refusal};
use crate::app::coupling::coupling;
use crate::catalog::{Catalog, Component};
use crate::model::{
    ComponentId, ComponentRow, ComponentState, Coupling, EnvironmentRow, InterfaceRow, Name, Owner, Row,
    ServerDeclaration, Timestamp,
};

/// Declare a Server.
#[derive(Debug)]
pub struct PutServer {
    /// What it is declared to be.
    pub declaration: ServerDeclaration,
    /// The identity of its Component, should it be new.
    pub component: ComponentId,
    /// Who declares it.
    pub actor: Option<String>,
}

/// Withdraw a Server.
#[derive(Debug)]
pub struct DeleteServer {
    /// Its name.
    pub name: Name,
    /// Who withdraws it.
    pub actor: Option<String>,
}

/// What a withdrawal broke.
#[derive(Debug)]
pub struct DeletedServer {
    /// The Couplings on it, ordered by slot and require.
    pub broken: Vec<Coupling>,
}

impl PutServer {
    pub(super) fn decide(&self, catalog: &Catalog, time: Timestamp) -> Result<Decision, Refusal> {
        let declared = &self.declaration;
        let before = catalog.server_ever(declared.name.as_str());
        if let Some(before) = &before
            && moves(before, declared)
            && before.is_active()
            && !catalog.couplings_on(before.id()).is_empty()
        {
            return Err(Refusal::ServerInUse);
        }
        let mut row = ComponentRow {
            id: before.as_ref().map_or(self.component, Component::id),
            owner: Owner::Server { name: declared.name.clone(), environment: declared.environment.clone() },
            system: None,
            interface: declared.interface.clone(),
            layer: declared.layer,
            version: declared.version.clone(),
            labels: declared.labels.clone(),
            attributes: declared.attributes.clone(),
            state: ComponentState::Active,
            since: time,
            deployment: None,
        };
        let is_new = !before.as_ref().is_some_and(Component::is_active);
        let mut rows = Vec::new();
        if catalog.environment(declared.environment.as_str()).is_none() {
            rows.push(Row::Environment(EnvironmentRow {
                name: declared.environment.clone(),
                first_deployment: None,
                proven: false,
            }));
        }
        if catalog.interface(declared.interface.as_str()).is_none() {
            rows.push(Row::Interface(InterfaceRow { name: declared.interface.clone(), system: None, proven: false }));
        }
        if let Some(before) = before.filter(Component::is_active) {
            row.since = before.since();
            if before.row() == row {
                // Declared again as it is: nothing happened.
                return Ok(Decision {
                    rows: Vec::new(),
                    answer: Answer::ServerPut { row: Box::new(row), is_new: false },
                });
            }
            row.since = time;
        }
        rows.push(Row::Component(row.clone()));
        Ok(Decision { rows, answer: Answer::ServerPut { row: Box::new(row), is_new } })
    }
}

/// Whether the declaration moves the Server to where no coupling could follow.
fn moves(before: &Component<'_>, declared: &ServerDeclaration) -> bool {
    **before.environment() != *declared.environment.as_str()
        || **before.interface() != *declared.interface.as_str()
        || before.layer() != declared.layer
}

impl DeleteServer {
    pub(super) fn decide(&self, catalog: &Catalog, time: Timestamp) -> Result<Decision, Refusal> {
        let server = catalog.server(self.name.as_str()).ok_or(Refusal::NoServer)?;
        let consumers = catalog.couplings_on(server.id());
        let broken = consumers.iter().map(|consumer| coupling(consumer, true)).collect();
        let row = ComponentRow { state: ComponentState::Inactive, since: time, ..server.row() };
        Ok(Decision { rows: vec![Row::Component(row)], answer: Answer::ServerDeleted(DeletedServer { broken }) })
    }
}

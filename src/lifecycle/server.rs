//! Servers: declared, declared anew, withdrawn.

use super::{Command, Decision, Moment};
use crate::catalog::Component;
use crate::model::{
    Cause, ComponentId, ComponentRow, ComponentState, Coupling, EnvironmentRow, InterfaceRow, Name, Owner, Row,
    ServerDeclaration,
};

/// Declare a Server.
#[derive(Clone, Debug)]
pub struct PutServer {
    /// What it is declared to be.
    pub declaration: ServerDeclaration,
    /// The identity of its Component, should it be new.
    pub component: ComponentId,
    /// Who declares it.
    pub actor: Option<String>,
}

/// A Server is declared.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerPut {
    /// The row of its Component.
    pub row: ComponentRow,
    /// Whether the Server was not there before.
    pub is_new: bool,
}

/// Why a Server is not declared.
#[derive(Clone, Debug, PartialEq)]
pub enum PutServerRefusal {
    /// It would move away from under these Couplings.
    InUse(Vec<Coupling>),
}

impl Command for PutServer {
    type Answer = ServerPut;
    type Refusal = PutServerRefusal;

    fn decide(&self, moment: Moment<'_>) -> Result<Decision<ServerPut>, PutServerRefusal> {
        let Moment { catalog, time } = moment;
        let declared = &self.declaration;
        let before = catalog.server_ever(declared.name.as_str());
        let active = before.filter(Component::is_active);
        if let Some(active) = active.filter(|active| moves(active, declared)) {
            let couplings: Vec<_> =
                catalog.couplings_on(active.id()).iter().map(|consumer| consumer.coupling(&active)).collect();
            if !couplings.is_empty() {
                return Err(PutServerRefusal::InUse(couplings));
            }
        }
        let row = ComponentRow {
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
        let is_new = active.is_none();
        if let Some(active) = active {
            let unchanged = ComponentRow { since: active.since(), ..row.clone() };
            if active.row() == unchanged {
                return Ok(Decision::nothing(ServerPut { row: unchanged, is_new }));
            }
        }
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
        rows.push(Row::Component(row.clone()));
        Ok(Decision::one(Cause::PutServer, self.actor.clone(), rows, ServerPut { row, is_new }))
    }

    fn bytes(&self) -> usize {
        self.declaration.attributes.as_str().len()
    }
}

/// Whether the declaration moves the Server to where no coupling could follow.
fn moves(before: &Component<'_>, declared: &ServerDeclaration) -> bool {
    **before.environment() != *declared.environment.as_str()
        || **before.interface() != *declared.interface.as_str()
        || before.layer() != declared.layer
}

/// Withdraw a Server.
#[derive(Clone, Debug)]
pub struct DeleteServer {
    /// Its name.
    pub name: Name,
    /// Who withdraws it.
    pub actor: Option<String>,
}

/// A Server is withdrawn.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerDeleted {
    /// The Couplings that it broke, ordered by slot and require.
    pub broken: Vec<Coupling>,
}

/// Why a Server is not withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteServerRefusal {
    /// There is none.
    Unknown,
}

impl Command for DeleteServer {
    type Answer = ServerDeleted;
    type Refusal = DeleteServerRefusal;

    fn decide(&self, moment: Moment<'_>) -> Result<Decision<ServerDeleted>, DeleteServerRefusal> {
        let Moment { catalog, time } = moment;
        let server = catalog.server(self.name.as_str()).ok_or(DeleteServerRefusal::Unknown)?;
        let couplings = catalog.couplings_on(server.id());
        let broken = couplings.iter().map(|consumer| Coupling { broken: true, ..consumer.coupling(&server) }).collect();
        let row = ComponentRow { state: ComponentState::Inactive, since: time, ..server.row() };
        let rows = vec![Row::Component(row)];
        Ok(Decision::one(Cause::DeleteServer, self.actor.clone(), rows, ServerDeleted { broken }))
    }
}

//! What is recorded for a command: pure functions of the Catalog, the command and the time.

mod environment;
mod finish;
mod server;
mod start;

pub use environment::PutEnvironment;
pub use finish::{FinishCommand, FinishMember, Finished};
pub use server::{DeleteServer, DeletedServer, PutServer};
pub use start::{Received, Recorded, StartCommand, check_order, check_owners};

use crate::catalog::Catalog;
use crate::model::{Cause, ComponentRow, DeploymentId, DeploymentSpec, Name, PlanId, Row, Timestamp};

/// What is to be decided by the committer.
#[derive(Debug)]
pub enum Command {
    /// Start a plan.
    Start(Box<StartCommand>),
    /// Finish attempts.
    Finish(Box<FinishCommand>),
    /// Declare a Server.
    PutServer(Box<PutServer>),
    /// Withdraw a Server.
    DeleteServer(DeleteServer),
    /// Set the policy of an Environment.
    PutEnvironment(PutEnvironment),
}

/// What was decided.
#[derive(Debug)]
pub struct Decision {
    /// The rows to record; none where nothing changes.
    pub rows: Vec<Row>,
    /// What to answer once they are durable.
    pub answer: Answer,
}

/// What is answered to a command once it is durable.
#[derive(Debug)]
pub enum Answer {
    /// The attempts of the plan, in order, and what they resolved to.
    Started(Recorded),
    /// The attempts that ended, in order.
    Finished(Finished),
    /// The Component of the Server, and whether it is new.
    ServerPut {
        /// Its row.
        row: Box<ComponentRow>,
        /// Whether the Server was not there before.
        is_new: bool,
    },
    /// What had been coupled to the Server.
    ServerDeleted(DeletedServer),
    /// The policy was set.
    EnvironmentPut {
        /// Whether the Environment was not known before.
        is_new: bool,
    },
}

/// Why nothing is recorded.
#[derive(Debug)]
pub enum Refusal {
    /// The idempotency key is known: this plan was recorded under it.
    KeyKnown(PlanId),
    /// The slot is held.
    Pending(Box<DeploymentSpec>),
    /// The Artifact belongs to another System.
    OwnedElsewhere {
        /// The Artifact.
        artifact: Name,
        /// The System that owns it.
        system: Name,
    },
    /// The plan does not hold any more: plan again, against the Catalog that is published now.
    Moved,
    /// What the plan resolves to now is not `yes`; the caller plans again, and explains.
    NotDeployable,
    /// No member is open.
    NoneOpen,
    /// The token is not the attempt's.
    LeaseLost {
        /// What is wrong with it.
        reason: &'static str,
        /// The attempt.
        deployment: DeploymentId,
    },
    /// There is no such Server.
    NoServer,
    /// Couplings point at the Server.
    ServerInUse,
    /// The store failed; nothing was recorded.
    Unavailable(String),
    /// The store failed, and it is not known yet whether it was recorded.
    OutcomeUnknown(String),
    /// The server is at fault; nothing was recorded.
    Fault,
}

impl Command {
    /// What kind of change it makes.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Start(_) => Cause::Start,
            Self::Finish(_) => Cause::Finish,
            Self::PutServer(_) => Cause::PutServer,
            Self::DeleteServer(_) => Cause::DeleteServer,
            Self::PutEnvironment(_) => Cause::PutEnvironment,
        }
    }

    /// About how many bytes it records, as far as that can be much.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Start(command) => command.bytes(),
            Self::Finish(command) => {
                command.members.iter().map(|member| member.resolution.artifact_spec.as_str().len()).sum()
            }
            Self::PutServer(_) | Self::DeleteServer(_) | Self::PutEnvironment(_) => 0,
        }
    }

    /// Who gave it.
    pub fn actor(&self) -> Option<&String> {
        match self {
            Self::Start(command) => command.actor.as_ref(),
            Self::Finish(command) => command.actor.as_ref(),
            Self::PutServer(command) => command.actor.as_ref(),
            Self::DeleteServer(command) => command.actor.as_ref(),
            Self::PutEnvironment(command) => command.actor.as_ref(),
        }
    }

    /// Decides it at `time` against `catalog`.
    ///
    /// # Errors
    /// A [`Refusal`]; then nothing is recorded.
    pub fn decide(&mut self, catalog: &Catalog, time: Timestamp) -> Result<Decision, Refusal> {
        match self {
            Self::Start(command) => command.decide(catalog, time),
            Self::Finish(command) => command.decide(catalog, time),
            Self::PutServer(command) => command.decide(catalog, time),
            Self::DeleteServer(command) => command.decide(catalog, time),
            Self::PutEnvironment(command) => Ok(command.decide(catalog)),
        }
    }
}

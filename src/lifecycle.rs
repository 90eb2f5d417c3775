//! Decisions: what is recorded for a command, as a pure function of the Catalog, the command and the time.
//!
//! Each command is a [`Command`] with an answer and refusals of its own. Identities, tokens and the time are given to it;
//! deciding consumes nothing, so that a command can be decided again where a turn to write came to nothing. What the system
//! itself does is a command like any other, and one decision may record several ChangeSets.

mod action;
mod environment;
mod finish;
mod server;
mod settings;
mod start;

pub use action::{Openness, RULES, Rule, allowed, ended};
pub use environment::{EnvironmentPut, PutEnvironment};
pub(crate) use finish::FOREIGN_TOKEN;
pub use finish::{Corrected, Finish, FinishMember, FinishRefusal, Finished, FinishedMember, Looked};
pub use server::{DeleteServer, DeleteServerRefusal, PutServer, PutServerRefusal, ServerDeleted, ServerPut};
pub use settings::ChangeSettings;
pub use start::{OwnedElsewhere, Start, StartMember, StartRefusal, Started, check_owners, resolutions};

use crate::catalog::Catalog;
use crate::model::{Beside, Cause, Row, Timestamp};

/// Something that is to be decided.
pub trait Command {
    /// What is answered once it is durable.
    type Answer;
    /// Why nothing is recorded.
    type Refusal;

    /// Decides it. The same command at the same moment is decided the same.
    ///
    /// # Errors
    /// Why nothing is recorded.
    fn decide(&self, moment: Moment<'_>) -> Result<Decision<Self::Answer>, Self::Refusal>;

    /// About how many bytes it records, as far as that can be much.
    fn bytes(&self) -> usize {
        0
    }
}

/// When and on what a command is decided.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Everything that is recorded before it.
    pub catalog: &'a Catalog,
    /// The time of what it records; never earlier than the last change.
    pub time: Timestamp,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<A> {
    /// What to record, in order; nothing where nothing changes.
    pub steps: Vec<Step>,
    /// What to answer once it is durable.
    pub answer: A,
}

/// A ChangeSet but for its place in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What was done.
    pub cause: Cause,
    /// Who did it.
    pub actor: Option<String>,
    /// The rows as they are after it.
    pub rows: Vec<Row>,
    /// What is kept beside the history.
    pub beside: Vec<Beside>,
}

impl<A> Decision<A> {
    /// Nothing changes.
    fn nothing(answer: A) -> Self {
        Self { steps: Vec::new(), answer }
    }

    /// One ChangeSet.
    fn one(cause: Cause, actor: Option<String>, rows: Vec<Row>, answer: A) -> Self {
        Self { steps: vec![Step { cause, actor, rows, beside: Vec::new() }], answer }
    }
}

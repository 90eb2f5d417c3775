//! Why a request is refused. Every variant is one problem of the wire contract.

use super::start::Proposal;
use crate::cypher::statement::Refusal;
use crate::lifecycle::OwnedElsewhere;
use crate::model::{Code, Coupling, DeploymentSpec, PlanId};
use crate::reading::Problems;
use crate::store::{QueryError, StoreError, Unanswerable};

/// Why a request is refused.
#[derive(Debug)]
pub enum AppError {
    /// Parts of the request contradict each other.
    Malformed(String),
    /// The document has problems; the code says which document.
    Invalid(Code, Problems),
    /// The verdict is `no`, or `unknown`.
    NotDeployable(Box<Proposal>),
    /// The slot is held by this open attempt.
    Pending(Box<DeploymentSpec>),
    /// The idempotency key stands for another request.
    KeyReused {
        /// The plan recorded under it.
        plan: PlanId,
        /// What differs.
        difference: String,
    },
    /// An Artifact belongs to another System.
    OwnedElsewhere(OwnedElsewhere),
    /// Nothing is known under this name or id.
    NotFound {
        /// What was looked for, as `the deployment 0193…`.
        what: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
    /// The attempt ended otherwise.
    AlreadyFinished(Box<DeploymentSpec>),
    /// The token is not the attempt's.
    LeaseLost {
        /// What is wrong with the token.
        reason: &'static str,
        /// Who holds the slot now, where somebody does.
        holder: Option<Box<DeploymentSpec>>,
    },
    /// Couplings point at the Server.
    ServerInUse(Vec<Coupling>),
    /// The statement does more than read, or this store must not answer it.
    QueryRefused(Unanswerable),
    /// The statement, or one of its parameters, is wrong.
    InvalidGraphQuery(String),
    /// The store cannot be used now; nothing was recorded.
    Unavailable(String),
    /// What is asked for stands in changes that are not as they were written.
    Damaged {
        /// The plan that was recorded all the same, where something was.
        recorded: Option<PlanId>,
        /// Which changes, and what to do.
        error: String,
    },
    /// The store failed, and it is not known yet whether what was asked for was recorded.
    OutcomeUnknown {
        /// The plan that it is about, where it is about one: once the store answers again, it is known or it is not.
        plan: Option<PlanId>,
        /// Why it is not known.
        error: String,
    },
    /// So much is to be done that this was not begun.
    Overloaded(String),
    /// The server is at fault.
    Internal(String),
}

impl AppError {
    pub(super) fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "{what}");
        Self::Internal(what.to_owned())
    }

    /// A command hit a fault of ours when it was decided.
    pub(super) fn fault() -> Self {
        Self::Internal("a command could not be decided".to_owned())
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), nearest: None }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DamagedChanges { .. } => Self::Damaged { recorded: None, error: error.to_string() },
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        let Refusal { clause, line, column, .. } = refusal;
        Self::QueryRefused(Unanswerable { clause, line, column, message })
    }
}

impl From<QueryError> for AppError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Refused(why) => Self::QueryRefused(why),
            QueryError::Invalid(message) => Self::InvalidGraphQuery(message),
            QueryError::Unavailable(error) => error.into(),
        }
    }
}

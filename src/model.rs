//! The words of the domain as types: past the edge only valid ones exist.
//!
//! Nothing here reads a clock, draws a random number, waits, or does I/O.

mod artifact_spec;
mod attempt;
mod attributes;
mod change;
mod code;
mod component;
mod coupling;
mod deployment_spec;
mod id;
mod labels;
pub mod limits;
mod name;
mod quantifier;
mod resolution;
mod secret;
mod selector;
mod settings;
mod time;
pub mod version;

pub use artifact_spec::{
    ArtifactSpec, Late, LateProblem, LateProblemKind, Provide, Read, ReadAttributes, Ready, Require, Resolution,
};
pub use artifact_spec::{Scope, Warning};
pub use attempt::{Attempt, ComponentRows, PlanRecord, ResolvedAttempt};
pub use attributes::Attributes;
pub use change::{
    ArtifactRow, Beside, Cause, ChangeSet, EnvironmentRow, InterfaceRow, KeyRow, LeaseRow, PlanRow, ReceivedRow, Row,
    ServerDeclaration, SystemRow,
};
pub use code::Code;
pub use component::{ComponentRow, ComponentState, Owner};
pub use coupling::{Coupling, Requirer};
pub use deployment_spec::{Action, Condition, DeploymentSpec, Outcome, State};
pub use id::{ComponentId, DeploymentId, LeaseToken, PlanId};
pub use labels::{Labels, Layer, RESERVED_LABELS};
pub use name::{Name, Slot, TextError, TextRule, is_unseen};
pub use quantifier::{Dialect, Quantifier, QuantifierError};
pub use resolution::{
    EndingRow, Match, MovedMatch, Origin, ResolutionRow, ResolvedProvide, ResolvedRequire, ResolvedSpec, Section,
};
pub use secret::{KeptKey, KeptToken, keep_secret};
pub use selector::{Expression, ExpressionError, Operator, Predicate, Selector, Test};
pub use settings::{FirstDeployment, Settings};
pub use time::Timestamp;

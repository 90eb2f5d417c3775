//! The forms in which things are posted and answered.
//!
//! What is posted: the bodies of a finish, of a question of the graph, of a Server and an Environment, and the selector of
//! a query. The body of a start is read in [`crate::spec`].
//!
//! What is answered: plans, attempts, Components and whatever has a name. A plan is recorded as typed data
//! ([`ResolutionRow`](crate::model::ResolutionRow)) and encoded here, with the values of its matches looked up where they stand
//! ([`MatchedRows`]): so one that is read back is, byte for byte, what was answered.

mod artifact_spec;
mod attempt;
mod component;
mod coupling;
mod filter;
mod matched;
mod named;
mod plan;
mod posted;
mod settings;

pub use attempt::{AttemptView, ReceivedSpec, ReceivedView};
pub use component::{ComponentDetailView, ComponentView};
pub use coupling::{CouplingView, RequirerView, RequirersView};
pub use filter::{SelectorFilterError, parse_filter};
pub use matched::{MatchView, MatchedRows};
pub use named::{ArtifactView, EnvironmentView, InterfaceView, NamedDetailView, Rest, ServerView, SystemView};
pub use plan::{Deployable, Leases, PlanView, member_prefix};
pub use posted::{AttributeCorrection, FinishDocument, GraphQueryDocument, read_environment, read_server};
pub use settings::settings_difference;

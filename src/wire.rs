//! The forms in which things are posted and answered.
//!
//! What is posted: the bodies of a finish, of a question of the graph, of a Server and an Environment, and the selector of
//! a query. The body of a start is read in [`crate::spec`].
//!
//! What is answered: plans, as start answers them, as they are recorded, and as they are read back.
//! A resolution is recorded as the text that was answered, so that a plan can never be shown otherwise than it was given.

mod artifact_spec;
mod filter;
mod matched;
mod plan;
mod posted;
mod recorded;

pub use artifact_spec::{artifact_spec, artifact_specs};
pub use filter::{SelectorFilterError, parse_filter};
pub use matched::MatchView;
pub use plan::{Deployable, DeploymentView, LeaseView, MemberDeployment, PlanBody, PlanView};
pub use posted::{AttributeCorrection, FinishDocument, GraphQueryDocument, read_environment, read_server};
pub use recorded::{RecordedProvide, RecordedRequire, RecordedSpec, with_attributes};

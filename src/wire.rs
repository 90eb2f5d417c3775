//! The wire forms: what is answered of plans, attempts, Components and whatever has a name, what is recorded of a resolution,
//! and what is read back of it.
//!
//! What is posted: the bodies of a finish, of a question of the graph, of a Server and an Environment, and the selector of
//! a query. The body of a start is read in [`crate::spec`].
//!
//! What is answered: plans, as start answers them, as they are recorded, and as they are read back.
//! A resolution is recorded as the text that was answered, so that a plan can never be shown otherwise than it was given.

mod artifact_spec;
mod attempt;
mod component;
mod coupling;
mod matched;
mod named;
mod plan;
mod posted;
mod recorded;
mod settings;

pub use artifact_spec::{artifact_spec, artifact_specs};
pub use attempt::{AttemptView, ReceivedSpec, ReceivedView};
pub use component::{ComponentDetailView, ComponentView};
pub use coupling::{CouplingView, RequirerView, RequirersView};
pub use matched::MatchView;
pub use named::{ArtifactView, EnvironmentView, InterfaceView, NamedDetailView, ServerView, SystemView};
pub use plan::{Deployable, DeploymentView, LeaseView, MemberDeployment, PlanBody, PlanView};
pub use posted::{AttributeCorrection, FinishDocument, GraphQueryDocument, read_environment, read_server};
pub use recorded::{RecordedProvide, RecordedRequire, RecordedSpec, with_attributes};
pub use settings::settings_difference;

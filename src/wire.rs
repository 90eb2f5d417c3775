//! The wire forms of plans: what start answers, what is recorded of a resolution, and what is read back of it.
//!
//! A resolution is recorded as the text that was answered, so that a plan can never be shown otherwise than it was given.

mod artifact_spec;
mod matched;
mod plan;
mod recorded;

pub use artifact_spec::{artifact_spec, artifact_specs};
pub use matched::MatchView;
pub use plan::{Deployable, DeploymentView, LeaseView, MemberDeployment, PlanBody, PlanView};
pub use recorded::{RecordedProvide, RecordedRequire, RecordedSpec, with_attributes};

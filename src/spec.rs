//! Artifact specifications: from what was posted to what the planner resolves.
//!
//! [`StartDocument::read`] takes a document apart, in every accepted spelling, into [`Specification`]s, which are canonical
//! but not rendered. [`Specification::render`] puts the inputs in, and gives a [`crate::model::ArtifactSpec`]. Every problem
//! of every member is reported at once, with a JSON Pointer into the document as it was posted.

mod canonical;
mod input;
mod late;
mod provide;
mod render;
mod request;
mod require;
mod selector;
mod specification;
mod text;

pub use canonical::difference;
pub use input::Inputs;
pub(crate) use provide::set_own_label;
pub use request::{Member, StartDocument, StartForm, comparable_received};
pub(crate) use selector::read_literal_selector;
pub use specification::{InputNeed, ReadContext, Specification};

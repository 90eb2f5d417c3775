//! Reading trees: from what somebody wrote to values, with every problem reported at its place.
//!
//! A `Reader` goes through a [`Document`](crate::document::Document). It does not stop at the first [`Problem`]: it gathers
//! all of them, each with a JSON Pointer into the document as it was posted. What the values mean is for the rooms above
//! to say.

mod nearest;
mod problem;
mod reader;

pub(crate) use nearest::hint;
pub use nearest::nearest;
pub use problem::{Problem, Problems};
pub(crate) use reader::{At, Fields, Reader, no_such, shorten};

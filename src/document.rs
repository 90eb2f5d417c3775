//! Text in, trees out: the one tree that JSON and YAML both fill.
//!
//! Nothing here knows what a specification is. A [`Document`] keeps what was written as it was written: the order of
//! members, the spelling of numbers, whether a scalar was quoted, and (of YAML) where each thing stood. What a scalar
//! *means* (text, number, boolean) depends on the place where it stands in a specification, so it is decided by the
//! reader of that place, not here.
//!
//! [`Json`] is the other half: a finished JSON value whose numbers are kept as written, for attributes and answers.

mod builder;
mod json;
mod json_text;
mod pointer;
mod read_json;
mod read_yaml;
mod tree;
mod write_yaml;

pub use json::Json;
pub use json_text::JsonText;
pub use pointer::Pointer;
pub use tree::{
    Document, DocumentError, DocumentErrorKind, Duplicate, Limits, Member, NODES, Node, NodeValue, Place, Scalar,
    Style, Syntax,
};
pub use write_yaml::to_yaml;

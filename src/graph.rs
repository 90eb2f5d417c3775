//! The graph, as people read it: which nodes and relationships a history stands for.
//!
//! [`Delta::of`] says what a batch of ChangeSets makes of the graph. One backend writes it to a database, the other applies it
//! to a [`MemoryGraph`]; so both hold the same graph. It is derived from the history and from nothing else.

mod delta;
mod memory;
mod row;
mod shape;

pub use delta::{Delta, Direction, NodePut, Presence, Turn};
pub use memory::{MemoryGraph, MemoryNode, MemoryRelationship, NodeId, RelationshipId};
pub use row::first_place;
pub use shape::{Label, NodeKey, Properties, RelationshipKey, RelationshipType, Value};

/// Longer texts stand in the history only: what is indexed must stay far below 8,100 bytes, and a message below 8,000.
pub const TEXT_BYTES: usize = 7_000;

//! Statements in Cypher: which only read, and which of those the embedded store answers as Neo4j does.

pub mod portable;
pub mod statement;

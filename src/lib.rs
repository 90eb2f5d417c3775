//! Mortise: a CMDB that plans deployments.
//!
//! A tour of the rooms, from the ground up; a room imports only those that stand before it:
//!
//! - [`document`]: text in, trees out; the one tree that JSON and YAML both fill.
//! - [`model`]: the words of the domain as types; versions and their order.
//! - [`reading`]: from trees to values, with every problem reported at its place.
//! - [`template`]: string templates: their grammar, their filters, and what they may cost.
//! - [`catalog`]: the graph in memory, as a value; changed only by applying ChangeSets.
//! - [`planner`]: what a specification resolves to, and why it does not: a pure function.
//! - [`lifecycle`]: what is recorded for a command, and why not: pure decisions.
//! - [`spec`]: from what was posted, in any spelling, to what the planner resolves.
//! - [`wire`]: the forms of what else is posted, and of what is answered.
//! - [`graph`]: the nodes and relationships, for people to read, that a history stands for.
//! - [`cypher`]: statements that ask the graph: which only read, and which the embedded store answers.
//! - [`store`]: the durable, totally ordered history; embedded in one folder, or in a database that several processes share.
//! - [`app`]: the use cases, and the one committer that decides what is recorded.
//! - [`config`]: flags and the environment, read once into values.
//! - [`http`] and [`cli`]: the two doors, which never import each other.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod cypher;
pub mod document;
pub mod graph;
pub mod http;
pub mod lifecycle;
pub mod model;
pub mod planner;
pub mod reading;
pub mod spec;
pub mod store;
pub mod template;
pub mod wire;

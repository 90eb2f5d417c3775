//! Mortise: a CMDB that plans deployments.

pub mod catalog;
pub mod document;
pub mod model;
pub mod planner;
pub mod spec;
pub mod wire;
pub mod store;
pub mod app;

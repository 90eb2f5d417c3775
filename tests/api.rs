//! The wire contract, route by route, against the real server.

#[path = "support/server.rs"]
mod server;
#[path = "support/specs.rs"]
mod specs;

#[path = "api/components.rs"]
mod components;
#[path = "api/concurrency.rs"]
mod concurrency;
#[path = "api/connections.rs"]
mod connections;
#[path = "api/deployments.rs"]
mod deployments;
#[path = "api/environments.rs"]
mod environments;
#[path = "api/finish.rs"]
mod finish;
#[path = "api/idempotency.rs"]
mod idempotency;
#[path = "api/large.rs"]
mod large;
#[path = "api/many.rs"]
mod many;
#[path = "api/names.rs"]
mod names;
#[path = "api/origin.rs"]
mod origin;
#[path = "api/ownership.rs"]
mod ownership;
#[path = "api/problems.rs"]
mod problems;
#[path = "api/query.rs"]
mod query;
#[path = "api/read_back.rs"]
mod read_back;
#[path = "api/refusals.rs"]
mod refusals;
#[path = "api/routes.rs"]
mod routes;
#[path = "api/servers.rs"]
mod servers;
#[path = "api/set.rs"]
mod set;
#[path = "api/shutdown.rs"]
mod shutdown;
#[path = "api/stale.rs"]
mod stale;
#[path = "api/start.rs"]
mod start;
#[path = "api/yaml.rs"]
mod yaml;

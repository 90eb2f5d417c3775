//! What an earlier version recorded is upgraded where it stands: every answer that it gave is given again byte for byte, what it
//! left open goes on, and an upgrade that is cut short is done by the next start.
//!
//! `fixtures/format-1` says where the histories and the answers come from.

#[path = "upgrade/afterwards.rs"]
mod afterwards;
#[path = "support/bolt_proxy.rs"]
mod bolt_proxy;
#[path = "support/database.rs"]
mod database;
#[path = "upgrade/file.rs"]
mod file;
#[path = "upgrade/fixture.rs"]
mod fixture;
#[path = "upgrade/folder.rs"]
mod folder;
#[path = "support/graph.rs"]
mod graph;
#[path = "support/harness.rs"]
mod harness;
#[path = "upgrade/kill.rs"]
mod kill;
#[path = "upgrade/load.rs"]
mod load;
#[path = "upgrade/neo4j.rs"]
mod neo4j;
#[path = "support/server.rs"]
mod server;
#[path = "upgrade/starting.rs"]
mod starting;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run([file::tests(), folder::tests(), kill::tests(), neo4j::tests()])
}

//! Stores: the laws that every backend keeps, what is special to the embedded one, and what happens when a commit fails.

#[path = "store/bolt.rs"]
mod bolt;
#[path = "store/conformance.rs"]
mod conformance;
#[path = "store/damage.rs"]
mod damage;
#[path = "support/database.rs"]
mod database;
#[path = "store/embedded.rs"]
mod embedded;
#[path = "store/faults.rs"]
mod faults;
#[path = "store/folder.rs"]
mod folder;
#[path = "world/generator.rs"]
mod generator;
#[path = "support/graph.rs"]
mod graph;
#[path = "support/harness.rs"]
mod harness;
#[path = "world/history.rs"]
mod history;
#[path = "store/lists.rs"]
mod lists;
#[path = "store/panics.rs"]
mod panics;
#[path = "store/sample.rs"]
mod sample;
#[path = "store/secrets.rs"]
mod secrets;
#[path = "support/server.rs"]
mod server;
#[path = "support/specs.rs"]
mod specs;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(ended) = panics::serve() {
        return ended;
    }
    harness::run([
        bolt::neo4j::laws(),
        bolt::neo4j::tests(),
        bolt::arcadedb::laws(),
        damage::tests(),
        embedded::laws(),
        embedded::tests(),
        faults::tests(),
        folder::tests(),
        panics::tests(),
        lists::tests(),
        secrets::tests(),
    ])
}

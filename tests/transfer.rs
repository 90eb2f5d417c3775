//! Moving a history between stores: what is exported, what is refused, and what an interrupted import leaves.

#[path = "transfer/bolt.rs"]
mod bolt;
#[path = "transfer/command.rs"]
mod command;
#[path = "transfer/damage.rs"]
mod damage;
#[path = "support/database.rs"]
mod database;
#[path = "world/generator.rs"]
mod generator;
#[path = "support/graph.rs"]
mod graph;
#[path = "support/harness.rs"]
mod harness;
#[path = "world/history.rs"]
mod history;
#[path = "transfer/kill.rs"]
mod kill;
#[path = "transfer/moves.rs"]
mod moves;
#[path = "transfer/resume.rs"]
mod resume;
#[path = "store/sample.rs"]
mod sample;
#[path = "support/server.rs"]
mod server;
#[path = "transfer/shared.rs"]
mod shared;
#[path = "transfer/written.rs"]
mod written;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run([
        bolt::tests(),
        command::tests(),
        damage::tests(),
        kill::tests(),
        moves::tests(),
        resume::tests(),
        shared::tests(),
    ])
}

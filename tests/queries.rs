//! Questions of the graph: the same answers on both stores, or a refusal; and never anything but a reading.

#[path = "queries/aggregates.rs"]
mod aggregates;
#[path = "queries/agreement.rs"]
mod agreement;
#[path = "queries/backend.rs"]
mod backend;
#[path = "queries/command.rs"]
mod command;
#[path = "queries/company.rs"]
mod company;
#[path = "support/database.rs"]
mod database;
#[path = "queries/fixture.rs"]
mod fixture;
#[path = "support/harness.rs"]
mod harness;
#[path = "queries/large.rs"]
mod large;
#[path = "queries/limits.rs"]
mod limits;
#[path = "queries/lists.rs"]
mod lists;
#[path = "queries/patterns.rs"]
mod patterns;
#[path = "queries/refusals.rs"]
mod refusals;
#[path = "support/server.rs"]
mod server;
#[path = "queries/wire.rs"]
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run([
        aggregates::tests(),
        agreement::tests(),
        command::tests(),
        large::laws(),
        limits::tests(),
        limits::laws(),
        lists::tests(),
        patterns::tests(),
        refusals::tests(),
        refusals::laws(),
        wire::tests(),
    ])
}

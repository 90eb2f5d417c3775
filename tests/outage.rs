//! What goes wrong between a server and its database: a peer that is silent, connections that break in the middle of a turn,
//! commits whose answer is lost, replicas that are cut off with the head in their hands, and a database that is stopped, killed
//! and paused. The server is the real one, the database is a real Neo4j.
//!
//! After each: no wrong answer, nothing lost that was acknowledged, nothing recorded twice, no hang past the deadline, and a
//! server that is well again by itself.

#[path = "outage/away.rs"]
mod away;
#[path = "support/bolt_proxy.rs"]
mod bolt_proxy;
#[path = "outage/commit.rs"]
mod commit;
#[path = "support/database.rs"]
mod database;
#[path = "outage/graph.rs"]
mod graph;
#[path = "support/harness.rs"]
mod harness;
#[path = "outage/holder.rs"]
mod holder;
#[path = "outage/large.rs"]
mod large;
#[path = "outage/ledger.rs"]
mod ledger;
#[path = "outage/load.rs"]
mod load;
#[path = "outage/replica.rs"]
mod replica;
#[path = "support/server.rs"]
mod server;
#[path = "outage/silent.rs"]
mod silent;
#[path = "support/specs.rs"]
mod specs;
#[path = "outage/startup.rs"]
mod startup;
#[path = "outage/turn.rs"]
mod turn;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run([
        away::tests(),
        commit::tests(),
        holder::tests(),
        large::tests(),
        silent::tests(),
        startup::tests(),
        turn::tests(),
    ])
}

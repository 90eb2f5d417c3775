//! Ratios, measured within one run: figures of one machine at one time say nothing, but how they stand to each other does.
//!
//! - durable starts over HTTP beside an echo of the same request on the same framework;
//! - durable starts on a real Neo4j, many in a transaction beside one in a transaction;
//! - what a start writes, and how long a list of attempts takes beside a request that does nothing;
//! - a cold load from a snapshot beside one from the history;
//! - resolving a require among a thousand Components and among a million;
//! - a page of a list of attempts by each filter, beside one of all of them;
//! - the nearest name among few and among a million;
//! - the requests that cost the most for their size, beside a small one;
//! - the memory that a Component takes, beside its own texts.

mod catalog;
mod cold;
mod costs;
#[path = "../support/database.rs"]
mod database;
mod echo;
#[path = "../world/history.rs"]
mod history;
mod lists;
mod names;
mod server;
mod starts;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    catalog::run();
    costs::run();
    names::run();
    lists::run();
    cold::run();
    starts::run();
    starts::run_on_neo4j();
}

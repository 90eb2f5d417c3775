//! Ratios, measured within one run: figures of one machine at one time say nothing, but how they stand to each other does.
//!
//! - durable starts over HTTP beside an echo of the same request on the same framework;
//! - resolving a require among a thousand Components and among a million;
//! - the memory that a Component takes, beside its own texts.

mod catalog;
mod echo;
mod starts;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    catalog::run();
    starts::run();
}

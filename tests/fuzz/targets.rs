//! What is fuzzed: each target takes any bytes, and panics where what it says of them does not hold.
//!
//! A fuzzer calls them (`bin`), and so does a plain test, with the seeds that are kept in `fixtures/fuzz`.

#![allow(dead_code, reason = "every fuzzer uses one of them")]

#[path = "../world/history.rs"]
mod history;
mod posted;
mod range;
mod record;
mod selector;
mod specification;
mod statement;
mod template;
mod world;

/// What is done with any bytes, by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target by its name, which is that of the folder of its seeds and that of its fuzzer.
pub const TARGETS: [Target; 7] = [
    ("posted", posted::any),
    ("range", range::any),
    ("record", record::any),
    ("selector", selector::any),
    ("specification", specification::any),
    ("statement", statement::any),
    ("template", template::any),
];

/// Runs the target of this name.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of this name");
    target(data);
}

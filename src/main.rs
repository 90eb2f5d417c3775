//! Mortise.
fn main() {}

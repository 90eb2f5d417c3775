//! The requests with the worst ratio of work to bytes that a search has found (`cargo bench --bench cost`), and what they cost.

use std::fs;

use serde::Deserialize;

#[path = "cost/request.rs"]
mod request;
#[path = "cost/shape.rs"]
mod shape;
#[path = "cost/world.rs"]
mod world;

use request::answer;
use shape::Shape;

/// A request, and what was counted of it beside 1,000 Components.
#[derive(Deserialize)]
struct Case {
    shape: Shape,
    comparisons: usize,
    answer: usize,
}

#[test]
fn the_worst_requests_cost_no_more_than_when_they_were_found_and_grow_with_the_world_at_most() {
    let (small, large) = (world::catalog(1_000), world::catalog(4_000));
    let mut cases = 0;
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/costs")).unwrap() {
        let file = file.unwrap().path();
        let case: Case = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let body = case.shape.body();
        let (counted, beside_more) = (answer(&small, case.shape.kind, &body), answer(&large, case.shape.kind, &body));
        let name = file.display();
        assert!(counted.comparisons <= case.comparisons * 5 / 4, "{name}: {} comparisons", counted.comparisons);
        assert!(counted.answer <= case.answer * 5 / 4, "{name}: {} bytes", counted.answer);
        let grown = beside_more.comparisons as f64 / counted.comparisons.max(1) as f64;
        assert!(grown <= 5.0, "{name}: {grown} times the comparisons beside 4 times the Components");
        cases += 1;
    }
    assert_eq!(cases, 10);
}

//! The name nearest to a misspelt one, among few and among a million.

use std::hint::black_box;
use std::time::Instant;

use mortise::catalog::Catalog;
use mortise::model::{Name, Row, SystemRow};

const SMALL: usize = 100;
const LARGE: usize = 1_000_000;
const ASKED: usize = 1_000;

pub fn run() {
    let (small, large) = (named(SMALL), named(LARGE));
    let (among_small, among_large) = (nearest(&small, SMALL), nearest(&large, LARGE));
    println!(
        "the nearest name: {among_small:.0} us among {SMALL}, {among_large:.0} us among {LARGE}: {:.1} times",
        among_large / among_small
    );
}

fn text(number: usize) -> String {
    // Few of them begin or end alike: these are the ones that take longest.
    let mixed = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..12).map(|at| char::from(b'a' + (mixed >> (at * 5) & 15) as u8)).collect()
}

fn named(count: usize) -> Catalog {
    let mut catalog = Catalog::default();
    for number in 0..count {
        let name = Name::new(text(number)).expect("the names of the benchmark are valid");
        catalog.apply_row(&Row::System(SystemRow { name }));
    }
    catalog
}

/// Microseconds for one name with two letters changed.
fn nearest(catalog: &Catalog, count: usize) -> f64 {
    let changed = |asked: usize| {
        let text = text(asked * 7_919 % count);
        format!("{}z{}z{}", &text[..2], &text[3..8], &text[9..])
    };
    let wanted: Vec<_> = (0..ASKED).map(changed).collect();
    let started = Instant::now();
    for wanted in &wanted {
        black_box(catalog.systems().nearest(black_box(wanted)));
    }
    started.elapsed().as_secs_f64() * 1e6 / ASKED as f64
}

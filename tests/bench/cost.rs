//! A search for the request with the worst ratio of work to bytes: to those that are sent, and to those that are sent and answered,
//! which tells what neither explains.
//!
//! `cargo bench --bench cost -- --minutes 5` changes shapes of requests at random, always in the same way, and keeps the worst of
//! every kind; `--write` keeps the ten worst as cases in `fixtures/costs`, which `tests/cost_cases.rs` replays. Work is the CPU
//! time of the thread, in the pure rooms: reading, rendering, planning, explaining, writing the answer.

#[path = "../cost/request.rs"]
mod request;
#[path = "../cost/shape.rs"]
mod shape;
#[path = "../cost/world.rs"]
mod world;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use mortise::catalog::Catalog;
use shape::{Kind, Shape};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The longest body that is tried; a longer one of the same shape costs the same a byte, or it is found by then.
const BODY_BYTES: usize = 300 << 10;
/// What the head of a request takes besides.
const HEAD_BYTES: usize = 200;
/// The longest query and the longest statement.
const QUERY_BYTES: usize = 16 << 10;
/// How many are kept by each of the two.
const WORST: usize = 5;

/// What a shape costs.
#[derive(Clone)]
struct Cost {
    shape: Shape,
    bytes: usize,
    work: Duration,
    comparisons: usize,
    answer: usize,
}

impl Cost {
    /// `None` where it is too long.
    fn of(catalog: &Catalog, shape: &Shape) -> Option<Self> {
        let body = shape.body();
        let most = if matches!(shape.kind, Kind::Selector | Kind::Statement) { QUERY_BYTES } else { BODY_BYTES };
        if body.len() > most {
            return None;
        }
        // The better of two: whatever else the machine does only makes it longer.
        let measured = [(); 2].map(|()| {
            let before = worked();
            let counted = request::answer(catalog, shape.kind, &body);
            (worked() - before, counted.comparisons, counted.answer)
        });
        let (work, comparisons, answer) = measured.into_iter().min()?;
        Some(Self { shape: shape.clone(), bytes: body.len() + HEAD_BYTES, work, comparisons, answer })
    }

    /// Microseconds a byte.
    fn ratio(&self, to: To) -> f64 {
        let bytes = match to {
            To::Sent => self.bytes,
            To::SentAndAnswered => self.bytes + self.answer,
        };
        self.work.as_secs_f64() * 1e6 / bytes as f64
    }
}

/// The bytes that work is compared with.
#[derive(Clone, Copy)]
enum To {
    Sent,
    SentAndAnswered,
}

fn main() {
    let (time, components, write) = arguments();
    let catalog = world::catalog(components);
    let mut kept = 0;
    for (to, name) in [(To::Sent, "a byte sent"), (To::SentAndAnswered, "a byte sent or answered")] {
        let (tried, found) = search(&catalog, to, time / 2);
        println!("{tried} shapes tried against {components} components; the worst by work {name}:");
        println!("       us  comparisons  answered     sent        ms  shape");
        for cost in found.iter().take(WORST) {
            let shape = serde_json::to_string(&cost.shape).expect("a shape has a JSON form");
            let (milliseconds, ratio) = (cost.work.as_secs_f64() * 1e3, cost.ratio(to));
            let Cost { comparisons, answer, bytes, .. } = cost;
            println!("{ratio:>9.3}  {comparisons:>11}  {answer:>8}  {bytes:>7}  {milliseconds:>8.1}  {shape}");
            if write {
                let case = format!("{{\"shape\":{shape},\"comparisons\":{comparisons},\"answer\":{answer}}}\n");
                let file = format!("{}/fixtures/costs/{kept:02}.json", env!("CARGO_MANIFEST_DIR"));
                std::fs::write(file, case).expect("a case can be kept");
            }
            kept += 1;
        }
    }
}

/// How many shapes were tried in this time, and the worst of each kind, minimised, the worst first.
fn search(catalog: &Catalog, to: To, time: Duration) -> (usize, Vec<Cost>) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut worst: BTreeMap<(Kind, u32), Cost> = BTreeMap::new();
    let mut tried = HashSet::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let shape = next(&worst, to, &mut random);
        if !tried.insert(shape.clone()) {
            continue;
        }
        let Some(cost) = Cost::of(catalog, &shape) else { continue };
        let known = worst.get(&shape.niche());
        if known.is_none_or(|known| known.ratio(to) < cost.ratio(to)) {
            worst.insert(shape.niche(), cost);
        }
    }
    let mut found: Vec<_> = worst.into_values().collect();
    found.sort_by(|left, right| right.ratio(to).total_cmp(&left.ratio(to)));
    found.truncate(8 * WORST);
    let mut found: Vec<_> = found.into_iter().map(|cost| minimised(catalog, to, cost)).collect();
    found.sort_by(|left, right| right.ratio(to).total_cmp(&left.ratio(to)));
    // What is left of several may be the same.
    let mut seen = HashSet::new();
    found.retain(|cost| seen.insert(cost.shape.niche()));
    (tried.len(), found)
}

/// A change of one that is bad already, or something new.
fn next(worst: &BTreeMap<(Kind, u32), Cost>, to: To, random: &mut Random) -> Shape {
    let kinds = [Kind::Start, Kind::Start, Kind::Start, Kind::Selector, Kind::Statement, Kind::Finish];
    let mut shape = Shape { kind: kinds[random.below(kinds.len())], ..Shape::default() };
    if random.below(4) > 0 && !worst.is_empty() {
        // The worse of two, so that bad ones are changed more often.
        let mut costs = [0, 1].map(|_| worst.values().nth(random.below(worst.len())));
        let ratio = |cost: &Option<&Cost>| cost.map_or(0.0, |cost| cost.ratio(to));
        costs.sort_by(|left, right| ratio(left).total_cmp(&ratio(right)));
        shape = costs[1].map_or(shape, |cost| cost.shape.clone());
    }
    for _ in 0..=random.below(3) {
        let mut numbers = shape.numbers();
        let place = random.below(numbers.len());
        let number = &mut *numbers[place];
        *number = match random.below(6) {
            0 => 0,
            1 => *number / 2,
            2 => number.saturating_mul(2).min(20_000),
            3 => *number + 1,
            4 => random.below(20) as u32,
            _ => 1 << random.below(13),
        };
    }
    shape
}

/// The same with every number as small as leaves most of the ratio.
fn minimised(catalog: &Catalog, to: To, mut cost: Cost) -> Cost {
    let least = cost.ratio(to) * 0.8;
    let count = cost.shape.numbers().len();
    for place in 0..count {
        for smaller in [|_| 0_u32, |number| number / 2, |number| number / 2, |number| number * 3 / 4] {
            let mut shape = cost.shape.clone();
            let number = &mut *shape.numbers().swap_remove(place);
            if *number == 0 {
                break;
            }
            *number = smaller(*number);
            if let Some(fewer) = Cost::of(catalog, &shape).filter(|fewer| fewer.ratio(to) >= least) {
                cost = fewer;
            }
        }
    }
    cost
}

/// The CPU time of this thread so far.
fn worked() -> Duration {
    let stat =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("the system says what a thread has worked");
    let nanoseconds = stat.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("it is a number"))
}

/// Numbers that are the same in every run (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

fn arguments() -> (Duration, usize, bool) {
    let (mut minutes, mut components, mut write) = (1.0, 1_000, false);
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("{flag} wants a value"));
        match flag.as_str() {
            "--minutes" => minutes = value().parse().expect("minutes are a number"),
            "--components" => components = value().parse().expect("components are a whole number"),
            "--write" => write = true,
            // cargo says it to every benchmark.
            "--bench" => {}
            other => panic!("there is no {other}; there are --minutes, --components and --write"),
        }
    }
    (Duration::from_secs_f64(minutes * 60.0), components, write)
}

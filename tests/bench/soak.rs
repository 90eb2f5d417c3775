//! A soak: starts and finishes on the same slots for as long as is wanted, with what a server does not get rid of by itself
//! looked at as it goes: memory, open files, threads, bytes on the disk, and how long starts take.
//!
//! `cargo bench --bench soak -- --minutes 10`, or `--attempts 200000`; `--binary PATH` measures another build of the server.
//! The work of the last round is that of the first, so that whatever has grown by then has grown with the history.

#[path = "soak/figures.rs"]
mod figures;
mod server;
#[path = "soak/work.rs"]
mod work;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use figures::{Figures, Round, Spent};
use server::Server;
use work::{Until, Worker};

/// How many connections start and finish.
const CONNECTIONS: usize = 8;
/// So many rounds, of equal length, are looked at after each other.
const ROUNDS: u64 = 10;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a soak is.
enum Length {
    Minutes(f64),
    Attempts(u64),
}

fn main() {
    let (length, binary) = arguments();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let server = Server::run(&binary, &["--data", data.to_str().expect("temporary folders have UTF-8 names")]);
    work::activate(server.address);
    let mut workers: Vec<_> = (0..CONNECTIONS).map(|number| Worker::new(server.address, number)).collect();
    // Every slot has been started and finished a few times before anything is looked at.
    round(&mut workers, &Until::attempts(4 * work::SLOTS as u64));
    println!("{}", Figures::HEAD);
    let mut spent = Spent::of(&server, 0);
    let mut rounds: Vec<Figures> = Vec::new();
    for _ in 0..ROUNDS {
        let until = match length {
            Length::Minutes(minutes) => Until::time(Duration::from_secs_f64(minutes * 60.0 / ROUNDS as f64)),
            Length::Attempts(attempts) => Until::attempts(attempts.div_ceil(ROUNDS)),
        };
        let started = Instant::now();
        let round = round(&mut workers, &until);
        let figures = Figures::of(&server, &data, &spent, started.elapsed(), round);
        spent = figures.spent;
        println!("{figures}");
        rounds.push(figures);
    }
    if let [first, .., last] = rounds.as_slice() {
        println!("{}", last.growth_since(first));
    }
}

/// Lets every worker work, and gives back how long what they asked took.
fn round(workers: &mut [Worker], until: &Until) -> Round {
    let begun = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let working: Vec<_> = workers.iter_mut().map(|worker| scope.spawn(|| worker.work(until, &begun))).collect();
        working.into_iter().for_each(|worker| worker.join().expect("a client does not fail"));
    });
    let mut round = Round::default();
    for worker in workers {
        round.starts.append(&mut worker.took.starts);
        round.idle.append(&mut worker.took.idle);
    }
    round
}

fn arguments() -> (Length, PathBuf) {
    let mut length = Length::Minutes(5.0);
    let mut binary = PathBuf::from(env!("CARGO_BIN_EXE_mortise"));
    let mut given = std::env::args().skip(1);
    while let Some(flag) = given.next() {
        let mut value = || given.next().unwrap_or_else(|| panic!("{flag} wants a value"));
        match flag.as_str() {
            "--minutes" => length = Length::Minutes(value().parse().expect("minutes are a number")),
            "--attempts" => length = Length::Attempts(value().parse().expect("attempts are a whole number")),
            "--binary" => binary = value().into(),
            // cargo says it to every benchmark.
            "--bench" => {}
            other => panic!("there is no {other}; there are --minutes, --attempts and --binary"),
        }
    }
    (length, binary)
}

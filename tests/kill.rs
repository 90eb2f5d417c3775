//! A process that is killed loses nothing that it acknowledged, and shows nothing half.
//!
//! The server is killed at moments that nobody chose: while several clients start and finish plans, and while it writes a
//! snapshot. After each restart on the same folder every answer that was given is compared with what it shows now.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;
#[path = "kill/ledger.rs"]
mod ledger;
#[path = "kill/load.rs"]
mod load;
#[path = "kill/record.rs"]
mod record;
#[path = "store/sample.rs"]
mod sample;
#[path = "support/server.rs"]
mod server;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use generator::Generator;
use ledger::Ledger;
use load::Client;
use mortise::catalog::Catalog;
use mortise::store::Store;
use mortise::store::embedded::EmbeddedStore;
use sample::Sample;
use serde_json::json;
use server::Server;

/// How often the server is killed under load.
const KILLS: usize = 55;
/// How many clients load it.
const CLIENTS: usize = 6;

#[test]
fn a_process_killed_under_load_loses_nothing_acknowledged_and_shows_nothing_half() {
    let seed = seed();
    let mut generator = Generator::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut ledgers: Vec<Ledger> = (0..CLIENTS).map(|_| Ledger::default()).collect();
    for round in 0..KILLS {
        let mut server = Server::start_in(folder.path(), &[]);
        let http = server::Client::of(server.address());
        // Each client looks after what it was answered, and asks again for what it was not.
        let mut clients: Vec<_> = (ledgers.iter_mut().enumerate())
            .map(|(number, ledger)| Client::new(number, round, generator.below(1 << 30) as u64, ledger))
            .collect();
        each_on_its_thread(&mut clients, |client| client.verify(&http));
        let until = 1 + generator.below(40);
        let (answered, is_killed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let process = Mutex::new(&mut server);
        each_on_its_thread(&mut clients, |client| {
            while client.act(&http) {
                // Whoever is answered as the last kills it, while the requests of the others are under way.
                if answered.fetch_add(1, Ordering::Relaxed) + 1 == until {
                    process.lock().unwrap().kill();
                    is_killed.store(true, Ordering::Relaxed);
                }
            }
        });
        assert!(is_killed.into_inner(), "the server ended by itself in round {round} (seed {seed})");
    }
    let server = Server::start_in(folder.path(), &[]);
    for (number, ledger) in ledgers.iter_mut().enumerate() {
        Client::new(number, KILLS, 0, ledger).verify(&server);
    }
    drop(server);
    let recorded = record::read(folder.path());
    recorded.check();
    ledgers.iter().for_each(|ledger| recorded.check_ledger(ledger));
    let sum = |index: usize| ledgers.iter().map(|ledger| ledger.counts()[index]).sum::<usize>();
    let (plans, lost, found) = (sum(0), sum(1), sum(2));
    println!(
        "{KILLS} kills: {plans} plans are there; {lost} answers were lost, {found} of them to starts that are recorded"
    );
    assert!(
        plans > 5 * KILLS && lost > KILLS,
        "the load is too light: {plans} plans, {lost} answers lost (seed {seed})"
    );
}

#[test]
fn a_process_killed_while_it_writes_a_snapshot_starts_again_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut sample = Sample::default();
    for round in 0..3 {
        // Long enough that its snapshot takes a while, and is worth while when it stops.
        let known = sample.changes.len();
        for number in 0..2_500 {
            sample.open("shop", sample::slot(&format!("artifact-{round}-{number}"), "test", ""), None);
        }
        let store = EmbeddedStore::open(folder.path()).unwrap();
        store.append(&sample.changes[known..]).unwrap();
        drop(store);

        let mut server = Server::start_in(folder.path(), &[]);
        let started = server.started(
            &json!({"system": "shop", "name": format!("last-{round}"), "version": "1", "environment": "test"}),
        );
        let unfinished = folder.path().join("snapshot.zst.new");
        std::fs::write(&unfinished, "").unwrap();
        server.terminate();
        while std::fs::metadata(&unfinished).is_ok_and(|file| file.len() == 0) {
            std::thread::yield_now();
        }
        server.kill();

        let server = Server::start_in(folder.path(), &[]);
        let found = server.deployment(server::text(&started, "id"));
        assert_eq!(found["artifactSpec"], started["artifactSpec"]);
        drop(server);
        // What the server recorded stands in the history too.
        let store = EmbeddedStore::open(folder.path()).unwrap();
        let changes = store.changes_after(0, usize::MAX).unwrap();
        let mut replayed = Catalog::default();
        changes.iter().for_each(|change| replayed.apply(change));
        let loaded = store.load().unwrap();
        let rows = |catalog: &Catalog| {
            let mut rows: Vec<_> = catalog.rows().map(|row| serde_json::to_string(&row).unwrap()).collect();
            rows.sort();
            rows
        };
        assert_eq!(loaded.revision(), replayed.revision());
        assert!(rows(&loaded) == rows(&replayed), "a snapshot and what follows it is not what replay gives");
        sample.changes = changes;
    }
}

fn each_on_its_thread(clients: &mut [Client<'_>], act: impl Fn(&mut Client<'_>) + Sync) {
    std::thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| act(client));
        }
    });
}

/// Another one in every run; the one in `KILL_SEED` to see a run again.
fn seed() -> u64 {
    let given = std::env::var("KILL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64);
    println!("the seed is {seed}; KILL_SEED={seed} runs it again, but for what threads do");
    seed
}

//! What is done to the folder of a server that runs: it says so, and is well again by itself where that is undone.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::faults::{wait_until_not_ready, wait_until_ready};
use crate::harness::tests;
use crate::server::{Server, command_logging, text};
use crate::specs::spec;

tests![
    a_folder_that_is_moved_away_is_told_and_takes_nothing_until_it_is_back,
    a_folder_that_is_removed_is_told_and_another_one_is_not_taken_for_it,
    a_folder_that_cannot_be_written_is_told,
    a_database_that_is_overwritten_or_emptied_is_told,
    requests_that_cannot_be_read_are_not_logged,
];

fn a_folder_that_is_moved_away_is_told_and_takes_nothing_until_it_is_back() {
    let place = tempfile::tempdir().unwrap();
    let (data, away) = (place.path().join("data"), place.path().join("away"));
    let server = Server::start_in(&data, &[]);
    server.started(&spec("before"));
    fs::rename(&data, &away).unwrap();
    // At once: what would be recorded now, nobody would find again.
    server.start_deployment(&spec("meanwhile")).expect_problem(503, "unavailable");
    let why = wait_until_not_ready(&server);
    assert!(why.contains(&data.display().to_string()), "{why}");
    fs::rename(&away, &data).unwrap();
    wait_until_ready(&server);
    server.started(&spec("meanwhile"));
    assert_eq!(server.items("/deployments").len(), 2);
}

fn a_folder_that_is_removed_is_told_and_another_one_is_not_taken_for_it() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let server = Server::start_in(&data, &[]);
    server.started(&spec("before"));
    fs::remove_dir_all(&data).unwrap();
    // Nobody writes.
    wait_until_not_ready(&server);
    let other = Server::start_in(&data, &[]);
    server.start_deployment(&spec("meanwhile")).expect_problem(503, "unavailable");
    let why = wait_until_not_ready(&server);
    assert!(why.contains("another one stands there"), "{why}");
    wait_until_ready(&other);
}

fn a_folder_that_cannot_be_written_is_told() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    wait_until_ready(&server);
    // As on a disk that has become read-only, of which even root is told.
    let in_the_way = data.path().join("probe");
    while fs::create_dir(&in_the_way).is_err() {
        std::thread::yield_now();
    }
    let why = wait_until_not_ready(&server);
    assert!(why.contains("cannot be written"), "{why}");
    fs::remove_dir(&in_the_way).unwrap();
    wait_until_ready(&server);
}

fn a_database_that_is_overwritten_or_emptied_is_told() {
    for damage in [b"no database".repeat(1_000), Vec::new()] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start_in(data.path(), &[]);
        server.started(&spec("before"));
        let database = data.path().join("mortise.sqlite");
        let (log, kept) = (data.path().join("mortise.sqlite-wal"), fs::read(&database).unwrap());
        // In place, as a disk does it.
        fs::write(&database, damage).unwrap();
        let why = wait_until_not_ready(&server);
        let says = ["mortise.sqlite is no database any more", "mortise.sqlite: file is not a database"];
        assert!(says.iter().any(|says| why.contains(says)), "{why}");
        assert!(log.exists(), "nothing that may be of use is removed");
        fs::write(&database, kept).unwrap();
        wait_until_ready(&server);
    }
}

fn requests_that_cannot_be_read_are_not_logged() {
    let place = tempfile::tempdir().unwrap();
    let told = |level: &str| {
        let log = place.path().join(level);
        let server = started_with_log(&place.path().join("data"), &log, level);
        for request in ["no request\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
            server.raw(request.as_bytes());
        }
        server.send("POST", "/deployments/start", &[crate::server::JSON], "{").expect_problem(400, "malformed");
        server.stop();
        fs::read_to_string(log).unwrap()
    };
    let errors = |told: &str| told.lines().filter(|line| line.contains("ERROR") || line.contains("WARN")).count();
    let log = told("info");
    assert_eq!(errors(&log), 0, "{log}");
    assert!(errors(&told("debug")) > 0, "whoever looks for it finds it");
}

fn started_with_log(data: &Path, log: &Path, level: &str) -> Server {
    let inner = command_logging(data, level);
    let mut logged = Command::new("sh");
    logged.args(["-c", "exec \"$@\" 2>$LOG", "sh"]).env("LOG", log);
    let server = Server::run(crate::faults::within(logged, &inner));
    assert!(text(&server.get("/readyz").expect(200), "status") == "ready");
    server
}

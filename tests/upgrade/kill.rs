//! An upgrade of a folder that is killed.

use std::ffi::OsString;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::afterwards::{assert_goes_on, assert_gone_on};
use crate::fixture::{ANSWERS, Place, database_of, folder, format_of, more_changes};
use crate::folder::{newest_format, run, text};
use crate::harness::tests;
use crate::server::{Server, command};
use crate::starting::{Killed, Starting, killed_on_its_way, middles};

tests![
    an_upgrade_that_is_killed_at_any_moment_is_done_by_the_next_start,
    an_upgrade_that_is_killed_after_any_write_is_done_by_the_next_start,
    an_upgrade_that_is_killed_again_and_again_is_done_in_the_end,
];

/// How many changes more than the fixture the history has, so that its upgrade takes a while.
const MORE: u64 = 6_000;
/// At how many moments an upgrade is killed.
const MOMENTS: u32 = 24;

/// A folder of format 1 with a longer history that gives the same answers.
fn long_folder() -> TempDir {
    let data = folder();
    let mut database = Connection::open(database_of(data.path())).unwrap();
    let transaction = database.transaction().unwrap();
    for (revision, _, body) in more_changes(MORE) {
        let inserted = transaction.execute("INSERT INTO change VALUES (?1, ?2)", params![revision, body]).unwrap();
        assert_eq!(inserted, 1);
    }
    transaction.commit().unwrap();
    assert_eq!(format_of(data.path()), 1);
    data
}

fn start(data: &Path) -> Starting {
    Starting::run(command(data, &[]))
}

fn export(data: &Path) -> String {
    run(&["export", "--data", text(data), "-o", "-"])
}

/// What an upgrade that nobody disturbs gives.
struct Undisturbed {
    format: i64,
    export: String,
}

impl Undisturbed {
    fn new() -> Self {
        let data = long_folder();
        assert!(Server::start_in(data.path(), &[]).stop().success());
        Self { format: newest_format(), export: export(data.path()) }
    }

    /// The next start on a folder gives the same, and goes on from there.
    #[track_caller]
    fn assert_done_in(&self, data: &Path) {
        let server = Server::start_in(data, &[]);
        ANSWERS.assert_given_by(&server, Place::Folder);
        assert!(server.stop().success());
        assert_eq!(format_of(data), self.format);
        assert!(export(data) == self.export, "the history is another");
    }
}

fn an_upgrade_that_is_killed_at_any_moment_is_done_by_the_next_start() {
    let undisturbed = Undisturbed::new();
    for part in middles(MOMENTS) {
        let mut whole = start(long_folder().path()).whole();
        let data = killed_on_its_way(&mut whole, part, long_folder, |data| start(data.path()));
        // The one that mends it is killed too.
        start(data.path()).kill_after(whole.mul_f64(part / 2.0));
        undisturbed.assert_done_in(data.path());
    }
}

fn an_upgrade_that_is_killed_after_any_write_is_done_by_the_next_start() {
    let undisturbed = Undisturbed::new();
    let (mut writes, mut rounds) = (1, 0);
    let last = loop {
        let data = long_folder();
        let (mut seen, mut before) = (0, files(data.path()));
        let killed = start(data.path()).kill_when(|| {
            let now = files(data.path());
            seen += u32::from(now != before);
            before = now;
            seen >= writes
        });
        undisturbed.assert_done_in(data.path());
        if let Killed::Ready(_) = killed {
            break data;
        }
        rounds += 1;
        writes += writes.div_ceil(4);
    };
    assert!(rounds > 0, "it was ready before it wrote anything");
    println!("killed {rounds} times, the last time after {writes} writes");
    let server = Server::start_in(last.path(), &[]);
    assert_goes_on(&server, &server);
    assert_gone_on(&server);
}

fn an_upgrade_that_is_killed_again_and_again_is_done_in_the_end() {
    let undisturbed = Undisturbed::new();
    let data = long_folder();
    let whole = start(long_folder().path()).whole();
    for part in middles(MOMENTS) {
        start(data.path()).kill_after(whole.mul_f64(part));
    }
    undisturbed.assert_done_in(data.path());
    let server = Server::start_in(data.path(), &[]);
    assert_goes_on(&server, &server);
    assert_gone_on(&server);
}

/// What can be seen of the files of a folder from outside.
fn files(folder: &Path) -> Vec<(OsString, u64, SystemTime)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            // A file may go while its folder is read.
            let entry = entry.ok()?;
            let found = entry.metadata().ok()?;
            Some((entry.file_name(), found.len(), found.modified().ok()?))
        })
        .collect();
    files.sort();
    files
}

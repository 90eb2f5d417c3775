//! A folder.

use std::path::Path;
use std::process::{Output, Stdio};

use rusqlite::Connection;
use tempfile::NamedTempFile;

use crate::afterwards::{assert_goes_on, assert_gone_on};
use crate::fixture::{ANSWERS, Place, database_of, folder, format_of, path};
use crate::harness::tests;
use crate::server::{Server, mortise};

tests![
    a_folder_of_format_1_is_upgraded_and_every_answer_comes_back_byte_for_byte,
    what_was_open_before_an_upgrade_ends_after_it_and_keys_and_numbers_go_on,
    a_snapshot_of_format_1_leads_nobody_astray,
    a_folder_is_upgraded_once,
    whatever_command_opens_a_folder_of_format_1_upgrades_it,
    a_folder_of_format_1_that_is_damaged_is_refused_and_left_as_it_is,
    a_folder_of_format_1_on_a_disk_that_is_full_is_left_as_it_is,
];

/// Runs a command that ends by itself with exit code 0; what it printed.
#[track_caller]
pub fn run(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = mortise().args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The format that this version writes.
pub fn newest_format() -> i64 {
    let fresh = tempfile::tempdir().unwrap();
    assert!(Server::start_in(fresh.path(), &[]).stop().success());
    format_of(fresh.path())
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn a_folder_of_format_1_on_a_disk_that_is_full_is_left_as_it_is() {
    let before = std::fs::read(database_of(folder().path())).unwrap();
    // With less than this no database of SQLite is opened at all.
    let (mut refused, mut blocks) = (0, 40);
    loop {
        let data = folder();
        // How large a file may grow, in blocks: a disk that is soon full.
        let mut limited = std::process::Command::new("bash");
        limited.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &blocks.to_string()]);
        limited.arg(mortise().get_program()).args(["settings", "show", "--data", text(data.path())]);
        let output = limited.stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        if output.status.success() {
            let server = Server::start_in(data.path(), &[]);
            ANSWERS.assert_given_by(&server, Place::Folder);
            break;
        }
        assert!(told.contains("is as it was"), "{told}");
        assert_eq!(std::fs::read(database_of(data.path())).unwrap(), before, "after {blocks} blocks");
        let left = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains(".new")).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(run(&["settings", "show", "--data", text(data.path())]), ANSWERS.settings_now());
        (refused, blocks) = (refused + 1, blocks + 16);
    }
    assert!(refused > 3, "it was refused {refused} times");
}

fn a_folder_of_format_1_is_upgraded_and_every_answer_comes_back_byte_for_byte() {
    assert_eq!(format_of(folder().path()), 1);
    let data = folder();
    let server = Server::start_in(data.path(), &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    ANSWERS.assert_told_by(&server);
    assert!(server.stop().success());
    assert_eq!(format_of(data.path()), newest_format());
    let server = Server::start_in(data.path(), &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    ANSWERS.assert_told_by(&server);
    assert!(server.stop().success());
    assert_eq!(run(&["settings", "show", "--data", text(data.path())]), ANSWERS.settings_now());
}

fn what_was_open_before_an_upgrade_ends_after_it_and_keys_and_numbers_go_on() {
    let data = folder();
    let server = Server::start_in(data.path(), &[]);
    assert_goes_on(&server, &server);
    assert!(server.stop().success());
    let server = Server::start_in(data.path(), &[]);
    assert_gone_on(&server);
}

fn a_snapshot_of_format_1_leads_nobody_astray() {
    let data = folder();
    std::fs::copy(path("snapshot.jsonl"), data.path().join("snapshot.jsonl")).unwrap();
    let server = Server::start_in(data.path(), &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    assert!(server.stop().success());
    let server = Server::start_in(data.path(), &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    ANSWERS.assert_told_by(&server);
    assert_goes_on(&server, &server);
    assert_gone_on(&server);
}

fn a_folder_is_upgraded_once() {
    let (data, fresh) = (folder(), tempfile::tempdir().unwrap());
    let log = |data: &Path| {
        let said = NamedTempFile::new().unwrap();
        let mut command = mortise();
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "info", "--data", text(data)]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said.reopen().unwrap());
        let server = Server::run(command);
        ANSWERS.of(Place::Folder).take(20).for_each(|(path, _)| drop(server.get(path)));
        assert!(server.stop().success());
        let mut lines: Vec<_> = std::fs::read_to_string(said.path()).unwrap().lines().map(without_numbers).collect();
        // Its threads end in any order.
        lines.sort();
        lines
    };
    let [first, _] = [log(data.path()), log(fresh.path())];
    let upgraded = std::fs::read(database_of(data.path())).unwrap();
    let [second, of_fresh] = [log(data.path()), log(fresh.path())];
    assert_eq!(second, of_fresh, "the first start said {first:#?}");
    assert_eq!(format_of(data.path()), newest_format());
    assert!(std::fs::read(database_of(data.path())).unwrap() == upgraded, "the second start wrote to the database");
}

/// A text in which all numbers are the same.
fn without_numbers(text: &str) -> String {
    text.split(|character: char| character.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("#")
}

fn whatever_command_opens_a_folder_of_format_1_upgrades_it() {
    for arguments in
        [["settings", "show"].as_slice(), &["settings", "set", "--max-depth", "32"], &["export", "-o", "-"]]
    {
        let data = folder();
        let printed = run(&[arguments, &["--data", text(data.path())]].concat());
        assert!(arguments[0] == "export" || printed == ANSWERS.settings_now(), "{printed}");
        assert_eq!(format_of(data.path()), newest_format(), "{arguments:?}");
        let server = Server::start_in(data.path(), &[]);
        ANSWERS.assert_given_by(&server, Place::Folder);
    }
}

fn a_folder_of_format_1_that_is_damaged_is_refused_and_left_as_it_is() {
    for damage in [
        "DELETE FROM change WHERE revision = 100",
        "UPDATE change SET body = substr(body, 1, length(body) - 2) WHERE revision = 100",
    ] {
        let data = folder();
        let database = Connection::open(database_of(data.path())).unwrap();
        assert_eq!(database.execute(damage, []).unwrap(), 1);
        drop(database);
        let mut command = mortise();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", text(data.path())]);
        let Output { status, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("damaged") && said.contains("100"), "{said}");
        assert_eq!(format_of(data.path()), 1, "{said}");
        let database = Connection::open(database_of(data.path())).unwrap();
        let count: i64 = database.query_row("SELECT count(*) FROM change", [], |row| row.get(0)).unwrap();
        assert!(count >= 159, "{count} changes are left");
    }
}

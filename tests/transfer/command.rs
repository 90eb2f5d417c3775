//! The commands: what they print, and what they leave.

use std::path::Path;
use std::process::{Output, Stdio};

use mortise::store::embedded::EmbeddedStore;
use mortise::store::transfer::{Existing, TransferError, export_file};
use serde_json::{Value, json};

use crate::harness::tests;
use crate::server::{Server, mortise};
use crate::written::{Embedded, exported, lines, various};

tests![
    an_export_and_an_import_say_in_one_line_what_they_did,
    standard_output_is_the_export_and_nothing_else_and_standard_input_takes_it,
    an_export_replaces_a_file_only_where_it_is_told_to_and_never_what_is_no_file,
    a_file_that_is_made_during_an_export_is_kept,
    an_export_that_fails_leaves_no_file_and_replaces_none,
    an_export_that_cannot_be_written_fails,
    a_damaged_file_is_refused_by_name_and_line_before_a_store_is_made,
    an_export_of_a_folder_without_a_store_is_refused_and_makes_nothing,
    a_server_runs_on_what_was_imported_as_if_it_had_been_recorded_there,
];

/// Runs a command with this on standard input; what it printed, and the code it exits with.
#[track_caller]
pub fn run(arguments: &[&str], input: &[u8], code: i32) -> (Vec<u8>, String) {
    let mut command = mortise();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may have ended.
    drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), input));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{told}");
    (stdout, told)
}

/// A folder with a store in it, and what its export is.
///
/// This process never has it open: while it starts another one, that would hold the lock for a moment too, and keep a third out.
fn stored() -> (tempfile::TempDir, Vec<u8>) {
    let (data, file) = (tempfile::tempdir().unwrap(), exported(&*Embedded::holding(&various())));
    run(&["import", "--data", text(data.path()), "-"], &file, 0);
    (data, file)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn an_export_and_an_import_say_in_one_line_what_they_did() {
    let (data, whole) = stored();
    let (to, count) = (tempfile::tempdir().unwrap(), various().len());
    let (file, target) = (to.path().join("x.jsonl"), to.path().join("data"));
    let (out, err) = run(&["export", "--data", text(data.path()), "-o", text(&file)], b"", 0);
    let expected = format!("exported {count} changes, revision {count}, to {}\n", file.display());
    assert_eq!((String::from_utf8(out).unwrap(), err), (expected, String::new()));
    assert!(std::fs::read(&file).unwrap() == whole, "the file is not the export");
    let entries: Vec<_> = std::fs::read_dir(to.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(entries, ["x.jsonl"], "something is left beside the file");

    for expected in [
        format!("imported {count} changes, revision {count}\n"),
        format!("nothing to do: the store holds revision {count} already\n"),
    ] {
        let (out, err) = run(&["import", "--data", text(&target), text(&file)], b"", 0);
        assert_eq!((String::from_utf8(out).unwrap(), err), (expected, String::new()));
    }
    assert!(exported(&EmbeddedStore::open(&target).unwrap()) == whole, "the exports are not the same byte for byte");
}

fn standard_output_is_the_export_and_nothing_else_and_standard_input_takes_it() {
    let (data, whole) = stored();
    let to = tempfile::tempdir().unwrap();
    let (out, err) = run(&["export", "--data", text(data.path()), "-o", "-"], b"", 0);
    assert!(out == whole, "standard output is not the export");
    assert!(err.starts_with("exported "), "{err}");
    let (out, err) = run(&["import", "--data", text(to.path()), "-"], &whole, 0);
    assert!(out.starts_with(b"imported "), "{out:?}");
    assert!(err.contains("verified as it is recorded"), "{err}");
    assert!(exported(&EmbeddedStore::open(to.path()).unwrap()) == whole, "the exports are not the same byte for byte");
}

fn an_export_replaces_a_file_only_where_it_is_told_to_and_never_what_is_no_file() {
    let (data, whole) = stored();
    let to = tempfile::tempdir().unwrap();
    let file = to.path().join("x.jsonl");
    std::fs::write(&file, "kept").unwrap();
    let export = ["export", "--data", text(data.path()), "-o"];
    let (_, err) = run(&[&export[..], &[text(&file)]].concat(), b"", 2);
    assert!(err.contains(text(&file)) && err.contains("--force"), "{err}");
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    run(&[&export[..], &[text(&file), "--force"]].concat(), b"", 0);
    assert!(std::fs::read(&file).unwrap() == whole, "the file is not the export");
    for other in [text(to.path()), "/dev/null"] {
        let (_, err) = run(&[&export[..], &[other, "--force"]].concat(), b"", 2);
        assert!(err.contains("no regular file"), "{err}");
    }
}

fn a_file_that_is_made_during_an_export_is_kept() {
    let (store, to) = (Embedded::holding(&various()), tempfile::tempdir().unwrap());
    let file = to.path().join("x.jsonl");
    let made = export_file(&*store, &file, Existing::Keep, &mut |_| std::fs::write(&file, "kept").unwrap());
    assert!(matches!(made, Err(TransferError::Exists)), "{made:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 1, "something is left beside the file");
}

fn an_export_that_fails_leaves_no_file_and_replaces_none() {
    let data = tempfile::tempdir().unwrap();
    // Three records, of which the middle one is lost.
    for end in [3, 5, various().len()] {
        let beginning = exported(&*Embedded::holding(&various()[..end]));
        run(&["import", "--data", text(data.path()), "-"], &beginning, 0);
    }
    let history = rusqlite::Connection::open(data.path().join("mortise.sqlite")).unwrap();
    assert_eq!(history.execute("DELETE FROM record WHERE last = 5", []).unwrap(), 1);
    drop(history);
    let to = tempfile::tempdir().unwrap();
    let file = to.path().join("x.jsonl");
    for kept in [None, Some("kept")] {
        kept.iter().for_each(|kept| std::fs::write(&file, kept).unwrap());
        let arguments = ["export", "--data", text(data.path()), "-o", text(&file), "--force"];
        let (_, err) = run(&arguments, b"", 2);
        assert!(err.contains("damaged") && err.contains("where 4 is due"), "{err}");
        assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), usize::from(kept.is_some()));
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), kept);
    }
}

fn an_export_that_cannot_be_written_fails() {
    let (data, _) = stored();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = mortise();
    let output = command.args(["export", "--data", text(data.path()), "-o", "-"]).stdout(writer).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.starts_with("mortise: cannot export to standard output: the file cannot be written: "), "{told}");
}

fn a_damaged_file_is_refused_by_name_and_line_before_a_store_is_made() {
    let (_, whole) = stored();
    let to = tempfile::tempdir().unwrap();
    let (file, target) = (to.path().join("x.jsonl"), to.path().join("data"));
    std::fs::write(&file, &whole[..whole.len() - 50]).unwrap();
    let (out, err) = run(&["import", "--data", text(&target), text(&file)], b"", 2);
    let line = lines(&whole).len();
    assert_eq!(out, b"");
    assert!(err.contains(text(&file)) && err.contains(&format!("line {line} is cut off")), "{err}");
    let (_, err) = run(&["import", "--data", text(&target), text(&to.path().join("none"))], b"", 2);
    assert!(err.contains("none: "), "{err}");
    assert!(!target.exists(), "a store was made");
}

fn an_export_of_a_folder_without_a_store_is_refused_and_makes_nothing() {
    let to = tempfile::tempdir().unwrap();
    let (data, file) = (to.path().join("data"), to.path().join("x.jsonl"));
    let (_, err) = run(&["export", "--data", text(&data), "-o", text(&file)], b"", 2);
    assert!(err.contains("there is no store in"), "{err}");
    assert!(!data.exists() && !file.exists());
}

fn a_server_runs_on_what_was_imported_as_if_it_had_been_recorded_there() {
    let data = tempfile::tempdir().unwrap();
    let spec = json!({"system": "shop", "name": "a", "version": "1.10", "environment": "test"});
    let first = Server::start_in(data.path(), &[]);
    let key = [("Content-Type", "application/json"), ("Idempotency-Key", "build 7")];
    let start = |server: &Server| server.send("POST", "/deployments/start", &key, spec.to_string());
    let started = start(&first).expect(201);
    let id = crate::server::text(&started, "id").to_owned();
    let found = first.deployment(&id);
    first.stop();
    let (file, _) = run(&["export", "--data", text(data.path()), "-o", "-"], b"", 0);
    let target = tempfile::tempdir().unwrap();
    run(&["import", "--data", text(target.path()), "-"], &file, 0);
    let second = Server::start_in(target.path(), &[]);
    assert_eq!(second.deployment(&id), found);
    // It goes on from there: the key stands for its plan, the lease has its token, and the revisions follow.
    assert_eq!(start(&second).expect(200), started);
    let token = &started["lease"]["token"];
    let finish = |token: &Value| second.finish(&id, &json!({"success": true, "lease": {"token": token}}));
    finish(&json!("another")).expect(409);
    finish(token).expect(200);
    second.started(&json!({"system": "shop", "name": "b", "version": "1", "environment": "test"}));
    second.stop();
    let (longer, _) = run(&["export", "--data", text(target.path()), "-o", "-"], b"", 0);
    assert!(longer.len() > file.len());
}

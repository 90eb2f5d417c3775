//! `mortise changes`: what it lists, what it shows in full, and what it keeps to itself.

#[path = "support/server.rs"]
mod server;

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use server::{Server, mortise};
use tempfile::TempDir;

const TOKEN_BYTES: usize = 32;

/// What is printed by `mortise changes` on this folder, to standard output and standard error.
#[track_caller]
fn changes(data: &Path, arguments: &[&str], code: i32) -> (String, String) {
    let output = mortise().args(["changes", "--data"]).arg(data).args(arguments).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    (out, err)
}

/// A folder after a start under an idempotency key, and its finish; and the token of the start.
fn recorded() -> (TempDir, String) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    let spec = json!({"system": "shop", "name": "a", "version": "1.10", "environment": "test"});
    let headers = [
        ("Content-Type", "application/json"),
        ("Idempotency-Key", "build of the shop"),
        ("Mortise-Actor", "ci/build 7"),
    ];
    let started = server.send("POST", "/deployments/start", &headers, spec.to_string()).json();
    let token = server::text(&started["lease"], "token").to_owned();
    let finish = format!("/deployments/{}/finish?success=true", server::text(&started, "id"));
    assert_eq!(server.send("POST", &finish, &[], "").status, 200);
    assert!(server.stop().success());
    (data, token)
}

fn listed(out: &str) -> Vec<Vec<&str>> {
    out.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect()
}

#[test]
fn changes_are_listed_in_order_a_line_each_with_revision_time_cause_and_actor() {
    let (data, _) = recorded();
    let (out, err) = changes(data.path(), &[], 0);
    let lines = listed(&out);
    let cells = lines.iter().map(|cells| [&cells[..1], &cells[2..]].concat()).collect::<Vec<_>>();
    assert_eq!(cells, [vec!["1", "settings"], vec!["2", "start", "ci/build 7"], vec!["3", "finish"]]);
    assert!(lines.iter().all(|cells| cells[1].ends_with('Z')) && lines.is_sorted_by_key(|cells| cells[1]), "{out}");
    assert_eq!(err, "");
}

#[test]
fn a_list_begins_after_a_revision_and_ends_after_so_many() {
    let (data, _) = recorded();
    for (arguments, revisions) in [
        (&["--since", "1"][..], &["2", "3"][..]),
        (&["--since", "1", "--limit", "1"], &["2"]),
        (&["--limit", "2"], &["1", "2"]),
        (&["--limit", "0"], &[]),
        (&["--since", "3"], &[]),
    ] {
        let (out, _) = changes(data.path(), arguments, 0);
        let found: Vec<_> = listed(&out).into_iter().map(|cells| cells[0]).collect();
        assert_eq!(found, revisions, "{arguments:?}");
    }
}

#[test]
fn a_list_is_json_lines_or_yaml_where_that_is_asked_for() {
    let (data, _) = recorded();
    let (out, _) = changes(data.path(), &["-o", "json"], 0);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let time = &lines[1]["time"];
    assert_eq!(lines[1], json!({"revision": 2, "time": time, "cause": "start", "actor": "ci/build 7"}));
    let (yaml, _) = changes(data.path(), &["-o", "yaml", "--since", "1", "--limit", "1"], 0);
    assert_eq!(yaml, format!("---\nrevision: 2\ntime: {time}\ncause: start\nactor: \"ci/build 7\"\n"));
}

#[test]
fn a_change_is_shown_in_one_line_of_json_or_as_yaml() {
    let (data, _) = recorded();
    let (out, err) = changes(data.path(), &["--revision", "2"], 0);
    assert_eq!((out.lines().count(), err.as_str()), (1, ""));
    let change: Value = serde_json::from_str(&out).unwrap();
    let head = json!([change["revision"], change["cause"], change["actor"]]);
    assert_eq!(head, json!([2, "start", "ci/build 7"]));
    assert!(
        out.contains(r#""artifactSpec":{"environment":"test","name":"a","system":"shop","version":"1.10"}"#),
        "{out}"
    );
    assert_eq!(changes(data.path(), &["--revision", "2", "-o", "json"], 0).0, out);
    let (yaml, _) = changes(data.path(), &["--revision", "2", "--output", "yaml"], 0);
    assert!(yaml.starts_with("revision: 2\n") && yaml.contains("version: \"1.10\"\n"), "{yaml}");
}

#[test]
fn tokens_and_keys_are_never_shown() {
    let (data, token) = recorded();
    assert_eq!(token.len(), TOKEN_BYTES);
    for output in ["text", "json", "yaml"] {
        let shown = ["1", "2", "3"].map(|revision| changes(data.path(), &["--revision", revision, "-o", output], 0).0);
        let all = shown.concat() + &changes(data.path(), &["-o", output], 0).0;
        assert!(!all.contains(&token) && !all.contains("build of the shop"), "{all}");
    }
}

#[test]
fn a_revision_that_is_not_there_is_refused_with_how_far_the_history_goes() {
    let (data, _) = recorded();
    for arguments in [["--revision", "4"], ["--since", "4"], ["--revision", "18446744073709551615"]] {
        let (out, err) = changes(data.path(), &arguments, 2);
        let expected =
            format!("mortise: there is no revision {}; the history goes from revision 1 to 3\n", arguments[1]);
        assert_eq!((out.as_str(), err), ("", expected));
    }
    let (_, err) = changes(data.path(), &["--revision", "0"], 2);
    assert!(err.contains("there is no revision 0;"), "{err}");
}

#[test]
fn one_change_and_a_part_of_a_list_are_not_asked_for_together() {
    let data = tempfile::tempdir().unwrap();
    for other in ["--since", "--limit"] {
        let (_, err) = changes(data.path(), &["--revision", "1", other, "1"], 2);
        assert!(err.contains(other), "{err}");
    }
}

#[test]
fn a_folder_without_a_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (_, err) = changes(&data, &[], 2);
    assert!(err.contains("there is no store in"), "{err}");
    assert!(!data.exists());
}

#[test]
fn a_folder_that_a_server_has_open_is_refused() {
    let (data, _) = recorded();
    let server = Server::start_in(data.path(), &[]);
    let (out, err) = changes(data.path(), &["--revision", "1"], 2);
    assert!(err.contains("is in use by another mortise process"), "{err}");
    assert_eq!(out, "");
    assert!(server.stop().success());
}

#[test]
fn changes_that_cannot_be_written_are_a_failure_told_once_unless_nobody_reads_on() {
    let (data, _) = recorded();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let told = "mortise: the changes cannot be written: No space left on device (os error 28)\n";
    for (stdout, status, expected) in [(Stdio::from(writer), 0, ""), (Stdio::from(full), 2, told)] {
        let output = mortise().args(["changes", "--data"]).arg(data.path()).stdout(stdout).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.as_str()), (Some(status), expected));
    }
}

//! An import that is killed leaves a store that the next one goes on from.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::command::run;
use crate::harness::tests;
use crate::server::mortise;
use crate::written::{Embedded, contents, exported, lines, long};

tests![an_import_that_is_killed_again_and_again_goes_on_until_it_is_whole];

/// How much a process may have been given and not recorded yet: a pipe, two buffers, and two batches of 256 lines.
const UNRECORDED_BYTES: usize = 3 * (64 << 10) + 2 * 256 * 300;

fn import(data: &Path, file: &str) -> Child {
    let mut command: Command = mortise();
    command.args(["import", "--data", data.to_str().unwrap(), file]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// What a process exports, so that this one never has the folder open.
fn export(data: &Path) -> Vec<u8> {
    run(&["export", "--data", data.to_str().unwrap(), "-o", "-"], b"", 0).0
}

fn an_import_that_is_killed_again_and_again_goes_on_until_it_is_whole() {
    let changes = long(12_000);
    let whole = exported(&*Embedded::holding(&changes));
    let all = lines(&whole);
    let whole_contents = contents(&whole);
    let data = tempfile::tempdir().unwrap();
    let mut held = 0;
    for given in [3_000, 6_001, 9_002] {
        let mut process = import(data.path(), "-");
        // What it has taken, and has no room for, it has recorded: the process reads on only after that.
        process.stdin.as_mut().unwrap().write_all(&all[..given].concat()).unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        let there = contents(&export(data.path()));
        let head = there.len() as u64 - 2;
        assert!(there[1..=head as usize] == whole_contents[1..=head as usize], "another history is there");
        let recorded: usize = all[..=head as usize].iter().map(|line| line.len()).sum();
        let taken: usize = all[..given].iter().map(|line| line.len()).sum();
        assert!(recorded + UNRECORDED_BYTES >= taken, "only {head} of {given} are recorded");
        assert!(head > held && head < given as u64, "{head} of {given}, after {held}");
        assert_eq!(head % 256, held % 256, "half a batch is recorded");
        held = head;
    }
    let file = data.path().join("whole.jsonl");
    std::fs::write(&file, &whole).unwrap();
    let ended = import(data.path(), file.to_str().unwrap()).wait_with_output().unwrap();
    let told = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(told, format!("imported {} more, up to revision 12000\n", 12_000 - held));
    assert!(export(data.path()) == whole, "the exports are not the same byte for byte");
}

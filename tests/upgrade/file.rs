//! An export file.

use std::path::Path;

use tempfile::TempDir;

use crate::afterwards::{assert_goes_on, assert_gone_on};
use crate::fixture::{ANSWERS, Place, folder, format_of, path};
use crate::folder::{newest_format, run, text};
use crate::harness::tests;
use crate::server::Server;

tests![
    an_export_file_of_format_1_is_imported_and_every_answer_comes_back_byte_for_byte,
    an_import_finds_what_was_upgraded_or_imported_before_to_be_the_same,
    what_was_upgraded_is_exported_as_what_was_imported_and_moves_on,
];

fn import(data: &Path, file: &Path) -> String {
    run(&["import", "--data", text(data), text(file)])
}

/// A folder that holds what the file has.
fn imported() -> TempDir {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(import(data.path(), &path("history.jsonl")), "imported 160 changes, revision 160\n");
    data
}

fn an_export_file_of_format_1_is_imported_and_every_answer_comes_back_byte_for_byte() {
    let data = imported();
    assert_eq!(format_of(data.path()), newest_format());
    let server = Server::start_in(data.path(), &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    ANSWERS.assert_told_by(&server);
    assert_goes_on(&server, &server);
    assert_gone_on(&server);
}

fn an_import_finds_what_was_upgraded_or_imported_before_to_be_the_same() {
    let upgraded = folder();
    assert!(Server::start_in(upgraded.path(), &[]).stop().success());
    for data in [upgraded, imported()] {
        let told = import(data.path(), &path("history.jsonl"));
        assert_eq!(told, "nothing to do: the store holds revision 160 already\n");
        let server = Server::start_in(data.path(), &[]);
        ANSWERS.assert_given_by(&server, Place::Folder);
    }
}

fn what_was_upgraded_is_exported_as_what_was_imported_and_moves_on() {
    let (upgraded, files) = (folder(), tempfile::tempdir().unwrap());
    let exports = [upgraded.path(), imported().path()].map(|data| {
        let file = files.path().join("history.jsonl");
        run(&["export", "--force", "--data", text(data), "-o", text(&file)]);
        std::fs::read(&file).unwrap()
    });
    assert!(exports[0] == exports[1], "the exports are not the same byte for byte");
    let (file, data) = (files.path().join("history.jsonl"), files.path().join("data"));
    import(&data, &file);
    let server = Server::start_in(&data, &[]);
    ANSWERS.assert_given_by(&server, Place::Folder);
    ANSWERS.assert_told_by(&server);
}

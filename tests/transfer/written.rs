//! Histories and their exports.

use std::io::{Cursor, Write as _};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use mortise::document::JsonText;
use mortise::model::{Beside, ChangeSet, KeptKey, KeyRow, Outcome, PlanId, Row};
use mortise::store::Store;
use mortise::store::embedded::EmbeddedStore;
use mortise::store::transfer::{Imported, Source, TransferError, export, import};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use crate::generator::{Generator, random_change};
use crate::history::{History, name};
use crate::sample::{Sample, slot};

/// A text as someone may have posted it: numbers that no float keeps, escapes that need not be, letters of many alphabets.
const SPELLED: &str = r#"{"version":1.10,"weight":2.50,"large":123456789012345678901234567890,"tiny":-0.0,"far":1E+400,"écrit":"\u00e9 é ё 鷹 🦀","path":"C:\\dir\/file","quoted":"\"\t\r\n\u0000\u2028","lone":"\ud83d","empty":{},"none":null,"a":[[],[1e0]]}"#;

/// An embedded store in a folder that goes with it.
pub struct Embedded {
    store: EmbeddedStore,
    _folder: TempDir,
}

impl Embedded {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: EmbeddedStore::open(folder.path()).unwrap(), _folder: folder }
    }

    pub fn holding(changes: &[ChangeSet]) -> Self {
        let store = Self::new();
        changes.chunks(100).for_each(|batch| store.append(batch).unwrap());
        store
    }
}

impl Deref for Embedded {
    type Target = EmbeddedStore;

    fn deref(&self) -> &EmbeddedStore {
        &self.store
    }
}

/// A history of a random world.
pub fn random(seed: u64, steps: usize) -> Vec<ChangeSet> {
    let (mut generator, mut history) = (Generator::new(seed), History::default());
    (0..steps).for_each(|_| random_change(&mut generator, &mut history));
    history.changes
}

/// A short history with something of everything.
pub fn various() -> Vec<ChangeSet> {
    let mut sample = Sample::default();
    let opened = sample.open("shop", slot("a", "test", ""), Some("ci/a \"b\" ü"));
    sample.end(opened, Outcome::Succeeded);
    let members = [("shop", slot("a", "test", "blue")), ("shop", slot("b", "prod", ""))];
    let (set, _) = sample.open_set(&members, None, true);
    sample.resolve_again(opened, "späť 🦀 \u{2028}");
    let taken = sample.attempts().len();
    let mut history = History::default();
    history.changes = sample.changes;
    // The same in every call, as those of the history are.
    history.changes.iter_mut().for_each(|change| change.id = Uuid::from_u128(change.revision.into()));
    for (change, key, plan) in
        [(0, "build 1 of \"a\" ü", PlanId(opened.0)), (2, "build 2", set), (2, "build 2 again", set)]
    {
        history.changes[change].beside.push(Beside::Key(KeyRow { key: KeptKey::of(key), plan }));
    }
    let text: JsonText = serde_json::from_str(SPELLED).unwrap();
    let received = history.changes[2].rows.iter_mut().find_map(|row| match row {
        Row::Received(row) => Some(Arc::make_mut(row)),
        _ => None,
    });
    let received = received.unwrap();
    (received.artifact_spec, received.input) = (text.clone(), text);
    received.annotations.insert(name("note"), "line\nbreak \u{7f} \u{2028}".to_owned());
    history.changes.iter().for_each(|change| history.catalog.apply(change));
    // Those of the sample are taken.
    for _ in 0..taken {
        history.next_deployment();
    }
    let mut generator = Generator::new(3);
    (0..6).for_each(|_| random_change(&mut generator, &mut history));
    history.changes
}

/// An export that a version wrote whose history had another format; see `fixtures/format-1`.
pub fn of_version_1() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1/history.jsonl");
    std::fs::read(path).unwrap()
}

/// A history of so many small changes.
pub fn long(changes: usize) -> Vec<ChangeSet> {
    let mut sample = Sample::default();
    (0..changes).for_each(|number| sample.touch(&format!("environment-{}", number % 7)));
    sample.changes
}

pub fn history_of(store: &dyn Store) -> Vec<ChangeSet> {
    store.changes_after(0, usize::MAX).unwrap()
}

pub fn exported(store: &dyn Store) -> Vec<u8> {
    let mut file = Vec::new();
    let revision = export(store, &mut file, &mut |_| {}).unwrap();
    assert_eq!(revision, store.head().unwrap());
    file
}

/// Verifies a file, and imports it then.
pub fn imported(store: &dyn Store, file: &[u8]) -> Result<Imported, TransferError> {
    import(store, Source::verified(Cursor::new(file), &mut |_| {})?, &mut |_| {})
}

/// Imports a file that can be read only once.
pub fn streamed(store: &dyn Store, file: &[u8]) -> Result<Imported, TransferError> {
    import(store, Source::streamed(file), &mut |_| {})
}

/// The lines of a file, line feeds included.
pub fn lines(file: &[u8]) -> Vec<&[u8]> {
    file.split_inclusive(|&byte| byte == b'\n').collect()
}

/// A file of these contents (`{"header":…` without its end), with checksums that are right.
pub fn sealed(contents: &[String]) -> Vec<u8> {
    let (mut file, mut sum) = (Vec::new(), vec![0; 16]);
    for content in contents {
        sum = Sha256::digest([&sum[..], content.as_bytes()].concat())[..16].to_vec();
        let digits: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(file, "{content},\"sum\":\"{digits}\"}}").unwrap();
    }
    file
}

/// What a change and what is kept beside it are written as.
pub fn contents_of(change: &ChangeSet) -> Vec<String> {
    let beside = change.beside.iter().map(|beside| format!("{{\"beside\":{}", serde_json::to_string(beside).unwrap()));
    [format!("{{\"change\":{}", serde_json::to_string(change).unwrap())].into_iter().chain(beside).collect()
}

/// The contents of the lines of a file, without their checksums.
pub fn contents(file: &[u8]) -> Vec<String> {
    let unsealed = lines(file).into_iter().map(|line| {
        let text = std::str::from_utf8(line).unwrap();
        text.rsplit_once(",\"sum\":").unwrap().0.to_owned()
    });
    unsealed.collect()
}

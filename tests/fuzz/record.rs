//! Records of the history, which may be damaged: read through a real folder, as the server does when it starts.

use std::io::Cursor;
use std::sync::{LazyLock, Mutex, PoisonError};

use mortise::store::Store;
use mortise::store::embedded::EmbeddedStore;
use mortise::store::transfer::Source;
use rusqlite::{Connection, params};
use tempfile::TempDir;

/// A folder whose only record is put there from outside.
struct Folder {
    store: EmbeddedStore,
    outside: Connection,
    _folder: TempDir,
}

static FOLDER: LazyLock<Mutex<Folder>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = EmbeddedStore::open(folder.path()).expect("an empty folder can be opened");
    let outside = Connection::open(folder.path().join("mortise.sqlite")).expect("the database can be opened");
    outside.pragma_update(None, "synchronous", "OFF").expect("it can be told");
    Mutex::new(Folder { store, outside, _folder: folder })
});

/// How zstd begins.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes are the body of a record as it stands, or else its lines, and an export: an error or what can be read, and no more.
pub fn any(data: &[u8]) {
    let lines = String::from_utf8_lossy(data).lines().count().max(1);
    let body = if data.starts_with(&MAGIC) {
        data.to_vec()
    } else {
        zstd::bulk::compress(data, 1).expect("any bytes can be compressed")
    };
    let folder = FOLDER.lock().unwrap_or_else(PoisonError::into_inner);
    let put = "INSERT OR REPLACE INTO record (last, first, body) VALUES (?1, 1, ?2)";
    folder.outside.execute("DELETE FROM record", []).expect("it can be emptied");
    folder.outside.execute(put, params![lines as i64, body]).expect("it can be filled");
    if let Ok(catalog) = folder.store.load() {
        assert!(catalog.revision() <= lines as u64);
        let changes = folder.store.changes_after(0, 100).expect("what was loaded can be read");
        for change in changes {
            let text = serde_json::to_string(&change).expect("a change has a JSON form");
            assert_eq!(serde_json::from_str::<mortise::model::ChangeSet>(&text).expect("it can be read"), change);
        }
        catalog.rows().for_each(drop);
    }
    drop(Source::verified(Cursor::new(data), &mut |_| {}));
}

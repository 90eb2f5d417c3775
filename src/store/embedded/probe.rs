//! Looking whether the folder can be written and read now.
//!
//! What is open stays open when a folder is removed or a disk becomes read-only, and the log of the database has room of its own, so
//! that commits may go well for a while. A look therefore makes a file, and reads the database as a process that starts now would.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::folder::{DATABASE, Folder, only_for_its_owner};
use super::{history, schema};
use crate::store::StoreError;

/// How much room there must be, in bytes. A disk that has less is about to be full.
const ROOM: usize = 1 << 20;
/// How many bytes every database has at least.
const HEADER: u64 = 100;

/// Whether the last commit failed: then a look commits too, which costs a write to the disk.
#[derive(Default)]
pub(super) struct Doubt(AtomicBool);

impl Doubt {
    pub fn set(&self, is_doubtful: bool) {
        self.0.store(is_doubtful, Ordering::Relaxed);
    }

    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks whether the folder is the one that was opened, has room, and holds a database that can be read.
///
/// # Errors
/// [`StoreError`]: why it cannot be used.
pub(super) fn folder(folder: &Folder) -> Result<(), StoreError> {
    folder.check()?;
    check_file(&folder.database())?;
    let path = folder.path().join("probe");
    let made = make_room(&path);
    // What could not be written is removed as well; where that fails the next look writes over it.
    let removed = fs::remove_file(&path);
    made.and(removed)
        .map_err(|error| StoreError::Failed(format!("{} cannot be written: {error}", folder.path().display())))?;
    let reader = schema::open_reader(&folder.database())?;
    history::head(&reader).map(drop)
}

/// Commits what says nothing.
///
/// # Errors
/// [`StoreError`]: why that fails.
pub(super) fn commit(writer: &Connection) -> Result<(), StoreError> {
    let write = "INSERT INTO made (name, version) VALUES ('probe', 1)
        ON CONFLICT (name) DO UPDATE SET version = version + 1";
    writer.execute(write, []).map(drop).map_err(|error| schema::failed(&error))
}

/// An engine that opens an empty file takes it for a new database, and its log for a stale one: it is not let near.
fn check_file(path: &Path) -> Result<(), StoreError> {
    // It is not opened: to close it would give up the locks that this process has on it.
    match fs::metadata(path) {
        Ok(file) if file.len() >= HEADER => Ok(()),
        Ok(_) => {
            let advice = "restore a copy of the folder, or import an export into an empty one";
            Err(StoreError::Damaged(format!("{DATABASE} is no database any more; stop this process, and {advice}")))
        }
        Err(error) => Err(StoreError::Failed(format!("{}: {error}", path.display()))),
    }
}

fn make_room(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    let mut file = only_for_its_owner(options.write(true).create(true).truncate(true)).open(path)?;
    file.write_all(&[0; ROOM])
}

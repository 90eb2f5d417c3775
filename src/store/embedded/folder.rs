//! The folder: who has it, and where things are in it.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The file of the database.
pub(super) const DATABASE: &str = "mortise.sqlite";

/// A folder that this process has locked. The lock goes with the process, however it ends.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where there is none, and locks it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Failed(format!("{}: {error}", path.display()));
        fs::create_dir_all(path).map_err(failed)?;
        let options = File::options().read(true).write(true).create(true).truncate(false).open(path.join("lock"));
        let mut lock = options.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = lock.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
                let folder = path.display().to_string();
                return Err(StoreError::InUse { folder, pid: known.then(|| pid.trim().to_owned()) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // For people, and for the message above.
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub fn snapshot(&self) -> PathBuf {
        self.path.join("snapshot.jsonl")
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

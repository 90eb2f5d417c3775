//! The folder: who has it, and where things are in it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The file of the database.
pub(super) const DATABASE: &str = "mortise.sqlite";
/// The file that is locked.
const LOCK: &str = "lock";

/// A folder that this process has locked. The lock goes with the process, however it ends.
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Makes the folder where there is none, and locks it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Failed(format!("{}: {error}", path.display()));
        private(DirBuilder::new().recursive(true)).create(path).map_err(failed)?;
        let mut options = File::options();
        let options = only_for_its_owner(options.read(true).write(true).create(true).truncate(false));
        let mut lock = options.open(path.join(LOCK)).map_err(failed)?;
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
        if let Err(error) = close_to_others(path) {
            tracing::warn!(folder = %path.display(), %error, "others may be able to read the folder: it or a file in it is not this user's to close");
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Looks whether what stands at its path is still this folder: one that was removed, or moved away, can be written to its end by
    /// whoever has it open, and nobody will ever read that.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where it is not.
    pub fn check(&self) -> Result<(), StoreError> {
        let gone = |why: &dyn std::fmt::Display| {
            let path = self.path.display();
            StoreError::Failed(format!(
                "{path} is not the folder any more that this process has open: {why}; put it back, or restore a copy before a restart: without the folder that begins with an empty history"
            ))
        };
        let stands = fs::metadata(self.path.join(LOCK)).map_err(|error| gone(&error))?;
        fs::metadata(self.database()).map_err(|error| gone(&error))?;
        let open = self.lock.metadata().map_err(|error| gone(&error))?;
        if is_same(&stands, &open) { Ok(()) } else { Err(gone(&"another one stands there")) }
    }

    /// Refuses a folder that a store was in and whose database is gone: an empty one in its place would look as if nothing had ever
    /// been recorded.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is.
    pub fn check_database(&self) -> Result<(), StoreError> {
        let failed = |error: std::io::Error| StoreError::Failed(format!("{}: {error}", self.path.display()));
        let is_there = fs::metadata(self.database()).is_ok_and(|file| file.len() > 0);
        if is_there {
            return Ok(());
        }
        let entries = fs::read_dir(&self.path).map_err(failed)?;
        let names: std::io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name())).collect();
        let mut names = names.map_err(failed)?;
        names.sort_unstable();
        let left = names.iter().find(|name| {
            let name = name.as_encoded_bytes();
            // What a start leaves that was cut short is an empty database with an empty log.
            let is_log = name == format!("{DATABASE}-wal").as_bytes() && self.has_log();
            name == b"snapshot.zst" || name == b"snapshot.jsonl" || is_log
        });
        let Some(left) = left else { return Ok(()) };
        Err(StoreError::Damaged(format!(
            "{} has {} but its {DATABASE} is gone or empty; restore that file from a copy of the folder, or give an empty folder \
             and import an export",
            self.path.display(),
            left.display(),
        )))
    }

    fn has_log(&self) -> bool {
        fs::metadata(self.path.join(format!("{DATABASE}-wal"))).is_ok_and(|file| file.len() > 0)
    }

    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub fn snapshot(&self) -> PathBuf {
        self.path.join("snapshot.zst")
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A file that is made so is its owner's only: what is in it are tokens, and what people posted.
#[cfg(unix)]
pub(super) fn only_for_its_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
pub(super) fn only_for_its_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn is_same(left: &fs::Metadata, right: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (left.dev(), left.ino()) == (right.dev(), right.ino())
}

#[cfg(not(unix))]
fn is_same(_left: &fs::Metadata, _right: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700)
}

#[cfg(not(unix))]
fn private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// Takes the rights of others away from a folder and the files in it, where an earlier version left them.
#[cfg(unix)]
fn close_to_others(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let entries = fs::read_dir(path)?.collect::<std::io::Result<Vec<_>>>()?;
    let is_own = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_known = name == LOCK.as_bytes()
            || name == b"probe"
            || name.starts_with(DATABASE.as_bytes())
            || name.starts_with(b"snapshot.");
        is_known && entry.file_type().is_ok_and(|kind| kind.is_file())
    };
    // A folder that holds other things is somebody else's too.
    if entries.iter().all(is_own) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    for entry in entries.iter().filter(|entry| is_own(entry)) {
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn close_to_others(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

//! Bringing a folder up to date: from an older format of the history, or to a newer index of it.
//!
//! A history of an older format is written anew into a database beside the old one, which takes its place once it is whole and on
//! the disk. A process that ends before that leaves the old one as it was.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::folder::Folder;
use super::{entry, history, index, schema, secrets};
use crate::model::ChangeSet;
use crate::store::format_1::Format1;
use crate::store::{CommitError, StoreError};

/// How many changes are written at once, at most, and about how many bytes of them: a large set makes a change of 40 MB.
const CHANGES: usize = 512;
const BYTES: usize = 4 << 20;
/// How often it is told how far it is.
const TOLD: Duration = Duration::from_secs(1);

/// Sees to it that the database of a folder is one that this version writes.
///
/// # Errors
/// [`StoreError`] where a newer version wrote it, or it cannot be read or written; then it is as it was.
pub(super) fn database(folder: &Folder) -> Result<(), StoreError> {
    let path = folder.database();
    folder.check_database()?;
    let mut connection = schema::open_writer(&path)?;
    match schema::format(&connection).map_err(|error| schema::failed(&error))? {
        0 => schema::create(&mut connection).map_err(|error| schema::failed(&error)),
        1 => from_format_1(folder, connection),
        2 => secrets::keep(folder, &mut connection),
        schema::FORMAT => newest_index(&mut connection),
        newer => {
            let what = path.display().to_string();
            Err(StoreError::TooNew { what, found: newer, known: schema::FORMAT })
        }
    }
}

/// Makes the index anew where it is an older one.
pub(super) fn newest_index(connection: &mut Connection) -> Result<(), StoreError> {
    let found = schema::index_version(connection).map_err(|error| schema::failed(&error))?;
    if found == schema::INDEX { Ok(()) } else { make_index(connection) }
}

/// Makes the index anew from the history, in one transaction.
///
/// # Errors
/// [`StoreError`] where the history cannot be read, or the index not be written; then it is as it was.
pub(super) fn make_index(connection: &mut Connection) -> Result<(), StoreError> {
    let end = history::head(connection)?;
    let transaction = connection.transaction().map_err(|error| schema::failed(&error))?;
    schema::create_index(&transaction).map_err(|error| schema::failed(&error))?;
    let mut progress = Progress::new("making the index of the history anew", end);
    let mut failure = None;
    history::each_change_after(&transaction, 0, |change| {
        progress.tell(change.revision);
        failure = index::add(&transaction, &change).err();
        if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    failure.map_or(Ok(()), |error| Err(schema::failed(&error)))?;
    // What is kept beside the history is in none of its changes.
    index::find_leases(&transaction).map_err(|error| schema::failed(&error))?;
    entry::enter_all(&transaction).map_err(|error| schema::failed(&error))?;
    transaction.commit().map_err(|error| schema::failed(&error))
}

fn from_format_1(folder: &Folder, old: Connection) -> Result<(), StoreError> {
    let path = folder.path().display();
    tracing::warn!(
        "{path} is of format 1 and is upgraded to format {}: earlier versions cannot open it afterwards",
        schema::FORMAT
    );
    let fresh = folder.path().join("mortise.sqlite.new");
    let upgraded = replace(folder, old, &fresh);
    if upgraded.is_err() {
        // Of what was written anew nothing is of any use; the next try removes it as well.
        drop(remove_database(&fresh));
    } else {
        tracing::warn!("{path} is of format {} now", schema::FORMAT);
        // The snapshot of the old format only made a start quicker.
        drop(fs::remove_file(folder.path().join("snapshot.jsonl")));
    }
    upgraded.map_err(|error| match error {
        StoreError::Damaged(why) => StoreError::Damaged(format!("{why}; {path} is as it was, of format 1")),
        StoreError::Failed(why) => StoreError::Failed(format!(
            "{path} could not be upgraded to format {}, and is as it was: {why}",
            schema::FORMAT
        )),
        other => other,
    })
}

/// Writes the history anew, and puts it in the place of the old one once all of it is on the disk.
fn replace(folder: &Folder, old: Connection, fresh: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::Failed(format!("{}: {error}", fresh.display()));
    // What an upgrade that was cut short left is of no use.
    remove_database(fresh).map_err(failed)?;
    write_anew(&old, fresh)?;
    // The log of the old database must be empty, or it would be taken for that of the new one.
    schema::empty_log(&old)?;
    old.close().map_err(|(_, error)| schema::failed(&error))?;
    let path = folder.database();
    keep_owner(&path, fresh).map_err(failed)?;
    File::open(fresh).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(fresh, &path).map_err(failed)?;
    File::open(folder.path()).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Gives the new file to whom the old one belongs, whoever upgrades it.
#[cfg(unix)]
fn keep_owner(old: &Path, new: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let (was, is) = (fs::metadata(old)?, fs::metadata(new)?);
    if (was.uid(), was.gid()) == (is.uid(), is.gid()) { Ok(()) } else { chown(new, Some(was.uid()), Some(was.gid())) }
}

#[cfg(not(unix))]
fn keep_owner(_old: &Path, _new: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes the history of an old database into a new one, which is one file.
fn write_anew(old: &Connection, fresh: &Path) -> Result<(), StoreError> {
    let read = |error: rusqlite::Error| schema::failed(&error);
    let end: u64 =
        old.query_row("SELECT coalesce(max(revision), 0) FROM change", [], |row| row.get(0)).map_err(read)?;
    let mut new = schema::open_writer(fresh)?;
    // Nobody needs any of it before all of it is there, so that there is nothing to keep a journal or to wait for.
    new.pragma_update(None, "journal_mode", "OFF").map_err(read)?;
    new.pragma_update(None, "synchronous", "OFF").map_err(read)?;
    schema::create(&mut new).map_err(read)?;
    let (mut format_1, mut batch, mut bytes) = (Format1::default(), Vec::with_capacity(CHANGES), 0);
    let mut progress = Progress::new("writing the history in the new format", end);
    let mut statement = old.prepare("SELECT body FROM change ORDER BY revision").map_err(read)?;
    let mut rows = statement.query([]).map_err(read)?;
    while let Some(row) = rows.next().map_err(read)? {
        let body = row.get_ref(0).and_then(|body| Ok(body.as_bytes()?)).map_err(read)?;
        batch.push(format_1.read(body)?);
        bytes += body.len();
        if batch.len() == CHANGES || bytes >= BYTES {
            bytes = 0;
            append(&mut new, &mut batch, &mut progress)?;
        }
    }
    append(&mut new, &mut batch, &mut progress)?;
    let written = history::head(&new)?;
    if written != end {
        return Err(StoreError::Damaged(format!("the history ends with revision {written} where {end} is due")));
    }
    new.close().map_err(|(_, error)| schema::failed(&error))
}

fn append(new: &mut Connection, batch: &mut Vec<ChangeSet>, progress: &mut Progress) -> Result<(), StoreError> {
    let Some(last) = batch.last().map(|change| change.revision) else { return Ok(()) };
    history::append(new, batch).map_err(|error| match error {
        CommitError::Failed(error) | CommitError::Unknown(error) | CommitError::Lost(error) => error,
    })?;
    batch.clear();
    progress.tell(last);
    Ok(())
}

/// How far it is, told once a second.
struct Progress {
    doing: &'static str,
    end: u64,
    told: Instant,
}

impl Progress {
    fn new(doing: &'static str, end: u64) -> Self {
        tracing::info!("{doing}: {end} changes");
        Self { doing, end, told: Instant::now() }
    }

    fn tell(&mut self, revision: u64) {
        if self.told.elapsed() >= TOLD {
            tracing::info!("{}: {revision} of {} changes", self.doing, self.end);
            self.told = Instant::now();
        }
    }
}

fn remove_database(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

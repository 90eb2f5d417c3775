//! From format 2 to 3: tokens and keys, which stood there in clear, are kept as nobody can read them.

use std::fs;
use std::io;

use rusqlite::{Connection, Transaction, params};

use super::folder::Folder;
use super::{history, schema, upgrade};
use crate::model::{Beside, keep_secret};
use crate::store::StoreError;

/// Keeps every secret as it is kept now, in one transaction, and leaves nothing of it in clear in the files of the folder.
///
/// # Errors
/// [`StoreError`] where the database cannot be read or written; then it is as it was.
pub(super) fn keep(folder: &Folder, connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| schema::failed(&error);
    tracing::warn!(
        "{} is of format 2 and is upgraded to format {}: earlier versions cannot open it afterwards",
        folder.path().display(),
        schema::FORMAT
    );
    // What is written over, or no longer needed, is overwritten on the disk as well.
    connection.pragma_update(None, "secure_delete", true).map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    let mut beside: Vec<(u64, Vec<Beside>)> = Vec::new();
    history::each_beside(&transaction, 0, u64::MAX, |revision, kept| match beside.last_mut() {
        Some((last, list)) if *last == revision => list.push(kept),
        _ => beside.push((revision, vec![kept])),
    })?;
    // The leases come first, and then the keys: those of one change belong together.
    beside.sort_by_key(|(revision, _)| *revision);
    let beside = beside.chunk_by(|left, right| left.0 == right.0);
    transaction.execute_batch("DELETE FROM lease; DELETE FROM idempotency_key").map_err(failed)?;
    for of_one in beside {
        let revision = of_one[0].0;
        let mut list: Vec<Beside> = of_one.iter().flat_map(|(_, list)| list.iter().cloned()).collect();
        keep_secret(&mut list);
        list.iter().try_for_each(|kept| put(&transaction, revision, kept)).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", schema::FORMAT).map_err(failed)?;
    // They have secrets too, and only make a start quicker.
    for snapshot in [folder.snapshot(), folder.path().join("snapshot.zst.new")] {
        match fs::remove_file(&snapshot) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Failed(format!("{}: {error}", snapshot.display())));
            }
            _ => {}
        }
    }
    transaction.commit().map_err(failed)?;
    schema::empty_log(connection)?;
    upgrade::newest_index(connection)
}

fn put(transaction: &Transaction<'_>, revision: u64, kept: &Beside) -> rusqlite::Result<()> {
    match kept {
        Beside::Lease(row) => {
            let mut insert =
                transaction.prepare_cached("INSERT INTO lease (revision, deployment, token) VALUES (?1, ?2, ?3)")?;
            insert.execute(params![revision, row.deployment.0.as_bytes(), row.token.as_str()])
        }
        Beside::Key(row) => {
            let mut insert =
                transaction.prepare_cached("INSERT INTO idempotency_key (key, revision, plan) VALUES (?1, ?2, ?3)")?;
            insert.execute(params![row.key.as_str(), revision, row.plan.0.as_bytes()])
        }
    }
    .map(drop)
}

//! The tables, and how connections to them are set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::store::StoreError;

/// The format of the tables; a newer one is refused.
const FORMAT: i64 = 1;
/// The size of a page of the database. A change has about 8 kB, which larger pages would hold with much waste.
pub(super) const PAGE_BYTES: i64 = 4_096;

const TABLES: &str = "
    -- The history. body is the ChangeSet as JSON.
    CREATE TABLE change (
        revision INTEGER PRIMARY KEY,
        body TEXT NOT NULL
    ) STRICT;
    -- Where everything else is found: one row an attempt, in the order of their opening.
    CREATE TABLE deployment (
        place INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        system TEXT NOT NULL,
        artifact TEXT NOT NULL,
        environment TEXT NOT NULL,
        instance TEXT NOT NULL,
        current_state TEXT NOT NULL,
        target_state TEXT NOT NULL,
        condition TEXT NOT NULL,
        outcome TEXT,
        actor TEXT,
        created_at INTEGER NOT NULL,
        received INTEGER NOT NULL,
        resolved INTEGER NOT NULL,
        row TEXT NOT NULL
    ) STRICT;
    CREATE INDEX deployment_slot ON deployment (artifact, environment, instance);
    CREATE INDEX deployment_pending ON deployment (place) WHERE condition = 'Pending';
    -- Plans that were posted as a set, and the change that made them.
    CREATE TABLE plan_set (
        id BLOB PRIMARY KEY,
        revision INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

pub(super) fn failed(error: &rusqlite::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// Opens the connection that writes, and makes the tables where there are none.
pub(super) fn open_writer(database: &Path) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(database)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Every commit is on the disk before it returns.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // The background thread does it.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    let mut connection = open().map_err(|error| failed(&error))?;
    let found: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| failed(&error))?;
    match found {
        FORMAT => {}
        0 => {
            let transaction = connection.transaction().map_err(|error| failed(&error))?;
            transaction.execute_batch(TABLES).map_err(|error| failed(&error))?;
            transaction.pragma_update(None, "user_version", FORMAT).map_err(|error| failed(&error))?;
            transaction.commit().map_err(|error| failed(&error))?;
        }
        newer => return Err(StoreError::TooNew { what: database.display().to_string(), found: newer, known: FORMAT }),
    }
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(database: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).map_err(|error| failed(&error))?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

//! The tables, and how connections to them are set up.

use std::fs::OpenOptions;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::folder::{DATABASE, only_for_its_owner};
use crate::store::StoreError;

/// The format of the history; an older one is upgraded, a newer one is refused.
pub(super) const FORMAT: i64 = 3;
/// What the index is made of. One that is older is made anew from the history, so that a new index needs no new format.
pub(super) const INDEX: i64 = 2;
/// The size of a page of the database.
pub(super) const PAGE_BYTES: i64 = 4_096;

/// The history, and what is kept beside it.
const HISTORY: &str = "
    -- ChangeSets that were committed together, from first to last: lines of JSON, compressed and checksummed (zstd).
    CREATE TABLE record (
        last INTEGER PRIMARY KEY,
        first INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    -- The lease that an attempt was opened under last, its token as it is kept, by the revision that opened it. What prolongs it changes no history.
    CREATE TABLE lease (
        revision INTEGER NOT NULL,
        deployment BLOB NOT NULL,
        token TEXT NOT NULL,
        ttl INTEGER,
        expires_at INTEGER,
        PRIMARY KEY (revision, deployment)
    ) STRICT, WITHOUT ROWID;
    -- Keys as they are kept.
    CREATE TABLE idempotency_key (
        key TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        plan BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_key_revision ON idempotency_key (revision);
    -- What the index below is made of.
    CREATE TABLE made (
        name TEXT PRIMARY KEY,
        version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// The index: where everything is found in the history, and what lists show. It can be made anew from the history.
const INDEX_TABLES: &str = "
    -- One row an attempt, in the order of their opening: all that is known of it, and the revisions that have the rest.
    CREATE TABLE deployment (
        place INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        plan BLOB NOT NULL,
        system TEXT NOT NULL,
        artifact TEXT NOT NULL,
        environment TEXT NOT NULL,
        instance TEXT NOT NULL,
        version TEXT NOT NULL,
        number INTEGER NOT NULL,
        current_state TEXT NOT NULL,
        target_state TEXT NOT NULL,
        condition TEXT NOT NULL,
        opening TEXT,
        outcome TEXT,
        reason TEXT,
        actor TEXT,
        created_at INTEGER NOT NULL,
        finished_at INTEGER,
        supersedes BLOB,
        received INTEGER NOT NULL,
        resolved INTEGER NOT NULL,
        leased INTEGER,
        ended INTEGER,
        -- CRC-32 of what is known of the attempt.
        checksum INTEGER NOT NULL
    ) STRICT;
    -- What lists ask for that is rare. A start writes to the last of them only.
    CREATE INDEX deployment_failed ON deployment (outcome) WHERE outcome IS NOT NULL AND outcome <> 'succeeded';
    CREATE INDEX deployment_error ON deployment (place) WHERE current_state = 'Error';
    CREATE INDEX deployment_active ON deployment (place) WHERE current_state = 'Active';
    CREATE INDEX deployment_begun ON deployment (place) WHERE condition = 'Pending' OR current_state = 'Draft';
    -- Which attempts have a System, an artifact, an Environment, an actor, in the order of their opening: those up to a place
    -- have entries, which are written late and many at once.
    CREATE TABLE entry (
        kind INTEGER NOT NULL,
        value TEXT NOT NULL,
        place INTEGER NOT NULL,
        PRIMARY KEY (kind, value, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entered (
        kind INTEGER PRIMARY KEY,
        place INTEGER NOT NULL
    ) STRICT;
    -- Plans that were posted as a set, with the ids of their members, 16 bytes each.
    CREATE TABLE plan_set (
        id BLOB PRIMARY KEY,
        members BLOB NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

const DROP_INDEX: &str = "
    DROP TABLE IF EXISTS deployment;
    DROP TABLE IF EXISTS entry;
    DROP TABLE IF EXISTS entered;
    DROP TABLE IF EXISTS plan_set;
";

pub(super) fn failed(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            let advice = "restore a copy of the folder, or import an export into an empty one";
            StoreError::Damaged(format!("{DATABASE}: {error}; {advice}"))
        }
        _ => StoreError::Failed(error.to_string()),
    }
}

/// Moves all of the write-ahead log into the database, which is one file then that can be copied. Nobody else may be reading.
pub(super) fn empty_log(connection: &Connection) -> Result<(), StoreError> {
    let is_busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| failed(&error))?;
    if is_busy { Err(StoreError::Failed("the write-ahead log could not be emptied".to_owned())) } else { Ok(()) }
}

/// Makes the tables of an empty database.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(HISTORY)?;
    transaction.execute_batch(INDEX_TABLES)?;
    set_made(&transaction)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// Makes the tables of the index anew, empty.
pub(super) fn create_index(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(DROP_INDEX)?;
    connection.execute_batch(INDEX_TABLES)?;
    set_made(connection)
}

fn set_made(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO made (name, version) VALUES ('index', ?1)", [INDEX]).map(drop)
}

/// The version of the index.
pub(super) fn index_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(version), 0) FROM made WHERE name = 'index'", [], |row| row.get(0))
}

/// The format that a database is in; 0 for an empty one.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Opens a connection that writes. The files are made for their owner only.
pub(super) fn open_writer(database: &Path) -> Result<Connection, StoreError> {
    // A file that is there is not opened but by the engine: to close it would give up every lock that this process has on it, and
    // whoever else opens the database would take itself for the last one, and remove the log.
    if !database.exists() {
        let made = only_for_its_owner(OpenOptions::new().write(true).create(true).truncate(false)).open(database);
        made.map_err(|error| StoreError::Failed(format!("{}: {error}", database.display())))?;
    }
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
    open().map_err(|error| failed(&error))
}

/// Opens a connection that only reads.
pub(super) fn open_reader(database: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).map_err(|error| failed(&error))?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

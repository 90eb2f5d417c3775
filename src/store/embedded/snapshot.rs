//! Snapshots: a Catalog as lines of JSON, compressed, so that a start need not replay the whole history.
//!
//! The first line says where in the history it was made, the last how many lines are between them. A snapshot that is
//! damaged, or that belongs to another history, is passed over: the history itself has everything.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zstd::stream::{read::Decoder, write::Encoder};

use super::folder::{Folder, only_for_its_owner};
use super::history;
use crate::catalog::{Catalog, SnapshotRow};
use crate::model::Timestamp;
use crate::store::StoreError;

const FORMAT: u32 = 3;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    revision: u64,
    time: Timestamp,
    change: Uuid,
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    rows: u64,
}

/// Writes a snapshot beside the old one, and puts it in its place once it is on the disk. Says how many rows it has.
pub(super) fn write(folder: &Folder, connection: &Connection, catalog: &Catalog) -> Result<u64, StoreError> {
    let Some(change) = history::change_id(connection, catalog.revision())? else { return Ok(0) };
    let write = || -> std::io::Result<u64> {
        let fresh = folder.path().join("snapshot.zst.new");
        let mut options = File::options();
        let file = only_for_its_owner(options.write(true).create(true).truncate(true)).open(&fresh)?;
        let mut file = BufWriter::with_capacity(1 << 20, packed(file)?);
        let header = Header { format: FORMAT, revision: catalog.revision(), time: catalog.time(), change };
        line(&mut file, &header)?;
        let mut rows = 0;
        for row in catalog.rows() {
            line(&mut file, &row)?;
            rows += 1;
        }
        line(&mut file, &Trailer { rows })?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?.sync_all()?;
        fs::rename(&fresh, folder.snapshot())?;
        File::open(folder.path())?.sync_all()?;
        Ok(rows)
    };
    write().map_err(|error| StoreError::Failed(format!("{}: {error}", folder.snapshot().display())))
}

/// Compressed and checksummed.
fn packed(file: File) -> std::io::Result<Encoder<'static, File>> {
    let mut encoder = Encoder::new(file, 1)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

fn line(file: &mut impl Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, value)?;
    file.write_all(b"\n")
}

/// The Catalog of the snapshot; `None` where there is none that can be used.
pub(super) fn load(folder: &Folder, connection: &Connection) -> Result<Option<Catalog>, StoreError> {
    let path = folder.snapshot();
    let Ok(file) = File::open(&path) else { return Ok(None) };
    let Ok(text) = Decoder::new(file) else { return Ok(None) };
    let mut lines = BufReader::with_capacity(1 << 20, text).lines();
    let Some(header) = lines.next().and_then(Result::ok).and_then(|line| serde_json::from_str::<Header>(&line).ok())
    else {
        tracing::warn!(snapshot = %path.display(), "the snapshot cannot be read; replaying the history instead");
        return Ok(None);
    };
    if header.format != FORMAT || history::change_id(connection, header.revision)? != Some(header.change) {
        tracing::warn!(snapshot = %path.display(), "the snapshot is not of this history; replaying the history instead");
        return Ok(None);
    }
    let mut catalog = Catalog::default();
    catalog.begin_at(header.revision, header.time);
    let mut rows = 0;
    for line in lines {
        let Ok(line) = line else { break };
        if let Ok(row) = serde_json::from_str::<SnapshotRow>(&line) {
            catalog.apply_snapshot(row);
            rows += 1;
        } else if serde_json::from_str::<Trailer>(&line).is_ok_and(|trailer| trailer.rows == rows) {
            return Ok(Some(catalog));
        } else {
            break;
        }
    }
    tracing::warn!(snapshot = %path.display(), "the snapshot is damaged; replaying the history instead");
    Ok(None)
}

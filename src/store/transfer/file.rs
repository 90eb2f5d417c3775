//! The file of an export, which has its name only when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use super::{Report, TransferError, export};
use crate::store::Store;

/// What to do where the file is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to write.
    Keep,
    /// Put the export in its place, once that is whole.
    Replace,
}

/// Writes the history of `store` as it is now into a file, durably, and gives its last revision.
///
/// It is written beside `path` and then renamed, so that `path` never names half an export. Only its owner may read it, for it
/// holds what was posted, and tokens and keys.
///
/// # Errors
/// [`TransferError`] as [`export`] has it, and where the file is there and is to be kept.
pub fn export_file(
    store: &dyn Store,
    path: &Path,
    existing: Existing,
    report: &mut Report<'_>,
) -> Result<u64, TransferError> {
    match (fs::metadata(path), existing) {
        (Ok(found), _) if !found.is_file() => return Err(TransferError::NoFile),
        (Ok(_), Existing::Keep) => return Err(TransferError::Exists),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(TransferError::NoFile)?.to_string_lossy();
    // It goes away where the export fails.
    let unfinished = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder);
    let mut output = BufWriter::with_capacity(64 << 10, unfinished.map_err(TransferError::Write)?);
    let revision = export(store, &mut output, report)?;
    let whole = output.into_inner().map_err(|error| TransferError::Write(error.into_error()))?;
    whole.as_file().sync_all().map_err(TransferError::Write)?;
    let named = match existing {
        // Somebody may have made the file meanwhile.
        Existing::Keep => whole.persist_noclobber(path),
        Existing::Replace => whole.persist(path),
    };
    named.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => TransferError::Exists,
        _ => TransferError::Write(error.error),
    })?;
    // The name is durable only with the folder.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(TransferError::Write)?;
    Ok(revision)
}

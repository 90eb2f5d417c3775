//! `mortise export` and `import`

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use super::Exit;
use super::progress::ProgressLine;
use crate::store::Store;
use crate::store::transfer::{self, Existing, Imported, Source, TransferError};

/// How much is read, or written, at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Exports a store into a file, or to standard output for `-`.
///
/// # Errors
/// [`TransferError`].
pub fn export(store: &dyn Store, path: &Path, existing: Existing) -> Result<Exit, TransferError> {
    let mut line = ProgressLine::new();
    let mut report = |progress| line.show(progress);
    if path.as_os_str() == "-" {
        let mut output = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
        let revision = transfer::export(store, &mut output, &mut report)?;
        drop(line);
        eprintln!("exported {}", changes(revision));
    } else {
        let revision = transfer::export_file(store, path, existing, &mut report)?;
        drop(line);
        println!("exported {}, to {}", changes(revision), path.display());
    }
    Ok(Exit::Yes)
}

/// A file to import. It was verified to its end, unless it can be read only once.
pub struct ImportFile {
    source: Source<'static>,
    line: ProgressLine,
}

impl ImportFile {
    /// Opens a file, or standard input for `-`. A file that can be read again is verified to its end first.
    ///
    /// # Errors
    /// [`TransferError`].
    pub fn open(path: &Path) -> Result<Self, TransferError> {
        let mut line = ProgressLine::new();
        let unreadable = |error| TransferError::Read { line: 1, error };
        let source = if path.as_os_str() == "-" {
            streamed(BufReader::with_capacity(BUFFER_BYTES, std::io::stdin()))
        } else {
            let file = File::open(path).map_err(unreadable)?;
            let is_file = file.metadata().map_err(unreadable)?.is_file();
            let input = BufReader::with_capacity(BUFFER_BYTES, file);
            if is_file { Source::verified(input, &mut |progress| line.show(progress))? } else { streamed(input) }
        };
        Ok(Self { source, line })
    }
}

fn streamed(input: impl std::io::BufRead + 'static) -> Source<'static> {
    eprintln!(
        "this export can be read only once, so it is verified as it is recorded: if it is damaged, what came before the \
         damage stays in the store, and the import of an undamaged export goes on from there"
    );
    Source::streamed(input)
}

/// Imports a file into a store.
///
/// # Errors
/// [`TransferError`].
pub fn import(store: &dyn Store, file: ImportFile) -> Result<Exit, TransferError> {
    let ImportFile { source, mut line } = file;
    let imported = transfer::import(store, source, &mut |progress| line.show(progress))?;
    drop(line);
    let Imported { changes: count, revision } = imported;
    match count {
        0 => println!("nothing to do: the store holds revision {revision} already"),
        _ if count == revision => println!("imported {}", changes(revision)),
        _ => println!("imported {count} more, up to revision {revision}"),
    }
    Ok(Exit::Yes)
}

fn changes(revision: u64) -> String {
    format!("{revision} {}, revision {revision}", if revision == 1 { "change" } else { "changes" })
}

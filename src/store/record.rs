//! Records: ChangeSets that were committed together, as lines of JSON, compressed together and checksummed.
//!
//! What is alike in them is written once, and damage is found when they are read. A record stands for itself: what it holds can
//! be read without any other.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

use super::StoreError;
use crate::model::{ChangeSet, ComponentId, ComponentRow};

/// ChangeSets with contiguous revisions.
pub(super) struct Record {
    /// The first revision.
    pub first: u64,
    /// The last revision.
    pub last: u64,
    /// The compressed text.
    pub body: Vec<u8>,
}

/// How it is compressed. Higher levels make little of it smaller, and take longer.
const LEVEL: i32 = 1;
/// How long the text of a record is at most, unless its only ChangeSet is longer: one of them is read at a time.
const TEXT_BYTES: usize = 256 << 10;
/// How long a text may be that is read: a set with all that it may have is well below.
const MOST_BYTES: usize = 1 << 30;

struct Packer {
    text: Vec<u8>,
    compressor: Compressor<'static>,
}

thread_local! {
    static PACKER: RefCell<Option<Packer>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Packer {
    fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self { text: Vec::with_capacity(TEXT_BYTES), compressor })
    }

    fn pack(&mut self, batch: &[ChangeSet]) -> io::Result<Vec<Record>> {
        let mut records = Vec::with_capacity(1);
        let mut first = None;
        self.text.clear();
        for (index, change) in batch.iter().enumerate() {
            serde_json::to_writer(&mut self.text, change)?;
            self.text.push(b'\n');
            let from = *first.get_or_insert(change.revision);
            if self.text.len() >= TEXT_BYTES || index + 1 == batch.len() {
                let body = self.compressor.compress(&self.text)?;
                records.push(Record { first: from, last: change.revision, body });
                first = None;
                self.text.clear();
                self.text.shrink_to(2 * TEXT_BYTES);
            }
        }
        Ok(records)
    }
}

/// A batch as records.
///
/// # Errors
/// [`StoreError::Failed`] where it has no JSON form or cannot be compressed.
pub(super) fn pack(batch: &[ChangeSet]) -> Result<Vec<Record>, StoreError> {
    let packed = PACKER.with_borrow_mut(|packer| match packer {
        Some(packer) => packer.pack(batch),
        None => packer.insert(Packer::new()?).pack(batch),
    });
    packed.map_err(|error| StoreError::Failed(format!("a batch could not be written up: {error}")))
}

/// The text of the record of these revisions: each of its ChangeSets in a line, in order.
///
/// # Errors
/// [`StoreError::DamagedChanges`] where it is not as it was written.
pub(super) fn unpack(first: u64, last: u64, body: &[u8]) -> Result<String, StoreError> {
    let damaged = |error: &dyn std::fmt::Display| {
        let first = if first == 0 || first > last { last } else { first };
        StoreError::DamagedChanges { first, last, why: error.to_string() }
    };
    let length = get_frame_content_size(body).ok().flatten().and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|&length| length <= MOST_BYTES).ok_or_else(|| damaged(&"its length is lost"))?;
    let text = UNPACKER.with_borrow_mut(|unpacker| match unpacker {
        Some(unpacker) => unpacker.decompress(body, length),
        None => unpacker.insert(Decompressor::new()?).decompress(body, length),
    });
    let text = String::from_utf8(text.map_err(|error| damaged(&error))?).map_err(|error| damaged(&error))?;
    let lines = text.lines().count() as u64;
    if first == 0 || first.checked_add(lines) != last.checked_add(1) {
        return Err(damaged(&format!("the record of the revisions {first} to {last} has {lines} lines")));
    }
    Ok(text)
}

/// A change that is not what it should be.
fn damaged(revision: u64, why: String) -> StoreError {
    StoreError::DamagedChanges { first: revision, last: revision, why }
}

/// A line of a record, read.
///
/// # Errors
/// [`StoreError::DamagedChanges`] where it cannot be.
pub(super) fn read(line: &str, revision: u64) -> Result<ChangeSet, StoreError> {
    let change: ChangeSet = serde_json::from_str(line).map_err(|error| damaged(revision, error.to_string()))?;
    check_place(change.revision, revision)?;
    Ok(change)
}

fn check_place(found: u64, due: u64) -> Result<(), StoreError> {
    if found == due { Ok(()) } else { Err(damaged(due, format!("it says that it is change {found}"))) }
}

/// These Components' rows in a line of a record; of other rows no more is read than whose they are.
///
/// # Errors
/// [`StoreError::DamagedChanges`] where it cannot be read.
pub(super) fn read_components(
    line: &str,
    revision: u64,
    wanted: &BTreeSet<ComponentId>,
) -> Result<Vec<ComponentRow>, StoreError> {
    #[derive(Deserialize)]
    struct Rows<'a> {
        revision: u64,
        #[serde(borrow)]
        rows: Vec<MaybeComponent<'a>>,
    }
    #[derive(Deserialize)]
    struct MaybeComponent<'a> {
        #[serde(borrow)]
        component: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Identified {
        id: ComponentId,
    }
    let Rows { revision: place, rows } =
        serde_json::from_str(line).map_err(|error| damaged(revision, error.to_string()))?;
    check_place(place, revision)?;
    let read = || {
        let mut found = Vec::new();
        for text in rows.into_iter().filter_map(|row| row.component).map(RawValue::get) {
            if wanted.contains(&serde_json::from_str::<Identified>(text)?.id) {
                found.push(serde_json::from_str(text)?);
            }
        }
        Ok(found)
    };
    read().map_err(|error: serde_json::Error| damaged(revision, error.to_string()))
}

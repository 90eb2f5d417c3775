//! The lines of the file, and the checksums that chain them.

use std::io::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::model::{Beside, DeploymentId, KeptKey, KeyRow, LeaseRow};

/// The name of the format.
pub(super) const FORMAT: &str = "mortise-history";
/// The newest version of it that is known, and the one that is written.
pub(super) const VERSION: u64 = 3;
/// The version before that, with tokens and keys in clear.
pub(super) const VERSION_2: u64 = 2;
/// The version whose changes are those of the first format of the history, with tokens and keys in them.
pub(super) const VERSION_1: u64 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub format: String,
    pub version: u64,
    /// The first revision: 1, for an export is always a whole one.
    pub from: u64,
    /// The last revision; 0 where there is none.
    pub to: u64,
    /// The identity of the last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Uuid>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    pub changes: u64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Header,
    Change,
    /// What is kept beside the history and was recorded with the change before it.
    Beside,
    Trailer,
}

impl Kind {
    /// How a line of this kind begins.
    pub fn start(self) -> &'static str {
        match self {
            Self::Header => "{\"header\":",
            Self::Change => "{\"change\":",
            Self::Beside => "{\"beside\":",
            Self::Trailer => "{\"trailer\":",
        }
    }
}

/// What a thing beside the history belongs to, by which it is found again; the rest of it may change while the history does not.
/// The lines that follow a change are in this order, whatever order a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner<'a> {
    /// The attempt that a lease is for.
    Attempt(DeploymentId),
    /// An idempotency key itself.
    Key(&'a KeptKey),
}

impl<'a> Owner<'a> {
    pub fn of(beside: &'a Beside) -> Self {
        match beside {
            Beside::Lease(LeaseRow { deployment, .. }) => Self::Attempt(*deployment),
            Beside::Key(KeyRow { key, .. }) => Self::Key(key),
        }
    }
}

/// The checksum of everything so far: half of a SHA-256, which nobody meets twice by accident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain(u128);

/// The bytes that a line ends with: `,"sum":"`, 32 digits, `"}` and the line feed.
const END_BYTES: usize = 8 + 32 + 3;

impl Chain {
    /// Writes a line into `line`, in place of what is there: `{"change":…,"sum":"…"}` and a line feed.
    pub fn seal(&mut self, kind: Kind, content: &impl Serialize, line: &mut Vec<u8>) {
        line.clear();
        line.extend(kind.start().bytes());
        serde_json::to_writer(&mut *line, content).expect("what a history holds has a JSON form, and memory takes it");
        debug_assert!(!line.contains(&b'\n'), "the texts that a history keeps are compact");
        let end = self.after(line).end();
        line.extend(end);
    }

    /// The bytes of a line, line feed included, before its checksum; `None` where that is not right.
    pub fn open<'a>(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        let (sealed, end) = line.split_at_checked(line.len().checked_sub(END_BYTES)?)?;
        let mut next = *self;
        (next.after(sealed).end() == end).then(|| {
            *self = next;
            sealed
        })
    }

    fn after(&mut self, sealed: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(self.0.to_be_bytes()).chain_update(sealed).finalize();
        let half = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        self.0 = u128::from_be_bytes(*half);
        *self
    }

    fn end(self) -> Vec<u8> {
        let mut end = Vec::with_capacity(END_BYTES);
        writeln!(end, ",\"sum\":\"{:032x}\"}}", self.0).expect("memory takes what is written to it");
        end
    }
}

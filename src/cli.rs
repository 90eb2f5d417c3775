//! The client commands. They speak to a server over HTTP, except `check` and `version`, which need none, and `changes`, `export`
//! and `import`, which are given a store.

mod changes;
mod check;
mod client;
mod deploy;
mod progress;
mod query;
mod show;
mod source;
mod terminal;
mod transfer;
mod version;

pub use changes::{ChangesError, changes};
pub use check::check;
pub use deploy::{finish, plan, start};
pub use query::query;
pub use terminal::escaped;
pub use transfer::{ImportFile, export, import};
pub use version::{compare, matches};

/// How a command ended, as its exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: yes.
    Yes,
    /// 1: no: not deployable, pending, a repeat that is no longer pending, out of range.
    No,
    /// 2: it failed: the server, the tool, an invalid specification.
    Failed,
    /// 3: undecided: the policy of the Environment refuses to decide.
    Unknown,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Failed => 2,
            Self::Unknown => 3,
        }
    }
}

/// Why a command could not be carried out at all.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The server cannot be reached.
    #[error("{server} cannot be reached: {error}; is `mortise serve` running there?")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        error: String,
    },
    /// The flags do not make a request.
    #[error("the request cannot be made: {0}; look at --server, --actor and --idempotency-key")]
    Unsendable(String),
    /// The answer is none that Mortise gives.
    #[error("{server} does not answer as Mortise does: {error}")]
    Strange {
        /// Its address.
        server: String,
        /// What is strange.
        error: String,
    },
    /// The address of the server cannot be used.
    #[error("`{0}` is no address of a server; write http://host:port")]
    Address(String),
    /// The answer broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// Standard output cannot be written.
    #[error("the answer cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

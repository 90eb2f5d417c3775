//! Real databases that speak Bolt: one that a whole `cargo test` shares, and ones of a test's own for faults.
//!
//! They are started by the scripts in `tests/servers`, on loopback, and ended by a watchdog when the tests have ended. Where
//! one cannot run, for want of Java say, its tests are ignored with the reason; under CI an absent Neo4j is a failure.
//!
//! `MORTISE_TEST_BOLT_URI` names a Neo4j to use instead of one that is started: it is emptied! `MORTISE_TEST_REQUIRE_NEO4J=1`
//! makes an absent Neo4j a failure, as `CI` does.

#![allow(dead_code, reason = "every test crate uses another part of it")]

#[path = "database/private.rs"]
mod private;
#[path = "database/script.rs"]
mod script;
#[path = "database/wipe.rs"]
mod wipe;

use std::fmt;
use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

#[allow(unused_imports, reason = "every test crate uses another part of it")]
pub use private::{PrivateDatabase, private};
use script::Script;
#[allow(unused_imports, reason = "every test crate uses another part of it")]
pub use wipe::connect;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Neo4j,
    ArcadeDb,
}

/// A database that speaks Bolt.
#[derive(Debug)]
pub struct Database {
    engine: Engine,
    uri: String,
    /// Held by the test that has the database alone, whichever process that runs in.
    lock: PathBuf,
    /// The same within this process, where a lock of a file may be held twice.
    alone: Mutex<()>,
}

/// What a test needs and this machine does not have, told in a few words.
#[derive(Clone, Debug)]
pub struct Absent(pub String);

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The database that all test binaries of one `cargo test` share, started where it is not running yet.
pub fn shared(engine: Engine) -> Result<&'static Database, Absent> {
    static NEO4J: OnceLock<Result<Database, Absent>> = OnceLock::new();
    static ARCADE_DB: OnceLock<Result<Database, Absent>> = OnceLock::new();
    let database = match engine {
        Engine::Neo4j => &NEO4J,
        Engine::ArcadeDb => &ARCADE_DB,
    };
    database.get_or_init(|| Database::shared(engine)).as_ref().map_err(|absent| engine.spared(absent.clone()))
}

impl Database {
    fn shared(engine: Engine) -> Result<Self, Absent> {
        let folder = folder();
        if let (Engine::Neo4j, Ok(uri)) = (engine, std::env::var("MORTISE_TEST_BOLT_URI")) {
            return Ok(Self::new(engine, uri, folder.join("given.lock")));
        }
        // The first test binary starts it, the others find it: the script does nothing where it runs already.
        let starting = File::create(folder.join(format!("{}.lock", engine.name()))).expect("a file can be made");
        starting.lock().expect("a file can be locked");
        let tests = script::test_run();
        let data = folder.join(format!("{}-{tests}", engine.name()));
        let uri = Script::of(engine, &data).start(tests.pid)?;
        Ok(Self::new(engine, uri, data.join("alone.lock")))
    }

    fn new(engine: Engine, uri: String, lock: PathBuf) -> Self {
        Self { engine, uri, lock, alone: Mutex::new(()) }
    }

    /// Who answers.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// `bolt://user:password@host:port`
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits until no other test has the database, in any process, then empties it: no node, no constraint, no index, and no
    /// transaction that an earlier test left behind.
    pub fn exclusive(&self) -> Exclusive<'_> {
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        let file = File::create(&self.lock).expect("a file can be made");
        file.lock().expect("a file can be locked");
        wipe::wipe(self.engine, &self.uri);
        Exclusive { database: self, _file: file, _alone: alone }
    }
}

/// A database that one test has alone, empty when it was given.
#[derive(Debug)]
pub struct Exclusive<'a> {
    database: &'a Database,
    // Dropped in this order: the file is closed, which unlocks it, while this process still has its turn.
    _file: File,
    _alone: MutexGuard<'a, ()>,
}

impl Deref for Exclusive<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.database
    }
}

impl Engine {
    /// As its script and its folders are named.
    fn name(self) -> &'static str {
        match self {
            Self::Neo4j => "neo4j",
            Self::ArcadeDb => "arcadedb",
        }
    }

    /// Why a test goes without it; a failure of the test where it is required.
    fn spared(self, absent: Absent) -> Absent {
        let set = |name| std::env::var(name).unwrap_or_default();
        let required = self == Self::Neo4j && (!set("CI").is_empty() || set("MORTISE_TEST_REQUIRE_NEO4J") == "1");
        assert!(!required, "{self:?} is required here: {absent}");
        absent
    }
}

/// Where databases keep their files.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("databases");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

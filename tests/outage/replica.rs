//! A server on a database, what it logs, and how long it takes.

use std::io::{Read, Seek};
use std::ops::Deref;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use mortise::store::neo4j::{Address, Neo4jStore};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::database::{Absent, Engine, Exclusive, shared};
use crate::server::{Answer, Client, Server, command_on};
use crate::specs::{consumer, provider};

/// How often `/readyz` is asked.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a server may take until it is well again: far more than it takes, so that a hang shows as a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// After what time without its database a server is red at the latest.
const RED_WITHIN: Duration = Duration::from_secs(5);
/// How many times its deadline a request may take: a finish reads the plan, takes its turn, and reads what became of it.
const DEADLINES: u32 = 3;

/// The database that tests share, with the schema, so that a server with a short deadline need not apply that.
pub fn database() -> Result<Exclusive<'static>, Absent> {
    let database = shared(Engine::Neo4j)?.exclusive();
    apply_schema(database.uri());
    Ok(database)
}

/// Has the database at `uri` the schema of Mortise.
pub fn apply_schema(uri: &str) {
    drop(Neo4jStore::open(Address::parse(uri, None).unwrap(), PATIENCE).unwrap());
}

/// A server whose store is a database.
pub struct Replica {
    server: Server,
    timeout: Duration,
    log: NamedTempFile,
}

impl Replica {
    /// A server on the database at `uri`, which gives that so many seconds for one piece of work.
    pub fn on(uri: &str, timeout_seconds: u64) -> Self {
        let log = NamedTempFile::new().unwrap();
        let server = Server::run(logging(uri, timeout_seconds, "info", &log));
        Self { server, timeout: Duration::from_secs(timeout_seconds), log }
    }

    /// The same, which logs what it does.
    pub fn telling_all(uri: &str, timeout_seconds: u64) -> Self {
        let log = NamedTempFile::new().unwrap();
        let server = Server::run(logging(uri, timeout_seconds, "mortise=debug", &log));
        Self { server, timeout: Duration::from_secs(timeout_seconds), log }
    }

    /// Waits until it has logged this.
    #[track_caller]
    pub fn wait_until_told(&self, what: &str) {
        let began = Instant::now();
        while !self.log().contains(what) {
            assert!(began.elapsed() < PATIENCE, "it never says `{what}`; it said:\n{}", self.log());
            std::thread::sleep(PAUSE);
        }
    }

    /// The same, of which the database has learnt every statement: with a short deadline it cannot be waited for.
    pub fn learnt(uri: &str, timeout_seconds: u64) -> Self {
        let replica = Self::on(uri, timeout_seconds);
        let began = Instant::now();
        while replica
            .start_deployment(&json!({"artifactSpec": consumer("learning", "learnt"), "idempotencyKey": "learnt"}))
            .status
            == 503
            || replica
                .start_deployment(&json!({"artifactSpec": provider("learnt", "learnt"), "idempotencyKey": "learnt"}))
                .status
                == 503
        {
            assert!(began.elapsed() < PATIENCE, "it never learns; it said:\n{}", replica.log());
        }
        replica
    }

    /// The answer to a request, which does not come long after the deadline.
    #[track_caller]
    pub fn in_time(&self, ask: impl FnOnce(&Client) -> Answer) -> Answer {
        let began = Instant::now();
        let answer = ask(&self.server);
        let took = began.elapsed();
        assert!(took < self.at_most(), "it took {took:?}, the deadline is {:?}: {answer:?}", self.timeout);
        answer
    }

    /// How long a request may take.
    pub fn at_most(&self) -> Duration {
        self.timeout * DEADLINES
    }

    /// Waits until it says that it is not ready, which it does soon.
    #[track_caller]
    pub fn wait_until_red(&self) {
        let began = Instant::now();
        while self.get("/readyz").status == 200 {
            assert!(
                began.elapsed() < RED_WITHIN,
                "it is not red after {:?}; it said:\n{}",
                began.elapsed(),
                self.log()
            );
            std::thread::sleep(PAUSE);
        }
        assert_unavailable(&self.get("/readyz"));
        self.get("/healthz").expect(200);
    }

    /// Waits until it says that it is ready, which it does by itself.
    #[track_caller]
    pub fn wait_until_green(&self) {
        let began = Instant::now();
        while self.get("/readyz").status != 200 {
            assert!(began.elapsed() < PATIENCE, "it is not green after {PATIENCE:?}; it said:\n{}", self.log());
            std::thread::sleep(PAUSE);
        }
    }

    /// Stops it in order; how long that took, and what it logged.
    pub fn stop(self) -> (ExitStatus, Duration, String) {
        let began = Instant::now();
        (self.server.stop(), began.elapsed(), text_of(&self.log))
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        text_of(&self.log)
    }

    /// Everything that it shows.
    pub fn world(&self) -> Vec<Vec<Value>> {
        let lists = [
            "deployments",
            "components",
            "components?state=planned",
            "systems",
            "artifacts",
            "interfaces",
            "environments",
            "servers",
        ];
        lists.iter().map(|list| self.all(list)).collect()
    }

    /// Every item of a list, whatever number of pages that takes.
    fn all(&self, list: &str) -> Vec<Value> {
        let separator = if list.contains('?') { '&' } else { '?' };
        let first = format!("/{list}{separator}limit=1000&consistency=strong");
        let (mut items, mut path) = (Vec::new(), first.clone());
        loop {
            let mut page = self.get(&path).expect(200);
            let Value::Array(more) = page["items"].take() else { panic!("{path} lists {page}") };
            items.extend(more);
            match page.get("next").and_then(Value::as_str) {
                Some(next) => path = format!("{first}&cursor={next}"),
                None => return items,
            }
        }
    }
}

impl Deref for Replica {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Runs a server that is not to come up; how it ended and what it said, and that it did not take long.
pub fn ended(uri: &str, timeout_seconds: u64, level: &str) -> (ExitStatus, String) {
    let log = NamedTempFile::new().unwrap();
    let began = Instant::now();
    let output = logging(uri, timeout_seconds, level, &log).output().expect("the binary that was built can be run");
    let took = began.elapsed();
    let said = text_of(&log);
    assert!(took < Duration::from_secs(timeout_seconds) * DEADLINES, "it took {took:?}: {said}");
    assert!(output.stdout.is_empty(), "it said that it listens: {said}");
    (output.status, said)
}

fn logging(uri: &str, timeout_seconds: u64, level: &str, log: &NamedTempFile) -> Command {
    let mut command = command_on(uri, &["--log", level, "--store-timeout-seconds", &timeout_seconds.to_string()]);
    command.stderr(log.reopen().expect("a temporary file can be opened"));
    command
}

fn text_of(file: &NamedTempFile) -> String {
    let (mut file, mut text) = (file.reopen().expect("a temporary file can be opened"), String::new());
    file.rewind().expect("a file can be rewound");
    file.read_to_string(&mut text).expect("what is logged is UTF-8");
    text
}

/// Whether an answer says that the store is away and that nothing was recorded, as it must; the problem.
#[track_caller]
pub fn assert_unavailable(answer: &Answer) -> Value {
    assert_eq!(answer.header("Retry-After"), Some("1"), "{answer:?}");
    answer.expect_problem(503, "unavailable")
}

/// Whether an answer says that it is not known whether a plan was recorded, as it must; the id of the plan.
#[track_caller]
pub fn assert_outcome_unknown(answer: &Answer) -> String {
    assert_eq!(answer.header("Retry-After"), Some("1"), "{answer:?}");
    let problem = answer.expect_problem(503, "outcome-unknown");
    crate::server::text(&problem, "id").to_owned()
}

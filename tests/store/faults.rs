//! A store that fails or waits when it is told to, in front of the real one: what clients see of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use actix_web::dev::ServerHandle;
use mortise::app::{App, Clock, ClockError, Pace, PoolLimits, SettingsWish, check_clock, system_clock};
use mortise::catalog::Catalog;
use mortise::http::{self, HttpLimits};
use mortise::model::{ChangeSet, DeploymentId, PlanId, PlanRow, Timestamp};
use mortise::store::embedded::EmbeddedStore;
use mortise::store::{
    CommitError, Decide, DeploymentFilter, DeploymentPage, Ending, LocatedAttempt, Page, Query, QueryError, Store,
    StoreError, TakeRow, Turn,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::conformance::assert_same;
use crate::harness::tests;
use crate::server::{Answer, Client, Server, command_logging, text};
use crate::specs::{consumer, provider, spec, with};

tests![
    a_commit_that_fails_is_503_records_nothing_and_the_next_one_succeeds,
    a_clock_that_is_far_off_is_told_and_nothing_of_it_is_recorded,
    few_plans_are_read_at_once_and_a_slow_one_holds_nothing_else_up,
    nothing_can_be_read_before_it_is_durable,
    a_batch_fails_as_a_whole_and_leaves_memory_and_disk_equal,
    a_dependent_of_a_failed_batch_is_planned_anew,
    a_full_disk_is_503_records_nothing_and_the_process_stays_up,
];

/// How long something may take that takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the next commits do.
pub enum Fault {
    None,
    /// They panic, and so does whatever is read of what others recorded.
    Panic,
    /// They fail before anything is written.
    Fail,
    /// They say that they began, and wait until they are let go on.
    Wait {
        began: Sender<()>,
        go_on: Receiver<Outcome>,
    },
}

/// How a commit that waited goes on.
pub enum Outcome {
    Succeed,
    Fail,
}

/// The embedded store, which fails or waits when it is told to.
pub struct Faulty {
    store: EmbeddedStore,
    is_shared: bool,
    fault: Mutex<Fault>,
    /// Whoever reads a plan takes part in it, where there is one.
    gate: Mutex<Option<Arc<Gate>>>,
}

/// Lets nobody through until it is opened, and counts who waits.
#[derive(Default)]
struct Gate {
    state: Mutex<Passing>,
    changed: Condvar,
}

#[derive(Default)]
struct Passing {
    is_open: bool,
    inside: usize,
    most: usize,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.inside += 1;
        state.most = state.most.max(state.inside);
        self.changed.notify_all();
        state = self.changed.wait_while(state, |state| !state.is_open).unwrap();
        state.inside -= 1;
    }

    /// Waits until so many wait at it.
    fn wait_for(&self, inside: usize) {
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| state.inside < inside).unwrap());
    }

    /// Opens it; how many waited at once, at most.
    fn open(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        state.is_open = true;
        self.changed.notify_all();
        state.most
    }
}

impl Faulty {
    pub fn of(store: EmbeddedStore, is_shared: bool) -> Self {
        Self { store, is_shared, fault: Mutex::new(Fault::None), gate: Mutex::new(None) }
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn panic_where_told(&self) {
        assert!(!matches!(&*self.fault.lock().unwrap(), Fault::Panic), "something that cannot happen");
    }
}

impl Store for Faulty {
    fn commit(&self, known: u64, decide: &mut Decide<'_>) -> Result<Vec<ChangeSet>, CommitError> {
        let failed = || Err(CommitError::Failed(StoreError::Failed("no space left on device".to_owned())));
        let is_good = match &*self.fault.lock().unwrap() {
            Fault::None => true,
            Fault::Panic => panic!("something that cannot happen"),
            Fault::Fail => false,
            Fault::Wait { began, go_on } => {
                began.send(()).unwrap();
                matches!(go_on.recv().unwrap(), Outcome::Succeed)
            }
        };
        if is_good {
            return self.store.commit(known, decide);
        }
        // A failed turn was a turn all the same, and one that records nothing does not fail.
        let batch = decide(Turn { missed: &[], now: None });
        if batch.is_empty() { Ok(batch) } else { failed() }
    }

    fn head(&self) -> Result<u64, StoreError> {
        self.panic_where_told();
        self.store.head()
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn load(&self) -> Result<Catalog, StoreError> {
        self.store.load()
    }

    fn changes_after(&self, revision: u64, limit: usize) -> Result<Vec<ChangeSet>, StoreError> {
        self.panic_where_told();
        self.store.changes_after(revision, limit)
    }

    fn changes_at(&self, revisions: &BTreeSet<u64>) -> Result<BTreeMap<u64, ChangeSet>, StoreError> {
        self.store.changes_at(revisions)
    }

    fn located(&self, ids: &[DeploymentId]) -> Result<Vec<Option<LocatedAttempt>>, StoreError> {
        self.store.located(ids)
    }

    fn set(&self, id: PlanId) -> Result<Option<PlanRow>, StoreError> {
        let gate = self.gate.lock().unwrap().clone();
        gate.inspect(|gate| gate.pass());
        self.store.set(id)
    }

    fn deployments(&self, filter: &DeploymentFilter, page: Page) -> Result<DeploymentPage, StoreError> {
        self.store.deployments(filter, page)
    }

    fn probe(&self) -> Result<(), StoreError> {
        if matches!(&*self.fault.lock().unwrap(), Fault::Fail) {
            return Err(StoreError::Failed("no space left on device".to_owned()));
        }
        self.store.probe()
    }

    fn query(&self, query: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError> {
        self.store.query(query, take)
    }

    fn offer_snapshot(&self, catalog: &Arc<Catalog>) {
        self.store.offer_snapshot(catalog);
    }

    fn close(&self, catalog: &Catalog) {
        self.store.close(catalog);
    }
}

/// The real application behind the real HTTP server, in this process, on a store that can be made to fail.
struct Process {
    store: Arc<Faulty>,
    app: Arc<App>,
    client: Client,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    _data: TempDir,
}

impl Process {
    fn start() -> Self {
        Self::with_clock(system_clock())
    }

    fn with_clock(clock: Clock) -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(Faulty::of(EmbeddedStore::open(data.path()).unwrap(), false));
        let app = Arc::new(App::open(store.clone(), &SettingsWish::default(), clock, Pace::default()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (started, handle) = channel();
        let served = app.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = http::serve(served, listener, HttpLimits::default(), Vec::new()).unwrap();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            store,
            app,
            client: Client::of(&address),
            handle: handle.recv().unwrap(),
            thread: Some(thread),
            _data: data,
        }
    }

    fn set(&self, fault: Fault) {
        self.store.set(fault);
    }

    /// The next commits wait: what says that one began, and what lets it go on.
    fn wait(&self) -> (Receiver<()>, Sender<Outcome>) {
        let ((began, has_begun), (go_on, gone_on)) = (channel(), channel());
        self.set(Fault::Wait { began, go_on: gone_on });
        (has_begun, go_on)
    }

    /// What can be read now, of everything.
    fn world(&self) -> Vec<Value> {
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
        lists.iter().map(|list| self.client.get(&format!("/{list}")).expect(200)).collect()
    }

    /// Whether memory is what the store would give a process that starts now.
    #[track_caller]
    fn assert_memory_is_disk(&self) {
        assert_same(&self.app.catalog(), &self.store.load().unwrap());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        self.app.close();
        assert!(ended || std::thread::panicking(), "the server ended in a panic");
    }
}

fn a_commit_that_fails_is_503_records_nothing_and_the_next_one_succeeds() {
    let process = Process::start();
    let client = &process.client;
    let open = client.started(&spec("open"));
    client.deploy(&provider("running", "sql"));
    let before = process.world();
    let revision = process.app.catalog().revision();

    process.set(Fault::Fail);
    let refused = [
        client.start_deployment(&consumer("a", "sql")),
        client.start_deployment(&json!({"artifactSpecs": [spec("a"), spec("b")]})),
        client.start_deployment(&json!({"artifactSpec": spec("a"), "idempotencyKey": "once"})),
        client.finish(text(&open, "id"), &json!({"success": true})),
        client.finish(text(&open, "id"), &json!({"success": false})),
        client.put("/servers/new", &json!({"environment": "test"})),
        client.put("/environments/new", &json!({"firstDeployment": "warn"})),
    ];
    for answer in refused {
        answer.expect_problem(503, "unavailable");
        assert_eq!(answer.header("Retry-After"), Some("1"), "{answer:?}");
    }
    assert_eq!(process.world(), before);
    assert_eq!(process.app.catalog().revision(), revision);
    process.assert_memory_is_disk();
    let red = client.get("/readyz").expect_problem(503, "unavailable");
    assert!(text(&red, "detail").contains("no space left on device"), "{red}");
    // What needs no commit is answered all the same.
    client.get("/healthz").expect(200);
    assert_eq!(
        client.send("POST", "/deployments/start?dryRun=true", &[crate::server::JSON], spec("a").to_string()).status,
        200
    );
    client.start_deployment(&consumer("a", "nothing")).expect_problem(422, "not-deployable");

    process.set(Fault::None);
    wait_until_ready(client);
    client.start_deployment(&json!({"artifactSpec": spec("a"), "idempotencyKey": "once"})).expect(201);
    assert_eq!(client.succeed(&open)["deployment"]["outcome"], "succeeded");
    assert_eq!(process.app.catalog().revision(), revision + 2, "what failed took no revision");
    process.assert_memory_is_disk();
}

fn a_clock_that_is_far_off_is_told_and_nothing_of_it_is_recorded() {
    let now = Arc::new(Mutex::new(Timestamp::from_milliseconds(1_000)));
    let told = now.clone();
    let process = Process::with_clock(Arc::new(move || *told.lock().unwrap()));
    let client = &process.client;
    client.started(&spec("before"));
    let revision = process.app.catalog().revision();
    // Some thousands of years later.
    *now.lock().unwrap() = Timestamp::from_milliseconds(i64::MAX);
    let refused = client.start_deployment(&spec("meanwhile")).expect_problem(503, "unavailable");
    assert!(text(&refused, "detail").contains("after the year 9999"), "{refused}");
    assert_eq!(process.app.catalog().revision(), revision);
    *now.lock().unwrap() = Timestamp::from_milliseconds(2_000);
    client.started(&spec("meanwhile"));
    assert_eq!(process.app.catalog().time(), Timestamp::from_milliseconds(2_000));
    process.assert_memory_is_disk();

    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(check_clock(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), Err(ClockError::TooEarly));
    assert_eq!(check_clock(at(253_402_300_800)), Err(ClockError::TooLate));
    assert_eq!(check_clock(at(i64::MAX as u64)), Err(ClockError::TooLate));
    assert_eq!([check_clock(at(0)), check_clock(SystemTime::now())], [Ok(()), Ok(())]);
}

fn few_plans_are_read_at_once_and_a_slow_one_holds_nothing_else_up() {
    let process = Process::start();
    let client = &process.client;
    let plan = client.started(&spec("read"));
    let (gate, reads) = (Arc::new(Gate::default()), PoolLimits::default().reads);
    *process.store.gate.lock().unwrap() = Some(gate.clone());
    let path = format!("/deployments/{}", text(&plan, "id"));
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..4 * reads).map(|_| scope.spawn(|| client.get(&path))).collect();
        gate.wait_for(reads);
        // Everything else goes on.
        client.get("/healthz").expect(200);
        client.started(&provider("meanwhile", "sql"));
        client.start_deployment(&consumer("planned", "nothing")).expect_problem(422, "not-deployable");
        assert_eq!(client.items("/deployments").len(), 2);
        assert_eq!(gate.open(), reads);
        reading.into_iter().for_each(|read| drop(read.join().unwrap().expect(200)));
    });
    assert_eq!(gate.state.lock().unwrap().most, reads);
}

fn nothing_can_be_read_before_it_is_durable() {
    let process = Process::start();
    let client = &process.client;
    client.deploy(&provider("running", "sql"));
    let open = client.started(&with(provider("running", "sql"), json!({"version": "2.0"})));
    let before = process.world();

    let (has_begun, go_on) = process.wait();
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| client.start_deployment(&provider("new", "http")));
        has_begun.recv().unwrap();
        assert_eq!(process.world(), before);
        client.start_deployment(&consumer("other", "http")).expect_problem(422, "not-deployable");
        assert!(!starting.is_finished(), "it was answered before it was durable");
        go_on.send(Outcome::Succeed).unwrap();
        starting.join().unwrap().expect(201);
    });
    assert_ne!(process.world(), before);

    let before = process.world();
    std::thread::scope(|scope| {
        let finishing = scope.spawn(|| client.succeed(&open));
        has_begun.recv().unwrap();
        assert_eq!(process.world(), before);
        assert_eq!(client.deployment(text(&open, "id"))["deployment"]["condition"], "Pending");
        go_on.send(Outcome::Succeed).unwrap();
        assert_eq!(finishing.join().unwrap()["deployment"]["currentState"], "Active");
    });
    process.assert_memory_is_disk();
}

fn a_batch_fails_as_a_whole_and_leaves_memory_and_disk_equal() {
    let process = Process::start();
    let client = &process.client;
    let before = process.world();
    let (has_begun, go_on) = process.wait();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| client.start_deployment(&spec("first")));
        has_begun.recv().unwrap();
        // These gather while the first one waits; half of them want the same slot.
        let waiting: Vec<_> = (0..8)
            .map(|number| scope.spawn(move || client.start_deployment(&spec(["same", "a", "same", "b"][number % 4]))))
            .collect();
        go_on.send(Outcome::Fail).unwrap();
        first.join().unwrap().expect_problem(503, "unavailable");
        while waiting.iter().any(|waiting| !waiting.is_finished()) {
            match has_begun.try_recv() {
                Ok(()) => go_on.send(Outcome::Fail).unwrap(),
                Err(_) => std::thread::yield_now(),
            }
        }
        for answer in waiting {
            // Even a refusal would rest on what was never recorded.
            answer.join().unwrap().expect_problem(503, "unavailable");
        }
    });
    assert_eq!(process.world(), before);
    process.assert_memory_is_disk();
    process.set(Fault::None);
    assert_eq!(client.started(&spec("same"))["deployment"]["number"], 1);
    process.assert_memory_is_disk();
}

fn a_dependent_of_a_failed_batch_is_planned_anew() {
    let process = Process::start();
    let client = &process.client;
    let first = client.started(&provider("database", "sql"));
    let (has_begun, go_on) = process.wait();
    std::thread::scope(|scope| {
        let finishing = scope.spawn(|| client.finish(text(&first, "id"), &json!({"success": true})));
        has_begun.recv().unwrap();
        go_on.send(Outcome::Fail).unwrap();
        finishing.join().unwrap().expect_problem(503, "unavailable");
    });
    process.set(Fault::None);
    client.start_deployment(&consumer("api", "sql")).expect_problem(422, "not-deployable");
    client.succeed(&first);
    client.started(&consumer("api", "sql"));
    process.assert_memory_is_disk();
}

/// How large a file may grow, in the blocks of `ulimit -f`: a disk that is soon full.
const FULL_AT: &str = "4000";

fn a_full_disk_is_503_records_nothing_and_the_process_stays_up() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -S -f $0; exec \"$@\" 2>$LOG", FULL_AT]);
    limited.env("LOG", &log);
    let mut server = Server::run(within(limited, &command_logging(&data.path().join("store"), "info")));
    let open = server.started(&spec("open"));
    let mut acknowledged = vec![text(&open, "id").to_owned()];
    let (mut asked, mut refused) = (0, 0);
    while refused < 5 {
        assert!(asked < 5_000, "the disk never gets full");
        // Of texts that cannot be made smaller, so that it is soon.
        let unlike: String = (0..1_000).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        let mut large = provider(&format!("artifact-{asked}"), "sql");
        large["description"] = json!(unlike);
        let answer = server.start_deployment(&large);
        if answer.status == 201 {
            acknowledged.push(text(&answer.json(), "id").to_owned());
        } else {
            answer.expect_problem(503, "unavailable");
            server.get("/readyz").expect_problem(503, "unavailable");
            refused += 1;
        }
        asked += 1;
    }
    let finish = server.finish(text(&open, "id"), &json!({"success": true}));
    assert!(matches!(finish.status, 200 | 503), "{finish:?}");
    let everything = server.items("/deployments?limit=1000");
    let mut recorded: Vec<_> = everything.iter().rev().map(|item| text(item, "id").to_owned()).collect();
    assert_eq!(recorded, acknowledged);
    server.get("/healthz").expect(200);

    // Somebody makes room: it is well again by itself.
    let pid = server.pid().to_string();
    let unlimited = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap();
    assert!(unlimited.success());
    wait_until_ready(&server);
    recorded.push(text(&server.started(&spec("room")), "id").to_owned());
    let told = std::fs::read_to_string(&log).unwrap();
    let count = |what: &str| told.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count("ERROR"), count("batches are recorded again"), "each trouble is told once:\n{told}");
    assert_eq!(count("WARN"), 0, "{told}");
    assert!(told.contains("failed_batches="), "{told}");
    server.kill();

    let server = Server::start_in(&data.path().join("store"), &[]);
    assert_eq!(server.items("/deployments?limit=1000").len(), recorded.len());
    if server.deployment(text(&open, "id"))["deployment"]["condition"] == "Pending" {
        server.succeed(&open);
    }
    recorded.push(text(&server.started(&spec("new")), "id").to_owned());
    assert_eq!(server.items("/deployments?limit=1000").len(), recorded.len());
}

/// Waits until it says that it is ready, which it does by itself.
#[track_caller]
pub fn wait_until_ready(client: &Client) {
    wait_for(client, 200);
}

/// Waits until it says that it is not ready; why.
#[track_caller]
pub fn wait_until_not_ready(client: &Client) -> String {
    let answer = wait_for(client, 503);
    client.get("/healthz").expect(200);
    text(&answer.expect_problem(503, "unavailable"), "detail").to_owned()
}

#[track_caller]
fn wait_for(client: &Client, status: u16) -> Answer {
    let began = Instant::now();
    loop {
        let answer = client.get("/readyz");
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "it does not get {status}: {answer:?}");
        std::thread::yield_now();
    }
}

/// The command `outer`, which runs `inner`.
pub fn within(mut outer: Command, inner: &Command) -> Command {
    outer.arg(inner.get_program()).args(inner.get_args());
    inner.get_envs().filter(|(_, value)| value.is_none()).for_each(|(name, _)| {
        outer.env_remove(name);
    });
    // It has much to say.
    outer.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    outer
}

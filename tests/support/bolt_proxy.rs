//! A Bolt peer that a test has go wrong: a proxy before a real database, or one that has no database and never answers.
//!
//! It understands enough of Bolt 4.4 to act on a `RUN` or a `COMMIT`. What it is to do is said while it runs; see [`Action`].

#![allow(dead_code, reason = "every test crate uses another part of it")]

#[path = "bolt_proxy/framing.rs"]
mod framing;
#[path = "bolt_proxy/script.rs"]
mod script;
#[path = "bolt_proxy/shared.rs"]
mod shared;
#[path = "bolt_proxy/wire.rs"]
mod wire;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use script::Script;
#[allow(unused_imports, reason = "every test crate uses another part of it")]
pub use script::{Action, DEADLOCK, Forward, Seen, Times};
use shared::Shared;
use wire::Wire;

/// How long a test waits for what it expects: far more than it takes, so that a hang shows as a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running proxy. All its connections are closed when it is dropped.
#[derive(Debug)]
pub struct BoltProxy {
    address: SocketAddr,
    /// `user:password`, as the database has it.
    credentials: String,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// What the threads of a proxy share.
#[derive(Debug, Default)]
struct State {
    script: Script,
    seen: Seen,
    /// How often the test had the commits that were held back go on.
    released: usize,
    /// Commits without a client that the database is to have, and has not answered yet.
    unanswered: usize,
    /// Whether new connections are to be refused.
    refuse: bool,
    /// Whether they are refused now.
    refused: bool,
    /// Whether the proxy is being dropped.
    closing: bool,
    wires: Vec<Arc<Wire>>,
    /// Connections on which nothing is ever answered.
    silent: Vec<TcpStream>,
}

impl BoltProxy {
    /// A proxy before the database at `bolt://user:password@host:port`. It forwards everything, until it is told otherwise.
    pub fn before(uri: &str) -> Self {
        let rest = uri.strip_prefix("bolt://").expect("the URI's scheme is bolt");
        let (credentials, upstream) = rest.split_once('@').expect("the URI names a user");
        Self::start(credentials, Some(upstream.to_owned()))
    }

    /// A peer without a database, which accepts connections and never answers.
    pub fn silent() -> Self {
        Self::start("neo4j:none", None)
    }

    fn start(credentials: &str, upstream: Option<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::<Shared>::default();
        let its = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || accept(listener, address, upstream.as_deref(), &its));
        Self { address, credentials: credentials.to_owned(), shared, accepting: Some(accepting) }
    }

    /// `bolt://user:password@host:port`, with the user of the database.
    pub fn uri(&self) -> String {
        format!("bolt://{}@{}", self.credentials, self.address)
    }

    /// Has something go wrong from now on. Of several actions that fit, the one that was said first happens.
    pub fn script(&self, action: Action, times: Times) {
        self.shared.change(|state| state.script.add(action, times));
    }

    /// Forgets every action, so that all is forwarded. What has happened to a connection stays so.
    pub fn clear(&self) {
        self.shared.change(|state| state.script.clear());
    }

    /// Refuses new connections; they are refused when this returns. Those that are open stay so.
    pub fn refuse(&self) {
        self.shared.change(|state| state.refuse = true);
        self.poke();
        self.shared.wait(|state| state.refused);
    }

    /// Accepts connections again, on the same port; they are accepted when this returns.
    pub fn admit(&self) {
        self.shared.change(|state| state.refuse = false);
        self.shared.wait(|state| !state.refused);
    }

    /// Closes all connections that are open now, on both sides.
    pub fn sever(&self) {
        for wire in self.shared.change(|state| std::mem::take(&mut state.wires)) {
            wire.close();
        }
    }

    /// Ends every connection that fell silent, so that the database learns that its client is gone. Closes all others too.
    pub fn heal(&self) {
        self.sever();
    }

    /// Lets the database have every `COMMIT` that is held back, and waits until it has answered them all.
    #[track_caller]
    pub fn release_commits(&self) {
        self.shared.change(|state| state.released += 1);
        let answered = self.shared.wait_for(PATIENCE, |state| state.unanswered == 0);
        assert!(answered, "not in {PATIENCE:?}: {:?}", self.seen());
    }

    /// What it has seen until now.
    pub fn seen(&self) -> Seen {
        self.shared.read(|state| state.seen.clone())
    }

    /// Waits until it has seen this.
    #[track_caller]
    pub fn wait_until(&self, so: impl Fn(&Seen) -> bool) -> Seen {
        assert!(self.shared.wait_for(PATIENCE, |state| so(&state.seen)), "not in {PATIENCE:?}: {:?}", self.seen());
        self.seen()
    }

    /// Wakes the thread that waits for connections, with one.
    fn poke(&self) {
        drop(TcpStream::connect(self.address));
    }
}

impl Drop for BoltProxy {
    fn drop(&mut self) {
        self.shared.change(|state| state.closing = true);
        self.poke();
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        self.sever();
    }
}

/// Accepts connections until the proxy is dropped.
fn accept(mut listener: TcpListener, address: SocketAddr, upstream: Option<&str>, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.read(|state| state.closing) {
            return;
        }
        if shared.read(|state| state.refuse) {
            // Without a listener the system refuses. The connection that woke this thread is closed by it.
            drop((accepted, listener));
            shared.change(|state| state.refused = true);
            shared.wait(|state| !state.refuse || state.closing);
            if shared.read(|state| state.closing) {
                return;
            }
            listener = TcpListener::bind(address).expect("the port is free again");
            shared.change(|state| state.refused = false);
            continue;
        }
        let Ok((client, _)) = accepted else { continue };
        shared.change(|state| state.seen.connections += 1);
        let silent = upstream.is_none()
            || shared.change(|state| state.script.take(|action| action == Action::StaySilent)).is_some();
        if silent {
            shared.change(|state| state.silent.push(client));
            continue;
        }
        // Where the database is gone, the client's connection is closed, which is what it would see without a proxy.
        let Some(Ok(upstream)) = upstream.map(TcpStream::connect) else { continue };
        let Ok(wire) = Wire::new(client, upstream).map(Arc::new) else { continue };
        shared.change(|state| state.wires.push(Arc::clone(&wire)));
        let its = Arc::clone(shared);
        std::thread::spawn(move || {
            // An error is a connection that ended, which ends the other side too.
            if wire.run(&its).is_err() {
                wire.close();
            }
        });
    }
}

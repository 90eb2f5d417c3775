//! The wire: routes, bodies, queries, problems.

mod admission;
mod answer;
mod body;
mod components;
mod connection;
mod deployments;
mod fallback;
mod finish;
mod format;
mod graph;
mod held;
mod limits;
mod meta;
mod names;
mod origin;
mod plans;
mod problem;
mod query;
mod routes;
mod servers;
mod serving;
mod start;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{HttpRequest, web};
use held::HeldBytes;
use origin::KnownHosts;

use crate::app::App;

pub use routes::{BodyLimit, Effect, ROUTES, Route};

/// Bounds of what is taken from clients and kept for them, and of what one question of the graph may cost.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// The most bytes of a body with one specification.
    pub body_bytes: usize,
    /// The most bytes of a body with a set.
    pub set_bytes: usize,
    /// The most connections at once; fewer where the process may not open that many files.
    pub connections: usize,
    /// How long the head of a request may take to arrive, from when the connection has nothing left to answer.
    pub head_time: Duration,
    /// How long a client may take nothing of its answer before the connection is cut.
    pub write_time: Duration,
    /// The most bytes of large answers that are held at once for clients that have not taken them yet, and of bodies that were not
    /// read yet.
    pub held_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// The most rows of an answer of the graph.
    pub query_rows: usize,
    /// The most bytes of a row of an answer of the graph.
    pub query_row_bytes: usize,
    /// The most bytes of all rows of an answer of the graph.
    pub query_bytes: usize,
    /// How long a question of the graph may take.
    pub query_time: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            set_bytes: 16 << 20,
            connections: 10_000,
            head_time: Duration::from_secs(10),
            write_time: Duration::from_secs(30),
            held_bytes: 256 << 20,
            body_timeout: Duration::from_secs(30),
            query_rows: 10_000,
            query_row_bytes: 1 << 20,
            query_bytes: 64 << 20,
            query_time: Duration::from_secs(30),
        }
    }
}

/// What every handler has.
struct State {
    app: Arc<App>,
    limits: HttpLimits,
    held: Arc<HeldBytes>,
    /// The bytes of bodies that came, or are coming, and were not read yet.
    received: Arc<HeldBytes>,
    hosts: KnownHosts,
}

impl State {
    /// The state that a request is answered from.
    fn of(request: &HttpRequest) -> &Self {
        request.app_data::<web::Data<Self>>().expect("the state is given to every request")
    }
}

/// A server on `listener`, which answers for `app`. On loopback it is asked as localhost, or by one of the names in
/// `allowed_hosts`. It handles no signals; stop it through its handle.
///
/// # Errors
/// What the system says where the listener cannot be used.
pub fn serve(
    app: Arc<App>,
    listener: TcpListener,
    limits: HttpLimits,
    allowed_hosts: Vec<String>,
) -> std::io::Result<Server> {
    let hosts = KnownHosts::new(listener.local_addr()?, allowed_hosts);
    let [held, received] = std::array::from_fn(|_| Arc::new(HeldBytes::new(limits.held_bytes)));
    serving::serve(State { app, limits, held, received, hosts }, listener)
}

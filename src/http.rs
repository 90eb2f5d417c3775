//! The wire: routes, bodies, queries, problems.

mod answer;
mod body;
mod components;
mod deployments;
mod fallback;
mod finish;
mod format;
mod graph;
mod meta;
mod names;
mod plans;
mod problem;
mod query;
mod routes;
mod servers;
mod start;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as Actix, HttpServer, web};

use crate::app::App;

pub use routes::{BodyLimit, Effect, ROUTES, Route};

/// Bounds of what is taken from clients, and of what one question of the graph may cost.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// The most bytes of a body with one specification.
    pub body_bytes: usize,
    /// The most bytes of a body with a set.
    pub set_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// The most rows of an answer of the graph.
    pub query_rows: usize,
    /// How long a question of the graph may take.
    pub query_time: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            set_bytes: 16 << 20,
            body_timeout: Duration::from_secs(30),
            query_rows: 10_000,
            query_time: Duration::from_secs(30),
        }
    }
}

/// What every handler has.
struct State {
    app: Arc<App>,
    limits: HttpLimits,
}

/// How long a graceful stop waits for requests that were accepted.
const STOP_SECONDS: u64 = 30;

/// A server on `listener`, which answers for `app`. It handles no signals; stop it through its handle.
///
/// # Errors
/// What the system says where the listener cannot be used.
pub fn serve(app: Arc<App>, listener: TcpListener, limits: HttpLimits) -> std::io::Result<Server> {
    // Made once, outside of the closure that runs for every worker.
    let state = web::Data::new(State { app, limits });
    let server = HttpServer::new(move || {
        Actix::new().app_data(state.clone()).wrap_fn(fallback::head_as_get).configure(routes::configure)
    });
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    Ok(server.workers(workers).disable_signals().shutdown_timeout(STOP_SECONDS).listen(listener)?.run())
}

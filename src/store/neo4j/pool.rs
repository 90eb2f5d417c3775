//! Connections: a few to read over, and one to write over.
//!
//! A connection on which anything went wrong is never used again: the whole pool it came from is dropped, which closes it,
//! and lets the database end whatever was under way there. The next piece of work connects anew.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use neo4rs::{DetachedRowStream, Graph, Query, Row, Txn};

use super::address::Address;
use super::fault::{Deadline, Fault};
use crate::store::StoreError;

/// A pool that is made when it is needed.
pub(super) struct Pool {
    config: neo4rs::Config,
    graph: Mutex<Option<Graph>>,
    /// How long one exchange may take.
    step: Duration,
}

impl Pool {
    /// A pool of so many connections. One exchange may take `step`, a wait for a lock `wait`.
    pub fn new(address: &Address, connections: usize, step: Duration, wait: Duration) -> Result<Self, StoreError> {
        // The driver bounds every single answer by what it calls the timeout of connecting.
        Ok(Self { config: address.config(connections, wait)?, graph: Mutex::new(None), step })
    }

    /// The pool of the driver, made where there is none.
    pub fn graph(&self) -> Result<Graph, Fault> {
        let mut graph = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        if graph.is_none() {
            *graph = Some(Graph::connect(self.config.clone())?);
        }
        graph.clone().ok_or_else(|| Fault::Broken("there is no pool".to_owned()))
    }

    /// Lets go of every connection.
    pub fn reset(&self) {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Opens a transaction.
    pub async fn begin(&self, deadline: Deadline) -> Result<Txn, Fault> {
        let graph = self.graph()?;
        self.watched(deadline.within(self.step, graph.start_txn()).await)
    }

    /// Reads every row of a statement of its own.
    pub async fn rows(&self, deadline: Deadline, query: Query) -> Result<Vec<Row>, Fault> {
        let graph = self.graph()?;
        let read = async { drain(graph.execute_read(query).await?).await };
        self.watched(deadline.within(self.step, read).await)
    }

    /// Runs a statement of its own that may write, and may be run again; its rows.
    pub async fn run(&self, deadline: Deadline, query: Query) -> Result<Vec<Row>, Fault> {
        let graph = self.graph()?;
        let run = async { drain(graph.execute(query).await?).await };
        self.watched(deadline.within(self.step, run).await)
    }

    /// How long one exchange may take.
    pub fn step(&self) -> Duration {
        self.step
    }

    /// Lets go of every connection where one broke.
    pub fn watched<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        if result.as_ref().is_err_and(Fault::breaks_the_connection) {
            self.reset();
        }
        result
    }
}

async fn drain(mut stream: DetachedRowStream) -> Result<Vec<Row>, neo4rs::Error> {
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await? {
        rows.push(row);
    }
    Ok(rows)
}

/// Waits before the `attempt`th repetition: longer each time, and never as long as another replica.
pub(super) async fn pause(attempt: u32, deadline: Deadline) {
    let longest = Duration::from_millis(20 << attempt.min(6));
    let share = f64::from(u32::from(uuid::Uuid::new_v4().as_bytes()[0]) + 1) / 256.0;
    tokio::time::sleep(longest.mul_f64(share).min(deadline.left())).await;
}

//! Questions of the graph, answered by an embedded engine over a graph in memory.
//!
//! The graph is made from the history when it is first asked for, and brought up to date before every question. A question
//! keeps the graph that it began with, so nobody waits for it. The engine is told by a flag that its time is over; a thread
//! that does not heed it is left behind, holding nothing that others need.

mod adapter;
mod values;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grafeo::{Config, GrafeoDB};
use grafeo_common::utils::error::ErrorCode;

use super::{EmbeddedStore, history};
use crate::cypher::portable::{Portable, Unanswerable};
use crate::graph::{Delta, MemoryGraph};
use crate::store::question::row;
use crate::store::{Ending, Query, QueryError, StoreError, TakeRow};
use adapter::{Stop, View};

/// How many nodes and relationships the graph in memory may have.
const MOST: usize = 4_000_000;
/// How many changes it is brought up to date with at once.
const BATCH: usize = 256;
/// How many threads may be left behind.
const LEFT_BEHIND: usize = 8;
/// The stack of the engine, which goes down it once for every step of a plan.
const STACK_BYTES: usize = 64 << 20;
/// How often it is looked whether anyone still waits.
const LOOK: Duration = Duration::from_millis(50);
/// How much more memory the process may take while a question is answered until the question is given up.
const MEMORY_BYTES: usize = 256 << 20;
/// How long the engine may take to heed the flag.
const GRACE: Duration = Duration::from_millis(500);

/// The graph, and the threads that ask it.
#[derive(Default)]
pub(super) struct Asking {
    graph: Mutex<Known>,
    running: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Known {
    graph: MemoryGraph,
    /// It was dropped, because it had become too large.
    is_too_large: bool,
}

/// What became of a question; `None` where its time was over.
type Ran = Result<Option<Table>, QueryError>;

/// What the engine answers.
struct Table {
    columns: usize,
    rows: Vec<Vec<grafeo::Value>>,
}

impl EmbeddedStore {
    pub(super) fn answer(&self, question: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError> {
        let deadline = Instant::now() + question.time;
        let portable =
            Portable::of(question.statement, question.parameters, question.rows).map_err(QueryError::Refused)?;
        let parameters = values::parameters(question.parameters)?;
        let graph = self.current_graph(deadline)?;
        let stop = Arc::new(Stop::default());
        let view = View::new(graph.clone(), stop.clone());
        let answer = self.run(view, portable.text, parameters, question.time)?;
        let Some(table) = wait(&answer, &stop, deadline, question.is_wanted)? else { return Ok(Ending::TimeLimit) };
        if table.columns != portable.columns.len() {
            return Err(failed("the engine answered other columns than were asked for"));
        }
        for (count, values) in table.rows.into_iter().enumerate() {
            if count == question.rows {
                return Ok(Ending::RowLimit);
            }
            if values.iter().map(values::bytes).sum::<usize>() > question.row_bytes {
                return Ok(Ending::ByteLimit(question.row_bytes));
            }
            let cells = values.into_iter().map(|value| values::cell(&graph, value));
            let cells = cells.collect::<Result<Vec<_>, QueryError>>()?;
            let named = portable.columns.iter().map(String::as_str).zip(cells);
            if take(row(named)) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(Ending::Complete)
    }

    /// The graph as the history makes it now.
    fn current_graph(&self, deadline: Instant) -> Result<MemoryGraph, QueryError> {
        // Held while it is brought up to date, so that this is done once; never while a question runs.
        let mut known = self.asking.graph.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if known.is_too_large {
                return Err(QueryError::Refused(too_large()));
            }
            let revision = known.graph.revision();
            let changes = self.read(|connection| history::changes_after(connection, revision, BATCH))?;
            let Some(last) = changes.last() else { return Ok(known.graph.clone()) };
            known.graph.apply(&Delta::of(&changes), last.revision);
            if known.graph.len() > MOST {
                *known = Known { is_too_large: true, ..Known::default() };
            }
            if Instant::now() > deadline {
                let revision = known.graph.revision();
                let told =
                    format!("the graph is being made from the history, and stands at revision {revision}; ask again");
                return Err(failed(&told));
            }
        }
    }

    /// Lets the engine answer on a thread of its own.
    fn run(
        &self,
        view: View,
        text: String,
        parameters: HashMap<String, grafeo::Value>,
        time: Duration,
    ) -> Result<Receiver<Ran>, QueryError> {
        let running = Running(self.asking.running.clone());
        if running.0.fetch_add(1, Ordering::SeqCst) >= LEFT_BEHIND {
            return Err(failed("too many questions that ran out of time have not ended yet; ask again later"));
        }
        let (sender, receiver) = channel();
        let work = move || {
            let answered = catch_unwind(AssertUnwindSafe(|| ask(view, &text, parameters, time)));
            // Nobody may wait any more.
            drop(sender.send(answered.unwrap_or_else(|_| Err(failed("the engine failed on this statement")))));
            drop(running);
        };
        let thread = std::thread::Builder::new().name("question".to_owned()).stack_size(STACK_BYTES).spawn(work);
        thread.map_err(|error| failed(&error.to_string()))?;
        Ok(receiver)
    }
}

/// Counts a thread until it ends.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn ask(view: View, text: &str, parameters: HashMap<String, grafeo::Value>, time: Duration) -> Ran {
    // Its factorized execution fails on some patterns that match nothing.
    let config = Config::in_memory().with_query_timeout(time).without_factorized_execution();
    let database = GrafeoDB::with_read_store(Arc::new(view), config).map_err(|error| failed(&error.to_string()))?;
    let answered = database.session().execute_cypher_with_params(text, parameters);
    let answered = match answered {
        Ok(answered) => answered,
        Err(error) if error.error_code() == ErrorCode::QueryTimeout => return Ok(None),
        Err(error) => return Err(QueryError::Refused(unanswered(&error.to_string()))),
    };
    Ok(Some(Table { columns: answered.columns.len(), rows: answered.into_rows() }))
}

/// Waits for the answer; `None` where its time is over, or nobody waits any more.
fn wait(
    answer: &Receiver<Ran>,
    stop: &Stop,
    deadline: Instant,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Table>, QueryError> {
    let before = resident_bytes();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if resident_bytes().saturating_sub(before) > MEMORY_BYTES {
            stop.set();
            return Err(QueryError::Refused(too_much()));
        }
        match answer.recv_timeout(LOOK.min(left)) {
            Ok(answered) => return answered,
            Err(RecvTimeoutError::Disconnected) => return Err(failed("the engine failed on this statement")),
            Err(RecvTimeoutError::Timeout) if left.is_zero() || !is_wanted() => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    // From now on it sees an empty graph, and what it answers means nothing.
    stop.set();
    drop(answer.recv_timeout(GRACE));
    Ok(None)
}

/// How much memory the process has; 0 where the system does not tell.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let written = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    written.and_then(|kib| kib.parse::<usize>().ok()).map_or(0, |kib| kib << 10)
}

fn failed(why: &str) -> QueryError {
    QueryError::Unavailable(StoreError::Failed(why.to_owned()))
}

/// What the engine cannot answer although it was found to be of what it can.
fn unanswered(error: &str) -> Unanswerable {
    let message = format!(
        "the embedded engine cannot answer this statement ({error}); write it otherwise, or ask a server on Neo4j"
    );
    Unanswerable { clause: "the statement".to_owned(), line: 1, column: 1, message }
}

fn too_much() -> Unanswerable {
    let message = format!(
        "the embedded engine took more than {MEMORY_BYTES} bytes of memory for this statement; ask for less at once, or ask a \
         server on Neo4j"
    );
    Unanswerable { clause: "the statement".to_owned(), line: 1, column: 1, message }
}

fn too_large() -> Unanswerable {
    let message = format!(
        "the graph has more than {MOST} nodes and relationships, which is the most that is kept in memory for questions; ask a \
         server on Neo4j"
    );
    Unanswerable { clause: "the graph".to_owned(), line: 1, column: 1, message }
}

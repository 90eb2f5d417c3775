//! Emptying a database, in both dialects.

use std::time::Duration;

use neo4rs::{ConfigBuilder, Error, Graph, Query, query};
use tokio::runtime::Builder;

use super::Engine;

/// How long emptying may take before the test fails.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How many nodes one transaction deletes: all at once overrun its memory.
const BATCH: i64 = 2_000;

/// A client of the database at `bolt://user:password@host:port`.
///
/// It connects with its first query, on the runtime that runs that.
pub fn connect(uri: &str) -> Graph {
    let (credentials, address) =
        uri.strip_prefix("bolt://").and_then(|rest| rest.split_once('@')).expect("the URI names a user");
    let (user, password) = credentials.split_once(':').expect("the URI has a password");
    let config = ConfigBuilder::new().uri(format!("bolt://{address}")).user(user).password(password).build();
    Graph::connect(config.expect("everything needed is given")).expect("the address is well-formed")
}

/// Deletes every constraint, index and node, after it has ended every transaction that others left open.
pub fn wipe(engine: Engine, uri: &str) {
    let emptied = apart(async { tokio::time::timeout(TIMEOUT, empty(engine, &connect(uri))).await });
    emptied.expect("a database can be emptied in time").expect("a database can be emptied");
}

/// Waits until a query is answered: a server may listen before its database is open.
pub fn answers(uri: &str) {
    let asked = apart(async { tokio::time::timeout(TIMEOUT, texts(&connect(uri), "RETURN 'yes' AS text")).await });
    assert_eq!(asked.expect("a database answers in time").expect("a database answers"), ["yes"]);
}

async fn empty(engine: Engine, graph: &Graph) -> Result<(), Error> {
    // ArcadeDB takes no locks for a transaction, so that none stands in the way.
    if engine == Engine::Neo4j {
        end_transactions(graph).await?;
    }
    for name in texts(graph, "SHOW CONSTRAINTS YIELD name RETURN name AS text").await? {
        graph.run(query(&format!("DROP CONSTRAINT `{name}` IF EXISTS"))).await?;
    }
    // Those that find nodes by label and relationships by type are always there.
    let indexes = "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name AS text";
    for name in texts(graph, indexes).await? {
        graph.run(query(&format!("DROP INDEX `{name}` IF EXISTS"))).await?;
    }
    let delete =
        || query("MATCH (n) WITH n LIMIT $batch DETACH DELETE n RETURN count(*) AS deleted").param("batch", BATCH);
    while number(graph, delete()).await? > 0 {}
    Ok(())
}

/// A test of faults may have left a transaction whose client is gone, and which still holds its locks.
async fn end_transactions(graph: &Graph) -> Result<(), Error> {
    let others = "SHOW TRANSACTIONS YIELD transactionId, currentQuery \
        WHERE NOT currentQuery STARTS WITH 'SHOW TRANSACTIONS' RETURN transactionId AS text";
    for transaction in texts(graph, others).await? {
        // Its rows are taken: where they are discarded, as `Graph::run` does, Neo4j ends nothing.
        let mut ended = graph.execute(query("TERMINATE TRANSACTIONS $id").param("id", transaction)).await?;
        while ended.next().await?.is_some() {}
    }
    Ok(())
}

async fn texts(graph: &Graph, cypher: &str) -> Result<Vec<String>, Error> {
    let mut rows = graph.execute(query(cypher)).await?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next().await? {
        texts.push(row.get("text")?);
    }
    Ok(texts)
}

async fn number(graph: &Graph, query: Query) -> Result<i64, Error> {
    let mut rows = graph.execute(query).await?;
    let row = rows.next().await?.expect("a count has one row");
    let number = row.get("deleted")?;
    // To its end: an auto-commit transaction commits when its last row is taken.
    while rows.next().await?.is_some() {}
    Ok(number)
}

/// Runs to its end on a thread of its own, so that a test may wait for it within a runtime or without.
fn apart<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(future);
    std::thread::scope(|scope| scope.spawn(run).join().expect("it does not panic"))
}

//! The schema of the graph: constraints, indexes, the head, and the format that all of it is in.

use neo4rs::{BoltMap, query};

use super::Neo4jStore;
use super::fault::{Deadline, Fault};
use super::pool::pause;
use super::read::parameters;
use crate::store::StoreError;

/// The format of the graph; a newer one is refused.
const FORMAT: i64 = 1;
/// Constraints and indexes, each statement ended by `;`.
const SCHEMA: &str = include_str!("../../../schema/graph.cypher");
/// Settings of a stock Neo4j that limit nothing.
const LIMITS: [(&str, &str); 2] = [
    ("db.transaction.timeout", "a transaction that nobody ends stays for ever; set it to a minute or so"),
    ("db.lock.acquisition.timeout", "a transaction waits for a lock for ever; set it to some seconds"),
];

/// The statements of the schema.
fn statements() -> impl Iterator<Item = String> {
    let without_comments = SCHEMA.lines().filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n");
    let statements: Vec<_> = without_comments.split(';').map(|statement| statement.trim().to_owned()).collect();
    statements.into_iter().filter(|statement| !statement.is_empty())
}

/// The format of the graph, where it is newer than what this version knows.
fn newer_format(head: &neo4rs::Row) -> Result<Option<i64>, Fault> {
    Ok(head.get::<Option<i64>>("format")?.filter(|&found| found > FORMAT))
}

/// Refuses what a newer version has made of the graph since this process started.
pub(super) fn check_format(head: &neo4rs::Row) -> Result<(), Fault> {
    newer_format(head)?.map_or(Ok(()), |found| {
        Err(Fault::Damaged(format!(
            "a newer mortise has taken the graph over (format {found}; this one knows {FORMAT}); use that version"
        )))
    })
}

impl Neo4jStore {
    /// Applies the schema, unless a newer version has applied its own. Waits for a database that is still starting.
    pub(super) async fn prepare(&self) -> Result<(), StoreError> {
        let deadline = Deadline::after(self.timeout);
        let (mut tries, mut earlier) = (0, None);
        loop {
            tries += 1;
            match self.apply(deadline).await {
                Ok(()) => return Ok(()),
                Err(Unprepared::TooNew(found)) => {
                    return Err(StoreError::TooNew { what: self.address.to_string(), found, known: FORMAT });
                }
                Err(Unprepared::Fault(fault)) if fault.is_transient() && !deadline.is_past() => {
                    if tries == 1 {
                        tracing::warn!(%fault, database = %self.address, "the database is not ready; trying again");
                    }
                    pause(tries + 4, deadline).await;
                    earlier = Some(fault.or_when_cut_short(earlier, self.readers.step()));
                }
                Err(Unprepared::Fault(fault @ Fault::Damaged(_))) => return Err(StoreError::from(fault)),
                Err(Unprepared::Fault(fault)) => {
                    let fault = fault.or_when_cut_short(earlier, self.readers.step());
                    let (address, remedy) = (self.address.to_string(), fault.remedy());
                    return Err(StoreError::Unusable { address, why: fault.to_string(), remedy });
                }
            }
        }
    }

    async fn apply(&self, deadline: Deadline) -> Result<(), Unprepared> {
        let known =
            self.readers.rows(deadline, query("MATCH (h:Head {name: 'head'}) RETURN h.format AS format")).await?;
        if let Some(found) = known.first().map(newer_format).transpose()?.flatten() {
            return Err(Unprepared::TooNew(found));
        }
        for statement in statements() {
            self.readers.run(deadline, query(&statement)).await?;
        }
        // Once the constraint stands two processes cannot both make a head.
        let head = "MERGE (h:Head {name: 'head'}) ON CREATE SET h.revision = 0, h.format = $format";
        let head = query(head).with_params(parameters([("format", FORMAT.into())]));
        self.readers.run(deadline, head).await?;
        Ok(())
    }

    /// What the server leaves unlimited, in words; nothing where it has no such settings.
    pub(super) async fn unlimited(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (setting, means) in LIMITS {
            let text = format!("SHOW SETTINGS '{setting}' YIELD value RETURN value");
            let Ok(rows) = self.rows(&text, BoltMap::default()).await else { continue };
            let value = rows.first().and_then(|row| row.get::<String>("value").ok());
            if value.is_some_and(|value| value == "0s" || value == "0") {
                found.push(format!("{setting} is 0 on the database: {means}"));
            }
        }
        found
    }
}

enum Unprepared {
    TooNew(i64),
    Fault(Fault),
}

impl From<Fault> for Unprepared {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

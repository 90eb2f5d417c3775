//! Upgrading a graph of an older format where it stands, in steps, each of which is one transaction that has the head.
//!
//! The first step puts the new format into the head, so that processes of older versions write no more, and beside it a mark: how
//! far the graph is upgraded. Then the history is written as records, some changes at a time, and the mark goes on with them. Last
//! go the texts and the snapshots of format 1, and then the mark. Tokens and keys that stood there in clear come after that; see
//! `secrets`. A process that ends in between leaves what the next one goes on
//! with, and several take steps in turn; none of them serves before the mark is gone. For people the graph is whole all the while.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use neo4rs::{Row, Txn, query};

use super::Neo4jStore;
use super::commit::Life;
use super::fault::{Deadline, Fault};
use super::known::Newest;
use super::pool::pause;
use super::read::{all_rows, number, parameters};
use super::schema::{FORMAT, Standing, standing};
use super::statement;
use crate::catalog::Catalog;
use crate::model::Settings;
use crate::store::StoreError;
use crate::store::format_1::Format1;

/// How many changes are upgraded in one step at most.
const CHANGES: u64 = 128;
/// How long a step may make records of them: whoever seems to do nothing for longer with the head in its hands is taken to be lost.
const LONGEST: Duration = Duration::from_millis(500);
/// After how many changes it is told how far it is.
const TOLD: u64 = 10_000;

const BEGIN: &str = "MATCH (h:Head {name: 'head'}) SET h.format = $format, h.upgraded = 0";
const TEXTS: &str = "MATCH (c:Change)-[p:PART]->(t:Text) WHERE c.revision > $after AND c.revision <= $last
    RETURN c.revision AS revision, p.n AS n, t.text AS text";
const GO_ON: &str = "MATCH (h:Head {name: 'head'}) SET h.upgraded = $upgraded";
/// What only format 1 has, some of it at a time: all at once would not fit into the memory of a transaction.
const DROP: [&str; 3] = [
    "MATCH (t:Text) WITH t LIMIT 1000 DETACH DELETE t RETURN count(*) AS dropped",
    "MATCH (k:IdempotencyKey) WHERE k.revision IS NULL WITH k LIMIT 1000 DETACH DELETE k RETURN count(*) AS dropped",
    "MATCH (s:Snapshot) WHERE s.format IS NULL WITH s LIMIT 1000 DETACH DELETE s RETURN count(*) AS dropped",
];
/// Settings that there were none of before are as they are read where nothing is recorded of them.
const SETTINGS: &str = "MATCH (s:Settings) WHERE s.maxPlanBytes IS NULL
    SET s.maxPlanBytes = $bytes, s.maxComparisons = $comparisons";
/// What an earlier version has upgraded before has secrets in clear.
const END: &str = "MATCH (h:Head {name: 'head'}) SET h.format = $format, h.secrets = 'clear' REMOVE h.upgraded";

/// What came of a step.
enum Step {
    /// There may be more to do.
    Done,
    /// The graph is upgraded.
    AllDone,
}

impl Neo4jStore {
    /// Takes steps until the graph is upgraded.
    ///
    /// # Errors
    /// [`StoreError`] where a step fails, again and again; what is upgraded until then stays so.
    pub(super) async fn upgrade(&self) -> Result<(), StoreError> {
        let mut catalog = Catalog::default();
        // Large changes take longer than one that waits for an answer should have to wait.
        let deadline_of_step = || Deadline::after(self.timeout * 4);
        let (mut tries, mut deadline) = (0, deadline_of_step());
        loop {
            match self.step(&mut catalog, deadline).await {
                Ok(Step::AllDone) => return Ok(()),
                Ok(Step::Done) => (tries, deadline) = (0, deadline_of_step()),
                Err(fault) if fault.is_transient() && !deadline.is_past() => {
                    tracing::debug!(%fault, "a step of the upgrade came to nothing; taking it again");
                    tries += 1;
                    pause(tries, deadline).await;
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    async fn step(&self, catalog: &mut Catalog, deadline: Deadline) -> Result<Step, Fault> {
        let life = Life::until(deadline, self.writer.step());
        let mut transaction = self.writer.begin(deadline).await?;
        match self.write_step(&mut transaction, catalog, deadline, life).await {
            Ok(Written::Step(after)) => {
                self.writer.watched(deadline.within(self.writer.step(), transaction.commit()).await)?;
                // Not before it is certain: else it is read again, from the records or from the texts.
                *catalog = *after;
                Ok(Step::Done)
            }
            Ok(Written::Nothing) => {
                self.end(transaction, deadline).await;
                Ok(Step::AllDone)
            }
            Ok(Written::Missed(upgraded)) => {
                self.end(transaction, deadline).await;
                self.catch_up(catalog, upgraded).await.map(|()| Step::Done)
            }
            Err(fault) => {
                if fault.breaks_the_connection() {
                    self.writer.reset();
                } else {
                    self.end(transaction, deadline).await;
                }
                Err(fault)
            }
        }
    }

    /// Takes the head, and writes what comes next; all but the commit.
    async fn write_step(
        &self,
        transaction: &mut Txn,
        catalog: &Catalog,
        deadline: Deadline,
        life: Life,
    ) -> Result<Written, Fault> {
        let head = self.wait_for_head(transaction, Newest::default(), deadline, life).await?;
        let end: u64 = head.get("revision")?;
        match standing(&head)? {
            Standing::Current => Ok(Written::Nothing),
            Standing::Newer(_) => Err(Fault::Damaged("a newer mortise has taken the graph over".to_owned())),
            Standing::Clear { is_begun } => {
                let Settings { max_plan_bytes, max_comparisons, .. } = Settings::default();
                let new = [("bytes", number(max_plan_bytes.into())), ("comparisons", number(max_comparisons.into()))];
                self.run(transaction, SETTINGS, new, deadline).await?;
                self.keep_secrets(transaction, is_begun, deadline).await?;
                Ok(Written::Step(Box::new(catalog.clone())))
            }
            Standing::Older { upgraded: None } => {
                tracing::info!(database = %self.address, "upgrading the graph to format {FORMAT}: {end} changes");
                self.run(transaction, BEGIN, [("format", FORMAT.into())], deadline).await?;
                Ok(Written::Step(Box::new(catalog.clone())))
            }
            Standing::Older { upgraded: Some(upgraded) } if upgraded < end => {
                if catalog.revision() != upgraded {
                    return Ok(Written::Missed(upgraded));
                }
                self.convert(transaction, catalog, end, deadline).await.map(Box::new).map(Written::Step)
            }
            Standing::Older { .. } => {
                let mut dropped = 0;
                for text in DROP {
                    let rows = self.run(transaction, text, [], deadline).await?;
                    dropped += rows.first().map_or(Ok(0), |row| row.get::<u64>("dropped"))?;
                }
                if dropped == 0 {
                    self.run(transaction, END, [("format", FORMAT.into())], deadline).await?;
                }
                Ok(Written::Step(Box::new(catalog.clone())))
            }
        }
    }

    /// Writes the next changes after `catalog`; gives it back as it is after them.
    async fn convert(
        &self,
        transaction: &mut Txn,
        catalog: &Catalog,
        end: u64,
        deadline: Deadline,
    ) -> Result<Catalog, Fault> {
        let after = catalog.revision();
        let between = [("after", number(after)), ("last", number(end.min(after + CHANGES)))];
        let texts = texts(&self.run(transaction, TEXTS, between, deadline).await?)?;
        let mut format_1 = Format1::after(catalog.clone());
        let (mut changes, mut last, began) = (Vec::new(), after, Instant::now());
        while last < end.min(after + CHANGES) && (last == after || began.elapsed() < LONGEST) {
            let revision = last + 1;
            let text = texts.get(&revision);
            let text = text.ok_or_else(|| Fault::Damaged(format!("the history has no revision {revision}")))?;
            changes.push(format_1.read(text.as_bytes()).map_err(Fault::damaged)?);
            last = revision;
        }
        for statement in statement::since_format_1(&changes).map_err(Fault::damaged)? {
            deadline.within(self.writer.step(), transaction.run(statement)).await?;
        }
        self.run(transaction, GO_ON, [("upgraded", number(last))], deadline).await?;
        if last == end || after / TOLD != last / TOLD {
            tracing::info!("upgrading the history: {last} of {end} changes");
        }
        Ok(format_1.into_catalog())
    }

    /// Reads what was upgraded before, or by another process.
    async fn catch_up(&self, catalog: &mut Catalog, upgraded: u64) -> Result<(), Fault> {
        if catalog.revision() > upgraded {
            *catalog = Catalog::default();
        }
        while catalog.revision() < upgraded {
            let due = usize::try_from(upgraded - catalog.revision()).unwrap_or(usize::MAX);
            for change in self.changes(catalog.revision(), due.min(super::REPLAYED)).await? {
                catalog.apply(&change);
            }
        }
        Ok(())
    }

    pub(super) async fn run<const N: usize>(
        &self,
        transaction: &mut Txn,
        text: &str,
        given: [(&str, neo4rs::BoltType); N],
        deadline: Deadline,
    ) -> Result<Vec<Row>, Fault> {
        let statement = query(text).with_params(parameters(given));
        deadline.within(self.writer.step(), all_rows(transaction, statement)).await
    }
}

/// What was written of a step.
enum Written {
    /// All of it, to be committed. This is what runs after the changes that are upgraded then.
    Step(Box<Catalog>),
    /// Nothing: there is nothing left to do.
    Nothing,
    /// Nothing: it is upgraded up to this revision, which this process does not know yet.
    Missed(u64),
}

/// Texts by revision, out of one row a part, in whatever order those come.
fn texts(rows: &[Row]) -> Result<BTreeMap<u64, String>, Fault> {
    let mut parts: BTreeMap<u64, BTreeMap<u64, &str>> = BTreeMap::new();
    for row in rows {
        parts.entry(row.get("revision")?).or_default().insert(row.get("n")?, row.get("text")?);
    }
    Ok(parts.into_iter().map(|(revision, parts)| (revision, parts.into_values().collect())).collect())
}

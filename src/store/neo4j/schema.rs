//! The schema of the graph: constraints, indexes, the head, and the format that all of it is in.

use neo4rs::{BoltMap, query};

use super::Neo4jStore;
use super::fault::{Deadline, Fault};
use super::pool::pause;
use super::read::parameters;
use crate::store::StoreError;

/// The format of the graph; an older one is upgraded, a newer one is refused.
pub(super) const FORMAT: i64 = 3;
/// The format before that, with tokens and keys in clear.
const CLEAR: i64 = 2;
/// Constraints and indexes, each statement ended by `;`.
const SCHEMA: &str = include_str!("../../../schema/graph.cypher");
const HEAD: &str =
    "MATCH (h:Head {name: 'head'}) RETURN h.format AS format, h.upgraded AS upgraded, h.secrets AS secrets";
const MAKE_HEAD: &str = "MERGE (h:Head {name: 'head'}) ON CREATE SET h.revision = 0, h.format = $format
    RETURN h.format AS format, h.upgraded AS upgraded, h.secrets AS secrets";
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

/// How the graph stands to what this version writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is what this version writes.
    Current,
    /// An older version wrote it, or an upgrade of it is not done: it has come up to this revision, where it has begun.
    Older { upgraded: Option<u64> },
    /// Tokens and keys stand there in clear, or some of them do: it has begun that they are kept otherwise.
    Clear { is_begun: bool },
    /// A newer version wrote it, in this format.
    Newer(i64),
}

/// How the graph stands, by the `format` and `upgraded` of its head.
pub(super) fn standing(head: &neo4rs::Row) -> Result<Standing, Fault> {
    let upgraded = head.get::<Option<u64>>("upgraded")?;
    let is_begun = head.get::<Option<String>>("secrets")?.is_some();
    Ok(match head.get::<i64>("format")? {
        newer if newer > FORMAT => Standing::Newer(newer),
        FORMAT | CLEAR if upgraded.is_none() && is_begun => Standing::Clear { is_begun },
        FORMAT if upgraded.is_none() => Standing::Current,
        CLEAR if upgraded.is_none() => Standing::Clear { is_begun },
        _ => Standing::Older { upgraded },
    })
}

/// Refuses what another process has made of the graph since this one started.
pub(super) fn check_format(head: &neo4rs::Row) -> Result<(), Fault> {
    Err(Fault::Damaged(match standing(head)? {
        Standing::Current => return Ok(()),
        Standing::Older { .. } | Standing::Clear { .. } => {
            "the graph in the database is another one, of an older format; restart this process, \
                                   so that it is upgraded"
                .to_owned()
        }
        Standing::Newer(found) => format!(
            "a newer mortise has taken the graph over (format {found}; this one knows {FORMAT}); use that version"
        ),
    }))
}

impl Neo4jStore {
    /// Applies the schema, unless a newer version has applied its own, and upgrades what an older one wrote. Waits for a database
    /// that is still starting.
    pub(super) async fn prepare(&self) -> Result<(), StoreError> {
        let deadline = Deadline::after(self.timeout);
        let (mut tries, mut earlier) = (0, None);
        loop {
            tries += 1;
            match self.apply(deadline).await {
                Ok(Standing::Current) => return Ok(()),
                Ok(Standing::Older { .. } | Standing::Clear { .. }) => return self.upgrade().await,
                Ok(Standing::Newer(found)) => {
                    return Err(StoreError::TooNew { what: self.address.to_string(), found, known: FORMAT });
                }
                Err(fault) if fault.is_transient() && !deadline.is_past() => {
                    if tries == 1 {
                        tracing::warn!(%fault, database = %self.address, "the database is not ready; trying again");
                    }
                    pause(tries + 4, deadline).await;
                    earlier = Some(fault.or_when_cut_short(earlier, self.readers.step()));
                }
                Err(fault @ (Fault::Damaged(_) | Fault::DamagedChanges(_))) => return Err(StoreError::from(fault)),
                Err(fault) => {
                    let fault = fault.or_when_cut_short(earlier, self.readers.step());
                    let (address, remedy) = (self.address.to_string(), fault.remedy());
                    return Err(StoreError::Unusable { address, why: fault.to_string(), remedy });
                }
            }
        }
    }

    async fn apply(&self, deadline: Deadline) -> Result<Standing, Fault> {
        let known = self.readers.rows(deadline, query(HEAD)).await?;
        // Asked once it answers: one that is still starting has not said no.
        if self.tells_life.get().is_none() {
            let tells = self.takes_metadata().await;
            self.tells_life.get_or_init(|| tells);
        }
        if let Some(newer @ Standing::Newer(_)) = known.first().map(standing).transpose()? {
            return Ok(newer);
        }
        for statement in statements() {
            match self.readers.run(deadline, query(&statement)).await {
                // Another process that starts at the same time has just made it.
                Err(Fault::Refused { code, .. }) if code.ends_with(".EquivalentSchemaRuleAlreadyExists") => {}
                made => drop(made?),
            }
        }
        // Once the constraint stands two processes cannot both make a head.
        let head = query(MAKE_HEAD).with_params(parameters([("format", FORMAT.into())]));
        let made = self.readers.run(deadline, head).await?;
        made.first().map_or(Ok(Standing::Current), standing)
    }

    /// Whether a transaction can say something of itself there.
    pub(super) async fn takes_metadata(&self) -> bool {
        let text = "SHOW PROCEDURES YIELD name WHERE name = 'tx.setMetaData' RETURN name";
        self.rows(text, BoltMap::default()).await.is_ok_and(|rows| !rows.is_empty())
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

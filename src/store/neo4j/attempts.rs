//! Attempts, listed from their nodes: those have every property of their rows, but for the longest reasons.

use std::collections::BTreeMap;

use neo4rs::{BoltList, BoltMap, BoltType, Row};

use super::Neo4jStore;
use super::fault::Fault;
use super::read::{number, parameters, parsed};
use crate::graph::first_place;
use crate::model::{
    Action, Condition, DeploymentId, DeploymentSpec, KeptToken, Name, Outcome, Row as Kept, Slot, State, Timestamp,
};
use crate::store::{DeploymentFilter, DeploymentPage, ListedDeployment, LocatedAttempt, Page};

impl Neo4jStore {
    pub(super) async fn attempts(&self, filter: &DeploymentFilter, page: Page) -> Result<DeploymentPage, Fault> {
        let from = match filter.from {
            Some(time) => Some(self.place_at(time).await?),
            None => None,
        };
        let to = match filter.to {
            Some(time) => Some(self.place_at(time).await?),
            None => None,
        };
        let before = page.before.into_iter().chain(to).min();
        let word = |value: Option<&'static str>| value.map(BoltType::from);
        let written = |value: &Option<String>| value.as_deref().map(BoltType::from);
        let conditions = [
            ("d.system = $system", "system", written(&filter.system)),
            ("d.artifact = $artifact", "artifact", written(&filter.artifact)),
            ("d.environment = $environment", "environment", written(&filter.environment)),
            ("d.instance = $instance", "instance", written(&filter.instance)),
            ("d.currentState = $state", "state", word(filter.state.map(State::as_str))),
            ("d.targetState = $target", "target", word(filter.target_state.map(State::as_str))),
            ("d.condition = $condition", "condition", word(filter.condition.map(|condition| condition.as_str()))),
            ("d.outcome = $outcome", "outcome", word(filter.outcome.map(Outcome::as_str))),
            ("d.actor = $actor", "actor", written(&filter.actor)),
            ("d.place >= $from", "from", from.map(BoltType::from)),
            ("d.place < $before", "before", before.map(BoltType::from)),
        ];
        // The conditions are our own words; what the client gave is only ever a parameter.
        // Of these indexes each has the attempts in the order of the list. The planner cannot know which one leads to few.
        let is_unusual = filter.condition.is_some_and(|condition| condition != Condition::Ok);
        let leading = [
            ("condition", is_unusual),
            ("artifact", filter.artifact.is_some()),
            ("outcome", filter.outcome.is_some_and(|outcome| outcome != Outcome::Succeeded)),
            ("actor", filter.actor.is_some()),
            ("environment", filter.environment.is_some()),
            ("system", filter.system.is_some()),
            ("currentState", filter.state.is_some()),
            ("outcome", filter.outcome.is_some()),
        ];
        let lead = leading.into_iter().find(|(_, is_given)| *is_given).map(|(property, _)| property);
        let mut walk = "MATCH (d:DeploymentSpec)".to_owned();
        if let Some(property) = lead {
            walk += &format!(" USING INDEX d:DeploymentSpec({property}, place)");
        }
        walk.push_str(" WHERE d.place IS NOT NULL");
        let mut rest = String::new();
        let mut given = BoltMap::default();
        for (condition, name, value) in conditions {
            let Some(value) = value else { continue };
            // The place and what the index has say where the walk begins and ends; of the rest it looks at each attempt.
            let is_walk = condition.starts_with("d.place ")
                || lead.is_some_and(|lead| condition.starts_with(&format!("d.{lead} ")));
            let conditions = if is_walk { &mut walk } else { &mut rest };
            *conditions += &format!(" {} {condition}", if !is_walk && conditions.is_empty() { "WHERE" } else { "AND" });
            given.put(name.into(), value);
        }
        given.put("limit".into(), number(page.limit as u64 + 1));
        given.put("looks".into(), number(page.looks as u64));
        let looked_at = format!("{walk} WITH d ORDER BY d.place DESC LIMIT $looks");
        let text = format!(
            "{looked_at} WITH d {rest} WITH d ORDER BY d.place DESC LIMIT $limit {ATTEMPT} ORDER BY place DESC"
        );
        let rows = self.rows(&text, given.clone()).await?;
        let mut found = DeploymentPage { looked: rows.len(), ..DeploymentPage::default() };
        for row in rows.iter().take(page.limit) {
            found.items.push(ListedDeployment { place: row.get("place")?, spec: self.attempt(row).await? });
        }
        if rows.len() > page.limit {
            found.next = found.items.last().map(|last| last.place);
        } else if !rest.is_empty() {
            // Where it looked at as many as it may, it goes on behind them.
            let text = format!("{looked_at} WITH d.place AS place RETURN count(place) AS looked, min(place) AS last");
            let rows = self.rows(&text, given).await?;
            let looked = rows.first().map(|row| row.get::<u64>("looked")).transpose()?.unwrap_or_default();
            found.looked = usize::try_from(looked).unwrap_or(usize::MAX);
            if found.looked >= page.looks {
                found.next = rows.first().map(|row| row.get("last")).transpose()?;
            }
        }
        Ok(found)
    }

    /// The first place of attempts that were created at a time or after; where there is none, one behind all.
    async fn place_at(&self, time: Timestamp) -> Result<i64, Fault> {
        // Later changes are never of an earlier time, and each has places of its own.
        let text =
            "MATCH (c:Change) WHERE c.time >= $time RETURN c.revision AS revision ORDER BY c.time, revision LIMIT 1";
        let rows = self.rows(text, parameters([("time", time.to_string().into())])).await?;
        let first = rows.first().map(|row| row.get::<u64>("revision")).transpose()?;
        Ok(first.map_or(i64::MAX, |revision| i64::try_from(first_place(revision)).unwrap_or(i64::MAX)))
    }

    /// Attempts and where their rows stand in the history, in the order of `ids`.
    pub(super) async fn located_attempts(&self, ids: &[DeploymentId]) -> Result<Vec<Option<LocatedAttempt>>, Fault> {
        let mut found = BTreeMap::new();
        for some in ids.chunks(IDS) {
            let given = some.iter().map(|id| BoltType::from(id.to_string())).collect::<Vec<_>>();
            let text =
                format!("{LOCATED} {ATTEMPT}, l.token AS token, d.receivedAt AS received, d.resolvedAt AS resolved");
            for row in self.rows(&text, parameters([("ids", BoltType::List(BoltList::from(given)))])).await? {
                let spec = self.attempt(&row).await?;
                let located = LocatedAttempt {
                    token: row.get::<Option<String>>("token")?.map(KeptToken::from_kept),
                    received: row.get("received")?,
                    resolved: row.get("resolved")?,
                    spec,
                };
                found.insert(located.spec.id, located);
            }
        }
        Ok(ids.iter().map(|id| found.remove(id)).collect())
    }

    /// An attempt; a reason that is too long for the graph is read in the history.
    async fn attempt(&self, row: &Row) -> Result<DeploymentSpec, Fault> {
        let spec = attempt(row)?;
        if !row.get::<Option<bool>>("reasonInHistory")?.unwrap_or(false) {
            return Ok(spec);
        }
        let revision: u64 = row.get("revision")?;
        let changes = self.changes_of(&[revision].into()).await?;
        let kept = changes.into_values().flat_map(|change| change.rows).find_map(|row| match row {
            Kept::DeploymentSpec(kept) if kept.id == spec.id => Some(kept),
            _ => None,
        });
        kept.ok_or_else(|| Fault::Damaged(format!("the row of deployment {} is not in the history", spec.id)))
    }
}

/// How many ids a message has room for.
const IDS: usize = 150;

/// Finds attempts `d` and their leases `l`.
const LOCATED: &str =
    "MATCH (d:DeploymentSpec) WHERE d.id IN $ids AND d.receivedAt IS NOT NULL AND d.resolvedAt IS NOT NULL
    OPTIONAL MATCH (d)-[:LEASED_AS]->(l:Lease)";

/// The columns of an attempt `d`.
const ATTEMPT: &str = "RETURN d.place AS place, d.id AS id, d.plan AS plan, d.system AS system, d.artifact AS artifact,
    d.environment AS environment, d.instance AS instance, d.version AS version, d.number AS number,
    d.currentState AS currentState, d.targetState AS targetState, d.outcome AS outcome, d.reason AS reason,
    d.reasonInHistory AS reasonInHistory, d.createdAt AS createdAt, d.finishedAt AS finishedAt, d.actor AS actor,
    d.supersedes AS supersedes, d.opening AS opening, d.endedAt AS ended, d.revision AS revision";

fn attempt(row: &Row) -> Result<DeploymentSpec, Fault> {
    let text = |name: &str| Ok::<String, Fault>(row.get(name)?);
    let maybe = |name: &str| Ok::<Option<String>, Fault>(row.get(name)?);
    let name = |column: &str| Name::recorded(text(column)?).map_err(|error| unreadable(column, &error));
    let state = |column: &str| {
        let written = text(column)?;
        State::ALL.into_iter().find(|state| state.as_str() == written).ok_or_else(|| unreadable(column, &written))
    };
    let outcome = maybe("outcome")?
        .map(|written| {
            let found = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == written);
            found.ok_or_else(|| unreadable("outcome", &written))
        })
        .transpose()?;
    Ok(DeploymentSpec {
        id: parsed(&text("id")?)?,
        plan: parsed(&text("plan")?)?,
        slot: Slot {
            artifact: name("artifact")?,
            environment: name("environment")?,
            instance: text("instance")?.into(),
        },
        system: name("system")?,
        version: text("version")?.into(),
        number: row.get("number")?,
        current_state: state("currentState")?,
        target_state: state("targetState")?,
        opening: maybe("opening")?.and_then(|action| Action::from_text(&action)),
        outcome,
        reason: maybe("reason")?,
        ended: row.get("ended")?,
        created_at: parsed(&text("createdAt")?)?,
        finished_at: maybe("finishedAt")?.map(|time| parsed(&time)).transpose()?,
        actor: maybe("actor")?,
        supersedes: maybe("supersedes")?.map(|id| parsed(&id)).transpose()?,
    })
}

fn unreadable(what: &str, why: &dyn std::fmt::Display) -> Fault {
    Fault::Damaged(format!("{what} of a DeploymentSpec cannot be read: {why}"))
}

//! Attempts, listed from their nodes: those have every property of their rows, but for the longest reasons.

use std::collections::BTreeMap;

use neo4rs::{BoltList, BoltMap, BoltType, Row};

use super::Neo4jStore;
use super::fault::Fault;
use super::read::{number, parameters, parsed};
use crate::model::{
    Action, Condition, DeploymentId, DeploymentSpec, LeaseToken, Name, Outcome, Row as Kept, Slot, State,
};
use crate::store::{DeploymentFilter, ListedDeployment, LocatedAttempt, Page};

impl Neo4jStore {
    pub(super) async fn attempts(&self, filter: &DeploymentFilter, page: Page) -> Result<Vec<ListedDeployment>, Fault> {
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
            ("d.createdAt >= $from", "from", filter.from.map(|time| time.to_string().into())),
            ("d.createdAt < $to", "to", filter.to.map(|time| time.to_string().into())),
            ("d.place < $before", "before", page.before.map(BoltType::from)),
        ];
        // The conditions are our own words; what the client gave is only ever a parameter.
        // Of these indexes each has the attempts in the order of the list. The planner cannot know which one leads to few.
        let is_unusual = filter.condition.is_some_and(|condition| condition != Condition::Ok);
        let leading = [
            ("condition", is_unusual),
            ("artifact", filter.artifact.is_some()),
            ("actor", filter.actor.is_some()),
            ("environment", filter.environment.is_some()),
            ("system", filter.system.is_some()),
        ];
        let mut text = "MATCH (d:DeploymentSpec)".to_owned();
        if let Some((property, _)) = leading.into_iter().find(|(_, is_given)| *is_given) {
            text += &format!(" USING INDEX d:DeploymentSpec({property}, place)");
        }
        text.push_str(" WHERE d.place IS NOT NULL");
        let mut given = BoltMap::default();
        for (condition, name, value) in conditions {
            let Some(value) = value else { continue };
            text.push_str(" AND ");
            text.push_str(condition);
            given.put(name.into(), value);
        }
        text.push_str(" WITH d ORDER BY d.place DESC LIMIT $limit ");
        text.push_str(ATTEMPT);
        text.push_str(" ORDER BY place DESC");
        given.put("limit".into(), number(page.limit as u64));
        let rows = self.rows(&text, given).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in &rows {
            listed.push(ListedDeployment { place: row.get("place")?, spec: self.attempt(row).await? });
        }
        Ok(listed)
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
                    token: row.get::<Option<String>>("token")?.map(LeaseToken),
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
    let name = |column: &str| Name::new(text(column)?).map_err(|error| unreadable(column, &error));
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

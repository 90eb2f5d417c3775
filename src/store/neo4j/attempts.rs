//! Attempts, listed from their nodes: those have every property of their rows, but for the longest reasons.

use neo4rs::{BoltMap, BoltType, Row};

use super::Neo4jStore;
use super::fault::Fault;
use super::read::{number, parsed};
use crate::model::{Action, Condition, DeploymentSpec, LeaseToken, Name, Opening, Outcome, Slot, State};
use crate::store::{DeploymentFilter, ListedDeployment, Page};

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
        text.push_str(" WITH d ORDER BY d.place DESC LIMIT $limit OPTIONAL MATCH (d)-[:LEASED_AS]->(l:Lease) ");
        text.push_str(ATTEMPT);
        text.push_str(" ORDER BY place DESC");
        given.put("limit".into(), number(page.limit as u64));
        let rows = self.rows(&text, given).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut spec = attempt(row)?;
            if row.get::<Option<bool>>("reasonInHistory")?.unwrap_or(false)
                && let Some(stored) = self.stored(&[spec.id]).await?.pop().flatten()
            {
                spec = stored.spec;
            }
            listed.push(ListedDeployment { place: row.get("place")?, spec });
        }
        Ok(listed)
    }
}

/// The columns of an attempt `d` and its lease `l`.
const ATTEMPT: &str = "RETURN d.place AS place, d.id AS id, d.plan AS plan, d.system AS system, d.artifact AS artifact,
    d.environment AS environment, d.instance AS instance, d.version AS version, d.number AS number,
    d.currentState AS currentState, d.targetState AS targetState, d.outcome AS outcome, d.reason AS reason,
    d.reasonInHistory AS reasonInHistory, d.createdAt AS createdAt, d.finishedAt AS finishedAt, d.actor AS actor,
    d.supersedes AS supersedes, l.token AS token, l.action AS action";

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
    let token = maybe("token")?.map(LeaseToken);
    let action = maybe("action")?.and_then(|action| Action::from_text(&action));
    let (opening, ended_with) = match (action, token) {
        (Some(action), Some(token)) => (Some(Opening { action, token }), None),
        (_, token) => (None, token),
    };
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
        opening,
        outcome,
        reason: maybe("reason")?,
        ended_with,
        created_at: parsed(&text("createdAt")?)?,
        finished_at: maybe("finishedAt")?.map(|time| parsed(&time)).transpose()?,
        actor: maybe("actor")?,
        supersedes: maybe("supersedes")?.map(|id| parsed(&id)).transpose()?,
    })
}

fn unreadable(what: &str, why: &dyn std::fmt::Display) -> Fault {
    Fault::Damaged(format!("{what} of a DeploymentSpec cannot be read: {why}"))
}

//! What stands in the database, read with plain Cypher.

use std::collections::BTreeMap;
use std::time::Duration;

use neo4rs::{Row, query};

use crate::database::connect;

/// An attempt as its node has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: String,
    pub slot: [String; 3],
    pub number: i64,
    pub state: String,
    pub condition: String,
    pub outcome: Option<String>,
    pub actor: Option<String>,
}

/// Every row of a statement.
pub fn rows(uri: &str, cypher: &str) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = async {
        let mut stream = connect(uri).execute(query(cypher)).await.unwrap();
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await.unwrap() {
            rows.push(row);
        }
        rows
    };
    // A hang shows as a failure.
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), read).await }).expect("it answers in time")
}

/// Every attempt, in the order of slots and numbers.
pub fn attempts(uri: &str) -> Vec<Attempt> {
    let found = rows(
        uri,
        "MATCH (d:DeploymentSpec) RETURN d.id AS id, d.artifact AS artifact, d.environment AS environment,
            coalesce(d.instance, '') AS instance, d.number AS number, d.currentState AS state, d.condition AS condition,
            d.outcome AS outcome, d.actor AS actor ORDER BY artifact, environment, instance, number",
    );
    let attempt = |row: &Row| Attempt {
        id: row.get("id").unwrap(),
        slot: ["artifact", "environment", "instance"].map(|name| row.get(name).unwrap()),
        number: row.get("number").unwrap(),
        state: row.get("state").unwrap(),
        condition: row.get("condition").unwrap(),
        outcome: row.get("outcome").unwrap(),
        actor: row.get("actor").unwrap(),
    };
    found.iter().map(attempt).collect()
}

/// The ids of the attempts on an Artifact, in the order of their numbers.
pub fn attempts_on(uri: &str, artifact: &str) -> Vec<String> {
    attempts(uri).into_iter().filter(|attempt| attempt.slot[0] == artifact).map(|attempt| attempt.id).collect()
}

/// Whether history and graph are what they must be, whatever happened: no revision missing, no slot held or taken twice.
#[track_caller]
pub fn assert_sound(uri: &str) {
    let head: i64 =
        rows(uri, "MATCH (h:Head {name: 'head'}) RETURN h.revision AS revision")[0].get("revision").unwrap();
    let revisions = rows(uri, "MATCH (c:Change) RETURN c.revision AS revision ORDER BY revision");
    let revisions: Vec<i64> = revisions.iter().map(|row| row.get("revision").unwrap()).collect();
    assert_eq!(revisions, (1..=head).collect::<Vec<_>>(), "the head stands at {head}");
    let recorded = "MATCH (r:Record)-[:PART]->(:Part) UNWIND range(r.first, r.last) AS revision
        RETURN DISTINCT r.last, revision ORDER BY revision";
    let recorded: Vec<i64> = rows(uri, recorded).iter().map(|row| row.get("revision").unwrap()).collect();
    assert_eq!(recorded, revisions, "each change is in one record");

    let mut slots: BTreeMap<[String; 3], Vec<Attempt>> = BTreeMap::new();
    for attempt in attempts(uri) {
        slots.entry(attempt.slot.clone()).or_default().push(attempt);
    }
    for (slot, attempts) in slots {
        let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (1..=attempts.len() as i64).collect::<Vec<_>>(), "the numbers on {slot:?}");
        let count = |is: &dyn Fn(&Attempt) -> bool| attempts.iter().filter(|attempt| is(attempt)).count();
        assert!(count(&|attempt| attempt.state == "Active") <= 1, "{slot:?} is taken twice: {attempts:?}");
        assert!(count(&|attempt| attempt.condition == "Pending") <= 1, "{slot:?} is held twice: {attempts:?}");
    }
    let manifested = "MATCH (c:Component)<-[r:MANIFESTS {active: true}]-() WITH c, count(r) AS times WHERE times > 1
        RETURN c.id AS id";
    assert!(rows(uri, manifested).is_empty(), "a Component is manifested twice");
}

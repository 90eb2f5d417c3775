//! Several processes on one database give the answers that one would.

#[path = "support/database.rs"]
mod database;
#[path = "world/generator.rs"]
mod generator;
#[path = "support/graph.rs"]
mod graph;
#[path = "support/harness.rs"]
mod harness;
#[path = "world/history.rs"]
mod history;
#[path = "replicas/load.rs"]
mod load;
#[path = "support/server.rs"]
mod server;
#[path = "support/specs.rs"]
mod specs;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use database::{Engine, shared};
use graph::{ask, assert_graph_is_that_of_its_history, number};
use harness::{Tested, tests};
use load::{Client, Ledger};
use neo4rs::{BoltList, BoltMap, BoltType};
use serde_json::{Value, json};
use server::{Server, text};
use specs::{consumer, provider, spec};

tests![
    replicas_that_start_the_same_artifacts_agree_though_one_is_killed,
    what_one_replica_recorded_the_others_know_when_they_refuse,
    an_idempotency_key_holds_for_all_replicas,
    settings_that_are_changed_reach_replicas_that_run_and_stop_those_that_wish_for_others,
    a_replica_whose_history_was_replaced_by_another_refuses_until_it_is_restarted,
];

fn main() -> ExitCode {
    harness::run([tests()])
}

/// How many plans are started; more of them and longer with `MORTISE_TEST_PLANS`.
const PLANS: usize = 2_000;
/// How many processes there are, one of which is killed half-way.
const REPLICAS: usize = 3;
/// How many clients each process has.
const CLIENTS: usize = 4;

fn replicas_that_start_the_same_artifacts_agree_though_one_is_killed() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let uri = database.uri();
    let plans = std::env::var("MORTISE_TEST_PLANS").ok().map_or(PLANS, |plans| plans.parse().unwrap());
    let servers: Vec<_> = (0..REPLICAS).map(|_| Server::start_on(uri, &[])).collect();
    let addresses: Vec<_> = servers.iter().map(|server| server.address().to_owned()).collect();
    let servers: Vec<_> = servers.into_iter().map(|server| Mutex::new(Some(server))).collect();

    let started = AtomicUsize::new(0);
    let ledgers: Vec<Ledger> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..REPLICAS * CLIENTS)
            .map(|number| {
                let mut client = Client::new(number, &addresses);
                let (started, victim) = (&started, &servers[REPLICAS - 1]);
                scope.spawn(move || {
                    while started.load(Ordering::Relaxed) < plans {
                        let acknowledged = started.fetch_add(client.act(), Ordering::Relaxed);
                        // Whoever comes to the middle first kills it, while requests of others are under way there.
                        if acknowledged >= plans / 2
                            && let Some(mut server) = victim.lock().unwrap().take()
                        {
                            server.kill();
                        }
                    }
                    client.ledger
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });

    assert_eq!(two_active_in_one_slot(uri), 0);
    assert_history_has_no_gap(uri);
    assert_numbers_are_never_reused(uri);
    ledgers.iter().for_each(|ledger| assert_recorded(uri, ledger));
    assert_graph_is_that_of_its_history(uri);
    let fresh = Server::start_on(uri, &[]);
    let survivors: Vec<Server> = servers.into_iter().filter_map(|server| server.into_inner().unwrap()).collect();
    assert_eq!(survivors.len(), REPLICAS - 1);
    for survivor in &survivors {
        assert_eq!(world(survivor), world(&fresh), "a replica that lived through it and one that only read it differ");
    }
    let refused: usize = ledgers.iter().map(|ledger| ledger.refused).sum();
    assert!(refused > 0, "the clients never came into each other's way");
    Ok(())
}

fn what_one_replica_recorded_the_others_know_when_they_refuse() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    // They would look by themselves once a minute, so that only a refusal makes them look.
    let [left, right] = [(), ()].map(|()| Server::start_on(database.uri(), &["--follow-milliseconds", "60000"]));
    for round in 0..20 {
        let (database, api) = (format!("database-{round}"), format!("api-{round}"));
        let interface = format!("sql-{round}");
        let dry_run = |server: &Server| {
            server.post("/deployments/start?dryRun=true", &consumer(&api, &interface)).expect(200)["deployable"].clone()
        };
        right.start_deployment(&consumer(&api, &interface)).expect_problem(422, "not-deployable");
        assert_eq!(dry_run(&right), "no");
        left.deploy(&provider(&database, &interface));
        assert_eq!(dry_run(&right), "yes");
        let plan = right.started(&consumer(&api, &interface));
        let refused = left.start_deployment(&consumer(&api, &interface)).expect_problem(409, "deployment-pending");
        assert_eq!(refused["deployment"], plan["id"]);
        assert_eq!(left.deployment(text(&plan, "id"))["deployment"]["condition"], "Pending");
        assert_eq!(left.succeed(&plan)["deployment"]["currentState"], "Active");
        right.finish(text(&plan, "id"), &json!({"success": false})).expect_problem(409, "already-finished");
        let component = text(&plan["artifactSpec"]["requires"]["needed"]["matches"][0], "component").to_owned();
        assert_eq!(right.get(&format!("/components/{component}")).expect(200)["component"], component.as_str());
        right.put(&format!("/servers/host-{round}"), &json!({"environment": "test"})).expect(201);
        left.get(&format!("/servers/host-{round}")).expect(200);
        left.get(&format!("/artifacts/{api}")).expect(200);
        right.delete(&format!("/servers/host-{round}")).expect(200);
        left.delete(&format!("/servers/host-{round}")).expect_problem(404, "not-found");
    }
    Ok(())
}

fn an_idempotency_key_holds_for_all_replicas() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let servers = [(), ()].map(|()| Server::start_on(database.uri(), &["--follow-milliseconds", "60000"]));
    for round in 0..10 {
        let body = json!({"artifactSpec": spec(&format!("a-{round}")), "idempotencyKey": format!("key-{round}")});
        let answers: Vec<_> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..6)
                .map(|client| {
                    scope.spawn({
                        let (servers, body) = (&servers, &body);
                        move || servers[client % 2].start_deployment(body)
                    })
                })
                .collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1, "one of them starts it: {answers:?}");
        let ids: Vec<_> = answers.iter().map(|answer| text(&answer.json(), "id").to_owned()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "the others are given the same plan: {answers:?}");
    }
    Ok(())
}

fn settings_that_are_changed_reach_replicas_that_run_and_stop_those_that_wish_for_others() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let server = Server::start_on(database.uri(), &["--follow-milliseconds", "60000"]);
    let body = json!({"system": "shop", "name": "a", "version": "1", "environment": "test",
                      "requires": {"some": {"interface": "sql", "quantifier": "?"}}});
    let quantifier = |server: &Server| {
        let plan = server.post("/deployments/start?dryRun=true", &body).expect(200);
        plan["artifactSpec"]["requires"]["some"]["quantifier"].clone()
    };
    assert_eq!(quantifier(&server), json!({"min": 1}));
    let set = server::mortise()
        .args(["settings", "set", "--store", database.uri(), "--quantifier-dialect", "regex"])
        .output()
        .unwrap();
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    // It looks by itself once a minute only, and before it answers.
    assert_eq!(quantifier(&server), json!({"min": 0, "max": 1}));
    let refused = server::command_on(database.uri(), &["--quantifier-dialect", "document"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8_lossy(&refused.stdout).into_owned() + &String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("quantifierDialect") && told.contains("mortise settings"), "{told}");
    let show = server::mortise().args(["settings", "show", "--store", database.uri()]).output().unwrap();
    assert!(String::from_utf8_lossy(&show.stdout).contains("quantifierDialect: regex"), "{show:?}");
    Ok(())
}

fn a_replica_whose_history_was_replaced_by_another_refuses_until_it_is_restarted() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let old = Server::start_on(database.uri(), &[]);
    old.deploy(&provider("database", "sql"));
    graph::change(database.uri(), "MATCH (n) DETACH DELETE n");
    let new = Server::start_on(database.uri(), &[]);
    (0..3).for_each(|number| drop(new.deploy(&spec(&format!("other-{number}")))));
    let refused = old.start_deployment(&consumer("api", "sql")).expect_problem(503, "unavailable");
    assert!(text(&refused, "detail").contains("restart this process"), "{refused}");
    new.start_deployment(&consumer("api", "sql")).expect_problem(422, "not-deployable");
    // It has a moment in which a database may be away.
    while old.get("/readyz").status == 200 {
        std::thread::yield_now();
    }
    assert_graph_is_that_of_its_history(database.uri());
    let again = Server::start_on(database.uri(), &[]);
    assert_eq!(world(&again), world(&new));
    Ok(())
}

fn two_active_in_one_slot(uri: &str) -> i64 {
    let statement =
        "MATCH (d:DeploymentSpec {currentState: 'Active'})-[:DEPLOYS]->(:ArtifactVersion)<-[:HAS_VERSION]-(a:Artifact)
                     MATCH (d)-[:IN]->(e:Environment)
                     WITH a, e, d.instance AS instance, count(d) AS active WHERE active > 1 RETURN count(*) AS slots";
    number(uri, statement)
}

fn assert_history_has_no_gap(uri: &str) {
    let head = number(uri, "MATCH (h:Head) RETURN h.revision");
    assert_eq!(number(uri, "MATCH (c:Change) RETURN count(c)"), head);
    assert_eq!(number(uri, "MATCH (c:Change) RETURN min(c.revision)"), 1);
    assert_eq!(number(uri, "MATCH (c:Change) RETURN max(c.revision)"), head);
    let backwards =
        "MATCH (c:Change) MATCH (d:Change {revision: c.revision + 1}) WHERE d.time < c.time RETURN count(*)";
    assert_eq!(number(uri, backwards), 0, "times never decrease");
}

fn assert_numbers_are_never_reused(uri: &str) {
    let statement = "MATCH (d:DeploymentSpec)
                     WITH d.artifact AS artifact, d.environment AS environment, d.instance AS instance,
                          count(d) AS attempts, count(DISTINCT d.number) AS numbers, max(d.number) AS last
                     WHERE attempts <> numbers OR attempts <> last RETURN count(*) AS slots";
    assert_eq!(number(uri, statement), 0);
}

/// Everything that was acknowledged is there, as it was acknowledged.
fn assert_recorded(uri: &str, ledger: &Ledger) {
    let rows = ledger.plans.iter().map(|(id, end)| {
        let row = [("id", BoltType::from(id.as_str())), ("end", BoltType::from(end.unwrap_or_default()))];
        BoltType::Map(row.into_iter().map(|(name, value)| (name.into(), value)).collect())
    });
    let mut parameters = BoltMap::default();
    parameters.put("plans".into(), BoltType::List(BoltList::from(rows.collect::<Vec<_>>())));
    let statement = "UNWIND $plans AS plan OPTIONAL MATCH (d:DeploymentSpec {id: plan.id})
                     WITH plan, d WHERE d IS NULL OR (plan.end <> '' AND coalesce(d.outcome, '') <> plan.end)
                     RETURN plan.id AS id, plan.end AS end";
    let lost = ask(uri, statement, parameters);
    let lost: Vec<String> = lost.iter().map(|row| row.get("id").unwrap()).collect();
    assert!(lost.is_empty(), "acknowledged, and not so recorded: {lost:?}");
}

/// What a replica shows of everything.
fn world(server: &Server) -> Vec<Value> {
    let lists = [
        "components",
        "components?state=planned",
        "components?state=inactive",
        "systems",
        "artifacts",
        "interfaces",
        "environments",
        "servers",
        "deployments",
    ];
    let pages = lists.iter().flat_map(|list| {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let joint = if list.contains('?') { '&' } else { '?' };
            let page = server.get(&format!("/{list}{joint}limit=1000&consistency=strong{cursor}")).expect(200);
            let next = page["next"].as_str().map(str::to_owned);
            pages.push(page);
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages,
            }
        }
    });
    pages.collect()
}

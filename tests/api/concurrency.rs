//! Many clients at once.

use std::collections::BTreeMap;
use std::thread;

use serde_json::{Value, json};

use crate::server::{Server, text};
use crate::specs::{provider, spec, with};

#[test]
fn of_many_starts_on_one_slot_exactly_one_wins() {
    let server = Server::start();
    for round in 1..=3 {
        let answers: Vec<_> = thread::scope(|scope| {
            let start = |n: usize| with(provider("org.shop.api", "shop-api"), json!({"version": format!("1.{n}")}));
            let starts: Vec<_> = (0..16)
                .map(|n| {
                    scope.spawn({
                        let (server, body) = (&server, start(n));
                        move || server.start_deployment(&body)
                    })
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let winners: Vec<_> =
            answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.json()).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        assert_eq!(winners[0]["deployment"]["number"], round);
        for loser in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(loser.expect_problem(409, "deployment-pending")["deployment"], winners[0]["id"]);
        }
        server.succeed(&winners[0]);
    }
}

#[test]
fn of_many_ends_of_one_attempt_one_outcome_wins() {
    let server = Server::start();
    let plan = server.started(&spec("org.shop.api"));
    let answers: Vec<_> = thread::scope(|scope| {
        let (server, id) = (&server, text(&plan, "id"));
        let ends: Vec<_> =
            (0..12).map(|n| scope.spawn(move || server.finish(id, &json!({"success": n % 2 == 0})))).collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    });
    let outcome = server.deployment(text(&plan, "id"))["deployment"]["outcome"].clone();
    for (n, answer) in answers.iter().enumerate() {
        let asked = if n % 2 == 0 { "succeeded" } else { "failed" };
        if outcome == asked {
            assert_eq!(answer.expect(200)["deployment"]["outcome"], outcome);
        } else {
            answer.expect_problem(409, "already-finished");
        }
    }
}

#[test]
fn slots_that_many_clients_work_on_keep_their_invariants() {
    const CLIENTS: usize = 6;
    const ROUNDS: usize = 12;
    const SLOTS: usize = 3;
    let server = Server::start();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let server = &server;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let name = format!("a{}", (client + round) % SLOTS);
                    let answer = server.start_deployment(&with(
                        provider(&name, &name),
                        json!({"version": format!("{client}.{round}")}),
                    ));
                    match answer.status {
                        201 if (client + round) % 4 == 3 => drop(server.fail(&answer.json())),
                        201 => drop(server.succeed(&answer.json())),
                        _ => drop(answer.expect_problem(409, "deployment-pending")),
                    }
                }
            });
        }
    });
    let mut slots: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in server.items("/deployments?limit=1000") {
        slots.entry(text(&item, "artifact").to_owned()).or_default().push(item);
    }
    for (slot, attempts) in &slots {
        let numbers: Vec<_> = attempts.iter().rev().map(|attempt| attempt["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=attempts.len() as u64).collect::<Vec<_>>(), "{slot}");
        let active: Vec<_> = attempts.iter().filter(|attempt| attempt["currentState"] == "Active").collect();
        let last = attempts.iter().find(|attempt| attempt["outcome"] == "succeeded");
        assert_eq!(
            active,
            last.iter().copied().collect::<Vec<_>>(),
            "the newest success is the only active one of {slot}"
        );
        let components = server.items(&format!("/components?artifact={slot}"));
        assert_eq!(components.len(), active.len());
        assert!(components.iter().zip(&active).all(|(component, active)| component["deployment"] == active["id"]));
        let chain: Vec<_> = attempts.iter().filter(|attempt| attempt["outcome"] == "succeeded").collect();
        assert!(chain.windows(2).all(|pair| pair[0]["supersedes"] == pair[1]["id"]), "{chain:?}");
    }
    assert_eq!(server.items("/deployments?condition=Pending").len(), 0);
    assert_eq!(slots.len(), SLOTS);
}

#[test]
fn sets_that_overlap_never_hold_half_of_their_slots() {
    let server = Server::start();
    let sets = [["a", "b"], ["b", "c"], ["c", "a"], ["a", "b"], ["b", "c"], ["c", "a"]];
    let answers: Vec<_> = thread::scope(|scope| {
        let start = |names: [&str; 2]| json!(names.map(spec));
        let starts: Vec<_> = sets
            .iter()
            .map(|names| {
                let (server, body) = (&server, start(*names));
                scope.spawn(move || server.start_deployment(&body))
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "any two of them overlap: {answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{answers:?}");
    assert_eq!(server.items("/deployments").len(), 2);
}

#[test]
fn declarations_and_withdrawals_of_one_server_at_once_are_each_answered() {
    let server = Server::start();
    thread::scope(|scope| {
        for client in 0..6 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..25 {
                    if client % 2 == 0 {
                        let answer = server
                            .put("/servers/troy", &json!({"environment": "test", "attributes": {"round": round}}));
                        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                        assert_eq!(answer.json()["name"], "troy");
                    } else {
                        let answer = server.delete("/servers/troy");
                        assert!(matches!(answer.status, 200 | 404), "{answer:?}");
                    }
                }
            });
        }
    });
    assert!(server.items("/components?state=inactive").len() + server.items("/components").len() == 1);
}

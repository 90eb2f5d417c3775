//! A plan that is read back is, byte for byte, what was answered.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::server::{Server, text};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A Server is declared, or declared anew.
    Declare { server: u8, tier: u8, note: u8 },
    /// A Server is withdrawn.
    Withdraw { server: u8 },
    /// Artifacts are started: one as a single plan, several as a set.
    Start(Vec<Spec>),
    /// A plan that is open is finished, or one attempt of it.
    Finish { plan: u8, success: bool, alone: bool },
}

/// An Artifact, and how it requires what there is.
#[derive(Clone, Debug)]
struct Spec {
    artifact: u8,
    version: u8,
    interface: u8,
    requires: Vec<(u8, bool, Option<u8>)>,
    asks: u8,
    late: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let spec = (
        0..5_u8,
        0..3_u8,
        0..3_u8,
        prop::collection::vec((0..4_u8, any::<bool>(), prop::option::of(0..2_u8)), 0..3),
        0..4_u8,
        any::<bool>(),
    );
    let spec = spec.prop_map(|(artifact, version, interface, requires, asks, late)| Spec {
        artifact,
        version,
        interface,
        requires,
        asks,
        late,
    });
    prop_oneof![
        3 => (0..4_u8, 0..2_u8, 0..3_u8).prop_map(|(server, tier, note)| Step::Declare { server, tier, note }),
        1 => (0..4_u8).prop_map(|server| Step::Withdraw { server }),
        5 => prop::collection::vec(spec, 1..4).prop_map(Step::Start),
        4 => (any::<u8>(), prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(plan, success, alone)| Step::Finish { plan, success, alone }),
    ]
}

impl Spec {
    fn body(&self) -> Value {
        let asked = [json!([]), json!(["url"]), json!(["note", "lacking"]), json!(["note", "url"])];
        let mut requires = serde_json::Map::new();
        let mut hosts = serde_json::Map::new();
        for (index, (what, is_host, tier)) in self.requires.iter().enumerate() {
            let selector = tier.map_or(json!([]), |tier| json!([{"key": "tier", "values": [format!("t{tier}")]}]));
            let attributes = &asked[usize::from(self.asks)];
            let entry = json!({"selector": selector, "quantifier": "*", "attributes": attributes});
            if *is_host {
                hosts.insert(format!("host{index}"), entry);
            } else {
                let mut entry = entry;
                entry["interface"] = json!(["server", "i0", "i1", "i2"][usize::from(*what)]);
                requires.insert(format!("need{index}"), entry);
            }
        }
        let late = match requires.keys().next() {
            Some(name) if self.late => format!("${{requires.{name}.matches[0].labels.name!\"none\"}}"),
            _ => "early".to_owned(),
        };
        json!({
            "system": "shop", "name": format!("a{}", self.artifact), "version": format!("1.{}", self.version),
            "environment": "test", "annotations": {"build": format!("b{}", self.version)},
            "provides": [{"interface": format!("i{}", self.interface), "layer": "server", "labels": {"tier": format!("t{}", self.version % 2)},
                          "attributes": {"url": format!("https://a{}/", self.artifact), "late": late, "weight": 1.50}}],
            "requires": requires, "deploymentSpec": hosts,
        })
    }
}

/// The specifications of an answer, as they stand in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    artifact_spec: Option<Box<RawValue>>,
    artifact_specs: Option<Box<RawValue>>,
}

fn specs_of(answer: &str) -> String {
    let shown: Shown = serde_json::from_str(answer).unwrap();
    shown.artifact_spec.or(shown.artifact_specs).expect("a plan has specifications").get().to_owned()
}

/// The answer of a start without its leases, which are never shown again.
fn without_leases(answer: &str, plan: &Value) -> String {
    let single = plan.get("lease").into_iter();
    let members = plan["deployments"].as_array().into_iter().flatten().filter_map(|member| member.get("lease"));
    single
        .chain(members)
        .fold(answer.to_owned(), |answer, lease| answer.replacen(&format!(",\"lease\":{lease}"), "", 1))
}

/// What was answered of the plans, and which of them nobody has finished yet.
#[derive(Default)]
struct Known {
    answers: BTreeMap<String, String>,
    open: Vec<Value>,
}

impl Known {
    fn apply(&mut self, server: &Server, step: &Step) {
        match step {
            Step::Declare { server: name, tier, note } => {
                let labels = json!({"tier": format!("t{tier}")});
                let attributes = json!({"url": format!("ssh://h{name}"), "note": format!("n{note}")});
                let body = json!({"environment": "test", "labels": labels, "attributes": attributes});
                server.put(&format!("/servers/h{name}"), &body);
            }
            Step::Withdraw { server: name } => drop(server.delete(&format!("/servers/h{name}"))),
            Step::Start(specs) => {
                let bodies: Vec<_> = specs.iter().map(Spec::body).collect();
                let body = if let [only] = bodies.as_slice() { only.clone() } else { json!({"artifactSpecs": bodies}) };
                let answer = server.start_deployment(&body);
                if answer.status == 201 {
                    let plan = answer.json();
                    self.answers.insert(text(&plan, "id").to_owned(), without_leases(&answer.text, &plan));
                    self.open.push(plan);
                }
            }
            Step::Finish { plan, success, alone } if !self.open.is_empty() => {
                let place = usize::from(*plan) % self.open.len();
                let plan = self.open.remove(place);
                let member = plan["deployments"].get(0).filter(|_| *alone).unwrap_or(&plan);
                server.finish(text(member, "id"), &json!({"success": success})).expect(200);
            }
            Step::Finish { .. } => {}
        }
    }

    fn check(&self, server: &Server) {
        for (id, answered) in &self.answers {
            let found = server.get(&format!("/deployments/{id}")).text;
            let is_open = self.open.iter().any(|plan| text(plan, "id") == id);
            if is_open {
                assert_eq!(found, *answered);
            } else {
                // Its end is shown besides; what it resolved to stays as it was.
                assert_eq!(specs_of(&found), specs_of(answered));
            }
        }
    }
}

#[test]
fn a_plan_is_read_back_byte_for_byte_whatever_becomes_of_what_it_matched() {
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 24, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let compared = std::cell::Cell::new(0);
    let result = runner.run(&prop::collection::vec(step(), 30..60), |steps| {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start_in(data.path(), &[]);
        let mut known = Known::default();
        steps.iter().for_each(|step| known.apply(&server, step));
        known.check(&server);
        compared.set(compared.get() + known.answers.len());
        // Without anything in memory, too.
        assert!(server.stop().success());
        known.check(&Server::start_in(data.path(), &[]));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(compared.get() > 100, "the histories are too dull: {} plans", compared.get());
}

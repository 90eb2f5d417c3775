//! A client that starts and finishes plans on whichever replica answers, and keeps what it was told.

use serde_json::{Value, json};

use crate::generator::Generator;
use crate::server::{Answer, Client as Http, JSON};
use crate::specs::{consumer, provider, with};

/// How many Artifacts provide something, and how many need one of them. All clients want all of them.
const PAIRS: usize = 12;

/// What a client was told.
#[derive(Default)]
pub struct Ledger {
    /// Plans whose start was acknowledged, and the outcome whose finish was.
    pub plans: Vec<(String, Option<&'static str>)>,
    /// Starts that came second.
    pub refused: usize,
}

/// A client of several replicas.
pub struct Client {
    generator: Generator,
    number: usize,
    replicas: Vec<Http>,
    pub ledger: Ledger,
}

impl Client {
    pub fn new(number: usize, addresses: &[String]) -> Self {
        let replicas = addresses.iter().map(|address| Http::of(address)).collect();
        Self { generator: Generator::new(number as u64), number, replicas, ledger: Ledger::default() }
    }

    /// Starts something, and most often ends it; how many plans were acknowledged.
    pub fn act(&mut self) -> usize {
        let pair = self.generator.below(PAIRS);
        let version = json!({"version": format!("1.{}", self.generator.below(5))});
        let body = if self.generator.chance(50) {
            with(provider(&format!("database-{pair}"), &format!("sql-{pair}")), version)
        } else {
            with(consumer(&format!("api-{pair}"), &format!("sql-{pair}")), version)
        };
        let Some(answer) = self.send("/deployments/start", &body) else { return 0 };
        match answer.status {
            201 => {
                let plan = answer.json();
                let id = plan["id"].as_str().expect("a plan has an id").to_owned();
                self.ledger.plans.push((id.clone(), None));
                let end = self.finish(&id);
                self.ledger.plans.last_mut().expect("it was just pushed").1 = end;
                1
            }
            409 => {
                let problem = answer.expect_problem(409, "deployment-pending");
                self.ledger.refused += 1;
                // Somebody started it and went away: a client of the replica that was killed, most likely.
                if self.generator.chance(10) {
                    self.finish(problem["deployment"].as_str().expect("it names the attempt"));
                }
                0
            }
            422 => {
                answer.expect_problem(422, "not-deployable");
                0
            }
            _ => {
                assert_eq!(answer.status, 503, "{answer:?}");
                assert!(answer.header("Retry-After").is_some(), "{answer:?}");
                0
            }
        }
    }

    /// Ends an attempt; how, where that was acknowledged as it was asked for.
    fn finish(&mut self, id: &str) -> Option<&'static str> {
        let success = self.generator.chance(80);
        let answer = self.send(&format!("/deployments/{id}/finish"), &json!({"success": success}))?;
        assert!(matches!(answer.status, 200 | 409 | 503), "{answer:?}");
        (answer.status == 200).then_some(if success { "succeeded" } else { "failed" })
    }

    /// Asks any of the replicas; `None` where it died over it.
    fn send(&mut self, path: &str, body: &Value) -> Option<Answer> {
        let actor = format!("client-{}", self.number);
        let headers = [JSON, ("Mortise-Actor", actor.as_str())];
        let replica = self.generator.below(self.replicas.len());
        self.replicas[replica].try_send("POST", path, &headers, body.to_string()).ok()
    }
}

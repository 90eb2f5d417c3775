//! A client that starts and finishes plans until the server dies under it, and afterwards looks what became of each.

use serde_json::{Value, json};

use crate::generator::Generator;
use crate::ledger::{End, Ledger, Plan, Start};
use crate::server::{Answer, Client as Http, JSON, text};

/// How many Artifacts each client has for itself.
const ARTIFACTS: usize = 4;

/// One client. Its Artifacts are its own, but for one that all clients want.
pub struct Client<'a> {
    number: usize,
    round: usize,
    keys: usize,
    generator: Generator,
    ledger: &'a mut Ledger,
}

impl<'a> Client<'a> {
    pub fn new(number: usize, round: usize, seed: u64, ledger: &'a mut Ledger) -> Self {
        Self { number, round, keys: 0, generator: Generator::new(seed), ledger }
    }

    /// Does something; false where the server does not answer any more.
    pub fn act(&mut self, http: &Http) -> bool {
        match self.generator.below(10) {
            0 => self.declare_server(http),
            1 => self.repeat(http),
            2 | 3 => self.start_shared(http),
            4 | 5 => self.start_set(http),
            _ => self.start_or_finish(http),
        }
        .is_some()
    }

    /// Compares everything that was answered with what is shown, and finds out what became of what was not answered.
    pub fn verify(&mut self, http: &Http) {
        for plan in &self.ledger.plans {
            plan.assert_shown(&http.deployment(plan.id()));
        }
        self.verify_server(http);
        if let Some(start) = self.ledger.lost_start.take() {
            self.find_lost(http, start);
        }
        for place in 0..self.ledger.plans.len() {
            if let End::Asked(success) = self.ledger.plans[place].end {
                // Whether it was recorded or not, it is once it was asked again.
                let answer = self.finish(http, place, success).expect("the server is up");
                let plan = &self.ledger.plans[place];
                plan.assert_shown(&answer);
            }
        }
        for artifact in (0..ARTIFACTS).map(|artifact| self.artifact(artifact)) {
            let pending = pending(http, &artifact);
            let known = self.ledger.open(&artifact).map(|place| &self.ledger.plans[place]);
            let known: Vec<_> = known.into_iter().flat_map(Plan::members).collect();
            assert!(pending.len() <= 1, "two attempts are open on {artifact}: {pending:?}");
            assert!(
                pending.iter().all(|id| known.contains(&id.as_str())),
                "{pending:?} is open on {artifact}, and nobody started it"
            );
        }
    }

    fn verify_server(&mut self, http: &Http) {
        let shown = http.get(&format!("/servers/{}", self.server()));
        let shown = (shown.status == 200).then(|| declaration(shown.json()));
        let asked = self.ledger.lost_server.take();
        let is_asked = match (&asked, &shown) {
            (Some(asked), Some(shown)) => {
                shown["attributes"] == asked["attributes"] && shown["labels"]["rack"] == asked["labels"]["rack"]
            }
            _ => false,
        };
        assert!(is_asked || shown == self.ledger.server, "{shown:?} was neither answered nor asked for");
        self.ledger.server = shown;
    }

    /// A start that was not answered is recorded as a whole, or not at all.
    fn find_lost(&mut self, http: &Http, start: Start) {
        if start.key.is_some() {
            let (before, repeat) =
                (pending(http, &start.artifacts[0]), self.send(http, &start).expect("the server is up"));
            let was_recorded = repeat.status == 200;
            if self.is_shared(&start) && repeat.status == 409 {
                return;
            }
            assert!(was_recorded || repeat.status == 201, "{repeat:?}");
            let answer = repeat.json();
            let plan = Plan { start, answer, end: End::Open };
            if was_recorded {
                assert_eq!(before, [plan.members()[0]], "it was recorded before");
            }
            for (artifact, member) in plan.start.artifacts.iter().zip(plan.members()) {
                assert_eq!(pending(http, artifact), [member], "it is recorded exactly once");
            }
            self.ledger.found += usize::from(was_recorded);
            self.ledger.plans.push(plan);
            return;
        }
        let found: Vec<Vec<String>> = start.artifacts.iter().map(|artifact| pending(http, artifact)).collect();
        // Of the Artifact that all want, another may have an attempt open; this one names its client.
        let found: Vec<String> = found.into_iter().flatten().filter(|id| self.is_mine(http, id)).collect();
        if found.is_empty() {
            return;
        }
        assert_eq!(found.len(), start.artifacts.len(), "half of a set is recorded");
        let member = http.deployment(&found[0]);
        let answer = match member.get("set") {
            Some(set) => http.deployment(set.as_str().expect("it is an id")),
            None => member,
        };
        let plan = Plan { start, answer, end: End::Open };
        assert_eq!(plan.members(), found, "the members are those that are open, in order");
        self.ledger.found += 1;
        self.ledger.plans.push(plan);
    }

    fn is_mine(&self, http: &Http, id: &str) -> bool {
        http.deployment(id)["deployment"]["actor"] == self.actor()
    }

    fn start_or_finish(&mut self, http: &Http) -> Option<()> {
        let chosen = self.generator.below(ARTIFACTS);
        let artifact = self.artifact(chosen);
        match self.ledger.open(&artifact) {
            Some(place) => {
                let success = self.generator.chance(70);
                self.finish(http, place, success).map(drop)
            }
            None => {
                let body = self.spec(chosen);
                self.start(http, body, vec![artifact]).map(drop)
            }
        }
    }

    fn start_set(&mut self, http: &Http) -> Option<()> {
        let free: Vec<_> =
            (0..ARTIFACTS).filter(|&chosen| self.ledger.open(&self.artifact(chosen)).is_none()).take(3).collect();
        if free.len() < 2 {
            return self.start_or_finish(http);
        }
        let mut specs: Vec<Value> = free.iter().map(|&chosen| self.spec(chosen)).collect();
        // One member needs what another provides.
        specs[1]["requires"]["first"] = json!({"interface": self.interface(free[0])});
        let artifacts = free.iter().map(|&chosen| self.artifact(chosen)).collect();
        self.start(http, json!({"artifactSpecs": specs}), artifacts).map(drop)
    }

    /// Everybody wants the same slot; whoever gets it lets it go.
    fn start_shared(&mut self, http: &Http) -> Option<()> {
        let artifact = "org.shared.api".to_owned();
        if self.ledger.open(&artifact).is_none() {
            let mut body = self.spec(0);
            (body["system"], body["name"]) = ("shared".into(), artifact.clone().into());
            body["provides"][0]["interface"] = "shared".into();
            if !self.start(http, body, vec![artifact.clone()])? {
                return Some(());
            }
        }
        let (place, success) = (self.ledger.open(&artifact)?, self.generator.chance(80));
        self.finish(http, place, success).map(drop)
    }

    /// Starts; whether it got its slots, and `None` where there is no answer.
    fn start(&mut self, http: &Http, body: Value, artifacts: Vec<String>) -> Option<bool> {
        self.keys += 1;
        let key = self
            .generator
            .chance(50)
            .then(|| format!("client {} round {} start {}", self.number, self.round, self.keys));
        let start = Start { body, key, artifacts };
        let Some(answer) = self.send(http, &start) else {
            self.ledger.lost_start = Some(start);
            self.ledger.lost += 1;
            return None;
        };
        if answer.status == 409 && self.is_shared(&start) {
            answer.expect_problem(409, "deployment-pending");
            return Some(false);
        }
        let answer = answer.expect(201);
        self.ledger.plans.push(Plan { start, answer, end: End::Open });
        Some(true)
    }

    fn send(&self, http: &Http, start: &Start) -> Option<Answer> {
        let actor = self.actor();
        let mut headers = vec![JSON, ("Mortise-Actor", actor.as_str())];
        headers.extend(start.key.as_deref().map(|key| ("Idempotency-Key", key)));
        http.try_send("POST", "/deployments/start", &headers, start.body.to_string()).ok()
    }

    fn finish(&mut self, http: &Http, place: usize, success: bool) -> Option<Value> {
        let plan = &mut self.ledger.plans[place];
        let mut body = json!({"success": success, "reason": format!("round {}", self.round)});
        // Asked again it is the same report.
        if matches!(plan.end, End::Asked(_)) {
            body["reason"] = Value::Null;
            body.as_object_mut().expect("it is one").remove("reason");
        }
        let path = format!("/deployments/{}/finish", plan.id());
        match http.try_send("POST", &path, &[JSON], body.to_string()) {
            Ok(answer) => {
                let answer = answer.expect(200);
                plan.end = End::Ended(answer.clone());
                Some(answer)
            }
            Err(_) => {
                plan.end = End::Asked(success);
                self.ledger.lost += 1;
                None
            }
        }
    }

    fn declare_server(&mut self, http: &Http) -> Option<()> {
        let attributes = json!({"round": self.round, "drawn": self.generator.below(1_000_000)});
        let body = json!({"environment": "test", "interface": "host", "labels": {"rack": self.generator.below(9).to_string()}, "attributes": attributes});
        match http.try_send("PUT", &format!("/servers/{}", self.server()), &[JSON], body.to_string()) {
            Ok(answer) => {
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                self.ledger.server = Some(declaration(answer.json()));
                Some(())
            }
            Err(_) => {
                self.ledger.lost_server = Some(body);
                self.ledger.lost += 1;
                None
            }
        }
    }

    /// What was started under a key is answered again, and nothing is started.
    fn repeat(&mut self, http: &Http) -> Option<()> {
        let keyed: Vec<_> = self.ledger.plans.iter().filter(|plan| plan.start.key.is_some()).collect();
        if keyed.is_empty() {
            return Some(());
        }
        let plan = keyed[self.generator.below(keyed.len())];
        let answer = self.send(http, &plan.start)?.expect(200);
        assert_eq!(text(&answer, "id"), plan.id());
        Some(())
    }

    fn spec(&mut self, chosen: usize) -> Value {
        json!({
            "system": format!("client-{}", self.number % 2),
            "name": self.artifact(chosen),
            "version": format!("1.{}.{}", self.round, self.generator.below(100)),
            "environment": "test",
            "annotations": {"round": self.round.to_string()},
            "provides": [{
                "interface": self.interface(chosen), "layer": "server",
                "labels": {"drawn": self.generator.below(5).to_string()},
                "attributes": {"url": "https://$name/${requires.shared.matches|length}", "weight": 2.50},
            }],
            "requires": {"shared": {"interface": "shared", "quantifier": "0..*"}},
            "deploymentSpec": {"host": {"selector": [{"key": "rack", "operator": "Exists"}], "quantifier": "0..*"}},
        })
    }

    fn artifact(&self, chosen: usize) -> String {
        format!("org.client-{}.artifact-{chosen}", self.number)
    }

    fn interface(&self, chosen: usize) -> String {
        format!("interface-{}-{chosen}", self.number)
    }

    fn server(&self) -> String {
        format!("server-{}", self.number)
    }

    fn actor(&self) -> String {
        format!("client-{}", self.number)
    }

    fn is_shared(&self, start: &Start) -> bool {
        start.artifacts[0] == "org.shared.api"
    }
}

/// A Server without its consumers, which come and go.
fn declaration(mut server: Value) -> Value {
    server.as_object_mut().expect("it is one").remove("consumers");
    server
}

/// The ids of the attempts on an Artifact that are open.
fn pending(http: &Http, artifact: &str) -> Vec<String> {
    let items = http.items(&format!("/deployments?artifact={artifact}&condition=Pending"));
    items.iter().map(|item| text(item, "id").to_owned()).collect()
}

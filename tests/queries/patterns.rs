//! Patterns that nobody wrote: on both stores the same rows, or refused by the embedded one.

use serde_json::{Value, json};

use crate::company::{Company, ask};
use crate::database::{Engine, shared};
use crate::harness::{Tested, tests};
use crate::server::Server;

tests![patterns_that_nobody_wrote_agree_or_are_refused];

/// How many statements are tried; more of them with `MORTISE_TEST_PATTERNS`.
const STATEMENTS: usize = 200;

const LABELS: [&str; 9] = [
    "System",
    "Artifact",
    "ArtifactVersion",
    "Environment",
    "Interface",
    "Server",
    "DeploymentSpec",
    "Component",
    "Require",
];
const TYPES: [&str; 11] = [
    "OWNS",
    "DEFINES",
    "HAS_VERSION",
    "DEPLOYS",
    "IN",
    "PLANS",
    "MANIFESTS",
    "PROVIDES",
    "REQUIRES",
    "MATCHED",
    "COUPLED",
];
/// Conditions of a node `x`.
const CONDITIONS: [&str; 14] = [
    "x.name STARTS WITH 'org.shop'",
    "x.environment = 'test'",
    "x.number > 1",
    "x.reason IS NULL",
    "x.name <> 'shop'",
    "NOT (x)-[:MANIFESTS]->()",
    "(x)<-[:OWNS]-()",
    "NOT (x)-->(:Component)",
    "NOT (x)--()",
    "x:Component",
    "EXISTS { (x)-[:COUPLED]->(y) WHERE y.state = 'active' }",
    "COUNT { (x)--() } > 3",
    "NOT EXISTS { MATCH (x)<-[:MANIFESTS]-(z)-[:IN]->(e) WHERE e.name = 'test' }",
    "EXISTS { (x)<-[:COUPLED]-()-[:COUPLED]->() }",
];

/// Numbers that only look random: a failure can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn node(&mut self, names: &mut Vec<String>) -> String {
        let label = if self.roll(3) > 0 { format!(":{}", self.one(&LABELS)) } else { String::new() };
        match self.roll(8) {
            0 => format!("({label})"),
            1 | 2 if !names.is_empty() => format!("({})", names[self.roll(names.len())]),
            _ => {
                names.push(format!("n{}", names.len()));
                format!("({}{label})", names[names.len() - 1])
            }
        }
    }

    fn relationship(&mut self) -> String {
        let types = match self.roll(4) {
            0 => String::new(),
            1 => format!(":{}|{}", self.one(&TYPES), self.one(&TYPES)),
            _ => format!(":{}", self.one(&TYPES)),
        };
        let length = match self.roll(10) {
            0 => "*1..2",
            1 => "*0..1",
            _ => "",
        };
        let inside = if types.is_empty() && length.is_empty() { String::new() } else { format!("[{types}{length}]") };
        match self.roll(5) {
            0 => format!("-{inside}-"),
            1 | 2 => format!("<-{inside}-"),
            _ => format!("-{inside}->"),
        }
    }

    fn chain(&mut self, names: &mut Vec<String>) -> String {
        let mut chain = self.node(names);
        for _ in 0..1 + self.roll(3) {
            chain.push_str(&self.relationship());
            chain.push_str(&self.node(names));
        }
        chain
    }

    fn condition(&mut self, names: &[String]) -> String {
        if names.is_empty() {
            return String::new();
        }
        let mut parts = Vec::new();
        for _ in 0..self.roll(3) {
            let name = &names[self.roll(names.len())];
            parts.push(
                self.one(&CONDITIONS)
                    .replace("(x)", &format!("({name})"))
                    .replace("x.", &format!("{name}."))
                    .replace("x:", &format!("{name}:")),
            );
        }
        if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(self.one(&[" AND ", " OR "]))) }
    }

    fn statement(&mut self) -> String {
        let mut names = Vec::new();
        let mut text = format!("MATCH {}", self.chain(&mut names));
        if self.roll(3) == 0 {
            text.push_str(&format!(", {}", self.chain(&mut names)));
        }
        text.push_str(&self.condition(&names));
        match self.roll(6) {
            0 => text.push_str(&format!(" MATCH {}", self.chain(&mut names))),
            1 | 2 => {
                text.push_str(&format!(" OPTIONAL MATCH {}", self.chain(&mut names)));
                text.push_str(&self.condition(&names));
            }
            _ => {}
        }
        let shown = names.iter().map(|name| format!("coalesce({name}.id, {name}.name, {name}.version) AS {name}"));
        let shown = shown.collect::<Vec<_>>().join(", ");
        match self.roll(3) {
            _ if names.is_empty() => format!("{text} RETURN count(*) AS n"),
            0 => format!("{text} RETURN {shown}"),
            1 => format!("{text} RETURN DISTINCT {shown}"),
            _ => format!("{text} RETURN labels({}) AS l, count(*) AS n", names[0]),
        }
    }
}

fn patterns_that_nobody_wrote_agree_or_are_refused() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let company = Company::found();
    company.move_to(database.uri());
    let flags = ["--query-max-rows", "20000", "--query-timeout-seconds", "5"];
    let (here, there) = (company.serve(&flags), Server::start_on(database.uri(), &flags));
    let count = std::env::var("MORTISE_TEST_PATTERNS").ok().map_or(STATEMENTS, |count| count.parse().unwrap());
    let seed = std::env::var("MORTISE_TEST_SEED").ok().map_or(4_711, |seed| seed.parse().unwrap());
    let mut dice = Dice(seed);
    let (mut agreed, mut refused, mut cut, mut wrong) = (0, 0, 0, Vec::new());
    for _ in 0..count {
        let statement = dice.statement();
        let [left, right] = [&here, &there].map(|server| ask(server, &statement, &json!({})));
        if left.status == 400 && left.json()["code"] == "query-refused" {
            refused += 1;
            continue;
        }
        if left.status == 200 && right.status == 200 {
            let [left, right] = [&left, &right].map(|answer| rows(&answer.text));
            if [&left, &right].iter().any(|rows| rows.iter().any(|row| row.starts_with("{\"truncated\""))) {
                cut += 1;
                continue;
            }
            if left == right {
                agreed += 1;
                continue;
            }
        }
        let [left, right]: [String; 2] = [&left, &right].map(|answer| answer.text.chars().take(600).collect());
        wrong.push(format!("{statement}\nembedded: {left}\nneo4j:    {right}"));
    }
    println!("{agreed} agree, {refused} are refused, {cut} are cut");
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(agreed >= count / 5, "only {agreed} agree, {refused} are refused, {cut} are cut");
    Ok(())
}

fn rows(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    for row in &rows {
        assert!(serde_json::from_str::<Value>(row).is_ok(), "{row}");
    }
    rows.sort();
    rows
}

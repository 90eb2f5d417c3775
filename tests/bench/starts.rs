//! Durable starts over HTTP, beside the echo.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::database::{Engine, shared};
use super::echo;
use super::server::{Client, Server};

const PROVIDERS: usize = 200;
const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = Server::start(folder.path());
    activate(server.address);
    let echo = echo::start();
    let (mut echoes, mut starts, mut recorded) = (Vec::new(), Vec::new(), 0.0);
    let before = server.written_bytes();
    for round in 0..ROUNDS {
        echoes.push(load(echo, &format!("echo-{round}")));
        starts.push(load(server.address, &format!("start-{round}")));
        recorded += starts.last().expect("it was just measured") * ROUND.as_secs_f64();
    }
    let written = server.written_bytes().zip(before).map(|(after, before)| after - before);
    let (echo, start) = (median(echoes), median(starts));
    println!("durable starts: {start:.0}/s, an echo of the same request: {echo:.0}/s: {:.3} of it", start / echo);
    if let Some(written) = written {
        println!("written: {:.1} kB a durable start", written as f64 / recorded / 1e3);
    }
    let alone = alone(server.address);
    println!("one client alone: {:.2} ms a durable start", alone.as_secs_f64() * 1e3);
    let (list, health) =
        (get(server.address, "/deployments?condition=Pending&limit=1000"), get(server.address, "/healthz"));
    println!(
        "1,000 pending attempts: {:.2} ms, {:.0} times a request that does nothing",
        list.as_secs_f64() * 1e3,
        list.as_secs_f64() / health.as_secs_f64()
    );
}

/// How long a GET takes: the median of several.
fn get(address: SocketAddr, path: &str) -> Duration {
    let mut client = Client::connect(address);
    let mut took: Vec<_> = (0..51)
        .map(|_| {
            let started = Instant::now();
            client.get(path);
            started.elapsed()
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}

/// Durable starts on a real Neo4j: many in a transaction beside one in a transaction, on the same database.
pub fn run_on_neo4j() {
    let database = match shared(Engine::Neo4j) {
        Ok(database) => database.exclusive(),
        Err(absent) => return println!("skipped: {absent}"),
    };
    // One process after the other on one history, each with the other's before it: neither has the emptier database.
    let serve = |batch: &str| Server::of(&["--store", database.uri(), "--max-batch", batch]);
    activate(serve("512").address);
    let (mut grouped, mut single) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (rates, batch) in [(&mut grouped, "512"), (&mut single, "1")] {
            let server = serve(batch);
            let rate = load(server.address, &format!("neo4j-{batch}-{round}"));
            // The first round is for the database to learn the statements.
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let (grouped, single) = (median(grouped), median(single));
    let ratio = grouped / single;
    println!(
        "durable starts on Neo4j: {grouped:.0}/s in groups, {single:.0}/s one a transaction: {ratio:.1} times as many"
    );
    let alone = alone(serve("512").address);
    println!("one client alone on Neo4j: {:.2} ms a durable start", alone.as_secs_f64() * 1e3);
}

fn activate(address: SocketAddr) {
    let mut client = Client::connect(address);
    for index in 0..PROVIDERS {
        let body = format!(
            r#"{{"artifactSpec": {{"system": "platform", "name": "org.bench.provider-{index}", "provides": [{{"interface": "interface-{index}", "layer": "server", "attributes": {{"url": "https://provider-{index}/", "port": "8443"}}}}]}}, "input": {{"version": "1.4.0", "environment": "test"}}}}"#
        );
        let answer = client.post("/deployments/start", &body);
        let id = answer
            .split(r#""id":""#)
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a plan has an id")
            .to_owned();
        client.post(&format!("/deployments/{id}/finish"), r#"{"success": true}"#);
    }
}

/// About 1.5 kB: five requires, two provides, templates in most attributes.
fn request(name: &str) -> String {
    let requires: Vec<_> = (0..5)
        .map(|index| {
            let interface = index * 37 % PROVIDERS;
            format!(
                r#""need{index}": {{"interface": "interface-{interface}", "selector": [{{"key": "environment", "values": ["${{input.environment}}"]}}, {{"key": "version", "values": ["[1.0,2.0)"]}}]}}"#
            )
        })
        .collect();
    let provides: Vec<_> = ["server", "router"]
        .map(|layer| {
            format!(
                r#"{{"interface": "shop-{name}", "layer": "{layer}", "labels": {{"tier": "gold", "channel": "${{input.channel}}"}}, "attributes": {{"url": "https://{name}.${{input.environment}}.example.org/${{input.version}}", "owner": "team-${{input.team}}", "version": "${{input.version}}"}}}}"#
            )
        })
        .into();
    format!(
        r#"{{"artifactSpec": {{"system": "shop", "name": "org.bench.{name}", "provides": [{}], "requires": {{{}}}}}, "input": {{"version": "2.3.0", "environment": "test", "channel": "stable", "team": "checkout"}}}}"#,
        provides.join(", "),
        requires.join(", ")
    )
}

/// Requests a second, over as many connections as wait in a busy pipeline.
fn load(address: SocketAddr, run: &str) -> f64 {
    let started = Instant::now();
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|worker| {
            let run = run.to_owned();
            std::thread::spawn(move || {
                let mut client = Client::connect(address);
                let mut count = 0_u32;
                while started.elapsed() < ROUND {
                    client.post("/deployments/start", &request(&format!("{run}-{worker}-{count}")));
                    count += 1;
                }
                count
            })
        })
        .collect();
    let total: u32 = workers.into_iter().map(|worker| worker.join().expect("a client does not fail")).sum();
    f64::from(total) / started.elapsed().as_secs_f64()
}

fn alone(address: SocketAddr) -> Duration {
    const COUNT: u32 = 300;
    let mut client = Client::connect(address);
    let started = Instant::now();
    for index in 0..COUNT {
        client.post("/deployments/start", &request(&format!("alone-{index}")));
    }
    started.elapsed() / COUNT
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

//! What the requests cost that were found to cost the most for their size, beside one that is small.

use std::hint::black_box;
use std::time::Instant;

use mortise::catalog::{Catalog, Effort};
use mortise::document::{Document, Json, Limits};
use mortise::model::{Attributes, Labels, Layer, Name, ServerDeclaration, Settings};
use mortise::planner::{Identities, effort, plan};
use mortise::spec::{Inputs, ReadContext, StartDocument};
use serde_json::{Value, json};

use crate::history::{History, name};

pub fn run() {
    let (few, many) = (world(1_000, 2_000), world(10_000, 10));
    let large = world(40, 900_000);
    let small = measure(&few, &spec(json!({"requires": {"h": {"interface": "host", "selector": {"name": "s00001"}}}})));
    println!("a small dry run: {:.0} us for {} bytes, {} comparisons", small.micros, small.bytes, small.comparisons);
    let cases = [
        ("4,500 late attributes beside 1,000 Servers of 2 kB", &few, late(4_500, 1_000)),
        ("13,000 ranges beside 1,000 Servers", &few, ranges(13_000)),
        ("8,000 misspelt templates and 30,000 inputs", &few, misspelt(8_000, 30_000)),
        ("31 unmet requires beside 10,000 Servers", &many, unmet(31)),
        ("25 `*` requires beside 40 Servers of 900 kB", &large, everything(1, 25)),
        ("a set of 1,000 with 300 `*` requires each", &few, everything(1_000, 300)),
    ];
    for (what, catalog, body) in cases {
        let cost = measure(catalog, &body);
        println!(
            "{what}: {:.1} ms for {} bytes, {} comparisons; {:.2} times a byte of the small one",
            cost.micros / 1e3,
            cost.bytes,
            cost.comparisons,
            cost.micros / cost.bytes as f64 / (small.micros / small.bytes as f64),
        );
    }
}

struct Cost {
    micros: f64,
    bytes: usize,
    comparisons: usize,
}

/// Reads, renders and plans a body, as a dry run does; the least of some times.
fn measure(catalog: &Catalog, body: &Value) -> Cost {
    let (text, settings) = (body.to_string(), Settings::default());
    let mut cost = Cost { micros: f64::MAX, bytes: text.len(), comparisons: 0 };
    for _ in 0..5 {
        let (started, given) = (Instant::now(), Effort::of(effort(&settings)));
        let document = Document::from_json(text.as_bytes(), Limits::default()).expect("it is JSON");
        let read = StartDocument::read(&document, &Inputs::default(), ReadContext { settings: &settings });
        if let Ok(specs) = read.and_then(|read| read.render()) {
            let planned = plan(catalog, &specs, &settings, Identities::Withheld, &given);
            black_box(planned.is_ok());
        }
        cost.micros = cost.micros.min(started.elapsed().as_secs_f64() * 1e6);
        cost.comparisons = effort(&settings) - given.left();
    }
    cost
}

/// Servers that provide `host`, each with so many bytes of attributes.
fn world(servers: usize, bytes: usize) -> Catalog {
    let mut history = History::default();
    for index in 0..servers {
        let (server, version) = (format!("s{index:05}"), format!("{index}.0"));
        let own = [("interface", "host"), ("environment", "test"), ("layer", "server"), ("name", &server)];
        let labels: Labels = own
            .into_iter()
            .chain([("version", version.as_str())])
            .map(|(key, value)| (name(key), value.into()))
            .collect();
        let pad = vec![Json::Text("x".repeat(bytes.min(60_000))); bytes.div_ceil(60_000)];
        let attributes = vec![("url".to_owned(), Json::Text(version.clone())), ("pad".to_owned(), Json::Array(pad))];
        history.declare(&ServerDeclaration {
            name: Name::new(server).expect("it is a name"),
            environment: name("test"),
            interface: name("host"),
            layer: Layer::Server,
            version: Some(version.into()),
            labels,
            attributes: Attributes::new(attributes),
        });
    }
    history.catalog
}

fn spec(more: Value) -> Value {
    let mut spec = json!({"system": "shop", "name": "a", "version": "1", "environment": "test"});
    spec.as_object_mut().expect("it is an object").extend(more.as_object().expect("it is one too").clone());
    spec
}

fn providing(attributes: serde_json::Map<String, Value>) -> Value {
    json!([{"interface": "x", "layer": "server", "attributes": attributes}])
}

fn late(texts: usize, servers: usize) -> Value {
    let text =
        |at: usize| (format!("a{at}"), format!("${{requires.h.matches[{}].attributes.url}}", at % servers).into());
    let requires = json!({"h": {"interface": "host", "quantifier": "*"}});
    spec(json!({"provides": providing((0..texts).map(text).collect()), "requires": requires}))
}

fn ranges(count: usize) -> Value {
    let values: Vec<_> = (0..count).map(|at| format!("[{0}.1,{0}.2)", 100_000 + at)).collect();
    let selector = json!([{"key": "version", "values": values}]);
    spec(json!({"requires": {"h": {"interface": "host", "quantifier": "*", "selector": selector}}}))
}

fn misspelt(templates: usize, inputs: usize) -> Value {
    let text = |at: usize| (format!("a{at}"), format!("${{input.im{at:05}}}").into());
    let input: serde_json::Map<_, _> = (0..inputs).map(|at| (format!("in{at:05}"), "v".into())).collect();
    json!({"artifactSpec": spec(json!({"provides": providing((0..templates).map(text).collect())})), "input": input})
}

fn unmet(requires: usize) -> Value {
    let selector: Vec<_> = (0..5).map(|at| json!({"key": format!("k{at}"), "values": ["none"]})).collect();
    let require = json!({"interface": "host", "selector": selector});
    let requires: serde_json::Map<_, _> = (0..requires).map(|at| (format!("r{at}"), require.clone())).collect();
    spec(json!({ "requires": requires }))
}

fn everything(members: usize, requires: usize) -> Value {
    let require = json!({"interface": "host", "quantifier": "*"});
    let requires: serde_json::Map<_, _> = (0..requires).map(|at| (format!("r{at}"), require.clone())).collect();
    let members = (0..members).map(|at| {
        let mut member = spec(json!({ "requires": requires }));
        member["name"] = format!("a{at}").into();
        member
    });
    members.collect()
}

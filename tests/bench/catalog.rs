//! What a large Catalog costs.

use std::hint::black_box;
use std::time::Instant;

use mortise::catalog::{Catalog, Effort};
use mortise::document::Json;
use mortise::model::{
    Attributes, Cause, ChangeSet, ComponentId, ComponentRow, ComponentState, DeploymentId, Expression, Labels, Layer,
    Name, Operator, Owner, Predicate, Row, Selector, Slot, Timestamp,
};
use uuid::Uuid;

const SMALL: usize = 1_000;
const LARGE: usize = 1_000_000;
const RESOLVED: usize = 200_000;

pub fn run() {
    let small = catalog(SMALL);
    let before = resident_bytes();
    let large = catalog(LARGE);
    let grown = resident_bytes().saturating_sub(before);
    let texts: usize = component(LARGE / 2).labels.iter().map(|(key, value)| key.as_str().len() + value.len()).sum();
    let each = grown / LARGE;
    println!(
        "memory: {each} bytes a component in a catalog of {LARGE}, {:.1} times its labels",
        each as f64 / texts as f64
    );

    let (among_small, among_large) = (resolve(&small, SMALL), resolve(&large, LARGE));
    println!(
        "resolving: {among_small:.2} us among {SMALL} components, {among_large:.2} us among {LARGE}: {:.1} times",
        among_large / among_small
    );

    let started = Instant::now();
    for _ in 0..1_000 {
        black_box(large.clone());
    }
    println!("a working copy of the large catalog: {:.2} us", started.elapsed().as_secs_f64() * 1e3);
}

fn name(text: String) -> Name {
    Name::new(text).expect("the names of the benchmark are valid")
}

fn component(index: usize) -> ComponentRow {
    let (artifact, interface) = (format!("org.load.provider-{index}"), format!("interface-{}", index / 3));
    let environment = ["test", "staging", "production"][index % 3];
    let labels: Labels = [
        ("interface", interface.clone()),
        ("name", artifact.clone()),
        ("version", format!("1.{}.{}", index % 10, index % 7)),
        ("environment", environment.to_owned()),
        ("layer", "server".to_owned()),
        ("tier", ["gold", "silver"][index % 2].to_owned()),
        ("region", format!("r{}", index % 7)),
    ]
    .into_iter()
    .map(|(key, value)| (name(key.to_owned()), value.into()))
    .collect();
    let url = format!("https://provider-{index}.{environment}.example.org/");
    ComponentRow {
        id: ComponentId(Uuid::now_v7()),
        owner: Owner::Slot(Slot {
            artifact: name(artifact),
            environment: name(environment.to_owned()),
            instance: "".into(),
        }),
        system: Some(name(format!("platform-{}", index % 20))),
        interface: name(interface),
        layer: Layer::Server,
        version: Some(format!("1.{}.{}", index % 10, index % 7).into()),
        labels,
        attributes: Attributes::new(vec![
            ("url".to_owned(), Json::Text(url)),
            ("port".to_owned(), Json::Text("8443".to_owned())),
        ]),
        state: ComponentState::Active,
        since: Timestamp::default(),
        deployment: Some(DeploymentId(Uuid::now_v7())),
    }
}

fn catalog(count: usize) -> Catalog {
    let mut catalog = Catalog::default();
    for (revision, first) in (1..).zip((0..count).step_by(1_000)) {
        let rows = (first..count.min(first + 1_000)).map(|index| Row::Component(component(index))).collect();
        let (id, time) = (Uuid::now_v7(), Timestamp::default());
        let (cause, actor, beside) = (Cause::Finish, None, Vec::new());
        catalog.apply(&ChangeSet { revision, id, time, cause, actor, rows, beside });
    }
    catalog
}

/// Microseconds for one require: an interface, a version range and an environment.
fn resolve(catalog: &Catalog, count: usize) -> f64 {
    let predicates: Vec<_> = (0..1_000)
        .map(|index| {
            let index = index * 7_919 % count;
            let version = Expression::new(name("version".to_owned()), Operator::In, vec!["[1.0,2.0)".into()]);
            let environment =
                Expression::equals(name("environment".to_owned()), ["test", "staging", "production"][index % 3]);
            let selector = Selector(vec![version.expect("the range is valid"), environment]);
            Predicate { interface: Some(name(format!("interface-{}", index / 3))), selector }
        })
        .collect();
    let excluded = catalog.excluding([]);
    let started = Instant::now();
    for predicate in predicates.iter().cycle().take(RESOLVED) {
        let found = catalog.resolve(black_box(predicate), &excluded, 1_000, &Effort::unlimited());
        assert_eq!(found.handles.len(), 1);
    }
    started.elapsed().as_secs_f64() * 1e6 / RESOLVED as f64
}

/// What the process has in memory, where the system says so.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<usize>().ok());
    pages.unwrap_or_default() * 4_096
}

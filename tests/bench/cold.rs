//! How long it takes until a history that stands in a folder is in memory again.

use std::collections::BTreeMap;
use std::time::Instant;

use mortise::model::{
    ArtifactSpec, Expression, Labels, Layer, Name, Provide, Quantifier, Ready, Require, Resolution, Scope, Selector,
    Slot,
};
use mortise::store::Store;
use mortise::store::embedded::EmbeddedStore;

use super::history::{History, name};

/// How many Components run, each made by an attempt of its own that requires another one.
const COMPONENTS: usize = 100_000;

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = EmbeddedStore::open(folder.path()).expect("a folder can be opened");
    let mut history = History::default();
    let mut recorded = 0;
    for index in 0..COMPONENTS {
        history.deploy(&spec(index));
        if history.changes.len() - recorded >= 512 || index + 1 == COMPONENTS {
            store.append(&history.changes[recorded..]).expect("a batch can be recorded");
            recorded = history.changes.len();
        }
    }
    drop(store);
    let replayed = load(folder.path(), &history);
    let store = EmbeddedStore::open(folder.path()).expect("a folder can be opened");
    store.close(&history.catalog);
    drop(store);
    let restored = load(folder.path(), &history);
    println!(
        "a cold load of {COMPONENTS} components: {restored:.2} s from a snapshot, {replayed:.2} s from {recorded} changes: {:.1} times as long",
        replayed / restored
    );
}

fn load(folder: &std::path::Path, history: &History) -> f64 {
    let started = Instant::now();
    let store = EmbeddedStore::open(folder).expect("a folder can be opened");
    let catalog = store.load().expect("what was recorded can be read");
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(catalog.revision(), history.catalog.revision());
    assert_eq!(catalog.components_after(None).count(), COMPONENTS);
    seconds
}

fn spec(index: usize) -> ArtifactSpec {
    let (artifact, environment) = (name(&format!("org.load.artifact-{index}")), name("test"));
    let interface = name(&format!("interface-{}", index / 3));
    let labels: Labels = [
        ("interface", interface.as_str()),
        ("name", artifact.as_str()),
        ("version", "1.4.0"),
        ("environment", "test"),
        ("layer", "server"),
        ("tier", ["gold", "silver"][index % 2]),
    ]
    .into_iter()
    .map(|(key, value)| (name(key), value.into()))
    .collect();
    let attributes = [("url", format!("https://artifact-{index}.test/")), ("port", "8443".to_owned())];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), Ready::Now(mortise::document::Json::Text(value))));
    let provide = Provide {
        interface,
        layer: Layer::Server,
        version: "1.4.0".into(),
        labels,
        attributes: attributes.into(),
        annotations: BTreeMap::new(),
    };
    let environments = Expression::equals(name("environment"), "test");
    let require = |other: usize| Require {
        interface: Some(name(&format!("interface-{}", other / 3))),
        selector: Ready::Now(Selector(vec![
            environments.clone(),
            Expression::equals(name("name"), format!("org.load.artifact-{other}")),
        ])),
        scope: Scope::Runtime,
        resolution: Resolution::Mandatory,
        quantifier: Quantifier::default(),
        attributes: Ready::Now(Vec::new()),
    };
    let requires: BTreeMap<Name, Require> =
        index.checked_sub(1).map(|other| (name("before"), require(other))).into_iter().collect();
    ArtifactSpec {
        system: name(&format!("platform-{}", index % 20)),
        slot: Slot { artifact, environment, instance: "".into() },
        version: "1.4.0".into(),
        description: None,
        annotations: BTreeMap::new(),
        provides: vec![provide],
        requires,
        deployment_spec: BTreeMap::new(),
        warnings: Vec::new(),
        rendered_bytes: 0,
    }
}

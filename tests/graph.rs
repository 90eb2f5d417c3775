//! The graph that a history stands for: the same in whatever batches it is written, and with what people look for in it.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::collections::{BTreeMap, BTreeSet};

use generator::{Generator, random_change, spec};
use history::{History, name};
use mortise::catalog::Catalog;
use mortise::graph::{Delta, Direction, Label, MemoryGraph, NodeKey, RelationshipType, Value};
use mortise::model::{
    ChangeSet, ComponentState, Labels, Layer, Provide, Quantifier, Ready, Require, Resolution, Scope, Selector, Slot,
    State,
};

const HISTORIES: u64 = 60;
const CHANGES: usize = 60;

#[test]
fn the_graph_is_the_same_in_whatever_batches_it_is_written() {
    for seed in 0..HISTORIES {
        let (mut generator, history) = random(seed);
        let one_by_one = in_batches(&history.changes, || 1);
        assert_eq!(contents(&in_batches(&history.changes, || history.changes.len())), contents(&one_by_one), "{seed}");
        let some = in_batches(&history.changes, || 1 + generator.below(12));
        assert_eq!(contents(&some), contents(&one_by_one), "{seed}");
        assert_eq!(some.revision(), history.catalog.revision());
    }
}

#[test]
fn applying_a_batch_again_does_no_harm() {
    for seed in 0..HISTORIES {
        let (_, history) = random(seed);
        let half = history.changes.len() / 2;
        let mut graph = in_batches(&history.changes[..half], || 1);
        let last = Delta::of(&history.changes[half..]);
        graph.apply(&last, history.catalog.revision());
        let once = contents(&graph);
        graph.apply(&last, history.catalog.revision());
        assert_eq!(contents(&graph), once, "{seed}");
    }
}

#[test]
fn the_graph_says_what_the_catalog_says() {
    for seed in 0..HISTORIES {
        let (_, history) = random(seed);
        let graph = in_batches(&history.changes, || 7);
        assert_components(&graph, &history.catalog);
        assert_couplings(&graph, &history.catalog);
    }
}

fn random(seed: u64) -> (Generator, History) {
    let mut generator = Generator::new(seed);
    let mut history = History::default();
    (0..CHANGES).for_each(|_| random_change(&mut generator, &mut history));
    (generator, history)
}

#[test]
fn a_member_that_failed_leaves_the_same_graph_whenever_another_one_succeeded() {
    for fails_first in [true, false] {
        let mut history = History::default();
        let slot = |artifact: &str| Slot { artifact: name(artifact), environment: name("test"), instance: "".into() };
        let mut generator = Generator::new(1);
        let (mut consumer, mut provider) = (spec(&mut generator, slot("a")), spec(&mut generator, slot("b")));
        let needed = Require {
            interface: Some(name("needed")),
            selector: Ready::Now(Selector::default()),
            scope: Scope::Runtime,
            resolution: Resolution::Mandatory,
            quantifier: Quantifier::default(),
            attributes: Ready::Now(Vec::new()),
        };
        for member in [&mut consumer, &mut provider] {
            (member.requires, member.deployment_spec, member.provides) = Default::default();
        }
        consumer.requires.insert(name("needs"), needed);
        provider.provides.push(Provide {
            interface: name("needed"),
            layer: Layer::Server,
            version: "1".into(),
            labels: Labels::default(),
            attributes: Vec::new(),
            annotations: BTreeMap::new(),
        });
        history.open_all(&[consumer, provider]);
        let ends = [("b", false), ("a", true)];
        let ends = if fails_first { ends } else { [ends[1], ends[0]] };
        ends.into_iter().for_each(|(artifact, success)| history.finish(&slot(artifact), success));
        let alone = in_batches(&history.changes, || 1);
        let coupled = alone.relationships().filter(|(_, found)| found.kind == RelationshipType::Coupled).count();
        // One that succeeded before shows what it lacks now.
        assert_eq!(coupled, usize::from(!fails_first));
        for first in 1..=history.changes.len() {
            let mut sizes = [first, usize::MAX].into_iter();
            let split = in_batches(&history.changes, || sizes.next().unwrap_or(1));
            assert_eq!(contents(&split), contents(&alone), "failed first: {fails_first}, {first} in the first batch");
        }
    }
}

fn in_batches(changes: &[ChangeSet], mut size: impl FnMut() -> usize) -> MemoryGraph {
    let mut graph = MemoryGraph::default();
    let mut rest = changes;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(size().min(rest.len()));
        graph.apply(&Delta::of(batch), batch[batch.len() - 1].revision);
        rest = later;
    }
    graph
}

type Described = BTreeMap<&'static str, Value>;

/// Everything in it, without the numbers that depend on the way it came there.
fn contents(graph: &MemoryGraph) -> (Vec<String>, Vec<String>) {
    let mut nodes: Vec<_> = graph.nodes().map(|(_, node)| format!("{:?} {:?}", node.key, node.properties)).collect();
    let mut relationships: Vec<_> = graph
        .relationships()
        .map(|(_, relationship)| {
            let [from, to] = [relationship.from, relationship.to].map(|id| &graph.node(id).unwrap().key);
            format!("{from:?} {} {to:?} {:?}", relationship.kind, relationship.properties)
        })
        .collect();
    nodes.sort();
    relationships.sort();
    (nodes, relationships)
}

fn linked<'a>(graph: &'a MemoryGraph, key: &NodeKey, kind: RelationshipType) -> Vec<(&'a NodeKey, &'a Described)> {
    let node = graph.find(key).unwrap_or_else(|| panic!("{key:?} is not there"));
    let relationships = graph.relationships_of(node, Direction::Outgoing, Some(kind));
    let relationships = relationships.map(|id| graph.relationship(id).unwrap());
    relationships.map(|found| (&graph.node(found.to).unwrap().key, &found.properties)).collect()
}

fn assert_components(graph: &MemoryGraph, catalog: &Catalog) {
    let mut expected = BTreeSet::new();
    for component in catalog.components_after(None) {
        let key = NodeKey::new(Label::Component, component.id().to_string());
        expected.insert(key.clone());
        let node = graph.node(graph.find(&key).unwrap()).unwrap();
        assert_eq!(node.properties["state"], Value::Text(component.state().to_string()));
        assert_eq!(node.properties["since"], Value::Text(component.since().to_string()));
        let interface = NodeKey::new(Label::Interface, component.interface().to_string());
        assert_eq!(names(linked(graph, &key, RelationshipType::Provides)), BTreeSet::from([interface]));
        let labels = component.row().labels;
        let labels =
            labels.iter().map(|(key, value)| NodeKey::pair(Label::ComponentLabel, key.shared().clone(), value.clone()));
        assert_eq!(names(linked(graph, &key, RelationshipType::Labelled)), labels.collect());
        let owners = graph.relationships().filter(|(_, found)| {
            found.kind == RelationshipType::Manifests
                && found.properties["active"] == Value::Boolean(true)
                && graph.node(found.to).unwrap().key == key
        });
        assert_eq!(owners.count(), usize::from(component.state() == ComponentState::Active));
    }
    for component in catalog.planned_components_after(None) {
        expected.insert(NodeKey::new(Label::Component, component.id().to_string()));
    }
    let found = graph.nodes_of(Label::Component).map(|id| graph.node(id).unwrap().key.clone());
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

fn assert_couplings(graph: &MemoryGraph, catalog: &Catalog) {
    let mut expected = BTreeSet::new();
    for component in catalog.components_after(None) {
        for coupling in catalog.couplings_on(component.id()) {
            assert_eq!(coupling.require.scope, Scope::Runtime);
            let consumer = coupling.attempt.id.to_string();
            expected.insert((consumer, coupling.require.name.to_string(), component.id().to_string()));
        }
    }
    let found = graph.relationships().filter(|(_, found)| found.kind == RelationshipType::Coupled);
    let found = found.map(|(_, found)| {
        let consumer = graph.node(found.from).unwrap();
        assert_eq!(consumer.properties["currentState"], Value::Text(State::Active.as_str().to_owned()));
        let Value::Text(require) = &found.properties["require"] else { panic!("{found:?}") };
        (consumer.key.first.to_string(), require.clone(), graph.node(found.to).unwrap().key.first.to_string())
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

fn names(linked: Vec<(&NodeKey, &Described)>) -> BTreeSet<NodeKey> {
    linked.into_iter().map(|(key, _)| key.clone()).collect()
}

//! What a batch of changes makes of the graph.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::shape::{Label, NodeKey, Properties, RelationshipKey, RelationshipType, Value};
use crate::model::{Beside, ChangeSet, DeploymentId, Row};

/// Nodes and relationships as they are after a batch. Rows are absolute, so that of each thing only the last row counts,
/// and a batch comes down to six steps, in this order:
///
/// 1. nodes are put,
/// 2. what is cleared goes: a thing's relationships of a type, of which those put below are then all,
/// 3. no [`RelationshipType::Manifests`] into a Component that changed is active any more,
/// 4. relationships are put,
/// 5. in the order in which it happened, attempts that are active are coupled to what their requires of scope `runtime` matched,
///    and what attempts that failed had planned goes, with the Components that never came to be, but for those that an active
///    attempt is coupled to: they show what it lacks,
/// 6. what all others that ended had planned goes.
///
/// Applying the same Delta twice does no harm.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The nodes to put.
    pub nodes: BTreeMap<NodeKey, NodePut>,
    /// Of which nodes the relationships of which type go.
    pub cleared: BTreeSet<(NodeKey, RelationshipType, Direction)>,
    /// The Components of which no manifestation but those put is active.
    pub changed: BTreeSet<NodeKey>,
    /// The relationships to put.
    pub relationships: BTreeMap<RelationshipKey, Properties>,
    /// The attempts that are active now, and so coupled, and those that failed, in the order in which it happened.
    pub turns: Vec<Turn>,
    /// The other attempts that are not open any more.
    pub ended: BTreeSet<NodeKey>,
    /// The relationships put, by where they lead to.
    incoming: BTreeSet<(NodeKey, RelationshipType, NodeKey)>,
}

/// What becomes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is active.
    Coupled(NodeKey),
    /// It failed.
    Failed(NodeKey),
}

/// The attempts that a change opens, and which of them each is, from 0.
pub(super) type Opened = BTreeMap<DeploymentId, u64>;

/// A node to put.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePut {
    /// Whether it is left alone where it exists.
    pub presence: Presence,
    /// Its properties besides its key.
    pub properties: Properties,
}

/// What becomes of a node that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// It takes the properties.
    Whatever,
    /// It stays as it is.
    OnlyIfAbsent,
}

/// Which relationships of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Those that start from it.
    Outgoing,
    /// Those that lead to it.
    Incoming,
}

impl Delta {
    /// What these changes, in order, make of the graph.
    pub fn of(changes: &[ChangeSet]) -> Self {
        let mut delta = Self::default();
        for change in changes {
            let actor = change.actor.as_deref();
            let properties = [
                ("revision", Some(Value::from(change.revision))),
                ("time", Some(Value::Text(change.time.to_string()))),
                ("cause", Some(Value::Text(change.cause.as_str().to_owned()))),
                ("actor", actor.map(|actor| Value::Text(actor.to_owned()))),
            ];
            delta.put(NodeKey::new(Label::Change, change.id.to_string()), properties);
            let received = change.rows.iter().filter_map(|row| match row {
                Row::Received(row) => Some(row.deployment),
                _ => None,
            });
            let opened = received.zip(0..).collect();
            for row in &change.rows {
                delta.add(change, &opened, row);
            }
            for beside in &change.beside {
                match beside {
                    Beside::Lease(row) => delta.lease(change, row),
                    Beside::Key(row) => delta.key(change, row),
                }
            }
        }
        if let Some(last) = changes.last() {
            delta.put(NodeKey::new(Label::Head, "head"), [("revision", Some(last.revision.into()))]);
        }
        delta
    }

    /// Puts a node, and sets these properties of it.
    pub(super) fn put(&mut self, node: NodeKey, properties: impl IntoIterator<Item = (&'static str, Option<Value>)>) {
        let fresh = NodePut { presence: Presence::Whatever, properties: Properties::new() };
        let put = self.nodes.entry(node).or_insert(fresh);
        put.presence = Presence::Whatever;
        put.properties.extend(properties);
    }

    /// Puts a node where it does not exist yet.
    pub(super) fn put_if_absent(&mut self, node: NodeKey, properties: Properties) {
        self.nodes.entry(node).or_insert(NodePut { presence: Presence::OnlyIfAbsent, properties });
    }

    /// From now on the node has those relationships of this type that are linked after it, and no others.
    pub(super) fn clear(&mut self, node: &NodeKey, kind: RelationshipType, direction: Direction) {
        let gone: Vec<_> = match direction {
            Direction::Outgoing => self.linked_from(node, kind),
            Direction::Incoming => self.linked_to(node, kind),
        };
        gone.iter().for_each(|key| drop(self.relationships.remove(key)));
        self.cleared.insert((node.clone(), kind, direction));
    }

    /// The relationships put that start from a node.
    fn linked_from(&self, node: &NodeKey, kind: RelationshipType) -> Vec<RelationshipKey> {
        let to = NodeKey { label: Label::ALL[0], first: SmolStr::default(), second: SmolStr::default() };
        let first = RelationshipKey { from: node.clone(), kind, to, require: SmolStr::default() };
        let found = self.relationships.range(first..).map(|(key, _)| key);
        found.take_while(|key| key.from == *node && key.kind == kind).cloned().collect()
    }

    /// The relationships put that lead to a node.
    fn linked_to(&self, node: &NodeKey, kind: RelationshipType) -> Vec<RelationshipKey> {
        let from = NodeKey { label: Label::ALL[0], first: SmolStr::default(), second: SmolStr::default() };
        let starts = self.incoming.range((node.clone(), kind, from)..);
        let starts = starts.take_while(|(to, other, _)| to == node && *other == kind);
        let linked = starts.flat_map(|(_, _, from)| self.linked_from(from, kind));
        linked.filter(|key| key.to == *node).collect()
    }

    /// Puts a relationship.
    pub(super) fn link(&mut self, from: &NodeKey, kind: RelationshipType, to: NodeKey) {
        self.link_with(from, kind, to, "", []);
    }

    /// Puts a relationship with properties.
    pub(super) fn link_with(
        &mut self,
        from: &NodeKey,
        kind: RelationshipType,
        to: NodeKey,
        require: &str,
        properties: impl IntoIterator<Item = (&'static str, Value)>,
    ) {
        let key = RelationshipKey { from: from.clone(), kind, to, require: require.into() };
        self.incoming.insert((key.to.clone(), kind, key.from.clone()));
        let properties = properties.into_iter().map(|(name, value)| (name, Some(value)));
        self.relationships.entry(key).or_default().extend(properties);
    }

    /// A Component that changed is manifested by nobody, but by whom is linked after it.
    pub(super) fn changed(&mut self, component: &NodeKey) {
        for key in self.linked_to(component, RelationshipType::Manifests) {
            self.relationships.entry(key).or_default().insert("active", Some(false.into()));
        }
        self.changed.insert(component.clone());
    }

    fn add(&mut self, change: &ChangeSet, opened: &Opened, row: &Row) {
        match row {
            Row::Settings(settings) => self.settings(settings),
            Row::System(row) => self.put(NodeKey::new(Label::System, row.name.shared().clone()), []),
            Row::Artifact(row) => self.artifact(row),
            Row::Interface(row) => self.interface(row),
            Row::Environment(row) => self.environment(row),
            Row::Plan(row) => self.plan(change, row),
            Row::DeploymentSpec(spec) => self.deployment(change, spec),
            Row::Received(row) => self.received(change, opened, row),
            Row::Resolution(row) => self.resolution(change, opened, row),
            Row::Component(row) => self.component(row),
            // Only ever asked of the history.
            Row::Ending(_) => {}
        }
    }
}

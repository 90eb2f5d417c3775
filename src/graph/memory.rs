//! The graph in memory: a value, cheap to clone, so that a question keeps the graph that it began with.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::delta::{Delta, Direction, NodePut, Presence, Turn};
use super::shape::{Label, NodeKey, Properties, RelationshipKey, RelationshipType, Value};

/// A node's number; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// A relationship's number; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationshipId(pub u64);

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryNode {
    /// Which one it is.
    pub key: NodeKey,
    /// All properties, those of its key included.
    pub properties: BTreeMap<&'static str, Value>,
}

/// A relationship.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryRelationship {
    /// The node that it starts from.
    pub from: NodeId,
    /// The type.
    pub kind: RelationshipType,
    /// The node that it leads to.
    pub to: NodeId,
    /// All properties.
    pub properties: BTreeMap<&'static str, Value>,
    key: RelationshipKey,
}

type Map<K, V> = imbl::GenericHashMap<K, V, foldhash::fast::RandomState, imbl::shared_ptr::DefaultSharedPtr>;

/// All nodes and relationships.
#[derive(Clone, Default)]
pub struct MemoryGraph {
    revision: u64,
    next: u64,
    nodes: imbl::OrdMap<NodeId, Arc<MemoryNode>>,
    node_ids: Map<NodeKey, NodeId>,
    labels: imbl::OrdSet<(Label, NodeId)>,
    relationships: imbl::OrdMap<RelationshipId, Arc<MemoryRelationship>>,
    relationship_ids: Map<RelationshipKey, RelationshipId>,
    outgoing: imbl::OrdSet<(NodeId, RelationshipType, RelationshipId)>,
    incoming: imbl::OrdSet<(NodeId, RelationshipType, RelationshipId)>,
}

impl MemoryGraph {
    /// The revision that it stands at; 0 for the empty graph.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many nodes and relationships there are, together.
    pub fn len(&self) -> usize {
        self.nodes.len() + self.relationships.len()
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Every node, in the order in which they came.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &MemoryNode)> {
        self.nodes.iter().map(|(&id, node)| (id, node.as_ref()))
    }

    /// The nodes of a label, in the order in which they came.
    pub fn nodes_of(&self, label: Label) -> impl Iterator<Item = NodeId> {
        self.labels.range((label, NodeId(0))..=(label, NodeId(u64::MAX))).map(|&(_, id)| id)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&MemoryNode> {
        self.nodes.get(&id).map(AsRef::as_ref)
    }

    /// The node with this key.
    pub fn find(&self, key: &NodeKey) -> Option<NodeId> {
        self.node_ids.get(key).copied()
    }

    /// Every relationship, in the order in which they came.
    pub fn relationships(&self) -> impl Iterator<Item = (RelationshipId, &MemoryRelationship)> {
        self.relationships.iter().map(|(&id, relationship)| (id, relationship.as_ref()))
    }

    /// A relationship.
    pub fn relationship(&self, id: RelationshipId) -> Option<&MemoryRelationship> {
        self.relationships.get(&id).map(AsRef::as_ref)
    }

    /// The relationships of a node in one direction, ordered by type; those of one type where one is given.
    pub fn relationships_of(
        &self,
        node: NodeId,
        direction: Direction,
        kind: Option<RelationshipType>,
    ) -> impl Iterator<Item = RelationshipId> {
        let (first, last) = kind.map_or_else(
            || (RelationshipType::ALL[0], RelationshipType::ALL[RelationshipType::ALL.len() - 1]),
            |kind| (kind, kind),
        );
        let from = Bound::Included((node, first, RelationshipId(0)));
        let to = Bound::Included((node, last, RelationshipId(u64::MAX)));
        let index = if direction == Direction::Outgoing { &self.outgoing } else { &self.incoming };
        index.range((from, to)).map(|&(_, _, id)| id)
    }

    /// Applies what changes up to `revision` made of the graph.
    pub fn apply(&mut self, delta: &Delta, revision: u64) {
        for (key, put) in &delta.nodes {
            self.put_node(key, put);
        }
        for (key, kind, direction) in &delta.cleared {
            self.clear(key, *kind, *direction);
        }
        for key in &delta.changed {
            self.end_manifestations(key);
        }
        for (key, properties) in &delta.relationships {
            self.put_relationship(key, properties);
        }
        for turn in &delta.turns {
            match turn {
                Turn::Coupled(key) => self.couple(key),
                Turn::Failed(key) => self.drop_plans(key),
            }
        }
        for key in &delta.ended {
            self.drop_plans(key);
        }
        self.revision = revision;
    }

    fn put_node(&mut self, key: &NodeKey, put: &NodePut) {
        let known = self.find(key);
        if known.is_some() && put.presence == Presence::OnlyIfAbsent {
            return;
        }
        let id = known.unwrap_or_else(|| self.number_node(key));
        if let Some(node) = self.nodes.get_mut(&id) {
            set(&mut Arc::make_mut(node).properties, &put.properties);
        }
    }

    fn number_node(&mut self, key: &NodeKey) -> NodeId {
        let id = NodeId(self.number());
        let properties = key.properties().map(|(name, value)| (name, Value::Text(value.to_string()))).collect();
        self.nodes.insert(id, Arc::new(MemoryNode { key: key.clone(), properties }));
        self.node_ids.insert(key.clone(), id);
        self.labels.insert((key.label, id));
        id
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn clear(&mut self, key: &NodeKey, kind: RelationshipType, direction: Direction) {
        let Some(node) = self.find(key) else { return };
        let gone: Vec<_> = self.relationships_of(node, direction, Some(kind)).collect();
        gone.into_iter().for_each(|id| self.remove_relationship(id));
    }

    fn end_manifestations(&mut self, key: &NodeKey) {
        let Some(node) = self.find(key) else { return };
        let ids: Vec<_> = self.relationships_of(node, Direction::Incoming, Some(RelationshipType::Manifests)).collect();
        for id in ids {
            if let Some(relationship) = self.relationships.get_mut(&id) {
                Arc::make_mut(relationship).properties.insert("active", false.into());
            }
        }
    }

    fn put_relationship(&mut self, key: &RelationshipKey, properties: &Properties) {
        // As in a database, what has no ends cannot be.
        let (Some(from), Some(to)) = (self.find(&key.from), self.find(&key.to)) else { return };
        let known = self.relationship_ids.get(key).copied();
        let id = known.unwrap_or_else(|| {
            let id = RelationshipId(self.number());
            let require = (!key.require.is_empty()).then(|| ("require", Value::Text(key.require.to_string())));
            let relationship = MemoryRelationship {
                from,
                kind: key.kind,
                to,
                properties: require.into_iter().collect(),
                key: key.clone(),
            };
            self.relationships.insert(id, Arc::new(relationship));
            self.relationship_ids.insert(key.clone(), id);
            self.outgoing.insert((from, key.kind, id));
            self.incoming.insert((to, key.kind, id));
            id
        });
        if let Some(relationship) = self.relationships.get_mut(&id) {
            set(&mut Arc::make_mut(relationship).properties, properties);
        }
    }

    fn couple(&mut self, key: &NodeKey) {
        let Some(attempt) = self.find(key) else { return };
        let runtime = |node: &&MemoryNode| node.properties.get("scope") == Some(&Value::Text("runtime".into()));
        let mut coupled = Vec::new();
        for (id, require) in self.neighbours(attempt, RelationshipType::Requires).filter(|(_, node)| runtime(node)) {
            let Some(Value::Text(name)) = require.properties.get("name") else { continue };
            for (_, component) in self.neighbours(id, RelationshipType::Matched) {
                let (from, to, kind) = (key.clone(), component.key.clone(), RelationshipType::Coupled);
                coupled.push(RelationshipKey { from, kind, to, require: name.into() });
            }
        }
        coupled.iter().for_each(|key| self.put_relationship(key, &Properties::new()));
    }

    /// The nodes to which a node has relationships of a type.
    fn neighbours(&self, node: NodeId, kind: RelationshipType) -> impl Iterator<Item = (NodeId, &MemoryNode)> {
        let relationships = self.relationships_of(node, Direction::Outgoing, Some(kind));
        relationships.filter_map(|id| {
            let to = self.relationship(id)?.to;
            Some((to, self.node(to)?))
        })
    }

    fn drop_plans(&mut self, key: &NodeKey) {
        let Some(node) = self.find(key) else { return };
        let plans: Vec<_> = self.relationships_of(node, Direction::Outgoing, Some(RelationshipType::Plans)).collect();
        for id in plans {
            let planned = self.relationship(id).map(|relationship| relationship.to);
            self.remove_relationship(id);
            let is_planned = |node: &MemoryNode| node.properties.get("state") == Some(&Value::Text("planned".into()));
            let is_coupled =
                |id| self.relationships_of(id, Direction::Incoming, Some(RelationshipType::Coupled)).next().is_some();
            let gone = planned.filter(|&id| self.node(id).is_some_and(is_planned) && !is_coupled(id));
            if let Some(component) = gone {
                self.remove_node(component);
            }
        }
    }

    fn remove_node(&mut self, id: NodeId) {
        for direction in [Direction::Outgoing, Direction::Incoming] {
            let gone: Vec<_> = self.relationships_of(id, direction, None).collect();
            gone.into_iter().for_each(|id| self.remove_relationship(id));
        }
        if let Some(node) = self.nodes.remove(&id) {
            self.node_ids.remove(&node.key);
            self.labels.remove(&(node.key.label, id));
        }
    }

    fn remove_relationship(&mut self, id: RelationshipId) {
        if let Some(relationship) = self.relationships.remove(&id) {
            self.relationship_ids.remove(&relationship.key);
            self.outgoing.remove(&(relationship.from, relationship.kind, id));
            self.incoming.remove(&(relationship.to, relationship.kind, id));
        }
    }
}

fn set(properties: &mut BTreeMap<&'static str, Value>, given: &Properties) {
    for (&name, value) in given {
        match value {
            Some(value) => properties.insert(name, value.clone()),
            None => properties.remove(name),
        };
    }
}

//! The graph in memory, as the engine wants to read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arcstr::ArcStr;
use grafeo::{EdgeId, NodeId, Value};
use grafeo_common::types::{EpochId, PropertyKey, TransactionId};
use grafeo_common::utils::hash::FxHashMap;
use grafeo_core::graph::lpg::{CompareOp, Edge, Node};
use grafeo_core::graph::{Direction, GraphStore, GraphStoreSearch};
use grafeo_core::statistics::Statistics;

use super::values::property;
use crate::graph::{self, Label, MemoryGraph, MemoryNode, MemoryRelationship, RelationshipType};

/// Tells the engine that its time is over.
#[derive(Debug, Default)]
pub(super) struct Stop(AtomicBool);

impl Stop {
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether its time is over: then whatever still reads is ended here, for the engine looks at the clock only between its
    /// steps, of which one may be as long as a product is large.
    fn is_set(&self) -> bool {
        if self.0.load(Ordering::Relaxed) {
            // Taken where the engine was begun; nothing of it is used again.
            std::panic::resume_unwind(Box::new("the time of the question is over"));
        }
        false
    }
}

/// A graph that stays as it is. Whoever reads it once its time is over is ended.
pub(super) struct View {
    graph: MemoryGraph,
    stop: Arc<Stop>,
}

impl View {
    pub fn new(graph: MemoryGraph, stop: Arc<Stop>) -> Self {
        Self { graph, stop }
    }

    fn node(&self, id: NodeId) -> Option<&MemoryNode> {
        if self.stop.is_set() { None } else { self.graph.node(graph::NodeId(id.0)) }
    }

    fn relationship(&self, id: EdgeId) -> Option<&MemoryRelationship> {
        if self.stop.is_set() { None } else { self.graph.relationship(graph::RelationshipId(id.0)) }
    }

    /// The nodes that something is true of.
    fn nodes_that(&self, is: impl Fn(&MemoryNode) -> bool) -> Vec<NodeId> {
        let nodes = self.graph.nodes().take_while(|_| !self.stop.is_set());
        nodes.filter(|(_, node)| is(node)).map(|(id, _)| NodeId(id.0)).collect()
    }

    fn step(&self, id: graph::RelationshipId, direction: graph::Direction) -> Option<(NodeId, EdgeId)> {
        let found = self.graph.relationship(id)?;
        let other = if direction == graph::Direction::Outgoing { found.to } else { found.from };
        Some((NodeId(other.0), EdgeId(id.0)))
    }

    fn steps(&self, node: NodeId, direction: graph::Direction) -> impl Iterator<Item = (NodeId, EdgeId)> {
        let found = self.graph.relationships_of(graph::NodeId(node.0), direction, None);
        let found = found.take_while(|_| !self.stop.is_set());
        found.filter_map(move |id| self.step(id, direction))
    }
}

fn has(node: &MemoryNode, name: &str, value: &Value) -> bool {
    node.properties.get(name).is_some_and(|known| property(known) == *value)
}

impl GraphStore for View {
    fn get_node(&self, id: NodeId) -> Option<Node> {
        let found = self.node(id)?;
        let mut node = Node::with_labels(id, [found.key.label.as_str()]);
        for (&name, value) in &found.properties {
            node.set_property(name, property(value));
        }
        Some(node)
    }

    fn get_edge(&self, id: EdgeId) -> Option<Edge> {
        let found = self.relationship(id)?;
        let mut edge = Edge::new(id, NodeId(found.from.0), NodeId(found.to.0), found.kind.as_str());
        for (&name, value) in &found.properties {
            edge.set_property(name, property(value));
        }
        Some(edge)
    }

    fn get_node_versioned(&self, id: NodeId, _: EpochId, _: TransactionId) -> Option<Node> {
        self.get_node(id)
    }

    fn get_edge_versioned(&self, id: EdgeId, _: EpochId, _: TransactionId) -> Option<Edge> {
        self.get_edge(id)
    }

    fn get_node_at_epoch(&self, id: NodeId, _: EpochId) -> Option<Node> {
        self.get_node(id)
    }

    fn get_edge_at_epoch(&self, id: EdgeId, _: EpochId) -> Option<Edge> {
        self.get_edge(id)
    }

    fn get_node_property(&self, id: NodeId, key: &PropertyKey) -> Option<Value> {
        self.node(id)?.properties.get(key.as_str()).map(property)
    }

    fn get_edge_property(&self, id: EdgeId, key: &PropertyKey) -> Option<Value> {
        self.relationship(id)?.properties.get(key.as_str()).map(property)
    }

    fn get_node_property_batch(&self, ids: &[NodeId], key: &PropertyKey) -> Vec<Option<Value>> {
        ids.iter().map(|&id| self.get_node_property(id, key)).collect()
    }

    fn get_nodes_properties_batch(&self, ids: &[NodeId]) -> Vec<FxHashMap<PropertyKey, Value>> {
        let all =
            |node: &MemoryNode| node.properties.iter().map(|(&name, value)| (name.into(), property(value))).collect();
        ids.iter().map(|&id| self.node(id).map(all).unwrap_or_default()).collect()
    }

    fn get_nodes_properties_selective_batch(
        &self,
        ids: &[NodeId],
        keys: &[PropertyKey],
    ) -> Vec<FxHashMap<PropertyKey, Value>> {
        let some = |id| keys.iter().filter_map(|key| Some((key.clone(), self.get_node_property(id, key)?))).collect();
        ids.iter().map(|&id| some(id)).collect()
    }

    fn get_edges_properties_selective_batch(
        &self,
        ids: &[EdgeId],
        keys: &[PropertyKey],
    ) -> Vec<FxHashMap<PropertyKey, Value>> {
        let some = |id| keys.iter().filter_map(|key| Some((key.clone(), self.get_edge_property(id, key)?))).collect();
        ids.iter().map(|&id| some(id)).collect()
    }

    fn neighbors(&self, node: NodeId, direction: Direction) -> Vec<NodeId> {
        self.edges_from(node, direction).into_iter().map(|(other, _)| other).collect()
    }

    fn edges_from(&self, node: NodeId, direction: Direction) -> Vec<(NodeId, EdgeId)> {
        match direction {
            Direction::Outgoing => self.steps(node, graph::Direction::Outgoing).collect(),
            Direction::Incoming => self.steps(node, graph::Direction::Incoming).collect(),
            _ => {
                let outgoing = self.steps(node, graph::Direction::Outgoing);
                outgoing.chain(self.steps(node, graph::Direction::Incoming)).collect()
            }
        }
    }

    fn out_degree(&self, node: NodeId) -> usize {
        self.steps(node, graph::Direction::Outgoing).count()
    }

    fn in_degree(&self, node: NodeId) -> usize {
        self.steps(node, graph::Direction::Incoming).count()
    }

    fn has_backward_adjacency(&self) -> bool {
        true
    }

    fn node_ids(&self) -> Vec<NodeId> {
        self.nodes_that(|_| true)
    }

    fn nodes_by_label(&self, label: &str) -> Vec<NodeId> {
        let Some(&label) = Label::ALL.iter().find(|known| known.as_str() == label) else { return Vec::new() };
        let nodes = self.graph.nodes_of(label).take_while(|_| !self.stop.is_set());
        nodes.map(|id| NodeId(id.0)).collect()
    }

    fn node_count(&self) -> usize {
        self.graph.node_count()
    }

    fn edge_count(&self) -> usize {
        self.graph.len() - self.graph.node_count()
    }

    fn edge_type(&self, id: EdgeId) -> Option<ArcStr> {
        self.relationship(id).map(|found| found.kind.as_str().into())
    }

    fn find_nodes_by_property(&self, name: &str, value: &Value) -> Vec<NodeId> {
        self.nodes_that(|node| has(node, name, value))
    }

    fn find_nodes_by_properties(&self, conditions: &[(&str, Value)]) -> Vec<NodeId> {
        self.nodes_that(|node| conditions.iter().all(|(name, value)| has(node, name, value)))
    }

    fn find_nodes_in_range(
        &self,
        name: &str,
        least: Option<&Value>,
        most: Option<&Value>,
        with_least: bool,
        with_most: bool,
    ) -> Vec<NodeId> {
        self.nodes_that(|node| {
            let Some(value) = node.properties.get(name).map(property) else { return false };
            let above = |bound: &Value| order(&value, bound).is_some_and(|is| is.is_gt() || with_least && is.is_eq());
            let below = |bound: &Value| order(&value, bound).is_some_and(|is| is.is_lt() || with_most && is.is_eq());
            least.is_none_or(above) && most.is_none_or(below)
        })
    }

    fn node_property_might_match(&self, _: &PropertyKey, _: CompareOp, _: &Value) -> bool {
        true
    }

    fn edge_property_might_match(&self, _: &PropertyKey, _: CompareOp, _: &Value) -> bool {
        true
    }

    fn statistics(&self) -> Arc<Statistics> {
        Arc::new(Statistics::default())
    }

    fn estimate_label_cardinality(&self, label: &str) -> f64 {
        self.nodes_by_label(label).len() as f64
    }

    fn estimate_avg_degree(&self, _: &str, _: bool) -> f64 {
        2.0
    }

    fn current_epoch(&self) -> EpochId {
        EpochId(0)
    }

    fn all_labels(&self) -> Vec<String> {
        Label::ALL.iter().map(ToString::to_string).collect()
    }

    fn all_edge_types(&self) -> Vec<String> {
        RelationshipType::ALL.iter().map(ToString::to_string).collect()
    }

    fn all_property_keys(&self) -> Vec<String> {
        Vec::new()
    }
}

impl GraphStoreSearch for View {}

/// Texts among texts, numbers among numbers; others have no order.
fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    let number = |value: &Value| match value {
        Value::Int64(integer) => Some(*integer as f64),
        Value::Float64(float) => Some(*float),
        _ => None,
    };
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Int64(left), Value::Int64(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

//! The bodies that are posted besides a start: of a finish, of a question of the graph, of a Server and an Environment.
//! Nothing in them is a template.

mod attributes;
mod finish;
mod graph_query;
mod server;

pub use finish::{AttributeCorrection, FinishDocument};
pub use graph_query::GraphQueryDocument;
pub use server::{read_environment, read_server};

use crate::document::Node;
use crate::model::Layer;
use crate::reading::{At, Reader};

fn read_layer(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<Layer> {
    reader.choice(node, at, "layer", &Layer::ALL.map(|layer| (layer.as_str(), layer)))
}

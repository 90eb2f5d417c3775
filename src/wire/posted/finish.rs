//! The body of a finish: how it ended, and the attributes that turned out otherwise.

use super::attributes::read_attributes;
use super::read_layer;
use crate::document::{Document, Json, Node, Pointer};
use crate::model::{Code, DeploymentId, Layer, LeaseToken, Name, TextRule};
use crate::reading::{At, Fields, Problems, Reader};

/// The body of a finish. It may be a whole plan as it was answered; of that only these parts are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishDocument {
    /// Whether it succeeded.
    pub success: Option<bool>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// The id of the plan, as written.
    pub id: Option<String>,
    /// The token of the lease.
    pub token: Option<LeaseToken>,
    /// Of a set: the members that it lists, in order, with their tokens.
    pub members: Vec<(DeploymentId, Option<LeaseToken>)>,
    /// The attributes of each specification, in order: one element for a single plan, one for each member of a set.
    pub corrections: Vec<Vec<AttributeCorrection>>,
}

/// The attributes of a Provide as they turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeCorrection {
    /// The Interface of the Provide.
    pub interface: Name,
    /// The layer of the Provide.
    pub layer: Layer,
    /// Top-level keys that replace; `null` removes.
    pub attributes: Vec<(String, Json)>,
    /// Where it stands in the document.
    pub pointer: Pointer,
}

impl FinishDocument {
    /// About how many bytes the corrections have.
    pub fn bytes(&self) -> usize {
        let keys = self.corrections.iter().flatten().flat_map(|correction| &correction.attributes);
        keys.map(|(name, value)| name.len() + value.bytes()).sum::<usize>()
    }

    /// Reads a finish.
    ///
    /// # Errors
    /// All [`Problems`] of the parts that are read.
    pub fn read(document: &Document) -> Result<Self, Problems> {
        let mut reader = Reader::new(document);
        let root = At::root("");
        if reader.members(&document.root, &root, "a finish").is_none() {
            return Err(reader.problems);
        }
        let fields = Fields::of(&document.root);
        let success = fields.get("success").and_then(|node| reader.boolean(node, &root.key("success"), "success"));
        let reason = fields
            .get("reason")
            .and_then(|node| reader.checked_text(node, &root.key("reason"), TextRule::Free, "the reason"));
        let id = fields.get("id").and_then(|node| reader.text(node, &root.key("id"), "the id"));
        let finish = Self {
            success,
            reason: reason.map(str::to_owned),
            id: id.map(str::to_owned),
            token: token(&mut reader, &fields, &root),
            members: members(&mut reader, &fields, &root),
            corrections: all_corrections(&mut reader, &fields, &root),
        };
        reader.problems.or(finish)
    }
}

/// The token of the `lease` in the object at `at`.
fn token(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> Option<LeaseToken> {
    let token = Fields::of(fields.get("lease")?).get("token")?;
    reader.text(token, &at.key("lease").key("token"), "the token").map(|token| LeaseToken(token.to_owned()))
}

fn members(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> Vec<(DeploymentId, Option<LeaseToken>)> {
    let at = at.key("deployments");
    let listed = fields.get("deployments").and_then(|node| reader.elements(node, &at, "deployments"));
    let mut members = Vec::new();
    for (index, node) in listed.unwrap_or_default().iter().enumerate() {
        let at = at.index(index);
        let id = node.get("id").and_then(|node| reader.text(node, &at.key("id"), "the id"));
        let Some(id) = id.and_then(|id| id.parse().ok()) else {
            reader.problem(&at.key("id"), Code::MissingField, "a member of a set has an id, which is a UUID");
            continue;
        };
        members.push((id, token(reader, &Fields::of(node), &at)));
    }
    members
}

fn all_corrections(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> Vec<Vec<AttributeCorrection>> {
    if let Some(node) = fields.get("artifactSpec") {
        return vec![corrections(reader, node, &at.key("artifactSpec"))];
    }
    let at = at.key("artifactSpecs");
    let nodes = fields.get("artifactSpecs").and_then(|node| reader.elements(node, &at, "artifactSpecs"));
    let nodes = nodes.unwrap_or_default().iter().enumerate();
    nodes.map(|(index, node)| corrections(reader, node, &at.index(index))).collect()
}

fn corrections(reader: &mut Reader, node: &Node, at: &At<'_>) -> Vec<AttributeCorrection> {
    let at = at.key("provides");
    let provides = Fields::of(node).get("provides").and_then(|node| reader.elements(node, &at, "provides"));
    let provides = provides.unwrap_or_default().iter().enumerate();
    provides.filter_map(|(index, node)| correction(reader, node, &at.index(index))).collect()
}

fn correction(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<AttributeCorrection> {
    reader.members(node, at, "a Provide")?;
    let fields = Fields::of(node);
    let interface = reader.required(&fields, at, "interface", "a Provide").and_then(|node| {
        let at = at.key("interface");
        let name = reader.text(node, &at, "interface")?;
        reader.key_name(name, &at, "the interface")
    });
    let layer = reader.required(&fields, at, "layer", "a Provide");
    let layer = layer.and_then(|node| read_layer(reader, node, &at.key("layer")));
    let attributes = read_attributes(reader, &fields, at);
    Some(AttributeCorrection { interface: interface?, layer: layer?, attributes, pointer: at.pointer() })
}

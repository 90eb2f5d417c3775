//! The body of a finish: how it ended, and the attributes that turned out otherwise.

use super::provide::{read_literal_attributes, unknown_layer};
use crate::document::{Document, Json, Node, Pointer};
use crate::model::{Code, DeploymentId, Layer, LeaseToken, Name, TextRule};
use crate::reading::{At, Fields, Problems, Reader};

/// What was posted to finish. Everything else in it is ignored: it is a plan as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishDocument {
    /// How it ended.
    pub success: Option<bool>,
    /// Why.
    pub reason: Option<String>,
    /// The id of the plan that it is, as written.
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
    /// Which Provide.
    pub interface: Name,
    /// In which layer.
    pub layer: Layer,
    /// Top-level keys that replace; `null` removes.
    pub attributes: Vec<(String, Json)>,
    /// Where it stands in the document.
    pub pointer: Pointer,
}

impl FinishDocument {
    /// Reads a finish.
    ///
    /// # Errors
    /// All [`Problems`] of the parts that are read.
    pub fn read(document: &Document) -> Result<Self, Problems> {
        let mut reader = Reader::new(document);
        let root = At::root("");
        let node = &document.root;
        let mut finish = Self::default();
        if reader.members(node, &root, "a finish").is_none() {
            return Err(reader.problems);
        }
        let field = |name| node.get(name).filter(|node| !node.is_null());
        finish.success = field("success").and_then(|node| reader.boolean(node, &root.key("success"), "success"));
        finish.reason = field("reason").and_then(|node| {
            let at = root.key("reason");
            let reason = reader.text(node, &at, "the reason")?;
            reader.check(reason, TextRule::Free, &at, "the reason").then(|| reason.to_owned())
        });
        finish.id = field("id").and_then(|node| reader.text(node, &root.key("id"), "the id")).map(str::to_owned);
        finish.token = field("lease").and_then(|node| token(&mut reader, node, &root.key("lease")));
        let members_at = root.key("deployments");
        let members = field("deployments").and_then(|node| reader.elements(node, &members_at, "deployments"));
        for (index, node) in members.unwrap_or_default().iter().enumerate() {
            let at = members_at.index(index);
            let id = node.get("id").and_then(|node| reader.text(node, &at.key("id"), "the id"));
            let Some(id) = id.and_then(|id| id.parse().ok()) else {
                reader.problem(&at.key("id"), Code::MissingField, "a member of a set has an id, which is a UUID");
                continue;
            };
            let token = node.get("lease").and_then(|node| token(&mut reader, node, &at.key("lease")));
            finish.members.push((id, token));
        }
        let specs_at = root.key("artifactSpecs");
        if let Some(node) = field("artifactSpec") {
            finish.corrections.push(corrections(&mut reader, node, &root.key("artifactSpec")));
        } else if let Some(nodes) =
            field("artifactSpecs").and_then(|node| reader.elements(node, &specs_at, "artifactSpecs"))
        {
            let nodes = nodes.iter().enumerate();
            finish
                .corrections
                .extend(nodes.map(|(index, node)| corrections(&mut reader, node, &specs_at.index(index))));
        }
        reader.problems.or(finish)
    }
}

fn token(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<LeaseToken> {
    let token = node.get("token").filter(|node| !node.is_null())?;
    reader.text(token, &at.key("token"), "the token").map(|token| LeaseToken(token.to_owned()))
}

fn corrections(reader: &mut Reader, node: &Node, at: &At<'_>) -> Vec<AttributeCorrection> {
    let provides_at = at.key("provides");
    let provides = node.get("provides").filter(|node| !node.is_null());
    let provides = provides.and_then(|node| reader.elements(node, &provides_at, "provides"));
    let provides = provides.unwrap_or_default().iter().enumerate();
    provides.filter_map(|(index, node)| correction(reader, node, &provides_at.index(index))).collect()
}

fn correction(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<AttributeCorrection> {
    let members = reader.members(node, at, "a Provide")?;
    let fields = Fields::of(members);
    let mut text = |field: &str| {
        let Some(node) = fields.get(field) else {
            reader.missing(at, field, "a Provide");
            return None;
        };
        reader.text(node, &at.key(field), field)
    };
    let (interface, layer) = (text("interface"), text("layer"));
    let interface = interface.and_then(|name| reader.key_name(name, &at.key("interface"), "the interface"));
    let layer = layer.and_then(|text| {
        let layer = Layer::from_text(text);
        if layer.is_none() {
            reader.problem(&at.key("layer"), Code::UnknownValue, unknown_layer(text));
        }
        layer
    });
    let attributes_at = at.key("attributes");
    let attributes = fields.get("attributes").map(|node| read_literal_attributes(reader, node, &attributes_at));
    let attributes = attributes.unwrap_or_default();
    Some(AttributeCorrection { interface: interface?, layer: layer?, attributes, pointer: at.pointer() })
}

//! Attributes as they are posted of a Server, and as they turned out at a finish.

use crate::document::{Json, Node, NodeValue};
use crate::model::TextRule;
use crate::reading::{At, Fields, Reader};

/// Reads `attributes` of the object at `at`, in written order; none where they are absent.
pub(super) fn read_attributes(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> Vec<(String, Json)> {
    let at = at.key("attributes");
    let members = fields.get("attributes").and_then(|node| reader.members(node, &at, "attributes"));
    let members = members.unwrap_or_default();
    let mut attributes = Vec::with_capacity(members.len());
    for member in members {
        let at = at.key(&member.key);
        reader.check(&member.key, TextRule::Name, &at, "the name of an attribute");
        check(reader, &member.value, &at);
        attributes.push((member.key.to_string(), member.value.to_json()));
    }
    attributes
}

/// Checks every text in an attribute.
fn check(reader: &mut Reader, node: &Node, at: &At<'_>) {
    match &node.value {
        NodeValue::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, node)| check(reader, node, &at.index(index)));
        }
        NodeValue::Object(members) => {
            for member in members {
                let at = at.key(&member.key);
                reader.check(&member.key, TextRule::Free, &at, "the key");
                check(reader, &member.value, &at);
            }
        }
        NodeValue::Scalar(scalar) => {
            reader.check(&scalar.text, TextRule::Free, at, "the attribute");
        }
    }
}

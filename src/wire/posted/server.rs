//! Documents that declare a Server or set the policy of an Environment.

use smol_str::SmolStr;

use super::attributes::read_attributes;
use super::read_layer;
use crate::document::{Document, Node};
use crate::model::limits::CORRECTED_BYTES;
use crate::model::{Attributes, Code, FirstDeployment, Labels, Layer, Name, ServerDeclaration, TextRule};
use crate::reading::{At, Fields, Problems, Reader};
use crate::spec::set_own_label;

/// Reads the declaration of the Server `name`.
///
/// # Errors
/// All [`Problems`] of the document.
pub fn read_server(name: Name, document: &Document) -> Result<ServerDeclaration, Problems> {
    const FIELDS: [&str; 6] = ["environment", "interface", "layer", "version", "labels", "attributes"];
    let mut reader = Reader::new(document);
    let root = At::root("");
    let Some(fields) = reader.fields(&document.root, &root, "a Server", &FIELDS) else { return Err(reader.problems) };
    let environment = reader.required(&fields, &root, "environment", "a Server");
    let environment = environment.and_then(|node| read_name(&mut reader, node, &root, "environment"));
    let key = |key: &str| Name::of_checked(key.into());
    let interface = fields.get("interface").and_then(|node| read_name(&mut reader, node, &root, "interface"));
    let interface = interface.unwrap_or_else(|| key("server"));
    let layer = fields.get("layer").and_then(|node| read_layer(&mut reader, node, &root.key("layer")));
    let layer = layer.unwrap_or(Layer::Server);
    let version = fields.get("version").and_then(|node| {
        let version = reader.checked_text(node, &root.key("version"), TextRule::FilledValue, "the version");
        version.map(SmolStr::new)
    });
    let mut labels = Labels::default();
    labels.set(key("interface"), interface.shared().clone());
    labels.set(key("name"), name.shared().clone());
    if let Some(environment) = &environment {
        labels.set(key("environment"), environment.shared().clone());
    }
    labels.set(key("layer"), layer.as_str());
    if let Some(version) = &version {
        labels.set(key("version"), version.clone());
    }
    read_own_labels(&mut reader, &fields, &root, &mut labels);
    let attributes = Attributes::new(read_attributes(&mut reader, &fields, &root));
    if attributes.as_str().len() > CORRECTED_BYTES {
        let message = format!(
            "the attributes have {} bytes; at most {CORRECTED_BYTES} are allowed (limit corrected-bytes)",
            attributes.as_str().len()
        );
        reader.problem(&root.key("attributes"), Code::TooLarge, message);
    }
    match environment {
        Some(environment) if reader.problems.is_empty() => {
            Ok(ServerDeclaration { name, environment, interface, layer, version, labels, attributes })
        }
        _ => Err(reader.problems),
    }
}

/// Reads the policy of an Environment: `{"firstDeployment": "allow|warn|refuse"}`; `None` where it has none of its own.
///
/// # Errors
/// All [`Problems`] of the document.
pub fn read_environment(document: &Document) -> Result<Option<FirstDeployment>, Problems> {
    let mut reader = Reader::new(document);
    let root = At::root("");
    let policies =
        [("allow", FirstDeployment::Allow), ("warn", FirstDeployment::Warn), ("refuse", FirstDeployment::Refuse)];
    let fields = reader.fields(&document.root, &root, "an Environment", &["firstDeployment"]);
    let policy = fields
        .and_then(|fields| fields.get("firstDeployment"))
        .and_then(|node| reader.choice(node, &root.key("firstDeployment"), "firstDeployment policy", &policies));
    reader.problems.or(policy)
}

fn read_name(reader: &mut Reader, node: &Node, at: &At<'_>, field: &str) -> Option<Name> {
    let name = reader.checked_text(node, &at.key(field), TextRule::Name, field);
    name.map(|name| Name::of_checked(name.into()))
}

fn read_own_labels(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>, labels: &mut Labels) {
    let at = at.key("labels");
    let own = fields.get("labels").and_then(|node| reader.members(node, &at, "labels"));
    for member in own.unwrap_or_default() {
        let at = at.key(&member.key);
        let has_key = reader.check(&member.key, TextRule::Name, &at, "the key of a label");
        let value = reader.checked_text(&member.value, &at, TextRule::Value, "the label");
        let (true, Some(value)) = (has_key, value) else { continue };
        let key = Name::of_checked(member.key.as_str().into());
        if let Err(message) = set_own_label(labels, key, value.into()) {
            reader.problem(&at, Code::ReservedLabel, message);
        }
    }
}

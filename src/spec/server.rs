//! Documents that declare a Server or set the policy of an Environment. Nothing in them is a template.

use smol_str::SmolStr;

use super::provide::{read_literal_attributes, reserved_label};
use crate::document::Document;
use crate::model::{Attributes, Code, FirstDeployment, Labels, Layer, Name, ServerDeclaration, TextRule};
use crate::reading::{At, Fields, Problems, Reader};

/// Reads the declaration of the Server `name`.
///
/// # Errors
/// All [`Problems`] of the document.
pub fn read_server(name: Name, document: &Document) -> Result<ServerDeclaration, Problems> {
    const FIELDS: [&str; 6] = ["environment", "interface", "layer", "version", "labels", "attributes"];
    let mut reader = Reader::new(document);
    let root = At::root("");
    let Some(fields) = reader.fields(&document.root, &root, "a Server", &FIELDS) else { return Err(reader.problems) };
    let environment = read_name(&mut reader, &fields, &root, "environment");
    if fields.get("environment").is_none() {
        reader.missing(&root, "environment", "a Server");
    }
    let named = || Name::of_checked("server".into());
    let interface = read_name(&mut reader, &fields, &root, "interface").unwrap_or_else(named);
    let layers = Layer::ALL.map(|layer| (layer.as_str(), layer));
    let layer = fields.get("layer").and_then(|node| reader.choice(node, &root.key("layer"), "layer", &layers));
    let layer = layer.unwrap_or(Layer::Server);
    let version = fields.get("version").and_then(|node| {
        let at = root.key("version");
        let version = reader.text(node, &at, "the version")?;
        reader.check(version, TextRule::FilledValue, &at, "the version").then(|| SmolStr::new(version))
    });
    let key = |key: &str| Name::of_checked(key.into());
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
    let attributes_at = root.key("attributes");
    let attributes = fields.get("attributes").map(|node| read_literal_attributes(&mut reader, node, &attributes_at));
    let attributes = Attributes::new(attributes.unwrap_or_default());
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
    let policy = fields.and_then(|fields| {
        fields
            .get("firstDeployment")
            .map(|node| reader.choice(node, &root.key("firstDeployment"), "firstDeployment policy", &policies))
    });
    reader.problems.or(policy.flatten())
}

fn read_name(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>, field: &'static str) -> Option<Name> {
    let at = at.key(field);
    let name = fields.get(field).and_then(|node| reader.text(node, &at, field))?;
    reader.check(name, TextRule::Name, &at, field).then(|| Name::of_checked(name.into()))
}

fn read_own_labels(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>, labels: &mut Labels) {
    let at = at.key("labels");
    let own = fields.get("labels").and_then(|node| reader.members(node, &at, "labels"));
    for member in own.unwrap_or_default() {
        let at = at.key(&member.key);
        let key = reader.check(&member.key, TextRule::Name, &at, "the key of a label");
        let value = reader.text(&member.value, &at, "the label").map(str::to_owned);
        let Some(value) = value.filter(|value| reader.check(value, TextRule::Value, &at, "the label")) else {
            continue;
        };
        let is = labels.get(&member.key).unwrap_or_default();
        match reserved_label(&member.key, is) {
            Some(message) if is != value => reader.problem(&at, Code::ReservedLabel, message),
            Some(_) => {}
            None if key => labels.set(Name::of_checked(member.key.as_str().into()), value),
            None => {}
        }
    }
}

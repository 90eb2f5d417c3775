//! Provides: what an artifact will provide.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::specification::{read_annotations, warn_of_output};
use super::text::Text;
use crate::document::{Json, Member, Node, NodeValue, Pointer};
use crate::model::{Code, Labels, Layer, Name, RESERVED_LABELS, TextRule, Warning};
use crate::reading::{At, Reader, no_such};

/// A Provide whose texts are still templates.
#[derive(Clone, Debug)]
pub(super) struct ProvideTemplate {
    pub interface: Text,
    pub layer: Text,
    /// The artifact's where absent.
    pub version: Option<Text>,
    pub labels: BTreeMap<Name, Text>,
    pub attributes: Vec<(String, AttributeTemplate)>,
    pub annotations: BTreeMap<Name, Text>,
    /// In the document as posted.
    pub pointer: Pointer,
}

/// A value of an attribute whose texts are still templates.
#[derive(Clone, Debug)]
pub(super) enum AttributeTemplate {
    /// A value without templates.
    Known(Json),
    Text(Text),
    Array(Vec<AttributeTemplate>),
    Object(Vec<(String, AttributeTemplate)>),
}

const FIELDS: [&str; 7] = ["interface", "layer", "version", "labels", "attributes", "annotations", "component"];

/// Reads `provides`: an array, or a map keyed by interface, or by layer with `interface` inside.
pub(super) fn read_all(
    reader: &mut Reader,
    node: &Node,
    at: &At<'_>,
    warnings: &mut Vec<Warning>,
) -> Vec<ProvideTemplate> {
    match &node.value {
        NodeValue::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.filter_map(|(index, node)| read(reader, node, &at.index(index), None, index, warnings)).collect()
        }
        NodeValue::Object(members) => {
            let members = members.iter().enumerate();
            members
                .filter_map(|(index, member)| {
                    read(reader, &member.value, &at.key(&member.key), Some(member), index, warnings)
                })
                .collect()
        }
        NodeValue::Scalar(_) => {
            reader.expected(node, at, "provides is an array of Provides");
            Vec::new()
        }
    }
}

fn read(
    reader: &mut Reader,
    node: &Node,
    at: &At<'_>,
    keyed: Option<&Member>,
    index: usize,
    warnings: &mut Vec<Warning>,
) -> Option<ProvideTemplate> {
    let fields = reader.fields(node, at, "a Provide", &FIELDS)?;
    warn_of_output(&fields, "component", &format!("/provides/{index}"), warnings);
    let text = |reader: &mut Reader, field, rule, what| {
        fields.get(field).map(|node| Text::read(reader, node, &at.key(field), rule, what))
    };
    let mut interface = text(reader, "interface", TextRule::Name, "the interface");
    let mut layer = text(reader, "layer", TextRule::Name, "the layer");
    if let Some(member) = keyed {
        let key = reader.key_name(&member.key, at, "a key of provides");
        let by_layer = interface.is_some() && Layer::from_text(&member.key).is_some();
        let (field, place) = if by_layer { ("layer", &mut layer) } else { ("interface", &mut interface) };
        match place {
            Some(Some(written)) if written.written() != member.key => {
                let message = format!(
                    "the {field} `{}` and the key `{}` differ; keep one of them",
                    written.written(),
                    member.key
                );
                reader.problem(&at.key(field), Code::ConflictingSpellings, message);
            }
            Some(_) => {}
            None => *place = Some(key.map(|key| Text::literal(key.as_str(), at, TextRule::Name, "the key"))),
        }
    }
    for (field, read) in [("interface", &interface), ("layer", &layer)] {
        if read.is_none() {
            reader.missing(at, field, "a Provide");
        }
    }
    if let Some(Some(Text::Plain(written))) = &layer {
        check_layer(reader, written, &at.key("layer"));
    }
    let version = text(reader, "version", TextRule::FilledValue, "the version").flatten();
    let labels = fields.get("labels").map_or_else(BTreeMap::new, |node| read_labels(reader, node, &at.key("labels")));
    let attributes =
        fields.get("attributes").map_or_else(Vec::new, |node| read_attributes(reader, node, &at.key("attributes")));
    let annotations = read_annotations(reader, &fields, at);
    let pointer = at.pointer();
    Some(ProvideTemplate { interface: interface??, layer: layer??, version, labels, attributes, annotations, pointer })
}

/// Adds a problem where `written` is no layer.
fn check_layer(reader: &mut Reader, written: &str, at: &At<'_>) {
    if Layer::from_text(written).is_none() {
        reader.problem(at, Code::UnknownValue, unknown_layer(written));
    }
}

/// The message for a text that is no layer.
pub(super) fn unknown_layer(written: &str) -> String {
    no_such(written, "layer", &Layer::ALL.map(Layer::as_str))
}

/// Labels by key. The reserved keys are allowed here: they may repeat the value that Mortise sets.
pub(super) fn read_labels(reader: &mut Reader, node: &Node, at: &At<'_>) -> BTreeMap<Name, Text> {
    Text::read_map(reader, node, at, TextRule::Value, ("labels", "the key of a label", "the label"))
}

/// Sets a label that was written out. A label that Mortise sets itself may be repeated, but not changed.
///
/// # Errors
/// The message for a value other than the one that Mortise sets.
pub(crate) fn set_own_label(labels: &mut Labels, key: Name, value: SmolStr) -> Result<(), String> {
    if !RESERVED_LABELS.contains(&key.as_str()) {
        labels.set(key, value);
        return Ok(());
    }
    match labels.get(key.as_str()).unwrap_or_default() {
        is if is == value => Ok(()),
        is => Err(format!("`{key}` is a label that Mortise sets itself, here to `{is}`; remove it")),
    }
}

/// Attributes in written order.
pub(super) fn read_attributes(reader: &mut Reader, node: &Node, at: &At<'_>) -> Vec<(String, AttributeTemplate)> {
    let Some(members) = reader.members(node, at, "attributes") else { return Vec::new() };
    let mut attributes = Vec::with_capacity(members.len());
    for member in members {
        let at = at.key(&member.key);
        let name = reader.key_name(&member.key, &at, "the name of an attribute");
        let value = read_attribute(reader, &member.value, &at);
        attributes.extend(name.zip(value).map(|(name, value)| (name.as_str().to_owned(), value)));
    }
    attributes
}

fn read_attribute(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<AttributeTemplate> {
    match &node.value {
        NodeValue::Array(elements) => {
            let read = elements.iter().enumerate().map(|(index, node)| read_attribute(reader, node, &at.index(index)));
            // All elements are read before any is judged, so that every problem is found.
            read.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(AttributeTemplate::Array)
        }
        NodeValue::Object(members) => {
            let mut read = Vec::with_capacity(members.len());
            for member in members {
                let at = at.key(&member.key);
                if member.key.contains("${") {
                    reader.problem(&at, Code::TemplateNotAllowed, "a key is never a template; write it out");
                }
                reader.check(&member.key, TextRule::Free, &at, "the key");
                read.extend(read_attribute(reader, &member.value, &at).map(|value| (member.key.to_string(), value)));
            }
            Some(AttributeTemplate::Object(read))
        }
        NodeValue::Scalar(_) => match node.to_json() {
            Json::Text(text) => Text::of(reader, &text, at, TextRule::Free, "the attribute").map(|text| match text {
                Text::Plain(text) => AttributeTemplate::Known(Json::Text(text.to_string())),
                template => AttributeTemplate::Text(template),
            }),
            known => Some(AttributeTemplate::Known(known)),
        },
    }
}

impl ProvideTemplate {
    /// Calls `visit` with every text that may be a template.
    pub fn each_text(&self, visit: &mut dyn FnMut(&Text)) {
        visit(&self.interface);
        visit(&self.layer);
        self.version.iter().chain(self.labels.values()).for_each(&mut *visit);
        for (_, attribute) in &self.attributes {
            attribute.each_text(visit);
        }
        self.annotations.values().for_each(visit);
    }
}

impl AttributeTemplate {
    /// Calls `visit` with every template in it.
    pub fn each_text(&self, visit: &mut dyn FnMut(&Text)) {
        match self {
            Self::Known(_) => {}
            Self::Text(text) => visit(text),
            Self::Array(elements) => elements.iter().for_each(|element| element.each_text(visit)),
            Self::Object(members) => members.iter().for_each(|(_, value)| value.each_text(visit)),
        }
    }

    /// The value, each text rendered by `text`.
    ///
    /// # Errors
    /// The first error of `text`.
    pub fn render<E>(&self, text: &mut dyn FnMut(&Text) -> Result<String, E>) -> Result<Json, E> {
        Ok(match self {
            Self::Known(json) => json.clone(),
            Self::Text(template) => Json::Text(text(template)?),
            Self::Array(elements) => Json::Array(elements.iter().map(|e| e.render(text)).collect::<Result<_, E>>()?),
            Self::Object(members) => {
                let rendered = members.iter().map(|(key, value)| Ok((key.clone(), value.render(text)?)));
                Json::Object(rendered.collect::<Result<_, E>>()?)
            }
        })
    }
}

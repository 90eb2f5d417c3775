//! Requires and `deploymentSpec` entries.

use std::collections::BTreeMap;

use super::selector::{ReadSelector, SelectorTemplate, SelectorUse, read_selector};
use super::specification::{ReadContext, warn_of_output};
use super::text::Text;
use crate::document::{Json, Node, NodeValue, Pointer, Style};
use crate::model::limits::ASKED_ATTRIBUTES;
use crate::model::{Code, Dialect, Name, Quantifier, QuantifierError, Resolution, Scope, TextRule, Warning};
use crate::reading::{At, Fields, Reader, shorten};

/// A Require whose texts are still templates.
#[derive(Clone, Debug, Default)]
pub(super) struct RequireTemplate {
    pub interface: Option<Text>,
    pub selector: SelectorTemplate,
    /// A short form of an expression on `version`.
    pub version: Option<Text>,
    pub scope: Scope,
    pub resolution: Resolution,
    pub quantifier: Quantifier,
    pub attributes: Vec<Text>,
    /// In the document as posted.
    pub pointer: Pointer,
}

const FIELDS: [&str; 9] =
    ["interface", "selector", "scope", "quantifier", "resolution", "attributes", "expand", "version", "matches"];

/// Reads `requires`: a map by name, or an array keyed by interface.
pub(super) fn read_requires(
    reader: &mut Reader,
    node: &Node,
    at: &At<'_>,
    context: ReadContext<'_>,
    warnings: &mut Vec<Warning>,
) -> BTreeMap<Name, RequireTemplate> {
    let mut requires = BTreeMap::new();
    match &node.value {
        NodeValue::Object(members) => {
            for member in members {
                let at = at.key(&member.key);
                let Some(name) = reader.key_name(&member.key, &at, "the name of a require") else { continue };
                let read = read_require(reader, &member.value, &at, &name, context, warnings);
                // A require that cannot be read keeps its name, so that texts that read its matches are no problem too.
                requires.insert(name, read.unwrap_or_default());
            }
        }
        NodeValue::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let at = at.index(index);
                let Some(node) = element.get("interface") else {
                    reader.missing(&at, "interface", "a Require in an array, which is named by it,");
                    continue;
                };
                let interface_at = at.key("interface");
                let name = reader.text(node, &interface_at, "the interface").map(str::to_owned);
                let name = name
                    .and_then(|name| reader.key_name(&name, &interface_at, "the interface, which names the require,"));
                let Some(name) = name else { continue };
                if requires.contains_key(&name) {
                    let message = format!("`{name}` is required twice; write requires as a map, with a name for each");
                    reader.problem(&interface_at, Code::DuplicateKey, message);
                    continue;
                }
                let read = read_require(reader, element, &at, &name, context, warnings);
                requires.extend(read.map(|require| (name, require)));
            }
        }
        NodeValue::Scalar(_) => reader.expected(node, at, "requires is a map from name to Require"),
    }
    requires
}

/// Reads `deploymentSpec`: a map from name to Selector.
pub(super) fn read_deployment_spec(
    reader: &mut Reader,
    node: &Node,
    at: &At<'_>,
    context: ReadContext<'_>,
    warnings: &mut Vec<Warning>,
) -> BTreeMap<Name, RequireTemplate> {
    let mut entries = BTreeMap::new();
    for member in reader.members(node, at, "deploymentSpec").unwrap_or_default() {
        let at = at.key(&member.key);
        let Some(name) = reader.key_name(&member.key, &at, "the name of a deploymentSpec entry") else { continue };
        let canonical = canonical_pointer("deploymentSpec", &name);
        let used = SelectorUse { canonical: &canonical, context };
        let Some(read) = read_selector(reader, &member.value, &at, used, warnings) else { continue };
        let entry = RequireTemplate {
            interface: None,
            selector: read.selector,
            version: None,
            scope: Scope::Deployment,
            resolution: Resolution::Mandatory,
            quantifier: read.quantifier.unwrap_or_default(),
            attributes: read.attributes.unwrap_or_default(),
            pointer: at.pointer(),
        };
        entries.insert(name, entry);
    }
    entries
}

fn read_require(
    reader: &mut Reader,
    node: &Node,
    at: &At<'_>,
    name: &Name,
    context: ReadContext<'_>,
    warnings: &mut Vec<Warning>,
) -> Option<RequireTemplate> {
    let fields = reader.fields(node, at, "a Require", &FIELDS)?;
    let canonical = canonical_pointer("requires", name);
    warn_of_output(&fields, "matches", &canonical, warnings);
    let interface = fields
        .get("interface")
        .map(|node| Text::read(reader, node, &at.key("interface"), TextRule::Name, "the interface"));
    let version = fields
        .get("version")
        .map(|node| Text::read(reader, node, &at.key("version"), TextRule::FilledValue, "the version"));
    let used = SelectorUse { canonical: &canonical, context };
    let selector_at = at.key("selector");
    let problems = reader.problems.as_slice().len();
    let inner = fields.get("selector").map(|node| read_selector(reader, node, &selector_at, used, warnings));
    let is_empty = |read: &ReadSelector| read.selector.0.is_empty() && reader.problems.as_slice().len() == problems;
    let selects = inner.as_ref().is_some_and(|read| !read.as_ref().is_some_and(is_empty));
    if interface.is_none() && !selects && version.is_none() {
        reader.problem(
            at,
            Code::EmptyRequire,
            "a Require needs an interface or a selector; with neither, everything would match",
        );
    }
    let (selector, inner_quantifier, inner_attributes) = match inner {
        Some(Some(read)) => (read.selector, read.quantifier, read.attributes),
        _ => (SelectorTemplate::default(), None, None),
    };
    let own = read_quantifier(reader, &fields, at, &canonical, context.settings.quantifier_dialect, warnings);
    if let (Some(own), Some(inner)) = (own, inner_quantifier)
        && own != inner
    {
        let message = format!("the quantifier here is {own}, and that of the selector is {inner}; keep one of them");
        reader.problem(&at.key("quantifier"), Code::ConflictingSpellings, message);
    }
    let scope = fields.get("scope").and_then(|node| {
        reader.choice(
            node,
            &at.key("scope"),
            "scope",
            &[("runtime", Scope::Runtime), ("deployment", Scope::Deployment)],
        )
    });
    let resolution = fields.get("resolution").and_then(|node| {
        let values = [("mandatory", Resolution::Mandatory), ("optional", Resolution::Optional)];
        reader.choice(node, &at.key("resolution"), "resolution", &values)
    });
    let own_attributes = read_attribute_names(reader, &fields, at);
    if own_attributes.is_some() && inner_attributes.is_some() {
        let message = "attributes stand here and in the selector; keep one of them";
        reader.problem(&at.key("attributes"), Code::ConflictingSpellings, message);
    }
    let resolution = resolution.unwrap_or_default();
    let quantifier = own.or(inner_quantifier).unwrap_or_default();
    Some(RequireTemplate {
        interface: interface.flatten(),
        selector,
        version: version.flatten(),
        scope: scope.unwrap_or_default(),
        resolution,
        quantifier: if resolution.is_optional() { quantifier.optional() } else { quantifier },
        attributes: own_attributes.or(inner_attributes).unwrap_or_default(),
        pointer: at.pointer(),
    })
}

/// Reads `quantifier` in any spelling.
pub(super) fn read_quantifier(
    reader: &mut Reader,
    fields: &Fields<'_>,
    at: &At<'_>,
    canonical: &str,
    dialect: Dialect,
    warnings: &mut Vec<Warning>,
) -> Option<Quantifier> {
    let node = fields.get("quantifier")?;
    let at = at.key("quantifier");
    let read = match &node.value {
        NodeValue::Object(_) => return read_bounds(reader, node, &at),
        NodeValue::Array(_) => {
            reader.expected(node, &at, "a quantifier is a text, a number or {min, max}");
            return None;
        }
        NodeValue::Scalar(scalar) if scalar.text.contains("${") => {
            reader.problem(&at, Code::TemplateNotAllowed, "a quantifier is never a template; write it out");
            return None;
        }
        NodeValue::Scalar(scalar)
            if scalar.style == Style::Plain
                && Json::is_number(&scalar.text)
                && scalar.text.contains(['.', 'e', 'E', '-']) =>
        {
            Err(QuantifierError::Unknown(scalar.text.to_string()))
        }
        NodeValue::Scalar(scalar) => Quantifier::parse(&scalar.text, dialect).inspect(|read| {
            let bare = scalar.text.trim();
            if bare == "+" || bare == "?" {
                let dialect = match dialect {
                    Dialect::Document => "the specification's own table has it",
                    Dialect::Regex => "regular expressions have it",
                };
                let message =
                    format!("`{bare}` is read as {read}, as {dialect}; write {read}, which everybody reads alike");
                warnings.push(Warning::new(Code::QuantifierDialect, format!("{canonical}/quantifier"), message));
            }
        }),
    };
    read.map_err(|error| reader.problem(&at, Code::InvalidQuantifier, shorten(&error.to_string()))).ok()
}

fn read_bounds(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<Quantifier> {
    let fields = reader.fields(node, at, "a quantifier", &["min", "max"])?;
    let mut bound = |field: &str| {
        let number = fields.get(field).map(|node| {
            let plain = node.scalar().filter(|scalar| scalar.style == Style::Plain && Json::is_number(&scalar.text));
            let number = plain.and_then(|scalar| scalar.text.parse::<u32>().ok());
            if node.scalar().is_some_and(|scalar| scalar.text.contains("${")) {
                reader.problem(
                    &at.key(field),
                    Code::TemplateNotAllowed,
                    "a quantifier is never a template; write it out",
                );
            } else if number.is_none() {
                reader.expected(node, &at.key(field), &format!("{field} is a whole number"));
            }
            number
        });
        match number {
            None => Ok(None),
            Some(Some(number)) => Ok(Some(number)),
            Some(None) => Err(()),
        }
    };
    let (Ok(min), Ok(max)) = (bound("min"), bound("max")) else { return None };
    if min.is_none() && max.is_none() {
        reader.problem(at, Code::InvalidQuantifier, "a quantifier needs min or max");
        return None;
    }
    let read = Quantifier::new(min.unwrap_or(0), max);
    read.map_err(|error| reader.problem(at, Code::InvalidQuantifier, error.to_string())).ok()
}

/// Reads `attributes`, or its older spelling `expand`: the names of attributes.
pub(super) fn read_attribute_names(reader: &mut Reader, fields: &Fields<'_>, at: &At<'_>) -> Option<Vec<Text>> {
    let (field, node) = match (fields.get("attributes"), fields.get("expand")) {
        (Some(_), Some(_)) => {
            let message = "`expand` is an older spelling of `attributes`, which stands here too; keep one of them";
            reader.problem(&at.key("expand"), Code::ConflictingSpellings, message);
            return None;
        }
        (Some(node), None) => ("attributes", node),
        (None, Some(node)) => ("expand", node),
        (None, None) => return None,
    };
    let at = at.key(field);
    let elements = reader.elements(node, &at, "the list of attribute names")?;
    if elements.len() > ASKED_ATTRIBUTES {
        let message = format!(
            "it asks for {} attributes; at most {ASKED_ATTRIBUTES} are allowed (limit asked-attributes), and without `attributes` all are given",
            elements.len()
        );
        reader.problem(&at, Code::TooLarge, message);
        return None;
    }
    let names = elements.iter().enumerate();
    Some(
        names
            .filter_map(|(i, node)| Text::read(reader, node, &at.index(i), TextRule::Name, "the name of an attribute"))
            .collect(),
    )
}

/// Where a require stands in the canonical form, relative to the specification.
pub(super) fn canonical_pointer(section: &str, name: &Name) -> String {
    Pointer::root().join(section).join(name.as_str()).into()
}

impl RequireTemplate {
    /// Calls `visit` with every text that may be a template.
    pub fn each_text(&self, visit: &mut dyn FnMut(&Text)) {
        self.interface.iter().chain(&self.version).chain(&self.attributes).for_each(&mut *visit);
        self.selector.each_text(visit);
    }
}

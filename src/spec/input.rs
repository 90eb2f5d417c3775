//! Inputs: the values that a pipeline hands to the templates.

use std::collections::HashMap;

use crate::document::{Json, Node, NodeValue, Style, Syntax};
use crate::model::limits::INPUT_VALUE_BYTES;
use crate::model::{Code, TextRule};
use crate::reading::{At, Reader, hint, shorten};

/// The most parts of a dotted name: each but the last makes a map inside the one before it.
const NAME_PARTS: usize = 32;

/// Input values by name: texts, integers, booleans, and nested maps of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs(Json);

impl Default for Inputs {
    fn default() -> Self {
        Self(Json::Object(Vec::new()))
    }
}

impl Inputs {
    /// The inputs as a JSON object.
    pub fn as_json(&self) -> &Json {
        &self.0
    }

    /// Whether there is no input.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// About how many bytes the inputs have as JSON.
    pub fn bytes(&self) -> usize {
        fn bytes(json: &Json) -> usize {
            match json {
                Json::Object(members) => members.iter().map(|(key, value)| key.len() + bytes(value) + 4).sum(),
                Json::Text(text) => text.len() + 2,
                Json::Number(written) => written.len(),
                _ => 5,
            }
        }
        bytes(&self.0)
    }

    /// These inputs with `over` laid over them: maps are merged, everything else is replaced.
    #[must_use]
    pub fn overlaid(mut self, over: &Self) -> Self {
        overlay(&mut self.0, &over.0);
        self
    }

    /// The inputs `name=value`; a dotted name makes nested maps (`region.name`). Values are text.
    ///
    /// # Errors
    /// The message for a name that stands twice, or under a value that is no map, or for a value that is not allowed.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut inputs = Json::Object(Vec::new());
        for (name, value) in pairs {
            if value.len() > INPUT_VALUE_BYTES {
                return Err(format!(
                    "the input `{name}` has {} bytes; at most {INPUT_VALUE_BYTES} are allowed (limit input-value-bytes)",
                    value.len()
                ));
            }
            TextRule::Free.check(value).map_err(|error| format!("the input `{name}` is not allowed: {error}"))?;
            insert(&mut inputs, name, value)?;
        }
        Ok(Self(inputs))
    }

    /// Reads the `input` of a body.
    pub(super) fn read(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<Self> {
        let members = reader.members(node, at, "input")?;
        let mut read = Vec::with_capacity(members.len());
        for member in members {
            let at = at.key(&member.key);
            if reader.check(&member.key, TextRule::Name, &at, "the name of an input") {
                read.extend(value(reader, &member.value, &at).map(|value| (member.key.to_string(), value)));
            }
        }
        Some(Self(Json::Object(read)))
    }

    /// Whether there is an input at the dotted path.
    pub fn has(&self, path: &[&str]) -> bool {
        let mut value = &self.0;
        for name in path {
            match value.get(name) {
                Some(inner) => value = inner,
                None => return false,
            }
        }
        true
    }

    /// `; did you mean …?` for an input that is not there.
    pub fn hint(&self, name: &str) -> String {
        match &self.0 {
            Json::Object(members) => hint(name, members.iter().map(|(name, _)| name.as_str())),
            _ => String::new(),
        }
    }
}

fn value(reader: &mut Reader, node: &Node, at: &At<'_>) -> Option<Json> {
    match &node.value {
        NodeValue::Object(_) => Inputs::read(reader, node, at).map(|inputs| inputs.0),
        NodeValue::Array(_) => {
            reader.problem(
                at,
                Code::InvalidInput,
                "an input is a text, an integer, a boolean or a map of these, but here is an array",
            );
            None
        }
        NodeValue::Scalar(_) if node.is_null() => {
            reader.problem(
                at,
                Code::InvalidInput,
                "an input has a value, but here is nothing; leave it out, or write \"\"",
            );
            None
        }
        NodeValue::Scalar(scalar) => {
            let text = scalar.text.as_str();
            if text.len() > INPUT_VALUE_BYTES {
                let message = format!(
                    "the value has {} bytes; an input may have {INPUT_VALUE_BYTES} (limit input-value-bytes)",
                    text.len()
                );
                reader.problem(at, Code::InvalidInput, message);
                return None;
            }
            match (scalar.style, text) {
                (Style::Plain, "true") => Some(Json::Bool(true)),
                (Style::Plain, "false") => Some(Json::Bool(false)),
                (Style::Plain, number) if is_integer(number) => Some(Json::Number(number.into())),
                (Style::Plain, number) if reader.syntax == Syntax::Json => {
                    reader.problem(at, Code::InvalidInput, format!("an input is no fraction; quote it: \"{number}\""));
                    None
                }
                (_, text) => reader.check(text, TextRule::Free, at, "the input").then(|| Json::Text(text.to_owned())),
            }
        }
    }
}

/// A whole number without leading zero.
fn is_integer(text: &str) -> bool {
    Json::is_number(text) && !text.contains(['.', 'e', 'E'])
}

fn insert(inputs: &mut Json, name: &str, value: &str) -> Result<(), String> {
    if name.split('.').count() > NAME_PARTS {
        return Err(format!("`{}` is no name of an input: at most {NAME_PARTS} parts are allowed", shorten(name)));
    }
    let mut place = inputs;
    let mut path = name.split('.').peekable();
    while let Some(part) = path.next() {
        if let Err(error) = TextRule::Name.check(part) {
            return Err(format!("`{name}` is no name of an input: {error}"));
        }
        let Json::Object(members) = place else {
            return Err(format!("the input `{name}` stands below another one that is no map"));
        };
        let known = members.iter().position(|(key, _)| key == part);
        let last = path.peek().is_none();
        let index = match known {
            Some(_) if last => return Err(format!("the input `{name}` is given twice")),
            Some(index) => index,
            None => {
                let fresh = if last { Json::Text(value.to_owned()) } else { Json::Object(Vec::new()) };
                members.push((part.to_owned(), fresh));
                members.len() - 1
            }
        };
        place = &mut members[index].1;
    }
    Ok(())
}

fn overlay(under: &mut Json, over: &Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) => {
            let places: HashMap<String, usize> =
                under.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
            for (key, value) in over {
                match places.get(key) {
                    Some(&place) => overlay(&mut under[place].1, value),
                    None => under.push((key.clone(), value.clone())),
                }
            }
        }
        (under, over) => *under = over.clone(),
    }
}

//! The tree that both readers fill, and what can be wrong with a text before anyone asks what it means.

use serde::{Serialize, Serializer};
use smol_str::SmolStr;

use super::json::serialize_number;
use super::{Json, Pointer, read_json, read_yaml};

/// The notation a document was written in; it decides what a plain scalar may be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2, one document, without merge keys and without tags but `!!str`.
    Yaml,
}

/// A place in the text: line and column, both from 1 (0 where they are not known); columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Whether a scalar stood in quotes (or in a YAML block, or under `!!str`), or plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Certainly text.
    Quoted,
    /// JSON: a number, `true`, `false` or `null`. YAML: any plain scalar, the empty one included.
    Plain,
}

/// A scalar as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text, unescaped, not interpreted: `1.10` stays `1.10`.
    pub text: SmolStr,
    /// Quoted or plain.
    pub style: Style,
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What stands here.
    pub value: NodeValue,
    /// Where it begins, in YAML. For JSON it is [`Place::default`]: nothing asks for the place, and it would cost time.
    pub place: Place,
}

/// What a node can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeValue {
    /// Text, number, boolean or null: the reader of the place decides which.
    Scalar(Scalar),
    /// An array (a YAML sequence).
    Array(Vec<Node>),
    /// An object (a YAML mapping), members in written order; of duplicate keys the first is kept.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key, always text.
    pub key: SmolStr,
    /// The value.
    pub value: Node,
}

/// A key that stood twice in one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Where the member is (both times).
    pub pointer: Pointer,
    /// Where the second one stands.
    pub place: Place,
}

/// A text that was read: its tree, and the keys that stood twice in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The notation.
    pub syntax: Syntax,
    /// The whole tree.
    pub root: Node,
    /// Duplicate keys, in written order. They are problems of the document's content, not of its syntax.
    /// The first is always here. Of very many or very deep ones, later ones are left out: about 64 KiB are kept.
    pub duplicates: Vec<Duplicate>,
}

/// Bounds on what is read, checked while reading, before memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many arrays and objects may stand inside each other.
    pub depth: usize,
    /// How many nodes a document may have once its aliases are expanded.
    pub nodes: usize,
}

impl Limits {
    /// For texts that Mortise wrote itself. They may be deeper than the default: an answer holds a specification a few
    /// levels down.
    pub(super) const OWN: Self = Self { depth: 128, nodes: usize::MAX };
}

/// How many nodes a document may have, unless it is read by other limits.
pub const NODES: usize = 1_000_000;

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, nodes: NODES }
    }
}

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {}, column {})", place.line, place.column)]
pub struct DocumentError {
    /// The kind, for programs.
    pub kind: DocumentErrorKind,
    /// What is wrong and what to do, lower-case, without a full stop.
    pub message: String,
    /// Where.
    pub place: Place,
}

/// The kinds of [`DocumentError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentErrorKind {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The bytes are not JSON, or not YAML, or hold more or less than one document.
    Syntax,
    /// Deeper than [`Limits::depth`].
    TooDeep,
    /// More than [`Limits::nodes`] nodes, counted with aliases expanded.
    TooLarge,
    /// A YAML feature that a specification may not use: a merge key `<<`, a tag other than `!!str`, a key that is no scalar.
    NotAllowed,
}

impl Document {
    /// Reads one text in the notation `syntax`.
    ///
    /// # Errors
    /// [`DocumentError`], as [`Document::from_json`] and [`Document::from_yaml`].
    pub fn read(bytes: &[u8], syntax: Syntax, limits: Limits) -> Result<Self, DocumentError> {
        match syntax {
            Syntax::Json => Self::from_json(bytes, limits),
            Syntax::Yaml => Self::from_yaml(bytes, limits),
        }
    }

    /// Reads one JSON text.
    ///
    /// # Errors
    /// [`DocumentError`] when the bytes are no JSON, or beyond `limits`.
    pub fn from_json(bytes: &[u8], limits: Limits) -> Result<Self, DocumentError> {
        read_json::read(bytes, limits)
    }

    /// Reads one YAML document. Aliases are expanded within `limits`.
    ///
    /// # Errors
    /// [`DocumentError`] when the bytes are no YAML, use a feature that is not allowed, or are beyond `limits`.
    pub fn from_yaml(bytes: &[u8], limits: Limits) -> Result<Self, DocumentError> {
        read_yaml::read(bytes, limits)
    }
}

impl Node {
    /// The scalar here, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            NodeValue::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The elements here, if it is an array.
    pub fn array(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members here, if it is an object, in written order.
    pub fn object(&self) -> Option<&[Member]> {
        match &self.value {
            NodeValue::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member `key` of the object here; `None` where it is absent or this is no object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.object()?.iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// Whether this is `null`, or nothing at all (an empty plain scalar in YAML).
    pub fn is_null(&self) -> bool {
        matches!(&self.value, NodeValue::Scalar(Scalar { text, style: Style::Plain }) if text.is_empty() || text == "null")
    }

    /// What stands here, for messages: `an object`, `an array`, `a text`, `a number`, `a boolean`, `null`.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            NodeValue::Array(_) => "an array",
            NodeValue::Object(_) => "an object",
            NodeValue::Scalar(_) if self.is_null() => "null",
            NodeValue::Scalar(Scalar { style: Style::Quoted, .. }) => "a text",
            NodeValue::Scalar(Scalar { text, .. }) if text == "true" || text == "false" => "a boolean",
            NodeValue::Scalar(Scalar { text, .. }) if Json::is_number(text) => "a number",
            NodeValue::Scalar(_) => "a text",
        }
    }

    /// This node as a JSON value. A plain scalar is a number, `true`, `false` or `null` only where JSON writes it like that,
    /// or where it is empty (`null`); everything else is text. For a document read from JSON this is the document itself.
    pub fn to_json(&self) -> Json {
        match &self.value {
            NodeValue::Array(elements) => Json::Array(elements.iter().map(Node::to_json).collect()),
            NodeValue::Object(members) => {
                Json::Object(members.iter().map(|member| (member.key.to_string(), member.value.to_json())).collect())
            }
            NodeValue::Scalar(Scalar { text, style: Style::Quoted }) => Json::Text(text.to_string()),
            NodeValue::Scalar(Scalar { text, style: Style::Plain }) => match text.as_str() {
                "" | "null" => Json::Null,
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                number if Json::is_number(number) => Json::Number(number.into()),
                other => Json::Text(other.to_owned()),
            },
        }
    }
}

/// The same value as that of [`Node::to_json`].
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            NodeValue::Array(elements) => serializer.collect_seq(elements),
            NodeValue::Object(members) => {
                serializer.collect_map(members.iter().map(|member| (&member.key, &member.value)))
            }
            NodeValue::Scalar(Scalar { text, style: Style::Quoted }) => serializer.serialize_str(text),
            NodeValue::Scalar(Scalar { text, style: Style::Plain }) => match text.as_str() {
                "" | "null" => serializer.serialize_unit(),
                "true" => serializer.serialize_bool(true),
                "false" => serializer.serialize_bool(false),
                number if Json::is_number(number) => serialize_number(number, serializer),
                other => serializer.serialize_str(other),
            },
        }
    }
}

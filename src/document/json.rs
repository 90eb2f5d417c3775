//! A finished JSON value whose numbers are kept as written.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Document, DocumentError, Limits};

/// A JSON value. Numbers keep the text they were written with (`1.10`, `1E5`), objects the order of their members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(Box<str>),
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, members in written order, keys unique.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// About how many bytes it has as text.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Object(members) => {
                members.iter().map(|(key, value)| key.len() + 4 + value.bytes()).sum::<usize>() + 2
            }
            Self::Array(elements) => elements.iter().map(|element| element.bytes() + 1).sum::<usize>() + 2,
            Self::Text(text) => text.len() + 2,
            Self::Number(digits) => digits.len(),
            Self::Bool(_) | Self::Null => 5,
        }
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// [`DocumentError`] when `text` is no JSON.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        Document::from_json(text.as_bytes(), Limits::OWN).map(|document| document.root.to_json())
    }

    /// The member `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The element `index`, if this is an array that has it.
    pub fn at(&self, index: usize) -> Option<&Json> {
        match self {
            Self::Array(elements) => elements.get(index),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether `text` is a number as JSON writes it (RFC 8259 §6).
    ///
    /// ```
    /// use mortise::document::Json;
    /// assert!(Json::is_number("-1.10e+5") && !Json::is_number("010") && !Json::is_number("1."));
    /// ```
    pub fn is_number(text: &str) -> bool {
        fn digits(bytes: &[u8]) -> usize {
            bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
        }
        let mut rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let whole = digits(rest);
        if whole == 0 || (whole > 1 && rest[0] == b'0') {
            return false;
        }
        rest = &rest[whole..];
        if let [b'.', fraction @ ..] = rest {
            let count = digits(fraction);
            if count == 0 {
                return false;
            }
            rest = &fraction[count..];
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let exponent = if let [b'+' | b'-', unsigned @ ..] = exponent { unsigned } else { exponent };
            let count = digits(exponent);
            return count > 0 && count == exponent.len();
        }
        rest.is_empty()
    }
}

/// Compact JSON text.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(written) => serialize_number(written, serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(key, value)| (key, value))),
        }
    }
}

/// A number as it was written, which serde_json carries only as raw text.
pub(super) fn serialize_number<S: Serializer>(written: &str, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(written.to_owned()).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(serde::de::Error::custom)
    }
}

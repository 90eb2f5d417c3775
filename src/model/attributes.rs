//! Attributes: non-identifying values handed to deploy scripts.

use serde::{Deserialize, Serialize};

use crate::document::{Json, JsonText};

/// The attributes of a Component: a JSON object, kept as its text, because it is mostly handed on whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(JsonText);

impl Default for Attributes {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Attributes {
    /// The attributes `members`, in that order; keys must be unique.
    pub fn new(members: Vec<(String, Json)>) -> Self {
        Self(JsonText::from(&Json::Object(members)))
    }

    /// The object as compact JSON text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The top-level members, in order.
    pub fn members(&self) -> Vec<(String, Json)> {
        match self.0.to_json() {
            Json::Object(members) => members,
            _ => Vec::new(),
        }
    }

    /// Only the members in `names`, in the order of `names`, and the names that are lacking; a repeated name counts once.
    pub fn select<'a>(&self, names: &'a [String]) -> (Self, Vec<&'a str>) {
        let mut members = self.members();
        let mut selected: Vec<(String, Json)> = Vec::with_capacity(names.len());
        let mut missing = Vec::new();
        for name in names {
            if missing.contains(&name.as_str()) || selected.iter().any(|(known, _)| known == name) {
                continue;
            }
            match members.iter().position(|(key, _)| key == name) {
                Some(index) => selected.push(members.swap_remove(index)),
                None => missing.push(name.as_str()),
            }
        }
        (Self::new(selected), missing)
    }

    /// Those of `names` that are lacking; a repeated name counts once.
    pub fn missing<'a>(&self, names: &'a [String]) -> Vec<&'a str> {
        self.select(names).1
    }
}

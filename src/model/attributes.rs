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
    pub fn select<'a, N: AsRef<str> + ?Sized + 'a>(
        &self,
        names: impl IntoIterator<Item = &'a N>,
    ) -> (Self, Vec<&'a str>) {
        let (selected, lacking) = self.0.select(names);
        (Self(selected), lacking)
    }

    /// How many bytes they have as text, where only those `asked` for are shown, and which of those are lacking. Where none is asked
    /// for, all are shown.
    pub fn shown<'a>(&self, asked: &'a [String]) -> (usize, Vec<&'a str>) {
        if asked.is_empty() {
            return (self.as_str().len(), Vec::new());
        }
        let (selected, lacking) = self.select(asked);
        (selected.as_str().len(), lacking)
    }
}

//! The body of a question of the graph.

use crate::document::{Document, Json};
use crate::reading::{At, Problems, Reader};

/// What was posted to ask the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphQueryDocument {
    /// The statement, in Cypher, as written.
    pub query: String,
    /// The values of its parameters, by name.
    pub parameters: Vec<(String, Json)>,
}

impl GraphQueryDocument {
    /// Reads `{"query": …, "parameters": {…}}`.
    ///
    /// # Errors
    /// All [`Problems`] of the document.
    pub fn read(document: &Document) -> Result<Self, Problems> {
        let mut reader = Reader::new(document);
        let root = At::root("");
        let Some(fields) = reader.fields(&document.root, &root, "a question of the graph", &["query", "parameters"])
        else {
            return Err(reader.problems);
        };
        let query = reader.required(&fields, &root, "query", "a question of the graph");
        let query = query.and_then(|node| reader.text(node, &root.key("query"), "the query"));
        let given = fields.get("parameters");
        let parameters = given.and_then(|node| reader.members(node, &root.key("parameters"), "parameters"));
        let parameters = parameters
            .unwrap_or_default()
            .iter()
            .map(|member| (member.key.to_string(), member.value.to_json()))
            .collect();
        let query = query.unwrap_or_default().to_owned();
        reader.problems.or(Self { query, parameters })
    }
}

//! What else is posted: the end of an attempt, a Server, an Environment, a question of the graph.

use mortise::document::{Document, Json, Limits, to_yaml};
use mortise::wire::{FinishDocument, GraphQueryDocument, read_environment, read_server};

use super::history::name;

/// Bytes are each of these documents, in JSON and in YAML.
pub fn any(data: &[u8]) {
    if let Ok(document) = Document::from_json(data, Limits::default()) {
        read(&document);
        written_again_is_the_same(&document);
    }
    if let Ok(document) = Document::from_yaml(data, Limits::default()) {
        read(&document);
        written_again_is_the_same(&document);
    }
}

fn read(document: &Document) {
    for problems in [
        FinishDocument::read(document).err(),
        GraphQueryDocument::read(document).err(),
        read_server(name("troy"), document).err(),
        read_environment(document).err(),
    ] {
        assert!(problems.is_none_or(|problems| !problems.as_slice().is_empty()), "a refusal says why");
    }
}

/// A document as JSON is one that reads the same, in JSON and in YAML.
fn written_again_is_the_same(document: &Document) {
    if !document.duplicates.is_empty() {
        return;
    }
    let json = document.root.to_json();
    assert_eq!(Json::parse(&json.to_string()).expect("what is written can be read"), json);
    let yaml = Document::from_yaml(to_yaml(&json).as_bytes(), Limits::default());
    assert_eq!(yaml.expect("what is written can be read").root.to_json(), json);
}

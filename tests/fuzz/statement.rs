//! Statements that ask the graph.

use mortise::cypher::portable::Portable;
use mortise::cypher::statement::{MAX_BYTES, Statement};
use mortise::document::Json;

/// Bytes are a statement: what is judged to only read is judged the same once more, and so is what the embedded engine is given.
pub fn any(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let statement = match Statement::parse(text) {
        Ok(statement) => statement,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty() && refusal.line > 0 && refusal.column > 0, "{refusal:?}");
            return;
        }
    };
    assert!(statement.text().len() <= MAX_BYTES);
    for token in statement.tokens() {
        assert!(statement.text().get(token.start..token.end).is_some(), "{token:?}");
    }
    let again = Statement::parse(statement.text()).expect("what was judged is judged the same");
    assert_eq!(again.text(), statement.text());
    assert_eq!(again.columns(), statement.columns());
    let parameters = [("a".to_owned(), Json::Text("shop".to_owned())), ("rows".to_owned(), Json::Array(Vec::new()))];
    if let Ok(portable) = Portable::of(&statement, &parameters, 10) {
        assert_eq!(Some(portable.columns), statement.columns());
    }
}

//! The selector of a query.

use mortise::model::Selector;
use mortise::wire::parse_filter;

/// Bytes are a selector in its short form or in JSON; what it reads as has a JSON form that reads the same.
pub fn any(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(selector) = parse_filter(text) else { return };
    for expression in &selector.0 {
        // Whatever the label is, a negated operator says the opposite.
        // Where the label is missing, exactly what is negated holds.
        assert_eq!(expression.accepts(None), expression.operator().is_negated(), "{expression}");
        for value in ["", "gold", "1.5.0"] {
            expression.accepts(Some(value));
        }
        assert!(!expression.to_string().is_empty());
    }
    let json = serde_json::to_string(&selector).expect("a selector has a JSON form");
    let again: Selector = serde_json::from_str(&json).expect("what was recorded can be read");
    assert_eq!(again, selector);
    match parse_filter(&json) {
        Ok(again) => assert_eq!(again, selector),
        // A specification's selector may hold templates, a query's may not.
        Err(error) => assert!(json.contains('$'), "{error}: {json}"),
    }
}

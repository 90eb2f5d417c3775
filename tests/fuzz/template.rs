//! String templates.

use std::sync::LazyLock;

use mortise::document::Json;
use mortise::template::{Limits, Scope, Template, holds_template};

/// What templates may read.
static VALUES: LazyLock<Json> = LazyLock::new(|| {
    let text = r#"{"input": {"a": "one", "b": {"c": "<two & 3>", "": "e"}, "n": 7, "yes": true, "list": "x,y,z", "long": ""},
        "name": "org.shop.api", "version": "1.4.0-rc.1", "layer": "server", "environment": "Test",
        "requires": {"database": {"matches": [{"version": "15.4", "attributes": {"url": "db://1", "ports": [1, 2]}}]}, "my-db": {"matches": []}}}"#;
    Json::parse(text).expect("the values are valid")
});

/// Bytes are a template: rendered within its bounds, always to the same.
pub fn any(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let limits = Limits { text_bytes: 4 << 10, ..Limits::default() };
    escaped_text_is_itself(text, &limits);
    let Ok(template) = Template::parse(text, &limits) else { return };
    if let Some(plain) = template.plain_text() {
        assert!(plain.len() <= text.len());
        assert!(template.reads().is_empty());
    }
    if !holds_template(text) {
        assert!(template.is_plain_text(), "it holds no template");
    }
    let Json::Object(members) = &*VALUES else { unreachable!("the values are an object") };
    let scope = Scope::of(members.iter().map(|(name, value)| (name.as_str(), value)));
    let rendered = template.render(&scope, &limits);
    if let Ok(rendered) = &rendered {
        assert!(rendered.len() <= limits.text_bytes, "{} bytes", rendered.len());
    }
    assert_eq!(rendered, template.render(&scope, &limits));
}

/// With every `$` doubled a text stands for itself.
fn escaped_text_is_itself(text: &str, limits: &Limits) {
    let escaped = text.replace('$', "$$");
    if escaped.len() <= limits.text_bytes {
        let template = Template::parse(&escaped, limits).expect("an escaped text is no template");
        assert_eq!(template.plain_text(), Some(text));
    }
}

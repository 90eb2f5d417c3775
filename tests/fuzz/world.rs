//! The small world that specifications are planned in: that of the stack in `fixtures`, deployed in `test`.

use std::sync::LazyLock;

use mortise::document::{Document, Limits};
use mortise::model::Settings;
use mortise::spec::{Inputs, ReadContext, StartDocument};
use mortise::wire::read_server;

use super::history::{History, name};

/// The history of it.
pub static WORLD: LazyLock<History> = LazyLock::new(|| {
    let mut history = History::default();
    for (server, text) in SERVERS {
        history.declare(&read_server(name(server), &read(text)).expect("the fixture is valid"));
    }
    for (text, instance) in STACK {
        let inputs = [("environment", "test"), ("domain", instance), ("version", "2.3.0")];
        let inputs = Inputs::from_pairs(inputs).expect("the inputs are valid");
        let start = StartDocument::read(&read(text), &inputs, ReadContext { settings: &Settings::default() });
        let specs = start.expect("the fixture is valid").render().expect("the fixture can be rendered");
        history.deploy(&specs[0]);
    }
    history
});

const SERVERS: [(&str, &str); 3] = [
    ("beaverton", include_str!("../../fixtures/stack/servers/beaverton.yaml")),
    ("troy", include_str!("../../fixtures/stack/servers/troy.yaml")),
    ("nichburg", include_str!("../../fixtures/stack/servers/nichburg.yaml")),
];

const STACK: [(&str, &str); 6] = [
    (include_str!("../../fixtures/stack/database.yaml"), "domain1"),
    (include_str!("../../fixtures/stack/weblogic.yaml"), "domain1"),
    (include_str!("../../fixtures/stack/datasource.yaml"), "domain1"),
    (include_str!("../../fixtures/stack/shop-api.json"), "domain1"),
    (include_str!("../../fixtures/stack/proxy.yaml"), "domain1"),
    (include_str!("../../fixtures/stack/shop-ui.yaml"), "domain1"),
];

/// JSON is read as YAML here, which it is.
fn read(text: &str) -> Document {
    Document::from_yaml(text.as_bytes(), Limits::default()).expect("the fixture can be read")
}

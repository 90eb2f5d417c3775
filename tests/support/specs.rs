//! Small artifact specifications.

#![allow(dead_code, reason = "every test crate uses another part of it")]

use serde_json::{Value, json};

/// Version 1.0 of `name` in the System `shop` and the Environment `test`, which provides and requires nothing.
pub fn spec(name: &str) -> Value {
    json!({"system": "shop", "name": name, "version": "1.0", "environment": "test"})
}

/// The same, which provides `interface` in the layer `server`, with an attribute `url`.
pub fn provider(name: &str, interface: &str) -> Value {
    let url = format!("tcp://{interface}");
    with(spec(name), json!({"provides": [{"interface": interface, "layer": "server", "attributes": {"url": url}}]}))
}

/// The same, which requires `interface` under the name `needed`.
pub fn consumer(name: &str, interface: &str) -> Value {
    with(spec(name), json!({"requires": {"needed": {"interface": interface}}}))
}

/// An object with the members of another laid over its own.
pub fn with(mut value: Value, over: Value) -> Value {
    let (Some(members), Value::Object(over)) = (value.as_object_mut(), over) else { panic!("both are objects") };
    members.extend(over);
    value
}

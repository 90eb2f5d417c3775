//! Settings as they are written.

use crate::model::Settings;

/// How settings differ: `quantifierDialect is recorded as "regex" and wished as "document", …`.
pub fn settings_difference(recorded: &Settings, wished: &Settings) -> String {
    let tree =
        |settings| serde_json::to_value(settings).expect("settings are an object of texts, numbers and booleans");
    let (recorded, wished) = (tree(recorded), tree(wished));
    let members = recorded.as_object().into_iter().flatten().filter(|(name, value)| wished[name.as_str()] != **value);
    let differences =
        members.map(|(name, value)| format!("{name} is recorded as {value} and wished as {}", wished[name.as_str()]));
    differences.collect::<Vec<_>>().join(", ")
}

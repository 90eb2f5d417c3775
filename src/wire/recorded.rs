//! What is read back of a recorded resolution, when an attempt is finished.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::document::{Json, JsonText};
use crate::model::{ActiveRequire, Attributes, ComponentId, Labels, Layer, Name, Quantifier, Scope, Selector};

/// A specification as it was resolved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedSpec {
    /// What it provides, in order.
    pub provides: Vec<RecordedProvide>,
    /// What it requires.
    pub requires: BTreeMap<Name, RecordedRequire>,
    /// What its deployment requires.
    pub deployment_spec: BTreeMap<Name, RecordedRequire>,
}

/// A Provide as it was resolved.
#[derive(Debug, Deserialize)]
pub struct RecordedProvide {
    /// Its identity.
    pub component: ComponentId,
    /// The Interface.
    pub interface: Name,
    /// The layer.
    pub layer: Layer,
    /// All labels.
    pub labels: Labels,
    /// All attributes.
    pub attributes: Attributes,
}

/// A require as it was resolved.
#[derive(Debug, Deserialize)]
pub struct RecordedRequire {
    /// The Interface; any where absent.
    #[serde(default)]
    pub interface: Option<Name>,
    /// Every expression that was applied.
    pub selector: Selector,
    /// `deployment` for `deploymentSpec` entries, which do not say so.
    #[serde(default = "deployment")]
    pub scope: Scope,
    /// How many must match.
    pub quantifier: Quantifier,
    /// The attributes that were asked for; empty: all.
    pub attributes: Vec<String>,
    /// What matched, as it was shown.
    pub matches: Vec<JsonText>,
}

fn deployment() -> Scope {
    Scope::Deployment
}

#[derive(Deserialize)]
struct Identified {
    component: ComponentId,
}

impl RecordedSpec {
    /// Reads what was recorded.
    ///
    /// # Errors
    /// What serde_json says of a text that is no recorded specification.
    pub fn read(text: &JsonText) -> serde_json::Result<Self> {
        serde_json::from_str(text.as_str())
    }

    /// Every require by section and name, `requires` before `deploymentSpec`.
    pub fn all_requires(&self) -> impl Iterator<Item = (&'static str, &Name, &RecordedRequire)> {
        let requires = self.requires.iter().map(|(name, require)| ("requires", name, require));
        requires.chain(self.deployment_spec.iter().map(|(name, require)| ("deploymentSpec", name, require)))
    }

    /// The Components that its requires matched, the consumer's end of its Couplings.
    pub fn active_requires(&self) -> Vec<ActiveRequire> {
        let active = self.all_requires().map(|(_, name, require)| ActiveRequire {
            name: name.clone(),
            interface: require.interface.clone(),
            selector: require.selector.clone(),
            scope: require.scope,
            quantifier: require.quantifier,
            providers: require.matched_components(),
        });
        active.collect()
    }
}

impl RecordedRequire {
    /// The identities of what matched, in match order.
    pub fn matched_components(&self) -> Vec<ComponentId> {
        let identified = self.matches.iter().filter_map(|text| serde_json::from_str::<Identified>(text.as_str()).ok());
        identified.map(|identified| identified.component).collect()
    }
}

/// The text of a recorded specification with the attributes of one Provide replaced.
pub fn with_attributes(text: &JsonText, provide: usize, attributes: &Attributes) -> JsonText {
    let mut json = text.to_json();
    if let Json::Object(members) = &mut json
        && let Some((_, Json::Array(provides))) = members.iter_mut().find(|(key, _)| key == "provides")
        && let Some(Json::Object(provide)) = provides.get_mut(provide)
        && let Some((_, value)) = provide.iter_mut().find(|(key, _)| key == "attributes")
    {
        *value = Json::Object(attributes.members());
    }
    JsonText::from(&json)
}

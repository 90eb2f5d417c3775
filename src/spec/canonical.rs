//! The canonical spelling of a specification before it is rendered. Repeats under an idempotency key are compared in it,
//! and a specification that came as YAML is stored in it.

use std::collections::BTreeMap;

use super::Specification;
use super::provide::{AttributeTemplate, ProvideTemplate};
use super::require::RequireTemplate;
use super::selector::ExpressionTemplate;
use super::text::Text;
use crate::document::{Json, Pointer};
use crate::model::{Name, Operator, Quantifier, Scope};

impl Specification {
    /// The canonical form: maps are sorted, defaults written out, templates left as they are. Read again as JSON, it gives
    /// the same specification.
    pub fn canonical(&self) -> Json {
        let mut members = vec![
            ("system", text(&self.system)),
            ("name", text(&self.name)),
            ("version", text(&self.version)),
            ("environment", text(&self.environment)),
            ("instance", text(&self.instance)),
        ];
        members.extend(self.description.as_ref().map(|description| ("description", text(description))));
        members.extend([
            ("annotations", texts(&self.annotations)),
            ("provides", Json::Array(self.provides.iter().map(provide).collect())),
            ("requires", map(&self.requires, require)),
            ("deploymentSpec", map(&self.deployment_spec, deployment_require)),
        ]);
        object(members)
    }
}

/// The first place where two canonical forms differ; `None` where they are equal. Maps are compared by key.
pub fn difference(left: &Json, right: &Json) -> Option<Pointer> {
    fn walk(left: &Json, right: &Json, at: &Pointer) -> Option<Pointer> {
        match (left, right) {
            (Json::Object(members), Json::Object(others)) => {
                let changed = members.iter().find_map(|(key, value)| match right.get(key) {
                    Some(other) => walk(value, other, &at.join(key)),
                    None => Some(at.join(key)),
                });
                changed.or_else(|| others.iter().find(|(key, _)| left.get(key).is_none()).map(|(key, _)| at.join(key)))
            }
            (Json::Array(elements), Json::Array(others)) => {
                let pairs = elements.iter().zip(others).enumerate();
                let changed =
                    pairs.map(|(index, (left, right))| walk(left, right, &at.index(index))).find_map(|found| found);
                let shorter = elements.len().min(others.len());
                changed.or_else(|| (elements.len() != others.len()).then(|| at.index(shorter)))
            }
            _ => (left != right).then(|| at.clone()),
        }
    }
    walk(left, right, &Pointer::root())
}

fn object(members: Vec<(&str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn map<T>(members: &BTreeMap<Name, T>, value: impl Fn(&T) -> Json) -> Json {
    Json::Object(members.iter().map(|(name, member)| (name.as_str().to_owned(), value(member))).collect())
}

fn text(text: &Text) -> Json {
    Json::Text(text.written().to_owned())
}

fn texts(texts: &BTreeMap<Name, Text>) -> Json {
    map(texts, text)
}

fn provide(provide: &ProvideTemplate) -> Json {
    let mut attributes: Vec<_> =
        provide.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    attributes.sort_by(|left, right| left.0.cmp(&right.0));
    let mut members = vec![("interface", text(&provide.interface)), ("layer", text(&provide.layer))];
    members.extend(provide.version.as_ref().map(|version| ("version", text(version))));
    members.extend([
        ("labels", texts(&provide.labels)),
        ("attributes", Json::Object(attributes)),
        ("annotations", texts(&provide.annotations)),
    ]);
    object(members)
}

fn attribute(value: &AttributeTemplate) -> Json {
    match value {
        AttributeTemplate::Known(json) => json.clone(),
        AttributeTemplate::Text(template) => text(template),
        AttributeTemplate::Array(elements) => Json::Array(elements.iter().map(attribute).collect()),
        AttributeTemplate::Object(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.clone(), attribute(value))).collect())
        }
    }
}

fn require(require: &RequireTemplate) -> Json {
    let mut members = Vec::new();
    members.extend(require.interface.as_ref().map(|interface| ("interface", text(interface))));
    members.push(("selector", selector(&require.selector.0)));
    members.extend(require.version.as_ref().map(|version| ("version", text(version))));
    let scope = match require.scope {
        Scope::Runtime => "runtime",
        Scope::Deployment => "deployment",
    };
    members.push(("scope", Json::Text(scope.to_owned())));
    members.push(("quantifier", quantifier(require.quantifier)));
    if require.resolution.is_optional() {
        members.push(("resolution", Json::Text("optional".to_owned())));
    }
    members.push(("attributes", Json::Array(require.attributes.iter().map(text).collect())));
    object(members)
}

fn deployment_require(require: &RequireTemplate) -> Json {
    object(vec![
        ("selector", selector(&require.selector.0)),
        ("quantifier", quantifier(require.quantifier)),
        ("attributes", Json::Array(require.attributes.iter().map(text).collect())),
    ])
}

fn quantifier(quantifier: Quantifier) -> Json {
    let number = |number: u32| Json::Number(number.to_string().into());
    let mut members = vec![("min", number(quantifier.min()))];
    members.extend(quantifier.max().map(|max| ("max", number(max))));
    object(members)
}

fn selector(expressions: &[ExpressionTemplate]) -> Json {
    let expressions = expressions.iter().map(|expression| match expression {
        ExpressionTemplate::Known(known) => {
            let values = known.values().map(|value| Json::Text(value.to_owned()));
            written(known.key(), known.operator(), values.collect())
        }
        ExpressionTemplate::Template { key, operator, values, .. } => {
            written(key, *operator, values.iter().map(text).collect())
        }
    });
    Json::Array(expressions.collect())
}

fn written(key: &Name, operator: Operator, values: Vec<Json>) -> Json {
    let mut members =
        vec![("key", Json::Text(key.as_str().to_owned())), ("operator", Json::Text(operator.as_str().to_owned()))];
    if operator.takes_values() {
        members.push(("values", Json::Array(values)));
    }
    object(members)
}

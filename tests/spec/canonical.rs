//! The canonical form, and that reading never panics.

use std::path::Path;

use mortise::document::{Document, Json, Limits, to_yaml};
use mortise::spec::difference;
use proptest::prelude::*;

use super::arbitrary::{any_json, word};
use super::{canonical, json, render, specification, start, yaml};

#[test]
fn json_and_yaml_of_one_specification_have_the_same_canonical_form() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/specs/good");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files =
        files.filter(|file| file.extension().unwrap() == "json" && !file.to_str().unwrap().ends_with(".input.json"));
    let mut compared = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let from_yaml = canonical(&yaml(&to_yaml(&Json::parse(&text).unwrap())));
        assert_eq!(difference(&from_yaml, &canonical(&json(&text))), None, "{}", file.display());
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn the_canonical_form_writes_every_default_and_sorts_maps() {
    let text = r#"{"name": "a", "system": "s", "requires": {"z": {"interface": "$system"}, "b": {"interface": "i", "resolution": "optional"}}, "provides": {"p": {"layer": "server", "attributes": {"y": 1.0, "x": {"b": 1, "a": 2}}}}}"#;
    let expected = concat!(
        r#"{"system":"s","name":"a","version":"${input.version}","environment":"${input.environment}","instance":"","annotations":{},"#,
        r#""provides":[{"interface":"p","layer":"server","labels":{},"attributes":{"x":{"b":1,"a":2},"y":1.0},"annotations":{}}],"#,
        r#""requires":{"b":{"interface":"i","selector":[],"scope":"runtime","quantifier":{"min":0,"max":1},"resolution":"optional","attributes":[]},"#,
        r#""z":{"interface":"$system","selector":[],"scope":"runtime","quantifier":{"min":1,"max":1},"attributes":[]}},"deploymentSpec":{}}"#
    );
    assert_eq!(canonical(&json(text)).to_string(), expected);
}

#[test]
fn what_is_compared_under_an_idempotency_key_is_the_same_however_it_was_posted() {
    let spec = specification(r#""requires": [{"interface": "db", "version": "1"}]"#);
    let posted = start(&json(&format!(r#"{{"artifactSpec": {spec}, "input": {{"a": 1}}}}"#))).unwrap().comparable();
    let yaml = start(&yaml(
        "input: {a: 1}\nartifactSpec:\n  environment: test\n  version: 2.3.0\n  name: org.shop.api\n  system: shop\n  requires: {db: {interface: db, version: 1}}\n",
    ));
    assert_eq!(difference(&posted, &yaml.unwrap().comparable()), None);
    let other = start(&json(&format!(r#"{{"artifactSpec": {spec}, "input": {{"a": "1"}}}}"#))).unwrap().comparable();
    assert_eq!(difference(&posted, &other).unwrap().as_str(), "/members/0/input/a");
    let set = start(&json(&format!("[{spec}]"))).unwrap().comparable();
    assert_eq!(difference(&posted, &set).unwrap().as_str(), "/set");
}

/// Text of any kind that a specification takes, templates among them.
fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "1.10",
        "no",
        "$name",
        "${input.a!\"b\"}",
        "$$5",
        "[1,2)",
        "ü b",
        "$versions",
        "${name|upper}",
    ])
    .prop_map(str::to_owned)
}

fn selector() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["tier", "environment", "version", "a/b", "$x"]);
    let flat = (key.clone(), text()).prop_map(|(key, value)| format!(r#"{{"{key}": {value:?}}}"#));
    let expression = (key, text(), prop::sample::select(vec!["In", "NotIn", "Exists"])).prop_map(
        |(key, value, operator)| match operator {
            "Exists" => format!(r#"[{{"key": "{key}", "operator": "Exists"}}]"#),
            operator => format!(
                r#"[{{"key": "{key}", "operator": "{operator}", "value": {value:?}}}, {{"key": "z", "values": []}}]"#
            ),
        },
    );
    let bare = prop_oneof![flat, expression];
    (bare, any::<bool>()).prop_map(|(selector, wrap)| {
        if wrap { format!(r#"{{"selector": {selector}, "quantifier": "+"}}"#) } else { selector }
    })
}

fn valid_specification() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["server", "api", "$name", "a$$b"]);
    let provides = (key, text(), any::<bool>()).prop_map(|(key, label, map)| {
        let fields = format!(r#""labels": {{"l": {label:?}}}, "attributes": {{"z": [{label:?}, 1.10], "a": null}}"#);
        match (map, key) {
            (true, "server") => format!(r#"{{"server": {{"interface": {label:?}, {fields}}}}}"#),
            (true, key) => format!(r#"{{"{key}": {{"layer": "router", {fields}}}}}"#),
            (false, key) => format!(r#"[{{"interface": "{key}", "layer": "server", {fields}}}]"#),
        }
    });
    let require = (selector(), text(), any::<bool>()).prop_map(|(selector, text, optional)| {
        let resolution = if optional { "optional" } else { "mandatory" };
        format!(r#"{{"interface": "db", "selector": {selector}, "version": {text:?}, "expand": [{text:?}], "resolution": "{resolution}"}}"#)
    });
    (text(), provides, require, selector(), any::<bool>()).prop_map(|(text, provides, require, host, array)| {
        let requires = if array { format!("[{require}]") } else { format!(r#"{{"r": {require}}}"#) };
        format!(
            r#"{{"name": "a", "system": "s", "version": "1", "environment": "e", "description": {text:?}, "annotations": {{"b": {text:?}, "a": ""}}, "provides": {provides}, "requires": {requires}, "deploymentSpec": {{"h": {host}}}}}"#
        )
    })
}

proptest! {
    #[test]
    fn the_canonical_form_read_again_is_itself_and_renders_alike(text in valid_specification()) {
        let document = json(&text);
        let first = start(&document).unwrap().members.remove(0);
        let form = first.specification.canonical();
        for again in [json(&form.to_string()), yaml(&to_yaml(&form))] {
            let again = start(&again).unwrap().members.remove(0);
            prop_assert_eq!(&again.specification.canonical(), &form);
            match (render(&first), render(&again)) {
                (Ok(first), Ok(again)) => prop_assert_eq!(shown(&first), shown(&again)),
                (first, again) => prop_assert_eq!(first.is_ok(), again.is_ok()),
            }
        }
    }

    #[test]
    fn no_document_makes_the_reader_panic_and_what_is_read_can_be_read_again(tree in any_json()) {
        let document = Document::from_json(tree.to_string().as_bytes(), Limits::default()).unwrap();
        if let Ok(start) = start(&document) {
            for member in &start.members {
                let form = member.specification.canonical();
                prop_assert_eq!(&canonical(&json(&form.to_string())), &form);
                let _rendered_or_refused = render(member).is_ok();
            }
        }
    }

    #[test]
    fn no_field_of_a_specification_can_hold_what_makes_the_reader_panic(field in word(), value in any_json(), inner in any_json()) {
        let field = Json::Text(field);
        let text = specification(&format!(r#""provides": [{{"interface": "a", "layer": "server", {field}: {value}}}], "requires": {{"a": {{{field}: {inner}}}}}, "deploymentSpec": {{"h": {value}}}"#));
        if let Ok(start) = start(&json(&text)) {
            let form = start.members[0].specification.canonical();
            prop_assert_eq!(&canonical(&json(&form.to_string())), &form);
            let _rendered_or_refused = render(&start.members[0]).is_ok();
        }
    }
}

/// Everything that a plan is made of; attributes in the order of their names, as the canonical form has them.
fn shown(spec: &mortise::model::ArtifactSpec) -> String {
    let provides = spec.provides.iter().map(|provide| {
        let mut attributes = provide.known_attributes().map(|attributes| attributes.members()).unwrap_or_default();
        attributes.sort_by(|left, right| left.0.cmp(&right.0));
        format!("{} {} {:?} {attributes:?}", provide.interface, provide.layer, provide.labels)
    });
    let requires =
        spec.requires.iter().chain(&spec.deployment_spec).map(|(name, require)| format!("{name} {require:?}"));
    let parts: Vec<_> = provides.chain(requires).collect();
    format!("{} {} {:?} {:?} {}", spec.slot, spec.version, spec.description, spec.annotations, parts.join("\n"))
}

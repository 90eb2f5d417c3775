//! Fields, their defaults and older spellings, labels, and problems.

use mortise::model::{Code, Layer, Resolution, Scope};

use super::{
    json, member, now, problem, problems, query, render, rendered, specification, start, start_with, warnings, yaml,
};

#[test]
fn only_system_and_name_are_required_and_the_rest_has_defaults() {
    let document = json(r#"{"system": "shop", "name": "org.shop.api"}"#);
    let inputs = query(&[("version", "1.10"), ("environment", "test")]);
    let start = start_with(&document, &inputs, &Default::default()).unwrap();
    let spec = render(&start.members[0]).unwrap();
    assert_eq!((&*spec.version, spec.slot.environment.as_str(), &*spec.slot.instance), ("1.10", "test", ""));
    assert!(spec.description.is_none() && spec.annotations.is_empty() && spec.warnings.is_empty());
    assert!(spec.provides.is_empty() && spec.requires.is_empty() && spec.deployment_spec.is_empty());
}

#[test]
fn a_missing_default_input_is_a_problem_of_the_field_that_needs_it() {
    let start = start(&json(r#"{"system": "shop", "name": "org.shop.api", "environment": "test"}"#)).unwrap();
    let problems = render(&start.members[0]).unwrap_err();
    assert_eq!((problems[0].code, problems[0].pointer.as_str()), (Code::TemplateUndefined, "/version"));
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_require_is_runtime_mandatory_and_for_exactly_one_unless_it_says_otherwise() {
    let spec = rendered(
        r#""requires": {"a": {"interface": "a"}, "b": {"interface": "b", "scope": "deployment", "resolution": "optional", "attributes": ["url", "host"]}}"#,
    );
    let (a, b) = (&spec.requires["a"], &spec.requires["b"]);
    assert_eq!(
        (a.scope, a.resolution, a.quantifier.to_string().as_str()),
        (Scope::Runtime, Resolution::Mandatory, "1")
    );
    assert_eq!(
        (b.scope, b.resolution, b.quantifier.to_string().as_str()),
        (Scope::Deployment, Resolution::Optional, "0..1")
    );
    assert_eq!((now(&a.attributes).len(), now(&b.attributes).join(" ").as_str()), (0, "url host"));
}

#[test]
fn labels_are_those_that_mortise_sets_and_the_provides_own() {
    let spec = rendered(
        r#""instance": "blue", "provides": [{"interface": "shop-api", "layer": "router", "version": "7", "labels": {"tier": "gold", "name": "org.shop.api"}}]"#,
    );
    let shown: Vec<_> = spec.provides[0].labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let expected = [
        "environment=test",
        "instance=blue",
        "interface=shop-api",
        "layer=router",
        "name=org.shop.api",
        "tier=gold",
        "version=7",
    ];
    assert_eq!(shown, expected);
    assert_eq!(spec.provides[0].layer, Layer::Router);
}

#[test]
fn an_empty_instance_is_no_label_and_cannot_be_set_as_one() {
    let spec = rendered(r#""provides": [{"interface": "a", "layer": "server", "labels": {"instance": ""}}]"#);
    assert_eq!(spec.provides[0].labels.get("instance"), None);
    assert_eq!(
        problem(r#""provides": [{"interface": "a", "layer": "server", "labels": {"instance": "blue"}}]"#).code,
        Code::ReservedLabel
    );
}

#[test]
fn each_reserved_label_is_refused_with_another_value_once_rendered() {
    for key in ["interface", "name", "version", "environment", "layer", "instance"] {
        let problem = problem(&format!(
            r#""provides": [{{"interface": "a", "layer": "server", "labels": {{"{key}": "$name-x"}}}}]"#
        ));
        assert_eq!((problem.code, problem.pointer), (Code::ReservedLabel, format!("/provides/0/labels/{key}")));
    }
}

#[test]
fn an_interface_may_be_provided_in_two_layers_but_not_twice_in_one() {
    let both = r#""provides": [{"interface": "a", "layer": "server"}, {"interface": "a", "layer": "router"}]"#;
    assert_eq!(rendered(both).provides.len(), 2);
    let twice =
        problem(r#""provides": {"a": {"layer": "server"}, "server": {"interface": "$input.a"}}, "description": null"#);
    assert_eq!(twice.code, Code::TemplateUndefined);
    let twice = problem(r#""provides": {"a": {"layer": "server"}, "server": {"interface": "a"}}"#);
    assert_eq!((twice.code, twice.pointer.as_str()), (Code::DuplicateProvide, "/provides/server"));
}

#[test]
fn provides_keep_their_order_and_attributes_theirs() {
    let spec = rendered(
        r#""provides": [{"interface": "z", "layer": "server", "attributes": {"y": 1.10, "x": {"b": 1E5, "a": null}}}, {"interface": "a", "layer": "server"}]"#,
    );
    assert_eq!(spec.provides.iter().map(|provide| provide.interface.as_str()).collect::<Vec<_>>(), ["z", "a"]);
    assert_eq!(spec.provides[0].known_attributes().unwrap().as_str(), r#"{"y":1.10,"x":{"b":1E5,"a":null}}"#);
}

#[test]
fn yaml_scalars_are_text_where_text_stands_and_json_in_attributes() {
    let text = "system: shop\nname: 0x1F\nversion: 1.10\nenvironment: no\ninstance: 010\nprovides:\n  - interface: 2\n    layer: server\n    labels: {on: 1e3}\n    attributes: {a: 1.10, b: 010, c: no, d: true, e: null, f: , g: \"1\", h: 1e3, i: .5}\n";
    let spec = render(&member(&yaml(text))).unwrap();
    assert_eq!(
        (spec.slot.artifact.as_str(), &*spec.version, spec.slot.environment.as_str(), &*spec.slot.instance),
        ("0x1F", "1.10", "no", "010")
    );
    assert_eq!((spec.provides[0].interface.as_str(), spec.provides[0].labels.get("on")), ("2", Some("1e3")));
    let attributes = spec.provides[0].known_attributes().unwrap();
    assert_eq!(
        attributes.as_str(),
        r#"{"a":1.10,"b":"010","c":"no","d":true,"e":null,"f":null,"g":"1","h":1e3,"i":".5"}"#
    );
}

#[test]
fn a_number_where_text_stands_is_refused_in_json_with_the_advice_to_quote_it() {
    let problem = problem(r#""instance": 1.10"#);
    assert_eq!((problem.code, problem.pointer.as_str()), (Code::WrongType, "/instance"));
    assert!(problem.message.ends_with("quote it: \"1.10\""), "{}", problem.message);
}

#[test]
fn null_is_absent_where_a_field_is_optional_and_an_error_elsewhere() {
    let optional = r#""instance": null, "description": null, "annotations": null, "provides": null, "requires": null, "deploymentSpec": null, "runtimeSpec": null"#;
    assert_eq!(
        member(&json(&specification(optional))).specification.canonical(),
        member(&json(&specification(""))).specification.canonical()
    );
    for (more, pointer) in [
        (r#""requires": {"a": null}"#, "/requires/a"),
        (r#""provides": [null]"#, "/provides/0"),
        (r#""annotations": {"a": null}"#, "/annotations/a"),
        (r#""requires": {"a": {"interface": "a", "attributes": [null]}}"#, "/requires/a/attributes/0"),
        (r#""deploymentSpec": {"a": null}"#, "/deploymentSpec/a"),
    ] {
        assert_eq!(problems(more), [(Code::WrongType, pointer.to_owned())], "{more}");
    }
}

#[test]
fn an_unknown_field_is_told_with_the_nearest_known_one() {
    for (more, message) in [
        (r#""descripton": "a""#, "`descripton` is no field of an artifact specification; did you mean `description`?"),
        (
            r#""requires": {"a": {"interface": "a", "selectr": []}}"#,
            "`selectr` is no field of a Require; did you mean `selector`?",
        ),
        (r#""requires": {"a": {"interface": "a", "colour": 1}}"#, "`colour` is no field of a Require"),
        (
            r#""deploymentSpec": {"a": {"selector": [], "atributes": []}}"#,
            "`atributes` is no field of a Selector; did you mean `attributes`?",
        ),
    ] {
        assert_eq!(problem(more).message, message);
    }
}

#[test]
fn all_problems_are_reported_at_once_those_of_reading_before_those_of_rendering() {
    let more = r#""instanc": "a", "provides": [{"interface": "a", "layer": "srever", "attributes": {"url": "${input.verison}"}}],
        "requires": {"a": {}, "b": {"interface": "${input.b}", "selector": [{"key": "c", "values": ["$input.c"]}], "version": "[2,1]"}}"#;
    let found = problems(more);
    let expected = [
        (Code::UnknownField, "/instanc"),
        (Code::UnknownValue, "/provides/0/layer"),
        (Code::EmptyRequire, "/requires/a"),
        (Code::TemplateUndefined, "/provides/0/attributes/url"),
        (Code::TemplateUndefined, "/requires/b/interface"),
        (Code::TemplateUndefined, "/requires/b/selector/0/values/0"),
        (Code::InvalidRange, "/requires/b/version"),
    ];
    assert_eq!(found.iter().map(|(code, pointer)| (*code, pointer.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn a_require_that_cannot_be_read_is_not_also_reported_as_unknown_by_the_texts_that_read_it() {
    let more = r#""provides": [{"interface": "a", "layer": "server", "attributes": {"url": "${requires.db.matches[0].attributes.url}"}}], "requires": {"db": "postgresql"}"#;
    assert_eq!(problems(more), [(Code::WrongType, "/requires/db".to_owned())]);
}

#[test]
fn output_fields_are_ignored_with_a_warning() {
    let more = r#""provides": {"a": {"layer": "server", "component": 1}},
        "requires": {"b": {"interface": "b", "matches": [{"x": 1}]}, "c": {"interface": "c", "selector": {"matches": []}}},
        "deploymentSpec": {"h": {"selector": [], "matches": "?"}}"#;
    let spec = rendered(more);
    let expected = ["/provides/0/component", "/requires/b/matches", "/requires/c/matches", "/deploymentSpec/h/matches"];
    assert_eq!(warnings(&spec), expected.map(|pointer| (Code::OutputFieldIgnored, pointer)));
    assert!(!member(&json(&specification(more))).specification.canonical().to_string().contains("match"));
}

#[test]
fn a_require_without_interface_and_selector_is_refused_in_every_spelling() {
    for require in [
        "{}",
        r#"{"selector": []}"#,
        r#"{"selector": {}}"#,
        r#"{"selector": null}"#,
        r#"{"version": "*"}"#,
        r#"{"selector": {"selector": {}}, "version": "${'*'}"}"#,
        r#"{"quantifier": "*"}"#,
    ] {
        assert_eq!(
            problems(&format!(r#""requires": {{"a": {require}}}"#)),
            [(Code::EmptyRequire, "/requires/a".to_owned())],
            "{require}"
        );
    }
    for require in [r#"{"version": "1"}"#, r#"{"selector": {"tier": "gold"}}"#, r#"{"interface": "a", "version": "*"}"#]
    {
        rendered(&format!(r#""requires": {{"a": {require}}}"#));
    }
    assert_eq!(problems(r#""requires": {"a": {"selector": [{"key": "b", "operator": "is"}]}}"#).len(), 1);
}

#[test]
fn names_and_texts_are_held_to_their_bounds_in_bytes() {
    let name = |bytes: usize| {
        format!(r#""requires": {{"{}": {{"interface": "a"}}}}"#, "ü".repeat(bytes / 2) + &"a".repeat(bytes % 2))
    };
    assert_eq!(rendered(&name(253)).requires.len(), 1);
    assert_eq!(problem(&name(254)).code, Code::InvalidText);
    let instance = |bytes: usize| format!(r#""instance": "{}""#, "a".repeat(bytes));
    assert_eq!(rendered(&instance(1024)).slot.instance.len(), 1024);
    assert_eq!(problem(&instance(1025)).code, Code::InvalidText);
    assert_eq!(problem(r#""instance": "a\nb""#).code, Code::InvalidText);
    assert_eq!(rendered(r#""annotations": {"a": "b\n\tc\r\n"}"#).annotations.values().next().unwrap(), "b\n\tc\r\n");
    assert_eq!(problem(r#""annotations": {"a": "\u0000"}"#).code, Code::InvalidText);
    assert_eq!(problem(r#""annotations": {"a ": "b"}"#).code, Code::InvalidText);
}

//! Selectors in every spelling, ranges, and the default environment.

use mortise::model::Code;

use super::{applied, canonical, json, problem, problems, render, rendered, specification, start, warnings};

#[test]
fn every_spelling_of_a_require_has_the_same_canonical_form() {
    let spellings = [
        r#"{"interface": "db", "selector": [{"key": "tier", "operator": "In", "values": ["gold"]}, {"key": "version", "operator": "In", "values": ["[1,2)"]}], "quantifier": {"min": 1, "max": 1}, "scope": "runtime", "resolution": "mandatory", "attributes": ["url"]}"#,
        r#"{"interface": "db", "selector": [{"key": "tier", "values": ["gold"]}, {"key": "version", "value": "[1,2)"}], "expand": ["url"]}"#,
        r#"{"interface": "db", "selector": [{"key": "tier", "value": ["gold"]}, {"key": "version", "value": ["[1,2)"]}], "quantifier": 1, "attributes": ["url"], "matches": []}"#,
        r#"{"interface": "db", "selector": {"tier": "gold", "version": "[1,2)"}, "quantifier": "1..1", "attributes": ["url"]}"#,
        r#"{"interface": "db", "selector": {"selector": {"tier": "gold", "version": "[1,2)"}, "quantifier": "1", "expand": ["url"]}}"#,
    ];
    let of = |require: &str| canonical(&json(&specification(&format!(r#""requires": {{"db": {require}}}"#))));
    let first = of(spellings[0]);
    for spelling in &spellings[1..] {
        assert_eq!(of(spelling), first, "{spelling}");
        let array = canonical(&json(&specification(&format!(r#""requires": [{spelling}]"#))));
        assert_eq!(array, first, "{spelling}");
        let runtime =
            canonical(&json(&specification(&format!(r#""runtimeSpec": {{"requires": {{"db": {spelling}}}}}"#))));
        assert_eq!(runtime, first, "{spelling}");
    }
}

#[test]
fn every_spelling_of_a_deployment_selector_and_of_provides_has_the_same_canonical_form() {
    let host =
        |selector: &str| canonical(&json(&specification(&format!(r#""deploymentSpec": {{"host": {selector}}}"#))));
    let first = host(
        r#"{"selector": [{"key": "os", "operator": "In", "values": ["linux"]}], "quantifier": "1", "attributes": []}"#,
    );
    for selector in
        [r#"[{"key": "os", "values": ["linux"]}]"#, r#"{"os": "linux"}"#, r#"{"selector": {"os": "linux"}}"#]
    {
        assert_eq!(host(selector), first, "{selector}");
    }
    let provides = |provides: &str| canonical(&json(&specification(&format!(r#""provides": {provides}"#))));
    let first = provides(r#"[{"interface": "api", "layer": "server", "labels": {"tier": "gold"}}]"#);
    for spelling in [
        r#"{"api": {"layer": "server", "labels": {"tier": "gold"}}}"#,
        r#"{"server": {"interface": "api", "labels": {"tier": "gold"}}}"#,
        r#"{"server": {"interface": "api", "layer": "server", "labels": {"tier": "gold"}}}"#,
        r#"{"api": {"interface": "api", "layer": "server", "labels": {"tier": "gold"}}}"#,
    ] {
        assert_eq!(provides(spelling), first, "{spelling}");
    }
}

#[test]
fn an_interface_that_is_called_like_a_layer_can_be_provided() {
    let spec = rendered(r#""provides": {"server": {"layer": "client"}}"#);
    assert_eq!((spec.provides[0].interface.as_str(), spec.provides[0].layer.as_str()), ("server", "client"));
}

#[test]
fn written_expressions_come_first_then_the_version_then_the_environment() {
    let spec = rendered(
        r#""requires": {"a": {"interface": "a", "version": "^1.2", "selector": [{"key": "tier", "operator": "NotIn", "values": ["b", ""]}, {"key": "x", "operator": "Exists"}]}}, "deploymentSpec": {"h": {}}"#,
    );
    assert_eq!(applied(&spec, "a"), ["tier NotIn b, \"\"", "x Exists", "version In ^1.2", "environment In test"]);
    assert_eq!(applied(&spec, "h"), ["environment In test"]);
}

#[test]
fn the_version_star_is_any_and_a_version_that_is_no_range_is_exact_text() {
    let spec = rendered(
        r#""requires": {"any": {"interface": "a", "version": "${'*'}"}, "text": {"interface": "a", "version": "1.2"}}"#,
    );
    assert_eq!(applied(&spec, "any"), ["environment In test"]);
    let text = super::now(&spec.requires["text"].selector).0[0].clone();
    assert!(text.accepts(Some("1.2")) && !text.accepts(Some("1.2.0")));
}

#[test]
fn whatever_a_selector_says_about_the_environment_replaces_the_default_and_anything_but_in_warns() {
    let of = |expression: &str| {
        let spec = rendered(&format!(r#""requires": {{"a": {{"interface": "a", "selector": [{expression}]}}}}"#));
        (
            applied(&spec, "a").len(),
            warnings(&spec).into_iter().map(|(code, pointer)| format!("{code} {pointer}")).collect::<Vec<_>>(),
        )
    };
    let warning = vec!["environment-default-replaced /requires/a".to_owned()];
    assert_eq!(of(r#"{"key": "environment", "values": ["$environment", "shared"]}"#), (1, vec![]));
    assert_eq!(of(r#"{"key": "environment", "operator": "Exists"}"#), (1, warning.clone()));
    assert_eq!(of(r#"{"key": "environment", "operator": "NotIn", "values": ["production"]}"#), (1, warning.clone()));
    assert_eq!(of(r#"{"key": "environment", "operator": "InRange", "values": ["[1,)"]}"#), (1, warning));
    assert_eq!(of(r#"{"key": "tier", "values": []}"#), (2, vec![]));
}

#[test]
fn the_default_environment_is_text_however_it_looks() {
    let text = r#"{"system": "shop", "name": "a", "version": "1", "environment": "[1,2)", "requires": {"a": {"interface": "a"}}}"#;
    let spec = render(&start(&json(text)).unwrap().members[0]).unwrap();
    let expression = super::now(&spec.requires["a"].selector).0[0].clone();
    assert!(expression.accepts(Some("[1,2)")) && !expression.accepts(Some("1.5")));
    assert!(spec.warnings.is_empty());
}

#[test]
fn on_other_keys_than_version_a_text_like_a_range_is_text_with_a_warning() {
    let spec = rendered(
        r#""requires": {"a": {"interface": "a", "selector": {"schema": "[1,2)", "x": "${'^'}1", "version": "^1"}}}, "deploymentSpec": {"h": [{"key": "kernel", "operator": "InRange", "values": ["[5,)"]}]}"#,
    );
    assert_eq!(
        warnings(&spec),
        [(Code::LooksLikeRange, "/requires/a/selector/0"), (Code::LooksLikeRange, "/requires/a/selector/1")]
    );
    let selector = &super::now(&spec.requires["a"].selector).0;
    assert!(selector[0].accepts(Some("[1,2)")) && !selector[0].accepts(Some("1.5")));
    assert!(selector[2].accepts(Some("1.5")));
}

#[test]
fn ranges_are_judged_once_rendered() {
    let version =
        |version: &str| problem(&format!(r#""requires": {{"a": {{"interface": "a", "version": "{version}"}}}}"#));
    for text in ["[1,2", "[1,2),[3,4)", "(1.0)", "[2,1]", "^x", ">=1 <2", "${'['}1,2", "[2,${1}]"] {
        let problem = version(text);
        assert_eq!((problem.code, problem.pointer.as_str()), (Code::InvalidRange, "/requires/a/version"), "{text}");
    }
    rendered(r#""requires": {"a": {"interface": "a", "version": "[${'1'},${'2'})"}}"#);
    assert_eq!(
        problem(r#""deploymentSpec": {"a": [{"key": "b", "operator": "NotInRange", "values": ["1.0"]}]}"#).code,
        Code::InvalidRange
    );
}

#[test]
fn an_object_with_only_the_fields_of_a_selector_is_never_a_flat_map() {
    let spec = rendered(r#""deploymentSpec": {"a": {"quantifier": "2"}, "b": {"quantifier": "2", "tier": "gold"}}"#);
    assert_eq!(applied(&spec, "a"), ["environment In test"]);
    assert_eq!(applied(&spec, "b"), ["quantifier In 2", "tier In gold", "environment In test"]);
    assert_eq!(problem(r#""deploymentSpec": {"a": {"selector": {"quantifier": "2"}}}"#).code, Code::WrongType);
    assert_eq!(problem(r#""deploymentSpec": {"a": {"selector": "gold"}}"#).pointer, "/deploymentSpec/a/selector");
}

#[test]
fn a_selector_with_a_misspelt_field_is_told_which() {
    for (selector, field) in [
        (r#"{"selecter": [{"key": "a", "values": []}]}"#, "selecter"),
        (r#"{"selector": [], "quantifer": "1"}"#, "quantifer"),
        (r#"{"attributes": ["a"], "tier": "gold"}"#, "tier"),
    ] {
        let expected = vec![(Code::UnknownField, format!("/requires/a/selector/{field}"))];
        assert_eq!(
            problems(&format!(r#""requires": {{"a": {{"interface": "a", "selector": {selector}}}}}"#)),
            expected
        );
    }
}

#[test]
fn operators_take_the_values_that_they_need() {
    let expression = |expression: &str| format!(r#""deploymentSpec": {{"a": [{{"key": "b", {expression}}}]}}"#);
    for taken in [
        r#""operator": "Exists""#,
        r#""operator": "DoesNotExist", "values": []"#,
        r#""values": []"#,
        r#""operator": null, "value": """#,
    ] {
        rendered(&expression(taken));
    }
    for (refused, code) in [
        (r#""operator": "Exists", "values": ["a"]"#, Code::WrongType),
        (r#""operator": "DoesNotExist", "value": "$name""#, Code::WrongType),
        (r#""operator": "In""#, Code::MissingField),
        (r#""operator": "InRange", "values": null"#, Code::MissingField),
        (r#""operator": "exists""#, Code::UnknownValue),
        (r#""values": "a""#, Code::WrongType),
        (r#""values": [], "value": []"#, Code::ConflictingSpellings),
    ] {
        assert_eq!(problem(&expression(refused)).code, code, "{refused}");
    }
}

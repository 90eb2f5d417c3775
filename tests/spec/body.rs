//! Bodies of a start: bare, wrapped and sets; inputs and annotations.

use mortise::document::Json;
use mortise::model::Code;
use mortise::spec::{Inputs, StartForm};

use super::{json, query, render, specification, start, start_with, yaml};

fn input(body: &str) -> Result<Json, Vec<(Code, String)>> {
    let text = format!(r#"{{"artifactSpec": {}, "input": {body}}}"#, specification(""));
    let read = start(&json(&text)).map(|start| start.members[0].inputs.as_json().clone());
    read.map_err(|problems| problems.into_iter().map(|problem| (problem.code, problem.pointer)).collect())
}

#[test]
fn the_form_of_the_body_is_the_form_of_the_answer() {
    let spec = specification("");
    for (body, form, members) in [
        (spec.clone(), StartForm::Bare, 1),
        (format!(r#"{{"artifactSpec": {spec}}}"#), StartForm::Wrapped, 1),
        (format!(r#"{{"artifactSpecs": [{spec}]}}"#), StartForm::WrappedSet, 1),
        (format!("[{spec}, {{\"artifactSpec\": {spec}}}]"), StartForm::BareSet, 2),
    ] {
        let start = start(&json(&body)).unwrap();
        assert_eq!((start.form, start.members.len()), (form, members), "{body}");
    }
}

#[test]
fn inputs_of_the_query_go_to_bare_bodies_and_those_of_the_body_to_wrapped_ones() {
    let spec = specification(r#""description": "${input.a!\"none\"}""#);
    let description = |body: &str| {
        let start = start_with(&json(body), &query(&[("a", "query")]), &Default::default()).unwrap();
        render(&start.members[0]).unwrap().description.unwrap()
    };
    assert_eq!(description(&spec), "query");
    assert_eq!(description(&format!("[{spec}]")), "query");
    assert_eq!(description(&format!(r#"{{"artifactSpec": {spec}, "input": {{"a": "body"}}}}"#)), "body");
    assert_eq!(description(&format!(r#"{{"artifactSpec": {spec}}}"#)), "none");
}

#[test]
fn the_input_and_annotations_of_a_member_are_laid_over_the_shared_ones() {
    let spec = specification("");
    let body = format!(
        r#"{{"artifactSpecs": [{spec}, {{"artifactSpec": {spec}, "input": {{"a": {{"c": 3}}, "d": 4}}, "annotations": {{"commit": "2", "own": "x"}}}}],
        "input": {{"a": {{"b": 1, "c": 2}}, "d": {{"e": 1}}}}, "annotations": {{"commit": "1", "build": "7"}}, "idempotencyKey": "k"}}"#
    );
    let start = start(&json(&body)).unwrap();
    let inputs = start.members.iter().map(|member| member.inputs.as_json().to_string()).collect::<Vec<_>>();
    assert_eq!(inputs, [r#"{"a":{"b":1,"c":2},"d":{"e":1}}"#, r#"{"a":{"b":1,"c":3},"d":4}"#]);
    let annotations = |index: usize| {
        start.members[index].annotations.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>()
    };
    assert_eq!(annotations(0), ["build=7", "commit=1"]);
    assert_eq!(annotations(1), ["build=7", "commit=2", "own=x"]);
    assert_eq!(start.idempotency_key.as_deref(), Some("k"));
}

#[test]
fn problems_of_every_member_point_into_the_document_as_posted() {
    let body = r#"{"artifactSpecs": [{"artifactSpec": {"system": "a", "name": "${input.b}", "version": "1", "environment": "e", "x": 1}}, {"system": "", "name": "b"}], "inputs": {}}"#;
    let found: Vec<_> =
        start(&json(body)).unwrap_err().into_iter().map(|problem| (problem.code, problem.pointer)).collect();
    let expected = [
        (Code::UnknownField, "/inputs"),
        (Code::UnknownField, "/artifactSpecs/0/artifactSpec/x"),
        (Code::InvalidText, "/artifactSpecs/1/system"),
        (Code::TemplateUndefined, "/artifactSpecs/0/artifactSpec/name"),
    ];
    assert_eq!(found, expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn an_empty_set_and_contradicting_wrappers_are_refused() {
    let spec = specification("");
    for (body, code) in [
        ("[]".to_owned(), Code::MissingField),
        (r#"{"artifactSpecs": []}"#.to_owned(), Code::MissingField),
        (format!(r#"{{"artifactSpec": {spec}, "artifactSpecs": []}}"#), Code::ConflictingSpellings),
        (format!(r#"[{{"artifactSpec": {spec}, "idempotencyKey": "k"}}]"#), Code::UnknownField),
        (format!(r#"{{"artifactSpec": {spec}, "idempotencyKey": ""}}"#), Code::InvalidText),
        (format!(r#"{{"artifactSpec": {spec}, "annotations": {{"a": 1}}}}"#), Code::WrongType),
        ("\"shop\"".to_owned(), Code::WrongType),
    ] {
        let found = start(&json(&body)).unwrap_err();
        assert_eq!(found.iter().map(|problem| problem.code).collect::<Vec<_>>(), [code], "{body}");
    }
}

#[test]
fn input_values_are_texts_integers_booleans_and_maps_of_these() {
    let read =
        input(r#"{"a": "1.10", "b": -12345678901234567890, "c": false, "d": {"e": {}}, "f g.h/${i}": "\t\r\n"}"#)
            .unwrap();
    assert_eq!(
        read.to_string(),
        r#"{"a":"1.10","b":-12345678901234567890,"c":false,"d":{"e":{}},"f g.h/${i}":"\t\r\n"}"#
    );
    for (body, code, pointer) in [
        (r#"{"a": 1.10}"#, Code::InvalidInput, "/input/a"),
        (r#"{"a": 1e3}"#, Code::InvalidInput, "/input/a"),
        (r#"{"a": {"b": null}}"#, Code::InvalidInput, "/input/a/b"),
        (r#"{"a": ["b"]}"#, Code::InvalidInput, "/input/a"),
        (r#"{"a": "\u0007"}"#, Code::InvalidText, "/input/a"),
        (r#"{" a": "b"}"#, Code::InvalidText, "/input/ a"),
        (r#"{"a": "1", "a": "2"}"#, Code::DuplicateKey, "/input/a"),
        ("[]", Code::WrongType, "/input"),
    ] {
        assert_eq!(input(body), Err(vec![(code, pointer.to_owned())]), "{body}");
    }
}

#[test]
fn plain_yaml_inputs_are_booleans_and_integers_only_where_they_look_so_in_json() {
    let text = "artifactSpec: {system: a, name: a}\ninput: {a: true, b: yes, c: 8, d: 08, e: 1.10, f: -3, g: \"8\", h: ~, i: 0x1F, j: 1e3, k: +1}\n";
    let start = start(&yaml(text)).unwrap();
    let expected =
        r#"{"a":true,"b":"yes","c":8,"d":"08","e":"1.10","f":-3,"g":"8","h":"~","i":"0x1F","j":"1e3","k":"+1"}"#;
    assert_eq!(start.members[0].inputs.as_json().to_string(), expected);
}

#[test]
fn dotted_names_in_a_query_make_nested_maps_of_texts() {
    let read = query(&[("region.name", "eu"), ("version", "1.10"), ("region.zone.id", "true")]);
    assert_eq!(read.as_json().to_string(), r#"{"region":{"name":"eu","zone":{"id":"true"}},"version":"1.10"}"#);
    assert!(read.has(&["region", "zone"]) && !read.has(&["version", "x"]));
    let long = "a.".repeat(32) + "a";
    let refused: [&[(&str, &str)]; 7] = [
        &[("a", "1"), ("a", "2")],
        &[("a", "1"), ("a.b", "2")],
        &[("a.b", "1"), ("a", "2")],
        &[("a..b", "1")],
        &[("", "1")],
        &[("a", "\u{1b}")],
        &[(&long, "1")],
    ];
    for pairs in refused {
        assert!(Inputs::from_pairs(pairs.iter().copied()).is_err(), "{pairs:?}");
    }
    assert!(Inputs::from_pairs([(&long[2..], "1")]).is_ok());
}

#[test]
fn an_input_that_cannot_be_read_is_the_only_problem() {
    let body = r#"{"artifactSpec": {"system": "a", "name": "a", "version": "1", "environment": "${input.e}"}, "input": {"e": 1.5}}"#;
    assert_eq!(start(&json(body)).unwrap_err().len(), 1);
}

//! Limits: beyond them a problem, never a crash.

use mortise::document::{Document, DocumentErrorKind, Limits};
use mortise::model::{Code, Settings};
use mortise::spec::Inputs;

use super::{json, member, problem, query, render, rendered, specification, start, start_with};

fn requires(count: usize) -> String {
    let entries: Vec<_> = (0..count).map(|index| format!(r#""r{index}": {{"interface": "a"}}"#)).collect();
    format!(r#""requires": {{{}}}"#, entries.join(","))
}

#[test]
fn a_specification_has_at_most_a_thousand_requires_those_of_its_deployment_included() {
    assert_eq!(rendered(&requires(1_000)).requires.len(), 1_000);
    let over = problem(&requires(1_001));
    assert_eq!((over.code, over.pointer.as_str()), (Code::TooManyRequires, ""));
    let both = requires(1_000) + r#", "deploymentSpec": {"host": {}}"#;
    assert_eq!(problem(&both).code, Code::TooManyRequires);
}

#[test]
fn the_number_of_requires_is_a_setting() {
    let settings = Settings { max_requires: 2, ..Settings::default() };
    let read = |count| start_with(&json(&specification(&requires(count))), &Inputs::default(), &settings);
    assert!(read(2).is_ok());
    assert_eq!(read(3).unwrap_err()[0].code, Code::TooManyRequires);
}

#[test]
fn a_document_nests_at_most_sixty_four_deep() {
    // Four stand around the attribute: specification, provides, Provide, attributes.
    let nested = |depth: usize| {
        let value = "[".repeat(depth - 4) + &"]".repeat(depth - 4);
        specification(&format!(
            r#""provides": [{{"interface": "a", "layer": "server", "attributes": {{"a": {value}}}}}]"#
        ))
    };
    render(&member(&json(&nested(64)))).unwrap();
    let error = Document::from_json(nested(65).as_bytes(), Limits::default()).unwrap_err();
    assert_eq!(error.kind, DocumentErrorKind::TooDeep);
}

#[test]
fn a_rendered_specification_has_at_most_a_mebibyte() {
    let annotations = |count: usize| {
        let texts: Vec<_> =
            (0..count).map(|index| format!(r#""a{index}": "${{input.long}}${{input.long}}""#)).collect();
        specification(&format!(r#""annotations": {{{}}}"#, texts.join(",")))
    };
    let long = "x".repeat(16 * 1024);
    let rendered = |count: usize| {
        let start = start_with(&json(&annotations(count)), &query(&[("long", &long)]), &Settings::default()).unwrap();
        render(&start.members[0])
    };
    assert!(rendered(31).is_ok());
    let over = rendered(33).unwrap_err();
    assert_eq!(over.iter().map(|problem| problem.code).collect::<Vec<_>>(), [Code::TooLarge]);
    // 20,000 of them would be 640 MiB: rendering stops at the bound.
    assert_eq!(rendered(20_000).unwrap_err().len(), 1);
}

#[test]
fn a_template_an_expression_and_an_input_are_bounded() {
    let description = |text: &str| problem(&format!(r#""description": "{text}""#)).code;
    assert_eq!(
        rendered(&format!(r#""description": "{}""#, "x".repeat(64 * 1024))).description.unwrap().len(),
        64 * 1024
    );
    assert_eq!(description(&"x".repeat(64 * 1024 + 1)), Code::InvalidText);
    assert_eq!(description(&format!("$name {}", "x".repeat(16 * 1024))), Code::TemplateTooLong);
    assert_eq!(description(&format!("${{input.{}}}", "x".repeat(256))), Code::TemplateTooLong);
    assert_eq!(description(&format!("${{{}1}}", "not ".repeat(2_000))), Code::TemplateTooLong);
    assert_eq!(description(&format!("${{{}1{}}}", "(".repeat(100), ")".repeat(100))), Code::TemplateTooLong);
    assert!(Inputs::from_pairs([("a", "x".repeat(16 * 1024 + 1).as_str())]).is_err());
    let body =
        format!(r#"{{"artifactSpec": {}, "input": {{"a": "{}"}}}}"#, specification(""), "x".repeat(16 * 1024 + 1));
    assert_eq!(start(&json(&body)).unwrap_err()[0].code, Code::InvalidInput);
}

#[test]
fn a_thousand_problems_are_reported_and_no_more() {
    let fields: Vec<_> = (0..2_000).map(|index| format!(r#""x{index}": 1"#)).collect();
    assert_eq!(start(&json(&specification(&fields.join(",")))).unwrap_err().len(), 1_000);
}

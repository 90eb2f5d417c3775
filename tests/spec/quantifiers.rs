//! Quantifiers in every spelling and both dialects.

use mortise::model::{Code, Dialect, Settings};
use mortise::spec::Inputs;

use super::{json, problem, render, rendered, specification, start_with, warnings, yaml};

fn read(written: &str, dialect: Dialect) -> (String, usize) {
    let document =
        json(&specification(&format!(r#""requires": {{"a": {{"interface": "a", "quantifier": {written}}}}}"#)));
    let settings = Settings { quantifier_dialect: dialect, ..Settings::default() };
    let start = start_with(&document, &Inputs::default(), &settings).expect(written);
    let spec = render(&start.members[0]).unwrap();
    (spec.requires["a"].quantifier.to_string(), spec.warnings.len())
}

#[test]
fn a_bare_plus_or_question_mark_is_read_by_the_dialect_with_a_warning_that_names_its_reading() {
    for (written, document, regex) in [("\"+\"", "0..1", "1..*"), ("\"?\"", "1..*", "0..1")] {
        assert_eq!(read(written, Dialect::Document), (document.to_owned(), 1));
        assert_eq!(read(written, Dialect::Regex), (regex.to_owned(), 1));
    }
    let spec = rendered(r#""requires": {"a": {"interface": "a", "quantifier": "+"}}"#);
    assert_eq!(warnings(&spec), [(Code::QuantifierDialect, "/requires/a/quantifier")]);
    assert!(spec.warnings[0].message.contains("`+` is read as 0..1"), "{}", spec.warnings[0].message);
}

#[test]
fn every_other_spelling_is_read_alike_without_a_warning() {
    let spellings = [
        ("\"*\"", "0..*"),
        ("\"1..*\"", "1..*"),
        ("\"0..1\"", "0..1"),
        ("\"2..4\"", "2..4"),
        ("\" 3 \"", "3"),
        ("3", "3"),
        ("0", "0"),
        (r#"{"min": 2, "max": 4}"#, "2..4"),
        (r#"{"min": 2}"#, "2..*"),
        (r#"{"max": 4, "min": null}"#, "0..4"),
        ("null", "1"),
    ];
    for (written, expected) in spellings {
        for dialect in [Dialect::Document, Dialect::Regex] {
            assert_eq!(read(written, dialect), (expected.to_owned(), 0), "{written}");
        }
    }
}

#[test]
fn plain_yaml_is_read_as_json_is() {
    let text = specification("").replace('}', ", \"requires\": {a: {interface: a, quantifier: +}, b: {interface: b, quantifier: 2..4}, c: {interface: c, quantifier: {min: 1, max: 2}}}}");
    let start = start_with(&yaml(&text), &Inputs::default(), &Settings::default()).unwrap();
    let spec = render(&start.members[0]).unwrap();
    let read: Vec<_> = spec.requires.values().map(|require| require.quantifier.to_string()).collect();
    assert_eq!(read, ["0..1", "2..4", "1..2"]);
}

#[test]
fn what_is_no_quantifier_is_refused() {
    let refused =
        |written: &str| problem(&format!(r#""requires": {{"a": {{"interface": "a", "quantifier": {written}}}}}"#)).code;
    for written in [
        "\"\"",
        "\"many\"",
        "\"++\"",
        "\"1..\"",
        "\"..1\"",
        "\"1...2\"",
        "\"2..1\"",
        "\"+1\"",
        "\"-1\"",
        "1.0",
        "1e0",
        "-1",
        "true",
        "{}",
        r#"{"min": 2, "max": 1}"#,
        "4294967296",
    ] {
        assert_eq!(refused(written), Code::InvalidQuantifier, "{written}");
    }
    for written in ["[]", r#"{"min": "1"}"#, r#"{"max": "+1"}"#, r#"{"min": 1.5}"#, r#"{"min": -1}"#, r#"{"min": {}}"#]
    {
        assert_eq!(refused(written), Code::WrongType, "{written}");
    }
    for written in ["\"${input.n}\"", r#"{"min": "${input.n}"}"#] {
        assert_eq!(refused(written), Code::TemplateNotAllowed, "{written}");
    }
}

#[test]
fn optional_makes_the_least_number_zero() {
    let of = |quantifier: &str| {
        let more = format!(
            r#""requires": {{"a": {{"interface": "a", "resolution": "optional", "quantifier": {quantifier}}}}}"#
        );
        rendered(&more).requires["a"].quantifier.to_string()
    };
    assert_eq!([of("1"), of("\"2..4\""), of("\"1..*\"")], ["0..1", "0..4", "0..*"]);
}

#[test]
fn the_same_quantifier_may_stand_in_the_selector_but_no_other() {
    let more = |inner: &str| {
        format!(
            r#""requires": {{"a": {{"interface": "a", "quantifier": "1..2", "selector": {{"quantifier": {inner}}}}}}}"#
        )
    };
    assert_eq!(rendered(&more(r#"{"min": 1, "max": 2}"#)).requires["a"].quantifier.to_string(), "1..2");
    assert_eq!(problem(&more("1")).code, Code::ConflictingSpellings);
    let inner = rendered(
        r#""requires": {"a": {"interface": "a", "selector": {"quantifier": 2}}}, "deploymentSpec": {"h": {"quantifier": "*"}}"#,
    );
    assert_eq!(
        (inner.requires["a"].quantifier.to_string(), inner.deployment_spec["h"].quantifier.to_string()),
        ("2".into(), "0..*".into())
    );
}

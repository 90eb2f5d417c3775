//! The JSON Schema and the parser agree: on every fixture, and on every example in the schema.

use std::path::{Path, PathBuf};

use arbitrary::{any_json, word};
use jsonschema::Validator;
use mortise::document::{Document, Json, Limits, Node, NodeValue, Scalar, Style, Syntax};
use mortise::model::{Code, Settings};
use mortise::reading::Problem;
use mortise::spec::{Inputs, ReadContext, StartDocument};
use proptest::prelude::*;
use serde_json::Value;

#[path = "spec/arbitrary.rs"]
mod arbitrary;

const SCHEMA: &str = include_str!("../schema/artifact-spec.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("the schema is JSON")
}

fn validator(of: &str) -> Validator {
    let mut schema = schema();
    if of != "#" {
        // The definition beside the specification that it is about.
        schema = serde_json::json!({"$ref": format!("urn:mortise:schema:artifact-spec{of}"), "$defs": {"all": schema}});
    }
    jsonschema::validator_for(&schema).expect("the schema compiles")
}

/// The specifications in a folder of fixtures, in order.
fn specifications(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/specs").join(folder);
    let files = std::fs::read_dir(&folder).expect("the fixtures are there");
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| !file.to_str().unwrap().ends_with(".input.json"));
    files.retain(|file| !file.to_str().unwrap().ends_with(".expected.json"));
    files.sort();
    files
}

fn read(file: &Path) -> Result<Document, Option<Problem>> {
    let bytes = std::fs::read(file).unwrap();
    let read = if file.extension().unwrap() == "json" { Document::from_json } else { Document::from_yaml };
    read(&bytes, Limits::default()).map_err(|error| Problem::of_document(&error))
}

/// The input beside a fixture, if there is one.
fn input(file: &Path) -> Inputs {
    let Ok(input) = std::fs::read_to_string(file.with_extension("input.json")) else { return Inputs::default() };
    let body = format!(r#"{{"artifactSpec": {{"system": "a", "name": "a"}}, "input": {input}}}"#);
    let body = Document::from_json(body.as_bytes(), Limits::default()).unwrap();
    start(&body, &Inputs::default()).expect("the input is valid").members.remove(0).inputs.as_ref().clone()
}

fn start(document: &Document, inputs: &Inputs) -> Result<StartDocument, Vec<Problem>> {
    let settings = Settings::default();
    StartDocument::read(document, inputs, ReadContext { settings: &settings }).map_err(|problems| problems.into_vec())
}

/// Every problem of a specification, those of rendering too.
fn problems(document: &Document, inputs: &Inputs) -> Vec<Problem> {
    match start(document, inputs) {
        Err(problems) => problems,
        Ok(start) => {
            let rendered = start.members.iter().map(|member| member.specification.render(&member.inputs));
            rendered.filter_map(Result::err).flat_map(|problems| problems.into_vec()).collect()
        }
    }
}

/// A document as a JSON value. What a plain scalar of YAML is depends on its place: JSON in attributes, a number in a
/// quantifier where it is one, and text or nothing elsewhere.
fn as_json(document: &Document) -> Value {
    let json = match document.syntax {
        Syntax::Json => document.root.to_json(),
        Syntax::Yaml => by_place(&document.root, &mut Vec::new()),
    };
    serde_json::from_str(&json.to_string()).unwrap()
}

fn by_place<'n>(node: &'n Node, path: &mut Vec<&'n str>) -> Json {
    let is_attribute = matches!(path.as_slice(), [.., "provides", _, "attributes", _]);
    let is_quantifier = matches!(path.as_slice(), [.., "quantifier"] | [.., "quantifier", "min" | "max"]);
    match &node.value {
        NodeValue::Scalar(Scalar { text, style: Style::Plain }) => {
            let is_json = is_attribute || node.is_null() || (is_quantifier && Json::is_number(text));
            if is_json { node.to_json() } else { Json::Text(text.to_string()) }
        }
        _ if is_attribute => node.to_json(),
        NodeValue::Scalar(_) => node.to_json(),
        NodeValue::Array(elements) => {
            let mut read = Vec::new();
            for element in elements {
                path.push("-");
                read.push(by_place(element, path));
                path.pop();
            }
            Json::Array(read)
        }
        NodeValue::Object(members) => {
            let mut read = Vec::new();
            for member in members {
                path.push(&member.key);
                read.push((member.key.to_string(), by_place(&member.value, path)));
                path.pop();
            }
            Json::Object(read)
        }
    }
}

/// What a fixture that must be refused says about how.
struct Expected {
    code: String,
    problems: Value,
    schema_rejects: bool,
}

fn expected(file: &Path) -> Expected {
    let text =
        std::fs::read_to_string(file.with_extension("expected.json")).expect("a bad fixture says what is expected");
    let mut value: Value = serde_json::from_str(&text).unwrap();
    let schema_rejects = match value["schema"].as_str() {
        Some("rejects") => true,
        Some("cannot-see") => false,
        other => panic!("{}: {other:?}", file.display()),
    };
    Expected { code: value["code"].as_str().unwrap().to_owned(), problems: value["problems"].take(), schema_rejects }
}

/// What was found, as `<name>.expected.json` writes it.
fn found(problems: &[Problem]) -> Value {
    let found = problems.iter().map(|problem| {
        let mut found = serde_json::to_value(problem).unwrap();
        found.as_object_mut().unwrap().remove("message");
        found
    });
    found.collect()
}

#[test]
fn the_schema_is_valid_2020_12_and_each_definition_is_used() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::meta::validate(&schema).expect("the schema is valid");
    for definition in schema["$defs"].as_object().unwrap().keys().filter(|name| *name != "start") {
        assert!(SCHEMA.contains(&format!("\"#/$defs/{definition}\"")), "{definition}");
    }
}

#[test]
fn every_object_of_the_schema_says_which_fields_it_has() {
    fn walk(value: &Value, at: &str) {
        match value {
            Value::Object(members) => {
                let describes_object =
                    members.get("type").is_some_and(|kind| kind == "object") && members.contains_key("properties");
                let is_condition = members.contains_key("required") && !members.contains_key("additionalProperties");
                if describes_object && !is_condition {
                    assert!(members.contains_key("additionalProperties"), "{at}");
                }
                members.iter().for_each(|(key, value)| walk(value, &format!("{at}/{key}")));
            }
            Value::Array(elements) => elements.iter().for_each(|element| walk(element, at)),
            _ => {}
        }
    }
    walk(&schema(), "");
}

#[test]
fn every_example_in_the_schema_is_what_it_is_an_example_of() {
    let schema = schema();
    let specification = validator("#");
    for example in schema["examples"].as_array().unwrap() {
        assert!(specification.is_valid(example), "{example}");
        let document = Document::from_json(example.to_string().as_bytes(), Limits::default()).unwrap();
        start(&document, &Inputs::default()).expect("an example can be read");
    }
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let validator = validator(&format!("#/$defs/{name}"));
        for example in definition["examples"].as_array().into_iter().flatten() {
            assert!(validator.is_valid(example), "{name}: {example}");
        }
    }
}

#[test]
fn parser_and_schema_accept_every_good_specification() {
    let validator = validator("#");
    let files = specifications("good");
    assert!(files.len() >= 30, "{}", files.len());
    for file in files {
        let document = read(&file).unwrap_or_else(|problem| panic!("{}: {problem:?}", file.display()));
        let problems = problems(&document, &input(&file));
        assert!(problems.is_empty(), "{}: {problems:#?}", file.display());
        let errors: Vec<String> = validator.iter_errors(&as_json(&document)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
}

#[test]
fn the_parser_refuses_every_bad_specification_with_the_expected_problems_and_no_other() {
    let files = specifications("bad");
    assert!(files.len() >= 60, "{}", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let expected = expected(&file);
        let (code, found) = match read(&file) {
            Err(None) => ("malformed", Value::Array(Vec::new())),
            Err(Some(problem)) => ("invalid-specification", found(&[problem])),
            Ok(document) => ("invalid-specification", found(&problems(&document, &input(&file)))),
        };
        if (code, &found) != (expected.code.as_str(), &expected.problems) {
            wrong.push(format!("{}: {code} {found}", file.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_schema_refuses_every_bad_specification_but_those_whose_fault_it_cannot_see() {
    let validator = validator("#");
    let mut wrong = Vec::new();
    for file in specifications("bad") {
        let expected = expected(&file);
        // What is no document cannot be shown to a schema.
        let Ok(document) = read(&file) else {
            assert!(!expected.schema_rejects, "{}", file.display());
            continue;
        };
        if validator.is_valid(&as_json(&document)) == expected.schema_rejects {
            wrong.push(file.file_name().unwrap().to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn parser_and_schema_accept_every_canonical_form() {
    let validator = validator("#");
    for file in specifications("good") {
        let member = start(&read(&file).unwrap(), &Inputs::default()).unwrap().members.remove(0);
        let canonical = serde_json::from_str(&member.specification.canonical().to_string()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&canonical).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
}

#[test]
fn parser_and_schema_agree_on_the_bodies_of_a_start() {
    let spec = r#"{"system": "shop", "name": "org.shop.api", "version": "1", "environment": "test"}"#;
    let good = [
        spec.to_owned(),
        format!(r#"{{"artifactSpec": {spec}}}"#),
        format!(r#"{{"artifactSpec": {spec}, "input": null, "annotations": null, "idempotencyKey": null}}"#),
        format!(
            r#"{{"artifactSpec": {spec}, "input": {{"a": {{"${{b}}": -3, "c": true}}, "d": "\t"}}, "idempotencyKey": "k"}}"#
        ),
        format!(
            r#"{{"artifactSpecs": [{spec}, {{"artifactSpec": {spec}, "input": {{}}, "annotations": {{"a": "b"}}}}]}}"#
        ),
        format!("[{spec}]"),
        format!(r#"[{{"artifactSpec": {spec}}}, {spec}]"#),
    ];
    let bad = [
        "[]".to_owned(),
        "3".to_owned(),
        r#"{"artifactSpecs": []}"#.to_owned(),
        r#"{"artifactSpec": null}"#.to_owned(),
        format!(r#"{{"artifactSpec": {spec}, "artifactSpecs": [{spec}]}}"#),
        format!(r#"{{"artifactSpec": {spec}, "inputs": {{}}}}"#),
        format!(r#"{{"artifactSpec": {spec}, "input": {{"a": 1.5}}}}"#),
        format!(r#"{{"artifactSpec": {spec}, "input": {{"a": null}}}}"#),
        format!(r#"{{"artifactSpec": {spec}, "input": {{"a": [1]}}}}"#),
        format!(r#"{{"artifactSpec": {spec}, "input": {{"": "a"}}}}"#),
        format!(r#"{{"artifactSpec": {spec}, "idempotencyKey": ""}}"#),
        format!(r#"{{"artifactSpec": {spec}, "annotations": {{"a": 1}}}}"#),
        format!(r#"[{{"artifactSpec": {spec}, "idempotencyKey": "k"}}]"#),
    ];
    let validator = validator("#/$defs/start");
    let agree = |body: &str, valid: bool| {
        let document = Document::from_json(body.as_bytes(), Limits::default()).unwrap();
        assert_eq!(start(&document, &Inputs::default()).is_ok(), valid, "the parser: {body}");
        assert_eq!(validator.is_valid(&as_json(&document)), valid, "the schema: {body}");
    };
    good.iter().for_each(|body| agree(body, true));
    bad.iter().for_each(|body| agree(body, false));
}

/// What the schema has to refuse wherever the parser does; of the rest some cases are beyond it.
const VISIBLE: [Code; 4] = [Code::UnknownField, Code::MissingField, Code::WrongType, Code::EmptyRequire];

/// Places where a specification may hold any field, and so where an arbitrary one is put.
const PLACES: [&str; 8] = [
    r#""instance": "", FIELD"#,
    r#""provides": [{"interface": "a", "layer": "server", FIELD}]"#,
    r#""provides": {"a": {FIELD}}"#,
    r#""provides": {"server": {"interface": "a", FIELD}}"#,
    r#""requires": {"a": {FIELD}}"#,
    r#""requires": [{"interface": "a", FIELD}]"#,
    r#""deploymentSpec": {"a": {FIELD}}"#,
    r#""deploymentSpec": {"a": [{"key": "version", FIELD}]}"#,
];

/// A value that has the form of one that some field takes, or any other.
fn plausible() -> impl Strategy<Value = Json> {
    let text = || word().prop_map(Json::Text);
    let member = |key: &str, value: Json| (key.to_owned(), value);
    let expression = (text(), text(), text()).prop_map(move |(key, operator, value)| {
        Json::Object(vec![member("key", key), member("operator", operator), member("value", value)])
    });
    prop_oneof![
        text(),
        prop::collection::vec(text(), 0..3).prop_map(Json::Array),
        prop::collection::vec((word(), text()), 0..3).prop_map(Json::Object),
        prop::collection::vec(expression, 0..3).prop_map(Json::Array),
        any_json(),
    ]
}

proptest! {
    #[test]
    fn the_schema_accepts_what_the_parser_accepts_and_refuses_what_is_misspelt_missing_or_mistyped(
        place in prop::sample::select(PLACES.as_slice()), field in word(), value in plausible()
    ) {
        let field = format!("{}: {value}", Json::Text(field));
        let fixed = r#""system": "shop", "name": "org.shop.api", "version": "2.3.0", "environment": "test""#;
        let text = format!("{{{fixed}, {}}}", place.replace("FIELD", &field));
        let document = Document::from_json(text.as_bytes(), Limits::default()).unwrap();
        let problems = problems(&document, &Inputs::default());
        let accepted = VALIDATOR.with(|validator| validator.is_valid(&as_json(&document)));
        if problems.is_empty() {
            prop_assert!(accepted, "{}", text);
        }
        // Of two members with one key, a JSON value keeps another than the parser does.
        if document.duplicates.is_empty() && problems.iter().any(|problem| VISIBLE.contains(&problem.code)) {
            prop_assert!(!accepted, "{} {:?}", text, problems);
        }
    }
}

thread_local! {
    static VALIDATOR: Validator = validator("#");
}

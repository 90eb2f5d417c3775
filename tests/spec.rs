//! What an artifact specification may say, what it comes to, and what is said about one that is not valid.

use mortise::document::{Document, Json, Limits};
use mortise::model::{ArtifactSpec, Code, Ready, Settings};
use mortise::reading::Problem;
use mortise::spec::{Inputs, Member, ReadContext, StartDocument};

#[path = "spec/arbitrary.rs"]
mod arbitrary;
#[path = "spec/body.rs"]
mod body;
#[path = "spec/canonical.rs"]
mod canonical;
#[path = "spec/fields.rs"]
mod fields;
#[path = "spec/late.rs"]
mod late;
#[path = "spec/limits.rs"]
mod limits;
#[path = "spec/quantifiers.rs"]
mod quantifiers;
#[path = "spec/selectors.rs"]
mod selectors;
#[path = "spec/templates.rs"]
mod templates;

fn json(text: &str) -> Document {
    Document::from_json(text.as_bytes(), Limits::default()).expect(text)
}

fn yaml(text: &str) -> Document {
    Document::from_yaml(text.as_bytes(), Limits::default()).expect(text)
}

fn query(pairs: &[(&str, &str)]) -> Inputs {
    Inputs::from_pairs(pairs.iter().copied()).expect("the inputs are valid")
}

fn start_with(document: &Document, inputs: &Inputs, settings: &Settings) -> Result<StartDocument, Vec<Problem>> {
    StartDocument::read(document, inputs, ReadContext { settings }).map_err(|problems| problems.into_vec())
}

fn start(document: &Document) -> Result<StartDocument, Vec<Problem>> {
    start_with(document, &Inputs::default(), &Settings::default())
}

fn member(document: &Document) -> Member {
    start(document).expect("it can be read").members.remove(0)
}

fn render(member: &Member) -> Result<ArtifactSpec, Vec<Problem>> {
    member.specification.render(&member.inputs).map_err(|problems| problems.into_vec())
}

/// A specification in JSON with `more` in it: `shop`, `org.shop.api` 2.3.0 in `test`.
fn specification(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(r#"{{"system": "shop", "name": "org.shop.api", "version": "2.3.0", "environment": "test"{comma}{more}}}"#)
}

/// The rendered specification with `more` in it.
#[track_caller]
fn rendered(more: &str) -> ArtifactSpec {
    render(&member(&json(&specification(more)))).expect(more)
}

/// Every problem of the specification with `more` in it, as code and pointer.
#[track_caller]
fn problems(more: &str) -> Vec<(Code, String)> {
    let found = match start(&json(&specification(more))) {
        Err(problems) => problems,
        Ok(start) => render(&start.members[0]).expect_err(more),
    };
    found.into_iter().map(|problem| (problem.code, problem.pointer)).collect()
}

/// The one problem of the specification with `more` in it.
#[track_caller]
fn problem(more: &str) -> Problem {
    let mut found = match start(&json(&specification(more))) {
        Err(problems) => problems,
        Ok(start) => render(&start.members[0]).expect_err(more),
    };
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn canonical(document: &Document) -> Json {
    member(document).specification.canonical()
}

fn warnings(spec: &ArtifactSpec) -> Vec<(Code, &str)> {
    spec.warnings.iter().map(|warning| (warning.code, warning.pointer.as_str())).collect()
}

/// The value, which must not wait for matches.
fn now<T>(ready: &Ready<T>) -> &T {
    match ready {
        Ready::Now(value) => value,
        Ready::Late(_) => panic!("it is late"),
    }
}

/// The expressions that a require applies, shown.
fn applied(spec: &ArtifactSpec, require: &str) -> Vec<String> {
    let require = spec.requires.get(require).or_else(|| spec.deployment_spec.get(require)).expect(require);
    now(&require.selector).0.iter().map(ToString::to_string).collect()
}

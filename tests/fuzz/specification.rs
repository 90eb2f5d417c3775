//! The body of a start: read, rendered, planned, checked and answered.

use mortise::catalog::Effort;
use mortise::document::{Document, DocumentError, Json, JsonText, Limits, to_yaml};
use mortise::model::{ArtifactSpec, ResolvedSpec, Settings};
use mortise::planner::{Identities, Scrutiny, check, effort, plan};
use mortise::spec::{Inputs, ReadContext, StartDocument};
use mortise::wire::PlanView;

use super::world::WORLD;

/// Bytes are a body in JSON, and the same bytes one in YAML.
pub fn any(data: &[u8]) {
    for read in [Document::from_json as fn(&[u8], Limits) -> Result<Document, DocumentError>, Document::from_yaml] {
        if let Ok(document) = read(data, Limits::default()) {
            body(&document);
        }
    }
}

fn body(document: &Document) {
    let settings = Settings::default();
    let inputs = [("version", "1.4.0"), ("environment", "test"), ("a", "one"), ("domain", "domain1")];
    let inputs = Inputs::from_pairs(inputs).expect("the inputs are valid");
    let Ok(start) = StartDocument::read(document, &inputs, ReadContext { settings: &settings }) else { return };
    for member in &start.members {
        canonical_form_is_stable(&member.specification.canonical(), &settings);
    }
    let Ok(specs) = start.render() else { return };
    planned(&specs, start.form.is_set(), &settings);
}

/// What is read from the canonical form has the same canonical form, in JSON and in YAML.
fn canonical_form_is_stable(canonical: &Json, settings: &Settings) {
    let texts = [
        Document::from_json(canonical.to_string().as_bytes(), Limits::default()),
        Document::from_yaml(to_yaml(canonical).as_bytes(), Limits::default()),
    ];
    for again in texts {
        let again = again.unwrap_or_else(|error| panic!("the canonical form cannot be read: {error}: {canonical}"));
        let again = StartDocument::read(&again, &Inputs::default(), ReadContext { settings });
        let again = again.unwrap_or_else(|problems| panic!("the canonical form is refused: {problems:?}: {canonical}"));
        assert_eq!(again.members[0].specification.canonical(), *canonical);
    }
}

/// A plan keeps its promises, is recorded as it is, and can be answered.
fn planned(specs: &[ArtifactSpec], is_set: bool, settings: &Settings) {
    let catalog = &WORLD.catalog;
    let effort = Effort::of(effort(settings));
    let Ok(found) = plan(catalog, specs, settings, Identities::Withheld, &effort) else { return };
    if let Err(violations) = check(catalog, specs, settings, &found, Scrutiny::Everything) {
        panic!("{violations:?}");
    }
    for member in &found.members {
        let recorded = serde_json::to_string(member).expect("what was resolved has a JSON form");
        assert_eq!(serde_json::from_str::<ResolvedSpec>(&recorded).expect("it can be read"), *member);
    }
    let view = PlanView::unrecorded(specs, &found, is_set, catalog).expect("a plan can be answered");
    let answer = JsonText::of(&view).expect("a plan has a JSON form").to_json();
    assert_eq!(Json::parse(&answer.to_string()).expect("an answer can be read"), answer);
    if let Some(explanation) = &view.explanation {
        assert!(!explanation.to_string().is_empty());
    }
}

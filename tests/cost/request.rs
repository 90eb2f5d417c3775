//! What a request costs in the pure rooms: reading, rendering, planning, explaining and writing the answer.

use mortise::catalog::{Catalog, Effort};
use mortise::cypher::portable::Portable;
use mortise::cypher::statement::Statement;
use mortise::document::{Document, JsonText, Limits};
use mortise::model::Settings;
use mortise::planner::{Identities, effort, plan};
use mortise::spec::{Inputs, ReadContext, StartDocument};
use mortise::wire::{FinishDocument, PlanView, parse_filter};

use super::shape::Kind;

/// What can be counted of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Comparisons that resolving and explaining took.
    pub comparisons: usize,
    /// Bytes of the answer; of one that only says what is wrong, those of the messages.
    pub answer: usize,
}

/// Does what the server does for a request, and counts.
pub fn answer(catalog: &Catalog, kind: Kind, body: &str) -> Counted {
    match kind {
        Kind::Start => dry_run(catalog, body),
        Kind::Selector => list(catalog, body),
        Kind::Statement => {
            let judged = Statement::parse(body).map_err(|refusal| refusal.to_string());
            let answer = judged.and_then(|statement| {
                let portable = Portable::of(&statement, &[], 1_000).map_err(|refusal| refusal.message);
                portable.map(|portable| portable.text.len())
            });
            Counted { comparisons: 0, answer: answer.unwrap_or_else(|message| message.len()) }
        }
        Kind::Finish => {
            let read = Document::from_json(body.as_bytes(), Limits::default()).ok();
            let answer = read.and_then(|document| FinishDocument::read(&document).err());
            let messages =
                answer.map_or(0, |problems| JsonText::of(&problems.as_slice()).map_or(0, |it| it.as_str().len()));
            Counted { comparisons: 0, answer: messages }
        }
    }
}

fn dry_run(catalog: &Catalog, body: &str) -> Counted {
    let settings = Settings::default();
    let problems = |problems: mortise::reading::Problems| {
        let text = JsonText::of(&problems.as_slice()).expect("problems have a JSON form");
        Counted { comparisons: 0, answer: text.as_str().len() }
    };
    let Ok(document) = Document::from_json(body.as_bytes(), Limits::default()) else { return Counted::default() };
    let start = match StartDocument::read(&document, &Inputs::default(), ReadContext { settings: &settings }) {
        Ok(start) => start,
        Err(found) => return problems(found),
    };
    let specs = match start.render() {
        Ok(specs) => specs,
        Err(found) => return problems(found),
    };
    let given = effort(&settings);
    let effort = Effort::of(given);
    let planned = plan(catalog, &specs, &settings, Identities::Withheld, &effort);
    let comparisons = given - effort.left();
    let Ok(planned) = planned else { return Counted { comparisons, answer: 0 } };
    let view = PlanView::unrecorded(&specs, &planned, start.form.is_set(), catalog).expect("a plan can be answered");
    let text = JsonText::of(&view).expect("a plan has a JSON form");
    Counted { comparisons, answer: text.as_str().len() }
}

fn list(catalog: &Catalog, text: &str) -> Counted {
    let selector = match parse_filter(text) {
        Ok(selector) => selector,
        Err(error) => return Counted { comparisons: 0, answer: error.to_string().len() },
    };
    // Every Component is looked at until a page is full.
    let known = catalog.components_after(None).filter(|component| component.is_active());
    let accepted = known.filter(|component| selector.accepts(|key| component.label(key)));
    let rows: Vec<_> = accepted.take(101).map(|component| component.row()).collect();
    Counted { comparisons: 0, answer: rows.iter().map(|row| row.attributes.as_str().len() + 300).sum() }
}

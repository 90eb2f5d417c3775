//! What a request costs, counted in comparisons: no more than its size and that of the world explain.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::collections::BTreeMap;

use generator::{Generator, random_change};
use history::{History, name};
use mortise::catalog::{Catalog, Effort};
use mortise::document::{Document, Json, Limits};
use mortise::lifecycle::{Command, Finish, FinishMember, Looked, Moment};
use mortise::model::version::VersionRange;
use mortise::model::{
    ArtifactSpec, Attributes, Expression, Labels, Layer, Name, Operator, Row, ServerDeclaration, Settings, Slot,
};
use mortise::planner::{Excess, Identities, Plan, Unplannable, Verdict, effort, plan};
use mortise::spec::{Inputs, ReadContext, StartDocument};
use mortise::template::WideMaps;
use proptest::prelude::*;

/// A world of Servers that provide `host` in `test`, with these attributes.
fn world(servers: usize, attributes: impl Fn(usize) -> Vec<(String, Json)>) -> Catalog {
    let mut history = History::default();
    for index in 0..servers {
        let (server, version) = (format!("s{index:05}"), format!("{index}.0"));
        let own = [("interface", "host"), ("environment", "test"), ("layer", "server"), ("name", &server)];
        let labels = own.into_iter().chain([("version", version.as_str())]);
        let labels: Labels = labels.map(|(key, value)| (name(key), value.into())).collect();
        history.declare(&ServerDeclaration {
            name: name(&server),
            environment: name("test"),
            interface: name("host"),
            layer: Layer::Server,
            version: Some(version.into()),
            labels,
            attributes: Attributes::new(attributes(index)),
        });
    }
    history.catalog
}

fn text(value: &str) -> Json {
    Json::Text(value.to_owned())
}

/// The specifications of a body, rendered.
fn specs(body: &serde_json::Value) -> Vec<ArtifactSpec> {
    let document = Document::from_json(body.to_string().as_bytes(), Limits::default()).unwrap();
    let settings = Settings::default();
    let read = StartDocument::read(&document, &Inputs::default(), ReadContext { settings: &settings }).unwrap();
    read.render().unwrap()
}

/// What a body resolves to, and how many comparisons that took.
fn planned(catalog: &Catalog, specs: &[ArtifactSpec]) -> (Result<Plan, Unplannable>, usize) {
    let settings = Settings::default();
    let given = effort(&settings);
    let effort = Effort::of(given);
    let planned = plan(catalog, specs, &settings, Identities::Withheld, &effort);
    (planned, given - effort.left())
}

fn excess(planned: Result<Plan, Unplannable>) -> (String, Excess) {
    match planned {
        Err(Unplannable::TooLarge(too_large)) => {
            (too_large.require.map_or_else(String::new, |require| require.to_string()), too_large.excess)
        }
        other => panic!("it is not too large: {other:?}"),
    }
}

fn spec(more: serde_json::Value) -> serde_json::Value {
    let mut spec = serde_json::json!({"system": "shop", "name": "a", "version": "1", "environment": "test"});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

/// A specification with so many late attributes, each of which reads a match of one require.
fn late(count: usize, matches: usize) -> Vec<ArtifactSpec> {
    let attribute = |index: usize| {
        (format!("a{index:05}"), format!("${{requires.h.matches[{}].attributes.url}}", index % matches).into())
    };
    let attributes: serde_json::Map<_, _> = (0..count).map(attribute).collect();
    specs(&spec(serde_json::json!({
        "provides": [{"interface": "x", "layer": "server", "attributes": attributes}],
        "requires": {"h": {"interface": "host", "quantifier": "*"}},
    })))
}

#[test]
fn late_texts_cost_as_much_as_they_are_and_see_each_match_once() {
    let servers = 300;
    let catalog = world(servers, |index| {
        vec![("url".to_owned(), text(&format!("u{index}"))), ("pad".to_owned(), text(&"x".repeat(2_000)))]
    });
    let cost = |count: usize| {
        let (planned, cost) = planned(&catalog, &late(count, servers));
        let plan = planned.unwrap();
        let made = plan.members[0].provides[0].attributes.members();
        assert!(made.iter().enumerate().all(|(at, (_, value))| *value == text(&format!("u{}", at % servers))));
        cost
    };
    let (few, many) = (cost(1_000), cost(4_000));
    // Looking at the matches is the same for both; what a text costs beside is no more than to know that they are as they were.
    assert!(many - few < 3_000 * 8, "{few} for 1,000 texts, {many} for 4,000");
}

#[test]
fn late_texts_that_read_each_other_in_a_set_see_what_was_rendered_before() {
    let count = 50;
    let member = |own: &str, other: &str, shift: usize| {
        let attribute = |index: usize| {
            let value = match (index + shift).checked_sub(1) {
                None => "seed".to_owned(),
                Some(read) => format!("${{requires.o.matches[0].attributes.a{read:05}}}+"),
            };
            (format!("a{index:05}"), value.into())
        };
        let attributes: serde_json::Map<_, _> = (0..count).map(attribute).collect();
        let mut spec = spec(serde_json::json!({
            "provides": [{"interface": own, "layer": "server", "attributes": attributes}],
            "requires": {"o": {"interface": other}},
        }));
        spec["name"] = own.into();
        spec
    };
    let specs = specs(&serde_json::json!([member("one", "other", 0), member("other", "one", 1)]));
    let (planned, _) = planned(&Catalog::default(), &specs);
    let plan = planned.unwrap();
    let last = plan.members[1].provides[0].attributes.members().pop().unwrap();
    assert_eq!(last.1, text(&format!("seed{}", "+".repeat(2 * count - 1))));
}

#[test]
fn an_expression_of_many_ranges_costs_about_as_much_as_one_of_few() {
    let catalog = world(200, |_| Vec::new());
    let cost = |ranges: usize| {
        let values: Vec<_> = (0..ranges).map(|at| format!("[{0}.1,{0}.2)", 1_000 + at)).collect();
        let selector = serde_json::json!([{"key": "version", "values": values}]);
        let requires = serde_json::json!({"h": {"interface": "host", "quantifier": "*", "selector": selector}});
        let (planned, cost) = planned(&catalog, &specs(&spec(serde_json::json!({ "requires": requires }))));
        assert_eq!(planned.unwrap().verdict, Verdict::Yes);
        cost
    };
    let (few, many) = (cost(100), cost(10_000));
    assert!(many < 4 * few + 2 * 10_000, "{few} for 100 ranges, {many} for 10,000");
}

#[test]
fn explanations_have_a_budget_of_their_own() {
    let catalog = world(2_000, |_| Vec::new());
    let selector: Vec<_> = (0..20).map(|at| serde_json::json!({"key": format!("k{at}"), "values": ["none"]})).collect();
    for resolution in ["mandatory", "optional"] {
        let require = serde_json::json!({"interface": "host", "resolution": resolution, "selector": selector});
        let requires: serde_json::Map<_, _> = (0..500).map(|at| (format!("r{at}"), require.clone())).collect();
        let (planned, cost) = planned(&catalog, &specs(&spec(serde_json::json!({ "requires": requires }))));
        let plan = planned.unwrap();
        match &plan.verdict {
            Verdict::No(explanation) => {
                assert_eq!((explanation.unmet.len(), explanation.total), (20, Some(500)));
                assert!(explanation.unmet.last().unwrap().truncated, "there was effort for all of it");
            }
            _ => assert_eq!(resolution, "optional"),
        }
        assert!(cost <= 2_100_000, "{cost} comparisons");
    }
}

#[test]
fn matching_stops_at_the_bound_of_matches() {
    let catalog = world(100, |_| Vec::new());
    let member = |at: usize| {
        let require = serde_json::json!({"interface": "host", "quantifier": "*"});
        let requires: serde_json::Map<_, _> = (0..30).map(|at| (format!("r{at:02}"), require.clone())).collect();
        let mut member = spec(serde_json::json!({ "requires": requires }));
        member["name"] = format!("a{at}").into();
        member
    };
    let cost = |members: usize| {
        let specs = specs(&(0..members).map(member).collect());
        let (planned, cost) = planned(&catalog, &specs);
        let Err(Unplannable::TooLarge(too_large)) = planned else { panic!("10,000 are passed") };
        // 30 requires of 100 matches a member.
        assert_eq!((too_large.member, too_large.require.as_ref().map(Name::as_str)), (3, Some("r10")));
        let Excess::Matches { count, first } = &too_large.excess else { panic!("{too_large}") };
        assert_eq!((*count, first.len()), (100, 3));
        cost
    };
    assert_eq!(cost(4), cost(300), "what comes after the bound is not looked at");
}

#[test]
fn a_plan_is_given_up_before_its_bytes_are_built() {
    let catalog = world(40, |_| {
        let pad = vec![text(&"x".repeat(60_000)); 15];
        vec![("url".to_owned(), text("u")), ("pad".to_owned(), Json::Array(pad))]
    });
    let ask = |attributes: &[&str]| {
        let require = serde_json::json!({"interface": "host", "quantifier": "*", "attributes": attributes});
        let requires = serde_json::json!({"first": require, "second": require});
        planned(&catalog, &specs(&spec(serde_json::json!({ "requires": requires })))).0
    };
    let (require, all) = excess(ask(&[]));
    let limit = Settings::default().max_plan_bytes;
    let Excess::Bytes { count: 40, bytes, limit: told, asks_for_all: true } = all else { panic!("{all:?}") };
    assert_eq!((require.as_str(), told), ("first", limit));
    assert!((limit as usize..limit as usize + 1_000_000).contains(&bytes), "counted {bytes} of {limit}");
    assert!(matches!(excess(ask(&["pad"])).1, Excess::Bytes { asks_for_all: false, .. }));
    let plan = ask(&["url"]).unwrap();
    assert!(plan.shown_bytes < 100_000, "{} bytes", plan.shown_bytes);
}

#[test]
fn what_late_texts_read_is_bounded_as_what_is_shown() {
    let catalog = world(40, |_| vec![("pad".to_owned(), Json::Array(vec![text(&"x".repeat(60_000)); 15]))]);
    let late = specs(&spec(serde_json::json!({
        "provides": [{
            "interface": "x", "layer": "server",
            "attributes": {"first": "${requires.h.matches[0].attributes.pad[0]}"},
        }],
        "requires": {"h": {"interface": "host", "quantifier": "*"}},
    })));
    assert!(matches!(excess(planned(&catalog, &late).0).1, Excess::Read { .. }));
}

#[test]
fn long_versions_count_by_their_length() {
    let long = |last: &str| format!("{}{last}", "1a".repeat(200));
    let mut history = History::default();
    for index in 0..50 {
        let server = format!("s{index:02}");
        let own = [("interface", "host"), ("environment", "test"), ("layer", "server"), ("name", &server)];
        let labels: Labels = own.into_iter().map(|(key, value)| (name(key), value.into())).collect();
        let mut labels = labels;
        labels.set(name("version"), long(&index.to_string()));
        history.declare(&ServerDeclaration {
            name: name(&server),
            environment: name("test"),
            interface: name("host"),
            layer: Layer::Server,
            version: Some(long(&index.to_string()).into()),
            labels,
            attributes: Attributes::default(),
        });
    }
    let cost = |lower: &str, upper: &str| {
        let selector = serde_json::json!([{"key": "version", "values": [format!("[{lower},{upper})")]}]);
        let requires = serde_json::json!({"h": {"interface": "host", "quantifier": "*", "selector": selector}});
        planned(&history.catalog, &specs(&spec(serde_json::json!({ "requires": requires })))).1
    };
    let (short, lengthy) = (cost("1", "2"), cost(&long("10"), &long("20")));
    assert!(lengthy > 2 * short && lengthy > 50 * 800, "{short} for short bounds, {lengthy} for long ones");
}

#[test]
fn what_is_shown_beside_matches_counts_too() {
    let requires: serde_json::Map<_, _> = (0..1_000).map(|at| (format!("r{at}"), serde_json::json!({}))).collect();
    let member = |at: usize| {
        let mut member = spec(serde_json::json!({ "deploymentSpec": requires }));
        (member["name"], member["environment"]) = (format!("a{at}").into(), "e".repeat(253).into());
        member
    };
    let set = specs(&(0..60).map(member).collect());
    assert!(matches!(excess(planned(&Catalog::default(), &set).0).1, Excess::Specification { .. }));

    // A warning for each attribute that is lacking.
    let catalog = world(10, |_| Vec::new());
    let names: Vec<_> = (0..1_000).map(|at| format!("attribute-{at}")).collect();
    let require = serde_json::json!({"interface": "host", "quantifier": "*", "attributes": names});
    let requires: serde_json::Map<_, _> = (0..40).map(|at| (format!("r{at}"), require.clone())).collect();
    let member = |at: usize| {
        let mut member = spec(serde_json::json!({ "requires": requires }));
        member["name"] = format!("a{at}").into();
        member
    };
    let lacking = specs(&(0..4).map(member).collect());
    assert!(matches!(excess(planned(&catalog, &lacking).0).1, Excess::Specification { .. }));
}

#[test]
fn a_set_whose_members_all_read_each_other_is_not_too_large() {
    const MEMBERS: usize = 60;
    let member = |at: usize| {
        let attributes: serde_json::Map<_, _> = (0..10)
            .map(|number| (format!("a{number}"), format!("${{requires.mesh.matches[{number}].labels.name}}").into()))
            .collect();
        let mut member = spec(serde_json::json!({
            "provides": [{"interface": "mesh", "layer": "server", "attributes": attributes}],
            "requires": {"mesh": {"interface": "mesh", "quantifier": "*"}},
        }));
        member["name"] = format!("m{at:03}").into();
        member
    };
    let (planned, _) = planned(&Catalog::default(), &specs(&(0..MEMBERS).map(member).collect()));
    assert_eq!(planned.unwrap().verdict, Verdict::Yes);
}

#[test]
fn resolving_is_given_up_when_the_comparisons_are_spent() {
    let catalog = world(2_000, |_| Vec::new());
    let selector = serde_json::json!([{"key": "zone", "operator": "NotIn", "values": ["west"]},
        {"key": "environment", "operator": "Exists"}, {"key": "version", "operator": "NotInRange", "values": ["[0,)"]}]);
    let requires: serde_json::Map<_, _> = (0..1_000)
        .map(|at| (format!("r{at:03}"), serde_json::json!({"selector": selector, "quantifier": "*"})))
        .collect();
    let (planned, cost) = planned(&catalog, &specs(&spec(serde_json::json!({ "requires": requires }))));
    assert_eq!(excess(planned).1, Excess::Effort);
    assert_eq!(cost, effort(&Settings::default()));
}

#[test]
fn what_was_added_is_the_same_whenever_the_caller_looked() {
    let (mut compared, mut added) = (0, 0);
    for seed in 0..150 {
        let mut generator = Generator::new(seed);
        let mut history = History::default();
        (0..12).for_each(|_| random_change(&mut generator, &mut history));
        let slot = Slot { artifact: name("own"), environment: name("test"), instance: "".into() };
        history.open(&generator::spec(&mut generator, slot.clone()));
        let open = history.catalog.slot(&slot).unwrap().open().unwrap().spec.clone();
        let mut looked = vec![None];
        for _ in 0..generator.below(12) {
            looked.push(Looked::of(&history.catalog, open.id, &Effort::unlimited()));
            random_change(&mut generator, &mut history);
        }
        let moment = Moment { catalog: &history.catalog, time: history.time() };
        let decide = |looked: &Option<Looked>| {
            let member = FinishMember {
                id: open.id,
                slot: slot.clone(),
                token: None,
                corrected: Vec::new(),
                bytes: 0,
                together: vec![open.id],
                looked: looked.clone(),
            };
            let finish = Finish { members: vec![member], success: true, reason: None, actor: None };
            finish.decide(moment).unwrap().steps
        };
        let first = decide(&looked[0]);
        assert!(looked.iter().all(|looked| decide(looked) == first), "seed {seed}");
        compared += looked.len();
        added += first[0]
            .rows
            .iter()
            .filter(|row| matches!(row, Row::Ending(row) if row.moved.iter().any(|moved| moved.was.is_none())))
            .count();
    }
    assert!(compared > 500 && added > 10, "{compared} compared, {added} with added matches");
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,2}",
        "[0-9]\\.[0-9]{1,2}",
        "[0-9]\\.[0-9]\\.[0-9]",
        "[0-9]-(rc|alpha|SNAPSHOT|x)",
        "[0-9]\\.0\\.0-rc\\.1"
    ]
}

fn range() -> impl Strategy<Value = String> {
    let interval = (version(), version(), any::<[bool; 4]>()).prop_map(|(one, other, [from, to, lower, upper])| {
        let (one, other) =
            if mortise::model::version::compare(&one, &other).is_le() { (one, other) } else { (other, one) };
        let bound = |is_there: bool, version: String| if is_there { version } else { String::new() };
        format!(
            "{}{},{}{}",
            if from { '[' } else { '(' },
            bound(lower, one),
            bound(upper, other),
            if to { ']' } else { ')' }
        )
    });
    prop_oneof![4 => interval, 1 => version().prop_map(|version| format!("^{version}")), 1 => version()]
        .prop_filter("it is a value", |value| !VersionRange::looks_like(value) || VersionRange::parse(value).is_ok())
}

proptest! {
    #[test]
    fn many_values_are_asked_as_each_one_is(
        values in prop::collection::vec(range(), 0..60),
        asked in prop::collection::vec(version(), 1..40),
    ) {
        let values: Vec<_> = values.into_iter().map(Into::into).collect();
        let expression = Expression::new(name("version"), Operator::In, values).unwrap();
        for asked in asked {
            let expected = expression.tests().iter().any(|test| test.accepts(&asked));
            prop_assert_eq!(expression.lists(&asked), expected, "{} in {}", asked, expression);
        }
    }

    #[test]
    fn a_member_of_a_large_map_is_found_as_in_a_small_one(
        names in prop::collection::btree_map("[a-c]{1,4}", 0_u32..9, 0..120),
        asked in prop::collection::vec("[a-c]{1,4}", 1..40),
    ) {
        let inner = |names: &BTreeMap<String, u32>| {
            Json::Object(names.iter().rev().map(|(name, value)| (name.clone(), text(&value.to_string()))).collect())
        };
        let json = Json::Object(vec![("input".to_owned(), inner(&names)), ("list".to_owned(), Json::Array(vec![inner(&names)]))]);
        let wide = WideMaps::of(&json);
        let input = wide.get(&json, "input").unwrap();
        for name in asked {
            prop_assert_eq!(wide.get(input, &name), input.get(&name));
        }
    }
}

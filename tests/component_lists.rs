//! Pages of Components: what they have, beside a look at every Component, and what they cost, counted in Components looked at.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::sync::LazyLock;

use generator::{Generator, random_change};
use history::{History, name};
use mortise::catalog::{Catalog, Component, ComponentFilter};
use mortise::model::{
    Attributes, ComponentId, ComponentRow, ComponentState, Expression, Labels, Layer, Operator, Owner, Row, Selector,
    Slot, Timestamp,
};
use uuid::Uuid;

const MANY: usize = 100_000;
const LIMIT: usize = 50;
const LOOKS: usize = 5_000;

/// All pages of a list, and the most that was looked at for one.
fn listed(catalog: &Catalog, filter: &ComponentFilter, limit: usize, looks: usize) -> (Vec<ComponentId>, usize) {
    let (mut found, mut after, mut costliest) = (Vec::new(), None, 0);
    loop {
        let page = catalog.list_components(filter, after, limit, looks);
        assert!(page.components.len() <= limit && page.looked <= looks);
        costliest = costliest.max(page.looked);
        found.extend(page.components.iter().map(Component::id));
        let Some(next) = page.next else { return (found, costliest) };
        assert_ne!(after, Some(next), "each page goes on");
        after = Some(next);
    }
}

/// What a look at every Component finds, in the order of their ids.
fn compared(catalog: &Catalog, filter: &ComponentFilter) -> Vec<ComponentId> {
    let state = filter.state.unwrap_or(ComponentState::Active);
    if state == ComponentState::Planned {
        let accepted = catalog.planned_components_after(None).filter(|component| filter.accepts(component));
        return accepted.map(|component| component.id()).collect();
    }
    let known = catalog.components_after(None);
    let found: Vec<_> = known.filter(|component| component.state() == state && filter.accepts(component)).collect();
    assert!(found.is_sorted_by_key(Component::id));
    found.iter().map(Component::id).collect()
}

#[test]
fn whatever_is_looked_at_the_pages_have_what_the_filter_takes() {
    let (mut some, mut none) = (0, 0);
    for seed in 0..40 {
        let (mut generator, mut history) = (Generator::new(seed), History::default());
        for _ in 0..40 {
            random_change(&mut generator, &mut history);
        }
        let catalog = &history.catalog;
        let rows: Vec<_> = catalog.components_after(None).map(|component| component.row()).collect();
        for _ in 0..30 {
            let row = rows.get(generator.below(rows.len().max(1)));
            let part = |taken: bool, text: Option<String>| text.filter(|_| taken);
            let is_server = row.is_some_and(|row| matches!(row.owner, Owner::Server { .. }));
            let owner = row.map(|row| row.owner.name().to_string());
            let bits = generator.below(64);
            let selector = generator::predicate(&mut generator).selector;
            let filter = ComponentFilter {
                system: part(bits & 1 > 0, row.and_then(|row| row.system.as_ref().map(ToString::to_string))),
                environment: part(bits & 2 > 0, row.map(|row| row.owner.environment().to_string())),
                interface: part(bits & 4 > 0, row.map(|row| row.interface.to_string())),
                artifact: part(bits & 8 > 0 && !is_server, owner.clone()),
                server: part(bits & 8 > 0 && is_server, owner),
                state: [
                    None,
                    Some(ComponentState::Active),
                    Some(ComponentState::Inactive),
                    Some(ComponentState::Planned),
                ][generator.below(4)],
                selector: if bits & 48 == 0 { selector } else { Selector::default() },
            };
            let expected = compared(catalog, &filter);
            for (limit, looks) in [(1, 2), (2, 3), (100, 1_000)] {
                assert_eq!(listed(catalog, &filter, limit, looks).0, expected, "{filter:?}");
            }
            some += usize::from(!expected.is_empty());
            none += usize::from(expected.is_empty());
        }
    }
    assert!(some > 300 && none > 100, "the histories are too dull: {some} and {none}");
}

fn component(number: usize) -> ComponentRow {
    let artifact = if number < 3 { "rare".to_owned() } else { format!("artifact-{}", number % 5_000) };
    let environment = if number % 10_000 == 17 { "rare" } else { ["test", "production"][number % 2] };
    let interface = format!("interface-{}", number % 30);
    let labels: Labels = [
        ("interface", interface.as_str()),
        ("name", &artifact),
        ("environment", environment),
        ("layer", "server"),
        ("tier", ["gold", "silver"][number % 2]),
        ("rack", if number % 20_000 == 1 { "r1" } else { "r2" }),
    ]
    .into_iter()
    .map(|(key, value)| (name(key), value.into()))
    .collect();
    // The ids do not come in the order of the recording.
    let id = ComponentId(Uuid::from_u128((number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15) << 20));
    let instance = number.to_string().into();
    ComponentRow {
        id,
        owner: Owner::Slot(Slot { artifact: name(&artifact), environment: name(environment), instance }),
        system: Some(name(if number < 4 { "rare" } else { "shop" })),
        interface: name(&interface),
        layer: Layer::Server,
        version: Some("1.0".into()),
        labels,
        attributes: Attributes::default(),
        state: if number % 10 == 2 { ComponentState::Inactive } else { ComponentState::Active },
        since: Timestamp::default(),
        deployment: None,
    }
}

static LARGE: LazyLock<Catalog> = LazyLock::new(|| {
    let mut catalog = Catalog::default();
    (0..MANY).for_each(|number| catalog.apply_row(&Row::Component(component(number))));
    catalog
});

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn selecting(key: &str, operator: Operator, values: &[&str]) -> Selector {
    let values = values.iter().map(|&value| value.into()).collect();
    Selector(vec![Expression::new(name(key), operator, values).unwrap()])
}

#[test]
fn a_page_costs_what_it_returns() {
    let any = ComponentFilter::default;
    let inactive = || ComponentFilter { state: Some(ComponentState::Inactive), ..any() };
    let filters = [
        ComponentFilter { artifact: some("rare"), ..any() },
        ComponentFilter { artifact: some("artifact-77"), ..any() },
        ComponentFilter { artifact: some("nothing"), ..any() },
        ComponentFilter { system: some("rare"), ..any() },
        ComponentFilter { system: some("shop"), ..any() },
        ComponentFilter { environment: some("rare"), ..any() },
        ComponentFilter { environment: some("test"), ..any() },
        ComponentFilter { interface: some("interface-7"), environment: some("rare"), ..any() },
        ComponentFilter { server: some("nothing"), ..any() },
        ComponentFilter { selector: selecting("rack", Operator::In, &["r1"]), ..any() },
        inactive(),
        ComponentFilter { artifact: some("artifact-42"), ..inactive() },
        ComponentFilter { artifact: some("rare"), ..inactive() },
        ComponentFilter { environment: some("test"), ..inactive() },
        ComponentFilter { interface: some("interface-12"), ..inactive() },
        ComponentFilter { system: some("rare"), ..inactive() },
    ];
    for filter in &filters {
        let (found, looked) = listed(&LARGE, filter, LIMIT, LOOKS);
        assert_eq!(found, compared(&LARGE, filter), "{filter:?}");
        assert!(looked <= LIMIT + 1, "{filter:?} looks at {looked}");
    }
}

#[test]
fn of_what_only_a_label_has_few_are_put_in_order_and_of_many_the_first_are_taken() {
    let any = ComponentFilter::default;
    for (filter, most) in [
        (ComponentFilter { interface: some("interface-7"), ..any() }, MANY / 30 + 1),
        (ComponentFilter { selector: selecting("tier", Operator::In, &["gold"]), ..any() }, 3 * LIMIT),
    ] {
        let (found, looked) = listed(&LARGE, &filter, LIMIT, LOOKS);
        assert_eq!(found, compared(&LARGE, &filter), "{filter:?}");
        assert!(looked <= most, "{filter:?} looks at {looked}");
    }
}

#[test]
fn what_nothing_leads_to_is_looked_for_in_steps() {
    let any = ComponentFilter::default;
    let filters = [
        any(),
        ComponentFilter { environment: some("production"), system: some("rare"), ..any() },
        ComponentFilter { selector: selecting("environment", Operator::In, &["rare", "test", "production"]), ..any() },
        ComponentFilter { selector: selecting("rack", Operator::NotIn, &["r2"]), ..any() },
        ComponentFilter { selector: selecting("tier", Operator::DoesNotExist, &[]), ..any() },
        ComponentFilter { environment: some("test"), selector: selecting("tier", Operator::In, &["silver"]), ..any() },
    ];
    for filter in &filters {
        let (found, looked) = listed(&LARGE, filter, LIMIT, LOOKS);
        assert_eq!(found, compared(&LARGE, filter), "{filter:?}");
        assert!(looked <= LOOKS, "{filter:?} looks at {looked}");
    }
    let page = LARGE.list_components(&filters[4], None, LIMIT, LOOKS);
    assert!(page.components.is_empty() && page.next.is_some(), "an empty page goes on");
}

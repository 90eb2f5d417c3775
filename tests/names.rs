//! Names in order, and those near to a misspelt one, beside a comparison with every name.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use generator::Generator;
use history::name;
use mortise::catalog::Catalog;
use mortise::model::{Row, SystemRow};

/// How many names a large Catalog has.
const MANY: usize = 1_000_000;
/// How many texts may be read for one misspelt name, however many there are.
const READS: usize = 9_000;

const WORDS: [&str; 12] =
    ["shop", "bank", "ledger", "api", "web", "cart", "search", "Index", "größe", "auth", "mail", "queue"];

fn add(catalog: &mut Catalog, text: &str) {
    catalog.apply_row(&Row::System(SystemRow { name: name(text) }));
}

fn letters(generator: &mut Generator, count: usize) -> String {
    (0..count).map(|_| char::from(b'a' + u8::try_from(generator.below(26)).unwrap())).collect()
}

/// Names as people and machines give them: numbered, of words, random at one end, short.
fn any_name(generator: &mut Generator) -> String {
    let word = |generator: &mut Generator| WORDS[generator.below(WORDS.len())];
    match generator.below(6) {
        0 => format!("org.load.provider-{}", generator.below(2_000)),
        1 => format!("org.{}.{}-{}", word(generator), word(generator), generator.below(50)),
        2 => format!("org.load.{}", letters(generator, 5)),
        3 => format!("{}-service-production", letters(generator, 4)),
        4 => letters(generator, 3),
        _ => format!("{}{}", word(generator), letters(generator, 1)).to_uppercase(),
    }
}

fn misspelt(generator: &mut Generator, text: &str, edits: usize) -> String {
    let mut signs: Vec<_> = text.chars().collect();
    for _ in 0..edits {
        let (at, sign) = (generator.below(signs.len().max(1)), letters(generator, 1).chars().next().unwrap());
        match generator.below(4) {
            0 if signs.len() > 1 => drop(signs.remove(at)),
            1 if at + 1 < signs.len() => signs.swap(at, at + 1),
            2 if !signs.is_empty() => signs[at] = sign,
            _ => signs.insert(at, sign),
        }
    }
    signs.into_iter().collect()
}

fn distance(left: &str, right: &str) -> usize {
    strsim::osa_distance(&left.to_lowercase(), &right.to_lowercase())
}

#[test]
fn names_up_to_two_edits_away_are_what_a_comparison_with_all_gives() {
    let mut generator = Generator::new(11);
    let (mut catalog, mut names) = (Catalog::default(), BTreeSet::new());
    let (mut near, mut none) = (0, 0);
    for count in [100, 129, 700, 3_000, 6_000] {
        while names.len() < count {
            let text = any_name(&mut generator);
            add(&mut catalog, &text);
            names.insert(text);
        }
        assert!(catalog.systems().after(None).eq(names.iter().map(String::as_str)));
        let all: Vec<_> = names.iter().collect();
        for _ in 0..300 {
            let (edits, at) = (generator.below(4), generator.below(all.len()));
            let wanted = misspelt(&mut generator, all[at], edits);
            let allowed = (wanted.chars().count() / 3).max(1);
            let compared = names.iter().map(|known| (distance(&wanted, known), known.as_str()));
            let (nearest, expected) = compared.min().unwrap();
            let found = catalog.systems().nearest(&wanted);
            if nearest <= allowed.min(2) {
                assert_eq!(found, Some(expected), "{wanted} among {count}");
                near += 1;
            } else {
                // Farther ones are found where they begin or end alike, and never where none is near enough.
                assert!(found.is_none_or(|found| distance(&wanted, found) <= allowed), "{wanted} among {count}");
                none += 1;
            }
            let one: Vec<_> =
                names.iter().filter(|known| strsim::osa_distance(&wanted, known) == 1).map(String::as_str).collect();
            let found = catalog.systems().one_edit_away(&wanted, |_| true);
            assert_eq!(found, one[..one.len().min(8)], "{wanted} among {count}");
            let odd = |text: &str| text.len() % 2 == 1;
            let odd_ones: Vec<_> = one.iter().copied().filter(|one| odd(one)).take(8).collect();
            assert_eq!(catalog.systems().one_edit_away(&wanted, odd), odd_ones, "{wanted} among {count}");
        }
    }
    assert!(near > 500 && none > 100, "the names are too dull: {near} near, {none} not");
}

/// A million names of each manner: numbered densely, and random without any two alike.
static LARGE: LazyLock<Catalog> = LazyLock::new(|| {
    let (mut catalog, mut generator) = (Catalog::default(), Generator::new(5));
    for number in 0..MANY / 2 {
        add(&mut catalog, &format!("org.load.provider-{number:06}"));
        let text = letters(&mut generator, 12);
        add(&mut catalog, &text);
    }
    catalog
});

#[test]
fn among_a_million_names_few_are_read() {
    let mut generator = Generator::new(3);
    assert!(LARGE.systems().count() > MANY - 10);
    let known: Vec<_> = LARGE.systems().after(None).step_by(9_973).collect();
    for text in known {
        for edits in 0..=3 {
            let wanted = misspelt(&mut generator, text, edits);
            let (found, reads) = LARGE.systems().nearest_counted(&wanted);
            assert!(reads <= READS, "{wanted} read {reads} names");
            if edits <= 2 {
                let found = found.unwrap_or_else(|| panic!("nothing near {wanted}, as {text} is"));
                assert!(distance(&wanted, found) <= edits, "{found} for {wanted}, which was {text}");
            }
        }
    }
    for length in [1, 2, 3, 7, 30, 64, 65, 253] {
        let wanted = letters(&mut generator, length);
        let (_, reads) = LARGE.systems().nearest_counted(&wanted);
        assert!(reads <= READS, "{wanted} read {reads} names");
    }
}

#[test]
fn a_page_of_names_begins_anywhere_and_names_can_go() {
    let after = |text| LARGE.systems().after(Some(text)).take(2).collect::<Vec<_>>();
    assert_eq!(after("org.load.provider-123456"), ["org.load.provider-123457", "org.load.provider-123458"]);
    assert_eq!(after("org.load.provider-123456x"), ["org.load.provider-123457", "org.load.provider-123458"]);
    assert_eq!(after("zzzzzzzzzzzzzzzz"), [] as [&str; 0]);
    assert_eq!(LARGE.systems_after(Some("org.load.provider-499998"), 1)[0].name.as_str(), "org.load.provider-499999");
}

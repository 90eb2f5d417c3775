//! Versions: agreement of their order with maven-resolver 2, the laws of that order, and the ranges.

use std::cmp::Ordering::{Equal, Greater, Less};

use mortise::model::version::{RangeError, RangeProblem, VersionRange, compare, equal_only_in_order, near_miss};
use proptest::prelude::*;

const MEASURED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/versions/maven-resolver-2.tsv");

#[test]
fn order_agrees_with_maven_resolver_on_every_measured_pair() {
    let table = std::fs::read_to_string(MEASURED).expect("the table is part of the repository");
    let mut pairs = 0;
    let mut wrong = Vec::new();
    for line in table.lines().skip_while(|line| line.starts_with("# ")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [left, sign, right] = fields[..] else { panic!("not three fields: {line:?}") };
        let measured = match sign {
            "<" => Less,
            "=" => Equal,
            ">" => Greater,
            _ => panic!("no sign: {line:?}"),
        };
        pairs += 1;
        if compare(left, right) != measured || compare(right, left) != measured.reverse() {
            wrong.push(line);
        }
    }
    assert!(pairs >= 24_000, "the table holds only {pairs} pairs");
    assert!(wrong.is_empty(), "{} of {pairs} pairs disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn versions_stand_in_the_order_that_people_know_from_maven() {
    let ascending = [
        "dev",
        "1.min",
        "1.0-alpha",
        "1.0-alpha-2",
        "1.0b1",
        "1.0-M3",
        "1.0.RC2",
        "1.0-SNAPSHOT",
        "1.0",
        "1.0-sp",
        "1.0-jre",
        "1.0.1",
        "1.9",
        "1.10",
        "1.max",
        "2",
        "2024-11-05",
        "99999999999999999999999999999999999999998",
        "99999999999999999999999999999999999999999",
    ];
    for (index, left) in ascending.iter().enumerate() {
        for right in &ascending[index + 1..] {
            assert_eq!((compare(left, right), compare(right, left)), (Less, Greater), "{left} before {right}");
        }
    }
}

#[test]
fn spellings_of_one_version_are_equal_in_order() {
    for (left, right) in [
        ("", "0.0"),
        ("1.2", "1.2.0"),
        ("1.2", "1_2-ga.Final"),
        ("1.0-RC1", "1-cr.01"),
        ("1a1", "1.ALPHA.1"),
        ("1.0+linux", "1.0.0+darwin+arm"),
        ("1.x\u{130}", "1.xi\u{307}"),
    ] {
        assert_eq!(compare(left, right), Equal, "{left:?} and {right:?}");
        assert!(equal_only_in_order(left, right));
    }
    assert!(!equal_only_in_order("1.2", "1.2") && !equal_only_in_order("1.2", "1.20"));
}

#[test]
fn long_padding_is_compared_in_linear_time() {
    let (left, right) = ("1".to_owned() + &".0.ga".repeat(40_000) + ".1", "1".to_owned() + &".0.ga".repeat(40_000));
    assert_eq!(compare(&left, &right), Greater);
    let digits = "9".repeat(1_000_000);
    assert_eq!(compare(&digits, &format!("0{digits}")), Equal);
}

fn realistic() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        "0{0,2}[0-9]{1,2}",
        "[0-9]{8,24}",
        "(?i:alpha|beta|milestone|rc|cr|snapshot|ga|final|release|sp|min|max|jre)",
        "[abmvx]",
    ];
    let segments = prop::collection::vec((segment, prop_oneof![Just("."), Just("-"), Just("_"), Just("")]), 1..6);
    segments.prop_map(|parts| parts.into_iter().map(|(segment, separator)| segment + separator).collect())
}

/// Few distinct texts, so that triples are often close or equal.
fn close() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![Just("0"), Just("1"), Just("ga"), Just("rc"), Just("x"), Just("-")], 0..6)
        .prop_map(|parts| parts.concat())
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![realistic(), close(), ".*", "[0-9a-zA-Zİıſß٣+._-]{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_is_reflexive_and_its_signs_are_opposite(left in version(), right in version()) {
        prop_assert_eq!(compare(&left, &left.clone()), Equal);
        prop_assert_eq!(compare(&left, &right), compare(&right, &left).reverse());
    }

    #[test]
    fn order_is_transitive(texts in prop_oneof![[version(), version(), version()], [close(), close(), close()]]) {
        let mut sorted = texts;
        sorted.sort_by(|left, right| compare(left, right));
        let [first, second, third] = &sorted;
        let expected = compare(first, second).then(compare(second, third));
        prop_assert_ne!(expected, Greater);
        prop_assert_eq!(compare(first, third), expected);
    }

    #[test]
    fn build_metadata_is_ignored(version in version(), other in version(), build in ".*") {
        prop_assert_eq!(compare(&version, &format!("{version}+{build}")), Equal);
        prop_assert_eq!(compare(&format!("{version}+{build}"), &other), compare(&version, &other));
    }

    #[test]
    fn interval_takes_what_lies_between_its_bounds(one in realistic(), other in realistic(), asked in version()) {
        prop_assume!(!one.is_empty() && !other.is_empty() && compare(&one, &other).is_ne());
        let (lower, upper) = if compare(&one, &other).is_lt() { (one, other) } else { (other, one) };
        let range = VersionRange::parse(&format!("[ {lower} , {upper} )"))?;
        let between = compare(&lower, &asked).is_le() && compare(&asked, &upper).is_lt();
        prop_assert_eq!(range.contains(&asked), between);
        prop_assert!(range.judges(&asked));
    }

    #[test]
    fn any_text_is_read_or_refused_within_its_length(text in prop_oneof![".*", "[\\[(^~<>=][]0-9.,*x ()\\[<>=+-]*"]) {
        match VersionRange::parse(&text) {
            Ok(range) => {
                prop_assert!(VersionRange::looks_like(&text));
                prop_assert_eq!(range.to_string(), text);
            }
            Err(error) => prop_assert!(error.offset() <= text.len() && text.is_char_boundary(error.offset())),
        }
    }
}

fn range(text: &str) -> VersionRange {
    VersionRange::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn ranges_take_and_refuse_what_their_table_says() {
    let cases: [(&str, &[&str], &[&str]); 14] = [
        ("[1.0,2.0)", &["1.0", "1", "1.9.9", "2.0-SNAPSHOT", "1.5+b"], &["1.0-SNAPSHOT", "2.0", "2.0.0", "v1.5"]),
        ("(1.0,2.0]", &["1.0-sp", "2.0.RELEASE"], &["1.0.0", "2.0-sp"]),
        ("[10,11)", &["10", "10.99"], &["9", "11", "100"]),
        ("[1.0,)", &["1.0", "99999999999999999999999"], &["1.0-rc1"]),
        ("[1.0,]", &["1.0", "2"], &["0.9"]),
        ("(,2.0)", &["", "dev", "1"], &["2.0"]),
        ("(,)", &["", "1", "???"], &[]),
        ("[1.0]", &["1.0", "1", "1.0.Final"], &["1.0.1", "1.0-SNAPSHOT"]),
        ("[1.2.*]", &["1.2", "1.2-alpha", "1.2.99", "1.2-jre"], &["1.1.9", "1.3-alpha", "1.20"]),
        ("[ 1.0 ,\t2.0 ) ", &["1.5"], &["2.0"]),
        ("^1.2", &["1.2", "1.2.0", "1.9.0+b"], &["1", "2.0.0", "1.3.0-rc.1", "1.2.RELEASE", "01.2", ""]),
        ("~1.2.3", &["1.2.3", "1.2.99"], &["1.2", "1.3.0"]),
        (">=1.2, <2", &["1.2", "1.99"], &["2", "2.0.0-rc.1", "1.3-SNAPSHOT"]),
        ("=1.2.3", &["1.2.3", "1.2.3+b"], &["1.2.4", "v1.2.3"]),
    ];
    for (text, taken, refused) in cases {
        let range = range(text);
        assert_eq!((range.as_str(), range.to_string().as_str()), (text, text));
        for version in taken {
            assert!(range.contains(version) && range.judges(version), "`{text}` takes {version:?}");
        }
        for version in refused {
            assert!(!range.contains(version), "`{text}` refuses {version:?}");
        }
    }
}

#[test]
fn requirement_judges_only_semantic_versions() {
    let requirement = range(">=1");
    for version in ["1", "1.2", "1.2.3-rc.1+b", "1.2+b"] {
        assert!(requirement.judges(version), "{version}");
    }
    for version in ["", "1.", "1.2.3.4", "1.2-SNAPSHOT", "2024-11-05", "01.2", "v1.2.3", "99999999999999999999"] {
        assert!(!requirement.judges(version) && range("(,)").judges(version), "{version}");
    }
}

#[test]
fn faulty_ranges_say_what_is_wrong_and_where() {
    use RangeProblem::*;
    let bounds = |lower: &str, upper: &str| (lower.to_owned(), upper.to_owned());
    let above = |(lower, upper)| LowerAboveUpper { lower, upper };
    let empty = |(lower, upper)| Empty { lower, upper };
    let cases = [
        ("1.0", 0, NotARange),
        (" [1.0]", 0, NotARange),
        ("", 0, NotARange),
        ("[1.0,2.0", 8, Unclosed),
        ("[1,2),[3,4)", 5, Union),
        ("[1,2) (3,4)", 6, Union),
        ("[1,2) or so", 6, TextAfterInterval),
        ("[1,(2)", 3, BracketInside),
        ("[1,2,3)", 4, TooManyBounds),
        ("[ ]", 1, NoVersion),
        ("(1.0)", 0, SingleVersionLeftOut),
        ("[1.0)", 4, SingleVersionLeftOut),
        ("[1.*,2)", 3, Wildcard),
        ("[*]", 1, Wildcard),
        ("[2,1]", 1, above(bounds("2", "1"))),
        ("[1.0, 1.0-rc1]", 1, above(bounds("1.0", "1.0-rc1"))),
        ("(1.0,1.0)", 0, empty(bounds("1.0", "1.0"))),
        ("[1.0,1.0.0)", 0, empty(bounds("1.0", "1.0.0"))),
        ("(1.0,1.0]", 0, empty(bounds("1.0", "1.0"))),
    ];
    for (text, offset, problem) in cases {
        let error = VersionRange::parse(text).expect_err(text);
        assert_eq!((error.range(), error.offset(), error.problem()), (text, offset, &problem));
    }
    assert!(range("[1.0,1.0]").contains("1"));
}

#[test]
fn faulty_requirement_names_the_comparator_at_fault() {
    for (text, offset) in [("^", 0), (">=1.2 <2", 0), (">=1, <[2", 5), (">=1,", 4), ("==1", 0), ("^1.2.RELEASE", 0)] {
        let error = VersionRange::parse(text).expect_err(text);
        assert!(matches!(error.problem(), RangeProblem::Requirement { .. }), "{error}");
        assert_eq!(error.offset(), offset, "{error}");
    }
}

#[test]
fn range_error_reads_as_one_sentence() {
    let sentence = |text: &str| VersionRange::parse(text).map_err(|error: RangeError| error.to_string());
    let expected =
        "`[2,1]` is no version range: the lower bound `2` is greater than the upper bound `1`; swap them (at byte 1)";
    assert_eq!(sentence("[2,1]"), Err(expected.to_owned()));
}

#[test]
fn near_miss_names_the_surprise_and_nothing_else() {
    let surprises = [
        ("[1.0,2.0)", "1.0-SNAPSHOT", "`1.0-SNAPSHOT` sorts before `1.0`, so `[1.0,2.0)` refuses it"),
        ("[1.0,2.0)", "2.0-SNAPSHOT", "`2.0-SNAPSHOT` sorts before `2.0`, so `[1.0,2.0)` takes it"),
        ("(,1.0]", "1.0-jre", "`1.0-jre` sorts after `1.0`, so `(,1.0]` refuses it"),
        (
            "[1.0,2.0)",
            "v1.5",
            "`v1.5` begins with a word, which sorts before every number, so `[1.0,2.0)` refuses it, unlike `1.5`",
        ),
        ("(1.0,2.0)", "1.0.0", "`1.0.0` is equal in order to `1.0`, which `(1.0,2.0)` leaves out"),
        (
            "^1.2",
            "1.3.0-rc.1",
            "`1.3.0-rc.1` is a pre-release, which `^1.2` would take only if it named a pre-release of `1.3.0`",
        ),
        (
            "^1.2",
            "1.2.RELEASE",
            "`1.2.RELEASE` is no semantic version (unexpected character 'R' while parsing patch version number), and \
             `^1.2` takes no other",
        ),
    ];
    for (text, version, sentence) in surprises {
        assert_eq!(near_miss(&range(text), version).map(|miss| miss.to_string()).as_deref(), Some(sentence));
    }
    for (text, version) in [
        ("[1.0,2.0)", "1.5-SNAPSHOT"),
        ("[1.0,2.0)", "2.0"),
        ("[1.0,2.0)", "3.0-rc1"),
        ("[1.0,2.0)", "???"),
        ("[1.0,2.0)", ""),
        ("[1.0,2.0)", "1.0+b"),
        ("^1.2", "1.2"),
        ("^1.2", "2.0.0-rc.1"),
        ("^1.2.0-rc.1", "1.2.0-rc.2"),
    ] {
        assert_eq!(near_miss(&range(text), version), None, "`{text}` and {version:?}");
    }
}

//! Selectors in a query.

use mortise::wire::{SelectorFilterError, parse_filter};

#[track_caller]
fn reads(text: &str) -> Vec<String> {
    parse_filter(text).expect(text).0.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(text: &str) -> (usize, String) {
    match parse_filter(text).expect_err(text) {
        SelectorFilterError::Syntax { position, message } => (position, message),
        SelectorFilterError::Json(message) => (0, message),
    }
}

#[test]
fn every_operator_has_a_short_form() {
    assert_eq!(reads("tier"), ["tier Exists"]);
    assert_eq!(reads("!tier"), ["tier DoesNotExist"]);
    assert_eq!(reads("tier=gold"), ["tier In gold"]);
    assert_eq!(reads("tier == gold"), ["tier In gold"]);
    assert_eq!(reads("tier!=gold"), ["tier NotIn gold"]);
    assert_eq!(reads("tier in (gold, silver)"), ["tier In gold, silver"]);
    assert_eq!(reads("tier notin(gold)"), ["tier NotIn gold"]);
    assert_eq!(reads("schema inrange ([3,5), (,2])"), ["schema InRange [3,5), (,2]"]);
    assert_eq!(reads("schema notinrange (^1.2)"), ["schema NotInRange ^1.2"]);
    assert_eq!(reads(" a , !b,c = d "), ["a Exists", "b DoesNotExist", "c In d"]);
    assert_eq!(reads("tier in ()"), ["tier In (no values)"]);
}

#[test]
fn a_value_is_quoted_or_an_interval_or_bare() {
    assert_eq!(reads("version=[1.0,2.0)"), ["version In [1.0,2.0)"]);
    assert_eq!(reads("version in ([1.0,2.0), 3.1)"), ["version In [1.0,2.0), 3.1"]);
    assert_eq!(reads("version=\">=1.2, <2\""), ["version In >=1.2, <2"]);
    assert_eq!(reads("version=^1.2,tier=a"), ["version In ^1.2", "tier In a"]);
    assert_eq!(reads("name=\"a, b (c)\""), ["name In a, b (c)"]);
    assert_eq!(reads("tier=\"\""), ["tier In \"\""]);
    assert_eq!(reads("version=1.0+build.7"), ["version In 1.0+build.7"]);
    assert!(parse_filter("version=1.2").unwrap().0[0].accepts(Some("1.2")));
    assert!(!parse_filter("version=1.2").unwrap().0[0].accepts(Some("1.2.0")));
    assert!(parse_filter("version=[1,2)").unwrap().0[0].accepts(Some("1.2")));
}

#[test]
fn keys_may_hold_slashes_dots_and_the_words_of_operators() {
    assert_eq!(reads("app.kubernetes.io/name=api"), ["app.kubernetes.io/name In api"]);
    assert_eq!(reads("in in (in)"), ["in In in"]);
    assert_eq!(reads("inrange,notin"), ["inrange Exists", "notin Exists"]);
}

#[test]
fn an_unquoted_semver_list_is_refused_with_the_advice_to_quote_it() {
    for text in ["version=>=1.2, <2", "version in (>=1.2, <2)", "version>=1.2", "version inrange (>1, <2, 3)"] {
        let (_, message) = refused(text);
        assert!(message.contains("must be quoted"), "{text}: {message}");
    }
    assert_eq!(reads("version in (^1.2, ^2.1)"), ["version In ^1.2, ^2.1"]);
    assert_eq!(reads("version in (>=1.2)"), ["version In >=1.2"]);
}

#[test]
fn what_is_no_selector_is_refused_at_its_place() {
    assert_eq!(refused("").0, 1);
    assert_eq!(refused("tier=gold,").0, 11);
    assert_eq!(refused("tier gold").0, 6);
    assert_eq!(refused("tier in (gold").0, 14);
    assert_eq!(refused("tier in (gold silver)").0, 15);
    assert_eq!(refused("ü=\"a").0, 3);
    assert_eq!(refused("version=[1.0").0, 9);
    assert_eq!(refused("!tier=gold").0, 6);
    for text in ["=gold", "!", "(a)", "version=[2,1]", "version=^x", "tier inrange (gold)"] {
        refused(text);
    }
}

#[test]
fn what_begins_with_a_bracket_is_json_without_any_default() {
    assert_eq!(
        reads(r#" [{"key": "tier", "values": ["gold"]}, {"key": "a", "operator": "Exists"}]"#),
        ["tier In gold", "a Exists"]
    );
    assert!(reads("[]").is_empty());
    for text in [
        "[",
        r#"[{"key": "a"}]"#,
        r#"[{"key": "a", "value": "${input.b}"}]"#,
        r#"[{"key": "a", "valeus": []}]"#,
        "[1,2)",
    ] {
        assert_eq!(refused(text).0, 0, "{text}");
    }
}

//! Templates where they stand: what is in scope, where none may stand, and how problems are placed.

use mortise::model::Code;

use super::{json, problem, problems, query, render, rendered, specification, start, start_with, warnings};

#[test]
fn fields_come_into_scope_in_the_order_in_which_they_are_rendered() {
    let document = json(
        r#"{"system": "${input.s}", "name": "$system.api", "version": "$name-1", "environment": "$version-e", "instance": "$environment-i",
        "description": "$instance-d", "annotations": {"a": "${description}!"},
        "provides": [{"interface": "$name-if", "layer": "${'server' if interface else ''}", "version": "$layer/$version", "labels": {"l": "$interface $layer $version"},
          "attributes": {"a": ["${annotations.a}"]}, "annotations": {"n": "$interface"}}],
        "requires": {"r": {"interface": "$system-db", "selector": [{"key": "k", "values": ["$instance"]}], "attributes": ["$name"]}}}"#,
    );
    let start = start_with(&document, &query(&[("s", "shop")]), &Default::default()).unwrap();
    let spec = render(&start.members[0]).unwrap();
    assert_eq!(spec.annotations.values().next().unwrap(), "shop.api-1-e-i-d!");
    let provide = &spec.provides[0];
    assert_eq!((provide.interface.as_str(), &*provide.version), ("shop.api-if", "server/shop.api-1"));
    assert_eq!(provide.labels.get("l"), Some("shop.api-if server shop.api-1"));
    assert_eq!(provide.known_attributes().unwrap().as_str(), r#"{"a":["shop.api-1-e-i-d!"]}"#);
    assert_eq!(provide.annotations.values().next().unwrap(), "shop.api-if");
    assert_eq!(super::applied(&spec, "r"), ["k In shop.api-1-e-i", "environment In shop.api-1-e"]);
    assert_eq!(super::now(&spec.requires["r"].attributes), &["shop.api"]);
}

#[test]
fn version_is_always_the_artifacts() {
    let spec = rendered(
        r#""provides": [{"interface": "a", "layer": "server", "version": "15", "attributes": {"v": "$version"}}]"#,
    );
    assert_eq!(spec.provides[0].known_attributes().unwrap().as_str(), r#"{"v":"2.3.0"}"#);
}

#[test]
fn what_comes_later_or_elsewhere_is_not_in_scope() {
    for (more, pointer) in [
        (r#""instance": "${description}", "description": "a""#, "/instance"),
        (r#""annotations": {"a": "${annotations.b}", "b": "c"}"#, "/annotations/a"),
        (r#""description": "$layer""#, "/description"),
        (r#""requires": {"a": {"interface": "$interface"}}"#, "/requires/a/interface"),
        (r#""provides": [{"interface": "$layer", "layer": "server"}]"#, "/provides/0/interface"),
        (
            r#""provides": [{"interface": "a", "layer": "server", "version": "${requires.a}"}], "requires": {"a": {"interface": "a"}}"#,
            "/provides/0/version",
        ),
        (
            r#""requires": {"a": {"interface": "a"}, "b": {"interface": "${requires.a.matches[0].version}"}}"#,
            "/requires/b/interface",
        ),
        (
            r#""provides": [{"interface": "a", "layer": "server"}, {"interface": "b", "layer": "client"}], "deploymentSpec": {"h": {"os": "$layer"}}"#,
            "/deploymentSpec/h/os",
        ),
    ] {
        assert_eq!(problems(more), [(Code::TemplateUndefined, pointer.to_owned())], "{more}");
    }
}

#[test]
fn a_value_is_rendered_once_and_never_again() {
    let document = json(&specification(r#""description": "${input.a}""#));
    let start = start_with(&document, &query(&[("a", "${input.b} $name $$")]), &Default::default()).unwrap();
    assert_eq!(render(&start.members[0]).unwrap().description.as_deref(), Some("${input.b} $name $$"));
}

#[test]
fn an_undefined_input_is_told_with_its_place_and_the_nearest_one() {
    let document = json(&specification(r#""description": "a\nb ${input.verison}""#));
    let start = start_with(&document, &query(&[("version", "1")]), &Default::default()).unwrap();
    let problems = render(&start.members[0]).unwrap_err();
    assert_eq!((problems[0].code, problems[0].line, problems[0].column), (Code::TemplateUndefined, Some(2), Some(5)));
    assert_eq!(problems[0].message, "`input.verison` is not defined; did you mean `input.version`?");
}

#[test]
fn keys_names_and_quantifiers_are_never_templates() {
    let body = r#"{"interface": "a"}"#;
    for (more, pointer) in [
        (format!(r#""requires": {{"a${{b}}": {body}}}"#), "/requires/a${b}"),
        (format!(r#""requires": [{}]"#, r#"{"interface": "${b}"}"#), "/requires/0/interface"),
        (r#""deploymentSpec": {"${b}": {}}"#.to_owned(), "/deploymentSpec/${b}"),
        (r#""deploymentSpec": {"a": {"${b}": "c"}}"#.to_owned(), "/deploymentSpec/a/${b}"),
        (r#""annotations": {"${b}": "c"}"#.to_owned(), "/annotations/${b}"),
        (r#""provides": {"${b}": {"layer": "server"}}"#.to_owned(), "/provides/${b}"),
        (
            r#""provides": [{"interface": "a", "layer": "server", "attributes": {"${b}": 1}}]"#.to_owned(),
            "/provides/0/attributes/${b}",
        ),
    ] {
        assert_eq!(problems(&more), [(Code::TemplateNotAllowed, pointer.to_owned())], "{more}");
    }
}

#[test]
fn a_dollar_in_a_key_is_text() {
    let spec = rendered(
        r#""provides": {"$name $$": {"layer": "server", "labels": {"$x": "a"}}}, "deploymentSpec": {"$version": {"$$": "b"}}"#,
    );
    assert_eq!(spec.provides[0].interface.as_str(), "$name $$");
    assert_eq!(super::applied(&spec, "$version")[0], "$$ In b");
}

#[test]
fn a_doubled_dollar_warns_wherever_it_becomes_one() {
    let spec = rendered(
        r#""description": "$$5", "provides": [{"interface": "a", "layer": "server", "labels": {"l": "$$"}, "attributes": {"a": {"b": "$${c}"}, "late": "$$ ${requires.r.matches[0].version}"}}],
        "requires": {"r": {"interface": "r", "selector": {"k": "$$"}}},
        "deploymentSpec": {"h": {"selector": {"k": "$$ ${requires.r.matches[0].version}"}, "attributes": ["$$ ${requires.r.matches[0].version}"]}}"#,
    );
    let expected = [
        "/description",
        "/provides/0/labels/l",
        "/provides/0/attributes/a",
        "/provides/0/attributes/late",
        "/requires/r/selector/0",
        "/deploymentSpec/h/selector",
        "/deploymentSpec/h/attributes",
    ];
    assert_eq!(warnings(&spec), expected.map(|pointer| (Code::DollarEscape, pointer)));
    assert_eq!(spec.description.as_deref(), Some("$5"));
    assert_eq!(spec.provides[0].labels.get("l"), Some("$"));
    assert!(rendered(r#""description": "$5 $versions""#).warnings.is_empty());
}

#[test]
fn a_rendered_text_is_held_to_the_rule_of_its_place() {
    for (more, pointer) in [
        (r#""instance": "${'a\\nb'}""#, "/instance"),
        (r#""requires": {"a": {"interface": "${''}"}}"#, "/requires/a/interface"),
        (r#""provides": [{"interface": "a", "layer": "server", "version": "${''}"}]"#, "/provides/0/version"),
        (r#""requires": {"a": {"interface": "a", "attributes": ["${' b'}"]}}"#, "/requires/a/attributes/0"),
    ] {
        assert_eq!(problems(more), [(Code::InvalidText, pointer.to_owned())], "{more}");
    }
    assert_eq!(problem(r#""provides": [{"interface": "a", "layer": "${'Server'}"}]"#).code, Code::UnknownValue);
}

#[test]
fn the_inputs_that_a_specification_reads_are_known_by_name() {
    let document = json(&specification(r#""description": "${input.a!\"x\"} ${input.b.c} $input.a ${input.input.d!}""#));
    let needs = start(&document).unwrap().members[0].specification.input_needs();
    let shown: Vec<_> = needs.iter().map(|need| format!("{} {}", need.name, need.required)).collect();
    assert_eq!(shown, ["a true", "b.c true", "input.d false"]);
}

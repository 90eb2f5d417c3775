//! Late texts: those that read what was matched.

use mortise::document::Json;
use mortise::model::{ArtifactSpec, Code, LateProblem, LateProblemKind, ReadAttributes, Ready};

use super::{problem, problems, rendered};

/// A specification that provides `a` with the attribute `url`, and requires `database` and `queue`.
fn with_url(url: &str) -> String {
    format!(
        r#""provides": [{{"interface": "a", "layer": "server", "attributes": {{"url": "{url}"}}}}],
        "requires": {{"database": {{"interface": "postgresql"}}, "queue": {{"interface": "amqp"}}}}"#
    )
}

fn finish(spec: &ArtifactSpec, requires: &str) -> Result<String, LateProblem> {
    let Ready::Late(late) = &spec.provides[0].attributes[0].1 else { panic!("it must wait for matches") };
    late.render(&Json::parse(requires).unwrap()).map(|value| value.to_string())
}

const MATCHED: &str = r#"{"database": {"matches": [{"version": "15", "attributes": {"host": "db1", "port": 5432}}]}, "queue": {"matches": []}}"#;

#[test]
fn an_attribute_may_read_the_matches_of_a_require_and_all_else_in_scope() {
    let spec = rendered(&with_url(
        "$layer://${requires.database.matches[0].attributes.host}:${requires.database.matches[0].attributes.port}/$interface/$version",
    ));
    assert_eq!(finish(&spec, MATCHED).unwrap(), r#""server://db1:5432/a/2.3.0""#);
    let Ready::Late(late) = &spec.provides[0].attributes[0].1 else { unreachable!() };
    assert!(late.reads().iter().all(|read| read.require.as_str() == "database"));
    let reads: Vec<_> = late.reads().iter().map(|read| &read.attributes).collect();
    assert_eq!(reads, [&ReadAttributes::One("host".into()), &ReadAttributes::One("port".into())]);
    assert_eq!(late.posted_at().as_str(), "/provides/0/attributes/url");
}

#[test]
fn a_path_that_only_rendering_can_tell_reads_every_require() {
    let spec = rendered(&with_url("${requires[name].matches[0]!} ${requires[version]!}"));
    let Ready::Late(late) = &spec.provides[0].attributes[0].1 else { panic!("it must wait for matches") };
    assert_eq!(late.reads().iter().map(|read| read.require.as_str()).collect::<Vec<_>>(), ["database", "queue"]);
}

#[test]
fn an_unknown_require_is_undefined_at_its_own_place_whatever_matches() {
    let problem =
        problem(&with_url("${requires.database.matches[0].version}\\n${input.x!requires.quue.matches[0].version} "));
    assert_eq!((problem.code, problem.pointer.as_str()), (Code::TemplateUndefined, "/provides/0/attributes/url"));
    assert_eq!((problem.line, problem.column), (Some(2), Some(11)));
    assert_eq!(problem.message, "`requires.quue` is not defined: no require has this name; did you mean `queue`?");
    assert_eq!(problems(&with_url("${requires.a!} ${requires.b!}")).len(), 2);
}

#[test]
fn a_missing_match_or_attribute_of_a_known_require_is_an_undefined_match() {
    for text in ["${requires.queue.matches[0].version}", "  ${requires.database.matches[0].attributes.url}"] {
        let spec = rendered(&with_url(text));
        let problem = finish(&spec, MATCHED).unwrap_err();
        let require = text.split('.').nth(1).unwrap();
        assert!(
            matches!(&problem.kind, LateProblemKind::UndefinedMatch { require: found } if found.as_str() == require),
            "{problem:?}"
        );
        assert_eq!((problem.pointer.as_str(), problem.place.unwrap().0), ("/provides/0/attributes/url", 1));
    }
    let with_default = rendered(&with_url("${requires.queue.matches[0].version!\\\"none\\\"}"));
    assert_eq!(finish(&with_default, MATCHED).unwrap(), "\"none\"");
}

#[test]
fn a_late_text_that_is_wrong_in_itself_is_invalid() {
    let spec = rendered(&with_url("${requires.database.matches[0].attributes}"));
    let problem = finish(&spec, MATCHED).unwrap_err();
    assert_eq!(problem.kind, LateProblemKind::Invalid(Code::TemplateType));
    let spec = rendered(&with_url("${requires.database.matches[0].version} ${input.x}"));
    assert_eq!(finish(&spec, MATCHED).unwrap_err().kind, LateProblemKind::Invalid(Code::TemplateUndefined));
}

#[test]
fn selectors_and_attribute_names_of_the_deployment_may_read_matches_too() {
    let spec = rendered(
        r#""requires": {"db": {"interface": "db"}}, "deploymentSpec": {"host": {
        "selector": [{"key": "os", "values": ["linux"]}, {"key": "zone", "values": ["${requires.db.matches[0].version}"]}], "attributes": ["a", "${requires.db.matches[0].version}"]}}"#,
    );
    let host = &spec.deployment_spec["host"];
    let (Ready::Late(selector), Ready::Late(attributes)) = (&host.selector, &host.attributes) else {
        panic!("both are late")
    };
    let requires = Json::parse(r#"{"db": {"matches": [{"version": "15"}]}}"#).unwrap();
    let shown: Vec<_> = selector.render(&requires).unwrap().0.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["os In linux", "zone In 15", "environment In test"]);
    assert_eq!(attributes.render(&requires).unwrap(), ["a", "15"]);
    assert_eq!(
        problem(r#""deploymentSpec": {"host": {"zone": "${requires.db.matches[0].version}"}}"#).code,
        Code::TemplateUndefined
    );
}

#[test]
fn a_late_range_is_judged_once_it_is_known() {
    let spec = rendered(
        r#""requires": {"db": {"interface": "db"}}, "deploymentSpec": {"host": {"version": "[${requires.db.matches[0].version}"}}"#,
    );
    let Ready::Late(selector) = &spec.deployment_spec["host"].selector else { panic!("it must wait for matches") };
    let with = |version: &str| {
        selector.render(&Json::parse(&format!(r#"{{"db": {{"matches": [{{"version": "{version}"}}]}}}}"#)).unwrap())
    };
    assert!(with("1,2)").is_ok());
    let problem = with("2").unwrap_err();
    assert_eq!(
        (problem.kind, problem.pointer.as_str()),
        (LateProblemKind::Invalid(Code::InvalidRange), "/deploymentSpec/host/version")
    );
}

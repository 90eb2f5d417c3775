//! What the planner answers: one file a case in `fixtures/cases`.
//!
//! A case has `about` (the rule, in a sentence), `settings` (what differs from the defaults), `world`, `spec` or `specs`
//! (as a start takes them), `input`, and `start: true` where identities are given as a start gives them. A `world` is built
//! in this order: `environments` (as `PUT /environments/{name}` takes them), `servers` (as `PUT /servers/{name}`),
//! `running`, `stopped` and `open`, lists of specifications that were deployed, stopped again, or are being deployed, and
//! `withdrawn` (names of servers). In a world, `system` is `shop` and `environment` is `test` unless it is said otherwise.

#[path = "world/history.rs"]
mod history;

use history::{History, deployment_id, name};
use mortise::catalog::Effort;
use mortise::document::{Document, Json, JsonText, Limits, Member, Node, NodeValue, Place, Scalar, Style, Syntax};
use mortise::model::{ArtifactSpec, Dialect, FirstDeployment, Settings, Warning};
use mortise::planner::{Identities, InvalidText, Plan, Scrutiny, Unplannable, Verdict, check, plan};
use mortise::reading::{Problem, Problems};
use mortise::spec::{Inputs, ReadContext, StartDocument, StartForm};
use mortise::wire::{PlanView, read_environment, read_server};

#[test]
fn each_case_is_answered_as_recorded() {
    insta::glob!("../fixtures/cases", "*.yaml", |path| {
        let case = Case::read(&std::fs::read(path).unwrap());
        let answer = case.answer();
        if let Ok((specs, plan)) = &answer {
            check(&case.history.catalog, specs, &case.settings, plan, Scrutiny::Everything).unwrap();
        }
        let text = match &answer {
            Ok((specs, plan)) => case.shown(specs, plan),
            Err(problems) => pretty(&Json::Object(vec![("problems".to_owned(), json(problems))])),
        };
        insta::with_settings!({ description => case.about.clone(), omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("planner", text);
        });
    });
}

#[test]
fn the_order_in_which_maps_are_posted_changes_no_match() {
    for path in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/cases")).unwrap() {
        let path = path.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let case = Case::read(&std::fs::read(&path).unwrap());
        let mut reversed = case.clone();
        reverse_maps(&mut reversed.start.root);
        let (Ok((_, written)), Ok((_, other))) = (case.answer(), reversed.answer()) else { continue };
        assert_eq!(written.verdict, other.verdict, "{}", path.display());
        for (written, other) in written.members.iter().zip(&other.members) {
            assert_eq!(written.requires, other.requires, "{}", path.display());
            assert_eq!(sorted(&written.warnings), sorted(&other.warnings), "{}", path.display());
        }
    }
}

#[test]
fn the_stack_deploys_one_after_another_and_as_one_set() {
    let stack = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stack");
    for environment in ["test", "staging", "production"] {
        let mut history = History::default();
        for server in ["beaverton", "troy", "nichburg"] {
            let document = yaml(&std::fs::read(format!("{stack}/servers/{server}.yaml")).unwrap());
            history.declare(&read_server(name(server), &document).unwrap());
        }
        let settings = Settings::default();
        let mut all = Vec::new();
        for (file, instance) in STACK {
            let bytes = std::fs::read(format!("{stack}/{file}")).unwrap();
            let document = if file.ends_with(".json") {
                Document::from_json(&bytes, Limits::default()).unwrap()
            } else {
                yaml(&bytes)
            };
            let inputs = [("environment", environment), ("domain", instance), ("version", "2.3.0")];
            let start =
                StartDocument::read(&document, &Inputs::from_pairs(inputs).unwrap(), context(&settings)).unwrap();
            let spec = start.members[0].specification.render(&start.members[0].inputs).unwrap();
            all.push(spec);
        }
        let set = plan(&history.catalog, &all, &settings, Identities::Withheld, &Effort::unlimited()).unwrap();
        assert_eq!(set.verdict, Verdict::Yes, "the whole stack in {environment}: {}", explained(&set));
        for spec in &all {
            let alone = plan(
                &history.catalog,
                std::slice::from_ref(spec),
                &settings,
                Identities::Withheld,
                &Effort::unlimited(),
            )
            .unwrap();
            assert_eq!(alone.verdict, Verdict::Yes, "{} alone: {}", spec.slot, explained(&alone));
            history.deploy(spec);
        }
    }
}

/// The files of the stack in an order in which they can be deployed, with the input `domain` of each.
const STACK: [(&str, &str); 9] = [
    ("database.yaml", "domain1"),
    ("weblogic.yaml", "domain1"),
    ("weblogic.yaml", "domain2"),
    ("datasource.yaml", "domain1"),
    ("datasource.yaml", "domain2"),
    ("shop-api.json", "domain1"),
    ("shop-api.json", "domain2"),
    ("proxy.yaml", "domain1"),
    ("shop-ui.yaml", "domain1"),
];

#[derive(Clone)]
struct Case {
    about: String,
    settings: Settings,
    history: History,
    start: Document,
    inputs: Inputs,
    identities: bool,
}

impl Case {
    fn read(bytes: &[u8]) -> Self {
        let case = yaml(bytes);
        let known = ["about", "settings", "world", "spec", "specs", "input", "start"];
        for member in case.root.object().expect("a case is an object") {
            assert!(known.contains(&member.key.as_str()), "`{}` is no field of a case", member.key);
        }
        let settings = case.root.get("settings").map_or_else(Settings::default, read_settings);
        let start = case.root.get("spec").or(case.root.get("specs")).expect("a case has a spec");
        Self {
            about: case.root.get("about").map(text).expect("a case says what it is about"),
            history: case.root.get("world").map_or_else(History::default, |world| read_world(world, &settings)),
            start: document(start.clone()),
            inputs: case.root.get("input").map_or_else(Inputs::default, read_inputs),
            identities: case.root.get("start").is_some_and(|start| text(start) == "true"),
            settings,
        }
    }

    fn answer(&self) -> Result<(Vec<ArtifactSpec>, Plan), Vec<Problem>> {
        let start =
            StartDocument::read(&self.start, &self.inputs, context(&self.settings)).map_err(Problems::into_vec)?;
        let rendered: Vec<_> = start.members.iter().map(|member| member.specification.render(&member.inputs)).collect();
        let problems = rendered.iter().filter_map(|rendered| rendered.as_ref().err()).flat_map(Problems::as_slice);
        let problems: Vec<_> = problems.cloned().collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let specs: Vec<_> = rendered.into_iter().flatten().collect();
        let deployments: Vec<_> = (0..specs.len() as u64).map(|member| deployment_id(101 + member)).collect();
        let mut new = 100;
        let provides = specs.iter().flat_map(|spec| spec.provides.iter().map(move |provide| (spec, provide)));
        let components = provides.map(|(spec, provide)| {
            let mut kept = self.history.catalog.slot_components(&spec.slot);
            let is_kept =
                kept.any(|kept| **kept.interface() == *provide.interface.as_str() && kept.layer() == provide.layer);
            new += u64::from(!is_kept);
            history::component_id(new)
        });
        let components: Vec<_> = components.collect();
        let identities = match self.identities {
            true => Identities::Given { deployments: &deployments, components: &components },
            false => Identities::Withheld,
        };
        match plan(&self.history.catalog, &specs, &self.settings, identities, &Effort::unlimited()) {
            Ok(plan) => Ok((specs, plan)),
            Err(Unplannable::Invalid(invalid)) => Err(invalid.into_iter().map(problem).collect()),
            Err(Unplannable::TooLarge(too_large)) => panic!("{too_large}"),
        }
    }

    /// The answer of a dry run, and its explanation as text.
    fn shown(&self, specs: &[ArtifactSpec], plan: &Plan) -> String {
        let is_set = StartForm::of(&self.start.root).is_set();
        let view = PlanView::unrecorded(specs, plan, is_set, &self.history.catalog).unwrap();
        let explanation = view.explanation.as_ref();
        let text = explanation.map_or_else(String::new, |explanation| format!("\n\n{explanation}"));
        pretty(&json(&view)) + &text
    }
}

fn read_world(node: &Node, settings: &Settings) -> History {
    let mut history = History::default();
    for member in node.object().expect("a world is an object") {
        let elements = || member.value.array().unwrap_or_else(|| panic!("`{}` is a list", member.key));
        let members = || member.value.object().unwrap_or_else(|| panic!("`{}` is a map", member.key));
        match member.key.as_str() {
            "environments" => {
                for Member { key, value } in members() {
                    history.set_policy(&name(key), read_environment(&document(value.clone())).unwrap());
                }
            }
            "servers" => {
                for Member { key, value } in members() {
                    history.declare(&read_server(name(key), &document(value.clone())).unwrap());
                }
            }
            "running" => {
                for spec in elements() {
                    history.deploy(&read_spec(spec, settings));
                }
            }
            "stopped" => {
                for spec in elements() {
                    let spec = read_spec(spec, settings);
                    history.deploy(&spec);
                    history.stop(&spec.slot);
                }
            }
            "open" => {
                for spec in elements() {
                    history.open(&read_spec(spec, settings));
                }
            }
            "withdrawn" => elements().iter().for_each(|server| history.withdraw(&text(server))),
            other => panic!("`{other}` is no part of a world"),
        }
    }
    history
}

fn read_spec(node: &Node, settings: &Settings) -> ArtifactSpec {
    let mut node = node.clone();
    if let NodeValue::Object(members) = &mut node.value {
        for (key, value) in [("system", "shop"), ("environment", "test")] {
            if !members.iter().any(|member| member.key == key) {
                let scalar = Scalar { text: value.into(), style: Style::Quoted };
                members.push(Member {
                    key: key.into(),
                    value: Node { value: NodeValue::Scalar(scalar), place: Place::default() },
                });
            }
        }
    }
    let start = StartDocument::read(&document(node), &Inputs::default(), context(settings)).unwrap();
    start.members[0].specification.render(&Inputs::default()).unwrap()
}

fn read_settings(node: &Node) -> Settings {
    let mut settings = Settings::default();
    for Member { key, value } in node.object().expect("settings are an object") {
        let number = || text(value).parse().unwrap();
        match (key.as_str(), text(value).as_str()) {
            ("quantifierDialect", "regex") => settings.quantifier_dialect = Dialect::Regex,
            ("firstDeployment", "warn") => settings.first_deployment = FirstDeployment::Warn,
            ("firstDeployment", "refuse") => settings.first_deployment = FirstDeployment::Refuse,
            ("maxMatches", _) => settings.max_matches = number(),
            ("maxRequires", _) => settings.max_requires = number(),
            other => panic!("{other:?} is no setting"),
        }
    }
    settings
}

fn read_inputs(node: &Node) -> Inputs {
    let pairs: Vec<_> = node
        .object()
        .expect("inputs are an object")
        .iter()
        .map(|member| (member.key.as_str(), text(&member.value)))
        .collect();
    Inputs::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str()))).unwrap()
}

fn yaml(bytes: &[u8]) -> Document {
    Document::from_yaml(bytes, Limits::default()).unwrap()
}

fn document(root: Node) -> Document {
    Document { syntax: Syntax::Yaml, root, duplicates: Vec::new() }
}

fn context(settings: &Settings) -> ReadContext<'_> {
    ReadContext { settings }
}

fn text(node: &Node) -> String {
    node.scalar().expect("a text").text.to_string()
}

fn problem(invalid: InvalidText) -> Problem {
    Problem {
        code: invalid.code,
        pointer: invalid.pointer.into(),
        line: invalid.place.map(|(line, _)| line),
        column: invalid.place.map(|(_, column)| column),
        message: invalid.message,
    }
}

fn explained(plan: &Plan) -> String {
    match &plan.verdict {
        Verdict::Yes => String::new(),
        Verdict::No(explanation) | Verdict::Unknown(explanation) => explanation.to_string(),
    }
}

fn sorted(warnings: &[Warning]) -> Vec<String> {
    let mut sorted: Vec<_> = warnings.iter().map(|warning| format!("{warning:?}")).collect();
    sorted.sort();
    sorted
}

/// Reverses the maps whose order says nothing. (That of the members of a flat selector does: expressions have an order.)
fn reverse_maps(node: &mut Node) {
    match &mut node.value {
        NodeValue::Scalar(_) => {}
        NodeValue::Array(elements) => elements.iter_mut().for_each(reverse_maps),
        NodeValue::Object(members) => {
            for Member { key, value } in members {
                if let (NodeValue::Object(inner), "requires" | "deploymentSpec" | "labels") =
                    (&mut value.value, key.as_str())
                {
                    inner.reverse();
                }
                reverse_maps(value);
            }
        }
    }
}

fn json(value: &impl serde::Serialize) -> Json {
    JsonText::of(value).unwrap().to_json()
}

/// The widest line of a snapshot on which an array or object still stands whole.
const WIDTH: usize = 120;

/// JSON for reading: what fits on a line stands on one.
fn pretty(json: &Json) -> String {
    let mut text = String::new();
    write_pretty(json, 0, 0, &mut text);
    text
}

fn write_pretty(json: &Json, depth: usize, before: usize, text: &mut String) {
    let whole = spaced(json);
    if 2 * depth + before + whole.chars().count() <= WIDTH {
        text.push_str(&whole);
        return;
    }
    let entries: Vec<(String, &Json)> = match json {
        Json::Array(elements) => elements.iter().map(|element| (String::new(), element)).collect(),
        Json::Object(members) => {
            members.iter().map(|(key, value)| (format!("{}: ", Json::Text(key.clone())), value)).collect()
        }
        _ => return text.push_str(&whole),
    };
    let (open, close) = if matches!(json, Json::Array(_)) { ('[', ']') } else { ('{', '}') };
    text.push(open);
    for (index, (key, value)) in entries.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(key);
        write_pretty(value, depth + 1, key.chars().count(), text);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

fn spaced(json: &Json) -> String {
    match json {
        Json::Array(elements) => format!("[{}]", elements.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{}: {}", Json::Text(key.clone()), spaced(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

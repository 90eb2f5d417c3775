//! Late texts: attributes and selectors that read what was matched. Those of providers are rendered first.

use std::collections::BTreeMap;

use super::InvalidText;
use super::matching::{Outcome, Source, World};
use crate::document::Json;
use crate::model::{
    Attributes, Code, Late, LateProblem, LateProblemKind, Name, ReadAttributes, Ready, Require, Selector,
};

/// A late text that reads what is not there.
pub(super) struct Undefined {
    pub member: usize,
    pub problem: LateProblem,
}

/// The final attributes of every Provide of every member.
pub(super) struct Rendered {
    pub attributes: Vec<Vec<Attributes>>,
    pub undefined: Vec<Undefined>,
}

/// The most bytes that the late attributes of a request may have.
const RENDERED_BYTES: usize = 1 << 20;

/// One top-level attribute of one Provide of one member.
type Node = (usize, usize, usize);

/// Renders every attribute of every member, providers first.
pub(super) fn render_attributes(
    world: &World<'_>,
    requires: &[BTreeMap<Name, Outcome>],
) -> Result<Rendered, Vec<InvalidText>> {
    let known = world.specs.iter().map(|spec| spec.provides.iter().map(|provide| provide.known_attributes()).collect());
    let known: Vec<Vec<Option<Attributes>>> = known.collect();
    if known.iter().flatten().all(Option::is_some) {
        let attributes = known.into_iter().map(|provides| provides.into_iter().flatten().collect()).collect();
        return Ok(Rendered { attributes, undefined: Vec::new() });
    }
    let order = order(world, requires)?;
    let mut values: BTreeMap<Node, Json> = BTreeMap::new();
    let mut attributes: Vec<Vec<Attributes>> = world
        .specs
        .iter()
        .enumerate()
        .map(|(member, spec)| {
            (0..spec.provides.len()).map(|provide| assemble(world, member, provide, &values)).collect()
        })
        .collect();
    let (mut undefined, mut invalid, mut bytes) = (Vec::new(), Vec::new(), 0);
    for node @ (member, provide, attribute) in order {
        let Ready::Late(late) = &world.specs[member].provides[provide].attributes[attribute].1 else { continue };
        match render(world, requires, &attributes, member, late.as_ref()) {
            Ok(Some(value)) => {
                bytes += value.to_string().len();
                if bytes > RENDERED_BYTES {
                    let message =
                        format!("with its matches read, the attributes have more than {RENDERED_BYTES} bytes");
                    let pointer = late.posted_at().clone();
                    invalid.push(InvalidText { pointer, code: Code::TooLarge, place: None, message });
                    break;
                }
                values.insert(node, value);
                attributes[member][provide] = assemble(world, member, provide, &values);
            }
            // What it reads is unmet, and explained as such.
            Ok(None) => {}
            Err(problem) if matches!(problem.kind, LateProblemKind::UndefinedMatch { .. }) => {
                undefined.push(Undefined { member, problem });
            }
            Err(problem) => invalid.push(InvalidText::of(problem)),
        }
    }
    undefined.sort_by(|left, right| (left.member, &left.problem.pointer).cmp(&(right.member, &right.problem.pointer)));
    if invalid.is_empty() { Ok(Rendered { attributes, undefined }) } else { Err(invalid) }
}

/// Renders one late value of `member`; `None` where a require that it reads is itself unmet.
pub(super) fn render<T>(
    world: &World<'_>,
    requires: &[BTreeMap<Name, Outcome>],
    attributes: &[Vec<Attributes>],
    member: usize,
    late: &dyn Late<T>,
) -> Result<Option<T>, LateProblem> {
    let mut read = Vec::new();
    for reading in late.reads() {
        let name = &reading.require;
        let Some(found) = met(world, requires, member, name) else { return Ok(None) };
        if !read.iter().any(|(known, _)| *known == name.as_str()) {
            let asked = world.specs[member].requires[name].known_attributes();
            let matches = found.iter().map(|&source| as_json(world, source, asked, attributes));
            let matches = Json::Object(vec![("matches".into(), Json::Array(matches.collect()))]);
            read.push((name.as_str().to_owned(), matches));
        }
    }
    late.render(&Json::Object(read)).map(Some)
}

/// What matched a require of `member`; `None` where it is unmet, and so has no matches to read.
fn met<'a>(
    world: &World<'_>,
    requires: &'a [BTreeMap<Name, Outcome>],
    member: usize,
    name: &Name,
) -> Option<&'a [Source]> {
    let outcome = requires[member].get(name)?;
    outcome.meets(world.specs[member].requires.get(name)?).then_some(&outcome.found)
}

/// What a `deploymentSpec` entry of `member` asks for; `None` where a require that it reads is itself unmet.
pub(super) fn render_asked(
    world: &World<'_>,
    requires: &[BTreeMap<Name, Outcome>],
    attributes: &[Vec<Attributes>],
    member: usize,
    require: &Require,
) -> Result<Option<(Selector, Vec<String>)>, LateProblem> {
    let selector = match &require.selector {
        Ready::Now(selector) => Some(selector.clone()),
        Ready::Late(late) => render(world, requires, attributes, member, late.as_ref())?,
    };
    let asked = match &require.attributes {
        Ready::Now(asked) => Some(asked.clone()),
        Ready::Late(late) => render(world, requires, attributes, member, late.as_ref())?,
    };
    Ok(selector.zip(asked))
}

/// A match as a template sees it: what the plan shows of it.
fn as_json(world: &World<'_>, source: Source, asked: &[String], attributes: &[Vec<Attributes>]) -> Json {
    let text = |text: &str| Json::Text(text.to_owned());
    let all = match source {
        Source::Running(handle) => world.running(handle).attributes(),
        Source::Member { member, provide } => &attributes[member][provide],
    };
    let shown = if asked.is_empty() { all.members() } else { all.select(asked).0.members() };
    let labels = world.labels(source);
    let labels = labels.iter().map(|(key, value)| (key.to_string(), text(value))).collect();
    let mut members = vec![
        ("interface".to_owned(), text(world.interface(source))),
        ("labels".to_owned(), Json::Object(labels)),
        ("attributes".to_owned(), Json::Object(shown)),
    ];
    let mut add = |key: &str, value: Option<&str>| {
        members.extend(value.map(|value| (key.to_owned(), Json::Text(value.to_owned()))));
    };
    let id = world.id(source).map(|id| id.to_string());
    add("component", id.as_deref());
    match source {
        Source::Running(handle) => {
            let component = world.running(handle);
            add(if component.is_server() { "server" } else { "artifact" }, Some(component.name()));
            add("system", component.system().map(AsRef::as_ref));
            add("version", component.version().map(AsRef::as_ref));
            add("environment", Some(component.environment()));
            add("instance", Some(component.instance()).filter(|instance| !instance.is_empty()));
            add("deployment", component.deployment().map(|id| id.to_string()).as_deref());
            add("layer", Some(component.layer().as_str()));
        }
        Source::Member { member, provide } => {
            let spec = &world.specs[member];
            add("artifact", Some(spec.slot.artifact.as_str()));
            add("system", Some(spec.system.as_str()));
            add("version", Some(&spec.version));
            add("environment", Some(spec.slot.environment.as_str()));
            add("instance", Some(spec.slot.instance.as_str()).filter(|instance| !instance.is_empty()));
            add("deployment", world.deployment(member).map(|id| id.to_string()).as_deref());
            add("layer", Some(spec.provides[provide].layer.as_str()));
        }
    }
    Json::Object(members)
}

fn assemble(world: &World<'_>, member: usize, provide: usize, late: &BTreeMap<Node, Json>) -> Attributes {
    let written = world.specs[member].provides[provide].attributes.iter().enumerate();
    let known = written.filter_map(|(index, (name, value))| match value {
        Ready::Now(json) => Some((name.clone(), json.clone())),
        Ready::Late(_) => late.get(&(member, provide, index)).map(|json| (name.clone(), json.clone())),
    });
    Attributes::new(known.collect())
}

/// The late attributes, each after those that it reads.
fn order(world: &World<'_>, requires: &[BTreeMap<Name, Outcome>]) -> Result<Vec<Node>, Vec<InvalidText>> {
    let mut search =
        Search { world, requires, marks: BTreeMap::new(), order: Vec::new(), path: Vec::new(), rings: Vec::new() };
    for (member, spec) in world.specs.iter().enumerate() {
        for (provide, written) in spec.provides.iter().enumerate() {
            for attribute in 0..written.attributes.len() {
                search.visit((member, provide, attribute));
            }
        }
    }
    if search.rings.is_empty() { Ok(search.order) } else { Err(search.rings) }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done,
}

struct Search<'a> {
    world: &'a World<'a>,
    requires: &'a [BTreeMap<Name, Outcome>],
    marks: BTreeMap<Node, Mark>,
    order: Vec<Node>,
    path: Vec<Node>,
    rings: Vec<InvalidText>,
}

impl Search<'_> {
    /// Depth first, with a stack of its own: a chain may be as long as a set is large.
    fn visit(&mut self, start: Node) {
        let mut stack = vec![(start, None::<std::vec::IntoIter<Node>>)];
        while let Some((node, pending)) = stack.last_mut() {
            let node = *node;
            let Some(rest) = pending else {
                match self.marks.get(&node) {
                    None if self.is_late(node) => {
                        self.marks.insert(node, Mark::Open);
                        self.path.push(node);
                        *pending = Some(self.reads(node).into_iter());
                    }
                    Some(Mark::Open) => {
                        self.ring(node);
                        stack.pop();
                    }
                    None | Some(Mark::Done) => drop(stack.pop()),
                }
                continue;
            };
            match rest.next() {
                Some(read) => stack.push((read, None)),
                None => {
                    self.marks.insert(node, Mark::Done);
                    self.order.push(node);
                    self.path.pop();
                    stack.pop();
                }
            }
        }
    }

    fn is_late(&self, (member, provide, attribute): Node) -> bool {
        matches!(self.world.specs[member].provides[provide].attributes[attribute].1, Ready::Late(_))
    }

    fn reads(&self, (member, provide, attribute): Node) -> Vec<Node> {
        let Ready::Late(late) = &self.world.specs[member].provides[provide].attributes[attribute].1 else {
            return Vec::new();
        };
        let mut nodes = Vec::new();
        for read in late.reads() {
            let Some(found) = met(self.world, self.requires, member, &read.require) else { continue };
            for source in found {
                let Source::Member { member, provide } = *source else { continue };
                let attributes = self.world.specs[member].provides[provide].attributes.iter().enumerate();
                let read = attributes.filter(|(_, (name, _))| match &read.attributes {
                    ReadAttributes::None => false,
                    ReadAttributes::One(read) => read == name,
                    ReadAttributes::Any => true,
                });
                nodes.extend(read.map(|(index, _)| (member, provide, index)));
            }
        }
        nodes
    }

    fn ring(&mut self, node: Node) {
        let start = self.path.iter().position(|&other| other == node).unwrap_or(0);
        let mut names: Vec<_> = self.path[start..].iter().chain([&node]).map(|&node| self.name(node)).collect();
        names.dedup();
        let (member, provide, attribute) = node;
        let Ready::Late(late) = &self.world.specs[member].provides[provide].attributes[attribute].1 else { return };
        self.rings.push(InvalidText {
            pointer: late.posted_at().clone(),
            code: Code::LateCycle,
            place: None,
            message: format!(
                "these attributes wait for each other: {}; give one of them a value that reads no match",
                names.join(" -> ")
            ),
        });
    }

    fn name(&self, (member, provide, attribute): Node) -> String {
        let spec = &self.world.specs[member];
        let provide = &spec.provides[provide];
        format!("{} {}.{}", spec.slot.artifact, provide.interface, provide.attributes[attribute].0)
    }
}

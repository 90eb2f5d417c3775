//! Late texts: attributes and selectors that read what was matched. Those of providers are rendered first.
//!
//! What the texts of a member see of a match is made once, and has only those attributes that any of them reads.

mod order;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::InvalidText;
use super::excess::{Excess, TooLarge};
use super::matching::{BYTES, MATCH_BYTES, Outcome, Place, Source, World};
use super::{ProvidedAttributes, Unplannable};
use crate::document::Json;
use crate::model::limits::RENDERED_BYTES;
use crate::model::{
    Attributes, Code, Late, LateProblem, LateProblemKind, Name, ReadAttributes, Ready, Require, Section, Selector,
};

/// A late text that reads what is not there.
pub(super) struct Undefined {
    pub member: usize,
    pub problem: LateProblem,
}

/// The final attributes of every Provide of every member.
pub(super) struct Rendered {
    pub attributes: ProvidedAttributes,
    pub undefined: Vec<Undefined>,
}

/// Why a late text was not rendered.
pub(super) enum LateError {
    Problem(LateProblem),
    TooLarge(TooLarge),
}

impl From<TooLarge> for LateError {
    fn from(too_large: TooLarge) -> Self {
        Self::TooLarge(too_large)
    }
}

/// How many late texts may be wrong until the others are not looked at any more.
const WRONG: usize = 1_000;

/// One top-level attribute of one Provide of one member.
type Node = (usize, usize, usize);

/// The late texts of a request, and what they see.
pub(super) struct LateTexts<'a> {
    world: &'a World<'a>,
    requires: &'a [BTreeMap<Name, Outcome>],
    /// What was rendered of the attributes.
    values: HashMap<Node, Json>,
    /// How many attributes were rendered of every Provide of every member.
    rendered: Vec<Vec<usize>>,
    /// What the texts of each member see.
    seen: Vec<Seen>,
    /// How many bytes of matches they may still see.
    left: usize,
    /// How many texts were wrong.
    wrong: usize,
}

/// What the texts of a member see of its matches.
struct Seen {
    /// `{"<require>": {"matches": [...]}}`
    matches: Json,
    /// The requires that are there.
    made: BTreeMap<Name, Made>,
    /// Which attributes any text reads of the matches of a require.
    names: BTreeMap<Name, SeenNames>,
}

/// The matches of a require as they are seen.
struct Made {
    /// Those that members of the set would provide.
    provided: Vec<(usize, usize)>,
    /// How many attributes of these had been rendered by then.
    rendered: usize,
    /// How many bytes they have.
    bytes: usize,
}

/// The attributes of a match that are seen.
enum SeenNames {
    Only(BTreeSet<String>),
    All,
}

impl SeenNames {
    fn add(&mut self, read: &ReadAttributes) {
        match (self, read) {
            (Self::All, _) | (_, ReadAttributes::None) => {}
            (Self::Only(names), ReadAttributes::One(name)) => drop(names.insert(name.clone())),
            (any, ReadAttributes::Any) => *any = Self::All,
        }
    }
}

impl<'a> LateTexts<'a> {
    pub fn new(world: &'a World<'a>, requires: &'a [BTreeMap<Name, Outcome>]) -> Self {
        Self {
            world,
            requires,
            values: HashMap::new(),
            rendered: world.specs.iter().map(|spec| vec![0; spec.provides.len()]).collect(),
            seen: (0..world.specs.len()).map(|member| Seen::of(world, member)).collect(),
            left: world.settings.max_plan_bytes as usize,
            wrong: 0,
        }
    }

    /// What the requires of every member matched.
    pub fn requires(&self) -> &'a [BTreeMap<Name, Outcome>] {
        self.requires
    }

    /// Renders every attribute of every member, providers first.
    ///
    /// # Errors
    /// [`Unplannable`].
    pub fn render_attributes(&mut self) -> Result<Rendered, Unplannable> {
        let (mut undefined, mut invalid, mut bytes) = (Vec::new(), Vec::new(), 0);
        for node @ (member, provide, attribute) in order::order(self.world, self.requires)? {
            let Ready::Late(late) = &self.world.specs[member].provides[provide].attributes[attribute].1 else {
                continue;
            };
            match self.render(member, late.as_ref()) {
                Ok(Some(value)) => {
                    bytes += value.to_string().len();
                    if bytes > RENDERED_BYTES {
                        let message = format!(
                            "with its matches read, the attributes have more than {RENDERED_BYTES} bytes (limit rendered-bytes)"
                        );
                        let pointer = late.posted_at().clone();
                        invalid.push(InvalidText { pointer, code: Code::TooLarge, place: None, message });
                        break;
                    }
                    self.values.insert(node, value);
                    self.rendered[member][provide] += 1;
                }
                // What it reads is unmet, and explained as such.
                Ok(None) => {}
                Err(LateError::TooLarge(too_large)) => return Err(too_large.into()),
                Err(LateError::Problem(problem)) => match problem.kind {
                    LateProblemKind::UndefinedMatch { .. } => undefined.push(Undefined { member, problem }),
                    LateProblemKind::Invalid(_) => invalid.push(InvalidText::of(problem)),
                },
            }
        }
        if !invalid.is_empty() {
            return Err(invalid.into());
        }
        undefined
            .sort_by(|left, right| (left.member, &left.problem.pointer).cmp(&(right.member, &right.problem.pointer)));
        let members = self.world.specs.iter().enumerate();
        let attributes = members.map(|(member, spec)| {
            (0..spec.provides.len()).map(|provide| self.attributes(member, provide, None)).collect::<Vec<_>>()
        });
        Ok(Rendered { attributes: attributes.collect(), undefined })
    }

    /// What a `deploymentSpec` entry of `member` asks for; `None` where a require that it reads is itself unmet.
    pub fn render_asked(
        &mut self,
        member: usize,
        require: &Require,
    ) -> Result<Option<(Selector, Vec<String>)>, LateError> {
        let selector = match &require.selector {
            Ready::Now(selector) => Some(selector.clone()),
            Ready::Late(late) => self.render(member, late.as_ref())?,
        };
        let asked = match &require.attributes {
            Ready::Now(asked) => Some(asked.clone()),
            Ready::Late(late) => self.render(member, late.as_ref())?,
        };
        Ok(selector.zip(asked))
    }

    /// Renders one late value of `member`; `None` where a require that it reads is itself unmet.
    fn render<T>(&mut self, member: usize, late: &dyn Late<T>) -> Result<Option<T>, LateError> {
        if self.wrong >= WRONG {
            return Ok(None);
        }
        for reading in late.reads() {
            let Some(found) = met(self.world, self.requires, member, &reading.require) else { return Ok(None) };
            self.see(member, &reading.require, found)?;
        }
        let rendered = match late.render(&self.seen[member].matches) {
            Err(LateProblem { kind: LateProblemKind::UndefinedMatch { require }, .. })
                if self.see_all(member, &require) =>
            {
                // The names that are there make a better message.
                late.render(&self.seen[member].matches)
            }
            rendered => rendered,
        };
        self.wrong += usize::from(rendered.is_err());
        rendered.map(Some).map_err(LateError::Problem)
    }

    /// Lets the texts of `member` see what a require matched, as it is now.
    fn see(&mut self, member: usize, require: &Name, found: &[Source]) -> Result<(), TooLarge> {
        let place = Place { member, section: Section::Requires, name: require };
        let names = match &self.seen[member].names[require] {
            SeenNames::Only(names) => names.len(),
            SeenNames::All => 0,
        };
        let made = self.seen[member].made.get(require);
        let provided = made.map_or(0, |made| made.provided.len());
        // A text that reads one of many attributes looks at them.
        if !self.world.effort.spend(1 + provided / 8 + names / 4) {
            return Err(TooLarge::at(place, Excess::Effort));
        }
        if made.is_some_and(|made| made.rendered == self.rendered_of(&made.provided)) {
            return Ok(());
        }
        // What is made anew takes the place of what was made before.
        let before = self.seen[member].made.remove(require);
        self.left += before.as_ref().map_or(0, |made| made.bytes);
        let (wanted, left) = (self.wanted(member, require), self.left);
        let mut matches = Vec::with_capacity(found.len());
        for &source in found {
            matches.push(self.seen_match(place, source, wanted.as_ref())?);
        }
        let provided = found.iter().filter_map(|source| match *source {
            Source::Running(_) => None,
            Source::Member { member, provide } => Some((member, provide)),
        });
        let provided: Vec<_> = provided.collect();
        let rendered = self.rendered_of(&provided);
        let seen = &mut self.seen[member];
        let bytes = left - self.left;
        seen.made.insert(require.clone(), Made { provided, rendered, bytes });
        let matches = Json::Object(vec![("matches".to_owned(), Json::Array(matches))]);
        if let Json::Object(requires) = &mut seen.matches {
            let known = requires.iter_mut().find(|(name, _)| before.is_some() && name == require.as_str());
            match known {
                Some((_, known)) => *known = matches,
                None => requires.push((require.as_str().to_owned(), matches)),
            }
        }
        Ok(())
    }

    /// How many attributes of these Provides were rendered.
    fn rendered_of(&self, provided: &[(usize, usize)]) -> usize {
        provided.iter().map(|&(member, provide)| self.rendered[member][provide]).sum()
    }

    /// Lets the texts of `member` see all attributes of what a require matched; `false` where they do already, or where that is
    /// too much.
    fn see_all(&mut self, member: usize, require: &Name) -> bool {
        let Some(found) = met(self.world, self.requires, member, require) else { return false };
        match self.seen[member].names.insert(require.clone(), SeenNames::All) {
            Some(SeenNames::All) => return false,
            _ => self.seen[member].made.get_mut(require).map(|made| made.rendered = usize::MAX),
        };
        self.see(member, require, found).is_ok()
    }

    /// The attributes that texts of `member` see of the matches of a require: those that are asked for, as far as any text reads
    /// them; `None` where that is all.
    fn wanted(&self, member: usize, require: &Name) -> Option<BTreeSet<String>> {
        let asked = self.world.specs[member].requires[require].known_attributes();
        match &self.seen[member].names[require] {
            SeenNames::All if asked.is_empty() => None,
            SeenNames::All => Some(asked.iter().cloned().collect()),
            SeenNames::Only(names) if asked.is_empty() => Some(names.clone()),
            SeenNames::Only(names) => Some(asked.iter().filter(|asked| names.contains(*asked)).cloned().collect()),
        }
    }

    /// A match as a template sees it: what the plan shows of it, but for attributes that are not `wanted`.
    fn seen_match(
        &mut self,
        place: Place<'_>,
        source: Source,
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<Json, TooLarge> {
        let world = self.world;
        let looked_through = match source {
            Source::Running(handle) => world.running(handle).attributes().as_str().len() / BYTES,
            Source::Member { member, provide } => world.specs[member].provides[provide].attributes.len(),
        };
        if !world.effort.spend(looked_through + wanted.map_or(0, BTreeSet::len)) {
            return Err(TooLarge::at(place, Excess::Effort));
        }
        let attributes = match source {
            Source::Running(handle) => {
                let all = world.running(handle).attributes();
                wanted.map_or_else(|| all.clone(), |wanted| all.select(wanted).0)
            }
            Source::Member { member, provide } => self.attributes(member, provide, wanted),
        };
        let bytes = attributes.as_str().len() + world.labels_bytes(source) + MATCH_BYTES;
        if !world.effort.spend(bytes / BYTES) {
            return Err(TooLarge::at(place, Excess::Effort));
        }
        let limit = world.settings.max_plan_bytes;
        self.left = self.left.checked_sub(bytes).ok_or_else(|| TooLarge::at(place, Excess::Read { limit }))?;
        Ok(as_json(world, source, attributes.members()))
    }

    /// Those attributes of a Provide that are known by now; where there are some that are wanted, only these.
    fn attributes(&self, member: usize, provide: usize, wanted: Option<&BTreeSet<String>>) -> Attributes {
        let written = self.world.specs[member].provides[provide].attributes.iter().enumerate();
        let written = written.filter(|(_, (name, _))| wanted.is_none_or(|wanted| wanted.contains(name)));
        let known = written.filter_map(|(index, (name, value))| match value {
            Ready::Now(json) => Some((name.clone(), json.clone())),
            Ready::Late(_) => self.values.get(&(member, provide, index)).map(|json| (name.clone(), json.clone())),
        });
        Attributes::new(known.collect())
    }
}

impl Seen {
    /// Nothing yet, but which attributes the late texts of a member read.
    fn of(world: &World<'_>, member: usize) -> Self {
        let mut names: BTreeMap<Name, SeenNames> = BTreeMap::new();
        let spec = &world.specs[member];
        let attributes = spec.provides.iter().flat_map(|provide| &provide.attributes);
        let attributes = attributes.map(|(_, value)| value).filter_map(reads);
        let asked = spec.deployment_spec.values();
        let asked = asked.flat_map(|require| [reads(&require.selector), reads(&require.attributes)]).flatten();
        for read in attributes.chain(asked).flatten() {
            names.entry(read.require.clone()).or_insert(SeenNames::Only(BTreeSet::new())).add(&read.attributes);
        }
        Self { matches: Json::Object(Vec::new()), made: BTreeMap::new(), names }
    }
}

/// What a late value reads.
fn reads<T>(value: &Ready<T>) -> Option<&[crate::model::Read]> {
    match value {
        Ready::Now(_) => None,
        Ready::Late(late) => Some(late.reads()),
    }
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

/// A match as a template sees it, with these attributes.
fn as_json(world: &World<'_>, source: Source, attributes: Vec<(String, Json)>) -> Json {
    let text = |text: &str| Json::Text(text.to_owned());
    let labels = world.labels(source);
    let labels = labels.iter().map(|(key, value)| (key.to_string(), text(value))).collect();
    let mut members = vec![
        ("interface".to_owned(), text(world.interface(source))),
        ("labels".to_owned(), Json::Object(labels)),
        ("attributes".to_owned(), Json::Object(attributes)),
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

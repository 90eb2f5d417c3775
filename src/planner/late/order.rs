//! The order in which late attributes are rendered.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::{Node, met};
use crate::model::{Code, Name, ReadAttributes, Ready, Section};
use crate::planner::excess::{Excess, TooLarge};
use crate::planner::matching::{Outcome, Place, Source, World};
use crate::planner::{InvalidText, Unplannable};

/// How many rings are told.
const RINGS: usize = 100;

/// How many attributes of a ring are named.
const NAMED: usize = 16;

/// The late attributes, each after those that it reads.
///
/// # Errors
/// The rings of attributes that wait for each other; too large, where looking for them took all the effort.
pub(super) fn order(world: &World<'_>, requires: &[BTreeMap<Name, Outcome>]) -> Result<Vec<Node>, Unplannable> {
    let mut search = Search {
        world,
        requires,
        provided: HashMap::new(),
        places: HashMap::new(),
        marks: HashMap::new(),
        order: Vec::new(),
        path: Vec::new(),
        rings: Vec::new(),
    };
    for (member, spec) in world.specs.iter().enumerate() {
        for (provide, written) in spec.provides.iter().enumerate() {
            for attribute in 0..written.attributes.len() {
                search.visit((member, provide, attribute))?;
            }
        }
    }
    if search.rings.is_empty() { Ok(search.order) } else { Err(search.rings.into()) }
}

/// Members of the set, and which of their Provides.
type Provided = Rc<[(usize, usize)]>;

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done,
}

struct Search<'a> {
    world: &'a World<'a>,
    requires: &'a [BTreeMap<Name, Outcome>],
    /// What members of the set would provide of what matched a require of a member.
    provided: HashMap<(usize, &'a Name), Provided>,
    /// Where the attributes stand that a Provide of a member has, by name.
    places: HashMap<(usize, usize), HashMap<&'a str, usize>>,
    marks: HashMap<Node, Mark>,
    order: Vec<Node>,
    path: Vec<Node>,
    rings: Vec<InvalidText>,
}

impl<'a> Search<'a> {
    /// Depth first, with a stack of its own: a chain may be as long as a set is large.
    fn visit(&mut self, start: Node) -> Result<(), TooLarge> {
        let mut stack = vec![(start, None::<std::vec::IntoIter<Node>>)];
        while let Some((node, pending)) = stack.last_mut() {
            let node = *node;
            let Some(rest) = pending else {
                match self.marks.get(&node) {
                    None if self.is_late(node) => {
                        self.marks.insert(node, Mark::Open);
                        self.path.push(node);
                        *pending = Some(self.reads(node)?.into_iter());
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
        Ok(())
    }

    fn is_late(&self, (member, provide, attribute): Node) -> bool {
        matches!(self.world.specs[member].provides[provide].attributes[attribute].1, Ready::Late(_))
    }

    /// The attributes of other members that an attribute reads.
    fn reads(&mut self, (member, provide, attribute): Node) -> Result<Vec<Node>, TooLarge> {
        let world = self.world;
        let Ready::Late(late) = &world.specs[member].provides[provide].attributes[attribute].1 else {
            return Ok(Vec::new());
        };
        let mut nodes = Vec::new();
        for read in late.reads() {
            if read.attributes == ReadAttributes::None {
                continue;
            }
            let place = Place { member, section: Section::Requires, name: &read.require };
            for &(member, provide) in self.provided(place)?.iter() {
                let known = nodes.len();
                let attributes = &world.specs[member].provides[provide].attributes;
                let places = self.places.entry((member, provide)).or_insert_with(|| {
                    attributes.iter().enumerate().map(|(index, (name, _))| (name.as_str(), index)).collect()
                });
                match &read.attributes {
                    ReadAttributes::None => {}
                    ReadAttributes::One(name) => {
                        nodes.extend(places.get(name.as_str()).map(|&index| (member, provide, index)));
                    }
                    ReadAttributes::Any => nodes.extend((0..attributes.len()).map(|at| (member, provide, at))),
                }
                self.spend(place, 1 + nodes.len() - known)?;
            }
        }
        Ok(nodes)
    }

    /// What members of the set would provide of what matched a require; nothing where it is unmet.
    fn provided(&mut self, place: Place<'_>) -> Result<Provided, TooLarge> {
        let world = self.world;
        let Some((name, _)) = world.specs[place.member].requires.get_key_value(place.name) else {
            return Ok([].into());
        };
        if let Some(known) = self.provided.get(&(place.member, name)) {
            return Ok(known.clone());
        }
        let found = met(world, self.requires, place.member, name).unwrap_or_default();
        self.spend(place, found.len())?;
        let provided = found.iter().filter_map(|source| match *source {
            Source::Running(_) => None,
            Source::Member { member, provide } => Some((member, provide)),
        });
        let provided: Rc<[_]> = provided.collect();
        self.provided.insert((place.member, name), provided.clone());
        Ok(provided)
    }

    fn spend(&self, place: Place<'_>, comparisons: usize) -> Result<(), TooLarge> {
        if self.world.effort.spend(comparisons) { Ok(()) } else { Err(TooLarge::at(place, Excess::Effort)) }
    }

    fn ring(&mut self, node: Node) {
        if self.rings.len() >= RINGS {
            return;
        }
        let start = self.path.iter().position(|&other| other == node).unwrap_or(0);
        let ring = &self.path[start..];
        let mut names: Vec<_> = ring.iter().take(NAMED).map(|&node| self.name(node)).collect();
        names.extend((ring.len() > NAMED).then(|| "…".to_owned()));
        names.push(self.name(node));
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

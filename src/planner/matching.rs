//! The world as it will be, and what matches in it.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Identities;
use super::excess::{Excess, TooLarge};
use crate::catalog::{Catalog, Component, Effort, Excluded, Handle};
use crate::model::limits::PLAN_MATCHES;
use crate::model::{
    ArtifactSpec, Attributes, Code, ComponentId, DeploymentId, Expression, Labels, Layer, Match, Name, Origin,
    Predicate, Provide, Require, ResolvedProvide, ResolvedRequire, ResolvedSpec, Section, Selector, Settings, Slot,
    Test, Warning,
};

/// Which require of which member is being looked at.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub member: usize,
    pub section: Section,
    pub name: &'a Name,
}

impl Place<'_> {
    /// The pointer to it, relative to the specification.
    pub fn pointer(&self) -> String {
        crate::document::Pointer::root().join(self.section.as_str()).join(self.name.as_str()).into()
    }
}

/// Where a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// It is active.
    Running(Handle),
    /// A member would provide it.
    Member { member: usize, provide: usize },
}

/// What resolving one require gave.
pub(super) struct Outcome {
    pub predicate: Arc<Predicate>,
    /// In match order; at most the configured number. Once the require is judged, none where it has more than it may have.
    pub found: Vec<Source>,
    /// How many were found, at most the configured number.
    pub count: usize,
    /// Whether there were more.
    pub more: bool,
}

impl Outcome {
    /// Whether there are more matches than `require` may have.
    pub fn exceeds(&self, require: &Require) -> bool {
        self.more || require.quantifier.is_exceeded_by(self.count)
    }

    /// Whether `require` is met.
    pub fn meets(&self, require: &Require) -> bool {
        !self.exceeds(require) && !require.quantifier.lacks(self.count)
    }
}

/// A candidate that does not match, and the expressions that it fails, by their place in the selector.
pub(super) struct Miss {
    pub source: Source,
    pub failed: Vec<usize>,
}

/// How many of the matches with which a plan became too large are named.
const NAMED: usize = 3;

/// About how many bytes a match is shown with besides its texts.
pub(super) const MATCH_BYTES: usize = 300;

/// About how many bytes a require is shown with besides its texts.
const REQUIRE_BYTES: usize = 120;
const EXPRESSION_BYTES: usize = 50;

/// It takes about as long to look through so many bytes of attributes as to compare a label.
pub(super) const BYTES: usize = 64;

/// The Catalog without what is being replaced, and with what is being brought.
pub(super) struct World<'a> {
    pub catalog: &'a Catalog,
    pub specs: &'a [ArtifactSpec],
    pub settings: &'a Settings,
    pub excluded: Excluded,
    /// The identity of every Provide of every member.
    pub provided: Vec<Vec<Option<ComponentId>>>,
    /// What resolving may still cost.
    pub effort: &'a Effort,
    deployments: Vec<Option<DeploymentId>>,
    /// How many matches all requires have so far together.
    matched: Cell<usize>,
    /// How many bytes of matches are shown so far.
    shown: Cell<usize>,
    /// What the members would provide, by Interface.
    by_interface: BTreeMap<&'a str, Vec<Source>>,
}

impl<'a> World<'a> {
    pub fn new(
        catalog: &'a Catalog,
        specs: &'a [ArtifactSpec],
        settings: &'a Settings,
        identities: Identities<'_>,
        effort: &'a Effort,
    ) -> Self {
        let mut world = Self {
            effort,
            shown: Cell::new(0),
            catalog,
            specs,
            settings,
            excluded: catalog.excluding(specs.iter().map(|spec| &spec.slot)),
            provided: Vec::with_capacity(specs.len()),
            deployments: match identities {
                Identities::Withheld => vec![None; specs.len()],
                Identities::Given { deployments, .. } => deployments.iter().copied().map(Some).collect(),
            },
            matched: Cell::new(0),
            by_interface: BTreeMap::new(),
        };
        for (member, spec) in specs.iter().enumerate() {
            for (provide, written) in spec.provides.iter().enumerate() {
                let source = Source::Member { member, provide };
                world.by_interface.entry(written.interface.as_str()).or_default().push(source);
            }
        }
        let mut new = match identities {
            Identities::Withheld => [].iter(),
            Identities::Given { components, .. } => components.iter(),
        };
        for spec in specs {
            let kept = KeptIdentities::of(catalog, &spec.slot);
            let provided = spec.provides.iter().map(|provide| {
                let new = new.next().copied();
                kept.get(provide).or(new)
            });
            let provided = provided.collect();
            world.provided.push(provided);
        }
        world
    }

    /// What satisfies a require of `member`.
    pub fn resolve(&self, member: usize, predicate: Arc<Predicate>) -> Outcome {
        let limit = self.settings.max_matches as usize;
        let running = self.catalog.resolve(&predicate, &self.excluded, limit, self.effort);
        let mut found: Vec<_> = running.handles.into_iter().map(Source::Running).collect();
        let before = found.len();
        let comparisons = predicate.comparisons();
        let others = self.others(member, &predicate).take_while(|_| self.effort.spend(comparisons));
        found.extend(others.filter(|&source| self.satisfies(source, &predicate)).take(limit + 1));
        if found.len() > before {
            found.sort_by(|&left, &right| self.match_order(left, right));
        }
        let more = running.more || found.len() > limit;
        found.truncate(limit);
        Outcome { predicate, count: found.len(), found, more }
    }

    /// Keeps what a require matched, once it is judged: nothing, where that is more than it may match.
    ///
    /// # Errors
    /// [`TooLarge`] where the requires have too many matches together, or resolving them took more effort than there was.
    pub fn keep(&self, place: Place<'_>, require: &Require, mut outcome: Outcome) -> Result<Outcome, TooLarge> {
        if self.effort.left() == 0 {
            return Err(TooLarge::at(place, Excess::Effort));
        }
        if outcome.exceeds(require) {
            outcome.found = Vec::new();
        }
        let matched = self.matched.get() + outcome.found.len();
        self.matched.set(matched);
        if matched > PLAN_MATCHES {
            let first = outcome.found.iter().take(NAMED).map(|&source| self.describe(source)).collect();
            return Err(TooLarge::at(place, Excess::Matches { count: outcome.count, first }));
        }
        Ok(outcome)
    }

    /// What the members other than `member` would provide of the Interface of `predicate`; everything, where it has none.
    fn others(&self, member: usize, predicate: &Predicate) -> Box<dyn Iterator<Item = Source> + '_> {
        match &predicate.interface {
            Some(interface) => {
                let provided = self.by_interface.get(interface.as_str()).into_iter().flatten().copied();
                Box::new(
                    provided
                        .filter(move |source| !matches!(source, Source::Member { member: of, .. } if *of == member)),
                )
            }
            None => Box::new(self.members_but(member)),
        }
    }

    /// What the members other than `member` would provide.
    pub fn members_but(&self, member: usize) -> impl Iterator<Item = Source> {
        let others = self.specs.iter().enumerate().filter(move |&(other, _)| other != member);
        others
            .flat_map(|(member, spec)| (0..spec.provides.len()).map(move |provide| Source::Member { member, provide }))
    }

    pub fn running(&self, handle: Handle) -> Component<'a> {
        self.catalog.component(handle)
    }

    pub fn satisfies(&self, source: Source, predicate: &Predicate) -> bool {
        predicate.accepts(self.interface(source), |key| self.label(source, key))
    }

    /// The name of the Artifact or the Server.
    pub fn name(&self, source: Source) -> &str {
        match source {
            Source::Running(handle) => self.running(handle).name(),
            Source::Member { member, .. } => self.specs[member].slot.artifact.as_str(),
        }
    }

    pub fn interface(&self, source: Source) -> &str {
        match source {
            Source::Running(handle) => self.running(handle).interface(),
            Source::Member { member, provide } => self.specs[member].provides[provide].interface.as_str(),
        }
    }

    pub fn label(&self, source: Source, key: &str) -> Option<&str> {
        match source {
            Source::Running(handle) => self.running(handle).label(key),
            Source::Member { member, provide } => self.specs[member].provides[provide].labels.get(key),
        }
    }

    pub fn labels(&self, source: Source) -> Labels {
        match source {
            Source::Running(handle) => self.running(handle).labels(),
            Source::Member { member, provide } => self.specs[member].provides[provide].labels.clone(),
        }
    }

    pub fn match_order(&self, left: Source, right: Source) -> Ordering {
        // A new identity, withheld in a dry run, is later than every known one.
        let id = |source| self.id(source).map_or((true, None), |id| (false, Some(id)));
        self.match_key(left).cmp(&self.match_key(right)).then_with(|| id(left).cmp(&id(right)))
    }

    fn match_key(&self, source: Source) -> (&str, &str, Layer, &str, &str) {
        match source {
            Source::Running(handle) => self.running(handle).match_key(),
            Source::Member { member, provide } => {
                let (slot, provide) = (&self.specs[member].slot, &self.specs[member].provides[provide]);
                let (name, environment) = (slot.artifact.as_str(), slot.environment.as_str());
                (name, provide.interface.as_str(), provide.layer, environment, &slot.instance)
            }
        }
    }

    /// The identity of the attempt `member`; `None` in a dry run.
    pub fn deployment(&self, member: usize) -> Option<DeploymentId> {
        self.deployments[member]
    }

    pub fn id(&self, source: Source) -> Option<ComponentId> {
        match source {
            Source::Running(handle) => Some(self.running(handle).id()),
            Source::Member { member, provide } => self.provided[member][provide],
        }
    }

    /// The identity, where it is there already and not given by this plan.
    pub fn known_id(&self, source: Source) -> Option<ComponentId> {
        match source {
            Source::Running(handle) => Some(self.running(handle).id()),
            Source::Member { member, provide } => {
                let spec = &self.specs[member];
                let (interface, layer) = (spec.provides[provide].interface.as_str(), spec.provides[provide].layer);
                let mut there = self.catalog.slot_components(&spec.slot);
                there.find(|it| it.interface().as_str() == interface && it.layer() == layer).map(|it| it.id())
            }
        }
    }

    /// What is found, as it is recorded.
    pub fn matches<'s>(&'s self, found: &'s [Source]) -> impl Iterator<Item = Match> + 's {
        found.iter().map(|&source| {
            let origin = match source {
                Source::Running(handle) => Origin::Catalog { revision: self.running(handle).revision() },
                Source::Member { member, provide } => Origin::Member { member, provide },
            };
            Match { component: self.id(source), origin }
        })
    }

    /// The outcome as the plan shows it, with the attributes `asked` for. `attributes` are the final ones of every Provide of
    /// every member.
    ///
    /// # Errors
    /// [`TooLarge`] where the plan has more bytes with it than it may have.
    pub fn show(
        &self,
        place: Place<'_>,
        require: &Require,
        outcome: Outcome,
        asked: Vec<String>,
        attributes: &[Vec<Attributes>],
        warnings: &mut Vec<Warning>,
    ) -> Result<ResolvedRequire, TooLarge> {
        self.add_shown(require_bytes(&self.specs[place.member].slot.environment, &outcome.predicate))
            .map_err(|limit| TooLarge::at(place, Excess::Specification { limit }))?;
        let mut resolved = unresolved(place, require);
        let known_warnings = warnings.len();
        if !outcome.exceeds(require) {
            let expressions = outcome.predicate.selector.0.iter().enumerate();
            for (index, expression) in expressions.filter(|(_, expression)| expression.operator().is_negated()) {
                self.warn_of_unjudged(place, index, expression, &outcome.found, warnings);
            }
            let lacking = self.measure(place, &outcome.found, &asked, attributes)?;
            self.warn_of_missing(place, outcome.found.len(), &asked, lacking, warnings);
            let bytes = warnings[known_warnings..].iter().map(Warning::bytes).sum();
            self.add_shown(bytes).map_err(|limit| TooLarge::at(place, Excess::Specification { limit }))?;
            resolved.matches = self.matches(&outcome.found).collect();
        }
        Ok(ResolvedRequire { predicate: outcome.predicate, attributes: asked, ..resolved })
    }

    /// Counts the bytes that the matches of a require are shown with. Gives which of the attributes `asked` for are lacking: the
    /// first match that lacks it, and how many do.
    fn measure<'s>(
        &self,
        place: Place<'_>,
        found: &[Source],
        asked: &'s [String],
        attributes: &[Vec<Attributes>],
    ) -> Result<BTreeMap<&'s str, (Source, usize)>, TooLarge> {
        let before = self.shown.get();
        let mut lacking = BTreeMap::new();
        for &source in found {
            let all = match source {
                Source::Running(handle) => self.running(handle).attributes(),
                Source::Member { member, provide } => &attributes[member][provide],
            };
            if !asked.is_empty() && !self.effort.spend(asked.len() + all.as_str().len() / BYTES) {
                return Err(TooLarge::at(place, Excess::Effort));
            }
            let (bytes, missing) = all.shown(asked);
            for name in missing {
                lacking.entry(name).or_insert((source, 0)).1 += 1;
            }
            if let Err(limit) = self.add_shown(bytes + self.labels_bytes(source) + MATCH_BYTES) {
                let (count, bytes) = (found.len(), self.shown.get() - before);
                let asks_for_all = asked.is_empty();
                return Err(TooLarge::at(place, Excess::Bytes { count, bytes, limit, asks_for_all }));
            }
        }
        Ok(lacking)
    }

    /// Counts bytes that a plan is shown with.
    ///
    /// # Errors
    /// How many it may have, where it has more.
    pub fn add_shown(&self, bytes: usize) -> Result<(), u32> {
        let shown = self.shown.get() + bytes;
        self.shown.set(shown);
        let limit = self.settings.max_plan_bytes;
        if shown > limit as usize { Err(limit) } else { Ok(()) }
    }

    /// About how many bytes the plan is shown with so far.
    pub fn shown_bytes(&self) -> usize {
        self.shown.get()
    }

    pub fn labels_bytes(&self, source: Source) -> usize {
        let bytes = |(key, value): (&str, &str)| key.len() + value.len() + 6;
        match source {
            Source::Running(handle) => self.running(handle).label_texts().map(bytes).sum(),
            Source::Member { member, provide } => {
                let labels = self.specs[member].provides[provide].labels.iter();
                labels.map(|(key, value)| bytes((key.as_str(), value))).sum()
            }
        }
    }

    fn warn_of_missing(
        &self,
        place: Place<'_>,
        matches: usize,
        asked: &[String],
        mut lacking: BTreeMap<&str, (Source, usize)>,
        warnings: &mut Vec<Warning>,
    ) {
        for name in asked {
            let Some((first, count)) = lacking.remove(name.as_str()) else { continue };
            let (first, interface) = (self.describe(first), self.interface(first));
            let message = match count {
                1 => format!("{first} provides {interface} without the attribute `{name}`"),
                all if all == matches => format!("none of the {matches} matches has the attribute `{name}`"),
                some => format!("{some} of {matches} matches lack the attribute `{name}`; the first is {first}"),
            };
            warnings.push(Warning::new(Code::AttributeMissing, place.pointer() + "/attributes", message));
        }
    }

    /// What a member provides, with its final attributes.
    pub fn provides(&self, member: usize, attributes: Vec<Attributes>) -> Vec<ResolvedProvide> {
        let provides = self.specs[member].provides.iter().zip(&self.provided[member]).zip(attributes);
        let provides = provides.map(|((provide, &component), attributes)| ResolvedProvide {
            component,
            interface: provide.interface.clone(),
            layer: provide.layer,
            version: provide.version.clone(),
            labels: provide.labels.clone(),
            attributes,
            annotations: provide.annotations.clone(),
        });
        provides.collect()
    }

    /// Takes the identities away again that only a plan that is recorded gives.
    pub fn withhold(&self, resolved: &mut ResolvedSpec) {
        let is_known = |id: &ComponentId| self.catalog.find_component(*id).is_some();
        for provide in &mut resolved.provides {
            provide.component = provide.component.filter(is_known);
        }
        let requires = Arc::get_mut(&mut resolved.requires).expect("nobody else has it yet");
        for found in requires.iter_mut().flat_map(|require| &mut require.matches) {
            found.component = found.component.filter(is_known);
        }
    }

    /// `org.shop.database 15.4 in test (instance blue)`.
    fn describe(&self, source: Source) -> String {
        let (name, _, _, environment, instance) = self.match_key(source);
        let version = match source {
            Source::Running(handle) => self.running(handle).version(),
            Source::Member { member, .. } => Some(&self.specs[member].version),
        };
        let version = version.map_or_else(String::new, |version| format!(" {version}"));
        let instance = if instance.is_empty() { String::new() } else { format!(" (instance {instance})") };
        format!("{name}{version} in {environment}{instance}")
    }

    /// A semver requirement says nothing about what is no semver, so a negated one holds: the reader is told.
    fn warn_of_unjudged(
        &self,
        place: Place<'_>,
        index: usize,
        expression: &Expression,
        found: &[Source],
        warnings: &mut Vec<Warning>,
    ) {
        let is_requirement = |test: &&Test| matches!(test, Test::Range(range) if range.is_requirement());
        let Some(Test::Range(range)) = expression.tests().iter().find(is_requirement) else { return };
        let mut versions = found.iter().filter_map(|&source| self.label(source, expression.key().as_str()));
        if let Some(version) = versions.find(|version| !range.judges(version)) {
            let message =
                format!("`{range}` says nothing about {version}, which is no semver, so `{expression}` holds for it");
            let pointer = format!("{}/selector/{index}", place.pointer());
            warnings.push(Warning::new(Code::RangeNotJudged, pointer, message));
        }
    }
}

/// About how many bytes a require is shown with besides what was posted of it and its matches: its names are spelled out, and
/// defaults stand beside what was written.
fn require_bytes(environment: &Name, predicate: &Predicate) -> usize {
    let expressions = predicate.selector.0.len();
    REQUIRE_BYTES + EXPRESSION_BYTES * expressions + environment.as_str().len()
}

/// The identities that Provides take over from their predecessors in a slot.
pub(super) struct KeptIdentities<'a>(HashMap<(&'a str, Layer), ComponentId>);

impl<'a> KeptIdentities<'a> {
    pub fn of(catalog: &'a Catalog, slot: &Slot) -> Self {
        let mut kept = HashMap::new();
        for component in catalog.slot_components(slot) {
            kept.entry((component.interface().as_str(), component.layer())).or_insert(component.id());
        }
        Self(kept)
    }

    /// That of a Provide, where it has a predecessor.
    pub fn get(&self, provide: &Provide) -> Option<ComponentId> {
        self.0.get(&(provide.interface.as_str(), provide.layer)).copied()
    }
}

/// A require of which nothing is known yet but what is written of it.
pub(super) fn unresolved(place: Place<'_>, require: &Require) -> ResolvedRequire {
    ResolvedRequire {
        section: place.section,
        name: place.name.clone(),
        predicate: Arc::new(Predicate { interface: require.interface.clone(), selector: Selector::default() }),
        scope: require.scope,
        resolution: require.resolution,
        quantifier: require.quantifier,
        attributes: Vec::new(),
        matches: Vec::new(),
    }
}

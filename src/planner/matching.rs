//! The world as it will be, and what matches in it.

use smol_str::SmolStr;
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use super::{Identities, Plan, Resolved};
use crate::catalog::{Catalog, Component, Excluded, Handle};
use crate::model::{
    ArtifactSpec, Attributes, Code, ComponentId, DeploymentId, Expression, Labels, Layer, Name, Predicate, Provide,
    Require, Selector, Settings, Slot, Test, Warning,
};

/// A Component chosen for a require, as a plan shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Its identity; absent for a new Provide of another member in a dry run.
    pub component: Option<ComponentId>,
    /// The Artifact, or the Server where `is_server`.
    pub name: SmolStr,
    /// Whether a Server manifests it.
    pub is_server: bool,
    /// The System of the Artifact.
    pub system: Option<SmolStr>,
    /// The ArtifactVersion that runs.
    pub version: Option<SmolStr>,
    /// Where it runs.
    pub environment: SmolStr,
    /// The instance; empty unless there are several.
    pub instance: SmolStr,
    /// What it provides.
    pub interface: SmolStr,
    /// In which layer.
    pub layer: Layer,
    /// The attempt that made it what it is.
    pub deployment: Option<DeploymentId>,
    /// What selectors see.
    pub labels: Labels,
    /// Those attributes that were asked for and are there.
    pub attributes: Attributes,
}

/// Which require of which member is being looked at.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub member: usize,
    /// `requires` or `deploymentSpec`.
    pub section: &'static str,
    pub name: &'a Name,
}

impl Place<'_> {
    /// The pointer to it, relative to the specification.
    pub fn pointer(&self) -> String {
        crate::document::Pointer::root().join(self.section).join(self.name.as_str()).into()
    }
}

/// Where a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is active.
    Running(Handle),
    /// A member would provide it.
    Member { member: usize, provide: usize },
}

/// What resolving one require gave.
pub(super) struct Outcome {
    pub predicate: Predicate,
    /// In match order; at most the configured number.
    pub found: Vec<Source>,
    /// Whether there were more.
    pub more: bool,
}

impl Outcome {
    /// Whether there are more matches than `require` may have.
    pub fn exceeds(&self, require: &Require) -> bool {
        self.more || require.quantifier.is_exceeded_by(self.found.len())
    }

    /// Whether `require` is met.
    pub fn meets(&self, require: &Require) -> bool {
        !self.exceeds(require) && !require.quantifier.lacks(self.found.len())
    }
}

/// A candidate that does not match, and the expressions that it fails, by their place in the selector.
pub(super) struct Miss {
    pub source: Source,
    pub failed: Vec<usize>,
}

/// The most matches that all requires of a request may have together: what is answered and stored grows with them.
const MATCHED: usize = 10_000;

/// The Catalog without what is being replaced, and with what is being brought.
pub(super) struct World<'a> {
    pub catalog: &'a Catalog,
    pub specs: &'a [ArtifactSpec],
    pub settings: &'a Settings,
    pub excluded: Excluded,
    /// The identity of every Provide of every member.
    pub provided: Vec<Vec<Option<ComponentId>>>,
    deployments: Vec<Option<DeploymentId>>,
    /// How many matches were found so far, by all requires together.
    matched: Cell<usize>,
    /// What the members would provide, by Interface.
    by_interface: BTreeMap<&'a str, Vec<Source>>,
}

impl<'a> World<'a> {
    pub fn new(
        catalog: &'a Catalog,
        specs: &'a [ArtifactSpec],
        settings: &'a Settings,
        identities: &mut Identities<'_>,
    ) -> Self {
        let mut world = Self {
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
        for spec in specs {
            let provided = spec.provides.iter().map(|provide| {
                world.kept_identity(&spec.slot, provide).or_else(|| match identities {
                    Identities::Withheld => None,
                    Identities::Given { component, .. } => Some(component()),
                })
            });
            let provided = provided.collect();
            world.provided.push(provided);
        }
        world
    }

    /// The world of a plan made before, with the identities that it gave.
    pub fn recalled(catalog: &'a Catalog, specs: &'a [ArtifactSpec], settings: &'a Settings, plan: &Plan) -> Self {
        let mut world = Self::new(catalog, specs, settings, &mut Identities::Withheld);
        world.provided =
            plan.members.iter().map(|member| member.provides.iter().map(|p| p.component).collect()).collect();
        world.deployments = specs.iter().enumerate().map(|(member, _)| plan.deployment_in_matches(member)).collect();
        world
    }

    /// The identity that a Provide takes over from its predecessor in the slot.
    pub fn kept_identity(&self, slot: &Slot, provide: &Provide) -> Option<ComponentId> {
        self.catalog
            .slot_components(slot)
            .find(|component| {
                **component.interface() == *provide.interface.as_str() && component.layer() == provide.layer
            })
            .map(|component| component.id())
    }

    /// What satisfies a require of `place.member`.
    pub fn resolve(&self, place: Place<'_>, require: &Require, selector: Selector) -> Outcome {
        let predicate = Predicate { interface: require.interface.clone(), selector };
        let limit = self.settings.max_matches as usize;
        let running = self.catalog.resolve(&predicate, &self.excluded, limit);
        let mut found: Vec<_> = running.handles.into_iter().map(Source::Running).collect();
        let before = found.len();
        found.extend(self.others(place.member, &predicate).filter(|&source| self.satisfies(source, &predicate)));
        if found.len() > before {
            found.sort_by(|&left, &right| self.match_order(left, right));
        }
        let matched = self.matched.get() + found.len();
        self.matched.set(matched);
        let more = running.more || found.len() > limit || matched > MATCHED;
        found.truncate(limit);
        Outcome { predicate, found, more }
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

    /// The outcome as the plan shows it, with the attributes `asked` for. `attributes` are the final ones of every Provide of
    /// every member.
    pub fn show(
        &self,
        place: Place<'_>,
        require: &Require,
        outcome: Outcome,
        asked: Vec<String>,
        attributes: &[Vec<Attributes>],
        warnings: &mut Vec<Warning>,
    ) -> Resolved {
        let exceeded = outcome.exceeds(require);
        let selector = outcome.predicate.selector;
        if exceeded {
            return Resolved { selector, attributes: asked, matches: Vec::new() };
        }
        for (index, expression) in
            selector.0.iter().enumerate().filter(|(_, expression)| expression.operator().is_negated())
        {
            self.warn_of_unjudged(place, index, expression, &outcome.found, warnings);
        }
        let mut shown = Vec::with_capacity(outcome.found.len());
        for source in outcome.found {
            let all = match source {
                Source::Running(handle) => self.running(handle).attributes(),
                Source::Member { member, provide } => &attributes[member][provide],
            };
            let found = self.matched(source, all);
            shown.push(if asked.is_empty() {
                found
            } else {
                let (selected, missing) = all.select(&asked);
                for name in missing {
                    let message = format!("{found} provides {} without the attribute `{name}`", found.interface);
                    warnings.push(Warning::new(Code::AttributeMissing, place.pointer() + "/attributes", message));
                }
                Match { attributes: selected, ..found }
            });
        }
        Resolved { selector, attributes: asked, matches: shown }
    }

    fn matched(&self, source: Source, attributes: &Attributes) -> Match {
        match source {
            Source::Running(handle) => Match::of(&self.running(handle)),
            Source::Member { member, provide } => {
                let spec = &self.specs[member];
                let provide = &spec.provides[provide];
                Match {
                    component: self.id(source),
                    name: spec.slot.artifact.shared().clone(),
                    is_server: false,
                    system: Some(spec.system.shared().clone()),
                    version: Some(spec.version.clone()),
                    environment: spec.slot.environment.shared().clone(),
                    instance: spec.slot.instance.clone(),
                    interface: provide.interface.shared().clone(),
                    layer: provide.layer,
                    deployment: self.deployments[member],
                    labels: provide.labels.clone(),
                    attributes: attributes.clone(),
                }
            }
        }
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
        for test in expression.tests() {
            let Test::Range(range) = test else { continue };
            let mut versions = found.iter().filter_map(|&source| self.label(source, expression.key().as_str()));
            if let Some(version) = versions.find(|version| !range.judges(version)) {
                let message = format!(
                    "`{range}` says nothing about {version}, which is no semver, so `{expression}` holds for it"
                );
                let pointer = format!("{}/selector/{index}", place.pointer());
                warnings.push(Warning::new(Code::RangeNotJudged, pointer, message));
            }
        }
    }
}

impl Match {
    /// A running Component with all its attributes.
    pub fn of(component: &Component<'_>) -> Self {
        Self {
            component: Some(component.id()),
            name: component.name().clone(),
            is_server: component.is_server(),
            system: component.system().cloned(),
            version: component.version().cloned(),
            environment: component.environment().clone(),
            instance: component.instance().into(),
            interface: component.interface().clone(),
            layer: component.layer(),
            deployment: component.deployment(),
            labels: component.labels(),
            attributes: component.attributes().clone(),
        }
    }
}

/// `org.shop.database 15.4 in test (instance blue)`.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, " in {}", self.environment)?;
        if self.instance.is_empty() { Ok(()) } else { write!(f, " (instance {})", self.instance) }
    }
}

impl Plan {
    /// The identity of the attempt `member` as the matches on it show it; `None` where nothing matched it.
    fn deployment_in_matches(&self, member: usize) -> Option<DeploymentId> {
        let ids: Vec<_> = self.members[member].provides.iter().filter_map(|provide| provide.component).collect();
        let resolved =
            self.members.iter().flat_map(|member| member.requires.values().chain(member.deployment_spec.values()));
        let on_member = resolved
            .flat_map(|resolved| &resolved.matches)
            .find(|found| found.component.is_some_and(|component| ids.contains(&component)));
        on_member.and_then(|found| found.deployment)
    }
}

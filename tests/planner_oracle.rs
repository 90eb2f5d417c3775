//! The planner against a brute-force oracle: the rules of resolution once more, over plain vectors, without any index.
//!
//! Ten thousand plans of random specifications against random worlds. The numbers are the same in every run; a failure
//! names its case, which `MORTISE_ORACLE_CASE` runs alone.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use generator::{Generator, random_change, set};
use history::{History, component_id, deployment_id, name};
use mortise::catalog::{Catalog, Effort};
use mortise::model::version::VersionRange;
use mortise::model::{
    ArtifactSpec, Attributes, Code, ComponentId, ComponentRow, ComponentState, DeploymentId, EnvironmentRow,
    Expression, FirstDeployment, Labels, Layer, Match, Name, Operator, Origin, Owner, Ready, Require, ResolvedRequire,
    Row, Section, Settings, Slot,
};
use mortise::planner::{Identities, Plan, Rule, Scrutiny, UnmetKind, Verdict, check, plan, still_holds};

const HISTORIES: u64 = 500;
const CHANGES: usize = 10;
const PLANS: usize = 2;

/// A random world with a random start.
struct Case<'a> {
    history: &'a History,
    specs: Vec<ArtifactSpec>,
    settings: Settings,
    is_dry_run: bool,
}

impl Case<'_> {
    fn plan(&self) -> Plan {
        self.plan_against(&self.history.catalog)
    }

    fn plan_against(&self, catalog: &Catalog) -> Plan {
        let deployments: Vec<_> = (0..self.specs.len()).map(deployment).collect();
        let provides = self.specs.iter().flat_map(|spec| spec.provides.iter().map(move |provide| (spec, provide)));
        let mut made = 0;
        // What is kept takes none of the new identities.
        let components = provides.map(|(spec, provide)| {
            let mut kept = catalog.slot_components(&spec.slot);
            let is_kept =
                kept.any(|kept| **kept.interface() == *provide.interface.as_str() && kept.layer() == provide.layer);
            made += u64::from(!is_kept);
            component_id(1_000_000 + made)
        });
        let components: Vec<_> = components.collect();
        let identities = match self.is_dry_run {
            true => Identities::Withheld,
            false => Identities::Given { deployments: &deployments, components: &components },
        };
        plan(catalog, &self.specs, &self.settings, identities, &Effort::unlimited()).expect("nothing is late")
    }
}

fn deployment(member: usize) -> DeploymentId {
    deployment_id(1_000_000 + member as u64)
}

/// Calls `test` with every case; a failure names it.
fn each_case(mut test: impl FnMut(&mut Generator, &Case<'_>)) {
    let only = std::env::var("MORTISE_ORACLE_CASE").ok().and_then(|number| number.parse::<u64>().ok());
    for seed in 0..HISTORIES {
        let mut generator = Generator::new(seed);
        let mut history = History::default();
        for step in 0..CHANGES {
            for _ in 0..4 {
                random_change(&mut generator, &mut history);
            }
            if generator.chance(10) {
                let policy = *generator.pick(&[None, Some(FirstDeployment::Allow), Some(FirstDeployment::Refuse)]);
                history.set_policy(&generator.name(&generator::ENVIRONMENTS), policy);
            }
            for start in 0..PLANS {
                let settings = Settings {
                    max_matches: *generator.pick(&[1_000, 1_000, 1, 2, 3]),
                    first_deployment: *generator.pick(&[
                        FirstDeployment::Allow,
                        FirstDeployment::Warn,
                        FirstDeployment::Refuse,
                    ]),
                    ..Settings::default()
                };
                let specs = set(&mut generator);
                let case = Case { history: &history, specs, settings, is_dry_run: generator.chance(20) };
                let number = (seed * CHANGES as u64 + step as u64) * PLANS as u64 + start as u64;
                if only.is_none_or(|only| only == number) {
                    let named = Named(number);
                    test(&mut generator, &case);
                    std::mem::forget(named);
                }
            }
        }
    }
}

/// Names the case when the test of it panics.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        eprintln!("it was case {}; run it alone with MORTISE_ORACLE_CASE={}", self.0, self.0);
    }
}

#[test]
fn the_planner_agrees_with_the_oracle() {
    let (mut cases, mut seen) = (0, BTreeMap::<&str, usize>::new());
    each_case(|_, case| {
        let expected = oracle(case);
        let found = read_plan(case, &case.plan());
        for (found, expected) in found.members.iter().zip(&expected.members) {
            assert_eq!(found, expected);
        }
        for (found, expected) in found.unmet.iter().zip(&expected.unmet) {
            assert_eq!(found, expected, "{:?}", case.specs);
        }
        assert_eq!(found, expected);
        cases += 1;
        let mut count = |what| *seen.entry(what).or_default() += 1;
        count(expected.verdict);
        expected.unmet.iter().for_each(|unmet| count(unmet.kind));
        for member in &expected.members {
            member
                .requires
                .values()
                .for_each(|matches| count(["no match", "one match", "many matches"][matches.len().min(2)]));
            count(if member.provides.iter().flatten().any(|id| *id < component_id(1_000_000)) {
                "successor"
            } else {
                "new"
            });
        }
        if case.specs.len() > 1 {
            count("set");
        }
    });
    assert!(cases >= 10_000 || std::env::var("MORTISE_ORACLE_CASE").is_ok(), "only {cases} cases");
    let common = [
        "yes",
        "no",
        "unknown",
        "unmatched",
        "ambiguous",
        "too-many-matches",
        "one match",
        "many matches",
        "successor",
        "set",
    ];
    for what in common {
        assert!(cases < 10_000 || seen.get(what).is_some_and(|&count| count >= 20), "too few with `{what}`: {seen:?}");
    }
}

#[test]
fn the_order_in_which_components_were_recorded_changes_nothing() {
    each_case(|generator, case| {
        if case.settings.max_matches < 1_000 || !generator.chance(20) {
            return;
        }
        let mut rows: Vec<_> = case.history.catalog.rows().collect();
        generator.shuffle(&mut rows);
        let mut shuffled = Catalog::default();
        shuffled.begin_at(case.history.catalog.revision(), case.history.catalog.time());
        rows.into_iter().for_each(|row| shuffled.apply_snapshot(row));
        let (written, other) = (case.plan(), case.plan_against(&shuffled));
        assert_eq!(written.members, other.members);
        assert_eq!(written.verdict, other.verdict);
    });
}

#[test]
fn every_yes_passes_the_checker_and_holds_until_a_match_changes() {
    let (mut held, mut touched) = (0, 0);
    each_case(|generator, case| {
        let plan = case.plan();
        if plan.verdict != Verdict::Yes {
            return;
        }
        let resolved: Vec<_> = plan.members.iter().collect();
        let holds = |catalog: &Catalog| {
            still_holds(catalog, &case.specs, plan.active_revision, &resolved, &Effort::unlimited())
        };
        assert!(holds(&case.history.catalog));
        // It is judged anew where anything at all became active since: it holds unless the row is one that it matched.
        let row = case.history.catalog.components_after(None).next().map(|component| component.row());
        if let Some(row) = row {
            let is_matched = all_matches(&plan).any(|found| found.component == Some(row.id) && is_running(found));
            let later = case.history.with(Row::Component(row));
            assert_eq!(holds(&later), !is_matched);
            held += usize::from(!is_matched);
        }
        check(&case.history.catalog, &case.specs, &case.settings, &plan, Scrutiny::Everything).unwrap();
        let running: Vec<_> = all_matches(&plan).filter_map(|found| row_of(case, found)).collect();
        if running.is_empty() {
            return;
        }
        let row = generator.pick(&running).clone();
        let mut labels = row.labels.clone();
        labels.set(name("touched"), "now");
        for changed in [ComponentRow { state: ComponentState::Inactive, ..row.clone() }, ComponentRow { labels, ..row }]
        {
            let later = case.history.with(Row::Component(changed));
            assert!(!holds(&later));
        }
        touched += 1;
    });
    assert!(
        std::env::var("MORTISE_ORACLE_CASE").is_ok() || (held > 1_000 && touched > 500),
        "{held} held, {touched} touched"
    );
}

#[test]
fn a_corrupted_plan_fails_the_rule_that_it_breaks() {
    let mut broken: BTreeMap<String, usize> = BTreeMap::new();
    each_case(|_, case| {
        let plan = case.plan();
        if plan.verdict != Verdict::Yes {
            return;
        }
        for corruption in CORRUPTIONS {
            for member in 0..case.specs.len() {
                for (require, written) in &case.specs[member].requires {
                    let (mut specs, mut corrupted) = (case.specs.clone(), plan.clone());
                    let target = Target { case, specs: &mut specs, plan: &mut corrupted, member, require, written };
                    let Some(rule) = corruption(target) else { continue };
                    let violations =
                        check(&case.history.catalog, &specs, &case.settings, &corrupted, Scrutiny::Everything);
                    let violations = violations.expect_err("it was corrupted");
                    let is_found = violations
                        .iter()
                        .any(|found| found.member == member && found.require == *require && found.rule == rule);
                    assert!(is_found, "{rule:?} of {require} in {member}, but found {violations:?}");
                    *broken.entry(format!("{rule:?}")).or_default() += 1;
                }
            }
        }
    });
    let rules = ["Resolved", "Counted", "Satisfied", "Ordered", "Present", "NotReplaced", "Complete"];
    let all = rules.iter().all(|rule| broken.get(*rule).is_some_and(|&count| count >= 20));
    assert!(all || std::env::var("MORTISE_ORACLE_CASE").is_ok(), "too few of some: {broken:?}");
}

/// A require of a plan to be corrupted.
struct Target<'a> {
    case: &'a Case<'a>,
    specs: &'a mut Vec<ArtifactSpec>,
    plan: &'a mut Plan,
    member: usize,
    require: &'a Name,
    written: &'a Require,
}

impl Target<'_> {
    fn resolved(&mut self) -> &mut ResolvedRequire {
        let requires = &mut self.plan.members[self.member].requires;
        if Arc::get_mut(requires).is_none() {
            *requires = requires.iter().cloned().collect();
        }
        let requires = Arc::get_mut(requires).expect("it was just made");
        let mut own = requires.iter_mut().filter(|resolved| resolved.section == Section::Requires);
        own.find(|resolved| resolved.name == *self.require).expect("every require is resolved")
    }

    fn first_matched(&mut self) -> Option<ComponentId> {
        self.matches().first()?.component
    }

    fn matches(&mut self) -> &mut Vec<Match> {
        &mut self.resolved().matches
    }
}

/// Each breaks one rule; `None` where it cannot be broken so.
const CORRUPTIONS: [fn(Target<'_>) -> Option<Rule>; 9] = [
    |target| {
        let requires = &mut target.plan.members[target.member].requires;
        *requires = requires.iter().filter(|resolved| resolved.name != *target.require).cloned().collect();
        Some(Rule::Resolved)
    },
    |mut target| Arc::make_mut(&mut target.resolved().predicate).selector.0.pop().map(|_| Rule::Resolved),
    |mut target| {
        let needs_some = target.written.quantifier.min() > 0;
        target.matches().clear();
        needs_some.then_some(Rule::Counted)
    },
    |mut target| {
        // Another Component in its place, which runs but does not satisfy the predicate.
        let predicate = target.resolved().predicate.clone();
        target.first_matched()?;
        let other = target
            .case
            .history
            .catalog
            .components_after(None)
            .find(|other| other.is_active() && !predicate.accepts(other.interface(), |key| other.label(key)))?;
        let origin = Origin::Catalog { revision: other.revision() };
        target.matches()[0] = Match { component: Some(other.id()), origin };
        Some(Rule::Satisfied)
    },
    |mut target| {
        let matches = target.matches();
        (matches.len() > 1).then(|| matches.swap(0, 1)).map(|()| Rule::Ordered)
    },
    |mut target| {
        let max = target
            .written
            .quantifier
            .max()
            .map_or(usize::MAX, |max| max as usize)
            .min(target.case.settings.max_matches as usize);
        let last = *target.matches().last()?;
        target.matches().push(last);
        (target.matches().len() <= max).then_some(Rule::Ordered)
    },
    |mut target| {
        target.matches().first_mut()?.component = Some(component_id(99_999_999));
        Some(Rule::Present)
    },
    |mut target| {
        let row = target.matches().clone().iter().find_map(|found| row_of(target.case, found))?;
        let Owner::Slot(slot) = row.owner else { return None };
        target.specs[target.member].slot = slot;
        Some(Rule::NotReplaced)
    },
    |mut target| {
        let min = target.written.quantifier.min() as usize;
        target.matches().pop()?;
        (target.matches().len() >= min).then_some(Rule::Complete)
    },
];

fn all_matches(plan: &Plan) -> impl Iterator<Item = &Match> {
    plan.members.iter().flat_map(|member| member.requires.iter()).flat_map(|resolved| &resolved.matches)
}

fn is_running(found: &Match) -> bool {
    matches!(found.origin, Origin::Catalog { .. })
}

/// The row of a match that runs; `None` for one that a member would provide.
fn row_of(case: &Case<'_>, found: &Match) -> Option<ComponentRow> {
    let handle = case.history.catalog.find_component(found.component?)?;
    let row = case.history.catalog.component(handle).row();
    let replaced =
        |owner: &Owner| matches!(owner, Owner::Slot(slot) if case.specs.iter().any(|spec| spec.slot == *slot));
    (row.state == ComponentState::Active && !replaced(&row.owner)).then_some(row)
}

/// What an answer says, in plain terms.
#[derive(Debug, PartialEq)]
struct Answer {
    verdict: &'static str,
    members: Vec<MemberAnswer>,
    unmet: Vec<UnmetAnswer>,
}

#[derive(Debug, PartialEq)]
struct MemberAnswer {
    provides: Vec<Option<ComponentId>>,
    /// By section and name.
    requires: BTreeMap<(&'static str, String), Vec<MatchAnswer>>,
    warned_optional: BTreeSet<String>,
    warned_first: bool,
}

#[derive(Debug, PartialEq)]
struct MatchAnswer {
    component: Option<ComponentId>,
    owner: (String, bool),
    place: (String, String),
    version: Option<String>,
    deployment: Option<DeploymentId>,
    labels: Labels,
    attributes: String,
}

#[derive(Debug, PartialEq)]
struct UnmetAnswer {
    pointer: String,
    kind: &'static str,
    found: usize,
    considered: usize,
    reasons: BTreeMap<String, usize>,
    /// Identity, name, and the places of the expressions that fail.
    nearest: Vec<(Option<ComponentId>, String, Vec<String>)>,
    /// `None` where there are more than were looked for, so that any of them may be shown.
    candidates: Option<Vec<Option<ComponentId>>>,
    truncated: bool,
}

fn read_plan(case: &Case<'_>, plan: &Plan) -> Answer {
    let (verdict, explanation) = match &plan.verdict {
        Verdict::Yes => ("yes", None),
        Verdict::No(explanation) => ("no", Some(explanation)),
        Verdict::Unknown(explanation) => ("unknown", Some(explanation)),
    };
    let members = plan.members.iter().map(|member| {
        let requires = member.requires.iter();
        let requires = requires.map(|resolved| ((resolved.section.as_str(), resolved.name.to_string()), resolved));
        let warned = |code| {
            member.warnings.iter().filter(move |warning| warning.code == code).map(|warning| warning.pointer.clone())
        };
        MemberAnswer {
            provides: member.provides.iter().map(|provide| provide.component).collect(),
            requires: requires
                .map(|(key, resolved)| {
                    let found = resolved.matches.iter();
                    (key, found.map(|found| read_match(case, plan, found, &resolved.attributes)).collect())
                })
                .collect(),
            warned_optional: warned(Code::OptionalUnmatched).collect(),
            warned_first: warned(Code::FirstDeployment).next().is_some(),
        }
    });
    let unmet = explanation.into_iter().flat_map(|explanation| &explanation.unmet).map(|unmet| UnmetAnswer {
        pointer: format!("{}{}", unmet.member, unmet.pointer),
        kind: kind(unmet.kind),
        found: unmet.found,
        considered: unmet.considered,
        reasons: unmet.reasons.iter().map(|(key, &count)| (key.to_string(), count)).collect(),
        nearest: unmet
            .nearest
            .iter()
            .map(|nearest| {
                let candidate = &nearest.candidate;
                let owner = candidate.artifact.as_ref().or(candidate.server.as_ref()).expect("either is there");
                let failed = nearest.failed.iter().map(|failed| failed.pointer.rsplit('/').next().unwrap().to_owned());
                (candidate.component, owner.to_string(), failed.collect())
            })
            .collect(),
        candidates: (!unmet.truncated).then(|| unmet.candidates.iter().map(|candidate| candidate.component).collect()),
        truncated: unmet.truncated,
    });
    Answer { verdict, members: members.collect(), unmet: unmet.collect() }
}

/// What a match stands for, with the attributes that were asked for.
fn read_match(case: &Case<'_>, plan: &Plan, found: &Match, asked: &[String]) -> MatchAnswer {
    let shown = |attributes: &Attributes| match asked {
        [] => attributes.as_str().to_owned(),
        asked => attributes.select(asked).0.as_str().to_owned(),
    };
    match found.origin {
        Origin::Catalog { revision } => {
            let handle = found.component.and_then(|id| case.history.catalog.find_component(id)).expect("it runs");
            let component = case.history.catalog.component(handle);
            assert_eq!(component.revision(), revision, "a match refers to the row that it was matched by");
            let row = component.row();
            MatchAnswer {
                component: found.component,
                owner: (row.owner.name().to_string(), component.is_server()),
                place: (row.owner.environment().to_string(), row.owner.instance().to_owned()),
                version: row.version.as_ref().map(ToString::to_string),
                deployment: row.deployment,
                labels: row.labels.clone(),
                attributes: shown(&row.attributes),
            }
        }
        Origin::Member { member, provide } => {
            let (spec, provide) = (&case.specs[member], &plan.members[member].provides[provide]);
            assert_eq!(found.component, provide.component);
            MatchAnswer {
                component: found.component,
                owner: (spec.slot.artifact.to_string(), false),
                place: (spec.slot.environment.to_string(), spec.slot.instance.to_string()),
                version: Some(spec.version.to_string()),
                deployment: (!case.is_dry_run).then(|| deployment(member)),
                labels: provide.labels.clone(),
                attributes: shown(&provide.attributes),
            }
        }
    }
}

fn kind(kind: UnmetKind) -> &'static str {
    match kind {
        UnmetKind::Unmatched => "unmatched",
        UnmetKind::Ambiguous => "ambiguous",
        UnmetKind::UndefinedMatch => "undefined-match",
        UnmetKind::TooManyMatches => "too-many-matches",
        UnmetKind::FirstDeployment => "first-deployment",
    }
}

/// Something that could be matched.
#[derive(Clone)]
struct Thing {
    id: Option<ComponentId>,
    name: String,
    is_server: bool,
    /// `None` for a Server.
    slot: Option<Slot>,
    interface: String,
    layer: Layer,
    environment: String,
    instance: String,
    version: Option<String>,
    deployment: Option<DeploymentId>,
    labels: Labels,
    attributes: Vec<(String, String)>,
}

impl Thing {
    /// What orders matches: names and places, then the identity; one that is not given yet comes last.
    fn order(&self) -> (&str, &str, usize, &str, &str, bool, Option<ComponentId>) {
        let layer = ["server", "router", "client"].iter().position(|layer| *layer == self.layer.as_str()).unwrap();
        (&self.name, &self.interface, layer, &self.environment, &self.instance, self.id.is_none(), self.id)
    }

    /// As a plan shows it, with the attributes `asked` for; none asked for means all.
    fn as_match(&self, asked: &[String]) -> MatchAnswer {
        let shown: Vec<_> = match asked {
            [] => self.attributes.iter().collect(),
            asked => asked.iter().filter_map(|name| self.attributes.iter().find(|(key, _)| key == name)).collect(),
        };
        let members: Vec<_> = shown.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        MatchAnswer {
            component: self.id,
            owner: (self.name.clone(), self.is_server),
            place: (self.environment.clone(), self.instance.clone()),
            version: self.version.clone(),
            deployment: self.deployment,
            labels: self.labels.clone(),
            attributes: format!("{{{}}}", members.join(",")),
        }
    }
}

/// The whole answer, by looking at everything.
fn oracle(case: &Case<'_>) -> Answer {
    let mut rows: BTreeMap<ComponentId, ComponentRow> = BTreeMap::new();
    let mut environments: BTreeMap<Name, EnvironmentRow> = BTreeMap::new();
    for row in case.history.changes.iter().flat_map(|change| &change.rows) {
        match row {
            Row::Component(row) => drop(rows.insert(row.id, row.clone())),
            Row::Environment(row) => drop(environments.insert(row.name.clone(), row.clone())),
            _ => {}
        }
    }
    let mut made = 0;
    let mut provided: Vec<Vec<Thing>> = Vec::new();
    for (member, spec) in case.specs.iter().enumerate() {
        let mut things = Vec::new();
        for provide in &spec.provides {
            let owned = rows.values().find(|row| {
                row.owner == Owner::Slot(spec.slot.clone())
                    && row.interface == provide.interface
                    && row.layer == provide.layer
            });
            let id = owned.map(|row| row.id).or_else(|| {
                made += u64::from(!case.is_dry_run);
                (!case.is_dry_run).then(|| component_id(1_000_000 + made))
            });
            let attributes = provide.known_attributes().expect("nothing is late").members();
            things.push(Thing {
                id,
                name: spec.slot.artifact.to_string(),
                is_server: false,
                slot: Some(spec.slot.clone()),
                interface: provide.interface.to_string(),
                layer: provide.layer,
                environment: spec.slot.environment.to_string(),
                instance: spec.slot.instance.to_string(),
                version: Some(spec.version.to_string()),
                deployment: (!case.is_dry_run).then(|| deployment(member)),
                labels: provide.labels.clone(),
                attributes: attributes.into_iter().map(|(key, value)| (key, value.to_string())).collect(),
            });
        }
        provided.push(things);
    }
    let active: Vec<Thing> = rows.values().filter(|row| row.state == ComponentState::Active).map(thing).collect();

    let mut members = Vec::new();
    let mut unmet = Vec::new();
    for (member, spec) in case.specs.iter().enumerate() {
        let others: Vec<Thing> = provided
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != member)
            .flat_map(|(_, things)| things.clone())
            .collect();
        let mut requires = BTreeMap::new();
        let mut warned_optional = BTreeSet::new();
        let sections = [("requires", &spec.requires), ("deploymentSpec", &spec.deployment_spec)];
        for (section, name, require) in
            sections.iter().flat_map(|(section, all)| all.iter().map(|(name, require)| (*section, name, require)))
        {
            let pointer = format!("/{section}/{name}");
            let (matches, problem, is_optional) =
                resolve(case, &active, &others, require, &format!("{member}{pointer}"));
            if is_optional {
                warned_optional.insert(pointer);
            }
            unmet.extend(problem);
            let Ready::Now(asked) = &require.attributes else { panic!("nothing is late") };
            requires.insert((section, name.to_string()), matches.iter().map(|found| found.as_match(asked)).collect());
        }
        let provides = provided[member].iter().map(|thing| thing.id).collect();
        members.push(MemberAnswer { provides, requires, warned_optional, warned_first: false });
    }

    let is_met = unmet.is_empty();
    for (member, spec) in case.specs.iter().enumerate() {
        let environment = environments.get(&spec.slot.environment);
        if environment.is_some_and(|row| row.proven) {
            continue;
        }
        match environment.and_then(|row| row.first_deployment).unwrap_or(case.settings.first_deployment) {
            FirstDeployment::Allow => {}
            FirstDeployment::Warn => members[member].warned_first = true,
            FirstDeployment::Refuse if is_met => unmet.push(UnmetAnswer {
                pointer: format!("{member}/environment"),
                kind: "first-deployment",
                found: 0,
                considered: 0,
                reasons: BTreeMap::new(),
                nearest: Vec::new(),
                candidates: Some(Vec::new()),
                truncated: false,
            }),
            FirstDeployment::Refuse => {}
        }
    }
    let verdict = match (is_met, unmet.is_empty()) {
        (true, true) => "yes",
        (true, false) => "unknown",
        (false, _) => "no",
    };
    let mut answer = Answer { verdict, members, unmet };
    answer.withhold();
    answer
}

impl Answer {
    /// Unless the verdict is `yes` nothing new has an identity, and nothing that is unmet shows one.
    fn withhold(&mut self) {
        let known = |id: &ComponentId| *id < component_id(1_000_000);
        for unmet in &mut self.unmet {
            unmet.nearest.iter_mut().for_each(|(id, ..)| *id = id.filter(known));
            unmet.candidates.iter_mut().flatten().for_each(|id| *id = id.filter(known));
        }
        if self.verdict == "yes" {
            return;
        }
        for member in &mut self.members {
            member.provides.iter_mut().for_each(|id| *id = id.filter(known));
            member.requires.values_mut().flatten().for_each(|found| found.component = found.component.filter(known));
        }
    }
}

fn thing(row: &ComponentRow) -> Thing {
    let (slot, is_server) = match &row.owner {
        Owner::Slot(slot) => (Some(slot.clone()), false),
        Owner::Server { .. } => (None, true),
    };
    Thing {
        id: Some(row.id),
        name: row.owner.name().to_string(),
        is_server,
        slot,
        interface: row.interface.to_string(),
        layer: row.layer,
        environment: row.owner.environment().to_string(),
        instance: row.owner.instance().to_owned(),
        version: row.version.as_ref().map(ToString::to_string),
        deployment: row.deployment,
        labels: row.labels.clone(),
        attributes: row.attributes.members().into_iter().map(|(key, value)| (key, value.to_string())).collect(),
    }
}

/// What matches, what is unmet about it, and whether it is an optional require without a match.
fn resolve(
    case: &Case<'_>,
    active: &[Thing],
    others: &[Thing],
    require: &Require,
    pointer: &str,
) -> (Vec<Thing>, Option<UnmetAnswer>, bool) {
    let Ready::Now(selector) = &require.selector else { panic!("nothing is late") };
    let failed = |thing: &Thing| -> Vec<usize> {
        let expressions = selector.0.iter().enumerate();
        expressions.filter(|(_, expression)| !satisfies(expression, thing)).map(|(index, _)| index).collect()
    };
    let provides =
        |thing: &Thing| require.interface.as_ref().is_none_or(|interface| interface.as_str() == thing.interface);
    let replaced =
        |thing: &Thing| thing.slot.as_ref().is_some_and(|slot| case.specs.iter().any(|spec| spec.slot == *slot));
    let running: Vec<&Thing> = active.iter().filter(|thing| !replaced(thing)).collect();

    let mut matches: Vec<Thing> = running
        .iter()
        .copied()
        .chain(others)
        .filter(|thing| provides(thing) && failed(thing).is_empty())
        .cloned()
        .collect();
    matches.sort_by(|left, right| left.order().cmp(&right.order()));

    let limit = case.settings.max_matches as usize;
    let (min, max) =
        (require.quantifier.min() as usize, require.quantifier.max().map_or(usize::MAX, |max| max as usize));
    let is_cut = matches.len() > limit;
    // Beyond the limit nobody counts: all that is known is that there is one more.
    let counted = matches.len().min(limit + 1);
    let kind = match counted {
        count if count > max => "ambiguous",
        _ if is_cut => "too-many-matches",
        count if count < min => "unmatched",
        0 => return (matches, None, true),
        _ => return (matches, None, false),
    };

    let is_positive =
        |expression: &&Expression| matches!(expression.operator(), Operator::In | Operator::InRange | Operator::Exists);
    let candidates: Vec<&Thing> = match &require.interface {
        Some(_) => running.iter().copied().chain(others).filter(|thing| provides(thing)).collect(),
        None => {
            let positive = selector.0.iter().filter(is_positive);
            let sizes = positive
                .map(|expression| (active.iter().filter(|thing| satisfies(expression, thing)).count(), expression));
            let smallest = sizes.filter(|(size, _)| *size > 0).min_by_key(|(size, _)| *size);
            let near = running
                .iter()
                .copied()
                .filter(|thing| smallest.is_some_and(|(_, expression)| satisfies(expression, thing)));
            let members = others
                .iter()
                .filter(|thing| selector.0.iter().filter(is_positive).any(|expression| satisfies(expression, thing)));
            near.chain(members).collect()
        }
    };
    let mut misses: Vec<(&Thing, Vec<usize>)> = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in &candidates {
        let failed = failed(candidate);
        let keys: BTreeSet<_> = failed.iter().map(|&index| selector.0[index].key().to_string()).collect();
        keys.into_iter().for_each(|key| *reasons.entry(key).or_default() += 1);
        if !failed.is_empty() {
            misses.push((candidate, failed));
        }
    }
    misses.sort_by(|left, right| (left.1.len(), left.0.order()).cmp(&(right.1.len(), right.0.order())));
    let nearest = misses
        .iter()
        .take(3)
        .map(|(thing, failed)| (thing.id, thing.name.clone(), failed.iter().map(ToString::to_string).collect()));
    let is_short = kind == "unmatched";
    let unmet = UnmetAnswer {
        pointer: pointer.to_owned(),
        kind,
        found: matches.len().min(limit),
        considered: candidates.len(),
        reasons,
        nearest: if is_short { nearest.collect() } else { Vec::new() },
        candidates: match (is_cut, is_short) {
            (true, _) => None,
            (false, true) => Some(Vec::new()),
            (false, false) => Some(matches.iter().map(|thing| thing.id).collect()),
        },
        truncated: is_cut,
    };
    (if is_short { matches } else { Vec::new() }, Some(unmet), false)
}

fn satisfies(expression: &Expression, thing: &Thing) -> bool {
    let actual = thing.labels.iter().find(|(key, _)| *key == expression.key()).map(|(_, value)| value.to_string());
    let is_version = expression.key().as_str() == "version";
    let is_range =
        |value: &str| is_version && ["[", "(", "^", "~", "<", ">", "="].iter().any(|begin| value.starts_with(begin));
    let within = |value: &str, actual: &str| VersionRange::parse(value).unwrap().contains(actual);
    let listed = |actual: &str| {
        expression.values().any(|value| if is_range(value) { within(value, actual) } else { value == actual })
    };
    let ranged = |actual: &str| expression.values().any(|value| within(value, actual));
    match (expression.operator(), actual) {
        (Operator::In, Some(actual)) => listed(&actual),
        (Operator::InRange, Some(actual)) => ranged(&actual),
        (Operator::NotIn, Some(actual)) => !listed(&actual),
        (Operator::NotInRange, Some(actual)) => !ranged(&actual),
        (Operator::Exists, actual) => actual.is_some(),
        (Operator::DoesNotExist, actual) => actual.is_none(),
        (Operator::In | Operator::InRange, None) => false,
        (Operator::NotIn | Operator::NotInRange, None) => true,
    }
}

//! Finish: ending open attempts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Command, Decision, Moment, Rule, action};
use crate::catalog::{Catalog, Component, Effort, Excluded, Handle, OpenAttempt};
use crate::document::Pointer;
use crate::model::limits::STALE_ADDED;
use crate::model::{
    Action, ArtifactRow, Attributes, Cause, Code, ComponentId, ComponentRow, ComponentState, DeploymentId,
    DeploymentSpec, EndingRow, EnvironmentRow, InterfaceRow, LeaseToken, MovedMatch, Name, Origin, Outcome,
    ResolvedRequire, Row, Slot, State, Timestamp, Warning,
};

/// How many comparisons a finish may take where it is decided to tell whether what was matched still does, and as many to look for
/// what was added since its caller looked: all other writes wait meanwhile. The first are bounded by the matches of a plan, but for
/// selectors of very many values.
const COMPARISONS: usize = 1_000_000;

/// End attempts.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The attempts, in order: of a set those that are to end alike.
    pub members: Vec<FinishMember>,
    /// Whether they succeeded.
    pub success: bool,
    /// Why.
    pub reason: Option<String>,
    /// Who says so.
    pub actor: Option<String>,
}

/// One attempt to be ended.
#[derive(Clone, Debug)]
pub struct FinishMember {
    /// The attempt.
    pub id: DeploymentId,
    /// Its slot.
    pub slot: Slot,
    /// The token that was sent.
    pub token: Option<LeaseToken>,
    /// What turned out otherwise than it was planned.
    pub corrected: Vec<Corrected>,
    /// About how many bytes its Components have.
    pub bytes: usize,
    /// The attempts that were resolved together with it, in the order to which [`Origin::Member`] refers.
    pub together: Vec<DeploymentId>,
    /// What its caller found that was added, where it has looked. Where it has not, what changed is looked at when it is decided.
    pub looked: Option<Looked>,
}

/// What matches the requires of an open attempt that it did not match when it was resolved.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The revision as of which it does.
    revision: u64,
    /// Of each require, in order.
    added: Vec<Vec<ComponentId>>,
    /// Whether there may be more.
    truncated: bool,
}

impl Looked {
    /// Looks for it in `catalog`, with no more than `effort`; `None` where the attempt is not open there. It may take long, so that
    /// the caller does it, not whoever decides.
    pub fn of(catalog: &Catalog, id: DeploymentId, effort: &Effort) -> Option<Self> {
        let attempt = catalog.open_attempt(id)?;
        let mut looked = Self { revision: catalog.revision(), added: Vec::new(), truncated: false };
        if catalog.active_revision() <= attempt.resolved_at {
            looked.added.resize(attempt.requires.len(), Vec::new());
            return Some(looked);
        }
        let excluded = catalog.excluding([&attempt.spec.slot]);
        for require in attempt.requires.iter() {
            let found = catalog.resolve(&require.predicate, &excluded, require.matches.len() + STALE_ADDED + 1, effort);
            let matched: BTreeSet<_> = require.providers().collect();
            let ids = found.handles.iter().map(|&handle| catalog.component(handle).id());
            looked.added.push(ids.filter(|id| !matched.contains(id)).collect());
            looked.truncated |= found.more;
        }
        Some(looked)
    }
}

/// The attributes of a Component as they turned out, all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The Component.
    pub component: ComponentId,
    /// Its attributes.
    pub attributes: Attributes,
}

/// The attempts that ended now.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// In order; those that had ended before are left out.
    pub members: Vec<FinishedMember>,
}

/// An attempt that ended now.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedMember {
    /// The attempt.
    pub spec: DeploymentSpec,
    /// What a reader should know; pointers are relative to the specification.
    pub warnings: Vec<Warning>,
}

/// Why nothing ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishRefusal {
    /// No member is open.
    NoneOpen,
    /// The token is not the attempt's.
    LeaseLost {
        /// What is wrong with it.
        reason: &'static str,
        /// Who holds the slot now, where somebody does.
        holder: Option<Box<DeploymentSpec>>,
    },
}

/// What a token is that another opening was given.
pub(crate) const FOREIGN_TOKEN: &str = "the token is not the one that this attempt was opened with";

impl Command for Finish {
    type Answer = Finished;
    type Refusal = FinishRefusal;

    fn decide(&self, moment: Moment<'_>) -> Result<Decision<Finished>, FinishRefusal> {
        let Moment { catalog, time } = moment;
        let rule = Rule::of(Action::Finish);
        let open = |member: &FinishMember| {
            catalog.open_attempt(member.id).map(AsRef::as_ref).filter(|open| rule.allows(&open.spec))
        };
        let open: Vec<_> = self.members.iter().filter_map(|member| Some((member, open(member)?))).collect();
        if open.is_empty() {
            return Err(FinishRefusal::NoneOpen);
        }
        for (member, attempt) in &open {
            check_token(catalog, member, attempt)?;
        }
        let mut world = catalog.clone();
        world.advance(catalog.revision() + 1, time);
        let mut rows = Vec::new();
        let mut specs = Vec::with_capacity(open.len());
        for (member, attempt) in &open {
            let spec = self.ended(&world, attempt, time);
            let changed = if self.success { succeeded(&world, member, attempt, &spec, time) } else { Vec::new() };
            for row in changed.into_iter().chain([Row::DeploymentSpec(spec.clone())]) {
                world.apply_row(&row);
                rows.push(row);
            }
            specs.push(spec);
        }
        let ending = Ending {
            before: catalog,
            after: &world,
            ids: specs.iter().map(|spec| spec.id).collect(),
            made: Made::of(&rows, &world),
            comparing: Effort::of(COMPARISONS),
            looking: Effort::of(COMPARISONS),
        };
        let mut members = Vec::with_capacity(open.len());
        for ((member, attempt), spec) in open.into_iter().zip(specs) {
            let mut warnings = Vec::new();
            if self.success {
                warnings.extend(ending.owned_elsewhere(&spec));
            }
            let row = self.ending(&ending, member, attempt, &mut warnings);
            rows.extend(
                (!row.moved.is_empty() || row.truncated || !row.corrected.is_empty()).then_some(Row::Ending(row)),
            );
            members.push(FinishedMember { spec, warnings });
        }
        Ok(Decision::one(Cause::Finish, self.actor.clone(), rows, Finished { members }))
    }

    fn bytes(&self) -> usize {
        self.members.iter().map(|member| member.bytes).sum()
    }
}

fn check_token(catalog: &Catalog, member: &FinishMember, attempt: &OpenAttempt) -> Result<(), FinishRefusal> {
    let needs_token = catalog.settings().is_some_and(|settings| settings.finish_needs_token);
    let reason = match (&member.token, &attempt.token) {
        (Some(given), Some(kept)) if !kept.is_of(given) => FOREIGN_TOKEN,
        (None, _) if needs_token => "the settings demand the token of the lease, and none was sent",
        _ => return Ok(()),
    };
    Err(FinishRefusal::LeaseLost { reason, holder: Some(Box::new(attempt.spec.as_ref().clone())) })
}

impl Finish {
    fn ending(
        &self,
        ending: &Ending<'_>,
        member: &FinishMember,
        attempt: &OpenAttempt,
        warnings: &mut Vec<Warning>,
    ) -> EndingRow {
        let mut row =
            EndingRow { deployment: member.id, corrected: BTreeMap::new(), moved: Vec::new(), truncated: false };
        if self.success {
            ending.compare_all(member, attempt, &mut row, warnings);
        } else {
            let corrected = member.corrected.iter().cloned();
            row.corrected = corrected.map(|corrected| (corrected.component, corrected.attributes)).collect();
        }
        row
    }

    fn ended(&self, world: &Catalog, attempt: &OpenAttempt, time: Timestamp) -> DeploymentSpec {
        let (current_state, target_state) = action::ended(&attempt.spec, self.success);
        let predecessor = world.slot(&attempt.spec.slot).and_then(|slot| slot.active());
        DeploymentSpec {
            current_state,
            target_state,
            opening: None,
            outcome: Some(if self.success { Outcome::Succeeded } else { Outcome::Failed }),
            reason: self.reason.clone(),
            ended: Some(world.revision()),
            finished_at: Some(time),
            supersedes: predecessor.filter(|_| self.success).map(|active| active.spec.id),
            ..attempt.spec.as_ref().clone()
        }
    }
}

/// What becomes of the rest as an attempt becomes active: its predecessor is Inactive, what is in Error too, and the slot's
/// Components are exactly what it provides.
fn succeeded(
    catalog: &Catalog,
    member: &FinishMember,
    attempt: &OpenAttempt,
    spec: &DeploymentSpec,
    time: Timestamp,
) -> Vec<Row> {
    let made: Vec<_> = attempt.planned(catalog).map(|planned| made(planned.row(), member, time)).collect();
    let mut rows = names_proven(catalog, spec, &made);
    let slot = catalog.slot(&spec.slot);
    let active = slot.and_then(|slot| slot.active()).map(|active| &active.spec);
    let replaced = active.into_iter().chain(slot.map_or(&[][..], |slot| slot.errored()));
    rows.extend(replaced.filter(|replaced| replaced.id != spec.id).map(|replaced| {
        let (current_state, target_state) = (State::Inactive, State::Inactive);
        Row::DeploymentSpec(DeploymentSpec { current_state, target_state, ..replaced.as_ref().clone() })
    }));
    let kept: BTreeSet<ComponentId> = made.iter().map(|row| row.id).collect();
    let dropped = catalog.slot_components(&spec.slot).filter(|row| row.is_active() && !kept.contains(&row.id()));
    let dropped = dropped.map(|row| ComponentRow { state: ComponentState::Inactive, since: time, ..row.row() });
    let components: Vec<_> = made.iter().cloned().chain(dropped).collect();
    rows.extend(components.into_iter().map(Row::Component));
    rows
}

/// The Component that runs from now on.
fn made(planned: ComponentRow, member: &FinishMember, time: Timestamp) -> ComponentRow {
    let corrected = member.corrected.iter().find(|corrected| corrected.component == planned.id);
    let attributes = corrected.map_or_else(|| planned.attributes.clone(), |corrected| corrected.attributes.clone());
    ComponentRow { state: ComponentState::Active, since: time, attributes, ..planned }
}

/// What a success proves: that the Artifact is its System's, the Interfaces too, and that the Environment works.
fn names_proven(catalog: &Catalog, spec: &DeploymentSpec, made: &[ComponentRow]) -> Vec<Row> {
    let mut rows = Vec::new();
    if !catalog.artifact(spec.slot.artifact.as_str()).is_some_and(|row| row.proven) {
        rows.push(Row::Artifact(ArtifactRow {
            name: spec.slot.artifact.clone(),
            system: spec.system.clone(),
            proven: true,
        }));
    }
    let environment = catalog.environment(spec.slot.environment.as_str());
    if !environment.as_ref().is_some_and(|row| row.proven) {
        let first_deployment = environment.and_then(|row| row.first_deployment);
        let name = spec.slot.environment.clone();
        rows.push(Row::Environment(EnvironmentRow { name, first_deployment, proven: true }));
    }
    let interfaces: BTreeSet<&Name> = made.iter().map(|row| &row.interface).collect();
    let unproven =
        interfaces.into_iter().filter(|name| !catalog.interface(name.as_str()).is_some_and(|row| row.proven));
    rows.extend(unproven.map(|name| {
        Row::Interface(InterfaceRow { name: name.clone(), system: Some(spec.system.clone()), proven: true })
    }));
    rows
}

/// Attempts that end together: what is recorded before them and with them.
struct Ending<'a> {
    before: &'a Catalog,
    after: &'a Catalog,
    ids: BTreeSet<DeploymentId>,
    made: Made,
    /// What comparing what was matched may still cost.
    comparing: Effort,
    /// What looking for what was added may still cost.
    looking: Effort,
}

/// The Components that attempts which end together make, by their Interface.
#[derive(Default)]
struct Made {
    all: Vec<Handle>,
    by_interface: HashMap<Name, Vec<Handle>>,
}

impl Made {
    fn of(rows: &[Row], after: &Catalog) -> Self {
        let mut made = Self::default();
        for row in rows {
            if let Row::Component(row) = row
                && let Some(handle) = after.find_component(row.id)
            {
                made.all.push(handle);
                made.by_interface.entry(row.interface.clone()).or_default().push(handle);
            }
        }
        made
    }

    /// Those of an Interface; all, where it is any.
    fn of_interface(&self, interface: Option<&Name>) -> &[Handle] {
        match interface {
            Some(interface) => self.by_interface.get(interface).map_or(&[], Vec::as_slice),
            None => &self.all,
        }
    }
}

impl Ending<'_> {
    fn owned_elsewhere(&self, spec: &DeploymentSpec) -> Option<Warning> {
        let owner = self.before.artifact(spec.slot.artifact.as_str())?;
        (owner.proven && owner.system != spec.system).then(|| {
            let message = format!(
                "{} has become {}'s meanwhile; what was deployed is recorded all the same",
                owner.name, owner.system
            );
            Warning::new(Code::ArtifactOwnedElsewhere, "/system", message)
        })
    }

    /// Gathers the matches of an attempt that stand otherwise now. Matches on members of the set that are still open are warned
    /// of, not compared.
    fn compare_all(
        &self,
        member: &FinishMember,
        attempt: &OpenAttempt,
        row: &mut EndingRow,
        warnings: &mut Vec<Warning>,
    ) {
        // A match on another member of the set was no more than planned, so that nothing moved does not mean that it holds.
        let is_in_set = member.together.len() > 1;
        if self.before.active_revision() <= attempt.resolved_at && !is_in_set {
            return;
        }
        let excluded = self.after.excluding([&member.slot]);
        let since = member.looked.as_ref().map_or(attempt.resolved_at, |looked| looked.revision);
        let changed = self.before.changed_since(since);
        row.truncated |= member.looked.as_ref().is_some_and(|looked| looked.truncated);
        let mut left = STALE_ADDED;
        for (index, require) in attempt.requires.iter().enumerate() {
            row.truncated |= !self.compare(member, require, &mut row.moved, warnings);
            let looked = member.looked.as_ref().and_then(|looked| looked.added.get(index));
            let (handles, is_all) = self.candidates(require, looked, changed.as_deref(), &excluded);
            let matched: BTreeSet<_> = require.providers().collect();
            let candidates = handles.into_iter().map(|handle| self.after.component(handle));
            let is_added = |component: &Component<'_>| {
                component.is_active()
                    && !excluded.contains(component)
                    && !matched.contains(&component.id())
                    && require.predicate.accepts(component.interface(), |key| component.label(key))
            };
            let mut added: Vec<_> = candidates.filter(is_added).collect();
            added.sort_by(Component::match_order);
            row.truncated |= added.len() > left || !is_all;
            added.truncate(left);
            left -= added.len();
            row.moved.extend(added.iter().map(|component| MovedMatch {
                section: require.section,
                require: require.name.clone(),
                component: component.id(),
                was: None,
                now: Some(component.revision()),
            }));
        }
    }

    /// The Components that may match a require and did not, each once, and whether these are all: what was found before, what
    /// `changed` since, and what is made now.
    fn candidates(
        &self,
        require: &ResolvedRequire,
        looked: Option<&Vec<ComponentId>>,
        changed: Option<&[Handle]>,
        excluded: &Excluded,
    ) -> (Vec<Handle>, bool) {
        let Some(changed) = changed else {
            let limit = require.matches.len() + STALE_ADDED + 1;
            let found = self.after.resolve(&require.predicate, excluded, limit, &self.looking);
            return (found.handles, !found.more);
        };
        let made = self.made.of_interface(require.predicate.interface.as_ref());
        let count = looked.map_or(0, Vec::len) + changed.len() + made.len();
        if !self.looking.spend(count * require.predicate.comparisons()) {
            return (Vec::new(), false);
        }
        let looked = looked.into_iter().flatten().filter_map(|&id| self.after.find_component(id));
        let mut handles: Vec<_> = looked.chain(changed.iter().copied()).chain(made.iter().copied()).collect();
        handles.sort_unstable();
        handles.dedup();
        (handles, true)
    }

    /// Gathers those matches of a require that do not match any more, or by another row. Whether all could be compared.
    fn compare(
        &self,
        member: &FinishMember,
        require: &ResolvedRequire,
        moved: &mut Vec<MovedMatch>,
        warnings: &mut Vec<Warning>,
    ) -> bool {
        let is_unfinished = |origin| {
            self.made_by(member, origin)
                .is_some_and(|maker| !self.ids.contains(&maker) && self.after.open_attempt(maker).is_some())
        };
        if require.matches.iter().any(|found| is_unfinished(found.origin)) {
            let name = &require.name;
            let message =
                format!("{name} matched a member of the set that is not finished yet; finish providers first");
            let pointer = Pointer::root().join(require.section.as_str()).join(name.as_str());
            warnings.push(Warning::new(Code::ProviderUnfinished, pointer, message));
        }
        for found in require.matches.iter().filter(|found| !is_unfinished(found.origin)) {
            let Some(id) = found.component else { continue };
            if !self.comparing.spend(require.predicate.comparisons()) {
                return false;
            }
            let now = self.after.find_component(id).map(|handle| self.after.component(handle));
            let now = now.filter(|now| {
                now.is_active()
                    && now.slot().as_ref() != Some(&member.slot)
                    && require.predicate.accepts(now.interface(), |key| now.label(key))
            });
            let is_same = match (found.origin, now) {
                (Origin::Catalog { revision }, Some(now)) => revision == now.revision(),
                (Origin::Member { .. }, Some(now)) => self.is_as_planned(member, found.origin, now),
                (_, None) => false,
            };
            if !is_same {
                moved.push(MovedMatch {
                    section: require.section,
                    require: require.name.clone(),
                    component: id,
                    was: Some(*found),
                    now: now.map(|now| now.revision()),
                });
            }
        }
        true
    }

    /// The attempt that makes a match, where that is a member of the set.
    fn made_by(&self, member: &FinishMember, origin: Origin) -> Option<DeploymentId> {
        match origin {
            Origin::Catalog { .. } => None,
            Origin::Member { member: maker, .. } => member.together.get(maker).copied(),
        }
    }

    /// Whether a member that ends now made the Component as it had planned it.
    fn is_as_planned(&self, member: &FinishMember, origin: Origin, made: Component<'_>) -> bool {
        let maker = self.made_by(member, origin).filter(|maker| self.ids.contains(maker));
        let planned =
            maker.and_then(|maker| self.before.open_attempt(maker)?.planned_component(self.before, made.id()));
        planned.is_some_and(|planned| {
            planned.deployment() == made.deployment() && planned.attributes() == made.attributes()
        })
    }
}

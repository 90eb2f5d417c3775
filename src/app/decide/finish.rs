//! Finish: ending open attempts.

use std::collections::BTreeSet;

use super::{Answer, Decision, Refusal};
use crate::catalog::{Catalog, Component};
use crate::document::{JsonText, Pointer};
use crate::model::{
    ArtifactRow, Attributes, Code, ComponentId, ComponentRow, ComponentState, DeploymentId, DeploymentSpec, Difference,
    DifferenceKind, EnvironmentRow, InterfaceRow, LeaseToken, Name, Outcome, Owner, Predicate, RequirementsRow,
    ResolutionRow, Row, Settings, Slot, State, Timestamp, Warning,
};
use crate::planner::Match;
use crate::wire::{MatchView, RecordedRequire, RecordedSpec};

/// How attempts ended.
#[derive(Debug)]
pub struct FinishCommand {
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
#[derive(Debug)]
pub struct FinishMember {
    /// The attempt.
    pub id: DeploymentId,
    /// Its slot.
    pub slot: Slot,
    /// The token that was sent.
    pub token: Option<LeaseToken>,
    /// What it resolved to, with corrected attributes.
    pub resolution: ResolutionRow,
    /// The same, read; the attributes of the Provides corrected.
    pub recorded: RecordedSpec,
    /// Whether any attribute was corrected.
    pub is_corrected: bool,
    /// Whether its plan was posted as a set.
    pub is_in_set: bool,
}

/// What a finish recorded.
#[derive(Debug)]
pub struct Finished {
    /// The attempts that ended now.
    pub members: Vec<FinishedMember>,
}

/// An attempt that ended now.
#[derive(Debug)]
pub struct FinishedMember {
    /// The attempt.
    pub spec: DeploymentSpec,
    /// What a reader should know; pointers are relative to the specification.
    pub warnings: Vec<Warning>,
}

impl FinishCommand {
    pub(super) fn decide(&self, catalog: &Catalog, time: Timestamp) -> Result<Decision, Refusal> {
        let settings = catalog.settings().cloned().unwrap_or_default();
        let open: Vec<_> =
            self.members.iter().filter_map(|member| Some((member, open_attempt(catalog, member)?))).collect();
        if open.is_empty() {
            return Err(Refusal::NoneOpen);
        }
        for (member, attempt) in &open {
            check_token(member, attempt, &settings)?;
        }
        let mut world = catalog.clone();
        let mut rows = Vec::new();
        let mut ended = Vec::with_capacity(open.len());
        for (member, attempt) in &open {
            let (spec, changed) = if self.success {
                self.succeed(&world, member, attempt, time)
            } else {
                self.fail(attempt, member, time)
            };
            changed.iter().for_each(|row| world.apply_row(row));
            rows.extend(changed);
            ended.push(spec);
        }
        let ending: BTreeSet<_> = ended.iter().map(|spec| spec.id).collect();
        let mut members = Vec::with_capacity(open.len());
        for ((member, _), spec) in open.into_iter().zip(ended) {
            let mut resolution = member.resolution.clone();
            let mut warnings = Vec::new();
            if let Some(owner) = catalog
                .artifact(spec.slot.artifact.as_str())
                .filter(|row| self.success && row.proven && row.system != spec.system)
            {
                let message = format!(
                    "{} has become {}'s meanwhile; what was deployed is recorded all the same",
                    owner.name, owner.system
                );
                warnings.push(Warning::new(Code::ArtifactOwnedElsewhere, "/system", message));
            }
            if self.success {
                resolution.stale = stale(catalog, &world, member, &ending, &mut warnings);
            }
            if member.is_corrected || !resolution.stale.is_empty() {
                rows.push(Row::Resolution(resolution));
            }
            members.push(FinishedMember { spec, warnings });
        }
        Ok(Decision { rows, answer: Answer::Finished(Finished { members }) })
    }

    fn ended(&self, attempt: &DeploymentSpec, member: &FinishMember, time: Timestamp) -> DeploymentSpec {
        let token = attempt.opening.as_ref().map(|opening| opening.token.clone());
        DeploymentSpec {
            opening: None,
            outcome: Some(if self.success { Outcome::Succeeded } else { Outcome::Failed }),
            reason: self.reason.clone(),
            ended_with: token.or_else(|| member.token.clone()),
            finished_at: Some(time),
            ..attempt.clone()
        }
    }

    /// The current state becomes Error, the target stays what was asked for; everything else is left as it is.
    fn fail(&self, attempt: &DeploymentSpec, member: &FinishMember, time: Timestamp) -> (DeploymentSpec, Vec<Row>) {
        let spec = DeploymentSpec { current_state: State::Error, ..self.ended(attempt, member, time) };
        (spec.clone(), vec![Row::DeploymentSpec(spec)])
    }

    /// The attempt becomes Active, its predecessor Inactive, and the slot's Components exactly what it provides.
    fn succeed(
        &self,
        catalog: &Catalog,
        member: &FinishMember,
        attempt: &DeploymentSpec,
        time: Timestamp,
    ) -> (DeploymentSpec, Vec<Row>) {
        let slot = catalog.slot(&member.slot);
        let predecessor = slot.and_then(|slot| slot.active());
        let spec = DeploymentSpec {
            current_state: attempt.target_state,
            supersedes: predecessor.map(|active| active.id),
            ..self.ended(attempt, member, time)
        };
        let mut rows = names_proven(catalog, &spec, &member.recorded);
        let replaced = predecessor.into_iter().chain(slot.map_or(&[][..], |slot| slot.errored()));
        rows.extend(replaced.filter(|replaced| replaced.id != spec.id).map(|replaced| {
            let inactive = DeploymentSpec {
                current_state: State::Inactive,
                target_state: State::Inactive,
                ..replaced.as_ref().clone()
            };
            Row::DeploymentSpec(inactive)
        }));
        rows.push(Row::DeploymentSpec(spec.clone()));
        rows.extend(components(catalog, &spec, &member.recorded, time));
        rows.push(Row::Requirements(RequirementsRow {
            slot: member.slot.clone(),
            deployment: Some(spec.id),
            requires: member.recorded.active_requires(),
        }));
        (spec, rows)
    }
}

fn open_attempt<'a>(catalog: &'a Catalog, member: &FinishMember) -> Option<&'a DeploymentSpec> {
    catalog.slot(&member.slot)?.open().filter(|open| open.id == member.id).map(AsRef::as_ref)
}

fn check_token(member: &FinishMember, attempt: &DeploymentSpec, settings: &Settings) -> Result<(), Refusal> {
    let lost = |reason| Err(Refusal::LeaseLost { reason, deployment: member.id });
    match (&member.token, &attempt.opening) {
        (Some(given), Some(opening)) if *given != opening.token => {
            lost("the token is not the one that this attempt was opened with")
        }
        (None, _) if settings.finish_needs_token => {
            lost("the settings demand the token of the lease, and none was sent")
        }
        _ => Ok(()),
    }
}

/// What a success proves: that the Artifact is its System's, the Interfaces too, and that the Environment works.
fn names_proven(catalog: &Catalog, spec: &DeploymentSpec, recorded: &RecordedSpec) -> Vec<Row> {
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
        rows.push(Row::Environment(EnvironmentRow {
            name: spec.slot.environment.clone(),
            first_deployment,
            proven: true,
        }));
    }
    let interfaces: BTreeSet<&Name> = recorded.provides.iter().map(|provide| &provide.interface).collect();
    let unproven =
        interfaces.into_iter().filter(|name| !catalog.interface(name.as_str()).is_some_and(|row| row.proven));
    rows.extend(unproven.map(|name| {
        Row::Interface(InterfaceRow { name: name.clone(), system: Some(spec.system.clone()), proven: true })
    }));
    rows
}

/// The Components of the slot as they are from now on: what is provided, active; what is not any more, inactive.
fn components(catalog: &Catalog, spec: &DeploymentSpec, recorded: &RecordedSpec, time: Timestamp) -> Vec<Row> {
    let provided = recorded.provides.iter().map(|provide| ComponentRow {
        id: provide.component,
        owner: Owner::Slot(spec.slot.clone()),
        system: Some(spec.system.clone()),
        interface: provide.interface.clone(),
        layer: provide.layer,
        version: Some(spec.version.clone()),
        labels: provide.labels.clone(),
        attributes: provide.attributes.clone(),
        state: ComponentState::Active,
        since: time,
        deployment: Some(spec.id),
    });
    let kept: BTreeSet<ComponentId> = recorded.provides.iter().map(|provide| provide.component).collect();
    let dropped = catalog
        .slot_components(&spec.slot)
        .filter(|component| component.is_active() && !kept.contains(&component.id()));
    let dropped =
        dropped.map(|component| ComponentRow { state: ComponentState::Inactive, since: time, ..component.row() });
    provided.chain(dropped).map(Row::Component).collect()
}

/// What of that which was handed to the deploy script is different in the world as it is now. `ending` are the attempts that
/// end with this one; matches on members of the set that are still open are warned of, not compared.
fn stale(
    before: &Catalog,
    world: &Catalog,
    member: &FinishMember,
    ending: &BTreeSet<DeploymentId>,
    warnings: &mut Vec<Warning>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    // A match on another member of the set was no more than planned, so that nothing moved does not mean that it holds.
    let unchanged = before.active_revision() <= member.resolution.resolved_at && !member.is_in_set;
    for (section, name, require) in member.recorded.all_requires() {
        let was = require.matches.iter().zip(require.matched_components());
        let was: Vec<(ComponentId, &JsonText)> = was.map(|(text, id)| (id, text)).collect();
        let open: BTreeSet<_> =
            was.iter().filter(|(_, text)| is_unfinished(world, text, ending)).map(|&(id, _)| id).collect();
        if !open.is_empty() {
            let message =
                format!("{name} matched a member of the set that is not finished yet; finish providers first");
            let pointer = Pointer::root().join(section).join(name.as_str());
            warnings.push(Warning::new(Code::ProviderUnfinished, pointer, message));
        } else if unchanged {
            continue;
        }
        let now = matches_now(world, &member.slot, require);
        let gone = was.iter().filter(|(id, _)| !open.contains(id)).filter_map(|&(id, text)| {
            match now.iter().find(|(other, _)| *other == id) {
                None => Some(difference(name, DifferenceKind::Gone, id, Some(text), None)),
                Some((_, other)) if other != text => {
                    Some(difference(name, DifferenceKind::Changed, id, Some(text), Some(other)))
                }
                Some(_) => None,
            }
        });
        differences.extend(gone);
        let added = now.iter().filter(|(id, _)| !was.iter().any(|(other, _)| other == id));
        differences.extend(added.map(|(id, text)| difference(name, DifferenceKind::Added, *id, None, Some(text))));
    }
    differences
}

fn difference(
    require: &Name,
    kind: DifferenceKind,
    component: ComponentId,
    was: Option<&JsonText>,
    now: Option<&JsonText>,
) -> Difference {
    Difference { require: require.clone(), kind, component, was: was.cloned(), now: now.cloned() }
}

/// Whether a match is on an attempt that is still open, and does not end now.
fn is_unfinished(world: &Catalog, text: &JsonText, ending: &BTreeSet<DeploymentId>) -> bool {
    #[derive(serde::Deserialize)]
    struct MadeBy {
        artifact: Option<Name>,
        environment: Name,
        #[serde(default)]
        instance: String,
        deployment: Option<DeploymentId>,
    }
    let Ok(MadeBy { artifact: Some(artifact), environment, instance, deployment: Some(deployment) }) =
        serde_json::from_str(text.as_str())
    else {
        return false;
    };
    let slot = Slot { artifact, environment, instance: instance.into() };
    let open = world.slot(&slot).and_then(|slot| slot.open());
    !ending.contains(&deployment) && open.is_some_and(|open| open.id == deployment)
}

/// What a require matches now, as it would be handed out.
fn matches_now(world: &Catalog, slot: &Slot, require: &RecordedRequire) -> Vec<(ComponentId, JsonText)> {
    let predicate = Predicate { interface: require.interface.clone(), selector: require.selector.clone() };
    let found = world.resolve(&predicate, &world.excluding([slot]), usize::MAX);
    found.handles.into_iter().map(|handle| handed_out(&world.component(handle), &require.attributes)).collect()
}

fn handed_out(component: &Component<'_>, asked: &[String]) -> (ComponentId, JsonText) {
    let mut found = Match::of(component);
    if !asked.is_empty() {
        let (selected, _): (Attributes, _) = found.attributes.select(asked);
        found.attributes = selected;
    }
    let text = JsonText::of(&MatchView::from(&found)).expect("every key of a match is text");
    (component.id(), text)
}

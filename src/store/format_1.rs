//! The first format of the history, read: what databases, folders and exports of it hold, as it would be recorded now.
//!
//! There a resolution was the text that was answered, with the values of its matches in it; what an open attempt planned and what
//! an active one requires were rows of their own; tokens and keys stood in the history.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use smol_str::SmolStr;
use uuid::Uuid;

use super::StoreError;
use crate::catalog::Catalog;
use crate::document::JsonText;
use crate::model::{
    Action, ArtifactRow, Attributes, Beside, Cause, ChangeSet, ComponentId, ComponentRow, DeploymentId, DeploymentSpec,
    EndingRow, EnvironmentRow, InterfaceRow, KeptToken, KeyRow, Labels, Layer, LeaseRow, LeaseToken, Match, MovedMatch,
    Name, Origin, Outcome, PlanId, PlanRow, Predicate, Quantifier, ReceivedRow, Resolution, ResolutionRow,
    ResolvedProvide, ResolvedRequire, ResolvedSpec, Row, Scope, Section, Selector, Settings, Slot, State, SystemRow,
    Timestamp, Warning, keep_secret,
};

/// Reads a history of format 1 in order, change by change.
#[derive(Default)]
pub(super) struct Format1 {
    /// What runs after the last change that was read: it says to which rows matches refer.
    catalog: Catalog,
}

impl Format1 {
    /// Goes on after what was read before: `catalog` has all of that applied, as it would be recorded now.
    pub fn after(catalog: Catalog) -> Self {
        Self { catalog }
    }

    /// What runs after the last change that was read.
    pub fn into_catalog(self) -> Catalog {
        self.catalog
    }

    /// The next change, as it would be recorded now.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it cannot be read.
    pub fn read(&mut self, text: &[u8]) -> Result<ChangeSet, StoreError> {
        let due = self.catalog.revision() + 1;
        let damaged =
            |error: &dyn std::fmt::Display| StoreError::Damaged(format!("revision {due} cannot be read: {error}"));
        let old: OldChange = serde_json::from_slice(text).map_err(|error| damaged(&error))?;
        if old.revision != due {
            return Err(damaged(&format!("it says that it is revision {}", old.revision)));
        }
        self.convert(old).map_err(|error| damaged(&error))
    }

    fn convert(&mut self, old: OldChange) -> Result<ChangeSet, String> {
        let OldChange { revision, id, time, cause, actor, rows } = old;
        let mut change = ChangeSet { revision, id, time, cause, actor, rows: Vec::new(), beside: Vec::new() };
        // A resolution that comes with what was received is that of a start; any other one tells how an attempt ended.
        let together: Vec<_> = rows.iter().filter_map(OldRow::received).collect();
        let specs = resolved_specs(&rows)?;
        let provided = provided(&together, &specs);
        let before = self.catalog.clone();
        let mut endings = Vec::new();
        for row in rows {
            match row {
                OldRow::Settings(row) => change.rows.push(Row::Settings(row)),
                OldRow::System(row) => change.rows.push(Row::System(row)),
                OldRow::Artifact(row) => change.rows.push(Row::Artifact(row)),
                OldRow::Interface(row) => change.rows.push(Row::Interface(row)),
                OldRow::Environment(row) => change.rows.push(Row::Environment(row)),
                OldRow::Plan(row) => change.rows.push(Row::Plan(row)),
                OldRow::DeploymentSpec(old) => {
                    if let Some(OldOpening { token, .. }) = &old.opening {
                        let lease = LeaseRow { deployment: old.id, token: KeptToken::from_kept(token.0.clone()) };
                        change.beside.push(Beside::Lease(lease));
                    }
                    let ended = ended(&before, &old, revision);
                    change.rows.push(Row::DeploymentSpec(DeploymentSpec { ended, ..old.into() }));
                }
                OldRow::Received(row) => change.rows.push(Row::Received(Arc::new(row))),
                OldRow::Resolution(old) => {
                    let spec = specs.get(&old.deployment).ok_or("a resolution is lost")?;
                    if together.contains(&old.deployment) {
                        change.rows.push(Row::Resolution(Arc::new(resolution(&old, spec, &before, &provided)?)));
                    } else {
                        endings.push(old);
                    }
                }
                OldRow::Component(row) => change.rows.push(Row::Component(row)),
                OldRow::Key(row) => change.beside.push(Beside::Key(row)),
                // They follow from the resolution.
                OldRow::Planned(_) | OldRow::Requirements(_) | OldRow::Slot(_) => {}
            }
        }
        keep_secret(&mut change.beside);
        self.catalog.apply(&change);
        for old in endings {
            let spec = &specs[&old.deployment];
            change.rows.extend(ending(&old, spec, &before, &self.catalog).map(Row::Ending));
        }
        Ok(change)
    }
}

/// The revision that ended an attempt last: this one, where it was open until now.
fn ended(before: &Catalog, old: &OldDeploymentSpec, revision: u64) -> Option<u64> {
    if before.open_attempt(old.id).is_some() {
        return old.opening.is_none().then_some(revision);
    }
    let slot = before.slot(&old.slot)?;
    let known = slot.active().map(|active| &active.spec).into_iter().chain(slot.errored());
    known.into_iter().find(|known| known.id == old.id)?.ended
}

/// What the texts of resolutions say, by attempt.
fn resolved_specs(rows: &[OldRow]) -> Result<HashMap<DeploymentId, OldSpec>, String> {
    let resolutions = rows.iter().filter_map(|row| match row {
        OldRow::Resolution(old) => Some(old),
        _ => None,
    });
    let read = |old: &OldResolution| {
        let spec = serde_json::from_str(old.artifact_spec.as_str()).map_err(|error| error.to_string())?;
        Ok((old.deployment, spec))
    };
    resolutions.map(read).collect()
}

/// Which member of a start provides a Component, and as which of its Provides.
fn provided(
    together: &[DeploymentId],
    specs: &HashMap<DeploymentId, OldSpec>,
) -> HashMap<(DeploymentId, ComponentId), Origin> {
    let members = together.iter().enumerate().filter_map(|(member, id)| Some((member, *id, specs.get(id)?)));
    let provided = members.flat_map(|(member, id, spec)| {
        let provides = spec.provides.iter().enumerate();
        provides.map(move |(provide, old)| ((id, old.component), Origin::Member { member, provide }))
    });
    provided.collect()
}

fn resolution(
    old: &OldResolution,
    spec: &OldSpec,
    before: &Catalog,
    provided: &HashMap<(DeploymentId, ComponentId), Origin>,
) -> Result<ResolutionRow, String> {
    let section = |section, requires: &BTreeMap<Name, OldRequire>| {
        let requires = requires.iter().map(move |(name, old)| (section, name.clone(), old.clone()));
        requires.collect::<Vec<_>>()
    };
    let requires = section(Section::Requires, &spec.requires);
    let requires = requires.into_iter().chain(section(Section::DeploymentSpec, &spec.deployment_spec));
    let requires = requires.map(|(section, name, require)| {
        let matches = require.matches.iter().map(|text| found(text, before, provided)).collect::<Result<_, _>>()?;
        Ok(ResolvedRequire {
            section,
            name,
            predicate: Arc::new(Predicate { interface: require.interface, selector: require.selector }),
            scope: if section == Section::Requires { require.scope } else { Scope::Deployment },
            resolution: require.resolution,
            quantifier: require.quantifier,
            attributes: require.attributes,
            matches,
        })
    });
    Ok(ResolutionRow {
        deployment: old.deployment,
        resolved_at: old.resolved_at,
        spec: ResolvedSpec {
            description: spec.description.clone(),
            annotations: spec.annotations.clone(),
            provides: spec.provides.iter().cloned().map(ResolvedProvide::from).collect(),
            requires: requires.collect::<Result<_, String>>()?,
            warnings: old.warnings.clone(),
        },
    })
}

/// What a match that was written with its values refers to.
fn found(
    text: &JsonText,
    before: &Catalog,
    provided: &HashMap<(DeploymentId, ComponentId), Origin>,
) -> Result<Match, String> {
    let old: OldMatch = serde_json::from_str(text.as_str()).map_err(|error| error.to_string())?;
    let component = Some(old.component);
    if let Some(&origin) = old.deployment.and_then(|maker| provided.get(&(maker, old.component))) {
        return Ok(Match { component, origin });
    }
    let revision = before.find_component(old.component).map(|handle| before.component(handle).revision());
    let revision =
        revision.ok_or_else(|| format!("the Component {} was matched before it was recorded", old.component))?;
    Ok(Match { component, origin: Origin::Catalog { revision } })
}

/// What a resolution that was written again at the end of an attempt tells of it.
fn ending(old: &OldResolution, spec: &OldSpec, before: &Catalog, after: &Catalog) -> Option<EndingRow> {
    let open = before.open_attempt(old.deployment)?;
    let is_active = after.slot(&open.spec.slot).and_then(|slot| slot.active());
    let has_succeeded = is_active.is_some_and(|active| active.spec.id == old.deployment);
    let mut corrected = BTreeMap::new();
    if !has_succeeded {
        for provide in &spec.provides {
            let planned = open.planned_component(before, provide.component);
            if planned.is_none_or(|planned| *planned.attributes() != provide.attributes) {
                corrected.insert(provide.component, provide.attributes.clone());
            }
        }
    }
    // Of a name that stands in both sections a difference does not say which. They come in the order of the sections.
    let mut told: BTreeSet<(&Name, ComponentId)> = BTreeSet::new();
    let moved = old.stale.iter().map(|difference| {
        let component = difference.component;
        let is_second = !told.insert((&difference.require, component));
        let fits = |require: &&ResolvedRequire| {
            require.name == difference.require
                && require.matched(component) == difference.was.is_some()
                && [&difference.was, &difference.now]
                    .into_iter()
                    .flatten()
                    .all(|shown| shown.shows(&require.attributes))
        };
        let fitting: Vec<_> = open.requires.iter().filter(fits).collect();
        let require = fitting.get(usize::from(is_second)).or(fitting.first());
        let was = require.and_then(|require| require.matches.iter().find(|found| found.component == Some(component)));
        let now = after.find_component(component).map(|handle| after.component(handle).revision());
        MovedMatch {
            section: require.map_or(Section::Requires, |require| require.section),
            require: difference.require.clone(),
            component,
            was: was.copied(),
            now: now.filter(|_| difference.now.is_some()),
        }
    });
    let row = EndingRow { deployment: old.deployment, corrected, moved: moved.collect(), truncated: false };
    (!row.corrected.is_empty() || !row.moved.is_empty()).then_some(row)
}

#[derive(Deserialize)]
struct OldChange {
    revision: u64,
    id: Uuid,
    time: Timestamp,
    cause: Cause,
    actor: Option<String>,
    rows: Vec<OldRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum OldRow {
    Settings(Settings),
    System(SystemRow),
    Artifact(ArtifactRow),
    Interface(InterfaceRow),
    Environment(EnvironmentRow),
    Slot(IgnoredAny),
    Plan(PlanRow),
    DeploymentSpec(OldDeploymentSpec),
    Received(ReceivedRow),
    Resolution(OldResolution),
    Component(ComponentRow),
    Planned(IgnoredAny),
    Requirements(IgnoredAny),
    Key(KeyRow),
}

impl OldRow {
    fn received(&self) -> Option<DeploymentId> {
        match self {
            Self::Received(row) => Some(row.deployment),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct OldOpening {
    action: Action,
    token: LeaseToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldDeploymentSpec {
    id: DeploymentId,
    plan: PlanId,
    slot: Slot,
    system: Name,
    version: SmolStr,
    number: u64,
    current_state: State,
    target_state: State,
    opening: Option<OldOpening>,
    outcome: Option<Outcome>,
    reason: Option<String>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
    actor: Option<String>,
    supersedes: Option<DeploymentId>,
}

impl From<OldDeploymentSpec> for DeploymentSpec {
    fn from(old: OldDeploymentSpec) -> Self {
        Self {
            id: old.id,
            plan: old.plan,
            slot: old.slot,
            system: old.system,
            version: old.version,
            number: old.number,
            current_state: old.current_state,
            target_state: old.target_state,
            opening: old.opening.map(|opening| opening.action),
            outcome: old.outcome,
            reason: old.reason,
            ended: None,
            created_at: old.created_at,
            finished_at: old.finished_at,
            actor: old.actor,
            supersedes: old.supersedes,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldResolution {
    deployment: DeploymentId,
    resolved_at: u64,
    artifact_spec: JsonText,
    #[serde(default)]
    warnings: Vec<Warning>,
    #[serde(default)]
    stale: Vec<OldDifference>,
}

#[derive(Deserialize)]
struct OldDifference {
    require: Name,
    component: ComponentId,
    was: Option<OldShown>,
    now: Option<OldShown>,
}

/// What a match was shown as.
#[derive(Deserialize)]
struct OldShown {
    attributes: Attributes,
}

impl OldShown {
    /// Whether it can be what was shown to somebody who `asked` for these attributes: none of them means all.
    fn shows(&self, asked: &[String]) -> bool {
        asked.is_empty() || self.attributes.members().iter().all(|(name, _)| asked.contains(name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldSpec {
    description: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<Name, String>,
    provides: Vec<OldProvide>,
    requires: BTreeMap<Name, OldRequire>,
    deployment_spec: BTreeMap<Name, OldRequire>,
}

#[derive(Clone, Deserialize)]
struct OldProvide {
    component: ComponentId,
    interface: Name,
    layer: Layer,
    version: SmolStr,
    labels: Labels,
    attributes: Attributes,
    #[serde(default)]
    annotations: BTreeMap<Name, String>,
}

impl From<OldProvide> for ResolvedProvide {
    fn from(old: OldProvide) -> Self {
        let OldProvide { component, interface, layer, version, labels, attributes, annotations } = old;
        Self { component: Some(component), interface, layer, version, labels, attributes, annotations }
    }
}

#[derive(Clone, Deserialize)]
struct OldRequire {
    interface: Option<Name>,
    selector: Selector,
    #[serde(default)]
    scope: Scope,
    quantifier: Quantifier,
    #[serde(default)]
    resolution: Resolution,
    attributes: Vec<String>,
    matches: Vec<JsonText>,
}

#[derive(Deserialize)]
struct OldMatch {
    component: ComponentId,
    deployment: Option<DeploymentId>,
}

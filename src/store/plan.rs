//! Plans and the rows of their matches, put together from where they stand in the history.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{LocatedAttempt, Store, StoreError};
use crate::catalog::Catalog;
use crate::model::limits::STALE_BYTES;
use crate::model::{
    Attempt, Attributes, ChangeSet, ComponentId, ComponentRow, ComponentRows, DeploymentId, EndingRow, Origin, PlanId,
    PlanRecord, ReceivedRow, ResolutionRow, ResolvedAttempt, Row,
};

/// How many ChangeSets are in memory at once, at most.
const CHANGES: usize = 16;

/// A plan that was posted as a set, or one attempt; `None` where there is no such plan.
///
/// # Errors
/// [`StoreError`] where it cannot be read.
pub fn plan(store: &dyn Store, id: PlanId) -> Result<Option<PlanRecord>, StoreError> {
    let set = store.set(id)?;
    let is_set = set.is_some();
    let ids = set.map_or_else(|| vec![DeploymentId(id.0)], |set| set.members);
    let located = store.located(&ids)?;
    if !is_set && located.iter().all(Option::is_none) {
        return Ok(None);
    }
    let missing = || StoreError::Damaged(format!("the set {id} has a member that is not recorded"));
    let located: Vec<_> = located.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
    let revisions = located.iter().flat_map(|found| [Some(found.received), Some(found.resolved), found.spec.ended]);
    let mut rows = Rows::default();
    let revisions: BTreeSet<u64> = revisions.flatten().collect();
    each_change(store, revisions.into_iter(), |change| rows.take(change))?;
    let members = located.into_iter().map(|found| rows.attempt(found)).collect::<Result<_, _>>()?;
    Ok(Some(PlanRecord { id, is_set, members }))
}

/// The rows that the matches of a plan refer to: those that still stand in `catalog` from there, others from the history. Of their
/// attributes no more is kept than the plan shows. Of those that the matches moved to, some are left out where they are very large.
///
/// # Errors
/// [`StoreError`] where they cannot be read.
pub fn component_rows(store: &dyn Store, catalog: &Catalog, plan: &PlanRecord) -> Result<ComponentRows, StoreError> {
    let (matched, moved) = shown(plan);
    let mut rows = ComponentRows::new();
    read_rows(store, catalog, &matched, usize::MAX, &mut rows)?;
    read_rows(store, catalog, &moved, STALE_BYTES, &mut rows)?;
    Ok(rows)
}

/// Reads rows until their attributes have so many bytes.
fn read_rows(
    store: &dyn Store,
    catalog: &Catalog,
    shown: &Shown<'_>,
    most_bytes: usize,
    rows: &mut ComponentRows,
) -> Result<(), StoreError> {
    let mut bytes = 0;
    let mut take = |at: (ComponentId, u64), row: ComponentRow| {
        let row = shown[&at].of(row);
        bytes += row.attributes.as_str().len();
        if bytes <= most_bytes {
            rows.insert(at, row);
        }
        bytes <= most_bytes
    };
    let mut wanted: BTreeMap<u64, BTreeSet<ComponentId>> = BTreeMap::new();
    for &(id, revision) in shown.keys() {
        let known = catalog.find_component(id).map(|handle| catalog.component(handle));
        match known.filter(|known| known.revision() == revision) {
            Some(known) if !take((id, revision), known.row()) => return Ok(()),
            Some(_) => {}
            None => drop(wanted.entry(revision).or_default().insert(id)),
        }
    }
    // Some at a time, as they may be large until they are narrowed.
    let wanted: Vec<_> = wanted.into_iter().collect();
    for some in wanted.chunks(CHANGES) {
        let found = store.components_at(&some.iter().cloned().collect())?;
        if !found.into_iter().all(|(at, row)| take(at, row)) {
            return Ok(());
        }
    }
    Ok(())
}

/// The same, as the rows are in `catalog` now; `None` where one of them is not there any more.
pub fn newest_rows(catalog: &Catalog, plan: &PlanRecord) -> Option<ComponentRows> {
    let newest = |((id, revision), shown): ((ComponentId, u64), ShownAttributes<'_>)| {
        let row = catalog.component(catalog.find_component(id)?).row();
        Some(((id, revision), shown.of(row)))
    };
    let (matched, moved) = shown(plan);
    matched.into_iter().chain(moved).map(newest).collect()
}

/// Which attributes are shown of which rows.
type Shown<'a> = BTreeMap<(ComponentId, u64), ShownAttributes<'a>>;

/// Which attributes of a row a plan shows.
enum ShownAttributes<'a> {
    All,
    Only(BTreeSet<&'a str>),
}

impl ShownAttributes<'_> {
    fn of(&self, row: ComponentRow) -> ComponentRow {
        match self {
            Self::All => row,
            Self::Only(names) => ComponentRow { attributes: row.attributes.select(names).0, ..row },
        }
    }
}

/// What a plan shows of which rows: what the requires that matched them ask for, and all of it where one asks for no names. Those
/// that it matched when it was resolved, and the others, to which matches have moved since.
fn shown(plan: &PlanRecord) -> (Shown<'_>, Shown<'_>) {
    let revision = |origin| match origin {
        Origin::Catalog { revision } => Some(revision),
        Origin::Member { .. } => None,
    };
    let (mut shown, mut shown_since) = (Shown::new(), Shown::new());
    for member in &plan.members {
        let spec = &member.resolution.spec;
        let matches = spec.requires.iter().flat_map(|require| {
            let asked = require.attributes.as_slice();
            require.matches.iter().filter_map(move |found| Some((found.component?, revision(found.origin)?, asked)))
        });
        let moved = member.ending.iter().flat_map(|ending| &ending.moved).flat_map(|moved| {
            let asked = spec.require(moved.section, &moved.require).map_or(&[][..], |require| &require.attributes);
            let revisions = [moved.was.and_then(|was| revision(was.origin)), moved.now];
            revisions.into_iter().flatten().map(move |revision| (moved.component, revision, asked))
        });
        matches.for_each(|(component, revision, asked)| add(&mut shown, (component, revision), asked));
        moved.for_each(|(component, revision, asked)| add(&mut shown_since, (component, revision), asked));
    }
    // What stands in both is shown with what either shows.
    for (at, since) in &mut shown_since {
        if let Some(known) = shown.get_mut(at) {
            match (&mut *known, since) {
                (ShownAttributes::Only(names), ShownAttributes::Only(more)) => names.append(more),
                (known, _) => *known = ShownAttributes::All,
            }
        }
    }
    shown_since.retain(|at, _| !shown.contains_key(at));
    (shown, shown_since)
}

fn add<'a>(shown: &mut Shown<'a>, at: (ComponentId, u64), asked: &'a [String]) {
    let known = shown.entry(at).or_insert_with(|| ShownAttributes::Only(BTreeSet::new()));
    match known {
        ShownAttributes::Only(names) if !asked.is_empty() => names.extend(asked.iter().map(String::as_str)),
        _ => *known = ShownAttributes::All,
    }
}

/// Reads these revisions, some at a time.
pub(super) fn each_change<S: Store + ?Sized>(
    store: &S,
    revisions: impl Iterator<Item = u64>,
    mut each: impl FnMut(ChangeSet),
) -> Result<(), StoreError> {
    let revisions: Vec<_> = revisions.collect();
    for some in revisions.chunks(CHANGES) {
        store.changes_at(&some.iter().copied().collect())?.into_values().for_each(&mut each);
    }
    Ok(())
}

/// What was found of attempts.
#[derive(Default)]
struct Rows {
    received: HashMap<DeploymentId, Arc<ReceivedRow>>,
    /// By the revision that resolved them.
    together: HashMap<u64, Arc<[ResolvedAttempt]>>,
    /// By the attempt and the revision that ended it.
    made: HashMap<(DeploymentId, u64), BTreeMap<ComponentId, Attributes>>,
    endings: HashMap<(DeploymentId, u64), EndingRow>,
}

impl Rows {
    fn take(&mut self, change: ChangeSet) {
        let revision = change.revision;
        let mut specs = HashMap::new();
        let mut resolutions: Vec<Arc<ResolutionRow>> = Vec::new();
        for row in change.rows {
            match row {
                Row::DeploymentSpec(spec) => drop(specs.insert(spec.id, spec)),
                Row::Received(row) => drop(self.received.insert(row.deployment, row)),
                Row::Resolution(row) => resolutions.push(row),
                Row::Component(row) => {
                    if let Some(maker) = row.deployment {
                        self.made.entry((maker, revision)).or_default().insert(row.id, row.attributes);
                    }
                }
                Row::Ending(row) => drop(self.endings.insert((row.deployment, revision), row)),
                _ => {}
            }
        }
        let together = resolutions
            .into_iter()
            .filter_map(|resolution| Some(ResolvedAttempt { spec: specs.remove(&resolution.deployment)?, resolution }));
        let together: Arc<[_]> = together.collect();
        self.together.insert(revision, together);
    }

    fn attempt(&mut self, located: LocatedAttempt) -> Result<Attempt, StoreError> {
        let LocatedAttempt { spec, token, received, resolved } = located;
        let missing = |what: &str, at| {
            StoreError::Damaged(format!("the {what} of deployment {} is not in revision {at}", spec.id))
        };
        let together = self.together.get(&resolved).cloned().unwrap_or_default();
        let own = together.iter().find(|attempt| attempt.spec.id == spec.id);
        let resolution = own.map(|own| own.resolution.clone()).ok_or_else(|| missing("resolution", resolved))?;
        let ended = spec.ended.map(|revision| (spec.id, revision));
        let ending = ended.and_then(|ended| self.endings.remove(&ended));
        let corrected = ending.as_ref().map(|row| row.corrected.clone()).unwrap_or_default();
        Ok(Attempt {
            kept_token: token,
            token: None,
            received: self.received.get(&spec.id).cloned().ok_or_else(|| missing("specification", received))?,
            resolution,
            together,
            made: ended.and_then(|ended| self.made.remove(&ended)).unwrap_or(corrected),
            ending,
            spec,
        })
    }
}

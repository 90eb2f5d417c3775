//! Resolving a predicate: the smallest posting drives, the rest is filtered on the row.

use std::collections::HashSet;

use super::component::{Component, Stored};
use super::slots::SlotState;
use super::symbols::{Symbol, Symbols};
use super::{Catalog, Effort, Handle, Known, Posting};
use crate::model::{ComponentState, Expression, Operator, Predicate, Slot, Test};

/// The slots whose Components are no candidates: what is being replaced.
#[derive(Clone, Debug, Default)]
pub struct Excluded(HashSet<super::slots::SlotKey, foldhash::fast::RandomState>);

/// The Components that satisfy a predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In match order; no more than asked for.
    pub handles: Vec<Handle>,
    /// Whether there are, or may be, more: more than asked for, or the effort was spent before everything was looked at.
    pub more: bool,
}

/// Components that come near to a predicate, for explanations.
pub struct Candidates<'a> {
    /// In the order of their first recording; no more than asked for.
    pub components: Vec<Component<'a>>,
    /// Whether there were more than asked for.
    pub more: bool,
}

impl Catalog {
    /// The keys of the labels that every Component has.
    pub const COMMON_LABEL_KEYS: [&str; 4] = Symbols::ALWAYS;

    /// The slots in `slots` as exclusion.
    pub fn excluding<'a>(&self, slots: impl IntoIterator<Item = &'a Slot>) -> Excluded {
        Excluded(slots.into_iter().filter_map(|slot| self.slot_key(slot)).collect())
    }

    /// The active Components that satisfy `predicate`, in match order, at most `limit` of them, found with no more than `effort`.
    pub fn resolve(&self, predicate: &Predicate, excluded: &Excluded, limit: usize, effort: &Effort) -> Found {
        let none = |more| Found { handles: Vec::new(), more };
        if !effort.spend(predicate.selector.0.iter().map(|expression| expression.tests().len()).sum()) {
            return none(true);
        }
        let Some(query) = Query::of(predicate, &self.symbols) else { return none(false) };
        let driver = self.driver(&query);
        if !effort.spend(driver.arranging()) {
            return none(true);
        }
        let (mut handles, mut more) = (Vec::new(), false);
        for handle in driver {
            let stored = &self.components[handle.index()];
            if query.accepts(stored, &self.symbols, effort) && !excluded.holds(stored) {
                handles.push(handle);
            }
            if handles.len() > limit || effort.left() == 0 {
                more = true;
                break;
            }
        }
        handles.truncate(limit);
        if handles.len() > 1 {
            more |= !effort.spend(sorting(handles.len()));
            handles.sort_by(|&left, &right| self.component(left).match_order(&self.component(right)));
        }
        Found { handles, more }
    }

    /// The Components among which the nearest misses of `predicate` are looked for: those of its Interface in any
    /// Environment; without an Interface, those that satisfy the expression with the smallest non-empty posting. At most `limit` of
    /// them, found with no more than `effort`.
    pub fn candidates(
        &self,
        predicate: &Predicate,
        excluded: &Excluded,
        limit: usize,
        effort: &Effort,
    ) -> Candidates<'_> {
        let handles: Handles<'_> = match &predicate.interface {
            Some(interface) => {
                self.label_posting("interface", interface.as_str()).map_or(Handles::Nothing, Handles::One)
            }
            None => predicate
                .selector
                .0
                .iter()
                .filter_map(|expression| self.expression_posting(expression, effort))
                .filter(|handles| handles.len() > 0)
                .min_by_key(Handles::len)
                .unwrap_or(Handles::Nothing),
        };
        let mut components: Vec<_> = handles
            .into_iter()
            .take_while(|_| effort.spend(1))
            .filter(|&handle| {
                let stored = &self.components[handle.index()];
                stored.state == ComponentState::Active && !excluded.holds(stored)
            })
            .take(limit.saturating_add(1))
            .map(|handle| self.component(handle))
            .collect();
        let more = components.len() > limit || effort.left() == 0;
        components.truncate(limit);
        Candidates { components, more }
    }

    /// What open attempts would provide that satisfies `predicate`, in match order: of those that are found with no more than
    /// `effort`.
    pub fn planned(&self, predicate: &Predicate, effort: &Effort) -> Vec<Component<'_>> {
        let slots: Box<dyn Iterator<Item = &SlotState>> = match &predicate.interface {
            Some(interface) => {
                let posting = self.symbols.find(interface.as_str()).and_then(|symbol| self.planned.get(&symbol));
                Box::new(posting.into_iter().flat_map(Posting::iter).map(|slot| self.slot_at(slot)))
            }
            None => Box::new(self.slots.iter().map(AsRef::as_ref).take_while(|_| effort.spend(1))),
        };
        let comparisons = predicate.comparisons();
        let mut found: Vec<_> = slots
            .filter_map(|slot| slot.open.as_ref())
            .flat_map(|open| open.planned.iter())
            .take_while(|_| effort.spend(comparisons))
            .map(|stored| Component::new(&self.symbols, stored))
            .filter(|component| predicate.accepts(component.interface(), |key| component.label(key)))
            .collect();
        found.sort_by(Component::match_order);
        found
    }

    /// The keys of the labels that active Components have, but for [`Catalog::COMMON_LABEL_KEYS`].
    pub fn label_keys(&self) -> Known<'_> {
        Known::new(&self.names.label_keys, &self.symbols)
    }

    /// Whether an active Component has a label of this key.
    pub fn is_label_key(&self, key: &str) -> bool {
        let of_some = || self.symbols.find(key).is_some_and(|key| self.keys.contains_key(&key));
        of_some() || (Self::COMMON_LABEL_KEYS.contains(&key) && !self.places.is_empty())
    }

    /// How many active Components provide this Interface.
    pub fn provider_count(&self, interface: &str) -> usize {
        self.label_posting("interface", interface).map_or(0, Posting::len)
    }

    /// Whether any active Component provides this Interface.
    pub fn is_provided(&self, interface: &str) -> bool {
        self.label_posting("interface", interface).is_some()
    }

    fn label_posting(&self, key: &str, value: &str) -> Option<&Posting<Handle>> {
        self.labels.get(&(self.symbols.find(key)?, self.symbols.find(value)?))
    }

    /// The Components that satisfy one positive expression of exact texts, or of mere existence.
    fn expression_posting(&self, expression: &Expression, effort: &Effort) -> Option<Handles<'_>> {
        let key = self.symbols.find(expression.key().as_str())?;
        let having_key = || match key.is_always_a_label() {
            true => Some(Handles::All(self)),
            false => self.keys.get(&key).map(Handles::One),
        };
        match expression.operator() {
            Operator::Exists => having_key(),
            Operator::In if expression.tests().iter().all(|test| matches!(test, Test::Text(_))) => {
                let values = expression.values().filter_map(|value| self.symbols.find(value));
                Some(Handles::union(values.filter_map(|value| self.labels.get(&(key, value)))))
            }
            Operator::In | Operator::InRange => {
                let comparisons = 1 + expression.comparisons();
                let looked_at = having_key()?.into_iter().take_while(|_| effort.spend(comparisons));
                let accepted = looked_at.filter(|handle| {
                    let stored = &self.components[handle.index()];
                    let value = stored.label(key).map(|value| self.symbols.text(value).as_ref());
                    stored.state == ComponentState::Active && expression.accepts(value)
                });
                Some(Handles::Listed(accepted.take(LISTED).collect()))
            }
            Operator::NotIn | Operator::NotInRange | Operator::DoesNotExist => None,
        }
    }

    /// The smallest set that certainly holds every Component that satisfies `query`.
    fn driver<'a>(&'a self, query: &Query<'_>) -> Handles<'a> {
        let by_interface = query.interface.map(|interface| {
            let in_environment = query.expressions.iter().find(|e| e.is_text_in("environment"));
            match in_environment {
                Some(expression) => {
                    let values = expression.texts.iter();
                    Handles::union(values.filter_map(|&value| self.places.get(&(interface, value))))
                }
                None => self.label_posting_of("interface", interface),
            }
        });
        let by_label = query.expressions.iter().filter_map(|expression| match expression.written.operator() {
            Operator::In if !expression.has_ranges => {
                let Some(key) = expression.key else { return Some(Handles::Nothing) };
                let values = expression.texts.iter();
                Some(Handles::union(values.filter_map(|&value| self.labels.get(&(key, value)))))
            }
            Operator::In | Operator::InRange | Operator::Exists => {
                let key = expression.key.filter(|key| !key.is_always_a_label());
                match (expression.key, key.and_then(|key| self.keys.get(&key))) {
                    (_, Some(posting)) => Some(Handles::One(posting)),
                    (Some(always), None) if always.is_always_a_label() => None,
                    _ => Some(Handles::Nothing),
                }
            }
            Operator::NotIn | Operator::NotInRange | Operator::DoesNotExist => None,
        });
        let smallest = by_interface.into_iter().chain(by_label).min_by_key(Handles::len);
        smallest.unwrap_or(Handles::All(self))
    }

    /// The smallest set that certainly holds every active Component that satisfies `predicate`.
    pub(super) fn smallest(&self, predicate: &Predicate) -> Handles<'_> {
        Query::of(predicate, &self.symbols).map_or(Handles::Nothing, |query| self.driver(&query))
    }

    fn label_posting_of(&self, key: &str, value: Symbol) -> Handles<'_> {
        let posting = self.symbols.find(key).and_then(|key| self.labels.get(&(key, value)));
        posting.map_or(Handles::Nothing, Handles::One)
    }
}

/// How many Components are listed for an expression whose posting has to be computed.
const LISTED: usize = 10_001;

impl Excluded {
    /// Whether a Component is no candidate.
    pub fn contains(&self, component: &Component<'_>) -> bool {
        self.holds(component.stored())
    }

    fn holds(&self, stored: &Stored) -> bool {
        !self.0.is_empty()
            && stored.instance.is_some_and(|instance| {
                let key = super::slots::SlotKey { artifact: stored.name, environment: stored.environment, instance };
                self.0.contains(&key)
            })
    }
}

/// A set of handles to run through.
pub(super) enum Handles<'a> {
    Nothing,
    One(&'a Posting<Handle>),
    Union(Vec<&'a Posting<Handle>>),
    Listed(Vec<Handle>),
    All(&'a Catalog),
}

impl<'a> Handles<'a> {
    /// The Components that have one of several values, one of which may have been written twice.
    fn union(postings: impl Iterator<Item = &'a Posting<Handle>>) -> Self {
        let mut postings: Vec<_> = postings.collect();
        postings.sort_by_key(|posting| std::ptr::from_ref(*posting));
        postings.dedup_by_key(|posting| std::ptr::from_ref(*posting));
        Self::Union(postings)
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(posting) => posting.len(),
            Self::Union(postings) => postings.iter().map(|posting| posting.len()).sum(),
            Self::Listed(handles) => handles.len(),
            Self::All(catalog) => catalog.components.len(),
        }
    }

    /// How many comparisons it takes to bring them into order.
    fn arranging(&self) -> usize {
        match self {
            Self::Union(postings) if postings.len() > 1 => self.len(),
            _ => 0,
        }
    }
}

impl<'a> IntoIterator for Handles<'a> {
    type Item = Handle;
    type IntoIter = Box<dyn Iterator<Item = Handle> + 'a>;

    /// Each handle once, in ascending order: the postings of a union are disjoint, since a Component has one value for a key. Those
    /// of everything are inactive ones too.
    fn into_iter(self) -> Self::IntoIter {
        match self {
            Self::Nothing => Box::new(std::iter::empty()),
            Self::One(posting) => posting.iter(),
            Self::Union(postings) => match postings.as_slice() {
                [only] => only.iter(),
                _ => {
                    let mut handles: Vec<_> = postings.iter().flat_map(|posting| posting.iter()).collect();
                    handles.sort_unstable();
                    Box::new(handles.into_iter())
                }
            },
            Self::Listed(handles) => Box::new(handles.into_iter()),
            Self::All(catalog) => Box::new((0..catalog.components.len()).map(Handle::new)),
        }
    }
}

/// How many comparisons it takes to sort so many Components.
fn sorting(count: usize) -> usize {
    4 * count * (count.max(1).ilog2() as usize)
}

/// A predicate whose texts are looked up once, not for every row.
struct Query<'p> {
    interface: Option<Symbol>,
    expressions: Vec<QueryExpression<'p>>,
}

struct QueryExpression<'p> {
    written: &'p Expression,
    /// `None` where no label has this key anywhere.
    key: Option<Symbol>,
    /// The exact values that anything has at all, in ascending order.
    texts: Vec<Symbol>,
    has_ranges: bool,
    /// As how many comparisons it counts to ask it of a value that is not long.
    comparisons: usize,
}

impl<'p> Query<'p> {
    /// `None` where nothing can satisfy it, because nothing provides its Interface.
    fn of(predicate: &'p Predicate, symbols: &Symbols) -> Option<Self> {
        let interface = match &predicate.interface {
            Some(interface) => Some(symbols.find(interface.as_str())?),
            None => None,
        };
        let expressions = predicate.selector.0.iter().map(|written| {
            let has_ranges = written.has_ranges();
            let mut texts = Vec::with_capacity(written.tests().len());
            for test in written.tests() {
                if let Test::Text(text) = test {
                    texts.extend(symbols.find(text));
                }
            }
            texts.sort_unstable();
            let comparisons = if has_ranges { written.comparisons() } else { 1 };
            QueryExpression { written, key: symbols.find(written.key().as_str()), texts, has_ranges, comparisons }
        });
        Some(Self { interface, expressions: expressions.collect() })
    }

    /// Whether a Component is active and satisfies it; not where `effort` is spent before that is known.
    fn accepts(&self, stored: &Stored, symbols: &Symbols, effort: &Effort) -> bool {
        effort.spend(1)
            && stored.state == ComponentState::Active
            && self.interface.is_none_or(|interface| interface == stored.interface)
            && self.expressions.iter().all(|expression| expression.accepts(stored, symbols, effort))
    }
}

impl QueryExpression<'_> {
    fn is_text_in(&self, key: &str) -> bool {
        self.written.operator() == Operator::In && !self.has_ranges && self.written.key().as_str() == key
    }

    fn accepts(&self, stored: &Stored, symbols: &Symbols, effort: &Effort) -> bool {
        let value = self.key.and_then(|key| stored.label(key));
        let comparisons = match value {
            Some(value) if self.has_ranges => self.comparisons + symbols.text(value).len(),
            _ => 1,
        };
        if !effort.spend(comparisons) {
            return false;
        }
        let is_listed = |value: Symbol| match self.has_ranges {
            true => self.written.lists(symbols.text(value)),
            false => self.texts.binary_search(&value).is_ok(),
        };
        match self.written.operator() {
            Operator::In | Operator::InRange => value.is_some_and(is_listed),
            Operator::NotIn | Operator::NotInRange => !value.is_some_and(is_listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

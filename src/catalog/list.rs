//! Pages of Components: a walk over those that the rarest part of a filter leads to, of a bounded length.

use std::ops::Bound;

use super::resolve::Handles;
use super::symbols::Symbol;
use super::{Catalog, Component, Posting};
use crate::model::{ComponentId, ComponentState, Expression, Name, Predicate, Selector};

/// As many comparisons as count as one look.
const COMPARISONS: usize = 64;

/// Which Components to list; absent: any.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field is the property of the Component of that name")]
pub struct ComponentFilter {
    pub system: Option<String>,
    pub environment: Option<String>,
    pub interface: Option<String>,
    pub artifact: Option<String>,
    pub server: Option<String>,
    /// Active where it is absent.
    pub state: Option<ComponentState>,
    pub selector: Selector,
}

/// A page of a list of Components.
pub struct ComponentPage<'a> {
    /// The Components, in the order of the list.
    pub components: Vec<Component<'a>>,
    /// After which Component the list goes on, where there may be more.
    pub next: Option<ComponentId>,
    /// How many were looked at.
    pub looked: usize,
}

/// Components that are kept together for lists, in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shelf {
    /// All that do not run.
    Inactive,
    /// Whether they run, the property, and its value.
    Of(bool, Property, Symbol),
}

/// What Components are looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Property {
    System,
    Environment,
    Interface,
    Name,
}

impl ComponentFilter {
    /// Whether it takes a Component, whatever its state.
    pub fn accepts(&self, component: &Component<'_>) -> bool {
        let is = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| actual == Some(wanted))
        };
        let name = component.name().as_ref();
        is(&self.system, component.system().map(AsRef::as_ref))
            && is(&self.environment, Some(component.environment()))
            && is(&self.interface, Some(component.interface()))
            && is(&self.artifact, (!component.is_server()).then_some(name))
            && is(&self.server, component.is_server().then_some(name))
            && self.selector.accepts(|key| component.label(key))
    }

    /// What an active Component that it takes satisfies; `None` where no Component can.
    fn predicate(&self) -> Option<Predicate> {
        let mut selector = self.selector.clone();
        let labels = [("environment", &self.environment), ("name", &self.artifact), ("name", &self.server)];
        for (key, value) in labels {
            let Some(value) = value else { continue };
            selector.0.push(Expression::equals(Name::new(key).expect("the key of a label is a name"), value.as_str()));
        }
        let interface = self.interface.as_deref().map(Name::new).transpose().ok()?;
        Some(Predicate { interface, selector })
    }
}

impl Catalog {
    /// The first `limit` Components that a filter takes, after the Component `after`; no more than `looks` are looked at, so
    /// that a page may have fewer, or none, and say where to go on.
    ///
    /// They come in the order of their ids, which is that of their first planning.
    pub fn list_components(
        &self,
        filter: &ComponentFilter,
        after: Option<ComponentId>,
        limit: usize,
        looks: usize,
    ) -> ComponentPage<'_> {
        let state = filter.state.unwrap_or(ComponentState::Active);
        let (components, looked) = match state {
            ComponentState::Planned => (self.planned_after(filter, after, looks), 0),
            _ => self.recorded_after(filter, state, after, looks),
        };
        let accepts = |component: &Component<'_>| component.state() == state && filter.accepts(component);
        let mut found = page(components, accepts, limit, (looks, looks_of_one(&filter.selector)));
        found.looked = found.looked.max(looked);
        found
    }

    /// Some Components in order, among them all of this state that the filter takes; and how many were looked at for that.
    fn recorded_after(
        &self,
        filter: &ComponentFilter,
        state: ComponentState,
        after: Option<ComponentId>,
        looks: usize,
    ) -> (Box<dyn Iterator<Item = Component<'_>> + '_>, usize) {
        let is_active = state == ComponentState::Active;
        let properties = [
            (Property::System, &filter.system),
            (Property::Environment, &filter.environment),
            (Property::Interface, &filter.interface),
            (Property::Name, &filter.artifact),
            (Property::Name, &filter.server),
        ];
        let is_kept = |property| !is_active || matches!(property, Property::System | Property::Environment);
        let of = properties.into_iter().filter(|(property, _)| is_kept(*property));
        let of = of.filter_map(|(property, value)| {
            let value = self.symbols.find(value.as_ref()?);
            Some(value.map(|value| Shelf::Of(is_active, property, value)))
        });
        let all = (!is_active).then_some(Some(Shelf::Inactive));
        let shelves = of.chain(all).map(|shelf| shelf.and_then(|shelf| self.shelves.get(&shelf)));
        let shelf = shelves.min_by_key(|shelf| shelf.map_or(0, Posting::len));
        if is_active {
            // What labels lead to has another order. Few are put in order; of many many are taken.
            let handles = filter.predicate().map_or(Handles::Nothing, |predicate| self.smallest(&predicate));
            let known = shelf.map_or(self.ids.len(), |shelf| shelf.map_or(0, Posting::len));
            let count = handles.len();
            if count < known && count <= looks {
                let components = handles.into_iter().map(|handle| self.component(handle));
                let mut found: Vec<_> =
                    components.filter(|component| after.is_none_or(|after| component.id() > after)).collect();
                found.sort_unstable_by_key(Component::id);
                return (Box::new(found.into_iter()), count);
            }
        }
        let components: Box<dyn Iterator<Item = Component<'_>> + '_> = match shelf {
            Some(shelf) => {
                let ids = shelf.into_iter().flat_map(move |ids| ids.iter_after(after));
                Box::new(ids.filter_map(|id| self.find_component(id)).map(|handle| self.component(handle)))
            }
            None => Box::new(self.components_after(after)),
        };
        (components, 0)
    }

    /// Some planned Components in order, among them all that the filter takes.
    fn planned_after(
        &self,
        filter: &ComponentFilter,
        after: Option<ComponentId>,
        looks: usize,
    ) -> Box<dyn Iterator<Item = Component<'_>> + '_> {
        let interface = filter.interface.as_ref().map(|interface| self.symbols.find(interface));
        let slots = interface.map(|interface| interface.and_then(|interface| self.planned.get(&interface)));
        match slots {
            Some(None) => return Box::new(std::iter::empty()),
            Some(Some(slots)) if slots.len() <= looks => {
                let open = slots.iter().filter_map(|slot| self.slot_at(slot).open.as_ref());
                let components = open.flat_map(|open| open.planned(self));
                let mut found: Vec<_> =
                    components.filter(|component| after.is_none_or(|after| component.id() > after)).collect();
                found.sort_unstable_by_key(Component::id);
                return Box::new(found.into_iter());
            }
            _ => {}
        }
        Box::new(self.planned_components_after(after))
    }

    /// The Components that open attempts would make, in order of their ids; those after `after`.
    pub fn planned_components_after(&self, after: Option<ComponentId>) -> impl Iterator<Item = Component<'_>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let planned = self.planned_ids.range((from, Bound::Unbounded));
        planned.filter_map(|(&id, &slot)| self.slot_at(slot).open.as_ref()?.planned_component(self, id))
    }

    /// The Component of this identity that an open attempt would make.
    pub fn planned_component(&self, id: ComponentId) -> Option<Component<'_>> {
        self.slot_at(*self.planned_ids.get(&id)?).open.as_ref()?.planned_component(self, id)
    }
}

/// As how many looks it counts to ask a selector of one Component.
fn looks_of_one(selector: &Selector) -> usize {
    1 + selector.0.iter().map(Expression::comparisons).sum::<usize>() / COMPARISONS
}

fn page<'a>(
    components: impl Iterator<Item = Component<'a>>,
    accepts: impl Fn(&Component<'_>) -> bool,
    limit: usize,
    (looks, of_one): (usize, usize),
) -> ComponentPage<'a> {
    let mut found = ComponentPage { components: Vec::new(), next: None, looked: 0 };
    let mut last = None;
    for component in components {
        if found.looked >= looks {
            found.next = last;
            break;
        }
        found.looked += of_one;
        let is_accepted = accepts(&component);
        if is_accepted && found.components.len() == limit {
            found.next = found.components.last().map(Component::id);
            break;
        }
        last = Some(component.id());
        if is_accepted {
            found.components.push(component);
        }
    }
    found
}

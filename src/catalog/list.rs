//! Pages of Components: a walk over those that the rarest part of a filter leads to, of a bounded length.

use std::ops::Bound;

use super::resolve::Handles;
use super::slots::SlotIndex;
use super::symbols::Symbol;
use super::{Catalog, Component, Handle, Posting};
use crate::model::{ComponentId, ComponentState, Expression, Name, Predicate, Selector};

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

/// Components that are kept together for lists, where no label has them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shelf {
    Active,
    ActiveOf(Symbol),
    Inactive,
    /// The property, and its value.
    InactiveOf(Property, Symbol),
}

/// What Components that do not run are looked for by.
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
    /// They come in the order of their first recording, planned ones in that of their ids.
    pub fn list_components(
        &self,
        filter: &ComponentFilter,
        after: Option<ComponentId>,
        limit: usize,
        looks: usize,
    ) -> ComponentPage<'_> {
        match filter.state.unwrap_or(ComponentState::Active) {
            ComponentState::Planned => {
                page(self.planned_after(filter, after, looks), |component| filter.accepts(component), limit, looks)
            }
            state => {
                let from = after.map(|after| self.find_component(after));
                let handles = match from {
                    // Nothing is known to come after what is not known.
                    Some(None) => Box::new(std::iter::empty()),
                    Some(Some(after)) => self.recorded(filter, state, Some(after)),
                    None => self.recorded(filter, state, None),
                };
                let components = handles.map(|handle| self.component(handle));
                page(components, |component| component.state() == state && filter.accepts(component), limit, looks)
            }
        }
    }

    /// Some Components in order, among them all of this state that the filter takes.
    fn recorded(
        &self,
        filter: &ComponentFilter,
        state: ComponentState,
        after: Option<Handle>,
    ) -> Box<dyn Iterator<Item = Handle> + '_> {
        let symbol = |value: &Option<String>| value.as_ref().map(|value| self.symbols.find(value));
        let mut shelves = Vec::new();
        if state == ComponentState::Active {
            shelves.push(Some(Shelf::Active));
            shelves.extend(symbol(&filter.system).map(|system| system.map(Shelf::ActiveOf)));
        } else {
            shelves.push(Some(Shelf::Inactive));
            let properties = [
                (Property::System, &filter.system),
                (Property::Environment, &filter.environment),
                (Property::Interface, &filter.interface),
                (Property::Name, &filter.artifact),
                (Property::Name, &filter.server),
            ];
            shelves.extend(
                properties.into_iter().filter_map(|(property, value)| {
                    Some(symbol(value)?.map(|value| Shelf::InactiveOf(property, value)))
                }),
            );
        }
        let shelf = |shelf: Option<Shelf>| match shelf.and_then(|shelf| self.shelves.get(&shelf)) {
            Some(posting) => Handles::One(posting),
            None => Handles::Nothing,
        };
        let mut sources: Vec<_> = shelves.into_iter().map(shelf).collect();
        if state == ComponentState::Active {
            sources.push(filter.predicate().map_or(Handles::Nothing, |predicate| self.smallest(&predicate)));
        }
        let smallest = sources.into_iter().min_by_key(Handles::len);
        smallest.map_or_else(|| Box::new(std::iter::empty()) as Box<_>, |handles| handles.iter_after(after))
    }

    /// Some planned Components in order, among them all that the filter takes.
    fn planned_after(
        &self,
        filter: &ComponentFilter,
        after: Option<ComponentId>,
        looks: usize,
    ) -> Box<dyn Iterator<Item = Component<'_>> + '_> {
        let slots = |index: &super::CowMap<Symbol, Posting<SlotIndex>>, value: &Option<String>| {
            let value = value.as_ref()?;
            Some(self.symbols.find(value).and_then(|value| index.get(&value)).map_or_else(Vec::new, |slots| {
                // So many are not brought into order; one more tells.
                slots.iter().take(looks + 1).collect()
            }))
        };
        let few = [slots(&self.slots_of, &filter.artifact), slots(&self.planned, &filter.interface)];
        if let Some(few) = few.into_iter().flatten().filter(|slots| slots.len() <= looks).min_by_key(Vec::len) {
            let open = few.into_iter().filter_map(|slot| self.slot_at(slot).open.as_ref());
            let components = open.flat_map(|open| open.planned(self));
            let mut found: Vec<_> =
                components.filter(|component| after.is_none_or(|after| component.id() > after)).collect();
            found.sort_by_key(Component::id);
            return Box::new(found.into_iter());
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

fn page<'a>(
    components: impl Iterator<Item = Component<'a>>,
    accepts: impl Fn(&Component<'_>) -> bool,
    limit: usize,
    looks: usize,
) -> ComponentPage<'a> {
    let mut found = ComponentPage { components: Vec::new(), next: None, looked: 0 };
    let mut last = None;
    for component in components {
        if found.looked == looks {
            found.next = last;
            break;
        }
        found.looked += 1;
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

//! Who is coupled to a Component.

use crate::catalog::{Catalog, Component, Consumer};
use crate::model::{Coupling, Requirer, Scope};

/// All consumers of a Component, of both scopes, ordered by slot and require.
pub fn couplings(catalog: &Catalog, component: &Component<'_>) -> Vec<Coupling> {
    let consumers = catalog.consumers(component.id());
    consumers.iter().map(|consumer| coupling(consumer, consumer.is_broken_on(component))).collect()
}

/// A consumer, and whether its coupling is broken.
pub fn coupling(consumer: &Consumer<'_>, broken: bool) -> Coupling {
    let Consumer { requirements, require } = consumer;
    Coupling {
        requirer: Requirer::new(requirements, &require.name),
        scope: require.scope,
        // What is not coupled cannot break.
        broken: broken && require.scope == Scope::Runtime,
    }
}

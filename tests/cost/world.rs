//! A world in which requests are costly: many Components of few Interfaces, each of a version of its own.

use mortise::catalog::Catalog;
use mortise::document::Json;
use mortise::model::{
    Attributes, Cause, ChangeSet, ComponentId, ComponentRow, ComponentState, Labels, Layer, Name, Owner, Row, Timestamp,
};
use uuid::Uuid;

/// How many Components provide an Interface.
const EACH: usize = 200;

/// So many Components, all in `test`.
pub fn catalog(components: usize) -> Catalog {
    let mut catalog = Catalog::default();
    let rows = (0..components).map(|index| Row::Component(component(index))).collect();
    let (id, time) = (Uuid::nil(), Timestamp::default());
    let (cause, actor, beside) = (Cause::PutServer, None, Vec::new());
    catalog.apply(&ChangeSet { revision: 1, id, time, cause, actor, rows, beside });
    catalog
}

fn component(index: usize) -> ComponentRow {
    let name = |text: String| Name::new(text).expect("the names are valid");
    let (server, interface) = (format!("server-{index}"), format!("interface-{}", index / EACH));
    let version = format!("{}.{}", index % 97, index % 11);
    let labels: Labels = [
        ("interface", interface.as_str()),
        ("name", server.as_str()),
        ("version", version.as_str()),
        ("environment", "test"),
        ("layer", "server"),
        ("tier", ["gold", "silver"][index % 2]),
    ]
    .into_iter()
    .map(|(key, value)| (name(key.to_owned()), value.into()))
    .collect();
    ComponentRow {
        id: ComponentId(Uuid::from_u128(index as u128 + 1)),
        owner: Owner::Server { name: name(server.clone()), environment: name("test".to_owned()) },
        system: None,
        interface: name(interface),
        layer: Layer::Server,
        version: Some(version.into()),
        labels,
        attributes: Attributes::new(vec![("url".to_owned(), Json::Text(format!("https://{server}.example.org/")))]),
        state: ComponentState::Active,
        since: Timestamp::default(),
        deployment: None,
    }
}

//! Random small worlds: few distinct values, so that matches, ambiguities and sets are common.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use std::collections::BTreeMap;

use mortise::document::Json;
use mortise::model::{
    ArtifactSpec, Attributes, Expression, FirstDeployment, Labels, Layer, Name, Operator, Predicate, Provide,
    Quantifier, Ready, Require, Resolution, Scope, Selector, ServerDeclaration, Settings, Slot,
};

use crate::history::{History, name};

pub const ARTIFACTS: [&str; 4] = ["a", "b", "c", "d"];
pub const SERVERS: [&str; 3] = ["a", "h", "k"];
pub const ENVIRONMENTS: [&str; 2] = ["test", "prod"];
pub const INSTANCES: [&str; 3] = ["", "", "blue"];
pub const INTERFACES: [&str; 3] = ["http", "sql", "server"];
pub const VERSIONS: [&str; 7] = ["1.0", "1", "1.1", "1.1-SNAPSHOT", "2.0", "2.0.0-rc.1", "???"];
pub const RANGES: [&str; 7] = ["[1.0,2.0)", "[1.1,)", "(,1.1)", "[1.0]", "^1.0", "~1.1", ">=1, <3"];
pub const KEYS: [&str; 3] = ["tier", "zone", "zones"];
pub const VALUES: [&str; 3] = ["gold", "red", ""];

/// Pseudo-random numbers (SplitMix64), the same for the same seed.
pub struct Generator {
    state: u64,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn name(&mut self, from: &[&str]) -> Name {
        name(self.pick::<&str>(from))
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }

    pub fn slot(&mut self) -> Slot {
        Slot {
            artifact: self.name(&ARTIFACTS),
            environment: self.name(&ENVIRONMENTS),
            instance: (*self.pick(&INSTANCES)).into(),
        }
    }
}

/// Deploys, opens, fails, stops, declares or withdraws something.
pub fn random_change(generator: &mut Generator, history: &mut History) {
    let slot = generator.slot();
    // Nothing can be opened where something is, or where policy refuses it.
    let is_open = history.catalog.slot(&slot).is_some_and(|state| state.open().is_some());
    let policy = history.catalog.first_deployment(&slot.environment, &Settings::default());
    let is_refused = policy == Some(FirstDeployment::Refuse);
    match generator.below(10) {
        0 => history.declare(&server(generator)),
        1 => {
            let server = *generator.pick(&SERVERS);
            if history.catalog.server(server).is_some() {
                history.withdraw(server);
            }
        }
        2 if history.catalog.slot(&slot).is_some_and(|state| state.active().is_some()) => history.stop(&slot),
        3 | 4 if is_open => history.fail(&slot),
        _ if is_refused => {}
        3 => drop(history.open(&spec(generator, slot))),
        _ if !is_open => drop(history.deploy(&spec(generator, slot))),
        _ => {}
    }
}

pub fn server(generator: &mut Generator) -> ServerDeclaration {
    let (server, environment) = (generator.name(&SERVERS), generator.name(&ENVIRONMENTS));
    let interface = generator.name(&["server", "server", "http"]);
    let version = generator.chance(50).then(|| *generator.pick(&VERSIONS));
    let mut labels = own_labels(generator);
    for (key, value) in [("interface", &interface), ("name", &server), ("environment", &environment)] {
        labels.set(name(key), value.shared().clone());
    }
    labels.set(name("layer"), "server");
    if let Some(version) = &version {
        labels.set(name("version"), *version);
    }
    ServerDeclaration {
        name: server,
        environment,
        interface,
        layer: Layer::Server,
        version: version.map(Into::into),
        labels,
        attributes: attributes(generator),
    }
}

/// A specification for `slot`; nothing in it is late.
pub fn spec(generator: &mut Generator, slot: Slot) -> ArtifactSpec {
    let version = *generator.pick(&VERSIONS);
    let mut provides: Vec<Provide> = Vec::new();
    for _ in 0..generator.below(3) {
        let provide = provide(generator, &slot, version);
        if provides.iter().all(|other| (&other.interface, other.layer) != (&provide.interface, provide.layer)) {
            provides.push(provide);
        }
    }
    let mut requires = BTreeMap::new();
    for index in 0..generator.below(3) {
        let require = require(generator, &slot.environment, true);
        requires.insert(name(["p", "q"][index]), require);
    }
    let mut deployment_spec = BTreeMap::new();
    if generator.chance(30) {
        deployment_spec.insert(name("host"), require(generator, &slot.environment, false));
    }
    let system = name("shop");
    ArtifactSpec {
        system,
        slot,
        version: version.into(),
        description: None,
        annotations: BTreeMap::new(),
        provides,
        requires,
        deployment_spec,
        warnings: Vec::new(),
        rendered_bytes: 0,
    }
}

/// One to three specifications for distinct slots.
pub fn set(generator: &mut Generator) -> Vec<ArtifactSpec> {
    let mut specs: Vec<ArtifactSpec> = Vec::new();
    for _ in 0..generator.below(3) + 1 {
        let slot = generator.slot();
        if specs.iter().all(|spec| spec.slot != slot) {
            specs.push(spec(generator, slot));
        }
    }
    specs
}

fn provide(generator: &mut Generator, slot: &Slot, artifact_version: &'static str) -> Provide {
    let interface = generator.name(&INTERFACES);
    let layer = *generator.pick(&[Layer::Server, Layer::Server, Layer::Router]);
    let version = if generator.chance(70) { artifact_version } else { *generator.pick(&VERSIONS) };
    let mut labels = own_labels(generator);
    for (key, value) in [("interface", &interface), ("name", &slot.artifact), ("environment", &slot.environment)] {
        labels.set(name(key), value.shared().clone());
    }
    labels.set(name("layer"), layer.as_str());
    labels.set(name("version"), version);
    if !slot.instance.is_empty() {
        labels.set(name("instance"), slot.instance.clone());
    }
    let attributes = attributes(generator).members().into_iter().map(|(key, value)| (key, Ready::Now(value))).collect();
    Provide { interface, layer, version: version.into(), labels, attributes, annotations: BTreeMap::new() }
}

fn require(generator: &mut Generator, environment: &Name, may_name_interface: bool) -> Require {
    let interface = (may_name_interface && generator.chance(75)).then(|| generator.name(&INTERFACES));
    let mut selector = selector(generator);
    if !selector.mentions("environment") {
        selector.0.push(Expression::equals(name("environment"), environment.shared().clone()));
    }
    let (min, max) =
        *generator.pick(&[(1, Some(1)), (1, Some(1)), (0, Some(1)), (0, None), (1, None), (2, Some(3)), (0, Some(0))]);
    let asked = if generator.chance(30) { vec!["url".to_owned(), "port".to_owned()] } else { Vec::new() };
    Require {
        interface,
        selector: Ready::Now(selector),
        scope: *generator.pick(&[Scope::Runtime, Scope::Deployment]),
        resolution: Resolution::Mandatory,
        quantifier: Quantifier::new(min, max).unwrap(),
        attributes: Ready::Now(asked),
    }
}

pub fn selector(generator: &mut Generator) -> Selector {
    let count = *generator.pick(&[0, 0, 1, 1, 2, 3]);
    Selector((0..count).map(|_| expression(generator)).collect())
}

pub fn predicate(generator: &mut Generator) -> Predicate {
    let interface = generator.chance(50).then(|| generator.name(&["http", "sql", "server", "nothing"]));
    Predicate { interface, selector: selector(generator) }
}

fn expression(generator: &mut Generator) -> Expression {
    let operators = [
        Operator::In,
        Operator::In,
        Operator::NotIn,
        Operator::Exists,
        Operator::DoesNotExist,
        Operator::InRange,
        Operator::NotInRange,
    ];
    let operator = *generator.pick(&operators);
    let key = match operator {
        Operator::InRange | Operator::NotInRange => *generator.pick(&["version", "version", "tier"]),
        _ => *generator.pick(&[
            "version",
            "tier",
            "tier",
            "zone",
            "zones",
            "environment",
            "name",
            "instance",
            "layer",
            "interface",
            "unknown",
        ]),
    };
    let known: Vec<&str> = match (key, operator) {
        (_, Operator::InRange | Operator::NotInRange) => RANGES.to_vec(),
        ("version", _) => VERSIONS.into_iter().chain(RANGES).collect(),
        ("environment", _) => ENVIRONMENTS.to_vec(),
        ("name", _) => ARTIFACTS.into_iter().chain(SERVERS).collect(),
        ("instance", _) => INSTANCES.to_vec(),
        ("layer", _) => vec!["server", "router"],
        ("interface", _) => INTERFACES.to_vec(),
        _ => VALUES.to_vec(),
    };
    let count = if operator.takes_values() { *generator.pick(&[0, 1, 1, 1, 2, 2, 3]) } else { 0 };
    let values = (0..count).map(|_| (*generator.pick::<&str>(&known)).into()).collect();
    Expression::new(name(key), operator, values).unwrap()
}

fn own_labels(generator: &mut Generator) -> Labels {
    let mut labels = Labels::default();
    for key in KEYS {
        if generator.chance(40) {
            labels.set(name(key), *generator.pick(&VALUES));
        }
    }
    labels
}

fn attributes(generator: &mut Generator) -> Attributes {
    let mut members = Vec::new();
    if generator.chance(60) {
        members.push(("url".to_owned(), Json::Text(format!("url{}", generator.below(3)))));
    }
    if generator.chance(60) {
        members.push(("port".to_owned(), Json::Number(generator.below(3).to_string().into())));
    }
    Attributes::new(members)
}

//! What a server sends is sent in messages that leave in one piece, however large it is.

use serde_json::{Value, json};

use crate::bolt_proxy::BoltProxy;
use crate::graph::assert_sound;
use crate::harness::{Tested, tests};
use crate::replica::{Replica, database};
use crate::server::text;
use crate::specs::{provider, spec, with};

tests![every_message_leaves_in_one_piece];

/// What the driver's buffer holds is 8,192 bytes; a longer message leaves in two pieces, and waits 40 ms between them.
const LARGEST: usize = 8_000;

/// A specification with everything that there is, and much of it.
fn large(name: &str) -> Value {
    let requires: serde_json::Map<_, _> = (0..120)
        .map(|number| {
            let selector = json!([{"key": "tier", "operator": "In", "values": ["gold", "x".repeat(200)]}]);
            let require = json!({"interface": "sql", "selector": selector, "quantifier": "0..*"});
            (format!("require-{number}"), require)
        })
        .collect();
    let labels: serde_json::Map<_, _> = (0..40).map(|n| (format!("label-{n}"), json!("l".repeat(60)))).collect();
    let provides: Vec<_> = [60_000, 7_000, 6_999, 4_500, 3]
        .into_iter()
        .enumerate()
        .map(|(number, bytes)| {
            // Three bytes a character: what is cut must be cut between them.
            let attributes = json!({"text": "€".repeat(bytes / 3), "url": "tcp://$name"});
            json!({"interface": format!("interface-{number}"), "layer": "server", "labels": labels, "attributes": attributes})
        })
        .collect();
    let annotations: serde_json::Map<_, _> = (0..50).map(|n| (format!("a-{n}"), json!("a".repeat(200)))).collect();
    with(spec(name), json!({"requires": requires, "provides": provides, "annotations": annotations}))
}

/// A specification whose texts are each as long as they may be, and whose attributes and reason just fit into a property.
fn longest() -> Value {
    let (name, value) = (|start: &str| format!("{start:n<253}"), |start: &str| format!("{start:v<1024}"));
    let labels: serde_json::Map<_, _> =
        (0..9).map(|n| (name(&format!("{n}")), json!(value(&format!("{n}"))))).collect();
    // With the rest of their JSON these are 7,000 bytes.
    let attributes = json!({"text": "x".repeat(7_000 - r#"{"text":""}"#.len())});
    let provides = json!([{"interface": name("i"), "layer": "server", "labels": labels, "attributes": attributes}]);
    let requires: serde_json::Map<_, _> = (0..9)
        .map(|n| {
            let selector = json!([{"key": name("0"), "operator": "In", "values": vec![value("0"); 6]}]);
            (name(&format!("r{n}")), json!({"interface": name("i"), "selector": selector, "quantifier": "0..*"}))
        })
        .collect();
    json!({
        "system": name("s"), "name": name("a"), "version": value("1."), "environment": name("e"), "instance": value("b"),
        "provides": provides, "requires": requires,
    })
}

fn every_message_leaves_in_one_piece() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 60);
    replica.deploy(&provider("running", "sql"));
    let alone = replica.started(&large("alone"));
    let reason = "r".repeat(2_000);
    replica.finish(text(&alone, "id"), &json!({"success": true, "reason": reason})).expect(200);
    let under_a_key = json!({"artifactSpec": longest(), "idempotencyKey": format!("{:k<1024}", "")});
    for body in [under_a_key, longest()] {
        let plan = replica.started(&body);
        replica.finish(text(&plan, "id"), &json!({"success": true, "reason": "r".repeat(7_000)})).expect(200);
    }
    let members: Vec<_> = (0..50)
        .map(|number| {
            let member = provider(&format!("member-{number}"), &format!("of-{number}"));
            if number == 0 { large("first") } else { member }
        })
        .collect();
    let set = replica.started(&json!({"artifactSpecs": members}));
    replica.succeed(&set);
    let attributes = json!({"text": "x".repeat(60_000)});
    replica
        .put("/servers/large", &json!({"environment": "test", "interface": "host", "attributes": attributes}))
        .expect(201);
    let seen = proxy.seen();
    assert!(seen.largest_message < LARGEST, "{seen:?}");
    let again = Replica::on(&proxy.uri(), 60);
    assert_eq!(again.world(), replica.world());
    for plan in [&alone, &set] {
        let id = text(plan, "id");
        assert_eq!(again.deployment(id), replica.deployment(id));
    }
    assert!(proxy.seen().largest_message < LARGEST, "{:?}", proxy.seen());
    assert_sound(database.uri());
    Ok(())
}

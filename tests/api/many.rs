//! What belongs to a thing is shown from its beginning, with counts of all; the rest is in the lists.

use serde_json::{Value, json};

use crate::server::{Server, keys};
use crate::specs::{consumer, provider, with};

/// As many of each as no answer shows.
const MANY: usize = 130;
/// As many as an answer shows.
const SHOWN: usize = 100;

fn length(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

/// Many Artifacts that require one interface and provide another, each with an Interface of its own besides.
fn company() -> Server {
    let server = Server::start();
    server.put("/servers/base", &json!({"environment": "test", "interface": "base"})).expect(201);
    let member = |number: usize| {
        let provides = ["common".to_owned(), format!("own-{number:03}")];
        let provides = provides.map(|interface| json!({"interface": interface, "layer": "server"}));
        with(consumer(&format!("org.many.{number:03}"), "base"), json!({"provides": provides}))
    };
    server.deploy(&json!({"artifactSpecs": (0..MANY).map(member).collect::<Vec<_>>()}));
    server
}

#[test]
fn what_belongs_to_a_thing_is_shown_from_its_beginning_with_counts() {
    let server = company();
    let system = server.get("/systems/shop").expect(200);
    assert_eq!(keys(&system), ["artifactCount", "artifacts", "interfaceCount", "interfaces", "name", "truncated"]);
    assert_eq!((length(&system["artifacts"]), length(&system["interfaces"])), (SHOWN, SHOWN));
    assert_eq!((&system["artifactCount"], &system["interfaceCount"]), (&json!(MANY), &json!(MANY + 1)));
    assert_eq!(system["artifacts"][SHOWN - 1], "org.many.099");

    let common = server.get("/interfaces/common").expect(200);
    assert_eq!((length(&common["providers"]), &common["providerCount"]), (SHOWN, &json!(MANY)));
    assert_eq!((&common["truncated"], common.get("requirerCount")), (&json!(true), None));

    let base = server.get("/interfaces/base").expect(200);
    let by: usize = base["requirers"].as_array().unwrap().iter().map(|group| length(&group["by"])).sum();
    assert_eq!((by, &base["requirerCount"], base.get("providerCount")), (SHOWN, &json!(MANY), None));
    assert_eq!(base["requirers"][0]["matching"], 1);

    let base = server.get("/servers/base").expect(200);
    assert_eq!((length(&base["consumers"]), &base["consumerCount"]), (SHOWN, &json!(MANY)));
    let component = server.get(&format!("/components/{}", base["component"].as_str().unwrap())).expect(200);
    assert_eq!((&component["consumerCount"], &component["truncated"]), (&json!(MANY), &json!(true)));
}

#[test]
fn the_rest_of_what_belongs_to_a_thing_is_in_the_lists() {
    let server = company();
    for (path, count) in [
        ("/artifacts?system=shop", MANY),
        ("/interfaces?system=shop", MANY + 1),
        ("/components?interface=common", MANY),
        ("/artifacts?system=other", 0),
        ("/interfaces?system=other", 0),
    ] {
        let (mut found, mut next) = (0, None::<String>);
        loop {
            let cursor = next.as_ref().map_or_else(String::new, |next| format!("&cursor={next}"));
            let page = server.get(&format!("{path}&limit=60{cursor}")).expect(200);
            found += length(&page["items"]);
            let Some(after) = page.get("next") else { break };
            next = Some(after.as_str().unwrap().to_owned());
        }
        assert_eq!(found, count, "{path}");
    }
    server.get("/systems?system=shop").expect_problem(400, "invalid-query");
    server.get("/environments?system=shop").expect_problem(400, "invalid-query");
}

#[test]
fn an_artifact_is_listed_under_the_environments_and_the_system_that_it_has_now() {
    let server = Server::start();
    let failed = server.started(&with(provider("org.a", "ia"), json!({"system": "typo"})));
    server.fail(&failed);
    server.deploy(&with(provider("org.a", "ia"), json!({"system": "shop", "environment": "production"})));
    let names = |path: &str| -> Vec<_> { server.items(path).iter().map(|item| item["name"].clone()).collect() };
    assert_eq!(names("/artifacts?system=typo"), [] as [&str; 0]);
    assert_eq!(
        (names("/artifacts?system=shop"), names("/interfaces?system=shop")),
        (vec![json!("org.a")], vec![json!("ia")])
    );
    assert_eq!(names("/environments?artifact=org.a"), ["production", "test"]);
    assert_eq!(server.get("/systems/typo").expect(200)["artifacts"], json!([]));
}

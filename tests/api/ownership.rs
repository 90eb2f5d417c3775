//! Who owns Artifacts and Interfaces: a typo claims nothing for ever.

use serde_json::json;

use crate::server::{Server, text};
use crate::specs::{provider, spec, with};

fn of(system: &str, body: serde_json::Value) -> serde_json::Value {
    with(body, json!({"system": system}))
}

#[test]
fn an_artifact_that_succeeded_is_refused_under_another_system() {
    let server = Server::start();
    server.deploy(&spec("org.shop.api"));
    let stolen = of("bank", with(spec("org.shop.api"), json!({"environment": "production"})));
    let problem = server.start_deployment(&stolen).expect_problem(409, "artifact-owned-elsewhere");
    assert!(text(&problem, "detail").contains("shop"), "{problem}");
    assert_eq!(server.items("/systems").len(), 1);
    server.started(&with(spec("org.shop.api"), json!({"environment": "production"})));
}

#[test]
fn an_artifact_that_never_succeeded_belongs_to_whoever_starts_it_next() {
    let server = Server::start();
    server.fail(&server.started(&of("shpo", spec("org.shop.api"))));
    assert_eq!(server.get("/artifacts/org.shop.api").expect(200)["system"], "shpo");
    let plan = server.started(&spec("org.shop.api"));
    assert_eq!(server.get("/artifacts/org.shop.api").expect(200)["system"], "shop");
    assert_eq!(plan["deployment"]["number"], 2);
    server.succeed(&plan);
    server.start_deployment(&of("shpo", spec("org.shop.api"))).expect_problem(409, "artifact-owned-elsewhere");
}

#[test]
fn an_interface_belongs_to_the_system_of_its_first_successful_provide() {
    let server = Server::start();
    let system = || server.get("/interfaces/shop-api").expect(200).get("system").cloned();
    server.fail(&server.started(&of("typo", provider("org.typo.api", "shop-api"))));
    let late = server.started(&of("bank", provider("org.bank.api", "shop-api")));
    server.deploy(&of("shop", provider("org.shop.api", "shop-api")));
    assert_eq!(system(), Some(json!("shop")));
    server.succeed(&late);
    server.deploy(&of("bank", provider("org.bank.other", "shop-api")));
    assert_eq!(system(), Some(json!("shop")));
}

#[test]
fn an_interface_that_is_only_required_or_served_belongs_to_nobody() {
    let server = Server::start();
    server.put("/servers/troy", &json!({"environment": "test", "interface": "host"})).expect(201);
    let optional = json!({"requires": {"cache": {"interface": "redis", "resolution": "optional"}}});
    server.deploy(&with(spec("org.shop.api"), optional));
    for interface in ["host", "redis"] {
        assert_eq!(server.get(&format!("/interfaces/{interface}")).expect(200).get("system"), None);
    }
    server.deploy(&provider("org.shop.redis", "redis"));
    assert_eq!(server.get("/interfaces/redis").expect(200)["system"], "shop");
}

#[test]
fn names_of_a_start_that_failed_stay_known() {
    let server = Server::start();
    server.fail(&server.started(&of("shpo", provider("org.shop.api", "shop-api"))));
    for path in ["/systems/shpo", "/artifacts/org.shop.api", "/interfaces/shop-api", "/environments/test"] {
        server.get(path).expect(200);
    }
}

#[test]
fn one_artifact_under_two_systems_in_one_set_is_refused() {
    let server = Server::start();
    let set = json!([spec("org.shop.api"), of("bank", with(spec("org.shop.api"), json!({"instance": "blue"})))]);
    server.start_deployment(&set).expect_problem(409, "artifact-owned-elsewhere");
    assert_eq!(server.items("/deployments").len(), 0);
}

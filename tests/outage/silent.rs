//! A database that accepts connections and never answers.

use std::time::Duration;

use serde_json::json;

use crate::bolt_proxy::{Action, BoltProxy, Times};
use crate::graph::{assert_sound, attempts_on, rows};
use crate::harness::{Tested, tests};
use crate::replica::{Replica, assert_unavailable, database};
use crate::server::{Answer, Client, JSON, text};
use crate::specs::{provider, spec};

tests![
    a_server_whose_database_falls_silent_refuses_in_time_and_goes_on_by_itself,
    requests_that_wait_together_for_a_silent_database_are_all_refused_in_time,
    a_server_that_is_stopped_while_its_database_is_silent_answers_what_it_accepted_and_ends_in_time,
    a_server_whose_database_was_emptied_or_set_back_says_so,
];

fn a_server_whose_database_falls_silent_refuses_in_time_and_goes_on_by_itself() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 3);
    let open = replica.started(&spec("open"));
    replica.deploy(&provider("running", "sql"));
    let id = text(&open, "id");

    proxy.script(Action::StaySilent, Times::UntilCleared);
    proxy.sever();
    let dry_run =
        |http: &Client, name| http.send("POST", "/deployments/start?dryRun=true", &[JSON], spec(name).to_string());
    replica.wait_until_red();
    let requests: [&(dyn Fn(&Client) -> Answer + Sync); 10] = [
        &|http| http.start_deployment(&spec("new")),
        &|http| http.start_deployment(&json!({"artifactSpecs": [spec("a"), spec("b")]})),
        // A refusal would rest on what others may have changed meanwhile.
        &|http| http.start_deployment(&spec("open")),
        &|http| http.finish(id, &json!({"success": true})),
        &|http| dry_run(http, "new"),
        &|http| http.get(&format!("/deployments/{id}")),
        &|http| http.get("/deployments"),
        &|http| http.get("/components?consistency=strong"),
        &|http| http.put("/servers/s", &json!({"environment": "test"})),
        &|http| http.put("/environments/test", &json!({"firstDeployment": "warn"})),
    ];
    std::thread::scope(|scope| {
        for request in requests {
            let replica = &replica;
            scope.spawn(move || assert_unavailable(&replica.in_time(request)));
        }
    });
    // What this process knows is shown all the same, and at once.
    assert_eq!(replica.items("/components").len(), 1);
    replica.get("/healthz").expect(200);

    proxy.clear();
    proxy.heal();
    replica.wait_until_green();
    replica.started(&spec("new"));
    replica.succeed(&open);
    dry_run(&replica, "newer").expect(200);
    assert_eq!(attempts_on(database.uri(), "new").len(), 1);
    assert_sound(database.uri());
    Ok(())
}

fn requests_that_wait_together_for_a_silent_database_are_all_refused_in_time() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 3);
    let open = replica.started(&spec("open"));
    proxy.script(Action::StaySilent, Times::UntilCleared);
    proxy.sever();
    std::thread::scope(|scope| {
        for client in 0..12 {
            let (replica, open) = (&replica, &open);
            // They come one after another, so that some wait for the turn of others.
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(300) * client);
                let answer = match client % 3 {
                    0 => replica.in_time(|http| http.start_deployment(&spec(&format!("artifact-{client}")))),
                    1 => replica.in_time(|http| http.finish(text(open, "id"), &json!({"success": true}))),
                    _ => replica.in_time(|http| http.get("/environments?consistency=strong")),
                };
                assert_unavailable(&answer);
            });
        }
    });
    proxy.clear();
    proxy.heal();
    replica.wait_until_green();
    replica.succeed(&open);
    assert_sound(database.uri());
    Ok(())
}

fn a_server_that_is_stopped_while_its_database_is_silent_answers_what_it_accepted_and_ends_in_time() -> Tested {
    let database = database()?;
    let proxy = BoltProxy::before(database.uri());
    let replica = Replica::on(&proxy.uri(), 3);
    let open = replica.started(&spec("open"));
    proxy.script(Action::StaySilent, Times::UntilCleared);
    proxy.sever();
    replica.wait_until_red();
    let (at_most, other) = (replica.at_most(), Client::of(replica.address()));
    let silent = proxy.seen().connections;
    std::thread::scope(|scope| {
        let finishing = scope.spawn(|| other.finish(text(&open, "id"), &json!({"success": true})));
        proxy.wait_until(|seen| seen.connections > silent);
        let (status, took, said) = replica.stop();
        assert!(status.success(), "{status}: {said}");
        assert!(took < 2 * at_most, "it took {took:?}: {said}");
        assert_unavailable(&finishing.join().unwrap());
    });
    assert_sound(database.uri());
    Ok(())
}

fn a_server_whose_database_was_emptied_or_set_back_says_so() -> Tested {
    let database = database()?;
    let replica = Replica::on(database.uri(), 3);
    replica.deploy(&provider("running", "sql"));
    rows(database.uri(), "MATCH (h:Head {name: 'head'}) SET h.revision = 1 RETURN h.revision");
    replica.wait_until_red();
    assert_unavailable(&replica.in_time(|http| http.start_deployment(&spec("new"))));
    assert_unavailable(&replica.in_time(|http| http.get("/components?consistency=strong")));
    rows(database.uri(), "MATCH (h:Head {name: 'head'}) SET h.revision = 3 RETURN h.revision");
    replica.wait_until_green();
    replica.started(&spec("new"));
    assert_sound(database.uri());
    Ok(())
}

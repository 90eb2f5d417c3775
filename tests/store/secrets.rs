//! Tokens and idempotency keys: nobody who reads all of a store learns one, and whoever repeats a start is told the token again.

use std::fs;
use std::path::Path;

use mortise::model::{DeploymentId, KeptKey, KeptToken, LeaseToken};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::database::{Engine, shared};
use crate::graph::{assert_graph_is_that_of_its_history, change, number};
use crate::harness::{Tested, tests};
use crate::server::{Client, Server, mortise, text};
use crate::specs::spec;

tests![
    a_token_is_kept_so_that_only_who_has_the_key_learns_it,
    no_file_and_no_export_has_a_token_or_a_key,
    a_folder_of_format_2_keeps_its_secrets_and_every_start_can_be_repeated,
    a_graph_of_format_2_keeps_its_secrets_and_every_start_can_be_repeated,
];

/// A key that stands nowhere else.
const KEY: &str = "pipeline 4711 of the shop";

fn a_token_is_kept_so_that_only_who_has_the_key_learns_it() {
    let id = |number: u128| DeploymentId(uuid::Uuid::from_u128(number));
    let token = LeaseToken("0123456789abcdef0123456789abcdef".to_owned());
    let kept = KeptToken::of(&token, id(1), Some(KEY));
    assert_eq!(kept.open(id(1), KEY), Some(token.clone()));
    assert_eq!(kept.open(id(1), "another key"), None);
    assert_eq!(kept.open(id(2), KEY), None);
    assert!(kept.is_of(&token) && !kept.is_of(&LeaseToken(KEY.to_owned())));
    assert!(!kept.as_str().contains(&token.0));
    let mut damaged = kept.as_str().to_owned();
    let last = damaged.pop().unwrap();
    damaged.push(if last == '0' { '1' } else { '0' });
    assert_eq!(KeptToken::from_kept(damaged).open(id(1), KEY), None);
    // Without a key nobody is ever told it again.
    let unsealed = KeptToken::of(&token, id(1), None);
    assert!(unsealed.is_of(&token) && unsealed.open(id(1), "").is_none());
    assert!(kept.as_str().starts_with(unsealed.as_str()), "it is the same hash");
    for text in ["", "t1:", "t1::", "0123456789abcdef0123456789abcdef"] {
        let kept = KeptToken::from_kept(text);
        assert!(!kept.is_of(&LeaseToken(text.to_owned())) && kept.open(id(1), KEY).is_none(), "{text}");
    }
    assert_eq!(KeptKey::of(KEY), KeptKey::of(KEY));
    assert_ne!(KeptKey::of(KEY), KeptKey::of("another key"));
    assert!(!KeptKey::of(KEY).as_str().contains(KEY));
}

/// A start under the key, which is open; its token.
fn opened(client: &Client) -> (Value, String) {
    let plan = client.start_deployment(&body()).expect(201);
    let token = text(&plan["lease"], "token").to_owned();
    (plan, token)
}

fn body() -> Value {
    json!({"artifactSpec": spec("api"), "idempotencyKey": KEY})
}

/// What was opened is repeated with its token, and ended with it and with no other.
#[track_caller]
fn assert_goes_on(client: &Client, plan: &Value, token: &str) {
    let repeated = client.start_deployment(&body()).expect(200);
    assert_eq!((text(&repeated, "id"), text(&repeated["lease"], "token")), (text(plan, "id"), token));
    assert!(client.deployment(text(plan, "id")).get("lease").is_none());
    let other = json!({"artifactSpec": spec("other"), "idempotencyKey": KEY});
    client.start_deployment(&other).expect_problem(409, "idempotency-key-reused");
    let end = |token: &str| client.finish(text(plan, "id"), &json!({"success": true, "lease": {"token": token}}));
    end("0123456789abcdef0123456789abcdef").expect_problem(409, "lease-lost");
    end(token).expect(200);
    // A repeat of the end is known by the token, too.
    end(token).expect(200);
    end("0123456789abcdef0123456789abcdef").expect_problem(409, "lease-lost");
}

/// No file of a folder has one of these texts in it.
#[track_caller]
fn assert_nowhere(folder: &Path, secrets: &[&str]) {
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|end| end == "zst") {
            bytes = zstd::decode_all(&*bytes).unwrap();
        }
        read += bytes.len();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} has `{secret}`", path.display());
        }
    }
    assert!(read > 10_000, "it looks into nothing");
}

fn no_file_and_no_export_has_a_token_or_a_key() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    let (plan, token) = opened(&server);
    let unkeyed = server.started(&spec("unkeyed"));
    let secrets = [KEY, &token, text(&unkeyed["lease"], "token")];
    assert_nowhere(data.path(), &secrets);
    // So long a history that a snapshot is kept when it is closed.
    for number in 0..700 {
        server.started(&spec(&format!("artifact-{number}")));
    }
    assert!(server.stop().success());
    assert!(data.path().join("snapshot.zst").exists());
    let export = data.path().join("export");
    let exported = mortise().args(["export", "--data"]).arg(data.path()).arg("-o").arg(&export).status().unwrap();
    assert!(exported.success());
    assert_nowhere(data.path(), &secrets);

    // From a snapshot, and from an export in another store, all goes on.
    let other = tempfile::tempdir().unwrap();
    let imported = mortise().args(["import", "--data"]).arg(other.path()).arg(&export).status().unwrap();
    assert!(imported.success());
    for folder in [data.path(), other.path()] {
        assert_goes_on(&Server::start_in(folder, &[]), &plan, &token);
    }
}

fn a_folder_of_format_2_keeps_its_secrets_and_every_start_can_be_repeated() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_in(data.path(), &[]);
    let (plan, token) = opened(&server);
    assert!(server.stop().success());
    // As format 2 had it.
    let database = Connection::open(data.path().join("mortise.sqlite")).unwrap();
    assert_eq!(database.execute("UPDATE lease SET token = ?1", [&token]).unwrap(), 1);
    assert_eq!(database.execute("UPDATE idempotency_key SET key = ?1", [KEY]).unwrap(), 1);
    database.pragma_update(None, "user_version", 2).unwrap();
    drop(database);
    fs::write(
        data.path().join("snapshot.zst"),
        zstd::encode_all(&*vec![KEY; 100].join(&token).into_bytes(), 1).unwrap(),
    )
    .unwrap();

    let server = Server::start_in(data.path(), &[]);
    assert_nowhere(data.path(), &[KEY, &token]);
    assert_goes_on(&server, &plan, &token);
    assert!(server.stop().success());
    let database = Connection::open(data.path().join("mortise.sqlite")).unwrap();
    let format: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(format, 3);
}

fn a_graph_of_format_2_keeps_its_secrets_and_every_start_can_be_repeated() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let uri = database.uri();
    let server = Server::start_on(uri, &[]);
    let (plan, token) = opened(&server);
    let in_clear = format!(
        "MATCH (n) WHERE any(key IN keys(n) WHERE toStringOrNull(n[key]) CONTAINS '{token}' OR toStringOrNull(n[key]) = '{KEY}') \
         RETURN count(n) AS found"
    );
    assert_eq!(number(uri, &in_clear), 0);
    // As format 2 had it, while an old process and this one run: this one is told so.
    change(uri, &format!("MATCH (l:Lease) SET l.token = '{token}'"));
    change(uri, &format!("MATCH (k:IdempotencyKey) SET k.key = '{KEY}'"));
    change(uri, "CREATE (s:Snapshot {id: 'old', format: 2, revision: 1})-[:PART {n: 0}]->(:Part)");
    change(uri, "MATCH (h:Head) SET h.format = 2");
    assert_eq!(number(uri, &in_clear), 2);
    server.start_deployment(&spec("meanwhile")).expect_problem(503, "unavailable");
    drop(server);

    let server = Server::start_on(uri, &[]);
    assert_eq!(number(uri, &in_clear), 0);
    assert_eq!(number(uri, "MATCH (s:Snapshot) RETURN count(s) AS found"), 0);
    assert_eq!(number(uri, "MATCH (h:Head) WHERE h.secrets IS NULL RETURN h.format AS format"), 3);
    assert_goes_on(&server, &plan, &token);
    drop(server);
    assert_graph_is_that_of_its_history(uri);
    Ok(())
}

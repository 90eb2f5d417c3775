//! Bad input: each gets a clear 4xx with a code, the process stays up, and nothing is recorded.

#[path = "support/server.rs"]
mod server;
#[path = "support/specs.rs"]
mod specs;

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::{Value, json};

use server::{Answer, JSON, Server, YAML, read_to_end, text};
use specs::{provider, spec, with};

const START: &str = "/deployments/start";

/// The process answers, and knows nothing.
#[track_caller]
fn assert_untouched(server: &Server) {
    server.get("/healthz").expect(200);
    for list in ["/deployments", "/systems", "/artifacts", "/environments", "/interfaces", "/servers", "/components"] {
        assert_eq!(server.items(list), [] as [Value; 0], "{list}");
    }
}

/// Posts to every route that takes a document; each refuses with this status, and nothing is recorded.
#[track_caller]
fn refused_everywhere(server: &Server, content_type: (&str, &str), body: &[u8], status: u16, code: &[&str]) {
    let routes = [("POST", START), ("PUT", "/servers/troy"), ("PUT", "/environments/test")];
    for (method, path) in routes {
        let answer = server.send(method, path, &[content_type], body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let found = text(&answer.json(), "code").to_owned();
        assert!(code.contains(&found.as_str()), "{method} {path}: {answer:?}");
        answer.expect_problem(status, &found);
    }
    assert_untouched(server);
}

const INVALID: [&str; 3] = ["invalid-specification", "invalid-server", "invalid-environment"];

/// The codes of the problems of a specification that is not valid.
#[track_caller]
fn codes(answer: &Answer) -> Vec<String> {
    answer.expect_invalid("invalid-specification").into_iter().map(|(code, _)| code).collect()
}

/// A description that is this template, started with the input `version`.
fn description(server: &Server, template: &str) -> Answer {
    server.start_deployment(
        &json!({"artifactSpec": with(spec("a"), json!({"description": template})), "input": {"v": "1.0", "list": {}}}),
    )
}

#[test]
fn malformed_json_is_400() {
    let server = Server::start();
    let bodies = [
        "",
        " ",
        "{",
        "}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{'a': 1}",
        "{\"a\": 1,}",
        "[1, 2",
        "nul",
        "{\"a\": 01}",
        "{\"a\": NaN}",
        "{} {}",
        "{\"a\": \"\u{1}\"}",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": \"\\x\"}",
        "\u{feff}\u{feff}{}",
        "// comment\n{}",
        "{\"a\": 1e}",
        "\"open",
    ];
    for body in bodies {
        refused_everywhere(&server, JSON, body.as_bytes(), 400, &["malformed"]);
    }
}

#[test]
fn malformed_yaml_is_400() {
    let server = Server::start();
    let bodies = [
        "a: [",
        "a: b: c",
        "a: 'open",
        "a: *unknown",
        "- a\nb",
        "%YAML 9\n",
        "{a: 1",
        "a: \"\\q\"",
        "a: 1\n  b: 2",
        "@a",
    ];
    for body in bodies {
        refused_everywhere(&server, YAML, body.as_bytes(), 400, &["malformed"]);
    }
}

#[test]
fn invalid_utf_8_is_400_in_either_notation() {
    let server = Server::start();
    let bodies: [&[u8]; 5] = [
        b"{\"name\": \"\xff\"}",
        b"\xff\xfe{\0}\0",
        b"{\"name\": \"\xc0\x80\"}",
        b"name: \xed\xa0\x80",
        b"{\"name\": \"\xe2\x82",
    ];
    for body in bodies {
        refused_everywhere(&server, JSON, body, 400, &["malformed"]);
        refused_everywhere(&server, YAML, body, 400, &["malformed"]);
    }
}

#[test]
fn documents_that_are_no_object_are_422() {
    let server = Server::start();
    for body in ["null", "1", "true", "\"text\""] {
        refused_everywhere(&server, JSON, body.as_bytes(), 422, &INVALID);
        refused_everywhere(&server, YAML, body.as_bytes(), 422, &INVALID);
    }
}

#[test]
fn several_yaml_documents_tags_merge_keys_and_keys_that_are_no_scalars_are_refused() {
    let server = Server::start();
    for body in [
        "a: 1\n---\nb: 2\n",
        "a: !!int 1\n",
        "a: !ruby/object {}\n",
        "<<: {a: 1}\n",
        "? [a]\n: b\n",
        "a: &x {b: 1}\nc:\n  <<: *x\n",
    ] {
        let routes = server.send("POST", START, &[YAML], body);
        assert!(matches!(routes.status, 400 | 422), "{routes:?}");
        assert!(matches!(text(&routes.json(), "code"), "malformed" | "invalid-specification"), "{routes:?}");
        assert_untouched(&server);
    }
}

#[test]
fn duplicate_keys_are_never_last_one_wins() {
    let server = Server::start();
    for body in [
        r#"{"system":"shop","name":"a","name":"b","version":"1","environment":"test"}"#,
        r#"{"system":"shop","name":"a","n\u0061me":"b","version":"1","environment":"test"}"#,
        r#"{"artifactSpec":{"system":"shop","name":"a","version":"1","environment":"test"},"input":{"a":"1","a":"2"}}"#,
        r#"{"system":"shop","name":"a","version":"1","environment":"test","requires":{"x":{"interface":"i"},"x":{"interface":"j"}}}"#,
    ] {
        assert!(codes(&server.send("POST", START, &[JSON], body)).contains(&"duplicate-key".to_owned()));
    }
    let yaml = "system: shop\nname: a\n\"name\": b\nversion: 1\nenvironment: test\n";
    let answer = server.send("POST", START, &[YAML], yaml);
    assert!(codes(&answer).contains(&"duplicate-key".to_owned()), "{answer:?}");
    let server_body = r#"{"environment":"test","environment":"prod"}"#;
    server.send("PUT", "/servers/troy", &[JSON], server_body).expect_invalid("invalid-server");
    server
        .send("PUT", "/environments/test", &[JSON], r#"{"firstDeployment":"warn","firstDeployment":"allow"}"#)
        .expect_invalid("invalid-environment");
    assert_untouched(&server);
}

#[test]
fn unknown_fields_are_refused_at_every_level() {
    let server = Server::start();
    for (body, pointer) in [
        (with(spec("a"), json!({"nonsense": 1})), "/nonsense"),
        (json!({"artifactSpec": spec("a"), "inputs": {}}), "/inputs"),
        (json!([{"artifactSpec": spec("a"), "inputs": {}}]), "/0/inputs"),
        (
            with(spec("a"), json!({"provides": [{"interface": "i", "layer": "server", "label": {}}]})),
            "/provides/0/label",
        ),
        (with(spec("a"), json!({"requires": {"r": {"interface": "i", "scopes": "runtime"}}})), "/requires/r/scopes"),
        (
            with(spec("a"), json!({"requires": {"r": {"selector": [{"key": "a", "vals": []}]}}})),
            "/requires/r/selector/0/vals",
        ),
    ] {
        let problems = server.start_deployment(&body).expect_invalid("invalid-specification");
        assert!(problems.contains(&("unknown-field".to_owned(), pointer.to_owned())), "{pointer} in {problems:?}");
    }
    assert_untouched(&server);
}

#[test]
fn nesting_ten_thousand_deep_is_422_in_either_notation() {
    let server = Server::start();
    const DEPTH: usize = 10_000;
    let arrays = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", "{\"a\":".repeat(DEPTH), "}".repeat(DEPTH));
    let open = "[".repeat(DEPTH);
    for body in [&arrays, &objects, &open] {
        refused_everywhere(&server, JSON, body.as_bytes(), 422, &INVALID);
        refused_everywhere(&server, YAML, body.as_bytes(), 422, &INVALID);
    }
    let block: String = (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    refused_everywhere(&server, YAML, block.as_bytes(), 422, &INVALID);
    let sequence = "- ".repeat(DEPTH) + "a";
    refused_everywhere(&server, YAML, sequence.as_bytes(), 422, &INVALID);
    let attributes = format!("{{\"environment\":\"test\",\"attributes\":{{\"a\":{arrays}}}}}");
    server.send("PUT", "/servers/troy", &[JSON], attributes).expect_invalid("invalid-server");
    assert_untouched(&server);
}

#[test]
fn a_body_of_100_megabytes_is_413_and_the_answer_can_be_read() {
    let server = Server::start();
    let body = vec![b' '; 100 << 20];
    server.send("POST", START, &[JSON], &body).expect_problem(413, "payload-too-large");
    server.send("PUT", "/servers/troy", &[JSON], &body).expect_problem(413, "payload-too-large");
    server
        .send("POST", "/deployments/0193f3a2-0000-7000-8000-000000000000/finish", &[JSON], &body)
        .expect_problem(413, "payload-too-large");
    assert_untouched(&server);
}

#[test]
fn a_specification_may_have_one_megabyte_and_a_set_sixteen() {
    let server = Server::start();
    let padded = |body: String, size: usize| body.clone() + &" ".repeat(size - body.len());
    let one = spec("a").to_string();
    server.send("POST", "/deployments/start?dryRun=true", &[JSON], padded(one.clone(), 1 << 20)).expect(200);
    server.send("POST", START, &[JSON], padded(one.clone(), (1 << 20) + 1)).expect_problem(413, "payload-too-large");
    let set = format!("[{one}]");
    server.send("POST", "/deployments/start?dryRun=true", &[JSON], padded(set.clone(), 16 << 20)).expect(200);
    server.send("POST", START, &[JSON], padded(set, (16 << 20) + 1)).expect_problem(413, "payload-too-large");
    let declared = r#"{"environment":"test"}"#.to_owned();
    server
        .send("PUT", "/servers/troy", &[JSON], padded(declared, (1 << 20) + 1))
        .expect_problem(413, "payload-too-large");
    assert_untouched(&server);
}

#[test]
fn limits_of_bodies_are_configuration() {
    let server = Server::start_with(&["--max-body-bytes", "200", "--max-set-bytes", "400"]);
    let long = with(spec("a"), json!({"description": "d".repeat(200)}));
    server.start_deployment(&long).expect_problem(413, "payload-too-large");
    server.post("/deployments/start?dryRun=true", &json!([long])).expect(200);
    server
        .start_deployment(&json!([long, with(long.clone(), json!({"name": "b"}))]))
        .expect_problem(413, "payload-too-large");
    assert_untouched(&server);
}

#[test]
fn yaml_alias_bombs_are_422() {
    let server = Server::start();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    refused_everywhere(&server, YAML, bomb.as_bytes(), 422, &INVALID);
    let text = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(60_000), vec!["*a"; 100_000].join(", "));
    let answer = server.send("POST", START, &[YAML], &text);
    assert_eq!(answer.status, 422, "{answer:?}");
    let itself = server.send("POST", START, &[YAML], "a: &a [*a]\n");
    assert!(matches!(itself.status, 400 | 422), "{itself:?}");
    assert_untouched(&server);
}

#[test]
fn templates_of_eight_thousand_nested_operators_are_422() {
    let server = Server::start();
    let nested = [
        format!("${{{}input.v{}}}", "(".repeat(8_000), ")".repeat(8_000)),
        format!("${{{}input.v}}", "not ".repeat(4_000)),
        format!("${{{}input.v}}", "-".repeat(8_000)),
        format!("${{input.v{}}}", "|upper".repeat(2_000)),
        format!("${{input.v{}}}", "?upper_case".repeat(1_400)),
        format!("${{input.v{}}}", "!input.v".repeat(1_900)),
        format!("${{input.v{}}}", "[0]".repeat(5_000)),
        format!("${{{}}}", vec!["input.v"; 1_900].join("~")),
        format!("${{{}1{}}}", "[".repeat(8_000), "]".repeat(8_000)),
        "${".repeat(8_000),
        format!("${{{}}}", "{".repeat(8_000)),
    ];
    for template in nested {
        codes(&description(&server, &template));
    }
    assert_untouched(&server);
}

#[test]
fn many_templates_that_are_wrong_are_reported_within_bounds() {
    let server = Server::start();
    let labels: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("l{n}"), json!("${x}"))).collect();
    let body = with(spec("a"), json!({"provides": [{"interface": "i", "layer": "server", "labels": labels}]}));
    assert!(codes(&server.start_deployment(&body)).len() <= 1_000);
    assert_untouched(&server);
}

#[test]
fn templates_that_multiply_are_422() {
    let server = Server::start();
    let growing = [
        "${'a' * 100000000}",
        "${\"a\" * 100000000}",
        "${range(100000000)}",
        "${input.v * 100000000}",
        "${'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'|replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')|replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')}",
        "${input.v|indent(100000000)}",
        "${'%100000000d'|format(1)}",
        "${input.v|center(100000000)}",
        "${input.list|join('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')}",
        "${'x'?left_pad(100000000)}",
        "${10 ** 100000000}",
        "{% for x in range(100000000) %}x{% endfor %}${input.missing}",
    ];
    for template in growing {
        codes(&description(&server, template));
    }
    assert_untouched(&server);
}

#[test]
fn replace_and_join_over_the_largest_inputs_are_422_where_they_pass_a_text() {
    let server = Server::start();
    let large = "a".repeat(16 * 1024);
    let body = |template: &str| json!({"artifactSpec": with(spec("a"), json!({"description": template})), "input": {"large": large, "v": "1"}});
    for template in [
        "${input.large|replace('a', input.large)}",
        "${input.large|replace('', input.large)}",
        "${input.large?replace('a', 'aaaaaaaaaa')}",
        "${input.large|list|join(input.large)}",
        "${input.large|split('')|join(input.large)}",
        "${input.large}${input.large}${input.large}${input.large}${input.large}",
    ] {
        codes(&server.start_deployment(&body(template)));
    }
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("a{n}"), json!("${input.large}"))).collect();
    let provides = json!([{"interface": "i", "layer": "server", "attributes": many}]);
    codes(
        &server
            .start_deployment(&with(body(""), json!({"artifactSpec": with(spec("a"), json!({"provides": provides}))}))),
    );
    assert_untouched(&server);
}

#[test]
fn templates_texts_expressions_and_inputs_that_are_too_long_are_422() {
    let server = Server::start();
    let long_template = format!("{}${{input.v}}", "x".repeat(16 * 1024));
    let long_expression = format!("${{input.{}}}", "v".repeat(300));
    for template in [long_template, long_expression, "x".repeat(64 * 1024 + 1)] {
        codes(&description(&server, &template));
    }
    let input = json!({"artifactSpec": spec("a"), "input": {"large": "a".repeat(16 * 1024 + 1)}});
    assert_eq!(codes(&server.start_deployment(&input)), ["invalid-input"]);
    server
        .post(&format!("/deployments/start?v={}", "a".repeat(16 * 1024 + 1)), &spec("a"))
        .expect_problem(400, "invalid-query");
    for input in [json!([]), json!("text"), json!({"a": []}), json!({"a": 1.5}), json!({"a": null}), json!({"": "x"})] {
        codes(&server.start_deployment(&json!({"artifactSpec": spec("a"), "input": input})));
    }
    assert_untouched(&server);
}

/// Bidirectional controls, spaces without width, separators of lines, and others of which nothing is seen.
const UNSEEN: &str = "\u{ad}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\
    \u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}\u{e0041}";

#[test]
fn what_is_not_seen_is_422_in_names_versions_and_labels_and_allowed_in_free_texts() {
    let server = Server::start();
    for unseen in UNSEEN.chars() {
        let bad = format!("a{unseen}b");
        let bodies = [
            json!({"name": bad}),
            json!({"system": bad}),
            json!({"version": bad}),
            json!({"environment": bad}),
            json!({"instance": bad}),
            json!({"annotations": {bad.clone(): "a"}}),
            json!({"provides": [{"interface": bad, "layer": "server"}]}),
            json!({"provides": [{"interface": "i", "layer": "server", "labels": {"a": bad}}]}),
            json!({"provides": [{"interface": "i", "layer": "server", "labels": {bad.clone(): "a"}}]}),
            json!({"requires": {bad.clone(): {"interface": "i"}}}),
            json!({"requires": {"r": {"interface": "i", "selector": [{"key": "a", "values": [bad]}]}}}),
        ];
        for over in bodies {
            let answer = server.start_deployment(&with(spec("a"), over.clone()));
            let problems = answer.expect_invalid("invalid-specification");
            assert!(problems.iter().any(|(code, _)| code == "invalid-text"), "{over}: {answer:?}");
            assert!(answer.text.contains(&format!("U+{:04X}", u32::from(unseen))), "{over}: {answer:?}");
        }
        for name in ["Mortise-Actor", "Idempotency-Key"] {
            let body = spec("a").to_string();
            let answer = server.send("POST", "/deployments/start", &[JSON, (name, &bad)], body);
            answer.expect_problem(400, "malformed");
        }
        let encoded =
            format!("/servers/{}", percent_encoding::utf8_percent_encode(&bad, percent_encoding::NON_ALPHANUMERIC));
        server.put(&encoded, &json!({"environment": "test"})).expect_problem(422, "invalid-server");
        server.delete(&encoded).expect_problem(404, "not-found");
    }
    assert_untouched(&server);
    let free = json!({
        "description": UNSEEN,
        "annotations": {"a": UNSEEN},
        "provides": [{"interface": "i", "layer": "server", "attributes": {"a": UNSEEN}}],
    });
    server.deploy(&with(spec("a"), free));
}

#[test]
fn nul_and_control_characters_are_422_wherever_they_stand() {
    let server = Server::start();
    for control in ["\u{0}", "\u{1}", "\u{7f}", "\u{85}", "\u{1b}[31m"] {
        let bad = format!("a{control}b");
        let bodies = [
            json!({"name": bad}),
            json!({"system": bad}),
            json!({"version": bad}),
            json!({"environment": bad}),
            json!({"instance": bad}),
            json!({"description": bad}),
            json!({"annotations": {"a": bad}}),
            json!({"annotations": {bad.clone(): "a"}}),
            json!({"provides": [{"interface": bad, "layer": "server"}]}),
            json!({"provides": [{"interface": "i", "layer": "server", "labels": {"a": bad}}]}),
            json!({"provides": [{"interface": "i", "layer": "server", "labels": {bad.clone(): "a"}}]}),
            json!({"provides": [{"interface": "i", "layer": "server", "attributes": {"a": [bad]}}]}),
            json!({"requires": {bad.clone(): {"interface": "i"}}}),
            json!({"requires": {"r": {"interface": "i", "selector": [{"key": bad, "values": ["a"]}]}}}),
            json!({"requires": {"r": {"interface": "i", "selector": [{"key": "a", "values": [bad]}]}}}),
        ];
        for over in bodies {
            let answer = server.start_deployment(&with(spec("a"), over.clone()));
            assert_eq!(answer.status, 422, "{over}: {answer:?}");
            answer.expect_invalid("invalid-specification");
        }
        for wrapped in
            [json!({"input": {"a": bad}}), json!({"annotations": {"a": bad}}), json!({"idempotencyKey": bad})]
        {
            codes(&server.start_deployment(&with(json!({"artifactSpec": spec("a")}), wrapped)));
        }
        let declared = json!({"environment": "test", "labels": {"a": bad}});
        server.put("/servers/troy", &declared).expect_invalid("invalid-server");
    }
    for path in ["/servers/a%00b", "/servers/a%1Fb", "/servers/a%7F"] {
        server.put(path, &json!({"environment": "test"})).expect_problem(422, "invalid-server");
    }
    assert_untouched(&server);
}

#[test]
fn names_of_10_kilobytes_and_empty_ones_are_422() {
    let server = Server::start();
    for bad in ["n".repeat(10_000), "n".repeat(254), String::new(), " a".to_owned(), "a ".to_owned()] {
        let bodies = [
            json!({"name": bad}),
            json!({"system": bad}),
            json!({"environment": bad}),
            json!({"provides": [{"interface": bad, "layer": "server"}]}),
            json!({"requires": {bad.clone(): {"interface": "i"}}}),
            json!({"provides": [{"interface": "i", "layer": "server", "labels": {bad.clone(): "a"}}]}),
        ];
        for over in bodies {
            let answer = server.start_deployment(&with(spec("a"), over.clone()));
            assert_eq!(answer.status, 422, "{over}: {answer:?}");
            answer.expect_invalid("invalid-specification");
        }
        server.put("/servers/troy", &json!({"environment": bad})).expect_invalid("invalid-server");
    }
    let long = "n".repeat(10_000);
    server.put(&format!("/servers/{long}"), &json!({"environment": "test"})).expect_problem(422, "invalid-server");
    server.put(&format!("/environments/{long}"), &json!({})).expect_problem(422, "invalid-environment");
    server.get(&format!("/artifacts/{long}")).expect_problem(404, "not-found");
    server.delete(&format!("/servers/{long}")).expect_problem(404, "not-found");
    for field in ["version", "instance"] {
        codes(&server.start_deployment(&with(spec("a"), json!({field: "1".repeat(1_025)}))));
    }
    codes(&server.start_deployment(&with(spec("a"), json!({"version": "${input.v!''}"}))));
    assert_untouched(&server);
}

#[test]
fn values_of_the_wrong_type_are_422_everywhere() {
    let server = Server::start();
    let wrong = [json!(1), json!(1.5), json!(true), json!([]), json!({}), json!([[]]), json!("x")];
    let fields = [
        "system",
        "name",
        "version",
        "environment",
        "instance",
        "description",
        "annotations",
        "provides",
        "requires",
        "deploymentSpec",
    ];
    for field in fields {
        for value in &wrong {
            let fits = match field {
                "annotations" | "deploymentSpec" => *value == json!({}),
                "requires" | "provides" => *value == json!({}) || *value == json!([]),
                _ => value.is_string(),
            };
            let answer = server.post("/deployments/start?dryRun=true", &with(spec("a"), json!({field: value})));
            assert_eq!(answer.status == 200, fits, "{field}: {value}: {answer:?}");
            if !fits {
                answer.expect_invalid("invalid-specification");
            }
        }
    }
    assert_untouched(&server);
}

#[test]
fn numbers_of_any_size_neither_crash_nor_lose_digits() {
    let server = Server::start();
    let huge = "9".repeat(10_000);
    for quantifier in [
        huge.as_str(),
        "-1",
        "1.5",
        "1e3",
        "\"4..2\"",
        "{\"min\":3,\"max\":1}",
        "{\"min\":18446744073709551616}",
        "\"99999999999999999999..*\"",
    ] {
        let body = format!(
            r#"{{"system":"shop","name":"a","version":"1","environment":"test","requires":{{"r":{{"interface":"i","quantifier":{quantifier}}}}}}}"#
        );
        let answer = server.send("POST", START, &[JSON], body);
        assert_eq!(answer.status, 422, "{quantifier}: {answer:?}");
        answer.expect_invalid("invalid-specification");
    }
    assert_untouched(&server);
}

#[test]
fn a_body_that_breaks_off_records_nothing() {
    let server = Server::start();
    let body = spec("a").to_string();
    for framing in ["Content-Length: 500".to_owned(), "Transfer-Encoding: chunked".to_owned()] {
        let mut stream = server.connect();
        let head =
            format!("POST {START} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let sent = if framing.starts_with('C') { body.clone() } else { format!("{:x}\r\n{body}\r\n", body.len()) };
        stream.write_all(sent.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // Whether a client that hung up is still told why is up to the connection.
        drop(stream.read_to_end(&mut answer));
        assert!(!String::from_utf8_lossy(&answer).contains("201 Created"));
        assert_untouched(&server);
    }
}

#[test]
fn a_chunked_body_is_read_like_any_other() {
    let server = Server::start();
    let chunked = |chunks: &[&str]| {
        let chunks: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
        let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        server.raw(format!("POST {START}?dryRun=true {head}{chunks}0\r\n\r\n").as_bytes())
    };
    let body = spec("a").to_string();
    let (first, second) = body.split_at(10);
    assert!(chunked(&[first, second]).starts_with("HTTP/1.1 200 OK"));
    let refused = chunked(&[first]);
    assert!(refused.starts_with("HTTP/1.1 400 Bad Request") && refused.contains("\"malformed\""), "{refused}");
    let large = " ".repeat(1 << 20);
    let refused = chunked(&vec![large.as_str(); 20]);
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("\"payload-too-large\""), "{refused}");
    assert_untouched(&server);
}

#[test]
fn a_client_that_waits_for_100_continue_is_answered() {
    let server = Server::start();
    for (path, length, status) in [
        (START, 40 << 20, "413"),
        ("/servers/troy", 2 << 20, "413"),
        ("/nowhere", 2 << 20, "404"),
        ("/systems", 2 << 20, "405"),
    ] {
        let mut stream = server.connect();
        let method = if path == "/servers/troy" { "PUT" } else { "POST" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let body = vec![b' '; length];
        // A server that has refused may close before all is sent.
        drop(stream.write_all(&body));
        let answer = read_to_end(stream);
        let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("application/problem+json"),
            "{path}: {answer}"
        );
    }
    assert_untouched(&server);
}

#[test]
fn an_address_or_method_that_is_refused_takes_the_body_in_first() {
    let server = Server::start();
    let body = vec![b' '; 20 << 20];
    server.send("POST", "/nowhere", &[JSON], &body).expect_problem(404, "not-found");
    server.send("PUT", "/deployments", &[JSON], &body).expect_problem(405, "method-not-allowed");
    server.send("POST", "/healthz", &[JSON], &body).expect_problem(405, "method-not-allowed");
    assert_untouched(&server);
}

#[test]
fn bytes_that_are_no_http_do_not_stop_the_server() {
    let server = Server::start();
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /deployments/start HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = read_to_end(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_untouched(&server);
}

#[test]
fn bad_reports_of_an_end_leave_the_attempt_open() {
    let server = Server::start();
    let plan = server.started(&provider("a", "i"));
    let path = format!("/deployments/{}/finish", text(&plan, "id"));
    let deep = format!("{{\"success\":true,\"x\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    server.send("POST", &path, &[JSON], deep).expect_invalid("invalid-finish");
    server.send("POST", &path, &[JSON], b"{\"success\":true,\"reason\":\"\xff\"}").expect_problem(400, "malformed");
    server.send("POST", &path, &[JSON], r#"{"success":true,"success":false}"#).expect_invalid("invalid-finish");
    let itself = server.send("POST", &path, &[YAML], "success: &a [*a, *a]\n");
    assert!(matches!(itself.status, 400 | 422), "{itself:?}");
    for reason in ["a\u{0}b".to_owned(), "r".repeat(64 * 1024 + 1)] {
        server.post(&path, &json!({"success": true, "reason": reason})).expect_invalid("invalid-finish");
    }
    assert_eq!(server.deployment(text(&plan, "id"))["deployment"]["condition"], "Pending");
    server.get("/healthz").expect(200);
}

#[test]
fn attributes_of_servers_and_corrections_hold_no_control_characters() {
    let server = Server::start();
    let plan = server.started(&provider("a", "i"));
    let corrected = |attributes: &Value| {
        let provide = json!({"interface": "i", "layer": "server", "attributes": attributes});
        json!({"success": true, "artifactSpec": {"provides": [provide]}})
    };
    for bad in ["x\u{0}", "x\u{1b}[31m", "x\u{7f}"] {
        for attributes in [json!({"a": bad}), json!({bad: "x"}), json!({"a": {"b": [bad]}}), json!({"a": {bad: "x"}})] {
            let declared = json!({"environment": "test", "attributes": attributes});
            server.put("/servers/troy", &declared).expect_invalid("invalid-server");
            server.finish(text(&plan, "id"), &corrected(&attributes)).expect_invalid("invalid-finish");
        }
    }
    let allowed = json!({"a": "tab\tand\r\nlines", "b": [1.50, true, null, {}]});
    server.put("/servers/troy", &json!({"environment": "test", "attributes": allowed})).expect(201);
    server.finish(text(&plan, "id"), &corrected(&allowed)).expect(200);
}

#[test]
fn headers_that_are_not_utf_8_are_400() {
    let server = Server::start();
    let body = spec("a").to_string();
    for name in ["Mortise-Actor", "Idempotency-Key"] {
        let head = format!(
            "POST {START} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{name}: ",
            body.len()
        );
        let answer = server.raw(&[head.as_bytes(), b"a\xff\r\n\r\n", body.as_bytes()].concat());
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"malformed\""), "{answer}");
    }
    assert_untouched(&server);
}

#[test]
fn selectors_in_a_query_are_read_within_bounds() {
    let server = Server::start();
    let selectors = [
        "%5B".repeat(5_000),
        "!".repeat(5_000),
        "(".repeat(5_000),
        format!("a%3D{}", "%22".repeat(3_001)),
        "a,".repeat(5_000),
    ];
    for selector in selectors {
        server.get(&format!("/components?selector={selector}")).expect_problem(400, "invalid-query");
    }
    let many = vec!["a"; 5_000].join(",");
    server.get(&format!("/components?selector={many}")).expect(200);
    assert_untouched(&server);
}

#[test]
fn a_set_may_have_a_thousand_members_and_no_more() {
    let server = Server::start();
    let member = |n: usize| json!({"system": "s", "name": format!("a{n}"), "version": "1", "environment": "t"});
    let set: Vec<_> = (0..1_001).map(member).collect();
    let plan = server.post("/deployments/start?dryRun=true", &json!(set[..1_000])).expect(200);
    assert_eq!(plan["artifactSpecs"].as_array().map(Vec::len), Some(1_000));
    let refused =
        server.post("/deployments/start?dryRun=true", &json!(set)).expect_problem(422, "invalid-specification");
    assert_eq!(refused["problems"][0]["code"], json!("too-large"));
    assert_untouched(&server);
}

#[test]
fn a_set_may_not_grow_without_bound_by_what_its_members_share() {
    let server = Server::start();
    let member = |n: usize| json!({"system": "s", "name": format!("a{n}"), "version": "1", "environment": "t"});
    let input =
        |n: usize| -> serde_json::Map<_, _> { (0..n).map(|i| (format!("i{i}"), json!("x".repeat(16_000)))).collect() };
    let body = json!({"artifactSpecs": (0..500).map(member).collect::<Vec<_>>(), "input": input(64)});
    let refused = server.post("/deployments/start", &body).expect_problem(422, "invalid-specification");
    assert_eq!(refused["problems"][0]["code"], json!("too-large"));
    let renders = |n: usize| {
        let texts: serde_json::Map<_, _> =
            (0..20).map(|i| (format!("t{i}"), json!("${input.i0}${input.i0}${input.i0}"))).collect();
        json!({"system": "s", "name": format!("a{n}"), "version": "1", "environment": "t", "annotations": texts})
    };
    let body = json!({"artifactSpecs": (0..100).map(renders).collect::<Vec<_>>(), "input": input(1)});
    let refused = server.post("/deployments/start", &body).expect_problem(422, "invalid-specification");
    assert_eq!(refused["problems"][0]["code"], json!("too-large"));
    assert_untouched(&server);
}

#[test]
fn a_path_that_is_not_utf8_names_nothing() {
    let server = Server::start();
    server.put("/servers/%FF", &json!({"environment": "t"})).expect_problem(400, "malformed");
    server.get("/servers/%FF").expect_problem(400, "malformed");
    assert_untouched(&server);
}

#[test]
fn attributes_that_aliases_make_large_are_refused() {
    let server = Server::start();
    let body = format!(
        "system: shop\nname: a\nversion: '1'\nenvironment: test\nprovides:\n- interface: i\n  layer: server\n  attributes:\n    a: &a {}\n    b: [{}]\n",
        "x".repeat(20_000),
        vec!["*a"; 1_000].join(", ")
    );
    let yaml = [("Content-Type", "application/yaml")];
    let answer = server.send("POST", "/deployments/start?dryRun=true", &yaml, body);
    let problem = answer.expect_problem(422, "invalid-specification");
    assert_eq!(problem["problems"][0]["code"], "too-large");
    let body = format!(
        "environment: test\nattributes:\n  a: &a {}\n  b: [{}]\n",
        "x".repeat(20_000),
        vec!["*a"; 1_000].join(", ")
    );
    let problem = server.send("PUT", "/servers/one", &yaml, body).expect_problem(422, "invalid-server");
    assert_eq!(problem["problems"][0]["code"], "too-large");
}

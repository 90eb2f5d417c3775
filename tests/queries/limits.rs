//! How much an answer may be, and what becomes of one that is not waited for.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::backend::{Backend, laws};
use crate::company::{ask, lines, rows};
use crate::harness::{Tested, tests};
use crate::server::{Client, Server};

tests![a_product_of_many_things_that_have_nothing_to_do_with_each_other_is_refused_where_its_time_could_not_be_kept];

laws![
    a_last_line_says_where_the_limit_of_rows_cut_an_answer_and_only_there,
    a_question_that_takes_too_long_is_cut_in_time_and_the_next_one_is_answered,
    long_questions_keep_neither_planning_nor_each_other_waiting,
    a_hundred_thousand_rows_come_whole_and_in_pieces,
    a_client_that_goes_away_gives_its_place_to_others,
];

/// A hundred million rows, of which none is ever kept.
const MANY: &str = "UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b RETURN a, b";
/// As many, counted: nothing comes before the end.
const LONG: &str = "UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b
    WITH a, b WHERE a * b % 7 = 3 OR a * a * b % 11 = 5 OR b * b * a % 13 = 4 RETURN count(*) AS n";

fn a_last_line_says_where_the_limit_of_rows_cut_an_answer_and_only_there(backend: Backend) -> Tested {
    backend.serve(&["--query-max-rows", "3"], |server| {
        let count = |statement: &str| {
            let rows = rows(server, statement, &json!({"limit": 4}));
            (rows.len(), rows.last().filter(|last| last.get("truncated").is_some()).cloned())
        };
        let cut = Some(json!({"truncated": {"rows": 3}}));
        assert_eq!(count("UNWIND [1, 2, 3] AS x RETURN x"), (3, None));
        assert_eq!(count("UNWIND [1, 2, 3, 4] AS x RETURN x"), (4, cut.clone()));
        assert_eq!(count("UNWIND [1, 2, 3, 4] AS x RETURN x LIMIT 3"), (3, None));
        assert_eq!(count("UNWIND [1, 2, 3, 4] AS x RETURN x LIMIT 4"), (4, cut.clone()));
        assert_eq!(count("UNWIND [1, 2, 3, 4, 5] AS x RETURN x LIMIT $limit"), (4, cut.clone()));
        assert_eq!(count("UNWIND [1, 2, 3, 4, 5] AS x RETURN x SKIP 1 LIMIT 9"), (4, cut.clone()));
        assert_eq!(count("UNWIND [1, 2] AS x RETURN x UNION ALL UNWIND [3, 4] AS x RETURN x"), (4, cut));
        assert_eq!(count("UNWIND [1, 1, 1, 1, 1] AS x RETURN DISTINCT x"), (1, None));
    })
}

fn a_question_that_takes_too_long_is_cut_in_time_and_the_next_one_is_answered(backend: Backend) -> Tested {
    backend.serve(&["--query-timeout-seconds", "1"], |server| {
        let began = Instant::now();
        assert_eq!(lines(&ask(server, LONG, &json!({}))), [json!({"truncated": {"seconds": 1}})]);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(rows(server, "RETURN 1 AS x", &json!({})), [json!({"x": 1})]);
    })
}

fn a_product_of_many_things_that_have_nothing_to_do_with_each_other_is_refused_where_its_time_could_not_be_kept() {
    let server = Server::start();
    for query in [
        "MATCH (a:Label), (b:Label), (c:Label) RETURN count(*) AS n",
        "MATCH (a:Label) MATCH (b:Label) MATCH (c:Label) RETURN count(*) AS n",
        "UNWIND [1] AS a UNWIND [1] AS b UNWIND [1] AS c RETURN a",
    ] {
        let answer = server.post("/graph/query", &json!({"query": query}));
        assert_eq!(answer.expect_problem(400, "query-refused")["code"], "query-refused", "{query}");
    }
    let joined = "MATCH (a:Artifact), (b:Artifact) MATCH (a)-[:HAS_VERSION]->(v:ArtifactVersion) RETURN v.version AS v";
    assert_eq!(server.post("/graph/query", &json!({"query": joined})).status, 200);
}

fn long_questions_keep_neither_planning_nor_each_other_waiting(backend: Backend) -> Tested {
    backend.serve(&["--query-timeout-seconds", "8"], |server| {
        std::thread::scope(|scope| {
            let asking: Vec<_> =
                (0..3).map(|_| scope.spawn(|| ask(&Client::of(server.address()), LONG, &json!({})))).collect();
            let spec =
                json!({"system": "x", "name": server.address().replace(':', "-"), "version": "1", "environment": "x"});
            let began = Instant::now();
            server.deploy(&spec);
            assert_eq!(rows(server, "RETURN 1 AS x", &json!({})), [json!({"x": 1})]);
            assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
            for answer in asking {
                assert_eq!(lines(&answer.join().unwrap()).last(), Some(&json!({"truncated": {"seconds": 8}})));
            }
        });
    })
}

fn a_hundred_thousand_rows_come_whole_and_in_pieces(backend: Backend) -> Tested {
    backend.serve(&["--query-max-rows", "100000"], |server| {
        let answer = ask(server, MANY, &json!({}));
        assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
        let rows: Vec<Value> = lines(&answer);
        assert_eq!(rows.len(), 100_001);
        assert_eq!(rows[100_000], json!({"truncated": {"rows": 100_000}}));
        assert_eq!((&rows[0], &rows[99_999]), (&json!({"a": 1, "b": 1}), &json!({"a": 10, "b": 10_000})));
    })
}

fn a_client_that_goes_away_gives_its_place_to_others(backend: Backend) -> Tested {
    backend.serve(&["--query-max-rows", "100000"], |server| {
        // Far more than fits between here and there.
        let query = "UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b RETURN a, b, $text AS text";
        let body = json!({"query": query, "parameters": {"text": "x".repeat(4_096)}}).to_string();
        // More than are answered at once.
        for _ in 0..8 {
            let mut stream = server.connect();
            let head = format!(
                "POST /graph/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            let mut some = [0; 4_096];
            assert!(stream.read(&mut some).unwrap() > 0);
        }
        let began = Instant::now();
        assert_eq!(rows(server, "RETURN 1 AS x", &json!({})), [json!({"x": 1})]);
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    })
}

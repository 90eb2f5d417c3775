//! Large values: what an answer may have in bytes, and how much memory one may take.

use serde_json::{Value, json};

use crate::backend::{Backend, laws};
use crate::company::{ask, lines, rows};
use crate::harness::Tested;
use crate::server::Server;

laws![
    a_last_line_says_where_a_limit_of_bytes_cut_an_answer,
    many_large_rows_come_whole_and_take_little_memory,
    what_grows_without_end_takes_little_memory_and_keeps_nobody_waiting,
];

/// How much memory the process may ever take.
const MOST_MEMORY: usize = 300 << 20;

fn a_last_line_says_where_a_limit_of_bytes_cut_an_answer(backend: Backend) -> Tested {
    backend.serve(&["--query-max-row-bytes", "1000", "--query-max-bytes", "5000"], |server| {
        let (short, long) = ("x".repeat(400), "y".repeat(3_000));
        let told = |bytes: usize| json!({"truncated": {"bytes": bytes}});
        let found = lines(&ask(server, "RETURN $long AS x", &json!({"long": long})));
        assert_eq!(found, [told(1_000)]);
        let list = json!({"list": [short, short, long, short]});
        let found = lines(&ask(server, "UNWIND $list AS x RETURN x", &list));
        assert_eq!(found, [json!({"x": short}), json!({"x": short}), told(1_000)]);
        let found = lines(&ask(server, "UNWIND range(1, 100) AS n RETURN $short AS x", &json!({"short": short})));
        assert_eq!((found.len(), found.last()), (13, Some(&told(5_000))));
        // It is never the number of rows that counts.
        assert_eq!(rows(server, "UNWIND range(1, 500) AS n RETURN 1 AS x", &json!({})).len(), 500);
    })
}

fn many_large_rows_come_whole_and_take_little_memory(backend: Backend) -> Tested {
    backend.serve(&[], |server| {
        // More than is let through at once, and rows that are more than that alone.
        for (count, bytes) in [(3_000, 10_000), (60, 600_000)] {
            let text = "x".repeat(bytes);
            let statement = format!("UNWIND range(1, {count}) AS n RETURN n, $text AS text");
            let found = rows(server, &statement, &json!({"text": text}));
            let numbers = found.iter().map(|row| row["n"].as_i64().unwrap());
            assert!(numbers.eq(1..=count), "{count} rows");
            assert!(found.iter().all(|row| row["text"].as_str() == Some(&text)));
        }
        assert!(most_memory(server) < MOST_MEMORY, "{}", most_memory(server));
    })
}

/// Statements whose values grow, each in another way.
const GROWING: [&str; 8] = [
    "RETURN range(0, 50000000) AS x",
    "UNWIND range(1, 10000) AS a RETURN $text AS x",
    "UNWIND range(1, 10000) AS a RETURN collect($text) AS x",
    "UNWIND range(1, 10000) AS a RETURN replace($text, 'a', 'aaaa') AS x",
    "UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b RETURN collect(a) AS x",
    "UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b RETURN DISTINCT a, b, $text AS x",
    "RETURN replace(replace($text, 'a', $text), 'a', 'aaaa') AS x",
    "RETURN [n IN range(1, 10000) | $text] AS x",
];

fn what_grows_without_end_takes_little_memory_and_keeps_nobody_waiting(backend: Backend) -> Tested {
    backend.serve(&["--query-timeout-seconds", "5"], |server| {
        for statement in GROWING {
            let answer = ask(server, statement, &json!({"text": "abc".repeat(20_000)}));
            let lines = lines(&answer);
            let is_cut = lines.last().is_some_and(|last| last.get("truncated").is_some());
            // Refused, or more than the database itself gives it.
            let is_refused = answer.status == 400 || answer.status == 503;
            assert!(is_cut || is_refused, "{statement}: {answer:?}");
            assert!(most_memory(server) < MOST_MEMORY, "{statement}: {}", most_memory(server));
        }
        // Where the database ran out of memory it may need a moment.
        let answered = (0..100).any(|_| ask(server, "RETURN 1 AS x", &Value::Null).text == "{\"x\":1}\n");
        assert!(answered);
    })
}

/// The most memory that the process of a server ever had, in bytes.
fn most_memory(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

//! Aggregates, and what stands beside them.

use serde_json::json;

use crate::company::{ask, rows};
use crate::harness::tests;
use crate::server::{Server, text};

tests![a_name_beside_an_aggregate_is_refused_where_its_value_would_get_lost,];

fn a_name_beside_an_aggregate_is_refused_where_its_value_would_get_lost() {
    let server = Server::start();
    for (name, statement) in [
        ("w", "UNWIND ['a', 'b'] AS w RETURN 1 AS one, w, count(*) AS n"),
        ("w", "UNWIND ['a', 'b'] AS w RETURN 1 AS one, (w) AS w, count(*) AS n"),
        ("w", "UNWIND ['a', 'b'] AS w RETURN true AS yes, w, count(*) AS n"),
        ("w", "UNWIND ['a', 'b'] AS w RETURN toUpper(w) AS u, collect(w) AS l"),
        ("w", "UNWIND ['a', 'b'] AS w WITH w, count(toUpper(w)) AS n RETURN w, n"),
        ("w", "UNWIND [true, false] AS w RETURN 1 AS one, max(1) AS m, count(DISTINCT w) AS n"),
        ("r", "MATCH (s:System)-[r:OWNS]->(a) RETURN s.name AS system, r, count(*) AS n"),
    ] {
        let problem = ask(&server, statement, &json!({})).expect_problem(400, "query-refused");
        assert!(text(&problem, "detail").contains("give each value a name in a WITH before"), "{statement}: {problem}");
        assert_eq!(text(&problem, "clause"), name, "{statement}: {problem}");
    }
    let answered = rows(&server, "UNWIND ['a', 'a'] AS w WITH 1 AS one, w RETURN one, w, count(*) AS n", &json!({}));
    assert_eq!(answered, [json!({"one": 1, "w": "a", "n": 2})]);
}

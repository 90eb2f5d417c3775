//! Lists that have a name: how far the embedded engine carries them, and what is told where it does not.

use serde_json::{Value, json};

use crate::company::{ask, rows};
use crate::harness::tests;
use crate::server::{Server, text};

tests![
    a_list_is_refused_by_its_name_where_a_clause_stands_between,
    a_list_that_gets_no_name_at_all_is_refused_with_what_to_write_instead,
    what_is_to_be_written_instead_is_answered,
];

fn parameters() -> Value {
    json!({
        "list": ["a", "b"],
        "lists": [["a", "b"], ["c"]],
        "mixed": [1, "a"],
        "rows": [{"name": "a", "tags": ["x", "y"]}],
        "map": {"name": "a", "tags": ["x", "y"]},
    })
}

/// The name of a list, and the statement that uses it where it may be forgotten.
const CARRIED_ON: [(&str, &str); 30] = [
    ("l", "WITH ['a', 'b'] AS l UNWIND l AS x UNWIND l AS y RETURN count(*)"),
    ("l", "WITH ['a', 'b'] AS l UNWIND l AS x RETURN x, l"),
    ("l", "WITH ['a', 'b'] AS l UNWIND l AS x RETURN x, size(l) AS size"),
    ("l", "WITH ['a', 'b'] AS l WITH l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH ['a', 'b'] AS l WITH l AS m UNWIND m AS x UNWIND m AS y RETURN x, y"),
    ("l", "WITH ['a', 'b'] AS l WITH l AS m, 1 AS one UNWIND m AS x RETURN x, m"),
    ("l", "WITH ['a', 'b'] AS l WITH DISTINCT l RETURN l"),
    ("l", "WITH ['a', 'b'] AS l WITH size(l) AS n RETURN n"),
    ("L", "WITH ['a', 'b'] AS `L` UNWIND `L` AS x RETURN x"),
    ("l", "WITH [1, 2, 3][0..2] AS l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH range(1, 3) AS l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH [x IN [1, 2, 3] WHERE x > 1] AS l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH CASE WHEN true THEN ['a', 'b'] ELSE ['c'] END AS l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH CASE WHEN true THEN ['a', 'b'] END AS l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH CASE WHEN true THEN ['a', 'b'] ELSE 'c' END AS l MATCH (a:Artifact) RETURN a.name, l"),
    ("l", "WITH $map.tags AS l UNWIND l AS x UNWIND l AS y RETURN x, y"),
    ("l", "WITH $map.tags AS l MATCH (a:Artifact) RETURN a.name, l"),
    ("l", "UNWIND $lists AS l UNWIND l AS x RETURN x, l"),
    ("l", "UNWIND $lists AS l WITH l MATCH (a:Artifact) WHERE a.name IN l RETURN a.name"),
    ("l", "UNWIND [1, 2] AS x WITH collect(x) AS l UNWIND l AS y UNWIND l AS z RETURN y, z"),
    ("l", "UNWIND [1, 2] AS x WITH collect(DISTINCT x) AS l UNWIND l AS y RETURN y, l"),
    ("l", "UNWIND $list AS x WITH x, ['c', 'd'] AS l UNWIND l AS y RETURN x, y, l"),
    ("names", "MATCH (a:Artifact) WITH collect(a.name) AS names UNWIND names AS x UNWIND names AS y RETURN x, y"),
    (
        "names",
        "MATCH (a:Artifact) WITH collect(a.name) AS names MATCH (b:Artifact) WHERE b.name IN names RETURN b.name",
    ),
    ("names", "MATCH (a:Artifact) WITH collect(a.name) AS names OPTIONAL MATCH (b:Artifact) RETURN b.name, names"),
    (
        "names",
        "MATCH (a:Artifact) WITH collect(a.name) AS names RETURN EXISTS { (b:Artifact) WHERE b.name IN names } AS x",
    ),
    ("labels", "MATCH (a:Artifact) WITH a, labels(a) AS labels UNWIND labels AS x UNWIND labels AS y RETURN x, y"),
    ("row", "UNWIND $rows AS row UNWIND row.tags AS x UNWIND row.tags AS y RETURN x, y"),
    ("row", "UNWIND $rows AS row MATCH (a:Artifact) RETURN a.name, row.tags"),
    ("row", "UNWIND $rows AS row WITH row, row.tags AS tags RETURN tags"),
];

fn a_list_is_refused_by_its_name_where_a_clause_stands_between() {
    let server = Server::start();
    for (name, statement) in CARRIED_ON {
        let problem = ask(&server, statement, &parameters()).expect_problem(400, "query-refused");
        assert_eq!(text(&problem, "clause"), name, "{statement}: {problem}");
        let detail = text(&problem, "detail");
        assert!(detail.contains("write the list itself or a parameter here"), "{statement}: {detail}");
    }
}

/// What is refused before it gets a name, and a part of what is told.
const NEVER_NAMED: [(&str, &str); 13] = [
    ("WITH $list AS l UNWIND l AS x UNWIND l AS y RETURN x, y", "stands after IN or UNWIND"),
    ("WITH $list[0..1] AS l UNWIND l AS x RETURN x", "name the list in a WITH before"),
    ("WITH coalesce(['a', 'b'], ['c']) AS l UNWIND l AS x UNWIND l AS y RETURN x, y", "texts, numbers or nodes"),
    ("WITH {l: ['a', 'b']} AS m UNWIND m.l AS x UNWIND m.l AS y RETURN x, y", "a column of its own"),
    ("WITH [['a', 'b'], ['c']] AS l UNWIND l AS m UNWIND m AS x RETURN x", "pass other lists as a parameter"),
    ("WITH ['a'] + ['b'] AS l UNWIND l AS x UNWIND l AS y RETURN x, y", "both sides"),
    ("WITH split('a,b', ',') AS l UNWIND l AS x UNWIND l AS y RETURN x, y", "the list of functions"),
    ("WITH keys($map) AS l UNWIND l AS x RETURN x, l", "stands after IN or UNWIND"),
    ("MATCH p = (s:System)-[:OWNS]->(a) WITH nodes(p) AS l UNWIND l AS x RETURN x, l", "name the nodes"),
    ("MATCH (a:Artifact) WITH collect(a) AS l UNWIND l AS x UNWIND l AS y RETURN x, y", "it is made of texts"),
    ("UNWIND $map.tags AS x RETURN x", "a parameter of its own"),
    ("UNWIND $lists AS l RETURN DISTINCT l", "DISTINCT is for"),
    ("UNWIND $lists AS l RETURN l, count(*) AS n", "rows are grouped by"),
];

fn a_list_that_gets_no_name_at_all_is_refused_with_what_to_write_instead() {
    let server = Server::start();
    for (statement, told) in NEVER_NAMED {
        let problem = ask(&server, statement, &parameters()).expect_problem(400, "query-refused");
        assert!(text(&problem, "detail").contains(told), "{statement}: {problem}");
    }
}

fn what_is_to_be_written_instead_is_answered() {
    let server = Server::start();
    let answered = |statement: &str| rows(&server, statement, &parameters());
    let four = [json!({"n": 4})];
    assert_eq!(answered("UNWIND ['a', 'b'] AS x UNWIND ['a', 'b'] AS y RETURN count(*) AS n"), four);
    assert_eq!(answered("UNWIND $list AS x UNWIND $list AS y RETURN count(*) AS n"), four);
    assert_eq!(answered("WITH ['a', 'b'] AS l RETURN l, size(l) AS n"), [json!({"l": ["a", "b"], "n": 2})]);
    assert_eq!(answered("UNWIND [1, 2] AS x WITH collect(x) AS l WHERE 1 IN l RETURN l[1] AS x"), [json!({"x": 2})]);
    // A list that nobody asks for any more stands in nobody's way, and neither does what holds none.
    assert_eq!(answered("UNWIND [1, 2] AS x WITH collect(x) AS l, count(x) AS n WITH n RETURN n"), [json!({"n": 2})]);
    assert_eq!(answered("UNWIND $mixed AS x WITH x UNWIND [1] AS y RETURN x").len(), 2);
}

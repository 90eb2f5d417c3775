//! `mortise query`

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::company::Company;
use crate::database::Absent;
use crate::harness::{Tested, tests};
use crate::server::{Server, mortise};

tests![
    rows_are_lines_where_no_terminal_is,
    what_is_refused_exits_with_2_and_says_where,
    an_answer_that_was_cut_says_so_beside_its_rows,
    rows_are_a_table_on_a_terminal,
];

/// Runs it against a server: the code it exits with, what it printed, and what it told beside.
fn query(server: &Server, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = mortise();
    command.arg("query").args(arguments).args(["--server", &server.url()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // What reads nothing may have ended.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn rows_are_lines_where_no_terminal_is() {
    let server = Server::start();
    let statement = "UNWIND $rows AS row RETURN row, $text AS text";
    let arguments = ["--param", "rows:=[1, 2]", "--param", "text=1.10", statement];
    let expected = "{\"row\":1,\"text\":\"1.10\"}\n{\"row\":2,\"text\":\"1.10\"}\n";
    assert_eq!(query(&server, &arguments, ""), (0, expected.to_owned(), String::new()));
    let from_input = ["-f", "-", "-p", "rows:=[1]", "-p", "text=", "--output", "yaml"];
    assert_eq!(query(&server, &from_input, statement), (0, "---\nrow: 1\ntext: \"\"\n".to_owned(), String::new()));
    assert_eq!(query(&server, &["MATCH (n:Nothing) RETURN n"], ""), (0, String::new(), String::new()));
}

fn what_is_refused_exits_with_2_and_says_where() {
    let server = Server::start();
    let (code, out, err) = query(&server, &["MATCH (n)\nSET n.x = 1"], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("SET at line 2, column 1 is refused") && err.contains("query-refused"), "{err}");
    let (code, out, _) = query(&server, &["MATCH (n) DELETE n", "--output", "json"], "");
    let problem: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &problem["clause"], &problem["column"]), (2, &json!("DELETE"), &json!(11)));
    for arguments in [&["RETURN 1", "-p", "x"][..], &["RETURN 1", "-p", "x:={"], &[], &["RETURN 1", "-f", "x"]] {
        assert_eq!(query(&server, arguments, "").0, 2, "{arguments:?}");
    }
    let unreachable = mortise().args(["query", "RETURN 1 AS x", "--server", "127.0.0.1:1"]).output().unwrap();
    assert_eq!(unreachable.status.code(), Some(2));
}

fn an_answer_that_was_cut_says_so_beside_its_rows() {
    let server = Server::start_with(&["--query-max-rows", "2", "--query-max-row-bytes", "20"]);
    let (code, out, err) = query(&server, &["UNWIND [1, 2, 3] AS x RETURN x"], "");
    assert_eq!((code, out.as_str()), (0, "{\"x\":1}\n{\"x\":2}\n{\"truncated\":{\"rows\":2}}\n"));
    assert_eq!(err, "mortise: the answer is cut after 2 rows, the limit of the server\n");
    let (code, out, err) = query(&server, &["RETURN 'a text of thirty bytes or so' AS x"], "");
    assert_eq!((code, out.as_str()), (0, "{\"truncated\":{\"bytes\":20}}\n"));
    assert_eq!(err, "mortise: the answer is cut after 20 bytes, the limit of the server\n");
}

fn rows_are_a_table_on_a_terminal() -> Tested {
    let company = Company::found();
    let server = company.serve(&[]);
    let statement = "MATCH (s:System) OPTIONAL MATCH (s)-[:DEFINES]->(i:Interface) WHERE i.name STARTS WITH $p \
                     RETURN s.name AS system, i.name AS interface ORDER BY system, interface";
    let binary = env!("CARGO_BIN_EXE_mortise");
    let line = format!("{binary} query --server {} --param p=shop '{statement}'", server.url());
    // It gives the command a terminal.
    let Ok(output) = Command::new("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output() else {
        return Err(Absent("there is no `script` here".to_owned()));
    };
    let shown = String::from_utf8(output.stdout).unwrap().replace('\r', "");
    let expected = "\
┌──────────┬───────────┐
│ system   ┆ interface │
╞══════════╪═══════════╡
│ billing  ┆           │
│ platform ┆           │
│ shop     ┆ shop-api  │
│ shop     ┆ shop-web  │
└──────────┴───────────┘
4 rows
";
    assert_eq!(shown, expected);
    Ok(())
}

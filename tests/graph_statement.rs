//! What the guard before graph queries lets pass, and what it refuses.

use mortise::cypher::statement::RefusalKind::{
    Ambiguous, Bracket, Clause, Empty, Function, Several, Token, TooDeep, TooLong, Unknown,
};
use mortise::cypher::statement::{MAX_BYTES, MAX_DEPTH, RefusalKind, Statement};
use proptest::prelude::*;

const ACCEPTED: &[&str] = &[
    "MATCH (n) RETURN n",
    "MATCH (n) RETURN n;",
    "match (n:System) return n.name As name order by name desc skip 1 limit 10",
    "MATCH (n) RETURN n.name OFFSET 2 LIMIT $limit",
    "MATCH (s:System)-[:OWNS]->(a:Artifact)-[:HAS_VERSION]->(v) RETURN s, a, v",
    "MATCH (a)-->(b)<--(c)--(d) RETURN *",
    "MATCH p = (a:System {name: 'shop'})-[r:OWNS|DEFINES*1..3 {x: 1}]->(b) RETURN p, length(p), nodes(p)",
    "MATCH (a)-[*]->(b) RETURN count(*)",
    "MATCH (a)-[*..3]->(b), (b)-[r*2]-(c), (c)-[:X*2..]->(d) RETURN count(*) AS n",
    "MATCH p = shortestPath((a:Artifact {name: $a})-[*..10]-(b:Artifact {name: $b})) RETURN p",
    "MATCH p = allShortestPaths((a)-[:X*..4]->(b)) RETURN [n IN nodes(p) | n.name] AS names",
    "OPTIONAL MATCH (n:System) WHERE n.name STARTS WITH 's' AND NOT n.name ENDS WITH 'x' RETURN n",
    "MATCH (n) WHERE n.name CONTAINS 'set' OR n.name =~ '(?i)create.*' XOR n.name IS NOT NULL RETURN n",
    "MATCH (n) WHERE n.a IS NULL AND n.b IN [1, 2, $c] RETURN n",
    "MATCH (n) WHERE NOT (n)-[:OWNS]->() RETURN n",
    "MATCH (n WHERE n.x > 1)-[r WHERE r.active]->(m) RETURN n",
    "MATCH (n:!System&(Artifact|Interface)) RETURN n",
    "MATCH (n:%) WHERE n:System OR n:Artifact RETURN n:System AS is",
    "MATCH (n) WITH n.name AS name, count(*) AS count WHERE count > 1 RETURN name, count",
    "MATCH (n) WITH * WHERE n.x = 1 WITH DISTINCT n.y AS y RETURN collect(DISTINCT y)[0..2] AS ys",
    "UNWIND [1, 2, null] AS x RETURN x",
    "UNWIND $rows AS row MATCH (n {name: row.name}) RETURN n, row['x']",
    "WITH [1, 2] AS l RETURN l[0], l[-1], l[size(l) - 1], l[0..$n], 'x' IN ['token'], {a: 1}['a'] AS text",
    "WITH 1 AS x RETURN x UNION RETURN 2 AS x",
    "RETURN 1 AS x UNION ALL MATCH (n) RETURN n.x AS x",
    "RETURN 1 AS x UNION DISTINCT UNWIND [1] AS x RETURN x",
    "MATCH (n) WHERE EXISTS { (n)-[:OWNS]->(:Artifact) } RETURN n",
    "MATCH (n) WHERE NOT EXISTS { MATCH (n)-[:OWNS]->(a) WHERE a.name = 'x' RETURN a } RETURN n",
    "MATCH (n) WHERE COUNT { (n)-->() } > 2 RETURN n, COUNT { MATCH (n)-->(m) WHERE m.x } AS c",
    "MATCH (n) RETURN COLLECT { MATCH (n)-->(m) RETURN m.name ORDER BY m.name LIMIT 3 } AS names",
    "MATCH (n) WHERE EXISTS { MATCH (n)-->(m) WHERE EXISTS { (m)-->(:X) } UNION MATCH (n)<--(m) } RETURN n",
    "MATCH (n) WHERE exists((n)-->()) RETURN n",
    "RETURN CASE WHEN 1 = 2 THEN 'a' WHEN true THEN 'b' ELSE NULL END AS x",
    "MATCH (n) RETURN CASE n.state WHEN 'UP' THEN 1 ELSE CASE n.x WHEN 2 THEN 3 END END AS x ORDER BY x ASC",
    "RETURN [x IN range(1, 10) WHERE x % 2 = 0 | x ^ 2] AS l, [1, 2][-1], [1, 2, 3][..2]",
    "MATCH (n) RETURN [(n)-[:OWNS]->(a) WHERE a.x | a.name] AS l, n {.name, x: 1, y: n.z} AS m",
    "RETURN all(x IN [1] WHERE x > 0), any(x IN [] WHERE x), none(x IN [1] WHERE x < 0), single(x IN [1] WHERE x = 1)",
    "RETURN reduce(sum = 0, x IN [1, 2] | sum + x) AS total",
    "RETURN date('2026-01-01') < date(), datetime() - duration('P1D'), duration.between(date(), date()).days",
    "RETURN -1, +1, 1.5, .5, 1e3, 1E-3, 0xff, 2 * 3 / 4 % 5, 1 <> 2, 1 <= 2, 'a' + \"b\"",
    "RETURN toUpper('x'), coalesce(null, 1), size('abc'), percentileCont(1, 0.5), stDev(1), nullIf(1, 1)",
    "RETURN count (*) + 1 AS `n`, `toUpper`('x') AS `CREATE`",
    // Names that are spelled like clauses, where they are names for certain.
    "MATCH (n) WHERE n.set = 1 AND n . create = 2 RETURN n.delete, n.merge.remove",
    "MATCH (n:Set)-[:CREATE]->(:Delete:Merge) RETURN n",
    "RETURN {merge: 1, delete: 2, call: {set: 3}, limit: 4, match: 5} AS m",
    "MATCH (n {create: 1}) RETURN n {.delete, set: n.set}",
    "RETURN $create, $`set`, $call.load, $1",
    "MATCH (`create`)-[`set`:`DELETE`]->() RETURN `create`.`merge` AS `call`",
    "MATCH (n) RETURN n.x AS set, count(*) AS call, [1] AS load, $a AS show, 1 AS use",
    "MATCH (n)-[:IN]->(e:Order)-[:AS]->(:Limit) RETURN n.limit, n.order, n.as AS as",
    // Text that only looks like a clause.
    "RETURN 'CREATE (n)', \"it's; DELETE\", 'it\\'s // SET', \"/* CALL\"",
    "MATCH (n) // DELETE n\nRETURN n /* CREATE (m) */",
    "MATCH (n)/* ' */RETURN n/**/.name//",
    "MATCH (n) WHERE n.name = 'ſet' AND n.größe > 1 RETURN n.`名前`, n.名前",
    "MATCH (n) WHERE n.x =~ '\\\\d+\\t' RETURN n",
    "MATCH (n) RETURN n.name AS ÜBER",
    "RETURN 'caf\\u00e9', '\\ud83d\\ude00' AS `sm\\u0069le`",
    "RETU\\u0052N 1 AS x",
    "RETURN 'it stops \\u0027 AS x",
    "RETURN 1 AS x // comment\\u000aUNION RETURN 2 AS x",
];

/// The kind, what is named, and the statement.
const REFUSED: &[(RefusalKind, &str, &str)] = &[
    (Clause, "CREATE", "CREATE (n)"),
    (Clause, "CREATE", "crea\\u0074e (:X)"),
    (Clause, "CREATE", "MATCH (n)\\u0020\\u0063reate (m) RETURN m"),
    (Clause, "CREATE", "RETURN 'a\\u0027 CREATE (n) //'"),
    (Clause, "CREATE", "MATCH (n) //\\u000aCREATE (m)\nRETURN n"),
    (Clause, "CREATE", "MATCH (n) /*\\u002a/ CREATE (m) /**/ RETURN n"),
    (Clause, "CREATE", "MATCH (n) WHERE n.name = \"\\\\\" CREATE (m) //\""),
    (Clause, "CREATE", "MATCH (`n`) CREATE (`m`)"),
    (Clause, "CREATE", "MATCH (`n```) CREATE (m) //`"),
    (Clause, "CREATE", "MATCH (n) RETURN EXISTS { MATCH (n) CREATE (m) }"),
    (Clause, "CREATE", "MATCH (n) RETURN EXISTS { CREATE (m) }"),
    (Clause, "CREATE", "MATCH (n) RETURN COLLECT { WITH n CREATE (m) RETURN m }"),
    (Clause, "CREATE", "MATCH (n) WHERE n.create CREATE (m)"),
    (Clause, "SET", "MATCH (n) SET n.x=1"),
    (Clause, "SET", "MATCH (n)SET n.x=1"),
    (Clause, "SET", "MATCH (n)/**/SeT/**/n.x=1"),
    (Clause, "SET", "MATCH (n)//\nSET n.x=1"),
    (Clause, "SET", "MATCH (n) WITH n LIMIT 1 SET n:X"),
    (Clause, "SET", "MATCH (n) WITH n LIMIT $x SET n:X"),
    (Clause, "SET", "MATCH (n) WHERE n.x = 'a'SET n.x=1"),
    (Clause, "SET", "MATCH (n) WITH *SET n.x=1"),
    // In Neo4j these ran: `as` is a variable.
    (Ambiguous, "AS", "MATCH (as:System) WITH as SET as.x=1 RETURN 1"),
    (Ambiguous, "AS", "MATCH (as) WITH DISTINCT as SET as.x=1"),
    (Clause, "SET", "MATCH (n) WITH n.as SET n.x = 1"),
    (Clause, "SET", "MATCH (n:As SET n.x = 1)"),
    (Clause, "SET", "MATCH (n) WHERE n:A|SET"),
    (Clause, "MERGE", "UNWIND [1] AS x MERGE (n {x: x})"),
    (Clause, "MERGE", "MATCH (n) RETURN {a: 1} AS m MERGE (x)"),
    (Clause, "DELETE", "MATCH (n) DELETE n"),
    (Clause, "DETACH", "MATCH (n) DETACH DELETE n"),
    (Clause, "NODETACH", "MATCH (n) NODETACH DELETE n"),
    (Clause, "REMOVE", "MATCH (n) REMOVE n.x"),
    (Clause, "FOREACH", "MATCH (n) FOREACH (x IN [1] | SET n.x = x)"),
    (Clause, "INSERT", "INSERT (n)"),
    (Clause, "DROP", "DROP INDEX x"),
    (Clause, "ALTER", "ALTER USER neo4j SET PASSWORD 'x'"),
    (Clause, "GRANT", "GRANT ROLE x TO y"),
    (Clause, "REVOKE", "REVOKE ROLE x FROM y"),
    (Clause, "DENY", "DENY READ {*} ON GRAPH x TO y"),
    (Clause, "RENAME", "RENAME USER a TO b"),
    (Clause, "ENABLE", "ENABLE SERVER 'x'"),
    (Clause, "DRYRUN", "DRYRUN REALLOCATE DATABASES"),
    (Clause, "DEALLOCATE", "DEALLOCATE DATABASES FROM SERVER 'x'"),
    (Clause, "CALL", "CALL dbms.listConfig()"),
    (Clause, "CALL", "CALL { MATCH (n) RETURN n } RETURN n"),
    (Clause, "CALL", "MATCH (n) CALL (n) { RETURN 1 AS x } RETURN x"),
    (Clause, "CALL", "OPTIONAL CALL db.labels()"),
    (Clause, "CALL", "MATCH (n) RETURN n UNION CALL db.labels() YIELD label RETURN label AS n"),
    (Clause, "CALL", "MATCH (n) RETURN n UNION ALL CALL db.labels() YIELD label RETURN label AS n"),
    (Clause, "CALL", "MATCH (call) RETURN 1"),
    (Clause, "LOAD CSV", "LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line"),
    (Clause, "LOAD CSV", "load/* */\n//x\n csv WITH HEADERS FROM $url AS line RETURN line"),
    (Clause, "LOAD CSV", "MATCH (n) LOAD CSV FROM n.url AS line RETURN line"),
    (Clause, "SHOW", "SHOW USERS"),
    (Clause, "SHOW", "RETURN 1 AS x UNION SHOW USERS"),
    (Clause, "TERMINATE", "TERMINATE TRANSACTIONS 'x'"),
    (Clause, "USE", "USE system MATCH (n) RETURN n"),
    (Clause, "USE", "MATCH (n) WHERE EXISTS { USE x MATCH (n) } RETURN n"),
    (Clause, "USING", "MATCH (n:X) USING INDEX n:X(y) RETURN n"),
    (Clause, "USING", "USING PERIODIC COMMIT LOAD CSV FROM 'x' AS l RETURN l"),
    (Clause, "START", "START n=node(*) RETURN n"),
    (Clause, "STOP", "STOP DATABASE x"),
    (Clause, "EXPLAIN", "EXPLAIN MATCH (n) RETURN n"),
    (Clause, "PROFILE", "PROFILE MATCH (n) RETURN n"),
    (Clause, "CYPHER", "CYPHER runtime=parallel MATCH (n) RETURN n"),
    (Clause, "CYPHER", "CYPHER 25 MATCH (n) RETURN n"),
    (Clause, "FINISH", "MATCH (n) FINISH"),
    (Clause, "LET", "MATCH (n) LET x = 1 RETURN x"),
    (Clause, "FILTER", "MATCH (n) FILTER n.x RETURN n"),
    (Clause, "FOR", "FOR x IN [1] RETURN x"),
    (Clause, "NEXT", "RETURN 1 AS x NEXT RETURN x"),
    (Clause, "WHEN", "MATCH (n) WHEN n.x THEN RETURN 1"),
    (Clause, "YIELD", "MATCH (n) YIELD n RETURN n"),
    (Unknown, ":", ":param x => 1"),
    (Unknown, "{", "{ MATCH (n) RETURN n }"),
    (Unknown, "VACUUM", "VACUUM"),
    (Unknown, "VACUUM", "MATCH (n) VACUUM n"),
    (Unknown, "VACUUM", "MATCH (n) RETURN n VACUUM"),
    (Unknown, "VACUUM", "MATCH (n) WITH * VACUUM n"),
    (Unknown, "VACUUM", "MATCH (n) RETURN n ORDER BY n.x DESC VACUUM n"),
    (Unknown, "VACUUM", "MATCH (n) RETURN EXISTS { VACUUM (n) }"),
    (Unknown, "VACUUM", "MATCH (n) RETURN CASE WHEN true THEN 1 END VACUUM n"),
    (Unknown, "`CREATE`", "MATCH (n) `CREATE` (m)"),
    (Unknown, "1", "MATCH p = SHORTEST 1 (a)-[*]-(b) RETURN p"),
    (Function, "the function apoc.create.node", "RETURN apoc.create.node(['X'], {}) AS n"),
    (Function, "the function apoc.load.json", "RETURN `apoc`.`load` . `json`('http://x') AS n"),
    (Function, "the function apoc.load.json", "RETURN `apoc.load.json`('http://x') AS n"),
    (Function, "the function file", "RETURN {a: file()} AS n"),
    (Function, "the function fi\u{6c}e", "RETURN `fi\\u006ce`() AS n"),
    (Function, "the function linenumber", "RETURN linenumber()"),
    (Function, "the function graph.names", "RETURN graph.names()"),
    (Function, "the function rand", "MATCH (n) WHERE rand() < 1 RETURN n"),
    (Function, "the function genai.vector.encode", "RETURN genai.vector.encode('x', 'y', {})"),
    (Function, "the function vector.similarity.cosine", "RETURN vector.similarity.cosine([1], [1])"),
    (Function, "the function n.count", "MATCH (n) RETURN n.count(1)"),
    (Function, "the function date.realtime", "RETURN date.realtime()"),
    (Several, "a second statement", "MATCH (n) RETURN n; MATCH (m) RETURN m"),
    (Several, "a second statement", "MATCH (n) RETURN n;;"),
    (Several, "a second statement", "MATCH (n) RETURN n\\u003b CREATE (m)"),
    (Several, "a second statement", "; RETURN 1"),
    (Ambiguous, "AS", "MATCH (as) WITH as RETURN 1"),
    (Ambiguous, "MATCH", "RETURN match"),
    (Ambiguous, "LIMIT", "RETURN (limit)"),
    (Ambiguous, "END", "RETURN 1 end"),
    (Ambiguous, "IS", "RETURN 1 IS :: INTEGER"),
    (Unknown, "(", "MATCH (n) OPTIONAL (m) RETURN n"),
    (Token, ":", "RETURN 1::INTEGER"),
    (Token, "a string", "RETURN 'x"),
    (Token, "a string", "RETURN 'x\\'"),
    (Token, "a string", "RETURN 'x\\q'"),
    (Token, "a name in backticks", "RETURN `x"),
    (Token, "a name in backticks", "RETURN `x\\` AS y"),
    (Token, "/*", "RETURN 1 /* *"),
    (Token, "\\u", "RETURN '\\u12g4'"),
    (Token, "\\u", "RETURN '\\uu0041'"),
    (Token, "\\u", "RETURN '\\\\u0041'"),
    (Token, "\\u", "RETURN '\\u005cu0027'"),
    (Token, "\\u", "RETURN '\\ud83d'"),
    (Token, "a number", "RETURN 1SET"),
    (Token, "a number", "MATCH (n) WITH n LIMIT 1.SET n.x = 1"),
    (Token, "a number", "RETURN 0x"),
    (Token, "$", "MATCH (n) WITH n LIMIT $1SET n.x = 1"),
    (Token, "$", "RETURN $ x"),
    (Token, "n", "MATCH (n$x) RETURN 1"),
    (Token, "ſet", "MATCH (n) ſet n.x = 1"),
    (Token, "matc\u{212a}", "RETURN matc\u{212a}"),
    (Token, "the character U+00A0", "MATCH (n)\u{a0}RETURN n"),
    (Token, "the character U+2028", "MATCH (n) \u{2028}RETURN n"),
    (Token, "the character U+0000", "MATCH (n) RETURN n\0"),
    (Token, "the character U+005C", "MATCH (n) \\ RETURN n"),
    (Bracket, ")", "MATCH n) RETURN n"),
    (Bracket, "]", "MATCH (n] RETURN n"),
    (Bracket, "}", "MATCH (n) RETURN n }"),
    (Bracket, "a missing bracket", "MATCH (n {a: 1"),
    (Empty, "", ""),
    (Empty, "", " // nothing\n;"),
];

#[test]
fn statements_that_only_read_pass() {
    for text in ACCEPTED {
        if let Err(refused) = Statement::parse(text) {
            panic!("{text}: {refused}");
        }
    }
}

/// Neo4j reads these words as variables where it can.
#[test]
fn a_word_that_may_be_a_variable_leads_to_no_secret() {
    for text in [
        "MATCH (:DeploymentSpec)-[:LEASED_AS]->(distinct) RETURN (distinct['to' + 'ken']) AS t",
        "MATCH (:DeploymentSpec)-[:LEASED_AS]->(where) RETURN (where['to' + 'ken']) AS t",
        "MATCH (c:Change)-->(where) RETURN (where['te' + 'xt']) AS t",
        "MATCH (:DeploymentSpec)-[:LEASED_AS]->(distinct) RETURN 1 = distinct['token']",
        "MATCH (:DeploymentSpec)-[:LEASED_AS]->(where) WITH where WHERE (where['token']) STARTS WITH 'a' RETURN 1",
        "MATCH (l) WHERE 'Lease' IN labels(l) WITH (l) AS case RETURN case['tok'+'en'] AS x",
        "MATCH (l) WHERE 'Text' IN labels(l) WITH (l) AS case RETURN case['te'+'xt'] AS x",
        "MATCH (l) WITH (l) AS when RETURN CASE when['tok'+'en'] STARTS WITH 'b4' WHEN true THEN 1 ELSE 2 END",
        "MATCH (l) WITH l AS `case` RETURN case['tok'+'en'] AS x",
        "MATCH (in) RETURN 1 = in['tok'+'en'] AS x",
        "MATCH (in:System) RETURN 1 = in['tok'+'en'] AS x",
        "MATCH (in {name: 'x'}) RETURN 1 = in['tok'+'en'] AS x",
        "MATCH ()-[by]->() RETURN by['tok'+'en'] AS x",
        "MATCH ()-[by:X]->() RETURN by['tok'+'en'] AS x",
        "MATCH not = (a)-->(b) RETURN not['tok'+'en'] AS x",
        "MATCH (l) RETURN [or IN collect(l) | or['tok'+'en']] AS x",
        "MATCH (l) RETURN any(then IN collect(l) WHERE then['tok'+'en'] STARTS WITH 'b') AS x",
        "MATCH (l) RETURN reduce(else = l, x IN [1] | else['tok'+'en']) AS x",
        "MATCH (l) UNWIND [l] AS contains RETURN contains['tok'+'en'] AS x",
    ] {
        Statement::parse(text).expect_err(text);
    }
}

#[test]
fn a_list_after_a_keyword_is_no_property() {
    for text in [
        "MATCH (n) WHERE n.name IN ['a' + 'b'] RETURN CASE ['x'] WHEN ['x'] THEN ['y'] ELSE ['z'] END AS c",
        "MATCH (n) WHERE NOT (n.name IN ['a']) AND NOT n.case IN [n.in, n.when] RETURN {case: 1, in: [n.name]} AS m",
        "MATCH (n)-[:IN]->(:CASE) RETURN (CASE WHEN true THEN 1 END) AS x, [NOT true, CASE WHEN true THEN 1 END] AS y",
        "UNWIND ['a' + 'b'] AS x WITH [x] AS y RETURN [y] AS z ORDER BY [y]",
    ] {
        Statement::parse(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    }
}

#[test]
fn statements_that_may_do_more_are_refused_by_name() {
    for (kind, clause, text) in REFUSED {
        let refused = Statement::parse(text).expect_err(text);
        assert_eq!((refused.kind, refused.clause.to_uppercase()), (*kind, clause.to_uppercase()), "{text}");
        let message = refused.to_string();
        assert!(message.contains(&refused.clause) && !message.ends_with('.'), "{message}");
    }
}

#[test]
fn what_is_sent_is_decoded_and_holds_no_comments() {
    let statement = Statement::parse(" RETU\\u0052N 'a//b' /* é\n */ AS x // end\n ;").unwrap();
    assert_eq!(statement.text(), " RETURN 'a//b'      \n    AS x");
}

#[test]
fn a_refusal_names_line_and_column() {
    let refused = Statement::parse("MATCH (größe)\n  /* ü */ DELETE größe").unwrap_err();
    assert_eq!((refused.line, refused.column), (2, 11));
    assert_eq!(
        refused.to_string(),
        "DELETE at line 2, column 11 is refused: only clauses that read the graph are allowed; if it is a name, write it in backticks"
    );
}

#[test]
fn length_and_depth_are_bounded() {
    let long = format!("RETURN '{}'", "x".repeat(MAX_BYTES));
    assert_eq!(Statement::parse(&long).unwrap_err().kind, TooLong);
    let nested = |depth: usize| format!("RETURN {}1{} AS x", "(".repeat(depth), ")".repeat(depth));
    assert!(Statement::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(Statement::parse(&nested(MAX_DEPTH + 1)).unwrap_err().kind, TooDeep);
    let cases = |depth: usize| format!("RETURN {}1{} AS x", "CASE WHEN true THEN ".repeat(depth), " END".repeat(depth));
    assert!(Statement::parse(&cases(MAX_DEPTH)).is_ok());
    assert_eq!(Statement::parse(&cases(MAX_DEPTH + 1)).unwrap_err().kind, TooDeep);
}

#[rustfmt::skip]
const WRITING: &[&str] = &[
    "CREATE (x)",
    "MERGE (x)",
    "SET n.x = 1",
    "SET n:X",
    "DELETE n",
    "DETACH DELETE n",
    "REMOVE n.x",
    "INSERT (x)",
    "FOREACH (x IN [1] | CREATE (y))",
    "CALL db.labels()",
    "CALL { CREATE (x) }",
    "LOAD CSV FROM 'x' AS x",
    "DROP INDEX x",
    "SHOW USERS",
    "TERMINATE TRANSACTIONS 'x'",
    "USE system",
    "ALTER USER x SET PASSWORD 'y'",
    "STOP DATABASE x",
];

/// Where a clause may begin in the accepted statement: before each of its clauses, in subqueries too, and at its end.
fn clause_positions(text: &str) -> Vec<usize> {
    let Ok(statement) = Statement::parse(text) else { return Vec::new() };
    let tokens = statement.tokens();
    let begins = ["MATCH", "OPTIONAL", "WITH", "UNWIND", "RETURN", "WHERE", "ORDER", "LIMIT", "UNION"];
    let mut positions = tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            // Parts of other words, and names.
            let part = before.is_some_and(|before| {
                before.is('.')
                    || before.is(':')
                    || ["OPTIONAL", "STARTS", "ENDS"].iter().any(|word| before.is_word(word))
            });
            let key = tokens.get(at + 1).is_some_and(|next| next.is(':'));
            !part && !key && begins.iter().any(|word| token.is_word(word))
        })
        .map(|(_, token)| token.start)
        .collect::<Vec<_>>();
    positions.push(statement.text().len());
    positions
}

/// The clause as someone might write it who hides it: any case, any space and comment, any letter escaped.
fn disguise(clause: &str, random: &mut impl FnMut(u32) -> u32) -> String {
    let mut written = String::new();
    for character in clause.chars() {
        let character = if random(2) == 0 { character.to_ascii_lowercase() } else { character };
        match random(8) {
            0 if character != '\'' => written.push_str(&format!("\\u{:04x}", u32::from(character))),
            1 if character == ' ' => written.push_str("/* RETURN */"),
            2 if character == ' ' => written.push_str("//'\n"),
            3 if character == ' ' => written.push_str("\\u002f\\u002f\n\t"),
            _ => written.push(character),
        }
    }
    written
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_statement_with_a_writing_clause_put_into_it_passes(
        accepted in prop::sample::select(ACCEPTED),
        writing in prop::sample::select(WRITING),
        place in any::<prop::sample::Index>(),
        mut seed in 1..u32::MAX,
    ) {
        let mut random = |below: u32| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed % below
        };
        let sent = Statement::parse(accepted).unwrap().text().to_owned();
        let positions = clause_positions(&sent);
        let at = positions[place.index(positions.len())];
        let separators = [" ", "\n", "/**/", "//x\n", "\\u0020", "\t"];
        let before = separators[random(6) as usize];
        let after = separators[random(6) as usize];
        let text = format!("{}{before}{}{after}{}", &sent[..at], disguise(writing, &mut random), &sent[at..]);
        prop_assert!(Statement::parse(&text).is_err(), "{text}");
    }

    #[test]
    fn any_text_is_judged_without_panic_and_judged_alike_when_sent_again(text in "[A-Za-z(){}\\[\\]:;.,*|'\"`$/\\\\ \n0-9-]{0,60}") {
        for text in [text.clone(), format!("MATCH (n) RETURN {text}"), format!("MATCH {text}")] {
            if let Ok(statement) = Statement::parse(&text) {
                let again = Statement::parse(statement.text()).unwrap();
                prop_assert_eq!(again.text(), statement.text());
                prop_assert_eq!(again.tokens().len(), statement.tokens().len());
            }
        }
    }
}

//! Every statement of the fixtures on both stores: the same rows, or refused by the embedded one.

use serde_json::Value;

use crate::company::{Company, ask, lines};
use crate::database::{Engine, shared};
use crate::fixture::{Fixture, fixtures};
use crate::server::{Answer, Server};

#[test]
fn both_stores_answer_alike_or_the_embedded_one_refuses() {
    let company = Company::found();
    let embedded = company.serve(&[]);
    let fixtures = fixtures();
    assert!(fixtures.len() >= 60, "{}", fixtures.len());
    let mut wrong: Vec<String> = Vec::new();
    let asked = |server: &Server, fixture: &Fixture| {
        let mut parameters = company.parameters.clone();
        parameters.as_object_mut().unwrap().extend(fixture.parameters.as_object().unwrap().clone());
        ask(server, &fixture.statement, &parameters)
    };
    let here: Vec<Answer> = fixtures.iter().map(|fixture| asked(&embedded, fixture)).collect();
    for (fixture, answer) in fixtures.iter().zip(&here) {
        match (fixture.is_refused, answer.status) {
            (true, 400) => {
                answer.expect_problem(400, "query-refused");
            }
            (false, 200) => wrong.extend(told(fixture, answer)),
            _ => wrong.push(format!("{}: embedded: {answer:?}", fixture.name)),
        }
    }
    let answered = here.iter().filter(|answer| answer.status == 200).count();
    println!("{answered} of {} are answered by both", fixtures.len());
    assert!(answered >= 50 || !wrong.is_empty(), "only {answered} are answered by both");
    assert!(embedded.stop().success());

    if let Some(database) = shared(Engine::Neo4j) {
        let database = database.exclusive();
        company.move_to(database.uri());
        let neo4j = Server::start_on(database.uri(), &[]);
        for (fixture, here) in fixtures.iter().zip(&here) {
            let there = asked(&neo4j, fixture);
            if there.status != 200 {
                wrong.push(format!("{}: neo4j: {there:?}", fixture.name));
                continue;
            }
            wrong.extend(told(fixture, &there));
            if !fixture.is_refused && here.status == 200 && sorted(fixture, here) != sorted(fixture, &there) {
                wrong.push(format!("{}:\nembedded: {}\nneo4j:    {}", fixture.name, here.text, there.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with the number of rows.
fn told(fixture: &Fixture, answer: &Answer) -> Option<String> {
    let count = lines(answer).len();
    if fixture.name.starts_with("README") && count == 0 {
        return Some(format!("{} answers nothing", fixture.name));
    }
    let expected = fixture.rows?;
    (count != expected).then(|| format!("{}: {count} rows instead of {expected}: {}", fixture.name, answer.text))
}

/// Rows as they can be compared: their text, keys in their order.
fn sorted(fixture: &Fixture, answer: &Answer) -> Vec<String> {
    // As text, so that the columns are in the same order, and 1 is not 1.0.
    let mut rows: Vec<String> = answer.text.lines().map(str::to_owned).collect();
    for row in &rows {
        serde_json::from_str::<Value>(row).unwrap();
    }
    if !fixture.is_ordered {
        rows.sort();
    }
    rows
}

//! Every statement of the fixtures on both stores: the same rows, or refused by the embedded one.

use serde_json::Value;

use crate::company::{Company, ask, lines};
use crate::database::{Engine, shared};
use crate::fixture::{Fixture, fixtures};
use crate::harness::{Tested, tests};
use crate::server::{Answer, Server};

tests![
    the_embedded_store_answers_every_statement_but_those_that_it_is_to_refuse,
    both_stores_answer_alike_or_the_embedded_one_refuses,
];

fn the_embedded_store_answers_every_statement_but_those_that_it_is_to_refuse() {
    let company = Company::found();
    let fixtures = fixtures();
    assert!(fixtures.len() >= 60, "{}", fixtures.len());
    let mut wrong: Vec<String> = Vec::new();
    let answers = answers(&company, &company.serve(&[]), &fixtures);
    for (fixture, answer) in fixtures.iter().zip(&answers) {
        match (fixture.is_refused, answer.status) {
            (true, 400) => {
                answer.expect_problem(400, "query-refused");
            }
            (false, 200) => wrong.extend(told(fixture, answer)),
            _ => wrong.push(format!("{}: embedded: {answer:?}", fixture.name)),
        }
    }
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answered >= 50, "only {answered} are answered");
}

fn both_stores_answer_alike_or_the_embedded_one_refuses() -> Tested {
    let database = shared(Engine::Neo4j)?.exclusive();
    let company = Company::found();
    let fixtures = fixtures();
    let embedded = company.serve(&[]);
    let here = answers(&company, &embedded, &fixtures);
    assert!(embedded.stop().success());
    company.move_to(database.uri());
    let there = answers(&company, &Server::start_on(database.uri(), &[]), &fixtures);
    let mut wrong: Vec<String> = Vec::new();
    for (fixture, (here, there)) in fixtures.iter().zip(here.iter().zip(&there)) {
        if there.status != 200 {
            wrong.push(format!("{}: neo4j: {there:?}", fixture.name));
            continue;
        }
        wrong.extend(told(fixture, there));
        if !fixture.is_refused && here.status == 200 && sorted(fixture, here) != sorted(fixture, there) {
            wrong.push(format!("{}:\nembedded: {}\nneo4j:    {}", fixture.name, here.text, there.text));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// What a server answers to each statement.
fn answers(company: &Company, server: &Server, fixtures: &[Fixture]) -> Vec<Answer> {
    let asked = |fixture: &Fixture| {
        let mut parameters = company.parameters.clone();
        parameters.as_object_mut().unwrap().extend(fixture.parameters.as_object().unwrap().clone());
        ask(server, &fixture.statement, &parameters)
    };
    fixtures.iter().map(asked).collect()
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

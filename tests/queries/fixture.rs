//! Statements with the questions that they answer: `fixtures/queries/*.cypher`.

use std::path::Path;

use serde_json::Value;

/// A question.
#[derive(Debug)]
pub struct Fixture {
    /// `night: What runs in production, and since when?`
    pub name: String,
    pub statement: String,
    pub parameters: Value,
    /// Whether the order of the rows matters.
    pub is_ordered: bool,
    /// Whether the embedded engine must not answer it.
    pub is_refused: bool,
    /// How many rows it answers, where that is told.
    pub rows: Option<usize>,
}

/// All of them, in order.
pub fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/queries");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| of_file(file)).chain(of_readme()).collect()
}

/// The statements that README.md shows, each of which answers something.
fn of_readme() -> Vec<Fixture> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = readme.split("```cypher\n").skip(1).map(|rest| rest.split("```").next().unwrap().trim());
    let shown: Vec<_> = shown.map(|statement| of_paragraph("README", statement)).collect();
    assert!(shown.len() >= 4, "{shown:?}");
    shown
}

fn of_file(file: &Path) -> Vec<Fixture> {
    let text = std::fs::read_to_string(file).unwrap();
    let file = file.file_stem().unwrap().to_str().unwrap();
    // Paragraphs; the first says what the file is about.
    text.split("\n\n").skip(1).map(|paragraph| of_paragraph(file, paragraph.trim())).collect()
}

fn of_paragraph(file: &str, paragraph: &str) -> Fixture {
    let mut comments = paragraph.lines().map_while(|line| line.strip_prefix("// "));
    let question = comments.next().unwrap_or_else(|| panic!("{file}: a statement without a question: {paragraph}"));
    let mut fixture = Fixture {
        name: format!("{file}: {question}"),
        statement: paragraph.to_owned(),
        parameters: Value::Object(serde_json::Map::new()),
        is_ordered: false,
        is_refused: false,
        rows: None,
    };
    for comment in comments {
        match comment.split_once(' ').unwrap_or((comment, "")) {
            ("ordered", _) => fixture.is_ordered = true,
            ("refused", _) => fixture.is_refused = true,
            ("rows", count) => fixture.rows = Some(count.parse().unwrap()),
            ("parameters", json) => fixture.parameters = serde_json::from_str(json).unwrap(),
            other => panic!("{}: {other:?} means nothing", fixture.name),
        }
    }
    fixture
}

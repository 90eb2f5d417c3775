//! How the code is laid out: which room may import which, what each may know of the world outside, what lies at the top.
//!
//! The paths are read from the source text itself: comments and literals are taken out, `use` trees are spread out, and
//! `self` and `super` are resolved from where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use mortise::model::Code;

/// The rooms in the order of the tour: each imports only those before it.
const ROOMS: [&str; 15] = [
    "document", "model", "reading", "template", "catalog", "planner", "spec", "wire", "graph", "cypher", "store",
    "app", "config", "http", "cli",
];

/// What the pure rooms must not know.
const IMPURE: [&str; 19] = [
    "actix_http",
    "actix_rt",
    "actix_web",
    "anyhow",
    "arc_swap",
    "clap",
    "fastrand",
    "getrandom",
    "jiff::Zoned",
    "minijinja",
    "neo4rs",
    "rand",
    "rusqlite",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
];

#[test]
fn http_and_cli_never_import_each_other() {
    assert_none(rooms_imported_by("http"), &["cli"]);
    assert_none(rooms_imported_by("cli"), &["http"]);
}

#[test]
fn app_knows_neither_a_backend_nor_the_doors() {
    assert_none(rooms_imported_by("app"), &["http", "cli", "config"]);
    for (file, path) in paths_in("app") {
        assert!(!is_below(&path, "crate::store::embedded"), "{file} names a backend: {path}");
        assert!(!is_below(&path, "crate::store::neo4j"), "{file} names a backend: {path}");
    }
}

#[test]
fn app_answers_in_values_and_leaves_their_form_to_wire() {
    for (file, path) in paths_in("app") {
        let makes_json = is_below(&path, "serde::Serialize") || path.starts_with("serde_json::to_");
        assert!(!makes_json, "{file} uses {path}");
    }
}

#[test]
fn a_room_imports_only_rooms_that_stand_before_it() {
    for (place, room) in ROOMS.iter().enumerate() {
        assert_none(rooms_imported_by(room), &ROOMS[place + 1..]);
    }
}

#[test]
fn the_tour_of_the_crate_names_every_room() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect::<BTreeSet<_>>();
    assert_eq!(declared, BTreeSet::from(ROOMS));
    for room in ROOMS {
        assert!(lib.contains(&format!("[`{room}`]")), "the tour does not name {room}");
    }
}

#[test]
fn the_pure_rooms_know_no_clock_no_randomness_no_io_and_no_framework() {
    for room in ["document", "model", "reading", "catalog", "planner", "spec", "wire", "graph", "cypher"] {
        for (file, path) in paths_in(room) {
            let impure = IMPURE.iter().chain(&["tracing"]).find(|impure| is_below(&path, impure));
            assert_eq!(impure, None, "{file} imports {path}");
            assert!(!reads_a_clock(&path), "{file} reads a clock: {path}");
            assert!(!draws_an_identity(&path), "{file} draws a random identity: {path}");
        }
    }
}

#[test]
fn the_template_engine_is_pure_and_knows_nothing_but_minijinja() {
    for (file, path) in paths_in("template") {
        let impure = IMPURE.iter().find(|impure| is_below(&path, impure));
        assert!(impure.is_none() || is_below(&path, "minijinja"), "{file} imports {path}");
        assert!(!reads_a_clock(&path), "{file} reads a clock: {path}");
        assert!(!draws_an_identity(&path), "{file} draws a random identity: {path}");
    }
}

#[test]
fn each_library_of_the_outside_stays_in_its_place() {
    let places: [(&str, &[&str]); 16] = [
        ("actix_web", &["src/http", "src/main.rs"]),
        ("anyhow", &["src/main.rs"]),
        ("arcstr", &["src/store/embedded/query"]),
        ("clap", &["src/config", "src/main.rs"]),
        ("comfy_table", &["src/cli"]),
        ("grafeo", &["src/store/embedded/query"]),
        ("grafeo_common", &["src/store/embedded/query"]),
        ("grafeo_core", &["src/store/embedded/query"]),
        ("minijinja", &["src/template"]),
        ("neo4rs", &["src/store/neo4j"]),
        ("rusqlite", &["src/store/embedded"]),
        ("sha2", &["src/store/transfer"]),
        ("tempfile", &["src/store/transfer"]),
        ("tracing_subscriber", &["src/main.rs"]),
        ("ureq", &["src/cli"]),
        ("url", &["src/store/neo4j"]),
    ];
    for (file, path) in sources().iter().flat_map(|source| source.paths()) {
        for (library, allowed) in places {
            let is_here = allowed.iter().any(|place| file.starts_with(place));
            assert!(is_here || !is_below(&path, library), "{file} uses {path}, which belongs to {allowed:?}");
        }
    }
}

#[test]
fn no_module_is_a_mod_rs() {
    let modules: Vec<_> = ["src", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder))).collect();
    let found: Vec<_> = modules.iter().filter(|file| file.file_name().is_some_and(|name| name == "mod.rs")).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn only_the_agreed_entries_lie_at_the_top() {
    let agreed =
        ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "src", "schema", "templates", "fixtures", "tests"];
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let ignored: BTreeSet<_> = ignored.lines().map(|line| line.trim_start_matches('/').to_owned()).collect();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_agreed = name.starts_with('.') || agreed.contains(&name.as_str()) || ignored.contains(&name);
        assert!(is_agreed, "{name} lies at the top");
    }
}

#[test]
fn every_code_is_unique_kebab_case_and_explained() {
    let mut seen = BTreeSet::new();
    for &code in Code::ALL {
        let written = code.as_str();
        assert!(seen.insert(written), "{written} stands twice");
        let is_kebab =
            written.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert!(is_kebab, "{written} is not kebab-case");
        for text in [code.title(), code.meaning(), code.remedy()] {
            assert!(!text.trim().is_empty(), "{written} is not explained");
        }
        assert!(!code.title().ends_with('.'), "the title of {written} ends with a full stop");
        assert!(
            code.meaning().ends_with('.') && code.remedy().ends_with('.'),
            "{written} is not explained in sentences"
        );
        assert_eq!(Code::from_text(written), Some(code));
    }
}

#[test]
fn paths_are_read_from_source_text_as_the_compiler_would() {
    let text = r##"
        // use crate::comment;
        /* use crate::block; /* crate::nested::too */ */
        use std::{collections::BTreeMap as Map, fs::{self, File}};
        pub(super) use super::start::*;
        const TEXT: &str = "crate::text::nothing"; const RAW: &str = r#"crate::raw::" nothing"#; const QUOTE: char = '"';
        fn body<'a>(it: &'a crate::model::Name) { crate::app::run::<u8>(); self::inner::go(); $crate::wire::of() }
        mod inner { use super::super::http::Thing; }
    "##;
    let found = Source { file: "src/cli/deploy.rs".to_owned(), text: text.to_owned() }.paths();
    let found: BTreeSet<_> = found.into_iter().map(|(_, path)| path).collect();
    let expected = [
        "crate::app::run",
        "crate::cli::deploy::inner::go",
        "crate::cli::http::Thing",
        "crate::cli::start::*",
        "crate::model::Name",
        "crate::wire::of",
        "std::collections::BTreeMap",
        "std::fs",
        "std::fs::File",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}

/// A source file.
struct Source {
    /// Its path from the root, with `/`.
    file: String,
    text: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Separator,
    Other(char),
}

impl Source {
    /// Every path of two or more segments, and every import, resolved to begin with `crate` or with the name of a crate.
    fn paths(&self) -> Vec<(String, String)> {
        let tokens = tokens(&self.text);
        let mut found = Vec::new();
        // The modules that surround a place: those of the file, and those opened in it with the depth of their brace.
        let mut modules = self.module();
        let mut opened: Vec<usize> = Vec::new();
        let mut depth = 0;
        let mut place = 0;
        while place < tokens.len() {
            match &tokens[place] {
                Token::Word(word) if word == "use" => {
                    place = spread(&tokens, place + 1, &Vec::new(), &mut |path| found.push(resolve(&path, &modules)));
                    continue;
                }
                Token::Word(word) if word == "mod" => {
                    if let (Some(Token::Word(name)), Some(Token::Other('{'))) =
                        (tokens.get(place + 1), tokens.get(place + 2))
                    {
                        modules.push(name.clone());
                        opened.push(depth);
                    }
                }
                Token::Word(word) => {
                    let mut path = vec![word.clone()];
                    while let (Some(Token::Separator), Some(Token::Word(next))) =
                        (tokens.get(place + 1), tokens.get(place + 2))
                    {
                        path.push(next.clone());
                        place += 2;
                    }
                    if path.len() > 1 {
                        found.push(resolve(&path, &modules));
                    }
                }
                Token::Other('{') => depth += 1,
                Token::Other('}') => {
                    depth -= 1;
                    if opened.last() == Some(&depth) {
                        opened.pop();
                        modules.pop();
                    }
                }
                Token::Other(_) | Token::Separator => {}
            }
            place += 1;
        }
        found.into_iter().map(|path| (self.file.clone(), path)).collect()
    }

    /// The modules of the file, from `crate` on.
    fn module(&self) -> Vec<String> {
        let inner = self.file.trim_start_matches("src/").trim_end_matches(".rs");
        let parts = inner.split('/').filter(|part| !matches!(*part, "lib" | "main"));
        std::iter::once("crate").chain(parts).map(str::to_owned).collect()
    }
}

/// Spreads the `use` tree at `place` out below `prefix`; the place after it.
fn spread(tokens: &[Token], mut place: usize, prefix: &[String], found: &mut impl FnMut(Vec<String>)) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(place) {
            Some(Token::Word(word)) if word == "as" => place += 2,
            Some(Token::Word(word)) => {
                // `fs::{self}` imports `fs`.
                if word != "self" || path.is_empty() {
                    path.push(word.clone());
                }
                place += 1;
            }
            Some(Token::Other('*')) => {
                path.push("*".to_owned());
                place += 1;
            }
            Some(Token::Separator) => place += 1,
            Some(Token::Other('{')) => {
                place += 1;
                while tokens.get(place) != Some(&Token::Other('}')) {
                    place = spread(tokens, place, &path, found);
                    place += usize::from(tokens.get(place) == Some(&Token::Other(',')));
                }
                return place + 1;
            }
            _ => {
                found(path);
                return place;
            }
        }
    }
}

/// A path from `crate`, or from the name of a crate, on.
fn resolve(path: &[String], modules: &[String]) -> String {
    let mut base: Vec<String> = Vec::new();
    let mut rest = path;
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "self" if base.is_empty() => base = modules.to_vec(),
            "super" => {
                if base.is_empty() {
                    base = modules.to_vec();
                }
                base.pop();
            }
            _ => break,
        }
        rest = others;
    }
    // The binary is a crate of its own, and names the library as others do.
    let own = rest.first().is_some_and(|first| first == "mortise" && base.is_empty());
    if own {
        base = vec!["crate".to_owned()];
        rest = &rest[1..];
    }
    base.iter().chain(rest).cloned().collect::<Vec<_>>().join("::")
}

/// Words, `::` and signs, without comments, literals and lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let at = |place: usize| characters.get(place).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut place = 0;
    while place < characters.len() {
        let here = at(place);
        if here == '/' && at(place + 1) == '/' {
            while place < characters.len() && at(place) != '\n' {
                place += 1;
            }
        } else if here == '/' && at(place + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(place), at(place + 1)) {
                    ('/', '*') => (depth, place) = (depth + 1, place + 2),
                    ('*', '/') => (depth, place) = (depth - 1, place + 2),
                    _ => place += 1,
                }
                if depth == 0 || place >= characters.len() {
                    break;
                }
            }
        } else if let Some(end) = raw_text(&characters, place) {
            place = end;
        } else if here == '"' {
            place = quoted(&characters, place, '"');
        } else if here == '\'' {
            // 'a' is a character, 'a a lifetime.
            let is_character = at(place + 1) == '\\' || at(place + 2) == '\'';
            place = if is_character { quoted(&characters, place, '\'') } else { place + 1 };
        } else if is_word(here) {
            let end = (place..characters.len()).find(|&end| !is_word(at(end))).unwrap_or(characters.len());
            tokens.push(Token::Word(characters[place..end].iter().collect()));
            place = end;
        } else if here == ':' && at(place + 1) == ':' {
            tokens.push(Token::Separator);
            place += 2;
        } else {
            if !here.is_whitespace() {
                tokens.push(Token::Other(here));
            }
            place += 1;
        }
    }
    tokens
}

/// The end of the quoted text that begins at `place`.
fn quoted(characters: &[char], place: usize, quote: char) -> usize {
    let mut end = place + 1;
    while end < characters.len() && characters[end] != quote {
        end += if characters[end] == '\\' { 2 } else { 1 };
    }
    end + 1
}

/// The end of the raw text (`r"…"`, `br#"…"#`) that begins at `place`, if one does.
fn raw_text(characters: &[char], place: usize) -> Option<usize> {
    if place > 0 && (characters[place - 1].is_alphanumeric() || characters[place - 1] == '_') {
        return None;
    }
    let mut start = place + usize::from(characters[place] == 'b');
    if characters.get(start) != Some(&'r') {
        return None;
    }
    start += 1;
    let hashes = characters[start..].iter().take_while(|&&character| character == '#').count();
    if characters.get(start + hashes) != Some(&'"') {
        return None;
    }
    let is_end = |end: usize| {
        characters[end] == '"' && characters[end + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
    };
    (start + hashes + 1..characters.len()).find(|&end| is_end(end)).map(|end| end + 1 + hashes)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn sources() -> Vec<Source> {
    let files = rust_files(&root().join("src")).into_iter();
    let sources = files.map(|path| {
        let inside = path.strip_prefix(root()).unwrap();
        let file = inside.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/");
        Source { file, text: fs::read_to_string(&path).unwrap() }
    });
    sources.collect()
}

/// The files of a room, and every path in each.
fn paths_in(room: &str) -> Vec<(String, String)> {
    let (file, folder) = (format!("src/{room}.rs"), format!("src/{room}/"));
    let of_room = |source: &Source| source.file == file || source.file.starts_with(&folder);
    let paths: Vec<_> = sources().iter().filter(|source| of_room(source)).flat_map(Source::paths).collect();
    assert!(!paths.is_empty(), "there is no room {room}");
    paths
}

/// The other rooms that a room imports, each with a place where it does.
fn rooms_imported_by(room: &str) -> BTreeMap<String, String> {
    let imported = paths_in(room).into_iter().filter_map(|(file, path)| {
        let other = path.strip_prefix("crate::")?.split("::").next()?.to_owned();
        (other != room).then(|| (other, format!("{file} imports {path}")))
    });
    imported.collect()
}

fn assert_none(imported: BTreeMap<String, String>, forbidden: &[&str]) {
    let found: Vec<_> = forbidden.iter().filter_map(|room| imported.get(*room)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Of what tells time, only the length of a time is a mere value.
fn reads_a_clock(path: &str) -> bool {
    let std_clock = is_below(path, "std::time") && !is_below(path, "std::time::Duration");
    std_clock || path.ends_with("Timestamp::now") || path.ends_with("Zoned::now")
}

fn draws_an_identity(path: &str) -> bool {
    let last = path.rsplit("::").next().unwrap_or_default();
    path.contains("Uuid::") && (last.starts_with("new_v4") || last.starts_with("now_v"))
}

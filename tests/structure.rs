//! How the code is laid out: which room may import which, what each may know of the world outside, what lies at the top.
//!
//! The paths are those of the syntax tree of each file, and those that stand among the tokens of macros, with `self` and
//! `super` resolved from where they stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mortise::model::Code;
use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::visit::{self, Visit};
use syn::{ExprPath, ItemMod, Macro, MetaList, Token, UseTree};

/// Whether a room may know of anything but values.
#[derive(Clone, Copy, PartialEq)]
enum Purity {
    Pure,
    Effectful,
}
use Purity::{Effectful, Pure};

/// The rooms in the order of the tour: each imports only those before it.
const ROOMS: [(&str, Purity); 16] = [
    ("document", Pure),
    ("model", Pure),
    ("reading", Pure),
    ("template", Pure),
    ("catalog", Pure),
    ("planner", Pure),
    ("lifecycle", Pure),
    ("spec", Pure),
    ("wire", Pure),
    ("graph", Pure),
    ("cypher", Pure),
    ("store", Effectful),
    ("app", Effectful),
    ("config", Effectful),
    ("http", Effectful),
    ("cli", Effectful),
];

/// What the pure rooms must not know.
const IMPURE: [&str; 22] = [
    "actix_http",
    "actix_rt",
    "actix_server",
    "actix_service",
    "actix_web",
    "anyhow",
    "arc_swap",
    "clap",
    "fastrand",
    "getrandom",
    "jiff::Zoned",
    "neo4rs",
    "rand",
    "rusqlite",
    "rustix",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "tracing",
];

/// The rooms that leave it to `wire`, `http` and `document` to make JSON of values.
const WITHOUT_JSON: [&str; 9] =
    ["model", "reading", "template", "catalog", "planner", "lifecycle", "spec", "cypher", "app"];

#[test]
fn http_and_cli_never_import_each_other() {
    assert_imports_none_of("http", &["cli"]);
    assert_imports_none_of("cli", &["http"]);
}

#[test]
fn app_knows_neither_a_backend_nor_the_doors() {
    assert_imports_none_of("app", &["http", "cli", "config", "store::embedded", "store::neo4j"]);
}

#[test]
fn a_room_imports_only_rooms_that_stand_before_it() {
    let rooms = ROOMS.map(|(room, _)| room);
    for (place, room) in rooms.iter().enumerate() {
        assert_imports_none_of(room, &rooms[place + 1..]);
    }
}

#[test]
fn the_tour_of_the_crate_names_every_room() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<_> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, BTreeSet::from(ROOMS.map(|(room, _)| room)));
    for room in declared {
        assert!(lib.contains(&format!("[`{room}`]")), "the tour does not name {room}");
    }
}

#[test]
fn the_pure_rooms_know_no_clock_no_randomness_no_io_and_no_framework() {
    for (room, _) in ROOMS.iter().filter(|(_, purity)| *purity == Pure) {
        for (file, path) in paths_in(room) {
            let impure = IMPURE.iter().find(|impure| is_below(path, impure));
            assert_eq!(impure, None, "{file} imports {path}");
            assert!(!reads_a_clock(path), "{file} reads a clock: {path}");
            assert!(!draws_an_identity(path), "{file} draws a random identity: {path}");
        }
    }
}

#[test]
fn the_rooms_that_plan_leave_it_to_others_to_make_json() {
    for room in WITHOUT_JSON {
        for (file, path) in paths_in(room) {
            assert!(!makes_json(path), "{file} makes JSON: {path}");
        }
    }
}

#[test]
fn each_library_of_the_outside_stays_in_its_place() {
    let places: [(&str, &[&str]); 23] = [
        ("actix_http", &["src/http"]),
        ("actix_server", &["src/http"]),
        ("actix_service", &["src/http"]),
        ("actix_web", &["src/http", "src/main.rs"]),
        ("anyhow", &["src/main.rs"]),
        ("arcstr", &["src/store/embedded/query"]),
        ("chacha20poly1305", &["src/model"]),
        ("clap", &["src/config", "src/main.rs"]),
        ("comfy_table", &["src/cli"]),
        ("grafeo", &["src/store/embedded/query"]),
        ("grafeo_common", &["src/store/embedded/query"]),
        ("grafeo_core", &["src/store/embedded/query"]),
        ("hkdf", &["src/model"]),
        ("minijinja", &["src/template"]),
        ("neo4rs", &["src/store/neo4j"]),
        ("rusqlite", &["src/store/embedded"]),
        ("rustix", &["src/http"]),
        ("sha2", &["src/model", "src/store/transfer"]),
        ("tempfile", &["src/store/transfer"]),
        ("tracing_subscriber", &["src/main.rs"]),
        ("ureq", &["src/cli"]),
        ("url", &["src/store/neo4j"]),
        ("zstd", &["src/store"]),
    ];
    for (file, path) in &*PATHS {
        for (library, allowed) in places {
            let is_here = allowed.iter().any(|place| file.starts_with(place));
            assert!(is_here || !is_below(path, library), "{file} uses {path}, which belongs to {allowed:?}");
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
fn a_test_that_may_lack_its_database_cannot_pass_without_it() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let files = rust_files(&root().join("tests"));
    let text = |file: &Path| fs::read_to_string(file).unwrap();
    for target in files.iter().filter(|file| text(file).contains("#[path = \"support/database.rs\"]")) {
        let name = target.file_stem().unwrap().to_str().unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"\nharness = false")), "{name} knows no ignored tests");
        for file in files.iter().filter(|file| file.starts_with(target.with_extension("")) || *file == target) {
            let left_out = text(file).lines().any(|line| line.trim() == "#[test]");
            assert!(!left_out, "{} has a #[test], which is left out where there is no harness", file.display());
        }
    }
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
fn paths_are_read_as_the_compiler_would() {
    let text = r#"
        // use crate::comment;
        use std::{collections::BTreeMap as Map, fs::{self, File}};
        pub(super) use super::start::*;
        const TEXT: &str = "crate::text::nothing";
        #[derive(serde::Serialize)]
        struct Held(Vec<crate::model::Name>);
        fn body() { crate::app::run::<u8>(); self::inner::go(); assert!([super::plan::of(1)].is_empty(), mortise::wire::OF) }
        macro_rules! made { ($it:expr) => {{ use crate::spec::{Spec, late::{self, Late}}; $crate::graph::draw($it) }} }
        mod inner { use super::super::http::Thing; }
    "#;
    let expected = [
        "crate::app::run",
        "crate::cli::deploy::inner::go",
        "crate::cli::http::Thing",
        "crate::cli::plan::of",
        "crate::cli::start::*",
        "crate::graph::draw",
        "crate::model::Name",
        "crate::spec::Spec",
        "crate::spec::late",
        "crate::spec::late::Late",
        "crate::wire::OF",
        "serde::Serialize",
        "std::collections::BTreeMap",
        "std::fs",
        "std::fs::File",
    ];
    assert_eq!(paths("src/cli/deploy.rs", text), expected.map(str::to_owned).into());
}

/// Every path in `src`, beside the file in which it stands.
static PATHS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let file = file.strip_prefix(root()).unwrap().to_str().unwrap();
        found.extend(paths(file, &text).into_iter().map(|path| (file.to_owned(), path)));
    }
    found
});

/// Every path of two or more segments, and every import, resolved to begin with `crate` or with the name of a crate.
fn paths(file: &str, text: &str) -> BTreeSet<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let parts = inner.split('/').filter(|part| !matches!(*part, "lib" | "main"));
    let modules = std::iter::once("crate").chain(parts).map(str::to_owned).collect();
    let mut paths = Paths { modules, found: BTreeSet::new() };
    paths.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")));
    paths.found
}

/// The paths that were met on a walk through the syntax tree of a file.
struct Paths {
    /// The modules around the place that the walk has come to, from `crate` on.
    modules: Vec<String>,
    found: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.modules.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.modules.pop();
    }

    fn visit_use_tree(&mut self, tree: &'ast UseTree) {
        self.spread(&[], tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.add(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.read(called.tokens.clone());
        visit::visit_macro(self, called);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.read(list.tokens.clone());
        visit::visit_meta_list(self, list);
    }
}

impl Paths {
    /// Spreads a `use` tree out below a path.
    fn spread(&mut self, prefix: &[String], tree: &UseTree) {
        let below = |name: &dyn ToString| [prefix, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.spread(&below(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.spread(prefix, tree)),
            UseTree::Glob(_) => self.add(&below(&"*")),
            UseTree::Name(name) => self.add(&below(&name.ident)),
            UseTree::Rename(renamed) => self.add(&below(&renamed.ident)),
        }
    }

    /// Reads tokens that may be any syntax, as those of a macro may.
    fn read(&mut self, tokens: TokenStream) {
        let read = |input: ParseStream| {
            while !input.is_empty() {
                if input.parse::<Option<Token![use]>>()?.is_some() {
                    input.parse().iter().for_each(|tree| self.visit_use_tree(tree));
                } else if input.fork().parse::<ExprPath>().is_ok() {
                    self.visit_path(&input.parse::<ExprPath>()?.path);
                } else if let TokenTree::Group(group) = input.parse()? {
                    self.read(group.stream());
                }
            }
            Ok(())
        };
        read.parse2(tokens).expect("any token is a token tree");
    }

    /// Adds a path after it was resolved.
    fn add(&mut self, path: &[String]) {
        let supers = path.iter().filter(|name| *name == "super").count();
        let base = match path[0].as_str() {
            "self" | "super" => &self.modules[..self.modules.len() - supers],
            // The binary is a crate of its own, and names the library as others do.
            "mortise" => &self.modules[..1],
            _ => &[],
        };
        // `fs::{self}` imports `fs`.
        let rest = path.iter().filter(|name| !matches!(name.as_str(), "self" | "super" | "mortise"));
        self.found.insert(base.iter().chain(rest).cloned().collect::<Vec<_>>().join("::"));
    }
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

/// The paths of a room, each with the file in which it stands.
fn paths_in(room: &str) -> Vec<&'static (String, String)> {
    let (file, folder) = (format!("src/{room}.rs"), format!("src/{room}/"));
    let paths: Vec<_> = PATHS.iter().filter(|(of, _)| *of == file || of.starts_with(&folder)).collect();
    assert!(!paths.is_empty(), "there is no room {room}");
    paths
}

fn assert_imports_none_of(room: &str, forbidden: &[&str]) {
    for (file, path) in paths_in(room) {
        let found = forbidden.iter().find(|forbidden| is_below(path, &format!("crate::{forbidden}")));
        assert_eq!(found, None, "{file} imports {path}");
    }
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

fn makes_json(path: &str) -> bool {
    let makers = ["json", "to_string", "to_string_pretty", "to_value", "to_vec", "to_vec_pretty", "to_writer"];
    path.ends_with("JsonText::of") || makers.iter().any(|maker| path == format!("serde_json::{maker}"))
}

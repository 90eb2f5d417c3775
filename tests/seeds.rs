//! The seeds of the fuzzers in `tests/fuzz`, given to what they fuzz: whatever a fuzzer has found stays found.

use std::fs;
use std::path::Path;

#[path = "fuzz/targets.rs"]
mod targets;

use targets::TARGETS;

#[test]
fn what_is_said_of_any_bytes_holds_of_every_seed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fuzz");
    for (name, target) in TARGETS {
        let mut seeds = 0;
        for seed in fs::read_dir(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")) {
            let seed = seed.unwrap().path();
            // Shown only where it fails.
            println!("{}", seed.display());
            target(&fs::read(&seed).unwrap());
            seeds += 1;
        }
        assert!(seeds >= 10, "{name} has {seeds} seeds only");
    }
}

#[test]
fn each_target_has_its_seeds_and_its_fuzzer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("tests/fuzz/bin"), targets);
    assert_eq!(names("fixtures/fuzz"), targets);
}

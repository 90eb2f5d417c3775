//! A history that was moved is the history that it was.

use mortise::model::{KeptKey, KeptToken, LeaseToken};
use mortise::store::Store;
use mortise::store::transfer::{Progress, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::tests;
use crate::history::deployment_id;
use crate::shared::Shared;
use crate::written::{
    Embedded, contents, contents_of, exported, history_of, imported, lines, long, random, sealed, various,
};

tests![
    a_history_that_is_moved_from_folder_to_folder_to_folder_stays_the_same_byte_for_byte,
    the_history_has_no_tokens_and_no_keys_which_stand_behind_the_change_they_belong_to,
    an_export_does_not_show_in_which_order_a_store_has_what_is_beside_the_history,
    numbers_letters_and_escapes_stand_in_an_export_as_they_were_posted,
    an_export_has_a_line_for_each_change_and_for_what_is_beside_it_and_checksums_that_follow_from_what_is_there,
    what_is_recorded_during_an_export_is_left_out_of_it,
    progress_is_told_up_to_the_end_of_each_step,
    any_history_can_be_moved,
];

/// Moves what is in one store through another to a third, both empty, and finds it the same at each.
pub fn moves(from: &dyn Store, through: &dyn Store, to: &dyn Store) {
    let first = exported(from);
    for (next, last) in [(through, from), (to, through)] {
        let head = last.head().unwrap();
        let done = imported(next, &exported(last)).unwrap();
        assert_eq!((done.changes, done.revision), (head, head));
        assert_eq!(history_of(next), history_of(from));
        assert!(exported(next) == first, "the exports are not the same byte for byte");
        let rows = |store: &dyn Store| {
            let mut rows: Vec<_> =
                store.load().unwrap().rows().map(|row| serde_json::to_string(&row).unwrap()).collect();
            rows.sort();
            rows
        };
        assert_eq!(rows(next), rows(from));
    }
}

fn a_history_that_is_moved_from_folder_to_folder_to_folder_stays_the_same_byte_for_byte() {
    for changes in [Vec::new(), long(1), various(), random(7, 60), long(700)] {
        moves(&*Embedded::holding(&changes), &*Embedded::new(), &*Embedded::new());
    }
}

fn the_history_has_no_tokens_and_no_keys_which_stand_behind_the_change_they_belong_to() {
    let contents = contents(&exported(&*Embedded::holding(&various())));
    let at = contents.iter().position(|line| line.starts_with("{\"change\":{\"revision\":3,")).unwrap();
    let [first, second] = [1, 2].map(deployment_id);
    let lease = |id| {
        let kept = KeptToken::of(&LeaseToken(format!("token-{id}")), id, Some("key"));
        format!(r#"{{"beside":{{"lease":{{"deployment":"{id}","token":"{}"}}}}"#, kept.as_str())
    };
    let key = |key| {
        let kept = KeptKey::of(key);
        format!(r#"{{"beside":{{"key":{{"key":"{}","plan":"00000000-0000-0000-0000-0000abc00001"}}}}"#, kept.as_str())
    };
    let mut keys = ["build 2", "build 2 again"].map(key);
    keys.sort();
    assert_eq!(contents[at + 1..at + 5], [[first, second].map(lease), keys].concat());
    for change in contents.iter().filter(|line| line.starts_with("{\"change\":")) {
        assert!(!change.contains("\"token") && !change.contains("build "), "{change}");
    }
}

fn an_export_does_not_show_in_which_order_a_store_has_what_is_beside_the_history() {
    let expected = exported(&*Embedded::holding(&various()));
    assert!(exported(&Shared(Embedded::holding(&various()))) == expected, "it shows");
}

fn numbers_letters_and_escapes_stand_in_an_export_as_they_were_posted() {
    let file = String::from_utf8(exported(&*Embedded::holding(&various()))).unwrap();
    for spelled in
        ["1.10", "2.50", "-0.0", "1E+400", "123456789012345678901234567890", r"\u00e9 é ё 鷹 🦀", r"\/file", r"\ud83d"]
    {
        assert!(file.contains(spelled), "{spelled} is not there");
    }
}

fn an_export_has_a_line_for_each_change_and_for_what_is_beside_it_and_checksums_that_follow_from_what_is_there() {
    let changes = various();
    let file = exported(&*Embedded::holding(&changes));
    let lines = lines(&file);
    let [header, trailer]: [Value; 2] =
        [lines[0], lines[lines.len() - 1]].map(|line| serde_json::from_slice(line).unwrap());
    let (count, last) = (changes.len(), changes.last().unwrap().id);
    assert_eq!(
        header["header"],
        json!({"format": "mortise-history", "version": 3, "from": 1, "to": count, "last": last})
    );
    assert_eq!(trailer["trailer"], json!({"changes": count}));
    let expected: Vec<_> = changes.iter().flat_map(contents_of).collect();
    assert!(expected.len() > count, "nothing is kept beside");
    assert_eq!(contents(&file)[1..lines.len() - 1], expected);
    assert!(sealed(&contents(&file)) == file, "the checksums are not the halves of SHA-256 that they are said to be");
}

fn what_is_recorded_during_an_export_is_left_out_of_it() {
    let changes = long(100);
    let store = Embedded::holding(&changes[..60]);
    let before = exported(&*store);
    let mut rest = changes[60..].iter();
    let mut file = Vec::new();
    let record =
        &mut |_| rest.next().into_iter().for_each(|change| store.append(std::slice::from_ref(change)).unwrap());
    let revision = mortise::store::transfer::export(&*store, &mut file, record).unwrap();
    assert_eq!(revision, 60);
    assert!(file == before, "the export is not what was there when it began");
    assert!(store.head().unwrap() > 60);
}

fn progress_is_told_up_to_the_end_of_each_step() {
    let from = Embedded::holding(&long(600));
    let (mut told, mut file): (Vec<Progress>, _) = (Vec::new(), Vec::new());
    mortise::store::transfer::export(&*from, &mut file, &mut |progress| told.push(progress)).unwrap();
    let cursor = std::io::Cursor::new(&file);
    let source = mortise::store::transfer::Source::verified(cursor, &mut |progress| told.push(progress)).unwrap();
    mortise::store::transfer::import(&*Embedded::new(), source, &mut |progress| told.push(progress)).unwrap();
    for step in [Step::Export, Step::Verify, Step::Import] {
        let revisions: Vec<_> = told.iter().filter(|told| told.step == step).map(|told| told.revision).collect();
        assert!(revisions.len() > 3 && revisions.is_sorted(), "{step:?}: {revisions:?}");
        assert_eq!(revisions.last(), Some(&600), "{step:?}");
    }
    assert!(told.iter().all(|told| told.end == 600));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    fn any_history_can_be_moved(seed in any::<u64>(), steps in 0_usize..50) {
        moves(&*Embedded::holding(&random(seed, steps)), &*Embedded::new(), &*Embedded::new());
    }
}

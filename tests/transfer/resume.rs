//! What the store holds already when an import begins.

use mortise::model::{Beside, KeptToken, LeaseToken, Timestamp};
use mortise::store::Store;
use mortise::store::transfer::{Imported, TransferError};

use crate::harness::tests;
use crate::written::{Embedded, exported, history_of, imported, long, of_version_1, random, streamed, various};

tests![
    an_import_goes_on_from_any_beginning_of_the_same_history,
    an_import_of_version_1_goes_on_from_any_beginning_and_gives_what_version_2_moves_on,
    a_store_is_the_beginning_only_with_the_leases_and_keys_whatever_a_lease_says_by_now,
    a_store_with_another_history_is_refused_and_left_as_it_is,
    a_store_that_holds_more_than_the_file_is_refused_and_left_as_it_is,
];

fn an_import_goes_on_from_any_beginning_of_the_same_history() {
    let changes = various();
    let (whole, end) = (exported(&*Embedded::holding(&changes)), changes.len() as u64);
    for held in 0..=changes.len() {
        let store = Embedded::holding(&changes[..held]);
        let expected = Imported { changes: end - held as u64, revision: end };
        let done = if held % 2 == 0 { imported(&*store, &whole) } else { streamed(&*store, &whole) };
        assert_eq!(done.unwrap(), expected);
        assert!(exported(&*store) == whole, "the exports are not the same byte for byte after {held}");
        assert_eq!(imported(&*store, &whole).unwrap(), Imported { changes: 0, revision: end });
    }
}

fn an_import_of_version_1_goes_on_from_any_beginning_and_gives_what_version_2_moves_on() {
    let of_version_1 = of_version_1();
    let first = Embedded::new();
    imported(&*first, &of_version_1).unwrap();
    let (changes, whole) = (history_of(&*first), exported(&*first));
    assert!(changes.iter().any(|change| change.beside.len() > 1), "nothing is kept beside");
    for held in (0..=changes.len()).step_by(16) {
        for file in [&of_version_1, &whole] {
            let store = Embedded::holding(&changes[..held]);
            let done = if held % 32 == 0 { imported(&*store, file) } else { streamed(&*store, file) };
            assert_eq!(done.unwrap(), Imported { changes: 160 - held as u64, revision: 160 });
            assert!(exported(&*store) == whole, "the exports are not the same byte for byte after {held}");
        }
    }
}

fn a_store_is_the_beginning_only_with_the_leases_and_keys_whatever_a_lease_says_by_now() {
    let whole = exported(&*Embedded::holding(&various()));
    for lost in 0..4 {
        let mut held = various()[..3].to_vec();
        held[2].beside.remove(lost);
        let refused = imported(&*Embedded::holding(&held), &whole).unwrap_err();
        assert!(matches!(refused, TransferError::Foreign { revision: 3 }), "{refused:?}");
    }
    let mut held = various()[..3].to_vec();
    let Beside::Lease(lease) = &mut held[2].beside[0] else { panic!("it is no lease") };
    lease.token = KeptToken::of(&LeaseToken("another".to_owned()), lease.deployment, None);
    let store = Embedded::holding(&held);
    assert_eq!(imported(&*store, &whole).unwrap().revision, various().len() as u64);
    assert_eq!(history_of(&*store)[..3], held);
}

fn a_store_with_another_history_is_refused_and_left_as_it_is() {
    let whole = exported(&*Embedded::holding(&various()));
    let mut later = various()[..5].to_vec();
    later[4].time = Timestamp::from_milliseconds(5_001);
    // Another one, the same but for its last change, and one whose ids are the same.
    for held in [long(3), later, random(3, 9)[..6].to_vec()] {
        let store = Embedded::holding(&held);
        let refused = imported(&*store, &whole).unwrap_err();
        let last = held.len() as u64;
        assert!(matches!(refused, TransferError::Foreign { revision } if revision == last), "{refused:?}");
        assert_eq!(history_of(&*store), held);
    }
}

fn a_store_that_holds_more_than_the_file_is_refused_and_left_as_it_is() {
    let changes = various();
    let store = Embedded::holding(&changes);
    for end in 0..changes.len() {
        let file = exported(&*Embedded::holding(&changes[..end]));
        let refused = imported(&*store, &file).unwrap_err();
        assert!(matches!(refused, TransferError::Ahead { held, end: known } if held > known && known == end as u64));
    }
    assert_eq!(store.head().unwrap(), changes.len() as u64);
    assert_eq!(history_of(&*store), changes);
}

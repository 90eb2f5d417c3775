//! What the store holds already when an import begins.

use mortise::model::Timestamp;
use mortise::store::Store;
use mortise::store::transfer::{Imported, TransferError};

use crate::harness::tests;
use crate::written::{Embedded, exported, history_of, imported, long, random, streamed, various};

tests![
    an_import_goes_on_from_any_beginning_of_the_same_history,
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

fn a_store_with_another_history_is_refused_and_left_as_it_is() {
    let whole = exported(&*Embedded::holding(&various()));
    let mut later = various()[..5].to_vec();
    later[4].time = Timestamp::from_milliseconds(5_001);
    // Another one, the same but for its last change, and one whose ids are the same.
    for held in [long(3), later, random(3, 9)] {
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

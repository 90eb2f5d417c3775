//! A file that is not as it was written is refused, with the line, and leaves the store as it is.

use mortise::store::transfer::{Damage, TransferError};

use crate::harness::tests;
use crate::written::{
    Embedded, contents, exported, history_of, imported, lines, long, of_version_1, sealed, streamed, various,
};

tests![
    a_byte_that_is_another_is_found_at_its_line,
    a_line_that_is_missing_repeated_or_swapped_is_found_where_it_should_stand,
    a_file_that_is_cut_is_refused_at_the_line_that_is_not_whole,
    what_follows_the_end_is_refused,
    what_is_no_export_is_refused_without_reading_it_to_its_end,
    a_newer_format_is_refused_however_it_is_checked,
    a_file_whose_checksums_are_right_but_whose_history_cannot_be_is_refused_at_the_line,
    a_file_of_version_1_is_refused_at_its_line_too,
    damage_in_what_can_be_read_only_once_leaves_whole_batches_and_the_whole_file_goes_on_from_them,
];

/// The line at which a file is refused.
#[track_caller]
fn line_of(refused: &TransferError) -> usize {
    let line = match refused {
        TransferError::NoExport | TransferError::TooNew { .. } => 1,
        TransferError::Cut { line } | TransferError::Damaged { line, .. } | TransferError::Unfamiliar { line } => *line,
        TransferError::Stopped { cause, .. } => line_of(cause) as u64,
        other => panic!("{other:?} tells no line"),
    };
    assert!(refused.to_string().contains(&format!("line {line} ")) || matches!(refused, TransferError::Stopped { .. }));
    line as usize
}

/// A store that holds the beginning of a history, and the lines of the export of all of it.
struct Case {
    store: Embedded,
    file: Vec<u8>,
}

impl Case {
    fn new() -> Self {
        let changes = various();
        Self { store: Embedded::holding(&changes[..3]), file: exported(&*Embedded::holding(&changes)) }
    }

    /// Refused at this line, and the store is as it was.
    #[track_caller]
    fn is_refused_at(&self, line: usize, file: &[u8], what: &str) {
        assert!(file != self.file, "{what}: nothing is damaged");
        let refused = imported(&*self.store, file).expect_err(what);
        assert_eq!(line_of(&refused), line, "{what}: {refused}");
        assert_eq!(self.store.head_now(), 3, "{what}");
        assert_eq!(line_of(&streamed(&*self.store, file).expect_err(what)), line, "{what}, read only once");
        assert_eq!(self.store.head_now(), 3, "{what}, read only once");
    }

    /// After everything that was refused, the whole file goes on from what was there.
    fn takes_the_whole_file(self) {
        let whole = history_of(&*Embedded::holding(&various()));
        assert_eq!(history_of(&*self.store), whole[..3]);
        imported(&*self.store, &self.file).unwrap();
        assert_eq!(history_of(&*self.store), whole);
    }
}

impl Embedded {
    fn head_now(&self) -> u64 {
        mortise::store::Store::head(&**self).unwrap()
    }
}

fn a_byte_that_is_another_is_found_at_its_line() {
    let case = Case::new();
    let mut start = 0;
    for (index, line) in lines(&case.file).into_iter().enumerate() {
        // The first and the last bytes, and some between.
        let places = (0..line.len()).filter(|place| *place < 12 || place + 46 > line.len() || place % 37 == 0);
        for place in places {
            let mut file = case.file.clone();
            file[start + place] ^= 1;
            case.is_refused_at(index + 1, &file, &format!("byte {place} of line {} is another", index + 1));
        }
        start += line.len();
    }
    case.takes_the_whole_file();
}

fn a_line_that_is_missing_repeated_or_swapped_is_found_where_it_should_stand() {
    let case = Case::new();
    let lines = lines(&case.file);
    for index in 0..lines.len() {
        let line = index + 1;
        let without = [&lines[..index], &lines[line..]].concat().concat();
        case.is_refused_at(line, &without, &format!("without line {line}"));
        let twice = [&lines[..line], &lines[index..]].concat().concat();
        case.is_refused_at(line + 1, &twice, &format!("line {line} twice"));
        if line < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(index, line);
            case.is_refused_at(line, &swapped.concat(), &format!("lines {line} and {} swapped", line + 1));
        }
    }
    case.takes_the_whole_file();
}

fn a_file_that_is_cut_is_refused_at_the_line_that_is_not_whole() {
    let case = Case::new();
    let mut end = 0;
    for (index, line) in lines(&case.file).into_iter().enumerate() {
        case.is_refused_at(index + 1, &case.file[..end], &format!("cut before line {}", index + 1));
        case.is_refused_at(index + 1, &case.file[..end + line.len() / 2], &format!("cut within line {}", index + 1));
        end += line.len();
        case.is_refused_at(index + 1, &case.file[..end - 1], &format!("cut at the end of line {}", index + 1));
    }
    case.takes_the_whole_file();
}

fn what_follows_the_end_is_refused() {
    let case = Case::new();
    let after = lines(&case.file).len() + 1;
    for surplus in ["\n", " ", "{}\n"] {
        case.is_refused_at(after, &[&case.file[..], surplus.as_bytes()].concat(), surplus);
    }
    case.is_refused_at(after, &[&case.file[..], &case.file[..]].concat(), "two exports in one file");
}

fn what_is_no_export_is_refused_without_reading_it_to_its_end() {
    let case = Case::new();
    let other = case.file.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }).collect::<Vec<_>>();
    let endless = "{\"header\":".to_owned() + &" ".repeat(1 << 20);
    for file in [
        b"# Mortise\n".as_slice(),
        &[0xff; 100],
        b"{}\n",
        &other,
        endless.as_bytes(),
        b"{\"header\":{\"format\":\"x\",\"version\":9}}\n",
        b"{\"header\":{\"format\":\"mortise-history\",\"version\":0}}\n",
    ] {
        let refused = imported(&*case.store, file).unwrap_err();
        assert!(matches!(refused, TransferError::NoExport), "{refused}");
    }
}

fn a_newer_format_is_refused_however_it_is_checked() {
    let case = Case::new();
    let mut newer = contents(&case.file);
    newer[0] = newer[0].replace("\"version\":3", "\"version\":4");
    let foreign = b"{\"header\":{\"format\":\"mortise-history\",\"version\":4,\"codec\":\"zstd\"}}\n";
    for file in [sealed(&newer), foreign.to_vec()] {
        let refused = imported(&*case.store, &file).unwrap_err();
        assert!(matches!(refused, TransferError::TooNew { found: 4, known: 3 }), "{refused}");
        assert!(refused.to_string().contains("use the version that wrote the file"), "{refused}");
    }
}

fn a_file_whose_checksums_are_right_but_whose_history_cannot_be_is_refused_at_the_line() {
    let case = Case::new();
    let whole = contents(&case.file);
    let (count, trailer) = (various().len(), whole.len());
    let place = |revision: usize| change_line(&whole, revision);
    let with = |line: usize, from: &str, to: &str| {
        let mut changed = whole.clone();
        changed[line - 1] = changed[line - 1].replacen(from, to, 1);
        assert_ne!(changed, whole, "{from} is not in line {line}");
        sealed(&changed)
    };
    let swapped = |left: usize, right: usize| {
        let mut changed = whole.clone();
        changed.swap(left - 1, right - 1);
        sealed(&changed)
    };
    let twice = |line: usize| sealed(&[&whole[..line], &whole[line - 1..]].concat());
    let (third, leases) = (place(3), [place(3) + 1, place(3) + 2]);
    let cases = [
        ("a gap", with(third, "\"revision\":3", "\"revision\":4"), third, Some(Damage::Order { found: 4, due: 3 })),
        (
            "a time that goes back",
            with(third, "\"time\":\"1970-01-01T00:00:03", "\"time\":\"1970-01-01T00:00:01"),
            third,
            Some(Damage::Time),
        ),
        ("an unknown row", with(place(2), "\"rows\":[{\"", "\"rows\":[{\"un"), place(2), None),
        ("another last change", with(place(count), "\"id\":\"0", "\"id\":\"1"), place(count), Some(Damage::Header)),
        ("another count", with(trailer, "\"changes\":", "\"changes\":1"), trailer, Some(Damage::Header)),
        ("another beginning", with(1, "\"from\":1", "\"from\":2"), 1, Some(Damage::Order { found: 2, due: 1 })),
        ("an early end", with(1, &format!("\"to\":{count}"), "\"to\":4"), place(4), Some(Damage::Header)),
        ("a change twice", twice(place(4)), place(4) + 1, Some(Damage::Order { found: 4, due: 5 })),
        ("a lease twice", twice(leases[0]), leases[1], Some(Damage::Repeated)),
        ("leases swapped", swapped(leases[0], leases[1]), leases[1], Some(Damage::Repeated)),
        ("a lease before any change", swapped(2, 3), 2, Some(Damage::Header)),
        ("something else beside", with(leases[0], "{\"lease\":", "{\"loan\":"), leases[0], None),
    ];
    for (what, file, line, expected) in cases {
        let refused = imported(&*case.store, &file).expect_err(what);
        let TransferError::Damaged { damage, .. } = &refused else { panic!("{what}: {refused:?}") };
        assert!(expected.as_ref().is_none_or(|expected| expected == damage), "{what}: {damage:?}");
        case.is_refused_at(line, &file, what);
    }
    // A member that this version would read over, and so lose.
    for (line, before) in [(place(2), "\"rows\":"), (leases[0], "\"token\":")] {
        let unfamiliar = with(line, before, &format!("\"place\":\"here\",{before}"));
        let refused = imported(&*case.store, &unfamiliar).unwrap_err();
        assert!(matches!(refused, TransferError::Unfamiliar { line: found } if found == line as u64), "{refused}");
    }
    case.takes_the_whole_file();
}

fn a_file_of_version_1_is_refused_at_its_line_too() {
    let whole = contents(&of_version_1());
    let with = |line: usize, from: &str, to: &str| {
        let mut changed = whole.clone();
        changed[line - 1] = changed[line - 1].replacen(from, to, 1);
        assert_ne!(changed, whole, "{from} is not in line {line}");
        sealed(&changed)
    };
    let mut beside = whole.clone();
    beside.insert(
        4,
        "{\"beside\":{\"key\":{\"key\":\"x\",\"plan\":\"00000000-0000-0000-0000-000000000000\"}}".to_owned(),
    );
    let cases = [
        ("a gap", with(4, "\"revision\":3", "\"revision\":4"), 4, Some(Damage::Order { found: 4, due: 3 })),
        ("a time that goes back", with(4, "\"time\":\"2026", "\"time\":\"2025"), 4, Some(Damage::Time)),
        ("an unknown row", with(4, "\"rows\":[{\"", "\"rows\":[{\"un"), 4, None),
        ("what version 2 has", sealed(&beside), 5, Some(Damage::Header)),
        (
            "another version",
            with(1, "\"version\":1", "\"version\":2"),
            change_line(&whole, first_opening(&whole)),
            None,
        ),
    ];
    let store = Embedded::new();
    for (what, file, line, expected) in cases {
        let refused = imported(&*store, &file).expect_err(what);
        assert_eq!(line_of(&refused), line, "{what}: {refused}");
        let found = if let TransferError::Damaged { damage, .. } = &refused { Some(damage) } else { None };
        assert!(expected.is_none() || expected.as_ref() == found, "{what}: {refused:?}");
    }
    let of_1 = of_version_1();
    for cut in [of_1.len() - 1, of_1.len() / 2] {
        let refused = imported(&*store, &of_1[..cut]).unwrap_err();
        assert_eq!(line_of(&refused), lines(&of_1[..cut]).len(), "{refused}");
    }
    assert_eq!(store.head_now(), 0);
}

/// The first revision in which an attempt is opened.
fn first_opening(contents: &[String]) -> usize {
    contents.iter().position(|content| content.contains("\"opening\":{")).unwrap()
}

/// The line that has a change.
fn change_line(contents: &[String], revision: usize) -> usize {
    let start = format!("{{\"change\":{{\"revision\":{revision},");
    contents.iter().position(|content| content.starts_with(&start)).unwrap() + 1
}

fn damage_in_what_can_be_read_only_once_leaves_whole_batches_and_the_whole_file_goes_on_from_them() {
    let changes = long(700);
    let whole = exported(&*Embedded::holding(&changes));
    let lines = lines(&whole);
    let store = Embedded::new();
    let without = [&lines[..600], &lines[601..]].concat().concat();
    let refused = streamed(&*store, &without).unwrap_err();
    let TransferError::Stopped { revision, cause } = &refused else { panic!("{refused:?}") };
    assert!(matches!(**cause, TransferError::Damaged { line: 601, damage: Damage::Order { found: 601, due: 600 } }));
    assert_eq!(*revision, 512);
    assert_eq!(history_of(&*store), changes[..512]);
    assert_eq!(streamed(&*store, &whole).unwrap().changes, 188);
    assert!(exported(&*store) == whole, "the exports are not the same byte for byte");
}

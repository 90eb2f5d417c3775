//! The embedded store: its folder, its format, its snapshots.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use mortise::model::Outcome;
use mortise::store::embedded::EmbeddedStore;
use mortise::store::{DeploymentFilter, Page, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::conformance::{Place, applied, assert_same, conformance};
use crate::database::Absent;
use crate::harness::tests;
use crate::sample::{Sample, slot};

tests![
    a_folder_that_is_open_is_refused_to_another_who_is_told_who_has_it,
    a_folder_that_cannot_be_made_is_refused_by_name,
    a_newer_format_is_refused_and_left_as_it_is,
    a_file_that_is_no_database_is_refused,
    a_history_with_a_gap_is_damaged,
    a_database_that_is_lost_beside_its_snapshot_or_its_log_is_no_empty_store,
    a_snapshot_and_the_changes_after_it_give_what_replay_gives,
    few_changes_of_many_rows_leave_a_snapshot_as_well,
    a_snapshot_that_cannot_be_used_is_passed_over,
    a_snapshot_of_another_store_is_passed_over,
    a_snapshot_of_a_history_that_a_restored_backup_has_left_is_passed_over,
    what_is_left_of_a_snapshot_that_was_never_finished_is_in_nobodys_way,
    a_closed_store_has_moved_everything_into_one_file_that_can_be_copied,
    a_commit_waits_for_whoever_holds_the_lock_for_a_moment,
    an_index_of_an_earlier_version_is_made_anew_from_the_history,
    a_store_that_was_looked_at_keeps_its_lock_on_the_database,
];

/// A folder that goes with the test.
struct Folder(TempDir);

impl Place for Folder {
    fn new() -> Result<Self, Absent> {
        Ok(Self::empty())
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(EmbeddedStore::open(self.0.path()).unwrap())
    }
}

impl Folder {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn snapshot(&self) -> PathBuf {
        self.path().join("snapshot.zst")
    }

    fn database(&self) -> PathBuf {
        self.path().join("mortise.sqlite")
    }

    /// A folder with a history that is long enough for a snapshot when it is closed, closed.
    fn with_snapshot() -> (Self, Sample) {
        let folder = Self::empty();
        let mut sample = Sample::default();
        lengthen(&mut sample, "artifact");
        let store = folder.open();
        let (last, before) = sample.changes.split_last().unwrap();
        // Two records: the second one has the last change alone.
        store.append(before).unwrap();
        store.append(std::slice::from_ref(last)).unwrap();
        store.close(&applied(&sample.changes));
        assert!(folder.snapshot().is_file(), "a snapshot is kept");
        (folder, sample)
    }

    fn assert_loads(&self, sample: &Sample) {
        assert_same(&self.open().load().unwrap(), &applied(&sample.changes));
    }
}

/// 3,000 changes more.
fn lengthen(sample: &mut Sample, artifact: &str) {
    let opened = sample.open("shop", slot(artifact, "test", ""), Some("ci/a"));
    sample.end(opened, Outcome::Succeeded);
    sample.open("shop", slot(artifact, "test", ""), None);
    (0..3_000).for_each(|number| sample.touch(&format!("environment-{}", number % 50)));
}

conformance!(Folder);

fn a_folder_that_is_open_is_refused_to_another_who_is_told_who_has_it() {
    let folder = Folder::empty();
    let store = folder.open();
    let refused = EmbeddedStore::open(folder.path()).err().expect("it is in use");
    assert!(matches!(&refused, StoreError::InUse { pid: Some(pid), .. } if *pid == std::process::id().to_string()));
    let message = refused.to_string();
    assert!(message.contains(&folder.path().display().to_string()), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
    drop(store);
    folder.open();
}

fn a_folder_that_cannot_be_made_is_refused_by_name() {
    let folder = Folder::empty();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    for path in [file.clone(), file.join("below")] {
        let refused = EmbeddedStore::open(&path).err().expect("it is no folder");
        assert!(refused.to_string().contains(&path.display().to_string()), "{refused}");
    }
}

fn a_newer_format_is_refused_and_left_as_it_is() {
    let folder = Folder::empty();
    folder.open();
    let connection = Connection::open(folder.database()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = EmbeddedStore::open(folder.path()).err().expect("it is newer");
    assert!(matches!(refused, StoreError::TooNew { found: 99, .. }), "{refused}");
    let connection = Connection::open(folder.database()).unwrap();
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(format, 99);
}

fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::empty();
    fs::write(folder.database(), "this is no database, and long enough to be read as if it were one".repeat(100))
        .unwrap();
    assert!(matches!(EmbeddedStore::open(folder.path()), Err(StoreError::Damaged(_))));
}

fn a_history_with_a_gap_is_damaged() {
    let folder = Folder::empty();
    let mut sample = Sample::default();
    (0..5).for_each(|_| sample.touch("test"));
    let store = folder.open();
    sample.changes.iter().for_each(|change| store.append(std::slice::from_ref(change)).unwrap());
    drop(store);
    Connection::open(folder.database()).unwrap().execute("DELETE FROM record WHERE last = 3", []).unwrap();
    assert!(matches!(folder.open().load(), Err(StoreError::Damaged(_))));
}

fn a_database_that_is_lost_beside_its_snapshot_or_its_log_is_no_empty_store() {
    let (folder, sample) = Folder::with_snapshot();
    let kept = fs::read(folder.database()).unwrap();
    let assert_refused = |left: &str| {
        let refused = EmbeddedStore::open(folder.path()).err().expect("its history is gone");
        assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
        assert!(refused.to_string().contains(&format!(" has {left} but its mortise.sqlite is gone")), "{refused}");
    };
    fs::remove_file(folder.database()).unwrap();
    assert_refused("snapshot.zst");
    assert!(!folder.database().exists(), "nothing is made in its place");
    fs::write(folder.database(), "").unwrap();
    assert_refused("snapshot.zst");
    fs::write(folder.database(), kept).unwrap();
    folder.assert_loads(&sample);

    // Without a snapshot, the log is what tells: a process that was killed leaves it.
    fs::remove_file(folder.snapshot()).unwrap();
    fs::rename(folder.database(), folder.path().join("kept")).unwrap();
    fs::write(folder.path().join("mortise.sqlite-wal"), "frames").unwrap();
    assert_refused("mortise.sqlite-wal");
    assert_eq!(fs::read(folder.path().join("mortise.sqlite-wal")).unwrap(), b"frames");
    // Where nothing tells of a store there is none, and one is made.
    fs::remove_file(folder.path().join("mortise.sqlite-wal")).unwrap();
    assert_eq!(folder.open().head().unwrap(), 0);
}

fn a_snapshot_and_the_changes_after_it_give_what_replay_gives() {
    let (folder, mut sample) = Folder::with_snapshot();
    // What only the snapshot can have told: the changes before it are gone.
    let last = sample.changes.len();
    Connection::open(folder.database()).unwrap().execute("DELETE FROM record WHERE last < ?1", [last as u64]).unwrap();
    folder.assert_loads(&sample);
    lengthen(&mut sample, "later");
    folder.open().append(&sample.changes[last..]).unwrap();
    folder.assert_loads(&sample);
}

fn few_changes_of_many_rows_leave_a_snapshot_as_well() {
    let folder = Folder::empty();
    let mut sample = Sample::default();
    let environments: Vec<_> = (0..3_000).map(|number| format!("environment-{number}")).collect();
    let store = folder.open();
    store.load().unwrap();
    sample.touch_all(environments.iter().map(String::as_str));
    store.append(&sample.changes).unwrap();
    store.close(&applied(&sample.changes));
    assert!(folder.snapshot().is_file(), "a snapshot is kept");
    drop(store);
    // What it knows does not count again.
    let before = fs::metadata(folder.snapshot()).unwrap().modified().unwrap();
    let store = folder.open();
    store.close(&store.load().unwrap());
    assert_eq!(fs::metadata(folder.snapshot()).unwrap().modified().unwrap(), before);
}

fn a_snapshot_that_cannot_be_used_is_passed_over() {
    let (folder, sample) = Folder::with_snapshot();
    let whole = fs::read(folder.snapshot()).unwrap();
    let text = String::from_utf8(zstd::decode_all(&*whole).unwrap()).unwrap();
    let packed = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (header, middle) = (lines[0], lines.len() / 2);
    let with_revision = |revision: &str| {
        text.replacen(&format!("\"revision\":{}", sample.changes.len()), &format!("\"revision\":{revision}"), 1)
    };
    let without = |line: usize| [&lines[..line], &lines[line + 1..]].concat().join("\n");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("its header only", packed(header)),
        ("half of its header", packed(&header[..header.len() / 2])),
        ("torn in the middle", whole[..whole.len() / 2].into()),
        ("torn before its last line", packed(&lines[..lines.len() - 1].join("\n"))),
        ("torn before its checksum", whole[..whole.len() - 4].into()),
        ("without its header", packed(&lines[1..].join("\n"))),
        ("without a line", packed(&without(middle))),
        ("with a line twice", packed(&[&lines[..middle], &lines[middle - 1..]].concat().join("\n"))),
        ("with garbage for a line", packed(&text.replacen(lines[middle], "garbage", 1))),
        ("that is not compressed", text.clone().into_bytes()),
        (
            "with bytes that are no text",
            [&whole[..whole.len() / 2], &[0xff, 0xfe, 0x00], &whole[whole.len() / 2..]].concat(),
        ),
        ("zeros", vec![0; whole.len()]),
        ("of another revision", packed(&with_revision("7"))),
        ("of a revision that is yet to come", packed(&with_revision("999999"))),
        ("of revision 0", packed(&with_revision("0"))),
        ("of a revision beyond all counting", packed(&with_revision("18446744073709551615"))),
        ("of another format", packed(&text.replacen("\"format\":3", "\"format\":2", 1))),
    ];
    for (what, written) in cases {
        assert_ne!(written, whole, "{what} is the same");
        fs::write(folder.snapshot(), &written).unwrap();
        let store = folder.open();
        let loaded = store.load().unwrap_or_else(|error| panic!("a snapshot {what}: {error}"));
        assert_same(&loaded, &applied(&sample.changes));
    }
    fs::remove_file(folder.snapshot()).unwrap();
    fs::create_dir(folder.snapshot()).unwrap();
    folder.assert_loads(&sample);
}

fn a_snapshot_of_another_store_is_passed_over() {
    let (folder, sample) = Folder::with_snapshot();
    let (other, _) = Folder::with_snapshot();
    fs::copy(other.snapshot(), folder.snapshot()).unwrap();
    folder.assert_loads(&sample);
}

fn a_snapshot_of_a_history_that_a_restored_backup_has_left_is_passed_over() {
    let (folder, mut sample) = Folder::with_snapshot();
    let backup = fs::read(folder.database()).unwrap();
    let shared = sample.changes.len();
    lengthen(&mut sample, "lost");
    let store = folder.open();
    store.load().unwrap();
    store.append(&sample.changes[shared..]).unwrap();
    store.close(&applied(&sample.changes));
    drop(store);

    // The backup comes back, beside a snapshot that is newer than it is.
    ["-wal", "-shm"].iter().for_each(|end| drop(fs::remove_file(folder.path().join(format!("mortise.sqlite{end}")))));
    fs::write(folder.database(), backup).unwrap();
    sample.changes.truncate(shared);
    folder.assert_loads(&sample);

    // And it goes on another way, past the revision of that snapshot.
    lengthen(&mut sample, "found");
    lengthen(&mut sample, "found too");
    folder.open().append(&sample.changes[shared..]).unwrap();
    folder.assert_loads(&sample);
}

fn what_is_left_of_a_snapshot_that_was_never_finished_is_in_nobodys_way() {
    let (folder, mut sample) = Folder::with_snapshot();
    fs::write(folder.path().join("snapshot.zst.new"), "half a line").unwrap();
    folder.assert_loads(&sample);
    let known = sample.changes.len();
    lengthen(&mut sample, "later");
    let store = folder.open();
    store.load().unwrap();
    store.append(&sample.changes[known..]).unwrap();
    store.close(&applied(&sample.changes));
    drop(store);
    assert!(!folder.path().join("snapshot.zst.new").exists(), "the next snapshot took its place");
    folder.assert_loads(&sample);
}

fn a_closed_store_has_moved_everything_into_one_file_that_can_be_copied() {
    let (folder, sample) = Folder::with_snapshot();
    let copy = Folder::empty();
    fs::copy(folder.database(), copy.database()).unwrap();
    copy.assert_loads(&sample);
}

/// A reader that comes upon a half-written header of the log takes the lock of those who write, to look again.
fn a_commit_waits_for_whoever_holds_the_lock_for_a_moment() {
    let folder = Folder::empty();
    let store = folder.open();
    let mut sample = Sample::default();
    (0..100).for_each(|number| sample.touch(&format!("environment-{}", number % 50)));
    let (hold, held) = mpsc::channel::<Connection>();
    std::thread::scope(|scope| {
        scope.spawn(|| held.into_iter().for_each(|holding| holding.execute_batch("COMMIT").unwrap()));
        for change in &sample.changes {
            let committed = store.commit(change.revision - 1, &mut |_| {
                let holding = Connection::open(folder.database()).unwrap();
                holding.execute_batch("BEGIN IMMEDIATE").unwrap();
                hold.send(holding).unwrap();
                vec![change.clone()]
            });
            committed.unwrap();
        }
        drop(hold);
    });
    drop(store);
    folder.assert_loads(&sample);
}

fn an_index_of_an_earlier_version_is_made_anew_from_the_history() {
    let (folder, sample) = Folder::with_snapshot();
    let connection = Connection::open(folder.database()).unwrap();
    // What the version before had: no entries, and another index.
    connection
        .execute_batch(
            "UPDATE made SET version = 1; DROP TABLE entry; DROP TABLE entered; DROP INDEX deployment_begun;
             CREATE INDEX deployment_slot ON deployment (artifact, environment, instance);",
        )
        .unwrap();
    drop(connection);
    let store = folder.open();
    let first = &sample.attempts()[0];
    let of = |filter: DeploymentFilter| {
        let page = store.deployments(&filter, Page { looks: 3, ..Page::newest(1_000) }).unwrap();
        page.items.into_iter().map(|listed| listed.spec.id).collect::<Vec<_>>()
    };
    // All of it has entries, so that three looks are enough for the oldest one.
    let any = DeploymentFilter::default;
    let artifact = Some(first.slot.artifact.to_string());
    assert_eq!(of(DeploymentFilter { artifact, ..any() }).last(), Some(&first.id));
    let later = sample.attempts().iter().find(|attempt| attempt.created_at > first.created_at).unwrap();
    assert_eq!(of(DeploymentFilter { to: Some(later.created_at), ..any() }).last(), Some(&first.id));
    assert_same(&store.load().unwrap(), &applied(&sample.changes));
}

/// Without one, whoever else opens and closes the database takes itself for the last, and removes the log under the store.
fn a_store_that_was_looked_at_keeps_its_lock_on_the_database() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::empty();
    let store = folder.open();
    let mut sample = Sample::default();
    sample.touch("test");
    store.append(&sample.changes).unwrap();
    store.probe().unwrap();
    let inode = std::fs::metadata(folder.database()).unwrap().ino();
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let own = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[4] == std::process::id().to_string() && fields[5].rsplit(':').next() == Some(&inode.to_string())
    };
    assert!(locks.lines().find(own).is_some(), "no lock on {inode} in\n{locks}");
}

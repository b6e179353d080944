use std::collections::BTreeMap;

use super::*;
use offset_log_solution::Dir;

fn open(root: &Path) -> RealFiles {
    RealFiles::open(root, 3).unwrap()
}

fn dir(files: &mut RealFiles, name: &str) -> Box<dyn Dir> {
    files.metadata_dir(name).unwrap()
}

#[test]
fn a_directory_is_made_at_the_first_append_and_not_before() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    let mut orders = dir(&mut files, "orders-0");
    let mut byte = [0];

    assert_eq!(orders.list().unwrap(), []);
    assert_eq!(orders.read_at("a.log", 0, &mut byte).unwrap(), 0, "no file is an empty file");
    orders.remove("a.log").unwrap();
    assert!(!root.path().join("orders-0").exists());

    orders.append("a.log", &[]).unwrap();
    assert_eq!(orders.list().unwrap(), [("a.log".into(), 0)]);
}

#[test]
fn entries_of_an_index_are_read_before_they_are_written_out() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    let mut orders = dir(&mut files, "orders-0");
    orders.append("a.index", b"12345678").unwrap();
    let path = root.path().join("orders-0/a.index");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0, "kept back");

    assert_eq!(orders.list().unwrap(), [("a.index".into(), 8)]);
    let mut bytes = [0; 10];
    assert_eq!(orders.read_at("a.index", 0, &mut bytes).unwrap(), 8);
    assert_eq!(&bytes[..8], b"12345678");

    orders.append("a.index", b"abcdefgh").unwrap();
    files.sync("orders-0").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"12345678abcdefgh");
    orders.append("a.index", b"ijklmnop").unwrap();
    orders.truncate("a.index", 20).unwrap();
    drop(orders);
    assert_eq!(fs::read(&path).unwrap(), b"12345678abcdefghijkl");
}

/// Three handles for many files: whatever is closed and opened again, no byte is lost.
#[test]
fn few_handles_do_for_many_files() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    let mut dirs: Vec<_> = (0..4).map(|n| dir(&mut files, &format!("t-{n}"))).collect();
    let mut model: BTreeMap<(usize, &str), Vec<u8>> = BTreeMap::new();
    let mut random = fastrand::Rng::with_seed(11);
    for step in 0..2000 {
        let (n, file) =
            (random.usize(..4), *random.choice(&["a.log", "a.index", "b.log"]).unwrap());
        let known = model.entry((n, file)).or_default();
        match random.u8(..10) {
            0 => {
                let len = random.usize(..=known.len());
                known.truncate(len);
                dirs[n].truncate(file, len as u64).unwrap();
            }
            1 => {
                known.clear();
                dirs[n].remove(file).unwrap();
            }
            2 => files.sync(&format!("t-{n}")).unwrap(),
            3..6 => {
                let mut bytes = vec![0; known.len() + 1];
                let read = dirs[n].read_at(file, 0, &mut bytes).unwrap();
                assert_eq!(&bytes[..read], &known[..], "step {step}, t-{n}/{file}");
            }
            _ => {
                let bytes = vec![step as u8; random.usize(1..700)];
                known.extend_from_slice(&bytes);
                dirs[n].append(file, &bytes).unwrap();
            }
        }
    }
    drop(dirs);
    for ((n, file), bytes) in model {
        let path = root.path().join(format!("t-{n}/{file}"));
        assert_eq!(fs::read(path).unwrap_or_default(), bytes, "t-{n}/{file}");
    }
}

#[test]
fn a_file_that_is_being_read_outlives_its_name() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    dir(&mut files, "orders-0").append("00000000000000000000.log", b"records").unwrap();
    let file = files.segment("orders-0", 0).unwrap();

    let aside = files.set_aside("orders-0", "-delete").unwrap();
    files.run(Job::Remove { dir: aside }).unwrap();

    assert_eq!(files.dirs().unwrap(), Vec::<String>::new());
    assert_eq!(io::read_to_string(&*file).unwrap(), "records");
}

/// Appended to after its last sync, renamed, swept: an index that compaction has made needless.
#[test]
fn what_was_swept_away_is_not_synced() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    let name = "00000000000000000150.timeindex";
    dir(&mut files, "orders-0").append(name, b"an entry....").unwrap();
    files.rename("orders-0", name, &format!("{name}.deleted")).unwrap();

    files.run(Job::Sweep { dir: "orders-0".into() }).unwrap();
    assert_eq!(fs::read_dir(root.path().join("orders-0")).unwrap().count(), 0);

    files.run(Job::Sync { dir: "orders-0".into(), to: 300 }).unwrap();
    files.sync("orders-0").unwrap();
}

#[test]
fn two_topics_of_the_same_name_are_set_aside_side_by_side() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    let longest = format!("{}-0", "t".repeat(249));
    for _ in 0..2 {
        dir(&mut files, &longest).append("a.log", b"x").unwrap();
        files.set_aside(&longest, "-delete").unwrap();
    }
    assert_eq!(files.dirs().unwrap().len(), 2);
}

#[test]
fn a_checkpoint_is_replaced_as_a_whole() {
    let root = tempfile::TempDir::new().unwrap();
    let mut files = open(root.path());
    assert_eq!(files.text("checkpoint").unwrap(), None);
    for text in ["one", "two"] {
        files.checkpoint("checkpoint", text).unwrap();
        assert_eq!(files.text("checkpoint").unwrap().as_deref(), Some(text));
    }
    assert!(!root.path().join("checkpoint.tmp").exists());
}

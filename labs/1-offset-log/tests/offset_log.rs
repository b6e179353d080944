//! Lab 1's tests, step by step. Run those of one step with `cargo test -p offset-log step_1`.
//!
//! In each step small asserts come first, then a transcript, then histories that chance wrote (`support/history.rs`).

use std::fmt::Debug;
use std::fs;
use std::process::ExitCode;

use grader::{Lab, Works, check, check_transcript};
use offset_log::{Appended, Batch, Config, Dir, Error, FsDir, MemDir, OffsetLog, Slice, log_file};
use support::batches::{batch, header_only, placed};
use support::history::{Level, histories};
use support::parity;
use support::transcript::{offsets_in, transcript};

#[path = "../../grader.rs"]
mod grader;

mod support {
    pub mod batches;
    pub mod history;
    pub mod model;
    pub mod parity;
    pub mod transcript;

    /// A folder of one's own that does not exist yet.
    pub fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("offset-log-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder); // left by a process that had the same number
        folder
    }
}

const LAB: Lab = Lab {
    package: "offset-log",
    folder: "labs/1-offset-log",
    readme: include_str!("../README.md"),
    rules: include_str!("../rules.md"),
};

fn main() -> ExitCode {
    grader::run(
        LAB,
        tests![
            step_1_the_first_batch_gets_offset_0,
            step_1_the_next_batch_goes_on_where_the_last_one_ended,
            step_1_only_offset_and_leader_epoch_are_set,
            step_1_what_is_no_batch_is_refused,
            step_1_a_full_disk_leaves_the_log_as_it_was,
            step_1_transcript,
            step_2_a_read_begins_with_the_batch_that_holds_the_offset,
            step_2_at_the_log_end_there_is_nothing_yet,
            step_2_outside_the_log_is_an_error_that_says_the_range,
            step_2_as_many_whole_batches_as_fit_but_at_least_one,
            step_2_nothing_at_or_past_the_high_watermark,
            step_2_offsets_may_have_gaps,
            step_2_damage_is_an_error_not_an_answer,
            step_2_a_clean_stop_loses_nothing,
            step_2_the_same_in_the_file_system,
            step_2_transcript,
            step_2_any_history,
            step_3_a_batch_that_does_not_fit_begins_a_segment,
            step_3_a_read_finds_the_segment,
            step_3_a_read_goes_on_in_the_next_segment,
            step_3_a_segment_also_ends_by_time,
            step_3_a_roll_on_a_full_disk_leaves_the_log_as_it_was,
            step_3_both_ends_move,
            step_3_new_settings_count_from_the_next_append,
            step_3_transcript,
            step_3_any_history,
            step_4_an_entry_is_eight_bytes,
            step_4_the_defaults_are_kafkas,
            step_4_a_search_begins_near_its_offset,
            step_4_an_entry_for_the_very_offset_is_followed,
            step_4_an_entry_that_lies_is_found_out,
            step_4_a_full_disk_takes_the_entry_back,
            step_4_times_are_found,
            step_4_index_files_are_those_that_kafka_wrote,
            step_4_transcript,
            step_4_any_history,
            step_5_old_segments_go,
            step_5_the_newest_record_counts,
            step_5_segments_go_by_size,
            step_5_the_first_that_must_stay_keeps_the_rest,
            step_5_the_high_watermark_holds_them,
            step_5_even_the_active_segment_grows_old,
            step_5_an_empty_segment_stays,
            step_5_the_deadline_says_when,
            step_5_new_settings_count_from_the_next_tick,
            step_5_transcript,
            step_5_any_history,
            step_6_a_clean_log_opens_as_it_was,
            step_6_every_cut_of_the_last_batch,
            step_6_every_flipped_byte_of_the_last_batches,
            step_6_nothing_after_the_damage,
            step_6_indexes_are_written_anew,
            step_6_an_entry_that_lies_is_found_out,
            step_6_what_was_synced_is_not_read_again,
            step_6_files_of_others_are_left_alone,
            step_6_the_same_in_the_file_system,
            step_6_kafkas_directories_open,
            step_6_what_a_killed_kafka_leaves,
            step_6_transcript,
            step_6_any_history,
        ],
    )
}

// What the tests share.

/// A log in memory with settings that keep later steps asleep, unless changed.
fn log_in(dir: &MemDir, config: Config) -> OffsetLog {
    open(dir, config, 0).0
}

#[track_caller]
fn open(dir: &MemDir, config: Config, trusted_to: u64) -> (OffsetLog, offset_log::Recovery) {
    OffsetLog::open(Box::new(dir.clone()), config, trusted_to).works("R1.16: opening")
}

/// Appends batches of one record each, `bytes` long, at times 0, 1, 2, …
fn fill(log: &mut OffsetLog, count: u64, bytes: usize) {
    for _ in 0..count {
        let now_ms = log.log_end();
        log.append(now_ms, 0, &mut batch(1, bytes, now_ms as i64)).works("R1.1: an append");
    }
}

/// An append of a good batch; if the log refuses it, then because of what was written into its header.
#[track_caller]
fn append(log: &mut OffsetLog, leader_epoch: i32, mut batch: Vec<u8>) -> Appended {
    match log.append(0, leader_epoch, &mut batch) {
        Ok(appended) => appended,
        Err(error @ Error::NotABatch { expected, got, .. }) => {
            let (why, expected) = if got == expected.swap_bytes() {
                (
                    "it looks like these bytes in the other order: big-endian has the highest first",
                    expected,
                )
            } else {
                ("a byte was changed that the log does not set", 0)
            };
            let expected =
                if expected == 0 { "no error".to_owned() } else { format!("{expected}") };
            panic!(
                "R1.2: an append of a good batch is refused; {why}\n  expected: {expected}\n  got:      {error}"
            )
        }
        Err(error) => panic!("R1.1: an append fails\n  expected: no error\n  got:      {error}"),
    }
}

/// Wants a call to be refused by the disk.
#[track_caller]
fn check_disk_full<T: Debug>(what: &str, result: Result<T, Error>) {
    let got = match result {
        Err(Error::Io(_)) => return,
        Err(other) => format!("another error: {other}"),
        Ok(value) => format!("no error: {value:?}"),
    };
    panic!("R1.3: {what}\n  expected: the error of the full disk, passed on\n  got:      {got}");
}

const FIRST: &str = "00000000000000000000.log";

fn bounds(log: &OffsetLog) -> (u64, u64) {
    (log.log_start(), log.log_end())
}

fn bases(log: &OffsetLog) -> Vec<u64> {
    log.segments().iter().map(|segment| segment.base).collect()
}

/// Reads without limits and says the batches' offsets.
fn read(log: &OffsetLog, dir: &MemDir, offset: u64) -> Vec<(u64, u64)> {
    offsets_in(dir, log.read(offset, log.log_end(), u32::MAX).works("R1.4: a read"))
}

// Step 1: append gives the next offset.

fn step_1_the_first_batch_gets_offset_0() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    let appended = append(&mut log, 0, batch(3, 0, 0));
    let (bytes, expected) = (dir.bytes(FIRST).len(), batch(3, 0, 0).len());
    check("R1.1", "bytes in the file; self.write brings them there", bytes, expected);
    check("R1.1", "the first of 3 records", appended.first, 0);
    check("R1.1", "the last of 3 records", appended.last, 2);
    check("R1.1", "the log end offset after 3 records", log.log_end(), 3);
    check("R1.8", "the segment that was sealed", appended.sealed, None);
}

fn step_1_the_next_batch_goes_on_where_the_last_one_ended() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    let mut next = 0;
    for records in [3, 1, 7, 2] {
        let appended = append(&mut log, 0, batch(records, 0, 0));
        check("R1.1", format!("the first of {records} records"), appended.first, next);
        next += u64::from(records);
        check("R1.1", format!("the last of {records} records"), appended.last, next - 1);
        check("R1.1", "the log end offset", log.log_end(), next);
    }
    let all: usize = [3, 1, 7, 2].map(|records| batch(records, 0, 0).len()).iter().sum();
    check("R1.1", "bytes in the file", dir.bytes(FIRST).len(), all);
    let second = &dir.bytes(FIRST)[batch(3, 0, 0).len()..];
    check("R1.2", "bytes 0 to 7 of the second batch", &second[..8], &[0, 0, 0, 0, 0, 0, 0, 3]);
}

fn step_1_only_offset_and_leader_epoch_are_set() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    let (first, second) = (batch(2, 90, 1_000), batch(1, 120, 2_000));
    append(&mut log, 5, first.clone());
    append(&mut log, 6, second.clone());
    let bytes = dir.bytes(FIRST);
    check("R1.2", "bytes in the file", bytes.len(), first.len() + second.len());
    let (one, two) = bytes.split_at(first.len());
    check("R1.1", "bytes 0 to 7 of the second batch", &two[0..8], &[0, 0, 0, 0, 0, 0, 0, 2]);
    check(
        "R1.2",
        "bytes 12 to 15 of the first batch, the highest first",
        &one[12..16],
        &[0, 0, 0, 5],
    );
    check(
        "R1.2",
        "bytes 12 to 15 of the second batch, the highest first",
        &two[12..16],
        &[0, 0, 0, 6],
    );
    check("R1.2", "the first batch as a whole", one, &placed(first, 0, 5)[..]);
    check("R1.2", "the second batch as a whole", two, &placed(second, 2, 6)[..]);
}

fn step_1_what_is_no_batch_is_refused() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    log.append(0, 0, &mut batch(2, 0, 0)).works("R1.1: an append");
    let before = dir.files();
    let good = batch(1, 0, 0);
    let mut old = good.clone();
    old[16] = 1;
    let mut two = good.clone();
    two.extend(&good);
    for (what, mut bytes) in [
        ("no bytes", Vec::new()),
        ("half a header", good[..30].to_vec()),
        ("a batch without its end", good[..good.len() - 1].to_vec()),
        ("magic 1", old),
        ("two batches", two),
    ] {
        let result = log.append(0, 0, &mut bytes);
        let got = match result {
            Err(Error::NotABatch { .. }) => "refused",
            Err(_) => "another error than NotABatch",
            Ok(_) => "taken",
        };
        check("R1.3", format!("an append of what is no batch: {what}"), got, "refused");
        check("R1.3", format!("the log end offset after {what}"), log.log_end(), 2);
        check("R1.3", format!("the files after {what}"), dir.files() == before, true);
    }
}

fn step_1_a_full_disk_leaves_the_log_as_it_was() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    log.append(0, 0, &mut batch(2, 100, 0)).works("R1.1: an append");
    let before = dir.files();
    dir.set_space(Some(99));
    let result = log.append(0, 0, &mut batch(2, 100, 0));
    check_disk_full("an append of 100 bytes with space for 99", result);
    check("R1.3", "the log end offset after it", log.log_end(), 2);
    check("R1.3", "the files after it", dir.files() == before, true);
    dir.set_space(None);
    let appended =
        log.append(0, 0, &mut batch(2, 100, 0)).works("R1.3: an append when there is space again");
    check("R1.3", "the offset of the batch that came after it", appended.first, 2);
}

fn step_1_transcript() {
    let script = "
        # Three producers' batches, one behind the other in one file.
        open
        append 3
        append 1
        append 5 bytes=200
        files";
    check_transcript(&LAB, "append", &transcript(script));
}

// Step 2: read from an offset.

/// A log of three batches, 100 bytes each: offsets 0 to 2, 3, and 4 to 8.
fn three_batches(dir: &MemDir) -> OffsetLog {
    let mut log = log_in(dir, Config::default());
    for records in [3, 1, 5] {
        log.append(0, 0, &mut batch(records, 110, 0)).works("R1.1: an append");
    }
    log
}

fn step_2_a_read_begins_with_the_batch_that_holds_the_offset() {
    let dir = MemDir::new();
    let log = three_batches(&dir);
    for (offset, first, position) in
        [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 3, 110), (4, 4, 220), (6, 4, 220), (8, 4, 220)]
    {
        let slice = log.read(offset, 9, 110).works("R1.4: a read");
        let expected = Slice { segment: 0, position, len: 110, first };
        check("R1.4", format!("one batch, read from offset {offset}"), slice, expected);
    }
}

fn step_2_at_the_log_end_there_is_nothing_yet() {
    let dir = MemDir::new();
    let empty = log_in(&dir, Config::default());
    let slice = empty.read(0, 0, 1000).works("R1.5: a read at the end of an empty log");
    check("R1.5", "bytes at the end of an empty log", slice.len, 0);
    let log = three_batches(&dir);
    let slice = log.read(9, 9, 1000).works("R1.5: a read at the log end");
    check("R1.5", "bytes at the log end", slice.len, 0);
}

fn step_2_outside_the_log_is_an_error_that_says_the_range() {
    let dir = MemDir::new();
    let mut log = three_batches(&dir);
    log.delete_before(3).works("R1.13: moving the start");
    for offset in [0, 2, 10, u64::MAX] {
        let result = log.read(offset, 9, 1000);
        let expected =
            format!("offset {offset} is outside the log, which starts at 3 and ends at 9");
        let got = result.map_or_else(|error| error.to_string(), |slice| format!("{slice:?}"));
        check("R1.5", format!("a read from offset {offset}"), got, expected);
    }
    check("R1.5", "the first batch at the new start", read(&log, &dir, 3)[0], (3, 3));
}

fn step_2_as_many_whole_batches_as_fit_but_at_least_one() {
    let dir = MemDir::new();
    let log = three_batches(&dir);
    for (max_bytes, len) in [
        (0, 110),
        (1, 110),
        (110, 110),
        (219, 110),
        (220, 220),
        (221, 220),
        (330, 330),
        (1 << 20, 330),
        (u32::MAX, 330),
    ] {
        let slice = log.read(1, 9, max_bytes).works("R1.4: a read");
        check("R1.6", format!("bytes found with max_bytes {max_bytes}"), slice.len, len);
        check("R1.6", "the position", slice.position, 0);
    }
    // A large batch between two small ones: what does not fit ends the read, it is not stepped over.
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    for bytes in [100, 300, 100] {
        log.append(0, 0, &mut batch(1, bytes, 0)).works("R1.1: an append");
    }
    let slice = log.read(0, 3, 250).works("R1.4: a read");
    let what = "bytes found with max_bytes 250 in batches of 100, 300 and 100: the second does not fit, so the read ends before it";
    check("R1.6", what, slice.len, 100);
}

fn step_2_nothing_at_or_past_the_high_watermark() {
    let dir = MemDir::new();
    let log = three_batches(&dir);
    for (below, expected) in [
        (0, vec![]),
        (2, vec![]),
        (3, vec![(0, 2)]),
        (4, vec![(0, 2), (3, 3)]),
        (8, vec![(0, 2), (3, 3)]),
        (9, vec![(0, 2), (3, 3), (4, 8)]),
        (100, vec![(0, 2), (3, 3), (4, 8)]),
    ] {
        let slice = log.read(0, below, 1000).works("R1.4: a read");
        check("R1.7", format!("batches below {below}"), offsets_in(&dir, slice), expected);
    }
    let slice = log.read(5, 4, 1000).works("R1.7: a read past the high watermark");
    check("R1.7", "bytes read from offset 5 with the high watermark at 4", slice.len, 0);
}

fn step_2_offsets_may_have_gaps() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config::default());
    let mut bytes = placed(batch(2, 0, 0), 5, 1);
    bytes.extend(placed(batch(3, 0, 0), 20, 1));
    let appended =
        log.append_fetched(0, &bytes).works("R1.4: an append of fetched batches with gaps");
    check("R1.1", "first and last", (appended.first, appended.last), (5, 22));
    check("R1.1", "the log end offset", log.log_end(), 23);
    check("R1.2", "the file", dir.bytes(FIRST) == bytes, true);
    for (offset, first) in [(0, 5), (5, 5), (6, 5), (7, 20), (19, 20), (22, 20)] {
        let slice = log.read(offset, 23, 1).works("R1.4: a read");
        check("R1.4", format!("the batch found for offset {offset}"), slice.first, first);
    }
    let again = log.append_fetched(0, &placed(batch(1, 0, 0), 22, 1)).expect_err("22 is taken");
    let expected = "batches out of order: expected an offset of at least 23, got 22";
    check(
        "R1.3",
        "a fetched batch with an offset that is taken",
        again.to_string(),
        expected.into(),
    );
    let appended = log.append(0, 2, &mut batch(1, 0, 0)).works("R1.1: an append");
    check("R1.1", "the offset after fetched batches", appended.first, 23);
}

fn step_2_damage_is_an_error_not_an_answer() {
    let dir = MemDir::new();
    let log = three_batches(&dir);
    dir.flip(FIRST, 110 + 16, 0x40); // the second batch's magic
    let error = log.read(8, 9, 1000).expect_err("the way leads over a damaged header").to_string();
    let expected = format!(
        "{FIRST} is damaged at byte 110: not a record batch: the magic byte must be 2 and is 66"
    );
    check("R1.4", "a read over a damaged header", error, expected);
}

fn step_2_a_clean_stop_loses_nothing() {
    let dir = MemDir::new();
    three_batches(&dir);
    // All nine were synced before the stop: there is nothing to recover.
    let (mut log, recovery) = open(&dir, Config::default(), 9);
    check("R1.16", "batches checked after a clean stop", recovery.checked, 0);
    check("R1.16", "start and end after a clean stop", bounds(&log), (0, 9));
    check("R1.4", "batches after a clean stop", read(&log, &dir, 0), vec![(0, 2), (3, 3), (4, 8)]);
    let appended = append(&mut log, 0, batch(1, 110, 0));
    check("R1.1", "the next offset after a clean stop", appended.first, 9);
}

fn step_2_the_same_in_the_file_system() {
    let folder = support::folder("step_2");
    let open = || OffsetLog::open(Box::new(FsDir::new(&folder)), Config::default(), 0);
    let (mut log, _) = open().works("R1.16: opening");
    check("R1.1", "no folder before the first append", folder.exists(), false);
    for _ in 0..3 {
        log.append(0, 0, &mut batch(2, 100, 0)).works("R1.1: an append");
    }
    let slice = log.read(2, 6, 1000).works("R1.4: a read");
    check("R1.4", "the slice", slice, Slice { segment: 0, position: 100, len: 200, first: 2 });
    check("R1.2", "bytes in the file", fs::read(folder.join(FIRST)).expect("a file").len(), 300);
    fs::remove_dir_all(&folder).expect("the folder goes");
}

fn step_2_transcript() {
    let script = "
        # Three batches; a consumer may ask for any offset in them.
        open
        append 3 bytes=100
        append 2 bytes=100
        append 1 bytes=100
        read 0
        read 1 max=100
        read 4
        # A small limit still gives one whole batch.
        read 3 max=10
        # The high watermark is 5: offset 5 is not given out yet.
        read 3 below=5
        read 5 below=5
        # The end is not an error; what is past it is.
        read 6
        read 7
        # What a follower has fetched keeps its offsets, and may have gaps: two records from 10 on.
        fetched 10+2
        read 6";
    check_transcript(&LAB, "read", &transcript(script));
}

fn step_2_any_history() {
    histories(Level::OneSegment);
}

// Step 3: segments.

fn small_segments() -> Config {
    Config { segment_bytes: 300, ..Config::default() }
}

fn step_3_a_batch_that_does_not_fit_begins_a_segment() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 3, 100);
    check("R1.8", "segments of 300 bytes after 3 batches of 100", bases(&log), vec![0]);
    let appended = log.append(0, 0, &mut batch(2, 100, 0)).works("R1.1: an append");
    check("R1.8", "the segment that the fourth batch sealed", appended.sealed, Some(0));
    let times = dir.bytes("00000000000000000000.timeindex");
    let newest = vec![0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2]; // time 2, offset 2
    check("R1.8", "the time index of the sealed segment; self.seal() ends it", times, newest);
    check("R1.8", "segments after the fourth batch", bases(&log), vec![0, 3]);
    check("R1.8", "bytes in the new segment's file", dir.bytes(&log_file(3)).len(), 100);
    let appended = log.append(0, 0, &mut batch(2, 100, 0)).works("R1.1: an append");
    check("R1.8", "the segment that the fifth batch sealed", appended.sealed, None);
    let appended = log.append(0, 0, &mut batch(1, 500, 0)).works("R1.1: an append");
    check("R1.8", "the segment that a batch of 500 bytes sealed", appended.sealed, Some(3));
    check("R1.8", "segments after a batch of 500 bytes", bases(&log), vec![0, 3, 7]);
    let files: Vec<_> = dir.files().into_keys().collect();
    let mut expected = Vec::new();
    for base in ["00000000000000000000", "00000000000000000003", "00000000000000000007"] {
        expected.extend(["index", "log", "timeindex"].map(|end| format!("{base}.{end}")));
    }
    check("R1.8", "files; roll makes all three of a segment", files, expected);
}

fn step_3_a_read_finds_the_segment() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 10, 100);
    check("R1.8", "segments", bases(&log), vec![0, 3, 6, 9]);
    for offset in 0..10 {
        let (segment, position) = (offset / 3 * 3, offset % 3 * 100);
        let earlier = |base: &u64| *base < segment;
        let read_before_it = || {
            let bases = bases(&log).into_iter().filter(earlier);
            bases.map(|base| dir.bytes_read(&log_file(base))).sum::<u64>()
        };
        let before = read_before_it();
        let slice = log.read(offset, 10, 1).works("R1.4: a read");
        let expected = Slice { segment, position, len: 100, first: offset };
        check("R1.9", format!("one batch, read from offset {offset}"), slice, expected);
        let bytes = read_before_it() - before;
        check("R1.9", format!("bytes read from earlier segments for offset {offset}"), bytes, 0);
    }
    let slice = log.read(4, 10, 1000).works("R1.4: a read");
    let expected = Slice { segment: 3, position: 100, len: 200, first: 4 };
    let what = "a read ends with its segment (that is src/read.rs, step 2)";
    check("R1.6", what, slice, expected);
}

fn step_3_a_read_goes_on_in_the_next_segment() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 3, 100);
    log.append_fetched(0, &placed(batch(2, 100, 0), 50, 0)).works("R1.1: an append");
    check("R1.8", "the second segment begins with the batch in it", bases(&log), vec![0, 50]);
    for offset in [3, 20, 49, 50, 51] {
        let slice = log.read(offset, 52, 1000).works("R1.4: a read");
        let expected = Slice { segment: 50, position: 0, len: 100, first: 50 };
        check(
            "R1.9",
            format!("a read from offset {offset}, in the gap or behind it"),
            slice,
            expected,
        );
    }
    let slice = log.read(3, 50, 1000).works("R1.4: a read");
    check("R1.7", "bytes below 50", slice.len, 0);
}

fn step_3_a_segment_also_ends_by_time() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config { segment_ms: 1000, ..Config::default() });
    for (time_ms, segments) in [
        (5_000, vec![0]),
        (6_000, vec![0]),
        (4_000, vec![0]),
        (6_001, vec![0, 3]),
        (7_001, vec![0, 3]),
        (9_000, vec![0, 3, 5]),
    ] {
        log.append(0, 0, &mut batch(1, 0, time_ms)).works("R1.1: an append");
        check("R1.8", format!("segments after a record of {time_ms}"), bases(&log), segments);
    }
}

fn step_3_a_roll_on_a_full_disk_leaves_the_log_as_it_was() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 3, 100);
    let before = dir.files();
    for space in [0, 11, 12, 50, 99, 111] {
        dir.set_space(Some(space));
        let result = log.append(3, 0, &mut batch(1, 100, 3));
        let what = "an append that rolls: 12 bytes to seal, 100 for the batch";
        check_disk_full(&format!("{what}; with {space} bytes of space"), result);
        check("R1.3", "segments after it", bases(&log), vec![0]);
        check("R1.3", "the files after it", dir.files() == before, true);
        check("R1.3", "the log end offset after it", log.log_end(), 3);
        check("R1.3", "batches after it", read(&log, &dir, 0), vec![(0, 0), (1, 1), (2, 2)]);
    }
    dir.set_space(None);
    fill(&mut log, 4, 100);
    check("R1.3", "segments when there is space again", bases(&log), vec![0, 3, 6]);
    check("R1.3", "batches in the second", read(&log, &dir, 3), vec![(3, 3), (4, 4), (5, 5)]);
    // Several segments at once: all or nothing.
    let fetched: Vec<u8> = (7..15).flat_map(|base| placed(batch(1, 100, 7), base, 0)).collect();
    for space in [0, 150, 250, 450, 650, 800] {
        dir.set_space(Some(space));
        let result = log.append_fetched(7, &fetched);
        check_disk_full(&format!("an append of 800 fetched bytes with space for {space}"), result);
        check("R1.3", "segments after it", bases(&log), vec![0, 3, 6]);
        check("R1.3", "the log end offset after it", log.log_end(), 7);
    }
    dir.set_space(None);
    let appended =
        log.append_fetched(7, &fetched).works("R1.3: an append when there is space again");
    check("R1.8", "the segment that was sealed last", appended.sealed, Some(9));
    check("R1.8", "segments after fetched batches", bases(&log), vec![0, 3, 6, 9, 12]);
}

fn step_3_both_ends_move() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 10, 100);
    log.truncate(7).works("R1.9: a truncation");
    check("R1.9", "segments after truncate(7)", bases(&log), vec![0, 3, 6]);
    check("R1.1", "the log end offset after truncate(7)", log.log_end(), 7);
    check("R1.4", "batches left in the last segment", read(&log, &dir, 6), vec![(6, 6)]);
    fill(&mut log, 1, 100);
    check("R1.1", "the log goes on", read(&log, &dir, 6), vec![(6, 6), (7, 7)]);
    log.delete_before(4).works("R1.13: moving the start");
    check("R1.13", "segments after delete_before(4)", bases(&log), vec![3, 6]);
    check("R1.13", "start and end", bounds(&log), (4, 8));
    check("R1.4", "batches at the start", read(&log, &dir, 4), vec![(4, 4), (5, 5)]);
    let error = log.truncate(3).expect_err("3 is gone").to_string();
    let expected = "offset 3 is outside the log, which starts at 4 and ends at 8";
    check("R1.5", "a truncation before the start", error, expected.to_owned());
    let error = log.delete_before(9).expect_err("9 is not there yet").to_string();
    let expected = "offset 9 is outside the log, which starts at 4 and ends at 8";
    check("R1.5", "a start past the end", error, expected.to_owned());
    log.truncate(4).works("R1.9: a truncation to the start");
    check("R1.1", "start and end of the empty log", bounds(&log), (4, 4));
    fill(&mut log, 1, 100);
    check("R1.1", "the offset after that", read(&log, &dir, 4), vec![(4, 4)]);

    // A batch that reaches over the cut goes as a whole.
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    log.append(0, 0, &mut batch(3, 0, 0)).works("R1.1: an append");
    log.append(0, 0, &mut batch(3, 0, 0)).works("R1.1: an append");
    log.truncate(4).works("R1.9: a truncation");
    check("R1.1", "the log end offset after truncate(4)", log.log_end(), 3);
    log.delete_before(2).works("R1.13: moving the start");
    log.truncate(2).works("R1.9: a truncation");
    check("R1.1", "start and end when the first batch goes too", bounds(&log), (2, 2));
    let appended = log.append(0, 0, &mut batch(1, 0, 0)).works("R1.1: an append");
    check("R1.1", "the offset after that", appended.first, 2);
    check("R1.4", "batches", read(&log, &dir, 2), vec![(2, 2)]);

    // A start that is remembered, past the end of what a power loss has left.
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 7, 100);
    log.begin_at(4).works("R1.13: a start within the log");
    check("R1.13", "start and end", bounds(&log), (4, 7));
    check("R1.13", "segments", bases(&log), vec![3, 6]);
    log.begin_at(20).works("R1.13: a start past the end");
    check("R1.13", "start and end of what begins anew", bounds(&log), (20, 20));
    check("R1.13", "segments", bases(&log), vec![20]);
    let files: Vec<_> = dir.files().into_keys().filter(|name| name.ends_with(".log")).collect();
    check("R1.13", "files left", files, vec![log_file(20)]);
    fill(&mut log, 1, 100);
    check("R1.4", "batches", read(&log, &dir, 20), vec![(20, 20)]);
}

fn step_3_new_settings_count_from_the_next_append() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, small_segments());
    fill(&mut log, 2, 100);
    log.configure(Config { segment_bytes: 250, ..Config::default() });
    check("R1.8", "segments right after segment.bytes was lowered", bases(&log), vec![0]);
    let appended = log.append(0, 0, &mut batch(1, 100, 2)).works("R1.1: an append");
    check("R1.8", "the segment that the next append sealed", appended.sealed, Some(0));
    log.configure(Config { segment_bytes: 1000, ..Config::default() });
    fill(&mut log, 9, 100);
    check("R1.8", "segments after segment.bytes was raised", bases(&log), vec![0, 2]);
    log.configure(Config { segment_ms: 5, ..Config::default() });
    let appended = log.append(0, 0, &mut batch(1, 100, 8)).works("R1.1: an append");
    check("R1.8", "the segment sealed, 6 ms after its first batch", appended.sealed, Some(2));
    check("R1.4", "what was written before is read as before", read(&log, &dir, 1).len(), 1);
}

fn step_3_transcript() {
    let script = "
        open segment.bytes=300
        append 1 bytes=100
        append 2 bytes=100
        append 1 bytes=100
        # The fourth would make the file 400 bytes long.
        append 2 bytes=100
        append 1 bytes=250
        files
        read 3
        read 4
        read 6
        # `truncate`: a leader knows better what offset 5 is. Its batch goes as a whole, from 4 on.
        truncate 5
        read 4
        append 1 bytes=100
        # `delete-before`: a user deletes records, and the start moves.
        delete-before 4
        read 3
        files";
    check_transcript(&LAB, "segments", &transcript(script));
}

fn step_3_any_history() {
    histories(Level::Segments);
}

// Step 4: the sparse index.

fn indexed() -> Config {
    Config { index_interval_bytes: 150, ..Config::default() }
}

const INDEX: &str = "00000000000000000000.index";

fn step_4_an_entry_is_eight_bytes() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config { segment_bytes: 1000, ..indexed() });
    for _ in 0..3 {
        log.append(0, 0, &mut batch(3, 100, 0)).works("R1.1: an append");
    }
    // 0 and 100 are too near to the front; 200 bytes have passed before the third.
    check(
        "R1.10",
        "the index after three batches",
        dir.bytes(INDEX),
        vec![0, 0, 0, 8, 0, 0, 0, 200],
    );
    for _ in 0..8 {
        log.append(0, 0, &mut batch(3, 100, 0)).works("R1.1: an append");
    }
    let entries =
        [[0, 0, 0, 8, 0, 0, 0, 200], [0, 0, 0, 14, 0, 0, 1, 144], [0, 0, 0, 20, 0, 0, 2, 88]];
    let entries = [&entries[..], &[[0, 0, 0, 26, 0, 0, 3, 32]]].concat();
    check("R1.10", "the index of the full segment", dir.bytes(INDEX), entries.concat());
    // The second segment begins at 30, and its entries count from there.
    for _ in 0..2 {
        log.append(0, 0, &mut batch(3, 100, 0)).works("R1.1: an append");
    }
    let second = dir.bytes("00000000000000000030.index");
    check("R1.10", "the index of the second segment", second, vec![0, 0, 0, 8, 0, 0, 0, 200]);
}

fn step_4_the_defaults_are_kafkas() {
    let config = Config::default();
    check("R1.11", "index.interval.bytes", config.index_interval_bytes, 4096);
    check("R1.8", "segment.bytes", config.segment_bytes, 1_073_741_824);
    check("R1.8", "segment.ms", config.segment_ms, 604_800_000);
    check("R1.14", "retention.ms", config.retention_ms, Some(604_800_000));
    check("R1.14", "retention.bytes", config.retention_bytes, None);
    let dir = MemDir::new();
    let mut log = log_in(&dir, config);
    fill(&mut log, 100, 1024);
    // Every fifth batch: 4 × 1024 is not more than 4096.
    check("R1.11", "entries for 100 batches of 1 KiB", dir.bytes(INDEX).len() / 8, 19);
}

fn step_4_a_search_begins_near_its_offset() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config { segment_bytes: 1 << 20, ..Config::default() });
    fill(&mut log, 1500, 1000);
    check("R1.8", "segments", bases(&log), vec![0, 1048]);
    for offset in [700, 701, 702, 703, 704, 705, 1047, 1400, 1499] {
        let (segment, name) =
            if offset < 1048 { (0, FIRST.to_owned()) } else { (1048, log_file(1048)) };
        let before = dir.bytes_read(&name);
        let slice = log.read(offset, 1500, 1).works("R1.4: a read");
        let read = dir.bytes_read(&name) - before;
        let position = (offset - segment) * 1000;
        check("R1.11", "the slice", slice, Slice { segment, position, len: 1000, first: offset });
        let got = if read <= 64 << 10 { "few" } else { "many" };
        let what = format!(
            "the search for {offset} begins near it: bytes of log that it looks at; it took {read}"
        );
        check("R1.11", what, got, "few");
    }
}

fn step_4_an_entry_for_the_very_offset_is_followed() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config { index_interval_bytes: 20_000, ..Config::default() });
    fill(&mut log, 10, 10_000);
    check("R1.10", "entries, for offsets 3, 6 and 9", dir.bytes(INDEX).len() / 8, 3);
    for offset in [3, 6, 9] {
        let before = dir.bytes_read(FIRST);
        log.read(offset, 10, 1).works("R1.4: a read");
        let read = dir.bytes_read(FIRST) - before;
        let what = format!(
            "the search for {offset} begins at the entry for {offset} itself: bytes of log that it looks at, of 10000 a batch; it took {read}"
        );
        check("R1.11", what, if read <= 20_000 { "few" } else { "many" }, "few");
    }
}

fn step_4_an_entry_that_lies_is_found_out() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config { segment_bytes: 2000, ..indexed() });
    fill(&mut log, 25, 100);
    let good = dir.bytes(INDEX);
    lie(&dir);
    check_all_found(&log, 25);
    check("R1.12", "a lie is mended soon: the deadline", log.deadline(), Some(0));
    log.tick(0, 25).works("R1.13: a tick");
    check("R1.12", "the index after a tick", dir.bytes(INDEX), good);
    check_all_found(&log, 25);
}

/// Makes entries lead to no batch, to another one, behind the end, nowhere.
fn lie(dir: &MemDir) {
    for (n, byte, mask) in [(2, 7, 1), (3, 6, 1), (4, 4, 0x80), (5, 3, 1), (8, 3, 0xff)] {
        dir.flip(INDEX, n * 8 + byte, mask);
    }
}

#[track_caller]
fn check_all_found(log: &OffsetLog, end: u64) {
    for offset in 0..end {
        let slice = log.read(offset, end, 1).works("R1.4: a read");
        check("R1.12", format!("the batch found for offset {offset}"), slice.first, offset);
    }
}

fn step_4_a_full_disk_takes_the_entry_back() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, indexed());
    fill(&mut log, 4, 100);
    let before = dir.files();
    for space in [0, 99, 100, 107, 108, 119] {
        dir.set_space(Some(space));
        let result = log.append(4, 0, &mut batch(1, 100, 4));
        let what = "an append of 100 bytes, with entries of 8 and 12";
        check_disk_full(&format!("{what}; with {space} bytes of space"), result);
        check("R1.3", format!("the files after it, {space}"), dir.files() == before, true);
        check("R1.3", "the log end offset after it", log.log_end(), 4);
    }
    dir.set_space(Some(120));
    fill(&mut log, 1, 100);
    check("R1.10", "entries", dir.bytes(INDEX).len(), 16);
}

fn step_4_times_are_found() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, Config { segment_bytes: 1000, ..indexed() });
    // Times that go up, with one batch that comes late and one far ahead.
    let times = [10, 20, 30, 25, 40, 50, 60, 90, 70, 80, 85, 95, 96, -1, 97];
    for time_ms in times {
        log.append(0, 0, &mut batch(1, 100, time_ms)).works("R1.1: an append");
    }
    for wanted in 0..100 {
        let expected = times.iter().position(|time| *time >= wanted).map(|first| first as u64);
        let found = log.find_time(wanted).works("R1.11: a lookup by time").map(|slice| slice.first);
        check("R1.11", format!("the first batch not older than {wanted}"), found, expected);
    }
    // What compaction leaves of a batch whose records are all replaced, and a record behind it.
    let end = log.log_end();
    log.append_fetched(0, &placed(header_only(98), end, 0)).works("an append of a header");
    log.append_fetched(0, &placed(batch(1, 100, 98), end + 1, 0)).works("an append behind it");
    let found = log.find_time(98).works("R1.11: a lookup by time").map(|slice| slice.first);
    check("R1.11", "the first batch not older than 98 that holds records", found, Some(end + 1));
    log.delete_before(3).works("R1.13: moving the start");
    let found = log.find_time(5).works("R1.11: a lookup by time").map(|slice| slice.first);
    check("R1.13", "the first batch not older than 5 that is not deleted", found, Some(3));
}

fn step_4_index_files_are_those_that_kafka_wrote() {
    // Compaction joins segments; an append cannot.
    for topic in parity::TOPICS.into_iter().filter(|topic| *topic != "compacted-0") {
        let kafka = parity::files(topic);
        let dir = MemDir::new();
        let mut log = log_in(&dir, parity::config());
        for (name, bytes) in kafka.iter().filter(|(name, _)| name.ends_with(".log")) {
            let mut rest = &bytes[..];
            while let Ok(header) = Batch::parse(rest) {
                let (batch, behind) = rest.split_at(header.size as usize);
                log.append_fetched(0, batch).unwrap_or_else(|e| panic!("{topic}/{name}: {e}"));
                rest = behind;
            }
        }
        let ours = dir.files();
        for (name, bytes) in parity::segments_only(&kafka) {
            let last =
                bases(&log).last().is_some_and(|base| name.starts_with(&format!("{base:020}")));
            // When Kafka stops it ends the active segment's time index as if it were sealed.
            let ours = ours.get(name).map_or(&[][..], Vec::as_slice);
            let same =
                ours == bytes || (last && name.ends_with(".timeindex") && bytes.starts_with(ours));
            let what = format!(
                "{topic}/{name} as Kafka 4.1.1 wrote it; ours is {ours:?}, Kafka's {bytes:?}"
            );
            check("R1.10", what, same, true);
        }
    }
}

fn step_4_transcript() {
    let script = "
        # An entry for about every 300 bytes.
        open index.interval.bytes=300 segment.bytes=1000
        @1000 append 2 bytes=200
        @2000 append 2 bytes=200
        @3000 append 2 bytes=200
        @4000 append 2 bytes=200
        @5000 append 2 bytes=200
        @6000 append 2 bytes=200
        @7000 append 2 bytes=200
        # Last offsets, relative to the segment's base; the first batch never gets an entry.
        index 0
        index 10
        read 5 max=200
        files
        time 2500
        time 7000
        time 7001";
    check_transcript(&LAB, "index", &transcript(script));
}

fn step_4_any_history() {
    histories(Level::Indexed);
}

// Step 5: retention.

/// Segments of three batches: offsets 0 to 2, 3 to 5, …; each record's time is 100 times its offset.
fn old_log(dir: &MemDir, records: u64, config: Config) -> OffsetLog {
    let mut log = log_in(dir, Config { segment_bytes: 300, ..config });
    for offset in 0..records {
        log.append(0, 0, &mut batch(1, 100, offset as i64 * 100)).works("R1.1: an append");
    }
    log
}

fn keep_ms(ms: u64) -> Config {
    Config { retention_ms: Some(ms), ..Config::default() }
}

fn keep_bytes(bytes: u64) -> Config {
    Config { retention_ms: None, retention_bytes: Some(bytes), ..Config::default() }
}

fn step_5_old_segments_go() {
    let dir = MemDir::new();
    let mut log = old_log(&dir, 10, keep_ms(1000));
    for (now_ms, removed, start) in [
        (0, vec![], 0),
        (1200, vec![], 0), // the newest record of segment 0 is of 200, so just 1000 old
        (1201, vec![0], 3),
        (1500, vec![], 3),
        (1801, vec![3, 6], 9),
    ] {
        let gone = log.tick(now_ms, 10).works("R1.13: a tick");
        check("R1.14", format!("segments removed at {now_ms}"), gone, removed);
        check("R1.13", format!("the log start at {now_ms}"), log.log_start(), start);
    }
    let files: Vec<_> = dir.files().into_keys().filter(|name| name.ends_with(".log")).collect();
    check("R1.13", "files left", files, vec![log_file(9)]);
    let error = log.read(8, 10, 1000).expect_err("8 is gone").to_string();
    let expected = "offset 8 is outside the log, which starts at 9 and ends at 10";
    check("R1.5", "a read of what is gone", error, expected.to_owned());

    let mut log = old_log(&MemDir::new(), 10, Config { retention_ms: None, ..Config::default() });
    check(
        "R1.14",
        "removed without limits",
        log.tick(u64::MAX / 2, 10).works("R1.13: a tick"),
        vec![],
    );
    check("R1.14", "the deadline without limits", log.deadline(), None);
    let mut log = log_in(&MemDir::new(), keep_ms(0));
    check(
        "R1.14",
        "removed from an empty log",
        log.tick(1 << 40, 0).works("R1.13: a tick"),
        vec![],
    );
}

fn step_5_the_newest_record_counts() {
    let mut log = old_log(&MemDir::new(), 10, keep_ms(1000));
    // Records of 0, 100, 200 in segment 0; of 300, 400, 500 in segment 3.
    let gone = log.tick(1400, 10).works("R1.13: a tick");
    let what = "removed at 1400, when segment 3's oldest record is 1100 old and its newest 900, \
                and 1000 is kept: the newest counts";
    check("R1.14", what, gone, vec![0]);
}

fn step_5_an_empty_segment_stays() {
    let dir = MemDir::new();
    old_log(&dir, 4, keep_bytes(0));
    // The last segment has begun, and has nothing yet.
    dir.put(&log_file(3), Vec::new());
    let (mut log, _) = open(&dir, Config { segment_bytes: 300, ..keep_bytes(0) }, 3);
    let gone = log.tick(0, 3).works("R1.13: a tick");
    check("R1.13", "removed to keep 0 bytes, when segment 3 is empty: it stays", gone, vec![0]);
    check("R1.13", "start and end", bounds(&log), (3, 3));
    check("R1.13", "segments", bases(&log), vec![3]);
}

fn step_5_segments_go_by_size() {
    for (limit, removed) in [
        (1000, vec![]),
        (999, vec![]),
        (701, vec![]),
        (700, vec![0]), // exactly 700 bytes are left without the first 300
        (401, vec![0]),
        (400, vec![0, 3]),
        (100, vec![0, 3, 6]),
        (1, vec![0, 3, 6]),
    ] {
        let mut log = old_log(&MemDir::new(), 10, keep_bytes(limit));
        let gone = log.tick(0, 10).works("R1.13: a tick");
        check("R1.14", format!("segments removed to keep {limit} of 1000 bytes"), gone, removed);
    }
}

fn step_5_the_first_that_must_stay_keeps_the_rest() {
    let mut log = log_in(&MemDir::new(), Config { segment_bytes: 100, ..keep_ms(1000) });
    for time_ms in [100, 5000, 200, 300] {
        log.append(0, 0, &mut batch(1, 100, time_ms)).works("R1.1: an append");
    }
    let gone = log.tick(2000, 4).works("R1.13: a tick");
    check("R1.13", "removed, when only the second segment is young", gone, vec![0]);
    check("R1.13", "start and end", bounds(&log), (1, 4));
}

fn step_5_the_high_watermark_holds_them() {
    for (watermark, removed) in
        [(0, vec![]), (2, vec![]), (3, vec![0]), (5, vec![0]), (6, vec![0, 3]), (9, vec![0, 3, 6])]
    {
        for config in [keep_ms(10), keep_bytes(1)] {
            let mut log = old_log(&MemDir::new(), 10, config);
            let gone = log.tick(1500, watermark).works("R1.13: a tick");
            let removed = removed.clone();
            check(
                "R1.15",
                format!("removed with the high watermark at {watermark}"),
                gone,
                removed,
            );
        }
    }
}

fn step_5_even_the_active_segment_grows_old() {
    let dir = MemDir::new();
    let mut log = old_log(&dir, 5, keep_ms(1000));
    let gone = log.tick(10_000, 5).works("R1.13: a tick");
    check("R1.14", "removed when all is old", gone, vec![0, 3]);
    check("R1.13", "start and end of the empty log", bounds(&log), (5, 5));
    check("R1.8", "the segment that is begun for what comes", bases(&log), vec![5]);
    check("R1.14", "removed once more", log.tick(20_000, 5).works("R1.13: a tick"), vec![]);
    check("R1.14", "the deadline of an empty log", log.deadline(), None);
    let appended = log.append(0, 0, &mut batch(1, 100, 20_000)).works("R1.1: an append");
    check("R1.1", "the next offset", appended.first, 5);
}

fn step_5_the_deadline_says_when() {
    let mut log = log_in(&MemDir::new(), keep_ms(1000));
    check("R1.14", "the deadline of an empty log", log.deadline(), None);
    fill(&mut log, 3, 0); // times 0, 1, 2
    check("R1.14", "the deadline", log.deadline(), Some(1003));
    check("R1.14", "removed too early", log.tick(1002, 3).works("R1.13: a tick"), vec![]);
    check("R1.14", "the deadline after that", log.deadline(), Some(1003));
    // What the watermark holds is tried again later, not at once.
    check(
        "R1.15",
        "removed with the watermark at 2",
        log.tick(1003, 2).works("R1.13: a tick"),
        vec![],
    );
    check("R1.15", "the deadline after that", log.deadline(), Some(1003 + 300_000));
    check("R1.14", "removed at last", log.tick(301_003, 3).works("R1.13: a tick"), vec![0]);
    let log = old_log(&MemDir::new(), 10, keep_bytes(500));
    check("R1.14", "the deadline of a log that is too large", log.deadline(), Some(0));
}

fn step_5_new_settings_count_from_the_next_tick() {
    let dir = MemDir::new();
    let mut log = old_log(&dir, 10, keep_ms(1_000_000));
    check("R1.14", "removed at 2000", log.tick(2000, 10).works("R1.13: a tick"), vec![]);
    check("R1.14", "the deadline", log.deadline(), Some(1_000_201));
    log.configure(Config { segment_bytes: 300, ..keep_ms(1500) });
    check("R1.13", "segments right after retention.ms was lowered", bases(&log).len(), 4);
    let deadline = log.deadline();
    check("R1.14", "the deadline with retention.ms=1500", deadline, Some(2000 + 300_000));
    check(
        "R1.14",
        "removed at the next tick",
        log.tick(2001, 10).works("R1.13: a tick"),
        vec![0, 3],
    );
    log.configure(Config { segment_bytes: 300, ..keep_bytes(100) });
    check(
        "R1.14",
        "removed with retention.bytes=100",
        log.tick(2002, 10).works("R1.13: a tick"),
        vec![6],
    );
    log.configure(Config { retention_ms: None, ..Config::default() });
    check("R1.14", "the deadline without limits", log.deadline(), None);
}

fn step_5_transcript() {
    let script = "
        # Kept for 5000 ms and at least 500 bytes, in segments of two batches.
        open segment.bytes=200 retention.ms=5000 retention.bytes=500
        @1000 append 1 bytes=100
        @2000 append 1 bytes=100
        @3000 append 1 bytes=100
        @4000 append 1 bytes=100
        @5000 append 1 bytes=100
        tick
        # Segment 0 has a record of 2000, which is 5001 old.
        @7001 tick
        read 1
        append 1 bytes=100
        append 1 bytes=100
        append 1 bytes=100
        # 600 bytes: without segment 2 only 400 would be left.
        tick
        append 1 bytes=100
        tick
        # Nobody has read anything; it goes all the same. What is past the high watermark stays.
        @90000 tick watermark=5
        tick
        append 1 bytes=100";
    check_transcript(&LAB, "retention", &transcript(script));
}

fn step_5_any_history() {
    histories(Level::Kept);
}

// Step 6: recovery.

/// Small segments with indexes: every kind of file has something in it.
fn full_of_files() -> Config {
    Config { segment_bytes: 600, ..indexed() }
}

fn step_6_a_clean_log_opens_as_it_was() {
    let dir = MemDir::new();
    let mut log = log_in(&dir, full_of_files());
    for records in [3, 1, 4, 1, 5, 9, 2, 6] {
        log.append(7, 1, &mut batch(records, 150, 7)).works("R1.1: an append");
    }
    let before = dir.files();
    for trusted_to in [0, 1, 4, 9, 17, log.log_end(), 1000] {
        let (mut again, recovery) = open(&dir, full_of_files(), trusted_to);
        check("R1.16", format!("bytes cut, trusted to {trusted_to}"), recovery.cut_bytes, 0);
        check(
            "R1.17",
            format!("indexes rebuilt, trusted to {trusted_to}"),
            recovery.rebuilt,
            vec![],
        );
        check("R1.16", "start and end", bounds(&again), bounds(&log));
        check("R1.16", "segments", bases(&again), bases(&log));
        check("R1.17", "the files", dir.files() == before, true);
        for offset in 0..log.log_end() {
            let (read, expected) = (again.read(offset, 99, 500), log.read(offset, 99, 500));
            let what = format!("a read from {offset}, trusted to {trusted_to}");
            check("R1.16", what, read.works("R1.4: a read"), expected.works("R1.4: a read"));
        }
        // Both go on in the same way.
        let copy = MemDir::holding(before.clone());
        let mut other = open(&copy, full_of_files(), 0).0;
        for _ in 0..5 {
            again.append(9, 1, &mut batch(2, 150, 9)).works("R1.1: an append");
            other.append(9, 1, &mut batch(2, 150, 9)).works("R1.1: an append");
        }
        check("R1.17", "the files after more appends", dir.files() == copy.files(), true);
        for (name, bytes) in dir.files() {
            dir.put(&name, before.get(&name).cloned().unwrap_or(bytes));
            if !before.contains_key(&name) {
                dir.lose(&name);
            }
        }
    }
}

/// Opens a damaged directory twice, and wants exactly the batches before `end` to be left.
#[track_caller]
fn check_recovered(dir: &MemDir, what: &str, expected: &[(u64, u64)]) -> OffsetLog {
    let (log, recovery) = open(dir, full_of_files(), 0);
    let mut batches = Vec::new();
    let mut next = log.log_start();
    while next < log.log_end() {
        let some = read(&log, dir, next);
        let Some((_, last)) = some.last() else { break };
        next = last + 1;
        batches.extend(some);
    }
    check("R1.16", format!("batches after {what}"), &batches[..], expected);
    let end = expected.last().map_or(0, |(_, last)| last + 1);
    check("R1.16", format!("the log end offset after {what}"), log.log_end(), end);
    check(
        "R1.16",
        format!("batches checked after {what}"),
        recovery.checked,
        expected.len() as u64,
    );
    let files = dir.files();
    let (_, second) = open(dir, full_of_files(), 0);
    check("R1.17", format!("what a second open cuts after {what}"), second.cut_bytes, 0);
    check("R1.17", format!("what a second open rebuilds after {what}"), second.rebuilt, vec![]);
    check("R1.17", format!("files after a second open after {what}"), dir.files() == files, true);
    for segment in log.segments() {
        let size = dir.bytes(&log_file(segment.base)).len() as u64;
        check(
            "R1.16",
            format!("bytes in segment {} after {what}", segment.base),
            size,
            segment.size,
        );
    }
    log
}

/// Six batches in two segments: the files, and what they hold.
fn before_the_crash() -> (MemDir, Vec<(u64, u64)>) {
    let dir = MemDir::new();
    let mut log = log_in(&dir, full_of_files());
    let mut batches = Vec::new();
    for records in [3, 1, 4, 2, 5, 3] {
        let appended = log.append(7, 1, &mut batch(records, 150, 7)).works("R1.1: an append");
        batches.push((appended.first, appended.last));
    }
    check("R1.8", "segments", bases(&log), vec![0, 10]);
    (dir, batches)
}

fn step_6_every_cut_of_the_last_batch() {
    let (dir, batches) = before_the_crash();
    let files = dir.files();
    let last = log_file(10);
    for cut in 1..=150 {
        let dir = MemDir::holding(files.clone());
        dir.tear(&last, 300 - cut);
        let mut log = check_recovered(&dir, &format!("a cut of {cut} bytes"), &batches[..5]);
        let appended = log.append(8, 1, &mut batch(1, 150, 8)).works("R1.1: an append");
        check("R1.1", "the next offset after the cut", appended.first, 15);
    }
    for cut in 151..=300 {
        let dir = MemDir::holding(files.clone());
        dir.tear(&last, 300 - cut);
        check_recovered(&dir, &format!("a cut of {cut} bytes"), &batches[..4]);
    }
}

fn step_6_every_flipped_byte_of_the_last_batches() {
    let (dir, batches) = before_the_crash();
    let files = dir.files();
    for position in 0..300_u64 {
        for mask in [1, 0x80, 0xff] {
            let dir = MemDir::holding(files.clone());
            dir.flip(&log_file(10), position, mask);
            let (whole, byte) = (4 + position as usize / 150, position % 150);
            let what = format!("bits {mask:#x} of byte {byte} of batch {whole} have turned");
            match byte {
                // No CRC covers the leader epoch.
                12..16 => drop(check_recovered(&dir, &what, &batches)),
                // Nor the base offset: it may grow unnoticed in the last batch, as if there were a gap.
                0..8 => {
                    let (log, _) = open(&dir, full_of_files(), 0);
                    check("R1.16", format!("the log after {what}"), log.log_end() >= 10, true);
                    check(
                        "R1.16",
                        "the batches before",
                        read(&log, &dir, 0),
                        batches[..4].to_vec(),
                    );
                    let files = dir.files();
                    open(&dir, full_of_files(), 0);
                    check("R1.17", format!("files after {what}"), dir.files() == files, true);
                }
                _ => drop(check_recovered(&dir, &what, &batches[..whole])),
            }
        }
    }
}

fn step_6_nothing_after_the_damage() {
    let (dir, batches) = before_the_crash();
    dir.flip(FIRST, 150 + 100, 1);
    let (_, recovery) = open(&MemDir::holding(dir.files()), full_of_files(), 0);
    check(
        "R1.16",
        "bytes cut: three batches of this segment, two of the next",
        recovery.cut_bytes,
        750,
    );
    let log = check_recovered(&dir, "damage in the second of six batches", &batches[..1]);
    check("R1.16", "segments", bases(&log), vec![0]);
    let names: Vec<_> = dir.files().into_keys().collect();
    let ends = ["index", "log", "timeindex"].map(|end| format!("{:020}.{end}", 0));
    check("R1.16", "files", names, ends.to_vec());

    // A batch whose offsets came before is damage too.
    let dir = MemDir::new();
    let twice = [placed(batch(3, 0, 0), 0, 0), placed(batch(3, 0, 0), 2, 0)].concat();
    dir.put(FIRST, twice);
    check_recovered(&dir, "a second batch that begins before the first ends", &[(0, 2)]);
}

fn step_6_indexes_are_written_anew() {
    let (dir, batches) = before_the_crash();
    let good = dir.files();
    let names: Vec<_> = good.keys().filter(|name| !name.ends_with(".log")).cloned().collect();
    check("R1.17", "index files", names.len(), 4);
    for name in &names {
        for lie in ["lost", "empty", "cut", "noise", "longer"] {
            let dir = MemDir::holding(good.clone());
            let bytes = &good[name];
            match lie {
                "lost" => dir.lose(name),
                "empty" => dir.put(name, Vec::new()),
                "cut" => dir.put(name, bytes[..bytes.len().saturating_sub(3)].to_vec()),
                "noise" => dir.put(name, vec![0x5a; bytes.len() + 5]),
                _ => dir.put(name, [bytes, &[1; 24][..]].concat()),
            }
            check_recovered(&dir, &format!("{name} was {lie}"), &batches);
            check("R1.17", format!("{name}, once {lie}"), dir.bytes(name), bytes.clone());
        }
    }
    // Index files whose log is gone are left from a removal.
    let dir = MemDir::holding(good.clone());
    dir.lose(&log_file(10));
    check_recovered(&dir, "the second segment's log was lost", &batches[..4]);
    check("R1.17", "index files of no log", dir.files().len(), 3);
}

fn step_6_an_entry_that_lies_is_found_out() {
    let dir = MemDir::new();
    fill(&mut log_in(&dir, indexed()), 20, 100);
    let good = dir.bytes(INDEX);
    lie(&dir);
    let (mut log, _) = open(&dir, indexed(), 20);
    check_all_found(&log, 20);
    log.tick(0, 20).works("R1.13: a tick");
    check("R1.12", "the index after a tick", dir.bytes(INDEX), good);
}

fn step_6_what_was_synced_is_not_read_again() {
    let (dir, batches) = before_the_crash();
    let copy = || MemDir::holding(dir.files());
    for (trusted_to, checked) in [(0, 6), (9, 4), (10, 2), (15, 2), (18, 0), (100, 2)] {
        let (log, recovery) = open(&copy(), full_of_files(), trusted_to);
        check(
            "R1.16",
            format!("batches checked, trusted to {trusted_to}"),
            recovery.checked,
            checked,
        );
        check("R1.16", "the log end offset", log.log_end(), 18);
    }
    // Before the last entry of the index everything is known: only what follows is read.
    let dir = MemDir::new();
    let mut log = log_in(&dir, indexed());
    fill(&mut log, 100, 100);
    let (again, recovery) = open(&dir, indexed(), 100);
    check("R1.16", "batches checked after a clean stop", recovery.checked, 0);
    check("R1.16", "start and end", bounds(&again), (0, 100));
    check("R1.14", "when it grows old", again.deadline(), log.deadline());
    let (_, recovery) = open(&dir, indexed(), 99);
    check("R1.16", "batches checked when the last was not synced", recovery.checked, 2);
    // A batch that begins before the one before it ends is not what a clean stop leaves.
    let twice = MemDir::new();
    twice.put(FIRST, [placed(batch(3, 0, 0), 0, 0), placed(batch(3, 0, 0), 2, 0)].concat());
    let (log, recovery) = open(&twice, full_of_files(), 5);
    let got = (log.log_end(), recovery.checked);
    check("R1.16", "the log end and the batches checked when offsets go back", got, (3, 1));
    // What was trusted wrongly, because the disk lost it, is cut all the same.
    let dir = copy();
    dir.tear(&log_file(10), 200);
    let (log, _) = open(&dir, full_of_files(), 18);
    check("R1.16", "the log end offset", log.log_end(), batches[4].1 + 1);
}

fn step_6_files_of_others_are_left_alone() {
    let (dir, batches) = before_the_crash();
    let mut foreign = Vec::new();
    for name in [
        "00000000000000000010.snapshot",
        "leader-epoch-checkpoint",
        "notes.txt",
        "partition.metadata",
    ] {
        dir.put(name, b"mine".to_vec());
        foreign.push(name.to_owned());
    }
    let (_, recovery) = open(&dir, full_of_files(), 0);
    check("R1.17", "foreign files", recovery.foreign, foreign.clone());
    check_recovered(&dir, "foreign files were added", &batches);
    for name in foreign {
        check("R1.17", &name, dir.bytes(&name), b"mine".to_vec());
    }
}

fn step_6_the_same_in_the_file_system() {
    let folder = support::folder("step_6");
    let (dir, batches) = before_the_crash();
    let mut disk = FsDir::new(&folder);
    for (name, bytes) in dir.files() {
        disk.append(&name, &bytes).expect("a file");
    }
    disk.truncate(&log_file(10), 170).expect("a cut");
    let open = || {
        let dir = Box::new(FsDir::new(&folder));
        OffsetLog::open(dir, full_of_files(), 0).works("R1.16: opening")
    };
    let (mut log, recovery) = open();
    check("R1.16", "bytes cut", recovery.cut_bytes, 20);
    check("R1.16", "the log end offset", log.log_end(), batches[4].1 + 1);
    log.append(8, 1, &mut batch(1, 150, 8)).works("R1.1: an append");
    let (log, recovery) = open();
    check("R1.17", "bytes cut by a second open", recovery.cut_bytes, 0);
    check("R1.16", "the log end offset after an append", log.log_end(), batches[4].1 + 2);
    fs::remove_dir_all(&folder).expect("the folder goes");
}

fn step_6_kafkas_directories_open() {
    let mut lookups = 0;
    for topic in parity::TOPICS {
        for trusted_to in [0, u64::MAX] {
            let dir = MemDir::holding(parity::files(topic));
            let before = dir.files();
            let (log, recovery) = open(&dir, parity::config(), trusted_to);
            check("R1.16", format!("{topic}: bytes cut"), recovery.cut_bytes, 0);
            check("R1.16", format!("{topic}: the log end offset"), log.log_end(), 75);
            check("R1.17", format!("{topic}: indexes rebuilt"), recovery.rebuilt, vec![]);
            check("R1.17", format!("{topic}: the files"), dir.files() == before, true);
            for lookup in parity::lookups(topic) {
                lookup.check(&log);
                lookups += 1;
            }
        }
    }
    check("R1.9", "there are lookups to compare", lookups > 500, true);
}

fn step_6_what_a_killed_kafka_leaves() {
    // Its active segment has indexes of 10 MiB, zeros behind the entries. Here a few zeros do.
    for topic in parity::TOPICS {
        let dir = MemDir::holding(parity::files(topic));
        let before = dir.files();
        for (name, _) in before.iter().filter(|(name, _)| name.starts_with("00000000000000000055."))
        {
            if name.ends_with("index") {
                let mut bytes = dir.bytes(name);
                bytes.resize(if name.ends_with("timeindex") { 1200 } else { 800 }, 0);
                dir.put(name, bytes);
            }
        }
        let (mut log, recovery) = open(&dir, parity::config(), 0);
        check("R1.17", format!("{topic}: indexes rebuilt"), recovery.rebuilt, vec![]);
        check("R1.17", format!("{topic}: the files"), dir.files() == before, true);
        for lookup in parity::lookups(topic) {
            lookup.check(&log);
        }
        fill(&mut log, 5, 200);
        check("R1.1", format!("{topic}: the log goes on"), log.log_end(), 80);
    }
}

fn step_6_transcript() {
    let script = "
        open index.interval.bytes=150
        append 2 bytes=100
        append 2 bytes=100
        append 2 bytes=100
        append 2 bytes=100
        # The power goes while the last batch is written: 30 bytes of it never reach the disk.
        tear 30
        restart
        read 4
        append 1 bytes=100
        # A bit turns 150 bytes before the end, so in the batch before the last.
        flip 150
        restart
        files
        restart
        append 1";
    check_transcript(&LAB, "recovery", &transcript(script));
}

fn step_6_any_history() {
    histories(Level::Restarted);
}

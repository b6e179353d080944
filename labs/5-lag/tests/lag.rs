//! Lab 5's tests, step by step. Run those of one step with `cargo test -p lag step_1`.
//!
//! In each step small asserts come first, then transcripts, then what Kafka and Burrow said, then what chance asks. A test
//! whose name has `given` needs no step at all.

use std::collections::BTreeSet;
use std::process::ExitCode;

use fastrand::Rng;
use grader::{Lab, check, check_transcript, during};
use lag::{
    Commit, GroupStatus, PartitionStatus, Place, Sample, Samples, Status, Window, behind_ms,
    describe, drain_ms, lag, place, rate, roll_up,
};
use support::parity;
use support::stage::transcript;

#[path = "../../grader.rs"]
mod grader;

mod support {
    pub mod parity;
    pub mod stage;
}

const LAB: Lab = Lab {
    package: "lag",
    folder: "labs/5-lag",
    readme: include_str!("../README.md"),
    rules: include_str!("../rules.md"),
};

fn main() -> ExitCode {
    grader::run(
        LAB,
        tests![
            step_1_ten_sent_and_five_taken,
            step_1_nothing_is_committed,
            step_1_more_committed_than_there_is,
            step_1_within_the_log,
            step_1_overtaken_by_retention,
            step_1_beyond_the_end,
            step_1_lag_transcript,
            step_1_kafkas_table,
            step_1_any_log,
            step_2_given_a_window_keeps_the_last_commits,
            step_2_given_commits_too_close_together,
            step_2_given_how_full_it_is,
            step_2_without_lag_all_is_well,
            step_2_stopped,
            step_2_not_stopped_while_it_had_read_all_not_long_ago,
            step_2_rewound,
            step_2_a_rewind_that_is_made_good,
            step_2_no_lag_at_one_commit,
            step_2_stalled,
            step_2_slow,
            step_2_one_gain_is_enough,
            step_2_a_single_commit,
            step_2_the_order_of_the_rules,
            step_2_slow_transcript,
            step_2_stopped_transcript,
            step_2_stalled_transcript,
            step_2_rewound_transcript,
            step_2_nightly_transcript,
            step_2_burrow_says_the_same,
            step_2_any_window,
            step_3_the_worst_of_all,
            step_3_nothing_is_worse_than_err,
            step_3_the_greatest_lag,
            step_3_how_many_windows_are_full,
            step_3_a_group_without_partitions,
            step_3_nothing_is_better_than_ok,
            step_3_group_transcript,
            step_3_any_group,
            step_4_the_oldest_counts,
            step_4_all_is_read,
            step_4_records_without_a_time,
            step_4_clocks_that_differ,
            step_4_late_transcript,
            step_4_any_times,
            step_5_given_samples,
            step_5_records_a_second,
            step_5_no_time_has_passed,
            step_5_below_zero,
            step_5_until_all_is_read,
            step_5_never,
            step_5_nothing_is_left,
            step_5_drain_transcript,
            step_5_any_rates,
        ],
    )
}

// Step 1: how many records are left.

fn step_1_ten_sent_and_five_taken() {
    check("R5.1", "10 are sent, 5 are taken", lag(10, Some(5)), Some(5));
    check("R5.1", "10 are sent, none is taken, and that is committed", lag(10, Some(0)), Some(10));
    check("R5.1", "10 are sent, all are taken", lag(10, Some(10)), Some(0));
    check("R5.1", "nothing is sent, nothing is taken", lag(0, Some(0)), Some(0));
}

fn step_1_nothing_is_committed() {
    check("R5.2", "nothing is committed in a log that ends at 10", lag(10, None), None);
    check("R5.2", "nothing is committed in an empty log", lag(0, None), None);
    check("R5.2", "where is it, if nothing is committed?", place(0, 10, None), Place::Nowhere);
    check("R5.2", "and in an empty log?", place(7, 7, None), Place::Nowhere);
}

fn step_1_more_committed_than_there_is() {
    check("R5.3", "12 is committed, the log ends at 10", lag(10, Some(12)), Some(-2));
    check("R5.3", "12 is committed, the log is empty", lag(0, Some(12)), Some(-12));
}

fn step_1_within_the_log() {
    for committed in [4, 5, 9, 10] {
        let what = format!("{committed} is committed, the log goes from 4 to 10");
        check("R5.4", what, place(4, 10, Some(committed)), Place::Within);
    }
    check(
        "R5.4",
        "7 is committed in a log that is empty at 7",
        place(7, 7, Some(7)),
        Place::Within,
    );
}

fn step_1_overtaken_by_retention() {
    for (committed, lost) in [(3, 1), (1, 3), (0, 4)] {
        let what = format!("{committed} is committed, the log goes from 4 to 10");
        check("R5.4", what, place(4, 10, Some(committed)), Place::Overtaken { lost });
    }
    check("R5.1", "the lag counts what is deleted, too", lag(10, Some(1)), Some(9));
}

fn step_1_beyond_the_end() {
    for (committed, by) in [(11, 1), (25, 15)] {
        let what = format!("{committed} is committed, the log goes from 4 to 10");
        check("R5.4", what, place(4, 10, Some(committed)), Place::Beyond { by });
    }
}

fn step_1_lag_transcript() {
    let script = "
        # Ten are sent, five are taken.
        produce 10
        lag
        consume 5
        lag
        # Nothing is lost while the group is away, until retention deletes what it has not read.
        produce 90
        retain 60
        lag
        # It goes on where the log begins now.
        consume 40
        lag

        # The log is cut behind the group's back: what it has read is not there any more.
        topic
        produce 10
        consume 10
        cut 7
        lag
        # New records take the places of the old ones. The group skips them.
        produce 2
        lag
        produce 2
        lag";
    check_transcript(&LAB, "lag", &transcript(script));
}

fn step_1_kafkas_table() {
    let described = parity::described();
    check("R5.1", "tables to compare", described.len() >= 5, true);
    for case in described {
        let table = describe(&case.rows, case.verbose);
        let mut ours = table.lines();
        for kafkas in case.table.lines() {
            let what = format!("a line of Kafka's table: {}", case.title);
            check("R5.1", what, ours.next().unwrap_or("(nothing)"), kafkas);
        }
        check("R5.1", format!("the lines of the table: {}", case.title), ours.next(), None);
    }
}

fn step_1_any_log() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let log_start = rng.u64(0..20);
        let log_end = log_start + rng.u64(0..20);
        let committed = rng.u64(0..50);
        let what = |it: &str| {
            format!("{it} of {committed} in a log from {log_start} to {log_end} (seed {seed})")
        };
        let behind = lag(log_end, Some(committed)).map(|lag| lag + committed as i64);
        let rule = if committed > log_end { "R5.3" } else { "R5.1" };
        check(
            rule,
            what("the lag and what is committed make the end:"),
            behind,
            Some(log_end as i64),
        );
        let place = place(log_start, log_end, Some(committed));
        let back = match place {
            Place::Nowhere => {
                panic!("R5.4: {}: Nowhere, though it is committed", what("the place"))
            }
            Place::Overtaken { lost } => (committed + lost == log_start && lost > 0).then_some(()),
            Place::Beyond { by } => (log_end + by == committed && by > 0).then_some(()),
            Place::Within => (log_start..=log_end).contains(&committed).then_some(()),
        };
        check("R5.4", what(&format!("{place:?} fits the numbers:")), back, Some(()));
    }
}

// Step 2: what the last commits say.

/// A window of so many commits: `(at_ms, offset, lag)`. A lag below 0 is not known.
fn window(commits: &[(u64, u64, i64)]) -> Window {
    let mut window = Window::new(commits.len(), 0);
    for &(at_ms, offset, lag) in commits {
        window.committed(at_ms, offset, u64::try_from(lag).ok().map(|lag| offset + lag));
    }
    window
}

#[track_caller]
fn check_status(
    rule: &str,
    what: &str,
    window: &Window,
    now_ms: u64,
    ends: &[u64],
    expected: Status,
) {
    let commits: Vec<String> = window
        .commits()
        .iter()
        .map(|Commit { at_ms, offset, lag }| {
            let lag = lag.map_or("unknown".to_owned(), |lag| lag.to_string());
            format!("@{at_ms} offset {offset} lag {lag}")
        })
        .collect();
    let commits = commits.join(", ");
    let what = format!("{what}\n  commits:  {commits}\n  asked:    @{now_ms}, ends seen {ends:?}");
    let got = window.status(now_ms, ends);
    // What was said instead has a rule, too.
    let mut rules: Vec<&str> =
        rule.split(' ').chain(rule_of(expected)).chain(rule_of(got)).collect();
    let mut seen = BTreeSet::new();
    rules.retain(|rule| seen.insert(*rule));
    check(&rules.join(" "), what, got, expected);
}

fn rule_of(status: Status) -> Option<&'static str> {
    match status {
        Status::Stop => Some("R5.7"),
        Status::Rewind => Some("R5.9"),
        Status::Stall => Some("R5.11"),
        Status::Warn | Status::Err => Some("R5.12"),
        Status::Ok | Status::NotFound => None,
    }
}

fn step_2_given_a_window_keeps_the_last_commits() {
    let mut window = Window::new(3, 0);
    for n in 0..5 {
        window.committed(n * 100, n * 10, Some(50));
    }
    let offsets: Vec<u64> = window.commits().iter().map(|commit| commit.offset).collect();
    check("R5.5", "the last three of five commits", offsets, vec![20, 30, 40]);
    check("R5.5", "the lag at each", window.commits()[0].lag, Some(30));
    window.committed(500, 60, Some(50));
    check("R5.5", "a commit beyond the end that was seen has no lag", window.last().lag, Some(0));
    window.committed(600, 60, None);
    check("R5.5", "without an end that was seen it is not known", window.last().lag, None);
    check("R5.5", "the lag now, after 60 of 75", window.lag(&[70, 75]), 15);
    check("R5.5", "the lag now, if no end was seen", window.lag(&[]), 0);
    check("R5.5", "the lag now, if nothing is committed", Window::new(3, 0).lag(&[7]), 0);
}

fn step_2_given_commits_too_close_together() {
    let mut window = Window::new(3, 1000);
    for (at_ms, offset) in [(0, 1), (400, 2), (999, 3), (1000, 4), (1500, 5)] {
        window.committed(at_ms, offset, Some(10));
    }
    let kept: Vec<(u64, u64)> =
        window.commits().iter().map(|commit| (commit.at_ms, commit.offset)).collect();
    check("R5.5", "less than a second after the one before", kept, vec![(0, 3), (1000, 5)]);
}

fn step_2_given_how_full_it_is() {
    let mut window = Window::new(4, 0);
    check("R5.5", "no commit of four", window.complete(), 0.0);
    window.committed(0, 1, None);
    check("R5.5", "one of four", window.complete(), 0.25);
    (1..9).for_each(|n| window.committed(n, 1, None));
    check("R5.5", "more than four", window.complete(), 1.0);
}

fn step_2_without_lag_all_is_well() {
    let old = window(&[(0, 10, 5), (1000, 20, 5)]);
    let what = "the last commit is long ago, but all is read";
    check_status("R5.6", what, &old, 900_000, &[20], Status::Ok);
    let what = "the end that was seen last is behind the last commit";
    check_status("R5.6", what, &old, 900_000, &[18], Status::Ok);
    let back = window(&[(0, 20, 5), (1000, 10, 15)]);
    check_status("R5.6", "it went back, but all is read", &back, 1000, &[10], Status::Ok);
}

fn step_2_stopped() {
    let it = window(&[(10_000, 10, 5), (12_000, 20, 5), (14_000, 30, 5)]);
    let what = "4 s between the first and the last commit, and 4 s after that";
    check_status("R5.7", what, &it, 18_000, &[40], Status::Warn);
    let what = "4 s between the first and the last commit, and one ms more after that";
    check_status("R5.7", what, &it, 18_001, &[40], Status::Stop);
    let gains = window(&[(10_000, 10, 9), (14_000, 30, 5)]);
    check_status("R5.7", "it was catching up, and then?", &gains, 19_000, &[90], Status::Stop);
    let what = "a clock that has gone back";
    check_status("R5.7", what, &gains, 9_000, &[90], Status::Ok);
    let back = window(&[(5_000, 10, 9), (1_000, 30, 5)]);
    let what = "the last commit is earlier than the first: no time lies between them";
    check_status("R5.7", what, &back, 6_000, &[90], Status::Stop);
}

fn step_2_not_stopped_while_it_had_read_all_not_long_ago() {
    let it = window(&[(10_000, 20, 0), (11_000, 30, 0)]);
    let what = "one of the ends that were seen was not past the last commit";
    check_status("R5.8 R5.10", what, &it, 60_000, &[30, 31, 32], Status::Ok);
    check_status(
        "R5.8",
        "all ends that were seen are past it",
        &it,
        60_000,
        &[31, 32],
        Status::Stop,
    );
}

fn step_2_rewound() {
    let it = window(&[(0, 50, 10), (1000, 60, 10), (2000, 5, 75)]);
    check_status("R5.9", "from 60 back to 5", &it, 2000, &[80], Status::Rewind);
    let it = window(&[(0, 60, 5), (1000, 5, 60), (2000, 30, 35), (3000, 59, 6)]);
    check_status("R5.9", "back, and not yet where it was", &it, 3000, &[90], Status::Rewind);
}

fn step_2_a_rewind_that_is_made_good() {
    let it = window(&[(0, 60, 5), (1000, 55, 10), (2000, 60, 5)]);
    check_status("R5.9", "back by 5, and then where it was", &it, 2000, &[90], Status::Ok);
    let it = window(&[(0, 60, 5), (1000, 55, 5), (2000, 70, 6), (3000, 70, 7)]);
    check_status("R5.9", "back, and then further than before", &it, 3000, &[90], Status::Warn);
    let it = window(&[(0, 60, 5), (1000, 55, 5), (2000, 61, 5), (3000, 58, 9)]);
    let what = "back twice; only the first time counts, and that is made good";
    check_status("R5.9", what, &it, 3000, &[90], Status::Warn);
}

fn step_2_no_lag_at_one_commit() {
    let it = window(&[(0, 10, 5), (1000, 20, 0), (2000, 20, 8), (3000, 20, 12)]);
    check_status("R5.10", "at the second commit nothing was left", &it, 3000, &[32], Status::Ok);
}

fn step_2_stalled() {
    let it = window(&[(0, 10, 5), (1000, 10, 8), (2000, 10, 12)]);
    check_status("R5.11", "10, and again 10, and again 10", &it, 2000, &[22], Status::Stall);
    let it = window(&[(0, 10, 12), (1000, 10, 8)]);
    check_status("R5.11", "the same offset, with less lag", &it, 1000, &[22], Status::Stall);
    let it = window(&[(0, 10, 5), (1000, 10, 8), (2000, 11, 12)]);
    check_status("R5.11", "10, 10, and then 11", &it, 2000, &[22], Status::Warn);
    let it = window(&[(0, 9, 5), (1000, 10, 8), (2000, 10, 12)]);
    check_status("R5.11", "9, and then twice 10", &it, 2000, &[22], Status::Warn);
}

fn step_2_slow() {
    let it = window(&[(0, 10, 5), (1000, 14, 11), (2000, 18, 17)]);
    check_status("R5.12", "it reads, and falls behind", &it, 2000, &[40], Status::Warn);
    let it = window(&[(0, 10, 7), (1000, 14, 7), (2000, 18, 7)]);
    check_status("R5.12", "it reads, and gains nothing", &it, 2000, &[40], Status::Warn);
    let it = window(&[(0, 10, 5), (1000, 14, -1), (2000, 18, 6)]);
    check_status("R5.12", "of one commit the lag is not known", &it, 2000, &[40], Status::Warn);
    let it = window(&[(0, 10, -1), (1000, 14, -1)]);
    check_status("R5.12", "of none the lag is known", &it, 1000, &[40], Status::Warn);
}

fn step_2_one_gain_is_enough() {
    let it = window(&[(0, 10, 500), (1000, 14, 900), (2000, 18, 899), (3000, 22, 5000)]);
    check_status("R5.12", "from 900 to 899, and then 5000", &it, 3000, &[9000], Status::Ok);
    let it = window(&[(0, 10, 9), (1000, 14, -1), (2000, 18, 8)]);
    let what = "from 9 to 8, with one in between that is not known";
    check_status("R5.12", what, &it, 2000, &[40], Status::Ok);
}

fn step_2_a_single_commit() {
    let it = window(&[(5000, 10, 5)]);
    check_status(
        "R5.7",
        "one commit, just now: it is no stretch of time",
        &it,
        5000,
        &[15],
        Status::Stall,
    );
    check_status("R5.7", "one commit, and then a millisecond", &it, 5001, &[15], Status::Stop);
}

fn step_2_the_order_of_the_rules() {
    let it = window(&[(0, 60, 0), (1000, 5, 75)]);
    check_status("R5.13", "gone back, and then silent", &it, 9000, &[80], Status::Stop);
    let what = "nothing was left at one commit, and then it went back";
    check_status("R5.13", what, &it, 1000, &[80], Status::Rewind);
    let it = window(&[(0, 60, 0), (1000, 60, 9)]);
    let what = "nothing was left at one commit, and the offset is the same";
    check_status("R5.13", what, &it, 1000, &[69], Status::Ok);
}

fn step_2_slow_transcript() {
    let script = "
        # Ten a second come, four are read. The lag grows, and never shrinks.
        each 1000 rounds=6 produce=10 consume=4
        # Twelve a second are read now. One commit with less lag than the one before is enough.
        each 1000 rounds=3 produce=10 consume=12
        # And slow again. As long as that gain is in the window nobody notices.
        each 1000 rounds=6 produce=10 consume=4";
    check_transcript(&LAB, "slow", &transcript(script));
}

fn step_2_stopped_transcript() {
    let script = "
        # The consumer reads all that comes. Its window of five commits spans four seconds.
        each 1000 rounds=6 produce=10 consume=10
        # Then it is silent. For four seconds that is no longer than its window spans.
        each 1000 rounds=8 produce=10
        # It comes back, and reads more than comes.
        each 1000 rounds=6 produce=10 consume=30";
    check_transcript(&LAB, "stopped", &transcript(script));
}

fn step_2_stalled_transcript() {
    let script = "
        # The consumer reads.
        each 1000 rounds=4 produce=10 consume=8
        # A record that it cannot process. It tries, and tries, and commits where it is.
        each 1000 rounds=6 produce=10 consume=0
        # Somebody lets it skip that record.
        each 1000 rounds=4 produce=10 consume=40";
    check_transcript(&LAB, "stalled", &transcript(script));
}

fn step_2_rewound_transcript() {
    let script = "
        # The consumer is up to date.
        each 1000 rounds=3 produce=10 consume=10
        # Somebody sets it back to 0 on purpose. It reads faster than records come.
        seek 0
        each 1000 rounds=5 produce=10 consume=18";
    check_transcript(&LAB, "rewound", &transcript(script));
}

fn step_2_nightly_transcript() {
    let script = "
        # A job reads once a day, in one go, and commits once. Five commits: its window is four days.
        topic
        each 86400000 rounds=5 produce=1000 consume=1000
        # The day after: every six hours somebody looks. There is lag, and no problem.
        each 21600000 rounds=3 produce=250

        # The same job, but it commits every minute. So its window is four minutes.
        topic
        produce 1000
        each 60000 rounds=5 consume=200
        # Then a record comes each minute, and nobody reads. After five minutes the silence is longer than the window.
        each 60000 rounds=7 produce=1";
    check_transcript(&LAB, "nightly", &transcript(script));
}

fn step_2_burrow_says_the_same() {
    let verdicts = parity::verdicts();
    check("R5.13", "windows to compare", verdicts.len() >= 400, true);
    for case in verdicts {
        during(|| format!("Burrow's {}", case.line));
        check_status(
            "R5.13",
            "what Burrow says",
            &case.window,
            case.now_ms,
            &case.ends,
            case.status,
        );
    }
    during(String::new);
}

fn step_2_any_window() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let (mut at_ms, mut offset) = (100_000, 1000);
        let mut it = Window::new(rng.usize(1..8), 0);
        for _ in 0..rng.usize(1..10) {
            at_ms += rng.u64(0..2000);
            offset = (offset + rng.u64(0..30)).saturating_sub(rng.u64(0..20));
            it.committed(at_ms, offset, rng.bool().then(|| offset + rng.u64(0..10)));
        }
        let ends = [offset + rng.u64(0..3)];
        let now_ms = at_ms + rng.u64(0..9000);
        let status = it.status(now_ms, &ends);
        let what = |it: &str| format!("{it} (seed {seed})");
        if it.lag(&ends) == 0 {
            check("R5.6", what("nothing is left"), status, Status::Ok);
        }
        let group = matches!(status, Status::NotFound | Status::Err);
        check("R5.13", what("a partition is never NOTFOUND or ERR"), group, false);
        // All times an hour later: nothing is different.
        let mut later = Window::new(it.commits().len(), 0);
        for commit in it.commits() {
            let end = commit.lag.map(|lag| commit.offset + lag);
            later.committed(commit.at_ms + 3_600_000, commit.offset, end);
        }
        let then = later.status(now_ms + 3_600_000, &ends);
        check("R5.13", what("an hour later, all else the same"), then, status);
        // All offsets a million further: nothing is different.
        let mut further = Window::new(it.commits().len(), 0);
        for commit in it.commits() {
            let offset = commit.offset + 1_000_000;
            further.committed(commit.at_ms, offset, commit.lag.map(|lag| offset + lag));
        }
        let there = further.status(now_ms, &ends.map(|end| end + 1_000_000));
        check("R5.13", what("a million offsets further, all else the same"), there, status);
    }
}

// Step 3: one word for a whole group.

fn partition(status: Status, lag: u64, complete: f32) -> PartitionStatus {
    PartitionStatus { status, lag, complete }
}

/// Partitions with these verdicts, no lag and full windows.
fn statuses(statuses: &[Status]) -> GroupStatus {
    let partitions: Vec<_> = statuses.iter().map(|status| partition(*status, 0, 1.0)).collect();
    roll_up(&partitions)
}

fn step_3_the_worst_of_all() {
    use Status::{Ok, Warn};
    for (of, expected) in [
        (&[Ok][..], Ok),
        (&[Ok, Ok, Ok], Ok),
        (&[Ok, Warn, Ok], Warn),
        (&[Warn, Warn], Warn),
        (&[Warn, Ok], Warn),
    ] {
        check("R5.14", format!("a group of {of:?}"), statuses(of).status, expected);
    }
}

fn step_3_nothing_is_worse_than_err() {
    use Status::{Err, Ok, Rewind, Stall, Stop, Warn};
    for of in [&[Stop][..], &[Ok, Stall], &[Rewind, Ok], &[Warn, Stop, Ok], &[Stop, Stall, Rewind]]
    {
        check("R5.14", format!("a group of {of:?}"), statuses(of).status, Err);
    }
}

fn step_3_the_greatest_lag() {
    for (lags, total, most) in [
        (&[5][..], 5, 0),
        (&[5, 9, 7], 21, 1),
        (&[9, 5, 9], 23, 0),
        (&[0, 0], 0, 0),
        (&[0, 0, 1], 1, 2),
        (&[3, 7, 7], 17, 1),
    ] {
        let partitions: Vec<_> = lags.iter().map(|lag| partition(Status::Ok, *lag, 1.0)).collect();
        let group = roll_up(&partitions);
        let what = format!("a group with the lags {lags:?}");
        check("R5.15", format!("the sum of {what}"), group.total_lag, total);
        check("R5.15", format!("the greatest of {what}"), group.max_lag, Some(most));
    }
}

fn step_3_how_many_windows_are_full() {
    for (windows, expected) in
        [(&[1.0][..], 1.0), (&[0.9], 0.0), (&[1.0, 0.5], 0.5), (&[0.0, 0.5, 1.0, 1.0], 0.5)]
    {
        let partitions: Vec<_> =
            windows.iter().map(|complete| partition(Status::Ok, 1, *complete)).collect();
        let what = format!("the share of full ones among windows of {windows:?}");
        check("R5.16", what, roll_up(&partitions).complete, expected);
    }
}

fn step_3_a_group_without_partitions() {
    let expected = GroupStatus { status: Status::Ok, total_lag: 0, max_lag: None, complete: 0.0 };
    check("R5.15", "a group without partitions", roll_up(&[]), expected);
}

fn step_3_nothing_is_better_than_ok() {
    use Status::{NotFound, Ok, Warn};
    for (of, expected) in [(&[NotFound][..], Ok), (&[NotFound, Ok], Ok), (&[NotFound, Warn], Warn)]
    {
        check("R5.14", format!("a group of {of:?}"), statuses(of).status, expected);
    }
}

fn step_3_group_transcript() {
    let script = "
        # Three partitions are read, and one is not.
        partition OK lag=3
        partition OK lag=0
        partition STOP lag=420
        partition OK lag=7
        group
        # Slow everywhere, and half of the windows are still filling.
        partition WARN lag=90 complete=100
        partition WARN lag=80 complete=60
        group
        # A group without partitions.
        group";
    check_transcript(&LAB, "group", &transcript(script));
}

fn step_3_any_group() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let verdicts =
            [Status::Ok, Status::Ok, Status::Warn, Status::Stop, Status::Stall, Status::Rewind];
        let partitions: Vec<_> = (0..rng.usize(1..6))
            .map(|_| partition(verdicts[rng.usize(0..6)], rng.u64(0..6), rng.u8(0..3) as f32 / 2.0))
            .collect();
        let group = roll_up(&partitions);
        let what = |it: &str| format!("{it} of {partitions:?} (seed {seed})");
        let most = group.max_lag.map(|at| partitions[at].lag);
        check("R5.15", what("the greatest lag"), most, partitions.iter().map(|it| it.lag).max());
        let all_ok = partitions.iter().all(|it| it.status == Status::Ok);
        check("R5.14", what("all is well"), group.status == Status::Ok, all_ok);
        let fine = partitions.iter().all(|it| it.status <= Status::Warn);
        check("R5.14", what("nothing is worse than WARN"), group.status <= Status::Warn, fine);
        // The other way round only the place of the greatest may be another one.
        let back: Vec<_> = partitions.iter().copied().rev().collect();
        let max_lag = group.max_lag;
        let backwards = GroupStatus { max_lag, ..roll_up(&back) };
        check("R5.14", what("the other way round, the sum"), backwards, group);
    }
}

// Step 4: how old the oldest unread record is.

fn step_4_the_oldest_counts() {
    for (unread, expected) in [
        (&[4_000][..], 6_000),
        (&[4_000, 7_000], 6_000),
        (&[7_000, 4_000], 6_000),
        (&[9_999, 9_998, 9_999], 2),
        (&[10_000], 0),
        (&[0], 10_000),
    ] {
        let what = format!("at @10000, unread since {unread:?}");
        check("R5.17", what, behind_ms(10_000, unread), Some(expected));
    }
}

fn step_4_all_is_read() {
    check("R5.17", "nothing is unread", behind_ms(10_000, &[]), Some(0));
}

fn step_4_records_without_a_time() {
    check("R5.18", "the only one has no time", behind_ms(10_000, &[-1]), None);
    check("R5.18", "none has a time", behind_ms(10_000, &[-1, -1]), None);
    let what = "one has no time, the other one is of @7000";
    check("R5.18", what, behind_ms(10_000, &[-1, 7_000]), Some(3_000));
}

fn step_4_clocks_that_differ() {
    check("R5.19", "it is from the future", behind_ms(10_000, &[12_000]), Some(0));
    let what = "one is from the future, the other one is not";
    check("R5.19", what, behind_ms(10_000, &[12_000, 9_000]), Some(1_000));
    check("R5.19", "as far in the future as can be", behind_ms(10_000, &[i64::MAX]), Some(0));
}

fn step_4_late_transcript() {
    let script = "
        # A hundred records at once, and half of them are read.
        @1000 produce 100
        consume 50
        late
        @61000 late
        # Few records, and hours.
        topic
        seek 0
        @100000 produce 1
        @3700000 produce 1
        @21700000 late
        lag
        # Much lag, and no time: a million records came just now.
        topic
        seek 0
        @21700000 produce 1000000
        @21700200 late
        lag
        # The rest is read: whoever has read all is not late.
        consume 1000000
        @99999999 late";
    check_transcript(&LAB, "late", &transcript(script));
}

fn step_4_any_times() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let times: Vec<i64> = (0..rng.usize(1..6)).map(|_| rng.i64(-1..20)).collect();
        let now_ms = rng.u64(0..25);
        let behind = behind_ms(now_ms, &times);
        let what = |it: &str| format!("{it}, at @{now_ms}, unread since {times:?} (seed {seed})");
        let known = times.iter().any(|time| *time >= 0);
        let future = times.iter().any(|time| *time > now_ms as i64);
        let rule = if future { "R5.18 R5.19" } else { "R5.18" };
        check(rule, what("whether it is known"), behind.is_some(), known);
        let mut sorted = times.clone();
        sorted.sort_unstable();
        check("R5.17", what("in another order"), behind_ms(now_ms, &sorted), behind);
        let then = behind_ms(now_ms + 100, &times);
        let on = behind.zip(then).is_none_or(|(now, then)| then > now && then <= now + 100);
        check("R5.17", what("later it is later"), on, true);
    }
}

// Step 5: when it will be over.

/// `(at_ms, offset)`
fn samples(looks: &[(u64, u64)]) -> Vec<Sample> {
    looks.iter().map(|&(at_ms, offset)| Sample { at_ms, offset }).collect()
}

fn step_5_given_samples() {
    let mut it = Samples::new(3);
    (0..5).for_each(|n| it.seen(n * 1000, n * 10));
    check("R5.20", "the last three of five looks", it.offsets(), vec![20, 30, 40]);
    it.seen(3999, 50);
    check("R5.20", "the clock goes back: what was before is forgotten", it.offsets(), vec![50]);
    it.seen(3999, 60);
    check("R5.20", "twice in one millisecond", it.offsets(), vec![50, 60]);
}

fn step_5_records_a_second() {
    for (looks, expected) in [
        (&[(0, 0), (1000, 10)][..], 10.0),
        (&[(5000, 100), (7000, 150)], 25.0),
        (&[(0, 0), (500, 0), (1000, 40), (4000, 40)], 10.0),
        (&[(0, 7), (60_000, 7)], 0.0),
        (&[(1000, 0), (1001, 1)], 1000.0),
    ] {
        let what = format!("records a second, seen {looks:?}");
        check("R5.20", what, rate(&samples(looks)), Some(expected));
    }
}

fn step_5_no_time_has_passed() {
    check("R5.20", "never seen", rate(&[]), None);
    check("R5.20", "seen once", rate(&samples(&[(1000, 10)])), None);
    let what = "seen twice in one millisecond";
    check("R5.20", what, rate(&samples(&[(1000, 10), (1000, 20)])), None);
    let what = "the last look is before the first";
    check("R5.20", what, rate(&samples(&[(1000, 10), (900, 20)])), None);
}

fn step_5_below_zero() {
    let what = "the group was set back from 100 to 40 within 2 s";
    check("R5.20", what, rate(&samples(&[(0, 100), (2000, 40)])), Some(-30.0));
}

fn step_5_until_all_is_read() {
    for (lag, come, go, expected) in [
        (100, 0.0, 10.0, 10_000),
        (100, 10.0, 30.0, 5_000),
        (1, 0.0, 3.0, 334),
        (2, 0.5, 1.0, 4_000),
        (50, -5.0, 0.0, 10_000),
    ] {
        let what = format!("lag {lag}, {come} a second come, {go} are read: how many ms");
        check("R5.21", what, drain_ms(lag, come, go), Some(expected));
    }
}

fn step_5_never() {
    for (come, go) in [(10.0, 4.0), (10.0, 10.0), (0.0, 0.0), (0.0, -1.0), (5.0, 4.999)] {
        let what = format!("lag 7, {come} a second come, {go} are read");
        check("R5.22", what, drain_ms(7, come, go), None);
    }
    let what = "lag 7, a rate is no number (drain_ms(7, f64::NAN, 1.0))";
    check("R5.22", what, drain_ms(7, f64::NAN, 1.0), None);
}

fn step_5_nothing_is_left() {
    for (come, go) in [(10.0, 4.0), (0.0, 0.0), (1.0, 5.0)] {
        let what = format!("lag 0, {come} a second come, {go} are read");
        check("R5.21", what, drain_ms(0, come, go), Some(0));
    }
}

fn step_5_drain_transcript() {
    let script = "
        # One look is no rate.
        each 1000 rounds=1 produce=10 consume=4
        drain
        # Ten a second come, four are read.
        each 1000 rounds=4 produce=10 consume=4
        drain
        # A second consumer helps: sixteen are read. The rate still has a look of before in it.
        each 1000 rounds=4 produce=10 consume=16
        drain
        # As many as come are read. The lag is small, and stays.
        topic
        produce 25
        each 1000 rounds=5 produce=10 consume=10
        drain
        # Nothing more comes.
        each 1000 rounds=4 consume=5
        drain
        each 1000 rounds=1 consume=5
        drain";
    check_transcript(&LAB, "drain", &transcript(script));
}

fn step_5_any_rates() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let (lag, come, go) = (rng.u64(1..1000), rng.u32(0..50) as f64, rng.u32(0..50) as f64);
        let what = |it: &str| format!("{it}: lag {lag}, {come} come, {go} are read (seed {seed})");
        let Some(ms) = drain_ms(lag, come, go) else {
            check(
                "R5.22",
                what("it never ends only if no more are read than come"),
                go <= come,
                true,
            );
            continue;
        };
        check("R5.22", what("it ends only if more is read than comes"), go > come, true);
        // So many more are read than come until then: all of the lag, and a millisecond earlier not.
        let gained = |ms: u64| (go - come) * ms as f64 / 1000.0;
        check("R5.21", what("then all is read"), gained(ms) >= lag as f64 - 1e-6, true);
        check("R5.21", what("a millisecond earlier it is not"), gained(ms - 1) < lag as f64, true);
    }
}

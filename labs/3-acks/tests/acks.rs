//! Lab 3's tests, step by step. Run those of one step with `cargo test -p acks step_1`.
//!
//! In each step small asserts come first, then transcripts, then what chance asks. Last come the given parts: cutting a
//! log by its epochs, batches that come twice, and the loss matrix, which needs all steps. A test whose name has `given`
//! in it needs no step.

use std::process::ExitCode;

use acks::{Acks, Answer, Config, Epochs, Leader, OutOfOrder, Producers, Refused, Sequence, elect};
use grader::{Lab, Works, check, check_transcript};
use support::matrix::{RECORDS, Row, matrix, row};
use support::model::{Level, append_rule, histories, seeds};
use support::parity;
use support::transcript::transcript;

#[path = "../../grader.rs"]
mod grader;

mod support {
    pub mod matrix;
    pub mod model;
    pub mod parity;
    pub mod transcript;
}

const LAB: Lab = Lab {
    package: "acks",
    folder: "labs/3-acks",
    readme: include_str!("../README.md"),
    rules: include_str!("../rules.md"),
};

fn main() -> ExitCode {
    grader::run(
        LAB,
        tests![
            step_1_acks_0_and_1_do_not_wait,
            step_1_all_waits_for_the_watermark,
            step_1_the_last_record_counts,
            step_1_alone_nobody_waits,
            step_1_given_the_number_on_the_wire,
            step_1_transcript,
            step_2_the_slowest_in_sync,
            step_2_a_fetch_says_what_is_below_it,
            step_2_a_leader_alone_in_sync,
            step_2_who_is_not_in_sync_does_not_count,
            step_2_a_new_leader_waits_for_first_fetches,
            step_2_it_never_goes_back,
            step_2_who_is_no_follower_is_refused,
            step_2_transcript,
            step_2_any_history,
            step_3_the_leader_is_always_in_sync,
            step_3_too_long_behind_leaves,
            step_3_who_never_had_everything_lags,
            step_3_with_all_there_is_nobody_lags,
            step_3_behind_and_keeping_up_stays,
            step_3_an_election_throws_nobody_out,
            step_3_a_leaver_counts_until_it_is_agreed,
            step_3_who_has_the_watermark_joins,
            step_3_nobody_joins_below_the_epochs_start,
            step_3_a_joiner_counts_at_once,
            step_3_a_refused_joiner_counts_no_more,
            step_3_the_order_is_that_of_the_replicas,
            step_3_a_leader_under_load_does_not_stay_alone,
            step_3_the_dead_are_not_waited_for,
            step_3_the_deadline_is_when_somebody_leaves,
            step_3_shrink_transcript,
            step_3_grow_transcript,
            step_3_any_history,
            step_4_acks_all_is_refused,
            step_4_those_in_sync_count_and_nobody_else,
            step_4_never_more_than_there_are_replicas,
            step_4_the_watermark_stands_still,
            step_4_too_few_after_the_append,
            step_4_settings_change_while_it_leads,
            step_4_transcript,
            step_4_any_history,
            step_5_the_first_that_is_alive_and_in_sync,
            step_5_the_dead_are_not_elected,
            step_5_unclean_only_if_allowed_and_needed,
            step_5_the_fence,
            step_5_a_fenced_fetch_changes_nothing,
            step_5_any_election,
            step_5_transcript,
            step_5_any_history,
            step_5_given_epochs_say_where_they_end,
            step_5_given_epochs_follow_the_log,
            step_5_given_truncation_transcript,
            step_5_given_fast_failover_transcript,
            step_5_given_any_two_logs_meet,
            step_5_given_producers_transcript,
            step_5_given_producers_after_a_cut_and_a_restart,
            step_5_given_kafkas_leader_answers_the_same,
            step_5_all_in_sync_of_one_is_acks_1,
            step_5_unclean_keeps_no_promise,
            step_5_matrix_transcript,
            step_5_loss_transcript,
            step_5_any_machine_dies,
        ],
    )
}

/// A leader, broker 1, of so many replicas. All are in sync, and nobody has fetched yet.
fn leader(replicas: i32, log_end: u64, high_watermark: u64) -> Leader {
    let replicas: Vec<i32> = (1..=replicas).collect();
    leading(&replicas, &replicas, log_end, high_watermark, Config::default())
}

/// The first of `replicas` leads with epoch 4 since 1000 ms.
fn leading(
    replicas: &[i32],
    in_sync: &[i32],
    log_end: u64,
    high_watermark: u64,
    config: Config,
) -> Leader {
    Leader::elected(replicas[0], 4, replicas, in_sync, log_end, high_watermark, 1000, config)
}

fn with_min(min_in_sync: u32) -> Config {
    Config { min_in_sync, ..Config::default() }
}

#[track_caller]
fn fetch(leader: &mut Leader, now_ms: u64, follower: i32, from: u64) {
    let epoch = leader.epoch();
    let what = format!("R3.16: broker {follower}'s fetch from {from} in the leader's epoch");
    leader.fetched(now_ms, follower, epoch, from).works(&what);
}

// Step 1: when 0, 1 and all are answered.

fn step_1_acks_0_and_1_do_not_wait() {
    let leader = leader(3, 10, 7);
    for last in [0, 6, 7, 9] {
        for acks in [Acks::None, Acks::Leader] {
            let what = format!("{acks:?}, a batch up to offset {last}, high watermark 7");
            check("R3.1", what, leader.answer(acks, last), Answer::Now);
        }
    }
}

fn step_1_all_waits_for_the_watermark() {
    let leader = leader(3, 10, 7);
    for (last, expected) in
        [(0, Answer::Now), (5, Answer::Now), (8, Answer::Wait), (9, Answer::Wait)]
    {
        let what = format!("acks=all, a batch up to offset {last}, high watermark 7");
        check("R3.2", what, leader.answer(Acks::All, last), expected);
    }
}

fn step_1_the_last_record_counts() {
    let what = "acks=all, a batch up to offset 6, high watermark 7: 6 is the last that all have";
    check("R3.2", what, leader(3, 10, 7).answer(Acks::All, 6), Answer::Now);
    let what = "acks=all, a batch up to offset 7, high watermark 7: not all have 7";
    check("R3.2", what, leader(3, 10, 7).answer(Acks::All, 7), Answer::Wait);
    let what = "acks=all, the first record of a log, high watermark 0";
    check("R3.2", what, leader(3, 1, 0).answer(Acks::All, 0), Answer::Wait);
}

fn step_1_alone_nobody_waits() {
    let mut leader = leader(1, 0, 0);
    for last in 0..5 {
        leader.appended(last + 1);
        for acks in [Acks::None, Acks::Leader, Acks::All] {
            let what = format!("{acks:?}, one replica, a batch up to offset {last}");
            check("R3.2", what, leader.answer(acks, last), Answer::Now);
        }
        let what = "acks=all, one replica, what is not there yet";
        check("R3.2", what, leader.answer(Acks::All, last + 1), Answer::Wait);
    }
    check("R3.12", "alone, acks=all", leader.may_append(Acks::All), Ok(()));
    check("R3.8", "alone, the in-sync set", leader.wanted_in_sync(), None);
    check("R3.8", "alone, the deadline", leader.deadline(), None);
}

fn step_1_given_the_number_on_the_wire() {
    let expected = [
        (0, Some(Acks::None)),
        (1, Some(Acks::Leader)),
        (-1, Some(Acks::All)),
        (2, None),
        (-2, None),
        (i16::MAX, None),
    ];
    for (wire, acks) in expected {
        check("R3.1", format!("acks {wire}, which is given"), Acks::from_wire(wire), acks);
    }
}

fn step_1_transcript() {
    let script = "
        # Three replicas. The leader's log ends at 10, and below 7 all have everything.
        leader 1 of 1 2 3 end=10 watermark=7
        answer 0 9
        answer 1 9
        answer all 9
        answer all 7
        answer all 6

        # One replica: all of those in sync is the leader alone.
        leader 1 of 1
        produce 1 3
        produce all 3";
    check_transcript(&LAB, "answer", &transcript(script));
}

// Step 2: the high watermark is the slowest replica in sync.

fn step_2_the_slowest_in_sync() {
    for (two, three, expected) in [(5, 8, 5), (8, 5, 5), (10, 9, 9), (10, 10, 10), (4, 4, 4)] {
        let mut leader = leader(3, 10, 3);
        fetch(&mut leader, 1000, 2, 3);
        fetch(&mut leader, 1000, 3, 3);
        fetch(&mut leader, 1000, 2, two);
        fetch(&mut leader, 1000, 3, three);
        let what = format!("log ends 10 (leader), {two} and {three}");
        check("R3.4", what, leader.high_watermark(), expected);
    }
}

fn step_2_a_fetch_says_what_is_below_it() {
    let mut leader = leader(2, 3, 0);
    for from in 0..=3 {
        fetch(&mut leader, 1000, 2, from);
        let what = format!("the follower fetches from {from}, so it has what is below");
        check("R3.4", what, leader.high_watermark(), from);
    }
    leader.appended(5);
    check("R3.4", "the leader appends, the follower has not", leader.high_watermark(), 3);
    check("R3.2", "acks=all for offset 4", leader.answer(Acks::All, 4), Answer::Wait);
    fetch(&mut leader, 1001, 2, 5);
    check("R3.4", "the follower has it too", leader.high_watermark(), 5);
    check("R3.2", "acks=all for offset 4", leader.answer(Acks::All, 4), Answer::Now);
}

fn step_2_a_leader_alone_in_sync() {
    let mut leader = leading(&[1, 2, 3], &[1], 10, 4, Config::default());
    let what = "elected with nobody else in sync, log end 10: the leader's own log end counts";
    check("R3.4", what, leader.high_watermark(), 10);
    leader.appended(12);
    check("R3.4", "alone in sync, log end 12", leader.high_watermark(), 12);
    let what = "a watermark was handed down that is past the log end";
    check("R3.4", what, self::leader(2, 5, 9).high_watermark(), 5);
}

fn step_2_who_is_not_in_sync_does_not_count() {
    let mut leader = leading(&[1, 2, 3], &[1, 2], 10, 4, Config::default());
    fetch(&mut leader, 1000, 2, 9);
    let what = "broker 2 has what is below 9; broker 3 is not in sync, and nobody has heard of it";
    check("R3.4", what, leader.high_watermark(), 9);
}

fn step_2_a_new_leader_waits_for_first_fetches() {
    let mut leader = leader(3, 10, 7);
    let what = "just elected: broker 2 and 3 are in sync, and how far they are is not known";
    check("R3.6", what, leader.high_watermark(), 7);
    leader.appended(12);
    check("R3.6", "the leader appends, nobody has fetched", leader.high_watermark(), 7);
    fetch(&mut leader, 1000, 3, 12);
    check("R3.6", "broker 3 has fetched, broker 2 has not", leader.high_watermark(), 7);
    fetch(&mut leader, 1000, 2, 11);
    check("R3.6", "both have fetched, from 11 and 12", leader.high_watermark(), 11);
    let mut leader = self::leader(3, 10, 0);
    fetch(&mut leader, 1000, 2, 10);
    check("R3.6", "from watermark 0 on, one of two has fetched", leader.high_watermark(), 0);
}

fn step_2_it_never_goes_back() {
    let mut leader = leader(2, 10, 7);
    fetch(&mut leader, 1000, 2, 5);
    let what = "a new leader has heard of watermark 7; its follower begins at 5";
    check("R3.5", what, leader.high_watermark(), 7);
    fetch(&mut leader, 1000, 2, 9);
    check("R3.5", "the follower has come to 9", leader.high_watermark(), 9);
    fetch(&mut leader, 1000, 2, 8);
    check("R3.5", "the follower fetches from 8 again", leader.high_watermark(), 9);
    let mut leader = leading(&[1, 2, 3], &[1, 2], 10, 4, Config::default());
    fetch(&mut leader, 1000, 2, 10);
    leader.in_sync_agreed(&[1, 2, 3]);
    leader.appended(11);
    let what = "broker 3 is agreed to be in sync, and how far it is is not known";
    check("R3.5", what, leader.high_watermark(), 10);
}

fn step_2_who_is_no_follower_is_refused() {
    let mut leader = leader(3, 10, 7);
    for stranger in [1, 9] {
        let (got, replicas) = (leader.fetched(1000, stranger, 4, 5), vec![1, 2, 3]);
        let expected = Refused::NotAReplica { follower: stranger, leader: 1, replicas };
        check("R3.4", format!("broker {stranger} fetches as a follower"), got, Err(expected));
    }
    let expected = Refused::OffsetOutOfRange { from: 11, log_end: 10 };
    check("R3.4", "a fetch past the log end", leader.fetched(1000, 2, 4, 11), Err(expected));
    check("R3.4", "nothing has come of it", leader.followers()[0].log_end, None);
}

fn step_2_transcript() {
    let script = "
        # Three replicas, all in sync, all empty.
        leader 1 of 1 2 3
        fetch 2 0
        fetch 3 0
        # A batch of three. The producer waits until both followers have it.
        produce all 3
        fetch 2 3
        # Broker 3 has what is below 2, and so do all. Offset 2 is still missing.
        fetch 3 2
        produce all 2
        fetch 2 5
        fetch 3 3
        fetch 3 5";
    check_transcript(&LAB, "watermark", &transcript(script));
}

fn step_2_any_history() {
    histories(Level::Watermark);
}

// Step 3: who is in sync.

const LAG_MS: u64 = 30_000;

fn step_3_the_leader_is_always_in_sync() {
    let mut leader = leader(3, 10, 10);
    fetch(&mut leader, 2000, 2, 10);
    fetch(&mut leader, 2000, 3, 10);
    let wanted = leader.wanted_in_sync().unwrap_or(leader.in_sync().to_vec());
    let what = format!("broker 1 leads, all have everything, and {wanted:?} should be in sync");
    check("R3.20", format!("{what}: with the leader"), wanted.contains(&1), true);
}

fn step_3_too_long_behind_leaves() {
    let mut leader = leader(3, 10, 10);
    fetch(&mut leader, 2000, 2, 10);
    fetch(&mut leader, 2000, 3, 10);
    leader.appended(11);
    fetch(&mut leader, 2500, 3, 11);
    leader.tick(2000 + LAG_MS);
    let what = "broker 2 had everything exactly 30,000 ms ago";
    check("R3.8", what, leader.wanted_in_sync(), None);
    leader.tick(2000 + LAG_MS + 1);
    let what = "broker 2 had everything 30,001 ms ago, broker 3 has it now";
    check("R3.8", what, leader.wanted_in_sync(), Some(vec![1, 3]));
    // It still fetches, and gets nowhere.
    fetch(&mut leader, 2000 + LAG_MS + 2, 2, 10);
    let what = "broker 2 fetches from 10 again; the log ends at 11";
    check("R3.8", what, leader.wanted_in_sync(), Some(vec![1, 3]));
    fetch(&mut leader, 2000 + LAG_MS + 3, 2, 11);
    check("R3.8", "broker 2 fetches from the log end", leader.wanted_in_sync(), None);
}

fn step_3_who_never_had_everything_lags() {
    let mut leader = leading(&[1, 2], &[1], 10, 10, Config::default());
    fetch(&mut leader, 2000, 2, 4);
    let what = "broker 2 is not in sync, and never had all that the leader has: it keeps up";
    check("R3.8", what, leader.followers()[0].keeps_up, false);
}

fn step_3_with_all_there_is_nobody_lags() {
    let mut leader = leader(2, 10, 10);
    fetch(&mut leader, 2000, 2, 10);
    leader.tick(2000 + 100 * LAG_MS);
    let what = "nothing was appended, and the last fetch was long ago";
    check("R3.8", what, leader.wanted_in_sync(), None);
    check("R3.8", "nobody is behind, so no deadline", leader.deadline(), None);
}

fn step_3_behind_and_keeping_up_stays() {
    let mut leader = leader(2, 10, 10);
    let (mut now_ms, mut end) = (2000, 10);
    for _ in 0..200 {
        // Each fetch is from where the log ended at the fetch before, and the log has grown since.
        fetch(&mut leader, now_ms, 2, end);
        leader.appended(end + 10);
        now_ms += 500;
        fetch(&mut leader, now_ms, 2, end);
        end += 10;
        leader.tick(now_ms);
    }
    check("R3.9", "never at the log end for long, never far behind", leader.wanted_in_sync(), None);
    // The same, but it needs two fetches for what comes in the time of one.
    let mut from = end;
    for _ in 0..200 {
        end += 10;
        leader.appended(end);
        from += 5;
        now_ms += 500;
        fetch(&mut leader, now_ms, 2, from);
    }
    let what = "farther behind with each fetch, for 100 seconds";
    check("R3.8", what, leader.wanted_in_sync(), Some(vec![1]));
    // When it last had everything is the time of the fetch before.
    let mut leader = self::leader(2, 10, 10);
    fetch(&mut leader, 2000, 2, 4);
    fetch(&mut leader, 9000, 2, 10);
    leader.appended(20);
    fetch(&mut leader, 12_000, 2, 15);
    leader.appended(30);
    fetch(&mut leader, 20_000, 2, 20);
    leader.tick(12_000 + LAG_MS);
    let what = "at 20,000 it had what was the log end at 12,000";
    check("R3.9", what, leader.wanted_in_sync(), None);
    leader.tick(12_000 + LAG_MS + 1);
    check("R3.9", what, leader.wanted_in_sync(), Some(vec![1]));
}

fn step_3_an_election_throws_nobody_out() {
    let mut leader = leader(3, 10, 7);
    check("R3.8", "just elected", leader.wanted_in_sync(), None);
    fetch(&mut leader, 1000, 2, 3);
    leader.tick(1000 + LAG_MS);
    let what = "both count as caught up at the election, 30,000 ms ago";
    check("R3.8", what, leader.wanted_in_sync(), None);
    fetch(&mut leader, 1000 + LAG_MS, 2, 10);
    leader.tick(1000 + LAG_MS + 1);
    let what = "30,001 ms after the election broker 3 has not fetched";
    check("R3.8", what, leader.wanted_in_sync(), Some(vec![1, 2]));
}

fn step_3_a_leaver_counts_until_it_is_agreed() {
    let mut leader = leader(3, 10, 7);
    fetch(&mut leader, 1000, 2, 10);
    fetch(&mut leader, 1000, 3, 8);
    fetch(&mut leader, 1000 + LAG_MS, 2, 10);
    leader.tick(1000 + LAG_MS + 1);
    check("R3.8", "broker 3 should leave", leader.wanted_in_sync(), Some(vec![1, 2]));
    let what = "broker 3 should leave, and could still be elected: it counts";
    check("R3.7", what, leader.high_watermark(), 8);
    check("R3.7", "the agreed set is as before", leader.in_sync(), &[1, 2, 3]);
    leader.in_sync_agreed(&[1, 2]);
    check("R3.7", "it is agreed, so broker 3 counts no more", leader.high_watermark(), 10);
    check("R3.7", "the agreed set", leader.in_sync(), &[1, 2]);
    check("R3.8", "it is as it should be", leader.wanted_in_sync(), None);
}

fn step_3_who_has_the_watermark_joins() {
    let mut leader = leading(&[1, 2, 3], &[1, 2], 10, 10, Config::default());
    fetch(&mut leader, 1000, 2, 10);
    leader.appended(20);
    fetch(&mut leader, 1001, 2, 15);
    check("R3.4", "broker 2 is at 15 of 20", leader.high_watermark(), 15);
    fetch(&mut leader, 1002, 3, 14);
    let what = "broker 3 has what is below 14; the high watermark is 15";
    check("R3.10", what, leader.wanted_in_sync(), None);
    fetch(&mut leader, 1003, 3, 15);
    let what = "broker 3 has what is below 15, the high watermark; the log end is 20";
    check("R3.10", what, leader.wanted_in_sync(), Some(vec![1, 2, 3]));
    leader.in_sync_agreed(&[1, 2, 3]);
    check("R3.10", "it is agreed", leader.in_sync(), &[1, 2, 3]);
    check("R3.10", "it is as it should be", leader.wanted_in_sync(), None);
}

fn step_3_nobody_joins_below_the_epochs_start() {
    // A new leader: its log ends at 10, and it has heard of the watermark 4.
    let mut leader = leading(&[1, 2, 3], &[1, 2], 10, 4, Config::default());
    fetch(&mut leader, 1000, 3, 6);
    let what = "broker 3 has the watermark 4, but 6 to 9 may be committed too";
    check("R3.10", what, leader.wanted_in_sync(), None);
    fetch(&mut leader, 1000, 3, 9);
    check("R3.10", "one record is missing", leader.wanted_in_sync(), None);
    fetch(&mut leader, 1000, 3, 10);
    let what = "broker 3 has all that the leader had when it was elected";
    check("R3.10", what, leader.wanted_in_sync(), Some(vec![1, 2, 3]));
}

fn step_3_a_joiner_counts_at_once() {
    let mut leader = leading(&[1, 2, 3], &[1, 2], 10, 10, Config::default());
    fetch(&mut leader, 1000, 2, 10);
    fetch(&mut leader, 1000, 3, 10);
    check("R3.10", "broker 3 should join", leader.wanted_in_sync(), Some(vec![1, 2, 3]));
    leader.appended(12);
    fetch(&mut leader, 1000, 2, 12);
    let what = "the coordinator may have agreed already: broker 3 counts before the answer is here";
    check("R3.7", what, leader.high_watermark(), 10);
    check("R3.2", "acks=all for offset 11", leader.answer(Acks::All, 11), Answer::Wait);
    fetch(&mut leader, 1000, 3, 11);
    check("R3.7", "broker 3 has come to 11", leader.high_watermark(), 11);
    check("R3.7", "a joiner cannot leave", leader.deadline(), None);
    // It stays one that wants to join while it is not told.
    leader.tick(1000 + 2 * LAG_MS);
    let wanted = leader.wanted_in_sync();
    check(
        "R3.7",
        "no answer for long, and broker 3 may be in the set",
        wanted,
        Some(vec![1, 2, 3]),
    );
    leader.in_sync_agreed(&[1, 2, 3]);
    fetch(&mut leader, 1000 + 3 * LAG_MS, 2, 12);
    check("R3.8", "it has as long as after an election", leader.wanted_in_sync(), None);
    leader.tick(1000 + 3 * LAG_MS + 1);
    check("R3.8", "and lags then", leader.wanted_in_sync(), Some(vec![1, 2]));
}

fn step_3_a_refused_joiner_counts_no_more() {
    let mut leader = leading(&[1, 2, 3], &[1, 2], 10, 10, Config::default());
    fetch(&mut leader, 1000, 2, 10);
    fetch(&mut leader, 1000, 3, 10);
    leader.appended(12);
    fetch(&mut leader, 1000, 2, 12);
    check("R3.7", "broker 3 counts while nobody has answered", leader.high_watermark(), 10);
    leader.in_sync_agreed(&[1, 2]);
    check("R3.7", "the old set again: refused", leader.high_watermark(), 12);
    check("R3.7", "nothing is wanted until it fetches again", leader.wanted_in_sync(), None);
    fetch(&mut leader, 1001, 3, 12);
    check("R3.10", "it fetches again", leader.wanted_in_sync(), Some(vec![1, 2, 3]));
    leader.in_sync_agreed(&[1, 2]);
    fetch(&mut leader, 1002, 3, 4);
    leader.appended(13);
    fetch(&mut leader, 1003, 2, 13);
    let what = "refused again, for it had died, and it is back with less";
    check("R3.7", what, leader.high_watermark(), 13);
}

fn step_3_the_order_is_that_of_the_replicas() {
    let mut leader = Leader::elected(7, 0, &[3, 9, 7, 5], &[7, 5], 0, 0, 0, Config::default());
    check("R3.20", "the agreed set", leader.in_sync(), &[7, 5]);
    fetch(&mut leader, 0, 9, 0);
    fetch(&mut leader, 0, 3, 0);
    let wanted = leader.wanted_in_sync();
    let joined = wanted.clone().map(|mut ids| {
        ids.sort_unstable();
        ids
    });
    check("R3.10", "9 and 3 may join, in any order", joined, Some(vec![3, 5, 7, 9]));
    check("R3.20", "in the order of the replicas", wanted, Some(vec![3, 9, 7, 5]));
    leader.in_sync_agreed(&[5, 7, 9, 3]);
    check("R3.20", "told in another order", leader.in_sync(), &[3, 9, 7, 5]);
    check("R3.20", "another order is no change", leader.wanted_in_sync(), None);
}

fn step_3_a_leader_under_load_does_not_stay_alone() {
    let mut leader = leading(&[1, 2], &[1], 0, 0, Config::default());
    leader.appended(1000);
    check("R3.4", "alone in sync", leader.high_watermark(), 1000);
    // Whenever the follower comes, the log has grown.
    fetch(&mut leader, 2000, 2, 0);
    leader.appended(1010);
    let what = "broker 2 is far behind: nobody waits for it";
    check("R3.7", what, leader.high_watermark(), 1010);
    fetch(&mut leader, 2010, 2, 1000);
    let what = "broker 2 had at 2010 what was there at 2000. It may not join, but it keeps up";
    check("R3.10", what, leader.wanted_in_sync(), None);
    leader.appended(1020);
    check("R3.7", "the watermark waits for who keeps up", leader.high_watermark(), 1010);
    fetch(&mut leader, 2020, 2, 1010);
    check("R3.10", "now it has the watermark", leader.wanted_in_sync(), Some(vec![1, 2]));
    // Who stops keeping up is not waited for any longer.
    let mut leader = leading(&[1, 2], &[1], 0, 0, Config::default());
    leader.appended(10);
    fetch(&mut leader, 2000, 2, 0);
    fetch(&mut leader, 2010, 2, 9);
    leader.appended(20);
    check("R3.4", "broker 2 does not keep up", leader.high_watermark(), 20);
    fetch(&mut leader, 2020, 2, 10);
    leader.appended(30);
    check("R3.7", "at 2020 it has what was there at 2010", leader.high_watermark(), 20);
    check("R3.8", "until when it is waited for", leader.deadline(), Some(2010 + LAG_MS + 1));
    leader.tick(2010 + LAG_MS);
    check("R3.7", "it is waited for", leader.high_watermark(), 20);
    leader.tick(2010 + LAG_MS + 1);
    check("R3.7", "it is not waited for any more", leader.high_watermark(), 30);
}

fn step_3_the_dead_are_not_waited_for() {
    let mut leader = leading(&[1, 2], &[1], 0, 0, Config::default());
    leader.appended(10);
    fetch(&mut leader, 2000, 2, 5);
    leader.appended(20);
    fetch(&mut leader, 2010, 2, 10);
    leader.appended(30);
    check("R3.7", "broker 2 keeps up, and is waited for", leader.high_watermark(), 20);
    leader.gone(2);
    check("R3.7", "the coordinator says that broker 2 is dead", leader.high_watermark(), 30);
    fetch(&mut leader, 2020, 2, 3);
    leader.appended(40);
    check("R3.7", "it is back with less", leader.high_watermark(), 40);
    let mut leader = self::leader(2, 10, 5);
    leader.gone(2);
    check("R3.7", "dead, and still in the agreed set", leader.high_watermark(), 5);
    leader.in_sync_agreed(&[1]);
    check("R3.7", "and now out of it", leader.high_watermark(), 10);
}

fn step_3_the_deadline_is_when_somebody_leaves() {
    let mut leader = leader(3, 10, 10);
    check("R3.8", "nobody has fetched", leader.deadline(), Some(1000 + LAG_MS + 1));
    fetch(&mut leader, 3000, 2, 10);
    fetch(&mut leader, 2000, 3, 10);
    check("R3.8", "both have everything", leader.deadline(), None);
    leader.appended(11);
    // Time does not go back: broker 3's fetch came at 3000 too.
    check("R3.8", "both are behind now", leader.deadline(), Some(3000 + LAG_MS + 1));
    fetch(&mut leader, 4000, 3, 11);
    check("R3.8", "broker 2 is", leader.deadline(), Some(3000 + LAG_MS + 1));
    leader.tick(3000 + LAG_MS);
    check("R3.8", "a tick that is early", leader.deadline(), Some(3000 + LAG_MS + 1));
    check("R3.8", "a tick that is early", leader.wanted_in_sync(), None);
    leader.tick(3000 + LAG_MS + 1);
    check("R3.8", "at the deadline", leader.wanted_in_sync(), Some(vec![1, 3]));
    check("R3.8", "it is seen, so nothing more comes", leader.deadline(), None);
    leader.in_sync_agreed(&[1, 2, 3]);
    let again = leader.deadline();
    check("R3.8", "refused, so it is to be asked again", again, Some(3000 + LAG_MS + 1));
    // Both had everything, and broker 3 has been silent for long when something comes.
    let mut leader = self::leader(3, 10, 10);
    fetch(&mut leader, 2000, 2, 10);
    fetch(&mut leader, 2000, 3, 10);
    fetch(&mut leader, 2000 + 2 * LAG_MS, 2, 10);
    leader.tick(2000 + 2 * LAG_MS);
    check("R3.8", "both have everything", leader.deadline(), None);
    leader.appended(11);
    check("R3.8", "broker 3 is behind, and overdue", leader.deadline(), Some(2000 + LAG_MS + 1));
    leader.tick(2000 + 2 * LAG_MS);
    check("R3.8", "broker 3 should leave", leader.wanted_in_sync(), Some(vec![1, 2]));
    check("R3.8", "broker 2 is next", leader.deadline(), Some(2000 + 3 * LAG_MS + 1));
    fetch(&mut leader, 2000 + 2 * LAG_MS, 2, 11);
    fetch(&mut leader, 2001 + 2 * LAG_MS, 3, 11);
    leader.appended(12);
    fetch(&mut leader, 2002 + 2 * LAG_MS, 2, 12);
    let again = leader.deadline();
    check("R3.8", "broker 3 is back, and behind again", again, Some(2001 + 3 * LAG_MS + 1));
}

fn step_3_shrink_transcript() {
    let script = "
        # Three replicas, all in sync. A follower may be behind for 30,000 ms.
        leader 1 of 1 2 3 lag=30000
        @0 fetch 2 0
        fetch 3 0
        produce all 5
        @500 fetch 2 5
        # Broker 3 is stuck: nothing comes from it any more. The producer waits.
        wanted
        @30000 fetch 2 5
        wanted
        @30001 tick
        wanted
        # Wanted is not agreed: broker 3 may still be elected, so it still counts.
        agreed 1 2
        produce all 2
        @30002 fetch 2 7";
    check_transcript(&LAB, "shrink", &transcript(script));
}

fn step_3_grow_transcript() {
    let script = "
        # Broker 3 was away, and comes back with 4 of 10 records.
        leader 1 of 1 2 3 in-sync 1 2 end=10 watermark=10
        @1000 fetch 2 10
        fetch 3 4
        wanted
        @1010 fetch 3 10
        wanted
        # From now on it counts, though the coordinator has not answered: it may have agreed already.
        produce all 2
        @1020 fetch 2 12
        agreed 1 2 3
        @1030 fetch 3 12
        # Had it refused, broker 3 would count no more.
        leader 1 of 1 2 3 in-sync 1 2 end=10 watermark=10
        @2000 fetch 2 10
        fetch 3 10
        produce all 2
        @2010 fetch 2 12
        agreed 1 2";
    check_transcript(&LAB, "grow", &transcript(script));
}

fn step_3_any_history() {
    histories(Level::InSync);
}

// Step 4: min.insync.replicas.

fn refused(in_sync: usize, min: usize) -> Result<(), Refused> {
    Err(Refused::NotEnoughReplicas { in_sync, min })
}

/// Whether a batch may be appended. A refusal with another minimum breaks another rule.
#[track_caller]
fn check_append(what: impl AsRef<str>, leader: &Leader, acks: Acks, expected: Result<(), Refused>) {
    let got = leader.may_append(acks);
    let min = leader.replicas().len().min(leader.config().min_in_sync as usize);
    check(append_rule(&got, min), what, got, expected);
}

fn step_4_acks_all_is_refused() {
    let leader = leading(&[1, 2, 3], &[1], 10, 10, with_min(2));
    let what = "acks=all, one replica in sync, min.insync.replicas 2";
    check_append(what, &leader, Acks::All, refused(1, 2));
    for acks in [Acks::None, Acks::Leader] {
        let what = format!("{acks:?}, one replica in sync, min.insync.replicas 2");
        check_append(what, &leader, acks, Ok(()));
    }
    let got = leader.may_append(Acks::All).map_err(|refused| refused.to_string());
    let says = "1 in sync, and acks=all needs 2".to_owned();
    check("R3.12", "what the refusal says", got, Err(says));
}

fn step_4_those_in_sync_count_and_nobody_else() {
    for (in_sync, min, expected) in [
        (vec![1, 2, 3], 3, Ok(())),
        (vec![1, 2], 2, Ok(())),
        (vec![1, 2], 3, refused(2, 3)),
        (vec![1], 3, refused(1, 3)),
        (vec![1], 1, Ok(())),
        (vec![1], 0, Ok(())),
    ] {
        let leader = leading(&[1, 2, 3, 4], &in_sync, 10, 10, with_min(min));
        let what = format!("acks=all, {in_sync:?} of 4 replicas in sync, minimum {min}");
        check_append(what, &leader, Acks::All, expected);
    }
    // A joiner makes it stricter, never laxer: it is not agreed yet.
    let mut leader = leading(&[1, 2, 3], &[1], 10, 10, with_min(2));
    fetch(&mut leader, 1000, 2, 10);
    check("R3.10", "broker 2 should join", leader.wanted_in_sync(), Some(vec![1, 2]));
    let what = "acks=all, one in sync and one joining, minimum 2";
    check_append(what, &leader, Acks::All, refused(1, 2));
    leader.in_sync_agreed(&[1, 2]);
    check_append("acks=all, two in sync, minimum 2", &leader, Acks::All, Ok(()));
}

fn step_4_never_more_than_there_are_replicas() {
    for (replicas, min) in [(1, 2), (2, 3), (2, u32::MAX), (3, 7)] {
        let replicas: Vec<i32> = (1..=replicas).collect();
        let leader = leading(&replicas, &replicas, 10, 10, with_min(min));
        let what = format!("acks=all, all of {replicas:?} in sync, min.insync.replicas {min}");
        check("R3.11", what, leader.may_append(Acks::All), Ok(()));
    }
    let leader = leading(&[1, 2], &[1], 10, 10, with_min(5));
    let what = "acks=all, one of two replicas in sync, min.insync.replicas 5";
    check("R3.11", what, leader.may_append(Acks::All), refused(1, 2));
    let mut leader = leading(&[1], &[1], 0, 0, with_min(2));
    leader.appended(3);
    check("R3.11", "one replica, minimum 2: the watermark", leader.high_watermark(), 3);
    check("R3.11", "one replica, minimum 2", leader.answer(Acks::All, 2), Answer::Now);
}

fn step_4_the_watermark_stands_still() {
    let mut leader = leading(&[1, 2], &[1, 2], 1, 1, with_min(2));
    fetch(&mut leader, 1000, 2, 1);
    leader.in_sync_agreed(&[1]);
    check_append("acks=1, one of two in sync", &leader, Acks::Leader, Ok(()));
    leader.appended(4);
    let what = "one of two in sync, minimum 2: acks=1 was appended, log end 4";
    check("R3.13", what, leader.high_watermark(), 1);
    fetch(&mut leader, 1000, 2, 4);
    check("R3.13", "broker 2 has it all, and is not agreed yet", leader.high_watermark(), 1);
    leader.in_sync_agreed(&[1, 2]);
    check("R3.13", "broker 2 is in sync again", leader.high_watermark(), 4);
}

fn step_4_too_few_after_the_append() {
    let mut leader = leading(&[1, 2, 3], &[1, 2, 3], 0, 0, with_min(2));
    leader.appended(2);
    fetch(&mut leader, 1000, 2, 2);
    fetch(&mut leader, 1000, 3, 2);
    check("R3.2", "all three have it", leader.answer(Acks::All, 1), Answer::Now);
    leader.in_sync_agreed(&[1]);
    let too_few = Answer::NotEnoughReplicasAfterAppend;
    let what = "src/answer.rs: acks=all, below the watermark, but one in sync by now, minimum 2";
    check("R3.3", what, leader.answer(Acks::All, 1), too_few);
    check(
        "R3.3",
        "src/answer.rs: acks=1 has not asked for it",
        leader.answer(Acks::Leader, 1),
        Answer::Now,
    );
    check(
        "R3.3",
        "src/answer.rs: acks=0 has not asked for it",
        leader.answer(Acks::None, 1),
        Answer::Now,
    );
    leader.appended(5);
    let what = "acks=all, past the watermark: it waits, whoever is in sync";
    check("R3.2", what, leader.answer(Acks::All, 4), Answer::Wait);
    fetch(&mut leader, 1000, 2, 2);
    let what = "src/answer.rs: acks=all, one in sync and one joining, minimum 2";
    check("R3.3", what, leader.answer(Acks::All, 1), Answer::Now);
}

fn step_4_settings_change_while_it_leads() {
    let mut leader = leading(&[1, 2, 3], &[1], 5, 5, with_min(2));
    leader.appended(8);
    check("R3.13", "minimum 2", leader.high_watermark(), 5);
    leader.configure(with_min(1));
    check("R3.13", "minimum 1 from now on", leader.high_watermark(), 8);
    check_append("minimum 1 from now on", &leader, Acks::All, Ok(()));
    leader.configure(with_min(3));
    check_append("minimum 3 from now on", &leader, Acks::All, refused(1, 3));
    check("R3.5", "the watermark does not go back", leader.high_watermark(), 8);
}

fn step_4_transcript() {
    let script = "
        # Three replicas; acks=all needs two in sync.
        leader 1 of 1 2 3 min=2
        fetch 2 0
        fetch 3 0
        produce all 2
        # Two of three die before they have it. In time they leave the in-sync set.
        agreed 1
        # acks=all is refused now, and nothing is appended. acks=1 goes on, in the log of one machine.
        produce all 1
        produce 1 1
        # But nobody reads it: the high watermark stands still.
        # Broker 2 is back. As soon as it is agreed to be in sync, all goes on.
        @1000 fetch 2 3
        wanted
        agreed 1 2
        produce all 1
        @1010 fetch 2 4

        # With one replica, a minimum of 2 is a minimum of 1.
        leader 1 of 1 min=2
        produce all 1";
    check_transcript(&LAB, "min-in-sync", &transcript(script));
}

fn step_4_any_history() {
    histories(Level::Minimum);
}

// Step 5: who leads next.

/// An election of these replicas, those in sync, those alive. Which rule is broken depends on who could lead, and on who
/// does.
#[track_caller]
fn check_election(
    (replicas, in_sync, alive): (&[i32], &[i32], &[i32]),
    unclean: bool,
    what: &str,
    expected: Option<i32>,
) {
    let got = elect(replicas, in_sync, alive, unclean);
    let clean = expected.is_some_and(|leader| in_sync.contains(&leader));
    let as_if_clean = got.is_some_and(|leader| in_sync.contains(&leader));
    let rule = if clean || as_if_clean && !unclean { "R3.14" } else { "R3.15" };
    let what = format!(
        "{what}of {replicas:?}, in sync {in_sync:?}, alive {alive:?}, unclean allowed: {unclean}"
    );
    check(rule, what, got, expected);
}

fn step_5_the_first_that_is_alive_and_in_sync() {
    for (replicas, in_sync, alive, expected) in [
        (vec![1, 2, 3], vec![1, 2, 3], vec![1, 2, 3], Some(1)),
        (vec![1, 2, 3], vec![1, 2, 3], vec![2, 3], Some(2)),
        (vec![1, 2, 3], vec![1, 3], vec![2, 3], Some(3)),
        (vec![3, 1, 2], vec![1, 2, 3], vec![1, 2], Some(1)),
        (vec![3, 2, 1], vec![1, 2, 3], vec![1, 2], Some(2)),
        (vec![2, 1], vec![2, 1], vec![1], Some(1)),
    ] {
        for unclean in [false, true] {
            check_election((&replicas, &in_sync, &alive), unclean, "", expected);
        }
    }
}

fn step_5_the_dead_are_not_elected() {
    for unclean in [false, true] {
        check_election((&[1, 2], &[1, 2], &[]), unclean, "all are dead: ", None);
        check_election((&[1, 2], &[1, 2], &[7, 8]), unclean, "only others are alive: ", None);
        check_election((&[], &[1], &[1]), unclean, "no replicas: ", None);
    }
}

fn step_5_unclean_only_if_allowed_and_needed() {
    let alone = "1 was alone in sync, and is dead: ";
    check_election((&[1, 3, 2], &[1], &[2, 3]), false, alone, None);
    check_election((&[1, 3, 2], &[1], &[2, 3]), true, alone, Some(3));
    check_election((&[1, 3, 2], &[1, 2], &[2, 3]), true, "2 can lead, so 3 need not: ", Some(2));
}

fn step_5_the_fence() {
    let mut leader = leader(2, 10, 7);
    let (fenced, unknown) = (
        |got| Err(Refused::FencedLeaderEpoch { current: 4, got }),
        |got| Err(Refused::UnknownLeaderEpoch { current: 4, got }),
    );
    for (epoch, expected) in [
        (4, Ok(())),
        (3, fenced(3)),
        (0, fenced(0)),
        (-1, fenced(-1)),
        (5, unknown(5)),
        (i32::MAX, unknown(i32::MAX)),
    ] {
        let what = format!("epoch {epoch}, and the leader has 4");
        check("R3.16", what, leader.check_epoch(epoch), expected.clone());
        let what = format!("a fetch with epoch {epoch}, and the leader has 4");
        check("R3.16", what, leader.fetched(1000, 2, epoch, 8), expected);
    }
}

fn step_5_a_fenced_fetch_changes_nothing() {
    let mut leader = leader(2, 10, 7);
    for epoch in [3, 5] {
        let refused = leader.fetched(5000, 2, epoch, 10).is_err();
        check("R3.16", format!("a fetch with epoch {epoch} is refused"), refused, true);
        check("R3.16", "the watermark", leader.high_watermark(), 7);
        check("R3.16", "the follower's log end", leader.followers()[0].log_end, None);
    }
}

/// Any brokers: nobody dead, nobody who is not in sync if it can be helped, and the first of those.
fn step_5_any_election() {
    for seed in seeds() {
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..100 {
            let mut ids: Vec<i32> = (1..9).collect();
            let mut some = |most: usize| {
                rng.shuffle(&mut ids);
                ids[..rng.usize(0..=most)].to_vec()
            };
            let (replicas, in_sync, alive) = (some(5), some(5), some(8));
            let unclean = some(8).contains(&1);
            let able = |id: &&i32| alive.contains(id);
            let clean = replicas.iter().filter(able).find(|id| in_sync.contains(id));
            let any = replicas.iter().find(able).filter(|_| unclean);
            let what = format!("seed {seed}: ");
            let leader = clean.or(any).copied();
            check_election((&replicas, &in_sync, &alive), unclean, &what, leader);
        }
    }
}

fn step_5_transcript() {
    let script = "
        # Broker 1 led, and dies. Broker 3 was not in sync.
        elect 1 2 3 in-sync 1 2 alive 2 3
        leader 2 of 1 2 3 in-sync 2 epoch=5 end=10 watermark=8
        # Broker 3 does not know yet who leads: it asks with the old epoch.
        fetch 3 6 epoch=4
        fetch 3 6 epoch=5
        # Broker 1 hung, and wakes up. It takes itself for the leader of epoch 4, and is asked with 5.
        leader 1 of 1 2 3 in-sync 1 2 epoch=4 end=11 watermark=8
        produce all 1
        fetch 3 11 epoch=5
        fetch 2 10 epoch=5

        # Broker 2 dies too, and was alone in sync. Broker 3 has less.
        elect 1 2 3 in-sync 2 alive 1 3
        elect 1 2 3 in-sync 2 alive 1 3 unclean";
    check_transcript(&LAB, "election", &transcript(script));
}

fn step_5_any_history() {
    histories(Level::Fenced);
}

// Given, and read in the chapter: where two logs part.

fn step_5_given_epochs_say_where_they_end() {
    let epochs = Epochs::from_entries([(0, 0), (2, 10), (5, 17)]);
    for (epoch, expected) in [
        (0, Some((0, 10))),
        (1, Some((0, 10))),
        (2, Some((2, 17))),
        (4, Some((2, 17))),
        (5, Some((5, 20))),
        (6, None),
    ] {
        let what = format!("the largest epoch up to {epoch}, of 0 at 0, 2 at 10, 5 at 17, end 20");
        check("R3.17", what, epochs.end_of(epoch, 20), expected);
    }
    let cut = Epochs::from_entries([(2, 10), (5, 17)]);
    check("R3.17", "an epoch before all that are kept", cut.end_of(1, 20), Some((1, 10)));
    check("R3.17", "no epochs", Epochs::new().end_of(0, 0), None);
    for (last, from, expected) in [
        (5, 20, None),
        (5, 18, None),
        (2, 17, None),
        (2, 18, Some((2, 17))),
        (1, 10, Some((0, 10))),
        (0, 10, None),
        (0, 11, Some((0, 10))),
        (6, 20, Some((5, 20))),
    ] {
        let what = format!("a fetch from {from}, the last record of epoch {last}");
        check("R3.17", what, epochs.diverging(last, from, 20), expected);
    }
    // A follower with the epochs 0 and 2, whose log ends at 15.
    let mine = Epochs::from_entries([(0, 0), (2, 12)]);
    for (leaders, expected) in [((2, 17), 15), ((2, 14), 14), ((1, 13), 12), ((0, 10), 10)] {
        let what = format!("how much may stay when the leader says {leaders:?}");
        check("R3.17", what, mine.truncate_to(leaders, 15), expected);
    }
}

fn step_5_given_epochs_follow_the_log() {
    let mut epochs = Epochs::new();
    let entries = |epochs: &Epochs| epochs.entries();
    for (epoch, at) in [(0, 0), (0, 5), (1, 7), (1, 9), (4, 12)] {
        epochs.started(epoch, at);
    }
    check("R3.17", "each epoch once", entries(&epochs), vec![(0, 0), (1, 7), (4, 12)]);
    check("R3.17", "the latest", epochs.latest(), Some(4));
    let mut earlier = epochs.clone();
    earlier.started(4, 10);
    let what = "the latest epoch, and it began earlier";
    check("R3.17", what, entries(&earlier), vec![(0, 0), (1, 7), (4, 10)]);
    let at: Vec<_> = [0, 6, 7, 11, 12, 99].map(|offset| epochs.at(offset)).to_vec();
    let expected = [0, 0, 1, 1, 4, 4].map(Some).to_vec();
    check("R3.17", "the epochs at 0, 6, 7, 11, 12 and 99", at, expected);
    epochs.truncated(12);
    check("R3.17", "cut to 12", entries(&epochs), vec![(0, 0), (1, 7)]);
    epochs.started(5, 7);
    check("R3.17", "an epoch in the place of another", entries(&epochs), vec![(0, 0), (5, 7)]);
    epochs.started(6, 20);
    epochs.started(3, 10);
    let what = "what cannot be true beside a new entry goes";
    check("R3.17", what, entries(&epochs), vec![(0, 0), (3, 10)]);
    epochs.start_moved(10);
    check("R3.17", "the log starts at 10", entries(&epochs), vec![(3, 10)]);
    epochs.start_moved(13);
    check("R3.17", "the log starts at 13", entries(&epochs), vec![(3, 13)]);
    check("R3.17", "before the start", epochs.at(12), None);
    epochs.start_moved(5);
    check("R3.17", "a start does not go back", entries(&epochs), vec![(3, 13)]);
    check("R3.17", "again from a file", Epochs::from_entries(epochs.entries()), epochs);
}

fn step_5_given_truncation_transcript() {
    let script = "
        # Broker 1 leads, and has a and b. So has broker 2, and b was acknowledged. But broker 2 has heard
        # of the high watermark 1 only: news of it comes with the next fetch.
        log 1 0a 0b
        log 2 0a 0b
        # Cut by the watermark: broker 2 restarts, and throws b away to be safe. Broker 1 dies, and
        # broker 2 leads.
        cut 2 1
        write 2 1c
        # Broker 1 returns and follows. b was acknowledged, and is gone.
        follow 1 2

        # The same, cut by the epoch: broker 2 restarts and asks its leader first. Nothing is to be cut.
        log 1 0a 0b
        log 2 0a 0b
        follow 2 1
        write 2 1c
        follow 1 2

        # Power fails on both. Broker 2 had not got b. It returns first, leads, and writes c: watermark 2.
        log 1 0a 0b
        log 2 0a 1c
        # Broker 1 returns. Its log ends at 2, and all below 2 is committed: by the watermark it keeps it all.
        copy 1 2
        compare 1 2
        # By the epoch: 0 ended at 1. There the logs part.
        follow 1 2
        compare 1 2";
    check_transcript(&LAB, "truncation", &transcript(script));
}

fn step_5_given_fast_failover_transcript() {
    let script = "
        # Elections in quick succession: broker 1 wrote in epoch 2, broker 2 in the epochs 1 and 3.
        log 1 0a 0b 2e 2f
        log 2 0a 1c 1d 3g
        # Before KIP-279 the leader said where the epoch ends, and not which one it means. 1 is not 2, so
        # the follower keeps what it should not.
        follow 1 2 end-only
        compare 1 2
        # With the epoch in the answer they step back until they meet.
        log 1 0a 0b 2e 2f
        follow 1 2
        compare 1 2";
    check_transcript(&LAB, "fast-failover", &transcript(script));
}

/// Any two logs whose epochs each had one leader: the follower ends with the leader's log, and cuts nothing that both
/// have.
fn step_5_given_any_two_logs_meet() {
    for seed in seeds() {
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..50 {
            // Both begin alike. Then each has epochs of its own.
            let mut logs = [Vec::new(), Vec::new()];
            let mut epoch = 0;
            for _ in 0..rng.usize(0..4) {
                epoch += rng.i32(0..3);
                let records = rng.usize(1..4);
                logs.iter_mut().for_each(|log| log.extend(vec![epoch; records]));
            }
            let common = logs[0].len();
            for _ in 0..rng.usize(0..6) {
                epoch += 1;
                let (one, records) = (rng.usize(0..2), rng.usize(1..4));
                logs[one].extend(vec![epoch; records]);
            }
            let [mut mine, its] = logs.clone();
            let epochs = |log: &[i32]| {
                Epochs::from_entries(log.iter().zip(0..).map(|(epoch, at)| (*epoch, at)))
            };
            let leader = {
                let mut epochs = epochs(&its);
                epochs.started(epoch + 1, its.len() as u64);
                epochs
            };
            for round in 0.. {
                assert!(round < 20, "R3.17: seed {seed}: {logs:?} never meet");
                let (end, its_end) = (mine.len() as u64, its.len() as u64);
                let known = epochs(&mine);
                let Some(last) = known.latest() else { break };
                let Some(diverging) = leader.diverging(last, end, its_end) else { break };
                mine.truncate(known.truncate_to(diverging, end) as usize);
            }
            let what = format!("seed {seed}: {logs:?}, what both have");
            check("R3.17", &what, mine.len() >= common.min(its.len()), true);
            check("R3.17", what, its.starts_with(&mine), true);
        }
    }
}

// Given, and read in the chapter: batches that come twice.

fn step_5_given_producers_transcript() {
    let script = "
        # Producer 7 counts its records: 0, 1, 2, …
        batch 7 3 first=0
        batch 7 2 first=3
        # No answer came, so it sends the batch again: it is told where the batch is.
        batch 7 2 first=3
        batch 7 3 first=0
        # A batch in between is missing. And a part of a batch is not that batch.
        batch 7 1 first=6
        batch 7 1 first=3
        # The last five batches are remembered, and no more.
        batch 7 1 first=5
        batch 7 1 first=6
        batch 7 1 first=7
        batch 7 1 first=8
        batch 7 2 first=3
        batch 7 3 first=0
        # Another producer has taken over the id: it begins at 0, and the old one is out.
        batch 7 1 epoch=1 first=9
        batch 7 1 epoch=1 first=0
        batch 7 1 epoch=0 first=9
        # Nobody has heard of producer 8: it may be older than what is left of the log.
        batch 8 1 first=70
        # After the largest number comes 0.
        batch 9 2 first=2147483646
        batch 9 2 first=0
        batch 9 2 first=2147483646
        batch 5 3 first=2147483646
        batch 5 1 first=1
        # Whoever is silent for producer.id.expiration.ms is forgotten.
        @500 batch 8 1 first=71
        @1499 expire
        batch 8 1 first=80
        @1500 expire
        batch 8 1 first=80";
    check_transcript(&LAB, "producers", &transcript(script));
}

fn step_5_given_producers_after_a_cut_and_a_restart() {
    let mut producers = Producers::new(1000);
    for n in 0..8 {
        producers.appended(7, 0, n * 2, 2, 100 + n as u64 * 2, n.into());
    }
    // Two of the batches are cut: they are expected again.
    producers.truncated(112);
    check("R3.18", "what was cut", producers.check(7, 0, 12, 2), Ok(Sequence::Next));
    let gap = OutOfOrder::Sequence { producer: 7, expected: 12, got: 16 };
    check("R3.18", "what came after it", producers.check(7, 0, 16, 2), Err(gap));
    let again = producers.check(7, 0, 10, 2);
    let found = matches!(again, Ok(Sequence::Again(stored)) if stored.first_offset == 110);
    check("R3.18", format!("what was not cut: {again:?}"), found, true);
    // A cut through the middle of a batch takes the batch.
    producers.truncated(111);
    check("R3.18", "half cut", producers.check(7, 0, 10, 2), Ok(Sequence::Next));
    // All that is remembered is cut, and still not just any batch is the next.
    producers.truncated(0);
    check("R3.18", "all cut", producers.check(7, 0, 6, 2), Ok(Sequence::Next));
    let gap = OutOfOrder::Sequence { producer: 7, expected: 6, got: 0 };
    check("R3.18", "older than all that was remembered", producers.check(7, 0, 0, 2), Err(gap));
    let entries: Vec<_> = producers.entries().cloned().collect();
    check("R3.18", "from a snapshot", Producers::restore(1000, entries), producers);
}

fn step_5_given_kafkas_leader_answers_the_same() {
    let mut batches = 0;
    for (story, batch) in parity::batches() {
        let parity::Batch { producer, epoch, first_sequence, count, .. } = batch;
        let what = format!(
            "{story}: producer {producer}, epoch {epoch}, {count} records from {first_sequence} on"
        );
        let got = match parity::answer(&story, &batch) {
            Ok((offset, time_ms)) => format!("offset {offset}, time {time_ms}"),
            Err(OutOfOrder::Sequence { .. }) => "error 45".to_owned(),
            Err(OutOfOrder::Epoch { .. }) => "error 47".to_owned(),
        };
        check("R3.18", format!("{what}, as Kafka 4.1.1 answered it"), got, batch.answer);
        batches += 1;
    }
    check("R3.18", "batches to compare", batches > 30, true);
}

// The loss matrix: all steps together.

const SEED: u64 = 1296;

fn step_5_all_in_sync_of_one_is_acks_1() {
    for unclean in [false, true] {
        let [one, all] = [Acks::Leader, Acks::All].map(|acks| row(SEED, acks, 1, unclean, true));
        let what = "acks=all with the leader alone in sync, as acks=1";
        check("R3.19", what, Row { acks: Acks::Leader, ..all.clone() }, one);
        check("R3.19", "records lost, if unclean is allowed", all.lost > 0, unclean);
    }
}

/// Even with a minimum of 2. Broker 2 left the in-sync set first. What 1 and 3 had was acknowledged then, until 3 left
/// too. Broker 1 dies, and 2 is elected.
fn step_5_unclean_keeps_no_promise() {
    for (unclean, expected) in [(false, 0), (true, 2)] {
        let what = format!("acks=all, minimum 2, unclean allowed: {unclean}: records lost");
        check("R3.15", what, row(SEED, Acks::All, 2, unclean, true).lost, expected);
    }
}

fn step_5_matrix_transcript() {
    let script = format!(
        "
        # The leader's machine dies, under each setting. A producer sends a record every millisecond, 240
        # in all. The pause is the longest time in milliseconds in which nothing was appended.
        dies seed={SEED}"
    );
    check_transcript(&LAB, "matrix", &transcript(&script));
}

fn step_5_loss_transcript() {
    let script = format!(
        "
        # min.insync.replicas=1, unclean.leader.election.enable=true
        dies seed={SEED} min=1 unclean"
    );
    check_transcript(&LAB, "loss", &transcript(&script));
}

/// Any seed: what may not be lost is not lost, and what may is.
fn step_5_any_machine_dies() {
    for seed in seeds().into_iter().take(4) {
        for row in matrix(seed) {
            let what = |what: &str| format!("seed {seed}: {what}: {row}");
            check("R3.17", what("all replicas are alike in the end"), row.agree, true);
            check(
                "R3.2",
                what("all records are acknowledged in the end"),
                row.acknowledged,
                RECORDS,
            );
            if row.acks == Acks::All && (!row.behind || !row.unclean) {
                check("R3.14", what("nothing acknowledged is lost"), row.lost, 0);
            }
            if row.acks == Acks::All && row.min_in_sync == 2 {
                let few = row.lost < 15; // what came between the leaving of two followers
                check("R3.12", what("next to nothing acknowledged is lost"), few, true);
            }
            if row.acks == Acks::Leader && row.behind && row.unclean {
                check("R3.15", what("what only the dead leader had is lost"), row.lost > 30, true);
            }
            if row.acks == Acks::None {
                check("R3.1", what("nothing is sent twice"), row.doubled, 0);
            }
            if !row.unclean && row.behind {
                check("R3.15", what("nobody but broker 1 leads"), &row.led[..], &[1, 1]);
            }
        }
    }
}

//! Lab 4's tests, step by step. Run those of one step with `cargo test -p consumer-groups step_1`.
//!
//! In each step small asserts come first, then transcripts, then what Kafka answered, then what chance asks. What is
//! given (sticky plans, static members, who is admitted, how a group is saved) is tested under the step that it needs. A
//! test whose name has `given` needs no step at all.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use consumer_groups::{
    Act, Config, Error, Event, Group, Join, Metadata, Next, Plan, State, act, cooperative,
    next_offset, range, round_robin, sticky,
};
use grader::{Lab, Works, check, check_transcript};
use support::clients::{Level, histories, seeds};
use support::crash::{Order, crashes, sleeper};
use support::parity::{self, Stories};
use support::stage::transcript;

#[path = "../../grader.rs"]
mod grader;

mod support {
    pub mod clients;
    pub mod crash;
    pub mod parity;
    pub mod play;
    pub mod stage;
}

const LAB: Lab = Lab {
    package: "consumer-groups",
    folder: "labs/4-consumer-groups",
    readme: include_str!("../README.md"),
    rules: include_str!("../rules.md"),
};

fn main() -> ExitCode {
    grader::run(
        LAB,
        tests![
            step_1_as_many_for_each,
            step_1_the_first_get_one_more,
            step_1_more_members_than_partitions,
            step_1_each_topic_for_itself,
            step_1_only_who_wants_it,
            step_1_range_transcript,
            step_1_kafkas_range_says_the_same,
            step_1_any_plan,
            step_2_in_turn,
            step_2_the_turn_goes_on_over_topics,
            step_2_who_does_not_want_it_is_passed_over,
            step_2_nobody_wants_it,
            step_2_more_members_than_partitions,
            step_2_roundrobin_transcript,
            step_2_kafkas_roundrobin_says_the_same,
            step_2_any_plan,
            step_2_sticky_transcript,
            step_2_given_kafkas_sticky_is_no_better,
            step_2_given_any_sticky_plan,
            step_2_given_cooperative_gives_up_first,
            step_3_somebody_joins,
            step_3_joining_again_without_a_change,
            step_3_joining_again_with_a_change,
            step_3_syncs,
            step_3_heartbeats,
            step_3_somebody_leaves,
            step_3_a_group_that_is_not_here,
            step_3_table_transcript,
            step_4_a_round_waits_for_all,
            step_4_a_round_waits_for_ids_that_were_given,
            step_4_the_leader_stays,
            step_4_only_the_leader_is_told_the_members,
            step_4_each_gets_its_own_part,
            step_4_old_parts_are_forgotten,
            step_4_nothing_is_handed_out_before_it_is_saved,
            step_4_what_comes_too_late_from_the_disk,
            step_4_a_sync_in_a_stable_group,
            step_4_each_round_gives_a_generation,
            step_4_two_groups_share_nothing,
            step_4_every_ticket_is_answered_once,
            step_4_two_members_transcript,
            step_4_idle_transcript,
            step_4_two_groups_transcript,
            step_4_static_transcript,
            step_4_who_is_admitted,
            step_4_the_assignor_that_most_like,
            step_4_another_protocol_in_a_sync,
            step_4_a_static_member_is_not_saved,
            step_4_a_group_that_moves_away,
            step_4_kafkas_coordinator_answers_the_same,
            step_4_kafkas_coordinator_on_static_members,
            step_4_kafkas_coordinator_on_first_rounds,
            step_4_kafkas_coordinator_on_full_groups,
            step_4_any_history,
            step_5_silent_for_its_session_timeout,
            step_5_whoever_waits_is_not_silent,
            step_5_the_time_of_a_round,
            step_5_static_members_may_be_away,
            step_5_static_members_die_too,
            step_5_a_static_leader_is_away,
            step_5_whoever_never_syncs,
            step_5_a_sync_that_waits_has_asked,
            step_5_the_deadline,
            step_5_ids_that_never_come_back,
            step_5_connections_that_are_gone,
            step_5_a_newcomer_waits_five_minutes,
            step_5_only_static_members_are_left,
            step_5_a_group_is_restored,
            step_5_death_transcript,
            step_5_silent_leader_transcript,
            step_5_slow_member_transcript,
            step_5_restart_transcript,
            step_5_kafkas_coordinator_on_deaths,
            step_5_any_history,
            step_6_the_next_offset,
            step_6_only_a_member_commits,
            step_6_an_old_generation_is_fenced,
            step_6_from_state_to_state,
            step_6_without_a_group,
            step_6_commit_transcript,
            step_6_kafkas_coordinator_on_commits,
            step_6_lost_or_doubled,
            step_6_crash_transcript,
            step_6_the_sleeper,
            step_6_any_history,
        ],
    )
}

/// `wants(&[("ann", "a b"), ("bob", "a")])`
fn wants(members: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let topics = |topics: &str| topics.split_whitespace().map(str::to_owned).collect();
    members.iter().map(|(member, wanted)| ((*member).to_owned(), topics(wanted))).collect()
}

fn topics(topics: &[(&str, u32)]) -> BTreeMap<String, u32> {
    topics.iter().map(|(topic, partitions)| ((*topic).to_owned(), *partitions)).collect()
}

// Step 1: the range assignor.

#[track_caller]
fn check_plan(rule: &str, what: &str, plan: &Plan, expected: &str) {
    check(rule, what, parity::shown(plan), expected.to_owned());
}

fn step_1_as_many_for_each() {
    let both = wants(&[("ann", "a"), ("bob", "a")]);
    let what = "one reader, 3 partitions";
    check_plan("R4.1", what, &range(&wants(&[("ann", "a")]), &topics(&[("a", 3)])), "ann=a0,a1,a2");
    let what = "two readers, 4 partitions";
    check_plan("R4.1", what, &range(&both, &topics(&[("a", 4)])), "ann=a0,a1 bob=a2,a3");
    let three = wants(&[("ann", "a"), ("bob", "a"), ("cho", "a")]);
    let what = "three readers, 9 partitions";
    let expected = "ann=a0,a1,a2 bob=a3,a4,a5 cho=a6,a7,a8";
    check_plan("R4.1", what, &range(&three, &topics(&[("a", 9)])), expected);
}

fn step_1_the_first_get_one_more() {
    let three = wants(&[("ann", "a"), ("bob", "a"), ("cho", "a")]);
    for (partitions, expected) in [
        (4, "ann=a0,a1 bob=a2 cho=a3"),
        (5, "ann=a0,a1 bob=a2,a3 cho=a4"),
        (7, "ann=a0,a1,a2 bob=a3,a4 cho=a5,a6"),
        (8, "ann=a0,a1,a2 bob=a3,a4,a5 cho=a6,a7"),
    ] {
        let what = format!("three readers, {partitions} partitions");
        check_plan("R4.1", &what, &range(&three, &topics(&[("a", partitions)])), expected);
    }
}

fn step_1_more_members_than_partitions() {
    let four = wants(&[("ann", "a"), ("bob", "a"), ("cho", "a"), ("dan", "a")]);
    for (partitions, expected) in
        [(0, "ann= bob= cho= dan="), (1, "ann=a0 bob= cho= dan="), (3, "ann=a0 bob=a1 cho=a2 dan=")]
    {
        let what = format!("four readers, {partitions} partitions");
        check_plan("R4.3", &what, &range(&four, &topics(&[("a", partitions)])), expected);
    }
}

fn step_1_each_topic_for_itself() {
    let three = wants(&[("ann", "a b c"), ("bob", "a b c"), ("cho", "a b c")]);
    let what = "three readers, three topics with one partition each";
    let plan = range(&three, &topics(&[("a", 1), ("b", 1), ("c", 1)]));
    check_plan("R4.1", what, &plan, "ann=a0,b0,c0 bob= cho=");
    let what = "two readers, two topics with three partitions each";
    let both = wants(&[("ann", "a b"), ("bob", "a b")]);
    let plan = range(&both, &topics(&[("a", 3), ("b", 3)]));
    check_plan("R4.1", what, &plan, "ann=a0,a1,b0,b1 bob=a2,b2");
}

fn step_1_only_who_wants_it() {
    let members = wants(&[("ann", "b"), ("bob", "a b"), ("cho", "a"), ("dan", "")]);
    let plan = range(&members, &topics(&[("a", 3), ("b", 3), ("c", 3)]));
    let what = "ann wants b, bob both, cho a, dan nothing, and nobody wants c";
    check_plan("R4.2", what, &plan, "ann=b0,b1 bob=a0,a1,b2 cho=a2 dan=");
    check_plan("R4.2", "nobody is there", &range(&wants(&[]), &topics(&[("a", 3)])), "");
    let plan = range(&wants(&[("ann", "x")]), &topics(&[]));
    check_plan("R4.2", "a topic that does not exist", &plan, "ann=");
}

fn step_1_range_transcript() {
    let script = "
        # One topic with four partitions. The second consumer takes half of the work, the third a quarter.
        topic orders 4
        wants ann orders
        range
        wants bob orders
        range
        wants cho orders
        range
        # Two more: the fifth has nothing to read. It is idle until somebody dies.
        wants dan orders
        wants eve orders
        range
        wants bob
        range

        # Each topic for itself: ann gets the one that is left over, of each topic.
        wants dan
        wants eve
        wants ann orders prices stocks
        wants cho orders prices stocks
        topic orders 1
        topic prices 1
        topic stocks 1
        range";
    check_transcript(&LAB, "range", &transcript(script));
}

fn step_1_kafkas_range_says_the_same() {
    for case in parity::plans() {
        let what = format!("{:?} want {:?}", case.partitions, case.subscribed);
        let plan = parity::shown(&range(&case.subscribed, &case.partitions));
        check("R4.1", what, plan, case.answers["range"].clone());
    }
}

fn step_1_any_plan() {
    any_plan("range", range);
}

type Assignor = fn(&BTreeMap<String, Vec<String>>, &BTreeMap<String, u32>) -> Plan;

/// Any members, any topics: each partition that somebody wants has one reader, and it is one who wants it. Of one topic
/// nobody has two more than anybody else.
fn any_plan(name: &str, plan: Assignor) {
    for seed in seeds() {
        let mut rng = fastrand::Rng::with_seed(seed);
        let all: Vec<String> = (0..rng.usize(1..5)).map(|n| format!("t{n}")).collect();
        let partitions = all.iter().map(|topic| (topic.clone(), rng.u32(0..30))).collect();
        let same = rng.bool();
        let subscribed: BTreeMap<String, Vec<String>> = (0..rng.usize(0..12))
            .map(|n| {
                let some = all.iter().filter(|_| same || rng.bool()).cloned().collect();
                (format!("m{n:02}"), some)
            })
            .collect();
        let got = plan(&subscribed, &partitions);
        let what = format!("seed {seed}: {name} for {subscribed:?}, {partitions:?}");
        let even = if name == "range" { "R4.1" } else { "R4.4" };
        let even = (name == "range" || same).then_some(even);
        fair(&what, &subscribed, &partitions, &got, even);
    }
}

fn fair(
    what: &str,
    subscribed: &BTreeMap<String, Vec<String>>,
    partitions: &BTreeMap<String, u32>,
    plan: &Plan,
    even: Option<&str>,
) {
    let members: Vec<&String> = plan.keys().collect();
    check("R4.3", format!("who stands in the plan: {what}"), members, subscribed.keys().collect());
    let mut read = BTreeSet::new();
    for (member, theirs) in plan {
        for (topic, partition) in theirs {
            let wanted = subscribed[member].contains(topic);
            check("R4.2", format!("whether {member} wants {topic}: {what}"), wanted, true);
            let once = read.insert((topic.clone(), *partition));
            check("R4.2", format!("whether {topic}{partition} has one reader: {what}"), once, true);
        }
    }
    let wanted = partitions
        .iter()
        .filter(|(topic, _)| subscribed.values().any(|theirs| theirs.contains(topic)));
    let wanted = wanted.flat_map(|(topic, count)| (0..*count).map(move |n| (topic.clone(), n)));
    check("R4.2", format!("what is read: {what}"), read, wanted.collect());
    let Some(rule) = even else { return };
    for topic in partitions.keys() {
        let readers = subscribed.iter().filter(|(_, theirs)| theirs.contains(topic));
        let loads =
            readers.map(|(member, _)| plan[member].iter().filter(|(of, _)| of == topic).count());
        let loads: Vec<usize> = loads.collect();
        let (least, most) = (loads.iter().min(), loads.iter().max());
        let even = least.zip(most).is_none_or(|(least, most)| most - least <= 1);
        check(rule, format!("whether {topic} is even, {loads:?}: {what}"), even, true);
    }
}

// Step 2: the round-robin assignor, and sticky ones.

fn step_2_in_turn() {
    let both = wants(&[("ann", "a"), ("bob", "a")]);
    let plan = round_robin(&both, &topics(&[("a", 5)]));
    check_plan("R4.4", "two readers, 5 partitions", &plan, "ann=a0,a2,a4 bob=a1,a3");
    let plan = round_robin(&wants(&[("ann", "a")]), &topics(&[("a", 2)]));
    check_plan("R4.4", "one reader, 2 partitions", &plan, "ann=a0,a1");
}

fn step_2_the_turn_goes_on_over_topics() {
    let three = wants(&[("ann", "a b c"), ("bob", "a b c"), ("cho", "a b c")]);
    let plan = round_robin(&three, &topics(&[("a", 1), ("b", 1), ("c", 1)]));
    let what = "three readers, three topics with one partition each";
    check_plan("R4.4", what, &plan, "ann=a0 bob=b0 cho=c0");
    let plan = round_robin(&three, &topics(&[("a", 4), ("b", 4)]));
    let what = "three readers, two topics with four partitions each";
    check_plan("R4.4", what, &plan, "ann=a0,a3,b2 bob=a1,b0,b3 cho=a2,b1");
}

fn step_2_who_does_not_want_it_is_passed_over() {
    let members = wants(&[("ann", "a"), ("bob", "a b"), ("cho", "b")]);
    let plan = round_robin(&members, &topics(&[("a", 3), ("b", 3)]));
    let what = "ann wants a, bob both, cho b: after ann has got a2 it is bob's turn";
    check_plan("R4.4", what, &plan, "ann=a0,a2 bob=a1,b0,b2 cho=b1");
    let plan = round_robin(&wants(&[("ann", ""), ("bob", "a")]), &topics(&[("a", 2)]));
    check_plan("R4.3", "ann wants nothing, and stands in the plan", &plan, "ann= bob=a0,a1");
}

fn step_2_nobody_wants_it() {
    let plan = round_robin(&wants(&[("ann", "b")]), &topics(&[("a", 2), ("b", 1)]));
    check_plan("R4.2", "nobody wants a", &plan, "ann=b0");
    check_plan("R4.2", "nobody is there", &round_robin(&wants(&[]), &topics(&[("a", 3)])), "");
}

fn step_2_more_members_than_partitions() {
    let three = wants(&[("ann", "a"), ("bob", "a"), ("cho", "a")]);
    let plan = round_robin(&three, &topics(&[("a", 2)]));
    check_plan("R4.3", "three readers, 2 partitions", &plan, "ann=a0 bob=a1 cho=");
}

fn step_2_roundrobin_transcript() {
    let script = "
        # The same three topics as with range, and everybody has something to read.
        topic orders 1
        topic prices 1
        topic stocks 1
        wants ann orders prices stocks
        wants cho orders prices stocks
        range
        roundrobin

        # Whoever does not want a topic is passed over. When orders is dealt out it is ann's turn again,
        # and she wants prices too: bob gets nothing.
        topic orders 4
        wants bob prices
        roundrobin";
    check_transcript(&LAB, "roundrobin", &transcript(script));
}

fn step_2_kafkas_roundrobin_says_the_same() {
    for case in parity::plans() {
        let what = format!("{:?} want {:?}", case.partitions, case.subscribed);
        let plan = parity::shown(&round_robin(&case.subscribed, &case.partitions));
        check("R4.4", what, plan, case.answers["roundrobin"].clone());
    }
}

fn step_2_any_plan() {
    any_plan("roundrobin", round_robin);
}

fn step_2_sticky_transcript() {
    let script = "
        # Six partitions, three readers. Then bob dies.
        topic orders 6
        wants ann orders
        wants bob orders
        wants cho orders
        range
        sticky
        wants bob
        # With range nearly all partitions move, with sticky only his.
        range
        sticky
        # A newcomer gets its share, and nobody else gets anything.
        wants dan orders
        sticky";
    check_transcript(&LAB, "sticky", &transcript(script));
}

/// How many partitions each has, the most first; and how many stayed where they were.
fn figures(plan: &Plan, owned: &Plan) -> (Vec<usize>, usize) {
    let mut loads: Vec<usize> = plan.values().map(Vec::len).collect();
    loads.sort_by(|a, b| b.cmp(a));
    let kept = owned.iter().map(|(member, had)| {
        let stays = |one: &&(String, u32)| plan.get(member).is_some_and(|has| has.contains(one));
        had.iter().filter(stays).count()
    });
    (loads, kept.sum())
}

fn step_2_given_kafkas_sticky_is_no_better() {
    for case in parity::stickies() {
        let plan = sticky(&case.subscribed, &case.partitions, &case.owned);
        let what =
            format!("{:?} want {:?}, had {:?}", case.partitions, case.subscribed, case.owned);
        fair(&what, &case.subscribed, &case.partitions, &plan, None);
        let (loads, kept) = figures(&plan, &case.owned);
        let loads: Vec<String> = loads.iter().map(usize::to_string).collect();
        let ours = format!("kept={kept} loads={}", loads.join(","));
        check("R4.5", what, ours, case.answers["sticky"].clone());
    }
}

/// Members come and go. Nobody could give one on to make it more even; and where all want the same, no more moves than
/// must.
fn step_2_given_any_sticky_plan() {
    for seed in seeds() {
        let mut rng = fastrand::Rng::with_seed(seed);
        let same = rng.bool();
        let partitions = topics(&[("a", rng.u32(1..12)), ("b", rng.u32(0..6))]);
        let (mut members, mut owned) = (BTreeMap::new(), Plan::new());
        for change in 0..20 {
            let name = format!("m{}", rng.u8(0..6));
            if members.remove(&name).is_none() {
                let all = ["a", "b"].into_iter().filter(|_| same || rng.bool());
                members.insert(name, all.map(str::to_owned).collect::<Vec<String>>());
            }
            let plan = sticky(&members, &partitions, &owned);
            let what =
                format!("seed {seed}, change {change}: {members:?}, {partitions:?}, had {owned:?}");
            fair(&what, &members, &partitions, &plan, None);
            for (from, theirs) in &plan {
                for (topic, partition) in theirs {
                    let lighter = plan.iter().find(|(to, has)| {
                        members[*to].contains(topic) && has.len() + 2 <= plan[from].len()
                    });
                    let what = format!("who should have {topic}{partition} of {from}: {what}");
                    check("R4.5", what, lighter, None);
                }
            }
            if same && !members.is_empty() {
                let all: u32 = partitions.values().sum();
                let (share, more) = (all as usize / members.len(), all as usize % members.len());
                let mut had: Vec<usize> =
                    members.keys().map(|member| owned.get(member).map_or(0, Vec::len)).collect();
                had.sort_by(|a, b| b.cmp(a));
                let may_keep = had
                    .iter()
                    .enumerate()
                    .map(|(place, had)| (*had).min(if place < more { share + 1 } else { share }));
                let kept = figures(&plan, &owned).1;
                check("R4.5", format!("how many stay: {what}"), kept, may_keep.sum());
            }
            owned = plan;
        }
    }
}

fn step_2_given_cooperative_gives_up_first() {
    let (all, one) = (topics(&[("a", 4)]), wants(&[("ann", "a")]));
    let both = wants(&[("ann", "a"), ("bob", "a")]);
    let owned = sticky(&one, &all, &Plan::new());
    let plan = sticky(&both, &all, &owned);
    let first = cooperative(plan.clone(), &owned);
    let what = "bob joins ann, who reads on: what moves is given up first";
    check("R4.5", what, (first["ann"].len(), first["bob"].len()), (2, 0));
    let second = cooperative(sticky(&both, &all, &first), &first);
    check("R4.5", "in the next round bob gets it", second, plan);
}

// Step 3: the state table.

#[track_caller]
fn check_act(rule: &str, state: State, event: Event, expected: Act) {
    check(rule, format!("{event:?}, and the group is {state}"), act(state, event), expected);
}

fn step_3_somebody_joins() {
    check_act("R4.6", State::Empty, Event::Joins, Act::Rebalance);
    check_act("R4.6", State::PreparingRebalance, Event::Joins, Act::Wait);
    check_act("R4.6", State::CompletingRebalance, Event::Joins, Act::Rebalance);
    check_act("R4.6", State::Stable, Event::Joins, Act::Rebalance);
}

fn step_3_joining_again_without_a_change() {
    let again = |leader| Event::JoinsAgain { leader, changed: false };
    check_act("R4.7", State::Stable, again(false), Act::Answer);
    check_act("R4.7", State::Stable, again(true), Act::Rebalance);
    for leader in [false, true] {
        check_act("R4.7", State::CompletingRebalance, again(leader), Act::Answer);
        check_act("R4.6", State::PreparingRebalance, again(leader), Act::Wait);
    }
}

fn step_3_joining_again_with_a_change() {
    for leader in [false, true] {
        let again = Event::JoinsAgain { leader, changed: true };
        check_act("R4.6", State::PreparingRebalance, again, Act::Wait);
        check_act("R4.6", State::CompletingRebalance, again, Act::Rebalance);
        check_act("R4.6", State::Stable, again, Act::Rebalance);
    }
}

fn step_3_syncs() {
    check_act("R4.8", State::CompletingRebalance, Event::Syncs { leader: true }, Act::Save);
    check_act("R4.8", State::CompletingRebalance, Event::Syncs { leader: false }, Act::Wait);
    for leader in [false, true] {
        let refused = Act::Refuse(Error::RebalanceInProgress);
        check_act("R4.8", State::Stable, Event::Syncs { leader }, Act::Answer);
        check_act("R4.8", State::PreparingRebalance, Event::Syncs { leader }, refused);
    }
}

fn step_3_heartbeats() {
    let refused = Act::Refuse(Error::RebalanceInProgress);
    check_act("R4.9", State::PreparingRebalance, Event::Heartbeat, refused);
    check_act("R4.9", State::CompletingRebalance, Event::Heartbeat, Act::Answer);
    check_act("R4.9", State::Stable, Event::Heartbeat, Act::Answer);
}

fn step_3_somebody_leaves() {
    check_act("R4.10", State::PreparingRebalance, Event::Leaves, Act::Wait);
    check_act("R4.10", State::CompletingRebalance, Event::Leaves, Act::Rebalance);
    check_act("R4.10", State::Stable, Event::Leaves, Act::Rebalance);
}

fn step_3_a_group_that_is_not_here() {
    let refused = || Act::Refuse(Error::CoordinatorNotAvailable);
    check_act("R4.11", State::Dead, Event::Joins, refused());
    check_act("R4.11", State::Dead, Event::Heartbeat, refused());
    check_act("R4.11", State::Dead, Event::Leaves, refused());
    for leader in [false, true] {
        check_act("R4.11", State::Dead, Event::Syncs { leader }, refused());
        for changed in [false, true] {
            check_act("R4.11", State::Dead, Event::JoinsAgain { leader, changed }, refused());
        }
    }
}

fn step_3_table_transcript() {
    let script = "
        # What comes of an event depends on the state. Error 27 is REBALANCE_IN_PROGRESS, 15 is
        # COORDINATOR_NOT_AVAILABLE.
        table";
    check_transcript(&LAB, "table", &transcript(script));
}

// Step 4: a round.

const SESSION_MS: u64 = 6_000;
const REBALANCE_MS: u64 = 10_000;

/// A client without an id joins, and would be called by its name.
fn newcomer(name: &str) -> Join {
    Join {
        new_id: name.to_owned(),
        client_id: "client".to_owned(),
        host: "here".to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![("range".to_owned(), b"a".to_vec())],
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        ..Join::default()
    }
}

/// A member joins again.
fn member(name: &str) -> Join {
    Join { member: name.to_owned(), new_id: String::new(), ..newcomer(name) }
}

fn static_newcomer(id: &str, instance: &str) -> Join {
    Join { instance_id: Some(instance.to_owned()), ..newcomer(id) }
}

fn at_once() -> Config {
    Config { initial_rebalance_delay_ms: 0, ..Config::default() }
}

/// The generation that a join's answer names; the ticket that is refused.
fn joined(next: &[Next]) -> Vec<(u64, i32)> {
    let joined = next.iter().filter_map(|next| match next {
        Next::Joined { ticket, generation, .. } => Some((*ticket, *generation)),
        _ => None,
    });
    joined.collect()
}

/// A group in which a round is over: these have joined, the first one leads, and there is no plan yet.
fn planning(names: &[&str], now_ms: u64) -> Group {
    let mut group = Group::new(now_ms, at_once());
    let joins = names.iter().map(|name| newcomer(name)).collect();
    round(&mut group, now_ms, joins);
    group
}

/// The first joins and is alone; the others join; it joins again.
fn round(group: &mut Group, now_ms: u64, joins: Vec<Join>) {
    let first = joins[0].clone();
    let leader = if first.member.is_empty() { first.new_id.clone() } else { first.member.clone() };
    let count = joins.len();
    for join in joins {
        group.join(now_ms, 0, join);
    }
    if count > 1 {
        let next = group.join(now_ms, 0, Join { member: leader, new_id: String::new(), ..first });
        check(
            "R4.12",
            "how many are told when the last one has joined",
            joined(&next).len(),
            count,
        );
    }
}

/// A plan that gives each member its own name to read.
fn plan(names: &[&str]) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
}

/// A stable group: each member reads what is called like itself.
fn stable(names: &[&str], now_ms: u64) -> Group {
    let mut group = planning(names, now_ms);
    settle(&mut group, names, now_ms);
    group
}

/// Everybody syncs, and the plan is saved.
fn settle(group: &mut Group, names: &[&str], now_ms: u64) {
    let generation = group.generation();
    for name in names {
        let theirs = if group.leader() == Some(*name) { plan(names) } else { Vec::new() };
        group.sync(now_ms, 0, *name, generation, theirs);
    }
    group.saved(now_ms, generation);
    check("R4.15", "the state when the plan is saved", group.state(), State::Stable);
}

fn ids(group: &Group) -> Vec<&str> {
    group.members().map(|member| member.id.as_str()).collect()
}

fn step_4_a_round_waits_for_all() {
    let mut group = stable(&["ann", "bob"], 0);
    let next = group.join(100, 11, newcomer("cho"));
    check("R4.12", "cho has joined; ann and bob have not yet", next, vec![]);
    check("R4.6", "a round is open", group.state(), State::PreparingRebalance);
    check("R4.12", "cho and bob have joined", group.join(200, 12, member("bob")), vec![]);
    let told = joined(&group.join(300, 13, member("ann")));
    check(
        "R4.12",
        "all three have joined: who is told of which generation",
        told,
        vec![(13, 3), (12, 3), (11, 3)],
    );
    check("R4.12", "the plan is being made", group.state(), State::CompletingRebalance);
    // Somebody leaves while the others wait for it.
    let mut group = stable(&["ann", "bob"], 0);
    group.join(100, 11, newcomer("cho"));
    group.join(200, 12, member("ann"));
    let next = group.leave(300, "bob").works("bob leaves");
    check("R4.12", "bob leaves, and all others have joined", joined(&next), vec![(12, 3), (11, 3)]);
}

fn step_4_a_round_waits_for_ids_that_were_given() {
    let mut group = stable(&["ann"], 0);
    let asks = Join { member_id_required: true, ..newcomer("bob") };
    let error = Error::MemberIdRequired { member: "bob".to_owned() };
    let next = group.join(100, 11, asks.clone());
    check("R4.19", "bob is given an id first", next, vec![Next::Refused { ticket: 11, error }]);
    check("R4.19", "no round begins for that", group.state(), State::Stable);
    group.join(200, 12, newcomer("cho"));
    let next = group.join(300, 13, member("ann"));
    check("R4.12", "ann and cho have joined, bob has an id and may come", joined(&next), vec![]);
    let next = group.join(400, 14, Join { member: "bob".to_owned(), ..asks });
    check("R4.12", "bob comes", joined(&next), vec![(13, 2), (14, 2), (12, 2)]);
    // It says goodbye instead.
    let mut group = stable(&["ann"], 0);
    group.join(100, 11, Join { member_id_required: true, ..newcomer("bob") });
    group.join(200, 12, newcomer("cho"));
    group.join(300, 13, member("ann"));
    let next = group.leave(400, "bob").works("bob, who never joined, leaves");
    check("R4.12", "bob says goodbye instead", joined(&next), vec![(13, 2), (12, 2)]);
}

fn step_4_the_leader_stays() {
    let mut group = stable(&["bob", "ann"], 0);
    check("R4.13", "bob came first", group.leader(), Some("bob"));
    group.join(100, 1, newcomer("aaa"));
    group.join(100, 2, member("ann"));
    group.join(100, 3, member("bob"));
    check("R4.13", "bob leads, and has joined last", group.leader(), Some("bob"));
    group.leave(200, "bob").works("bob leaves");
    group.join(200, 4, member("ann"));
    group.join(200, 5, member("aaa"));
    check("R4.13", "bob has left: the first member leads", group.leader(), Some("aaa"));
}

fn step_4_only_the_leader_is_told_the_members() {
    let mut group = stable(&["bob", "ann"], 0);
    let bobs = vec![("range".to_owned(), b"b".to_vec()), ("other".to_owned(), b"x".to_vec())];
    group.join(100, 1, member("ann"));
    let next = group.join(100, 2, Join { protocols: bobs, ..member("bob") });
    check("R4.7", "bob leads and joins: a round is open", joined(&next), vec![]);
    let next = group.join(100, 3, member("ann"));
    for answer in next {
        let Next::Joined { member, leader, members, .. } = answer else { panic!("{answer:?}") };
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|listed| (&listed.member[..], &listed.metadata[..])).collect();
        check("R4.13", format!("who leads, as {member} is told"), &leader[..], "bob");
        let expected: Vec<(&str, &[u8])> =
            if member == "bob" { vec![("ann", b"a"), ("bob", b"b")] } else { vec![] };
        check("R4.14", format!("the members, as {member} is told"), members, expected);
    }
    // Told again.
    let next = group.join(200, 4, member("ann"));
    let Some(Next::Joined { members, .. }) = next.first() else {
        panic!("R4.7: told again, {next:?}")
    };
    check("R4.14", "the members, as ann is told again", members.len(), 0);
}

fn step_4_each_gets_its_own_part() {
    let mut group = planning(&["ann", "bob", "cho"], 0);
    check("R4.8", "bob syncs, there is no plan", group.sync(10, 1, "bob", 2, vec![]), vec![]);
    let theirs = plan(&["bob", "zoe"]);
    check(
        "R4.8",
        "cho syncs, and brings a plan of its own",
        group.sync(20, 2, "cho", 2, theirs),
        vec![],
    );
    let mut whole = plan(&["ann", "bob"]);
    whole.push(("zoe".to_owned(), b"zoe".to_vec()));
    let next = group.sync(30, 3, "ann", 2, whole);
    check("R4.15", "the leader brings the plan", next, vec![Next::Save { generation: 2 }]);
    let synced = |ticket, part: &[u8]| Next::Synced { ticket, assignment: part.to_vec() };
    let expected = vec![synced(3, b"ann"), synced(1, b"bob"), synced(2, b"")];
    check("R4.15", "it is saved; the leader forgot cho", group.saved(40, 2), expected);
    check("R4.15", "and it is stable", group.state(), State::Stable);
    for (name, reads) in [("ann", "ann"), ("bob", "bob"), ("cho", "")] {
        let member = group.members().find(|member| member.id == name).expect("a member");
        check("R4.15", format!("{name}'s part"), &member.assignment[..], reads.as_bytes());
    }
    // A part of the round before does not stay.
    group.join(50, 4, newcomer("dan"));
    for (ticket, name) in [(5, "cho"), (6, "bob"), (7, "ann")] {
        group.join(50, ticket, member(name));
    }
    group.sync(60, 8, "bob", 3, vec![]);
    group.sync(60, 9, "ann", 3, plan(&["ann"]));
    let expected = vec![synced(9, b"ann"), synced(8, b"")];
    check("R4.15", "the leader forgets bob in the next round", group.saved(60, 3), expected);
}

fn step_4_old_parts_are_forgotten() {
    let reads = |group: &Group| -> Vec<usize> {
        group.members().map(|member| member.assignment.len()).collect()
    };
    let mut group = stable(&["ann", "bob"], 0);
    group.join(10, 1, newcomer("cho"));
    group.join(10, 2, member("bob"));
    check("R4.15", "in a round members have what they had", reads(&group), vec![3, 3, 0]);
    group.join(10, 3, member("ann"));
    group.join(20, 4, newcomer("dan"));
    check(
        "R4.15",
        "the plan was not made, and another round begins",
        reads(&group),
        vec![0, 0, 0, 0],
    );
}

fn step_4_nothing_is_handed_out_before_it_is_saved() {
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(10, 1, "ann", 2, plan(&["ann", "bob"]));
    check("R4.15", "the state while the plan is saved", group.state(), State::CompletingRebalance);
    let saved = group.metadata();
    let parts: Vec<(&str, &[u8])> =
        saved.members.iter().map(|member| (&member.id[..], &member.assignment[..])).collect();
    check("R4.31", "what is saved", parts, vec![("ann", b"ann"), ("bob", b"bob")]);
    check("R4.8", "bob syncs while the plan is saved", group.sync(20, 2, "bob", 2, vec![]), vec![]);
    let told = group.saved(30, 2);
    check("R4.15", "who is told when it is saved", told.len(), 2);
    check("R4.15", "saved once more", group.saved(30, 2), vec![]);
    // It cannot be saved.
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(10, 1, "bob", 2, vec![]);
    group.sync(20, 2, "ann", 2, plan(&["ann", "bob"]));
    let refused = |ticket| Next::Refused { ticket, error: Error::CoordinatorNotAvailable };
    check("R4.15", "it cannot be saved", group.not_saved(30, 2), vec![refused(2), refused(1)]);
    check("R4.15", "so all join again", group.state(), State::PreparingRebalance);
}

fn step_4_what_comes_too_late_from_the_disk() {
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(10, 1, "bob", 2, vec![]);
    group.sync(10, 2, "ann", 2, plan(&["ann", "bob"]));
    let next = group.join(20, 3, newcomer("cho"));
    let refused = |ticket| Next::Refused { ticket, error: Error::RebalanceInProgress };
    check("R4.10", "cho joins while the plan is saved", next, vec![refused(2), refused(1)]);
    check("R4.15", "it is saved, and nobody waits for it", group.saved(30, 2), vec![]);
    check("R4.15", "nor if it fails", group.not_saved(30, 2), vec![]);
    group.join(40, 4, member("bob"));
    group.join(40, 5, member("ann"));
    check("R4.16", "a plan of generation 2, in generation 3", group.saved(50, 2), vec![]);
    check("R4.15", "a plan that never came is saved", group.saved(50, 3), vec![]);
    check("R4.15", "the state without a plan", group.state(), State::CompletingRebalance);
}

fn step_4_a_sync_in_a_stable_group() {
    let mut group = stable(&["ann", "bob"], 0);
    for name in ["ann", "bob"] {
        let next = group.sync(100, 7, name, 2, plan(&["bob"]));
        let expected = vec![Next::Synced { ticket: 7, assignment: name.as_bytes().to_vec() }];
        check("R4.8", format!("{name} syncs in a stable group"), next, expected);
    }
}

fn step_4_each_round_gives_a_generation() {
    let mut group = Group::new(0, at_once());
    check("R4.16", "before anybody has joined", group.generation(), 0);
    check("R4.16", "the first round", joined(&group.join(0, 1, newcomer("ann"))), vec![(1, 1)]);
    let illegal = |current, got| Error::IllegalGeneration { current, got };
    let unknown = |member: &str| Error::UnknownMemberId { member: member.to_owned() };
    for got in [-1, 0, 2] {
        let what = format!("a heartbeat of generation {got}");
        check("R4.16", what, group.heartbeat(10, "ann", got), Err(illegal(1, got)));
        let next = group.sync(10, 2, "ann", got, plan(&["ann"]));
        let expected = vec![Next::Refused { ticket: 2, error: illegal(1, got) }];
        check("R4.16", format!("a sync of generation {got}"), next, expected);
    }
    check("R4.16", "a heartbeat of nobody", group.heartbeat(10, "bob", 1), Err(unknown("bob")));
    check("R4.16", "nobody leaves", group.leave(10, "bob"), Err(unknown("bob")));
    let expected = vec![Next::Refused { ticket: 3, error: unknown("bob") }];
    check("R4.16", "nobody syncs", group.sync(10, 3, "bob", 1, vec![]), expected.clone());
    check("R4.16", "nobody joins again", group.join(10, 3, member("bob")), expected);
    let next = group.leave(20, "ann").works("ann leaves");
    check(
        "R4.16",
        "the last one leaves: an empty generation is saved",
        next,
        vec![Next::Save { generation: 2 }],
    );
    check("R4.16", "and the group is empty", group.state(), State::Empty);
    check("R4.31", "since when", group.empty_since_ms(), Some(20));
    check("R4.16", "an empty group is saved", group.saved(30, 2), vec![]);
    check("R4.16", "somebody comes", joined(&group.join(40, 4, newcomer("cho"))), vec![(4, 3)]);
}

fn step_4_two_groups_share_nothing() {
    let (mut billing, search) = (stable(&["ann", "bob"], 0), stable(&["ann", "bob"], 0));
    let before = (search.state(), search.metadata());
    billing.join(100, 1, newcomer("cho"));
    billing.leave(200, "bob").works("bob leaves one group");
    billing.join(300, 2, member("ann"));
    settle(&mut billing, &["ann", "cho"], 300);
    check("R4.17", "the group", ids(&billing), vec!["ann", "cho"]);
    check("R4.17", "the other group", (search.state(), search.metadata()), before);
}

fn step_4_every_ticket_is_answered_once() {
    let mut group = stable(&["ann", "bob"], 0);
    group.join(100, 1, newcomer("cho"));
    group.join(100, 2, member("bob"));
    let refused = |ticket, error| Next::Refused { ticket, error };
    let next = group.join(200, 3, member("bob"));
    let expected = vec![refused(2, Error::RebalanceInProgress)];
    check("R4.18", "bob joins while an older join of it waits", next, expected);
    let next = group.leave(300, "bob").works("bob leaves");
    let unknown = |member: &str| Error::UnknownMemberId { member: member.to_owned() };
    check("R4.18", "bob leaves while its join waits", next, vec![refused(3, unknown("bob"))]);
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(10, 1, "bob", 2, vec![]);
    let next = group.sync(20, 2, "bob", 2, vec![]);
    let expected = vec![refused(1, Error::RebalanceInProgress)];
    check("R4.18", "bob syncs while an older sync of it waits", next, expected);
    let next = group.leave(30, "bob").works("bob leaves");
    check("R4.18", "bob leaves while its sync waits", next, vec![refused(2, unknown("bob"))]);
}

fn step_4_two_members_transcript() {
    let script = "
        # A topic with four partitions. The first one who joins is alone, and reads all of it.
        topic orders 4
        join ann orders
        sync ann
        # Somebody joins: a round begins, and waits for ann. She hears of it with her next heartbeat.
        join bob orders
        heartbeat ann
        join ann
        # The round is over. Who leads is told what all want, and makes the plan; the others wait for it.
        hold
        sync bob
        sync ann
        # It is handed out when it is saved.
        saved
        heartbeat ann
        describe
        # Who says goodbye is not waited for.
        leave bob
        heartbeat ann
        join ann
        sync ann";
    check_transcript(&LAB, "two-members", &transcript(script));
}

fn step_4_idle_transcript() {
    let script = "
        # Three partitions, and a member more than that.
        topic orders 3
        join ann orders
        join bob orders
        join ann
        join cho orders
        join ann
        join bob
        join dan orders
        join ann
        join bob
        join cho
        sync bob
        sync cho
        sync dan
        sync ann
        # The idle one is a member like all others. When bob leaves, there is something for it.
        heartbeat dan
        leave bob
        join dan
        join cho
        join ann
        sync dan
        sync cho
        sync ann";
    check_transcript(&LAB, "idle", &transcript(script));
}

fn step_4_two_groups_transcript() {
    let script = "
        # Two groups read one topic. Each has all of it.
        topic orders 4
        group billing
        join ann orders
        sync ann
        group search
        join ann orders
        sync ann
        # What happens in one does not concern the other.
        join bob orders
        heartbeat ann
        join ann
        sync ann
        sync bob
        describe
        group billing
        heartbeat ann
        describe";
    check_transcript(&LAB, "two-groups", &transcript(script));
}

fn step_4_static_transcript() {
    let script = "
        # Static members: they have names of their own.
        topic orders 4
        join ann orders static
        join bob orders static
        join ann
        sync bob
        sync ann
        # bob is started again. It takes the place of its old self, and nobody must join again.
        join bob fresh
        sync bob
        heartbeat ann
        # If the old self still lives, it is fenced.
        heartbeat bob self=1
        # So it is if another one is started with the same name by mistake.
        join bob fresh
        heartbeat bob self=2
        describe";
    check_transcript(&LAB, "static", &transcript(script));
}

fn step_4_who_is_admitted() {
    let mut group = Group::new(0, at_once());
    let (min, max) = (6_000, 1_800_000);
    let refused = |error| vec![Next::Refused { ticket: 1, error }];
    for got in [0, 5_999, 1_800_001] {
        let join = Join { session_timeout_ms: got, ..newcomer("ann") };
        let expected = refused(Error::InvalidSessionTimeout { min, max, got });
        check("R4.19", format!("a session timeout of {got} ms"), group.join(0, 1, join), expected);
    }
    let none = |got: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        refused(Error::InconsistentGroupProtocol { all: vec![], got: names(got) })
    };
    let join = Join { protocols: vec![], ..newcomer("ann") };
    check("R4.19", "no assignor", group.join(0, 1, join), none(&[]));
    let join = Join { protocol_type: String::new(), ..newcomer("ann") };
    check("R4.19", "no protocol type", group.join(0, 1, join), none(&["range"]));
    check("R4.19", "whether it was ever used", group.is_unused(), true);
    for session_timeout_ms in [min, max] {
        let join = Join { session_timeout_ms, ..newcomer("ann") };
        let next = Group::new(0, at_once()).join(0, 1, join);
        check(
            "R4.19",
            format!("a session timeout of {session_timeout_ms} ms"),
            joined(&next),
            vec![(1, 1)],
        );
    }
    // A group with two members is full.
    let mut group = stable(&["ann", "bob"], 0);
    group.configure(Config { max_size: 2, ..at_once() });
    let full = Error::GroupMaxSizeReached { max: 2 };
    check("R4.19", "a third one", group.join(10, 1, newcomer("cho")), refused(full.clone()));
    check("R4.19", "one of the two", joined(&group.join(10, 1, member("bob"))), vec![(1, 2)]);
    // Settings shrink: those who join first stay.
    group.configure(Config { max_size: 1, ..at_once() });
    check("R4.19", "the leader joins", group.join(20, 2, member("ann")), vec![]);
    check(
        "R4.19",
        "bob is one too many",
        group.join(20, 1, member("bob")),
        refused(Error::GroupMaxSizeReached { max: 1 }),
    );
    check("R4.19", "bob is out", ids(&group), vec!["ann"]);
}

fn step_4_the_assignor_that_most_like() {
    let likes = |name: &str, protocols: &[&str]| {
        let protocols = protocols.iter().map(|protocol| ((*protocol).to_owned(), b"a".to_vec()));
        Join { protocols: protocols.collect(), ..newcomer(name) }
    };
    for (bob, cho, expected) in [
        (&["range", "sticky"], &["sticky", "range"], "range"),
        (&["sticky", "range"], &["sticky", "range"], "sticky"),
        (&["other", "range"], &["other", "sticky"], "range"),
    ] {
        let mut group = Group::new(0, at_once());
        let ann = likes("ann", &["range", "sticky"]);
        if bob[1] == "range" && cho[1] == "sticky" {
            // cho cannot do what ann and bob can do.
            round(&mut group, 0, vec![ann, likes("bob", bob)]);
            let next = group.join(0, 1, likes("cho", cho));
            let all = vec!["range".to_owned()];
            let error = Error::InconsistentGroupProtocol {
                all,
                got: vec!["other".into(), "sticky".into()],
            };
            check(
                "R4.19",
                "cho offers other and sticky",
                next,
                vec![Next::Refused { ticket: 1, error }],
            );
        } else {
            round(&mut group, 0, vec![ann, likes("bob", bob)]);
            group.join(0, 1, likes("cho", cho));
            group.join(0, 2, Join { member: "ann".into(), ..likes("ann", &["range", "sticky"]) });
            group.join(0, 3, Join { member: "bob".into(), ..likes("bob", bob) });
        }
        let what = format!("ann likes range, sticky; bob {bob:?}; cho {cho:?}");
        check("R4.19", what, group.protocol(), Some(expected));
    }
}

fn step_4_another_protocol_in_a_sync() {
    let group = stable(&["ann"], 0);
    check("R4.19", "no names", group.check_protocol(None, None), Ok(()));
    check("R4.19", "the same", group.check_protocol(Some("consumer"), Some("range")), Ok(()));
    for (kind, protocol) in [("connect", "range"), ("consumer", "sticky")] {
        let got = group.check_protocol(Some(kind), Some(protocol));
        check("R4.19", format!("{kind}, {protocol}"), got.is_err(), true);
    }
}

fn step_4_a_static_member_is_not_saved() {
    let mut group = Group::new(0, at_once());
    round(&mut group, 0, vec![static_newcomer("ann", "one")]);
    settle(&mut group, &["ann"], 0);
    let next = group.join(10, 1, static_newcomer("ann2", "one"));
    check("R4.20", "it was started again: that is saved", next, vec![Next::Save { generation: 1 }]);
    let error = Error::CoordinatorNotAvailable;
    check(
        "R4.20",
        "it cannot be saved",
        group.not_saved(20, 1),
        vec![Next::Refused { ticket: 1, error }],
    );
    let next = group.join(30, 2, static_newcomer("ann3", "one"));
    check("R4.20", "it tries again", next, vec![Next::Save { generation: 1 }]);
    check("R4.20", "it is saved", joined(&group.saved(40, 1)), vec![(2, 1)]);
    check("R4.20", "the members", ids(&group), vec!["ann3"]);
    let fenced = |current: &str, got: &str| Error::FencedInstanceId {
        instance: "one".to_owned(),
        current: current.to_owned(),
        got: got.to_owned(),
    };
    let old = group.heartbeat(50, ("ann", Some("one")), 1);
    check("R4.20", "its oldest self", old, Err(fenced("ann3", "ann")));
    // Twice in a row, before the first is saved.
    group.join(60, 3, static_newcomer("ann4", "one"));
    let next = group.join(60, 4, static_newcomer("ann5", "one"));
    let refused = Next::Refused { ticket: 3, error: fenced("ann5", "ann4") };
    check(
        "R4.20",
        "again, before that is saved",
        next,
        vec![refused, Next::Save { generation: 1 }],
    );
}

fn step_4_a_group_that_moves_away() {
    let mut group = stable(&["ann", "bob"], 0);
    group.join(10, 1, newcomer("cho"));
    group.join(10, 2, member("bob"));
    let refused = |ticket| Next::Refused { ticket, error: Error::NotCoordinator };
    check(
        "R4.11",
        "two wait, and the group moves away",
        group.unload(),
        vec![refused(2), refused(1)],
    );
    let gone = Err(Error::CoordinatorNotAvailable);
    check("R4.11", "a heartbeat", group.heartbeat(20, "ann", 2), gone.clone());
    check("R4.11", "a goodbye", group.leave(20, "ann").map(|_| ()), gone);
    let refused = |ticket| vec![Next::Refused { ticket, error: Error::CoordinatorNotAvailable }];
    check("R4.11", "a sync", group.sync(20, 3, "ann", 2, vec![]), refused(3));
    check("R4.11", "a join", group.join(20, 4, member("ann")), refused(4));
    check("R4.11", "a newcomer", group.join(20, 5, newcomer("dan")), refused(5));
}

#[track_caller]
fn kafkas(stories: Stories, rule: &str) {
    if let Err(difference) = parity::play(stories) {
        panic!("{rule}: Kafka's coordinator answered something else\n  {difference}");
    }
}

fn step_4_kafkas_coordinator_answers_the_same() {
    kafkas(Stories::Rounds, "R4.12");
}

fn step_4_kafkas_coordinator_on_static_members() {
    kafkas(Stories::Static, "R4.20");
}

fn step_4_kafkas_coordinator_on_first_rounds() {
    kafkas(Stories::Delay, "R4.12");
}

fn step_4_kafkas_coordinator_on_full_groups() {
    kafkas(Stories::Full, "R4.19");
}

fn step_4_any_history() {
    histories(Level::Rounds);
}

// Step 5: a death is noticed.

fn step_5_silent_for_its_session_timeout() {
    let mut group = stable(&["ann", "bob"], 1_000);
    group.heartbeat(3_000, "bob", 2).works("R4.9: bob's heartbeat");
    check("R4.21", "ann is silent for 5,999 ms", group.tick(6_999), vec![]);
    check("R4.21", "the members then", ids(&group), vec!["ann", "bob"]);
    group.tick(7_000);
    check("R4.21", "the members when ann is silent for 6,000 ms", ids(&group), vec!["bob"]);
    check("R4.10", "and a round is open", group.state(), State::PreparingRebalance);
    let told = joined(&group.join(7_500, 1, member("bob")));
    check("R4.13", "bob joins, and is the only one", told, vec![(1, 3)]);
    check("R4.13", "who leads", group.leader(), Some("bob"));
    // Each counts from its own last sign of life.
    let mut group = stable(&["ann", "bob", "cho"], 0);
    group.heartbeat(1_000, "ann", 2).works("R4.9: ann's heartbeat");
    group.heartbeat(2_000, "bob", 2).works("R4.9: bob's heartbeat");
    for (at_ms, members) in [(6_000, vec!["ann", "bob"]), (7_000, vec!["bob"]), (8_000, vec![])] {
        group.tick(at_ms);
        check("R4.21", format!("the members at {at_ms} ms"), ids(&group), members);
    }
    check("R4.21", "the last one is dead: the state", group.state(), State::Empty);
}

fn step_5_whoever_waits_is_not_silent() {
    let mut group = stable(&["ann", "bob", "cho"], 0);
    group.heartbeat(5_000, "cho", 2).works("R4.9: cho's heartbeat");
    group.join(5_000, 1, newcomer("dan"));
    group.join(5_000, 2, member("ann"));
    group.tick(6_000);
    check("R4.22", "ann waits in the round; bob is silent", ids(&group), vec!["ann", "cho", "dan"]);
    group.join(5_500, 3, member("cho"));
    settle(&mut group, &["ann", "cho", "dan"], 6_000);
    // Its session begins with the answer.
    check("R4.22", "all were told at 6,000 ms; now it is 11,999", group.tick(11_999), vec![]);
    check("R4.21", "the members", ids(&group).len(), 3);
    // A sync waits for the leader, which lives.
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(0, 1, "bob", 2, vec![]);
    group.heartbeat(5_000, "ann", 2).works("R4.9: ann's heartbeat");
    check("R4.22", "bob waits for the plan for 6,000 ms", group.tick(6_000), vec![]);
    check("R4.22", "the members", ids(&group), vec!["ann", "bob"]);
    group.sync(9_000, 2, "ann", 2, plan(&["ann", "bob"]));
    group.saved(9_500, 2);
    check("R4.22", "its session begins with the answer, at 9,500 ms", group.tick(15_499), vec![]);
    group.tick(15_500);
    check("R4.21", "and ends at 15,500 ms", ids(&group).len(), 0);
}

fn step_5_the_time_of_a_round() {
    let mut group = stable(&["ann", "bob", "cho"], 0);
    group.join(1_000, 1, newcomer("dan"));
    group.join(1_000, 2, member("cho"));
    for at_ms in [5_000, 9_000] {
        for name in ["ann", "bob"] {
            let answer = group.heartbeat(at_ms, name, 2);
            check(
                "R4.9",
                format!("{name} lives, and does not join"),
                answer,
                Err(Error::RebalanceInProgress),
            );
        }
        check("R4.23", format!("at {at_ms} ms"), group.tick(at_ms), vec![]);
    }
    check("R4.23", "at 10,999 ms", group.tick(10_999), vec![]);
    let told = joined(&group.tick(11_000));
    check(
        "R4.23",
        "10,000 ms after it began the round ends without ann and bob",
        told,
        vec![(2, 3), (1, 3)],
    );
    check("R4.23", "the members", ids(&group), vec!["cho", "dan"]);
    check("R4.13", "ann led, and has not joined", group.leader(), Some("cho"));
    // The longest of the members' times counts.
    let mut group = Group::new(0, at_once());
    let slow =
        |name| Join { rebalance_timeout_ms: 60_000, session_timeout_ms: 100_000, ..newcomer(name) };
    round(&mut group, 0, vec![newcomer("ann"), slow("bob")]);
    settle(&mut group, &["ann", "bob"], 0);
    group.join(0, 1, newcomer("cho"));
    group.join(0, 2, member("ann"));
    check("R4.23", "bob may take 60,000 ms", group.tick(59_999), vec![]);
    check("R4.23", "and no more", joined(&group.tick(60_000)).len(), 2);
}

fn step_5_static_members_may_be_away() {
    let mut group = Group::new(0, at_once());
    let away = Join { session_timeout_ms: 30_000, ..static_newcomer("bob", "two") };
    round(&mut group, 0, vec![newcomer("ann"), away, newcomer("cho")]);
    settle(&mut group, &["ann", "bob", "cho"], 0);
    group.join(1_000, 1, member("ann"));
    for at_ms in [5_000, 10_000] {
        let answer = group.heartbeat(at_ms, "cho", group.generation());
        check("R4.9", "cho lives, and does not join", answer, Err(Error::RebalanceInProgress));
        group.tick(at_ms);
    }
    let next = group.tick(11_000);
    check("R4.23", "the round ends: ann is told", joined(&next), vec![(1, 3)]);
    check("R4.23", "cho is out, bob is static and stays", ids(&group), vec!["ann", "bob"]);
    settle(&mut group, &["ann"], 11_000);
    group.heartbeat(16_000, "ann", 3).works("R4.9: ann's heartbeat");
    group.tick(21_000);
    check("R4.24", "it has not synced when the time for that is over", ids(&group), vec!["ann"]);
}

fn step_5_static_members_die_too() {
    let mut group = Group::new(0, at_once());
    round(&mut group, 0, vec![newcomer("ann"), static_newcomer("bob", "two")]);
    settle(&mut group, &["ann", "bob"], 0);
    group.heartbeat(5_000, "ann", 2).works("R4.9: ann's heartbeat");
    check("R4.21", "bob is silent for 5,999 ms", group.tick(5_999), vec![]);
    group.tick(6_000);
    check("R4.21", "and for its session timeout", ids(&group), vec!["ann"]);
}

fn step_5_a_static_leader_is_away() {
    let mut group = Group::new(0, at_once());
    let away = Join { session_timeout_ms: 30_000, ..static_newcomer("cho", "three") };
    round(&mut group, 0, vec![away, newcomer("ann"), newcomer("bob")]);
    settle(&mut group, &["cho", "ann", "bob"], 0);
    group.join(1_000, 1, newcomer("dan"));
    group.join(1_000, 2, member("bob"));
    group.join(1_000, 3, member("ann"));
    check("R4.13", "who leads, before the round is over", group.leader(), Some("cho"));
    let told = joined(&group.tick(11_000));
    let what = "the round ends without cho, who led: who is told of which generation";
    check("R4.13", what, told, vec![(3, 3), (2, 3), (1, 3)]);
    check("R4.13", "the first one that has joined leads", group.leader(), Some("ann"));
    check("R4.23", "cho is a member", ids(&group), vec!["ann", "bob", "cho", "dan"]);
}

fn step_5_whoever_never_syncs() {
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(0, 1, "bob", 2, vec![]);
    group.heartbeat(5_000, "ann", 2).works("R4.9: ann's heartbeat");
    check("R4.24", "the leader lives, and brings no plan", group.tick(9_999), vec![]);
    let refused = vec![Next::Refused { ticket: 1, error: Error::RebalanceInProgress }];
    check("R4.24", "when the time is over bob must join again", group.tick(10_000), refused);
    check("R4.24", "and the leader is out", ids(&group), vec!["bob"]);
    check("R4.13", "who leads next", joined(&group.join(10_100, 2, member("bob"))), vec![(2, 3)]);
    // The plan is there, and somebody does not fetch its part.
    let mut group = planning(&["ann", "bob"], 0);
    group.sync(0, 1, "ann", 2, plan(&["ann", "bob"]));
    group.saved(0, 2);
    for name in ["ann", "bob"] {
        group.heartbeat(5_000, name, 2).works("R4.9: a heartbeat");
    }
    group.tick(10_000);
    check("R4.24", "bob lives, and has not asked for its part", ids(&group), vec!["ann"]);
    check("R4.24", "a round is open", group.state(), State::PreparingRebalance);
    // All have: nothing happens.
    let mut group = stable(&["ann", "bob"], 0);
    for name in ["ann", "bob"] {
        group.heartbeat(5_000, name, 2).works("R4.9: a heartbeat");
    }
    check("R4.24", "all have asked", group.tick(10_000), vec![]);
    check("R4.24", "the state", group.state(), State::Stable);
}

fn step_5_a_sync_that_waits_has_asked() {
    let mut group = planning(&["ann", "bob", "cho"], 0);
    group.sync(0, 1, "bob", 2, vec![]);
    group.sync(0, 2, "ann", 2, plan(&["ann", "bob", "cho"]));
    // Saving takes longer than the time to sync.
    group.heartbeat(5_000, "cho", 2).works("R4.9: cho's heartbeat");
    let next = group.tick(10_000);
    let refused = |ticket| Next::Refused { ticket, error: Error::RebalanceInProgress };
    check(
        "R4.24",
        "ann and bob wait for the plan, cho has not asked",
        next,
        vec![refused(2), refused(1)],
    );
    check("R4.24", "the members", ids(&group), vec!["ann", "bob"]);
}

fn step_5_the_deadline() {
    check("R4.26", "nobody is there", Group::new(0, at_once()).deadline(), None);
    let mut group = stable(&["ann", "bob"], 1_000);
    check("R4.26", "two members, heard at 1,000 ms", group.deadline(), Some(7_000));
    group.heartbeat(2_000, "ann", 2).works("R4.9: ann's heartbeat");
    check("R4.26", "ann is heard at 2,000 ms", group.deadline(), Some(7_000));
    group.heartbeat(3_000, "bob", 2).works("R4.9: bob's heartbeat");
    check("R4.26", "bob is heard at 3,000 ms", group.deadline(), Some(8_000));
    group.heard(3_500, "ann");
    check("R4.26", "ann commits at 3,500 ms", group.deadline(), Some(9_000));
    group.join(4_000, 1, member("ann"));
    check("R4.26", "ann joins; bob was heard at 3,000 ms", group.deadline(), Some(9_000));
    group.heartbeat(8_500, "bob", 2).expect_err("R4.9: a round is open");
    check("R4.26", "the round that began at 4,000 ms ends", group.deadline(), Some(14_000));
    let next = group.join(9_000, 2, member("bob"));
    check("R4.12", "both have joined", joined(&next).len(), 2);
    check("R4.26", "both were told at 9,000 ms", group.deadline(), Some(15_000));
    group.sync(10_000, 3, "ann", 3, plan(&["ann", "bob"]));
    group.sync(10_000, 4, "bob", 3, vec![]);
    check("R4.26", "both wait: the time to sync ends", group.deadline(), Some(19_000));
    // A clock that goes back changes nothing.
    let mut group = stable(&["ann"], 5_000);
    group.heartbeat(3_000, "ann", 1).works("R4.9: ann's heartbeat");
    check("R4.26", "a heartbeat with an older time", group.deadline(), Some(11_000));
}

fn step_5_ids_that_never_come_back() {
    let mut group = stable(&["ann"], 0);
    let asks = |name: &str| Join { member_id_required: true, ..newcomer(name) };
    group.join(1_000, 1, asks("bob"));
    check("R4.25", "bob is given an id", group.pending().collect::<Vec<_>>(), vec!["bob"]);
    group.heartbeat(5_000, "ann", 1).works("R4.9: ann's heartbeat");
    group.join(5_000, 2, newcomer("cho"));
    group.join(5_000, 3, member("ann"));
    check("R4.26", "the next thing to happen", group.deadline(), Some(7_000));
    check("R4.25", "at 6,999 ms the round waits for bob", group.tick(6_999), vec![]);
    let told = joined(&group.tick(7_000));
    check("R4.25", "bob does not come for its session timeout", told, vec![(3, 2), (2, 2)]);
    let unknown = Error::UnknownMemberId { member: "bob".to_owned() };
    let next = group.join(8_000, 4, Join { member: "bob".to_owned(), ..asks("bob") });
    check("R4.25", "now it comes", next, vec![Next::Refused { ticket: 4, error: unknown }]);
    // Somebody asks in a loop.
    let mut group = stable(&["ann"], 0);
    for n in 0..1_500 {
        group.join(10, n, asks(&format!("id-{n}")));
    }
    let most = group.pending().len();
    check("R4.25", "1,500 ids are asked for, and the memory is bounded", most <= 1_000, true);
}

fn step_5_connections_that_are_gone() {
    // A newcomer that never knew its id is nobody.
    let mut group = stable(&["ann"], 0);
    group.join(10, 1, newcomer("bob"));
    check("R4.25", "bob's connection is gone", group.gone(20, 1), vec![]);
    check("R4.25", "the members", ids(&group), vec!["ann"]);
    check(
        "R4.12",
        "ann joins, and need not wait for it",
        joined(&group.join(30, 2, member("ann"))),
        vec![(2, 2)],
    );
    // One that knows its id may come back with it.
    let mut group = stable(&["ann"], 0);
    let asks = Join { member_id_required: true, ..newcomer("bob") };
    group.join(10, 1, asks.clone());
    group.join(20, 2, Join { member: "bob".to_owned(), ..asks.clone() });
    group.gone(30, 2);
    check("R4.25", "its id is remembered", group.pending().collect::<Vec<_>>(), vec!["bob"]);
    check("R4.12", "ann joins, bob may come back", group.join(40, 3, member("ann")), vec![]);
    let told = joined(&group.join(50, 4, Join { member: "bob".to_owned(), ..asks }));
    check("R4.12", "bob comes back", told, vec![(3, 2), (4, 2)]);
    // A member has its session timeout.
    group.sync(60, 5, "bob", 2, vec![]);
    group.sync(60, 6, "ann", 2, plan(&["ann", "bob"]));
    check("R4.25", "a sync's connection is gone", group.gone(5_000, 5), vec![]);
    group.tick(10_999);
    check("R4.21", "bob is a member at 10,999 ms", ids(&group), vec!["ann", "bob"]);
    group.tick(11_000);
    check("R4.21", "and not at 11,000 ms", ids(&group), vec!["ann"]);
    check("R4.18", "a ticket of nobody is gone", group.gone(11_000, 99), vec![]);
    // Join and vanish in a loop.
    let mut group = stable(&["ann"], 0);
    for n in 0..1_500 {
        let id = format!("id-{n}");
        group.join(10, n, Join { member_id_required: n % 2 == 0, ..newcomer(&id) });
        group.join(10, n, Join { member: id.clone(), ..newcomer(&id) });
        group.gone(10, n);
    }
    let most = group.pending().len() + group.members().len();
    check("R4.25", "1,500 join and vanish, and the memory is bounded", most <= 1_001, true);
}

fn step_5_a_newcomer_waits_five_minutes() {
    let mut group = Group::new(0, at_once());
    let patient = |name| Join {
        session_timeout_ms: 1_000_000,
        rebalance_timeout_ms: 1_000_000,
        ..newcomer(name)
    };
    group.join(0, 1, patient("ann"));
    settle(&mut group, &["ann"], 0);
    group.join(0, 2, patient("bob"));
    check("R4.25", "bob waits in a round for 299,999 ms", group.tick(299_999), vec![]);
    let error = Error::UnknownMemberId { member: "bob".to_owned() };
    let refused = vec![Next::Refused { ticket: 2, error }];
    check("R4.25", "after five minutes it is to try again", group.tick(300_000), refused);
    check("R4.25", "the members", ids(&group), vec!["ann"]);
}

fn step_5_only_static_members_are_left() {
    let mut group = Group::new(0, at_once());
    let away =
        |id: &str, name: &str| Join { session_timeout_ms: 50_000, ..static_newcomer(id, name) };
    round(&mut group, 0, vec![away("ann", "one"), away("bob", "two"), newcomer("cho")]);
    settle(&mut group, &["ann", "bob", "cho"], 0);
    group.leave(1_000, "cho").works("cho leaves");
    check("R4.23", "the round's time is over, and nobody has joined", group.tick(11_000), vec![]);
    check("R4.23", "static members stay", ids(&group), vec!["ann", "bob"]);
    check("R4.26", "the round goes on", group.deadline(), Some(21_000));
    check("R4.12", "one joins", group.join(12_000, 1, member("ann")), vec![]);
    check("R4.23", "the other stays away", joined(&group.tick(21_000)), vec![(1, 3)]);
}

fn step_5_a_group_is_restored() {
    let mut before = stable(&["ann", "bob"], 0);
    before.heartbeat(4_000, "ann", 2).works("R4.9: ann's heartbeat");
    let saved = before.metadata();
    let mut group = Group::restore(100_000, 4_000, at_once(), saved.clone());
    check("R4.31", "what would be saved again", group.metadata(), saved.clone());
    check("R4.31", "the state", group.state(), State::Stable);
    check("R4.31", "the deadline", group.deadline(), Some(106_000));
    check(
        "R4.31",
        "bob goes on as if nothing had been",
        group.heartbeat(101_000, "bob", 2),
        Ok(()),
    );
    let synced = vec![Next::Synced { ticket: 1, assignment: b"bob".to_vec() }];
    check("R4.31", "bob's part", group.sync(101_000, 1, "bob", 2, vec![]), synced);
    check(
        "R4.31",
        "bob joins without a change",
        joined(&group.join(101_000, 2, member("bob"))),
        vec![(2, 2)],
    );
    group.tick(106_000);
    check("R4.21", "ann is not heard", ids(&group), vec!["bob"]);
    let empty = Metadata {
        protocol_type: Some("consumer".to_owned()),
        generation: 7,
        ..Metadata::default()
    };
    let mut group = Group::restore(100_000, 4_000, at_once(), empty);
    check(
        "R4.31",
        "an empty group",
        (group.state(), group.empty_since_ms()),
        (State::Empty, Some(4_000)),
    );
    check("R4.31", "whether it was ever used", group.is_unused(), false);
    check(
        "R4.31",
        "somebody comes",
        joined(&group.join(100_001, 1, newcomer("ann"))),
        vec![(1, 8)],
    );
}

fn step_5_death_transcript() {
    let script = "
        # Two members, two partitions each. A session ends after 45 seconds of silence.
        topic orders 4
        join ann orders session=45000
        join bob orders session=45000
        join ann
        sync bob
        sync ann
        # Both send a heartbeat every three seconds. Then bob's machine loses power.
        @3000 heartbeat ann
        heartbeat bob
        @6000 heartbeat ann
        @47000 heartbeat ann
        describe
        # For 45 seconds nobody reads orders2 and orders3. Then ann hears that she must join again.
        @48000 wait
        @50000 heartbeat ann
        join ann
        sync ann
        # bob wakes up, and does not know.
        @60000 heartbeat bob
        join bob fresh
        heartbeat ann
        join ann
        sync bob
        sync ann";
    check_transcript(&LAB, "death", &transcript(script));
}

fn step_5_silent_leader_transcript() {
    let script = "
        # The leader lives, and brings no plan: it may hang in its own code.
        topic orders 4
        join ann orders rebalance=20000
        join bob orders rebalance=20000
        join ann
        sync bob
        @5000 heartbeat ann
        @10000 heartbeat ann
        @15000 heartbeat ann
        # bob waits, and nobody reads. After the time that they have for a round, ann is out.
        @20000 heartbeat ann
        join bob
        sync bob
        # It dies right after the round: its silence is noticed.
        group
        join ann orders session=10000 rebalance=60000
        join bob orders session=10000 rebalance=60000
        join ann
        sync bob
        @10000 wait
        join bob
        sync bob";
    check_transcript(&LAB, "silent-leader", &transcript(script));
}

fn step_5_slow_member_transcript() {
    let script = "
        # bob works for too long on what it has read: it sends heartbeats, and does not join again.
        topic orders 4
        join ann orders rebalance=20000
        join bob orders rebalance=20000
        join ann
        sync bob
        sync ann
        @1000 join cho orders rebalance=20000
        @2000 heartbeat ann
        join ann
        @5000 heartbeat bob
        @10000 heartbeat bob
        @15000 heartbeat bob
        @20000 heartbeat bob
        # The round began at 1000.
        @21000 wait
        sync cho
        sync ann
        @22000 heartbeat bob";
    check_transcript(&LAB, "slow-member", &transcript(script));
}

fn step_5_restart_transcript() {
    let script = "
        # The coordinator dies; another broker reads what was saved. The members notice nothing.
        topic orders 4
        join ann orders
        join bob orders
        join ann
        sync bob
        sync ann
        @5000 heartbeat ann
        heartbeat bob
        @8000 restart
        describe
        @12000 heartbeat ann
        # bob died meanwhile. It is noticed one session timeout after the restart.
        @13999 describe
        @14000 describe
        heartbeat ann";
    check_transcript(&LAB, "restart", &transcript(script));
}

fn step_5_kafkas_coordinator_on_deaths() {
    kafkas(Stories::Deaths, "R4.21");
}

fn step_5_any_history() {
    histories(Level::Deaths);
}

// Step 6: committed offsets.

fn step_6_the_next_offset() {
    for (last, expected) in [(0, 1), (9, 10), (41, 42)] {
        let what = format!("what to commit when the record at offset {last} is done");
        check("R4.27", what, next_offset(last), expected);
    }
}

fn step_6_only_a_member_commits() {
    let group = stable(&["ann", "bob"], 0);
    for name in ["ann", "bob"] {
        check("R4.28", format!("{name} is a member"), group.may_commit(name, 2), Ok(()));
    }
    let unknown = |member: &str| Err(Error::UnknownMemberId { member: member.to_owned() });
    check("R4.28", "cho is none", group.may_commit("cho", 2), unknown("cho"));
    check("R4.28", "nobody, and the group has members", group.may_commit("", -1), unknown(""));
    let mut group = stable(&["ann", "bob"], 0);
    group.leave(10, "bob").works("bob leaves");
    check("R4.28", "bob has left", group.may_commit("bob", 2), unknown("bob"));
}

fn step_6_an_old_generation_is_fenced() {
    let mut group = stable(&["ann", "bob"], 0);
    group.join(10, 1, newcomer("cho"));
    group.join(20, 2, member("bob"));
    group.join(20, 3, member("ann"));
    settle(&mut group, &["ann", "bob", "cho"], 30);
    for got in [-1, 0, 2, 4] {
        let expected = Err(Error::IllegalGeneration { current: 3, got });
        let what = format!("a commit of generation {got}, the group is at 3");
        check("R4.28", what, group.may_commit("bob", got), expected);
    }
    check("R4.28", "a commit of generation 3", group.may_commit("bob", 3), Ok(()));
}

fn step_6_from_state_to_state() {
    let mut group = stable(&["ann", "bob"], 0);
    group.join(10, 1, newcomer("cho"));
    let what = "a round is open: bob commits what it has read, before somebody else reads on";
    check("R4.29", what, group.may_commit("bob", 2), Ok(()));
    group.join(20, 2, member("bob"));
    check("R4.29", "bob has joined, ann has not", group.may_commit("bob", 2), Ok(()));
    group.join(30, 3, member("ann"));
    let refused = Err(Error::RebalanceInProgress);
    check("R4.29", "the plan is being made", group.may_commit("bob", 3), refused.clone());
    check("R4.29", "also for the leader", group.may_commit("ann", 3), refused);
    let old = Err(Error::IllegalGeneration { current: 3, got: 2 });
    check(
        "R4.28",
        "an old generation, while the plan is being made",
        group.may_commit("bob", 2),
        old,
    );
    settle(&mut group, &["ann", "bob", "cho"], 40);
    check("R4.29", "the plan was handed out", group.may_commit("bob", 3), Ok(()));
}

fn step_6_without_a_group() {
    let mut group = Group::new(0, at_once());
    check("R4.28", "an empty group, and no generation", group.may_commit("", -1), Ok(()));
    let unknown = Err(Error::UnknownMemberId { member: "ann".to_owned() });
    check("R4.28", "an empty group, and a generation", group.may_commit("ann", 0), unknown);
    round(&mut group, 0, vec![static_newcomer("ann", "one")]);
    settle(&mut group, &["ann"], 0);
    group.join(10, 1, static_newcomer("ann2", "one"));
    group.saved(10, 1);
    let got = group.may_commit(("ann", Some("one")), 1);
    let (instance, current, old) = ("one".to_owned(), "ann2".to_owned(), "ann".to_owned());
    let fenced = Err(Error::FencedInstanceId { instance, current, got: old });
    check("R4.20", "the old self of a static member", got, fenced);
    check("R4.20", "the new one", group.may_commit(("ann2", Some("one")), 1), Ok(()));
}

fn step_6_commit_transcript() {
    let script = "
        # A group that nobody has joined takes offsets of anybody: somebody may choose partitions itself.
        topic orders 4
        commit nobody
        join ann orders
        join bob orders
        join ann
        # The plan is being made: nobody knows yet who reads what.
        commit ann
        sync bob
        sync ann
        commit ann
        commit nobody
        # A round is open: commit now, for somebody else may read on.
        join cho orders
        commit bob
        join bob
        join ann
        sync bob
        sync cho
        sync ann
        # Somebody who has missed a round.
        commit bob generation=2
        commit bob
        # Somebody who was taken for dead.
        @5000 heartbeat ann
        heartbeat cho
        @6000 commit bob
        # Somebody who commits lives.
        @10900 commit ann
        commit cho
        @11500 describe";
    check_transcript(&LAB, "commit", &transcript(script));
}

fn step_6_kafkas_coordinator_on_commits() {
    kafkas(Stories::Commits, "R4.28");
}

fn step_6_lost_or_doubled() {
    for row in crashes() {
        let what = format!("{:?}, it dies after {}", row.order, row.last);
        match row.order {
            Order::ProcessFirst => check("R4.30", format!("what is lost: {what}"), row.lost, 0),
            Order::CommitFirst => {
                check("R4.30", format!("what is doubled: {what}"), row.doubled, 0)
            }
        }
        check("R4.27", format!("whether it goes on at a poll's begin: {what}"), row.from % 3, 0);
    }
}

fn step_6_crash_transcript() {
    let script = "
        # Nine records, three to a poll. A consumer dies after one of its acts, and another one goes on.
        crashes";
    check_transcript(&LAB, "crash", &transcript(script));
}

fn step_6_the_sleeper() {
    let (told, committed) = sleeper();
    let unknown = Error::UnknownMemberId { member: "ann".to_owned() }.to_string();
    let what = "ann sleeps, is taken for dead, wakes up when all is done, and commits 6";
    check("R4.28", what, told, unknown);
    check("R4.28", "the committed offset stays where the other one left it", committed, 9);
}

fn step_6_any_history() {
    histories(Level::Commits);
}

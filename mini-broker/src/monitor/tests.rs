use wire::consumer_protocol::TopicPartition as OfTopic;
use wire::offsets_topic::{GroupMetadataKey, MemberMetadata, OffsetCommitKey};

use super::view::Drain;
use super::*;
use crate::labs::lag::{Place, Status};

fn orders(partition: i32) -> TopicPartition {
    ("orders".to_owned(), partition)
}

fn commit(group: &str, partition: i32, at_ms: i64, offset: i64) -> GroupRecord {
    let topic = "orders".to_owned();
    let key = OffsetCommitKey { group: group.to_owned(), topic, partition };
    let value = OffsetCommitValue { offset, commit_timestamp: at_ms, ..Default::default() };
    GroupRecord::OffsetCommit { key, value: Some(value) }
}

fn seen(logs: &[(i32, u64, u64)]) -> BTreeMap<TopicPartition, Option<(u64, u64)>> {
    logs.iter().map(|&(partition, start, end)| (orders(partition), Some((start, end)))).collect()
}

#[test]
fn ten_are_sent_and_five_are_taken() {
    let mut monitor = Monitor::new(Settings::default());
    monitor.looked(1000, &seen(&[(0, 0, 10)]));
    monitor.record(1000, commit("billing", 0, 900, 5));
    let group = monitor.group(1000, "billing").unwrap();
    assert_eq!(group.partitions[0].lag, Ok(Some(5)));
    assert_eq!(group.partitions[0].log, Some((0, 10)));
    assert_eq!(group.status.unwrap().total_lag, 5);
    assert!(monitor.group(1000, "shipping").is_none());
}

/// The timeline of the lab's own story, with records as they stand in `__consumer_offsets`.
#[test]
fn a_consumer_that_stops() {
    let mut monitor = Monitor::new(Settings { intervals: 5, curve: 5, ..Settings::default() });
    let mut statuses = Vec::new();
    for second in 1..=20_u64 {
        let now_ms = second * 1000;
        monitor.looked(now_ms, &seen(&[(0, 0, second * 10)]));
        if second <= 8 {
            monitor.record(now_ms, commit("billing", 0, now_ms as i64, second as i64 * 4));
        }
        let group = monitor.group(now_ms, "billing").unwrap();
        statuses.push(group.partitions[0].status.clone().unwrap());
    }
    use Status::{Stall, Stop, Warn};
    // One commit alone is a stall: it names one offset only. Five span four seconds; then it is silent for longer.
    let expected = [vec![Stall], vec![Warn; 11], vec![Stop; 8]].concat();
    assert_eq!(statuses, expected);
    let group = monitor.group(20_000, "billing").unwrap();
    assert_eq!(group.status.unwrap().status, Status::Err);
    assert_eq!(group.partitions[0].rates, Ok((Some(10.0), Some(0.0))));
    assert_eq!(group.partitions[0].drain, Ok(Drain::Never));
    assert_eq!(group.partitions[0].curve, [128, 138, 148, 158, 168]);
}

#[test]
fn what_is_deleted_and_what_is_cut() {
    let mut monitor = Monitor::new(Settings::default());
    monitor.looked(1000, &seen(&[(0, 60, 100), (1, 0, 7)]));
    monitor.record(1000, commit("billing", 0, 900, 20));
    monitor.record(1000, commit("billing", 1, 900, 10));
    let group = monitor.group(1000, "billing").unwrap();
    assert_eq!(group.partitions[0].place, Ok(Place::Overtaken { lost: 40 }));
    assert_eq!(group.partitions[1].place, Ok(Place::Beyond { by: 3 }));
    assert_eq!(group.partitions[1].lag, Ok(Some(-3)));
    assert_eq!(group.status.unwrap().total_lag, 80, "a lag below zero is none");
}

#[test]
fn the_age_of_the_oldest_unread_record() {
    let mut monitor = Monitor::new(Settings::default());
    monitor.looked(1000, &seen(&[(0, 0, 10), (1, 40, 50)]));
    monitor.record(1000, commit("billing", 0, 900, 5));
    monitor.record(1000, commit("billing", 1, 900, 30));
    monitor.looked(2000, &seen(&[(0, 0, 10), (1, 40, 50)]));
    let late = |monitor: &Monitor| monitor.group(9000, "billing").unwrap().behind_ms.unwrap();
    assert_eq!(late(&monitor), None, "nobody has looked");
    // Of the second what was committed is deleted: the oldest that is there counts.
    assert_eq!(monitor.timeless("billing"), [(orders(0), 5), (orders(1), 40)]);
    monitor.timed("billing", &orders(0), 5, 8000);
    monitor.timed("billing", &orders(1), 40, 3000);
    monitor.timed("billing", &orders(1), 39, 1);
    assert_eq!(late(&monitor), Some(6000));
    // It reads on: another record is the oldest.
    monitor.record(9000, commit("billing", 1, 9000, 50));
    monitor.looked(9000, &seen(&[(0, 0, 10), (1, 40, 50)]));
    assert_eq!(late(&monitor), Some(1000));
}

#[test]
fn who_reads_what() {
    let assignment = wire::consumer_protocol::ConsumerProtocolAssignment {
        assigned_partitions: vec![OfTopic { topic: "orders".to_owned(), partitions: vec![0, 2] }],
        ..Default::default()
    };
    let member = MemberMetadata {
        member_id: "ann-1".to_owned(),
        client_id: "ann".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        assignment: assignment.to_bytes(3),
        ..Default::default()
    };
    let saved = |members: Vec<MemberMetadata>| GroupRecord::GroupMetadata {
        key: GroupMetadataKey { group: "billing".to_owned() },
        value: Some(GroupMetadataValue { members, ..Default::default() }),
    };
    let mut monitor = Monitor::new(Settings::default());
    monitor.looked(1000, &seen(&[(0, 0, 10), (1, 0, 10), (2, 0, 10)]));
    monitor.record(1000, commit("billing", 0, 900, 5));
    monitor.record(1000, commit("billing", 1, 900, 5));
    monitor.record(1000, saved(vec![member]));
    let group = monitor.group(1000, "billing").unwrap();
    let rows: Vec<(i32, Option<u64>, Option<&str>)> = group
        .partitions
        .iter()
        .map(|it| (it.partition, it.committed, it.owner.as_ref().map(|it| &it.client_id[..])))
        .collect();
    assert_eq!(rows, [(0, Some(5), Some("ann")), (1, Some(5), None), (2, None, Some("ann"))]);
    assert_eq!(group.members, 1);
    assert_eq!(group.partitions[2].lag, Ok(None), "nothing is committed there");
    monitor.record(1000, saved(Vec::new()));
    assert_eq!(monitor.group(1000, "billing").unwrap().partitions.len(), 2);
}

#[test]
fn what_is_gone_is_forgotten() {
    let gone = |record: GroupRecord| match record {
        GroupRecord::OffsetCommit { key, .. } => GroupRecord::OffsetCommit { key, value: None },
        other => other,
    };
    let mut monitor = Monitor::new(Settings { expire_group_ms: 60_000, ..Settings::default() });
    monitor.looked(1000, &seen(&[(0, 0, 10), (1, 0, 10)]));
    monitor.record(1000, commit("billing", 0, 900, 5));
    monitor.record(1000, commit("billing", 1, 900, 5));
    monitor.record(1000, gone(commit("billing", 1, 0, 0)));
    assert_eq!(monitor.group(1000, "billing").unwrap().partitions.len(), 1);
    // The topic is deleted: there is no log, and so no lag.
    monitor.looked(2000, &seen(&[]));
    let group = monitor.group(2000, "billing").unwrap();
    assert_eq!((group.partitions[0].log, &group.partitions[0].lag), (None, &Ok(None)));
    // Nobody could say where it ends: what was seen last counts.
    monitor.looked(3000, &seen(&[(0, 0, 12)]));
    monitor.looked(4000, &[(orders(0), None)].into());
    assert_eq!(monitor.group(4000, "billing").unwrap().partitions[0].log, Some((0, 12)));
    // It has not committed for a minute, and has no members.
    monitor.looked(60_901, &seen(&[(0, 0, 12)]));
    assert!(monitor.group(60_901, "billing").is_none());
    monitor.record(70_000, commit("billing", 0, 900, 5));
    assert!(monitor.group(70_000, "billing").is_none(), "an old record is none for us");
    let group = GroupMetadataKey { group: "shipping".to_owned() };
    monitor.record(70_000, commit("shipping", 0, 69_000, 5));
    monitor.record(70_000, GroupRecord::GroupMetadata { key: group, value: None });
    assert!(monitor.group(70_000, "shipping").is_none());
}

/// Clocks differ between machines, and are set.
#[test]
fn commits_from_the_future_and_clocks_that_go_back() {
    let mut monitor = Monitor::new(Settings::default());
    monitor.looked(1_000_000, &seen(&[(0, 0, 100)]));
    monitor.record(1_000_000, commit("billing", 0, 9_000_000, 5));
    let group = monitor.group(1_000_000, "billing").unwrap();
    assert_eq!(group.partitions[0].lag, Ok(Some(95)));
    assert_eq!(group.status.unwrap().status, Status::Err, "one commit alone is a stall");
    // The next one is earlier, and the clock of whoever looks is set back, too.
    monitor.record(500_000, commit("billing", 0, 400_000, 20));
    monitor.looked(500_000, &seen(&[(0, 0, 110)]));
    monitor.looked(501_000, &seen(&[(0, 0, 120)]));
    monitor.timed("billing", &orders(0), 20, 8_000_000);
    let group = monitor.group(501_000, "billing").unwrap();
    let partition = &group.partitions[0];
    assert_eq!((&partition.lag, partition.committed), (&Ok(Some(100)), Some(20)));
    assert_eq!(
        partition.rates,
        Ok((Some(10.0), Some(0.0))),
        "what was seen before the clock was set is no rate"
    );
    assert_eq!(partition.behind_ms, Ok(Some(0)), "a record from the future is not late");
    // A clock a year ahead: whoever has not committed for a week is forgotten, and is back with its next commit.
    let ahead = 400 * 24 * 3_600_000;
    monitor.looked(ahead, &seen(&[(0, 0, 120)]));
    assert!(monitor.group(ahead, "billing").is_none());
    monitor.record(502_000, commit("billing", 0, 502_000, 30));
    assert_eq!(monitor.group(502_000, "billing").unwrap().partitions[0].committed, Some(30));
}

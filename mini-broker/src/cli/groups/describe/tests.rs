//! The tables of Kafka's own tool, laid out again.

use bytes::BytesMut;
use wire::consumer_protocol::TopicPartition as OfTopic;

use super::super::recorded::{Cells, recorded, tables};
use super::*;

/// `-` is nothing.
fn number<N: std::str::FromStr>(row: &Cells, title: &str) -> Option<N> {
    row.get(title).and_then(|text| text.parse().ok())
}

fn row(cells: &Cells) -> Row {
    let owner = Owner {
        member_id: cells["CONSUMER-ID"].clone(),
        host: cells["HOST"].clone(),
        client_id: cells["CLIENT-ID"].clone(),
    };
    Row {
        group: cells["GROUP"].clone(),
        topic: cells["TOPIC"].clone(),
        partition: number(cells, "PARTITION").unwrap(),
        committed: number(cells, "CURRENT-OFFSET"),
        leader_epoch: number(cells, "LEADER-EPOCH"),
        log_end: number(cells, "LOG-END-OFFSET"),
        owner: Some(owner).filter(|owner| owner.member_id != MISSING),
    }
}

#[test]
fn offsets_are_laid_out_as_by_kafkas_tool() {
    for (text, verbose) in [(recorded!("offsets"), false), (recorded!("offsets-verbose"), true)] {
        let lay = |table: Vec<Cells>| {
            let rows: Vec<Row> = table.iter().map(row).collect();
            format!("\n{}", lag::describe(&rows, verbose))
        };
        let laid: String = tables(text).into_iter().map(lay).collect();
        assert_eq!(laid, text);
    }
}

fn member(cells: &Cells) -> DescribedGroupMember {
    let topic = |text: &str| {
        let (topic, numbers) = text.split_once(':')?;
        let partitions = numbers.split(',').map(|number| number.parse().unwrap()).collect();
        Some(OfTopic { topic: topic.to_owned(), partitions })
    };
    let assigned = cells["CURRENT-ASSIGNMENT"].split(';').filter_map(topic).collect();
    let assignment =
        ConsumerProtocolAssignment { assigned_partitions: assigned, ..Default::default() };
    DescribedGroupMember {
        member_id: cells["CONSUMER-ID"].clone(),
        group_instance_id: cells.get("GROUP-INSTANCE-ID").cloned(),
        client_id: cells["CLIENT-ID"].clone(),
        client_host: cells["HOST"].clone(),
        member_metadata: BytesMut::new(),
        member_assignment: assignment.to_bytes(3),
    }
}

#[test]
fn members_are_laid_out_as_by_kafkas_tool() {
    let verbose = recorded!("members-verbose");
    let (mut with, mut without) = (String::new(), String::new());
    for table in tables(verbose) {
        let described = DescribedGroup {
            group_id: "billing".to_owned(),
            members: table.iter().map(member).collect(),
            ..Default::default()
        };
        with += &format!("\n{}", members(&described, true).unwrap());
        without += &format!("\n{}", members(&described, false).unwrap());
    }
    // Kafka's rows come in the order of a hash table.
    assert_eq!(sorted(&with), sorted(verbose));
    assert_eq!(sorted(&without), sorted(recorded!("members")));
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.sort_unstable();
    lines
}

#[test]
fn states_are_laid_out_as_by_kafkas_tool() {
    for (text, verbose) in [(recorded!("state"), false), (recorded!("state-verbose"), true)] {
        let mut laid = String::new();
        for table in tables(text) {
            let cells = &table[0];
            let (place, node_id) = cells["COORDINATOR (ID)"].split_once("  (").unwrap();
            let (host, port) = place.split_once(':').unwrap();
            let coordinator = Coordinator {
                node_id: node_id.trim_end_matches(')').parse().unwrap(),
                host: host.to_owned(),
                port: port.parse().unwrap(),
            };
            let strategy = cells["ASSIGNMENT-STRATEGY"].clone();
            let members: usize = number(cells, "#MEMBERS").unwrap();
            let described = DescribedGroup {
                group_id: cells["GROUP"].clone(),
                protocol_data: if strategy == MISSING { String::new() } else { strategy },
                members: vec![DescribedGroupMember::default(); members],
                ..Default::default()
            };
            let lines = group_state(&described, &cells["STATE"], &coordinator, verbose);
            laid += &format!("\n{lines}");
        }
        assert_eq!(laid, text);
    }
}

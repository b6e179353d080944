use super::*;

fn all() -> Vec<Record> {
    let id = Uuid::from_u128(0x0102_0304);
    let setting = |resource, value: Option<&str>| Record::Config {
        resource,
        name: "retention.ms".into(),
        value: value.map(str::to_string),
    };
    vec![
        Record::Topic { name: "orders".into(), id, created: None },
        Record::Topic { name: "orders".into(), id, created: Some(1 << 40) },
        Record::Partition {
            topic: id,
            index: 3,
            replicas: vec![1, 2],
            isr: vec![2],
            leader: 2,
            epoch: 7,
            partition_epoch: 9,
        },
        Record::PartitionChange { topic: id, index: 3, isr: Some(vec![2, 1]), leader: None },
        Record::PartitionChange { topic: id, index: 0, isr: None, leader: Some(-1) },
        Record::RegisterBroker {
            id: 3,
            incarnation: id,
            epoch: 77,
            host: "127.0.0.1".into(),
            port: 65_535,
        },
        Record::BrokerChange { id: 3, epoch: 77, fenced: true },
        Record::BrokerChange { id: 3, epoch: 77, fenced: false },
        setting(Resource::Topic("orders".into()), None),
        setting(Resource::Topic("t".into()), Some(&"b".repeat(300))),
        setting(Resource::Broker(7), Some("")),
        setting(Resource::AllBrokers, Some("1000")),
        Record::RemoveTopic { id },
        Record::ProducerIds { next: 1000 },
    ]
}

#[test]
fn every_record_comes_back_as_it_was() {
    for record in all() {
        assert_eq!(Record::decode(&record.encode()).unwrap(), record);
    }
}

#[test]
fn a_record_cut_anywhere_is_an_error() {
    for bytes in all().iter().map(Record::encode) {
        for cut in 0..bytes.len() {
            assert!(Record::decode(&bytes[..cut]).is_err(), "{bytes:?} cut at {cut}");
        }
    }
}

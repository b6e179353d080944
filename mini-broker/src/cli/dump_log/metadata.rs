//! What the records of a metadata log say, as JSON under Kafka's names. (`MetadataJsonConverters`.)

use serde::Serialize;
use uuid::Uuid;

use crate::coordinator::Record as Fact;
use crate::coordinator::Unreadable;
use crate::node::meta::base64_id;
use crate::records::Record;

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    version: u32,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Data<'a> {
    Topic {
        name: &'a str,
        topic_id: String,
    },
    Partition {
        partition_id: i32,
        topic_id: String,
        replicas: &'a [i32],
        isr: &'a [i32],
        removing_replicas: [i32; 0],
        adding_replicas: [i32; 0],
        leader: i32,
        leader_epoch: i32,
        partition_epoch: i32,
    },
    PartitionChange {
        partition_id: i32,
        topic_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        isr: &'a Option<Vec<i32>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        leader: Option<i32>,
    },
    RegisterBroker {
        broker_id: i32,
        incarnation_id: String,
        broker_epoch: i64,
        end_points: [EndPoint<'a>; 1],
        features: [i32; 0],
        rack: Option<&'a str>,
        fenced: bool,
    },
    BrokerChange {
        broker_id: i32,
        broker_epoch: i64,
        fenced: i8,
    },
    Config {
        resource_type: i8,
        resource_name: String,
        name: &'a str,
        value: &'a Option<String>,
    },
    RemoveTopic {
        topic_id: String,
    },
    ProducerIds {
        broker_id: i32,
        broker_epoch: i64,
        next_producer_id: i64,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndPoint<'a> {
    name: &'static str,
    host: &'a str,
    port: u16,
    security_protocol: i16,
}

/// A record's value in words. One that cannot be read does not keep anybody from the others.
pub fn said(record: &Record<'_>) -> String {
    let fact = Fact::decode(record.value.unwrap_or_default());
    let text = fact.map_err(|error: Unreadable| error.to_string()).and_then(|fact| {
        let (kind, data) = printed(&fact);
        let printed = Printed { kind, version: 0, data };
        serde_json::to_string(&printed).map_err(|error| error.to_string())
    });
    text.unwrap_or_else(|why| format!("Error at {}, skipping. {why}", record.offset))
}

fn printed(fact: &Fact) -> (&'static str, Data<'_>) {
    let topic_id = |id: &Uuid| base64_id(*id);
    match fact {
        Fact::Topic { name, id, .. } => {
            ("TOPIC_RECORD", Data::Topic { name, topic_id: topic_id(id) })
        }
        Fact::Partition { topic, index, replicas, isr, leader, epoch, partition_epoch } => {
            let data = Data::Partition {
                partition_id: *index,
                topic_id: topic_id(topic),
                replicas,
                isr,
                removing_replicas: [],
                adding_replicas: [],
                leader: *leader,
                leader_epoch: *epoch,
                partition_epoch: *partition_epoch,
            };
            ("PARTITION_RECORD", data)
        }
        Fact::PartitionChange { topic, index, isr, leader } => {
            let (partition_id, leader) = (*index, *leader);
            let topic_id = topic_id(topic);
            let data = Data::PartitionChange { partition_id, topic_id, isr, leader };
            ("PARTITION_CHANGE_RECORD", data)
        }
        Fact::RegisterBroker { id, incarnation, epoch, host, port } => {
            let (name, security_protocol) = ("PLAINTEXT", 0);
            let data = Data::RegisterBroker {
                broker_id: *id,
                incarnation_id: topic_id(incarnation),
                broker_epoch: *epoch,
                end_points: [EndPoint { name, host, port: *port, security_protocol }],
                features: [],
                rack: None,
                fenced: true,
            };
            ("REGISTER_BROKER_RECORD", data)
        }
        Fact::BrokerChange { id, epoch, fenced } => {
            let fenced = if *fenced { 1 } else { -1 };
            let data = Data::BrokerChange { broker_id: *id, broker_epoch: *epoch, fenced };
            ("BROKER_REGISTRATION_CHANGE_RECORD", data)
        }
        Fact::Config { resource, name, value } => {
            let (resource_type, resource_name) = resource.kind_and_name();
            ("CONFIG_RECORD", Data::Config { resource_type, resource_name, name, value })
        }
        Fact::RemoveTopic { id } => {
            ("REMOVE_TOPIC_RECORD", Data::RemoveTopic { topic_id: topic_id(id) })
        }
        Fact::ProducerIds { next } => {
            let (broker_id, broker_epoch) = (-1, -1);
            let data = Data::ProducerIds { broker_id, broker_epoch, next_producer_id: *next };
            ("PRODUCER_IDS_RECORD", data)
        }
    }
}

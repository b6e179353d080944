//! Lab 5's first prediction, tried on the same broker beside the story.

use std::collections::BTreeMap;

use crate::cli::Failure;
use crate::cli::experiment::message;
use crate::client::admin::NewTopic;
use crate::client::group_admin::{Committed, Committer};
use crate::client::{Client, Producer, producer};
use crate::labs::lag::lag;
use crate::labs::{fenced, told};

const TOPIC: &str = "clicks";
const GROUP: &str = "reports";
const RECORDS: u64 = 10;
const COMMITTED: u64 = 5;
const DELETED: u64 = 8;

pub struct Answers {
    /// P5.1: the lag of a group that retention has overtaken; or the step that is missing.
    pub overtaken: Result<i64, String>,
    /// How many of these are still there.
    pub left: u64,
}

pub async fn ask(mut client: Client) -> Result<Answers, Failure> {
    client.create_topic(&NewTopic::named(TOPIC, 1)).await?;
    let mut producer = Producer::new(client.clone(), TOPIC, producer::Settings::default()).await?;
    for number in 0..RECORDS {
        producer.push(0, message(number.to_string().as_bytes()));
    }
    producer.close_all();
    while !producer.is_idle() {
        for delivery in producer.progress().await? {
            delivery.result?;
        }
    }
    let partition = (TOPIC.to_owned(), 0);
    let committed = Committed { offset: COMMITTED as i64, leader_epoch: -1 };
    let offsets = BTreeMap::from([(partition.clone(), committed)]);
    client.commit(GROUP, &Committer::default(), &offsets).await?;
    let led = client.partitions(TOPIC, false).await?;
    let wanted: Vec<_> = led.into_iter().map(|led| (led, DELETED as i64)).collect();
    for deleted in client.delete_records(TOPIC, &wanted).await? {
        deleted.result?;
    }
    let bounds = client.log_bounds(Some(&[TOPIC])).await?.bounds;
    let missing = || Failure::new(format!("nobody could say where {TOPIC} ends"));
    let (start, end) = bounds.get(&partition).copied().flatten().ok_or_else(missing)?;
    let committed = client.committed(GROUP, None, false).await?;
    let committed = committed.get(&partition).and_then(|at| u64::try_from(at.offset).ok());
    let overtaken = fenced(|| lag(end, committed)).map_err(|broken| told("lag", &broken));
    let overtaken = overtaken.map(|lag| lag.unwrap_or_default());
    Ok(Answers { overtaken, left: end - start })
}

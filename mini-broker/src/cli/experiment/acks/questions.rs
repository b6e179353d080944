//! Two of lab 3's predictions, tried on the same cluster. (The third would take its thirty seconds.)

use std::time::Duration;
use std::{fs, io};

use tokio::time::{Instant, sleep};

use super::topic::{Topic, values};
use super::{Acks, PATIENCE};
use crate::cli::Failure;
use crate::cli::experiment::own_cluster::OwnCluster;

const RECORD: &[u8] = b"record";

pub struct Answers {
    /// P3.1: the leader has 0 to 13, its followers have fetched from 12 and from 9. The last offset
    /// that can be read.
    pub last_readable: i64,
    /// P3.3: two brokers are down, all settings are Kafka's. The machines that have a record of
    /// acks=all.
    pub machines: usize,
}

pub async fn ask(cluster: &mut OwnCluster) -> Result<Answers, Failure> {
    let last_readable = last_readable(cluster).await?;
    Ok(Answers { last_readable, machines: machines(cluster).await? })
}

/// Followers are paused one after the other, so that their logs end earlier than the leader's.
async fn last_readable(cluster: &mut OwnCluster) -> Result<i64, Failure> {
    let topic = Topic::create(cluster, "three-ends", 1, 1).await?;
    let [second, third] = topic.followers[..] else { return Err(Failure::new("two followers")) };
    topic.write(Acks::All, &[RECORD; 9]).await?;
    cluster.pause(third)?;
    topic.write(Acks::Leader, &[RECORD; 3]).await?;
    let give_up = Instant::now() + PATIENCE;
    while size(cluster, &topic, second)? < size(cluster, &topic, topic.leader)? {
        if Instant::now() > give_up {
            return Err(Failure::new(format!("broker {second} does not follow the leader")));
        }
        sleep(Duration::from_millis(10)).await;
    }
    cluster.pause(second)?;
    topic.write(Acks::Leader, &[RECORD; 2]).await?;
    let end = topic.end().await?;
    cluster.resume(second)?;
    cluster.resume(third)?;
    topic.until_in_sync(3).await?;
    Ok(end - 1)
}

async fn machines(cluster: &mut OwnCluster) -> Result<usize, Failure> {
    let topic = Topic::create(cluster, "alone", 1, 1).await?;
    for follower in &topic.followers {
        cluster.kill(*follower)?;
    }
    topic.until_in_sync(1).await?;
    topic.write(Acks::All, &[RECORD]).await?;
    let all = [&[topic.leader], &topic.followers[..]].concat();
    let mut machines = 0;
    for broker in all {
        let log = bytes(cluster, &topic, broker)?;
        machines += usize::from(values(&log, 0)?.iter().any(|value| value == RECORD));
    }
    Ok(machines)
}

fn size(cluster: &OwnCluster, topic: &Topic, broker: i32) -> Result<usize, Failure> {
    Ok(bytes(cluster, topic, broker)?.len())
}

/// The log as it stands on a broker's disk. It has no file before its first record.
fn bytes(cluster: &OwnCluster, topic: &Topic, broker: i32) -> io::Result<Vec<u8>> {
    let folder = cluster.data(broker).join(format!("{}-0", topic.name));
    match fs::read(folder.join("00000000000000000000.log")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

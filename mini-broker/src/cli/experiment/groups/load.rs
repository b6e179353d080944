//! Where the records come from, and where logs and commits stand.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until};
use wire::list_offsets::LATEST;

use super::scene::Looked;
use super::{BILLING, PARTITION_RATE, PARTITIONS, SHIPPING, TOPIC};
use crate::cli::Failure;
use crate::cli::experiment::message;
use crate::client::producer::Settings;
use crate::client::{Client, Producer};

/// So often a batch is sent to each partition.
const EVERY: Duration = Duration::from_millis(40);
const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// Sends records at a steady rate to each partition, for as long as it is not dropped.
pub async fn produce(client: Client, start: Instant) -> Result<(), Failure> {
    let mut producer = Producer::new(client, TOPIC, Settings::default()).await?;
    let (mut due, mut sent) = (start, 0);
    loop {
        due += EVERY;
        // Whoever is late makes up for it.
        let until = ((due - start).as_secs_f64() * PARTITION_RATE as f64) as u64;
        for number in sent..until {
            for partition in 0..PARTITIONS as i32 {
                producer.push(partition, message(number.to_string().as_bytes()));
            }
        }
        sent = until;
        producer.close_all();
        while Instant::now() < due {
            let ended = tokio::select! {
                ended = producer.progress() => ended?,
                () = sleep_until(due) => break,
            };
            for delivery in ended {
                delivery.result?;
            }
        }
    }
}

/// Looks again and again, and tells what it has seen.
pub async fn look(mut client: Client, tells: UnboundedSender<Looked>) -> Result<(), Failure> {
    let mut due = Instant::now();
    loop {
        due = due.max(Instant::now()) + LOOKS_EVERY;
        if tells.send(looked(&mut client).await?).is_err() {
            return Ok(());
        }
        sleep_until(due).await;
    }
}

pub async fn looked(client: &mut Client) -> Result<Looked, Failure> {
    // Commits first: they may not seem to be ahead of the log.
    let shipping = committed(client, SHIPPING).await?;
    let billing = committed(client, BILLING).await?;
    let led = client.leaders(TOPIC).await?;
    let wanted: Vec<_> = led.into_iter().map(|led| (led, LATEST)).collect();
    let found = client.list_offsets(TOPIC, &wanted).await?;
    let ends = found.into_iter().map(|found| found.offset).collect();
    Ok(Looked { ends, shipping, billing })
}

async fn committed(client: &mut Client, group: &str) -> Result<Vec<i64>, Failure> {
    let committed = client.committed(group, None, false).await?;
    let of = |partition: usize| committed.get(&(TOPIC.to_owned(), partition as i32));
    Ok((0..PARTITIONS).map(|partition| of(partition).map_or(0, |at| at.offset)).collect())
}

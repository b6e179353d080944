//! How fast is a setting? A burst, as fast as one producer can with one request on its way.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Acks;
use super::topic::{Topic, in_time, message};
use crate::cli::Failure;
use crate::client::producer::{Delivery, Settings};

const BURST: Duration = Duration::from_millis(500);
const RECORD: [u8; 100] = [b'x'; 100];
/// So much waits at most: four batches.
const BUFFER: usize = 64 << 10;

pub struct Speed {
    pub records_per_s: f64,
    /// From `push` until it was acknowledged.
    pub p99: Duration,
}

pub async fn measure(topic: &Topic, acks: Acks) -> Result<Speed, Failure> {
    let settings = Settings { buffer: BUFFER, ..acks.settings() };
    let mut producer = topic.producer(settings).await?;
    // Microseconds, up to a minute.
    let mut took = Histogram::<u64>::new_with_bounds(1, 60_000_000, 3).expect("possible bounds");
    let start = Instant::now();
    let burst = async {
        for n in 0u64.. {
            if n % 64 == 0 {
                count(producer.try_progress()?, &mut took)?;
                if start.elapsed() >= BURST {
                    break;
                }
            }
            producer.push(0, message(&RECORD));
            while producer.is_full() {
                count(producer.progress().await?, &mut took)?;
            }
        }
        producer.close_all();
        while !producer.is_idle() {
            count(producer.progress().await?, &mut took)?;
        }
        Ok(start.elapsed())
    };
    let what = format!("{}: a burst is not acknowledged to its end", acks.name());
    let elapsed = in_time(&what, burst).await?;
    // The next round begins when the followers have all of it.
    topic.write(Acks::All, &[b"last"]).await?;
    Ok(Speed {
        records_per_s: took.len() as f64 / elapsed.as_secs_f64(),
        p99: Duration::from_micros(took.value_at_quantile(0.99)),
    })
}

fn count(ended: Vec<Delivery>, took: &mut Histogram<u64>) -> Result<(), Failure> {
    let now = Instant::now();
    for delivery in ended {
        delivery.result?;
        for pushed in delivery.pushed {
            took.saturating_record((now - pushed).as_micros() as u64);
        }
    }
    Ok(())
}

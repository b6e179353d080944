//! `mini-broker perf`: how fast does a broker take, give and pass on messages? Flags and lines are
//! those of Kafka's `ProducerPerformance`, `ConsumerPerformance` and `EndToEndLatency`.
//!
//! Times of day are printed in UTC.

/// One line on standard output, at once.
macro_rules! say {
    ($($part:tt)*) => { crate::cli::terminal::say(format_args!($($part)*)) };
}

mod consume;
mod latency;
mod produce;

use hdrhistogram::Histogram;

use super::Failure;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Send messages as fast as the broker takes them, or at a given rate
    Produce(produce::Args),
    /// Read messages as fast as the broker gives them
    Consume(consume::Args),
    /// Send one message, wait until it is read, send the next
    Latency(latency::Args),
}

pub async fn run(args: Args) -> Result<(), Failure> {
    match args.what {
        What::Produce(args) => produce::run(args).await,
        What::Consume(args) => consume::run(args).await,
        What::Latency(args) => latency::run(args).await,
    }
}

const MB: f64 = 1024.0 * 1024.0;

/// Microseconds up to ten minutes, to three digits.
fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are possible")
}

/// Bytes that look random and are the same in every run: capital letters.
struct Payload {
    letters: Vec<u8>,
    size: usize,
    next: usize,
}

impl Payload {
    /// How many different messages there are: enough to keep a compressor from cheating.
    const VARIANTS: usize = 8 << 10;

    fn new(size: usize) -> Self {
        use rand_pcg::rand_core::Rng;
        let mut random = rand_pcg::Pcg32::new(0, 0);
        let letters = (0..size + Self::VARIANTS).map(|_| b'A' + (random.next_u32() % 26) as u8);
        Payload { letters: letters.collect(), size, next: 0 }
    }

    fn next(&mut self) -> &[u8] {
        self.next = (self.next + 31) % Self::VARIANTS;
        &self.letters[self.next..self.next + self.size]
    }
}

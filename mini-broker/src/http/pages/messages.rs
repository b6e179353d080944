//! Messages of a topic, as a person asks for them: the newest, the oldest, from an offset or from a time on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use super::{encoded, time};
use crate::client::consumer::Settings;
use crate::client::{Client, Consumer, Led};
use crate::http::{Problem, in_time};
use crate::records;

/// No more of a key or value is shown.
const SHOWN: usize = 400;
/// No more messages are shown.
const MOST: usize = 200;
/// However slow the brokers are, what has come by then is shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the form asks for.
#[derive(Deserialize, Default, Clone)]
pub struct Wanted {
    #[serde(default)]
    pub from: String,
    /// An offset, or a time.
    #[serde(default)]
    pub at: String,
    /// Empty: all of them.
    #[serde(default)]
    pub partition: String,
    #[serde(default)]
    pub count: String,
    pub live: Option<u8>,
}

enum From {
    Newest,
    Oldest,
    Offset(i64),
    Time(i64),
}

pub struct Message {
    pub partition: i32,
    pub offset: i64,
    pub time: String,
    pub timestamp: i64,
    pub key: Shown,
    pub value: Shown,
    pub headers: Vec<(String, Shown)>,
    /// Where its bytes are shown, if this process has them.
    pub bytes: String,
}

/// Bytes as a person can read them.
pub struct Shown {
    pub text: String,
    /// What the text does not say: that there is more, or that these are no letters.
    pub note: String,
}

impl Wanted {
    pub fn query(&self) -> String {
        let Wanted { from, at, partition, count, .. } = self;
        let pairs = [("from", from), ("at", at), ("partition", partition), ("count", count)];
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        pairs
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&")
    }

    fn count(&self) -> Result<usize, Problem> {
        match self.count.trim() {
            "" => Ok(20),
            text => text.parse().ok().filter(|count| (1..=MOST).contains(count)).ok_or_else(|| {
                Problem::bad(format!("{text:?} messages: expected a number from 1 to {MOST}"))
            }),
        }
    }

    fn from(&self) -> Result<From, Problem> {
        let at = self.at.trim();
        match self.from.as_str() {
            "" | "newest" => Ok(From::Newest),
            "oldest" => Ok(From::Oldest),
            "offset" => at
                .parse()
                .map(From::Offset)
                .map_err(|_| Problem::bad(format!("offset {at:?}: expected a number, such as 0"))),
            "time" => at_time(at).map(From::Time),
            other => Err(Problem::bad(format!(
                "from {other:?}: expected newest, oldest, offset or time"
            ))),
        }
    }
}

/// A time as `--to-datetime` takes it, or milliseconds since 1970.
pub fn at_time(text: &str) -> Result<i64, Problem> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    crate::cli::groups::timestamp::parse(text).map_err(Problem::bad)
}

pub async fn read(
    client: &Client,
    topic: &str,
    all: &[Led],
    wanted: &Wanted,
) -> Result<Vec<Message>, Problem> {
    let count = wanted.count()?;
    let from = wanted.from()?;
    let partitions: Vec<Led> = match wanted.partition.trim() {
        "" => all.to_vec(),
        text => {
            let number: Option<i32> = text.parse().ok();
            let found = all.iter().filter(|led| Some(led.partition) == number).copied();
            let found: Vec<Led> = found.collect();
            if found.is_empty() {
                let sentence =
                    format!("{topic} has no partition {text:?}, but 0 to {}", all.len() - 1);
                return Err(Problem::not_found(sentence));
            }
            found
        }
    };
    let led: Vec<Led> = partitions.into_iter().filter(|led| led.leader >= 0).collect();
    let mut client = client.clone();
    let bounds = in_time(client.log_bounds(Some(&[topic]))).await?.bounds;
    let bounds = |led: &Led| {
        let known = bounds.get(&(topic.to_owned(), led.partition)).copied().flatten();
        known.unwrap_or_default()
    };
    let mut start = Vec::new();
    let times: BTreeMap<i32, i64> = match from {
        From::Time(ms) => {
            let asked: Vec<(Led, i64)> = led.iter().map(|led| (*led, ms)).collect();
            let found = in_time(client.list_offsets(topic, &asked)).await?;
            found.into_iter().map(|found| (found.partition, found.offset)).collect()
        }
        _ => BTreeMap::new(),
    };
    for led in &led {
        let (first, end) = bounds(led);
        let (first, end) = (first as i64, end as i64);
        let at = match from {
            From::Newest => (end - count as i64).max(first),
            From::Oldest => first,
            From::Offset(offset) => offset.max(first),
            From::Time(_) => match times.get(&led.partition) {
                Some(offset) if *offset >= 0 => *offset,
                _ => end,
            },
        };
        if at < end {
            start.push((*led, at, end));
        }
    }
    let mut messages = fetched(client, topic, &start, count).await?;
    messages.sort_by_key(|message| (message.timestamp, message.offset, message.partition));
    match from {
        From::Newest => {
            messages.reverse();
            messages.truncate(count);
        }
        _ => messages.truncate(count),
    }
    Ok(messages)
}

/// Up to `count` messages of each partition, from an offset on and below another.
async fn fetched(
    client: Client,
    topic: &str,
    start: &[(Led, i64, i64)],
    count: usize,
) -> Result<Vec<Message>, Problem> {
    if start.is_empty() {
        return Ok(Vec::new());
    }
    let from: Vec<(Led, i64)> = start.iter().map(|(led, at, _)| (*led, *at)).collect();
    let mut open: BTreeMap<i32, (i64, usize)> =
        start.iter().map(|(led, _, end)| (led.partition, (*end, count))).collect();
    let settings = Settings {
        max_bytes: 4 << 20,
        max_wait: Duration::from_millis(10),
        patience: PATIENCE,
        ..Settings::default()
    };
    let mut consumer = Consumer::new(client.apart(), topic, &from, settings);
    let mut messages = Vec::new();
    let reading = async {
        while !open.is_empty() {
            for fetched in consumer.poll().await? {
                let partition = fetched.partition;
                for batch in records::batches(&fetched.batches).map_while(Result::ok) {
                    if batch.header.is_control() {
                        continue;
                    }
                    let Ok(read) = batch.records() else { continue };
                    for record in read.iter().map_while(Result::ok) {
                        let Some((end, left)) = open.get_mut(&partition) else { break };
                        if record.offset < fetched.from || record.offset >= *end || *left == 0 {
                            continue;
                        }
                        *left -= 1;
                        messages.push(message(partition, &record));
                    }
                }
                // Compaction may have taken the last ones: what counts is how far the reader has come.
                let position = consumer.position(partition).unwrap_or(i64::MAX);
                if open.get(&partition).is_some_and(|(end, left)| position >= *end || *left == 0) {
                    open.remove(&partition);
                }
            }
        }
        Ok::<(), crate::client::Error>(())
    };
    if let Ok(read) = timeout(PATIENCE, reading).await {
        read?;
    }
    Ok(messages)
}

fn message(partition: i32, record: &records::Record<'_>) -> Message {
    Message {
        partition,
        offset: record.offset,
        time: time(record.timestamp),
        timestamp: record.timestamp,
        key: shown(record.key),
        value: shown(record.value),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), shown(value)))
            .collect(),
        bytes: String::new(),
    }
}

pub fn shown(bytes: Option<&[u8]>) -> Shown {
    let Some(bytes) = bytes else {
        return Shown { text: String::new(), note: "null".into() };
    };
    let all = bytes.len();
    match std::str::from_utf8(bytes) {
        Ok("") => Shown { text: String::new(), note: "empty".into() },
        Ok(text) => {
            let cut = (0..=SHOWN.min(all)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let note = match all - cut {
                0 => String::new(),
                more => format!("… and {more} bytes more"),
            };
            Shown { text: text[..cut].to_owned(), note }
        }
        Err(_) => {
            let hex: Vec<String> =
                bytes.iter().take(SHOWN / 4).map(|byte| format!("{byte:02x}")).collect();
            Shown { text: hex.join(" "), note: format!("{all} bytes that are no text") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_what_they_are() {
        let of = |bytes| {
            let Shown { text, note } = shown(bytes);
            (text, note)
        };
        assert_eq!(of(None), (String::new(), "null".into()));
        assert_eq!(of(Some(b"")), (String::new(), "empty".into()));
        assert_eq!(of(Some(b"<b>")), ("<b>".into(), String::new()));
        assert_eq!(of(Some(&[0xff, 0])), ("ff 00".into(), "2 bytes that are no text".into()));
        let long = "é".repeat(300);
        let (text, note) = of(Some(long.as_bytes()));
        assert_eq!((text.len(), note), (400, "… and 200 bytes more".into()));
    }
}

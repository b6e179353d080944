//! The transcript: a line for everything that happens.

use std::fmt::Write;

use mini_broker::broker::{Answer, Peer};
use wire::{Records, Request, Response};

use crate::net::name_of;
use crate::world::{World, name};

/// The last lines are kept.
const LINES: usize = 400;

impl World {
    pub fn mix(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
    }

    /// A line of the transcript.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let Some(transcript) = &mut self.transcript else { return };
        let mut text = String::new();
        let _ = write!(text, "@{}.{:03} {}", self.now_us / 1000, self.now_us % 1000, line());
        self.lines += 1;
        if transcript.len() == LINES {
            transcript.pop_front();
        }
        let hash = text.bytes().fold(0u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
        transcript.push_back(text);
        self.mix(hash);
    }

    pub fn transcript(&self) -> String {
        let lines = self.transcript.iter().flatten();
        lines.map(|line| format!("{line}\n")).collect()
    }

    pub fn note_request(&mut self, host: usize, to: &Peer, request: &Request) {
        self.note(|| match to {
            Peer::Coordinator => {
                format!("{} → coordinator: {}", name(host), asked(request))
            }
            Peer::Broker { id, .. } => {
                format!("{} → broker {id}: {}", name(host), asked(request))
            }
        });
    }

    pub fn note_answer(&mut self, host: usize, answer: &Answer) {
        if let Answer::Response { body, .. } = answer {
            self.note(|| format!("{}: answers {}", name(host), answer_of(body)));
        }
    }
}

fn asked(request: &Request) -> String {
    match request {
        Request::Fetch(fetch) => {
            let mut text = format!("Fetch of {} (epoch {})", fetch.replica_id, fetch.replica_epoch);
            for topic in &fetch.topics {
                for it in &topic.partitions {
                    text += &format!(
                        " {}-{}@{} e{}/{}",
                        topic.topic,
                        it.partition,
                        it.fetch_offset,
                        it.current_leader_epoch,
                        it.last_fetched_epoch
                    );
                }
            }
            text
        }
        Request::AlterPartition(alter) => {
            let mut text = format!("AlterPartition (epoch {})", alter.broker_epoch);
            for it in alter.topics.iter().flat_map(|topic| &topic.partitions) {
                let isr: Vec<_> = it.new_isr_with_epochs.iter().map(|it| it.broker_id).collect();
                text += &format!(
                    " {}: {isr:?} e{} p{}",
                    it.partition_index, it.leader_epoch, it.partition_epoch
                );
            }
            text
        }
        Request::BrokerHeartbeat(it) => {
            format!("Heartbeat (epoch {}) read to {}", it.broker_epoch, it.current_metadata_offset)
        }
        Request::BrokerRegistration(it) => {
            format!("Registration, epoch before {}", it.previous_broker_epoch)
        }
        Request::Produce(produce) => {
            let mut text = format!("Produce acks={}", produce.acks);
            for topic in &produce.topic_data {
                for it in &topic.partition_data {
                    text += &format!(" {}-{}", topic.name, it.index);
                }
            }
            text
        }
        other => name_of(other).into(),
    }
}

fn answer_of(response: &Response) -> String {
    match response {
        Response::Fetch(fetch) => {
            let mut text = String::from("Fetch");
            for topic in &fetch.responses {
                for it in &topic.partitions {
                    let bytes = match &it.records {
                        Records::Here(bytes) => bytes.len(),
                        Records::There { len, .. } => *len as usize,
                        Records::None => 0,
                    };
                    text += &format!(
                        " {}-{} {} hw {} {bytes} B",
                        topic.topic, it.partition_index, it.error_code, it.high_watermark
                    );
                    if it.diverging_epoch.epoch >= 0 {
                        let at = &it.diverging_epoch;
                        text += &format!(" parts e{}@{}", at.epoch, at.end_offset);
                    }
                }
            }
            text
        }
        Response::Produce(produce) => {
            let mut text = String::from("Produce");
            for topic in &produce.responses {
                for it in &topic.partition_responses {
                    text += &format!(
                        " {}-{} {} at {}",
                        topic.name, it.index, it.error_code, it.base_offset
                    );
                }
            }
            text
        }
        Response::AlterPartition(alter) => {
            let mut text = format!("AlterPartition {}", alter.error_code);
            for it in alter.topics.iter().flat_map(|topic| &topic.partitions) {
                text += &format!(
                    " {}: {} {:?} e{} p{}",
                    it.partition_index, it.error_code, it.isr, it.leader_epoch, it.partition_epoch
                );
            }
            text
        }
        Response::BrokerHeartbeat(it) => {
            format!("Heartbeat {} fenced {}", it.error_code, it.is_fenced)
        }
        Response::BrokerRegistration(it) => {
            format!("Registration {} epoch {}", it.error_code, it.broker_epoch)
        }
        other => {
            let text = format!("{other:?}");
            text.chars().take(160).collect()
        }
    }
}

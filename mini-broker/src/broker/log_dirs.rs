//! DescribeLogDirs: how large each partition's log is, and how much room is left. The logs that are
//! open know their size; for the others a job looks at the files, so that nothing has to be opened
//! and nobody has to wait. (`ReplicaManager.describeLogDirs`, KIP-113;
//! the room that is left: KIP-827.)

use std::collections::BTreeMap;
use std::io;

use wire::ErrorCode;
use wire::log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeLogDirsResult, DescribeLogDirsTopic,
};

use super::{Broker, Job, Measured, Output, Ticket};

/// An answer that waits for the files to be measured.
pub struct Measuring {
    ticket: Ticket,
    /// The sizes that are known, by topic and partition; `None`: the next that the job measures.
    sizes: BTreeMap<String, Vec<(i32, Option<u64>)>>,
}

impl Broker {
    pub(super) fn describe_log_dirs(
        &mut self,
        ticket: Ticket,
        request: DescribeLogDirsRequest,
        out: &mut Vec<Output>,
    ) {
        let mut sizes = BTreeMap::new();
        let mut dirs = Vec::new();
        // Nobody knows a partition that is not here: it is left out of the answer.
        match request.topics {
            None => {
                for (name, partitions) in &mut self.topics {
                    let all = partitions.iter_mut().map(|partition| {
                        let size = partition.size();
                        if size.is_none() {
                            dirs.push(partition.dir.to_string());
                        }
                        (partition.index, size)
                    });
                    sizes.insert(name.clone(), all.collect());
                }
            }
            Some(topics) => {
                for topic in topics {
                    let wanted: std::collections::BTreeSet<i32> =
                        topic.partitions.into_iter().collect();
                    let mut found = Vec::new();
                    for index in wanted {
                        let Some(partition) = self.partition(&topic.topic, index) else { continue };
                        let size = partition.size();
                        if size.is_none() {
                            dirs.push(partition.dir.to_string());
                        }
                        found.push((index, size));
                    }
                    if !found.is_empty() {
                        sizes.insert(topic.topic, found);
                    }
                }
            }
        }
        let call = self.start_job(Job::Measure { dirs }, None, out);
        self.measuring.insert(call, Measuring { ticket, sizes });
    }

    pub(super) fn measured(
        &mut self,
        measuring: Measuring,
        measured: io::Result<Measured>,
        out: &mut Vec<Output>,
    ) {
        let Measuring { ticket, sizes } = measuring;
        let result = match measured {
            Ok(Measured { log_dir, total_bytes, usable_bytes, sizes: measured }) => {
                let mut measured = measured.into_iter();
                let topics = sizes.into_iter().map(|(name, partitions)| {
                    let partitions = partitions.into_iter().map(|(partition_index, size)| {
                        let size = size.or_else(|| measured.next()).unwrap_or(0);
                        DescribeLogDirsPartition {
                            partition_index,
                            partition_size: size as i64,
                            // The only replica there is, and it has everything.
                            offset_lag: 0,
                            is_future_key: false,
                        }
                    });
                    DescribeLogDirsTopic { name, partitions: partitions.collect() }
                });
                DescribeLogDirsResult {
                    topics: topics.collect(),
                    error_code: ErrorCode::NONE,
                    log_dir,
                    total_bytes: total_bytes as i64,
                    usable_bytes: usable_bytes as i64,
                }
            }
            Err(_) => DescribeLogDirsResult {
                error_code: ErrorCode::KAFKA_STORAGE_ERROR,
                ..Default::default()
            },
        };
        let response = DescribeLogDirsResponse { results: vec![result], ..Default::default() };
        out.push(Output::Answer { ticket, answer: response.into() });
    }
}

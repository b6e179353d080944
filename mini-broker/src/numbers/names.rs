//! Every metric there is, under the names that operators know: what jmx_exporter makes of Kafka's MBeans with the rules
//! of its own examples and of Strimzi, and the names of kafka_exporter.

use super::{Kind, Metric};

macro_rules! metrics {
    ($($constant:ident: $kind:ident $name:literal, $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help)]
            pub static $constant: Metric = Metric { name: $name, kind: Kind::$kind, help: $help };
        )*

        /// All of them, in this order.
        pub static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    // What clients bring and take, with the topic, and once for the whole broker.
    MESSAGES_IN: Counter "kafka_server_brokertopicmetrics_messagesin_total",
        "Records that were written. (kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec)";
    BYTES_IN: Counter "kafka_server_brokertopicmetrics_bytesin_total",
        "Bytes of batches that were written. (BrokerTopicMetrics, BytesInPerSec)";
    BYTES_OUT: Counter "kafka_server_brokertopicmetrics_bytesout_total",
        "Bytes of batches that consumers were given. (BrokerTopicMetrics, BytesOutPerSec)";
    BYTES_REJECTED: Counter "kafka_server_brokertopicmetrics_bytesrejected_total",
        "Bytes of batches that were too large. (BrokerTopicMetrics, BytesRejectedPerSec)";
    PRODUCE_REQUESTS: Counter "kafka_server_brokertopicmetrics_totalproducerequests_total",
        "Batches that producers wanted to write, one a partition. (BrokerTopicMetrics, TotalProduceRequestsPerSec)";
    FAILED_PRODUCE: Counter "kafka_server_brokertopicmetrics_failedproducerequests_total",
        "Those of them that failed unexpectedly. (BrokerTopicMetrics, FailedProduceRequestsPerSec)";
    FETCH_REQUESTS: Counter "kafka_server_brokertopicmetrics_totalfetchrequests_total",
        "Partitions that were asked for records. (BrokerTopicMetrics, TotalFetchRequestsPerSec)";
    FAILED_FETCH: Counter "kafka_server_brokertopicmetrics_failedfetchrequests_total",
        "Those of them that failed unexpectedly. (BrokerTopicMetrics, FailedFetchRequestsPerSec)";
    REPLICATION_IN: Counter "kafka_server_brokertopicmetrics_replicationbytesin_total",
        "Bytes of batches that leaders gave this follower. (BrokerTopicMetrics, ReplicationBytesInPerSec)";
    REPLICATION_OUT: Counter "kafka_server_brokertopicmetrics_replicationbytesout_total",
        "Bytes of batches that followers were given. (BrokerTopicMetrics, ReplicationBytesOutPerSec)";

    // The replicas of this broker.
    PARTITIONS: Gauge "kafka_server_replicamanager_partitioncount",
        "Replicas that this broker has. (kafka.server:type=ReplicaManager,name=PartitionCount)";
    LEADERS: Gauge "kafka_server_replicamanager_leadercount",
        "Partitions that this broker leads. (ReplicaManager, LeaderCount)";
    UNDER_REPLICATED: Gauge "kafka_server_replicamanager_underreplicatedpartitions",
        "Partitions led here with a replica that is not in sync. (ReplicaManager, UnderReplicatedPartitions)";
    UNDER_MIN_ISR: Gauge "kafka_server_replicamanager_underminisrpartitioncount",
        "Partitions led here with fewer replicas in sync than min.insync.replicas: they take no acks=all. (ReplicaManager, UnderMinIsrPartitionCount)";
    AT_MIN_ISR: Gauge "kafka_server_replicamanager_atminisrpartitioncount",
        "Partitions led here with exactly min.insync.replicas in sync. (ReplicaManager, AtMinIsrPartitionCount)";
    OFFLINE_REPLICAS: Gauge "kafka_server_replicamanager_offlinereplicacount",
        "Replicas here whose log cannot be used until the next start. (ReplicaManager, OfflineReplicaCount)";
    ISR_SHRINKS: Counter "kafka_server_replicamanager_isrshrinks_total",
        "How often a replica fell out of an in-sync set that this broker leads. (ReplicaManager, IsrShrinksPerSec)";
    ISR_EXPANDS: Counter "kafka_server_replicamanager_isrexpands_total",
        "How often a replica came back into one. (ReplicaManager, IsrExpandsPerSec)";
    PARTITION_UNDER_MIN_ISR: Gauge "kafka_cluster_partition_underminisr",
        "1 if this partition, led here, has fewer replicas in sync than min.insync.replicas. (kafka.cluster:type=Partition,name=UnderMinIsr)";
    PARTITION_IN_SYNC: Gauge "kafka_cluster_partition_insyncreplicascount",
        "Replicas in sync of a partition that is led here. (kafka.cluster:type=Partition,name=InSyncReplicasCount)";
    PURGATORY: Gauge "kafka_server_delayedoperationpurgatory_purgatorysize",
        "Requests that wait: fetches for records, acks=all for followers. (kafka.server:type=DelayedOperationPurgatory,name=PurgatorySize)";

    // Logs.
    LOG_SIZE: Gauge "kafka_log_log_size",
        "Bytes of a log's segments. (kafka.log:type=Log,name=Size)";
    LOG_START: Gauge "kafka_log_log_logstartoffset",
        "The first offset that a log has. (kafka.log:type=Log,name=LogStartOffset)";
    LOG_END: Gauge "kafka_log_log_logendoffset",
        "The next offset that a log will give out. (kafka.log:type=Log,name=LogEndOffset)";
    LOG_SEGMENTS: Gauge "kafka_log_log_numlogsegments",
        "Files that a log is cut into. (kafka.log:type=Log,name=NumLogSegments)";
    OFFLINE_LOG_DIRS: Gauge "kafka_log_logmanager_offlinelogdirectorycount",
        "1 if the disk has failed a log here. (kafka.log:type=LogManager,name=OfflineLogDirectoryCount)";

    // Groups that this broker coordinates.
    GROUPS: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroups",
        "Groups that this broker coordinates. (kafka.coordinator.group:type=GroupMetadataManager,name=NumGroups)";
    GROUPS_STABLE: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupsstable",
        "Those whose members read. (GroupMetadataManager, NumGroupsStable)";
    GROUPS_PREPARING: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance",
        "Those that wait for members to join. (GroupMetadataManager, NumGroupsPreparingRebalance)";
    GROUPS_COMPLETING: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance",
        "Those that wait for their leader's assignment. (GroupMetadataManager, NumGroupsCompletingRebalance)";
    GROUPS_EMPTY: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupsempty",
        "Those without members. (GroupMetadataManager, NumGroupsEmpty)";
    GROUPS_DEAD: Gauge "kafka_coordinator_group_groupmetadatamanager_numgroupsdead",
        "Those that are being removed. (GroupMetadataManager, NumGroupsDead)";

    // Requests.
    REQUESTS: Counter "kafka_network_requestmetrics_requests_total",
        "Requests that were answered, by API and version; a Fetch counts under its own name and as FetchConsumer or FetchFollower. (kafka.network:type=RequestMetrics,name=RequestsPerSec)";
    ERRORS: Counter "kafka_network_requestmetrics_errors_total",
        "Error codes in answers, NONE among them. (RequestMetrics, ErrorsPerSec)";
    TOTAL_TIME: Summary "kafka_network_requestmetrics_totaltimems",
        "Milliseconds from the whole request to its answer sent. (RequestMetrics, TotalTimeMs)";
    QUEUE_TIME: Summary "kafka_network_requestmetrics_requestqueuetimems",
        "Milliseconds of them until the broker took it up. (RequestMetrics, RequestQueueTimeMs)";
    LOCAL_TIME: Summary "kafka_network_requestmetrics_localtimems",
        "Milliseconds of them that the broker worked on it. (RequestMetrics, LocalTimeMs)";
    REMOTE_TIME: Summary "kafka_network_requestmetrics_remotetimems",
        "Milliseconds of them that it waited for others: acks=all for followers, a fetch for records. (RequestMetrics, RemoteTimeMs)";
    RESPONSE_QUEUE_TIME: Summary "kafka_network_requestmetrics_responsequeuetimems",
        "Milliseconds of them until the answer's turn came on its connection. (RequestMetrics, ResponseQueueTimeMs)";
    RESPONSE_SEND_TIME: Summary "kafka_network_requestmetrics_responsesendtimems",
        "Milliseconds of them that the answer took to be sent. (RequestMetrics, ResponseSendTimeMs)";

    // The coordinator of the cluster, Kafka's controller.
    ACTIVE_CONTROLLER: Gauge "kafka_controller_kafkacontroller_activecontrollercount",
        "1 on the node that decides. The sum over a cluster is 1. (kafka.controller:type=KafkaController,name=ActiveControllerCount)";
    ACTIVE_BROKERS: Gauge "kafka_controller_kafkacontroller_activebrokercount",
        "Brokers that take part. (KafkaController, ActiveBrokerCount)";
    FENCED_BROKERS: Gauge "kafka_controller_kafkacontroller_fencedbrokercount",
        "Brokers that have registered and take no part now. (KafkaController, FencedBrokerCount)";
    OFFLINE_PARTITIONS: Gauge "kafka_controller_kafkacontroller_offlinepartitionscount",
        "Partitions without a leader. (KafkaController, OfflinePartitionsCount)";
    GLOBAL_TOPICS: Gauge "kafka_controller_kafkacontroller_globaltopiccount",
        "Topics of the cluster. (KafkaController, GlobalTopicCount)";
    GLOBAL_PARTITIONS: Gauge "kafka_controller_kafkacontroller_globalpartitioncount",
        "Partitions of the cluster. (KafkaController, GlobalPartitionCount)";
    NOT_PREFERRED: Gauge "kafka_controller_kafkacontroller_preferredreplicaimbalancecount",
        "Partitions that another than their first replica leads. (KafkaController, PreferredReplicaImbalanceCount)";
    ELECTIONS: Counter "kafka_controller_controllerstats_leaderelectionrateandtimems_count",
        "Leaders elected. (kafka.controller:type=ControllerStats,name=LeaderElectionRateAndTimeMs)";
    UNCLEAN_ELECTIONS: Counter "kafka_controller_controllerstats_uncleanleaderelections_total",
        "Leaders elected that were not in sync: records may be lost. (ControllerStats, UncleanLeaderElectionsPerSec)";
    RAFT_LOG_END: Gauge "kafka_server_raft_metrics_log_end_offset",
        "The next offset of the metadata log. (kafka.server:type=raft-metrics,log-end-offset)";
    RAFT_HIGH_WATERMARK: Gauge "kafka_server_raft_metrics_high_watermark",
        "Below this offset the metadata log counts. (kafka.server:type=raft-metrics,high-watermark)";

    // What kafka_exporter asks from outside, as a client. Brokers do not know how far behind groups are.
    BROKERS: Gauge "kafka_brokers",
        "Brokers of the cluster. (kafka_exporter)";
    TOPIC_PARTITIONS: Gauge "kafka_topic_partitions",
        "Partitions of a topic. (kafka_exporter)";
    PARTITION_END: Gauge "kafka_topic_partition_current_offset",
        "The next offset that a partition will give out: its high watermark. (kafka_exporter)";
    PARTITION_START: Gauge "kafka_topic_partition_oldest_offset",
        "The first offset that a partition has. (kafka_exporter)";
    PARTITION_ISR: Gauge "kafka_topic_partition_in_sync_replica",
        "Replicas in sync of a partition. (kafka_exporter)";
    PARTITION_LEADER: Gauge "kafka_topic_partition_leader",
        "The node id of a partition's leader; -1: none. (kafka_exporter)";
    PARTITION_PREFERRED: Gauge "kafka_topic_partition_leader_is_preferred",
        "1 if a partition's first replica leads it. (kafka_exporter)";
    PARTITION_REPLICAS: Gauge "kafka_topic_partition_replicas",
        "Replicas of a partition. (kafka_exporter)";
    PARTITION_UNDER_REPLICATED: Gauge "kafka_topic_partition_under_replicated_partition",
        "1 if a replica of the partition is not in sync. (kafka_exporter)";
    GROUP_OFFSET: Gauge "kafka_consumergroup_current_offset",
        "What a group has committed of a partition: the next offset to read. (kafka_exporter)";
    GROUP_LAG: Gauge "kafka_consumergroup_lag",
        "How many records of a partition a group has not read. (kafka_exporter)";
    GROUP_LAG_SUM: Gauge "kafka_consumergroup_lag_sum",
        "The same over all partitions of a topic. (kafka_exporter)";
    GROUP_MEMBERS: Gauge "kafka_consumergroup_members",
        "Members of a group. (kafka_exporter)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_counters_say_that_they_are() {
        let mut seen = std::collections::BTreeSet::new();
        for metric in ALL {
            assert!(seen.insert(metric.name), "{} stands twice", metric.name);
            let says = metric.name.ends_with("_total") || metric.name.ends_with("_count");
            assert_eq!(metric.kind == Kind::Counter, says, "{}", metric.name);
        }
    }
}

"""The two clusters: three brokers and a coordinator as four processes, ours or Apache Kafka's."""

from apache_kafka import COORDINATOR, SMALL_JVM, KafkaCluster
from broker import Cluster

BROKERS = (1, 2, 3)
__all__ = ["BROKERS", "COORDINATOR", "SMALL_JVM", "cluster"]


def cluster(which, binary, work, more=(), jvm=SMALL_JVM):
    settings = ["min.insync.replicas=2", "default.replication.factor=3", *more]
    if which == "kafka":
        return KafkaCluster(work, settings, jvm, len(BROKERS))
    return Cluster(binary, work, len(BROKERS), settings)

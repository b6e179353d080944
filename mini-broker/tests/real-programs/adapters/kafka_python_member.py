"""kafka-python as a member of a group, with its own automatic commits."""

import logging
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import KafkaConnectionError, KafkaError

from contract import to_text
from member import HEARTBEAT_MS, SETTINGS, goes_on, tell, tell_records

logging.basicConfig(level=logging.WARNING)
logging.getLogger("kafka.coordinator").setLevel(logging.INFO)
ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}
OFTEN_MS, SELDOM_MS = 100, 600_000
# It joins within one poll: where that ends first it joins once more, and everybody with it.
FIRST_POLL_MS, POLL_MS = 20_000, 2000
joined = False


class Listener(ConsumerRebalanceListener):
    def on_partitions_assigned(self, assigned):
        global joined
        joined = True
        generation = CONSUMER.group_metadata().generation_id
        tell("assigned", partitions=named(assigned), generation=generation)

    def on_partitions_revoked(self, revoked):
        tell("revoked", partitions=named(revoked))

    def on_partitions_lost(self, lost):
        tell("lost", partitions=named(lost))


def named(partitions):
    return [[one.topic, one.partition] for one in partitions]


def main():
    CONSUMER.subscribe(SETTINGS["topics"], listener=Listener())
    while goes_on():
        tell_records(poll())
    CONSUMER.close()
    tell("closed")


def poll():
    try:
        polled = CONSUMER.poll(POLL_MS if joined else FIRST_POLL_MS).values()
    except KafkaConnectionError as error:
        # A broker that is away comes back, or another one takes its place.
        tell("trouble", code=None, text=repr(error))
        time.sleep(0.2)
        return []
    return [[m.topic, m.partition, m.offset, to_text(m.value)] for some in polled for m in some]


CONSUMER = KafkaConsumer(
    bootstrap_servers=SETTINGS["broker"],
    client_id=SETTINGS["client"],
    group_id=SETTINGS["group"],
    group_instance_id=SETTINGS["instance"],
    auto_offset_reset=SETTINGS["reset"],
    partition_assignment_strategy=[ASSIGNORS[SETTINGS["assignor"]]],
    session_timeout_ms=SETTINGS["session_ms"],
    heartbeat_interval_ms=HEARTBEAT_MS,
    auto_commit_interval_ms=OFTEN_MS if SETTINGS["commit"] == "often" else SELDOM_MS,
)
try:
    main()
except KafkaError as error:
    tell("failed", code=getattr(error, "errno", None), text=repr(error))

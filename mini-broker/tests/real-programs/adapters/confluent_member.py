"""confluent-kafka as a member of a group. It commits by itself, after each batch or only when it has to."""

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from contract import to_text
from member import HEARTBEAT_MS, SETTINGS, goes_on, tell, tell_records

RESETS = {"none": "error"}
FENCED_INSTANCE_ID = 82
# What is read and not committed: {(topic, partition): offset}.
positions = {}
failures = []


def main():
    client = {
        "bootstrap.servers": SETTINGS["broker"],
        "client.id": SETTINGS["client"],
        "group.id": SETTINGS["group"],
        "auto.offset.reset": RESETS.get(SETTINGS["reset"], SETTINGS["reset"]),
        "partition.assignment.strategy": SETTINGS["assignor"],
        "session.timeout.ms": SETTINGS["session_ms"],
        "heartbeat.interval.ms": HEARTBEAT_MS,
        "enable.auto.commit": False,
        "error_cb": failed,
        # To its log, which is kept when a check fails: what it waits for.
        "debug": "cgrp",
    }
    if SETTINGS["instance"]:
        client["group.instance.id"] = SETTINGS["instance"]
    consumer = Consumer(client)
    consumer.subscribe(SETTINGS["topics"], on_assign=assigned, on_revoke=revoked, on_lost=lost)
    while goes_on() and not failures:
        read(consumer, consumer.consume(500, timeout=0.1))
    if failures:
        tell("failed", code=code(failures[0]), text=str(failures[0]))
        return
    consumer.close()
    tell("closed")


def read(consumer, messages):
    records = []
    for message in messages:
        if message.error():
            failed(message.error(), here=True)
            continue
        where = message.topic(), message.partition()
        positions[where] = message.offset() + 1
        records.append([*where, message.offset(), to_text(message.value())])
    tell_records(records)
    if records and SETTINGS["commit"] == "often":
        commit(consumer, list(positions))


def commit(consumer, partitions):
    offsets = [TopicPartition(*where, positions.pop(where)) for where in partitions]
    if not offsets:
        return
    try:
        consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException as error:
        tell("not committed", code=error.args[0].code(), text=str(error))


def assigned(_consumer, partitions):
    tell("assigned", partitions=named(partitions))


def revoked(consumer, partitions):
    gone = named(partitions)
    commit(consumer, [where for where in positions if list(where) in gone])
    tell("revoked", partitions=gone)


def lost(_consumer, partitions):
    for where in named(partitions):
        positions.pop(tuple(where), None)
    tell("lost", partitions=named(partitions))


def named(partitions):
    return [[one.topic, one.partition] for one in partitions]


def failed(error, here=False):
    """A broker that is away is none of the member's business; a reset that is forbidden, or a fence, ends it."""
    if error.code() == KafkaError._FATAL or here and error.code() == KafkaError._AUTO_OFFSET_RESET:
        failures.append(error)
    else:
        tell("trouble", code=error.code(), text=str(error))


def code(error):
    """librdkafka says _FATAL and puts the broker's answer in the text."""
    return FENCED_INSTANCE_ID if "Static consumer fenced" in str(error) else error.code()


main()

"""confluent-kafka: librdkafka for Python."""

import collections
import functools
from time import monotonic

import confluent_kafka
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)

from contract import REFUSED_TOPICS, serve, to_bytes, to_text

CONSUMING = {
    "group.id": "unused",  # this client wants one even where it only assigns
    "enable.auto.commit": False,
    "fetch.wait.max.ms": 50,
}
IDEMPOTENT = {"enable.idempotence": True}
BROKER = None
CONSUMER = None
ADMIN = None


def hello(broker, groups=False):
    global BROKER, CONSUMER, ADMIN
    BROKER = broker
    ADMIN = AdminClient({"bootstrap.servers": broker})
    CONSUMER = Consumer({**CONSUMING, "bootstrap.servers": broker, "auto.offset.reset": "error"})
    versions = f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})"
    return {
        "program": f"confluent-kafka {versions}",
        "can": [
            "create",
            "produce",
            "read",
            "find",
            "times",
            "headers",
            "binary",
            "nulls",
            "idempotent",
            "transaction",
            "admin",
            "busy",
            "resume",
            "groups",
        ],
    }


def create(topic, partitions, configs):
    new = NewTopic(topic, partitions, -1, config=configs)
    ADMIN.create_topics([new])[topic].result(10)
    return {}


def topics():
    return {"topics": list(ADMIN.list_topics(timeout=5).topics)}


def producer(**settings):
    return Producer({"bootstrap.servers": BROKER, **settings})


@functools.cache
def idempotent_producer():
    """The one that is asked often for a few records, by the checks of groups."""
    return producer(**IDEMPOTENT)


def produce(topic, codec, acks, records, partitioner=None):
    settings = {"partitioner": partitioner} if partitioner else {}
    if codec != "default":
        settings["compression.type"] = codec
        # A batch is what lies between two flushes. A batch of one small record may not get smaller
        # by compression, and the client then stores it as it is.
        settings["linger.ms"] = 1000
    if acks == "idempotent":
        settings["enable.idempotence"] = True
    elif acks != "default":
        settings["acks"] = acks
    client = idempotent_producer() if settings == IDEMPOTENT else producer(**settings)
    failures = []

    def delivered(error, _message):
        if error:
            failures.append(str(error))

    for n, (time, key, value, headers) in enumerate(records):
        client.produce(
            topic,
            to_bytes(value),
            to_bytes(key),
            timestamp=time,
            headers=[(name, to_bytes(text)) for name, text in headers],
            on_delivery=delivered,
        )
        if codec != "default" and n % 100 == 99:
            client.flush(10)
    if client.flush(10) or failures:
        raise RuntimeError(failures[0] if failures else "not all records were delivered")
    return {}


def read(topic, partition, at, count):
    if "time" in at:
        start = find(topic, partition, at["time"])["offset"]
    else:
        start = at.get("offset", confluent_kafka.OFFSET_BEGINNING)
    CONSUMER.assign([TopicPartition(topic, partition, start)])
    records = []
    while len(records) < count:
        messages = CONSUMER.consume(count - len(records), timeout=10)
        if not messages:
            raise RuntimeError(f"{len(records)} of {count} records came within 10 s")
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            headers = [[name, to_text(data)] for name, data in message.headers() or []]
            records.append(
                [
                    message.offset(),
                    message.timestamp()[1],
                    to_text(message.key()),
                    to_text(message.value()),
                    headers,
                ]
            )
    append_time = messages[-1].timestamp()[0] == confluent_kafka.TIMESTAMP_LOG_APPEND_TIME
    return {"records": records, "append_time": append_time}


def resume(topic, partition, offset, policy):
    """A consumer that stands at an offset reads on, or as its reset policy says if that is gone."""
    settings = {"auto.offset.reset": "error" if policy == "none" else policy}
    reader = Consumer({**CONSUMING, "bootstrap.servers": BROKER, **settings})
    reader.assign([TopicPartition(topic, partition, offset)])
    message = reader.poll(10)
    try:
        if message and message.error():
            return {"code": reset_code(message)}
        return {"offset": message.offset()} if message else {}
    finally:
        reader.close()


def reset_code(message):
    """librdkafka says _AUTO_OFFSET_RESET and puts the broker's answer in the text."""
    text = str(message.error())
    return 1 if "OFFSET_OUT_OF_RANGE" in text or "out of range" in text else text


def find(topic, partition, time):
    [found] = CONSUMER.offsets_for_times([TopicPartition(topic, partition, time)], timeout=10)
    return {"offset": None if found.offset < 0 else found.offset}


def ends(topic):
    partitions = sorted(CONSUMER.list_topics(topic, timeout=10).topics[topic].partitions)
    marks = [
        CONSUMER.get_watermark_offsets(TopicPartition(topic, n), timeout=10) for n in partitions
    ]
    return {"ends": [high for _, high in marks]}


def refused(case, topic):
    """Runs into one refusal and returns Kafka's error code for it."""
    try:
        if case in ("too-large", "no-key"):
            codes = []
            client = producer(**{"message.max.bytes": 5_000_000})
            value = b"x" * (2_000_000 if case == "too-large" else 10)
            client.produce(topic, value, on_delivery=lambda e, _: codes.append(e))
            client.flush(10)
            return {"code": codes[0].code() if codes and codes[0] else None}
        if case == "outside":
            CONSUMER.assign([TopicPartition(topic, 0, 1_000_000)])
            message = CONSUMER.poll(10)
            return {"code": reset_code(message) if message else "nothing came"}
        if case == "transaction":
            producer(**{"transactional.id": "t"}).init_transactions(10)
        elif case == "unknown-topic":
            ADMIN.delete_topics([topic])[topic].result(10)
        else:
            partitions, replicas, configs = REFUSED_TOPICS[case]
            new = NewTopic(topic, partitions, replicas, config=configs)
            ADMIN.create_topics([new])[topic].result(10)
    except KafkaException as error:
        return {"code": error.args[0].code()}
    return {"code": None}


def busy(topic, seconds):
    """Writes and reads one record after the other, whatever happens to the topic meanwhile."""
    codes, counts = collections.Counter(), {"written": 0, "read": 0}

    def delivered(error, _message):
        if error:
            codes[error.code()] += 1
        else:
            counts["written"] += 1

    client = producer(**{"message.timeout.ms": 2000})
    reader = Consumer({**CONSUMING, "bootstrap.servers": BROKER})
    reader.assign([TopicPartition(topic, 0, confluent_kafka.OFFSET_BEGINNING)])
    end = monotonic() + seconds
    while monotonic() < end:
        try:
            client.produce(topic, b"x", partition=0, on_delivery=delivered)
        except KafkaException as error:
            codes[error.args[0].code()] += 1
        client.flush(0.1)
        message = reader.poll(0.02)
        if message and message.error():
            codes[message.error().code()] += 1
        elif message:
            counts["read"] += 1
    client.flush(10)
    reader.close()
    return {**counts, "codes": codes}


def admin(request, **asked):
    """One code for each thing asked; null if it was done."""
    options = {"validate_only": True} if asked.get("validate") else {}
    if request == "create-topics":
        made = ADMIN.create_topics([new_topic(*topic) for topic in asked["topics"]], **options)
    elif request == "create-partitions":
        new = [
            NewPartitions(name, count, **({"replica_assignment": assignment} if assignment else {}))
            for name, count, assignment in asked["topics"]
        ]
        made = ADMIN.create_partitions(new, **options)
    elif request == "delete-topics":
        made = ADMIN.delete_topics(asked["topics"])
    elif request == "alter":
        made = ADMIN.incremental_alter_configs(
            [resource(*one) for one in asked["resources"]], **options
        )
    elif request == "replace":
        made = ADMIN.alter_configs([replaced(*one) for one in asked["resources"]], **options)
    else:
        made = ADMIN.delete_records([TopicPartition(*one) for one in asked["partitions"]])
    return {"codes": [code(future) for future in made.values()]}


def new_topic(name, partitions, replicas, assignment, configs):
    if assignment is None:
        return NewTopic(name, partitions, replicas, config=configs)
    brokers = [replicas for _, replicas in assignment]
    return NewTopic(name, len(brokers), replica_assignment=brokers, config=configs)


def resource(kind, name, changes=()):
    entries = [
        ConfigEntry(setting, value, incremental_operation=AlterConfigOpType[operation])
        for operation, setting, value in changes
    ]
    return ConfigResource(ConfigResource.Type[kind.upper()], name, incremental_configs=entries)


def replaced(kind, name, settings):
    return ConfigResource(ConfigResource.Type[kind.upper()], name, set_config=settings)


def groups():
    listed = ADMIN.list_consumer_groups(request_timeout=10).result()
    return {"groups": [group.group_id for group in listed.valid]}


def describe_group(group):
    found = ADMIN.describe_consumer_groups([group], request_timeout=10)[group].result()
    members = [
        [
            one.client_id,
            one.group_instance_id,
            [[held.topic, held.partition] for held in one.assignment.topic_partitions],
        ]
        for one in found.members
    ]
    state = found.state.name.title().replace("_", "")
    return {"state": state, "protocol": found.partition_assignor, "members": members}


def committed(group, partitions):
    asked = [TopicPartition(*one) for one in partitions]
    future = ADMIN.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, asked)])[group]
    found = {(one.topic, one.partition): one for one in future.result(10).topic_partitions}
    offsets = [found[tuple(one)] for one in partitions]
    return {"offsets": [[o.offset, o.metadata or ""] if o.offset >= 0 else None for o in offsets]}


def commit(group, offsets):
    asked = [TopicPartition(*where, offset, metadata) for *where, offset, metadata in offsets]
    request = [ConsumerGroupTopicPartitions(group, asked)]
    try:
        done = ADMIN.alter_consumer_group_offsets(request)[group].result(10).topic_partitions
    except KafkaException as error:
        return {"codes": [error.args[0].code() for _ in offsets]}
    return {"codes": [one.error and one.error.code() for one in done]}


def delete_groups(groups):
    done = ADMIN.delete_consumer_groups(groups, request_timeout=10)
    return {"codes": [code(done[group]) for group in groups]}


def code(future):
    try:
        future.result(10)
    except KafkaException as error:
        return error.args[0].code()


serve(
    {
        "hello": hello,
        "create": create,
        "topics": topics,
        "produce": produce,
        "read": read,
        "find": find,
        "ends": ends,
        "refused": refused,
        "admin": admin,
        "busy": busy,
        "resume": resume,
        "groups": groups,
        "describe-group": describe_group,
        "committed": committed,
        "commit": commit,
        "delete-groups": delete_groups,
    }
)

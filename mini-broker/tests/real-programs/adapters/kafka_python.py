"""kafka-python: a client in Python alone, with its own codec of the protocol."""

import collections
import logging
import re
from time import monotonic

import kafka
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition, errors
from kafka.admin import ConfigResource, KafkaAdminClient, NewPartitions, NewTopic
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
    UnknownBrokerIdError,
)

from contract import REFUSED_TOPICS, serve, to_bytes, to_text

logging.basicConfig(level=logging.ERROR)
BROKER = None
CONSUMER = None
ADMIN = None


def hello(broker, groups=False):
    global BROKER, CONSUMER, ADMIN
    BROKER = broker
    CONSUMER = KafkaConsumer(
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=50,
    )
    ADMIN = KafkaAdminClient(bootstrap_servers=broker)
    return {
        "program": f"kafka-python {kafka.__version__}",
        "can": [
            "create",
            "produce",
            "read",
            "find",
            "times",
            "headers",
            "binary",
            "nulls",
            "admin",
            "busy",
            "resume",
            "groups",
        ],
    }


def create(topic, partitions, configs):
    new = [NewTopic(topic, partitions, -1, topic_configs=configs)]
    try:
        ADMIN.create_topics(new)
    except UnknownBrokerIdError:
        # It keeps to the controller that it was told of first, also when it has forgotten that broker since.
        hello(BROKER)
        ADMIN.create_topics(new)
    return {}


def topics():
    return {"topics": list(ADMIN.list_topics())}


def produce(topic, codec, acks, records):
    settings = {}
    if codec != "default":
        settings["compression_type"] = None if codec == "none" else codec
        # A batch is what lies between two flushes. A batch of one small record may not get smaller
        # by compression, and the client then stores it as it is.
        settings["linger_ms"] = 1000
    if acks != "default":
        settings["acks"] = acks if acks == "all" else int(acks)
        settings["enable_idempotence"] = acks == "all"
    client = KafkaProducer(bootstrap_servers=BROKER, **settings)
    futures = []
    for n, (time, key, value, headers) in enumerate(records):
        futures.append(
            client.send(
                topic,
                value=to_bytes(value),
                key=to_bytes(key),
                timestamp_ms=time,
                headers=[(name, to_bytes(text)) for name, text in headers],
            )
        )
        if codec != "default" and n % 100 == 99:
            client.flush(10)
    client.flush(10)
    for future in futures:
        future.get(10)
    client.close()
    return {}


def read(topic, partition, at, count):
    where = TopicPartition(topic, partition)
    CONSUMER.assign([where])
    if "time" in at:
        CONSUMER.seek(where, find(topic, partition, at["time"])["offset"])
    elif "offset" in at:
        CONSUMER.seek(where, at["offset"])
    else:
        CONSUMER.seek_to_beginning(where)
    records = []
    while len(records) < count:
        messages = CONSUMER.poll(10_000, max_records=count - len(records)).get(where, [])
        if not messages:
            raise RuntimeError(f"{len(records)} of {count} records came within 10 s")
        for message in messages:
            headers = [[name, to_text(data)] for name, data in message.headers]
            records.append(
                [
                    message.offset,
                    message.timestamp,
                    to_text(message.key),
                    to_text(message.value),
                    headers,
                ]
            )
    return {"records": records, "append_time": messages[-1].timestamp_type == 1}


def resume(topic, partition, offset, policy):
    """A consumer that stands at an offset reads on, or as its reset policy says if that is gone."""
    settings = {"enable_auto_commit": False, "auto_offset_reset": policy, "fetch_max_wait_ms": 50}
    reader = KafkaConsumer(bootstrap_servers=BROKER, **settings)
    where = TopicPartition(topic, partition)
    reader.assign([where])
    reader.seek(where, offset)
    try:
        messages = reader.poll(10_000).get(where, [])
        return {"offset": messages[0].offset} if messages else {}
    except OffsetOutOfRangeError:
        return {"code": 1}
    finally:
        reader.close()


def find(topic, partition, time):
    where = TopicPartition(topic, partition)
    found = CONSUMER.offsets_for_times({where: time})[where]
    return {"offset": None if found is None else found.offset}


def ends(topic):
    where = [TopicPartition(topic, n) for n in sorted(CONSUMER.partitions_for_topic(topic))]
    found = CONSUMER.end_offsets(where)
    return {"ends": [found[one] for one in where]}


def refused(case, topic):
    """Runs into one refusal and returns Kafka's error code for it."""
    try:
        if case == "too-large":
            client = KafkaProducer(bootstrap_servers=BROKER, max_request_size=5_000_000)
            try:
                client.send(topic, b"x" * 2_000_000).get(10)
            finally:
                client.close()
        elif case == "no-key":
            client = KafkaProducer(bootstrap_servers=BROKER)
            try:
                client.send(topic, b"x" * 10).get(10)
            finally:
                client.close()
        elif case == "outside":
            where = TopicPartition(topic, 0)
            CONSUMER.assign([where])
            CONSUMER.seek(where, 1_000_000)
            try:
                CONSUMER.poll(5_000)
            except OffsetOutOfRangeError:
                return {"code": 1}
        elif case == "unknown-topic":
            ADMIN.delete_topics([topic])
        else:
            partitions, replicas, configs = REFUSED_TOPICS[case]
            ADMIN.create_topics([NewTopic(topic, partitions, replicas, topic_configs=configs)])
    except KafkaError as error:
        return {"code": error.errno}
    return {"code": None}


def busy(topic, seconds):
    """Writes and reads one record after the other, whatever happens to the topic meanwhile."""
    codes, written, read = collections.Counter(), 0, 0
    where = TopicPartition(topic, 0)
    limits = {"max_block_ms": 2000, "request_timeout_ms": 1000, "delivery_timeout_ms": 2000}
    client = KafkaProducer(bootstrap_servers=BROKER, **limits)
    CONSUMER.assign([where])
    CONSUMER.seek_to_beginning(where)
    end = monotonic() + seconds
    while monotonic() < end:
        try:
            client.send(topic, b"x", partition=0).get(5)
            written += 1
            read += len(CONSUMER.poll(20).get(where, []))
        except (OffsetOutOfRangeError, LogTruncationError):
            # The topic was made again, and is shorter now.
            codes[1] += 1
            CONSUMER.seek_to_beginning(where)
        except KafkaError as error:
            codes[getattr(error, "errno", None) or type(error).__name__] += 1
    client.close(2)
    return {"written": written, "read": read, "codes": codes}


def admin(request, topics=(), resources=(), partitions=(), validate=False):
    """One code for each thing asked; null if it was done."""
    asked, codes = topics, {}
    if request == "create-topics":
        new = [NewTopic(*topic[:3], Pairs(topic[3] or []), topic[4]) for topic in topics]
        made = ADMIN.create_topics(new, validate_only=validate, raise_errors=False)["topics"]
        codes = {topic["name"]: topic["error_code"] for topic in made}
    elif request == "create-partitions":
        new = {name: NewPartitions(count, assignment) for name, count, assignment in topics}
        made = ADMIN.create_partitions(new, validate_only=validate, raise_errors=False)
        codes = {topic.name: topic.error_code for topic in made.results}
    elif request == "delete-topics":
        made = ADMIN.delete_topics(topics, raise_errors=False)["topics"]
        codes = {topic["name"]: topic["error_code"] for topic in made}
        asked = [[name] for name in topics]
    elif request == "delete-records":
        [[topic, partition, offset]] = asked = partitions
        codes[topic] = delete_records(TopicPartition(topic, partition), offset)
    else:
        asked = [[name] for _, name, _ in resources]
        codes = alter(resources, validate, incremental=request == "alter")
    return {"codes": [codes[one[0]] or None for one in asked]}


def delete_records(where, offset):
    try:
        # The leader is told to it, or it would look for the leader of an unknown partition for long.
        ADMIN.delete_records({where: offset}, partition_leader_id=1)
    except KafkaError as error:
        return error.errno


def alter(resources, validate, incremental):
    made = []
    for kind, name, changes in resources:
        if incremental:
            changes = {setting: (operation, value) for operation, setting, value in changes}
        made.append(ConfigResource(kind, name, changes))
    results = ADMIN.alter_configs(made, validate, raise_on_unknown=False, incremental=incremental)
    told = {name: str(text) for kind in results.values() for name, text in kind.items()}
    found = {name: re.match(r"\[Error (-?\d+)\]", text) for name, text in told.items()}
    return {name: match and int(match.group(1)) for name, match in found.items()}


def groups():
    return {"groups": [group["group_id"] for group in ADMIN.list_groups()]}


def describe_group(group):
    found = ADMIN.describe_groups([group])[group]
    members = []
    for one in found["members"]:
        held = (one["member_assignment"] or {}).get("assigned_partitions", [])
        partitions = [[topic["topic"], number] for topic in held for number in topic["partitions"]]
        members.append([one["client_id"], one["group_instance_id"], partitions])
    return {
        "state": found["group_state"],
        "protocol": found["protocol_data"],
        "members": members,
    }


def committed(group, partitions):
    asked = [TopicPartition(*one) for one in partitions]
    found = ADMIN.list_group_offsets({group: asked})[group]
    offsets = [found[one] for one in asked]
    return {"offsets": [[o.offset, o.metadata or ""] if o.offset >= 0 else None for o in offsets]}


def commit(group, offsets):
    asked = {
        TopicPartition(*where): OffsetAndMetadata(offset, metadata)
        for *where, offset, metadata in offsets
    }
    done = ADMIN.alter_group_offsets(group, asked)
    return {"codes": [done[one].errno or None for one in asked]}


def delete_groups(groups):
    done = ADMIN.delete_groups(groups)
    named = [done[group] for group in groups]
    return {"codes": [None if name == "OK" else getattr(errors, name).errno for name in named]}


class Pairs(list):
    """A mapping that may hold a key twice: a partition that is assigned two times."""

    def items(self):
        return self


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

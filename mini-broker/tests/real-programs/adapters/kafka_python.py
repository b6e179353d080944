"""kafka-python: a client in Python alone, with its own codec of the protocol."""

import logging

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, OffsetOutOfRangeError

from contract import REFUSED_TOPICS, serve, to_bytes, to_text

logging.basicConfig(level=logging.ERROR)
BROKER = None
CONSUMER = None
ADMIN = None


def hello(broker):
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
        "can": ["create", "produce", "read", "find", "times", "headers", "binary", "nulls"],
    }


def create(topic, partitions, configs):
    ADMIN.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
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
    return {"records": records}


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
    }
)

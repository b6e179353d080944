"""Who writes and who reads: Kafka's VerifiableProducer, and librdkafka's consumer by assign()."""

import json
import subprocess
import threading
import time
from collections import namedtuple

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, TopicPartition

import programs
from check import Ack

# Twelve keys reach every partition, and each partition gets a steady share.
KEYS = 12
# An answer that is lost must not cost a round more than a few seconds: the broker that owes it may hang.
SETTINGS = {
    "retries": 2147483647,
    "request.timeout.ms": 5000,
    "delivery.timeout.ms": 600_000,
    "max.block.ms": 600_000,
}
PROBE = b"probe"

Sent = namedtuple("Sent", "ack at")


class Producer:
    """VerifiableProducer: numbers from 0 on, at a steady rate; `sent` are the acknowledged ones in their order."""

    def __init__(self, work, address, topic, acks, throughput):
        self.sent, self.given_up, self.told = [], [], None
        settings = {**SETTINGS, "enable.idempotence": str(acks == "all").lower()}
        config = work / "producer.properties"
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        command = [*programs.java(), "org.apache.kafka.tools.VerifiableProducer"]
        command += ["--bootstrap-server", address, "--topic", topic]
        command += ["--acks", {"all": "-1"}.get(acks, acks), "--throughput", throughput]
        command += ["--repeating-keys", KEYS, "--producer.config", config]
        self.lines = open(work / "producer.jsonl", "w")
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=open(work / "producer.log", "w"),
            text=True,
        )
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.write(line)
            event = json.loads(line)
            match event["name"]:
                case "producer_send_success":
                    ack = Ack(int(event["value"]), event["partition"], event["offset"])
                    self.sent.append(Sent(ack, event["timestamp"] / 1000))
                case "producer_send_error":
                    self.given_up.append((int(event["value"]), event["message"]))
                case "tool_data":
                    self.told = event
        self.lines.flush()

    def wait_for_first(self):
        deadline = time.monotonic() + 60
        while not self.sent:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Incomplete("the producer wrote nothing; see producer.log")
            time.sleep(0.05)

    def longest_wait(self, partition, since):
        """The longest time, in seconds, between two acknowledgements of a partition from then on."""
        times = [at for (_, where, _), at in self.sent_since(since) if where == partition]
        return max((b - a for a, b in zip(times, times[1:])), default=0)

    def sent_since(self, since):
        first = len(self.sent)
        while first > 0 and self.sent[first - 1].at >= since:
            first -= 1
        return self.sent[first:]

    def stop(self):
        """Lets it finish what it has begun."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.thread.join()
        self.lines.close()


def consumer(address):
    return Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "unused",  # this client wants one even where it only assigns
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "topic.metadata.refresh.interval.ms": 2000,
            "socket.timeout.ms": 5000,
            "log_level": 0,
        }
    )


def value_of(message):
    """What was written: a number of the producer's, or one of the probe's."""
    return ("probe " if message.key() == PROBE else "") + message.value().decode()


class Reader:
    """Reads all the time from the beginning on, whatever happens; `got` holds each partition's {offset: value}."""

    def __init__(self, address, topic, partitions):
        self.got = {partition: {} for partition in partitions}
        self.errors = []
        self.client = consumer(address)
        self.client.assign([TopicPartition(topic, n, 0) for n in partitions])
        self.stopping = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopping:
            for message in self.client.consume(1000, timeout=0.1):
                if message.error():
                    self.failed(message)
                    continue
                records = self.got[message.partition()]
                if message.offset() in records:
                    self.errors.append(f"offset {message.offset()} was read twice")
                records[message.offset()] = value_of(message)

    def failed(self, message):
        """A broker that cannot be reached is what this is about; any other error is not."""
        error = message.error()
        if error.code() in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
            return
        self.errors.append(f"partition {message.partition()}, offset {message.offset()}: {error}")

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.client.close()


class Incomplete(Exception):
    """A reader did not reach the end in time."""


def read(address, topic, starts, within_s=60):
    """Reads each partition from its start to its end with a new consumer: {partition: {offset: value}}."""
    client = consumer(address)
    try:
        ends = {p: latest(client, topic, p, within_s) for p in starts}
        got = {partition: {} for partition in starts}
        wanted = {p for p in starts if ends[p] > starts[p]}
        client.assign([TopicPartition(topic, p, starts[p]) for p in sorted(wanted)])
        deadline = time.monotonic() + within_s
        while wanted:
            if time.monotonic() > deadline:
                missing = {p: (len(got[p]), ends[p] - starts[p]) for p in wanted}
                raise Incomplete(f"of partitions were read: {missing} after {within_s} s")
            for message in client.consume(10_000, timeout=0.2):
                if message.error():
                    continue
                partition, offset = message.partition(), message.offset()
                if offset < ends[partition]:
                    got[partition][offset] = value_of(message)
                if offset + 1 >= ends[partition]:
                    wanted.discard(partition)
        return got
    finally:
        client.close()


def latest(client, topic, partition, within_s):
    """Where a partition ends for readers: its high watermark."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return client.get_watermark_offsets(TopicPartition(topic, partition), timeout=5)[1]
        except confluent_kafka.KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)

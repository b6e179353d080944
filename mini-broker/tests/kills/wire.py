"""Single requests to one certain broker, with a time limit of milliseconds: no client library does that.

The messages are kafka-python's. A connection is a socket; what goes wrong with it is an OSError.
"""

import socket
import struct
import time
from collections import namedtuple

from kafka.protocol.metadata import MetadataRequest, MetadataResponse
from kafka.protocol.producer import ProduceRequest, ProduceResponse
from kafka.record.default_records import DefaultRecordBatchBuilder

METADATA, PRODUCE = 9, 9  # the versions of both

Leads = namedtuple("Leads", "leader epoch in_sync")


class Refused(Exception):
    """A broker's answer, with Kafka's error code."""


class Connection:
    def __init__(self, port, timeout_s):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request, answer, version, timeout_s):
        request.with_header(correlation_id=1, client_id="probe")
        self.socket.settimeout(timeout_s)
        self.socket.sendall(request.encode(framed=True, header=True))
        [length] = struct.unpack(">i", self.receive(4))
        return answer.decode(self.receive(length), version=version, header=True)

    def receive(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise ConnectionError("closed by the broker")
            data += more
        return data

    def close(self):
        self.socket.close()


def leaders(port, topic, timeout_s=0.5):
    """What one broker says of a topic: {partition: Leads}. Empty while it does not know it."""
    connection = Connection(port, timeout_s)
    try:
        asked = MetadataRequest[METADATA](
            topics=[MetadataRequest.MetadataRequestTopic(name=topic, version=METADATA)],
            allow_auto_topic_creation=False,
        )
        [found] = connection.ask(asked, MetadataResponse, METADATA, timeout_s).topics
    finally:
        connection.close()
    return {
        one.partition_index: Leads(one.leader_id, one.leader_epoch, sorted(one.isr_nodes))
        for one in found.partitions
    }


def produce(connection, topic, partition, key, value, timeout_s):
    """One record with acks=all; returns its offset."""
    batch = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1000)
    batch.append(0, int(time.time() * 1000), key, value, [])
    topic_data, partition_data = (
        ProduceRequest.TopicProduceData,
        ProduceRequest.TopicProduceData.PartitionProduceData,
    )
    request = ProduceRequest[PRODUCE](
        transactional_id=None,
        acks=-1,
        timeout_ms=int(timeout_s * 1000),
        topic_data=[
            topic_data(
                name=topic,
                partition_data=[
                    partition_data(index=partition, records=bytes(batch.build()), version=PRODUCE)
                ],
                version=PRODUCE,
            )
        ],
    )
    answer = connection.ask(request, ProduceResponse, PRODUCE, timeout_s + 0.2)
    [one] = answer.responses[0].partition_responses
    if one.error_code:
        raise Refused(one.error_code)
    return one.base_offset

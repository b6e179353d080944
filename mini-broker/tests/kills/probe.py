"""Writes one record after the other into one partition with acks=all, and knows to 20 ms when that worked."""

import threading
import time
from collections import Counter, namedtuple

import wire
from check import Ack
from clients import PROBE

EVERY_S = 0.02
TIMEOUT_S = 0.5

Written = namedtuple("Written", "ack began ended")


class Probe:
    """No record is tried twice: each attempt has a number of its own."""

    def __init__(self, ports, topic):
        self.ports, self.topic = ports, topic
        self.partition = 0
        self.written, self.refusals = [], Counter()
        self.number = 0
        self.asked = 0
        self.connection, self.connected_to = None, None
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping:
            began, partition, number = time.monotonic(), self.partition, self.number
            self.number += 1
            try:
                self.connect(partition)
                offset = wire.produce(
                    self.connection, self.topic, partition, PROBE, b"%d" % number, TIMEOUT_S
                )
                ack = Ack(number, partition, offset)
                self.written.append(Written(ack, began, time.monotonic()))
            except wire.Refused as refused:
                self.refusals[refused.args[0]] += 1
                self.forget()
            except (OSError, ValueError):
                self.forget()
            time.sleep(max(0, began + EVERY_S - time.monotonic()))
        self.forget()

    def connect(self, partition):
        """To the partition's leader, as the next broker names it that answers."""
        if self.connected_to == partition:
            return
        self.forget()
        port = list(self.ports.values())[self.asked % len(self.ports)]
        self.asked += 1
        found = wire.leaders(port, self.topic, timeout_s=0.2).get(partition)
        if found is None or found.leader not in self.ports:
            raise ConnectionError("no leader")
        self.connection = wire.Connection(self.ports[found.leader], TIMEOUT_S)
        self.connected_to = partition

    def forget(self):
        if self.connection:
            self.connection.close()
        self.connection, self.connected_to = None, None

    def first_since(self, since):
        """When the first record was acknowledged that was sent after `since`; None if none was yet."""
        found = None
        for written in reversed(self.written):
            if written.began < since:
                break
            found = written.ended
        return found

    def longest_wait(self, since):
        """The longest time, in seconds, between two acknowledgements: of the last before `since`, and all after."""
        times = []
        for written in reversed(self.written):
            times.append(written.ended)
            if written.ended < since:
                break
        times.reverse()
        return max((b - a for a, b in zip(times, times[1:])), default=0)

    def stop(self):
        self.stopping = True
        self.thread.join()

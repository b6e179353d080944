"""What is written and what must be read: topics and their records."""

import random
import time

RECORDS = 1000


class Topic:
    """What one program wrote into one topic, and so what every reader must find."""

    def __init__(self, writer, codec, acks, partitions):
        # The number keeps this run apart from an earlier one on a broker that stays.
        self.name = f"{writer}-{codec}-acks-{acks}-{int(time.time() * 1000) % 100_000_000}"
        self.writer, self.codec, self.acks, self.partitions = writer, codec, acks, partitions
        self.records = []
        self.has_times = False
        self.began = self.ended = 0
        self.seen_times = None


def records(topic, can):
    """The records a program is to write: [time, key, value, headers], text with one character a byte."""
    chance = random.Random(topic.name)
    start = now_ms() - 1_800_000
    made = []
    for n in range(RECORDS):
        key = f"user-{n % 17}"
        value = f"order {n} of {topic.name} " + "book, lamp, cup; " * (3 + n % 7)
        if "binary" in can:
            value += "".join(chance.choice("\x00\x7f\x80\xc3\xff") for _ in range(8))
        if "nulls" in can and n in (13, 999):
            value = None
        if "nulls" in can and n == 17:
            value = ""
        headers = [["topic", topic.name], ["number", str(n)]]
        if "headers" not in can:
            headers = [["topic", topic.name], ["same", "for all"]]
        made.append([start + 7 * n, key, value, headers])
    return made


def expect(topic, got):
    """What a reader must find in the topic's only partition: [offset, time, key, value, headers]."""
    wanted = [[offset, *record] for offset, record in enumerate(topic.records)]
    if not topic.has_times:
        # The writer set no times: they lie within its run, and the first reader settles them for all.
        times = topic.seen_times = topic.seen_times or [record[1] for record in got]
        if len(times) != RECORDS or min(times) < topic.began - 1 or max(times) > topic.ended + 1:
            times = [-1] * RECORDS
        for record, found in zip(wanted, times):
            record[1] = found
    return wanted


def same(what, wanted, got):
    if wanted == got:
        return True, ""
    for one, other in zip(wanted, got):
        if one != other:
            return False, f"{what}: wanted {one}, got {other}"
    return False, f"{what}: wanted {len(wanted)} records, got {len(got)}"


def now_ms():
    return int(time.time() * 1000)

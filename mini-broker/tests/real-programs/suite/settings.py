"""Settings that change while the broker runs, and what a client sees of it. Kafka's config command changes them."""

import time

import files
from programs import Failed, each
from topic import RECORDS, Topic, now_ms, records, same

MESSAGE_TOO_LARGE = 10
INVALID_RECORD = 87
TABLE = "settings in effect"


def check(suite):
    writer = suite.by_name.get("java") or suite.by_name.get("confluent")
    if "kafka-tools" in suite.by_name and writer:
        # They mostly wait for the broker, so they wait together.
        each(
            [retention, roll, max_message_bytes, append_time, compaction],
            lambda effect: run(effect, Settings(suite, writer)),
        )


def run(effect, settings):
    try:
        effect(settings)
    except Failed as failure:
        settings.see(effect.__name__, False, str(failure))


class Settings:
    def __init__(self, suite, writer):
        self.suite, self.writer, self.tools = suite, writer, suite.by_name["kafka-tools"]
        self.readers = [program for program in suite.programs if "read" in program.can]

    def topic(self, row, **configs):
        name = Topic("settings", row, "x", 1).name
        self.writer.ask("create", topic=name, partitions=1, configs=configs)
        self.suite.settle()
        return name

    def set(self, topic, setting):
        """Gives a topic settings of its own: name=value,name=value."""
        where = ["--entity-type", "topics", "--entity-name", topic]
        flags = ["--alter", *where, "--add-config", setting]
        said = self.tools.ask("command", command="configs", arguments=flags)
        if said["status"] != 0:
            raise Failed(f"{setting}: {said['stderr']}")
        self.suite.settle()

    def value(self, kind, name, setting):
        """What a setting is, for a topic or a broker; None if it has no such setting."""
        flags = ["--describe", "--all", "--entity-type", kind, "--entity-name", name]
        said = self.tools.ask("command", command="configs", arguments=flags)["stdout"]
        lines = [line.split()[0] for line in said.splitlines() if line.startswith(f"  {setting}=")]
        return lines[0].split("=", 1)[1] if lines else None

    def write(self, topic, written, codec="none"):
        request = {"topic": topic, "codec": codec, "acks": "all", "records": written}
        self.writer.ask("produce", **request)

    def offset(self, topic, time_):
        flags = ["--topic", topic, "--time", time_]
        said = self.tools.ask("command", command="offsets", arguments=flags)["stdout"]
        return int(said.split(":")[-1])

    def read(self, reader, topic, count, **at):
        asked = {"topic": topic, "partition": 0, "at": at, "count": count}
        return reader.ask("read", **asked)

    def logs(self, topic):
        [folder] = files.partitions(self.suite.data_dir, topic)
        return len(list(folder.glob("*.log")))

    def until(self, seconds, true):
        """Waits until something is true; whether it became so."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def see(self, row, ok, got, column="the broker"):
        self.suite.report.check((TABLE, row, column), ok, f"got {got}")


def retention(settings):
    """Old records go, by age and by size; new ones stay, also if they are all there is."""
    interval = int(settings.value("brokers", "1", "log.retention.check.interval.ms"))
    if interval > 5000:
        text = f"retention: not checked, log.retention.check.interval.ms is {interval}"
        settings.suite.report.note(text)
        return
    topic = settings.topic("retention-ms")
    old = records(Topic("old", "x", "x", 1), ["times"])[:100]
    settings.write(topic, old)
    settings.set(topic, "retention.ms=600000")
    # The log's only segment is too old, though it is the one that is written to.
    gone = settings.until(10, lambda: settings.offset(topic, "earliest") == 100)
    settings.see("retention.ms", gone, settings.offset(topic, "earliest"))
    settings.write(topic, [[now_ms(), "new", "record", []]])
    time.sleep(2 * interval / 1000)
    ends = settings.offset(topic, "earliest"), settings.offset(topic, "latest")
    settings.see("retention.ms", ends == (100, 101), ends)
    for reader in settings.readers:
        if "resume" in reader.can:
            where = {"topic": topic, "partition": 0, "offset": 50}
            got = reader.ask("resume", **where, policy="earliest")
            settings.see("retention.ms", got == {"offset": 100}, got, reader.name)
            got = reader.ask("resume", **where, policy="none")
            settings.see("retention.ms", got == {"code": 1}, got, reader.name)

    topic = settings.topic("retention-bytes", **{"segment.bytes": "1048576"})
    written = large()
    settings.write(topic, written)
    settings.set(topic, "retention.bytes=1100000")
    gone = settings.until(10, lambda: settings.offset(topic, "earliest") > 0)
    start = settings.offset(topic, "earliest")
    left = sum(len(value) for _, _, value, _ in written[start:])
    settings.see("retention.bytes", gone and 1_000_000 < left < 2_200_000, [start, left])
    wanted = [[offset, *record] for offset, record in enumerate(written)][start:]
    got = settings.read(settings.writer, topic, RECORDS - start)["records"]
    settings.see("retention.bytes", *same("what is left", wanted, got))


def large():
    """3 MB of records."""
    topic = Topic("large", "x", "x", 1)
    return [[t, key, value * 25, rest] for t, key, value, rest in records(topic, ["times"])]


def roll(settings):
    """The log goes on in another segment, when it has grown or has grown old."""
    if not settings.suite.data_dir:
        return
    topic = settings.topic("segment-bytes")
    settings.set(topic, "segment.bytes=1048576")
    settings.write(topic, large())
    settings.see("segment.bytes", settings.logs(topic) >= 3, settings.logs(topic))
    topic = settings.topic("segment-ms")
    settings.set(topic, "segment.ms=200")
    for n in range(3):
        time.sleep(0.4)
        settings.write(topic, [[now_ms(), "key", str(n), []]])
    settings.see("segment.ms", settings.logs(topic) >= 2, settings.logs(topic))
    ends = settings.offset(topic, "latest")
    settings.see("segment.ms", ends == 3, ends)


def max_message_bytes(settings):
    """What is too large depends on what is set now."""
    topic = settings.topic("max-message-bytes")
    for setting, code in (
        (None, MESSAGE_TOO_LARGE),
        ("max.message.bytes=3000000", None),
        ("max.message.bytes=1000", MESSAGE_TOO_LARGE),
    ):
        if setting:
            settings.set(topic, setting)
        for name in ("java", "confluent", "kafka-python"):
            if name in settings.suite.by_name:
                program = settings.suite.by_name[name]
                got = program.ask("refused", case="too-large", topic=topic)["code"]
                settings.see("max.message.bytes", got == code, f"{got} with {setting}", name)


def append_time(settings):
    """The records' times are those at which the broker took them, whatever their writer says."""
    topic = settings.topic("append-time")
    old = records(Topic("old", "x", "x", 1), ["times"])[:100]
    settings.write(topic, old)
    settings.set(topic, "message.timestamp.type=LogAppendTime")
    began = now_ms()
    settings.write(topic, old)
    settings.write(topic, old, codec="zstd")
    ended = now_ms()
    settings.set(topic, "message.timestamp.type=CreateTime")
    settings.write(topic, old)
    for reader in settings.readers:
        for start, by_broker in ((0, False), (100, True), (200, True), (300, False)):
            answer = settings.read(reader, topic, 100, offset=start)
            times = [record[1] for record in answer["records"]]
            if by_broker:
                ok = began - 1 <= min(times) and max(times) <= ended + 1
            else:
                ok = times == [record[0] for record in old]
            ok = ok and answer.get("append_time", by_broker) == by_broker
            settings.see("message.timestamp.type", ok, f"{times[:3]} from {start}", reader.name)
        if "find" in reader.can:
            found = reader.ask("find", topic=topic, partition=0, time=began)["offset"]
            settings.see("message.timestamp.type", found == 100, found, reader.name)


def compaction(settings):
    """The newest record of each key is left, under the offset it always had."""
    topic = settings.topic("compaction")
    written = records(Topic("compaction", "x", "x", 1), ["times", "nulls"])[:300]
    written[299][2] = None  # a tombstone, the newest of its key
    settings.write(topic, written[:150])
    policy = "cleanup.policy=compact,segment.ms=200"
    if settings.value("topics", topic, "min.cleanable.dirty.ratio"):
        policy += ",min.cleanable.dirty.ratio=0.01"
    settings.set(topic, policy)
    settings.write(topic, written[150:], codec="zstd")
    for name in ("java", "confluent", "kafka-python"):
        if name in settings.suite.by_name:
            program = settings.suite.by_name[name]
            code = program.ask("refused", case="no-key", topic=topic)["code"]
            settings.see("cleanup.policy: no key", code == INVALID_RECORD, code, name)
    # Segments that are written to are not compacted: the last record begins another.
    time.sleep(0.4)
    last = [now_ms(), "last", "record", []]
    settings.write(topic, [last])
    newest = {record[1]: [offset, *record] for offset, record in enumerate(written)}
    wanted = [*sorted(newest.values()), [300, *last]]

    def compacted():
        got = settings.read(settings.writer, topic, len(wanted))["records"]
        return [record[0] for record in got] == [record[0] for record in wanted]

    done = settings.until(30, compacted)
    settings.see("cleanup.policy: compact", done, "the old records after 30 s")
    if not done:
        return

    def read(column=None):
        for reader in settings.readers:
            for start in (0, 5, wanted[3][0], wanted[3][0] + 1):
                left = [record for record in wanted if record[0] >= start]
                got = settings.read(reader, topic, len(left), offset=start)["records"]
                ok, detail = same(f"from offset {start}", left, got)
                settings.see("cleanup.policy: compact", ok, detail, column or reader.name)

    read()

    def read_again():
        # Each broker compacts for itself, and another may lead now, which was killed before it had done so.
        settings.until(30, compacted)
        read("after kill -9")

    settings.suite.after_kill.append(read_again)
    settings.suite.dumped.append(topic)

"""Real Kafka programs write to a broker and read from it. README.md says what is checked."""

import argparse
import bisect
import concurrent.futures
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import files
import install
import programs
from broker import Broker, build
from programs import Failed
from report import Report

RECORDS = 1000
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
QUICK = [("none", "0"), ("none", "1"), *((codec, "all") for codec in CODECS)]


def main():
    options = arguments()
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="real-programs-"))
    broker = None
    suite = Suite(options, work)
    try:
        suite.binary = options.broker or build(options.features, options.release)
        suite.programs = programs.programs(options.programs.split(","), work, suite.binary)
        if options.against:
            suite.address = options.against
            suite.data_dir = Path(options.data_dir) if options.data_dir else None
        else:
            broker = suite.broker = Broker(suite.binary, work)
            suite.data_dir = broker.data_dir
            suite.address = broker.start()
        suite.run()
    except install.Missing as missing:
        raise SystemExit(f"{missing}") from None
    finally:
        for program in suite.programs:
            program.stop()
        if broker:
            broker.stop()
    report = suite.report
    print(f"\n{report.tables()}\n")
    for where, detail in report.failures:
        print(f"FAILED {' / '.join(where)}: {detail}")
    if report.failures or options.keep:
        print(f"logs and data: {work}")
    else:
        shutil.rmtree(work)
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{report.passed} passed, {len(report.failures)} failed")
    return 1 if report.failures else 0


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--against", metavar="HOST:PORT", help="a broker that already runs, Apache Kafka for instance")
    parser.add_argument("--data-dir", metavar="DIR", help="with --against: where that broker keeps its files")
    parser.add_argument("--broker", metavar="PATH", help="a mini-broker that is already built")
    parser.add_argument("--features", metavar="F", help="cargo features to build it with, lab-offset-log for instance")
    parser.add_argument("--mine", dest="features", action="store_const", const="lab-offset-log", help="the same as --features lab-offset-log")
    parser.add_argument("--release", action="store_true", help="build it with --release")
    parser.add_argument("--quick", action="store_true", help="fewer combinations of codec and acks")
    parser.add_argument("--programs", metavar="A,B", default=",".join(programs.ALL), help="only these programs (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep logs and data though all passed")
    return parser.parse_args()


class Topic:
    """What one program wrote into one topic, and so what every reader must find."""

    def __init__(self, writer, codec, acks, partitions):
        # The number keeps this run apart from an earlier one on a broker that stays.
        self.name = f"{writer}-{codec}-acks-{acks}-{int(time.time() * 1000) % 100_000_000}"
        self.writer, self.codec, self.acks, self.partitions = writer, codec, acks, partitions
        self.records = []


class Suite:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.report = Report()
        self.programs = []
        self.broker = None
        self.topics = []

    def run(self):
        say(f"broker at {self.address}")
        each(self.programs, self.start)
        self.programs = [program for program in self.programs if program.can]
        self.by_name = {program.name: program for program in self.programs}
        readers = [program for program in self.programs if "read" in program.can]
        for program in self.programs:
            for codec, acks in self.combinations(program):
                self.report.expect(("writes", f"{program.name} {codec}", f"acks {acks}"))
        for reader in readers:
            for program in self.programs:
                self.report.expect(("reads", reader.name, f"from {program.name}"))
        say("writing: every program, codec and acks")
        each(self.programs, self.write_all)
        self.write_rolls()
        say("reading: every program reads what every program wrote")
        each(readers, self.read_all)
        say("lists of topics, the topic command, refusals")
        self.lists()
        self.commands()
        self.refusals()
        if self.broker:
            say("kill -9, start again, read again")
            self.survive_kill(readers)
            self.report.check(("broker", "SIGTERM", "clean stop"), self.broker.stop() == 0, "exit code is not 0")
        if self.data_dir:
            say("files: stored codecs, DumpLogSegments")
            self.stored_codecs()
        if self.broker:
            self.dumps()

    def start(self, program):
        try:
            program.start(self.address)
            say(f"  {program.title}")
        except Failed as failure:
            self.report.check(("programs", program.name, "starts"), False, str(failure))

    # Writing.

    def combinations(self, program):
        every = QUICK if self.options.quick else [(codec, acks) for codec in CODECS for acks in ("0", "1", "all")]
        every = [*every, ("default", "default")]
        if "idempotent" in program.can:
            every.append(("none", "idempotent"))
        return every

    def write_all(self, program):
        for codec, acks in self.combinations(program):
            # The client's defaults also get its partitioner: four partitions instead of one.
            self.write(Topic(program.name, codec, acks, 4 if codec == "default" else 1), program)

    def write(self, topic, program):
        where = ("writes", f"{program.name} {topic.codec}", f"acks {topic.acks}")
        topic.records = records(topic, program.can)
        topic.began = now_ms()
        try:
            if "create" in program.can:
                program.ask("create", topic=topic.name, partitions=topic.partitions, configs={})
                if self.options.against:
                    time.sleep(0.3)  # Apache Kafka says a topic is made a little before it takes records
            # A program that cannot create topics relies on the broker to do it.
            program.ask("produce", topic=topic.name, codec=topic.codec, acks=topic.acks, records=topic.records)
        except Failed as failure:
            self.report.check(where, False, str(failure))
            return
        topic.ended = now_ms()
        topic.has_times = "times" in program.can
        self.topics.append(topic)
        self.report.check(where, True)

    def write_rolls(self):
        """3 MB into segments of 1 MiB."""
        program = self.by_name.get("confluent")
        if not program:
            return
        topic = Topic(program.name, "none", "all", 1)
        topic.name = f"rolls-{topic.name}"
        topic.records = [[t, key, value * 25, headers] for t, key, value, headers in records(topic, ["times"])]
        topic.began = topic.ended = now_ms()
        topic.has_times = True
        where = ("rolls", "rolls", "3 segments")
        try:
            program.ask("create", topic=topic.name, partitions=1, configs={"segment.bytes": "1048576"})
            program.ask("produce", topic=topic.name, codec="none", acks="all", records=topic.records)
        except Failed as failure:
            self.report.check(where, False, str(failure))
            return
        self.topics.append(topic)
        if self.data_dir:
            logs = [log for folder in files.partitions(self.data_dir, topic.name) for log in folder.glob("*.log")]
            self.report.check(where, len(logs) >= 3, f"{len(logs)} segments")

    # Reading.

    def read_all(self, reader):
        for topic in self.topics:
            where = ("reads", reader.name, f"from {topic.writer}")
            try:
                for ok, detail in self.read(reader, topic):
                    self.report.check(where, ok, f"{topic.name}: {detail}")
            except Failed as failure:
                self.report.check(where, False, f"{topic.name}: {failure}")

    def read(self, reader, topic):
        """Reads one topic and yields (ok, detail) for each check."""
        ends = settled_ends(reader, topic.name)
        if sum(ends) != RECORDS:
            yield False, f"ends {ends}, wanted {RECORDS} records"
            return
        if len(ends) > 1:
            yield self.compare_partitions(reader, topic, ends)
            return
        got = reader.ask("read", topic=topic.name, partition=0, at={}, count=RECORDS)["records"]
        expected = expect(topic, got)
        yield same("from the beginning", expected, got)
        times = [record[1] for record in expected]
        if times != sorted(times):
            return
        at = 617
        got = reader.ask("read", topic=topic.name, partition=0, at={"offset": at}, count=RECORDS - at)["records"]
        yield same(f"from offset {at}", expected[at:], got)
        if "find" not in reader.can:
            return
        # A time between two records, where the writer could set times; most often inside a batch.
        time = times[350] - (3 if topic.has_times else 0)
        at = bisect.bisect_left(times, time)
        got = reader.ask("read", topic=topic.name, partition=0, at={"time": time}, count=RECORDS - at)["records"]
        yield same(f"from time {time}, offset {at}", expected[at:], got)
        for time, offset in ((times[0] - 1000, 0), (times[-1] + 1, None)):
            found = reader.ask("find", topic=topic.name, partition=0, time=time)["offset"]
            yield found == offset, f"time {time} is offset {found}, wanted {offset}"

    def compare_partitions(self, reader, topic, ends):
        """Each key in one partition, in the order written; all partitions together: everything."""
        keys, rest = {}, list(topic.records)
        for partition, end in enumerate(ends):
            if end == 0:
                continue
            got = reader.ask("read", topic=topic.name, partition=partition, at={}, count=end)["records"]
            if [record[0] for record in got] != list(range(end)):
                return False, f"partition {partition}: offsets are not 0 to {end - 1}"
            for record in got:
                keys.setdefault(record[2], []).append((partition, record[2:]))
        for key, found in keys.items():
            if len({partition for partition, _ in found}) != 1:
                return False, f"key {key!r} is in several partitions"
            wanted = [record[1:] for record in rest if record[1] == key]
            if wanted != [record for _, record in found]:
                return False, f"the records of key {key!r} differ or are not in order"
        return sum(map(len, keys.values())) == RECORDS, "records are missing"

    # What a broker refuses, and with which of Kafka's error codes.

    def refusals(self):
        for name in ("confluent", "kafka-python", "java"):
            program = self.by_name.get(name)
            if not program:
                continue
            target = Topic(name, "refusals", "x", 1).name
            cases = [
                ("too-large", target, 10),  # MESSAGE_TOO_LARGE
                ("outside", target, 1),  # OFFSET_OUT_OF_RANGE
                ("unknown-topic", f"{target}-none", 3),  # UNKNOWN_TOPIC_OR_PARTITION
                ("illegal-name", "no/slash", 17),  # INVALID_TOPIC_EXCEPTION
                ("exists", target, 36),  # TOPIC_ALREADY_EXISTS
                ("no-partitions", f"{target}-none", 37),  # INVALID_PARTITIONS
                ("too-many-replicas", f"{target}-none", 38),  # INVALID_REPLICATION_FACTOR
                ("unknown-config", f"{target}-none", 40),  # INVALID_CONFIG
            ]
            if "transaction" in program.can and self.broker:
                # TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the mini broker has no transactions.
                cases.append(("transaction", target, 53))
            try:
                program.ask("create", topic=target, partitions=1, configs={})
            except Failed as failure:
                self.report.check(("refusals", "create", name), False, str(failure))
            for case, topic, code in cases:
                where = ("refusals", case, name)
                try:
                    got = program.ask("refused", case=case, topic=topic)["code"]
                    self.report.check(where, got == code, f"error {got}, wanted {code}")
                except Failed as failure:
                    self.report.check(where, False, str(failure))

    def lists(self):
        """Each program lists all topics, and finds those that were written."""
        for program in self.programs:
            where = ("all topics", program.name, "lists them")
            try:
                missing = {topic.name for topic in self.topics} - set(program.ask("topics")["topics"])
                self.report.check(where, not missing, f"without {sorted(missing)[:3]}")
            except Failed as failure:
                self.report.check(where, False, str(failure))

    def commands(self):
        """The topic command, Kafka's and ours: create, describe, delete."""
        for name in ("kafka-tools", "mini-broker"):
            if name in self.by_name:
                self.topic_command(self.by_name[name])

    def topic_command(self, tools):
        name = Topic("commands", "x", "x", 3).name

        def check(what, ok, detail):
            self.report.check(("topic command", what, tools.name), ok, detail)

        try:
            tools.ask("create", topic=name, partitions=3, configs={"retention.ms": "3600000"})
            text = tools.ask("describe", topic=name)["text"]
            wanted = ["PartitionCount: 3", "ReplicationFactor: 1", "retention.ms=3600000", "Partition: 2\tLeader: "]
            missing = [want for want in wanted if want not in text]
            check("--describe", not missing, f"{missing} not in {text!r}")
            tools.ask("delete", topic=name)
            deadline = time.monotonic() + 5
            while name in tools.ask("topics")["topics"] and time.monotonic() < deadline:
                time.sleep(0.1)
            check("--delete", time.monotonic() < deadline, "the topic is still listed after 5 s")
        except Failed as failure:
            check("all", False, str(failure))

    # A kill, and files.

    def survive_kill(self, readers):
        self.broker.kill()
        self.broker.start()
        for reader in readers:
            for topic in self.topics if reader.name == "confluent" else self.topics[:: len(readers)]:
                where = ("after kill -9", reader.name, "reads again")
                try:
                    for ok, detail in self.read(reader, topic):
                        self.report.check(where, ok, f"{topic.name}: {detail}")
                except Failed as failure:
                    self.report.check(where, False, f"{topic.name}: {failure}")
        for program in self.programs:
            again = Topic(program.name, "zstd", "all", 1)
            again.name = f"again-{again.name}"
            self.write(again, program)
            if self.topics[-1] is again and readers:
                reader = readers[0]
                for ok, detail in self.read(reader, again):
                    self.report.check(("after kill -9", program.name, "writes again"), ok, detail)

    def stored_codecs(self):
        for topic in self.topics:
            if topic.codec == "default":
                continue
            where = ("stored codec", topic.writer, topic.codec)
            folders = files.partitions(self.data_dir, topic.name)
            found = {codec for folder in folders for codec in files.stored_codecs(folder)}
            self.report.check(where, found == {topic.codec}, f"{topic.name} is stored as {sorted(found)}")

    def dumps(self):
        java = programs.java()
        folders = [folder for topic in self.topics for folder in files.partitions(self.data_dir, topic.name)]
        logs = [file for folder in folders for file in sorted(folder.glob("*.log"))]
        indexes = [file for folder in folders for file in sorted(folder.glob("*.index"))]
        indexes += [file for folder in folders for file in sorted(folder.glob("*.timeindex"))]
        entries = 0
        for what, some, flags in (
            ("logs", logs, []),
            ("logs, every record", logs, ["--deep-iteration", "--print-data-log"]),
            ("indexes", indexes, []),
            ("indexes, sanity check", indexes, ["--index-sanity-check"]),
        ):
            status, theirs = files.dump_with_kafka(java, some, flags)
            found = files.complaint(theirs)
            self.report.check(("dumps", what, "DumpLogSegments"), status == 0 and not found and theirs, f"status {status}: {found}")
            entries += theirs.count("\noffset: ")
            status, ours = files.dump_with_ours(self.broker.binary, some, flags)
            difference = files.first_difference(theirs, ours)
            self.report.check(("dumps", what, "our dump-log"), status == 0 and not difference, f"status {status}: {difference}")
        self.report.check(("dumps", "index entries", "DumpLogSegments"), entries > 100, f"only {entries} index entries to check")
        self.damaged(java, max(indexes, key=lambda index: index.stat().st_size))

    def damaged(self, java, index):
        """That the checks above can fail: one entry of one index is made wrong, and Kafka says so."""
        folder = self.work / "damaged" / index.parent.name
        shutil.copytree(index.parent, folder)
        copy = folder / index.name
        # The last byte of the first entry is part of a position, or of an offset in a .timeindex.
        entry_len = 8 if copy.suffix == ".index" else 12
        data = bytearray(copy.read_bytes())
        data[entry_len - 1] ^= 1
        copy.write_bytes(data)
        _, theirs = files.dump_with_kafka(java, [copy], [])
        self.report.check(("dumps", "a damaged index", "DumpLogSegments"), files.complaint(theirs), "it was not noticed")


def records(topic, can):
    """The records a program is to write: [time, key, value, headers], text with one character a byte."""
    chance = random.Random(topic.name)
    start = now_ms() - 1_800_000
    made = []
    for n in range(RECORDS):
        key = f"user-{n % 17}"
        value = f"order {n} of {topic.name} " + "book, lamp, cup; " * (n % 7)
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
        times = getattr(topic, "times", None) or [record[1] for record in got]
        topic.times = times
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


def settled_ends(reader, topic):
    """The partitions' ends once all records are there: acks=0 and a start after a kill need a moment."""
    deadline = time.monotonic() + 10
    while True:
        ends = reader.ask("ends", topic=topic)["ends"]
        if sum(ends) >= RECORDS or time.monotonic() > deadline:
            return ends
        time.sleep(0.05)


def each(items, act):
    """Acts on all items at the same time; each program works in its own process."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(items))) as pool:
        for done in [pool.submit(act, item) for item in items]:
            done.result()


def now_ms():
    return int(time.time() * 1000)


def say(text):
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

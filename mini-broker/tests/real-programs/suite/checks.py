"""The checks, in the order in which they run. README.md says what each of them shows."""

import bisect
import sys
import time

import bad_input
import config_command
import files
import group_command
import groups
import offsets
import partitioners
import races
import settings
import topic_command
from programs import Failed, each
from report import Report
from topic import RECORDS, Topic, expect, now_ms, records, same

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
QUICK = [("none", "0"), ("none", "1"), *((codec, "all") for codec in CODECS)]


class Suite:
    def __init__(self, options, work):
        self.options, self.work = options, work
        # What a topic gets that is made without a number of replicas.
        self.replicas = min(options.brokers, 3)
        self.report = Report()
        self.programs = []
        self.broker = None
        self.topics = []
        # What is done right before the broker is killed, and what else has to hold once it has started again.
        self.before_kill, self.after_kill = [], []
        # Topics whose files are dumped too, beside those of the table of writes.
        self.dumped = []

    def run(self):
        say(f"broker at {self.address}")
        self.groups = groups.offered(self.address)
        each(self.programs, self.start)
        self.programs = [program for program in self.programs if program.can]
        self.by_name = {program.name: program for program in self.programs}
        if self.options.only == "groups":
            self.check_groups()
        else:
            self.run_all()

    def run_all(self):
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
        say("lists of topics, refusals")
        self.lists()
        self.refusals()
        say("keys to partitions, bad input, topics that come and go, settings that change")
        # They have topics of their own and wait much: for the broker, or for each other's programs.
        each([partitioners, bad_input, races, settings], lambda checks: checks.check(self))
        say("Kafka's commands, and ours")
        topic_command.check(self)
        config_command.check(self)
        offsets.check(self)
        group_command.check(self)
        if self.options.without != "groups":
            self.check_groups()
        # Apache Kafka is killed for groups only: it needs a while to know its partitions again, and ends with another code.
        ours = self.broker and not self.options.against
        if ours:
            say("kill -9, start again, read again")
            self.survive_kill(readers)
            self.report.check(
                ("broker", "SIGTERM", "clean stop"), self.broker.stop() == 0, "exit code is not 0"
            )
        if self.data_dir:
            say("files: stored codecs, DumpLogSegments")
            files.check_codecs(self)
        if ours:
            files.check_dumps(self)

    def start(self, program):
        try:
            program.start(self.address, self.groups)
            say(f"  {program.title}")
        except Failed as failure:
            self.report.check(("programs", program.name, "starts"), False, str(failure))

    def check_groups(self):
        if self.groups:
            say("groups of consumers")
            groups.check(self)

    def time_of(self, what, seconds):
        """How long a part took, for who wants to make the suite faster."""
        if self.options.times:
            say(f"  {seconds:5.1f} s {what}")

    # Writing.

    def combinations(self, program):
        every = (
            QUICK
            if self.options.quick
            else [(codec, acks) for codec in CODECS for acks in ("0", "1", "all")]
        )
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
                self.settle()
            # A program that cannot create topics relies on the broker to do it.
            program.ask(
                "produce",
                topic=topic.name,
                codec=topic.codec,
                acks=topic.acks,
                records=topic.records,
            )
        except Failed as failure:
            self.report.check(where, False, str(failure))
            return
        topic.ended = now_ms()
        topic.has_times = "times" in program.can
        self.topics.append(topic)
        self.report.check(where, True)

    def settle(self):
        if self.options.against or self.replicas > 1:
            time.sleep(0.3)  # a topic is said to be made a little before every broker knows it

    def write_rolls(self):
        """3 MB into segments of 1 MiB."""
        program = self.by_name.get("confluent")
        if not program:
            return
        topic = Topic(program.name, "none", "all", 1)
        topic.name = f"rolls-{topic.name}"
        topic.records = [
            [t, key, value * 25, headers] for t, key, value, headers in records(topic, ["times"])
        ]
        topic.began = topic.ended = now_ms()
        topic.has_times = True
        where = ("rolls", "rolls", "3 segments")
        try:
            program.ask(
                "create", topic=topic.name, partitions=1, configs={"segment.bytes": "1048576"}
            )
            program.ask(
                "produce", topic=topic.name, codec="none", acks="all", records=topic.records
            )
        except Failed as failure:
            self.report.check(where, False, str(failure))
            return
        self.topics.append(topic)
        if self.data_dir:
            logs = [
                log
                for folder in files.partitions(self.data_dir, topic.name)
                for log in folder.glob("*.log")
            ]
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
        got = reader.ask(
            "read", topic=topic.name, partition=0, at={"offset": at}, count=RECORDS - at
        )["records"]
        yield same(f"from offset {at}", expected[at:], got)
        if "find" not in reader.can:
            return
        # A time between two records, where the writer could set times; most often inside a batch.
        time = times[350] - (3 if topic.has_times else 0)
        at = bisect.bisect_left(times, time)
        got = reader.ask(
            "read", topic=topic.name, partition=0, at={"time": time}, count=RECORDS - at
        )["records"]
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
            got = reader.ask("read", topic=topic.name, partition=partition, at={}, count=end)[
                "records"
            ]
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
            if "transaction" in program.can and not self.options.against:
                # TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the mini broker has no transactions.
                cases.append(("transaction", target, 53))
            try:
                program.ask("create", topic=target, partitions=1, configs={})
                self.settle()
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
                missing = {topic.name for topic in self.topics} - set(
                    program.ask("topics")["topics"]
                )
                self.report.check(where, not missing, f"without {sorted(missing)[:3]}")
            except Failed as failure:
                self.report.check(where, False, str(failure))

    # A kill.

    def survive_kill(self, readers):
        for act in self.before_kill:
            act()
        self.broker.kill()
        self.broker.start()
        for reader in readers:
            for topic in (
                self.topics if reader.name == "confluent" else self.topics[:: len(readers)]
            ):
                where = ("after kill -9", reader.name, "reads again")
                try:
                    for ok, detail in self.read(reader, topic):
                        self.report.check(where, ok, f"{topic.name}: {detail}")
                except Failed as failure:
                    self.report.check(where, False, f"{topic.name}: {failure}")
        for check in self.after_kill:
            try:
                check()
            except Failed as failure:
                self.report.check(("after kill -9", "broker", "is as before"), False, str(failure))
        for program in self.programs:
            again = Topic(program.name, "zstd", "all", 1)
            again.name = f"again-{again.name}"
            self.write(again, program)
            if self.topics[-1] is again and readers:
                reader = readers[0]
                for ok, detail in self.read(reader, again):
                    self.report.check(("after kill -9", program.name, "writes again"), ok, detail)


def settled_ends(reader, topic):
    """The partitions' ends once all records are there: acks=0 and a start after a kill need a moment."""
    deadline = time.monotonic() + 10
    while True:
        ends = reader.ask("ends", topic=topic)["ends"]
        if sum(ends) >= RECORDS or time.monotonic() > deadline:
            return ends
        time.sleep(0.05)


def say(text):
    print(text, file=sys.stderr)

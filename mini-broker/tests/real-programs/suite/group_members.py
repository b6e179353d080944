"""Members of groups as processes: started, watched, asked to close, killed. Each program has its own; all tell the same."""

import json
import re
import signal
import subprocess
import threading
import time

import install
from install import HERE
from programs import Failed, java

# What a broker allows at least; and what lets nobody be late on a slow machine.
SHORT_SESSION_MS, LONG_SESSION_MS = 6000, 60_000
HEARTBEAT_MS, OFTEN_MS, SELDOM_MS = 500, 100, 600_000
STOP_WITHIN_S = 30

CLASSES = {
    "range": "org.apache.kafka.clients.consumer.RangeAssignor",
    "roundrobin": "org.apache.kafka.clients.consumer.RoundRobinAssignor",
    "sticky": "org.apache.kafka.clients.consumer.StickyAssignor",
}


class Member:
    """One process; its thread reads what it tells. Whoever looks at it holds the crew's lock."""

    STOP_BY = signal.SIGTERM
    # Whether it tells by itself which partitions it was given, and when.
    tells, has_clock = True, True
    # How many records it may have committed and not told when it was asked to end.
    swallows = 0

    def __init__(self, crew, program, name, settings, log_dir):
        self.crew, self.program, self.name, self.settings = crew, program, name, settings
        self.held, self.records, self.events = set(), [], []
        self.generation = self.failed = None
        self.closed = False
        self.ended_at = None
        self.log = open(log_dir / f"{name}.log", "w")
        self.process = subprocess.Popen(
            [str(word) for word in self.command()],
            stdout=subprocess.PIPE,
            stderr=self.stderr(),
            env=self.environment(),
        )
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()

    def stderr(self):
        return self.log

    def environment(self):
        return None

    def read(self):
        for line in self.process.stdout:
            text = line.decode("latin-1").rstrip("\n")
            if self.stderr() != self.log:
                print(text, file=self.log, flush=True)
            with self.crew.changed:
                for event in self.events_of(text):
                    self.take(event)
                self.crew.changed.notify_all()

    def events_of(self, line):
        if line.startswith("{"):
            yield json.loads(line)
        else:
            print(line, file=self.log, flush=True)

    def take(self, event):
        kind = event["event"]
        if kind == "records":
            self.records += [tuple(record) for record in event["records"]]
            places = [f"{topic}-{partition} {n}" for topic, partition, n, _ in event["records"]]
            print("read", *places, sep=", ", file=self.log, flush=True)
            return
        print(event, file=self.log, flush=True)
        partitions = {tuple(one) for one in event.get("partitions", [])}
        event["partitions"] = partitions
        self.events.append(event)
        if kind == "assigned":
            self.held = self.held | partitions
            self.generation = event.get("generation", self.generation)
        elif kind in ("revoked", "lost"):
            self.held = self.held - partitions
        elif kind == "failed":
            self.failed, self.held, self.ended_at = event, set(), event["at"]
        elif kind == "closed":
            self.closed, self.held = True, set()

    @property
    def alive(self):
        return self.ended_at is None and not self.closed and self.process.poll() is None

    def kill(self):
        with self.crew.changed:
            self.ended_at = int(time.time() * 1000)
            self.held = set()
        self.process.kill()
        self.process.wait()
        self.reading.join()

    def ask_to_close(self):
        self.process.send_signal(self.STOP_BY)

    def close(self):
        """Asks it to end as a program should, and waits for that."""
        self.ask_to_close()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not end within {STOP_WITHIN_S} s of SIGTERM") from None
        self.reading.join()
        with self.crew.changed:
            self.closed, self.held = True, set()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reading.join()
        self.log.close()

    def seen(self, partition):
        """The offsets it read of a partition, in its order."""
        return [offset for *where, offset, _ in self.records if tuple(where) == partition]

    def argument(self):
        return json.dumps(self.settings)


class Confluent(Member):
    def command(self):
        return [install.python(), HERE / "adapters/confluent_member.py", self.argument()]


class KafkaPython(Member):
    def command(self):
        return [install.python(), HERE / "adapters/kafka_python_member.py", self.argument()]


class KafkaJs(Member):
    def command(self):
        return ["node", HERE / "adapters/kafkajs_member.js", self.argument()]

    def environment(self):
        return {"NODE_PATH": str(install.node()), "PATH": "/usr/local/bin:/usr/bin:/bin"}


class Java(Member):
    def command(self):
        return [*java(), "Member", self.argument()]


class Kcat(Member):
    """
    `kcat -G` as it is: what it tells is read from its lines, and it has no clock.

    When a signal ends it, it leaves the record that it has just polled unprinted, and commits it (`consume_cb` in
    kcat.c 1.7.1): librdkafka counts a record as read when it is handed over.
    """

    has_clock = False
    swallows = 1
    REBALANCED = re.compile(
        r"% Group .* rebalanced.*?(assigned|revoked|assignment|revoke)\b.*?: (.*)"
    )
    RECORD = re.compile(r"(\S+) (\d+) (\d+) (.*)")

    def command(self):
        set_to = {
            "client.id": self.settings["client"],
            "auto.offset.reset": self.settings["reset"],
            "partition.assignment.strategy": self.settings["assignor"],
            "session.timeout.ms": self.settings["session_ms"],
            "heartbeat.interval.ms": HEARTBEAT_MS,
            # Its interval of 5 s cannot be set. It commits then, and whenever it has to; or never.
            "enable.auto.offset.store": str(self.settings["commit"] == "often").lower(),
        }
        flags = [word for name, value in set_to.items() for word in ("-X", f"{name}={value}")]
        words = ["kcat", "-b", self.settings["broker"], "-u", *flags, "-f", r"%t %p %o %s\n"]
        return [*words, "-G", self.settings["group"], *self.settings["topics"]]

    def stderr(self):
        return subprocess.STDOUT

    def events_of(self, line):
        if not line.startswith("%"):
            topic, partition, offset, value = self.RECORD.fullmatch(line).groups()
            yield {"event": "records", "records": [[topic, int(partition), int(offset), value]]}
            return
        found = self.REBALANCED.match(line)
        if found:
            word, names = found.groups()
            partitions = [[t, int(p)] for t, p in re.findall(r"(\S+) \[(\d+)\]", names)]
            event = "assigned" if word.startswith("assign") else "revoked"
            yield {"event": event, "partitions": partitions}


class Console(Member):
    """Kafka's ConsoleConsumer: it prints records, but not what it was given; that the broker is asked."""

    tells = has_clock = False
    RECORD = re.compile(r"Partition:(\d+)\tOffset:(\d+)\t(.*)")

    def command(self):
        return [*java(), "org.apache.kafka.tools.consumer.ConsoleConsumer", *self.flags()]

    def flags(self):
        settings = self.settings
        flags = ["--bootstrap-server", settings["broker"], "--group", settings["group"]]
        flags += ["--topic", *settings["topics"]]
        commit_ms = OFTEN_MS if settings["commit"] == "often" else SELDOM_MS
        for name, value in (
            ("client.id", settings["client"]),
            ("auto.offset.reset", settings["reset"]),
            ("partition.assignment.strategy", CLASSES[settings["assignor"]]),
            ("session.timeout.ms", settings["session_ms"]),
            ("heartbeat.interval.ms", HEARTBEAT_MS),
            ("auto.commit.interval.ms", commit_ms),
        ):
            flags += ["--consumer-property", f"{name}={value}"]
        for field in ("partition", "offset"):
            flags += ["--property", f"print.{field}=true"]
        return flags

    def events_of(self, line):
        found = self.RECORD.fullmatch(line)
        if found:
            partition, offset, value = found.groups()
            [topic] = self.settings["topics"]
            record = [topic, int(partition), int(offset), value]
            yield {"event": "records", "records": [record]}
        else:
            print(line, file=self.log, flush=True)


class Ours(Console):
    """Our `consume --group`, which has the flags of Kafka's and prints the same."""

    STOP_BY = signal.SIGINT

    def command(self):
        return [self.crew.suite.binary, "consume", *self.flags()]


class Verifiable(Member):
    """Kafka's VerifiableConsumer, which tells in lines of JSON what it was given, has read and has committed."""

    NAMES = {"partitions_assigned": "assigned", "partitions_revoked": "revoked"}

    def __init__(self, *arguments):
        # Where it has to go on in each partition; and where it did not.
        self.next, self.gaps = {}, []
        super().__init__(*arguments)

    def command(self):
        settings = self.settings
        file = self.crew.suite.work / f"{self.name}.properties"
        lines = {
            "client.id": settings["client"],
            "heartbeat.interval.ms": HEARTBEAT_MS,
        }
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        [topic] = settings["topics"]
        flags = ["--bootstrap-server", settings["broker"], "--topic", topic, "--verbose"]
        flags += ["--group-id", settings["group"], "--session-timeout", settings["session_ms"]]
        flags += ["--reset-policy", settings["reset"], "--consumer.config", file]
        return [*java(), "org.apache.kafka.tools.VerifiableConsumer", *flags]

    def events_of(self, line):
        for event in super().events_of(line):
            name, at = event["name"], event["timestamp"]
            if name in self.NAMES:
                partitions = [[one["topic"], one["partition"]] for one in event["partitions"]]
                yield {"event": self.NAMES[name], "at": at, "partitions": partitions}
                self.next = {}
            elif name == "record_data":
                record = [event["topic"], event["partition"], event["offset"], event["value"]]
                yield {"event": "records", "records": [record]}
                self.reaches(*record[:3], "read")
                self.next[record[0], record[1]] = record[2] + 1
            elif name == "offsets_committed" and event["success"]:
                for one in event["offsets"]:
                    self.reaches(one["topic"], one["partition"], one["offset"], "committed")

    def reaches(self, topic, partition, offset, what):
        wanted = self.next.get((topic, partition), offset)
        if offset != wanted:
            self.gaps.append(f"{self.name} {what} {topic}-{partition} {offset}, wanted {wanted}")


KINDS = {
    "kcat": Kcat,
    "confluent": Confluent,
    "kafka-python": KafkaPython,
    "kafkajs": KafkaJs,
    "java": Java,
    "kafka-tools": Console,
    "mini-broker": Ours,
}


MADE = {**KINDS, "verifiable": Verifiable}

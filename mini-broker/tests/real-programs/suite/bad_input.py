"""What no broker may do: each request is refused with Kafka's code for it, by whatever client it comes."""

import json
import time

from programs import Failed

OFFSET_OUT_OF_RANGE = 1
UNKNOWN_TOPIC_OR_PARTITION = 3
REQUEST_TIMED_OUT = 7
INVALID_TOPIC_EXCEPTION = 17
INVALID_PARTITIONS = 37
INVALID_REPLICATION_FACTOR = 38
INVALID_REPLICA_ASSIGNMENT = 39
INVALID_CONFIG = 40
INVALID_REQUEST = 42
POLICY_VIOLATION = 44

ANY = ["java", "kafka-python", "confluent"]
NOT_CONFLUENT, PYTHON = ["java", "kafka-python"], ["kafka-python"]


def new(partitions=1, replicas=1, assignment=None, **configs):
    """A topic that must not come to be."""
    configs = {name.replace("_", "."): value for name, value in configs.items()}
    return ["{new}", partitions, replicas, assignment, configs]


# Name, the topic asked for, Kafka's code, and the clients that can ask for it: others refuse it themselves.
TOPICS = [
    ("0 partitions", new(0), INVALID_PARTITIONS, ANY),
    ("-2 partitions", new(-2), INVALID_PARTITIONS, NOT_CONFLUENT),
    ("2,000,000 partitions", new(2_000_000), POLICY_VIOLATION, NOT_CONFLUENT),
    ("0 replicas", new(1, 0), INVALID_REPLICATION_FACTOR, ANY),
    ("more replicas than brokers", new(1, 9), INVALID_REPLICATION_FACTOR, ANY),
    (
        "partition 1 not assigned",
        new(-1, -1, [[0, [1]], [2, [1]]]),
        INVALID_REPLICA_ASSIGNMENT,
        NOT_CONFLUENT,
    ),
    (
        "partition assigned twice",
        new(-1, -1, [[0, [1]], [0, [1]]]),
        INVALID_REPLICA_ASSIGNMENT,
        PYTHON,
    ),
    ("broker assigned twice", new(-1, -1, [[0, [1, 1]]]), INVALID_REPLICA_ASSIGNMENT, ANY),
    ("unknown broker assigned", new(-1, -1, [[0, [7]]]), INVALID_REPLICA_ASSIGNMENT, ANY),
    ("no broker assigned", new(-1, -1, [[0, []]]), INVALID_REPLICA_ASSIGNMENT, NOT_CONFLUENT),
    ("assignment and counts", new(1, 1, [[0, [1]]]), INVALID_REQUEST, PYTHON),
    ("unknown setting", new(colour="red"), INVALID_CONFIG, ANY),
    ("a broker's setting", new(log_retention_ms="1"), INVALID_CONFIG, ANY),
    ("setting that is no number", new(retention_ms="soon"), INVALID_CONFIG, ANY),
    ("setting that is too small", new(segment_ms="0"), INVALID_CONFIG, ANY),
    ("setting that is none of a list", new(cleanup_policy="delete,shred"), INVALID_CONFIG, ANY),
    ("a good and a bad setting", new(retention_ms="9", segment_ms="0"), INVALID_CONFIG, ANY),
]

# The topic has three partitions.
PARTITIONS = [
    ("fewer partitions", ["{topic}", 2, None], INVALID_PARTITIONS, ANY),
    ("as many partitions", ["{topic}", 3, None], INVALID_PARTITIONS, ANY),
    ("0 partitions in all", ["{topic}", 0, None], INVALID_PARTITIONS, NOT_CONFLUENT),
    ("-1 partitions in all", ["{topic}", -1, None], INVALID_PARTITIONS, NOT_CONFLUENT),
    ("too few assignments", ["{topic}", 5, [[1]]], INVALID_REPLICA_ASSIGNMENT, ANY),
    ("too many assignments", ["{topic}", 4, [[1], [1]]], INVALID_REPLICA_ASSIGNMENT, ANY),
    ("assignment to an unknown broker", ["{topic}", 4, [[7]]], INVALID_REPLICA_ASSIGNMENT, ANY),
    ("partitions of an unknown topic", ["{new}", 3, None], UNKNOWN_TOPIC_OR_PARTITION, ANY),
]


def topic(*changes, name="{topic}"):
    return ["topic", name, list(changes)]


def broker(*changes):
    return ["broker", "1", list(changes)]


def to(setting, value):
    return ["SET", setting, value]


GOOD = to("segment.ms", "777777")

# What each of the resources is answered; None: it is done.
ALTERED = [
    ("unknown setting", [topic(to("colour", "red"))], [INVALID_CONFIG]),
    ("no number", [topic(to("retention.ms", "soon"))], [INVALID_CONFIG]),
    ("too small", [topic(to("retention.ms", "-2"))], [INVALID_CONFIG]),
    ("one good, one bad", [topic(GOOD, to("retention.ms", "soon"))], [INVALID_CONFIG]),
    ("one good, one unknown", [topic(GOOD, to("colour", "red"))], [INVALID_CONFIG]),
    ("append to what is no list", [topic(["APPEND", "retention.ms", "1"])], [INVALID_CONFIG]),
    ("subtract from what is no list", [topic(["SUBTRACT", "retention.ms", "1"])], [INVALID_CONFIG]),
    (
        "append what is none of the list",
        [topic(["APPEND", "cleanup.policy", "shred"])],
        [INVALID_CONFIG],
    ),
    ("unknown topic", [topic(GOOD, name="{new}")], [UNKNOWN_TOPIC_OR_PARTITION]),
    ("illegal topic", [topic(GOOD, name="no/slash")], [INVALID_TOPIC_EXCEPTION]),
    ("broker: no number", [broker(to("log.retention.ms", "soon"))], [INVALID_REQUEST]),
    ("broker: read-only", [broker(to("num.partitions", "4"))], [INVALID_REQUEST]),
    (
        "broker: one good, one read-only",
        [broker(to("log.roll.ms", "777777"), to("num.partitions", "4"))],
        [INVALID_REQUEST],
    ),
    (
        "broker: append to what is no list",
        [broker(["APPEND", "log.retention.ms", "1"])],
        [INVALID_CONFIG],
    ),
]


def check(suite):
    for name in ANY:
        if name in suite.by_name:
            try:
                BadInput(suite, suite.by_name[name]).run()
            except Failed as failure:
                suite.report.check(("bad input", "all", name), False, str(failure))


class BadInput:
    def __init__(self, suite, client):
        self.suite, self.client = suite, client
        stem = f"bad-{client.name}-{int(time.time() * 1000) % 100_000_000}"
        self.topic, self.other, self.new = f"{stem}-topic", f"{stem}-other", f"{stem}-new"

    def run(self):
        configs = {"segment.ms": "666666"}
        for name in (self.topic, self.other):
            self.client.ask("create", topic=name, partitions=3, configs=configs)
        self.suite.settle()
        for validate in (True, False):
            for name, asked, code, clients in TOPICS:
                if self.client.name in clients:
                    self.refused(name, [code], "create-topics", topics=[asked], validate=validate)
            for name, asked, code, clients in PARTITIONS:
                if self.client.name in clients:
                    self.refused(
                        name, [code], "create-partitions", topics=[asked], validate=validate
                    )
            for name, resources, codes in ALTERED:
                self.refused(name, codes, "alter", resources=resources, validate=validate)
        self.replaced()
        self.records()
        if not self.suite.options.against and self.client.name in NOT_CONFLUENT:
            # Kafka 4.1 has no limit here: it tries, and is of no use for a minute.
            asked = {"topics": [[self.topic, 2_000_000, None]]}
            got = self.client.ask("admin", request="create-partitions", **asked)["codes"]
            self.judge("2,000,000 partitions in all", got != [None], "they were made")
        self.each_by_itself()
        self.unchanged()

    def replaced(self):
        """AlterConfigs, which newer clients have given up for IncrementalAlterConfigs."""
        if self.client.name == "java":
            return
        for name, settings in (
            ("unknown setting", {"colour": "red"}),
            ("no number", {"retention.ms": "soon"}),
            ("one good, one bad", {"segment.ms": "777777", "retention.ms": "soon"}),
        ):
            resources = [["topic", "{topic}", settings]]
            self.refused(f"{name}, replaced", [INVALID_CONFIG], "replace", resources=resources)

    def records(self):
        for name, where, code in (
            ("delete records beyond the end", ["{topic}", 0, 5], OFFSET_OUT_OF_RANGE),
            ("delete records before -2", ["{topic}", 0, -2], OFFSET_OUT_OF_RANGE),
        ):
            self.refused(name, [code], "delete-records", partitions=[where])
        if (
            self.client.name == "kafka-python"
        ):  # the others look for its leader until their time is up
            self.refused(
                "delete records of no partition",
                [UNKNOWN_TOPIC_OR_PARTITION],
                "delete-records",
                partitions=[["{topic}", 9, 0]],
            )
        self.refused(
            "delete no topic", [UNKNOWN_TOPIC_OR_PARTITION], "delete-topics", topics=["{new}"]
        )

    def each_by_itself(self):
        """Of several things in one request the good ones are done."""
        resources = [topic(to("retention.ms", "soon")), topic(GOOD, name=self.other)]
        self.refused("two topics, one bad", [INVALID_CONFIG, None], "alter", resources=resources)
        resources = [
            broker(to("num.partitions", "4")),
            topic(to("segment.ms", "888888"), name=self.other),
        ]
        self.refused("a broker and a topic", [INVALID_REQUEST, None], "alter", resources=resources)
        topics = [new(0), [f"{self.other}-2", -1, -1, None, {}]]
        self.refused(
            "two new topics, one bad", [INVALID_PARTITIONS, None], "create-topics", topics=topics
        )

    def unchanged(self):
        """None of all this has left a trace; what was good has."""
        self.suite.settle()
        there = self.client.ask("topics")["topics"]
        self.judge("nothing is changed", self.new not in there, f"{self.new} was made")
        self.judge("the good one is done", f"{self.other}-2" in there, f"no {self.other}-2")
        partitions = len(self.client.ask("ends", topic=self.topic)["ends"])
        self.judge("nothing is changed", partitions == 3, f"{partitions} partitions instead of 3")
        if "java" in self.suite.by_name:
            for name, row, wanted in (
                (self.topic, "nothing is changed", "666666"),
                (self.other, "the good one is done", "888888"),
            ):
                got = self.suite.by_name["java"].ask(
                    "admin", request="settings", type="topic", name=name
                )["settings"]
                self.judge(row, got["segment.ms"] == wanted, got["segment.ms"])
                self.judge(row, got["retention.ms"] == "604800000", got["retention.ms"])

    def refused(self, name, codes, request, **asked):
        asked = json.loads(
            json.dumps(asked).replace("{topic}", self.topic).replace("{new}", self.new)
        )
        got = self.client.ask("admin", request=request, **asked)["codes"]
        self.judge(name, got == codes, f"error {got}, wanted {codes}: {request} {asked}")
        if got == [REQUEST_TIMED_OUT]:
            raise Failed(f"{request} is not answered")

    def judge(self, row, ok, detail):
        self.suite.report.check(("bad input", row, self.client.name), ok, detail)

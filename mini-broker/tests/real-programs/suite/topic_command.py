"""Kafka's topic command, unmodified, and ours, which must print the same for the same flags."""

import re

from commands import Commands
from programs import Failed

FILTERS = [
    "--topics-with-overrides",
    "--under-replicated-partitions",
    "--unavailable-partitions",
    "--under-min-isr-partitions",
    "--at-min-isr-partitions",
]


def check(suite):
    if "kafka-tools" in suite.by_name:
        try:
            TopicCommand(suite).run()
        except Failed as failure:
            suite.report.check(("topic command", "all", "Kafka's"), False, str(failure))


class TopicCommand(Commands):
    def __init__(self, suite):
        super().__init__(suite, "topics", "topic command")

    def run(self):
        self.create()
        self.suite.settle()
        self.list()
        self.describe()
        self.alter()
        self.delete()
        self.refuse()

    def create(self):
        plain = ["--create", "--topic", "{}-plain"]
        counts = ["--partitions", 3, "--replication-factor", self.suite.replicas]
        made = self.twice("--create", *plain, *counts)
        self.see("--create", made == self.named("Created topic {}-plain.\n"), made)
        self.twice("--create", "--create", "--topic", "{}-defaults")
        assigned = ["--replica-assignment", self.assignment(2)]
        self.twice("--create", "--create", "--topic", "{}-assigned", *assigned)
        configs = ["--config", "retention.ms=3600000", "--config", "cleanup.policy=compact,delete"]
        self.twice("--create", "--create", "--topic", "{}-configs", *configs)
        config = ["--config", f"min.insync.replicas={self.suite.replicas + 1}"]
        self.twice("--create", "--create", "--topic", "{}-min-isr", "--partitions", 2, *config)
        warned = self.twice("--create", "--create", "--topic", "{}.with_dot")
        self.see("--create", warned.startswith("WARNING: Due to limitations"), warned)
        self.suite.settle()
        again = self.twice("--create", *plain, "--if-not-exists")
        self.see("--create", again == "", again)

    def list(self):
        # A topic that brokers make for themselves, to be left out.
        internal = "__consumer_offsets"
        flags = ["--create", "--if-not-exists", "--topic", internal]
        self.say(self.kafka, *flags, "--partitions", 1)
        self.suite.settle()
        everything = self.same("--list", "--list")
        lines = everything.splitlines()
        self.see("--list", internal in lines and lines == sorted(lines), everything)
        rest = self.same("--list", "--list", "--exclude-internal").splitlines()
        self.see("--list", rest == [line for line in lines if line != internal], rest)
        mine = [line for line in lines if line.startswith(self.stem)]
        found = self.same("--list", "--list", "--topic", f"{self.stem}.*").splitlines()
        self.see("--list", found == mine, found)
        some = self.named("{}-plain,{}-assigned")
        found = self.same("--list", "--list", "--topic", some).splitlines()
        self.see("--list", found == sorted(some.split(",")), found)
        self.same("--list", "--list", "--topic", self.stem)

    def describe(self):
        everything = self.same("--describe", "--describe")
        self.see("--describe", self.named("Topic: {}-plain\t") in everything, everything)
        self.same("--describe", "--describe", "--exclude-internal")
        text = self.same("--describe", "--describe", "--topic", self.named("{}-plain"))
        counts = rf"Count: 3\tReplicationFactor: {self.suite.replicas}"
        wanted = rf"{counts}\tConfigs: .*\n(.*\n){{2}}\t.*Partition: 2\tLeader: \d\t"
        self.see("--describe", re.search(wanted, text), text)
        text = self.same("--describe", "--describe", "--topic", f"{self.stem}.*-(configs|assigned)")
        self.see("--describe", "retention.ms=3600000" in text and "Count: 2" in text, text)
        self.see("--describe", "cleanup.policy=compact,delete" in text, text)
        self.same("--describe", "--describe", "--if-exists", "--topic", f"{self.stem}-nowhere")
        for flag in FILTERS:
            found = self.same(flag, "--describe", flag)
            self.see(flag, self.filtered(flag, found), found)
        found = self.same(FILTERS[-1], "--describe", FILTERS[-1], "--topic", self.named("{}-plain"))
        self.see(FILTERS[-1], found.count("\n") == (3 if self.suite.replicas == 1 else 0), found)
        topic_id = re.search(r"TopicId: (\S+)", text).group(1)
        found = self.same("--topic-id", "--describe", "--topic-id", topic_id)
        self.see("--topic-id", f"TopicId: {topic_id}\t" in found, found)

    def filtered(self, flag, found):
        """Whether a filter found those of our topics that it should, and only those."""
        topics = set(re.findall(rf"Topic: {self.stem}-kafka[-.](\S+)", found))
        if flag == "--under-min-isr-partitions":
            return topics == {"min-isr"}
        if flag == "--at-min-isr-partitions":
            if self.suite.replicas > 1:
                return not topics  # min.insync.replicas is one less than there are
            return topics == {"plain", "defaults", "assigned", "configs", "with_dot"}
        if flag == "--topics-with-overrides":
            # Kafka since 4.1 may give every topic min.insync.replicas by a setting of the cluster.
            cluster = {"plain", "defaults", "assigned", "with_dot"}
            return topics - cluster == {"configs", "min-isr"} and "\tPartition:" not in found
        return not topics

    def alter(self):
        self.twice("--alter", "--alter", "--topic", "{}-plain", "--partitions", 5)
        self.suite.settle()
        more = ["--partitions", 7, "--replica-assignment", self.assignment(7)]
        self.twice("--alter", "--alter", "--topic", "{}-plain", *more)
        regex = "{}-(assigned|defaults)"
        said = self.twice("--alter", "--alter", "--topic", regex, "--partitions", 4)
        self.see("--alter", said == "", said)
        self.twice("--alter", "--alter", "--topic", "{}-nowhere", "--partitions", 4, "--if-exists")
        self.suite.settle()
        text = self.same("--alter", "--describe", "--topic", f"{self.stem}.*")
        counts = dict(re.findall(rf"Topic: {self.stem}-kafka-(\S+)\t.*PartitionCount: (\d+)", text))
        wanted = {"plain": "7", "assigned": "4", "defaults": "4", "configs": "1", "min-isr": "2"}
        self.see("--alter", counts == wanted, counts)

    def delete(self):
        self.twice("--delete", "--delete", "--topic", "{}-plain")
        said = self.twice("--delete", "--delete", "--topic", "{}-(assigned|defaults),{}-configs")
        self.see("--delete", said == "", said)
        self.twice("--delete", "--delete", "--topic", "{}-nowhere", "--if-exists")
        self.suite.settle()
        left = self.same("--delete", "--list", "--topic", self.named("{}.*")).split()
        self.see("--delete", left == [self.named("{}-min-isr"), self.named("{}.with_dot")], left)

    def refuse(self):
        there, new = self.named("{}-min-isr"), f"{self.stem}-new"
        create = ["--create", "--topic", new]
        for flags in (
            ["--describe", "--topic", f"{self.stem}-nowhere"],
            ["--describe", "--topic", f"{self.stem}-no.*"],
            ["--describe", "--topic-id", "AAAAAAAAAAAAAAAAAAAAAQ"],
            ["--describe", "--topic-id", "short"],
            ["--describe", "--topics-with-overrides", "--under-replicated-partitions"],
            ["--alter", "--topic", f"{self.stem}-nowhere", "--partitions", 3],
            ["--alter", "--topic", there],
            ["--alter", "--topic", there, "--partitions", 1],
            ["--alter", "--topic", there, "--partitions", 2],
            ["--alter", "--topic", there, "--partitions", 4, "--replica-assignment", "1,1"],
            ["--alter", "--topic", there, "--partitions", 3, "--replica-assignment", "1,1,7"],
            ["--delete", "--topic", f"{self.stem}-nowhere"],
            ["--delete"],
            ["--create"],
            ["--create", "--topic", there],
            ["--create", "--topic", "no/slash"],
            [*create, "--partitions", 0],
            [*create, "--partitions", 2_000_000],
            [*create, "--replication-factor", 0],
            [*create, "--replication-factor", 9],
            [*create, "--replica-assignment", "1:1"],
            [*create, "--replica-assignment", "1,7"],
            [*create, "--replica-assignment", "1", "--partitions", 1],
            [*create, "--config", "colour=red"],
            [*create, "--config", "retention.ms=soon"],
            [*create, "--config", "retention.ms"],
            ["--list", "--describe"],
            [],
        ):
            self.refused(*flags)
        left = self.say(self.kafka, "--list", "--topic", new)["stdout"].strip()
        self.judge("refusals", "Kafka's", not left, f"{left} was made")

    def assignment(self, partitions):
        """For each partition its brokers, all of them, and each leads in turn."""
        brokers = [*range(1, self.suite.replicas + 1)]
        turns = [brokers[n:] + brokers[:n] for n in range(self.suite.replicas)]
        lists = [":".join(map(str, turns[n % len(turns)])) for n in range(partitions)]
        return ",".join(lists)

    def comparable(self, text):
        # Eligible leader replicas are asked for by an API that ours does not speak.
        return text.replace("\tElr: \tLastKnownElr: ", "\tElr: N/A\tLastKnownElr: N/A")

"""Kafka's command for consumer groups, unmodified, and ours, which must print the same for the same groups."""

import signal
import subprocess
import time

from commands import Commands
from programs import Failed
from topic import Topic, records

WRITTEN = 90


def check(suite):
    writer = suite.by_name.get("java") or suite.by_name.get("confluent")
    if "kafka-tools" in suite.by_name and writer:
        command = GroupCommand(suite, writer)
        try:
            command.run()
        except Failed as failure:
            suite.report.check(("group command", "all", "Kafka's"), False, str(failure))
        finally:
            for member in command.running:
                member.kill()
                member.wait()


class GroupCommand(Commands):
    # As long as `kafka`: what the two print about names of their own differs in nothing but the name.
    OURS = "ours0"

    def __init__(self, suite, writer):
        super().__init__(suite, "groups", "group command")
        self.writer = writer
        # All partitions of the wide topic are written to, and the narrow one's times are in order.
        self.wide, self.narrow = f"{self.stem}-wide", f"{self.stem}-narrow"
        self.records = records(Topic("groups", "x", "x", 1), ["times"])[:WRITTEN]
        self.running = []

    def run(self):
        for name, partitions in ((self.wide, 3), (self.narrow, 1)):
            self.writer.ask("create", topic=name, partitions=partitions, configs={})
            self.suite.settle()
            request = {"topic": name, "codec": "none", "acks": "all", "records": self.records}
            self.writer.ask("produce", **request)
        self.reset()
        self.files()
        self.empty_groups()
        self.lists()
        if self.ours:
            self.members()
        self.delete()
        self.refuse()

    def comparable(self, text):
        # Kafka's rows come in the order of a hash table.
        return "\n".join(sorted(text.split("\n")))

    def plan(self, *flags):
        return self.twice("--reset-offsets", "--reset-offsets", *flags, "--dry-run")

    def reset(self):
        one = ["--group", "{}-one"]
        wide, narrow = ["--topic", self.wide], ["--topic", self.narrow]
        execute = ["--reset-offsets", *one, *wide, "--to-offset", 5, "--execute"]
        said = self.twice("--execute", *execute)
        self.see("--execute", said.count("  5   ") == 3 and "NEW-OFFSET" in said, said)
        self.twice(
            "--execute", "--reset-offsets", "--group", "{}-b", *narrow, "--to-latest", "--execute"
        )
        for scenario in (
            ["--to-earliest"],
            ["--to-latest"],
            ["--to-current"],
            ["--to-offset", 7],
            ["--to-offset", 7_000],  # the log's end
            ["--to-offset", -7],  # its start
            ["--shift-by", 3],
            ["--shift-by", -2],
            ["--shift-by", -2_000],
            ["--to-datetime", "1970-01-01T00:00:00.000"],
            ["--to-datetime", "2099-01-01T00:00:00.000+02:00"],  # nothing is that new
            ["--by-duration", "P3650D"],
        ):
            said = self.plan(*one, *wide, *scenario)
            self.see("--reset-offsets", said.count(self.wide) >= 3, said)
            self.plan(*one, "--topic", f"{self.wide}:0,2", *scenario)
            self.plan(*one, "--all-topics", *scenario)
        at = self.records[50][0]
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000))
        said = self.plan("--group", "{}-new", *narrow, "--to-datetime", f"{second}.{at % 1000:03}")
        self.see("--to-datetime", f"{self.narrow} " in said and " 50  " in said, said)
        self.plan("--group", "{}-new", *narrow, *wide, "--to-current")
        self.plan(*one, "--group", "{}-b", *narrow, "--to-earliest")
        # Without --dry-run nothing is done either, but it is said that it is not.
        flags = ["--reset-offsets", *one, *wide, "--to-earliest"]
        self.twice("--reset-offsets", *flags)
        self.both_say("--reset-offsets", "No action will be performed", *flags, stream="stderr")
        said = self.twice("--execute", "--describe", *one)
        self.see("--execute", said.count("  5   ") == 3, said)

    def files(self):
        """What one of them exports, the other reads."""
        flags = ["--group", "{}-one", "--topic", self.wide, "--to-offset", 4]
        single = self.plan(*flags, "--export")
        self.see(
            "--export", f"{self.wide},2,4\n" in single or f'"{self.wide}",2,4\n' in single, single
        )
        several = self.plan(*flags, "--group", "{}-b", "--export")
        self.see("--export", several.count("\n") == 7, several)
        for name, text in (("single", single), ("several", several)):
            for stem in ("kafka", self.OURS):
                lines = text.replace(f"{self.stem}-kafka", f"{self.stem}-{stem}").strip()
                file = self.suite.work / f"{self.stem}-{stem}-{name}.csv"
                file.write_text(lines + "\n")
        at = f"{self.suite.work}/{{}}"
        said = self.plan("--group", "{}-one", "--from-file", f"{at}-single.csv")
        self.see("--from-file", said.count("  4   ") == 3, said)
        both = ["--group", "{}-one", "--group", "{}-b"]
        self.plan(*both, "--from-file", f"{at}-several.csv")
        self.plan(*both, "--from-file", f"{at}-several.csv", "--export")
        self.twice(
            "--from-file", "--reset-offsets", "--from-file", f"{at}-several.csv", *both, "--execute"
        )
        said = self.twice("--from-file", "--describe", *both)
        self.see("--from-file", said.count("  4   ") >= 6, said)

    def empty_groups(self):
        for flags in ([], ["--verbose"], ["--offsets"], ["--members"], ["--members", "--verbose"]):
            self.twice("--describe", "--describe", "--group", "{}-one", *flags)
        # One group for both commands: groups of two names may have two coordinators.
        for flags in (["--state"], ["--state", "--verbose"]):
            said = self.same("--describe", "--describe", "--group", self.named("{}-one"), *flags)
            self.see("--describe", "  Empty  " in said and self.named("{}-one ") in said, said)
        self.both_say(
            "--describe",
            "has no active members",
            "--describe",
            "--group",
            self.named("{}-one"),
            stream="stderr",
        )
        self.same("--describe", "--describe", "--all-groups")
        self.same("--describe", "--describe", "--all-groups", "--state")

    def lists(self):
        names = self.same("--list", "--list").split()
        self.see("--list", {self.named("{}-one"), self.named("{}-b")} <= set(names), names)
        for flags in (
            ["--state"],
            ["--type"],
            ["--state", "--type"],
            ["--state", "empty, stable"],
            ["--state", "dead"],
            ["--type", "classic"],
            ["--type", "classic,consumer", "--state", "EMPTY"],
        ):
            self.same("--list", "--list", *flags)

    def members(self):
        """Our own consumers, which both commands see."""
        group = f"{self.stem}-live"
        self.join(group, 1)
        self.join(group, 2, "client.id=a-client-with-a-long-name")
        self.seen(group)
        members = self.same("--members", "--describe", "--group", group, "--members", "--verbose")
        parts = [f"{self.wide}:0,1 ", f"{self.wide}:2 "]
        self.see("--members", all(part in members for part in parts), members)
        self.join(group, 3, "group.instance.id=the-one-with-a-name")
        self.seen(group)
        # More members than partitions: one has nothing.
        self.join(group, 4)
        self.seen(group)
        active = "is inactive, but the current state is Stable"
        reset = ["--reset-offsets", "--group", group, "--topic", self.wide, "--to-latest"]
        self.both_say("active groups", active, *reset, "--execute")
        failed = "could not be deleted due to"
        self.both_say("active groups", failed, "--delete", "--group", group)
        for program in (self.kafka, self.ours):
            said = self.say(program, "--delete-offsets", "--group", group, "--topic", self.wide)
            column = "Kafka's" if program is self.kafka else "ours prints the same"
            self.judge("active groups", column, said["stdout"].count("Error: ") >= 3, said)
        for member in self.running[::-1]:
            member.send_signal(signal.SIGINT)
        ended = [member.wait(30) for member in self.running]
        self.judge("members", "leave", ended == [0] * 4, f"exit codes {ended}")
        self.running = []
        # The static one did not leave: it is expected back. All others have gone at once.
        said = self.say(self.kafka, "--describe", "--group", group, "--members")["stdout"]
        lines = [line for line in said.splitlines() if group in line]
        named = len(lines) == 1 and "the-one-with-a-name" in lines[0]
        self.judge("members", "leave", named, said)

    def join(self, group, members, *properties):
        """One more consumer; returns once the group is stable with so many."""
        words = [self.suite.binary, "consume", "--bootstrap-server", self.suite.address]
        words += ["--group", group, "--topic", self.wide, "--from-beginning"]
        words += ["--consumer-property", "heartbeat.interval.ms=200"]
        for setting in properties:
            words += ["--consumer-property", setting]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        with open(self.suite.work / f"{group}-{members}.log", "w") as log:
            self.running.append(subprocess.Popen([*map(str, words)], **quiet, stderr=log))
        deadline = time.monotonic() + 30
        flags = ["--describe", "--group", group, "--state"]
        while True:
            said = self.say(self.kafka, *flags)["stdout"]
            lines = said.splitlines()
            if lines and lines[-1].split()[-2:] == ["Stable", str(members)]:
                return
            if time.monotonic() > deadline:
                raise Failed(f"the group is not stable with {members} members: {said}")

    def seen(self, group):
        for flags in (
            ["--verbose"],
            [],
            ["--members"],
            ["--members", "--verbose"],
            ["--state"],
            ["--state", "--verbose"],
        ):
            self.settled(group)
            self.same("members", "--describe", "--group", group, *flags)
        self.same("members", "--list", "--state", "stable")

    def settled(self, group):
        """All was read and committed, so that the numbers stand still."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            said = self.say(self.kafka, "--describe", "--group", group)["stdout"]
            rows = [line.split() for line in said.splitlines() if line.startswith(group)]
            if len(rows) == 3 and all(row[5] == "0" for row in rows):
                return
        raise Failed(f"the group does not come to the log's end: {said}")

    def delete(self):
        # Each group keeps some, or Kafka would in the end, but not at once, forget the group too.
        delete = ["--delete-offsets", "--group"]
        said = self.twice("--delete-offsets", *delete, "{}-one", "--topic", f"{self.wide}:1")
        self.see("--delete-offsets", "Request succeeded" in said and "Successful" in said, said)
        some = ["--topic", f"{self.wide}:0", "--topic", f"{self.narrow}:0"]
        self.twice("--delete-offsets", *delete, "{}-one", *some)
        self.twice("--delete-offsets", *delete, "{}-b", "--topic", self.wide)
        said = self.twice("--delete-offsets", "--describe", "--group", "{}-one", "--group", "{}-b")
        self.see("--delete-offsets", said.count(self.stem) == 4, said)
        said = self.twice("--delete", "--delete", "--group", "{}-b")
        self.see("--delete", said.endswith("-kafka-b') was successful.\n"), said)
        self.both_say(
            "--delete", "could not be deleted due to", "--delete", "--group", self.named("{}-b")
        )
        listed = self.same("--delete", "--list").split()
        self.see("--delete", self.named("{}-b") not in listed, listed)

    def both_say(self, row, sentence, *flags, stream="stdout"):
        """Kafka's command says what is wrong where it says everything, and ends with 0; ours does not."""
        for column, program in (("Kafka's", self.kafka), ("ours prints the same", self.ours)):
            if program:
                said = self.say(program, *flags)
                where = stream if program is self.kafka else "stderr"
                ok = sentence in said[where] and (
                    stream == "stderr" or program is self.kafka or said["status"] == 1
                )
                self.judge(row, column, ok, f"{flags}: {said}")

    def refuse(self):
        group, topic = ["--group", self.named("{}-one")], ["--topic", self.wide]
        reset = ["--reset-offsets", *group]
        for flags in (
            [],
            ["--list", "--describe"],
            ["--list", *group],
            ["--list", "--state", "asleep"],
            ["--list", "--type", "share"],
            ["--list", "--members"],
            ["--describe"],
            ["--describe", *group, "--all-groups"],
            ["--describe", *group, "--members", "--state"],
            ["--describe", *group, "--state", "empty"],
            ["--describe", *group, "--type"],
            ["--delete"],
            ["--delete", *group, *topic],
            ["--delete-offsets", *group],
            ["--delete-offsets", *topic],
            ["--delete-offsets", *group, "--topic", f"{self.wide}:x"],
            reset,
            [*reset, *topic],
            [*reset, "--to-earliest"],
            [*reset, *topic, "--to-earliest", "--to-latest"],
            [*reset, *topic, "--to-earliest", "--dry-run", "--execute"],
            [*reset, "--topic", f"{self.wide}:x", "--to-earliest"],
            ["--reset-offsets", *topic, "--to-earliest"],
        ):
            self.refused(*flags)

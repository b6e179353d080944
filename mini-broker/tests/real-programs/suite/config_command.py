"""Kafka's config command for topics and brokers, unmodified, and ours, which must print the same."""

from commands import Commands
from programs import Failed


def check(suite):
    if "kafka-tools" in suite.by_name:
        try:
            ConfigCommand(suite).run()
        except Failed as failure:
            suite.report.check(("config command", "all", "Kafka's"), False, str(failure))


class ConfigCommand(Commands):
    def __init__(self, suite):
        super().__init__(suite, "configs", "config command")
        self.topic = ["--entity-type", "topics", "--entity-name", "{}"]
        self.broker = ["--entity-type", "brokers", "--entity-name", "1"]
        self.default = ["--entity-type", "brokers", "--entity-default"]

    def run(self):
        for name in (self.named("{}"), f"{self.stem}-ours"):
            self.kafka.ask("create", topic=name, partitions=1, configs={})
        self.suite.settle()
        self.topics()
        self.brokers()
        self.nearest_wins()
        self.refuse()

    def topics(self):
        heading, done = (
            self.named("Dynamic configs for topic {} are:\n"),
            self.named("Completed updating config for topic {}.\n"),
        )
        text = self.twice("topics", "--describe", *self.topic)
        self.see("topics", text == heading, text)
        several = "retention.ms=70000,cleanup.policy=[compact,delete],segment.bytes=2000000"
        said = self.twice("topics", "--alter", *self.topic, "--add-config", several)
        self.see("topics", said == done, said)
        self.suite.settle()
        text = self.twice("topics", "--describe", *self.topic)
        policy = line(
            "cleanup.policy=compact,delete",
            "DYNAMIC_TOPIC_CONFIG:cleanup.policy=compact,delete",
            "DEFAULT_CONFIG:log.cleanup.policy=delete",
        )
        segment = line(
            "segment.bytes=2000000",
            "DYNAMIC_TOPIC_CONFIG:segment.bytes=2000000",
            "DEFAULT_CONFIG:log.segment.bytes=1073741824",
        )
        lines = text.splitlines(keepends=True)
        self.see("topics", lines[0] == heading and lines[1:] == sorted(lines[1:]), text)
        self.see("topics", policy in lines and segment in lines and len(lines) == 4, text)
        everything = self.say(self.kafka, "--describe", "--all", *map(self.named, self.topic))
        largest = line("max.message.bytes=1048588", "DEFAULT_CONFIG:message.max.bytes=1048588")
        text = everything["stdout"]
        self.see("topics", segment in text and largest in text and "All configs for" in text, text)
        flags = [
            "--add-config",
            "segment.ms=80000",
            "--delete-config",
            "retention.ms,cleanup.policy",
        ]
        self.twice("topics", "--alter", *self.topic, *flags)
        self.suite.settle()
        text = self.twice("topics", "--describe", *self.topic)
        names = [line.split("=")[0].strip() for line in text.splitlines()[1:]]
        self.see("topics", names == ["segment.bytes", "segment.ms"], text)
        nowhere = ["--entity-type", "topics", "--entity-name", f"{self.stem}-nowhere"]
        self.same("topics", "--describe", *nowhere)
        all_topics = self.say(self.kafka, "--describe", "--entity-type", "topics")["stdout"]
        self.see("topics", text in all_topics, all_topics)

    def brokers(self):
        """A setting of this broker goes before the one for all brokers, and both before the default."""
        name = "log.index.interval.bytes"
        before = self.same("brokers", "--describe", *self.broker)
        self.same("brokers", "--describe", *self.default)
        said = self.same("brokers", "--alter", *self.default, "--add-config", f"{name}=8192")
        self.see("brokers", said.startswith("Completed updating default config for brokers"), said)
        said = self.same("brokers", "--alter", *self.broker, "--add-config", f"{name}=16384")
        self.see("brokers", said == "Completed updating config for broker 1.\n", said)
        self.suite.settle()
        default = "DEFAULT_CONFIG:log.index.interval.bytes=4096"
        for_all, for_this = (
            f"DYNAMIC_DEFAULT_BROKER_CONFIG:{name}=8192",
            f"DYNAMIC_BROKER_CONFIG:{name}=16384",
        )
        text = self.same("brokers", "--describe", *self.default)
        self.see("brokers", line(f"{name}=8192", for_all) in text, text)
        text = self.same("brokers", "--describe", *self.broker)
        wanted = line(f"{name}=16384", for_this, for_all, default)
        self.see("brokers", wanted in text, text)
        text = self.say(self.kafka, "--describe", "--all", *self.broker)["stdout"]
        fixed = line("num.partitions=1", "DEFAULT_CONFIG:num.partitions=1")
        self.see("brokers", wanted in text and fixed in text, text)
        text = self.say(self.kafka, "--describe", "--all", *map(self.named, self.topic))["stdout"]
        # A topic's settings are told by any broker, and each knows what is set for itself.
        wanted = [line("index.interval.bytes=16384", for_this, for_all, default)]
        if self.suite.options.brokers > 1:
            wanted.append(line("index.interval.bytes=8192", for_all, default))
        self.see("brokers", any(one in text for one in wanted), text)
        # Each command deletes one of the two.
        said = self.say(self.kafka, "--alter", *self.broker, "--delete-config", name)
        self.see("brokers", said["status"] == 0, said)
        self.suite.settle()
        text = self.same("brokers", "--describe", *self.broker)
        self.see("brokers", text == before, text)
        deleting = self.ours or self.kafka
        said = self.say(deleting, "--alter", *self.default, "--delete-config", name)
        wanted = "Completed updating default config for brokers in the cluster.\n"
        self.judge("brokers", "ours prints the same", said["stdout"] == wanted, said)
        if self.suite.broker:
            kept = "log.message.timestamp.after.max.ms=3600001"
            self.say(self.kafka, "--alter", *self.default, "--add-config", kept)
            self.suite.after_kill.append(lambda: self.survived(kept))

    def survived(self, setting):
        """What was set while it ran is not lost when the broker is killed."""
        text = self.say(self.kafka, "--describe", *self.default)["stdout"]
        self.judge("after kill -9", "Kafka's", f" {setting} " in text, text)
        text = self.say(self.kafka, "--describe", *map(self.named, self.topic))["stdout"]
        self.judge("after kill -9", "Kafka's", " segment.bytes=2000000 " in text, text)

    def nearest_wins(self):
        """What is set for brokers counts at once for a topic that has nothing of its own."""
        java = self.suite.by_name.get("java")
        if not java:
            return
        name = f"{self.stem}-effect"
        # Broker 1 has to lead it: what is set for one broker counts there.
        flags = ["--create", "--topic", name, "--replica-assignment", "1"]
        flags += ["--config", "min.insync.replicas=1"]
        self.kafka.ask("command", command="topics", arguments=flags)
        for where, flag, setting, code in (
            (self.default, "--add-config", "message.max.bytes=3000000", None),
            (self.broker, "--add-config", "message.max.bytes=1048588", 10),  # MESSAGE_TOO_LARGE
            (self.broker, "--delete-config", "message.max.bytes", None),
            (self.default, "--delete-config", "message.max.bytes", 10),
        ):
            self.say(self.kafka, "--alter", *where, flag, setting)
            self.suite.settle()
            got = java.ask("refused", case="too-large", topic=name)["code"]
            detail = f"{where[-1]} {setting}: error {got}, wanted {code}"
            self.judge("message.max.bytes", "takes effect", got == code, detail)

    def refuse(self):
        topic = list(map(self.named, self.topic))
        before = self.say(self.kafka, "--describe", *topic)["stdout"]
        for flags in (
            [*topic, "--add-config", "colour=red"],
            [*topic, "--add-config", "retention.ms=soon"],
            [*topic, "--add-config", "retention.ms"],
            [*topic, "--add-config", "cleanup.policy=[compact,shred]"],
            [*topic, "--add-config", "segment.bytes=3000000,retention.ms=soon"],
            [*topic, "--delete-config", "retention.ms"],  # it is not set
            ["--entity-type", "topics", "--add-config", "retention.ms=1"],
            [
                "--entity-type",
                "topics",
                "--entity-name",
                "nowhere",
                "--add-config",
                "retention.ms=1",
            ],
            [*self.broker, "--add-config", "num.partitions=4"],  # read-only
            [*self.broker, "--add-config", "log.segment.bytes=3000000,num.partitions=4"],
            [*self.broker, "--add-config", "log.retention.ms=soon"],
            [*self.default, "--add-config", "log.retention.ms=soon"],
            [*self.default, "--add-config", "auto.create.topics.enable=false"],
            [*self.broker, "--delete-config", "log.retention.ms"],  # it is not set
        ):
            self.refused("--alter", *flags)
        self.suite.settle()
        after = self.say(self.kafka, "--describe", *topic)["stdout"]
        self.see("refusals", before == after, after)
        after = self.say(self.kafka, "--describe", *self.broker)["stdout"]
        self.see("refusals", "log.segment.bytes=3000000" not in after, after)


def line(setting, *synonyms):
    return f"  {setting} sensitive=false synonyms={{{', '.join(synonyms)}}}\n"

"""Where logs begin and end: Kafka's GetOffsetShell, DeleteRecordsCommand and LogDirsCommand, unmodified."""

import json
import threading

import files
from commands import Commands
from programs import Failed, each
from topic import Topic, now_ms, records

WRITTEN, DELETED = 100, 30


def check(suite):
    writer = suite.by_name.get("java") or suite.by_name.get("confluent")
    if "kafka-tools" in suite.by_name and writer:
        try:
            Offsets(suite, writer).run()
        except Failed as failure:
            suite.report.check(("log starts and ends", "all", "Kafka's"), False, str(failure))


class Offsets(Commands):
    def __init__(self, suite, writer):
        super().__init__(suite, "offsets", "log starts and ends")
        self.writer = writer
        self.topic = self.named("{}")
        self.records = records(Topic("offsets", "x", "x", 1), ["times"])[:WRITTEN]

    def run(self):
        for name in (self.topic, f"{self.stem}-ours"):
            self.writer.ask("create", topic=name, partitions=1, configs={})
            self.suite.settle()
            self.write(name, self.records)
        self.offsets()
        self.log_dirs()
        self.delete_records()
        self.readers_left_behind()
        self.suite.after_kill.append(self.still_deleted)

    def write(self, topic, written):
        request = {"topic": topic, "codec": "none", "acks": "all", "records": written}
        self.writer.ask("produce", **request)

    def offsets(self):
        between = self.records[50][0] - 3
        for time_, offset in (
            ("earliest", 0),
            ("latest", WRITTEN),
            ("max-timestamp", WRITTEN - 1),
            ("-2", 0),
            ("-1", WRITTEN),
            (between, 50),
            (self.records[0][0] - 1000, 0),
            (self.records[-1][0] + 1000, None),
        ):
            wanted = "" if offset is None else f"{self.topic}:0:{offset}\n"
            said = self.twice("GetOffsetShell", "--topic", "{}", "--time", time_)
            self.see("GetOffsetShell", said == wanted, said)
        said = self.twice("GetOffsetShell", "--topic-partitions", "{}:0")
        self.see("GetOffsetShell", said == f"{self.topic}:0:{WRITTEN}\n", said)
        said = self.same("GetOffsetShell", "--topic", f"{self.stem}.*", "--partitions", 0)
        self.see("GetOffsetShell", len(said.splitlines()) == 2, said)
        self.refused("--topic", f"{self.stem}-nowhere")
        self.refused("--topic", self.topic, "--time", "soon")

    def log_dirs(self):
        before = self.size()
        self.write(self.topic, [[now_ms(), "size", "x" * 50_000, []]])
        after = self.size()
        self.see(
            "LogDirsCommand",
            0 < before and before + 50_000 < after < before + 51_000,
            [before, after],
        )
        if self.suite.data_dir:
            [folder] = files.partitions(self.suite.data_dir, self.topic)
            stored = sum(log.stat().st_size for log in folder.glob("*.log"))
            self.see("LogDirsCommand", after == stored, [after, stored])

    def size(self):
        flags = ["--describe", "--topic-list", self.topic, "--broker-list", "1"]
        answer = self.kafka.ask("command", command="log-dirs", arguments=flags)
        [broker] = json.loads(answer["stdout"].splitlines()[-1])["brokers"]
        [folder] = broker["logDirs"]
        [partition] = folder["partitions"]
        self.see("LogDirsCommand", folder["error"] is None and broker["broker"] == 1, folder)
        self.see("LogDirsCommand", partition["partition"] == f"{self.topic}-0", partition)
        self.see(
            "LogDirsCommand", not partition["isFuture"] and partition["offsetLag"] == 0, partition
        )
        return partition["size"]

    def delete_records(self):
        command = Commands(self.suite, "delete-records", self.table)
        command.stem, end = self.stem, WRITTEN + 1
        self.write(f"{self.stem}-ours", [[now_ms(), "size", "x" * 50_000, []]])

        def delete(offset, *wanted):
            """Each command deletes what stands before an offset of its own topic."""
            for name in (self.topic, f"{self.stem}-ours"):
                asked = [{"topic": name, "partition": 0, "offset": offset}]
                file = self.suite.work / f"{name}.json"
                file.write_text(json.dumps({"partitions": asked, "version": 1}))
            flags = ["--offset-json-file", f"{self.suite.work}/{{}}.json"]
            said = command.twice("DeleteRecordsCommand", *flags)
            ok = said.startswith("Executing records delete") and all(one in said for one in wanted)
            self.see("DeleteRecordsCommand", ok, said)

        delete(DELETED, f"partition: {self.topic}-0\tlow_watermark: {DELETED}\n")
        self.starts_at(DELETED)
        [first] = self.writer.ask("read", topic=self.topic, partition=0, at={}, count=1)["records"]
        wanted = [DELETED, *self.records[DELETED]]
        self.see("DeleteRecordsCommand", first == wanted, first)
        # What is gone is gone, and the answer says where the log starts.
        delete(DELETED - 10, f"low_watermark: {DELETED}\n")
        command.ours = None  # it ends with an error where Kafka's prints one and ends well
        delete(end + 1, f"partition: {self.topic}-0\terror: ", "OffsetOutOfRangeException")
        command.ours = self.ours
        delete(-1, f"low_watermark: {end}\n")
        self.starts_at(end)
        self.write(self.topic, self.records[:1])
        [first] = self.writer.ask("read", topic=self.topic, partition=0, at={}, count=1)["records"]
        self.see("DeleteRecordsCommand", first[0] == end, first)
        for number, text in enumerate(("{", '{"version": 2}', '{"partitions": [{"topic": "x"}]}')):
            file = self.suite.work / f"bad-{number}.json"
            file.write_text(text)
            command.refused("--offset-json-file", file)

    def starts_at(self, offset):
        said = self.say(self.kafka, "--topic", self.topic, "--time", "earliest")["stdout"]
        self.see("DeleteRecordsCommand", said == f"{self.topic}:0:{offset}\n", said)

    def still_deleted(self):
        """A broker that was killed has not forgotten where the log starts."""
        self.starts_at(WRITTEN + 1)

    def readers_left_behind(self):
        """Who stands before the log's start is told so, and reads on as its reset policy says."""
        here = {"topic": self.topic, "partition": 0}
        start, end = WRITTEN + 1, WRITTEN + 2
        readers = [program for program in self.suite.programs if "resume" in program.can]

        def resume(program):
            for policy, wanted in (("earliest", {"offset": start}), ("none", {"code": 1})):
                got = program.ask("resume", **here, offset=10, policy=policy)
                self.left_behind(policy, program, got == wanted, got)

        def resume_with_the_newest(program):
            got = program.ask("resume", **here, offset=10, policy="latest")
            self.left_behind("latest", program, got.get("offset", 0) >= end, got)

        each(readers, resume)
        # Something new has to come for those who wait at the end.
        stop = threading.Event()
        writing = threading.Thread(target=self.keep_writing, args=[stop])
        writing.start()
        each(readers, resume_with_the_newest)
        stop.set()
        writing.join()

    def keep_writing(self, stop):
        while not stop.wait(0.2):
            self.kafka.ask(
                "produce",
                topic=self.topic,
                codec="default",
                acks="default",
                records=[[0, "k", "v", [["a", "b"]]]],
            )

    def left_behind(self, policy, program, ok, got):
        where = ("readers before the start", f"reset policy {policy}", program.name)
        self.suite.report.check(where, ok, f"got {got}")

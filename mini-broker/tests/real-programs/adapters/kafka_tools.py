"""Kafka's own commands: TopicCommand, ConsoleProducer, ConsoleConsumer, GetOffsetShell.

They run in one Java VM, kept by java/Tools.java; its command line follows this script's name.
"""

import functools
import json
import subprocess
import sys

import console
from contract import serve

BROKER = None
JAVA = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
CLASSES = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "configs": "kafka.admin.ConfigCommand",
    "produce": "org.apache.kafka.tools.ConsoleProducer",
    "consume": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "offsets": "org.apache.kafka.tools.GetOffsetShell",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "log-dirs": "org.apache.kafka.tools.LogDirsCommand",
}


def run(command, *arguments, stdin=""):
    args = [*map(str, arguments)]
    if command == "consume":
        args += ["--consumer-property", "fetch.max.wait.ms=50"]
    answer = command_line(command, args, stdin)
    if answer["status"] != 0 or "ERROR" in answer["stderr"] or "Exception" in answer["stderr"]:
        raise RuntimeError(f"{CLASSES[command]}: {answer['stdout']}{answer['stderr']}".strip())
    return answer["stdout"]


def command_line(command, arguments, stdin=""):
    """Runs one command as it is; returns its status, stdout and stderr."""
    args = ["--bootstrap-server", BROKER, *arguments]
    request = {"class": CLASSES[command], "args": args, "stdin": stdin}
    print(json.dumps(request), file=JAVA.stdin, flush=True)
    return json.loads(JAVA.stdout.readline())


def hello(broker):
    global BROKER
    BROKER = broker
    # The console producer reads lines of UTF-8 and sets no times.
    return {
        "program": "Kafka's console tools",
        "can": ["create", "produce", "read", "find", "headers", "command"],
    }


def read(topic, partition, at, count):
    if "time" in at:
        offset = find(topic, partition, at["time"])["offset"]
    else:
        offset = at.get("offset", "earliest")
    return console.read(run, topic, partition, offset, count)


def offsets(topic_partitions, time):
    """GetOffsetShell: a line topic:partition:offset for each partition that has an offset."""
    said = run("offsets", "--topic-partitions", topic_partitions, "--time", time)
    lines = [line.split(":") for line in said.split()]
    return {int(partition): int(offset) for _, partition, offset in lines if offset}


def find(topic, partition, time):
    found = offsets(f"{topic}:{partition}", time).get(partition, -1)
    return {"offset": None if found < 0 else found}


def ends(topic):
    found = offsets(topic, "latest")
    return {"ends": [found[partition] for partition in sorted(found)]}


handlers = {"hello": hello, "read": read, "find": find, "ends": ends, "command": command_line}
for name in ("create", "topics", "produce"):
    handlers[name] = functools.partial(getattr(console, name), run)
serve(handlers)

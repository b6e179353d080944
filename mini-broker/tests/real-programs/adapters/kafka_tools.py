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
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
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


def hello(broker, groups=False):
    global BROKER
    BROKER = broker
    # The console producer reads lines of UTF-8 and sets no times.
    return {
        "program": "Kafka's console tools",
        "can": ["create", "produce", "read", "find", "headers", "command"],
    }


handlers = {"hello": hello, "command": command_line}
for name in ("create", "topics", "produce", "read", "find", "ends"):
    handlers[name] = functools.partial(getattr(console, name), run)
serve(handlers)

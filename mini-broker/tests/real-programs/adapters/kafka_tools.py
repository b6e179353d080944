"""Kafka's own commands: TopicCommand, ConsoleProducer, ConsoleConsumer, GetOffsetShell.

They run in one Java VM, kept by java/Tools.java; its command line follows this script's name.
"""

import json
import subprocess
import sys

from contract import serve

BROKER = None
JAVA = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def tool(name, *arguments, stdin=""):
    """Runs one command and returns what it wrote to stdout."""
    args = ["--bootstrap-server", BROKER, *map(str, arguments)]
    request = {"class": f"org.apache.kafka.tools.{name}", "args": args, "stdin": stdin}
    print(json.dumps(request), file=JAVA.stdin, flush=True)
    answer = json.loads(JAVA.stdout.readline())
    if answer["status"] != 0 or "ERROR" in answer["stderr"] or "Exception" in answer["stderr"]:
        raise RuntimeError(f"{name}: {answer['stdout']}{answer['stderr']}".strip())
    return answer["stdout"]


def hello(broker):
    global BROKER
    BROKER = broker
    # The console producer reads lines of UTF-8 and sets no times.
    return {"program": "Kafka's console tools", "can": ["create", "produce", "read", "headers"]}


def create(topic, partitions, configs):
    flags = ["--create", "--topic", topic, "--partitions", partitions, "--replication-factor", 1]
    for name, value in configs.items():
        flags += ["--config", f"{name}={value}"]
    said = tool("TopicCommand", *flags)
    if f"Created topic {topic}." not in said:
        raise RuntimeError(f"TopicCommand --create said {said!r}")
    return {}


def listed(topic):
    return {"listed": topic in tool("TopicCommand", "--list").split()}


def describe(topic):
    return {"text": tool("TopicCommand", "--describe", "--topic", topic)}


def delete(topic):
    tool("TopicCommand", "--delete", "--topic", topic)
    return {}


def produce(topic, codec, acks, records):
    flags = ["--topic", topic]
    for setting in ("parse.key=true", "key.separator=\t", "parse.headers=true"):
        flags += ["--property", setting]
    if codec != "default":
        flags += ["--compression-codec", codec, "--batch-size", 2000]
    if acks != "default":
        flags += ["--request-required-acks", acks]
    lines = []
    for _, key, value, headers in records:
        pairs = ",".join(f"{name}:{text}" for name, text in headers)
        lines.append(f"{pairs}\t{key}\t{value}\n")
    tool("ConsoleProducer", *flags, stdin="".join(lines))
    return {}


def read(topic, partition, at, count):
    start = find(topic, partition, at["time"])["offset"] if "time" in at else at.get("offset", "earliest")
    flags = ["--topic", topic, "--partition", partition, "--offset", start, "--max-messages", count]
    flags += ["--timeout-ms", 10_000, "--consumer-property", "fetch.max.wait.ms=50"]
    for field in ("offset", "timestamp", "headers", "key"):
        flags += ["--property", f"print.{field}=true"]
    # Separators that no record of the suite contains.
    flags += ["--property", "key.separator=\x01", "--property", "line.separator=\x02"]
    flags += ["--property", "headers.separator=\x03", "--property", "null.literal=\x04"]
    records = []
    for line in tool("consumer.ConsoleConsumer", *flags).split("\x02")[:-1]:
        time, offset, headers, key, value = line.split("\x01")
        pairs = [] if headers == "NO_HEADERS" else [pair.split(":", 1) for pair in headers.split("\x03")]
        null = lambda text: None if text == "\x04" else text  # noqa: E731
        records.append(
            [
                int(offset.removeprefix("Offset:")),
                int(time.split(":")[1]),
                null(key),
                null(value),
                [[name, null(text)] for name, text in pairs],
            ]
        )
    return {"records": records}


def offsets(topic_partitions, time):
    """GetOffsetShell: a line topic:partition:offset for each partition that has an offset."""
    said = tool("GetOffsetShell", "--topic-partitions", topic_partitions, "--time", time)
    return {int(line.split(":")[1]): int(line.split(":")[2]) for line in said.split() if not line.endswith(":")}


def find(topic, partition, time):
    found = offsets(f"{topic}:{partition}", time).get(partition, -1)
    return {"offset": None if found < 0 else found}


def ends(topic):
    found = offsets(topic, "latest")
    return {"ends": [found[partition] for partition in sorted(found)]}


serve(
    {
        "hello": hello,
        "create": create,
        "listed": listed,
        "describe": describe,
        "delete": delete,
        "produce": produce,
        "read": read,
        "find": find,
        "ends": ends,
    }
)

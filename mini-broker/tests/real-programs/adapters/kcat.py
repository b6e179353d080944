"""kcat, a command over librdkafka: each request runs it once."""

import re
import subprocess

from contract import serve, to_bytes, to_text

BROKER = None
# Answer a fetch at the end of the log soon: nothing else is coming.
QUICK = ["-X", "fetch.wait.max.ms=50"]


def kcat(*arguments, stdin=b""):
    done = subprocess.run(
        ["kcat", "-b", BROKER, *map(str, arguments)], input=stdin, capture_output=True, timeout=30
    )
    errors = done.stderr.decode(errors="replace")
    if done.returncode != 0 or "ERROR" in errors:
        raise RuntimeError(errors.strip() or f"kcat ended with {done.returncode}")
    return done.stdout


def hello(broker, groups=False):
    global BROKER
    BROKER = broker
    version = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
    kcat_version, librdkafka = re.search(r"Version (\S+) .*librdkafka (\S+)", version).groups()
    # kcat gives every message of a run the same headers and cannot set their time.
    return {
        "program": f"kcat {kcat_version} (librdkafka {librdkafka})",
        "can": ["produce", "read", "find", "binary", "idempotent"],
    }


def produce(topic, codec, acks, records, partitioner=None):
    arguments = ["-P", "-t", topic, "-K", "\t"]
    if partitioner:
        arguments += ["-X", f"topic.partitioner={partitioner}"]
    if codec != "default":
        arguments += ["-X", f"compression.codec={codec}"]
    if acks == "idempotent":
        arguments += ["-X", "enable.idempotence=true"]
    elif acks != "default":
        arguments += ["-X", f"acks={acks}"]
    if codec != "default":
        arguments += ["-X", "batch.num.messages=100", "-X", "linger.ms=200"]
    for key, value in records[0][3]:
        arguments += ["-H", f"{key}={value}"]
    lines = [to_bytes(key) + b"\t" + to_bytes(value) + b"\n" for _, key, value, _ in records]
    kcat(*arguments, stdin=b"".join(lines))
    return {}


def read(topic, partition, at, count):
    if "time" in at:
        start = f"s@{at['time']}"
    else:
        start = at.get("offset", "beginning")
    output = kcat(
        "-C", "-q", "-t", topic, "-p", partition, "-o", start, "-c", count, *QUICK,
        "-f", r"%o %T %K %S %h\n%k%s\n",
    )  # fmt: skip
    return {"records": list(parse(output))}


def parse(output):
    """Each record: a line of numbers and headers, then key and value by their lengths."""
    place = 0
    while place < len(output):
        line_end = output.index(b"\n", place)
        offset, time, key_len, value_len, headers = output[place:line_end].split(b" ", 4)
        place = line_end + 1
        fields = []
        for length in (int(key_len), int(value_len)):
            fields.append(None if length < 0 else to_text(output[place : place + length]))
            place += max(length, 0)
        place += 1
        pairs = [to_text(pair).split("=", 1) for pair in headers.split(b",") if pair]
        yield [int(offset), int(time), *fields, pairs]


def find(topic, partition, time):
    output = kcat("-Q", "-t", f"{topic}:{partition}:{time}").decode()
    offset = int(re.search(r"offset (-?\d+)", output).group(1))
    return {"offset": None if offset < 0 else offset}


def ends(topic):
    partitions = int(re.search(r"with (\d+) partitions", kcat("-L", "-t", topic).decode()).group(1))
    return {"ends": [find(topic, partition, -1)["offset"] for partition in range(partitions)]}


def topics():
    return {"topics": re.findall(r'topic "(.*?)" with', kcat("-L").decode())}


serve(
    {
        "hello": hello,
        "topics": topics,
        "produce": produce,
        "read": read,
        "find": find,
        "ends": ends,
    }
)

"""Commands with the flags of Kafka's console tools: how they are called and what they print.

`run(command, *arguments, stdin)` runs one of "topics", "produce", "consume", "offsets" and returns
its stdout.
"""

# Separators that no record of the suite contains, so that every other byte may stand in it.
FIELD, RECORD, HEADER, NULL = "\x01", "\x02", "\x03", "\x04"


def create(run, topic, partitions, configs):
    flags = ["--create", "--topic", topic, "--partitions", partitions]
    for name, value in configs.items():
        flags += ["--config", f"{name}={value}"]
    said = run("topics", *flags)
    if f"Created topic {topic}." not in said:
        raise RuntimeError(f"--create said {said!r}")
    return {}


def topics(run):
    return {"topics": run("topics", "--list").split()}


def produce(run, topic, codec, acks, records):
    flags = ["--topic", topic]
    keyless = records[0][1] is None
    for setting in (
        f"parse.key={str(not keyless).lower()}",
        "key.separator=\t",
        "parse.headers=true",
    ):
        flags += ["--property", setting]
    if codec != "default":
        flags += ["--compression-codec", codec, "--batch-size", 2000]
    if acks != "default":
        flags += ["--request-required-acks", acks]
    lines = []
    for _, key, value, headers in records:
        pairs = ",".join(f"{name}:{text}" for name, text in headers)
        lines.append(f"{pairs}\t{value}\n" if keyless else f"{pairs}\t{key}\t{value}\n")
    run("produce", *flags, stdin="".join(lines))
    return {}


def read(run, topic, partition, at, count):
    if "time" in at:
        offset = find(run, topic, partition, at["time"])["offset"]
    else:
        offset = at.get("offset", "earliest")
    flags = ["--topic", topic, "--partition", partition, "--offset", offset]
    flags += ["--max-messages", count, "--timeout-ms", 10_000]
    for field in ("offset", "timestamp", "headers", "key"):
        flags += ["--property", f"print.{field}=true"]
    for name, separator in (
        ("key.separator", FIELD),
        ("line.separator", RECORD),
        ("headers.separator", HEADER),
        ("null.literal", NULL),
    ):
        flags += ["--property", f"{name}={separator}"]
    lines = run("consume", *flags).split(RECORD)[:-1]
    append_time = lines[-1].startswith("LogAppendTime:") if lines else False
    return {"records": [parse(line) for line in lines], "append_time": append_time}


def offsets(run, topic_partitions, time):
    """A line topic:partition:offset for each partition that has an offset."""
    said = run("offsets", "--topic-partitions", topic_partitions, "--time", time)
    lines = [line.split(":") for line in said.split()]
    return {int(partition): int(offset) for _, partition, offset in lines}


def find(run, topic, partition, time):
    return {"offset": offsets(run, f"{topic}:{partition}", time).get(partition)}


def ends(run, topic):
    found = offsets(run, topic, "latest")
    return {"ends": [found[partition] for partition in sorted(found)]}


def parse(record):
    time, offset, headers, key, value = record.split(FIELD)
    pairs = (
        [] if headers == "NO_HEADERS" else [pair.split(":", 1) for pair in headers.split(HEADER)]
    )
    return [
        int(offset.removeprefix("Offset:")),
        int(time.split(":")[1]),
        null(key),
        null(value),
        [[name, null(text)] for name, text in pairs],
    ]


def null(text):
    return None if text == NULL else text

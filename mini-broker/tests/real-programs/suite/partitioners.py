"""Where keys go: to the same partitions from all who hash as Kafka does, elsewhere with librdkafka's default."""

import random

from programs import Failed, each
from topic import Topic, now_ms

COUNTS = [1, 3, 6, 12]
# Those hash with murmur2, these with CRC32 unless they are told otherwise.
MURMUR2, CRC32 = ["java", "kafka-python", "kafkajs", "mini-broker"], ["kcat", "confluent"]
TOLD = " murmur2_random"
# They read keys from lines of text, where an empty one is none.
COMMANDS = ["kcat", "mini-broker"]
KEYLESS, KEYLESS_BYTES, BATCH_BYTES = 3000, 200, 16384


def check(suite):
    reader = suite.by_name.get("confluent") or suite.by_name.get("java")
    if reader:
        try:
            same_keys(suite, reader)
            for name in ("java", "mini-broker"):
                if name in suite.by_name:
                    without_key(suite, suite.by_name[name], reader)
        except Failed as failure:
            suite.report.check(("keys to partitions", "all", "all"), False, str(failure))


def same_keys(suite, reader):
    """All write every key into the same topics; a value says whose the record is and which key it has."""
    topics = {count: Topic("keys", count, "x", count).name for count in COUNTS}
    for count, name in topics.items():
        reader.ask("create", topic=name, partitions=count, configs={})
    suite.settle()
    writers = {name: suite.by_name[name] for name in MURMUR2 + CRC32 if name in suite.by_name}
    writers |= {name + TOLD: suite.by_name[name] for name in CRC32 if name in suite.by_name}
    all_keys = keys()

    def write(writer):
        settings = {"partitioner": "murmur2_random"} if writer.endswith(TOLD) else {}
        records = [
            [now_ms(), key, f"{writer}:{n}", [["same", "for all"]]]
            for n, key in enumerate(all_keys)
            if key or writers[writer].name not in COMMANDS
        ]
        for topic in topics.values():
            request = {"topic": topic, "codec": "default", "acks": "default", "records": records}
            try:
                writers[writer].ask("produce", **request, **settings)
            except Failed as failure:
                where = ("keys to partitions", "written", writer)
                suite.report.check(where, False, str(failure))

    each(writers, write)
    elsewhere = {writer: [] for writer in CRC32 if writer in writers}
    for count, topic in topics.items():
        found = places(reader, topic)
        # Kafka's own client says what is right.
        right = found[next(writer for writer in writers if writer in found)]
        for writer in (writer for writer in writers if writer in found):
            place = found[writer]
            others = [n for n in place if place[n] != right[n]]
            if writer in elsewhere:
                elsewhere[writer].append(f"{len(others)} over {count}")
                where = ("keys to partitions", f"{count} partitions, elsewhere", writer)
                ok = len(others) > len(place) / 4 or count == 1
                suite.report.check(where, ok, f"only {len(others)} keys")
            else:
                where = ("keys to partitions", f"{count} partitions", writer)
                detail = f"{len(others)} keys elsewhere, {[all_keys[n] for n in others[:5]]}"
                ok = not others and len(place) >= len(all_keys) - 1
                suite.report.check(where, ok, detail)
    for writer, counts in elsewhere.items():
        suite.report.note(
            f"{writer}, of {len(all_keys)} keys on another partition than with Kafka's client: "
            + ", ".join(counts)
        )


def keys():
    """Two hundred keys as text, one character a byte."""
    chance = random.Random(2)
    words = ["Zürich", "naïve", "日本", "ключ", "😀", "Ω", "ß", "中文键", "ключ 42", "a\u0301"]
    made = [""]
    made += [f"user-{n}" for n in range(60)]
    made += [str(n) for n in (*range(30), *(7**power for power in range(10, 20)))]
    made += [chr(code) for code in range(ord("A"), ord("P"))]
    made += ["long " * n for n in range(1, 25)] + ["x" * 10_000]
    made += [(word * n).encode().decode("latin-1") for word in words for n in (1, 2)]
    no_text = [byte for byte in range(256) if byte not in b"\t\r\n"]
    made += ["".join(map(chr, chance.choices(no_text, k=n))) for n in range(1, 40)]
    return made


def places(reader, topic):
    """Of each writer: the partition of each of its records, by their numbers."""
    found = {}
    for partition, end in enumerate(reader.ask("ends", topic=topic)["ends"]):
        asked = {"topic": topic, "partition": partition, "at": {}, "count": end}
        for record in reader.ask("read", **asked)["records"] if end else ():
            writer, n = record[3].rsplit(":", 1)
            found.setdefault(writer, {})[int(n)] = partition
    return found


def without_key(suite, writer, reader):
    """Records without a key stay with one partition until a batch is full, then move to another."""
    topic = Topic("keyless", writer.name, "x", 6).name
    reader.ask("create", topic=topic, partitions=6, configs={})
    suite.settle()
    filler = "." * KEYLESS_BYTES
    records = [[now_ms(), None, f"{filler}:{n}", [["same", "for all"]]] for n in range(KEYLESS)]
    writer.ask("produce", topic=topic, codec="default", acks="default", records=records)
    [place] = places(reader, topic).values()
    moves = sum(place[n] != place[n + 1] for n in range(KEYLESS - 1))
    batches = KEYLESS * KEYLESS_BYTES / BATCH_BYTES
    detail = f"{len(set(place.values()))} of 6 partitions, {moves} moves in {batches:.0f} batches"
    ok = len(set(place.values())) > 2 and batches / 6 < moves < batches * 2
    suite.report.check(("keys to partitions", "without a key: by batches", writer.name), ok, detail)
    suite.report.note(f"{writer.name}, without keys: {detail}")

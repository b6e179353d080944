"""What the broker left on disk: stored codecs, and Kafka's own DumpLogSegments over every file."""

import difflib
import re
import shutil
import struct
import subprocess

from programs import java as java_command

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
BATCH_HEADER_LEN = 61


def check_codecs(suite):
    for topic in suite.topics:
        if topic.codec == "default":
            continue
        where = ("stored codec", topic.writer, topic.codec)
        folders = partitions(suite.data_dir, topic.name)
        found = {codec for folder in folders for codec in stored_codecs(folder)}
        suite.report.check(
            where, found == {topic.codec}, f"{topic.name} is stored as {sorted(found)}"
        )


def check_dumps(suite):
    java = java_command()
    names = [*(topic.name for topic in suite.topics), *suite.dumped]
    folders = [folder for name in names for folder in partitions(suite.data_dir, name)]
    logs = [file for folder in folders for file in sorted(folder.glob("*.log"))]
    indexes = [file for folder in folders for file in sorted(folder.glob("*.index"))]
    indexes += [file for folder in folders for file in sorted(folder.glob("*.timeindex"))]
    entries = 0
    for what, some, flags in (
        ("logs", logs, []),
        ("logs, every record", logs, ["--deep-iteration", "--print-data-log"]),
        ("indexes", indexes, []),
        ("indexes, sanity check", indexes, ["--index-sanity-check"]),
    ):
        status, theirs = dump_with_kafka(java, some, flags)
        found = complaint(theirs)
        suite.report.check(
            ("dumps", what, "DumpLogSegments"),
            status == 0 and not found and theirs,
            f"status {status}: {found}",
        )
        entries += theirs.count("\noffset: ")
        status, ours = dump_with_ours(suite.broker.binary, some, flags)
        difference = first_difference(theirs, ours)
        suite.report.check(
            ("dumps", what, "our dump-log"),
            status == 0 and not difference,
            f"status {status}: {difference}",
        )
    suite.report.check(
        ("dumps", "index entries", "DumpLogSegments"),
        entries > 100,
        f"only {entries} index entries to check",
    )
    check_damaged(suite, java, max(indexes, key=lambda index: index.stat().st_size))


def check_damaged(suite, java, index):
    """That the checks above can fail: one entry of one index is made wrong, and Kafka says so."""
    folder = suite.work / "damaged" / index.parent.name
    shutil.copytree(index.parent, folder)
    copy = folder / index.name
    # The last byte of the first entry is part of a position, or of an offset in a .timeindex.
    entry_len = 8 if copy.suffix == ".index" else 12
    data = bytearray(copy.read_bytes())
    data[entry_len - 1] ^= 1
    copy.write_bytes(data)
    _, theirs = dump_with_kafka(java, [copy], [])
    suite.report.check(
        ("dumps", "a damaged index", "DumpLogSegments"),
        complaint(theirs),
        "it was not noticed",
    )


def partitions(data_dir, topic):
    """The folders of a topic's partitions."""
    name = re.compile(re.escape(topic) + r"-\d+")
    return sorted(folder for folder in data_dir.iterdir() if name.fullmatch(folder.name))


def stored_codecs(folder):
    """The codec of each batch in a partition's segments, from the attributes in its header."""
    found = []
    for file in sorted(folder.glob("*.log")):
        data = file.read_bytes()
        place = 0
        while place + BATCH_HEADER_LEN <= len(data):
            [length] = struct.unpack_from(">i", data, place + 8)
            [attributes] = struct.unpack_from(">h", data, place + 21)
            found.append(CODECS[attributes & 7])
            place += 12 + length
    return found


def dump_with_kafka(java, files, flags):
    command = [*java, "kafka.tools.DumpLogSegments", *flags, "--files", ",".join(map(str, files))]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def dump_with_ours(binary, files, flags):
    command = [binary, "dump-log", *flags, "--files", ",".join(map(str, files))]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


COMPLAINTS = re.compile(
    r"Mismatches in|timestamp mismatch|out of order timestamp|offsets are not found"
    r"|isvalid: false|invalid bytes|Exception"
)


def complaint(output):
    """The first line in which DumpLogSegments finds something wrong; it exits with 0 all the same."""
    return next((line for line in output.splitlines() if COMPLAINTS.search(line)), None)


def first_difference(theirs, ours):
    for line in difflib.unified_diff(
        theirs.splitlines(), ours.splitlines(), "Kafka", "ours", lineterm="", n=0
    ):
        if line[:1] in "+-" and line[:3] not in ("+++", "---"):
            return line[:300]
    return None

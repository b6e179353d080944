"""What the broker left on disk: stored codecs, and Kafka's own DumpLogSegments over every file."""

import difflib
import re
import struct
import subprocess

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
BATCH_HEADER_LEN = 61


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
            length, attributes = struct.unpack_from(">i", data, place + 8)[0], struct.unpack_from(">h", data, place + 21)[0]
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
    for line in difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "Kafka", "ours", lineterm="", n=0):
        if line[:1] in "+-" and line[:3] not in ("+++", "---"):
            return line[:300]
    return None

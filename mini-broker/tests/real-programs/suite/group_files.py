"""What stands in __consumer_offsets, as Kafka's DumpLogSegments reads it."""

import json
import re

from files import complaint, dump_with_kafka, partitions
from programs import java

TABLE = "__consumer_offsets"
ENTRY = re.compile(r"key: (\{.*\}) payload: (\{.*\}|<DELETE>|null)?")


def check(groups):
    suite = groups.suite
    folders = partitions(suite.data_dir, "__consumer_offsets")
    logs = [log for folder in folders for log in sorted(folder.glob("*.log")) if log.stat().st_size]
    status, said = dump_with_kafka(java(), logs, ["--offsets-decoder"])
    found = complaint(said)
    ok = status == 0 and not found and logs
    suite.report.check((TABLE, "is read", "DumpLogSegments"), ok, f"{len(logs)} logs: {found}")
    offsets, states = read(said)
    for group, wanted in groups.committed_groups.items():
        answered = groups.committed(group, wanted)
        stored = {where: offsets.get((group, *where)) for where in wanted}
        where = (TABLE, "holds what is committed", "DumpLogSegments")
        suite.report.check(where, stored == answered, f"{group}: {stored}, wanted {answered}")
        state = states.get(group)
        ok = state and state["protocolType"] == "consumer" and state["generation"] > 0
        where = (TABLE, "holds the group", "DumpLogSegments")
        suite.report.check(where, ok, f"{group}: {state}")


def read(said):
    """The newest offset of each group and partition, and the newest state of each group."""
    offsets, states = {}, {}
    for line in said.splitlines():
        found = ENTRY.search(line)
        if not found:
            continue
        key = json.loads(found.group(1))
        what = key["data"]
        text = found.group(2)
        value = json.loads(text)["data"] if text and text.startswith("{") else None
        if "topic" in what:
            place = what["group"], what["topic"], what["partition"]
            offsets[place] = value and value["offset"]
        elif "group" in what:
            states[what["group"]] = value
    return offsets, states

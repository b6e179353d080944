"""Kafka's own `ConsumerGroupCommand --describe` and ours, while messages come and are read."""

import subprocess

from install import kafka_jars
from place import eventually, get_json

RATE = 200


def check(place):
    jars = kafka_jars()
    place.start_broker()
    place.ours("topics", "--create", "--topic", "orders", "--partitions", 2)
    stop = place.producer("orders", RATE)
    place.consumer("orders", "billing")
    path = "/v3/kafka/local/consumer/billing/lag"
    eventually(lambda: len(rows(place.ours("groups", "--describe", "--group", "billing"))) == 2)
    for round in range(3):
        before = rows(place.ours("groups", "--describe", "--group", "billing"))
        words = ["java", "-cp", jars, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"]
        words += ["--bootstrap-server", place.address, "--describe", "--group", "billing"]
        done = subprocess.run(words, capture_output=True, text=True)
        theirs = rows(done.stdout)
        after = rows(place.ours("groups", "--describe", "--group", "billing"))
        between = all(
            before[key][at] <= theirs[key][at] <= after[key][at] for key in after for at in (0, 1)
        ) if before.keys() == theirs.keys() == after.keys() else False
        place.see("command", f"look {round + 1}", "Kafka's numbers lie between ours before and after", ok=between, detail=f"{before} {theirs} {after} {done.stderr}")
        counted = all(end - read == lag for read, end, lag in [*theirs.values(), *before.values(), *after.values()])
        place.see("command", f"look {round + 1}", "LAG is what is left", ok=counted and bool(theirs), detail=f"{theirs} {before} {after}")
    stop()

    def at_rest():
        ours = rows(place.ours("groups", "--describe", "--group", "billing"))
        seen = get_json(place.http, path)["status"]["partitions"]
        http = {(each["topic"], each["partition"]): each["current_lag"] for each in seen}
        return http == {key: lag for key, (_, _, lag) in ours.items()} and sum(http.values()) == 0

    place.see("command", "at rest", "groups, lag and /v3/kafka say the same", ok=bool(eventually(at_rest)))


def rows(text):
    """Topic and partition → committed, log end, lag."""
    found = {}
    for line in text.splitlines():
        cells = line.split()
        if len(cells) >= 6 and cells[2].isdigit() and cells[3].isdigit():
            found[cells[1], int(cells[2])] = tuple(int(cell) for cell in cells[3:6])
    return found

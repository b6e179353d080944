"""A lag reader from the registry, which reads `__consumer_offsets` itself, finds the lag that there is."""

import re
from pathlib import Path

from broker import free_port
from install import python
from place import HERE, eventually, get

PINS = Path(__file__).resolve().parent / "requirements.txt"


def check(place):
    exporter = python(PINS).parent / "prometheus-kafka-consumer-group-exporter"
    place.start_broker()
    place.ours("topics", "--create", "--topic", "orders", "--partitions", 2)
    place.ours("produce", "--topic", "orders", "--property", "parse.key=true", input="".join(f"k{n}\t{n}\n" for n in range(100)))
    place.ours("consume", "--topic", "orders", "--group", "billing", "--from-beginning", "--max-messages", 40)
    port = free_port()
    # It waits this long between two looks at the logs' ends.
    place.begin("exporter", exporter, "-b", place.address, "-p", port, "-s", "--high-water-interval", 1, "--low-water-interval", 1, "--topic-interval", 1)
    ours = eventually(lambda: lags(get(place.http, "/metrics")[1], r'kafka_consumergroup_lag{consumergroup="billing",topic="orders",partition="(\d)"} (\d+)'))
    place.see("lag reader", "our numbers", "60 are left", ok=bool(ours) and sum(ours.values()) == 60, detail=f"{ours}")
    pattern = r'kafka_consumer_group_lag{.*group="billing",partition="(\d)",topic="orders"} (\d+)'
    theirs = eventually(lambda: lags(get(f"{HERE}:{port}", "/metrics")[1], pattern) == ours)
    place.see("lag reader", "prometheus-kafka-consumer-group-exporter", "the same lag", ok=bool(theirs), detail=get(f"{HERE}:{port}", "/metrics")[1][-3000:])


def lags(metrics, pattern):
    return {int(partition): int(lag) for partition, lag in re.findall(pattern, metrics)}

"""`/metrics` as Prometheus sees it: the linter, a scrape, and alert rules that load and fire."""

import json
import subprocess
import time
import urllib.parse
from pathlib import Path

from broker import free_port
from install import need
from place import HERE, eventually, get, get_json

ALERTS = Path(__file__).resolve().parent.parent.parent / "prometheus/alerts.yml"

# What the linter says of names that are Kafka's and kafka_exporter's own, and that dashboards ask for.
EXPLAINED = [
    'kafka_consumergroup_lag_sum non-histogram and non-summary metrics should not have "_sum" suffix',
    'kafka_controller_controllerstats_leaderelectionrateandtimems_count counter metrics should have "_total" suffix',
    'kafka_controller_controllerstats_leaderelectionrateandtimems_count non-histogram and non-summary metrics should not have "_count" suffix',
    "kafka_server_delayedoperationpurgatory_purgatorysize label names should be written in 'snake_case' not 'camelCase'",
]


def check(place):
    need("promtool", "prometheus")
    place.start_broker(brokers=3)
    place.ours("topics", "--create", "--topic", "orders", "--partitions", 3, "--replication-factor", 3)
    numbers = "".join(f"{number}\n" for number in range(3000))
    place.ours("produce", "--topic", "orders", input=numbers)
    place.ours("consume", "--topic", "orders", "--group", "late", "--from-beginning", "--max-messages", 10)
    lint(place)
    server = start(place)
    up = eventually(lambda: value(server, 'up{job="mini-broker"}') == 1)
    place.see("prometheus", "a server scrapes it", "up", ok=bool(up))
    for query, expected in [
        ("sum(kafka_server_brokertopicmetrics_messagesin_total{topic='orders'})", 3000),
        ("sum(kafka_consumergroup_lag{consumergroup='late',topic='orders'})", 2990),
        ("sum(kafka_controller_kafkacontroller_activecontrollercount)", 1),
        ("kafka_brokers", 3),
        ("sum(kafka_server_replicamanager_underreplicatedpartitions)", 0),
    ]:
        got = eventually(lambda query=query, expected=expected: value(server, query) == expected)
        place.see("prometheus", query, "as it is", ok=bool(got), detail=f"{value(server, query)}, not {expected}")
    remote = 'kafka_network_requestmetrics_remotetimems{request="Produce",quantile="0.99"}'
    place.see("prometheus", remote, "is there", ok=value(server, remote) is not None)
    alerts(place, server)
    never_back(place)


def lint(place):
    rules = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True)
    place.see("prometheus", "promtool check rules", "clean", ok=rules.returncode == 0, detail=rules.stdout + rules.stderr)
    _, metrics = get(place.http, "/metrics")
    said = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True)
    lines = {line for line in (said.stdout + said.stderr).splitlines() if line}
    place.see("prometheus", "promtool check metrics", "nothing but what is explained", ok=lines <= set(EXPLAINED), detail=str(lines - set(EXPLAINED)))


def start(place):
    address = f"{HERE}:{free_port()}"
    config = place.work / "prometheus.yml"
    config.write_text(
        f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{ALERTS}"]
scrape_configs:
  - job_name: mini-broker
    static_configs: [{{targets: ["{place.http}"]}}]
"""
    )
    place.begin(
        "prometheus", "prometheus", f"--config.file={config}", f"--web.listen-address={address}",
        f"--storage.tsdb.path={place.work}/tsdb", cwd=place.work,
    )
    eventually(lambda: get(address, "/-/ready")[0] == 200)
    return address


def value(server, query):
    answer = get_json(server, f"/api/v1/query?query={urllib.parse.quote(query)}")
    result = answer.get("data", {}).get("result", [])
    return float(result[0]["value"][1]) if result else None


def alerts(place, server):
    def states():
        groups = get_json(server, "/api/v1/rules").get("data", {}).get("groups", [])
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    loaded = states()
    bad = [name for name, rule in loaded.items() if rule["health"] == "err"]
    place.see("prometheus", "alert rules", "load", ok=len(loaded) >= 7 and not bad, detail=f"{loaded}")
    fires = eventually(lambda: states().get("ConsumerGroupLag", {}).get("state") == "firing")
    place.see("prometheus", "alert rules", "a group 2,990 behind fires", ok=bool(fires), detail=json.dumps(states()))
    calm = {name: rule["state"] for name, rule in states().items() if rule["state"] == "firing"}
    others = set(calm) - {"ConsumerGroupLag"}
    place.see("prometheus", "alert rules", "no other does", ok=not others, detail=str(others))


def never_back(place):
    """Counters, while topics come and go."""
    before = counters(place)
    for round in range(3):
        place.ours("topics", "--create", "--topic", f"gone{round}", "--partitions", 1)
        place.ours("produce", "--topic", f"gone{round}", input="one\n")
        place.ours("topics", "--delete", "--topic", f"gone{round}")
        time.sleep(0.3)
        after = counters(place)
        back = [name for name, number in before.items() if name in after and after[name] < number]
        place.see("prometheus", "counters", "never go back", ok=not back, detail=str(back))
        before = after


def counters(place):
    _, metrics = get(place.http, "/metrics")
    found = {}
    for line in metrics.splitlines():
        name, _, number = line.rpartition(" ")
        if name.partition("{")[0].endswith(("_total", "_count")) and not line.startswith("#"):
            found[name] = float(number)
    return found

"""Hundreds of consumer groups on one broker, ours and Apache Kafka's, in turn; medians go into the README.

The load (examples/group_load) speaks the groups' protocol to either broker. Beside it a program of Kafka's own that
needs groups, unmodified: ConsumerPerformance.

Each broker is started anew for each round, with no data, so that its memory is that of this round. Java compiles
what is used often: so everything is done once before it is measured, some of it on a smaller scale.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import bench

BEGIN, END = "<!-- benchmark of groups: begin -->", "<!-- benchmark of groups: end -->"
# Kafka waits three seconds for more members before the first round of a group ends.
SETTINGS = ["group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=50"]
REBALANCES = [2, 20, 100, 500, 1000]
SIZES = {100: 3_000_000, 1024: 500_000}


def main():
    parser = argparse.ArgumentParser(prog="run --groups", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round; writes nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--members", type=int, default=20, help="of each group")
    parser.add_argument("--seconds", type=int, default=10, help="of heartbeats, and of commits")
    parser.add_argument("--in-flight", type=int, default=500, help="requests under way")
    parser.add_argument("--dir", default=None, help="a folder on a real disk for the data")
    options = parser.parse_args()
    scale = 1
    if options.quick:
        scale, options.rounds = 50, 1
        options.groups, options.members, options.seconds = 20, 5, 1

    load = bench.cargo_binary("--example", "group_load")
    performance = bench.rdkafka_performance()
    binary = bench.cargo_binary("--bin", "mini-broker")
    work = Path(tempfile.mkdtemp(prefix="mini-broker-groups-", dir=options.dir))
    systems = [bench.Ours(binary, work, SETTINGS), bench.Kafka(work, SETTINGS)]
    results = {system.name: [] for system in systems}
    try:
        for number in range(options.rounds):
            for system in systems if number % 2 == 0 else systems[::-1]:
                found = a_round(system, load, performance, options, scale)
                results[system.name].append(found)
                bench.say(f"round {number + 1}: {system.name}: {json.dumps(found)}")
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(work, ignore_errors=True)
    text = table(results, options, scale)
    print(text)
    if not options.quick:
        bench.write_readme(text, BEGIN, END)


def a_round(system, load, performance, options, scale):
    """All that is measured of one broker, started anew."""
    found = bench.undisturbed(system, lambda: groups(system, load, options))
    for size, count in SIZES.items():
        found |= read(system, performance, size, count // scale)
    system.stop()
    return found


def groups(system, load, options):
    system.stop()
    system.start()
    empty_kib = system.resident_kib()
    topic = system.new_topic(options.members)  # a partition for each to commit
    command = [load, "--bootstrap-server", f"127.0.0.1:{system.port}", "--topic", topic, "--json"]
    command += ["--pid", system.process.pid, "--seconds", options.seconds]
    command += ["--members", options.members, "--in-flight", options.in_flight]
    command += ["--rebalance", ",".join(map(str, sizes(options)))]
    bench.run_client(system, [*command, "--groups", max(1, options.groups // 10)])
    text, _, others = bench.run_client(system, [*command, "--groups", options.groups])
    system.delete_topic(topic)
    told = json.loads(text)
    found = {
        "joins": told["join"]["per_s"],
        "joins_cpu": told["join"]["cpu_s"],
        "share": told["ordinary"]["cpu_share"] * 100,
        "ordinary_p99": told["ordinary"]["p99_ms"],
        "empty": empty_kib / 1024,
    }
    for what in ("heartbeat", "commit"):
        found[what] = told[what]["per_s"]
        found[f"{what}_p99"] = told[what]["p99_ms"]
        found[f"{what}_cpu"] = told[what]["cpu_s_of_100000"]
    for when in ("connected", "stable", "left"):
        found[when] = told["rss_kib"][when] / 1024
    for one in told["rebalances"]:
        found[f"rebalance_{one['members']}"] = one["ms"]
    return found, others


def sizes(options):
    return REBALANCES[:2] if options.quick else REBALANCES


def read(system, performance, size, count):
    topic = system.new_topic()
    bench.produce(performance, system, topic, size, count)
    consume(system, topic, size, count)
    found = bench.undisturbed(system, lambda: consume(system, topic, size, count))
    system.delete_topic(topic)
    return found


def consume(system, topic, size, count):
    arguments = ["--bootstrap-server", f"127.0.0.1:{system.port}", "--topic", topic]
    arguments += ["--messages", count, "--hide-header"]
    text, cpu_s, others = bench.run_client(system, java("ConsumerPerformance", *arguments))
    # By its whole time, in which it also joins its group: start, end, MB, MB a second, records, records a second, …
    fields = text.strip().splitlines()[-1].split(", ")
    if len(fields) != 10 or int(fields[4]) < count:
        raise SystemExit(f"{system.name}: ConsumerPerformance read less than {count}\n{text}")
    values = {"mb": float(fields[3]), "records": float(fields[5]), "read_cpu": cpu_s}
    return {f"{name}_{size}": value for name, value in values.items()}, others


def java(name, *arguments):
    return ["java", "-cp", bench.kafka_jars(), f"org.apache.kafka.tools.{name}", *arguments]


def table(results, options, scale):
    count = f"{options.groups} groups of {options.members} members"
    lines = [f"| {count} | mini broker | Apache Kafka 4.1.1 | ours to Kafka |", "|---|---|---|---|"]

    def row(title, name, form):
        ours, kafka = (
            statistics.median(found[name] for found in results[which]) for which in ("ours", "kafka")
        )
        ratio = f"{ours / kafka:.2f}" if kafka else "–"
        lines.append(f"| {title} | {form.format(ours)} | {form.format(kafka)} | {ratio} |")

    members = options.groups * options.members
    row("joins a second, until all groups are stable", "joins", "{:,.0f}")
    for what in ("heartbeat", "commit"):
        row(f"{what}s a second", what, "{:,.0f}")
        row(f"{what}s: p99", f"{what}_p99", "{:.1f} ms")
        row(f"{what}s: CPU of the broker for 100,000", f"{what}_cpu", "{:.2f} s")
    row("at their ordinary pace: CPU of the broker, of one core", "share", "{:.0f} %")
    row("at their ordinary pace: p99", "ordinary_p99", "{:.1f} ms")
    row("resident memory, empty", "empty", "{:,.1f} MB")
    row(f"resident memory, {members:,} connections", "connected", "{:,.1f} MB")
    row("resident memory, all groups stable", "stable", "{:,.1f} MB")
    row("resident memory, all have left", "left", "{:,.1f} MB")
    for size in sizes(options):
        row(f"one more joins a group of {size:,}", f"rebalance_{size}", "{:.1f} ms")
    for size, messages in SIZES.items():
        title = f"`ConsumerPerformance`, {'100 B' if size == 100 else '1 KiB'}"
        row(f"{title}: records a second", f"records_{size}", "{:,.0f}")
        row(f"{title}: MB a second", f"mb_{size}", "{:,.0f}")
        cpu = f"{title}: CPU of the broker for {messages // scale:,} records"
        row(cpu, f"read_cpu_{size}", "{:.2f} s")
    names = {"joins": "joins a second", "heartbeat": "heartbeats", "commit": "commits"}
    spread = "; ".join(
        f"{which} {title} {min(values):,.0f}–{max(values):,.0f}"
        for which, found in results.items()
        for name, title in names.items()
        for values in [[one[name] for one in found]]
    )
    lines += [
        "",
        f"Medians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}: {bench.machine()}. "
        f"{options.in_flight} heartbeats or commits were under way at the same time. Smallest and largest: {spread}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Three broker processes and a coordinator, ours and Apache Kafka's, in turn; medians go into the README.

Every record has three replicas, min.insync.replicas is 2, and the producer asks for acks=all. Beside the
throughput: how long a replica that has lost its directory takes to be in sync again, and what a producer
at a steady rate feels of it.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench

sys.path[:0] = [str(bench.SUITE / "suite"), str(bench.ROOT / "mini-broker/tests/kills")]
from clusters import cluster  # noqa: E402

BEGIN, END = "<!-- benchmark of three: begin -->", "<!-- benchmark of three: end -->"
SIZES = {100: 2_000_000, 1024: 300_000}
REPLICA_BYTES = 1 << 30
STEADY = 500  # records of 1 KiB a second, while a replica comes back


def main():
    parser = argparse.ArgumentParser(prog="run --three", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round; writes nothing")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dir", default=None, help="a folder on a real disk for the data")
    options = parser.parse_args()
    scale = 40 if options.quick else 1
    rounds = 1 if options.quick else options.rounds
    counts = {size: count // scale for size, count in SIZES.items()}

    performance = bench.rdkafka_performance()
    binary = bench.cargo_binary("--bin", "mini-broker")
    bench.System.tool = binary
    work = Path(tempfile.mkdtemp(prefix="mini-broker-three-", dir=options.dir))
    systems = [Three(which, binary, work) for which in ("ours", "kafka")]
    try:
        for system in systems:
            system.start()
            for size, count in counts.items():  # a warm-up
                bench.load(performance, system, size, count // 4)
        results = {}
        for number in range(rounds):
            for size, count in counts.items():
                for system in systems if number % 2 == 0 else systems[::-1]:
                    rate, cpu_s = bench.load(performance, system, size, count)
                    results.setdefault((system.name, size), []).append((rate, cpu_s))
                    bench.say(f"{system.name:6} {size:5} B {rate:12,.0f} msg/s {cpu_s:6.2f} s")
        returns = {
            system.name: replica_returns(system, binary, REPLICA_BYTES // scale)
            for system in systems
        }
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(work, ignore_errors=True)
    text = table(results, returns, counts, rounds)
    print(text)
    if not options.quick:
        bench.write_readme(text, BEGIN, END)


class Three(bench.System):
    """A coordinator and three brokers as one system: its CPU seconds are those of all four."""

    def __init__(self, which, binary, work):
        self.name = which
        self.work = work / which
        self.work.mkdir()
        # Deleted topics leave Kafka's disk soon, as there are many.
        more = ["log.segment.delete.delay.ms=1000"] if which == "kafka" else []
        self.cluster = cluster(which, binary, self.work, more, bench.KAFKA_JVM)
        self.log = open(work / f"{which}.log", "w")

    def start(self):
        self.cluster.start()
        self.port = self.cluster.brokers[1].port
        while not bench.answers_metadata(self.port):
            time.sleep(0.1)

    def stop(self):
        self.cluster.stop()

    def cpu_s(self):
        return sum(bench.cpu_s_of(server.process.pid) for server in self.cluster.servers)

    def new_topic(self, partitions=bench.PARTITIONS):
        name = f"load-{time.monotonic_ns()}"
        self.topics(
            *("--create", "--topic", name, "--partitions", partitions),
            *("--replication-factor", 3, "--config", "min.insync.replicas=2"),
        )
        return name

    def in_sync(self, topic):
        command = [self.tool, "topics", "--bootstrap-server", f"127.0.0.1:{self.port}"]
        command += ["--describe", "--topic", topic]
        shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=self.log, text=True).stdout
        return [line.split(",") for line in re.findall(r"Isr: ([\d,]+)", shown)]


def replica_returns(system, binary, size):
    """A broker loses its directory and comes back. Returns the seconds until it is in sync again, the
    bytes a second, and the p99 of a steady producer before and meanwhile, in milliseconds."""
    topic = system.new_topic(partitions=1)
    perf(binary, system, topic, size // 1024, -1)
    leader = leader_of(system, topic)
    victim = next(node for node in (3, 2, 1) if node != leader)
    system.port = system.cluster.brokers[leader].port
    before = perf(binary, system, topic, STEADY * 10, STEADY)
    server = system.cluster.brokers[victim]
    server.kill()
    while any(str(victim) in isr for isr in system.in_sync(topic)):
        time.sleep(0.05)
    keep_identity(server)
    server.start()
    began = time.monotonic()
    steady = start_perf(binary, system, topic, STEADY * 5, STEADY)
    while not all(str(victim) in isr for isr in system.in_sync(topic)):
        time.sleep(0.05)
    took = time.monotonic() - began
    meanwhile = percentile(steady.communicate(timeout=600)[0])
    bench.say(f"{system.name}: in sync after {took:.1f} s, p99 {before} → {meanwhile} ms")
    return took, size / took, before, meanwhile


def keep_identity(server):
    """Removes all partitions, and leaves the small files that say whose directory it is."""
    for path in Path(server.data_dir).iterdir():
        if path.is_dir() and not path.name.startswith("__cluster_metadata"):
            shutil.rmtree(path)
        elif path.name.endswith("-checkpoint") and path.name != "broker-epoch-checkpoint":
            path.unlink()


def leader_of(system, topic):
    command = [system.tool, "topics", "--bootstrap-server", f"127.0.0.1:{system.port}"]
    command += ["--describe", "--topic", topic]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(re.search(r"Leader: (\d+)", shown).group(1))


def start_perf(binary, system, topic, count, throughput):
    command = [binary, "perf", "produce", "--bootstrap-server", f"127.0.0.1:{system.port}"]
    command += ["--topic", topic, "--num-records", count, "--record-size", 1024]
    command += ["--throughput", throughput, "--reporting-interval", 1000]
    command += ["--producer-props", "acks=all"]
    words = [str(word) for word in command]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=system.log, text=True)


def perf(binary, system, topic, count, throughput):
    running = start_perf(binary, system, topic, count, throughput)
    text, _ = running.communicate(timeout=600)
    if running.returncode != 0:
        raise SystemExit(f"{system.name}: perf produce failed\n{text[-1000:]}")
    return percentile(text)


def percentile(text):
    return float(re.findall(r"([\d.]+) ms 99th", text)[-1])


def table(results, returns, counts, rounds):
    lines = [
        "| three brokers, three replicas, min.insync.replicas 2, acks=all | mini broker | Apache Kafka 4.1.1 | ours to Kafka |",
        "|---|---|---|---|",
    ]

    def row(title, ours, kafka, show):
        lines.append(f"| {title} | {show(ours)} | {show(kafka)} | {ours / kafka:.2f} |")

    for size, count in counts.items():
        name = "100 B" if size == 100 else "1 KiB"
        ours, kafka = (
            [statistics.median(one[n] for one in results[which, size]) for n in (0, 1)]
            for which in ("ours", "kafka")
        )
        row(f"{name}: messages a second", ours[0], kafka[0], lambda rate: f"{rate / 1000:,.0f} k")
        title = f"{name}: CPU of all four processes for {count:,} messages"
        row(title, ours[1], kafka[1], lambda cpu: f"{cpu:.2f} s")
    ours, kafka = returns["ours"], returns["kafka"]
    row("an empty replica of 1 GB is in sync again", ours[0], kafka[0], lambda s: f"{s:.1f} s")
    spread = "; ".join(
        f"{which} {'100 B' if size == 100 else '1 KiB'} {min(rates):,.0f}–{max(rates):,.0f} k"
        for (which, size), found in results.items()
        for rates in [[rate / 1000 for rate, _ in found]]
    )
    lines += [
        "",
        f"Medians of {rounds} rounds, {time.strftime('%Y-%m-%d')}, {bench.machine()}. Smallest and largest: {spread}. "
        f"A producer of {STEADY} records of 1 KiB a second saw a p99 of {ours[2]:.1f} ms before the empty replica came (Kafka "
        f"{kafka[2]:.1f} ms), and in the five seconds from its return {ours[3]:.1f} ms ({kafka[3]:.1f} ms).",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

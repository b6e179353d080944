"""From producer to consumer and back: one message at a time, ours and Apache Kafka's, in turn; medians go into the README.

EndToEndLatency is Kafka's own program. Java is slow until it has compiled what is used often, and on so fast a way
that is much of the time: so there are many messages. Beside it the same with our own client (`perf latency`), which
shows how much of the time is the broker's.
"""

import argparse
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import bench

BEGIN, END = "<!-- benchmark of latency: begin -->", "<!-- benchmark of latency: end -->"
MESSAGES = 100_000
BYTES = 100


def main():
    parser = argparse.ArgumentParser(prog="run --latency", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round; writes nothing")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--dir", default=None, help="a folder on a real disk for the data")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.messages = 1, MESSAGES // 50

    binary = bench.cargo_binary("--bin", "mini-broker")
    work = Path(tempfile.mkdtemp(prefix="mini-broker-latency-", dir=options.dir))
    systems = [bench.Ours(binary, work), bench.Kafka(work)]
    programs = {"java": java, "own": lambda *of: [binary, "perf", "latency", *own(*of)]}
    results = {}
    try:
        for system in systems:
            system.start()
            measured(system, java, options.messages // 5)  # a warm-up of the broker
        for number in range(options.rounds):
            for system in systems if number % 2 == 0 else systems[::-1]:
                for name, program in programs.items():

                    def once(program=program, system=system):
                        return measured(system, program, options.messages)

                    average, p99 = bench.undisturbed(system, once)
                    results.setdefault((system.name, name), []).append((average, p99))
                    bench.say(f"round {number + 1}: {system.name} {name}: {average} ms, p99 {p99} ms")
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(work, ignore_errors=True)
    text = table(results, options)
    print(text)
    if not options.quick:
        bench.write_readme(text, BEGIN, END)


def java(server, topic, count):
    tool = ["java", "-cp", bench.kafka_jars(), "org.apache.kafka.tools.EndToEndLatency"]
    return [*tool, server, topic, count, "all", BYTES]


def own(server, topic, count):
    return ["--bootstrap-server", server, "--topic", topic, "--num-records", count, "--record-size", BYTES]


def measured(system, program, count):
    topic = system.new_topic(partitions=1)
    text, _, others = bench.run_client(system, program(f"127.0.0.1:{system.port}", topic, count))
    system.delete_topic(topic)
    average = re.search(r"Avg latency: ([\d.]+) ms", text)
    p99 = re.search(r"99th = ([\d.]+)", text)
    return (float(average[1]), float(p99[1])), others


def table(results, options):
    lines = [
        f"| {options.messages:,} messages of {BYTES} B, one after the other, `acks=all` "
        "| mini broker | Apache Kafka 4.1.1 | ours to Kafka |",
        "|---|---|---|---|",
    ]
    for name, title in (("java", "`EndToEndLatency`"), ("own", "`perf latency`, our own client")):
        medians = {
            which: [statistics.median(values) for values in zip(*results[which, name], strict=True)]
            for which in ("ours", "kafka")
        }
        (ours, ours_p99), (kafka, kafka_p99) = medians["ours"], medians["kafka"]
        lines.append(f"| {title}: average | {ours:.2f} ms | {kafka:.2f} ms | {ours / kafka:.2f} |")
        lines.append(f"| {title}: p99 | {shown(ours_p99)} | {shown(kafka_p99)} | |")
    spread = "; ".join(
        f"{which} {min(values):.2f}–{max(values):.2f} ms"
        for which in ("ours", "kafka")
        for values in [[average for average, _ in results[which, "java"]]]
    )
    lines += [
        "",
        f"Medians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}: {bench.machine()}. "
        f"Both programs round percentiles down to whole milliseconds. Averages of `EndToEndLatency`: {spread}.",
    ]
    return "\n".join(lines)


def shown(p99):
    return f"{p99:.0f} ms" if p99 >= 1 else "below 1 ms"


if __name__ == "__main__":
    main()

"""What it costs to be watched: the same broker without a dashboard, and with one that is scraped once a second and open in
a browser; in turn. Medians go into the README."""

import argparse
import shutil
import statistics
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import bench

TOPICS = 1_000
BEGIN, END = "<!-- benchmark of being watched: begin -->", "<!-- benchmark of being watched: end -->"


class Watched(bench.Ours):
    """Scraped once a second, with a page of topics and one of a topic open."""

    name = "watched"

    def command(self):
        self.http = f"127.0.0.1:{bench.free_port()}"
        return [*super().command(), "--http", self.http]

    def start(self):
        took = super().start()
        self.scrapes = 0
        self.ends = threading.Event()
        for watch in [self.scrape, lambda: self.look("/topic?live=1"), lambda: self.look("/?live=1")]:
            threading.Thread(target=watch, daemon=True).start()
        return took

    def stop(self):
        if self.process:
            self.ends.set()
        super().stop()

    def scrape(self):
        while not self.ends.wait(1):
            with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=10) as answer:
                self.scrapes += len(answer.read()) > 0

    def look(self, path):
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=60) as answer:
            while not self.ends.is_set() and answer.readline():
                pass


def main():
    parser = argparse.ArgumentParser(prog="run --watched", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round; writes nothing")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--dir", default=None, help="a folder on a real disk for the data")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    counts = {size: count // 20 if options.quick else count for size, count in bench.SIZES.items()}

    performance = bench.rdkafka_performance()
    binary = bench.cargo_binary("--bin", "mini-broker")
    work = Path(tempfile.mkdtemp(prefix="mini-broker-watched-", dir=options.dir))
    alone, watched = bench.Ours(binary, work), Watched(binary, work)
    results = {}
    try:
        for system in (alone, watched):
            system.start()
            for size, count in counts.items():
                bench.load(performance, system, size, count // 5)
        for number in range(rounds):
            for size, count in counts.items():
                for system in (alone, watched) if number % 2 == 0 else (watched, alone):
                    rate, cpu_s = bench.load(performance, system, size, count)
                    results.setdefault((system.name, size), []).append((rate, cpu_s))
                    bench.say(f"round {number + 1}: {system.name:8} {size:5} B {rate:12,.0f} msg/s {cpu_s:6.2f} s of CPU")
        scrapes = watched.scrapes
        pages = measured_pages(watched, TOPICS // 20 if options.quick else TOPICS)
    except OSError as error:
        raise SystemExit(f"the watched broker did not answer: {error}") from None
    finally:
        for system in (alone, watched):
            system.stop()
        shutil.rmtree(work, ignore_errors=True)
    text = table(results, counts, rounds, scrapes, pages)
    print(text)
    if not options.quick:
        bench.write_readme(text, BEGIN, END)


def measured_pages(system, topics):
    """Milliseconds that pages take with so many topics of three partitions: medians of twenty times."""
    for number in range(topics):
        system.topics("--create", "--topic", f"many-{number:04}", "--partitions", 3)
    time.sleep(3)  # looks that see all of them
    found = {}
    for path in ["/", "/topic", "/topic?filter=09", "/topic/many-0007", "/group", "/files/1", "/metrics"]:
        took = []
        for _ in range(20):
            time.sleep(0.3)  # /metrics is made anew
            began = time.monotonic()
            with urllib.request.urlopen(f"http://{system.http}{path}", timeout=60) as answer:
                answer.read()
            took.append((time.monotonic() - began) * 1000)
        found[path] = statistics.median(took)
    return found


def table(results, counts, rounds, scrapes, pages):
    lines = ["| | alone | watched | watched to alone |", "|---|---|---|---|"]
    for size, count in counts.items():
        name = "100 B" if size == 100 else "1 KiB"
        (rate, cpu), (watched_rate, watched_cpu) = (
            [statistics.median(one[n] for one in results[system, size]) for n in (0, 1)]
            for system in ("ours", "watched")
        )
        rates = f"{rate / 1000:,.0f} k | {watched_rate / 1000:,.0f} k | {watched_rate / rate:.3f}"
        lines.append(f"| {name}: messages a second | {rates} |")
        cpus = f"{cpu:.2f} s | {watched_cpu:.2f} s | {watched_cpu / cpu:.2f}"
        lines.append(f"| {name}: CPU of the broker for {count:,} messages | {cpus} |")
    spread = "; ".join(
        f"{'alone' if which == 'ours' else which} {'100 B' if size == 100 else '1 KiB'} {min(rates):,.0f}–{max(rates):,.0f} k"
        for (which, size), found in results.items()
        for rates in [[rate / 1000 for rate, _ in found]]
    )
    lines += ["", "| with 1,000 topics of three partitions | answered in |", "|---|---|"]
    lines += [f"| `{path}` | {took:.1f} ms |" for path, took in pages.items()]
    lines += [
        "",
        f"Medians of {rounds} rounds, {time.strftime('%Y-%m-%d')}: {bench.machine()}; {scrapes} scrapes of `/metrics` and two open "
        f"pages. Smallest and largest: {spread}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Produces with librdkafka's rdkafka_performance into three brokers in turn; medians go into the README.

The three: this broker in a release build, Apache Kafka, and a bare store (examples/bare_store.rs),
which checks each batch and appends it to a file, and so shows what client and machine allow. Client,
settings and topics are the same for all. All three stay up and take turns; the
two that wait are idle. Before each run the disk's backlog is written out, so that no broker pays
for the bytes of the one before it. A run waits until the machine is idle, and is repeated when other
programs took part of it.
"""

import argparse
import json
import os
import platform
import re
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SUITE = ROOT / "mini-broker/tests/real-programs"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kafka-workshop"
RDKAFKA_SYS = (
    "4.10.0"  # the crate that carries librdkafka's whole source, rdkafka_performance included
)
README = ROOT / "mini-broker/README.md"
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
PARTITIONS = 4
# The settings of Kafka's own start script.
KAFKA_JVM = "-Xmx1G -Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35".split()
OTHERS_MAY_TAKE = 0.1  # of the machine, before and during a run
TRIES = 20
IDLE_WITHIN_S = 900
SIZES = {100: 3_000_000, 1024: 500_000}


def main():
    parser = argparse.ArgumentParser(prog="run", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="one short round; the README stays as it is"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--dir", default=None, help="where the brokers keep their data: a folder on a real disk"
    )
    options = parser.parse_args()
    counts = {size: count // 20 if options.quick else count for size, count in SIZES.items()}
    rounds = 1 if options.quick else options.rounds

    performance = rdkafka_performance()
    ours = cargo_binary("--bin", "mini-broker")
    bare = cargo_binary("--example", "bare_store")
    work = Path(tempfile.mkdtemp(prefix="mini-broker-bench-", dir=options.dir))
    systems = [Ours(ours, work), Kafka(work), BareStore(bare, work)]
    try:
        for system in systems:
            system.measure_start(1 if options.quick else system.starts)
        for system in systems:
            system.start()
            system.empty_kib = system.resident_kib()
        for size in counts:
            for system in systems:  # a warm-up: Java compiles what is used often
                load(
                    performance, system, size, counts[size] // (1 if system.name == "kafka" else 5)
                )
        results = {}
        for number in range(rounds):
            first = number % len(systems)  # each is first, second and last in turn
            for size, count in counts.items():
                for system in systems[first:] + systems[:first]:
                    rate, cpu_s = load(performance, system, size, count)
                    results.setdefault((system.name, size), []).append((rate, cpu_s))
                    say(
                        f"round {number + 1}: {system.name:10} {size:5} B {rate:12,.0f} msg/s {cpu_s:6.2f} s of CPU"
                    )
        for system in systems:
            system.loaded_kib = system.resident_kib()
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(work, ignore_errors=True)
    text = table(systems, results, counts, rounds)
    print(text)
    if not options.quick:
        write_readme(text)


class System:
    """One broker as a process: started, measured, stopped by its process id."""

    starts = 5

    def __init__(self, work, settings=()):
        self.dir = work / self.name
        self.settings = settings  # of the broker, each NAME=VALUE
        self.process = None
        self.start_ms = []
        self.log = open(work / f"{self.name}.log", "w")

    def start(self):
        """Starts it and returns the time until it has answered a Metadata request, in milliseconds."""
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.port = free_port()
        command = self.command()
        began = time.monotonic()
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=self.log, stderr=self.log
        )
        while not answers_metadata(self.port):
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise SystemExit(f"{self.name} did not start; see {self.log.name}")
            time.sleep(0.001)
        return (time.monotonic() - began) * 1000

    def measure_start(self, times):
        for _ in range(times):
            wait_until_idle()
            self.start_ms.append(self.start())
            self.stop()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def resident_kib(self):
        time.sleep(1)
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def cpu_s(self):
        return cpu_s_of(self.process.pid)

    def topics(self, *arguments):
        """Any broker that speaks Kafka's protocol: our own command makes and removes its topics."""
        command = [
            self.tool,
            "topics",
            "--bootstrap-server",
            f"127.0.0.1:{self.port}",
            *map(str, arguments),
        ]
        subprocess.run(command, check=True, stdout=self.log, stderr=self.log)

    def new_topic(self, partitions=PARTITIONS):
        name = f"load-{time.monotonic_ns()}"
        self.topics(
            "--create", "--topic", name, "--partitions", partitions, "--replication-factor", 1
        )
        return name

    def delete_topic(self, name):
        self.topics("--delete", "--topic", name)


class Ours(System):
    name = "ours"
    starts = 15

    def __init__(self, binary, work, settings=()):
        super().__init__(work, settings)
        System.tool = self.binary = binary

    def command(self):
        command = [self.binary, "serve", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--data-dir", self.dir]
        return command + [word for setting in self.settings for word in ("--set", setting)]


class Kafka(System):
    name = "kafka"

    def command(self):
        # Deleted topics leave the disk soon, as there are many; all else is as Kafka comes.
        settings = ["log.segment.delete.delay.ms=1000", *self.settings]
        kafka_script('kafka_prepare "$@"', self.dir, self.port, *settings)
        properties = self.dir / "server.properties"
        return ["java", *KAFKA_JVM, "-cp", kafka_jars(), "kafka.Kafka", properties]


class BareStore(System):
    name = "bare store"

    def __init__(self, binary, work):
        super().__init__(work)
        self.binary = binary

    def command(self):
        return [self.binary, self.port, self.dir]

    def new_topic(self):
        # It knows no topics and appends for ever: a fresh one for each run.
        if self.process:
            self.stop()
            self.start()
        return "load"

    def delete_topic(self, name):
        pass


def load(performance, system, size, count):
    """One run; returns messages a second as the client counts them, and the broker's CPU seconds."""
    return undisturbed(system, lambda: load_once(performance, system, size, count))


def load_once(performance, system, size, count):
    topic = system.new_topic()
    rate, broker_s, others = produce(performance, system, topic, size, count)
    system.delete_topic(topic)
    return (rate, broker_s), others


def produce(performance, system, topic, size, count):
    os.sync()
    command = [performance, "-P", "-t", topic, "-b", f"127.0.0.1:{system.port}"]
    command += ["-s", size, "-c", count, "-a", "-1", "-X", "linger.ms=5"]
    text, broker_s, others = run_client(system, command)
    # A line every second, and at the end one for the whole run.
    lines = re.findall(
        r"(\d+) delivered \(offset \d+, (\d+) failed\) in \d+ms: (\d+) msgs/s", text
    )
    if not lines or lines[-1][:2] != (str(count), "0"):
        raise SystemExit(f"{system.name}: rdkafka_performance failed\n{text[-2000:]}")
    return int(lines[-1][2]), broker_s, others


def undisturbed(system, once):
    """What a run gives. One that other programs of this machine disturbed is thrown away and repeated.

    `once` runs it, and returns what it gives and the share of the machine that others took meanwhile.
    """
    for _ in range(TRIES):
        wait_until_idle()
        found, others = once()
        if others <= OTHERS_MAY_TAKE:
            return found
        say(f"{system.name}: others took {others:.0%} of the machine, once more")
    raise SystemExit(f"this machine is too busy: {TRIES} runs of {system.name} were disturbed")


def run_client(system, command):
    """Runs a client to its end. Returns what it prints, the broker's CPU seconds, and the share of the
    machine that others took meanwhile."""
    began = time.monotonic(), busy_s(), children_s(), system.cpu_s()
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    ended = time.monotonic(), busy_s(), children_s(), system.cpu_s()
    elapsed_s, all_s, client_s, broker_s = (b - a for a, b in zip(began, ended, strict=True))
    if done.returncode != 0:
        raise SystemExit(f"{system.name}: {command[0]} failed\n{done.stdout[-2000:]}")
    return done.stdout, broker_s, (all_s - client_s - broker_s) / (elapsed_s * os.cpu_count())


def wait_until_idle():
    for _ in range(IDLE_WITHIN_S):
        before = busy_s()
        time.sleep(1)
        if busy_s() - before <= OTHERS_MAY_TAKE * os.cpu_count():
            return
    raise SystemExit(f"this machine was busy for {IDLE_WITHIN_S} s: try again when it is quiet")


def busy_s():
    """CPU seconds that all programs of this machine have used: user, nice and system time."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(map(int, words[1:4])) / os.sysconf("SC_CLK_TCK")


def cpu_s_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_s():
    """CPU seconds of the programs that this one ran and waited for: the client."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(systems, results, counts, rounds):
    ours, kafka, bare = (system.name for system in systems)
    lines = [
        "| | mini broker | Apache Kafka 4.1.1 | bare store | ours to Kafka | ours to bare store |",
        "|---|---|---|---|---|---|",
    ]

    def row(title, values, show, digits=2):
        a, b, c = values
        cells = [show(value) if value is not None else "–" for value in values]
        ratios = [f"{a / other:.{digits}f}" if other else "–" for other in (b, c)]
        lines.append("| " + " | ".join([title, *cells, *ratios]) + " |")

    for size, count in counts.items():
        name = "100 B" if size == 100 else "1 KiB"
        medians = [
            [
                statistics.median(one[n] for one in results[system, size])
                for system in (ours, kafka, bare)
            ]
            for n in (0, 1)
        ]
        row(f"{name}: messages a second", medians[0], lambda rate: f"{rate / 1000:,.0f} k")
        row(
            f"{name}: CPU of the broker for {count:,} messages",
            medians[1],
            lambda cpu: f"{cpu:.2f} s",
        )
    row(
        "start to first metadata answer",
        [statistics.median(system.start_ms) for system in systems],
        lambda ms: f"{ms:,.0f} ms",
        3,
    )
    row(
        "resident memory, empty",
        [system.empty_kib for system in systems],
        lambda kib: f"{kib / 1024:,.1f} MB",
        3,
    )
    row(
        "resident memory after load",
        [systems[0].loaded_kib, systems[1].loaded_kib, None],
        lambda kib: f"{kib / 1024:,.1f} MB",
        3,
    )
    spread = "; ".join(
        f"{system} {'100 B' if size == 100 else '1 KiB'} {min(rates):,.0f}–{max(rates):,.0f} k"
        for (system, size), found in results.items()
        for rates in [[rate / 1000 for rate, _ in found]]
    )
    lines += [
        "",
        f"Medians of {rounds} rounds, {time.strftime('%Y-%m-%d')}: {machine()}. Smallest and largest: {spread}.",
    ]
    return "\n".join(lines)


def machine():
    return f"{os.cpu_count()} cores, {platform.system()}, client and brokers on one machine"


def write_readme(text, begin=BEGIN, end=END):
    old = README.read_text()
    head, rest = old.split(begin)
    _, tail = rest.split(end)
    README.write_text(f"{head}{begin}\n{text}\n{end}{tail}")
    say(f"written to {README}")


def answers_metadata(port):
    """Asks as a client does: Metadata version 1 for no topics, one answer with this correlation id."""
    body = struct.pack(">hhih", 3, 1, 7, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            head = connection.recv(8, socket.MSG_WAITALL)
            return len(head) == 8 and struct.unpack(">ii", head)[1] == 7
    except OSError:
        return False


def free_port():
    """Two free ports in a row: Kafka's controller takes the second."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue


def kafka_jars():
    """Kafka's jars, fetched if they are not there, for `java -cp`."""
    return kafka_script('kafka_jars && echo "$KAFKA_JARS"').strip()


def kafka_script(script, *arguments):
    command = ["bash", "-c", f'. "$0/kafka.sh" && {script}', SUITE, *arguments]
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def cargo_binary(*what):
    command = [
        "cargo",
        "build",
        "--release",
        "-p",
        "mini-broker",
        *what,
        "--message-format=json-render-diagnostics",
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"cargo build {' '.join(what)} failed")
    binaries = [json.loads(line).get("executable") for line in done.stdout.splitlines()]
    return [binary for binary in binaries if binary][-1]


def rdkafka_performance():
    """Builds librdkafka and its load program, once; cargo fetches the source."""
    folder = CACHE / f"librdkafka-{RDKAFKA_SYS}"
    program = folder / "librdkafka/examples/rdkafka_performance"
    if program.exists():
        return program
    say("building rdkafka_performance (once, about a minute)")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lib.rs").touch()
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "librdkafka-source"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
        f'[dependencies]\nrdkafka-sys = "={RDKAFKA_SYS}"\n[workspace]\n'
    )
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1"],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
    )
    packages = json.loads(metadata.stdout)["packages"]
    [source] = [Path(p["manifest_path"]).parent for p in packages if p["name"] == "rdkafka-sys"]
    shutil.copytree(source / "librdkafka", folder / "librdkafka", dirs_exist_ok=True)
    log = open(folder / "build.log", "w")
    for command in (
        ["./configure", "--disable-ssl", "--disable-gssapi", "--disable-curl"],
        ["make", "-j2", "libs"],
        ["make", "-C", "examples", "rdkafka_performance"],
    ):
        done = subprocess.run(command, cwd=folder / "librdkafka", stdout=log, stderr=log)
        if done.returncode != 0:
            raise SystemExit(f"{command[0]} failed; see {log.name}")
    return program


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""Three brokers and their coordinator die and hang while Kafka's producer writes. README.md says what is checked."""

import argparse
import itertools
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "real-programs/suite"))

import install  # noqa: E402

# The clients are librdkafka's and kafka-python, which are kept in an interpreter of their own.
PYTHON = str(install.python())
if sys.executable != PYTHON:
    os.execv(PYTHON, [PYTHON, *sys.argv])

import check  # noqa: E402
import clients  # noqa: E402
from broker import build, build_options  # noqa: E402
from clusters import BROKERS, cluster  # noqa: E402
from confluent_kafka import KafkaException  # noqa: E402
from probe import Probe  # noqa: E402
from rounds import KINDS, PARTITIONS, Failed, Rounds, split  # noqa: E402

TOPIC = "numbers"


# What is promised of ours, as medians in seconds; judged where there are enough rounds for one.
PROMISED_S = {"leader": 1, "follower": 1, "coordinator": 1, "clean": 1}
ENOUGH_ROUNDS = 5


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="kills-", dir=options.dir))
    seed = options.seed if options.seed is not None else random.randrange(1_000_000)
    run = Run(options, work, seed)
    run.say(f"seed {seed}, {options.cluster}, acks={options.acks}; logs and data in {work}")
    try:
        run.all()
    except install.Missing as missing:
        raise SystemExit(f"{missing}") from None
    except (Failed, clients.Incomplete, KafkaException, SystemExit) as failed:
        run.failed = str(failed)
        run.say_state()
    finally:
        run.end()
    print(run.table())
    print(f"{time.monotonic() - started:.0f} s")
    if run.failed:
        print(f"FAILED in {run.at}: {run.failed}")
        print(f"logs and data: {work}")
        print(f"again: {run.again()}")
        return 1
    if options.keep:
        print(f"logs and data: {work}")
    else:
        shutil.rmtree(work)
    return 0


class Run:
    def __init__(self, options, work, seed):
        self.options, self.work, self.seed = options, work, seed
        self.exact = options.acks == "all"
        self.log = open(work / "rounds.log", "w")
        self.cluster = self.rounds = self.producer = self.reader = self.probe = None
        self.done, self.totals, self.missing = [], None, []
        self.at, self.failed = "the start", None

    def all(self):
        options = self.options
        binary = None
        if options.cluster == "ours":
            binary = options.broker or build(options.features, options.release)
        self.cluster = cluster(options.cluster, binary, self.work, options.set)
        self.cluster.start()
        rounds = self.rounds = self.begin()
        for number, kind in self.plan():
            self.at = f"{kind}:{number}"
            self.done.append(rounds.run(kind, number))
            rounds.compare(self.exact)
        self.at = "the end"
        self.compare_all(rounds)
        self.keeps_promises()

    def plan(self):
        if self.options.only:
            kind, number = self.options.only.split(":")
            return [(int(number), kind)]
        numbers = range(1, self.options.rounds + 1)
        return itertools.product(numbers, self.options.kinds.split(","))

    def begin(self):
        """The topic, and everybody at work."""
        rounds = Rounds(self.cluster, TOPIC, self.seed, self.say)
        rounds.create_topic()
        address, options = self.cluster.address, self.options
        rounds.reader = self.reader = clients.Reader(address, TOPIC, range(PARTITIONS))
        rounds.producer = self.producer = clients.Producer(
            self.work, address, TOPIC, options.acks, options.throughput
        )
        ports = {node: broker.port for node, broker in self.cluster.brokers.items()}
        rounds.probe = self.probe = Probe(ports, TOPIC)
        self.producer.wait_for_first()
        return rounds

    def compare_all(self, rounds):
        """Everything from the beginning on, once nobody writes any more."""
        self.probe.stop()
        self.producer.stop()
        stored = clients.read(self.cluster.address, TOPIC, dict.fromkeys(range(PARTITIONS), 0))
        acks = [one.ack for one in self.producer.sent]
        numbers, _ = split(stored)
        findings = check.compare(acks, numbers)
        self.missing = {number for _, number, _ in findings.lost}
        self.totals = {
            "acknowledged": len(acks),
            "stored": sum(map(len, numbers.values())),
            **findings.counts(),
            "given up": len(self.producer.given_up),
        }
        rounds.judge(stored, acks, [one.ack for one in self.probe.written], self.exact)
        rounds.same_files()

    def keeps_promises(self):
        if self.options.cluster != "ours":
            return
        for kind, limit_s in PROMISED_S.items():
            some = [one.stopped_s for one in self.done if one.kind == kind]
            if len(some) >= ENOUGH_ROUNDS and statistics.median(some) > limit_s:
                raise Failed(
                    f"{kind}: acks=all stood still for {statistics.median(some):.2f} s, more than {limit_s} s"
                )

    def say(self, text):
        """To the screen, and with the time of day into a file, to be laid beside the servers' logs."""
        print(text, file=sys.stderr, flush=True)
        now = time.time()
        clock = time.strftime("%H:%M:%S", time.gmtime(now))
        print(f"{clock}.{int(now * 1000) % 1000:03} {text}", file=self.log, flush=True)

    def say_state(self):
        """What each broker says of the topic now: after a failure, before all is killed."""
        if self.rounds:
            for node in BROKERS:
                self.say(f"broker {node} says: {self.rounds.leaders(node)}")

    def end(self):
        if self.failed and self.producer:
            self.producer.process.kill()  # it would wait for a cluster that takes nothing
        for one in (self.probe, self.producer, self.reader):
            if one:
                one.stop()
        if not self.cluster:
            return
        for server in self.cluster.servers:
            if server.process and server.process.poll() is None:
                server.kill()

    def table(self):
        """For each kind: how long the victim was away, and how long what stood still."""
        losses = [] if self.exact else ["lost"]
        head = ["kind", "rounds", "away", "no acks=all", "producer waits", "whole again", *losses]
        rows = []
        for kind in dict.fromkeys(one.kind for one in self.done):
            some = [one for one in self.done if one.kind == kind]
            cells = [spread([getattr(one, name) for one in some]) for name in MEASURED]
            if losses:
                cells.append(str(self.lost_in(kind)))
            rows.append([kind, str(len(some)), *cells])
        lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
        probed = f"{len(self.probe.written):,}" if self.probe else "0"
        if self.totals:
            counts = ", ".join(f"{count:,} {name}" for name, count in self.totals.items())
            lines += ["", f"acks={self.options.acks}: {counts}; by the probe {probed} acknowledged"]
            lines.append(f"refused to the probe, by Kafka's code: {dict(self.probe.refusals)}")
        return "\n".join(lines)

    def lost_in(self, kind):
        """How many numbers were lost that had been acknowledged between a round's start and the next one's."""
        begun = [*[one.began for one in self.done], float("inf")]
        spans = [
            (a - 1, b - 1) for one, a, b in zip(self.done, begun, begun[1:]) if one.kind == kind
        ]
        sent = (one for one in self.producer.sent if one.ack.number in self.missing)
        return sum(any(a <= one.at < b for a, b in spans) for one in sent)

    def again(self):
        """The command of the failed round; of all rounds, where it has failed at the end."""
        only = ["--only", self.at] if ":" in self.at else []
        return " ".join([str(HERE / "run"), *sys.argv[1:], "--seed", str(self.seed), *only])


MEASURED = ["away_s", "stopped_s", "waited_s", "whole_s"]


def spread(values):
    """The median, and the smallest and largest."""
    middle = f"{statistics.median(values):.2f} s"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}–{max(values):.2f})"


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--cluster", choices=["ours", "kafka"], default="ours")
    parser.add_argument(
        "--rounds", type=int, default=1, metavar="N", help="rounds of each kind (default: 1)"
    )
    parser.add_argument(
        "--kinds",
        default=",".join(KINDS),
        metavar="A,B",
        type=known_kinds,
        help="only these (default: %(default)s)",
    )
    parser.add_argument("--acks", choices=["all", "1", "0"], default="all")
    parser.add_argument("--seed", type=int, metavar="S", help="whom it hits, and when")
    parser.add_argument("--only", metavar="KIND:N", help="only this round of those with this seed")
    parser.add_argument(
        "--throughput", type=int, default=500, metavar="N", help="records a second (default: 500)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the coordinator and all brokers, by Kafka's name",
    )
    build_options(parser)
    parser.add_argument("--keep", action="store_true", help="keep logs and data though all is well")
    parser.add_argument("--dir", metavar="DIR", help="where to keep them: a folder on a real disk")
    return parser.parse_args()


def known_kinds(text):
    for kind in text.split(","):
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(
                f"no kind is called {kind}; there are {', '.join(KINDS)}"
            )
    return text


if __name__ == "__main__":
    sys.exit(main())

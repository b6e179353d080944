"""Real Kafka programs write to a broker and read from it. README.md says what is checked."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import install
import programs
from apache_kafka import KafkaCluster
from broker import Cluster, build, build_options
from checks import Suite

# What is old, or has a newer one of its key, is looked for often, or the checks would wait for minutes.
SETTINGS = ["log.retention.check.interval.ms=500", "log.cleaner.backoff.ms=200"]
# A group's first member is not let wait for others.
SETTINGS.append("group.initial.rebalance.delay.ms=0")
REPLICATED = ["default.replication.factor=3", "min.insync.replicas=2"]


def main():
    options = arguments()
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="real-programs-"))
    broker = None
    suite = Suite(options, work)
    try:
        suite.binary = options.broker or build(options.features, options.release)
        suite.programs = programs.programs(options.programs.split(","), work, suite.binary)
        if options.against == "kafka":
            suite.broker = broker = apache_kafka(options, work)
            suite.data_dir = broker.brokers[1].data_dir
            suite.address = broker.start()
        elif options.against:
            suite.address = options.against
            suite.data_dir = Path(options.data_dir) if options.data_dir else None
        else:
            settings = [*SETTINGS, *(REPLICATED if options.brokers > 1 else [])]
            broker = suite.broker = Cluster(suite.binary, work, options.brokers, settings)
            suite.data_dir = broker.brokers[1].data_dir
            suite.address = broker.start()
        suite.run()
    except install.Missing as missing:
        raise SystemExit(f"{missing}") from None
    finally:
        for program in suite.programs:
            program.stop()
        if broker:
            broker.stop()
    report = suite.report
    print(f"\n{report.tables()}\n")
    for note in report.notes:
        print(note)
    for where, detail in report.failures:
        print(f"FAILED {' / '.join(where)}: {detail}")
    if report.failures or options.keep:
        print(f"logs and data: {work}")
    else:
        shutil.rmtree(work)
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{report.passed} passed, {len(report.failures)} failed")
    return 1 if report.failures else 0


def apache_kafka(options, work):
    settings = [*SETTINGS, "log.initial.task.delay.ms=500"]
    if options.brokers > 1:
        settings += [*REPLICATED, "offsets.topic.replication.factor=3"]
    jvm = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC")
    return KafkaCluster(work, settings, jvm, options.brokers)


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument(
        "--against",
        metavar="HOST:PORT",
        help="a broker that already runs; or `kafka`: Apache Kafka is started, and killed too",
    )
    parser.add_argument(
        "--data-dir", metavar="DIR", help="with --against: where that broker keeps its files"
    )
    parser.add_argument(
        "--brokers",
        type=int,
        default=1,
        metavar="N",
        help="so many brokers and a coordinator, a process each; every topic on three of them",
    )
    build_options(parser)
    parser.add_argument("--quick", action="store_true", help="fewer combinations of codec and acks")
    parser.add_argument(
        "--programs",
        metavar="A,B",
        default=",".join(programs.ALL),
        help="only these programs (default: %(default)s)",
    )
    parser.add_argument("--only", choices=["groups"], help="only the checks of consumer groups")
    parser.add_argument("--without", choices=["groups"], help="all but the checks of consumer groups")
    parser.add_argument(
        "--times", action="store_true", help="say how long each check of groups took"
    )
    parser.add_argument("--keep", action="store_true", help="keep logs and data though all passed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

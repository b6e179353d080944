"""Topics that come and go: many clients create one, one is deleted under load, one is deleted and made again."""

import concurrent.futures
import time

from programs import Failed
from topic import Topic, records

TOPIC_ALREADY_EXISTS = 36
CLIENTS = 20

# What a client may be told whose topic goes away: Kafka's codes 1 (offset out of range), 3 (unknown topic or
# partition), 5 and 6 (no leader), 7 (timed out) and 100 (unknown topic id), and librdkafka's own words for it.
TOLD = {
    *("1", "3", "5", "6", "7", "100"),
    *("-1", "-187", "-188", "-190", "-192", "-140", "KafkaTimeoutError"),
}


def check(suite):
    try:
        if "java" in suite.by_name:
            contest(suite)
        delete_under_load(suite)
        make_again(suite)
    except Failed as failure:
        suite.report.check(("races", "all", "all"), False, str(failure))


def contest(suite):
    """Twenty clients create the same topic: one wins. To be asked whether they could, all are told that they could."""
    java = suite.by_name["java"]
    name = Topic("contest", "x", "x", 1).name
    for validate, wins in ((True, CLIENTS), (False, 1)):
        codes = java.ask("contest", topic=name, clients=CLIENTS, validate=validate)["codes"]
        wanted = wins * [None] + (CLIENTS - wins) * [TOPIC_ALREADY_EXISTS]
        row = "validate-only" if validate else "created"
        ok = sorted(codes, key=str) == sorted(wanted, key=str)
        suite.report.check(("20 clients create one topic", row, "java"), ok, str(codes))


def delete_under_load(suite):
    """Nobody hangs; who writes on makes the topic anew, where the broker creates topics by itself."""
    busy = [program for program in suite.programs if "busy" in program.can]
    deleting = suite.by_name.get("kafka-tools") or suite.by_name.get("mini-broker")
    if not busy or not deleting:
        return
    name = Topic("doomed", "x", "x", 1).name
    deleting.ask("create", topic=name, partitions=1, configs={})
    suite.settle()
    with concurrent.futures.ThreadPoolExecutor(len(busy)) as pool:
        told = [pool.submit(program.ask, "busy", topic=name, seconds=3) for program in busy]
        time.sleep(1.5)
        flags = ["--delete", "--topic", name]
        deleted = deleting.ask("command", command="topics", arguments=flags)
        for program, one in zip(busy, told):
            where = ("topic deleted under load", "ends in time, with Kafka's words", program.name)
            try:
                answer = one.result()
                words = set(answer["codes"]) - TOLD
                ok = answer["written"] and answer["read"] and not words
                suite.report.check(where, ok, str(answer))
            except Failed as failure:
                suite.report.check(where, False, str(failure))
    where = ("topic deleted under load", "is deleted", deleting.name)
    suite.report.check(where, deleted["status"] == 0, str(deleted))


def make_again(suite):
    """A topic that is deleted and made again holds only what was written after that."""
    writer = suite.by_name.get("java") or suite.by_name.get("confluent")
    deleting = suite.by_name.get("kafka-tools") or suite.by_name.get("mini-broker")
    if not writer or not deleting:
        return
    old = records(Topic("old", "x", "x", 1), writer.can)

    def write_old(name):
        writer.ask("create", topic=name, partitions=1, configs={})
        suite.settle()
        writer.ask("produce", topic=name, codec="none", acks="all", records=old)

    def delete(name):
        deleting.ask("command", command="topics", arguments=["--delete", "--topic", name])

    def see(what, ok, detail):
        suite.report.check(("topic deleted and made again", what, writer.name), ok, detail)

    again = Topic(writer.name, "none", "all", 1)
    again.name = f"again-{again.name}"
    for _ in range(2):
        write_old(again.name)
        delete(again.name)
    # Written right away, and after a kill read once more with all other topics.
    suite.write(again, writer)
    for reader in [program for program in suite.programs if "read" in program.can]:
        for ok, detail in suite.read(reader, again):
            where = ("topic deleted and made again", "only new records", reader.name)
            suite.report.check(where, ok, detail)
    if not suite.broker:
        return

    doomed = f"killed-{again.name}"
    write_old(doomed)

    def stays_deleted():
        see("after kill -9", doomed not in writer.ask("topics")["topics"], f"{doomed} is back")
        writer.ask("create", topic=doomed, partitions=1, configs={})
        ends = writer.ask("ends", topic=doomed)["ends"]
        see("after kill -9", ends == [0], f"it ends at {ends}")
        writer.ask("produce", topic=doomed, codec="none", acks="all", records=old[:1])
        read = {"topic": doomed, "partition": 0, "at": {}, "count": 1}
        got = writer.ask("read", **read)["records"]
        see("after kill -9", got == [[0, *old[0]]], got)

    suite.before_kill.append(lambda: delete(doomed))
    suite.after_kill.append(stays_deleted)

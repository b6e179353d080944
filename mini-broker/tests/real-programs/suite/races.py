"""Several clients at once: many create one topic, and one deletes a topic that others write and read."""

import concurrent.futures
import time

from programs import Failed
from topic import Topic

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

"""The rounds: a kind of death, and what has to hold again before the next one."""

import itertools
import random
import time
from collections import namedtuple
from dataclasses import dataclass

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

import check
import clients
import wire
from clusters import BROKERS, COORDINATOR

PARTITIONS = 3
SESSION_TIMEOUT_S = 9  # broker.session.timeout.ms, as Kafka comes
AGAIN_WITHIN_S = 45
WHOLE_WITHIN_S = 90
READ_WITHIN_S = 20

# Who is hit (of the coordinator, a partition's leader and its two other brokers), what is done to it, and for
# how long: until the partition takes acks=all again, or between two numbers of seconds.
Kind = namedtuple("Kind", "victims act away_s")
UNTIL_TAKEN_AGAIN = None
LONGER_THAN_A_SESSION = (SESSION_TIMEOUT_S + 1, SESSION_TIMEOUT_S + 4)
KINDS = {
    "leader": Kind(lambda chance, leader, others: [leader], "kill", UNTIL_TAKEN_AGAIN),
    "follower": Kind(lambda chance, leader, others: others[:1], "kill", UNTIL_TAKEN_AGAIN),
    "coordinator": Kind(lambda chance, leader, others: [COORDINATOR], "kill", (1, 5)),
    "two": Kind(
        lambda chance, leader, others: chance.choice([[leader, others[0]], others]),
        "kill",
        (1, SESSION_TIMEOUT_S + 3),
    ),
    "coordinator-and-leader": Kind(
        lambda chance, leader, others: [COORDINATOR, leader], "kill", (1, 5)
    ),
    "everybody": Kind(
        lambda chance, leader, others: [COORDINATOR, leader, *others], "kill", (0.1, 2)
    ),
    "hung-leader": Kind(lambda chance, leader, others: [leader], "hang", LONGER_THAN_A_SESSION),
    "hung-follower": Kind(lambda chance, leader, others: others[:1], "hang", LONGER_THAN_A_SESSION),
    "clean": Kind(lambda chance, leader, others: [leader], "stop", UNTIL_TAKEN_AGAIN),
}


class Failed(Exception):
    """A round did not end as it has to."""


@dataclass
class Round:
    kind: str
    began: float  # in the producer's time: seconds since 1970
    away_s: float  # how long the victim was dead or hung
    stopped_s: float  # how long the partition took no acks=all
    waited_s: float  # the producer's longest wait for an acknowledgement of that partition
    whole_s: float  # from the victim's return until all in-sync sets were whole


class Rounds:
    def __init__(self, cluster, topic, seed, say):
        self.cluster, self.topic, self.seed, self.say = cluster, topic, seed, say
        self.producer = self.reader = self.probe = None
        self.admin = AdminClient(
            {"bootstrap.servers": cluster.address, "socket.timeout.ms": 3000, "log_level": 0}
        )
        self.checked = dict.fromkeys(range(PARTITIONS), 0)

    def create_topic(self):
        """As soon as all three brokers have come."""
        deadline = time.monotonic() + WHOLE_WITHIN_S
        new = NewTopic(self.topic, PARTITIONS, 3, config={"min.insync.replicas": "2"})
        while True:
            try:
                self.admin.create_topics([new])[self.topic].result(10)
                break
            except confluent_kafka.KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self.whole(WHOLE_WITHIN_S)

    def run(self, kind, number):
        """One round. Its draws depend on the seed, the kind and the number, not on rounds before it."""
        chance = random.Random(f"{self.seed} {kind} {number}")
        partition = self.probe.partition = chance.randrange(PARTITIONS)
        time.sleep(chance.uniform(0.5, 1.5))
        leads = self.whole(WHOLE_WITHIN_S)[partition]
        others = [node for node in BROKERS if node != leads.leader]
        chance.shuffle(others)
        rule = KINDS[kind]
        victims = rule.victims(chance, leads.leader, others)
        away = rule.away_s and chance.uniform(*rule.away_s)
        names = ", ".join("coordinator" if v == COORDINATOR else f"broker {v}" for v in victims)
        story = f"partition {partition}, led by {leads.leader} in epoch {leads.epoch}: {rule.act} {names}"
        self.say(f"{kind}:{number} {story}")
        began, told = time.monotonic(), time.time()
        for victim in victims:
            getattr(self.server(victim), rule.act)()
        self.stay_away(rule, began, away)
        returned = time.monotonic()
        for victim in victims:
            server = self.server(victim)
            server.wake() if rule.act == "hang" else server.begin()
        if rule.act != "hang":
            for victim in victims:
                self.server(victim).started()
        self.whole(WHOLE_WITHIN_S)
        whole = time.monotonic()
        if not self.written_since(whole, AGAIN_WITHIN_S):
            raise Failed(f"all is whole, and partition {partition} takes no acks=all")
        self.producer_goes_on(partition, time.time())
        self.all_run()
        done = Round(
            kind,
            told,
            returned - began,
            self.probe.longest_wait(began),
            self.producer.longest_wait(partition, told - 1),
            whole - returned,
        )
        self.say(
            f"    away {done.away_s:.1f} s, stopped {done.stopped_s:.2f} s, whole after {done.whole_s:.1f} s"
        )
        return done

    def server(self, node):
        return self.cluster.coordinator if node == COORDINATOR else self.cluster.brokers[node]

    def stay_away(self, rule, began, away):
        if away is not None:
            time.sleep(max(0, began + away - time.monotonic()))
        elif not self.written_since(began, AGAIN_WITHIN_S):
            raise Failed(f"{AGAIN_WITHIN_S} s later the partition takes no acks=all")
        else:
            time.sleep(0.5)

    def producer_goes_on(self, partition, since):
        """Its clock is the time of day; it may wait for an answer that never comes, and then try again."""
        deadline = time.monotonic() + AGAIN_WITHIN_S
        while not any(sent.ack.partition == partition for sent in self.producer.sent_since(since)):
            if time.monotonic() > deadline:
                raise Failed(f"the producer writes nothing any more to partition {partition}")
            time.sleep(0.02)

    def written_since(self, since, within_s):
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.probe.first_since(since):
                return True
            time.sleep(0.01)
        return False

    def whole(self, within_s):
        """Waits until every broker says that all in-sync sets are whole, and the coordinator takes requests."""
        deadline = time.monotonic() + within_s
        while True:
            said = {node: self.leaders(node) for node in BROKERS}
            agreed = all(one == said[1] for one in said.values())
            sets = [lead.in_sync == list(BROKERS) and lead.leader > 0 for lead in said[1].values()]
            if agreed and len(sets) == PARTITIONS and all(sets) and self.coordinator_answers():
                return said[1]
            if time.monotonic() > deadline:
                raise Failed(f"{within_s} s later the in-sync sets are not whole: {said}")
            time.sleep(0.05)

    def leaders(self, node):
        try:
            return wire.leaders(self.cluster.brokers[node].port, self.topic)
        except (OSError, ValueError):
            return {}

    def coordinator_answers(self):
        """It is asked whether a topic could be made, which only it can say."""
        asked = NewTopic("could-be", 1, 3)
        try:
            made = self.admin.create_topics([asked], validate_only=True, request_timeout=3)
            made["could-be"].result(5)
            return True
        except confluent_kafka.KafkaException:
            return False

    def all_run(self):
        for server in self.cluster.servers:
            if server.process.poll() is not None:
                raise Failed(f"{server.name} has ended with code {server.process.returncode}")

    def compare(self, exact):
        """Reads again what this round added, and compares; `exact`: with acks=all and idempotence."""
        sent, written = list(self.producer.sent), list(self.probe.written)
        starts = self.checked
        stored = clients.read(self.cluster.address, self.topic, starts, READ_WITHIN_S)
        acks = [one.ack for one in sent if one.ack.offset >= starts[one.ack.partition]]
        probed = [one.ack for one in written if one.ack.offset >= starts[one.ack.partition]]
        self.judge(stored, acks, probed, exact)
        self.checked = {p: end(stored[p], starts[p]) for p in stored}

    def judge(self, stored, acks, probed, exact):
        numbers, probes = split(stored)
        wrong = check.compare(probed, probes).all()
        words = []
        if exact:
            wrong += check.compare(acks, numbers).all()
            words += [f"number {n} was given up: {why}" for n, why in self.producer.given_up]
        words += [words for _, _, words in wrong]
        words += self.read_otherwise(stored)
        if words:
            raise Failed("\n".join([f"{len(words)} findings", *words[:20]]))

    def read_otherwise(self, stored):
        """The reader that never stopped has read the same."""
        deadline = time.monotonic() + READ_WITHIN_S
        got = self.reader.got
        last = {p: max(records) for p, records in stored.items() if records}
        while late := [p for p in last if last[p] not in got[p]]:
            if time.monotonic() > deadline:
                at = {p: max(got[p], default=None) for p in late}
                return [f"the consumer stands at {at}, and {last} is there", *self.reader.errors]
            time.sleep(0.05)
        seen = {
            p: {o: got[p][o] for o in range(min(stored[p]), last[p] + 1) if o in got[p]}
            for p in last
        }
        return [*check.changed(seen, stored), *self.reader.errors]

    def same_files(self):
        """Nobody writes any more: the three brokers have the same bytes in their files."""
        deadline = time.monotonic() + READ_WITHIN_S
        for partition in range(PARTITIONS):
            while len(set(logs := [self.bytes(node, partition) for node in BROKERS])) > 1:
                if time.monotonic() > deadline:
                    first = min(map(first_difference, itertools.combinations(logs, 2)))
                    lengths = dict(zip(BROKERS, map(len, logs)))
                    raise Failed(
                        f"the files of partition {partition} differ from byte {first} on; their lengths: {lengths}"
                    )
                time.sleep(0.2)

    def bytes(self, node, partition):
        folder = self.cluster.brokers[node].data_dir / f"{self.topic}-{partition}"
        return b"".join(file.read_bytes() for file in sorted(folder.glob("*.log")))


def first_difference(pair):
    if pair[0] == pair[1]:
        return float("inf")
    at = next((n for n, (a, b) in enumerate(zip(*pair)) if a != b), None)
    return min(map(len, pair)) if at is None else at


def end(records, start):
    return max(records, default=start - 1) + 1


def split(stored):
    """The producer's numbers and the probe's, for each partition [(offset, number), …]."""
    numbers, probes = {}, {}
    for partition, records in stored.items():
        numbers[partition], probes[partition] = [], []
        for offset, value in sorted(records.items()):
            if value.startswith("probe "):
                probes[partition].append((offset, int(value[6:])))
            else:
                numbers[partition].append((offset, int(value)))
    return numbers, probes

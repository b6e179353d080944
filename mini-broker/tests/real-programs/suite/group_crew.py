"""A crew: the members of one group, of whatever programs, and what they hold and have read."""

import threading
import time
from collections import Counter

from group_members import LONG_SESSION_MS, MADE
from programs import Failed

PATIENCE_S = 60
ASK_EVERY_S = 0.2


class Scenarios:
    """Checks of groups that go into one table."""

    TABLE = None

    def __init__(self, groups):
        self.groups = groups

    def see(self, row, column, ok, detail=""):
        self.groups.suite.report.check((self.TABLE, row, column), ok, detail)


class Crew:
    """The members of one group."""

    def __init__(self, suite, group, topics):
        self.suite, self.group = suite, group
        self.topics = topics
        self.partitions = {(topic, n) for topic, count in topics.items() for n in range(count)}
        self.members = []
        self.missing = []
        self.changed = threading.Condition()
        self.asked_at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.end()

    def start(self, program, **more):
        name = f"{self.group}-{len(self.members) + 1}-{program}"
        settings = {
            "broker": self.suite.address,
            "client": name,
            "group": self.group,
            "topics": list(self.topics),
            "assignor": "range",
            "instance": None,
            "reset": "earliest",
            "session_ms": LONG_SESSION_MS,
            "commit": "often",
            **more,
        }
        member = MADE[program](self, program, name, settings, self.suite.work)
        self.members.append(member)
        return member

    @property
    def alive(self):
        return [member for member in self.members if member.alive]

    def until(self, what, true, seconds=PATIENCE_S):
        """Waits until something is true of the members; `true` runs while none of them changes."""
        deadline = time.monotonic() + seconds
        while True:
            self.ask_the_broker()
            with self.changed:
                if true():
                    return
                if time.monotonic() > deadline:
                    raise Failed(f"{self.group}: not within {seconds} s: {what}; {self.state()}")
                self.changed.wait(0.1)

    def state(self):
        held = {member.name: sorted(member.held) for member in self.members if member.alive}
        ended = [member.name for member in self.members if not member.alive]
        failed = [member.failed for member in self.members if member.failed]
        told = f"held: {held}, ended: {ended}, failed: {failed}"
        return f"{told}, not read: {self.missing[:10]}" if self.missing else told

    def ask_the_broker(self):
        """What those hold who do not tell it."""
        silent = [member for member in self.alive if not member.tells]
        if not silent or time.monotonic() - self.asked_at < ASK_EVERY_S:
            return
        self.asked_at = time.monotonic()
        try:
            found = self.suite.describer.ask("describe-group", group=self.group)
        except Failed:
            return  # a broker that is away, or a group that is not there yet
        if found["state"] != "Stable":
            return
        held = {
            client: {tuple(one) for one in partitions} for client, _, partitions in found["members"]
        }
        with self.changed:
            for member in silent:
                member.held = held.get(member.name, set())

    def spread(self):
        """How many partitions each holds, if all are held once; sizes fall."""
        held = [one for member in self.alive for one in member.held]
        if len(held) == len(set(held)) and set(held) == self.partitions:
            return sorted((len(member.held) for member in self.alive), reverse=True)
        return None

    def until_spread(self, members, seconds=PATIENCE_S):
        """Until so many share the partitions as evenly as it goes."""
        wanted = shares(len(self.partitions), members)
        self.until(f"{wanted} partitions each", lambda: self.spread() == wanted, seconds)

    def until_shared(self, seconds=PATIENCE_S):
        """Until every partition is held by exactly one of those who live."""
        self.until("each partition held once", lambda: self.spread() is not None, seconds)

    def until_described(self):
        """Until the broker says of all members what they say of themselves, the idle ones among them."""
        wanted = {member.name: sorted(member.held) for member in self.alive}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self.suite.describer.ask("describe-group", group=self.group)
            held = {client: sorted(map(tuple, one)) for client, _, one in found["members"]}
            if found["state"] == "Stable" and held == wanted:
                return
            if time.monotonic() > deadline:
                raise Failed(f"{self.group} is described as {found}, wanted {wanted}")
            time.sleep(ASK_EVERY_S)

    # What was read.

    def values(self):
        return Counter(value for member in self.members for *_, value in member.records)

    def until_read(self, wanted):
        """Until all of these values were read by somebody, but for what a program is known to swallow."""
        wanted = set(wanted)
        self.until(f"{len(wanted)} values read", lambda: self.is_read(wanted))
        if self.missing:
            gone = ", ".join(self.missing)
            self.suite.report.note(f"groups: committed, and not told by a kcat that ended: {gone}")

    def is_read(self, wanted):
        self.missing = sorted(wanted - set(self.values()))
        swallowed = sum(member.swallows for member in self.members if member.closed)
        return not self.missing or len(self.missing) <= swallowed and self.all_is_committed()

    def all_is_committed(self):
        ask = self.suite.describer.ask
        for topic, count in self.topics.items():
            partitions = [[topic, partition] for partition in range(count)]
            found = ask("committed", group=self.group, partitions=partitions)["offsets"]
            if [offset and offset[0] for offset in found] != ask("ends", topic=topic)["ends"]:
                return False
        return True

    def duplicates(self):
        places = Counter(record[:3] for member in self.members for record in member.records)
        return sum(count - 1 for count in places.values())

    def held_twice(self):
        """Partitions that two members held at the same moment, by the members' own clocks."""
        spans = {}
        for member in self.members:
            if not member.has_clock:
                continue
            since = {}
            for event in member.events:
                if event["event"] == "assigned":
                    since.update((one, event["at"]) for one in event["partitions"])
                elif event["event"] in ("revoked", "lost"):
                    for one in event["partitions"] & set(since):
                        spans.setdefault(one, []).append((since.pop(one), event["at"], member.name))
            end = member.ended_at or int(time.time() * 1000)
            for one, began in since.items():
                spans.setdefault(one, []).append((began, end, member.name))
        return [
            (one, before, after)
            for one, held in spans.items()
            for before, after in zip(sorted(held), sorted(held)[1:])
            if after[0] < before[1]
        ]


def shares(partitions, members):
    """How many partitions each gets."""
    return [partitions // members + (n < partitions % members) for n in range(members)]

"""Consumer groups: every program alone in groups of its own, from its first member to its last.

`check` runs all that concerns groups, most of it at the same time: it waits much, for session timeouts above all.
"""

import concurrent.futures
import socket
import struct
import subprocess
import threading
import time

import group_files
import group_kills
import group_mixes
import group_offsets
import group_static
from group_crew import PATIENCE_S, Crew, shares
from group_members import KINDS, LONG_SESSION_MS, SHORT_SESSION_MS
from programs import Failed
from topic import now_ms

PARTITIONS = 4
JOIN_GROUP, API_VERSIONS = 11, 18
AT_ONCE_S = LONG_SESSION_MS / 1000 - 10
# A session lasts 6 s from the last heartbeat on, and heartbeats are half a second apart, on a busy machine more.
SESSION_AT_LEAST_S = SHORT_SESSION_MS / 1000 / 2
TABLE = "groups"


def offered(address):
    """Whether a broker says that it has groups: whether ApiVersions names JoinGroup."""
    host, port = address.split(",")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 10) as one, one.makefile("rb") as answers:
        one.sendall(struct.pack(">ihhih", 10, API_VERSIONS, 0, 1, -1))
        [length] = struct.unpack(">i", answers.read(4))
        answer = answers.read(length)
    [count] = struct.unpack_from(">i", answer, 6)
    keys = [struct.unpack_from(">h", answer, 10 + 6 * n)[0] for n in range(count)]
    return JOIN_GROUP in keys


def check(suite):
    Groups(suite).run()


class Groups:
    """What all checks of groups have in common."""

    def __init__(self, suite):
        self.suite = suite
        self.stem = f"group{int(time.time() * 1000) % 100_000_000}"
        self.askers = [program for program in suite.programs if "groups" in program.can]
        self.programs = [one.name for one in suite.programs if self.joins(one)]
        if not self.askers:
            self.programs = []
            return
        suite.describer = self.describer = self.askers[0]
        if "java" in suite.by_name:
            suite.describer = self.describer = suite.by_name["java"]
        self.writer = Writer(self.askers[0])
        # The groups with commits that are looked for in the files: {group: [partition, …]}.
        self.committed_groups = {}

    def run(self):
        if not self.programs:
            return
        scenarios = [
            *((self.life, program) for program in self.programs),
            *group_mixes.scenarios(self),
            *group_static.scenarios(self),
            *group_offsets.scenarios(self),
            *group_kills.scenarios(self),
        ]
        try:
            self.all_at_once(scenarios)
            if self.suite.broker:
                group_kills.through_a_kill(self)
        finally:
            self.writer.end()
        if self.suite.data_dir:
            group_files.check(self)

    def all_at_once(self, scenarios):
        with concurrent.futures.ThreadPoolExecutor(len(scenarios)) as pool:
            for done in [pool.submit(self.scenario, *one) for one in scenarios]:
                done.result()

    def scenario(self, act, *who):
        try:
            self.timed(f"{act.__name__} {' '.join(who)}", act, *who)
        except Failed as failure:
            row = act.__name__.replace("_", " ")
            self.see(row, "-".join(who) or "all", False, str(failure))

    def timed(self, what, act, *who):
        began = time.monotonic()
        try:
            return act(*who)
        finally:
            self.suite.time_of(what, time.monotonic() - began)

    def joins(self, program):
        """Whether it can be a member of a group; our own command could not always."""
        if program.name != "mini-broker":
            return program.name in KINDS
        words = [self.suite.binary, "consume", "--help"]
        return b"--group" in subprocess.run(words, capture_output=True).stdout

    def see(self, row, column, ok, detail=""):
        return self.suite.report.check((TABLE, row, column), ok, detail)

    def topic(self, name, partitions=PARTITIONS):
        topic = f"{self.stem}-{name}"
        self.askers[0].ask("create", topic=topic, partitions=partitions, configs={})
        # A topic is said to be made a little before every broker knows it, and kcat ends if it does not.
        deadline = time.monotonic() + PATIENCE_S
        while not self.knows(topic, partitions):
            if time.monotonic() > deadline:
                raise Failed(f"{topic} is not there {PATIENCE_S} s after it was made")
            time.sleep(0.1)
        return topic

    def knows(self, topic, partitions):
        try:
            return len(self.ends(topic)) == partitions
        except Failed:
            return False

    def crew(self, name, *topics, partitions=PARTITIONS):
        return Crew(self.suite, f"{self.stem}-{name}", {topic: partitions for topic in topics})

    def committed(self, group, partitions, asker=None):
        asked = [list(one) for one in partitions]
        found = (asker or self.describer).ask("committed", group=group, partitions=asked)["offsets"]
        return {one: offset and offset[0] for one, offset in zip(partitions, found)}

    def ends(self, topic):
        found = self.describer.ask("ends", topic=topic)["ends"]
        return {(topic, partition): end for partition, end in enumerate(found)}

    # One program alone.

    def life(self, program):
        topic = self.topic(program)
        self.writer.write(topic, 200)
        with self.crew(program, topic) as crew:
            self.read_and_resume(program, topic, crew)
            self.writer.keep_on(topic)
            doomed = self.spread_one_by_one(program, crew)
            self.close_one(program, crew, doomed)
            self.kill_one(program, crew, doomed)
            self.writer.stop(topic)
            crew.until_read(self.writer.written[topic])
            self.see("nothing is lost", program, True)
            for member in crew.alive:
                member.close()
            twice = crew.held_twice()
            self.see("each partition has one reader", program, not twice, str(twice[:3]))
            found = self.committed(crew.group, sorted(crew.partitions))
            wanted = self.ends(topic)
            self.see("commits when it ends", program, found == wanted, f"{found}, ends {wanted}")
            state = self.describer.ask("describe-group", group=crew.group)["state"]
            self.see("leaves an empty group", program, state == "Empty", state)
            self.committed_groups[crew.group] = sorted(crew.partitions)
            self.note_duplicates(program, crew)
        self.second_group(program, topic, found)

    def assignor(self, program):
        """kafkajs has one of its own, which no one else has."""
        return "roundrobin" if program == "kafkajs" else "range"

    def read_and_resume(self, program, topic, crew):
        first = crew.start(program, assignor=self.assignor(program))
        crew.until_spread(1)
        crew.until_read(self.writer.written[topic])
        ok = crew.duplicates() == 0
        self.see("one member reads all once", program, ok, f"{crew.duplicates()} twice")
        first.close()
        ends = self.ends(topic)
        found = self.committed(crew.group, sorted(crew.partitions))
        self.see("commits when it ends", program, found == ends, f"{found}, ends {ends}")
        self.writer.write(topic, 100)
        again = crew.start(program, assignor=self.assignor(program))
        crew.until_read(self.writer.written[topic])
        at = {one: (again.seen(one) or [None])[0] for one in crew.partitions}
        ok = at == ends and crew.duplicates() == 0
        self.see("resumes at its commit", program, ok, f"at {at}, committed {ends}")

    def spread_one_by_one(self, program, crew):
        assignor = self.assignor(program)
        crew.until_spread(1)
        # This one will be killed: its session is short, and it has read more than it has committed.
        doomed = crew.start(
            program, assignor=assignor, session_ms=SHORT_SESSION_MS, commit="seldom"
        )
        # In all there are five; but Java's programs start slowly, and are the same consumer.
        quick = self.suite.options.quick and program in ("java", "kafka-tools")
        for members in range(2, 4 if quick else 6):
            if members > 2:
                crew.start(program, assignor=assignor)
            crew.until_spread(members)
            crew.until_described()
            row = f"{members} members: {'-'.join(map(str, shares(PARTITIONS, members)))}"
            self.see(row, program, True)
        return doomed

    def close_one(self, program, crew, doomed):
        leaving = next(one for one in crew.alive if one.held and one is not doomed)
        leaving.close()
        crew.until_spread(len(crew.alive), seconds=AT_ONCE_S)
        self.see("a clean close: moved at once", program, True)

    def kill_one(self, program, crew, doomed):
        before = len(doomed.records)
        crew.until("the doomed reads on", lambda: len(doomed.records) >= before + 3)
        orphans = sorted(doomed.held)
        committed = self.committed(crew.group, orphans)
        doomed.kill()
        killed = time.monotonic()
        with crew.changed:
            read = {member: len(member.records) for member in crew.alive}
        crew.until_spread(len(crew.alive))
        took = time.monotonic() - killed
        row = "kill -9: moved after its session"
        self.see(row, program, took >= SESSION_AT_LEAST_S, f"{took:.1f} s")

        def heirs():
            """Who took a partition over begins here."""
            new = [one for member, count in read.items() for one in member.records[count:]]
            return {one: [r[2] for r in new if r[:2] == one][:1] for one in orphans}

        crew.until("the partitions of the killed are read", lambda: all(heirs().values()))
        wanted = {one: [offset or 0] for one, offset in committed.items()}
        self.see(
            "the next begins at its last commit",
            program,
            heirs() == wanted,
            f"{heirs()}, wanted {wanted}",
        )

    def note_duplicates(self, program, crew):
        read = sum(len(member.records) for member in crew.members)
        note = f"groups: {program}: {read} records read, {crew.duplicates()} of them again"
        self.suite.report.note(note)

    def second_group(self, program, topic, committed):
        """Another group, of another program, reads the same topic: neither knows of the other."""
        order = self.programs
        other = order[(order.index(program) + 1) % len(order)]
        with self.crew(f"{program}-second", topic) as crew:
            crew.start(other, assignor=self.assignor(other))
            crew.until_read(self.writer.written[topic])
            twice = crew.duplicates()
            self.see("a second group reads all once", other, twice == 0, f"{twice} twice")
            crew.members[0].close()
        found = self.committed(f"{self.stem}-{program}", sorted(crew.partitions))
        ok = found == committed
        self.see("a second group changes nothing", program, ok, f"{found}, was {committed}")


class Writer:
    """Writes numbered values into topics; it knows which were acknowledged."""

    PAUSE_S, AT_A_TIME = 0.5, 12

    def __init__(self, program):
        self.program = program
        self.written, self.count, self.busy = {}, {}, []
        self.ending = threading.Event()
        self.lock = threading.Lock()  # held while what is kept busy is written to
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def write(self, topic, count):
        """Writes so many; what is not acknowledged is never written again."""
        first = self.count.get(topic, 0)
        self.count[topic] = first + count
        values = [f"{topic} {n}" for n in range(first, first + count)]
        made = [[now_ms(), f"key {first + n}", value, []] for n, value in enumerate(values)]
        request = {"codec": "default", "acks": "idempotent", "records": made}
        if "idempotent" not in self.program.can:
            request["acks"] = "all"
        self.program.ask("produce", topic=topic, **request)
        self.written.setdefault(topic, []).extend(values)

    def keep_on(self, topic):
        self.busy.append(topic)

    def stop(self, topic):
        with self.lock:
            self.busy.remove(topic)

    def run(self):
        while not self.ending.wait(self.PAUSE_S):
            for topic in list(self.busy):
                with self.lock:
                    self.write_on(topic)

    def write_on(self, topic):
        try:
            if topic in self.busy:
                self.write(topic, self.AT_A_TIME)
        except Failed:
            pass  # a broker that is away

    def end(self):
        self.ending.set()
        self.thread.join()

"""Groups through kills: of members, again and again, and of the broker that coordinates them."""

import concurrent.futures
import contextlib

from group_crew import Scenarios
from group_members import LONG_SESSION_MS, SHORT_SESSION_MS
from programs import Failed

# Who joins again though its session lasts: kafkajs whenever its coordinator dies; Java's consumer when it can reach no broker
# at all, because it then forgets all partitions (`metadata.recovery.strategy=rebootstrap`).
JOINS_AGAIN = ("kafkajs", "java", "verifiable")
MOVES = ("assigned", "revoked", "lost")


def scenarios(groups):
    return [(Kills(groups).of_members,)] if "java" in groups.programs else []


class Kills(Scenarios):
    TABLE = "groups through kills"

    def of_members(self):
        """Kafka's VerifiableConsumer, of which one after the other is killed and another one comes."""
        groups = self.groups
        topic = groups.topic("verifiable")
        kills = 1 if groups.suite.options.quick else 4
        with groups.crew("verifiable", topic) as crew:
            for _ in range(3):
                crew.start("verifiable", session_ms=SHORT_SESSION_MS)
            groups.writer.keep_on(topic)
            crew.until_spread(3)
            for _ in range(kills):
                victim = next(member for member in crew.alive if member.held)
                count = len(victim.records)
                crew.until("the victim reads", lambda: len(victim.records) > count + 5)
                victim.kill()
                crew.start("verifiable", session_ms=SHORT_SESSION_MS)
                crew.until_spread(3)
            groups.writer.stop(topic)
            crew.until_read(groups.writer.written[topic])
            self.see("members killed: nothing is lost", "verifiable", True)
            self.finish(crew, topic, "verifiable")
            note = f"groups: verifiable, {kills} members killed: {crew.duplicates()} records read again"
            groups.suite.report.note(note)

    def finish(self, crew, topic, program):
        """All close; the commits are at the end, and what each read and committed has no gap."""
        for member in crew.alive:
            member.close()
        found = self.groups.committed(crew.group, sorted(crew.partitions))
        ends = self.groups.ends(topic)
        self.see("commits when it ends", program, found == ends, f"{found}, ends {ends}")
        # kafkajs comes back as somebody else, and may hear late that the one it was is given up: it reads on till then.
        if program != "kafkajs":
            twice = crew.held_twice()
            self.see("each partition has one reader", program, not twice, str(twice[:3]))
        if program == "verifiable":
            gaps = [gap for member in crew.members for gap in member.gaps]
            self.see("no gap, and none committed", program, not gaps, str(gaps[:3]))
        self.groups.committed_groups[crew.group] = sorted(crew.partitions)


def through_a_kill(groups):
    """The coordinator of groups that work is killed, and comes back; with three brokers another takes over."""
    # Our own command ends when a broker that it reads from is gone, kcat when all are.
    ends = ("mini-broker", "kcat") if len(groups.suite.broker.brokers) == 1 else ("mini-broker",)
    programs = [program for program in groups.programs if program not in ends]
    if "java" in programs:
        programs.append("verifiable")
    with contextlib.ExitStack() as stack:
        works = [Work(groups, program) for program in programs]
        for work in works:
            stack.enter_context(work.crew)
        groups.timed("kill: begin", together, works, Work.begin)
        works = [work for work in works if work.ok]
        killed = groups.timed("kill", kill, groups, works)
        groups.timed("kill: they go on", together, works, Work.goes_on)
        if killed:
            killed.start()
        groups.timed("kill: finish", together, works, Work.finish)


def together(works, act):
    with concurrent.futures.ThreadPoolExecutor(max(1, len(works))) as pool:
        for done in [pool.submit(work.attempt, act) for work in works]:
            done.result()


def kill(groups, works):
    """Kills the broker and starts it again; of three, one that coordinates a group, which stays dead for now."""
    cluster = groups.suite.broker
    if len(cluster.brokers) == 1:
        cluster.kill()
        cluster.start()
        return None
    asked = groups.describer.ask("describe-group", group=works[0].crew.group)
    victim = cluster.brokers[asked.get("coordinator", 1)]
    victim.kill()
    return victim


class Work(Kills):
    """Two members of one program that read and commit while their coordinator dies."""

    def __init__(self, groups, program):
        super().__init__(groups)
        self.program, self.ok = program, True
        self.topic = groups.topic(f"through-{program}")
        self.crew = groups.crew(f"through-{program}", self.topic)

    def attempt(self, act):
        try:
            self.groups.timed(f"kill: {self.program} {act.__name__}", act, self)
        except Failed as failure:
            self.ok = False
            self.see(
                f"broker killed: {act.__name__.replace('_', ' ')}",
                self.program,
                False,
                str(failure),
            )

    def begin(self):
        assignor = self.groups.assignor(self.program)
        for _ in range(2):
            # kafkajs comes back as somebody else, who has to wait until the one it was is given up.
            session_ms = SHORT_SESSION_MS if self.program == "kafkajs" else LONG_SESSION_MS
            self.crew.start(self.program, assignor=assignor, session_ms=session_ms)
        self.crew.until_spread(2)
        self.groups.writer.keep_on(self.topic)
        self.crew.until("both read", lambda: all(len(one.records) > 5 for one in self.crew.members))
        self.before = self.groups.committed(self.crew.group, sorted(self.crew.partitions))
        self.generations = [member.generation for member in self.crew.members]
        self.told = [len(member.events) for member in self.crew.members]

    def goes_on(self):
        """Some that are written after the kill are read, and all before them."""
        written = self.groups.writer.written[self.topic]
        more = len(written) + 3 * self.groups.writer.AT_A_TIME
        self.crew.until("the writer goes on", lambda: len(written) >= more)
        self.crew.until_read(written[:more])
        self.see("broker killed: they read on", self.program, True)
        found = self.groups.committed(self.crew.group, sorted(self.crew.partitions))
        ok = all((found[one] or 0) >= (offset or 0) for one, offset in self.before.items())
        detail = f"{found}, before {self.before}"
        self.see("broker killed: no commit is lost", self.program, ok, detail)

    def finish(self):
        writer = self.groups.writer
        writer.stop(self.topic)
        self.crew.until_read(writer.written[self.topic])
        self.see("broker killed: nothing is lost", self.program, True)
        self.crew.until_shared()
        self.same_generation()
        super().finish(self.crew, self.topic, self.program)
        again = self.crew.duplicates()
        note = f"groups: {self.program}, broker killed: {again} records read again"
        self.groups.suite.report.note(note)

    def same_generation(self):
        """The group is the one it was: no member joins again."""
        now = [member.generation for member in self.crew.members]
        if None not in now:
            ok = now >= self.generations
            detail = f"{now}, before {self.generations}"
            self.see("broker killed: generations go on", self.program, ok, detail)
        told = [member.events[n:] for member, n in zip(self.crew.members, self.told)]
        moves = [event for events in told for event in events if event["event"] in MOVES]
        suite = self.groups.suite
        alone = len(suite.broker.brokers) == 1
        if alone and suite.options.against:
            return  # Apache Kafka tells of too few partitions at first, and clients join again for it
        if self.program not in (JOINS_AGAIN if alone else JOINS_AGAIN[:1]):
            self.see("broker killed: no rebalance", self.program, not moves, str(moves[:3]))

"""Static members: a group.instance.id outlives the process that carries it."""

import time

from group_crew import Scenarios
from group_members import SHORT_SESSION_MS

FENCED_INSTANCE_ID = 82
PROGRAMS = ("java", "confluent", "kafka-python")


def scenarios(groups):
    static = Static(groups)
    return [(static.instance, program) for program in PROGRAMS if program in groups.programs]


class Static(Scenarios):
    TABLE = "static members"

    def instance(self, program):
        groups = self.groups
        topic = groups.topic(f"static-{program}")
        with groups.crew(f"static-{program}", topic) as crew:
            one = crew.start(program, instance="one")
            crew.until_spread(1)
            two = crew.start(program, instance="two", session_ms=SHORT_SESSION_MS)
            crew.until_spread(2)
            self.described(program, crew)
            one = self.restarts(program, crew, one, two, killed=True)
            if not groups.suite.options.quick:
                one = self.restarts(program, crew, one, two, killed=False)
            self.fenced(program, crew, one)
            self.gone(program, crew, two)

    def described(self, program, crew):
        found = self.groups.describer.ask("describe-group", group=crew.group)["members"]
        instances = sorted(str(instance) for _, instance, _ in found)
        ok = instances == ["one", "two"] or self.groups.describer.name == "kafkajs"
        self.see("is described", program, ok, str(instances))

    def restarts(self, program, crew, one, two, killed):
        """A new process with the same id has the same partitions, and nobody else hears of it."""
        held, told, generation = one.held, len(two.events), one.generation
        if killed:
            one.kill()
        else:
            one.close()
        again = crew.start(program, instance="one")
        crew.until("the same partitions again", lambda: again.held == held)
        self.groups.writer.write(next(iter(crew.topics)), 20)
        crew.until_read(self.groups.writer.written[next(iter(crew.topics))])
        how = "kill -9" if killed else "a clean end"
        ok = len(two.events) == told and again.generation == generation
        detail = f"{two.events[told:]}, generation {again.generation} after {generation}"
        self.see(f"restart after {how}: no rebalance", program, ok, detail)
        return again

    def fenced(self, program, crew, one):
        """Of two processes with one id the older has to go."""
        new = crew.start(program, instance="one")
        crew.until("the older one is fenced", lambda: one.failed)
        ok = one.failed["code"] == FENCED_INSTANCE_ID
        self.see("a second one fences the first", program, ok, str(one.failed))
        crew.until_spread(2)
        self.see("a second one goes on", program, bool(new.held))

    def gone(self, program, crew, two):
        """Who ends is waited for as long as its session lasts: it may come back."""
        began = time.monotonic()
        two.close()
        crew.until_spread(1)
        took = time.monotonic() - began
        ok = took >= SHORT_SESSION_MS / 1000 / 2
        self.see("does not return: moved after its session", program, ok, f"{took:.1f} s")

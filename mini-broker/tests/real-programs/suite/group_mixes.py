"""Different programs in one group, where their assignors agree."""

from group_crew import Scenarios
from group_members import KINDS
from programs import Failed

PARTITIONS = 12
INCONSISTENT_GROUP_PROTOCOL = 23
# Who has an assignor of that name by itself, or is given one as kafkajs is.
WITH = {
    "range": list(KINDS),
    "roundrobin": ["java", "confluent", "kafka-python", "kcat", "mini-broker"],
    "sticky": ["java", "kafka-python", "mini-broker"],
    "cooperative-sticky": ["java", "confluent", "kafka-python", "kcat"],
}


def scenarios(groups):
    mixes = Mixes(groups)
    acts = [(mixes.come_and_go, assignor) for assignor in WITH]
    return [*acts, (mixes.strange_assignor,)] if "kafkajs" in groups.programs else acts


class Mixes(Scenarios):
    TABLE = "groups of several programs"

    def those_with(self, assignor):
        return [program for program in WITH[assignor] if program in self.groups.programs]

    def come_and_go(self, assignor):
        """One after the other comes, and then goes, so that each of them leads the group for a while."""
        programs = self.those_with(assignor)
        if len(programs) < 2:
            return
        groups = self.groups
        topic = groups.topic(f"mixed-{assignor}", PARTITIONS)
        with groups.crew(f"mixed-{assignor}", topic, partitions=PARTITIONS) as crew:
            groups.writer.keep_on(topic)
            for count, program in enumerate(programs, 1):
                crew.start(program, assignor=assignor)
                crew.until_spread(count)
                self.see(f"{assignor}: comes", program, True)
            self.described_alike(assignor, crew)
            for count, program in reversed([*enumerate(programs)]):
                if count == 0:
                    break
                crew.members[len(programs) - 1 - count].close()
                crew.until_spread(count)
                self.see(f"{assignor}: goes", programs[len(programs) - 1 - count], True)
            groups.writer.stop(topic)
            crew.until_read(groups.writer.written[topic])
            self.see(f"{assignor}: nothing is lost", "all", True)
            crew.alive[0].close()
            twice = crew.held_twice()
            self.see(f"{assignor}: each partition has one reader", "all", not twice, str(twice[:3]))
            if assignor == "cooperative-sticky":
                self.kept(crew)
            groups.committed_groups[crew.group] = sorted(crew.partitions)
            again = f"{crew.duplicates()} records read again"
            groups.suite.report.note(f"groups: {assignor}, {len(programs)} programs: {again}")

    def described_alike(self, assignor, crew):
        """Every program that can describe a group says who holds what."""
        wanted = {member.name: sorted(member.held) for member in crew.alive}
        for asker in self.groups.askers:
            try:
                found = asker.ask("describe-group", group=crew.group)
            except Failed as failure:
                self.see(f"{assignor}: describes it", asker.name, False, str(failure))
                continue
            held = {
                client: sorted(map(tuple, partitions)) for client, _, partitions in found["members"]
            }
            ok = held == wanted and (found["state"], found["protocol"]) == ("Stable", assignor)
            detail = f"{found}, wanted {wanted}"
            self.see(f"{assignor}: describes it", asker.name, ok, detail)

    def kept(self, crew):
        """Nobody gives up a partition that it then holds again, with nobody else having had it meanwhile."""
        for member in crew.members:
            if not member.has_clock:
                continue
            gone, back = {}, []
            for event in member.events:
                if event["event"] in ("revoked", "lost"):
                    gone.update((one, event["at"]) for one in event["partitions"])
                elif event["event"] == "assigned":
                    for one in event["partitions"] & set(gone):
                        if not held_by_another(crew, member, one, gone.pop(one), event["at"]):
                            back.append(one)
            row = "cooperative-sticky: keeps what stays"
            self.see(row, member.program, not back, str(back))

    def strange_assignor(self):
        """Who has no assignor in common with the group is told so."""
        groups = self.groups
        other = next(
            (one for one in groups.programs if one not in ("kafkajs", "kafka-tools")), None
        )
        if not other:
            return
        topic = groups.topic("strange")
        with groups.crew("strange", topic) as crew:
            crew.start(other)
            crew.until_spread(1)
            stranger = crew.start("kafkajs", assignor="RoundRobinAssigner")
            crew.until("the stranger is refused", lambda: stranger.failed)
            code = stranger.failed["code"]
            ok = code == INCONSISTENT_GROUP_PROTOCOL
            self.see("no assignor in common: refused", "kafkajs", ok, str(stranger.failed))


def held_by_another(crew, member, partition, since, until):
    return any(
        partition in event["partitions"] and since <= event["at"] <= until
        for other in crew.members
        if other is not member
        for event in other.events
        if event["event"] == "assigned"
    )

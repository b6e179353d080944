"""Committed offsets, as every program reads and writes them; and where a group begins that has none."""

import time

from group_crew import Scenarios
from programs import Failed

UNKNOWN_MEMBER_ID, NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND = 25, 68, 69
NO_OFFSET = {"java": -1, "confluent": -140, "kafka-python": None}
WRITTEN = 60


def scenarios(groups):
    offsets = Offsets(groups)
    resets = [(offsets.resets, program) for program in NO_OFFSET if program in groups.programs]
    return [(offsets.commits,), *resets]


class Offsets(Scenarios):
    TABLE = "committed offsets"

    def commits(self):
        """What one program commits, all read back; a group may be deleted once it has no members."""
        groups = self.groups
        topic = groups.topic("offsets")
        groups.writer.write(topic, WRITTEN)
        ends = groups.ends(topic)
        for asker in groups.askers:
            group = f"{groups.stem}-offsets-{asker.name}"
            wanted = {(topic, n): [ends[topic, n] - n, f"by {asker.name}"] for n in range(2)}
            offsets = [[*where, *offset] for where, offset in wanted.items()]
            codes = asker.ask("commit", group=group, offsets=offsets)["codes"]
            self.see("commits", asker.name, codes == [None, None], str(codes))
            if asker.name == "kafkajs":
                wanted = {where: [offset, ""] for where, [offset, _] in wanted.items()}
            asked = [[topic, n] for n in range(3)]
            for other in groups.askers:
                found = other.ask("committed", group=group, partitions=asked)["offsets"]
                if asker.name == "confluent":
                    # Its metadata ends with a byte 0 that it does not show.
                    found = [one and [one[0], one[1].rstrip("\0")] for one in found]
                # The third was never committed.
                ok = found == [*wanted.values(), None]
                self.see("reads what all committed", other.name, ok, f"{found}, wanted {wanted}")
                listed = group in other.ask("groups")["groups"]
                self.see("lists what all committed", other.name, listed, f"not {group}")
            self.deleted(asker, group, asked)
        self.busy(topic)

    def deleted(self, asker, group, asked):
        codes = asker.ask("delete-groups", groups=[group])["codes"]
        self.see("deletes its group", asker.name, codes == [None], str(codes))
        found = asker.ask("committed", group=group, partitions=asked)["offsets"]
        self.see("deletes its group", asker.name, found == [None] * 3, str(found))
        codes = asker.ask("delete-groups", groups=[group])["codes"]
        self.see("deletes no unknown group", asker.name, codes == [GROUP_ID_NOT_FOUND], str(codes))

    def busy(self, topic):
        """A group with members is neither deleted nor are its offsets set by who is none of them."""
        groups = self.groups
        with groups.crew("busy", topic) as crew:
            crew.start(groups.programs[0])
            crew.until_shared()
            for asker in groups.askers:
                codes = asker.ask("delete-groups", groups=[crew.group])["codes"]
                ok = codes == [NON_EMPTY_GROUP]
                self.see("deletes no group with members", asker.name, ok, str(codes))
                if asker.name == "kafkajs":
                    continue  # it joins the group to set its offsets
                codes = asker.ask("commit", group=crew.group, offsets=[[topic, 0, 0, ""]])["codes"]
                ok = codes == [UNKNOWN_MEMBER_ID]
                self.see("commits for no group with members", asker.name, ok, str(codes))

    def resets(self, program):
        """auto.offset.reset decides where a group begins that has committed nothing, or what is gone."""
        groups = self.groups
        topic = groups.topic(f"resets-{program}", 1)
        groups.writer.write(topic, WRITTEN)
        self.begins(program, topic, "earliest", 0)
        self.begins(program, topic, "earliest", 0, committed=1_000_000)
        self.begins(program, topic, "latest", WRITTEN)
        group = f"reset-none-{program}"
        with groups.crew(group, topic, partitions=1) as crew:
            member = crew.start(program, reset="none")
            crew.until("the member ends", lambda: member.failed)
            ok = member.failed["code"] == NO_OFFSET[program]
            self.see("reset policy none: refused", program, ok, str(member.failed))

    def begins(self, program, topic, policy, wanted, committed=None):
        groups = self.groups
        name = f"reset-{policy}-{committed}-{program}"
        if committed is not None:
            asked = {"group": f"{groups.stem}-{name}", "offsets": [[topic, 0, committed, ""]]}
            groups.describer.ask("commit", **asked)
        with groups.crew(name, topic, partitions=1) as crew:
            member = crew.start(program, reset=policy)
            crew.until_spread(1)
            deadline = time.monotonic() + 30
            while not member.records and time.monotonic() < deadline:
                # Who waits at the end is given something new, until it has found the end.
                if policy == "latest":
                    groups.writer.write(topic, 1)
                crew.until("a moment", lambda: True)
                time.sleep(0.1)
            if not member.records:
                raise Failed(f"{crew.group} reads nothing")
            first = member.records[0][2]
            ok = first >= wanted if policy == "latest" else first == wanted
            row = f"reset policy {policy}" + (f", committed {committed}" if committed else "")
            self.see(row, program, ok, f"begins at {first}, wanted {wanted}")

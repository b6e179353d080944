"""One of Kafka's commands, unmodified, and ours beside it, which must print the same for the same flags."""

import time

from files import first_difference


class Commands:
    """
    `{}` in a flag stands for a stem and for who makes the topic, where each command has topics of its own.
    """

    OURS = "ours"

    def __init__(self, suite, command, table):
        self.suite, self.command, self.table = suite, command, table
        self.kafka = suite.by_name["kafka-tools"]
        self.ours = suite.by_name.get("mini-broker")
        # Names that no other topic of the broker has, nor matches.
        self.stem = f"command{int(time.time() * 1000) % 100_000_000}"

    def named(self, text):
        return text.replace("{}", f"{self.stem}-kafka")

    def say(self, program, *flags):
        arguments = [str(flag) for flag in flags]
        return program.ask("command", command=self.command, arguments=arguments)

    def same(self, row, *flags):
        """Both commands do the very same: the status is 0, what is printed is equal. Returns it."""
        theirs = self.say(self.kafka, *flags)
        self.compare(row, flags, theirs, lambda: self.say(self.ours, *flags))
        return theirs["stdout"]

    def twice(self, row, *flags):
        """Each command changes topics of its own, and both print the same about them."""
        theirs = self.say(self.kafka, *[self.named(str(flag)) for flag in flags])

        def ours():
            mine = [str(flag).replace("{}", f"{self.stem}-{self.OURS}") for flag in flags]
            answer = self.say(self.ours, *mine)
            renamed = answer["stdout"].replace(f"{self.stem}-{self.OURS}", f"{self.stem}-kafka")
            return {**answer, "stdout": renamed}

        self.compare(row, flags, theirs, ours)
        return theirs["stdout"]

    def compare(self, row, flags, theirs, ours):
        said = theirs["stdout"] + theirs["stderr"]
        self.judge(row, "Kafka's", theirs["status"] == 0, f"{flags}: {said}")
        if self.ours:
            ours = ours()
            one, other = self.comparable(theirs["stdout"]), self.comparable(ours["stdout"])
            detail = ours["stderr"] or first_difference(one, other) or repr((one, other))
            self.judge(row, "ours prints the same", one == other, f"{flags}: {detail}")

    def comparable(self, text):
        return text

    def refused(self, *flags):
        """Both end with another status than 0; each may say why in its own words."""
        for column, program in (("Kafka's", self.kafka), ("ours prints the same", self.ours)):
            if program:
                answer = self.say(program, *flags)
                detail = f"{flags} is not refused: {answer['stdout']}"
                self.judge("refusals", column, answer["status"] != 0, detail)

    def see(self, row, ok, got):
        self.judge(row, "Kafka's", ok, f"got {got!r}")

    def judge(self, row, column, ok, detail):
        self.suite.report.check((self.table, row, column), ok, detail)

"""That the checker can fail: a log in which all is well, and then one thing is made wrong in it."""

import unittest

from check import Ack, changed, compare


def log():
    """Ten numbers on two partitions: even ones on 0, odd ones on 1."""
    stored = {p: [(offset, 2 * offset + p) for offset in range(5)] for p in (0, 1)}
    acks = [Ack(number, number % 2, number // 2) for number in range(10)]
    return acks, stored


class Checker(unittest.TestCase):
    def found(self, acks, stored):
        return {name: count for name, count in compare(acks, stored).counts().items() if count}

    def test_nothing_is_wrong(self):
        self.assertEqual(self.found(*log()), {})

    def test_what_was_never_acknowledged_may_be_there_or_not(self):
        acks, stored = log()
        stored[1].append((5, 11))
        self.assertEqual(self.found(acks, stored), {})

    def test_one_is_missing(self):
        acks, stored = log()
        stored[0] = [record for record in stored[0] if record[1] != 4]
        findings = compare(acks, stored)
        words = "number 4, acknowledged at offset 2 of partition 0, is not there"
        self.assertEqual(findings.all(), [(0, 4, words)])

    def test_the_last_is_missing(self):
        acks, stored = log()
        stored[1].pop()
        self.assertEqual(self.found(acks, stored), {"lost": 1})

    def test_one_is_doubled(self):
        acks, stored = log()
        stored[0].append((5, 8))
        findings = compare(acks, stored)
        words = "number 8 stands at offset 4 of partition 0, and again at 5"
        self.assertEqual(findings.all(), [(0, 8, words)])

    def test_one_is_doubled_that_was_never_acknowledged(self):
        acks, stored = log()
        self.assertEqual(self.found(acks[:-1], {**stored, 1: [*stored[1], (5, 9)]}), {"doubled": 1})

    def test_two_are_swapped(self):
        acks, stored = log()
        stored[1][2], stored[1][3] = (2, 7), (3, 5)
        self.assertEqual(self.found(acks, stored), {"out of order": 1, "elsewhere": 2})

    def test_two_are_swapped_and_their_acknowledgements_name_no_offset(self):
        acks, stored = log()
        stored[1][2], stored[1][3] = (2, 7), (3, 5)
        acks = [ack._replace(offset=-1) for ack in acks]
        self.assertEqual(self.found(acks, stored), {"out of order": 1})

    def test_one_is_in_another_partition(self):
        acks, stored = log()
        stored[0].append((5, stored[1].pop()[1]))
        self.assertEqual(self.found(acks, stored), {"elsewhere": 1})

    def test_what_was_read_reads_otherwise_later(self):
        before = {0: {0: "a", 1: "b"}}
        self.assertEqual(changed(before, {0: {0: "a", 1: "b", 2: "c"}}), [])
        self.assertEqual(
            changed(before, {0: {0: "a", 1: "x"}}),
            ["b was read at offset 1 of partition 0, and now x stands there"],
        )
        self.assertEqual(
            changed(before, {0: {0: "a"}}),
            ["b was read at offset 1 of partition 0, and now nothing is there"],
        )


if __name__ == "__main__":
    unittest.main()

"""Compares what was acknowledged with what is stored. It touches neither network nor files."""

from collections import namedtuple

# An acknowledged number. Its offset is -1 where the answer named none (acks=0, or a duplicate).
Ack = namedtuple("Ack", "number partition offset")


class Findings:
    """What is wrong, each as a list: (partition, number, words)."""

    def __init__(self):
        self.lost, self.doubled, self.disordered, self.moved = [], [], [], []

    def all(self):
        return [*self.lost, *self.doubled, *self.disordered, *self.moved]

    def counts(self):
        return {
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "out of order": len(self.disordered),
            "elsewhere": len(self.moved),
        }


def compare(acks, stored):
    """`stored` holds for each partition [(offset, number), …], as a reader got them."""
    findings = Findings()
    places = {}
    for partition, records in stored.items():
        newest = -1
        for offset, number in records:
            if number in places:
                first = "{} of partition {}".format(*reversed(places[number][-1]))
                words = f"number {number} stands at offset {first}, and again at {offset}"
                findings.doubled.append((partition, number, words))
            elif number < newest:
                words = f"number {number} at offset {offset} comes after {newest}"
                findings.disordered.append((partition, number, words))
            places.setdefault(number, []).append((partition, offset))
            newest = max(newest, number)
    for number, partition, offset in acks:
        where = f"number {number}, acknowledged at offset {offset} of partition {partition},"
        found = places.get(number)
        if not found:
            findings.lost.append((partition, number, f"{where} is not there"))
        elif (partition, offset) not in found and (offset >= 0 or partition != found[0][0]):
            words = f"{where} stands at offset {found[0][1]} of partition {found[0][0]}"
            findings.moved.append((partition, number, words))
    return findings


def changed(before, after):
    """What a reader got, and got otherwise or not at all when it read again: [words, …].

    Both hold for each partition {offset: value}; `after` begins no later and is the longer one.
    """
    words = []
    for partition, records in before.items():
        again = after.get(partition, {})
        for offset, value in records.items():
            if again.get(offset) != value:
                now = f"{again[offset]} stands there" if offset in again else "nothing is there"
                words.append(
                    f"{value} was read at offset {offset} of partition {partition}, and now {now}"
                )
    return words

"""Adds to each line of keys.txt the partitions that librdkafka chooses, by writing the keys to a real broker.

    python librdkafka.py BROKER < keys > keys.txt

librdkafka draws a partition by chance for an empty key, so it gets a question mark.
"""

import sys

from confluent_kafka import Producer, libversion
from confluent_kafka.admin import AdminClient, NewTopic

COUNTS = [2, 3, 4, 5, 6, 8, 12, 100]
BROKER = sys.argv[1]

lines = [line.split() for line in sys.stdin]
keys = [b"" if line[0] == "-" else bytes.fromhex(line[0]) for line in lines]
topics = {f"of-{count}": count for count in COUNTS}
admin = AdminClient({"bootstrap.servers": BROKER})
made = admin.create_topics([NewTopic(topic, count, 1) for topic, count in topics.items()])
for future in made.values():
    future.result(30)

found = {}
producer = Producer({"bootstrap.servers": BROKER})
for topic in topics:
    producer.list_topics(topic, timeout=10)
    for key in keys:

        def delivered(error, message, where=(topic, key)):
            assert error is None, error
            found[where] = message.partition()

        producer.produce(topic, value=b"x", key=key, on_delivery=delivered)
    producer.flush(60)

print(f"# key in hex, murmur2, then its partition of {COUNTS}: by kafka-clients 4.1.1; by librdkafka {libversion()[0]}")
for line, key in zip(lines, keys):
    theirs = ",".join(str(found[topic, key]) if key else "?" for topic in topics)
    print(*line, theirs)

"""A member of a group as a process of its own (see README.md): its settings are its argument, its events
JSON lines on stdout. SIGTERM asks it to close as a program should; kill -9 does what it does."""

import json
import signal
import sys
import time

SETTINGS = json.loads(sys.argv[-1])
HEARTBEAT_MS = 500
stopping = False


def stop(*_):
    global stopping
    stopping = True


def goes_on():
    return not stopping


def tell(event, **more):
    print(json.dumps({"event": event, "at": int(time.time() * 1000), **more}), flush=True)


def tell_records(records):
    """What was read, as [topic, partition, offset, value]. It is told before it is committed."""
    if records:
        tell("records", records=records)


signal.signal(signal.SIGTERM, stop)

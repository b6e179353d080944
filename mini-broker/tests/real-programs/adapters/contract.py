"""The adapters' side of the contract (see README.md): one JSON line in, one JSON line out."""

import json
import sys
import traceback

# What a topic is asked to be in the cases where a broker must not create it: partitions, replicas, settings.
REFUSED_TOPICS = {
    "exists": (1, 1, {}),
    "illegal-name": (1, 1, {}),
    "no-partitions": (0, 1, {}),
    "too-many-replicas": (1, 9, {}),
    "unknown-config": (1, 1, {"colour": "red"}),
}


def serve(handlers):
    """Answers each request with the handler named by its "do", until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = handlers[request.pop("do")](**request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def to_bytes(text):
    """Keys and values travel as text, one character a byte (latin-1); null stays null."""
    return None if text is None else text.encode("latin-1")


def to_text(data):
    return None if data is None else bytes(data).decode("latin-1")

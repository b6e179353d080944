"""Our own commands, `mini-broker topics|produce|consume|offsets`: they speak to any Kafka broker.

The path of the program follows this script's name.
"""

import functools
import subprocess
import sys

import console
from contract import serve

BROKER = None
PROGRAM = sys.argv[1]


def run(command, *arguments, stdin=""):
    answer = command_line(command, map(str, arguments), stdin)
    if answer["status"] != 0:
        raise RuntimeError(f"{command}: {answer['stderr']}".strip())
    return answer["stdout"]


def command_line(command, arguments, stdin=""):
    """Runs one command as it is; returns its status, stdout and stderr."""
    words = [PROGRAM, command, "--bootstrap-server", BROKER, *arguments]
    done = subprocess.run(words, input=stdin.encode("latin-1"), capture_output=True, timeout=60)
    return {
        "status": done.returncode,
        "stdout": done.stdout.decode("latin-1"),
        "stderr": done.stderr.decode("latin-1"),
    }


def hello(broker, groups=False):
    global BROKER
    BROKER = broker
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "program": f"{version}: topics, produce, consume, offsets",
        "can": ["create", "produce", "read", "find", "headers", "binary", "command"],
    }


handlers = {"hello": hello, "command": command_line}
for name in ("create", "topics", "produce", "read", "find", "ends"):
    handlers[name] = functools.partial(getattr(console, name), run)
serve(handlers)

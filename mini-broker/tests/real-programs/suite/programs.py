"""The programs under test: how each adapter is started, and how one talks to it."""

import concurrent.futures
import json
import os
import subprocess
import sys
import threading

import install
from install import HERE

TIME_LIMIT_S = 90


class Failed(Exception):
    """The program answered with an error, or not in time."""


class Program:
    """One adapter process that lives as long as the suite: one JSON line in, one out."""

    def __init__(self, name, command, log_dir, env=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.env = {**os.environ, **(env or {})}
        self.log = open(log_dir / f"{name}.log", "w")
        self.process = None
        self.can = []
        # Checks that run at the same time may share a program: one request at a time.
        self.lock = threading.Lock()

    def start(self, broker, groups):
        self.broker, self.groups = broker, groups
        with self.lock:
            self.launch()

    def launch(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=self.env,
            text=True,
        )
        hello = self.talk("hello", {"broker": self.broker, "groups": self.groups})
        self.title, self.can = hello["program"], hello["can"]

    def ask(self, what, **request):
        with self.lock:
            if self.process.poll() is not None:
                self.launch()
            return self.talk(what, request)

    def talk(self, what, request):
        late = threading.Timer(TIME_LIMIT_S, self.process.kill)
        late.start()
        try:
            print(json.dumps({"do": what, **request}), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line:
            self.process.wait()
            raise Failed(f"no answer to {what!r}; see {self.log.name}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def each(items, act):
    """Acts on all items at the same time; each program works in its own process."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(items))) as pool:
        for done in [pool.submit(act, item) for item in items]:
            done.result()


def programs(names, log_dir, mini_broker):
    """Installs what the named programs need and returns them, not yet started."""
    adapters = HERE / "adapters"
    made = []
    for name in names:
        env = None
        if name == "kcat":
            install.kcat()
            command = [sys.executable, adapters / "kcat.py"]
        elif name in ("confluent", "kafka-python"):
            command = [install.python(), adapters / f"{name.replace('-', '_')}.py"]
        elif name == "kafkajs":
            env = {"NODE_PATH": str(install.node())}
            command = ["node", adapters / "kafkajs.js"]
        elif name == "java":
            command = [*java(), "Adapter"]
        elif name == "kafka-tools":
            command = [
                sys.executable,
                adapters / "kafka_tools.py",
                *java(),
                "Tools",
            ]
        elif name == "mini-broker":
            command = [sys.executable, adapters / "mini_broker.py", mini_broker]
        else:
            raise install.Missing(f"no program is called {name}; there are: {', '.join(ALL)}")
        made.append(Program(name, command, log_dir, env))
    return made


def java():
    """How a Java program of Kafka's or ours is started: its class and arguments follow."""
    programs = install.java_classes()
    # Short-lived, on few cores: the simpler compiler and collector cost less than they save.
    return [
        "java",
        "-Xmx256m",
        *install.QUIET_JAVA,
        "-XX:TieredStopAtLevel=1",
        f"-XX:SharedArchiveFile={programs.parent}/loaded.jsa",
        "-cp",
        f"{install.kafka_jars()}:{programs}",
    ]


ALL = ["kcat", "confluent", "kafka-python", "kafkajs", "java", "kafka-tools", "mini-broker"]

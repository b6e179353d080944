"""The mini broker as processes: built, started on free ports, killed, started again, stopped."""

import json
import os
import random
import signal
import socket
import subprocess
import time

from install import HERE

ROOT = HERE.parent.parent.parent


def build_options(parser):
    parser.add_argument("--broker", metavar="PATH", help="a mini-broker that is already built")
    parser.add_argument(
        "--features",
        metavar="F",
        help="cargo features to build it with, lab-offset-log for instance",
    )
    parser.add_argument(
        "--mine",
        dest="features",
        metavar="LABS",
        nargs="?",
        const="all",
        type=features_of,
        help="build it with your labs, offset-log,partitions for instance; without a name with all of them",
    )
    parser.add_argument("--release", action="store_true", help="build it with --release")


def features_of(labs):
    """The cargo features that put the named labs into the broker."""
    return "labs" if labs == "all" else ",".join(f"lab-{lab}" for lab in labs.split(","))


def build(features, release):
    """Builds the broker with cargo and returns the path of its binary."""
    command = [
        "cargo",
        "build",
        "-p",
        "mini-broker",
        "--bin",
        "mini-broker",
        "--message-format=json-render-diagnostics",
    ]
    if release:
        command.append("--release")
    if features:
        command += ["--features", features]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit("the broker does not build")
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            return message["executable"]
    raise SystemExit("cargo named no binary")


class Server:
    """A process that listens on a port of 127.0.0.1, and comes back to that port after a kill.

    What it runs is its subclass's `command`; it has begun when `listens` says so.
    """

    START_WITHIN_S = 10
    STOP_WITHIN_S = 10

    def __init__(self, name, work):
        self.name = name
        self.data_dir = work / name
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = open(work / f"{name}.log", "w")
        self.process = None

    def begin(self):
        words = [str(word) for word in self.command()]
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log)
        self.began = time.monotonic()

    def started(self):
        """Waits until it listens."""
        while not self.listens():
            late = time.monotonic() - self.began > self.START_WITHIN_S
            if late or self.process.poll() is not None:
                raise SystemExit(f"{self.name} did not start; see {self.log.name}")
            time.sleep(0.01)

    def start(self):
        self.begin()
        self.started()
        return self.address

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hang(self):
        """Stops it without ending it. On a busy machine some of its threads run on for a while after the signal."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """Stops it the polite way and returns its exit code, or None if it had to be killed."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(self.STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


class MiniBroker(Server):
    """`mini-broker serve`, or `mini-broker coordinator`."""

    def __init__(self, binary, work, name, command, *flags):
        super().__init__(name, work)
        self.binary, self.flags = binary, flags
        self.port_file = work / f"{name}.port"
        self.words = [command, *flags]

    def command(self):
        self.port_file.unlink(missing_ok=True)
        places = ["--listen", self.address, "--port-file", self.port_file]
        return [self.binary, *self.words, *places, "--data-dir", self.data_dir]

    def listens(self):
        return self.port_file.exists() and self.port_file.read_text().strip()


class Cluster:
    """A broker with its own coordinator; or a coordinator and several brokers, each a process."""

    def __init__(self, binary, work, brokers=1, settings=()):
        self.binary = binary
        sets = [word for setting in settings for word in ("--set", setting)]
        self.coordinator = None
        if brokers == 1:
            self.brokers = {1: MiniBroker(binary, work, "broker", "serve", *sets)}
            return
        self.coordinator = MiniBroker(binary, work, "coordinator", "coordinator", *sets)
        found = ["--coordinator", self.coordinator.address]
        self.brokers = {
            node: MiniBroker(
                binary, work, f"broker-{node}", "serve", "--node-id", node, *found, *sets
            )
            for node in range(1, brokers + 1)
        }

    @property
    def servers(self):
        return (
            [self.coordinator, *self.brokers.values()]
            if self.coordinator
            else [*self.brokers.values()]
        )

    @property
    def address(self):
        return ",".join(broker.address for broker in self.brokers.values())

    def start(self):
        for server in self.servers:
            server.begin()
        for server in self.servers:
            server.started()
        return self.address

    def kill(self):
        for server in self.servers:
            server.kill()

    def stop(self):
        """Stops the brokers, then the coordinator; 0 if all of them stopped cleanly."""
        codes = [server.stop() for server in reversed(self.servers)]
        return next((code for code in codes if code != 0), 0)


def free_port():
    """A port that is free, and stays so while its server is dead.

    It is not one of those that Linux gives to clients (32768 and up): a client that tries a dead server
    there again and again is given the server's own port some day, and then talks to itself.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue

"""The mini broker as a process: built, started on a free port, killed, started again, stopped."""

import json
import signal
import subprocess
import time

from install import HERE

ROOT = HERE.parent.parent.parent


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


# What is old, or has a newer one of its key, is looked for often, or the checks would wait for minutes.
SETTINGS = ["log.retention.check.interval.ms=500", "log.cleaner.backoff.ms=200"]


class Broker:
    def __init__(self, binary, work):
        self.binary = binary
        self.data_dir = work / "data"
        self.port_file = work / "port"
        self.log = open(work / "broker.log", "w")
        self.process = None
        self.port = None

    def start(self):
        """Starts on a free port, or after a kill again on the same one, so that clients find it."""
        self.port_file.unlink(missing_ok=True)
        listen = f"127.0.0.1:{self.port or 0}"
        self.process = subprocess.Popen(
            [
                self.binary,
                "serve",
                "--listen",
                listen,
                "--port-file",
                self.port_file,
                "--data-dir",
                self.data_dir,
                *[word for setting in SETTINGS for word in ("--set", setting)],
            ],
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + 10
        while not (self.port_file.exists() and self.port_file.read_text().strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the broker did not start; see {self.log.name}")
            time.sleep(0.01)
        self.port = int(self.port_file.read_text())
        return f"127.0.0.1:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Stops it the polite way and returns its exit code, or None if it had to be killed."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

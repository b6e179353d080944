"""A broker with its dashboard, and programs beside it: started, asked, stopped."""

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

from broker import MiniBroker, free_port

HERE = "127.0.0.1"


class Place:
    """Where one check works."""

    def __init__(self, binary, work, report, shots):
        self.binary, self.work, self.report, self.shots = binary, work, report, shots
        self.work.mkdir(parents=True)
        self.running = []
        self.broker = None

    def see(self, *where, ok, detail=""):
        self.report.check(where, ok, detail)

    def start_broker(self, *flags, brokers=1):
        """A process with so many brokers; `self.http` is its dashboard."""
        self.http = f"{HERE}:{free_port()}"
        several = ["--brokers", str(brokers)] if brokers > 1 else []
        sets = ["--set", "group.initial.rebalance.delay.ms=0"]
        self.broker = MiniBroker(
            self.binary, self.work, "broker", "serve", "--http", self.http, *several, *sets, *flags
        )
        self.broker.start()
        self.address = self.broker.address
        return self.address

    def begin(self, name, *command, stdin=subprocess.DEVNULL, **options):
        """A program that runs beside the others; its output goes to a file of its name."""
        log = open(self.work / f"{name}.log", "w")
        words = [str(word) for word in command]
        process = subprocess.Popen(words, stdin=stdin, stdout=log, stderr=log, **options)
        self.running.append(process)
        return process

    def ours(self, command, *flags, input=None):
        """One of our commands, which must go well; what it prints."""
        words = [self.binary, command, "--bootstrap-server", self.address, *[str(f) for f in flags]]
        done = subprocess.run(words, input=input, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: {done.stderr}")
        return done.stdout

    def producer(self, topic, rate):
        """Messages at a rate, until the returned function is called."""
        process = self.begin(f"producer-{topic}", self.binary, "produce", "--bootstrap-server", self.address, "--topic", topic, stdin=subprocess.PIPE)
        ends = threading.Event()

        def send():
            number = 0
            began = time.monotonic()
            while not ends.is_set():
                due = int((time.monotonic() - began) * rate)
                for number in range(number, due):
                    process.stdin.write(f"{number}\n".encode())
                process.stdin.flush()
                number = due
                time.sleep(0.05)
            process.stdin.close()
            process.wait()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()

        def stop():
            ends.set()
            thread.join()

        return stop

    def consumer(self, topic, group):
        """A member of a group that commits once a second."""
        return self.begin(
            f"consumer-{group}", self.binary, "consume", "--bootstrap-server", self.address, "--topic", topic,
            "--group", group, "--from-beginning", "--consumer-property", "auto.commit.interval.ms=1000",
        )

    def commit(self, group, topic, partition, offset):
        """A commit by somebody who is no member."""
        self.ours(
            "groups", "--group", group, "--topic", f"{topic}:{partition}", "--reset-offsets",
            "--to-offset", offset, "--execute",
        )

    def stop(self):
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.broker:
            self.broker.stop()


def get(address, path):
    """Status and body; 0 and nothing if nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def get_json(address, path):
    status, body = get(address, path)
    return json.loads(body) if body else {"status": status}


def eventually(look, seconds=30):
    """What `look` gives once it gives something; None if it does not in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    return None

"""The dashboard in a real browser: every page and every action, on a projector, a phone and in the dark, by keyboard, and
after a sleep."""

import os
import subprocess
import sys
from pathlib import Path

from install import need, python

PINS = Path(__file__).resolve().parent / "requirements.txt"


def check(place):
    need("chromium", "chromium")
    need("chromedriver", "chromium-driver")
    place.start_broker(brokers=3)
    place.ours("topics", "--create", "--topic", "orders", "--partitions", 3, "--replication-factor", 3)
    lines = "".join(f"k{number}\t<b>{number}</b>\n" for number in range(60))
    place.ours("produce", "--topic", "orders", "--property", "parse.key=true", input=lines)
    place.ours("consume", "--topic", "orders", "--group", "billing", "--from-beginning", "--max-messages", 20)
    place.consumer("orders", "shipping")
    # The driver is a program of its own, with a package that only it needs.
    words = [python(PINS), Path(__file__).resolve().parent / "browse.py", place.http, place.binary, place.address]
    words += [place.shots or place.work / "shots"]
    environment = {**os.environ, "SE_AVOID_STATS": "true"}
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True, env=environment)
    for line in process.stdout:
        kind, _, rest = line.rstrip("\n").partition("\t")
        if kind in ("ok", "bad"):
            where, what, detail = (rest.split("\t") + ["", ""])[:3]
            place.see("browser", where, what, ok=kind == "ok", detail=detail)
        elif kind == "restart":
            place.broker.stop()
            place.broker.start()
        else:
            print(line, file=sys.stderr, end="")
    place.see("browser", "all of it", "was seen", ok=process.wait() == 0, detail=f"exit code {process.returncode}")

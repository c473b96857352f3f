"""`mailroom recover`: catches schemas up that were put back to an earlier moment."""

import asyncio
from typing import Annotated

import typer

from deploy.commands.backup import Services, services_named
from deploy.instance import DEFAULT_HOME, HomeOption, instance_in


def recover(
    dsn: Annotated[
        str | None,
        typer.Option(
            "--dsn",
            envvar="MAILROOM_ADMIN_DSN",
            help="postgresql://… of a role that may act as the services'; without it, the home's instance.",
        ),
    ] = None,
    bootstrap: Annotated[
        str | None,
        typer.Option(
            "--bootstrap", envvar="MAILROOM_KAFKA_BOOTSTRAP", help="host:port,… of Kafka; goes with --dsn."
        ),
    ] = None,
    prefix: Annotated[
        str,
        typer.Option("--prefix", envvar="MAILROOM_TOPIC_PREFIX", help="What stands before topics' names."),
    ] = "",
    service: Services = None,
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

    if dsn is None or bootstrap is None:
        endpoints = instance_in(home, "--dsn and --bootstrap")
        dsn, bootstrap = dsn or endpoints.postgres_dsn, bootstrap or endpoints.kafka_bootstrap
    for name in services_named(service):
        work = importlib.import_module(f"services.{name}.recover").recover
        try:
            told = asyncio.run(catch_up(dsn, name, bootstrap, prefix, work, dry_run=dry_run))
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

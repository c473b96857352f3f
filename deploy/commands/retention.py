"""`mailroom retention`: what is kept no longer, as the services remove it now and then."""

from typing import Annotated

import typer

from deploy.instance import DEFAULT_HOME, HomeOption, ServiceOption, Unclear, services_named
from shared.settings import ServiceSettings

app = typer.Typer(help="What is kept, and for how long.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `run` a command of its own while it is the only one."""


@app.command()
def run(
    service: ServiceOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Remove what its setting keeps no longer, as the services do every MAILROOM_RETENTION_SECONDS.

    Of the instance in the home where one is up, else of the one service whose settings the environment has.
    May be ended and run again at any time.
    """
    import asyncio

    from deploy.local.endpoints import Endpoints
    from deploy.service_settings import settings_of

    endpoints = Endpoints.load(home)
    chosen = services_named(service)
    if endpoints is None and len(chosen) != 1:
        raise Unclear(
            f"Nothing is up in {home}: name one --service and give its settings in MAILROOM_… variables."
        )
    for name in chosen:
        asyncio.run(_run(name, settings_of(name, endpoints), dry_run))


async def _run(service: str, settings: ServiceSettings, dry_run: bool) -> None:
    import importlib

    from shared import retention
    from shared.postgres import make_pool, opened
    from shared.unit_of_work import UnitOfWork

    rules = importlib.import_module(f"services.{service}.retention").rules(settings)
    pool = make_pool(
        settings.postgres_dsn,
        schema=service,
        application=f"mailroom {service} retention",
        password=settings.postgres_password(),
    )
    async with retention.sole(settings, service) as alone, opened(pool):
        if not alone and not dry_run:
            typer.echo(f"{service}: another process is at it; nothing is left to do here.")
            return
        work = UnitOfWork(pool, service=service, topic_prefix=settings.topic_prefix)
        await work.require_schema()
        verb = "would be removed" if dry_run else "removed"
        async for removed in retention.remove(work, rules, dry_run=dry_run):
            said = "kept for ever" if removed.number is None else f"{removed.number} {verb}"
            typer.echo(f"{service}: {removed.rule.what}: {said}")

"""`mailroom doctor`: looks at all that Mailroom needs, and says what is wrong and what to do about it."""

from typing import Annotated

import typer

from deploy.instance import DEFAULT_HOME, HomeOption, ServiceOption, services_named


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor")(doctor)


def doctor(
    service: ServiceOption = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Also mail a plus address of each mailbox, and see it arrive."),
    ] = False,
    resolver: Annotated[
        str | None, typer.Option(help="The DNS server to ask, as address or address:port.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON, for programs.")] = False,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Look at settings, servers, mailboxes and DNS; exit code 1 if something does not work.

    Of the instance in the home where one is up, else with the settings that the environment has.
    """
    import asyncio
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.markup import escape

    from deploy.doctor import dns, examination
    from deploy.doctor.findings import State
    from deploy.doctor.patient import Patient
    from deploy.local.endpoints import Endpoints
    from deploy.service_settings import settings_of
    from shared.settings import SettingsError

    chosen = services_named(service)
    endpoints = Endpoints.load(home)

    def patient(name: str) -> Patient | SettingsError:
        try:
            return Patient(name, settings_of(name, endpoints))
        except SettingsError as error:
            return error

    found = asyncio.run(
        examination.findings(
            {name: patient(name) for name in chosen}, resolver=dns.resolvers(resolver), probed=probe
        )
    )
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        colours = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}
        console = Console(highlight=False, soft_wrap=True)
        for each in found:
            subject = f"{each.service} {each.subject}".strip()
            console.print(
                f"[{colours[each.state]}]{each.state.value:8}[/] {escape(subject):36} {escape(each.sentence)}"
            )
    if any(each.state is State.FAILED for each in found):
        raise typer.Exit(1)

"""`mailroom down`: ends an instance."""

import typer

from deploy.instance import DEFAULT_HOME, HomeOption


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("down")(down)


def down(home: HomeOption = DEFAULT_HOME) -> None:
    """End everything that runs in the home; its data stays."""
    from deploy.local.home import Home
    from deploy.local.supervisor import end_instance

    ended = home.exists() and end_instance(Home(home))
    print(f"Mailroom in {home} is down." if ended else f"Nothing was up in {home}.")

"""The command `mailroom`, made of the modules of `deploy.commands`."""

import os
import pkgutil
import signal
import sys
from importlib import import_module

import typer

from deploy import commands
from deploy.spoken import SpokenFailures

app = typer.Typer(
    name="mailroom",
    cls=SpokenFailures,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def mailroom() -> None:
    """Mailroom turns shared mailboxes and spreadsheets into tracked work."""


_NAMES = [found.name for found in pkgutil.iter_modules(commands.__path__)]
# A command is a module of its name. Only the one that is called is imported: a service that starts has no use
# for what the others need, and waits for it.
for _name in sys.argv[1:2] if sys.argv[1:2] and sys.argv[1] in _NAMES else _NAMES:
    _module = import_module(f"{commands.__name__}.{_name}")
    if hasattr(_module, "register"):
        _module.register(app)
    else:
        app.add_typer(_module.app, name=_name)


def main() -> None:
    """Runs the command line."""
    if os.getpid() == 1:  # the first process of a container: what it does not handle does not reach it
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    app()


if __name__ == "__main__":
    main()

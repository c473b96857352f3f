"""The secrets of a new installation, in a folder for each who reads them.

`operator/` holds what the others are made from; nobody who runs a service needs to see it. A service's folder
is its `MAILROOM_SECRETS_DIR`. What an operator puts in place of a secret, or beside it, stays.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from deploy.config.folder import read
from deploy.local.preparation import SAMPLE
from shared import local_issuer
from shared.keyring import generate_keyring
from shared.settings import ServiceSettings

TOKEN_KEYS: str = ServiceSettings.model_fields["token_keys"].default
POSTGRES_PASSWORD: str = ServiceSettings.model_fields["postgres_password_secret"].default
_PASSWORD_BYTES = 24
_ANY_PASSWORD = "local\n"  # noqa: S105 — the mail server of the sample takes any, and clients want one
# The database server runs as another user, and finds nothing in its folder but its own password.
_FOR_ANOTHER_USER = 0o644


def make_secrets(folder: Path, services: tuple[str, ...]) -> None:
    """Makes what is missing and hands it out again: a changed secret in `operator/` reaches its readers."""
    operator = folder / "operator"
    (operator / "passwords").mkdir(parents=True, exist_ok=True)
    public_keys = local_issuer.ensure_issuer(operator)
    token_keys = _made(operator / TOKEN_KEYS, generate_keyring)
    administrator = _made(operator / POSTGRES_PASSWORD, _password)
    _write(operator / "pgpass", f"*:*:*:*:{administrator.strip()}\n")
    _write(folder / "postgres" / POSTGRES_PASSWORD, administrator, _FOR_ANOTHER_USER)
    for service in services:
        own = folder / service
        _write(own / TOKEN_KEYS, token_keys)
        _write(own / local_issuer.PUBLIC_KEYS, public_keys.read_text())
        _write(own / POSTGRES_PASSWORD, _made(operator / "passwords" / service, _password))
    for mailbox in read(SAMPLE).mailboxes:
        _made(folder / "ingest" / mailbox.imap.password, lambda: _ANY_PASSWORD)


def _password() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES) + "\n"


def _made(path: Path, make: Callable[[], str]) -> str:
    """The text of a secret, which is made the first time."""
    if not path.exists():
        _write(path, make())
    return path.read_text()


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    """In one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    partial.chmod(mode)
    partial.replace(path)

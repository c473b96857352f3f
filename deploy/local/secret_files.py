"""The secrets of one instance: made once, kept in its home, read by the services."""

import os
from pathlib import Path

from shared.keyring import generate_keyring
from shared.local_issuer import ISSUER, PUBLIC_KEYS, ensure_issuer
from shared.settings import ServiceSettings


def prepare_secrets(folder: Path) -> None:
    """Makes what is missing: the keys of plus addresses (AMB-38) and the local token issuer.

    What is there stays, so that addresses and tokens given out before stay good.
    """
    ensure_issuer(folder)
    keys = folder / ServiceSettings.model_fields["token_keys"].default
    if not keys.exists():
        with os.fdopen(os.open(keys, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(generate_keyring())


def environment(folder: Path) -> dict[str, str]:
    """The settings (shared/settings.py) with which a service uses these secrets."""
    return {
        "MAILROOM_SECRETS_DIR": str(folder),
        "MAILROOM_OIDC_ISSUER": ISSUER,
        "MAILROOM_OIDC_JWKS": str(folder / PUBLIC_KEYS),
    }

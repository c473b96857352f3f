"""What the services find done when they start, and what is told them once they run.

The same three jobs stand before every deployment of Mailroom: migrations, topics, configuration. Here they
run by themselves, with secrets that are made on the spot.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.config import client
from deploy.config.folder import read
from deploy.local.endpoints import Endpoints
from deploy.local.failure import StackFailure
from shared import local_issuer
from shared.auth import OPERATOR, Principal
from shared.contracts.activity_organisation import Definition
from shared.keyring import generate_keyring
from shared.migrations import migrate, migrations_of
from shared.settings import ServiceSettings
from shared.topic_plan import TopicError, bring_about

SAMPLE = Path(client.__file__).parent / "sample"


async def make_secrets(endpoints: Endpoints) -> None:
    """The keys that sign plus addresses, a token issuer, and a password for each mailbox of the sample."""
    folder = endpoints.home / "secrets"
    local_issuer.ensure_issuer(folder)
    keys = folder / ServiceSettings.model_fields["token_keys"].default
    if not keys.exists():  # addresses that were given out before stay good
        keys.touch(mode=0o600)
        keys.write_text(generate_keyring())
    for mailbox in read(SAMPLE).mailboxes:
        # GreenMail takes any password, and IMAP clients want one all the same.
        (folder / mailbox.imap.password).write_text("local\n")


async def migrate_schemas(endpoints: Endpoints) -> None:
    """Every service's role and schema."""
    for service in endpoints.services:
        await migrate(endpoints.postgres_dsn, service, migrations_of(service))


async def make_topics(endpoints: Endpoints) -> None:
    """The table of topics, and the beginning of every consumer."""
    try:
        await bring_about(endpoints.kafka, endpoints.postgres_dsn, prefix="")
    except TopicError as error:
        raise StackFailure(str(error)) from error


async def apply_sample(endpoints: Endpoints) -> None:
    """The sample organisation, unless one has been applied before."""
    definition = read(SAMPLE)
    token = operator_token(endpoints, definition.organisation)
    await asyncio.to_thread(_apply_once, endpoints.services["activity"].http, token, definition)


def operator_token(endpoints: Endpoints, organisation: str) -> str:
    """A token for an hour that may read and change the configuration."""
    principal = Principal("operator", organisation, "user", frozenset({OPERATOR}))
    return local_issuer.issue(
        endpoints.home / "secrets", principal, now=datetime.now(UTC), lifetime=timedelta(hours=1)
    )


def _apply_once(url: str, token: str, definition: Definition) -> None:
    try:
        if client.current(url, token) is None:
            client.put(url, token, definition)
    except client.Unanswered as error:
        raise StackFailure(str(error)) from error

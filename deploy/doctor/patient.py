"""One service with its settings, as the checks look at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg

from deploy.doctor.findings import Doubtful, Wrong
from shared.contracts.activity_organisation import MailboxDefinition
from shared.failure import sentence
from shared.organisation import Organisations
from shared.postgres import close_connection, open_connection
from shared.settings import ServiceSettings, SettingsError


class Box(NamedTuple):
    """A mailbox of the applied configuration."""

    organisation: str
    mailbox: MailboxDefinition


@dataclass(slots=True)
class Patient:
    """A service. Its database is asked anew by each check, so that one that hangs holds up no other."""

    service: str
    settings: ServiceSettings
    _boxes: "asyncio.Task[list[Box]] | None" = field(default=None)

    @asynccontextmanager
    async def database(self) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        """A connection as the service has it. Raises `Wrong`."""
        where = urlsplit(self.settings.postgres_dsn)
        try:
            connection = await open_connection(
                self.settings.postgres_dsn,
                schema=self.service,
                application="mailroom doctor",
                password=self.settings.postgres_password(),
            )
        except asyncpg.InvalidCatalogNameError as error:
            raise Wrong(
                f"PostgreSQL has no database {where.path[1:]!r}: mend MAILROOM_POSTGRES_DSN, or make it."
            ) from error
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise Wrong(
                f"PostgreSQL does not let {where.username} in: run `mailroom migrate`, which makes the role, "
                f"and look at the secret {self.settings.postgres_password_secret!r}."
            ) from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Wrong(
                f"PostgreSQL does not answer at {where.hostname}:{where.port} ({sentence(error)}): start it, "
                "or mend MAILROOM_POSTGRES_DSN."
            ) from error
        try:
            yield connection
        finally:
            await close_connection(connection)

    async def boxes(self) -> list[Box]:
        """The mailboxes of the applied configuration. Raises `Doubtful` if they cannot be known."""
        if self._boxes is None:
            self._boxes = asyncio.create_task(self._read_boxes())
        return await asyncio.shield(self._boxes)

    async def box(self, name: str) -> Box:
        """The mailbox `organisation/mailbox`."""
        return next(box for box in await self.boxes() if f"{box.organisation}/{box.mailbox.name}" == name)

    def secret(self, name: str) -> str:
        """A secret. Raises `Wrong`."""
        try:
            return self.settings.secret(name)
        except SettingsError as error:
            raise Wrong(str(error)) from error

    async def _read_boxes(self) -> list[Box]:
        try:
            async with self.database() as connection:
                organisations = await Organisations().all(connection)
        except (Wrong, asyncpg.PostgresError, OSError) as error:
            raise Doubtful("The configuration could not be read, so no mailbox was looked at.") from error
        boxes = [Box(each.name, mailbox) for each in organisations for mailbox in each.mailboxes]
        if not boxes:
            raise Doubtful("No configuration is applied yet: run `mailroom config apply` with a folder.")
        return boxes

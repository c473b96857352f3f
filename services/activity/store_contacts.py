"""Contacts in Postgres, found by address or id (CT-15)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.activity.store_rows import Key, add_new
from shared.postgres import Connection, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person. `address` is in lower case; `company` is None for a global contact (CT-10)."""

    organisation: str
    id: UUID
    address: str
    first_name: str = ""
    last_name: str = ""
    company: str | None = None
    language: str | None = None
    auto_created: bool = False

    @property
    def name(self) -> str:
        """Both names, or what there is of them."""
        return f"{self.first_name} {self.last_name}".strip()


# Columns by name: newer code may have added one.
_COLUMNS = ", ".join(f"contacts.{name}" for name in Contact.__slots__)
_BY_ADDRESS = f"""
SELECT {_COLUMNS} FROM contacts
JOIN unnest($1::text[], $2::text[]) AS asked (organisation, address) USING (organisation, address)
"""  # noqa: S608 - our own columns
_BY_ID = f"""
SELECT {_COLUMNS} FROM contacts
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, id) USING (organisation, id)
"""  # noqa: S608 - our own columns


async def by_address(connection: Connection, keys: Collection[tuple[str, str]]) -> list[Contact]:
    """The contacts with these addresses, given as (organisation, address in lower case)."""
    return await _contacts(connection, _BY_ADDRESS, keys)


async def by_id(connection: Connection, keys: Collection[Key]) -> list[Contact]:
    """The contacts with these ids."""
    return await _contacts(connection, _BY_ID, keys)


async def add(connection: Connection, contacts: Collection[Contact]) -> None:
    """Make contacts, in order of address. Raises `FamilyMoved` when somebody else made one meanwhile."""
    names = Contact.__slots__
    rows = [
        tuple(getattr(each, name) for name in names)
        for each in sorted(contacts, key=lambda each: (each.organisation, each.address))
    ]
    await add_new(connection, "contacts", names, rows)


async def _contacts(
    connection: Connection, statement: str, keys: Collection[tuple[str, Any]]
) -> list[Contact]:
    if not keys:
        return []
    return [Contact(**dict(row)) for row in await connection.fetch(statement, *columns(keys, 2))]

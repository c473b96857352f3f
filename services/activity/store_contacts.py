"""Contacts in Postgres, found by address or id (CT-15)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.activity.store_rows import Key, add_new, arrays
from shared.failure import FamilyMoved
from shared.postgres import Connection, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person. `address` is in lower case; `company` is None for a global contact (CT-10).

    All mail of a `test` contact opens Tickets for testing (CT-18). `extra_tag` comes along wherever the
    contact is put (CT-17). `merged_into` is who the contact is now: then nothing is left but its address
    (CT-20). `erased_at` is set for a person who was erased, of whom nothing is left but the id; `erased_by`
    and `erased_because` say who did that, and why (CT-21).
    """

    organisation: str
    id: UUID
    address: str
    first_name: str = ""
    last_name: str = ""
    company: str | None = None
    language: str | None = None
    auto_created: bool = False
    version: int = 1
    test: bool = False
    extra_tag: str | None = None
    merged_into: UUID | None = None
    erased_at: datetime | None = None
    erased_by: str | None = None
    erased_because: str | None = None

    @property
    def name(self) -> str:
        """Both names, or what there is of them."""
        return f"{self.first_name} {self.last_name}".strip()


# Columns by name: newer code may have added one.
COLUMNS = ", ".join(f"contacts.{name}" for name in Contact.__slots__)
_BY_ADDRESS = f"""
SELECT {COLUMNS} FROM contacts
JOIN unnest($1::text[], $2::text[]) AS asked (organisation, address) USING (organisation, address)
"""  # noqa: S608 - our own columns
_BY_ID = f"""
SELECT {COLUMNS} FROM contacts
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, id) USING (organisation, id)
"""  # noqa: S608 - our own columns
_MERGED_INTO = f"""
SELECT {COLUMNS} FROM contacts
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, id)
    ON contacts.organisation = asked.organisation AND contacts.merged_into = asked.id
"""  # noqa: S608 - our own columns

_TYPES = {
    "organisation": "text",
    "id": "uuid",
    "auto_created": "boolean",
    "version": "int",
    "test": "boolean",
    "merged_into": "uuid",
    "erased_at": "timestamptz",
}
_NAMES = tuple(Contact.__slots__)
_ARRAYS = arrays([_TYPES.get(name, "text") for name in _NAMES])
_CHANGES = ", ".join(f"{name} = new.{name}" for name in _NAMES[2:])
_UPDATE = f"""
UPDATE contacts AS old SET {_CHANGES}
FROM unnest({_ARRAYS}, ${len(_NAMES) + 1}::int[]) AS new ({", ".join(_NAMES)}, seen)
WHERE old.organisation = new.organisation AND old.id = new.id AND old.version = new.seen
"""  # noqa: S608 - our own columns

_LEAVE_ADDRESS = """
UPDATE contacts SET address = contacts.id::text
FROM unnest($1::text[], $2::uuid[]) AS moving (organisation, id)
WHERE contacts.organisation = moving.organisation AND contacts.id = moving.id
"""


async def by_address(connection: Connection, keys: Collection[tuple[str, str]]) -> list[Contact]:
    """The contacts with these addresses, given as (organisation, address in lower case)."""
    return await _contacts(connection, _BY_ADDRESS, keys)


async def by_id(connection: Connection, keys: Collection[Key]) -> list[Contact]:
    """The contacts with these ids."""
    return await _contacts(connection, _BY_ID, keys)


async def merged_into(connection: Connection, keys: Collection[Key]) -> list[Contact]:
    """The contacts that have become these."""
    return await _contacts(connection, _MERGED_INTO, keys)


async def add(connection: Connection, contacts: Collection[Contact]) -> None:
    """Make contacts, in order of address. Raises `FamilyMoved` when somebody else made one meanwhile."""
    names = Contact.__slots__
    rows = [
        tuple(getattr(each, name) for name in names)
        for each in sorted(contacts, key=lambda each: (each.organisation, each.address))
    ]
    await add_new(connection, "contacts", names, rows)


async def update(
    connection: Connection, before: Mapping[Key, Contact], contacts: Collection[Contact]
) -> None:
    """Write contacts that have changed since they were read as in `before`.

    Raises `FamilyMoved` when somebody else changed one meanwhile, or took one of the addresses.
    """
    if not contacts:
        return
    rows = [
        (*(getattr(each, name) for name in _NAMES), before[each.organisation, each.id].version)
        for each in sorted(contacts, key=lambda each: (each.organisation, each.id))
    ]
    moving = [each for each in contacts if each.address != before[each.organisation, each.id].address]
    if moving:  # somebody may get the address that another one gives up
        await connection.execute(
            _LEAVE_ADDRESS, *columns([(each.organisation, each.id) for each in moving], 2)
        )
    try:
        done = await connection.execute(_UPDATE, *columns(rows, len(_NAMES) + 1))
    except asyncpg.UniqueViolationError as error:
        raise FamilyMoved("somebody else took an address meanwhile") from error
    if int(done.rpartition(" ")[2]) != len(rows):
        raise FamilyMoved("somebody else changed a contact meanwhile")


async def _contacts(
    connection: Connection, statement: str, keys: Collection[tuple[str, Any]]
) -> list[Contact]:
    if not keys:
        return []
    return [Contact(**dict(row)) for row in await connection.fetch(statement, *columns(keys, 2))]

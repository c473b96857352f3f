"""How rows travel to Postgres: any number of them at once."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.json import encode

from shared.failure import FamilyMoved
from shared.postgres import Connection, Json, copy_in

Key = tuple[str, UUID]
"""An organisation and the id of something of it."""


async def add_new(
    connection: Connection, table: str, names: Sequence[str], rows: Collection[tuple[Any, ...]]
) -> None:
    """Add rows that were not there when the batch was read.

    Raises `FamilyMoved` when one is there now: another transaction did the same meanwhile, and a batch that
    begins again sees it.
    """
    try:
        await copy_in(connection, table, names, rows)
    except asyncpg.UniqueViolationError as error:
        raise FamilyMoved(f"another transaction added the same to {table} meanwhile") from error


def arrays(kinds: Sequence[str]) -> str:
    """The parameters of an `unnest` over columns of these types."""
    return ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds, 1))


def plain(value: Struct | None) -> Json | None:
    """A `Struct` as JSON; None stays NULL."""
    return None if value is None else Json(encode(value))


def json(value: Any) -> Json | None:
    """A value, model or dataclass as JSON; None stays NULL."""
    return None if value is None else Json.of(value)

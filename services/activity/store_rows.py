"""How rows travel to Postgres: as one array per column, any number of rows in one statement."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json

Key = tuple[str, UUID]
"""An organisation and the id of something of it."""


def arrays(kinds: Sequence[str]) -> str:
    """The parameters of an `unnest` over columns of these types.

    JSON travels as text: asyncpg takes a list inside an array for one more dimension of the array.
    """
    return ", ".join(
        f"${place}::text[]::jsonb[]" if kind == "jsonb" else f"${place}::{kind}[]"
        for place, kind in enumerate(kinds, 1)
    )


def json_text(value: Any) -> str | None:
    """A value, model or dataclass as JSON text; None stays NULL."""
    return None if value is None else to_json(value).decode()

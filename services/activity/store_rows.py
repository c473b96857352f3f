"""How rows travel to Postgres: as one array per column, any number of rows in one statement."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

Key = tuple[str, UUID]
"""An organisation and the id of something of it."""


def columns(rows: Collection[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows of `width` values turned into the arrays that `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]

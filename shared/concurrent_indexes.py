"""Migrations that make indexes while services go on writing, which no transaction can do.

Such a file says `-- concurrently` at its head and holds nothing but `CREATE INDEX CONCURRENTLY` and
`DROP INDEX CONCURRENTLY`. Whatever interrupts it, it is begun again: what is done is passed over, and an
index that was left unfinished (PostgreSQL calls it invalid) is dropped and made anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.postgres import Connection

_MARK = re.compile(r"^--\s*concurrently\s*$", re.MULTILINE | re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")
_CREATE = re.compile(
    r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?P<name>[a-z0-9_]+)\s+ON\s", re.IGNORECASE
)
_DROP = re.compile(r"DROP\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?(?P<name>[a-z0-9_]+)", re.IGNORECASE)
# Only those of this schema: the connection sees no other.
_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"


@dataclass(frozen=True, slots=True)
class Change:
    """One statement, and the index that it makes or drops."""

    statement: str
    index: str
    makes: bool


def is_concurrent(sql: str) -> bool:
    """Whether a migration says that it makes its indexes concurrently."""
    return _MARK.search(sql) is not None


def changes_of(sql: str) -> Iterator[Change]:
    """What such a migration does, in order. Raises `ValueError` for anything that may not stand there."""
    for part in _COMMENT.sub("", sql).split(";"):
        statement = part.strip()
        if not statement:
            continue
        made, dropped = _CREATE.match(statement), _DROP.fullmatch(statement)
        if found := made or dropped:
            yield Change(statement, found["name"].lower(), makes=made is not None)
        else:
            raise ValueError(
                f"{' '.join(statement.split())[:80]!r} neither creates nor drops an index concurrently"
            )


async def carry_out(connection: Connection, sql: str) -> None:
    """Do what is not done yet; the connection is in no transaction. Services go on meanwhile."""
    for change in changes_of(sql):
        valid = await connection.fetchval(_IS_VALID, change.index)
        if valid is not None and (not valid or not change.makes):
            await connection.execute(f"DROP INDEX CONCURRENTLY {change.index}")
        if change.makes and not valid:
            await connection.execute(change.statement)

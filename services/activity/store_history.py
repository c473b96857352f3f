"""What is only ever added to: history and notes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from shared.contracts.activity_activities import ActivityRecord
from shared.postgres import Connection, Json, columns, copy_in

_OPTIONAL = ("was", "status", "reason", "wait", "method", "mail", "note")


class HistoryRow(NamedTuple):
    """One event of an activity with the columns of ST-16; `event` is the record as it was published."""

    organisation: str
    activity: UUID
    version: int
    type: str
    at: datetime
    actor_kind: str
    actor: str
    rule: str
    event: Json
    was: str | None = None
    status: str | None = None
    reason: str | None = None
    wait: str | None = None
    method: str | None = None
    mail: UUID | None = None
    note: UUID | None = None

    @classmethod
    def of(cls, organisation: str, record: ActivityRecord, event: Json) -> Self:
        """The row of a record that is published as `event`."""
        fields = vars(record)  # asking a model for a field that it has not costs more than all the rest
        return cls(
            organisation=organisation,
            activity=record.activity,
            version=record.version,
            type=record.type,
            at=record.at,
            actor_kind=record.actor.kind.value,
            actor=record.actor.id,
            rule=record.rule,
            event=event,
            **{name: fields.get(name) for name in _OPTIONAL},
        )


@dataclass(frozen=True, slots=True)
class Note:
    """The text of an internal note."""

    organisation: str
    id: UUID
    activity: UUID
    text: str


_EVENTS = """
SELECT organisation, activity, version, event FROM history
JOIN unnest($1::text[], $2::uuid[], $3::int[]) AS asked (organisation, activity, version)
    USING (organisation, activity, version)
"""


async def events(
    connection: Connection, names: Collection[tuple[str, UUID, int]]
) -> dict[tuple[str, UUID, int], dict[str, Any]]:
    """The events of these versions, given as (organisation, activity, version), that are there."""
    rows = await connection.fetch(_EVENTS, *columns(names, 3))
    return {(row["organisation"], row["activity"], row["version"]): row["event"] for row in rows}


async def add_history(connection: Connection, rows: Collection[HistoryRow]) -> None:
    """Append events; their activities' families are locked."""
    await copy_in(connection, "history", HistoryRow._fields, rows)


async def add_notes(connection: Connection, notes: Collection[Note]) -> None:
    """Keep the texts of new notes."""
    rows = [(note.organisation, note.id, note.activity, note.text) for note in notes]
    await copy_in(connection, "notes", Note.__slots__, rows)

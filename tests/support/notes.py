"""A topic, records and a table for tests of the frame: notes, which mean nothing to any service."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.envelope import Envelope, source_of
from shared.contracts.record import Record
from shared.identity import derive
from shared.topics import Topic
from shared.unit_of_work import Batch, Incoming, Outgoing

SOURCE = source_of("ingest")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class NoteMade(Record):
    """Somebody wrote something."""

    type: Literal["note.made"] = "note.made"
    text: str


class NoteDropped(Record):
    """Somebody thought better of it."""

    type: Literal["note.dropped"] = "note.dropped"
    text: str


class NoteEchoed(Record):
    """The effect of a note."""

    type: Literal["note.echoed"] = "note.echoed"
    text: str


NOTES = Topic(
    name="test.notes.v1",
    key="note",
    partitions=3,
    retention=timedelta(days=30),
    producer="tests",
    records=Annotated[NoteMade | NoteDropped, Field(discriminator="type")],
)
ASKED_NOTES = replace(NOTES, requests=True)
"""The same topic, as if its records asked for something."""
ECHOES = Topic(
    name="test.echoes.v1",
    key="note",
    partitions=3,
    retention=timedelta(days=30),
    producer="ingest",
    records=NoteEchoed,
)

TABLE = "CREATE TABLE notes (position bigint GENERATED ALWAYS AS IDENTITY, text text NOT NULL)"


@dataclass(frozen=True)
class Raw:
    """A record as Kafka would hand it over."""

    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    key: bytes | None = b"acme/note"
    topic: str = NOTES.name
    partition: int = 0
    timestamp: int = 1_772_366_400_000


def envelope(id_: str, type_: str = "note.made") -> Envelope:
    return Envelope(id=id_, source=SOURCE, type=type_, time=NOON, organisation="acme", subject="note")


def made(
    offset: int, text: str, *, partition: int = 0, id_: str | None = None, type_: str = "note.made"
) -> Raw:
    """A good record; its id follows from place and offset unless given."""
    return Raw(
        offset=offset,
        value=NoteMade(text=text).model_dump_json(exclude={"type"}).encode(),
        headers=tuple(envelope(id_ or f"{partition}/{offset}", type_).to_headers()),
        partition=partition,
    )


def outgoing(incoming: Incoming[NoteMade], text: str) -> Outgoing:
    cause = incoming.envelope
    id_ = derive(cause.time, cause.source, cause.id, 0)
    return Outgoing(
        ECHOES,
        "acme/note",
        Envelope(
            id=str(id_),
            source=SOURCE,
            type="note.echoed",
            time=cause.time,
            organisation=cause.organisation,
            causationid=cause.id,
        ),
        NoteEchoed(text=text),
    )


class PoisonError(Exception):
    """A bug of ours that one text triggers."""


@dataclass
class Scribe:
    """A handler that writes each note down and echoes it.

    Texts in `poison` raise while saving, those in `rejected` are blamed one by one. `calls` counts batches.
    """

    poison: Iterable[str] = ()
    rejected: Iterable[str] = ()
    calls: list[int] = field(default_factory=list)

    async def __call__(self, batch: Batch[NoteMade]) -> None:
        self.calls.append(len(batch.records))
        good = []
        for incoming in batch.records:
            if incoming.message.text in self.rejected:
                batch.reject(incoming, PoisonError("rejected"))
            else:
                good.append(incoming)
        texts = [incoming.message.text for incoming in good]
        await batch.connection.execute("INSERT INTO notes (text) SELECT unnest($1::text[])", texts)
        if set(texts) & set(self.poison):
            raise PoisonError("poison")
        batch.publish(*(outgoing(incoming, incoming.message.text) for incoming in good))

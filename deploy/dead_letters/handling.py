"""What is done with dead letters, page by page: find, put back, discard."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from deploy.dead_letters import reading, store
from deploy.dead_letters.letter import Letter, LetterName, Wanted
from deploy.dead_letters.store import Done, Key
from deploy.dead_letters.way_back import NoWayBack, WayBack, way_back
from shared.kafka_access import KafkaAccess
from shared.offsets import Place
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Where:
    """Which Mailroom: its Kafka, and `dsn` of a role that sees all schemas."""

    kafka: KafkaAccess
    dsn: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters. With `names` these alone, whatever was done with them; otherwise those still open.

    `handled` takes in what was replayed or discarded before.
    """

    services: Sequence[str]
    wanted: Wanted = field(default_factory=Wanted)
    names: Sequence[LetterName] = ()
    handled: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A letter, and what was last done with it."""

    letter: Letter
    done: Done | None


class Outcome(StrEnum):
    """What became of a letter by one command."""

    PUT_BACK = "put back"
    DISCARDED = "discarded"
    BEFORE = "done before"
    REFUSED = "not put back"


@dataclass(frozen=True, slots=True)
class Handled:
    """`detail` says where to, by whom before, or why not."""

    letter: Letter
    outcome: Outcome
    detail: str


async def find(where: Where, selection: Selection) -> AsyncIterator[list[Found]]:
    """The letters of a selection. Raises `TopicError` and `StoreError`."""
    there = await reading.partitions(where.kafka, where.prefix)
    async with store.connected(where.dsn) as connection:
        async for page in _find(connection, where, there, selection):
            yield page


async def replay(
    where: Where, selection: Selection, by: str, why: str, *, dry: bool = False
) -> AsyncIterator[list[Handled]]:
    """Put records back; each page is a transaction. `dry` says what would be done, and does nothing."""
    there = await reading.partitions(where.kafka, where.prefix)
    async with store.connected(where.dsn) as connection:
        async for page in _find(connection, where, there, selection):
            handled: list[Handled] = []
            ways: list[tuple[Letter, WayBack]] = []
            for each in page:
                if each.done is not None and each.done.action == "replayed":
                    handled.append(_before(each.letter, each.done))
                    continue
                try:
                    ways.append((each.letter, way_back(each.letter, where.prefix, there)))
                except NoWayBack as refusal:
                    handled.append(Handled(each.letter, Outcome.REFUSED, f"{refusal}"))
            service = page[0].letter.name.service
            fresh = (
                {Key.of(letter) for letter, _ in ways}
                if dry
                else await store.put_back(connection, service, ways, by, why)
            )
            for letter, way in ways:
                detail = f"into {way.row.topic}/{way.row.partition}, through the outbox of {way.service}"
                handled.append(_told(letter, fresh, Outcome.PUT_BACK, detail))
            yield sorted(handled, key=lambda each: each.letter.name)


async def discard(
    where: Where, selection: Selection, by: str, why: str, *, dry: bool = False
) -> AsyncIterator[list[Handled]]:
    """Note that letters are not wanted any more; they stay in their topic for as long as it keeps them."""
    there = await reading.partitions(where.kafka, where.prefix)
    async with store.connected(where.dsn) as connection:
        async for page in _find(connection, where, there, selection):
            handled = [_before(each.letter, each.done) for each in page if each.done is not None]
            letters = [each.letter for each in page if each.done is None]
            service = page[0].letter.name.service
            fresh = (
                {Key.of(letter) for letter in letters}
                if dry
                else await store.discard(connection, service, letters, by, why)
            )
            handled += [_told(letter, fresh, Outcome.DISCARDED, why) for letter in letters]
            yield sorted(handled, key=lambda each: each.letter.name)


async def _find(
    connection: Connection, where: Where, there: Collection[Place], selection: Selection
) -> AsyncIterator[list[Found]]:
    pages = reading.letters(where.kafka, where.prefix, there, selection.services, selection.names)
    async for page in pages:
        letters = [letter for letter in page if selection.wanted.takes(letter)]
        if not letters:
            continue
        done = await store.known(connection, letters[0].name.service, letters)
        found = [Found(letter, done.get(Key.of(letter))) for letter in letters]
        if not selection.names and not selection.handled:
            found = [each for each in found if each.done is None]
        if found:
            yield found


def _told(letter: Letter, fresh: Collection[Key], outcome: Outcome, detail: str) -> Handled:
    if Key.of(letter) in fresh:
        return Handled(letter, outcome, detail)
    return Handled(letter, Outcome.BEFORE, "by somebody else, just now")


def _before(letter: Letter, done: Done) -> Handled:
    return Handled(letter, Outcome.BEFORE, told(done))


def told(done: Done) -> str:
    """What was done, in a few words."""
    back = f" to {done.back}" if done.back else ""
    why = f": {done.why}" if done.why else ""
    return f"{done.action}{back} by {done.by} on {done.at:%Y-%m-%d %H:%M:%S} UTC{why}"

"""Where mails stand, who is on them, and what they have led to."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.activity.store_rows import Key, add_new
from shared.postgres import Connection, columns


@dataclass(frozen=True, slots=True)
class Association:
    """A mail stands on an activity, because it was sent to, or from, this mailbox (IN-2).

    `continued` is true where it came from another one: that this one continues (IN-14), or began as a copy of
    (LK-5). `takes_answers` says whether an answer to the mail comes here.
    """

    organisation: str
    activity: UUID
    mail: UUID
    mailbox: str
    continued: bool = False
    takes_answers: bool = True


@dataclass(frozen=True, slots=True)
class Correspondent:
    """An address, in lower case, on the mails of an activity; `mailbox` is set when it is one of ours."""

    organisation: str
    activity: UUID
    address: str
    mailbox: str | None


_ASSOCIATIONS = """
SELECT organisation, activity, mail, mailbox, continued, takes_answers FROM activity_mails
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, mail) USING (organisation, mail)
"""
_THREADS = """
SELECT organisation, activity, mail, mailbox, continued, takes_answers FROM activity_mails
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, activity) USING (organisation, activity)
"""
_CORRESPONDENTS = """
SELECT organisation, activity, address, mailbox FROM correspondents
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, activity) USING (organisation, activity)
"""
_TURN = """
UPDATE activity_mails AS place SET takes_answers = new.takes_answers
FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::boolean[])
    AS new (organisation, activity, mail, takes_answers)
WHERE (place.organisation, place.activity, place.mail) = (new.organisation, new.activity, new.mail)
"""
_EFFECTS = """
SELECT organisation, mail, target FROM effects
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, mail) USING (organisation, mail)
"""


async def associations(connection: Connection, mails: Collection[Key]) -> list[Association]:
    """On which activities the mails stand."""
    if not mails:
        return []
    return [Association(*row) for row in await connection.fetch(_ASSOCIATIONS, *columns(mails, 2))]


async def threads(connection: Connection, activities: Collection[Key]) -> list[Association]:
    """Which mails stand on the activities."""
    if not activities:
        return []
    return [Association(*row) for row in await connection.fetch(_THREADS, *columns(activities, 2))]


async def effects(connection: Connection, mails: Collection[Key]) -> set[tuple[str, UUID, str]]:
    """What mails have led to already, as (organisation, mail, target)."""
    if not mails:
        return set()
    return {tuple(row) for row in await connection.fetch(_EFFECTS, *columns(mails, 2))}


async def associate(connection: Connection, associations: Collection[Association]) -> None:
    """Put mails on activities. Raises `FamilyMoved` when one was put there meanwhile."""
    await _add(connection, "activity_mails", Association, associations)


async def turn(connection: Connection, places: Collection[tuple[str, UUID, UUID, bool]]) -> None:
    """Let answers to mails come to activities, or not: organisation, activity, mail, whether they do."""
    if places:
        await connection.execute(_TURN, *columns(places, 4))


async def correspondents(connection: Connection, activities: Collection[Key]) -> list[Correspondent]:
    """Who is on the mails of these activities."""
    if not activities:
        return []
    rows = await connection.fetch(_CORRESPONDENTS, *columns(activities, 2))
    return [Correspondent(*row) for row in rows]


async def add_correspondents(connection: Connection, new: Collection[Correspondent]) -> None:
    """Note who is on the mails of activities. Raises `FamilyMoved` when one was noted meanwhile."""
    await _add(connection, "correspondents", Correspondent, new)


async def add_effects(connection: Connection, done: Collection[tuple[str, UUID, str]]) -> None:
    """Note what mails led to. Raises `FamilyMoved` when another transaction did one of them meanwhile."""
    await add_new(connection, "effects", ("organisation", "mail", "target"), sorted(done))


async def _add(
    connection: Connection,
    table: str,
    kind: type[Association] | type[Correspondent],
    new: Collection[Association] | Collection[Correspondent],
) -> None:
    names = kind.__slots__
    await add_new(connection, table, names, [tuple(getattr(each, name) for name in names) for each in new])

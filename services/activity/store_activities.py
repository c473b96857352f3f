"""Activities in Postgres, read and written whole, many at a time (design §3).

A key is an activity's organisation and id. Every statement takes and gives any number of rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.activity import store_families
from services.activity.domain.activity import (
    Activity,
)
from services.activity.domain.contacts import Tagged
from services.activity.domain.vocabulary import Tag
from services.activity.store_activity_rows import CHANGING, NAMES, activity_of, changes_of, row_of
from services.activity.store_rows import Key, add_new, arrays
from shared.postgres import Connection, columns, copy_in

_NAMES = ", ".join(("organisation", "id", *(name for name, _, _ in CHANGING)))
_ARRAYS = arrays(["text", "uuid", *(kind for _, kind, _ in CHANGING)])
_CHANGES = ", ".join(f"{name} = new.{name}" for name, _, _ in CHANGING)

_ACTIVITIES = """
SELECT * FROM activities
WHERE (organisation, id) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
_TIMERS = """
SELECT * FROM timers
WHERE (organisation, activity) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
_CONTACTS = """
SELECT * FROM activity_contacts
WHERE (organisation, activity) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
_LINKS = """
SELECT * FROM links
WHERE (organisation, activity) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
_BY_REFERENCE = """
SELECT organisation, reference, id
FROM activities JOIN unnest($1::text[], $2::text[]) AS asked (organisation, reference)
    USING (organisation, reference)
"""
_BY_CONVERSATION = """
SELECT organisation, id FROM activities
WHERE (organisation, conversation) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""
_UPDATE = f"""
UPDATE activities AS old SET {_CHANGES}
FROM unnest({_ARRAYS}) AS new ({_NAMES})
WHERE old.organisation = new.organisation AND old.id = new.id
"""  # noqa: S608 - our own columns
_DISARM = """
DELETE FROM timers
WHERE (organisation, activity) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
"""
_ARM = """
INSERT INTO timers (organisation, activity, generation, due_at, closes, mailbox)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::timestamptz[], $5::boolean[], $6::text[])
ON CONFLICT (organisation, activity) DO UPDATE
SET generation = excluded.generation, due_at = excluded.due_at, closes = excluded.closes,
    mailbox = excluded.mailbox
"""
_UNTAG = """
DELETE FROM activity_contacts
WHERE (organisation, activity, tag, contact)
    IN (SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[]))
"""


async def find(connection: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
    """Ids by (organisation, reference); an unknown reference is left out."""
    if not names:
        return {}
    rows = await connection.fetch(_BY_REFERENCE, *columns(names, 2))
    return {(row["organisation"], row["reference"]): row["id"] for row in rows}


async def of_conversations(connection: Connection, names: Collection[tuple[str, str]]) -> set[Key]:
    """The activities of conversations, given as (organisation, conversation)."""
    if not names:
        return set()
    return {
        (row["organisation"], row["id"])
        for row in await connection.fetch(_BY_CONVERSATION, *columns(names, 2))
    }


async def load(connection: Connection, keys: Collection[Key]) -> dict[Key, Activity]:
    """The activities as they stand; unknown ones are left out."""
    if not keys:
        return {}
    asked = columns(keys, 2)
    timers = {_key(row): row for row in await connection.fetch(_TIMERS, *asked)}
    contacts: dict[Key, set[Tagged]] = defaultdict(set)
    for row in await connection.fetch(_CONTACTS, *asked):
        contacts[_key(row)].add(Tagged(Tag(row["tag"]), row["contact"]))
    links: dict[Key, set[UUID]] = defaultdict(set)
    for row in await connection.fetch(_LINKS, *asked):
        links[_key(row)].add(row["linked"])
    loaded = {}
    for row in await connection.fetch(_ACTIVITIES, *asked):
        key = (row["organisation"], row["id"])
        loaded[key] = activity_of(row, timers.get(key), frozenset(contacts[key]), frozenset(links[key]))
    return loaded


async def save(connection: Connection, before: Mapping[Key, Activity], after: Iterable[Activity]) -> None:
    """Write activities whole; `before` holds those that exist, as they were loaded under the lock.

    Raises `FamilyMoved` when somebody else opened one of the new ones meanwhile, from the same cause.
    """
    changed = [activity for activity in after if activity != before.get((activity.organisation, activity.id))]
    new = [activity for activity in changed if (activity.organisation, activity.id) not in before]
    old = [activity for activity in changed if (activity.organisation, activity.id) in before]
    if new:
        roots = [(activity.organisation, activity.id) for activity in new if activity.family == activity.id]
        await store_families.add(connection, roots)
        await add_new(connection, "activities", NAMES, [row_of(activity) for activity in new])
    if old:
        await connection.execute(
            _UPDATE, *columns([changes_of(activity) for activity in old], len(CHANGING) + 2)
        )
    await _save_timers(connection, before, changed)
    await _save_contacts(connection, before, changed)


async def _save_timers(
    connection: Connection, before: Mapping[Key, Activity], changed: Sequence[Activity]
) -> None:
    disarmed: list[Key] = []
    armed: list[tuple[Any, ...]] = []
    for activity in changed:
        key = (activity.organisation, activity.id)
        was = before[key].timer if key in before else None
        timer = activity.timer
        if timer == was:
            continue
        if timer is None:
            disarmed.append(key)
        else:
            mailbox = activity.mailbox if timer.closes else None
            armed.append((*key, timer.generation, timer.due_at, timer.closes, mailbox))
    if disarmed:
        await connection.execute(_DISARM, *columns(disarmed, 2))
    if armed:
        await connection.execute(_ARM, *columns(armed, 6))


async def _save_contacts(
    connection: Connection, before: Mapping[Key, Activity], changed: Sequence[Activity]
) -> None:
    taken: list[tuple[Any, ...]] = []
    given: list[tuple[Any, ...]] = []
    for activity in changed:
        key = (activity.organisation, activity.id)
        was = before[key].contacts if key in before else frozenset()
        taken += [(*key, tagged.tag, tagged.contact) for tagged in sorted(was - activity.contacts)]
        given += [(*key, tagged.tag, tagged.contact) for tagged in sorted(activity.contacts - was)]
    if taken:
        await connection.execute(_UNTAG, *columns(taken, 4))
    if given:
        await copy_in(connection, "activity_contacts", ("organisation", "activity", "tag", "contact"), given)


def _key(row: Any) -> Key:
    return row["organisation"], row["activity"]

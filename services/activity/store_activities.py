"""Activities in Postgres, read and written whole, many at a time (design §3).

A key is an activity's organisation and id. Every statement takes and gives any number of rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Range
from pydantic import TypeAdapter

from services.activity import store_families
from services.activity.domain.activity import (
    Activity,
    Holders,
    Reopening,
    Resolution,
    Timer,
    Wait,
    Written,
)
from services.activity.domain.contacts import Tagged
from services.activity.domain.custom_fields import FieldValue
from services.activity.domain.states import Status, WaitType
from services.activity.domain.vocabulary import StartedBy, Tag
from services.activity.store_rows import Key, add_new, arrays, json
from shared import references
from shared.postgres import Connection, columns, copy_in

_RESOLUTION: TypeAdapter[Resolution | None] = TypeAdapter(Resolution | None)
_REOPENING: TypeAdapter[Reopening | None] = TypeAdapter(Reopening | None)
_WRITTEN = TypeAdapter(tuple[Written, ...])

# Column, type, how an activity fills it. The order is that of the statements below.
_COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("organisation", "text", lambda a: a.organisation),
    ("id", "uuid", lambda a: a.id),
    ("family", "uuid", lambda a: a.family),
    ("kind", "text", lambda a: a.reference.kind),
    ("number", "bigint", lambda a: a.reference.number),
    ("reference", "text", lambda a: str(a.reference)),
    ("version", "int", lambda a: a.version),
    ("unchanged", "int4range", lambda a: _unchanged(a)),
    ("process", "text", lambda a: a.process),
    ("title", "text", lambda a: a.title),
    ("description", "text", lambda a: a.description),
    ("category", "text", lambda a: a.category),
    ("status", "text", lambda a: a.status),
    ("wait", "text", lambda a: a.wait and a.wait.type),
    ("wait_until", "timestamptz", lambda a: a.wait and a.wait.until),
    ("wait_days", "int", lambda a: a.wait and a.wait.days),
    ("close_if_no_response", "boolean", lambda a: bool(a.wait and a.wait.close_if_no_response)),
    ("generation", "int", lambda a: a.generation),
    ("started_by", "text", lambda a: a.started_by),
    ("conversation", "text", lambda a: a.conversation),
    ("created_at", "timestamptz", lambda a: a.created_at),
    ("mailbox", "text", lambda a: a.mailbox),
    ("opening_mail", "uuid", lambda a: a.opening_mail),
    ("automated_mail", "boolean", lambda a: a.automated_mail),
    ("assignee", "text", lambda a: a.holders.assignee),
    ("owner", "text", lambda a: a.holders.owner),
    ("queue", "text", lambda a: a.holders.queue),
    ("new_information", "boolean", lambda a: a.new_information),
    ("first_resolution", "jsonb", lambda a: json(a.first_resolution)),
    ("resolution", "jsonb", lambda a: json(a.resolution)),
    ("reopening", "jsonb", lambda a: json(a.reopening)),
    ("written", "jsonb", lambda a: json(a.written)),
    ("returned", "boolean", lambda a: a.returned),
    ("fields", "jsonb", lambda a: json({each.name: each.value for each in a.fields})),
)

_COLUMN_NAMES = tuple(name for name, _, _ in _COLUMNS)
_NAMES = ", ".join(_COLUMN_NAMES)
_ARRAYS = arrays([kind for _, kind, _ in _COLUMNS])
_CHANGES = ", ".join(f"{name} = new.{name}" for name, _, _ in _COLUMNS[2:])

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
        loaded[key] = _activity(row, timers.get(key), frozenset(contacts[key]), frozenset(links[key]))
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
        await add_new(connection, "activities", _COLUMN_NAMES, [_row(activity) for activity in new])
    if old:
        await connection.execute(_UPDATE, *columns([_row(activity) for activity in old], len(_COLUMNS)))
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


def _row(activity: Activity) -> tuple[Any, ...]:
    return tuple(fill(activity) for _, _, fill in _COLUMNS)


def _activity(row: Any, timer: Any, contacts: frozenset[Tagged], links: frozenset[UUID]) -> Activity:
    reference = references.parse(row["reference"])
    assert reference is not None
    wait = row["wait"] and Wait(
        WaitType(row["wait"]), row["wait_until"], row["wait_days"], row["close_if_no_response"]
    )
    return Activity(
        id=row["id"],
        organisation=row["organisation"],
        family=row["family"],
        reference=reference,
        process=row["process"],
        title=row["title"],
        description=row["description"],
        category=row["category"],
        status=Status(row["status"]),
        started_by=StartedBy(row["started_by"]),
        conversation=row["conversation"],
        created_at=row["created_at"],
        mailbox=row["mailbox"],
        opening_mail=row["opening_mail"],
        automated_mail=row["automated_mail"],
        wait=wait,
        timer=timer and Timer(timer["due_at"], timer["generation"], timer["closes"]),
        generation=row["generation"],
        holders=Holders(row["assignee"], row["owner"], row["queue"]),
        new_information=row["new_information"],
        contacts=contacts,
        links=links,
        first_resolution=_RESOLUTION.validate_python(row["first_resolution"]),
        resolution=_RESOLUTION.validate_python(row["resolution"]),
        reopening=_REOPENING.validate_python(row["reopening"]),
        written=_WRITTEN.validate_python(row["written"]),
        returned=row["returned"],
        fields=tuple(FieldValue(name, value) for name, value in sorted(row["fields"].items())),
        version=row["version"],
        changed=_changed(row),
    )


def _unchanged(activity: Activity) -> Range[int] | None:
    if activity.changed == activity.version:
        return None
    return Range(activity.changed, activity.version, upper_inc=True)


def _changed(row: Any) -> int:
    """Versions that end before the present one were written by code that counts every event as a change."""
    unchanged: Range[int] | None = row["unchanged"]
    version: int = row["version"]
    # Postgres gives a range back with its upper bound left out.
    if unchanged is None or unchanged.lower is None or unchanged.upper != version + 1:
        return version
    return unchanged.lower


def _key(row: Any) -> Key:
    return row["organisation"], row["activity"]

"""The columns of `activities`, and what an activity is in them."""

from typing import Any, TypeVar
from uuid import UUID

from asyncpg import Range
from msgspec import convert
from pydantic import TypeAdapter

from services.activity import due_records
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
from services.activity.domain.course import Course
from services.activity.domain.flow import Flow
from services.activity.domain.links import Departure
from services.activity.domain.states import Status, WaitType
from services.activity.domain.task import Task
from services.activity.domain.vocabulary import StartedBy
from services.activity.store_rows import json, plain
from shared import references
from shared.field_values import FieldValue

_RESOLUTION = TypeAdapter(Resolution)
_REOPENING = TypeAdapter(Reopening)
_WRITTEN = TypeAdapter(tuple[Written, ...])
_DEPARTURES = TypeAdapter(tuple[Departure, ...])

T = TypeVar("T")

# Column, type, how an activity fills it. The order is that of the statements below.
COLUMNS: tuple[tuple[str, str, Any], ...] = (
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
    ("wait_reason", "text", lambda a: a.wait and a.wait.reason),
    ("generation", "int", lambda a: a.generation),
    ("started_by", "text", lambda a: a.started_by),
    ("conversation", "text", lambda a: a.conversation),
    ("created_at", "timestamptz", lambda a: a.created_at),
    ("started_at", "timestamptz", lambda a: a.started_at if a.started_at != a.created_at else None),
    ("parent", "uuid", lambda a: a.parent),
    ("borne_by", "uuid", lambda a: a.borne_by),
    ("merged_into", "uuid", lambda a: a.merged_into),
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
    ("departures", "jsonb", lambda a: json(a.departures)),
    ("returned", "boolean", lambda a: a.returned),
    ("due_at", "timestamptz", lambda a: None if a.due.paused else a.due.at),
    ("due", "jsonb", lambda a: json(due_records.stored(a))),
    ("fields", "jsonb", lambda a: json({each.name: each.value for each in a.fields})),
    ("keep_with_me", "text", lambda a: a.keep_with_me),
    ("last_updater", "text", lambda a: a.last_updater),
    ("previous", "jsonb", lambda a: json(a.previous)),
    ("for_person", "boolean", lambda a: a.for_person),
    ("handed_again", "int", lambda a: a.handed_again),
    ("flow", "jsonb", lambda a: plain(a.flow)),
    ("course", "jsonb", lambda a: plain(a.course)),
    ("task", "jsonb", lambda a: plain(a.task)),
)

NAMES = tuple(name for name, _, _ in COLUMNS)

# What an activity has for ever from its opening on.
_FIXED = {
    *("organisation", "id", "family", "kind", "number", "reference", "process", "started_by", "conversation"),
    *("created_at", "started_at", "parent", "borne_by", "mailbox", "opening_mail", "automated_mail", "flow"),
}
CHANGING = tuple(column for column in COLUMNS if column[0] not in _FIXED)


def row_of(activity: Activity) -> tuple[Any, ...]:
    """The columns of an activity, in their order."""
    return tuple([fill(activity) for _, _, fill in COLUMNS])


def changes_of(activity: Activity) -> tuple[Any, ...]:
    """Its organisation and id, and the columns that can change, in their order."""
    return activity.organisation, activity.id, *[fill(activity) for _, _, fill in CHANGING]


def activity_of(row: Any, timer: Any, contacts: frozenset[Tagged], links: frozenset[UUID]) -> Activity:
    """The activity of a row, with its timer, contacts and links, which have tables of their own."""
    reference = references.parse(row["reference"])
    assert reference is not None
    wait = row["wait"] and Wait(
        WaitType(row["wait"]),
        row["wait_until"],
        row["wait_days"],
        row["close_if_no_response"],
        row["wait_reason"],
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
        started_at=row["started_at"] or row["created_at"],
        parent=row["parent"],
        borne_by=row["borne_by"],
        merged_into=row["merged_into"],
        mailbox=row["mailbox"],
        opening_mail=row["opening_mail"],
        automated_mail=row["automated_mail"],
        wait=wait,
        timer=timer and Timer(timer["due_at"], timer["generation"], timer["closes"]),
        generation=row["generation"],
        holders=Holders(row["assignee"], row["owner"], row["queue"]),
        due=due_records.restored(row),
        new_information=row["new_information"],
        contacts=contacts,
        links=links,
        first_resolution=_read(_RESOLUTION, row["first_resolution"]),
        resolution=_read(_RESOLUTION, row["resolution"]),
        reopening=_read(_REOPENING, row["reopening"]),
        written=_read(_WRITTEN, row["written"]) or (),
        departures=_read(_DEPARTURES, row["departures"]) or (),
        returned=row["returned"],
        fields=tuple(FieldValue(name, value) for name, value in sorted(row["fields"].items())),
        keep_with_me=row["keep_with_me"],
        last_updater=row["last_updater"],
        previous=tuple(row["previous"]),
        for_person=row["for_person"],
        handed_again=row["handed_again"],
        flow=convert(row["flow"], Flow) if row["flow"] else None,
        course=convert(row["course"], Course) if row["course"] else None,
        task=convert(row["task"], Task) if row["task"] else None,
        version=row["version"],
        changed=_changed(row),
    )


def _read(adapter: TypeAdapter[T], value: Any) -> T | None:
    """What stands in a column; nothing in most, which is not worth asking the adapter for."""
    return adapter.validate_python(value) if value else None


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

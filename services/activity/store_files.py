"""Files of activities in Postgres. Their bytes lie in the blob store."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.activity.domain.files import File
from services.activity.domain.vocabulary import Actor
from services.activity.store_rows import Key, json
from shared.postgres import Connection, columns

_FIELDS = ("id", "object", "sha256", "size", "media_type", "name", "tags")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was put on an activity, when and by whom."""

    organisation: str
    file: File
    at: datetime
    by: Actor


_ON = """
SELECT stands.activity, files.* FROM unnest($1::text[], $2::uuid[]) AS asked (organisation, id)
JOIN activity_files AS stands ON stands.organisation = asked.organisation AND stands.activity = asked.id
JOIN files ON files.organisation = stands.organisation AND files.id = stands.file
WHERE files.removed_at IS NULL
ORDER BY files.id
"""
# What is merged brings files that are there already.
_ADD = """
INSERT INTO files
    (organisation, id, object, sha256, size, media_type, name, tags, added_at, actor_kind, actor)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
    $8::jsonb[], $9::timestamptz[], $10::text[], $11::text[])
ON CONFLICT (organisation, id) DO NOTHING
"""
_PLACE = """
INSERT INTO activity_files (organisation, activity, file)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[])
"""
_RENAME = """
UPDATE files SET name = new.name, tags = new.tags
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::jsonb[]) AS new (organisation, id, name, tags)
WHERE files.organisation = new.organisation AND files.id = new.id
"""
_REMOVE = """
UPDATE files SET removed_at = $3 FROM unnest($1::text[], $2::uuid[]) AS gone (organisation, id)
WHERE files.organisation = gone.organisation AND files.id = gone.id AND files.removed_at IS NULL
RETURNING files.object
"""
# One that stands on something else, too, goes with the last of them.
_REMOVE_OF = """
UPDATE files SET removed_at = $3
WHERE removed_at IS NULL AND (organisation, id) IN (
    SELECT stands.organisation, stands.file FROM activity_files AS stands
    WHERE (stands.organisation, stands.activity) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
) AND NOT EXISTS (
    SELECT FROM activity_files AS stands
    JOIN activities ON activities.organisation = stands.organisation AND activities.id = stands.activity
    WHERE stands.organisation = files.organisation AND stands.file = files.id
      AND activities.texts_removed_at IS NULL
)
RETURNING object
"""
_REFERRED = """
SELECT asked.object FROM unnest($1::text[]) AS asked (object)
WHERE EXISTS (SELECT FROM files WHERE files.object = asked.object AND removed_at IS NULL)
   OR EXISTS (
       SELECT FROM mails
       WHERE direction = 'out' AND content -> 'attachments' <> '[]' AND content -> 'attachments'
           @> jsonb_build_array(jsonb_build_object('blob', jsonb_build_object('object', asked.object))))
"""


async def on(connection: Connection, activities: Collection[Key]) -> list[tuple[Key, File]]:
    """The files that stand on the activities, in the order of their ids."""
    if not activities:
        return []
    rows = await connection.fetch(_ON, *columns(activities, 2))
    return [((row["organisation"], row["activity"]), file_of(row)) for row in rows]


async def shown(connection: Connection, activity: Key) -> list[Any]:
    """Rows of `files` that stand on an activity, the oldest first."""
    return list(await connection.fetch(_ON, [activity[0]], [activity[1]]))


async def add(
    connection: Connection, files: Collection[NewFile], places: Collection[tuple[str, UUID, UUID]]
) -> None:
    """Keep new files, and let files stand on activities: organisation, activity, file. All are locked."""
    if files:
        await connection.execute(_ADD, *columns([_row(each) for each in files], 11))
    if places:
        await connection.execute(_PLACE, *columns(places, 3))


async def rename(connection: Connection, files: Collection[tuple[str, File]]) -> None:
    """Write names and tags; the activities that the files stand on are locked."""
    if files:
        rows = [(organisation, file.id, file.name, json(file.tags)) for organisation, file in files]
        await connection.execute(_RENAME, *columns(rows, 4))


async def remove(connection: Connection, files: Collection[Key], now: datetime) -> list[str]:
    """Remove files wherever they stand; their objects."""
    if not files:
        return []
    return [row["object"] for row in await connection.fetch(_REMOVE, *columns(files, 2), now)]


async def remove_of(connection: Connection, activities: Collection[Key], now: datetime) -> list[str]:
    """Remove the files of activities whose texts are removed; the objects of those that are gone by that."""
    if not activities:
        return []
    return [row["object"] for row in await connection.fetch(_REMOVE_OF, *columns(activities, 2), now)]


async def referred(connection: Connection, objects: Collection[str]) -> set[str]:
    """Those of the objects that a file needs, or a mail that was sent with one."""
    return {row["object"] for row in await connection.fetch(_REFERRED, list(objects))}


def file_of(row: Any) -> File:
    """The file of a row of `files`."""
    given = {name: row[name] for name in _FIELDS}
    return File(**given | {"tags": tuple(row["tags"])})


def _row(new: NewFile) -> tuple[Any, ...]:
    file, by = new.file, new.by
    about = (new.organisation, file.id, file.object, file.sha256, file.size, file.media_type, file.name)
    return (*about, json(file.tags), new.at, by.kind, by.id)

"""SQL that removes what people wrote when an activity has been closed for long. Its history stays."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.activity.store_rows import Key
from shared.postgres import Connection, columns

# Closed is the end: nothing comes after it, so the time it was closed at stands in history.
_NEEDS = """
    activities.status <> 'closed' OR EXISTS (
        SELECT FROM history
        WHERE history.organisation = activities.organisation AND history.activity = activities.id
          AND history.status = 'closed' AND history.at >= $1
    )
"""
# A mail is not older than the activities that it stands on were closed, so its own time bounds the scan.
_MAILS = f"""
SELECT mails.organisation, mails.id, mails.direction, mails.conversation, mails.at FROM mails
WHERE mails.removed_at IS NULL AND mails.at < $1
  AND (mails.outcome IS NULL OR mails.outcome IN ('sent', 'failed', 'refused'))
  AND NOT EXISTS (
      SELECT FROM activity_mails AS stands
      JOIN activities ON activities.organisation = stands.organisation AND activities.id = stands.activity
      WHERE stands.organisation = mails.organisation AND stands.mail = mails.id AND ({_NEEDS})
  )
"""  # noqa: S608 - our own text
_MAILS_PAGE = _MAILS + "ORDER BY mails.at, mails.id LIMIT $2"
_THESE = "AND (mails.organisation, mails.id) IN (SELECT * FROM unnest($2::text[], $3::uuid[]))"
_THESE_MAILS = _MAILS + _THESE
# What is left says that there was a mail, who wrote it and what it was about.
_REMOVE_MAILS = """
UPDATE mails
SET removed_at = $3, doubts = '[]',
    content = jsonb_build_object('subject', coalesce(mails.content ->> 'subject', ''))
FROM unnest($1::text[], $2::uuid[]) AS gone (organisation, id)
WHERE mails.organisation = gone.organisation AND mails.id = gone.id
"""
_REMOVE_DESCRIPTIONS = """
UPDATE activities SET description = ''
FROM unnest($1::text[], $2::uuid[]) AS gone (organisation, id)
WHERE activities.organisation = gone.organisation AND activities.opening_mail = gone.id
  AND (activities.organisation, activities.id) IN (SELECT * FROM unnest($3::text[], $4::uuid[]))
"""
_TEXTS = f"""
SELECT activities.organisation, activities.id, activities.created_at FROM activities
WHERE activities.status = 'closed' AND activities.texts_removed_at IS NULL AND activities.created_at < $1
  AND NOT ({_NEEDS})
"""  # noqa: S608 - our own text
_TEXTS_PAGE = _TEXTS + "ORDER BY activities.created_at, activities.id LIMIT $2"
_REMOVE_TEXTS = """
UPDATE activities SET description = '', fields = '{}', texts_removed_at = $3
FROM unnest($1::text[], $2::uuid[]) AS gone (organisation, id)
WHERE activities.organisation = gone.organisation AND activities.id = gone.id
"""
_REMOVE_NOTES = """
DELETE FROM notes USING history
WHERE (history.organisation, history.activity) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
  AND notes.organisation = history.organisation AND notes.id = history.note
"""
_ANSWERS = "SELECT count(*) FROM answered_requests WHERE asked_at < $1"
_REMOVE_ANSWERS = """
DELETE FROM answered_requests
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM answered_requests WHERE asked_at < $1 ORDER BY asked_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""
_COUNT = "SELECT count(*) FROM ({}) AS found"


@dataclass(frozen=True, slots=True)
class OldMail:
    """A mail that nothing needs any more, and what it takes to tell whoever has its bytes."""

    organisation: str
    id: UUID
    incoming: bool
    conversation: str

    @property
    def key(self) -> Key:
        return self.organisation, self.id


async def old_mails(connection: Connection, before: datetime, limit: int) -> list[OldMail]:
    """The oldest mails with their texts whose activities were all closed before this time."""
    return [_old(*row) for row in await connection.fetch(_MAILS_PAGE, before, limit)]


async def still_old(connection: Connection, before: datetime, mails: Collection[Key]) -> list[OldMail]:
    """Those of these mails of which that still holds."""
    rows = await connection.fetch(_THESE_MAILS, before, *columns(sorted(mails), 2))
    return [_old(*row) for row in rows]


async def remove_mails(
    connection: Connection, mails: Collection[Key], activities: Collection[Key], now: datetime
) -> None:
    """Remove the texts of mails, and of those of these activities that one of them opened. All are locked."""
    gone = columns(sorted(mails), 2)
    await connection.execute(_REMOVE_MAILS, *gone, now)
    await connection.execute(_REMOVE_DESCRIPTIONS, *gone, *columns(sorted(activities), 2))


async def count_mails(connection: Connection, before: datetime) -> int:
    """How many such mails there are."""
    number: int = await connection.fetchval(_COUNT.format(_MAILS), before)
    return number


async def old_activities(connection: Connection, before: datetime, limit: int) -> list[Key]:
    """The oldest activities with their texts that were closed before this time; closed is the end."""
    rows = await connection.fetch(_TEXTS_PAGE, before, limit)
    return [(row["organisation"], row["id"]) for row in rows]


async def remove_texts(connection: Connection, activities: Collection[Key], now: datetime) -> None:
    """Remove the descriptions, custom fields and notes of activities, which are locked."""
    gone = columns(sorted(activities), 2)
    await connection.execute(_REMOVE_TEXTS, *gone, now)
    await connection.execute(_REMOVE_NOTES, *gone)


async def count_activities(connection: Connection, before: datetime) -> int:
    """How many such activities there are."""
    number: int = await connection.fetchval(_COUNT.format(_TEXTS), before)
    return number


async def remove_answers(connection: Connection, before: datetime, limit: int) -> int:
    """Delete answers to requests that were made before this time; how many that were."""
    return int((await connection.execute(_REMOVE_ANSWERS, before, limit)).rpartition(" ")[2])


async def count_answers(connection: Connection, before: datetime) -> int:
    """How many such answers there are."""
    number: int = await connection.fetchval(_ANSWERS, before)
    return number


def _old(organisation: str, id: UUID, direction: str, conversation: str, _: datetime) -> OldMail:
    return OldMail(organisation, id, direction == "in", conversation)

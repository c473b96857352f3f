"""SQL that finds all there is of a person, and removes it (CT-21). History stays: it holds ids only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.activity.store_rows import Key
from shared.postgres import Connection, columns


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to erase: the ids and addresses, in lower case, of a contact and of those that became it."""

    organisation: str
    contacts: tuple[UUID, ...]
    addresses: tuple[str, ...]


@dataclass(slots=True)
class Gone:
    """When a person was erased, and the addresses, in lower case, that they are known to have had."""

    at: datetime
    addresses: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class TheirMail:
    """A mail that somebody wrote, or that was sent to them."""

    id: UUID
    incoming: bool
    conversation: str


@dataclass(frozen=True, slots=True)
class TheirActivity:
    """An activity that somebody is on; `theirs` where a mail of theirs opened it, or it is about them."""

    id: UUID
    process: str
    closed: bool
    theirs: bool


@dataclass(frozen=True, slots=True)
class Traces:
    """All there is of a person. `named` are mails of others that name them, `places` how many activities'
    correspondents they are among.
    """

    person: Person
    mails: tuple[TheirMail, ...]
    named: tuple[UUID, ...]
    activities: tuple[TheirActivity, ...]
    notes: int
    places: int

    @property
    def open(self) -> list[Key]:
        """The keys of the activities that can still change."""
        return [(self.person.organisation, each.id) for each in self.activities if not each.closed]

    @property
    def theirs(self) -> list[UUID]:
        """The activities that lose what was written on them."""
        return [each.id for each in self.activities if each.theirs]


_PERSON = "SELECT id, address FROM contacts WHERE organisation = $1 AND (id = $2 OR merged_into = $2)"
_TAGGED_OPEN = """
SELECT tagged.organisation, tagged.activity FROM activity_contacts AS tagged
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, contact) USING (organisation, contact)
JOIN activities ON activities.organisation = tagged.organisation AND activities.id = tagged.activity
WHERE activities.status <> 'closed'
"""
# Addresses are in lower case elsewhere, in mails as they were written.
_LOWER = """lower(({} ->> 'address') COLLATE "pg_c_utf8")"""
_NAMED = {
    "sender": _LOWER.format("mails.sender"),
    "people": "jsonb_path_query(mails.recipients, '$.*[*]') AS person",
    "one": _LOWER.format("person"),
}
# Whoever is on a mail is among the correspondents of an activity that it stands on.
_MAILS = """
SELECT mails.id, direction = 'in' AS incoming, conversation, wrote, got FROM mails
CROSS JOIN LATERAL (
    SELECT direction = 'in' AND coalesce({sender} = ANY ($2::text[]), false) AS wrote,
        EXISTS (SELECT FROM {people} WHERE {one} = ANY ($2::text[])) AS got
) AS part
WHERE mails.organisation = $1 AND (wrote OR got) AND ($3::timestamptz IS NULL OR mails.at <= $3)
  AND mails.id IN (
      SELECT stands.mail FROM correspondents AS known
      JOIN activity_mails AS stands USING (organisation, activity)
      WHERE known.organisation = $1 AND known.address = ANY ($2::text[])
  )
ORDER BY mails.id
""".format(**_NAMED)  # noqa: S608 - our own text
# What is written on the Actions and Sub-Cases of a Case is about whoever the Case is about, and what a Ticket
# says stands on the Case that it became.
_ACTIVITIES = """
WITH own (id, process, closed, theirs) AS (
    SELECT id, process, status = 'closed',
        coalesce(bool_or(single), false) OR coalesce(opening_mail = ANY ($3::uuid[]), false)
    FROM (
        SELECT activity, tag <> 'cc' AS single FROM activity_contacts
        WHERE organisation = $1 AND contact = ANY ($2::uuid[])
        UNION ALL
        SELECT activity, NULL FROM activity_mails
        WHERE organisation = $1 AND mail = ANY ($3::uuid[] || $4::uuid[])
    ) AS part
    JOIN activities ON activities.organisation = $1 AND activities.id = part.activity
    GROUP BY organisation, id
),
every AS (
    SELECT * FROM own
    UNION ALL
    SELECT below.id, below.process, below.status = 'closed', own.theirs FROM own
    JOIN activities AS below ON below.organisation = $1 AND below.parent = own.id AND below.kind <> 'ticket'
    UNION ALL
    SELECT below.id, below.process, below.status = 'closed', own.theirs FROM own
    JOIN activities AS below ON below.organisation = $1 AND below.borne_by = own.id
)
SELECT id, process, closed, bool_or(theirs) AS theirs FROM every
GROUP BY id, process, closed
ORDER BY id
"""
_NOTES = """
SELECT count(*) FROM notes
JOIN history ON history.organisation = notes.organisation AND history.note = notes.id
    AND history.activity = notes.activity
WHERE history.organisation = $1 AND history.activity = ANY ($2::uuid[])
"""
_PLACES = """
SELECT count(DISTINCT activity) FROM correspondents
WHERE organisation = $1 AND address = ANY ($2::text[]) AND mailbox IS NULL
"""
# The subject is the person's, too, and so is what a server said of an address.
_ERASE_MAILS = """
UPDATE mails SET content = '{"subject": ""}', doubts = '[]',
    sender = CASE direction WHEN 'out' THEN sender END,
    delivery = delivery || '{"recipients": [], "reason": null}',
    removed_at = coalesce(removed_at, $3), erased_at = $3
WHERE organisation = $1 AND id = ANY ($2::uuid[])
"""
_ERASE_RECIPIENTS = """
UPDATE mails SET recipients = (
    SELECT coalesce(jsonb_object_agg(way, (
        SELECT coalesce(jsonb_agg(person ORDER BY place), '[]')
        FROM jsonb_array_elements(people) WITH ORDINALITY AS each (person, place)
        WHERE {one} <> ALL ($3::text[])
    )), '{{}}')
    FROM jsonb_each(recipients) AS ways (way, people)
)
WHERE organisation = $1 AND id = ANY ($2::uuid[])
""".format(**_NAMED)  # noqa: S608 - our own text
# What was open went on, and what was written on it since is about something else.
_ERASE_CLOSED = """
UPDATE activities SET title = CASE kind WHEN 'action' THEN title ELSE '' END, description = '', fields = '{}',
    texts_removed_at = coalesce(texts_removed_at, $3)
WHERE organisation = $1 AND id = ANY ($2::uuid[]) AND status = 'closed'
  AND EXISTS (
      SELECT FROM history WHERE history.organisation = $1 AND history.activity = activities.id
        AND history.status = 'closed' AND history.at <= $3
  )
"""
_ERASE_NOTES = """
DELETE FROM notes USING history
WHERE history.organisation = $1 AND history.activity = ANY ($2::uuid[]) AND history.at <= $3
  AND notes.organisation = history.organisation AND notes.id = history.note
"""
# What a mail still says was said after the person was erased, by somebody who is new.
_ERASE_PLACES = """
DELETE FROM correspondents AS known
WHERE organisation = $1 AND address = ANY ($2::text[]) AND mailbox IS NULL
  AND NOT EXISTS (
      SELECT FROM activity_mails AS stands
      JOIN mails ON mails.organisation = stands.organisation AND mails.id = stands.mail
      WHERE stands.organisation = known.organisation AND stands.activity = known.activity
        AND (coalesce({sender} = known.address, false)
             OR EXISTS (SELECT FROM {people} WHERE {one} = known.address))
  )
""".format(**_NAMED)  # noqa: S608 - our own text


async def tagged_open(connection: Connection, contacts: Collection[Key]) -> set[Key]:
    """The activities that can still change and have one of these contacts."""
    if not contacts:
        return set()
    return {tuple(row) for row in await connection.fetch(_TAGGED_OPEN, *columns(contacts, 2))}


async def traces(connection: Connection, contact: Key) -> Traces:
    """All there is of the person that a contact is."""
    organisation, id_ = contact
    rows = await connection.fetch(_PERSON, organisation, id_)
    person = Person(
        organisation,
        tuple(sorted(row["id"] for row in rows)),
        tuple(sorted(row["address"] for row in rows)),
    )
    return await traces_of(connection, person)


async def traces_of(connection: Connection, person: Person, until: datetime | None = None) -> Traces:
    """All there is of a person, with `until` without the mails that came or went after it."""
    found = await connection.fetch(_MAILS, person.organisation, list(person.addresses), until)
    mails = tuple(
        TheirMail(row["id"], row["incoming"], row["conversation"])
        for row in found
        if row["wrote"] or (row["got"] and not row["incoming"])
    )
    written = [each.id for each in mails if each.incoming]
    others = [row["id"] for row in found if row["id"] not in written]
    activities = tuple(
        TheirActivity(row["id"], row["process"], row["closed"], row["theirs"])
        for row in await connection.fetch(
            _ACTIVITIES, person.organisation, list(person.contacts), written, others
        )
    )
    theirs = [each.id for each in activities if each.theirs]
    return Traces(
        person,
        mails,
        tuple(row["id"] for row in found if row["incoming"] and not row["wrote"]),
        activities,
        await connection.fetchval(_NOTES, person.organisation, theirs),
        await connection.fetchval(_PLACES, person.organisation, list(person.addresses)),
    )


async def erase_again(connection: Connection, gone: Mapping[Key, Gone]) -> None:
    """Remove what a restored backup, or what was read again, knows of persons who were erased since."""
    for (organisation, contact), each in sorted(gone.items()):
        person = Person(organisation, (contact,), tuple(sorted(each.addresses)))
        await erase(connection, [await traces_of(connection, person, each.at)], each.at)


async def erase(connection: Connection, found: Iterable[Traces], now: datetime) -> None:
    """Remove what is there of persons beside their contacts and what open activities say of them.

    `now` is when they were erased: what was written after it stays.
    """
    for each in found:
        organisation, addresses = each.person.organisation, list(each.person.addresses)
        mails = [mail.id for mail in each.mails]
        await connection.execute(_ERASE_MAILS, organisation, mails, now)
        await connection.execute(_ERASE_RECIPIENTS, organisation, [*mails, *each.named], addresses)
        await connection.execute(_ERASE_CLOSED, organisation, each.theirs, now)
        await connection.execute(_ERASE_NOTES, organisation, each.theirs, now)
        await connection.execute(_ERASE_PLACES, organisation, addresses)

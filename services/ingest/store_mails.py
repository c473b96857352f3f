"""SQL about mails: what is known of some, taking new ones in, and what changes when one is decided again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.failure import FamilyMoved
from shared.postgres import Connection, columns, copy_in


class Overtaken(FamilyMoved):
    """A copy of the same mail was taken in by another mailbox's reader meanwhile: look again and decide."""


@dataclass(frozen=True, slots=True)
class KnownMail:
    """A mail that is in the tables. `digest` is that of its copy in the mailbox that was asked for."""

    id: UUID
    key: str
    state: str
    conversation: str | None
    digest: str | None
    covered: frozenset[str]
    """The addresses of ours that activity was told of."""
    returns: int = 0
    """How often activity gave it back."""


@dataclass(frozen=True, slots=True)
class MailRow:
    """A mail to be added. `raw` or `raw_object` holds its bytes, `objects` is all of it in the blob store."""

    id: UUID
    key: str
    mailbox: str
    state: str
    reason: str | None
    detail: str | None
    conversation: str | None
    configuration: int
    size: int
    headers: dict[str, Any]
    decision: dict[str, Any]
    raw: bytes | None
    raw_object: str | None
    truncated: bool
    objects: Sequence[str]


@dataclass(frozen=True, slots=True)
class NeededMail:
    """A mail that is published again, with what of it lies in the blob store now; its bytes may be here."""

    id: UUID
    raw: bytes | None
    raw_object: str | None
    truncated: bool
    objects: Sequence[str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is written on an unhandled mail that was decided again."""

    id: UUID
    state: str
    reason: str | None
    detail: str | None
    conversation: str | None
    configuration: int
    decision: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawMail:
    """The bytes of a mail, or where they are."""

    bytes: bytes | None
    object: str | None
    truncated: bool


_KNOWN = """
SELECT mails.id, mails.key, mails.state, mails.conversation, mails.returns, mail_copies.digest,
       ARRAY(
           SELECT address FROM mail_targets
           WHERE mail_targets.organisation = mails.organisation AND mail_targets.mail = mails.id
       ) AS covered
FROM mails
LEFT JOIN mail_copies
    ON mail_copies.organisation = mails.organisation AND mail_copies.mail = mails.id
    AND mail_copies.mailbox = $2
WHERE mails.organisation = $1 AND mails.key = ANY($3::text[])
"""
# In order of key, so that two readers that take the same mails in wait for each other and never cross.
_ADD = """
INSERT INTO mails (organisation, id, key, mailbox, state, reason, detail, conversation, configuration, size,
                   received_at, headers, decision)
SELECT $1, id, key, mailbox, state, reason, detail, conversation, configuration, size, $2, headers, decision
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int[],
            $11::bigint[], $12::jsonb[], $13::jsonb[])
    AS new (id, key, mailbox, state, reason, detail, conversation, configuration, size, headers, decision)
ORDER BY key
ON CONFLICT DO NOTHING
"""
_ADD_COPIES = """
INSERT INTO mail_copies (organisation, mail, mailbox, digest, received_at)
SELECT $1, mail, $2, digest, $3 FROM unnest($4::uuid[], $5::text[]) AS new (mail, digest)
ON CONFLICT (organisation, mail, mailbox) DO NOTHING
"""
_ADD_TARGETS = """
INSERT INTO mail_targets (organisation, mail, address, mailbox)
SELECT $1, mail, address, mailbox
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (mail, address, mailbox)
ORDER BY mail, address
ON CONFLICT (organisation, mail, address) DO NOTHING
"""
_JUDGE = """
UPDATE mails
SET state = new.state, reason = new.reason, detail = new.detail, conversation = new.conversation,
    configuration = new.configuration, decision = new.decision
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::jsonb[])
    AS new (id, state, reason, detail, conversation, configuration, decision)
WHERE mails.organisation = $1 AND mails.id = new.id AND mails.state = 'unhandled'
"""
_SET_ASIDE = """
WITH returned AS (
    UPDATE mails
    SET state = 'unhandled', reason = 'not placed', detail = given.detail, returns = mails.returns + 1
    FROM unnest($1::text[], $2::uuid[], $3::text[]) AS given (organisation, mail, detail)
    WHERE mails.organisation = given.organisation AND mails.id = given.mail
      AND (mails.state = 'received' OR mails.reason = 'not placed')
    RETURNING mails.organisation, mails.id
)
DELETE FROM mail_targets
USING returned, unnest($4::text[], $5::uuid[], $6::text[]) AS given (organisation, mail, address)
WHERE returned.organisation = given.organisation AND returned.id = given.mail
  AND mail_targets.organisation = given.organisation AND mail_targets.mail = given.mail
  AND mail_targets.address = given.address
"""
_NEED = """
UPDATE mails SET unneeded_at = NULL, removed_at = NULL
WHERE organisation = $1 AND id = $2 AND unneeded_at IS NOT NULL
"""
_KEEP_RAW = """
INSERT INTO raw_mails AS known (organisation, mail, bytes, object, truncated, objects)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organisation, mail) DO UPDATE
SET objects = ARRAY(SELECT unnest(known.objects) UNION SELECT unnest(excluded.objects))
WHERE known.objects IS NOT NULL
"""
_ADDED = attrgetter(
    *("id", "key", "mailbox", "state", "reason", "detail", "conversation", "configuration", "size"),
    *("headers", "decision"),
)
_JUDGED = attrgetter("id", "state", "reason", "detail", "conversation", "configuration", "decision")
_RAW = "SELECT bytes, object, truncated FROM raw_mails WHERE organisation = $1 AND mail = $2"


async def known(
    connection: Connection, organisation: str, mailbox: str, keys: Sequence[str]
) -> dict[str, KnownMail]:
    """The mails with these keys, by key."""
    rows = await connection.fetch(_KNOWN, organisation, mailbox, keys)
    return {
        row["key"]: KnownMail(
            id=row["id"],
            key=row["key"],
            state=row["state"],
            conversation=row["conversation"],
            digest=row["digest"],
            covered=frozenset(row["covered"]),
            returns=row["returns"],
        )
        for row in rows
    }


async def add(connection: Connection, organisation: str, mails: Sequence[MailRow], now: datetime) -> None:
    """Add mails with their bytes. Raises `Overtaken`."""
    if not mails:
        return
    added = columns([_ADDED(mail) for mail in mails], 11)
    _all(mails, await connection.execute(_ADD, organisation, now, *added))
    raws = [(organisation, each.id, *_raw(each)) for each in mails]
    names = ("organisation", "mail", "bytes", "object", "truncated", "objects")
    await copy_in(connection, "raw_mails", names, raws)


async def need(connection: Connection, organisation: str, mail: NeededMail) -> None:
    """A mail is published again: it is needed with these objects, even if it was removed."""
    await connection.execute(_NEED, organisation, mail.id)
    await connection.execute(_KEEP_RAW, organisation, mail.id, *_raw(mail))


async def add_copies(
    connection: Connection,
    organisation: str,
    mailbox: str,
    copies: Sequence[tuple[UUID, str]],
    now: datetime,
) -> None:
    """These mails (id, digest) came to this mailbox; a copy that is known stays as it is."""
    if copies:
        await connection.execute(_ADD_COPIES, organisation, mailbox, now, *columns(copies, 2))


async def add_targets(
    connection: Connection, organisation: str, targets: Sequence[tuple[UUID, str, str]]
) -> None:
    """Activity is told of these: mail, address, mailbox. Raises `Overtaken`."""
    if targets:
        _all(targets, await connection.execute(_ADD_TARGETS, organisation, *columns(targets, 3)))


async def judge(connection: Connection, organisation: str, judgements: Sequence[Judgement]) -> None:
    """Write down what was decided about unhandled mails. Raises `Overtaken` when one is so no longer."""
    if judgements:
        judged = columns([_JUDGED(each) for each in judgements], 7)
        _all(judgements, await connection.execute(_JUDGE, organisation, *judged))


async def set_aside(
    connection: Connection,
    returned: Sequence[tuple[str, UUID, str]],
    addresses: Sequence[tuple[str, UUID, str]],
) -> None:
    """Activity gave mails back: (organisation, mail, detail), and for which of our addresses.

    They are unhandled from now on, and published for these addresses again when they are decided again. A
    mail whose targets were told one after the other may be given back as often.
    """
    if returned:
        await connection.execute(_SET_ASIDE, *columns(returned, 3), *columns(addresses, 3))


async def raw(connection: Connection, organisation: str, mail: UUID) -> RawMail | None:
    """The bytes of a mail."""
    row = await connection.fetchrow(_RAW, organisation, mail)
    return None if row is None else RawMail(row["bytes"], row["object"], row["truncated"])


def _all(rows: Sequence[object], status: str) -> None:
    if int(status.rpartition(" ")[2]) != len(rows):
        raise Overtaken("another mailbox's reader took a copy of the same mail in")


def _raw(mail: MailRow | NeededMail) -> tuple[bytes | None, str | None, bool, Sequence[str]]:
    return mail.raw, mail.raw_object, mail.truncated, mail.objects

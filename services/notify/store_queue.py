"""The queue of outgoing mail in Postgres: claims, results, and what people do about what failed.

A claim is committed before the attempt and has an end (`due_at`): a mail whose process died comes back by
itself. Its number changes with every claim, so that a result that comes too late changes nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.notify.domain.delivery import Recipient, Result, State
from services.notify.queued import MailKey, QueuedMail, Settled
from services.notify.store import wake
from shared.contracts.blob import Blob
from shared.contracts.envelope import Envelope
from shared.postgres import Connection, Json, columns

Box = tuple[str, str]
"""An organisation and one of its mailboxes."""

LOST = "The process that was sending it died before it could note the result; it is sent again."


# Each mailbox offers its oldest; then they take turns, so that a thousand mails of one do not stop another's.
_CLAIM = """
WITH due AS (
    SELECT found.*
    FROM unnest($1::text[], $2::text[]) AS box (organisation, mailbox)
    CROSS JOIN LATERAL (
        SELECT mail.organisation, mail.id, mail.mailbox, mail.state, mail.due_at, mail.attempts,
               mail.claimed_at
        FROM outgoing_mails AS mail
        WHERE mail.organisation = box.organisation AND mail.mailbox = box.mailbox AND mail.due_at <= $3
        ORDER BY mail.due_at
        LIMIT $4
        FOR UPDATE SKIP LOCKED
    ) AS found
), chosen AS (
    SELECT due.*, row_number() OVER (PARTITION BY organisation, mailbox ORDER BY due_at) AS turn
    FROM due
    ORDER BY turn, due_at
    LIMIT $4
), lost AS (
    INSERT INTO outgoing_attempts (organisation, mail, number, began_at, ended_at, outcome, reason)
    SELECT organisation, id, attempts, claimed_at, $3, 'lost', $6
    FROM chosen
    WHERE state = 'sending'
), claimed AS (
    UPDATE outgoing_mails AS mail
    SET state = 'sending', claim = mail.claim + 1, attempts = mail.attempts + 1, claimed_at = $3, due_at = $5
    FROM chosen
    WHERE mail.organisation = chosen.organisation AND mail.id = chosen.id
    RETURNING mail.*, chosen.state = 'sending' AS lost
)
SELECT * FROM claimed
"""

_NEXT_DUE = """
SELECT min(next.due_at)
FROM unnest($1::text[], $2::text[]) AS box (organisation, mailbox)
CROSS JOIN LATERAL (
    SELECT mail.due_at
    FROM outgoing_mails AS mail
    WHERE mail.organisation = box.organisation AND mail.mailbox = box.mailbox AND mail.due_at IS NOT NULL
    ORDER BY mail.due_at
    LIMIT 1
) AS next
"""

_SETTLE = """
WITH settled AS (
    UPDATE outgoing_mails AS mail
    SET state = done.state, due_at = done.due_at, reason = done.reason, recipients = done.recipients,
        ended_at = CASE WHEN done.due_at IS NULL THEN done.ended_at END
    FROM unnest(
        $1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[], $7::jsonb[],
        $8::timestamptz[], $9::text[]
    ) AS done (organisation, id, claim, state, due_at, reason, recipients, ended_at, outcome)
    WHERE mail.organisation = done.organisation AND mail.id = done.id AND mail.claim = done.claim
      AND mail.state = 'sending'
    RETURNING mail.organisation, mail.id, mail.attempts, mail.claimed_at, done.ended_at, done.outcome,
              done.reason
), tried AS (
    INSERT INTO outgoing_attempts (organisation, mail, number, began_at, ended_at, outcome, reason)
    SELECT * FROM settled
)
SELECT organisation, id FROM settled
"""

_RENEW = """
UPDATE outgoing_mails AS mail
SET due_at = $4
FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS held (organisation, id, claim)
WHERE mail.organisation = held.organisation AND mail.id = held.id AND mail.claim = held.claim
  AND mail.state = 'sending'
"""

_STANDING = """
SELECT mail.organisation, mail.id
FROM outgoing_mails AS mail
JOIN unnest($1::text[], $2::uuid[], $3::bigint[]) AS held (organisation, id, claim)
  USING (organisation, id, claim)
WHERE mail.state = 'sending'
"""

_RELEASE = """
UPDATE outgoing_mails AS mail
SET state = CASE WHEN mail.attempts = 1 THEN 'queued' ELSE 'deferred' END, attempts = mail.attempts - 1,
    due_at = held.due_at, reason = held.reason
FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::text[])
    AS held (organisation, id, claim, due_at, reason)
WHERE mail.organisation = held.organisation AND mail.id = held.id AND mail.claim = held.claim
  AND mail.state = 'sending'
"""

_LOCK_ONE = """
SELECT * FROM outgoing_mails
WHERE organisation = $1 AND id = $2 AND refusal IS NULL AND removed_at IS NULL
FOR UPDATE
"""

_TRY_AGAIN = """
UPDATE outgoing_mails
SET state = 'queued', due_at = $3, ended_at = NULL, forgiven = attempts, recipients = $4
WHERE organisation = $1 AND id = $2
"""

_CANCEL = """
UPDATE outgoing_mails
SET state = 'cancelled', due_at = NULL, ended_at = $3, reason = $4
WHERE organisation = $1 AND id = $2
"""


async def claim(
    connection: Connection, boxes: Collection[Box], limit: int, now: datetime, until: datetime
) -> list[QueuedMail]:
    """Take up to `limit` mails that are due, the mailboxes in turn. The claim ends at `until`.

    What somebody else claimed and did not settle in time is `lost`: it may have been delivered already.
    """
    rows = await connection.fetch(_CLAIM, *columns(list(boxes), 2), now, limit, until, LOST)
    return [_queued(row, lost=row["lost"]) for row in rows]


async def next_due(connection: Connection, boxes: Collection[Box]) -> datetime | None:
    """When the next mail of these mailboxes is due, or the next claim on one ends."""
    due: datetime | None = await connection.fetchval(_NEXT_DUE, *columns(list(boxes), 2))
    return due


async def settle(connection: Connection, results: Sequence[Settled]) -> set[MailKey]:
    """Keep what attempts led to; return the mails whose claim still held. The others change nothing."""
    if not results:
        return set()
    mails = [
        (
            *result.mail.key,
            result.mail.claim,
            result.state.value,
            result.due,
            result.reason,
            Json.of(result.recipients),
            result.ended,
            result.outcome,
        )
        for result in results
    ]
    rows = await connection.fetch(_SETTLE, *columns(mails, 9))
    return {(row["organisation"], row["id"]) for row in rows}


async def renew(connection: Connection, mails: Iterable[QueuedMail], until: datetime) -> None:
    """Make claims last until `until`."""
    await connection.execute(_RENEW, *columns([(*mail.key, mail.claim) for mail in mails], 3), until)


async def standing(connection: Connection, mails: Sequence[QueuedMail]) -> list[QueuedMail]:
    """Those of these mails whose claim stands: what a commit did whose answer was lost."""
    if not mails:
        return []
    rows = await connection.fetch(_STANDING, *columns([(*mail.key, mail.claim) for mail in mails], 3))
    keys = {(row["organisation"], row["id"]) for row in rows}
    return [mail for mail in mails if mail.key in keys]


async def release(connection: Connection, mails: Iterable[tuple[QueuedMail, datetime, str]]) -> None:
    """Give claims back as if they had not been taken; each with when it is due again, and why."""
    rows = [(*mail.key, mail.claim, due, reason) for mail, due, reason in mails]
    if rows:
        await connection.execute(_RELEASE, *columns(rows, 5))


async def locked(connection: Connection, mail: MailKey) -> QueuedMail | None:
    """One mail, locked until the transaction ends; None where there is none that could be sent."""
    row = await connection.fetchrow(_LOCK_ONE, *mail)
    return None if row is None else _queued(row)


async def try_again(connection: Connection, mail: QueuedMail, now: datetime) -> None:
    """Queue it for whoever does not have it, with all attempts before it (NT-14). It must be locked."""
    recipients = [
        each if each.result is Result.ACCEPTED else replace(each, result=Result.PENDING)
        for each in mail.recipients
    ]
    await connection.execute(_TRY_AGAIN, *mail.key, now, Json.of(recipients))
    await wake(connection)


async def cancel(connection: Connection, mail: MailKey, reason: str, now: datetime) -> None:
    """Try it no more (NT-14). It must be locked."""
    await connection.execute(_CANCEL, *mail, now, reason)


def _queued(row: Any, *, lost: bool = False) -> QueuedMail:
    return QueuedMail(
        organisation=row["organisation"],
        id=row["id"],
        activity=row["activity"],
        reference=row["reference"],
        conversation=row["conversation"],
        cause=Envelope.model_validate(row["cause"]),
        message_id=row["message_id"],
        automatic=row["automatic"],
        home=row["home"],
        needs_smtputf8=row["needs_smtputf8"],
        mime=row["mime"],
        mime_blob=row["mime_blob"] and Blob.model_validate(row["mime_blob"]),
        state=State(row["state"]),
        claim=row["claim"],
        claimed_at=row["claimed_at"],
        attempts=row["attempts"],
        forgiven=row["forgiven"],
        recipients=tuple(
            Recipient(each["address"], Result(each["result"]), each["code"], each["answer"])
            for each in row["recipients"]
        ),
        lost=lost,
    )

"""What was told of mails before the database was put back (`recover.py`)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from services.notify.domain.delivery import Recipient, Result, State
from services.notify.queued import MailKey
from shared.contracts.mail import Delivery
from shared.contracts.notify_mails import (
    MailComposed,
    MailDeferred,
    MailFailed,
    MailRefused,
    MailSent,
    NotifyMail,
)
from shared.postgres import Connection, Json, columns

Decided = MailComposed | MailRefused
Ended = MailSent | MailDeferred | MailFailed


@dataclass(slots=True)
class Told:
    """The decision about a mail, and the last word of its delivery."""

    decided: Decided | None = None
    result: Ended | None = None


_REPORT: TypeAdapter[Any] = TypeAdapter(NotifyMail)
_RESULTS = {
    Delivery.ACCEPTED: Result.ACCEPTED,
    Delivery.DEFERRED: Result.PENDING,
    Delivery.REFUSED: Result.REFUSED,
}
_ADD = """
INSERT INTO told_before AS known (organisation, mail, decided, result)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::jsonb[], $4::jsonb[])
ON CONFLICT (organisation, mail) DO UPDATE
SET decided = coalesce(excluded.decided, known.decided), result = coalesce(excluded.result, known.result)
"""
_FIND = """
SELECT organisation, mail, decided, result FROM told_before
JOIN unnest($1::text[], $2::uuid[]) AS asked (organisation, mail) USING (organisation, mail)
"""
_FORGET = """
DELETE FROM told_before AS told
USING unnest($1::text[], $2::uuid[]) AS known (organisation, mail)
WHERE told.organisation = known.organisation AND told.mail = known.mail
"""
# Of a mail that was put off, the recipients' own results are not told.
# One whose addresses had to go has ended.
_APPLY = """
UPDATE outgoing_mails AS mail
SET state = told.state, attempts = greatest(mail.attempts, told.attempts), reason = told.reason,
    due_at = told.due_at, ended_at = told.ended_at,
    recipients = coalesce(told.recipients, mail.recipients)
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::timestamptz[], $7::timestamptz[],
    $8::jsonb[]
) AS told (organisation, id, state, attempts, reason, due_at, ended_at, recipients)
WHERE mail.organisation = told.organisation AND mail.id = told.id
    AND mail.state <> 'refused' AND mail.removed_at IS NULL
"""


async def add(connection: Connection, told: Mapping[MailKey, Told]) -> None:
    """Remember it for when their requests come again."""
    rows = [(*key, _json(each.decided), _json(each.result)) for key, each in told.items()]
    await connection.execute(_ADD, *columns(rows, 4))


async def find(connection: Connection, mails: Collection[MailKey]) -> dict[MailKey, Told]:
    """What was told of these; most have nothing."""
    return {
        (row["organisation"], row["mail"]): Told(
            *(each and _REPORT.validate_python(each) for each in (row["decided"], row["result"]))
        )
        for row in await connection.fetch(_FIND, *columns(list(mails), 2))
    }


async def apply(connection: Connection, told: Iterable[tuple[MailKey, Told]]) -> None:
    """Let mails stand as was told of them: what was sent is not sent again."""
    rows = [(*key, *_standing(each.result)) for key, each in told if each.result is not None]
    if rows:
        await connection.execute(_APPLY, *columns(rows, 8))


async def forget(connection: Connection, mails: Collection[MailKey]) -> None:
    """These are known again: what they say must not stay here when it has to go (CT-21)."""
    if mails:
        await connection.execute(_FORGET, *columns(sorted(mails), 2))


def _standing(result: Ended) -> tuple[Any, ...]:
    if isinstance(result, MailDeferred):
        return State.DEFERRED.value, result.attempts, result.reason, result.next_attempt, None, None
    recipients = [
        Recipient(each.address, _RESULTS[each.delivery], each.code, each.answer) for each in result.recipients
    ]
    state, reason = (State.SENT, "") if isinstance(result, MailSent) else (State.FAILED, result.reason)
    return state.value, result.attempts, reason, None, result.at, Json.of(recipients)


def _json(report: Decided | Ended | None) -> Json | None:
    return None if report is None else Json.of(report)

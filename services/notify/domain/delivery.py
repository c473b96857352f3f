"""What an attempt to send means for the mail: the states of an outgoing mail and how they follow (NT-14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.notify.domain.retry import pause_after, spread_of


class State(StrEnum):
    """Where an outgoing mail stands."""

    QUEUED = "queued"
    SENDING = "sending"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Result(StrEnum):
    """What became of a mail for one recipient. PENDING and DEFERRED ones are tried (again)."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"


OPEN = frozenset({Result.PENDING, Result.DEFERRED})

# What people may do about a mail that is not sent (NT-14).
RETRYABLE = frozenset({State.FAILED, State.DEFERRED})
CANCELLABLE = frozenset({State.FAILED, State.DEFERRED, State.QUEUED})


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient and what the server said last; `code` is RFC 5321's, None where there was no answer."""

    address: str
    result: Result = Result.PENDING
    code: int | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt. `due` is set exactly if the state is DEFERRED."""

    state: State
    recipients: tuple[Recipient, ...]
    reason: str
    due: datetime | None = None


def conclude(mail: UUID, recipients: Sequence[Recipient], attempt: int, tries: int, now: datetime) -> Verdict:
    """What follows from attempt number `attempt`, which is the `tries`-th since a person last asked.

    `recipients` is how it left them. As long as one is open and there are tries left, the mail is deferred
    and goes to the open ones only. Then it is sent if at least one recipient has it; who is still open counts
    as refused.
    """
    reason = _reason(recipients)
    if any(recipient.result in OPEN for recipient in recipients):
        pause = pause_after(tries, spread_of(mail, attempt))
        if pause is not None:
            return Verdict(State.DEFERRED, tuple(recipients), reason, now + pause)
        reason = f"Given up after {tries} attempts. {reason}"
    return finish(recipients, reason)


def finish(recipients: Sequence[Recipient], reason: str) -> Verdict:
    """The end: nobody is tried any more."""
    ended = tuple(
        Recipient(each.address, Result.REFUSED, each.code, each.answer) if each.result in OPEN else each
        for each in recipients
    )
    accepted = any(each.result is Result.ACCEPTED for each in ended)
    return Verdict(State.SENT if accepted else State.FAILED, ended, reason)


def _reason(recipients: Sequence[Recipient]) -> str:
    """The worst answer, for people: who still waits before who was refused."""
    for results in (OPEN, {Result.REFUSED}):
        for recipient in recipients:
            if recipient.result in results:
                code = f"{recipient.code} " if recipient.code else ""
                return f"{recipient.address}: {code}{recipient.answer}".strip()
    return ""

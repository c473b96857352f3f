"""What matching is told: a mail, the activities that it may be about, and the configuration (section 6)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ClosedMatch(StrEnum):
    """What a mail for a closed activity does (AMB-4)."""

    NEW_ACTIVITY = "new_activity"
    OPEN_PARENT = "open_parent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What matching wants to know of an activity.

    `mailbox` is the one that it works from. `parent` is the one that was split into it; `split` says that it
    was split itself and waits for its parts, `merged_into` what it was merged into. `thread` are the
    mailboxes that its mails so far were sent to (RT-7), `participants` the addresses, in lower case, of its
    contacts and of those on its mails.
    """

    id: UUID
    closed: bool
    mailbox: str | None
    conversation: str
    parent: UUID | None = None
    split: bool = False
    merged_into: UUID | None = None
    converted: bool = False
    thread: frozenset[str] = frozenset()
    participants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answered:
    """In-Reply-To names a mail that stands on this activity because of this mailbox (IN-2).

    `received` is true for a mail that came in, false for one that we sent. One mail may stand on several
    activities: then there is one of these for each.
    """

    activity: UUID
    mailbox: str | None
    received: bool


@dataclass(frozen=True, slots=True)
class PlusReference:
    """A plus address of ours among the recipients (PA-4).

    `activity` is the one that its reference names, None where there is none such or no reference at all: a
    valid token alone names only a `conversation`.
    """

    address: str
    mailbox: str
    activity: UUID | None
    conversation: str | None
    signed: bool


@dataclass(frozen=True, slots=True)
class Target:
    """An address of ours in To or Cc, without its plus part. Without a route it never opens anything."""

    address: str
    mailbox: str
    routed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """What is known about a mail.

    `sender` is in lower case. `addressed` are the mailboxes in To and Cc, whatever copy this is. `targets`
    are this copy's; `done` are the targets' addresses, and `appended` the activities, that an earlier copy
    saw to. `left` are those that a mail which it answers has left for a new one (AMB-33).
    """

    sender: str
    addressed: frozenset[str]
    targets: tuple[Target, ...]
    answered: tuple[Answered, ...] = ()
    plus: tuple[PlusReference, ...] = ()
    done: frozenset[str] = frozenset()
    appended: frozenset[UUID] = frozenset()
    left: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """The configuration: AMB-4, and the mailboxes that read plus addresses only (PA-5)."""

    closed_match: ClosedMatch = ClosedMatch.NEW_ACTIVITY
    plus_only: frozenset[str] = frozenset()

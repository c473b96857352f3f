"""Matching: which activities a mail is about, and what becomes of it at each address of ours (section 6).

Pure: the caller finds out what is known about the mail and the activities it names, and carries out what
comes back. An effect is keyed by mail and target, so that a later copy of the mail repeats nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.activity.domain.mail_facts import (
    Answered,
    ClosedMatch,
    Known,
    MailFacts,
    MatchingRules,
    PlusReference,
    Target,
)
from services.activity.domain.mail_families import (
    Append,
    chain_of_merges,
    end_of_merges,
    parents,
    split_copies,
)
from services.activity.domain.vocabulary import MatchedBy, Review


class OpenedBecause(StrEnum):
    """Why a mail opens an activity."""

    ROUTE = "route"
    """Nothing running matched (RT-6)."""
    CLOSED_MATCH = "closed_match"
    """What matched is closed (IN-14, T35)."""
    NEW_MAILBOX = "new_mailbox"
    """A mailbox joined the thread (RT-7)."""
    NEW_FROM_MAIL = "new_from_mail"
    """Somebody asked for it: the mail was appended wrongly (CE-5)."""


@dataclass(frozen=True, slots=True)
class Open:
    """A new activity by the route of `target`, linked to `linked`."""

    target: Target
    because: OpenedBecause
    linked: tuple[UUID, ...] = ()

    @property
    def continues(self) -> tuple[UUID, ...]:
        """The closed activities whose mails and contacts it takes over (IN-14)."""
        return self.linked if self.because is OpenedBecause.CLOSED_MATCH else ()


class Doubt(StrEnum):
    """Why a plus address counted as an ordinary one; noted on the mail for review (AMB-38)."""

    UNKNOWN_REFERENCE = "unknown_reference"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Doubted:
    """A plus address that was not believed."""

    address: str
    doubt: Doubt


@dataclass(frozen=True, slots=True)
class Unplaced:
    """The mail did nothing anywhere, and this target has no route: it is unhandled (UH-1)."""

    target: Target


Effect = Append | Open | Doubted | Unplaced


def match(mail: MailFacts, known: Mapping[UUID, Known], rules: MatchingRules) -> tuple[Effect, ...]:
    """What becomes of a mail; `known` holds every activity that it names, and their parents.

    IN-1's ways in order: a known mail in In-Reply-To, then plus addresses. Explicit addressing is never
    lost, so several hits are a union (AMB-10, AMB-11).
    """
    hits, doubts = _hits(mail, known, rules)
    homes = {hit: home for hit in hits if (home := _home(hit, known, rules))}
    copies = [
        copy
        for hit in hits
        for one in chain_of_merges(known[hit.activity], known)
        for copy in split_copies(one, known, hit.review)
    ]
    appends: dict[UUID, Append] = {}
    for append in (*homes.values(), *copies):
        appends.setdefault(append.activity, append)
    opens = [*_anew(hits, homes, mail, known), *_joining(hits, mail, known)] if hits else _unmatched(mail)
    if not (appends or opens or mail.done or mail.appended):
        return (*(Unplaced(target) for target in mail.targets), *doubts)
    return (
        *(append for append in appends.values() if append.activity not in mail.appended),
        *(opening for opening in opens if opening.target.address not in mail.done),
        *doubts,
    )


@dataclass(frozen=True, slots=True)
class _Hit:
    """A way that leads to an activity; `mailbox` is the one that it leads through."""

    activity: UUID
    mailbox: str
    way: MatchedBy
    review: frozenset[Review] = frozenset()


def _hits(
    mail: MailFacts, known: Mapping[UUID, Known], rules: MatchingRules
) -> tuple[list[_Hit], list[Doubted]]:
    """One hit per activity, the first way winning (IN-1), and the plus addresses that were not believed."""
    doubts: list[Doubted] = []
    hits = {
        answered.activity: _Hit(answered.activity, answered.mailbox, MatchedBy.IN_REPLY_TO)
        for answered in mail.answered
        if answered.activity in known and answered.mailbox and _comes_home(answered, mail, rules)
    }
    answers = frozenset(hits)
    for plus in mail.plus:
        activity = _named(plus, known)
        if activity is None:
            doubts.append(Doubted(plus.address, Doubt.UNKNOWN_REFERENCE))
        elif not plus.signed and mail.sender not in activity.participants:
            doubts.append(Doubted(plus.address, Doubt.STRANGER))
        elif activity.id not in hits and activity.id not in mail.left:
            way = MatchedBy.SIGNED_ADDRESS if plus.signed else MatchedBy.BARE_ADDRESS
            other = frozenset({Review.OTHER_REFERENCE_THAN_ANSWERED} if answers else ())
            hits[activity.id] = _Hit(activity.id, plus.mailbox, way, other)
    return list(hits.values()), doubts


def _comes_home(answered: Answered, mail: MailFacts, rules: MatchingRules) -> bool:
    """The address that caused the association is still in To or Cc (IN-2); Only mode knows received mails."""
    return answered.mailbox in mail.addressed and (
        answered.received or answered.mailbox not in rules.plus_only
    )


def _named(plus: PlusReference, known: Mapping[UUID, Known]) -> Known | None:
    """The activity of a reference; of a token alone, the one of its conversation and mailbox (AMB-38)."""
    if plus.activity is not None:
        return known.get(plus.activity)
    if not plus.signed or plus.conversation is None:
        return None
    named = (
        activity
        for activity in known.values()
        if (activity.conversation, activity.mailbox) == (plus.conversation, plus.mailbox)
    )
    # An open one goes before a closed one; ids grow with time, so the newest goes before the others.
    return max(named, key=lambda activity: (not activity.closed, activity.id), default=None)


def _end(hit: _Hit, known: Mapping[UUID, Known]) -> Known:
    """The activity that a hit names, or what that was merged into in the end (IN-9)."""
    return end_of_merges(known[hit.activity], known)


def _home(hit: _Hit, known: Mapping[UUID, Known], rules: MatchingRules) -> Append | None:
    """The open activity that a hit ends at: its own, or where AMB-4 is set so an open parent (IN-14)."""
    activity = _end(hit, known)
    if not activity.closed:
        over = MatchedBy.CONVERTED if known[hit.activity].converted else MatchedBy.MERGED
        way = hit.way if activity.id == hit.activity else over
        return Append(activity.id, way, hit.review)
    if rules.closed_match is ClosedMatch.NEW_ACTIVITY:
        return None
    parent = next((parent for parent in parents(activity, known) if not parent.closed), None)
    return Append(parent.id, MatchedBy.OPEN_PARENT, hit.review) if parent else None


def _unmatched(mail: MailFacts) -> list[Open]:
    """One new activity for each routed address (RT-6).

    An answer that left out the mailbox it came from and is sent to another one is linked (RT-7).
    """
    linked = tuple(
        dict.fromkeys(
            answered.activity for answered in mail.answered if answered.mailbox not in mail.addressed
        )
    )
    because = OpenedBecause.NEW_MAILBOX if linked else OpenedBecause.ROUTE
    return [Open(target, because, linked) for target in mail.targets if target.routed]


def _anew(
    hits: Iterable[_Hit], homes: Mapping[_Hit, Append], mail: MailFacts, known: Mapping[UUID, Known]
) -> Iterator[Open]:
    """For the closed hits through a mailbox a new activity, unless the mail found an open one there (T35).

    A copy for the other parts of a split is not found there: a closed part has its own new one (IN-8).
    """
    routed = {target.mailbox: target for target in reversed(mail.targets) if target.routed}
    found = {hit.mailbox for hit in homes}
    closed: dict[str, dict[UUID, None]] = {}
    for hit in hits:
        if hit not in homes and hit.mailbox in routed.keys() - found:
            closed.setdefault(hit.mailbox, {}).setdefault(_end(hit, known).id)
    for mailbox, activities in closed.items():
        yield Open(routed[mailbox], OpenedBecause.CLOSED_MATCH, tuple(activities))


def _joining(hits: Iterable[_Hit], mail: MailFacts, known: Mapping[UUID, Known]) -> Iterator[Open]:
    """Plain addresses of mailboxes that the earlier thread did not have (RT-7, AMB-10)."""
    ends = {end.id: end for end in (_end(hit, known) for hit in hits)}
    found = [*(known[hit.activity] for hit in hits), *ends.values()]
    thread = {hit.mailbox for hit in hits} | {activity.mailbox for activity in found}
    thread = thread.union(*(activity.thread for activity in found))
    linked = tuple(ends)
    for target in mail.targets:
        if target.routed and target.mailbox not in thread:
            yield Open(target, OpenedBecause.NEW_MAILBOX, linked)

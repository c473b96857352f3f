"""Which activities a mail is about (section 6 of the catalogue)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.activity.domain.mail_facts import (
    Answered,
    ClosedMatch,
    Known,
    MailFacts,
    MatchingRules,
    PlusReference,
    Target,
)
from services.activity.domain.mail_families import Append
from services.activity.domain.matching import (
    Doubt,
    Doubted,
    Effect,
    Open,
    OpenedBecause,
    Unplaced,
    match,
)
from services.activity.domain.vocabulary import MatchedBy, Review

A, B, CLOSED, PARENT, EARLIER = (UUID(int=number) for number in (1, 2, 3, 4, 5))
TALK = "00000000000000aa"
INFO, SALES, HR, LEGAL = (
    Target(f"{name}@acme.example", name, True) for name in ("info", "sales", "hr", "legal")
)
NOWHERE = Target("jobs@acme.example", "info", False)
JANE, EVE = "jane@customer.example", "eve@elsewhere.example"

KNOWN = {
    activity.id: activity
    for activity in (
        Known(
            id=A,
            closed=False,
            mailbox="info",
            conversation=TALK,
            thread=frozenset({"legal"}),
            participants=frozenset({JANE}),
        ),
        Known(id=B, closed=False, mailbox="sales", conversation=TALK, thread=frozenset({"sales"})),
        Known(id=CLOSED, closed=True, mailbox="info", conversation="00000000000000bb", parent=PARENT),
        Known(id=EARLIER, closed=True, mailbox="info", conversation="00000000000000dd"),
        Known(id=PARENT, closed=False, mailbox="hr", conversation="00000000000000cc"),
    )
}
MIXED = MatchingRules()


def mail(*targets: Target, **more: Any) -> MailFacts:
    given = {"sender": JANE, "addressed": frozenset(target.mailbox for target in targets)}
    return MailFacts(targets=targets, **(given | more))


def answer(activity: UUID, mailbox: str = "info", *, received: bool = False) -> Answered:
    return Answered(activity, mailbox, received)


def plus(activity: UUID | None, mailbox: str = "info", *, signed: bool = True) -> PlusReference:
    return PlusReference(f"{mailbox}+ref@acme.example", mailbox, activity, None, signed)


def appended(activity: UUID, by: MatchedBy, *, reviewed: bool = False) -> Append:
    return Append(activity, by, frozenset({Review.OTHER_REFERENCE_THAN_ANSWERED} if reviewed else ()))


IN_REPLY_TO, SIGNED, BARE = MatchedBy.IN_REPLY_TO, MatchedBy.SIGNED_ADDRESS, MatchedBy.BARE_ADDRESS
ROUTE, NEW_MAILBOX, CLOSED_MATCH = (
    OpenedBecause.ROUTE,
    OpenedBecause.NEW_MAILBOX,
    OpenedBecause.CLOSED_MATCH,
)

CASES: dict[str, tuple[MailFacts, tuple[Effect, ...]]] = {
    "RT-6: one routed address opens one": (mail(INFO), (Open(INFO, ROUTE),)),
    "RT-6: each routed address opens one": (mail(INFO, SALES), (Open(INFO, ROUTE), Open(SALES, ROUTE))),
    "UH-1: no route at all is unhandled": (mail(NOWHERE), (Unplaced(NOWHERE),)),
    "RT-6: one without a route beside one with": (mail(NOWHERE, SALES), (Open(SALES, ROUTE),)),
    "IN-2: an answer comes home": (
        mail(INFO, answered=(answer(A),)),
        (appended(A, IN_REPLY_TO),),
    ),
    "IN-4: so does somebody's in Cc, whom we never saw": (
        mail(INFO, answered=(answer(A, received=True),), sender=EVE),
        (appended(A, IN_REPLY_TO),),
    ),
    "IN-2, RT-7: the address that caused it is gone, another one is new": (
        mail(HR, answered=(answer(A),)),
        (Open(HR, NEW_MAILBOX, (A,)),),
    ),
    "RT-7: a mailbox joins a thread": (
        mail(INFO, HR, answered=(answer(A),)),
        (appended(A, IN_REPLY_TO), Open(HR, NEW_MAILBOX, (A,))),
    ),
    "RT-7: a mailbox that earlier mails went to opens nothing": (
        mail(INFO, LEGAL, answered=(answer(A),)),
        (appended(A, IN_REPLY_TO),),
    ),
    "RT-7: nor the activity's own, when it was found through another": (
        mail(INFO, SALES, plus=(plus(A, "sales"),)),
        (appended(A, SIGNED),),
    ),
    "RT-7: what was in the thread opens nothing": (
        mail(INFO, SALES, answered=(answer(A), answer(B, "sales"))),
        (appended(A, IN_REPLY_TO), appended(B, IN_REPLY_TO)),
    ),
    "SH-3: a mail on two activities, answered to one mailbox": (
        mail(INFO, answered=(answer(A), answer(B, "sales"))),
        (appended(A, IN_REPLY_TO),),
    ),
    "PA-4: a signed address comes home, whoever writes": (
        mail(INFO, plus=(plus(A),), sender=EVE),
        (appended(A, SIGNED),),
    ),
    "AMB-10: every referenced open activity": (
        mail(INFO, SALES, plus=(plus(A), plus(B, "sales"))),
        (appended(A, SIGNED), appended(B, SIGNED)),
    ),
    "AMB-10: a reference, and a plain address of the same mailbox": (
        mail(INFO, Target("alias@acme.example", "info", True), plus=(plus(A),)),
        (appended(A, SIGNED),),
    ),
    "IN-1: the first way wins": (
        mail(INFO, answered=(answer(A),), plus=(plus(A),)),
        (appended(A, IN_REPLY_TO),),
    ),
    "AMB-11: a different reference is a union, and looked at": (
        mail(INFO, SALES, answered=(answer(A),), plus=(plus(B, "sales"),)),
        (appended(A, IN_REPLY_TO), appended(B, SIGNED, reviewed=True)),
    ),
    "AMB-38: a bare reference of a participant counts": (
        mail(INFO, plus=(plus(A, signed=False),)),
        (appended(A, BARE),),
    ),
    "AMB-38: of a stranger it is an ordinary address, and noted": (
        mail(INFO, plus=(plus(A, signed=False),), sender=EVE),
        (Open(INFO, ROUTE), Doubted("info+ref@acme.example", Doubt.STRANGER)),
    ),
    "PA-7: a reference that nobody gave": (
        mail(INFO, plus=(plus(None),)),
        (Open(INFO, ROUTE), Doubted("info+ref@acme.example", Doubt.UNKNOWN_REFERENCE)),
    ),
    "AMB-38: a token alone finds its conversation's activity of that mailbox": (
        mail(SALES, plus=(replace(plus(None, "sales"), conversation=TALK),), sender=EVE),
        (appended(B, SIGNED),),
    ),
    "IN-14, T35: a closed one opens another": (
        mail(INFO, answered=(answer(CLOSED),)),
        (Open(INFO, CLOSED_MATCH, (CLOSED,)),),
    ),
    "IN-14, T35: several closed ones through one mailbox open one that continues them all": (
        mail(INFO, answered=(answer(CLOSED),), plus=(plus(EARLIER),)),
        (Open(INFO, CLOSED_MATCH, (CLOSED, EARLIER)),),
    ),
    "IN-14: one of them was continued already": (
        mail(INFO, answered=(answer(CLOSED, received=True), answer(A, received=True))),
        (appended(A, IN_REPLY_TO),),
    ),
    "T35: by the route of the mailbox that was written to": (
        mail(INFO, SALES, plus=(plus(CLOSED), plus(B, "sales"))),
        (appended(B, SIGNED), Open(INFO, CLOSED_MATCH, (CLOSED,))),
    ),
    "AMB-11: a closed answer and an open reference through one mailbox": (
        mail(INFO, answered=(answer(CLOSED),), plus=(plus(A),)),
        (appended(A, SIGNED, reviewed=True),),
    ),
    "UH-1: a closed one whose mailbox has no route": (
        mail(NOWHERE, answered=(answer(CLOSED),)),
        (Unplaced(NOWHERE),),
    ),
    "IN-7: a later copy repeats nothing": (
        mail(INFO, SALES, done=frozenset({INFO.address})),
        (Open(SALES, ROUTE),),
    ),
    "IN-7: nor appends again": (
        mail(INFO, HR, answered=(answer(A),), appended=frozenset({A})),
        (Open(HR, NEW_MAILBOX, (A,)),),
    ),
    "IN-7: nor is unhandled, when an earlier copy found its place": (
        mail(NOWHERE, done=frozenset({INFO.address})),
        (),
    ),
    "RT-7: a later copy from the other mailbox alone": (
        mail(SALES, addressed=frozenset({"info", "sales"}), answered=(answer(A), answer(B, "sales"))),
        (appended(A, IN_REPLY_TO), appended(B, IN_REPLY_TO)),
    ),
}


def test_only_what_is_opened_for_closed_ones_continues_what_it_is_linked_with() -> None:
    """IN-14, RT-7: a mailbox that joins gets a Ticket of its own, without the thread."""
    assert Open(INFO, CLOSED_MATCH, (CLOSED, EARLIER)).continues == (CLOSED, EARLIER)
    assert Open(HR, NEW_MAILBOX, (A,)).continues == ()


@pytest.mark.parametrize("name", CASES)
def test_a_mail_finds_its_place(name: str) -> None:
    """IN-1, IN-2, IN-4, IN-7, IN-14, RT-6, RT-7, PA-4, PA-7, AMB-10, AMB-11, AMB-38, SH-3, T35, UH-1."""
    facts, effects = CASES[name]
    assert match(facts, KNOWN, MIXED) == effects


def test_a_mailbox_for_plus_addresses_only_knows_received_mails_only() -> None:
    """IN-2, PA-5, AMB-8."""
    only = MatchingRules(plus_only=frozenset({"info"}))
    assert match(mail(INFO, answered=(answer(A),)), KNOWN, only) == (Open(INFO, ROUTE),)
    received = mail(INFO, answered=(answer(A, received=True),))
    assert match(received, KNOWN, only) == (appended(A, IN_REPLY_TO),)


def test_a_closed_match_can_climb_to_an_open_parent() -> None:
    """AMB-4: where the organisation wants it; without an open parent a new one is opened all the same."""
    climbing = MatchingRules(closed_match=ClosedMatch.OPEN_PARENT)
    facts = mail(INFO, answered=(answer(CLOSED),))
    assert match(facts, KNOWN, climbing) == (appended(PARENT, MatchedBy.OPEN_PARENT),)
    orphans = KNOWN | {PARENT: replace(KNOWN[PARENT], closed=True, parent=CLOSED)}
    assert match(facts, orphans, climbing) == (Open(INFO, CLOSED_MATCH, (CLOSED,)),)


def test_two_closed_ones_with_one_parent_append_once() -> None:
    """AMB-4, AMB-11."""
    other = replace(KNOWN[CLOSED], id=UUID(int=6), mailbox="sales")
    facts = mail(INFO, SALES, plus=(plus(CLOSED), plus(other.id, "sales")))
    effects = match(facts, KNOWN | {other.id: other}, MatchingRules(closed_match=ClosedMatch.OPEN_PARENT))
    assert effects == (appended(PARENT, MatchedBy.OPEN_PARENT),)


def test_a_token_alone_prefers_the_open_and_then_the_newest() -> None:
    """AMB-38: a conversation may have led to several activities of one mailbox."""
    older = replace(KNOWN[A], id=UUID(int=10), closed=True)
    newer = replace(KNOWN[A], id=UUID(int=11))
    newest = replace(KNOWN[A], id=UUID(int=12), closed=True)
    facts = mail(INFO, plus=(replace(plus(None), conversation=TALK),))
    everything = {activity.id: activity for activity in (older, newer, newest)}
    assert match(facts, everything, MIXED) == (appended(newer.id, SIGNED),)


def test_a_mail_for_a_part_that_was_merged_elsewhere_reaches_its_siblings_too() -> None:
    """IN-8, IN-9: along the whole chain of merges; the target's own mail is the target's alone."""
    split, part, sibling, middle, cousin, target = (UUID(int=number) for number in range(10, 16))
    other = UUID(int=16)

    def one(id_: UUID, **more: Any) -> Known:
        return Known(**{"id": id_, "closed": False, "mailbox": "info", "conversation": TALK, **more})

    family = {
        each.id: each
        for each in (
            one(split, split=True),
            one(part, closed=True, parent=split, merged_into=middle),
            one(sibling, parent=split),
            one(other, split=True),
            one(middle, closed=True, parent=other, merged_into=target),
            one(cousin, parent=other),
            one(target),
        )
    }
    assert match(mail(INFO, plus=(plus(part),)), family, MIXED) == (
        Append(target, MatchedBy.MERGED),
        Append(sibling, MatchedBy.SPLIT),
        Append(cousin, MatchedBy.SPLIT),
    )
    assert match(mail(INFO, plus=(plus(target),)), family, MIXED) == (appended(target, SIGNED),)

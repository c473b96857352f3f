"""Loose links: what a Ticket says of them, and what it begins with from another (LK-2 to LK-5)."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.activity.domain.events import Linked, MailCopied, MailRequested, Opened, Unlinked
from services.activity.domain.link_steps import LinkWith, Unlink
from services.activity.domain.links import Earlier, Link, LinkReason
from services.activity.domain.refusals import Refusal, RefusalCode
from services.activity.domain.states import State
from services.activity.domain.vocabulary import StartedBy
from shared.references import ticket
from tests.unit.activity.tickets import CREATED, ERP, OTHER, STARTED, Life, life_in, only, refused

THIRD = Link(UUID(int=3), ticket(101205), LinkReason.LINKED)


def test_a_link_is_said_once_and_taken_away_at_any_time() -> None:
    """LK-3: what is linked already stays so, and nothing is said again."""
    life = life_in(State.TO_DO)
    assert only(Linked, life.take(LinkWith((OTHER,)))).link == OTHER
    assert only(Linked, life.take(LinkWith((OTHER, THIRD)))).link == THIRD
    assert life.it.links == {OTHER.activity, THIRD.activity}
    assert only(Unlinked, life.take(Unlink((OTHER,)))).link == OTHER
    assert life.take(Unlink((OTHER,))) == ()
    assert life.it.links == {THIRD.activity}


def test_linking_neither_takes_a_ticket_nor_asks_whose_it_is() -> None:
    """LK-2, ST-22: statuses and holders stay."""
    life = life_in(State.IN_PROGRESS)
    before = life.it
    life.take(LinkWith((OTHER,)), ERP)
    assert (
        structs.replace(life.it, links=frozenset(), version=before.version, changed=before.changed) == before
    )


def test_a_closed_ticket_takes_no_link() -> None:
    """T38."""
    life = life_in(State.CLOSED)
    assert refused(life.take(LinkWith((OTHER,)))).code is RefusalCode.CLOSED
    assert refused(life.take(Unlink((OTHER,)))).code is RefusalCode.CLOSED


def test_what_is_opened_from_another_says_so_and_copies_its_mails() -> None:
    """LK-3, LK-5, GL-8: the acknowledgement comes behind what it begins with."""
    mails = [Earlier(UUID(int=number), OTHER.activity, OTHER.reference) for number in (7, 8)]
    from_it = {"links": (replace(OTHER, reason=LinkReason.OPENED_FROM),), "copied": tuple(mails)}
    for step, actor in ((STARTED, life_in(State.DRAFT).it.holders.assignee), (CREATED, None)):
        life = Life()
        done = life.take(replace(step, **from_it)) if actor else life.take(replace(step, **from_it), ERP)
        assert not isinstance(done, Refusal)
        assert only(Opened, done).started_by is StartedBy.LINKED_WORK_ITEM
        assert only(Linked, done).link.reason == "opened_from"
        assert [event.earlier for event in done if isinstance(event, MailCopied)] == mails
        assert all(isinstance(event, MailRequested) for event in done[4:])


@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(2, 6), min_size=1))))
def test_links_are_those_that_were_made_and_not_taken_away(steps: list[tuple[bool, set[int]]]) -> None:
    """LK-3: whatever is asked for in whatever order, each event changes exactly one link."""
    life, linked = life_in(State.TO_DO), set[UUID]()
    for makes, others in steps:
        links = tuple(Link(UUID(int=each), ticket(each), LinkReason.LINKED) for each in sorted(others))
        ids = {link.activity for link in links}
        done = life.take(LinkWith(links) if makes else Unlink(links))
        assert not isinstance(done, Refusal)
        assert len(done) == len(ids - linked if makes else ids & linked)
        linked = linked | ids if makes else linked - ids
        assert life.it.links == linked

"""How a Ticket begins (T1 to T5)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.activity.domain.activity import Holders
from services.activity.domain.contacts import Tagged
from services.activity.domain.events import MailContinued, MailRequested, StatusChanged
from services.activity.domain.links import Earlier, Link
from services.activity.domain.refusals import Missing, Refusal, RefusalCode
from services.activity.domain.states import State, Status
from services.activity.domain.steps import (
    Edit,
    SendMail,
    Submit,
    WaitForMoreInformation,
)
from services.activity.domain.vocabulary import (
    SYSTEM,
    Method,
    Purpose,
    Reason,
    StartedBy,
    Tag,
)
from shared.references import ticket
from tests.unit.activity.tickets import (
    COLLEAGUE,
    CREATED,
    CUSTOMER,
    ERP,
    FOUR_OF_CUSTOMER,
    MAIL_ROUTED,
    STARTED,
    WINDOW,
    Life,
    life_in,
    only,
    refused,
)


def test_a_manual_start_is_a_draft_of_its_creator() -> None:
    """T1, GL-8, CT-6, CT-7."""
    life = Life()
    life.take(STARTED)
    assert life.it.state is State.DRAFT
    assert life.it.holders == Holders(assignee="alice")
    assert life.it.started_by is StartedBy.MANUAL
    assert life.it.contacts == FOUR_OF_CUSTOMER


def test_a_process_that_is_not_startable_starts_nothing() -> None:
    """GL-5."""
    done = refused(Life(replace(WINDOW, startable=False)).take(STARTED))
    assert done.missing == (Missing.STARTABLE_PROCESS,)


def test_a_mail_opens_a_ticket_in_its_queue_and_is_acknowledged() -> None:
    """T2, CT-5, NT-1, NT-2, ST-19."""
    life = Life()
    done = life.take(MAIL_ROUTED, SYSTEM, effect=0x77)
    assert life.it.state is State.TO_DO
    assert life.it.holders == Holders(queue="it")
    assert life.it.contacts == FOUR_OF_CUSTOMER
    assert life.it.opening_mail == MAIL_ROUTED.mail
    request = only(MailRequested, done)
    assert (request.mail, request.purpose, request.to) == (
        UUID(int=0x77),
        Purpose.ACKNOWLEDGEMENT,
        (CUSTOMER,),
    )


@pytest.mark.parametrize(
    "without",
    [
        {"acknowledge": False},  # NT-2
        {"automatic": True},  # IN-17
        {"automated_mail": False},  # NT-5
        {"sender": None},  # CT-12: nobody to write to
    ],
)
def test_no_acknowledgement_where_none_is_wanted(without: dict[str, Any]) -> None:
    """NT-2, NT-5, IN-17."""
    life = Life()
    done = life.take(replace(MAIL_ROUTED, **without), SYSTEM)
    assert not isinstance(done, Refusal)
    assert not any(isinstance(event, MailRequested) for event in done)
    assert life.it.state is State.TO_DO


def test_a_new_ticket_is_linked_with_the_closed_one_it_follows() -> None:
    """T35, IN-14, LK-2: the new activity knows the old one."""
    life = Life()
    life.take(replace(MAIL_ROUTED, links=(Link(UUID(int=9), ticket(9), "closed_match"),)), SYSTEM)
    assert life.it.links == {UUID(int=9)}


def test_a_ticket_that_continues_a_closed_one_tells_what_it_took_over() -> None:
    """IN-14: so that whoever reads its events knows its contacts and mails."""
    life = Life()
    thread = tuple(Earlier(UUID(int=mail), UUID(int=9), ticket(9)) for mail in (0xB1, 0xB2))
    done = life.take(
        replace(MAIL_ROUTED, thread=thread, contacts=(Tagged(Tag.PRIMARY_CONTACT, COLLEAGUE),)), SYSTEM
    )
    assert not isinstance(done, Refusal)
    assert tuple(event.earlier for event in done if isinstance(event, MailContinued)) == thread
    assert life.it.contacts == FOUR_OF_CUSTOMER | {Tagged(Tag.CC, COLLEAGUE)}
    acknowledgement = only(MailRequested, done)
    assert (acknowledgement.to, acknowledgement.cc) == ((CUSTOMER,), (COLLEAGUE,))
    assert not life.it.new_information


def test_what_an_integration_creates_is_validated_and_to_do() -> None:
    """T3, AMB-29: mandatory data are there, or the row is refused with all that is missing."""
    life = Life()
    life.take(CREATED, ERP)
    assert (life.it.state, life.it.started_by) == (State.TO_DO, StartedBy.BULK_UPLOAD)
    done = refused(Life().take(replace(CREATED, title=" ", category=None, contacts=()), ERP))
    assert done.missing == (
        Missing.TITLE,
        Missing.CATEGORY,
        Missing.PRIMARY_CONTACT,
        Missing.REQUESTER,
    )


def test_rows_that_ask_for_no_automated_mail_get_none() -> None:
    """NT-4, NT-3: neither the acknowledgement nor any later automatic mail."""
    life = Life()
    life.take(replace(CREATED, automated_mail=False), ERP)
    life.take(WaitForMoreInformation(1, close_if_no_response=True))
    life.ring()
    assert life.it.state is State.CLOSED
    assert not any(isinstance(event, MailRequested) for event in life.history)


def test_submit_lists_everything_that_is_missing() -> None:
    """T5, CT-4."""
    life = Life()
    life.take(replace(STARTED, title="", description="", category=None, contacts=()))
    done = refused(life.take(Submit()))
    assert done.code is RefusalCode.INCOMPLETE
    assert set(done.missing) == {
        Missing.TITLE,
        Missing.DESCRIPTION,
        Missing.CATEGORY,
        Missing.PRIMARY_CONTACT,
        Missing.REQUESTER,
    }
    assert "a title" in done.sentence
    life.take(Edit(title="Fire", description="In the lab", category="hardware"))
    life.take(Edit(tag=(Tagged(Tag.REQUESTER, COLLEAGUE),)))
    assert not isinstance(life.take(Submit()), Refusal)
    assert life.it.state is State.TO_DO


def test_a_submitted_ticket_waits_in_its_queue_unless_the_user_keeps_it() -> None:
    """ST-2, ST-3, ST-20."""
    life = life_in(State.DRAFT)
    life.take(Submit())
    assert life.it.holders == Holders(queue="it")
    kept = life_in(State.DRAFT)
    kept.take(Submit(keep_with_me=True))
    assert kept.it.holders == Holders(assignee="alice", queue="it")


def test_the_first_mail_from_an_empty_draft_says_what_it_is_about() -> None:
    """T4: title and description; a Draft that has either keeps both."""
    life = Life()
    life.take(replace(STARTED, title="", description=""))
    life.take(SendMail("Smoke", "It smells."))
    assert (life.it.state, life.it.title, life.it.description) == (State.DRAFT, "Smoke", "It smells.")
    life.take(SendMail("Fire", "It burns."))
    assert (life.it.title, life.it.description) == ("Smoke", "It smells.")


def test_a_rejected_sender_is_closed_as_spam_and_gets_no_answer() -> None:
    """T22, BL-1."""
    life = Life()
    done = life.take(replace(MAIL_ROUTED, rejected=True), SYSTEM)
    changed = only(StatusChanged, done)
    assert (life.it.state, life.it.holders) == (State.CLOSED, Holders())
    assert (changed.was, changed.method) == (Status.TO_DO, Method.REJECTED_AS_SPAM)
    assert changed.reason is Reason.BLOCKED_BY_BUSINESS_RULE
    assert not isinstance(done, Refusal)
    assert not [event for event in done if isinstance(event, MailRequested)]

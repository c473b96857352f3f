"""Contacts for testing, and the work that mail of theirs opens (CT-18)."""

from typing import Any

import pytest

from shared.contracts.activity_organisation import Definition, Rules
from shared.contracts.ingest_mails import Routed
from tests.support.office import CARLA, DEFINITION, HELP, Office, addressed, process, received
from tests.support.office_contacts import TOPIC, create, edit


def in_test(*, test_mode: bool = True) -> Definition:
    """A third process, which is in test."""
    trial = process("trial", live=False, test=True)
    changes = {"processes": (*DEFINITION.processes, trial), "rules": Rules(test_mode=test_mode)}
    return DEFINITION.model_copy(update=changes)


def with_a_way_for_tests(message_id: str, *, routed: bool = True, **fields: Any) -> Any:
    """A mail as ingest tells of it where a route makes work for tests, and another takes the rest."""
    way = Routed(route="trials", process="trial", category="Other", test_mode=True)
    target = addressed(HELP).model_copy(update={"routed_for_test": way if routed else None})
    return received(message_id=message_id, targets=[target], **fields)


async def test_a_contact_that_is_made_in_test_mode_is_marked_so(office: Office) -> None:
    """CT-18: by hand, or by what opens in a process that is in test."""
    await office.configure(in_test(), version=2)
    await office.take_in(received(message_id="one@harbour.test"))
    await create(office, "anna@harbour.test")
    trial = Routed(route="trials", process="trial", test_mode=True)
    target = addressed(HELP).model_copy(update={"routed": trial})
    await office.take_in(
        received(message_id="2@x.test", sender="tess@x.test", targets=[target], conversation="0" * 16)
    )
    said = {each["address"]: each["test"] for each in await office.said(TOPIC)}
    assert said == {CARLA.lower(): False, "anna@harbour.test": True, "tess@x.test": True}


async def test_mail_of_a_contact_for_testing_needs_no_route_but_one_for_tests(office: Office) -> None:
    """CT-18: an address that leads nowhere else still opens its Ticket, with a number of its own."""
    await office.configure(in_test(), version=2)
    await create(office, "tess@x.test", test=True)
    trial = Routed(route="trials", process="trial", test_mode=True)
    target = addressed(HELP).model_copy(update={"routed": None, "routed_for_test": trial})
    await office.take_in(received(message_id="1@x.test", sender="tess@x.test", targets=[target]))
    assert [each["process"] for each in await office.tickets()] == ["trial"]


async def test_mail_of_a_contact_for_testing_opens_tickets_for_testing_only(office: Office) -> None:
    """CT-18, GL-5, RT-2: until somebody says that it is no such contact any more."""
    await office.configure(in_test(), version=2)
    tess = (await create(office, "tess@x.test", test=True))["contact"]
    mails = {"sender": "tess@x.test", "name": "Tess"}
    await office.take_in(with_a_way_for_tests("1@x.test", **mails), with_a_way_for_tests("2@harbour.test"))
    assert [(each["process"], each["category"]) for each in await office.tickets()] == [
        ("trial", "Other"),
        ("request", "Other"),
    ]
    # An answer comes home as anybody's does.
    await office.take_in(received(message_id="3@x.test", in_reply_to="1@x.test", **mails))
    assert len(await office.mails("100001-T")) == 2
    await edit(office, tess, test=False)
    await office.take_in(with_a_way_for_tests("4@x.test", conversation="0" * 16, **mails))
    assert (await office.ticket("100003-T"))["process"] == "request"


@pytest.mark.parametrize(("test_mode", "routed"), [(True, False), (False, True), (False, False)])
async def test_where_nothing_takes_tests_mail_of_such_a_contact_is_set_aside(
    office: Office, test_mode: bool, routed: bool
) -> None:
    """CT-18, UH-1: it opens no work that counts, and nothing of it is lost."""
    await office.configure(in_test(test_mode=test_mode), version=2)
    await create(office, "tess@x.test", test=True)
    await office.take_in(with_a_way_for_tests("1@x.test", routed=routed, sender="tess@x.test"))
    assert await office.tickets() == []
    (aside,) = await office.said("ingest.requests.v1", "mail.set_aside")
    assert aside["addresses"] == [HELP]
    assert "for testing" in aside["detail"]

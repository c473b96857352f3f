"""Two contacts become one (CT-20): tags, addresses and mails of the one are the other's from then on."""

from pathlib import Path
from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import User
from shared.contracts.activity_requests import Person
from shared.contracts.activity_requests_contacts import ContactMerge
from tests.integration.activity.test_contacts import SHOP, TOPIC, contact, create, edit, tags, with_companies
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import CARLA, DEFINITION, Office, received, user

LEA = User(name="lea", title="Lea", leads=("request", "invoice"))
ANNA, HOME = "anna@harbour.test", "anna@home.test"


@pytest.fixture
async def led(office: Office) -> Office:
    """The office, with somebody who leads both of its processes."""
    await office.configure(DEFINITION.model_copy(update={"users": (*DEFINITION.users, LEA)}), version=2)
    return office


async def merge(office: Office, contact: str, into: str, by: Any = None, **fields: Any) -> Any:
    return await office.ask(ContactMerge(actor=by or user("lea"), contact=contact, into=into, **fields))


async def id_of(office: Office, address: str) -> str:
    return str((await contact(office, address))["id"])


async def test_tags_on_open_tickets_move_and_each_ticket_says_so(led: Office) -> None:
    """CT-20, CT-3: with history on each, and nobody has a claim on a Ticket for it (ST-20)."""
    await led.take_in(received(message_id="1@home.test", sender=HOME))
    await create(led, ANNA)
    both = [Person(address=ANNA), Person(address=HOME)]
    await led.step(asked.ActivityEdit, "100001-T", cc=both)
    before = await led.ticket("100001-T")
    merged = await merge(led, await id_of(led, HOME), await id_of(led, ANNA))
    assert (merged["type"], merged["contact"]) == ("contact.accepted", await id_of(led, ANNA))
    exclusive = ("primary_contact", "original_requester", "requester", "subject")
    assert await tags(led, "100001-T") == {tag: {ANNA} for tag in (*exclusive, "cc")}
    moved = [row for row in await led.history("100001-T") if row["rule"] == "CT-20"]
    assert {row["type"] for row in moved} == {"ticket.contact_tagged"}
    assert [row["event"]["removed"] for row in moved] == [True, *[True, False] * 4]
    assert {(row["actor_kind"], row["actor"]) for row in moved} == {("user", "lea")}
    after = await led.ticket("100001-T")
    assert (after["last_updater"], after["assignee"]) == (before["last_updater"], before["assignee"])
    *_, said = await led.said(TOPIC)
    assert (said["type"], said["address"], said["into"]) == ("contact.merged", HOME, await id_of(led, ANNA))
    assert said["version"] == 2


async def test_mail_from_its_address_is_the_others(led: Office) -> None:
    """CT-20: a contact may have several addresses so, and no second contact is made for one of them."""
    await led.take_in(received(message_id="1@home.test", sender=HOME))
    await create(led, ANNA)
    await merge(led, await id_of(led, HOME), await id_of(led, ANNA))
    await led.take_in(received(message_id="2@home.test", sender=HOME, conversation="0" * 16))
    assert (await tags(led, "100002-T"))["primary_contact"] == {ANNA}
    opened = await led.ask(
        asked.ActivityOpen(actor=user("amelie"), process="request", cc=[Person(address=HOME)])
    )
    assert (await tags(led, opened["reference"]))["cc"] == {ANNA}
    taken = await create(led, HOME)
    assert (taken["code"], taken["contact"]) == ("address_in_use", await id_of(led, ANNA))


async def test_a_closed_ticket_stays_as_it_is_and_shows_who_it_is_now(led: Office, tmp_path: Path) -> None:
    """CT-20, T38."""
    await led.take_in(received(message_id="1@home.test", sender=HOME))
    await led.step(asked.ActivityPickUp, "100001-T")
    await led.step(asked.TicketResolve, "100001-T", method="rejected_as_spam")
    await create(led, ANNA, first_name="Anna")
    before, history = await led.ticket("100001-T"), await led.history("100001-T")
    assert before["status"] == "closed"
    await merge(led, await id_of(led, HOME), await id_of(led, ANNA))
    assert await led.ticket("100001-T") == before
    assert await led.history("100001-T") == history
    async with connected(front_desk(led, tmp_path)) as client:
        lea = Caller(client, "lea")
        shown = (await lea.get("/v1/tickets/100001-T")).json()["contacts"]
        assert {(each["address"], each["first_name"]) for each in shown} == {(ANNA, "Anna")}
        for address in (ANNA, HOME):
            found = (await lea.get(f"/v1/tickets?contact={address}")).json()["items"]
            assert [each["reference"] for each in found] == ["100001-T"], address


async def test_no_chain_is_left(led: Office) -> None:
    """CT-20: who was one with somebody goes along when that one is merged."""
    ids = [(await create(led, f"{name}@home.test"))["contact"] for name in ("one", "two", "three")]
    await merge(led, ids[0], ids[1])
    await merge(led, ids[1], ids[2])
    rows = await led.pool.fetch("SELECT address, merged_into FROM contacts ORDER BY address")
    into = {row["address"]: row["merged_into"] and str(row["merged_into"]) for row in rows}
    assert into == {"one@home.test": ids[2], "three@home.test": None, "two@home.test": ids[2]}
    await led.take_in(received(message_id="1@home.test", sender="one@home.test"))
    assert (await tags(led, "100001-T"))["requester"] == {"three@home.test"}


async def test_what_cannot_be_merged_is_refused_and_nothing_is_done(led: Office) -> None:
    """CT-20: oneself, who is not there, who is another already."""
    one, two, three = [(await create(led, f"{name}@x.test"))["contact"] for name in ("one", "two", "three")]
    await merge(led, one, two)
    nobody = "01990000-0000-7000-8000-000000000000"
    before = await led.written()
    for contact_, into, code, named in (
        (three, three, "merged_with_itself", None),
        (nobody, three, "not_found", None),
        (three, nobody, "not_found", None),
        (one, three, "conflict", two),
        (three, one, "conflict", two),
        (two, one, "conflict", two),
    ):
        refused = await merge(led, contact_, into)
        assert (refused["type"], refused["code"], refused["contact"]) == ("request.refused", code, named)
        assert await led.written() == before
    assert (await merge(led, three, two, expected_version=7))["code"] == "conflict"
    assert (await merge(led, three, two, user("amelie")))["code"] == "forbidden"
    assert (await edit(led, one, first_name="One"))["code"] == "conflict"
    assert await led.written() == before


async def test_nobody_comes_so_to_where_he_may_not_stand(office: Office) -> None:
    """CT-20, CT-10."""
    await office.configure(with_companies(), version=2)
    whose = {"everybody": None, "holding": "holding", "harbour": "harbour", "quay": "quay"}
    ids = {
        name: (await create(office, f"{name}@x.test", SHOP, company=company))["contact"]
        for name, company in whose.items()
    }
    agent = (await create(office, "bruno@quay.test", SHOP, company="quay"))["contact"]
    for contact_, into in (
        ("everybody", "holding"),
        ("harbour", "quay"),
        ("holding", "harbour"),
        ("quay", "holding"),
    ):
        refused = await merge(office, ids[contact_], ids[into], SHOP)
        assert (refused["code"], refused["missing"]) == ("contact_of_another_company", ["into"])
    assert (await merge(office, agent, ids["everybody"], SHOP))["code"] == "agent_of_another_company"
    for contact_, into in (("harbour", "holding"), ("holding", "everybody")):
        assert (await merge(office, ids[contact_], ids[into], SHOP))["type"] == "contact.accepted"
    assert (await merge(office, ids["quay"], agent, SHOP))["type"] == "contact.accepted"


async def test_contacts_are_merged_over_http(led: Office, tmp_path: Path) -> None:
    """CT-20: the same answer again, and whoever looks for the one finds the other."""
    await led.take_in(received(message_id="1@home.test", sender=HOME))
    anna, home = (await create(led, ANNA))["contact"], await id_of(led, HOME)
    async with connected(front_desk(led, tmp_path)) as client:
        lea = Caller(client, "lea")
        place, headers = f"/v1/contacts/{home}", {"Authorization": "Bearer lea", "Idempotency-Key": "one"}
        for _ in range(2):
            answer = await client.post(f"{place}/merge", json={"into": anna}, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"contact": anna, "version": 1})
        shown = (await lea.get(place)).json()
        assert (shown["id"], shown["address"], shown["other_addresses"]) == (anna, ANNA, [HOME])
        again = await lea.call("POST", f"{place}/merge", {"into": anna})
        assert (again.status_code, again.json()["contact"]) == (409, anna)
        listed = (await lea.get("/v1/contacts")).json()["items"]
        assert [each["address"] for each in listed] == [ANNA]
        (known,) = (await lea.get(f"/v1/tickets/100001-T/recipients?address={HOME}")).json()
        assert (known["known_as"], known["contact"]) == ("on_it", anna)
        hits = (await lea.get("/v1/search?q=anna")).json()["items"]
        assert [each["activity"]["reference"] for each in hits] == ["100001-T"]
        for body in ({}, {"into": "somebody"}):
            assert (await lea.call("POST", f"{place}/merge", body)).status_code == 422
    assert CARLA not in str(await led.said(TOPIC))


async def test_how_batches_are_cut_changes_nothing(led: Office) -> None:
    """CT-20: a mail before the request in the same batch is moved, one behind it finds the other."""
    home, anna = [(await create(led, address))["contact"] for address in (HOME, ANNA)]
    request = ContactMerge(actor=user("lea"), contact=home, into=anna)
    from tests.support.office import incoming

    await led.take_in(
        received(message_id="1@home.test", sender=HOME),
        incoming(request, "merge"),
        received(message_id="2@home.test", sender=HOME, conversation="0" * 16),
    )
    for reference in ("100001-T", "100002-T"):
        assert (await tags(led, reference))["primary_contact"] == {ANNA}
    moved = [(row["rule"] == "CT-20") for row in await led.history("100001-T")]
    assert sum(moved) == 8
    assert "CT-20" not in str(await led.rules("100002-T"))

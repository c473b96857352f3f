"""A person is erased (CT-21): nothing is left of them in activity's tables but ids."""

from pathlib import Path
from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import User
from shared.contracts.activity_requests import Person
from shared.contracts.activity_requests_contacts import ContactErase
from shared.contracts.ingest_mails import Answered
from shared.contracts.mail import Delivery, RecipientResult
from shared.contracts.notify_mails import MailFailed
from tests.integration.activity.test_contacts import SHOP, TOPIC, contact, create, tags, with_companies
from tests.integration.activity.test_merging import id_of, led, merge
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import ACME, CARLA, HELP, Office, incoming, received, user

__all__ = ["led"]
TABLES = (
    *("activities", "history", "notes", "contacts", "activity_contacts", "correspondents"),
    *("mails", "activity_mails", "effects", "timers", "links", "answered_requests"),
)
DORA = "dora@harbour.test"


async def erase(office: Office, contact: str, by: Any = None, **fields: Any) -> Any:
    given = {"reason": "asked_for", **fields}
    return await office.ask(ContactErase(actor=by or user("lea"), contact=contact, **given))


async def left(office: Office, *words: str) -> list[str]:
    """The tables in which any of these words still stands, in whatever case."""
    found = []
    for table in TABLES:
        rows = await office.pool.fetchval(f"SELECT lower(string_agg(t::text, ' ')) FROM {table} AS t")
        found += [table for word in words if word.lower() in (rows or "")]
    return found


async def correspond(office: Office, reference: str, number: int) -> None:
    """Carla writes, Amélie answers with a note beside it, and it is resolved."""
    await office.take_in(
        received("Carla's leg is broken", message_id=f"{number}@harbour.test", conversation=f"{number:016x}")
    )
    await office.step(asked.ActivityPickUp, reference)
    await office.step(asked.ActivityNote, reference, text="Carla called from the hospital.")
    await office.step(asked.ActivityReply, reference, text="Get well soon, Carla.")


async def close(office: Office, reference: str) -> None:
    await office.step(asked.TicketResolve, reference, method="rejected_as_spam")
    assert (await office.ticket(reference))["status"] == "closed"


async def test_nothing_is_left_of_a_person_but_ids(led: Office) -> None:
    """CT-21: titles, descriptions, notes, mails, names and addresses; the history stays as it was."""
    await correspond(led, "100001-T", 1)
    await close(led, "100001-T")
    history, ticket = await led.history("100001-T"), await led.ticket("100001-T")
    carla = await id_of(led, CARLA.lower())
    assert set(await left(led, "carla")) >= {"activities", "notes", "contacts", "correspondents", "mails"}
    erased = await erase(led, carla)
    assert (erased["type"], erased["contact"], erased["version"]) == ("contact.accepted", carla, 2)
    assert erased["erased"] == {"mails": 3, "tickets": 1, "notes": 1, "tags": 0, "addresses": 1}
    assert await left(led, "carla", "hospital", "get well") == []
    assert await led.history("100001-T") == history
    after = await led.ticket("100001-T")
    kept = {name for name in ticket.keys() if ticket[name] == after[name]}  # noqa: SIM118
    assert set(ticket.keys()) - kept == {"title", "description", "texts_removed_at"}
    row = await led.pool.fetchrow("SELECT * FROM contacts")
    assert (str(row["id"]), row["address"], row["erased_by"], row["erased_because"]) == (
        *(carla, carla),
        *("lea", "asked_for"),
    )


async def test_whoever_has_the_bytes_is_told_and_the_topic_forgets(led: Office) -> None:
    """CT-21: ingest and notify remove what they have, `activity.contacts.v1` gets a tombstone, at the end."""
    await correspond(led, "100001-T", 1)
    await close(led, "100001-T")
    (mail,) = await led.mails("100001-T")
    carla = await id_of(led, CARLA.lower())
    await erase(led, carla)
    (forget,) = await led.said("ingest.requests.v1", "mail.forget")
    assert (forget["mail"], forget["erase"], forget["key"]) == (str(mail), True, f"{ACME}/{1:016x}")
    assert len(await led.said("notify.requests.v1", "mail.forget")) == 2
    *_, tombstone, answer = await led.pool.fetch("SELECT topic, key, value, headers FROM outbox ORDER BY id")
    assert (tombstone["topic"], tombstone["key"].decode()) == (TOPIC, f"{ACME}/{carla}")
    assert tombstone["value"] is None
    assert "contact.erased" in tombstone["headers"]
    assert answer["topic"] == "activity.answers.v1"


async def test_open_tickets_are_not_left_incomplete_unless_that_is_meant(led: Office) -> None:
    """CT-21: then the tags go, with history, and whoever is on it beside stays."""
    await correspond(led, "100001-T", 1)
    await led.step(asked.ActivityEdit, "100001-T", cc=[Person(address=DORA)])
    carla, before = await id_of(led, CARLA.lower()), await led.written()
    refused = await erase(led, carla)
    assert (refused["code"], refused["missing"]) == ("tickets_open", ["open_tickets"])
    assert "100001-T" in refused["detail"]
    assert await led.written() == before
    erased = await erase(led, carla, open_tickets=True)
    assert erased["erased"] == {"mails": 3, "tickets": 1, "notes": 1, "tags": 4, "addresses": 1}
    assert await left(led, "carla", "hospital", "get well") == []
    assert await tags(led, "100001-T") == {"cc": {DORA}}
    ticket = await led.ticket("100001-T")
    assert (ticket["status"], ticket["title"], ticket["assignee"]) == ("in_progress", "", "amelie")
    rules = [(row["type"], row["rule"]) for row in await led.history("100001-T")][-5:]
    assert rules == [("ticket.edited", "CT-21"), *[("ticket.contact_tagged", "CT-21")] * 4]
    # It goes on: an agent writes anew what it is about.
    assert (await led.step(asked.ActivityEdit, "100001-T", title="A leg"))["type"] == "request.accepted"


async def test_what_is_about_others_stays_and_no_longer_names_them(led: Office) -> None:
    """CT-21: a copy of somebody else's mail is that one's; only the address goes from it."""
    await led.take_in(
        received(
            "Mine",
            message_id="1@dora.test",
            sender=DORA,
            name="Dora",
            cc=["lead@harbour.test", CARLA.upper()],
        )
    )
    await led.step(asked.ActivityEdit, "100001-T", cc=[Person(address=CARLA, name="Carla Customer")])
    erased = await erase(led, await id_of(led, CARLA.lower()))
    assert erased["erased"] == {"mails": 0, "tickets": 0, "notes": 0, "tags": 1, "addresses": 1}
    assert await left(led, "carla") == []
    ticket = await led.ticket("100001-T")
    assert (ticket["title"], ticket["description"]) == ("Mine", "Text of 1@dora.test")
    assert (await tags(led, "100001-T"))["primary_contact"] == {DORA}
    recipients = await led.pool.fetchval("SELECT recipients FROM mails WHERE direction = 'in'")
    assert [each["address"] for each in recipients["cc"]] == ["lead@harbour.test"]


async def test_all_addresses_of_a_person_are_erased(led: Office) -> None:
    """CT-21, CT-20."""
    await led.take_in(received("Home", message_id="1@home.test", sender="anna@home.test"))
    anna = (await create(led, "anna@harbour.test"))["contact"]
    home = await id_of(led, "anna@home.test")
    await merge(led, home, anna)
    assert (await erase(led, home))["code"] == "conflict"
    erased = await erase(led, anna, open_tickets=True)
    assert erased["erased"]["mails"] == 2
    assert await left(led, "anna", "home") == ["mails"], "Message-IDs stay: they tell a mail that is known"
    tombstones = await led.pool.fetch("SELECT key FROM outbox WHERE topic = $1 AND value IS NULL", TOPIC)
    assert {row["key"].decode() for row in tombstones} == {f"{ACME}/{anna}", f"{ACME}/{home}"}


async def test_who_writes_later_is_somebody_new(led: Office) -> None:
    """CT-21: also in the same batch, and what an erased mail still leads to is erased as well."""
    first = received("Carla's leg", message_id="1@harbour.test")
    await led.take_in(first)
    carla = await id_of(led, CARLA.lower())
    request = ContactErase(actor=user("lea"), contact=carla, reason="objected", open_tickets=True)
    await led.take_in(
        incoming(request, "erase"),
        received("Her other leg", message_id="2@harbour.test", conversation="0" * 16),
    )
    again = await contact(led, CARLA.lower())
    assert str(again["id"]) != carla
    assert (await led.ticket("100002-T"))["title"] == "Her other leg"
    # The first mail once more, as from another mailbox.
    billing = received("Carla's leg", message_id="1@harbour.test", to=["billing@acme.test"])
    await led.take_in(billing)
    assert len(await led.tickets()) == 2
    assert "leg" not in str(
        dict(await led.pool.fetchrow("SELECT * FROM mails WHERE message_id = '1@harbour.test'"))
    )
    forgets = await led.said("ingest.requests.v1", "mail.forget")
    assert [each["erase"] for each in forgets] == [True, True]


async def test_word_of_a_delivery_brings_nobody_back(led: Office) -> None:
    """CT-21, NT-14."""
    await correspond(led, "100001-T", 1)
    (asked_of, *_) = await led.asked_of_notify()
    await erase(led, await id_of(led, CARLA.lower()), open_tickets=True)
    about = {name: asked_of[name] for name in ("mail", "activity", "reference", "conversation")}
    result = RecipientResult(address=CARLA, delivery=Delivery.REFUSED, code=550, answer=f"No {CARLA} here")
    await led.report(
        MailFailed(
            **about,
            at=led.clock.now(),
            message_id="ours@acme.test",
            recipients=(result,),
            reason=f"No {CARLA} here",
            attempts=1,
        )
    )
    assert await left(led, "carla") == []
    mail = await led.pool.fetchrow("SELECT * FROM mails WHERE id::text = $1", asked_of["mail"])
    assert mail["outcome"] == "failed"


async def test_an_erased_person_is_erased_and_stays_so(led: Office) -> None:
    """CT-21: asked again, the answer says that nothing was left to do; nothing else finds them."""
    await led.take_in(received(message_id="1@harbour.test"))
    carla = await id_of(led, CARLA.lower())
    request = {"open_tickets": True, "expected_version": 1}
    first = await erase(led, carla, **request)
    before = await led.written()
    again = await erase(led, carla, reason="unlawful")
    assert (again["type"], again["version"]) == ("contact.accepted", first["version"])
    assert set(again["erased"].values()) == {0}
    dora = (await create(led, DORA))["contact"]
    for refused in (await merge(led, carla, dora), await merge(led, dora, carla)):
        assert refused["code"] == "not_found"
    assert (await led.written())[:2] == before[:2]


async def test_who_may_not_erase_somebody_is_refused_and_nothing_is_done(led: Office) -> None:
    """CT-21: whoever erases leads every process in which the person is known."""
    billing = received(message_id="1@harbour.test", to=["billing@acme.test"])
    await led.take_in(billing)
    half = User(name="half", title="Half", leads=("request",))
    definition = with_companies()
    await led.configure(definition.model_copy(update={"users": (*definition.users, half)}), version=3)
    carla = await id_of(led, CARLA.lower())
    ours = (await create(led, HELP, SHOP))["contact"]
    before = await led.written()
    for by in ("half", "amelie", "nobody"):
        refused = await erase(led, carla, user(by), open_tickets=True)
        assert (refused["code"], refused["missing"]) == ("forbidden", [])
        assert "invoice" not in refused["detail"]
    nobody = "01990000-0000-7000-8000-000000000000"
    assert (await erase(led, nobody, SHOP))["code"] == "not_found"
    assert (await erase(led, carla, SHOP, expected_version=4))["code"] == "conflict"
    assert (await erase(led, ours, SHOP))["code"] == "contact_is_a_mailbox"
    assert await led.written() == before


async def test_a_person_is_erased_over_http_and_shows_as_erased(led: Office, tmp_path: Path) -> None:
    """CT-21."""
    await correspond(led, "100001-T", 1)
    await close(led, "100001-T")
    carla = await id_of(led, CARLA.lower())
    async with connected(front_desk(led, tmp_path)) as client:
        lea, place = Caller(client, "lea"), f"/v1/contacts/{carla}"
        for body in ({}, {"reason": "Carla asked me to"}):
            assert (await lea.call("POST", f"{place}/erase", body)).status_code == 422
        headers = {"Authorization": "Bearer lea", "Idempotency-Key": "one"}
        answers = [
            await client.post(f"{place}/erase", json={"reason": "asked_for"}, headers=headers)
            for _ in range(2)
        ]
        assert [each.status_code for each in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["erased"]["mails"] == 3
        assert (await lea.get(place)).status_code == 404
        assert (await lea.call("PATCH", place, {"first_name": "Carla"})).status_code == 404
        again = await lea.call("POST", f"{place}/erase", {"reason": "asked_for"})
        assert (again.status_code, again.json()["erased"]["mails"]) == (200, 0)
        shown = (await lea.get("/v1/tickets/100001-T")).json()
        assert {(each["id"], each["address"], each["erased"]) for each in shown["contacts"]} == {
            (carla, "", True)
        }
        entries = (await lea.get("/v1/tickets/100001-T/timeline")).json()["items"]
        mails = [each["mail"] for each in entries if each["mail"]]
        assert {(each["erased"], each["text"], each["subject"]) for each in mails} == {(True, "", "")}
        assert [each["sender"] for each in mails if each["direction"] == "in"] == [None]
        assert any(each["note_removed"] for each in entries)
        for found in ("/v1/search?q=carla", "/v1/contacts?search=carla"):
            assert (await lea.get(found)).json()["items"] == []


async def test_an_answer_in_an_erased_persons_thread_still_comes_home(led: Office) -> None:
    """CT-21, IN-2: what tells a mail that is known stays."""
    await correspond(led, "100001-T", 1)
    await erase(led, await id_of(led, CARLA.lower()), open_tickets=True)
    token = Answered(message_id="x@acme.test", reference="100001-T", conversation=f"{1:016x}", direct=True)
    await led.take_in(
        received("Thanks", message_id="9@harbour.test", answered=[token], conversation=f"{1:016x}")
    )
    assert len(await led.mails("100001-T")) == 2
    assert await contact(led, CARLA.lower()) is None


@pytest.mark.parametrize("reason", ["", "because", None])
async def test_a_reason_is_one_of_the_list(reason: Any) -> None:
    """CT-21: no free text, which would say something of the person."""
    with pytest.raises(ValueError, match="reason"):
        ContactErase(actor=user("lea"), contact="01990000-0000-7000-8000-000000000000", reason=reason)

"""What is asked about contacts, and who may stand on whose activities (section 9)."""

from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Company, ContactScope, Contract, Definition, Rules, Service
from shared.contracts.activity_requests import Actor, ActorKind, Person, Untag
from tests.support.office import CARLA, DEFINITION, Office, process, received, user
from tests.support.office_contacts import TOPIC, create, edit

SHOP = Actor(kind=ActorKind.INTEGRATION, id="shop")


def with_companies(**rules: Any) -> Definition:
    """Harbour and its parent, and a quay that is neither's."""
    quay = process("quay", company="quay", contract="quays", service="cranes")
    amelie, *others = DEFINITION.users
    agent = others[0].model_copy(update={"address": "bruno@quay.test", "company": "quay"})
    return DEFINITION.model_copy(
        update={
            "companies": (
                Company(name="holding", title="Holding"),
                Company(name="harbour", title="Harbour", parent="holding"),
                Company(name="quay", title="Quay"),
            ),
            "contracts": (*DEFINITION.contracts, Contract(name="quays", title="Quays", company="quay")),
            "services": (*DEFINITION.services, Service(name="cranes", title="Cranes", contract="quays")),
            "processes": (*DEFINITION.processes, quay),
            "users": (
                amelie.model_copy(update={"processes": (*amelie.processes, "quay")}),
                agent,
                *others[1:],
            ),
            "rules": Rules(**rules),
        }
    )


async def contact(office: Office, address: str) -> Any:
    return await office.pool.fetchrow("SELECT * FROM contacts WHERE address = $1", address)


async def tags(office: Office, reference: str) -> dict[str, set[str]]:
    """Whose address bears which tag."""
    rows = await office.pool.fetch(
        """
        SELECT tag, address FROM activity_contacts AS tagged
        JOIN contacts ON contacts.id = tagged.contact
        JOIN activities ON activities.id = tagged.activity WHERE reference = $1
        """,
        reference,
    )
    return {
        tag: {row["address"] for row in rows if row["tag"] == tag} for tag in {row["tag"] for row in rows}
    }


async def test_a_contact_is_made_and_edited_and_its_topic_says_how_it_stands(office: Office) -> None:
    """CT-10, CT-14, CT-16."""
    made = await create(office, "Anna.Quay@harbour.test", language="fr", extra_tag="cc")
    assert (made["type"], made["version"]) == ("contact.accepted", 1)
    edited = await edit(office, made["contact"], last_name="Pier", extra_tag="none", company="harbour")
    again = await edit(office, made["contact"], last_name="Pier")
    assert (edited["version"], again["version"]) == (2, 2), "what is said again changes nothing"
    first, second = await office.said(TOPIC)
    assert (first["address"], first["first_name"], first["last_name"]) == (
        "anna.quay@harbour.test",
        "Anna",
        "Quay",
    )
    assert (first["version"], first["language"], first["extra_tag"]) == (1, "fr", "cc")
    assert (second["version"], second["last_name"], second["company"], second["extra_tag"]) == (
        2,
        "Pier",
        "harbour",
        None,
    )
    assert first["key"] == second["key"] == f"acme/{made['contact']}"


async def test_an_address_belongs_to_one_contact(office: Office) -> None:
    """CT-15: the answer says whose it is."""
    anna = await create(office, "anna@harbour.test")
    again = await create(office, "ANNA@harbour.test")
    assert (again["type"], again["code"], again["contact"]) == (
        "request.refused",
        "address_in_use",
        anna["contact"],
    )
    dora = await create(office, "dora@harbour.test")
    taken = await edit(office, dora["contact"], address="anna@harbour.test")
    assert (taken["code"], taken["contact"]) == ("address_in_use", anna["contact"])
    await edit(office, anna["contact"], address="a.quay@harbour.test")
    assert (await edit(office, dora["contact"], address="anna@harbour.test"))["type"] == "contact.accepted"
    assert str((await contact(office, "anna@harbour.test"))["id"]) == dora["contact"]


async def test_an_older_version_of_a_contact_is_not_changed(office: Office) -> None:
    anna = await create(office, "anna@harbour.test")
    await edit(office, anna["contact"], first_name="Anne")
    late = await edit(office, anna["contact"], first_name="Anja", expected_version=1)
    assert (late["code"], late["contact"]) == ("conflict", anna["contact"])
    assert (await contact(office, "anna@harbour.test"))["first_name"] == "Anne"


async def test_what_nobody_edited_is_marked_as_made_automatically(office: Office) -> None:
    """CT-16: until a person edits it."""
    await office.take_in(received(message_id="one@harbour.test"))
    carla = await contact(office, CARLA.lower())
    assert carla["auto_created"]
    await edit(office, str(carla["id"]), SHOP, language="fr")
    assert (await contact(office, CARLA.lower()))["auto_created"]
    await edit(office, str(carla["id"]), first_name="Carlotta")
    assert not (await contact(office, CARLA.lower()))["auto_created"]
    assert [each["version"] for each in await office.said(TOPIC)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"contact": "01990000-0000-7000-8000-000000000000"}, "not_found"),
        ({"company": "nowhere"}, "unknown_name"),
    ],
)
async def test_what_cannot_be_done_to_a_contact_is_refused(
    office: Office, fields: dict[str, str], code: str
) -> None:
    anna = await create(office, "anna@harbour.test")
    refused = await edit(office, **{"contact": anna["contact"], "first_name": "Anne", **fields})
    assert refused["code"] == code
    assert (await contact(office, "anna@harbour.test"))["version"] == 1


async def test_all_five_tags_are_given_and_taken_by_request(office: Office) -> None:
    """CT-2, CT-3, CT-6, AMB-19."""
    opened = await office.ask(
        asked.ActivityOpen(
            actor=user("amelie"),
            process="request",
            cc=[Person(address="anna@harbour.test"), Person(address="dora@harbour.test")],
        )
    )
    reference = opened["reference"]
    exclusive = ("primary_contact", "original_requester", "requester", "subject")
    both = {"anna@harbour.test", "dora@harbour.test"}
    assert await tags(office, reference) == {
        **{tag: {"anna@harbour.test"} for tag in exclusive},
        "cc": both,
    }
    await office.step(
        asked.ActivityEdit,
        reference,
        original_requester=Person(address="dora@harbour.test"),
        subject=Person(address="emil.dock@harbour.test"),
        cc=[Person(address="emil.dock@harbour.test")],
        untag=[Untag(tag="cc", address="anna@harbour.test"), Untag(tag="requester")],
    )
    assert await tags(office, reference) == {
        "primary_contact": {"anna@harbour.test"},
        "original_requester": {"dora@harbour.test"},
        "subject": {"emil.dock@harbour.test"},
        "cc": {"dora@harbour.test", "emil.dock@harbour.test"},
    }
    emil = await contact(office, "emil.dock@harbour.test")
    assert (emil["first_name"], emil["last_name"]) == ("Emil", "Dock")
    refused = await office.step(asked.ActivityEdit, reference, untag=[Untag(tag="requester")])
    assert (refused["code"], refused["missing"]) == ("tag_not_held", ["requester"])
    of_one = (tag for tag in exclusive if tag != "requester")
    every = [*(Untag(tag=tag) for tag in of_one), Untag(tag="cc", address=None)]
    await office.step(asked.ActivityEdit, reference, untag=every)
    assert await tags(office, reference) == {}
    given = await office.said("activity.activities.v1", "ticket.contact_tagged")
    assert "harbour.test" not in str(given), "events hold ids, never addresses (design §4)"


async def test_a_contact_brings_its_extra_tag_along(office: Office) -> None:
    """CT-17."""
    await create(office, "dora@harbour.test", extra_tag="subject")
    await office.take_in(received(message_id="one@harbour.test"))
    await office.step(asked.ActivityEdit, "100001-T", cc=[Person(address="dora@harbour.test")])
    held = await tags(office, "100001-T")
    assert held["subject"] == held["cc"] == {"dora@harbour.test"}
    assert held["primary_contact"] == {CARLA.lower()}


async def test_a_parents_contacts_may_be_on_its_childrens_tickets_and_not_the_reverse(office: Office) -> None:
    """CT-9, CT-10."""
    await office.configure(with_companies(), version=2)
    for company in ("holding", "harbour", "quay"):
        await create(office, f"anna@{company}.test", company=company)

    async def opened(name: str, company: str) -> Any:
        person = Person(address=f"anna@{company}.test")
        request = asked.ActivityOpen(actor=user("amelie"), process=name, primary_contact=person)
        return await office.ask(request)

    for company in ("holding", "harbour"):
        assert (await opened("request", company))["type"] == "request.accepted"
    for other, company in (("request", "quay"), ("quay", "harbour"), ("quay", "holding")):
        refused = await opened(other, company)
        assert (refused["code"], refused["missing"]) == ("contact_of_another_company", ["primary_contact"])
        assert f"anna@{company}.test" not in str(refused), "answers hold no addresses"
    assert len(await office.tickets()) == 2


async def test_an_agent_is_always_a_contact_of_his_own_company(office: Office) -> None:
    """CT-10."""
    await office.configure(with_companies(), version=2)
    refused = await create(office, "bruno@quay.test", company="harbour")
    assert refused["code"] == "agent_of_another_company"
    assert (await create(office, "bruno@quay.test"))["code"] == "agent_of_another_company"
    await office.take_in(received(message_id="one@quay.test", sender="bruno@quay.test"))
    assert await contact(office, "bruno@quay.test") is None
    assert await tags(office, "100001-T") == {}
    assert (await create(office, "bruno@quay.test", company="quay"))["type"] == "contact.accepted"


async def test_where_contacts_are_local_they_belong_to_the_tickets_company(office: Office) -> None:
    """CT-10, CT-11, CT-12, AMB-20."""
    await office.configure(with_companies(contact_scope=ContactScope.LOCAL), version=2)
    await office.take_in(received(message_id="one@harbour.test"))
    assert (await contact(office, CARLA.lower()))["company"] == "harbour"
    assert (await create(office, "anna@harbour.test"))["code"] == "incomplete"
    await create(office, "quinn@quay.test", company="quay")
    await office.take_in(received(message_id="two@quay.test", sender="quinn@quay.test"))
    assert (await office.ticket("100002-T"))["status"] == "to_do"
    assert await tags(office, "100002-T") == {}
    made = await office.pool.fetchval("SELECT count(*) FROM contacts WHERE address = 'quinn@quay.test'")
    assert made == 1


async def test_a_refused_request_makes_no_contact(office: Office) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    told = len(await office.said(TOPIC))
    await office.step(
        asked.ActivityEdit, "100001-T", category="Nonsense", cc=[Person(address="dora@harbour.test")]
    )
    assert await contact(office, "dora@harbour.test") is None
    assert len(await office.said(TOPIC)) == told

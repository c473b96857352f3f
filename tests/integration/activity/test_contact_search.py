"""Contacts over HTTP: found while somebody types, within reach of who asks (CT-9, CT-10, CT-15, CT-19)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from services.activity import store_contact_views
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import User
from shared.contracts.activity_requests import Person
from tests.integration.activity.test_contacts import create, with_companies
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import ACME, Office, received

PEOPLE = (
    ("marie.dupont@harbour.test", "Marie", "Dupont", "harbour"),
    ("dupree@harbour.test", "Zoé", "Dupré", "holding"),
    ("ludup@harbour.test", "Lu", "Müller", None),
    ("dupont@quay.test", "Marc", "Dupont", "quay"),
)


@pytest.fixture
async def desk(office: Office, tmp_path: Path) -> AsyncIterator[Any]:
    """Contacts of three companies and everybody's; Clara reads Harbour's alone, Noel nothing."""
    definition = with_companies()
    noel = User(name="noel", title="Noel")
    await office.configure(definition.model_copy(update={"users": (*definition.users, noel)}), version=2)
    for address, first, last, company in PEOPLE:
        await create(office, address, first_name=first, last_name=last, company=company)
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


async def addresses(desk: Any, asks: str, query: str) -> list[str]:
    answer = await Caller(desk, asks).get(f"/v1/contacts?{query}")
    assert answer.status_code == 200, answer.text
    return [each["address"] for each in answer.json()["items"]]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("d", ["marie.dupont@harbour.test", "dupree@harbour.test"]),
        ("dup", ["marie.dupont@harbour.test", "dupree@harbour.test", "ludup@harbour.test"]),
        ("DUPRE", ["dupree@harbour.test"]),
        ("zoe dupré", ["dupree@harbour.test"]),
        ("upo", ["marie.dupont@harbour.test"]),
        ("muller", ["ludup@harbour.test"]),
        ("marie.dupont@harb", ["marie.dupont@harbour.test"]),
        ("nobody", []),
        ("%", []),
        ("", []),
    ],
)
async def test_contacts_are_found_while_somebody_types(desk: Any, typed: str, found: list[str]) -> None:
    """CT-9: by beginnings and middles of words, without accents; another company's are not there."""
    answer = await Caller(desk, "clara").get("/v1/contacts")
    assert len(answer.json()["items"]) == 3
    query = quote(typed)
    assert await addresses(desk, "clara", f"search={query}") == found


async def test_who_reads_nothing_finds_nobody_and_learns_of_nobody(desk: Any, office: Office) -> None:
    """CT-9, AMB-34."""
    ids = {row["address"]: row["id"] for row in await office.pool.fetch("SELECT address, id FROM contacts")}
    for query in ("", "search=dup"):
        assert (await Caller(desk, "noel").get(f"/v1/contacts?{query}")).status_code == 403
    clara, quay = Caller(desk, "clara"), ids["dupont@quay.test"]
    assert (await clara.get(f"/v1/contacts/{quay}")).status_code == 404
    assert (await clara.get(f"/v1/contacts/{ids['ludup@harbour.test']}")).status_code == 200
    amelie = Caller(desk, "amelie")
    assert (await amelie.get(f"/v1/contacts/{quay}")).json()["company"] == "quay"
    assert await addresses(desk, "amelie", "search=dupont&company=quay") == ["dupont@quay.test"]


async def test_agents_of_companies_out_of_reach_are_neither_listed_nor_found(
    desk: Any, office: Office
) -> None:
    """CT-9, CT-10: whatever stands in the row of one, an agent is a contact of his own company alone."""
    await office.pool.execute(
        """
        INSERT INTO contacts (organisation, id, address, first_name, last_name, company, auto_created)
        SELECT 'acme', gen_random_uuid(), address, 'Dup', 'Agent', company, false
        FROM (VALUES ('bruno@quay.test', NULL), ('hugo@harbour.test', 'quay')) AS agents (address, company)
        """
    )
    definition = with_companies()
    hugo = User(name="hugo", title="Hugo", address="hugo@harbour.test", company="harbour")
    await office.configure(definition.model_copy(update={"users": (*definition.users, hugo)}), version=3)
    for query in ("", "search=agent", "search=agent&limit=1"):
        found = await addresses(desk, "clara", query)
        assert "bruno@quay.test" not in found, query
        assert "hugo@harbour.test" in found, query
        everybody = await addresses(desk, "amelie", query.partition("&")[0])
        assert {"bruno@quay.test", "hugo@harbour.test"} <= set(everybody)
    assert "hugo@harbour.test" not in await addresses(desk, "amelie", "company=quay")
    assert "bruno@quay.test" in await addresses(desk, "amelie", "company=quay")


async def test_a_list_of_contacts_has_pages(desk: Any) -> None:
    seen: list[str] = []
    after = ""
    while True:
        answer = (await Caller(desk, "amelie").get(f"/v1/contacts?limit=3{after}")).json()
        seen += [each["address"] for each in answer["items"]]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
    assert seen == sorted(address for address, *_ in PEOPLE)


async def test_contacts_are_made_and_edited_over_http(desk: Any) -> None:
    """CT-15: who has the address already is said to those who may see it, and to nobody else."""
    clara = Caller(desk, "clara")
    made = await clara.call("POST", "/v1/contacts", {"address": "anna.pier@harbour.test"})
    assert made.status_code == 201
    place = made.headers["Location"]
    assert (await clara.get(place)).json()["last_name"] == "Pier"
    edited = await clara.call("PATCH", place, {"first_name": "Anja", "expected_version": 1})
    assert (edited.status_code, edited.headers["ETag"]) == (200, '"2"')
    late = await clara.call("PATCH", place, {"first_name": "Anne", "expected_version": 1})
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    taken = await clara.call("POST", "/v1/contacts", {"address": "ANNA.pier@harbour.test"})
    assert (taken.status_code, taken.json()["reason"]) == (409, "address_in_use")
    assert place.endswith(taken.json()["contact"])
    hidden = await clara.call("POST", "/v1/contacts", {"address": "dupont@quay.test"})
    assert (hidden.status_code, "contact" in hidden.json()) == (409, False)
    for body in ({}, {"address": "nobody"}, {"address": "a@b.test", "company": "nowhere"}):
        assert (await clara.call("POST", "/v1/contacts", body)).status_code == 422
    assert (
        await clara.call("POST", "/v1/contacts", {"address": "q@quay.test", "company": "quay"})
    ).status_code == 403


async def test_typed_addresses_are_told_apart(desk: Any, office: Office) -> None:
    """CT-14, CT-19."""
    await office.take_in(received(message_id="one@harbour.test"))
    person = Person(address="marie.dupont@harbour.test")
    await office.step(asked.ActivityEdit, "100001-T", cc=[person])
    typed = ("Marie.Dupont@harbour.test", "ludup@harbour.test", "dupont@quay.test", "emil.dock@x.test")
    query = "&".join(f"address={each}" for each in typed)
    answer = (await Caller(desk, "clara@acme").get(f"/v1/tickets/100001-T/recipients?{query}")).json()
    assert answer["code"] == "forbidden"
    answer = (await Caller(desk, "amelie").get(f"/v1/tickets/100001-T/recipients?{query}")).json()
    assert {each["address"]: each["known_as"] for each in answer} == {
        "dupont@quay.test": "another_company",
        "emil.dock@x.test": "unknown",
        "ludup@harbour.test": "known",
        "marie.dupont@harbour.test": "on_it",
    }
    emil = next(each for each in answer if each["known_as"] == "unknown")
    assert (emil["first_name"], emil["last_name"]) == ("Emil", "Dock")
    assert all(each["contact"] is None for each in answer if each["address"] == "dupont@quay.test")


async def test_a_search_goes_through_the_index_of_pieces(office: Office) -> None:
    await office.pool.execute(
        """
        INSERT INTO contacts (organisation, id, address, first_name, last_name, auto_created)
        SELECT 'acme', gen_random_uuid(), md5(n::text) || '@x.test', md5((n + 1)::text), 'Dock', false
        FROM generate_series(1, 5000) AS n
        """
    )
    await office.pool.execute("ANALYZE contacts")
    for typed in ("c4ca4", "emil"):
        pieces = store_contact_views._pieces(ACME, [typed], begins=True)
        plan = await office.pool.fetchval(
            f"EXPLAIN (FORMAT JSON) {store_contact_views._FOUND}", ACME, [], [], [], pieces, [f"% {typed}%"]
        )
        assert "contacts_by_pieces" in json.dumps(plan), plan
        assert "Seq Scan" not in json.dumps(plan), plan

"""The next best, found and taken in one step, by people and by robots, over both doors (GL-2, ST-24)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.activity.store_families import lock
from services.activity.store_rows import Key
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Queue, Team, User
from shared.postgres import transaction
from tests.support.front_desk import connected, front_desk
from tests.support.office import ACME, DEFINITION, Office, incoming, process, received, user

SORTER = asked.Actor(kind=asked.ActorKind.ROBOT, id="sorter")
CHANGES = {
    "teams": (Team(name="money", title="Money"),),
    "queues": (Queue(name="desk", title="Service desk"), Queue(name="bills", title="Bills", team="money")),
    "processes": (process("request"), process("invoice", queue="bills", default_mailbox="billing")),
    "users": (
        User(name="amelie", title="Amélie", processes=("request", "invoice")),
        User(name="bruno", title="Bruno", processes=("request",), teams=("money",)),
        User(name="rita", title="Rita", reads=("request",)),
        User(name="sorter", title="Sorter", processes=("request",), robot=True),
    ),
}


@pytest.fixture
async def office(office: Office) -> Office:
    await office.configure(DEFINITION.model_copy(update=CHANGES), 2)
    return office


@pytest.fixture
async def client(office: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


async def mails(office: Office, number: int, to: str = "help@acme.test") -> None:
    """So many Tickets, each opened by a mail."""
    there = len(await office.tickets())
    for each in range(there, there + number):
        await office.take_in(received(message_id=f"{each}@harbour.test", to=[to]))


async def due(office: Office, reference: str, days: float) -> None:
    at = office.clock.now() + timedelta(days=days)
    assert (await office.step(asked.ActivitySetDueDate, reference, due=at))["type"] == "request.accepted"


async def take(office: Office, actor: asked.Actor) -> Any:
    return await office.ask(asked.WorkTakeNext(actor=actor))


async def key_of(office: Office, reference: str) -> Key:
    return ACME, (await office.ticket(reference))["id"]


async def test_who_asks_gets_the_soonest_due_of_his_own_and_of_his_queues(office: Office) -> None:
    """GL-2: what `GET /v1/inbox/next` shows is what is taken."""
    await mails(office, 3)
    await mails(office, 1, "billing@acme.test")
    for reference, days in (("100003-T", 2), ("100004-T", 1)):
        await due(office, reference, days)
    await office.step(asked.ActivityAssign, "100002-T", by="bruno", assignee="bruno")
    # The queue of invoices is his team's, but he does not work on them.
    first = await take(office, user("bruno"))
    assert (first["reference"], first["status"]) == ("100003-T", "in_progress")
    ticket = await office.ticket("100003-T")
    assert (ticket["assignee"], (await office.rules("100003-T"))[-1]) == ("bruno", ("status_changed", "T7"))
    again = await take(office, user("bruno"))
    assert (again["reference"], again["version"]) == ("100003-T", first["version"]), "he works on it"
    await office.step(asked.TicketWait, "100003-T", by="bruno", days=3)
    assert (await take(office, user("amelie")))["reference"] == "100001-T"
    assert (await take(office, user("bruno")))["reference"] == "100002-T", "what was given to him"
    await office.step(asked.TicketWait, "100002-T", by="bruno", days=3)
    before = await office.written()
    nothing = await take(office, user("bruno"))
    assert (nothing["type"], nothing["code"]) == ("request.refused", "nothing_to_do")
    assert await office.written() == before


async def test_a_robot_gets_again_what_it_has_and_then_something_else(office: Office) -> None:
    """ST-24, ST-8, ST-20: three times; then it is marked for a person, and no robot gets it."""
    await mails(office, 2)
    await due(office, "100002-T", 1)
    given = await take(office, SORTER)
    await due(office, "100001-T", 0.5)
    assert given["reference"] == "100002-T"
    for _ in range(3):
        assert (await take(office, SORTER))["reference"] == "100002-T", "though something is due sooner"
    other = await take(office, SORTER)
    assert (other["reference"], other["status"]) == ("100001-T", "in_progress")
    (taken_away,) = other["others"]
    assert (taken_away["reference"], taken_away["status"]) == ("100002-T", "to_do")
    stuck = await office.ticket("100002-T")
    assert (stuck["assignee"], stuck["for_person"]) == (None, True)
    await office.step(asked.TicketWait, "100001-T", by="sorter", days=1)
    assert (await take(office, SORTER))["code"] == "nothing_to_do"
    assert (await take(office, user("bruno")))["reference"] == "100002-T", "a person gets it"


async def test_what_is_taken_away_last_is_told_though_nothing_else_is_there(office: Office) -> None:
    """ST-24."""
    await mails(office, 1)
    for _ in range(4):
        assert (await take(office, SORTER))["status"] == "in_progress"
    last = await take(office, SORTER)
    assert (last["type"], last["reference"], last["status"]) == ("request.accepted", "100001-T", "to_do")


async def test_two_who_ask_at_once_never_get_the_same(office: Office, client: httpx.AsyncClient) -> None:
    """Over HTTP, over Kafka, and within one batch."""
    await mails(office, 6)

    async def over_http(name: str) -> str:
        headers = {"Authorization": f"Bearer {name}", "Idempotency-Key": f"next-{name}"}
        answer = await client.post("/v1/inbox/next", headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["reference"])

    async def over_kafka(name: str) -> str:
        actor = SORTER if name == "sorter" else user(name)
        return str((await take(office, actor))["reference"])

    found = await asyncio.gather(over_http("amelie"), over_kafka("bruno"), over_kafka("sorter"))
    assert len(set(found)) == 3
    for name in ("amelie", "bruno", "sorter"):
        (held,) = [each["reference"] for each in await office.tickets() if each["assignee"] == name]
        await office.step(asked.TicketWait, held, by=name, days=1)
    batch = [
        incoming(asked.WorkTakeNext(actor=actor), f"at-once-{actor.id}")
        for actor in (user("amelie"), user("bruno"), SORTER)
    ]
    await office.take_in(*batch)
    answers = [
        each for each in await office.said("activity.answers.v1") if each["request"]["id"][:3] == "at-"
    ]
    assert {each["reference"] for each in answers} == {f"10000{number}-T" for number in range(1, 7)} - set(
        found
    )


async def test_what_somebody_is_just_changing_is_passed_by_and_waited_for_if_it_is_all(
    office: Office,
) -> None:
    """SKIP LOCKED: nobody waits while there is something else, and nobody is told that there is nothing."""
    await mails(office, 2)
    first, second = [await key_of(office, reference) for reference in ("100001-T", "100002-T")]
    async with transaction(office.pool) as connection:
        await lock(connection, {first})
        assert (await take(office, user("bruno")))["reference"] == "100002-T"
    await office.step(asked.ActivityAssign, "100002-T", by="bruno", assignee=None)
    async with transaction(office.pool) as connection:
        await lock(connection, {first, second})
        asking = asyncio.create_task(take(office, user("bruno")))
        done, _ = await asyncio.wait({asking}, timeout=0.3)
        assert not done, "it asks again until it is certain"
    assert (await asking)["reference"] == "100001-T"


async def test_over_http_the_same_key_gets_the_same_and_nothing_is_no_content(
    office: Office, client: httpx.AsyncClient
) -> None:
    async def post(key: str, name: str = "bruno", **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {name}", "Idempotency-Key": key}
        return await client.post("/v1/inbox/next", headers=headers, json=body)

    nothing = await post("none")
    assert (nothing.status_code, nothing.content) == (204, b"")
    await mails(office, 2)
    first = await post("one")
    assert (first.status_code, first.json()["reference"]) == (200, "100001-T")
    assert first.headers["ETag"] == f'"{first.json()["version"]}"'
    await office.step(asked.TicketWait, "100001-T", by="bruno", days=1)
    assert (await post("one")).json() == first.json()
    assert (await post("two")).json()["reference"] == "100002-T"
    assert (await post("three", queue="desk")).status_code == 422
    for name in ("rita", "stranger"):
        refused = await post("refused", name)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_robot_sees_as_next_what_it_would_get(office: Office, client: httpx.AsyncClient) -> None:
    """ST-8, ST-24."""
    await mails(office, 3)
    await take(office, SORTER)
    rejected = await office.ask(
        asked.ActivityRejectWork(actor=SORTER, reference="100001-T", reason="No idea")
    )
    assert rejected["type"] == "request.accepted", rejected

    async def shown() -> str:
        answer = await client.get("/v1/inbox/next", headers={"Authorization": "Bearer sorter"})
        return str(answer.json()["reference"])

    assert await shown() == "100002-T", "the first one is marked for a person"
    assert (await take(office, SORTER))["reference"] == "100002-T"
    await due(office, "100003-T", 1)
    assert await shown() == "100002-T", "what it works on"


async def test_work_is_given_to_users_and_robots_only(office: Office) -> None:
    """ST-3."""
    await mails(office, 1)
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    for actor, code in ((erp, "incomplete"), (user("rita"), "forbidden"), (user("nobody"), "forbidden")):
        refused = await take(office, actor)
        assert (refused["type"], refused["code"]) == ("request.refused", code)
    assert (await office.ticket("100001-T"))["assignee"] is None

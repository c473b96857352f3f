"""Inbox, Owned Work, queues and what to do next, over HTTP (GL-2, ST-10, ST-11)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Queue, Team, User
from tests.support.front_desk import connected, front_desk
from tests.support.office import DEFINITION, Office, process, received, user

USERS = (
    User(name="amelie", title="Amélie", processes=("request", "invoice")),
    User(name="bruno", title="Bruno", processes=("request",), teams=("money",)),
    User(name="clara", title="Clara", processes=("invoice",), teams=("money",)),
)
CHANGES = {
    "teams": (Team(name="money", title="Money"),),
    "queues": (Queue(name="desk", title="Service desk"), Queue(name="bills", title="Bills", team="money")),
    "processes": (process("request"), process("invoice", queue="bills", default_mailbox="billing")),
    "users": USERS,
}


class Reader:
    """Looks at lists."""

    def __init__(self, client: httpx.AsyncClient, name: str) -> None:
        self._client, self._name = client, name

    async def get(self, path: str) -> Any:
        answer = await self._client.get(path, headers={"Authorization": f"Bearer {self._name}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def seen(self, path: str) -> list[str]:
        """References, through all pages."""
        found, after = [], ""
        while True:
            page = await self.get(f"{path}{'&' if '?' in path else '?'}limit=2{after}")
            found += [item["reference"] for item in page["items"]]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"


@pytest.fixture
async def office(office: Office) -> Office:
    await office.configure(DEFINITION.model_copy(update=CHANGES), 2)
    return office


@pytest.fixture
async def client(office: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


@pytest.fixture
def amelie(client: httpx.AsyncClient) -> Reader:
    return Reader(client, "amelie")


@pytest.fixture
def bruno(client: httpx.AsyncClient) -> Reader:
    return Reader(client, "bruno")


@pytest.fixture
def clara(client: httpx.AsyncClient) -> Reader:
    return Reader(client, "clara")


async def mails(office: Office, number: int, to: str = "help@acme.test") -> None:
    for each in range(number):
        sender = f"c{each}@harbour.test"
        await office.take_in(received(message_id=f"{to}/{each}@harbour.test", sender=sender, to=(to,)))


async def due(office: Office, reference: str, hours: int) -> None:
    at = office.clock.now() + timedelta(hours=hours)
    answer = await office.step(asked.ActivitySetDueDate, reference, due=at)
    assert answer["type"] == "request.accepted", answer


async def test_an_inbox_holds_what_its_user_must_act_on_the_soonest_due_first(
    office: Office, amelie: Reader, bruno: Reader
) -> None:
    """GL-2, ST-19."""
    await mails(office, 5)
    for number in (1, 2, 3, 4):
        await office.step(asked.ActivityPickUp, f"10000{number}-T")
    await due(office, "100003-T", 1)
    await due(office, "100002-T", 2)
    assert await amelie.seen("/v1/inbox") == ["100003-T", "100002-T", "100001-T", "100004-T"]
    assert await amelie.seen("/v1/inbox?of=queues") == ["100005-T"]
    assert await amelie.seen("/v1/inbox?process=invoice") == []
    assert await bruno.seen("/v1/inbox") == []
    assert (await amelie.get("/v1/inbox"))["items"][0]["due"]["at"] is not None


async def test_waiting_moves_it_to_owned_work_and_an_answer_back_highlighted(
    office: Office, amelie: Reader
) -> None:
    """ST-10, ST-11, AMB-1."""
    await mails(office, 3)
    for number in (1, 2, 3):
        await office.step(asked.ActivityPickUp, f"10000{number}-T")
    await office.step(asked.TicketWait, "100001-T", days=3)
    await office.step(asked.ActivityWaitUntil, "100002-T", until=office.clock.now() + timedelta(days=1))
    assert await amelie.seen("/v1/inbox") == ["100003-T"]
    assert await amelie.seen("/v1/owned-work") == ["100001-T", "100002-T"]
    assert await amelie.seen("/v1/owned-work?wait=until") == ["100002-T"]
    assert await amelie.seen("/v1/owned-work?wait=related") == []
    assert await amelie.seen("/v1/owned-work?of=queues&status=wait") == ["100001-T", "100002-T"]
    await office.step(asked.ActivityResume, "100001-T", to="to_do")
    items = {item["reference"]: item for item in (await amelie.get("/v1/inbox"))["items"]}
    assert (items["100001-T"]["highlighted"], items["100003-T"]["highlighted"]) == (True, False)
    assert not items["100001-T"]["new_information"]
    assert await amelie.seen("/v1/inbox?highlighted=true") == ["100001-T"]
    await office.step(asked.ActivityPickUp, "100001-T")
    assert await amelie.seen("/v1/inbox?highlighted=true") == []


async def test_a_queue_belongs_to_its_team_or_to_all_who_work_on_its_processes(
    office: Office, amelie: Reader, bruno: Reader, clara: Reader
) -> None:
    await mails(office, 1)
    await mails(office, 1, "billing@acme.test")
    assert await amelie.seen("/v1/inbox?of=queues") == ["100001-T"]
    assert await clara.seen("/v1/inbox?of=queues") == ["100002-T"]
    # His team has the queue of invoices, but he may not read them (AMB-34).
    assert await bruno.seen("/v1/inbox?of=queues") == ["100001-T"]


async def test_counts_tell_how_much_there_is_of_what_the_caller_may_read(
    office: Office, amelie: Reader, bruno: Reader
) -> None:
    await mails(office, 3)
    await mails(office, 2, "billing@acme.test")
    await office.step(asked.ActivityPickUp, "100001-T")
    await office.step(asked.TicketResolve, "100001-T", method="rejected_as_spam")
    await office.step(asked.ActivityPickUp, "100002-T")

    def counted(queues: list[dict[str, Any]]) -> dict[str, dict[str, tuple[int, int]]]:
        return {
            queue["queue"]: {each["status"]: (each["number"], each["unassigned"]) for each in queue["states"]}
            for queue in queues
        }

    desk = {"in_progress": (1, 0), "to_do": (1, 1)}
    assert counted(await amelie.get("/v1/queues")) == {"desk": desk, "bills": {"to_do": (2, 2)}}
    assert counted(await bruno.get("/v1/queues")) == {"desk": desk, "bills": {}}


async def test_what_rests_is_counted_with_the_queue_of_its_process_and_drafts_with_none(
    office: Office, amelie: Reader
) -> None:
    """ST-19: what waits stands in no queue. What waits for its parts, too."""
    await mails(office, 2)
    await office.step(asked.ActivityPickUp, "100001-T")
    part = {"title": "Part", "description": "Of it", "category": "Other"}
    split = await office.step(asked.TicketSplit, "100001-T", parts=[part, part])
    assert split["status"] == "wait", split
    await office.step(asked.TicketWait, "100002-T", days=3)
    await office.ask(asked.ActivityOpen(actor=user("amelie"), process="request"))
    counted = {
        queue["queue"]: {
            (each["status"], each["wait"]): (each["number"], each["unassigned"]) for each in queue["states"]
        }
        for queue in await amelie.get("/v1/queues")
    }
    desk = {("to_do", None): (2, 2), ("wait", "split"): (1, 1), ("wait", "more_information"): (1, 1)}
    assert counted == {None: {("draft", None): (1, 0)}, "desk": desk}
    (waiting, _) = (await amelie.get("/v1/owned-work?of=queues"))["items"]
    assert (waiting["reference"], waiting["owner"], waiting["wait"]) == ("100001-T", "amelie", "split")
    assert await amelie.seen("/v1/owned-work?wait=related") == ["100001-T"]


async def test_next_is_what_is_due_soonest_of_ones_own_and_of_the_queues(
    office: Office, client: httpx.AsyncClient, amelie: Reader
) -> None:
    nothing = await client.get("/v1/inbox/next", headers={"Authorization": "Bearer amelie"})
    assert (nothing.status_code, nothing.content) == (204, b"")
    await mails(office, 3)
    await office.step(asked.ActivityPickUp, "100002-T")
    # None is due: the oldest, whoever has it.
    assert (await amelie.get("/v1/inbox/next"))["reference"] == "100001-T"
    await due(office, "100003-T", 1)
    assert (await amelie.get("/v1/inbox/next"))["reference"] == "100003-T"


async def test_a_cursor_that_is_made_up_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer amelie"}
    for cursor in ("nonsense", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwxXQ"):
        answer = await client.get(f"/v1/inbox?after={cursor}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")

"""Whoever is asked for an approval can be suspended at once; what he leaves behind comes to people (A25)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.activity import configuration, store_configuration
from services.activity.timers import Timers
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Definition
from shared.contracts.activity_requests_approvals import ActionApprove, ActionDecline
from shared.postgres import transaction
from tests.support.approvals import CASE, CONSENT, PAGE, answer, begin, let_ask, links, mails
from tests.support.databases import waiting_for_locks
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.hiring import HIRING, WITH_CASES
from tests.support.office import Office
from tests.support.waiting import eventually


@dataclass
class Desk:
    """An office that asks, and who configures it."""

    office: Office
    caller: Caller

    async def apply(self, definition: Definition, *, dry_run: bool = False) -> Any:
        """What it says of approvals that come to people; anything but 200 fails."""
        path = f"/v1/configuration?dry_run={dry_run}".lower()
        applied = await self.caller.call("PUT", path, definition.model_dump(mode="json"))
        assert applied.status_code == 200, applied.text
        return applied.json()["to_people"]

    async def follow(self, name: str, **headers: str) -> Any:
        """What somebody's newest link leads to."""
        return await self.caller.get((await links(self.office))[name], **headers)

    async def stands(self, reference: str = CONSENT) -> tuple[str, bool]:
        action = await self.office.ticket(reference)
        return action["status"], action["new_information"]


@pytest.fixture
async def desk(office: Office, tmp_path: Path) -> AsyncIterator[Desk]:
    await let_ask(office)
    async with connected(front_desk(office, tmp_path)) as client:
        yield Desk(office, Caller(client, "olga/operator"))


def where(definition: Definition = WITH_CASES, **users: dict[str, Any]) -> Definition:
    """A configuration in which users are changed."""
    changed = tuple(each.model_copy(update=users.get(each.name, {})) for each in definition.users)
    return definition.model_copy(update={"users": changed})


def without_approvals() -> Definition:
    """No Case that begins from now on asks anybody: so approvers can be retired."""
    actions = tuple(each for each in HIRING.actions if each.name != "consent")
    changed = HIRING.model_copy(update={"actions": actions})
    return WITH_CASES.model_copy(update={"processes": (*WITH_CASES.processes[:-1], changed)})


SUSPENDED: dict[str, Any] = {"suspended": True}
RETIRED: dict[str, Any] = {"retired": True, "processes": (), "leads": ()}
GONE = [
    pytest.param(where(bruno=SUSPENDED), id="suspended"),
    pytest.param(where(without_approvals(), bruno=RETIRED), id="retired"),
]


@pytest.mark.parametrize("definition", GONE)
async def test_it_stays_with_those_who_may_still_decide(desk: Desk, definition: Definition) -> None:
    """The link of who left leads to nothing from that moment on, and nor does his token."""
    assert await desk.apply(definition) == []
    assert await desk.stands() == ("wait", False)
    refused = await desk.follow("bruno")
    assert (refused.status_code, refused.json()["code"]) == (403, "link_suspended")
    assert refused.json()["detail"] == "bruno cannot approve or decline anything at present."
    page = await desk.follow("bruno", **PAGE)
    assert (page.status_code, "bruno cannot approve" in page.text) == (403, True)
    assert page.headers["cache-control"] == "private, no-store"
    assert (await answer(desk.office, ActionApprove, "bruno"))["code"] == "forbidden"
    assert (await desk.follow("amelie")).status_code == 200
    await answer(desk.office, ActionDecline, "amelie", comment="Too much")
    assert await desk.stands() == ("to_do", True)


@pytest.mark.parametrize("definition", GONE)
async def test_what_nobody_else_is_asked_comes_to_people_at_once(desk: Desk, definition: Definition) -> None:
    await answer(desk.office, ActionApprove, "amelie")
    assert await desk.apply(definition) == [{"user": "bruno", "count": 1, "examples": [CONSENT]}]
    assert await desk.stands() == ("to_do", True)
    assert (await desk.office.ticket(CONSENT))["queue"] == "desk"
    last = [row for row in await desk.office.history(CONSENT) if row["rule"] == "A25"][-3:]
    assert "action.not_sent" in [row["type"] for row in last]
    assert "failed" in [row["event"].get("reason") for row in last]
    assert {row["actor_kind"] for row in last} == {"system"}
    assert (await desk.follow("bruno")).json()["code"] == "link_suspended"


async def test_the_last_who_can_answer_brings_it_to_people_with_his_approval(desk: Desk) -> None:
    """All are needed: that one of them is silent is no approval."""
    await desk.apply(where(bruno=SUSPENDED))
    await answer(desk.office, ActionApprove, "amelie")
    assert await desk.stands() == ("to_do", True)
    assert len(await mails(desk.office)) == 2


async def test_where_one_is_enough_it_waits_for_whoever_is_left(desk: Desk) -> None:
    for name in ("amelie", "bruno"):
        await answer(desk.office, ActionApprove, name)
    assert await desk.apply(where(clara=SUSPENDED)) == []
    assert await desk.stands() == ("wait", False)
    assert await desk.apply(where(bruno=SUSPENDED, clara=SUSPENDED)) == [
        {"user": name, "count": 1, "examples": [CONSENT]} for name in ("bruno", "clara")
    ]
    assert await desk.stands() == ("to_do", True)


async def test_what_was_said_before_counts_and_who_comes_back_is_asked_still(desk: Desk) -> None:
    await answer(desk.office, ActionApprove, "bruno")
    assert await desk.apply(where(bruno=SUSPENDED)) == []
    await answer(desk.office, ActionApprove, "amelie")
    assert len(await mails(desk.office)) == 3  # the next level needs one, and clara can be asked
    assert await desk.apply(where()) == []
    assert await desk.apply(where(clara=SUSPENDED), dry_run=True) == [
        {"user": "clara", "count": 1, "examples": [CONSENT]}
    ]
    assert (await desk.follow("clara")).status_code == 200


async def test_people_ask_anew_once_somebody_can_be_asked(desk: Desk) -> None:
    await desk.apply(where(amelie=SUSPENDED, bruno=SUSPENDED))
    refused = await desk.office.step(asked.CaseWait, CONSENT, by="clara")
    assert refused["missing"] == ["approvers"]
    await desk.apply(where())
    assert (await desk.follow("bruno")).json()["code"] == "link_void"
    assert (await desk.office.step(asked.CaseWait, CONSENT))["type"] == "request.accepted"
    assert (await desk.follow("bruno")).status_code == 200


async def test_a_plan_says_what_would_come_to_people_and_leaves_no_trace(desk: Desk) -> None:
    """Not even in what is remembered of configurations: the next one has the same version."""
    before = await desk.office.written()
    leave = where(amelie=SUSPENDED, bruno=SUSPENDED)
    told = [{"user": name, "count": 1, "examples": [CONSENT]} for name in ("amelie", "bruno")]
    assert await desk.apply(leave, dry_run=True) == told
    assert await desk.office.written() == before
    await desk.apply(where(clara=SUSPENDED))
    assert (await answer(desk.office, ActionApprove, "amelie"))["type"] == "request.accepted"


async def test_who_loses_his_address_answers_what_he_was_asked(desk: Desk) -> None:
    without = where(without_approvals(), bruno={"address": None})
    await answer(desk.office, ActionApprove, "amelie")
    assert await desk.apply(without) == []
    assert (await desk.follow("bruno")).status_code == 200


async def test_very_many_come_to_people_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "PAGE", 2)
    for number in range(2, 8):
        await begin(desk.office, f"10000{number}-C")
    (one, two) = await desk.apply(where(amelie=SUSPENDED, bruno=SUSPENDED))
    assert (one["count"], two["count"], len(one["examples"])) == (7, 7, 5)
    assert {(await desk.stands(f"10000{number}-C-A1.3"))[0] for number in range(1, 8)} == {"to_do"}


async def test_a_timer_locks_no_case_before_the_configuration_is_free(desk: Desk) -> None:
    """Or it and whoever applies one, and then looks for the Cases of approvals, would wait for each other."""
    office = desk.office
    until = office.clock.now() + timedelta(hours=1)
    await office.step(asked.ActivityWaitUntil, f"{CASE}-A1.2", until=until)
    await office.advance(hours=2)
    timers = Timers(office.unit, office.work, office.organisations)

    async def waits() -> bool:
        return await waiting_for_locks(office.pool) > 0

    async with transaction(office.pool) as connection:
        await store_configuration.lock(connection, "acme")
        firing = asyncio.create_task(timers.fire())
        await eventually(waits)
        assert await connection.fetch("SELECT 1 FROM families FOR UPDATE NOWAIT")
    assert await firing == 1
    assert (await office.ticket(f"{CASE}-A1.2"))["status"] == "to_do"


async def test_who_is_named_by_an_open_case_is_not_removed(desk: Desk) -> None:
    users = tuple(each for each in WITH_CASES.users if each.name != "bruno")
    left = without_approvals().model_copy(update={"users": users})
    refused = await desk.caller.call("PUT", "/v1/configuration", left.model_dump(mode="json"))
    assert refused.status_code == 409
    assert refused.json()["uses"][0]["detail"] == (
        f"'bruno' cannot be removed: 1 activity stands on it ({CASE})"
    )

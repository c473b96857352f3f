"""An Action calls another system: the connector of the page does the work, and the Case goes on (A23)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    Definition,
    StepDefinition,
    User,
)
from tests.support.mailroom import PATIENCE, Mailroom
from tests.support.pages import programs
from tests.support.waiting import eventually

PROGRAM = programs("docs/publishing.md")["connector.py"]
ORDER = ActionDefinition(
    name="order",
    title="Order a laptop",
    type=ActionType.EXTERNAL_CALL,
    call="order-laptop",
    answer_within_minutes=60,
)


def ordering(definition: Definition, **changes: Any) -> Definition:
    """The sample, whose new employees get a laptop from the shop before somebody calls them."""
    steps = (
        StepDefinition(name="order", title="Order", actions=(ActionUse(action="order"),)),
        StepDefinition(
            name="call",
            title="Call",
            actions=(ActionUse(action="welcome-call", when='device == "laptop 4711"'),),
        ),
    )
    process = next(each for each in definition.processes if each.name == "new-employee")
    call = next(each for each in process.actions if each.name == "welcome-call")
    actions = (ORDER.model_copy(update=changes), call)
    changed = process.model_copy(update={"actions": actions, "steps": steps})
    shop = User(name="shop", title="The shop", robot=True, processes=("new-employee",))
    others = (each for each in definition.processes if each is not process)
    return definition.model_copy(update={"processes": (*others, changed), "users": (*definition.users, shop)})


@pytest.fixture
async def connector(mailroom: Mailroom, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program of the page, with consumer group and offsets of its own."""
    (tmp_path / "connector.py").write_text(PROGRAM.replace('"shop", "auto', f'"{uuid4()}", "auto'))
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "connector.py"),
        cwd=tmp_path,
        env={**os.environ, "KAFKA": mailroom.stack.kafka_bootstrap, "PREFIX": mailroom.prefix},
        stdout=asyncio.subprocess.PIPE,
    )
    yield running
    running.kill()
    await running.wait()


async def opened(mailroom: Mailroom) -> str:
    """A Case of a new employee."""
    answer = await ask(mailroom, "POST", "/v1/cases", process="new-employee", title="Anna begins on Monday")
    reference: str = answer["reference"]
    await ask(mailroom, "POST", f"/v1/cases/{reference}/steps/submit")
    return reference


async def ask(mailroom: Mailroom, method: str, path: str, user: str = "amelie", **values: Any) -> Any:
    headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
    more = {"json": values} if method == "POST" else {}
    answer = await mailroom.ask(method, path, user=user, headers=headers, **more)
    return answer.json()


async def until(mailroom: Mailroom, path: str, status: str) -> Any:
    async def stands() -> Any:
        found = await ask(mailroom, "GET", path)
        return found if found.get("status") == status else None

    return await eventually(stands, deadline=PATIENCE, every=0.2)


async def test_a_connector_does_the_work_and_the_case_goes_on(
    mailroom: Mailroom, connector: asyncio.subprocess.Process
) -> None:
    """The next step is entered by what the answer has written on the Case."""
    await mailroom.configure(ordering(mailroom.definition))
    case = await opened(mailroom)
    await until(mailroom, f"/v1/actions/{case}-A1.1", "closed")
    call = await until(mailroom, f"/v1/actions/{case}-A2.1", "to_do")
    assert call["title"] == "Call the new employee"
    fields = (await ask(mailroom, "GET", f"/v1/cases/{case}"))["fields"]
    assert ("device", "laptop 4711") in [(each["name"], each["value"]) for each in fields]
    page = await ask(mailroom, "GET", f"/v1/actions/{case}-A1.1/timeline")
    assert [each["type"] for each in page["items"][::-1]] == [
        *("action.opened", "action.called", "action.status_changed"),
        *("action.call_answered", "action.noted", "action.status_changed"),
    ]
    assert "Order 4711 is on its way." in {each["note"] for each in page["items"]}
    assert connector.stdout is not None
    assert await connector.stdout.readline() == f"answered {case}-A1.1 attempt 1\n".encode()


async def test_a_robot_answers_over_http_and_comes_too_late_the_second_time(mailroom: Mailroom) -> None:
    """What another system refuses is done by hand."""
    await mailroom.configure(ordering(mailroom.definition, call="rent-laptop"))
    case = await opened(mailroom)
    action = f"/v1/actions/{case}-A1.1"
    waits = await until(mailroom, action, "wait")
    assert (waits["task"]["call"]["name"], waits["task"]["call"]["attempt"]) == ("rent-laptop", 1)
    answer = {"attempt": 1, "outcome": "failed", "detail": "There are none left."}
    refused = await ask(mailroom, "POST", f"{action}/steps/answer_call", **answer)
    assert (refused["status"], refused["missing"]) == (422, ["program"])
    done = await ask(mailroom, "POST", f"{action}/steps/answer_call", user="shop", **answer)
    assert done["status"] == "to_do"
    late = await ask(mailroom, "POST", f"{action}/steps/answer_call", user="shop", **answer)
    assert (late["status"], late["code"]) == (409, "conflict")
    assert f"{case}-A1.1 waits for no answer to attempt 1 any more" in late["detail"]
    await ask(mailroom, "POST", f"{action}/steps/pick_up")
    assert (await ask(mailroom, "POST", f"{action}/steps/complete"))["status"] == "closed"

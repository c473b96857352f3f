"""An approval on real servers, as those see it who are asked: a mail, a link, a page, a form (A25)."""

import re
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx

from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionType,
    ActionUse,
    ApprovalLevel,
    Definition,
    StepDefinition,
    Template,
    TemplateText,
    User,
)
from tests.support.mailroom import PATIENCE, Mailroom
from tests.support.people import Customer, customer
from tests.support.waiting import eventually

PAGE = {"Accept": "text/html"}


def buying(definition: Definition, lena: Customer, karim: Customer) -> Definition:
    """Cases that want the approval of Lena, and then of Karim, before anything is ordered."""
    agree = ActionDefinition(
        name="agree",
        title="Agree to the costs",
        type=ActionType.APPROVAL,
        template="please-decide",
        approval=(ApprovalLevel(approvers=("lena",)), ApprovalLevel(approvers=("karim",))),
    )
    order = ActionDefinition(name="order", title="Order it")
    steps = tuple(
        StepDefinition(name=each.name, title=each.title, actions=(ActionUse(action=each.name),))
        for each in (agree, order)
    )
    processes = tuple(
        each.model_copy(update={"actions": (agree, order), "steps": steps}) if each.steps else each
        for each in definition.processes
    )
    people = (
        User(name="lena", title="Lena", address=lena.address),
        User(name="karim", title="Karim", address=karim.address, company=definition.companies[0].name),
    )
    text = TemplateText(
        subject="Please decide [{{ reference }}]", text="{{ process }} waits for you:\n\n{{ link }}\n"
    )
    return definition.model_copy(
        update={
            "processes": processes,
            "users": (*definition.users, *people),
            "templates": (*definition.templates, Template(name="please-decide", texts={"en": text})),
        }
    )


class Approver:
    """Somebody who reads mail, and opens what links are in it. He has no token."""

    def __init__(self, person: Customer) -> None:
        self._person = person
        self.links: list[str] = []

    async def is_asked(self) -> str:
        """Wait for a mail with another link than those that came before."""

        async def come() -> list[str]:
            return [link for mail in await self._person.inbox() for link in links_in(mail)][len(self.links) :]

        found: list[str] = await eventually(come, deadline=PATIENCE, every=0.2)
        self.links += found[:1]
        return found[0]

    async def looks(self, link: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as browser:
            return await browser.get(link, headers=PAGE)

    async def decides(self, link: str, decision: str, comment: str = "") -> httpx.Response:
        form = {"decision": decision, "comment": comment}
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as browser:
            return await browser.post(link, data=form, headers=PAGE)


def links_in(mail: EmailMessage) -> list[str]:
    body = mail.get_body(("plain",))
    return re.findall(r"https?://\S+/v1/approvals/\S+", str(body.get_content())) if body else []


async def action(mailroom: Mailroom, reference: str, **expected: Any) -> dict[str, Any]:
    """Wait until an Action is as expected."""

    async def so() -> dict[str, Any]:
        answer = await mailroom.ask("GET", f"/v1/actions/{reference}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert {name: found[name] for name in expected} == expected
        return found

    found: dict[str, Any] = await eventually(so, deadline=PATIENCE, every=0.1)
    return found


async def step(mailroom: Mailroom, place: str, name: str) -> httpx.Response:
    """A step of Amélie's."""
    headers = {"Idempotency-Key": str(uuid4())}
    return await mailroom.ask("POST", f"/v1/{place}/steps/{name}", json={}, headers=headers)


async def opened_by(mailroom: Mailroom, person: Customer) -> str:
    """Wait for the Case that somebody's mail opens; its reference."""

    async def there() -> list[dict[str, Any]]:
        page = await mailroom.ask("GET", f"/v1/cases?contact={person.address}")
        items: list[dict[str, Any]] = page.json()["items"]
        return items

    (case,) = await eventually(there, deadline=PATIENCE, every=0.1)
    return str(case["reference"])


async def test_people_approve_and_decline_by_the_links_in_their_mails(mailroom: Mailroom) -> None:
    anna = customer(mailroom)
    lena, karim = (customer(mailroom, name) for name in ("Lena Vogel", "Karim Haddad"))
    await mailroom.configure(buying(mailroom.definition, lena, karim))
    first, second = Approver(lena), Approver(karim)

    await anna.write("New employee <script>alert(1)</script>", "She begins in March.")
    case = await opened_by(mailroom, anna)
    try:
        await ask_and_answer(mailroom, case, first, second)
    finally:
        # Whom it may ask could not be taken out of the configuration again.
        assert (await step(mailroom, f"cases/{case}", "abandon")).status_code == 200


async def ask_and_answer(mailroom: Mailroom, case: str, first: Approver, second: Approver) -> None:
    """Lena approves and Karim declines; asked anew, both approve, and the Case goes on."""
    agree = f"{case}-A1.1"
    link = await first.is_asked()
    assert link.startswith(mailroom.url("activity"))
    shown = await first.looks(link)
    assert (shown.status_code, "<script" in shown.text, "New employee" in shown.text) == (200, False, True)
    await action(mailroom, agree, status="wait")
    assert "You have approved" in (await first.decides(link, "approve")).text
    assert (await first.decides(link, "approve")).status_code == 410

    early = await second.is_asked()
    assert (await second.decides(early, "decline")).status_code == 422
    assert (await second.decides(early, "decline", "Too much")).status_code == 200
    found = await action(mailroom, agree, status="to_do", new_information=True)
    assert found["task"]["approval"]["approvers"] == [{"user": "karim", "approved": False}]

    assert (await step(mailroom, f"actions/{agree}", "wait")).status_code == 200
    again = await first.is_asked()
    for person, old in ((first, link), (second, early)):
        gone = await person.looks(old)
        assert (gone.status_code, "counts no more" in gone.text) == (410, True)
        assert (await person.decides(old, "approve")).status_code == 410
    assert (await first.decides(again, "approve")).status_code == 200
    assert (await second.decides(await second.is_asked(), "approve", "Now it is fine")).status_code == 200

    ended = await action(mailroom, agree, status="closed")
    assert ended["resolution"]["method"] == "complete"
    await action(mailroom, f"{case}-A2.1", status="to_do", title="Order it")
    entries = (await mailroom.ask("GET", f"/v1/actions/{agree}/timeline?limit=200")).json()["items"]
    given = [each for each in reversed(entries) if each["type"] == "action.approval_given"]
    assert [(each["actor"]["id"], each["details"]["round"]) for each in given] == [
        ("lena", 1),
        ("karim", 1),
        ("lena", 2),
        ("karim", 2),
    ]
    assert {each["note"] for each in entries} >= {"Too much", "Now it is fine"}
    assert "/v1/approvals/" not in str(entries).replace("/v1/approvals/…", "")

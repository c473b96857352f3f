"""An operator finds a mail that no route takes, mends the configuration and has it tried again."""

from typing import Any

from shared.contracts.activity_organisation import Definition, Route
from tests.support.mailroom import OPERATORS, PATIENCE, Mailroom
from tests.support.people import Agent, customer
from tests.support.waiting import eventually


async def test_an_unhandled_mail_becomes_a_ticket_once_a_route_for_it_is_applied(mailroom: Mailroom) -> None:
    """RT-4, UH-1, UH-2: an alias without a route that fits leads nowhere until there is one."""
    anna, agent = customer(mailroom), Agent(mailroom)
    mail = anna.letter("Where is my invoice", to=mailroom.address("invoices"))
    await mailroom.send(mail, to=mailroom.address("billing"))  # as mail servers resolve an alias

    async def listed() -> dict[str, Any] | None:
        answer = await mailroom.ask("GET", "/v1/unhandled-mails?limit=200", service="ingest", roles=OPERATORS)
        return next((each for each in answer.json()["items"] if each["sender"] == anna.address), None)

    shown = await eventually(listed, deadline=PATIENCE, every=0.1)
    assert shown
    assert (shown["reason"], shown["mailbox"], shown["subject"]) == ("no route", "billing", mail["Subject"])
    assert await agent.tickets_of(anna) == []

    retry = f"/v1/unhandled-mails/{shown['id']}/retry"
    before = await mailroom.ask("POST", retry, service="ingest", roles=OPERATORS)
    assert (before.status_code, before.json()["state"]) == (200, "unhandled")

    await mailroom.configure(with_route(mailroom.definition, mailroom.address("invoices")))
    for _ in range(2):  # the second time changes nothing
        after = await mailroom.ask("POST", retry, service="ingest", roles=OPERATORS)
        assert (after.status_code, after.json()["state"]) == (200, "received")
    (ticket,) = await agent.finds(anna)
    assert ticket["process"] == "Question about an invoice"
    await anna.receive_answer_to(mail)
    await mailroom.settled()
    assert len(await agent.tickets_of(anna)) == 1
    assert len(await anna.inbox()) == 1
    assert await listed() is None


def with_route(definition: Definition, address: str) -> Definition:
    """One more route: whatever else is sent to the address."""
    route = Route(name="rest", address=address, process="invoice-question", send_automated_emails=True)
    mailboxes = [
        mailbox.model_copy(update={"routes": (*mailbox.routes, route)})
        if address in mailbox.aliases
        else mailbox
        for mailbox in definition.mailboxes
    ]
    return definition.model_copy(update={"mailboxes": tuple(mailboxes)})

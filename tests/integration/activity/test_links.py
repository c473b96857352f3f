"""Tickets that are linked, unlinked, and opened from one another (LK-2 to LK-5, LK-8)."""

from typing import Any

import pytest

from services.activity.domain.vocabulary import StartedBy
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import Person
from tests.support.office import DEFINITION, Office, incoming, received, user

A, B, C = "100001-T", "100002-T", "100003-T"


async def three(office: Office) -> None:
    for number in (1, 2, 3):
        await office.take_in(
            received(
                message_id=f"{number}@harbour.test", conversation=f"{number:016x}", subject=f"Number {number}"
            )
        )


async def linked(office: Office, reference: str) -> list[tuple[str, str]]:
    """What a Ticket shows as linked, with why."""
    rows = await office.pool.fetch(
        """SELECT other.reference, links.reason FROM links JOIN activities AS other ON other.id = links.linked
        WHERE links.activity = $1 ORDER BY other.number""",
        (await office.ticket(reference))["id"],
    )
    return [(row["reference"], row["reason"]) for row in rows]


async def link(office: Office, *others: str, of: str = A) -> Any:
    return await office.step(asked.ActivityLink, of, with_references=others)


async def unlink(office: Office, *others: str, of: str = A) -> Any:
    return await office.step(asked.ActivityUnlink, of, with_references=others)


async def close(office: Office, reference: str) -> None:
    await office.step(asked.TicketResolve, reference, method=asked.ResolutionMethod.REJECTED_AS_SPAM)


async def test_the_hub_shows_all_and_each_spoke_shows_only_the_hub(office: Office) -> None:
    """LK-4, LK-8: both histories tell of it, and nothing else changes (LK-2)."""
    await three(office)
    before = dict(await office.ticket(B))
    answer = await link(office, B, C, B)
    assert (answer["type"], answer["version"]) == ("request.accepted", (await office.ticket(A))["version"])
    assert await linked(office, A) == [(B, "linked"), (C, "linked")]
    assert await linked(office, B) == await linked(office, C) == [(A, "linked")]
    after = dict(await office.ticket(B))
    assert {name for name in before if before[name] != after[name]} == {"version"}
    for reference, others in ((A, [B, C]), (B, [A]), (C, [A])):
        said = [row for row in await office.history(reference) if row["type"] == "ticket.linked"]
        assert [row["event"]["with_reference"] for row in said] == others
        assert {(row["rule"], row["actor"]) for row in said} == {("LK-3", "amelie")}


async def test_what_is_linked_already_changes_nothing(office: Office) -> None:
    """LK-3: and unlinking what is not linked does not either."""
    await three(office)
    first = await link(office, B)
    again = await link(office, B)
    assert again["type"] == "request.accepted"
    assert again["version"] == first["version"]
    assert (await unlink(office, C))["version"] == first["version"]


async def test_links_are_taken_away_from_either_side(office: Office) -> None:
    """LK-3: at any time."""
    await three(office)
    await link(office, B, C)
    await unlink(office, A, of=C)
    assert await linked(office, A) == [(B, "linked")]
    assert await linked(office, C) == []
    assert (await office.history(A))[-1]["event"]["with_reference"] == C


@pytest.mark.parametrize(
    ("others", "code", "missing"),
    [
        ([B, "999999-T"], "not_found", ["999999-T"]),
        ([B, "100001-C"], "not_found", ["100001-C"]),
        ([B, "100004-T"], "not_found", ["100004-T"]),  # of another organisation
        ([B, A], "linked_with_itself", [A]),
        ([B, "10040-C-A1.1"], "not_linkable", ["10040-C-A1.1"]),
    ],
)
async def test_all_are_linked_or_none(
    office: Office, others: list[str], code: str, missing: list[str]
) -> None:
    """LK-2, LK-3: each reason has a code, and names what it is about."""
    await three(office)
    other = DEFINITION.model_copy(update={"organisation": "other"})
    await office.configure(other)
    for number in range(4):
        request = asked.ActivityOpen(actor=user("amelie"), process="request", title=f"Theirs {number}")
        await office.ask(request, org="other")
    answer = await link(office, *others)
    assert (answer["code"], answer["missing"]) == (code, missing)
    assert [await linked(office, each) for each in (A, B)] == [[], []]
    assert "linked" not in {type_ for type_, _ in await office.rules(B)}


async def test_a_closed_ticket_can_be_linked_with_and_does_not_change(office: Office) -> None:
    """T38: the step is the open one's; of a closed one no step is taken."""
    await three(office)
    await close(office, B)
    before = await office.history(B)
    assert (await link(office, A, of=B))["code"] == "closed"
    await link(office, B)
    assert await linked(office, B) == [(A, "linked")]
    await unlink(office, B)
    assert await linked(office, B) == []
    assert await office.history(B) == before


async def test_two_who_link_the_same_in_one_batch_make_one_link(office: Office) -> None:
    """LK-3: a batch sees what it has done itself, in the order of its requests."""
    await three(office)

    def one(kind: Any, of: str, other: str, id_: str) -> Any:
        return incoming(kind(actor=user("bruno"), reference=of, with_references=[other]), id_)

    await office.take_in(
        one(asked.ActivityLink, A, B, "1"),
        one(asked.ActivityLink, B, A, "2"),
        one(asked.ActivityUnlink, B, A, "3"),
        one(asked.ActivityLink, B, C, "4"),
    )
    assert [await linked(office, each) for each in (A, B, C)] == [[], [(C, "linked")], [(B, "linked")]]
    assert [type_ for type_, _ in await office.rules(A)][-2:] == ["linked", "unlinked"]


async def test_what_a_mail_links_both_sides_tell(office: Office) -> None:
    """RT-7, LK-8: a mailbox joins the thread of a Ticket that is open."""
    await three(office)
    joining = received(
        message_id="9@harbour.test",
        in_reply_to="1@harbour.test",
        to=["help@acme.test", "billing@acme.test"],
    )
    await office.take_in(joining)
    assert await linked(office, A) == [("100004-T", "new_mailbox")]
    assert (await office.history(A))[-1]["event"]["with_reference"] == "100004-T"


async def opened_from(office: Office, source: str, **more: Any) -> Any:
    request = asked.ActivityOpen(
        actor=user("amelie"),
        process="invoice",
        title="A part of it",
        description="As agreed.",
        primary_contact=Person(address="dan@harbour.test"),
        linked_to=source,
        **more,
    )
    return await office.ask(request)


async def test_a_ticket_that_is_opened_from_another_is_linked_with_it(office: Office) -> None:
    """LK-3, LK-5, GL-8: it copies nothing unless that is asked for."""
    await three(office)
    await link(office, B)
    opened = (await opened_from(office, A))["reference"]
    assert (await office.ticket(opened))["started_by"] == StartedBy.LINKED_WORK_ITEM
    assert await linked(office, opened) == [(A, "opened_from")]
    assert await linked(office, A) == [(B, "linked"), (opened, "opened_from")]
    assert (await office.history(A))[-1]["event"]["with_reference"] == opened
    assert (
        await office.pool.fetch(
            "SELECT FROM activity_mails WHERE activity = $1", (await office.ticket(opened))["id"]
        )
        == []
    )


async def test_copies_are_snapshots(office: Office) -> None:
    """LK-5: links and mails as they are then; answers to a copied mail go where they went before."""
    await three(office)
    await link(office, B)
    await office.step(asked.ActivityReply, A, text="Please wait.")
    opened = (await opened_from(office, A, copies=["links", "communications"]))["reference"]
    assert await linked(office, opened) == [(A, "opened_from"), (B, "copied")]
    assert await linked(office, B) == [(A, "linked"), (opened, "copied")]
    copied = {row["mail"] for row in await office.history(opened) if row["type"] == "ticket.mail_copied"}
    there = await office.pool.fetch(
        "SELECT mail FROM activity_mails WHERE activity = $1", (await office.ticket(A))["id"]
    )
    assert copied == {row["mail"] for row in there}
    assert len(copied) == 3  # what the customer wrote, its acknowledgement, the reply

    await office.take_in(received(message_id="8@harbour.test", in_reply_to="1@harbour.test"))
    assert "mail_appended" in {type_ for type_, _ in await office.rules(A)}
    assert "mail_appended" not in {type_ for type_, _ in await office.rules(opened)}
    # It answers nobody's mail by itself, either.
    await office.step(asked.ActivityReply, opened, text="And you?", to=[{"address": "dan@harbour.test"}])
    assert (await office.asked_of_notify())[-1]["in_reply_to"] is None


async def test_what_is_opened_from_nothing_that_is_known_is_refused(office: Office) -> None:
    """LK-5: and no number is used up for it."""
    await three(office)
    assert (await opened_from(office, "999999-T"))["code"] == "not_found"
    request = asked.ActivityOpen(actor=user("amelie"), process="request", title="x", copies=["links"])
    assert (await office.ask(request))["missing"] == ["linked_to"]
    assert len(await office.tickets()) == 3


async def test_what_closed_can_be_opened_from(office: Office) -> None:
    """LK-3, T38: the closed one shows it, and its history does not change."""
    await three(office)
    await close(office, A)
    before = await office.history(A)
    opened = (await opened_from(office, A, copies=["communications"]))["reference"]
    assert await linked(office, A) == [(opened, "opened_from")]
    assert await office.history(A) == before

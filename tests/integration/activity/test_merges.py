"""Tickets are merged into another one, which gets their mail from then on (T33, T34, IN-9)."""

import asyncio
from typing import Any

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import SplitPart
from shared.unit_of_work import Incoming
from tests.support.office import Office, incoming, received, user

FIRST, SECOND, THIRD = "100001-T", "100002-T", "100003-T"


def letter(number: int, answers: int | None = None, **more: Any) -> Incoming[Any]:
    answered = f"{answers}@harbour.test" if answers else None
    more = {"conversation": f"{number:016x}", "sender": f"sender{number}@harbour.test", **more}
    return received(message_id=f"{number}@harbour.test", in_reply_to=answered, **more)


async def three(office: Office) -> None:
    await office.take_in(letter(1), letter(2), letter(3))


async def statuses(office: Office) -> list[str]:
    return [ticket["status"] for ticket in await office.tickets()]


async def test_what_is_merged_is_closed_and_its_target_shows_its_mails(office: Office) -> None:
    """T33: with where they come from, and as new; both point to each other."""
    await three(office)
    await office.step(asked.ActivityMarkInformation, SECOND, new=False)
    answer = await office.step(asked.TicketMergeInto, FIRST, into=SECOND)
    assert (answer["reference"], answer["status"]) == (FIRST, "closed")
    assert [(other["reference"], other["status"]) for other in answer["others"]] == [(SECOND, "to_do")]
    source, target, _ = await office.tickets()
    assert (source["resolution"]["method"], source["merged_into"]) == ("merged", target["id"])
    assert target["new_information"]
    kinds = [kind for kind, rule in await office.rules(SECOND) if rule == "T34"]
    # The letter, and the acknowledgement.
    assert kinds == ["took_over", "mail_continued", "mail_continued", "information_marked"]
    told = await office.said("activity.activities.v1", "ticket.mail_continued")
    assert {(event["reference"], event["from_reference"]) for event in told} == {(SECOND, FIRST)}
    (merged,) = await office.said("activity.activities.v1", "ticket.merged")
    (took,) = await office.said("activity.activities.v1", "ticket.took_over")
    assert (merged["into"]["reference"], took["source"]["reference"]) == (SECOND, FIRST)


async def test_others_are_merged_into_this_one(office: Office) -> None:
    """T34: it stays as it is."""
    await three(office)
    await office.step(asked.TicketWait, THIRD, days=3)
    due = (await office.ticket(THIRD))["wait_until"]
    answer = await office.step(asked.ActivityMerge, THIRD, sources=(FIRST, SECOND))
    assert (answer["reference"], answer["status"]) == (THIRD, "wait")
    assert [other["reference"] for other in answer["others"]] == [FIRST, SECOND]
    assert await statuses(office) == ["closed", "closed", "wait"]
    third = await office.ticket(THIRD)
    assert third["wait_until"] == due
    stands = await office.pool.fetchval(
        "SELECT count(*) FROM activity_mails WHERE activity = $1", third["id"]
    )
    assert stands == 6


async def test_mail_follows_a_chain_of_merges(office: Office) -> None:
    """IN-9: to the last target, whichever of them it names; and further when that is closed (IN-14)."""
    await three(office)
    await office.step(asked.TicketMergeInto, FIRST, into=SECOND)
    await office.step(asked.TicketMergeInto, SECOND, into=THIRD)
    await office.take_in(letter(4, answers=1), letter(5, answers=2), letter(6, answers=3))
    assert len(await office.mails(THIRD)) == 4
    assert [len(await office.mails(each)) for each in (FIRST, SECOND)] == [1, 1]
    assert len(await office.tickets()) == 3
    await office.step(asked.TicketResolve, THIRD, method="rejected_as_spam")
    await office.take_in(letter(7, answers=1))
    assert await statuses(office) == ["closed", "closed", "closed", "to_do"]
    links = await office.pool.fetch("SELECT activity, linked FROM links WHERE reason = 'closed_match'")
    ids = [ticket["id"] for ticket in await office.tickets()]
    assert {tuple(row) for row in links} == {(ids[3], ids[2]), (ids[2], ids[3])}


@pytest.mark.parametrize(
    ("sources", "code"),
    [
        ((FIRST, "100009-T"), "not_found"),
        ((FIRST, THIRD), "no_merge_target"),
        ((FIRST, SECOND), "not_allowed"),
    ],
)
async def test_several_are_merged_together_or_not_at_all(
    office: Office, sources: tuple[str, ...], code: str
) -> None:
    """T34, AMB-48: one that is unknown, the target itself, or resolved."""
    await three(office)
    await office.step(asked.TicketResolve, SECOND, method="rejected")
    before = await office.tickets()
    refusal = await office.step(asked.ActivityMerge, THIRD, sources=sources)
    assert (refusal["type"], refusal["code"]) == ("request.refused", code)
    assert await office.tickets() == before


@pytest.mark.parametrize("state", ["resolved", "closed", "draft", "split"])
async def test_only_what_runs_is_merged_with(office: Office, state: str) -> None:
    """AMB-48, ST-12."""
    await three(office)
    if state == "resolved":
        await office.step(asked.TicketResolve, SECOND, method="rejected")
    elif state == "closed":
        await office.step(asked.TicketResolve, SECOND, method="rejected_as_spam")
    elif state == "split":
        parts = tuple(SplitPart(title=each, description="x", category="Other") for each in "ab")
        await office.step(asked.TicketSplit, SECOND, parts=parts)
    second = SECOND
    if state == "draft":
        opened = await office.ask(asked.ActivityOpen(actor=user("amelie"), process="request", title="x"))
        second = opened["reference"]
    before = await office.tickets()
    into = await office.step(asked.TicketMergeInto, FIRST, into=second)
    assert (into["code"], into["missing"]) == ("no_merge_target", ["running_ticket"])
    source = await office.step(asked.TicketMergeInto, second, into=FIRST)
    assert source["code"] == ("closed" if state == "closed" else "not_allowed")
    assert await office.tickets() == before


async def test_a_merged_part_counts_as_done(office: Office) -> None:
    """T28, AMB-16: and its mail goes to what it was merged into (IN-8, IN-9)."""
    await three(office)
    parts = tuple(SplitPart(title=each, description="x", category="Other") for each in "ab")
    await office.step(asked.TicketSplit, FIRST, parts=parts)
    await office.step(asked.TicketMergeInto, "100004-T", into=THIRD)
    await office.take_in(letter(4, answers=1))
    assert [len(await office.mails(f"10000{each}-T")) for each in range(1, 6)] == [2, 1, 2, 0, 1]
    await office.step(asked.TicketMergeInto, "100005-T", into="100003-T")
    assert (await office.ticket(FIRST))["status"] == "closed"


async def test_the_links_of_what_is_merged_are_its_targets(office: Office) -> None:
    """LK-6."""
    await office.take_in(letter(1))
    await office.step(asked.TicketResolve, FIRST, method="rejected_as_spam")
    await office.take_in(letter(2, answers=1), letter(3))
    await office.step(asked.TicketMergeInto, SECOND, into=THIRD)
    first, _, third = await office.tickets()
    links = await office.pool.fetch("SELECT activity, linked FROM links")
    assert {(third["id"], first["id"]), (first["id"], third["id"])} <= {tuple(row) for row in links}


async def test_nobody_merges_what_is_not_his(office: Office) -> None:
    """Design §7: every Ticket that a request names is asked about."""
    await office.take_in(letter(1), letter(2, to=["billing@acme.test"]))
    refusal = await office.step(asked.TicketMergeInto, FIRST, by="bruno", into=SECOND)
    assert (refusal["code"], refusal["missing"]) == ("forbidden", ["process:invoice"])


async def test_merges_in_opposite_directions_end_in_one(office: Office) -> None:
    """Design §3: two workers take the same locks in the same order; who comes second finds it closed."""
    for pair in range(8):
        one, other = letter(2 * pair + 1), letter(2 * pair + 2)
        await office.take_in(one, other)
    references = [f"{100001 + number}-T" for number in range(16)]

    def merge(source: str, target: str) -> Any:
        return office.ask(asked.TicketMergeInto(actor=user("amelie"), reference=source, into=target))

    pairs = list(zip(references[::2], references[1::2], strict=True))
    answers = await asyncio.gather(*(merge(*way) for a, b in pairs for way in ((a, b), (b, a))))
    for one, other in zip(answers[::2], answers[1::2], strict=True):
        assert sorted(answer["type"] for answer in (one, other)) == ["request.accepted", "request.refused"]
    merged = {ticket["id"]: ticket["merged_into"] for ticket in await office.tickets()}
    assert sum(into is not None for into in merged.values()) == 8
    assert all(merged[into] is None for into in merged.values() if into)


async def test_a_ring_of_merges_leaves_no_cycle_and_one_family(office: Office) -> None:
    """AMB-48, design §3: by several workers at once, with mail between."""
    await office.take_in(*(letter(number) for number in range(1, 7)))
    references = [f"{100000 + number}-T" for number in range(1, 7)]

    async def merge(position: int) -> Any:
        request = asked.TicketMergeInto(
            actor=user("amelie"), reference=references[position], into=references[(position + 1) % 6]
        )
        return await office.ask(request)

    async def write(number: int) -> None:
        await office.take_in(letter(10 + number, answers=number))

    await asyncio.gather(*(merge(position) for position in range(6)), *(write(each) for each in range(1, 7)))
    tickets = {ticket["id"]: ticket for ticket in await office.tickets()}
    for ticket in tickets.values():
        seen = set()
        while ticket["merged_into"]:
            assert ticket["id"] not in seen
            seen.add(ticket["id"])
            ticket = tickets[ticket["merged_into"]]
        assert ticket["status"] != "closed"
    rows = await office.pool.fetch("SELECT id, coalesce(root, id) AS root FROM families")
    roots = {row["id"]: row["root"] for row in rows}
    for ticket in tickets.values():
        if ticket["merged_into"]:
            assert roots[ticket["family"]] == roots[tickets[ticket["merged_into"]]["family"]]
    # Every mail stands where it was answered to, or where that was merged into; none opened a Ticket.
    assert len(tickets) == 6


async def test_one_batch_splits_and_merges_what_it_opens(office: Office) -> None:
    """Design §3: what is not in the tables yet is known all the same."""
    parts = tuple(SplitPart(title=each, description="x", category="Other") for each in "ab")
    on: dict[str, Any] = {"actor": user("amelie")}
    await office.take_in(
        letter(1),
        incoming(asked.TicketSplit(reference=FIRST, parts=parts, **on), "split"),
        incoming(asked.TicketMergeInto(reference=SECOND, into=THIRD, **on), "merge"),
        letter(2, answers=1),
        incoming(asked.TicketResolve(reference=THIRD, method="rejected_as_spam", **on), "close"),
    )
    assert await statuses(office) == ["closed", "closed", "closed"]
    assert len(await office.mails(THIRD)) == 1

"""A database that was put back is caught up: what was said and read since leads to the same tables."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from deploy.local.endpoints import Endpoints
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import SplitPart
from shared.contracts.activity_requests_contacts import ContactEdit, ContactErase
from shared.recovery import RecoveryRefused
from shared.unit_of_work import Incoming
from tests.support.happenings import NotifyTells
from tests.support.lives import OFFICE
from tests.support.office import BILLING, HELP, NOON, addressed, incoming, received, user
from tests.support.second_life import Diary, another_office, catch_up, tables

A, B, C, D, E, F = (f"{100000 + number}-T" for number in range(1, 7))
PARTS = tuple(
    SplitPart(title=f"Part {each}", description=f"About {each}.", category="Other") for each in "ab"
)
# What no topic has (docs/decisions/0011): how a request was told from another, and what was doubted.
UNSAID = ("answered_requests.digest", "mails.doubts")


@pytest.fixture
async def lost(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    """The office whose database will be lost."""
    async with another_office(stack, database_template) as office:
        yield office


@pytest.fixture
async def restored(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    """The office that goes on from a backup."""
    async with another_office(stack, database_template) as office:
        yield office


def letter(number: int, answers: int | None = None, **more: Any) -> Incoming[Any]:
    answered = f"{answers}@harbour.test" if answers else None
    more = {"conversation": f"{number:016x}", "sender": f"sender{number}@harbour.test", **more}
    return received(message_id=f"{number}@harbour.test", in_reply_to=answered, **more)


def step(kind: type[asked.Request], reference: str, **fields: Any) -> Incoming[Any]:
    """A request over Kafka; its id says what it is."""
    request = kind(actor=user("amelie"), reference=reference, **fields)
    return incoming(request, f"{kind.__name__}/{request.model_dump_json()}", at=NOON)


def opened_from(source: str, *copies: str) -> Incoming[Any]:
    request = asked.ActivityOpen(
        actor=user("amelie"), process="request", title="From it", linked_to=source, copies=copies
    )
    return incoming(request, f"from {source}", at=NOON)


async def same(lost: Diary, restored: Diary) -> None:
    expected, found = await tables(lost, *UNSAID), await tables(restored, *UNSAID)
    for table, rows in expected.items():
        assert found[table] == rows, table


async def caught_up(lost: Diary, restored: Diary, *life: Incoming[Any], apart: bool = True) -> list[str]:
    """All of `life` happened since the backup: record by record, or at once. Then its database is lost."""
    for records in [[each] for each in life] if apart else [life]:
        await lost.advance(seconds=1)
        await lost.take_in(*records)
    told = await catch_up(restored, await lost.published(), lost.read)
    await same(lost, restored)
    return [each for each in told if each.startswith("lost")]


@pytest.mark.parametrize("apart", [True, False])
async def test_mails_that_others_took_over_are_there_too(lost: Diary, restored: Diary, apart: bool) -> None:
    """LK-1, LK-5, SH-1, IN-14, T27, T33: also those that went out, and however early the receiver began."""
    assert not await caught_up(
        lost,
        restored,
        letter(1),
        letter(2),
        letter(3),
        step(asked.ActivityReply, B, text="Which one?"),
        step(asked.ActivityLink, A, with_references=[B]),
        letter(4, answers=2),
        # A began before all that it gets now; and what it is given it hands on.
        step(asked.ActivityShareMail, B, mail=str(letter(4).message.mail), with_references=[A]),
        opened_from(B, "communications", "links"),
        step(asked.TicketMergeInto, B, into=A),
        step(asked.TicketSplit, A, parts=PARTS),
        step(asked.TicketMergeInto, E, into=C),
        step(asked.TicketResolve, F, method="rejected_as_spam"),
        letter(5, answers=3),
        step(asked.TicketResolve, C, method="rejected_as_spam"),
        letter(6, answers=3),
        apart=apart,
    )


async def test_parts_of_a_split_have_what_its_request_wrote(lost: Diary, restored: Diary) -> None:
    """T27: title and description; over HTTP nobody has them, and that is said."""
    assert not await caught_up(lost, restored, letter(1), step(asked.TicketSplit, A, parts=PARTS))
    assert [each["title"] for each in await restored.tickets()][1:] == ["Part a", "Part b"]


async def test_what_was_written_over_http_is_lost_and_counted(lost: Diary, restored: Diary) -> None:
    """docs/guarantees.md."""
    await lost.take_in(letter(1))
    await lost.step(asked.TicketSplit, A, parts=PARTS)
    told = await catch_up(restored, await lost.published(), lost.read)
    assert "lost are 2 titles, descriptions and notes, whose texts no topic has" in told
    await same_but_texts(lost, restored)


async def same_but_texts(lost: Diary, restored: Diary) -> None:
    unsaid = (*UNSAID, "activities.title", "activities.description")
    assert await tables(lost, *unsaid) == await tables(restored, *unsaid)


async def test_a_mail_that_is_told_again_for_a_ticket_of_its_own_has_no_other_effect(
    lost: Diary, restored: Diary
) -> None:
    """CE-3, IN-7: what it is addressed to then says nothing of which addresses have had theirs."""
    wrong = letter(2, answers=1)
    asked_for = step(asked.ActivityNewFromMail, A, mail=wrong.message.mail)
    assert not await caught_up(lost, restored, letter(1), wrong, asked_for)
    (request,) = await lost.said("ingest.requests.v1", "mail.reinject")
    again = {"reinjected_for": UUID(request["activity"]), "targets": (addressed(BILLING),)}
    await lost.take_in(incoming(wrong.message.model_copy(update=again), "again", source="tests/ingest"))
    await restored.forget()
    await catch_up(restored, await lost.published(), lost.read)
    await same(lost, restored)
    assert len(await restored.tickets()) == 2


async def test_a_mail_that_found_its_place_late_has_found_it(lost: Diary, restored: Diary) -> None:
    """IN-7, UH-1: it was set aside at first, and routed when it was told again."""
    mail = letter(1, targets=[addressed(HELP, routed=False)])
    routed = letter(1).message
    again = incoming(routed, "again", source="tests/ingest")
    assert not await caught_up(lost, restored, mail, again)
    assert len(await restored.tickets()) == 1
    await restored.take_in(incoming(routed, "once more", source="tests/ingest"))
    assert len(await restored.tickets()) == 1


async def test_who_was_erased_stands_as_before(lost: Diary, restored: Diary) -> None:
    """CT-21: also who asked for it and why, and what became of mail to them that went out later."""
    for office in (lost, restored):
        await office.configure(OFFICE, version=2)
    await lost.take_in(letter(1))
    (contact,) = await lost.pool.fetch("SELECT * FROM contacts")
    renamed = ContactEdit(actor=user("lea"), contact=contact["id"], last_name="Quay")
    erased = ContactErase(actor=user("lea"), contact=contact["id"], reason="objected", open_tickets=True)
    (late,) = await NotifyTells(number=1, which=0, kind="failed").records(lost)
    assert not await caught_up(lost, restored, incoming(renamed, "rename"), incoming(erased, "erase"), late)
    (gone,) = await restored.pool.fetch("SELECT * FROM contacts")
    assert (gone["erased_by"], gone["erased_because"], gone["version"]) == ("lea", "objected", 3)


async def test_what_was_written_after_somebody_was_erased_stays(lost: Diary, restored: Diary) -> None:
    """CT-21: their Ticket goes on, with a title and a note of its own, and is closed only then."""
    for office in (lost, restored):
        await office.configure(OFFICE, version=2)
    await lost.take_in(letter(1))
    (contact,) = await lost.pool.fetch("SELECT * FROM contacts")
    erased = ContactErase(actor=user("lea"), contact=contact["id"], reason="asked_for", open_tickets=True)
    assert not await caught_up(
        lost,
        restored,
        step(asked.ActivityNote, A, text="Before"),
        incoming(erased, "erase"),
        step(asked.ActivityEdit, A, title="The printer", description="It burns."),
        step(asked.ActivityNote, A, text="After"),
        step(asked.TicketResolve, A, method="rejected_as_spam"),
    )
    (ticket,) = await restored.tickets()
    assert (ticket["status"], ticket["title"], ticket["description"]) == (
        "closed",
        "The printer",
        "It burns.",
    )
    assert [each["text"] for each in await restored.pool.fetch("SELECT text FROM notes")] == ["After"]


# Half of it


async def lived(lost: Diary, *life: Incoming[Any]) -> int:
    """All of `life`, record by record; how many records were said before the last of them."""
    for record in life[:-1]:
        await lost.take_in(record)
    before = len(await lost.published())
    await lost.take_in(life[-1])
    return before


async def ends(restored: Diary) -> list[tuple[str, str, str | None, int]]:
    """Of each Ticket the reference, status, resolution method, and how many mails stand on it."""
    return [
        (
            each["reference"],
            each["status"],
            each["resolution"] and each["resolution"]["method"],
            await restored.pool.fetchval(
                "SELECT count(*) FROM activity_mails JOIN mails ON mails.id = mail "
                "WHERE activity = $1 AND purpose IS DISTINCT FROM 'split'",
                each["id"],
            ),
        )
        for each in await restored.tickets()
    ]


@pytest.mark.parametrize(
    "last",
    [
        step(asked.TicketMergeInto, A, into=B),
        step(asked.ActivityMerge, B, sources=(A, C)),
        step(asked.TicketSplit, A, parts=PARTS),
    ],
    ids=lambda record: record.message.type,
)
async def test_what_was_said_by_half_is_said_to_its_end(
    lost: Diary, restored: Diary, last: Incoming[Any]
) -> None:
    """T27, T33, T34: wherever the relay died, as long as anything was said; and whoever asked is answered."""
    before = await lived(lost, letter(1), letter(2), letter(3), last)
    said, whole = await lost.published(), await ends(lost)
    begins = {"ticket.merged", "ticket.status_changed"}
    for end in range(before + 1, len(said) + 1):
        told = {each.message.type for each in said[before:end] if each.message}
        if not told & begins:
            continue  # nobody has heard of it, and it can be asked for again
        await restored.forget()
        await catch_up(restored, said[:end], lost.read)
        assert await ends(restored) == whole, end
        answers = await restored.pool.fetch("SELECT answer FROM answered_requests")
        assert [each["answer"]["type"] for each in answers] == ["request.accepted"]


async def test_a_merge_into_what_nobody_has_heard_of_is_refused(lost: Diary, restored: Diary) -> None:
    """A topic that lacks events is no ground to stand on."""
    await lived(lost, letter(1), letter(2), step(asked.TicketMergeInto, A, into=B))
    said = [each for each in await lost.published() if getattr(each.message, "reference", A) != B]
    with pytest.raises(RecoveryRefused, match="into 100002-T, of which there is no event"):
        await catch_up(restored, said, lost.read)

"""How batches are cut must not change the result (design §3)."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import Person, SplitPart
from shared.contracts.ingest_mails import PlusReference
from shared.unit_of_work import Incoming
from tests.support.databases import Database, empty
from tests.support.office import BILLING, HELP, NOON, Office, addressed, incoming, received, user

NUMBERS = st.integers(1, 4)
ROUTED = st.sampled_from((True, True, True, False))
KIN = st.integers(100001, 100006).map(lambda number: f"{number}-T")
REFERENCES = st.integers(100001, 100003).map(lambda number: f"{number}-T")
USERS = st.sampled_from(("amelie", "bruno"))


@st.composite
def mails(draw: st.DrawFn) -> Incoming[Any]:
    """Roots, answers, copies for another mailbox, guesses at references; few ids, so that they meet."""
    number = draw(NUMBERS)
    to = draw(st.sampled_from(((HELP,), (BILLING,), (HELP, BILLING))))
    answered = draw(NUMBERS.filter(lambda other: other < number) if number > 1 else st.none())
    reference = draw(st.none() | REFERENCES)
    plus = []
    if reference:
        address = f"help+{reference.lower()}@acme.test"
        plus = [
            PlusReference(address=address, mailbox="help", reference=reference, signed=draw(st.booleans()))
        ]
    mail = received(
        message_id=f"{number}@harbour.test",
        to=[HELP, BILLING],
        targets=[addressed(each, routed=draw(ROUTED)) for each in to],
        sender=f"sender{number % 3}@harbour.test",
        in_reply_to=f"{answered}@harbour.test" if answered else None,
        plus=plus,
        conversation=f"{number:016x}",
        at=NOON + timedelta(seconds=number),
    )
    # Copies may differ in what matching is told of them; each is a record of its own.
    return incoming(mail.message, hashlib.sha256(mail.message.model_dump_json().encode()).hexdigest())


@st.composite
def requests(draw: st.DrawFn) -> Incoming[Any]:
    """Steps on Tickets that are there, closed, or not there yet; some are repeats."""
    person = Person(address=f"sender{draw(NUMBERS)}@harbour.test", name="Some Body")
    actor = {"actor": user(draw(USERS))}
    on = {**actor, "reference": draw(REFERENCES)}
    request = draw(
        st.sampled_from(
            (
                asked.ActivityOpen(process="request", title="By hand", primary_contact=person, **actor),
                asked.ActivityPickUp(**on),
                asked.TicketWait(days=2, **on),
                asked.ActivityEdit(primary_contact=person, **on),
                asked.ActivityReply(text="Hello", **on),
                asked.ActivityNote(text="Hm", **on),
                asked.TicketResolve(method=asked.ResolutionMethod.REJECTED, **on),
                asked.TicketResolve(method=asked.ResolutionMethod.REJECTED_AS_SPAM, **on),
            )
        )
    )
    return incoming(request, f"request-{draw(st.integers(1, 40))}")


@st.composite
def ties(draw: st.DrawFn) -> Incoming[Any]:
    """Splits, merges and links of Tickets, also of those that one of them just opened or closed."""
    on: dict[str, Any] = {"actor": user("amelie"), "reference": draw(KIN)}
    others = tuple(draw(st.lists(KIN, min_size=1, max_size=2)))
    copies = tuple(draw(st.sets(st.sampled_from(("links", "communications")))))
    parts = tuple(SplitPart(title=each, description="x", category="Other") for each in "ab")
    request = draw(
        st.sampled_from(
            (
                asked.TicketSplit(parts=parts, **on),
                asked.TicketMergeInto(into=others[0], **on),
                asked.ActivityMerge(sources=others, **on),
                asked.ActivityLink(with_references=others, **on),
                asked.ActivityLink(with_references=others, **on),
                asked.ActivityUnlink(with_references=others, **on),
                asked.TicketResolve(method=asked.ResolutionMethod.REJECTED_AS_SPAM, **on),
                asked.ActivityOpen(
                    actor=user("amelie"),
                    process="request",
                    title="From it",
                    linked_to=others[0],
                    copies=sorted(copies),
                ),
            )
        )
    )
    return incoming(request, f"tie-{draw(st.integers(1, 400))}")


@st.composite
def families(draw: st.DrawFn) -> list[Incoming[Any]]:
    """A few Tickets, what ties them to each other, and mail meanwhile."""
    records = [letter(number, number, None) for number in range(1, 4)]
    for number in range(4, draw(st.integers(6, 12))):
        records.append(
            letter(number, draw(NUMBERS), draw(st.integers(1, number - 1)))
            if draw(st.integers(0, 3)) == 0
            else draw(ties())
        )
    return records


@st.composite
def ended_threads(draw: st.DrawFn) -> list[Incoming[Any]]:
    """Tickets that are closed again and again while their customers, and others, go on writing (IN-14)."""
    records = [letter(1, draw(NUMBERS), None)]
    for number in range(2, draw(st.integers(4, 8))):
        if draw(st.booleans()):
            request = asked.TicketResolve(
                actor=user("amelie"),
                reference=draw(REFERENCES),
                method=asked.ResolutionMethod.REJECTED_AS_SPAM,
            )
            records.append(incoming(request, f"close-{number}"))
        records.append(letter(number, draw(NUMBERS), draw(st.integers(1, number - 1))))
    return records


def letter(number: int, sender: int, answered: int | None) -> Incoming[Any]:
    """A mail to one mailbox, with a colleague in Cc; an answer to an earlier one."""
    return received(
        message_id=f"{number}@harbour.test",
        cc=[f"colleague{sender}@harbour.test"],
        sender=f"sender{sender}@harbour.test",
        in_reply_to=f"{answered}@harbour.test" if answered else None,
        conversation=f"{number:016x}",
        at=NOON + timedelta(seconds=number),
    )


RECORDS = st.lists(mails() | mails() | requests(), min_size=4, max_size=16)
CUTS = st.lists(st.integers(1, 5), min_size=1, max_size=14)


HOWEVER = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@HOWEVER
@given(records=RECORDS, sizes=CUTS)
async def test_however_batches_are_cut_the_result_is_the_same(
    office: Office, database: Database, records: list[Incoming[Any]], sizes: list[int]
) -> None:
    await same_result(office, database, records, sizes)


@HOWEVER
@given(records=ended_threads(), sizes=CUTS)
async def test_however_batches_are_cut_a_thread_goes_on_alike(
    office: Office, database: Database, records: list[Incoming[Any]], sizes: list[int]
) -> None:
    """IN-14: also where a Ticket is closed and continued within one batch."""
    await same_result(office, database, records, sizes)


@HOWEVER
@given(records=families(), sizes=CUTS)
async def test_however_batches_are_cut_families_are_the_same(
    office: Office, database: Database, records: list[Incoming[Any]], sizes: list[int]
) -> None:
    """LK-4, T27, T33: also where one that is closed was linked within the same batch."""
    await same_result(office, database, records, sizes)


async def same_result(
    office: Office, database: Database, records: list[Incoming[Any]], sizes: list[int]
) -> None:
    administrator = await asyncpg.connect(database.dsn)
    try:
        whole = await result(office, administrator, [records])
        assert await result(office, administrator, [[record] for record in records]) == whole
        assert await result(office, administrator, list(cut(records, sizes))) == whole
    finally:
        await administrator.close()


def cut(records: Sequence[Incoming[Any]], sizes: Sequence[int]) -> Iterator[Sequence[Incoming[Any]]]:
    begin = 0
    for size in (*sizes, len(records)):
        if begin < len(records):
            yield records[begin : begin + size]
        begin += size


KEPT = "organisation_sections", "organisation_applied", "offsets", "schema_migrations"


async def result(
    office: Office, administrator: Any, batches: Sequence[Sequence[Incoming[Any]]]
) -> dict[str, list[str]]:
    """Every table after these batches, from nothing; the outbox in its order."""
    rows = await office.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'activity' AND tablename <> ALL ($1::text[])",
        list(KEPT),
    )
    tables = sorted(row["tablename"] for row in rows)
    # The service itself may not touch its history: the superuser empties it.
    await empty(administrator, [f"activity.{table}" for table in tables])
    for batch in batches:
        await office.take_in(*batch)
    found = {
        table: [
            row["row"]
            for row in await office.pool.fetch(f"SELECT {table}::text AS row FROM {table} ORDER BY 1")
        ]
        for table in tables
        if table != "outbox"
    }
    outbox = await office.pool.fetch("SELECT topic, key, value, headers FROM outbox ORDER BY id")
    found["outbox"] = [str(dict(row)) for row in outbox]
    return found


async def test_a_link_with_a_closed_ticket_is_known_within_its_batch(
    office: Office, database: Database
) -> None:
    """LK-4, LK-6, design §3: who is opened from the closed one is linked with what that is linked with."""
    on: dict[str, Any] = {"actor": user("amelie")}
    spam = asked.ResolutionMethod.REJECTED_AS_SPAM
    records = [
        letter(1, 1, None),
        letter(2, 2, None),
        incoming(asked.TicketResolve(reference="100001-T", method=spam, **on), "close"),
        incoming(asked.ActivityLink(reference="100002-T", with_references=("100001-T",), **on), "link"),
        incoming(
            asked.ActivityOpen(
                process="request", title="From it", linked_to="100001-T", copies=("links",), **on
            ),
            "open",
        ),
    ]
    await same_result(office, database, records, [3, 2])
    third = await office.ticket("100003-T")
    links = await office.pool.fetch("SELECT linked FROM links WHERE activity = $1", third["id"])
    assert len(links) == 2

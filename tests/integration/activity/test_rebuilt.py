"""All Tickets are rebuilt from what was said of them, and are what the tables hold (section 4, design §4).

`activity.activities.v1` alone says what became of every Ticket; texts, people and mails come from the topics
that have them. Whatever happened, in whatever order and batches.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.endpoints import Endpoints
from services.activity import announce
from shared.contracts import activity_requests as asked
from shared.contracts.activity_activities import ActivityRecord
from shared.contracts.activity_requests import Person, SplitPart
from shared.contracts.ingest_mails import MailNotReinjected, MailReceived
from shared.unit_of_work import Incoming
from tests.support.office import HELP, NOON, addressed, incoming, received, user
from tests.support.second_life import Diary, another_office, catch_up, tables

# What no topic has (docs/decisions/0011): how requests were told apart, what was doubted of mails.
UNSAID = ("answered_requests.digest", "mails.doubts")
SAID_OF_EVERY_EVENT = ("reference", "type", "version", "at", "actor", "rule")
LETTERS = st.integers(1, 6)
TICKETS = st.integers(100001, 100007).map(lambda number: f"{number}-T")
PARTS = tuple(SplitPart(title=each, description=f"About {each}", category="Other") for each in "ab")


@pytest.fixture
async def lived(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    async with another_office(stack, database_template) as office:
        yield office


@pytest.fixture
async def rebuilt(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    async with another_office(stack, database_template) as office:
        yield office


def letter(number: int, answers: int | None, **more: Any) -> Incoming[Any]:
    return received(
        message_id=f"{number}@harbour.test",
        in_reply_to=f"{answers}@harbour.test" if answers else None,
        sender=f"sender{number % 3}@harbour.test",
        conversation=f"{number:016x}",
        at=NOON + timedelta(seconds=number),
        **more,
    )


def request(kind: type[asked.Request], number: int, **fields: Any) -> Incoming[Any]:
    return incoming(kind(actor=user("amelie"), **fields), f"request-{number}", at=NOON)


def sent_away(mail: MailReceived, activity: UUID) -> Incoming[Any]:
    """ingest tells of a mail again, for a Ticket of its own."""
    again = mail.model_copy(update={"reinjected_for": activity})
    return incoming(again, f"again/{mail.mail}/{activity}", source="tests/ingest", at=NOON)


@st.composite
def lives(draw: st.DrawFn) -> list[Incoming[Any]]:
    """Mails, requests of every kind that ties or changes Tickets, and departures with what came of them."""
    life = [letter(number, None) for number in (1, 2)]
    for number in range(3, draw(st.integers(8, 18))):
        on: dict[str, Any] = {"number": number, "reference": draw(TICKETS)}
        other, mail = draw(TICKETS), letter(draw(LETTERS), None).message.mail
        person = Person(address=f"sender{draw(LETTERS)}@harbour.test", name="Some Body")
        first = draw(st.integers(1, 2))
        away = announce.effect_id(letter(first, None).envelope, f"activity/{HELP}")
        life.append(
            draw(
                st.sampled_from(
                    (
                        letter(number, draw(st.none() | st.integers(1, number - 1))),
                        letter(number, draw(st.integers(1, number - 1))),
                        letter(number, None, targets=[addressed("billing@acme.test")]),
                        request(asked.TicketSplit, parts=PARTS, **on),
                        request(asked.TicketMergeInto, into=other, **on),
                        request(asked.TicketMerge, sources=(other,), **on),
                        request(asked.TicketLink, with_references=(other,), **on),
                        request(asked.TicketUnlink, with_references=(other,), **on),
                        request(asked.TicketShareMail, mail=mail, with_references=(other,), **on),
                        request(asked.TicketNewFromMail, mail=mail, **on),
                        request(asked.TicketNewFromMail, mail=mail, **on | {"reference": f"10000{first}-T"}),
                        sent_away(letter(draw(LETTERS), None).message, away),
                        request(asked.TicketEdit, title="Other", cc=(person,), **on),
                        request(asked.TicketPickUp, **on),
                        request(asked.TicketWait, days=2, **on),
                        request(asked.TicketReply, text="Hello", **on),
                        request(asked.TicketNote, text="Hm", **on),
                        request(asked.TicketSetDueDate, due=NOON + timedelta(days=draw(LETTERS)), **on),
                        request(asked.TicketFeedback, rating=4, comment="Fine", **on),
                        request(asked.TicketKeepWithMe, keep=True, **on),
                        request(asked.TicketResolve, method="rejected", **on),
                        request(asked.TicketResolve, method="rejected_as_spam", **on),
                        incoming(
                            MailNotReinjected(why="no_route", mail=mail, activity=away),
                            f"no-{number}",
                            source="tests/ingest",
                        ),
                    )
                )
            )
        )
    return life


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(life=lives(), at_once=st.booleans())
async def test_what_was_said_is_enough_to_rebuild_every_ticket(
    lived: Diary, rebuilt: Diary, life: list[Incoming[Any]], at_once: bool
) -> None:
    """LK-1, LK-4, SH-1, CE-7, T27, T33, SL-1, ST-20, FB-2: the tables agree, and events say what is asked."""
    for office in (lived, rebuilt):
        await office.forget()
        office.clock.set(NOON)
        office.read.clear()
    for records in [life] if at_once else [[each] for each in life]:
        await lived.advance(minutes=1)
        await lived.take_in(*records)
    said = await lived.published()
    await catch_up(rebuilt, said, lived.read)
    expected, found = await tables(lived, *UNSAID), await tables(rebuilt, *UNSAID)
    for table, rows in expected.items():
        assert found[table] == rows, table
    for each in said:
        if isinstance(each.message, ActivityRecord):
            assert all(getattr(each.message, name) is not None for name in SAID_OF_EVERY_EVENT)
    # And so does whatever follows: nothing is left to say.
    assert await rebuilt.pool.fetchval("SELECT count(*) FROM outbox") == 0

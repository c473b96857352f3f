"""What is no event that we know: requests that nobody understands, in either mode (design §4)."""

import pytest

from shared.contracts import dead_letters
from shared.contracts.envelope import Envelope
from shared.decoding import Unknown, Unreadable
from shared.postgres import Pool
from shared.unit_of_work import Outgoing
from tests.support.frame import PLACES, consuming, dead, next_offset, notes, waiting
from tests.support.notes import (
    ASKED_NOTES,
    ECHOES,
    NoteEchoed,
    Raw,
    Scribe,
    envelope,
    made,
)

pytestmark = pytest.mark.usefixtures("registered")


async def test_a_request_topic_works_a_repeat_again(pool: Pool) -> None:
    """Its handler finds the stored answer by the request's id (design §2)."""
    consumption = await consuming(pool, Scribe(), inbox=False)
    await consumption.process([made(0, "a", id_="1"), made(1, "a", id_="1")])
    assert await notes(pool) == ["a", "a"]


async def test_an_event_of_an_unknown_type_is_passed_over(pool: Pool) -> None:
    """An old version reads beside a new producer (design §3)."""
    consumption = await consuming(pool, Scribe())
    await consumption.process([made(0, "a", type_="note.invented"), made(1, "b")])
    assert await notes(pool) == ["b"]
    assert await dead(pool) == []
    assert await next_offset(pool, PLACES[0]) == 2


async def test_a_request_that_is_not_understood_is_refused(pool: Pool) -> None:
    def refuse(asked: Envelope, why: Unknown | Unreadable) -> Outgoing:
        return Outgoing(ECHOES, f"acme/{asked.id}", asked, NoteEchoed(text=why.detail))

    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES, inbox=False, refuse=refuse)
    wrong = Raw(1, b'{"text": 7}', tuple(envelope("wrong").to_headers()))
    await consumption.process([made(0, "a", type_="note.invented"), wrong, made(2, "b")])
    assert await waiting(pool) == [
        "b",
        "this version knows no 'note.invented'; it knows note.made, note.dropped",
        "text: Input should be a valid string",
    ]
    assert await dead(pool) == []


async def test_a_request_that_nobody_can_answer_is_refused_into_the_dead_letters(pool: Pool) -> None:
    """Not passed over like an event, although its topic has no answers (design §3)."""
    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES)
    unknown = made(0, "a", type_="note.invented")
    await consumption.process([unknown, made(1, "b")])
    assert await notes(pool) == ["b"]
    (letter,) = await dead(pool)
    assert letter["value"] == unknown.value
    assert letter["ce_type"] == b"note.invented"
    assert letter[dead_letters.EXCEPTION_MESSAGE] == (
        b"UnknownType: this version knows no 'note.invented'; it knows note.made, note.dropped"
    )


async def test_structured_mode_is_accepted_on_request_topics(pool: Pool) -> None:
    """CloudEvents 1.0.2, Kafka binding, structured content mode (design §4)."""
    body = (
        b'{"specversion":"1.0","id":"9","source":"them","type":"note.made","time":"2026-03-01T12:00:00Z",'
        b'"organisation":"acme","datacontenttype":"application/json","data":{"text":"structured"}}'
    )
    record = Raw(0, body, (("content-type", b"application/cloudevents+json; charset=UTF-8"),))

    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES)
    await consumption.process([record])
    assert await notes(pool) == ["structured"]


async def test_an_unknown_request_in_structured_mode_keeps_its_bytes(pool: Pool) -> None:
    body = (
        b'{"specversion":"1.0","id":"9","source":"them","type":"note.invented","time":"2026-03-01T12:00:00Z",'
        b'"organisation":"acme","data":{}}'
    )
    record = Raw(0, body, (("content-type", b"application/cloudevents+json"),))
    consumption = await consuming(pool, Scribe(), topic=ASKED_NOTES)
    await consumption.process([record])
    (letter,) = await dead(pool)
    assert letter["value"] == body
    assert b"note.invented" in letter[dead_letters.EXCEPTION_MESSAGE]


async def test_structured_mode_is_not_looked_for_among_events(pool: Pool) -> None:
    """Only our own services say what has happened, and they say it in binary mode (design §4)."""
    record = Raw(0, b"{}", (("content-type", b"application/cloudevents+json"),))
    consumption = await consuming(pool, Scribe())
    await consumption.process([record])
    (letter,) = await dead(pool)
    assert b"ce_specversion" in letter[dead_letters.EXCEPTION_MESSAGE]

"""Dead letters as they are read and shown, without servers."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from deploy.cli import app
from deploy.dead_letters.handling import Found
from deploy.dead_letters.letter import LetterName, NotALetter, Wanted, read
from deploy.dead_letters.showing import as_json, listed, payload, shown
from deploy.dead_letters.way_back import NoWayBack, way_back
from shared.contracts import dead_letters
from shared.decoding import STRUCTURED
from shared.offsets import Place
from shared.outbox import MAX_RECORD_BYTES, unpack_headers
from tests.support.dead_letters import HEADERS, died, stood
from tests.support.notes import Raw

THERE = frozenset({Place("ingest.mails.v1", 3), Place("activity.requests.v1", 3)})
ESCAPES = "\x1b\x07\x9b"

headers = st.lists(
    st.tuples(
        st.sampled_from([*vars(dead_letters).values(), "ce_type", "content-type", "x"]).filter(
            lambda name: isinstance(name, str)
        ),
        st.binary(max_size=20)
        | st.sampled_from([STRUCTURED.encode(), b"ingest.mails.v1", b"\x00\x00\x00\x03"]),
    ),
    max_size=12,
)


@given(headers=headers, value=st.none() | st.binary(max_size=80), key=st.none() | st.binary(max_size=20))
def test_whatever_stands_in_the_topic_can_be_shown_and_holds_nothing_that_moves_a_cursor(
    headers: list[tuple[str, bytes]], value: bytes | None, key: bytes | None
) -> None:
    letter = read(Raw(7, value, tuple(headers), key, "activity.dlq.v1"), "activity")
    console = Console(width=100, record=True, file=None, quiet=True, markup=False)
    for renderable in (listed([Found(letter, None)]), shown(Found(letter, None))):
        console.print(renderable)
        text = "".join(segment.text for segment in console.render(renderable))
        assert not set(text) & set(ESCAPES)
    assert json.loads(json.dumps(as_json(Found(letter, None), whole=True)))["letter"] == "activity/0/7"
    try:
        row = way_back(letter, "", THERE).row
    except NoWayBack:
        return
    assert (row.key, row.value) == (key, value)


def test_a_letter_says_what_it_was_where_it_stood_and_why_it_died() -> None:
    letter = read(died(stood(17)), "activity")
    assert letter.name == LetterName("activity", 0, 17)
    assert (letter.original, letter.original_offset) == (Place("ingest.mails.v1", 3), 17)
    assert (letter.consumer, letter.error_name) == ("activity.mails", "SendersFault")
    assert letter.message == "SendersFault: there is no such thing"
    assert (letter.type, letter.source, letter.id, letter.organisation) == (
        "mail.received",
        "/mailroom/ingest",
        "1",
        "acme",
    )
    assert tuple(letter.headers) == HEADERS


def test_a_record_in_structured_mode_says_so_in_its_value() -> None:
    event = {"type": "ticket.open", "organisation": "acme", "id": "5", "source": "/erp", "data": {}}
    record = stood(1, json.dumps(event).encode(), [("content-type", STRUCTURED.encode())])
    letter = read(died(record), "activity")
    assert (letter.type, letter.organisation, letter.id) == ("ticket.open", "acme", "5")


DIED = datetime.fromtimestamp(stood(1).timestamp / 1000, UTC)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(), True),
        (Wanted(type="mail.*"), True),
        (Wanted(type="ticket.*"), False),
        (Wanted(reason="SendersFault"), True),
        (Wanted(reason="shared.failure.*"), True),
        (Wanted(reason="no such thing"), True),
        (Wanted(reason="PoisonError"), False),
        (Wanted(organisation="acme", consumer="activity.mails"), True),
        (Wanted(organisation="acme", consumer="notify.*"), False),
        (Wanted(key="acme/9f3c*"), True),
        (Wanted(key="acme"), False),
        (Wanted(since=DIED, until=DIED + timedelta(seconds=1)), True),
        (Wanted(until=DIED), False),
        (Wanted(since=DIED + timedelta(seconds=1)), False),
    ],
)
def test_letters_are_chosen_by_what_they_say(wanted: Wanted, taken: bool) -> None:
    assert wanted.takes(read(died(stood(1)), "activity")) is taken


def test_a_record_goes_back_as_it_was_where_it_stood_through_its_topics_own_producer() -> None:
    """Its relay knows what it has said; requests of others go through the outbox of who reads them."""
    letter = read(died(stood(1)), "activity")
    way = way_back(letter, "", THERE)
    assert way.service == "ingest"
    assert (way.row.topic, way.row.partition, way.row.key) == ("ingest.mails.v1", 3, letter.key)
    assert tuple(unpack_headers(way.row.headers)) == HEADERS
    asked = read(died(stood(1, topic="activity.requests.v1"), "activity.requests"), "activity")
    assert way_back(asked, "", THERE).service == "activity"


def without(letter: Raw, *names: str) -> Raw:
    return replace(letter, headers=tuple(each for each in letter.headers if each[0] not in names))


def with_(letter: Raw, said: Mapping[str, bytes]) -> Raw:
    cut = without(letter, *said)
    return replace(cut, headers=(*cut.headers, *said.items()))


LETTER = died(stood(5))


@pytest.mark.parametrize(
    ("letter", "sentence"),
    [
        (without(LETTER, dead_letters.ORIGINAL_TOPIC), "it does not say in which topic"),
        (with_(LETTER, {dead_letters.ORIGINAL_PARTITION: b"3"}), "it does not say in which topic"),
        (with_(LETTER, {dead_letters.ORIGINAL_TOPIC: b"\xff"}), "is no topic of this Mailroom"),
        (died(stood(5, topic="activity.dlq.v1")), "is no topic of this Mailroom"),
        (died(stood(5, partition=99)), "has no partition 99 any more"),
        (died(stood(5, topic="notify.mails.v1")), "has no partition 3 any more"),
        (died(stood(5, topic="activity.organisation.v1"), "notify.organisation"), "apply a changed config"),
        (died(stood(5, b"", ())), "the record stands at offset 5 of ingest.mails.v1/3"),
        (died(stood(5, b"x" * (MAX_RECORD_BYTES + 1))), "bytes, more than"),
    ],
)
def test_what_cannot_be_put_back_says_why(letter: Raw, sentence: str) -> None:
    with pytest.raises(NoWayBack, match=sentence):
        way_back(read(letter, "activity"), "", THERE)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, "none (a tombstone)"),
        (b"", "empty"),
        (b'{"b":[1,"\xc3\xa9"]}', '{\n  "b": [\n    1,\n    "é"\n  ]\n}'),
        (b"plain \x1b[2J", "plain \\x1b[2J"),
        (b"[" * 100_000, "[" * 100_000),
        (b"\x00\xffA", "00000000  00 ff 41" + " " * 39 + "  ..A"),
    ],
)
def test_a_value_is_shown_as_far_as_people_can_read_it(value: bytes | None, seen: str) -> None:
    assert payload(value).splitlines() == seen.splitlines()


def test_a_large_binary_value_is_shown_in_part() -> None:
    assert payload(b"\xff" * 5000).splitlines()[-1] == "… and 904 more bytes"


@pytest.mark.parametrize("text", ["", "17", "activity/0", "activity/0/x", "bulk/0/1", "activity/0/1/2"])
def test_a_wrong_name_of_a_letter_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(NotALetter, match="such as activity/0/17"):
        LetterName.parse(text, ("activity", "ingest"))


SERVERS = ["--bootstrap", "localhost:1", "--dsn", "postgresql://a@localhost:1/b"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["replay", *SERVERS], "Say which"),
        (["discard", "--because", "no", *SERVERS], "Say which"),
        (["list", "--service", "bulk", *SERVERS], "There is no service 'bulk'"),
        (["show", "17", *SERVERS], "names no dead letter"),
        (["list", *SERVERS[:2]], "Give both --bootstrap and --dsn"),
        (["list", "--home", "/nowhere"], "Nothing is up in /nowhere"),
        (["list", *SERVERS], "Kafka does not answer at localhost:1"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, ["dlq", *arguments])
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1

"""IMAP's spelling (RFC 3501), on answers as servers write them."""

import itertools
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.imap_responses import Responses
from services.ingest.imap_text import FetchItem, fetch_item, folder_name, internal_date, quoted, uid_set

BODIES = st.lists(
    st.tuples(st.integers(1, 10_000), st.binary(max_size=60)), max_size=8, unique_by=lambda mail: mail[0]
)


def items(answer: bytes) -> list[FetchItem]:
    """What a server's bytes say of mails."""
    return [item for one in Responses().feed(answer) if (item := fetch_item(one)) is not None]


def test_a_literal_belongs_to_its_mail_wherever_the_uid_stands() -> None:
    answer = b"* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n* 2 FETCH (BODY[] {4}\r\ndefg UID 7)\r\n"
    assert [(item.uid, item.body) for item in items(answer)] == [(5, b"abc"), (7, b"defg")]


def test_parts_come_with_their_offset_with_and_without_a_space() -> None:
    """GreenMail leaves the space out."""
    answer = b"* 1 FETCH (UID 5 BODY[]<0>{3}\r\nabc)\r\n* 2 FETCH (UID 6 BODY[]<10> {1}\r\nx)\r\n"
    assert [(item.uid, item.body) for item in items(answer)] == [(5, b"abc"), (6, b"x")]


def test_small_bodies_come_quoted_and_missing_ones_as_nil() -> None:
    answer = b'* 1 FETCH (UID 5 BODY[] "UID 9 \\"(\\\\")\r\n* 2 FETCH (UID 6 BODY[] NIL)\r\n'
    assert [(item.uid, item.body) for item in items(answer)] == [(5, b'UID 9 "(\\'), (6, b"")]


def test_a_body_that_looks_like_an_answer_is_a_body() -> None:
    answer = b"* 1 FETCH (UID 5 BODY[] {24}\r\n\r\n* 2 FETCH (UID 6 BODY[)\r\n"
    assert [(item.uid, item.body) for item in items(answer)] == [(5, b"\r\n* 2 FETCH (UID 6 BODY[")]


def test_news_about_other_mails_is_passed_over() -> None:
    answer = b"* 3 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 5 RFC822.SIZE 12)\r\n* 4 EXPUNGE\r\n"
    assert [(item.uid, item.size) for item in items(answer)] == [(5, 12)]


def test_size_and_date_are_read() -> None:
    answer = b'* 1 FETCH (UID 5 RFC822.SIZE 120 INTERNALDATE "17-Jul-1996 02:44:25 -0700")\r\n'
    (item,) = items(answer)
    assert (item.size, item.arrived) == (120, datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC))


def test_a_day_of_one_digit_and_nonsense() -> None:
    assert internal_date(" 7-Jul-1996 02:44:25 +0000") == datetime(1996, 7, 7, 2, 44, 25, tzinfo=UTC)
    assert internal_date("7-jul-1996 02:44:25 +0000") == datetime(1996, 7, 7, 2, 44, 25, tzinfo=UTC)
    assert internal_date("yesterday") is None
    assert internal_date("31-Feb-1996 02:44:25 +0000") is None
    assert internal_date("17-Jux-1996 02:44:25 +0000") is None
    assert internal_date("01-Jan-0001 00:00:00 +1400") is None


def test_folder_names_are_spelled_as_the_server_does() -> None:
    """RFC 3501 5.1.3, and its own example."""
    assert folder_name("Mailroom/Done", ".") == "Mailroom.Done"
    assert folder_name("~peter/mail/台北/日本語", "/") == "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert folder_name("A & B", "/") == "A &- B"


def test_uids_are_written_with_ranges() -> None:
    assert uid_set([3, 1, 2, 7, 9, 10]) == "1:3,7,9:10"


@given(st.sets(st.integers(1, 300), min_size=1))
@settings(max_examples=50)
def test_a_uid_set_holds_exactly_its_uids(uids: set[int]) -> None:
    found: set[int] = set()
    for part in uid_set(uids).split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    assert found == uids


@given(st.text(alphabet=st.characters(exclude_characters="\r\n\0", codec="utf-8")))
@settings(max_examples=50)
def test_a_quoted_string_ends_where_it_should(text: str) -> None:
    spelled = quoted(text)
    inner = spelled[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    assert spelled[0] == spelled[-1] == '"'
    assert not inner.endswith("\\")


@given(BODIES, st.lists(st.integers(1, 40), min_size=1))
@settings(max_examples=100)
def test_any_bodies_come_back_as_they_were_however_the_bytes_are_cut(
    mails: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    sent = b"".join(
        b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (number, uid, len(body), body)
        for number, (uid, body) in enumerate(mails, start=1)
    )
    responses, found, sizes = Responses(), [], itertools.cycle(cuts)
    while sent:
        size = next(sizes)
        found += [fetch_item(one) for one in responses.feed(sent[:size])]
        sent = sent[size:]
    assert [(item.uid, item.body) for item in found if item is not None] == mails


def test_an_answer_has_any_number_of_lines() -> None:
    """aioimaplib's own reading ends at about a thousand."""
    answer = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 1)\r\n" % (uid, uid) for uid in range(1, 20_001))
    assert [item.uid for item in items(answer)] == list(range(1, 20_001))

"""IMAP's spelling (RFC 3501), on answers as servers write them."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.imap_text import fetch_items, folder_name, internal_date, quoted, uid_set

Lines = list[bytes | bytearray]
BODIES = st.lists(
    st.tuples(st.integers(1, 10_000), st.binary(max_size=60)), max_size=8, unique_by=lambda mail: mail[0]
)


def test_a_literal_belongs_to_its_mail_wherever_the_uid_stands() -> None:
    lines: Lines = [
        b"1 FETCH (UID 5 BODY[] {3}",
        bytearray(b"abc"),
        b")",
        b"2 FETCH (BODY[] {4}",
        bytearray(b"defg"),
        b" UID 7)",
    ]
    assert [(item.uid, item.body) for item in fetch_items(lines)] == [(5, b"abc"), (7, b"defg")]


def test_parts_come_with_their_offset_with_and_without_a_space() -> None:
    """GreenMail leaves the space out."""
    lines: Lines = [b"1 FETCH (UID 5 BODY[]<0>{3}", bytearray(b"abc"), b")", b"2 FETCH (UID 6 BODY[]<10> {1}"]
    lines += [bytearray(b"x"), b")"]
    assert [(item.uid, item.body) for item in fetch_items(lines)] == [(5, b"abc"), (6, b"x")]


def test_small_bodies_come_quoted_and_missing_ones_as_nil() -> None:
    lines: Lines = [rb'1 FETCH (UID 5 BODY[] "UID 9 \"(\\")', b"2 FETCH (UID 6 BODY[] NIL)"]
    assert [(item.uid, item.body) for item in fetch_items(lines)] == [(5, b'UID 9 "(\\'), (6, b"")]


def test_a_body_that_looks_like_an_answer_is_a_body() -> None:
    lines: Lines = [b"1 FETCH (UID 5 BODY[] {20}", bytearray(b"2 FETCH (UID 6 BODY["), b")"]
    assert [(item.uid, item.body) for item in fetch_items(lines)] == [(5, b"2 FETCH (UID 6 BODY[")]


def test_news_about_other_mails_is_passed_over() -> None:
    lines = [rb"3 FETCH (FLAGS (\Seen))", b"1 FETCH (UID 5 RFC822.SIZE 12)", rb"4 FETCH (FLAGS ())"]
    assert [(item.uid, item.size) for item in fetch_items(lines)] == [(5, 12)]


def test_size_and_date_are_read() -> None:
    line = b'1 FETCH (UID 5 RFC822.SIZE 120 INTERNALDATE "17-Jul-1996 02:44:25 -0700")'
    (item,) = fetch_items([line])
    assert (item.size, item.arrived) == (120, datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC))


def test_a_day_of_one_digit_and_nonsense() -> None:
    assert internal_date(" 7-Jul-1996 02:44:25 +0000") == datetime(1996, 7, 7, 2, 44, 25, tzinfo=UTC)
    assert internal_date("yesterday") is None
    assert internal_date("01-Jan-0001 00:00:00 +1400") is None


def test_folder_names_are_spelled_as_the_server_does() -> None:
    """RFC 3501 5.1.3, and its own example."""
    assert folder_name("Mailroom/Done", ".") == "Mailroom.Done"
    assert folder_name("~peter/mail/台北/日本語", "/") == "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert folder_name("A & B", "/") == "A &- B"


def test_uids_are_written_with_ranges() -> None:
    assert uid_set([3, 1, 2, 7, 9, 10]) == "1:3,7,9:10"


@given(st.sets(st.integers(1, 300), min_size=1))
@settings(max_examples=50, deadline=None)
def test_a_uid_set_holds_exactly_its_uids(uids: set[int]) -> None:
    found: set[int] = set()
    for part in uid_set(uids).split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    assert found == uids


@given(st.text(alphabet=st.characters(exclude_characters="\r\n\0", codec="utf-8")))
@settings(max_examples=50, deadline=None)
def test_a_quoted_string_ends_where_it_should(text: str) -> None:
    spelled = quoted(text)
    inner = spelled[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    assert spelled[0] == spelled[-1] == '"'
    assert not inner.endswith("\\")


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.binary(max_size=60)), max_size=8, unique_by=lambda x: x[0])
)
@settings(max_examples=100, deadline=None)
def test_any_bodies_come_back_as_they_were(mails: list[tuple[int, bytes]]) -> None:
    lines: Lines = []
    for number, (uid, body) in enumerate(mails, start=1):
        lines += [b"%d FETCH (UID %d BODY[] {%d}" % (number, uid, len(body)), bytearray(body), b")"]
    assert [(item.uid, item.body) for item in fetch_items(lines)] == mails

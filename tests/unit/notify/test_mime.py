"""A mail reads back as what it says, whatever that is (RFC 2045, 2046, 5322)."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.domain.mime import alternative, beginning, end, file_head, file_lines
from shared.file_names import safe_name
from tests.support.letters import parsed, part

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
lines = st.lists(st.text("ab =.-_<ü\t", max_size=200), max_size=8).map("\n".join)


def written(text: str, html: str = "<p>html</p>") -> bytes:
    return alternative([("Subject", "Hello")], text, html, "unique")


def told(text: str) -> str:
    """What is kept of a text: lines end by CRLF, the last one too."""
    return "".join(line.decode() + "\n" for line in text.encode().splitlines())


@settings(max_examples=100)
@given(texts | lines, texts | lines)
@example("--=_unique\n--=_unique--\n", "")
@example("x" * 78, "x" * 79)
@example(".\n..\n.", "a \n\t\nb\t")
@example("ü" * 500, "\n\n")
@example("From me\n", "\0")
def test_text_and_html_read_back_as_they_were(text: str, html: str) -> None:
    mime = written(text, html)
    assert parsed(mime)["Subject"] == "Hello"
    assert [each.get_content_type() for each in parsed(mime).walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert part(mime, "plain") == told(text)
    assert part(mime, "html") == told(html)


@settings(max_examples=100)
@given(texts | lines)
def test_every_server_takes_it(text: str) -> None:
    """RFC 5321 4.5.3.1.6: seven bits, lines that are not too long, CRLF at their ends."""
    mime = written(text)
    assert mime.isascii()
    assert b"\0" not in mime
    bare = mime.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert max(map(len, mime.split(b"\r\n"))) <= 78
    assert parsed(mime).defects == []


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Hello.", "7bit"),
        ("x" * 100, "quoted-printable"),
        ("Grüße und so weiter", "quoted-printable"),
        ("Здравствуйте", "base64"),
    ],
)
def test_it_is_as_legible_as_it_can_be(text: str, encoding: str) -> None:
    plain = parsed(written(text)).get_body(("plain",))
    assert plain is not None
    assert plain["Content-Transfer-Encoding"] == encoding


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=120).map(
    lambda written: safe_name(written, "application/pdf", "file")
)


@settings(max_examples=30)
@given(texts | lines, st.lists(st.tuples(NAMES, st.binary(max_size=300)), min_size=1, max_size=3))
@example("--=_munique\n--=_munique--\n", [("a.txt", b"--=_munique--"), ("Grundriß (ü).pdf", b"x" * 57 * 3)])
def test_files_follow_the_text_and_read_back_as_they_were(text: str, files: list[tuple[str, bytes]]) -> None:
    """NT-15: under any name, in lines that every server takes."""
    mime = beginning([("Subject", "Hello")], text, "<p>html</p>", "unique")
    for name, content in files:
        mime += file_head(name, "application/pdf", "unique") + file_lines(content)
    mime += end("unique")
    mail = parsed(mime)
    assert (mail["Subject"], mail.get_content_type()) == ("Hello", "multipart/mixed")
    assert part(mime, "plain") == told(text)
    found = [(each.get_filename(), each.get_content()) for each in mail.iter_attachments()]
    assert found == files
    assert mime.isascii()
    assert max(map(len, mime.split(b"\r\n"))) <= 998
    bare = mime.replace(b"\r\n", b"")
    assert not {b"\r", b"\n"} & {bytes([each]) for each in bare}


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed", "a/b\r\nX: y", "nothing", "é/x"])
def test_a_file_that_no_part_may_be_is_some_bytes(kind: str) -> None:
    """RFC 2046 5.2: a message in base64 is none."""
    assert b"\r\nContent-Type: application/octet-stream\r\n" in file_head("a", kind, "unique")

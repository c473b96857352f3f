"""No bytes make the parser raise, and nothing dangerous comes out of it (design §2, guarantee 5)."""

import re

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.addresses import canonical
from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing import html
from services.ingest.parsing.frames import Parsed, decode_answer, encode
from services.ingest.parsing.names import NAME_LIMIT
from services.ingest.parsing.parser import parse, parse_headers
from tests.support.browsing import inspect
from tests.unit.ingest.desk import MAILS

CORPUS = [path.read_bytes() for path in sorted(MAILS.glob("*.eml"))]
FRAGMENTS = [
    b"\r\n--mix\r\n",
    b"\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"=?utf-8?B?4pi=?=",
    b"<script>alert(1)</script><img src=http://t.example onerror=x()>",
    b'<a href="javascript:x">',
    b"\x00",
    b"\xff\xfe",
    b"((((",
    b"filename*0*=utf-8''%ff%00/../",
]
_PIECES = r"""
    <p > <img/src= ' " cid: http: /onerror= <svg> </ <style> <!-- --> javascript: <a/href= text &lt;script&gt;
    <math> <table> style= url( \ ; <script> <iframe <select> <template> <pre> </table>
"""
HTML_PIECES = _PIECES.split()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail of the corpus with pieces cut out, doubled, overwritten or put in."""
    mail = bytearray(draw(st.sampled_from(CORPUS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(mail)))
        end = min(len(mail), at + draw(st.integers(0, 40)))
        piece = draw(
            st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=12), st.just(bytes(mail[at:end]) * 2))
        )
        mail[at:end] = piece
    return bytes(mail)


def check(mail: ParsedMail) -> None:
    for text in (mail.text, mail.html, mail.subject, *mail.defects, *mail.references):
        assert "\0" not in text
        text.encode()
    inspect(mail.html)
    names = [file.name for file in mail.attachments]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert not re.search(r"[/\\\x00-\x1f]", name)
        assert name not in ("", ".", "..")
        assert len(name.encode()) <= NAME_LIMIT
    for address in (*mail.to, *mail.cc, *mail.reply_to):
        assert canonical(address.address) == address.address
    # What the child sends is what the parent gets.
    assert decode_answer(encode(Parsed([mail]))).mails == [mail]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_mail_of_some_kind(raw: bytes, rust_first: bool) -> None:
    check(parse(raw, rust_first=rust_first))


@settings(max_examples=300, deadline=None)
@given(mutated(), st.booleans())
def test_a_damaged_mail_is_read_as_well_as_can_be(raw: bytes, rust_first: bool) -> None:
    mail = parse(raw, rust_first=rust_first)
    check(mail)
    assert parse_headers(raw, "x").digest == mail.digest


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(HTML_PIECES), max_size=25).map("".join))
def test_no_html_gets_anything_past_the_sanitiser(written: str) -> None:
    clean = html.sanitise(written)
    check(ParsedMail(size=0, digest="", html=clean))
    html.to_text(clean)


def test_an_answer_of_the_wrong_shape_is_refused() -> None:
    for data in (b"", b"\xc1", msgspec.msgpack.encode([[["not a mail"]]])):
        try:
            decode_answer(data)
        except msgspec.MsgspecError:
            continue
        raise AssertionError(data)

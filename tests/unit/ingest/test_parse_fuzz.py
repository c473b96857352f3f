"""No bytes make the parser raise, and nothing dangerous comes out of it (design §2, guarantee 5).

`make fuzz` goes deeper than the suite does.
"""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing import addresses, charsets, headers, html, mending, transfer
from services.ingest.parsing.frames import decode_answer
from services.ingest.parsing.parser import parse, parse_headers
from shared.file_names import safe_name
from tests.support.hostile import KINDS
from tests.support.soundness import assert_sound, assert_stays
from tests.unit.ingest.depth import examples
from tests.unit.ingest.desk import DATA, MAILS

_SEED_BYTES = 3000
SEEDS = [
    *(path.read_bytes() for path in sorted(MAILS.glob("*.eml"))),
    *(kind.content for kind in KINDS if isinstance(kind.content, bytes) and len(kind.content) < _SEED_BYTES),
]
FOUND = {path.name: path.read_bytes() for path in sorted((DATA / "found").glob("[!.]*"))}
"""What once was read wrongly, or reached a corner of the code."""
FRAGMENTS = [
    b"\r\n--mix\r\n",
    b"\r\n\r\n",
    b"\r\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"Content-Type: multipart/mixed; boundary=mix\r\n",
    b"=?utf-8?B?4pi=?=",
    b"=?iso-2022-jp?B?GyRC?=",
    b"<script>alert(1)</script><img src=http://t.example onerror=x()>",
    b'<a href="javascript:x">',
    b"\x00",
    b"\xff\xfe",
    b"((((",
    b"filename*0*=utf-8''%ff%00/../",
]
_PIECES = r"""
    <p > <img/src= ' " cid: http: /onerror= <svg> </ <style> <!-- --> javascript: <a/href= text &lt;script&gt;
    <math> <table> style= url( \ ; <script> <iframe <select> <template> <pre> </table> <noscript> ]]> <li>
    <![CDATA[ title= = <mglyph> <annotation-xml> <title> <textarea> <plaintext> <base/href= &#x6a; <td>
"""
HTML_PIECES = _PIECES.split()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A seed with pieces cut out, doubled, overwritten or put in."""
    mail = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(mail)))
        end = min(len(mail), at + draw(st.integers(0, 40)))
        piece = draw(
            st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=12), st.just(bytes(mail[at:end]) * 2))
        )
        mail[at:end] = piece
    return bytes(mail)


@examples(100)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_a_mail_of_some_kind(raw: bytes, rust_first: bool) -> None:
    assert_sound(parse(raw, rust_first=rust_first))


@examples(300)
@given(damaged(), st.booleans(), st.booleans())
def test_a_damaged_mail_is_read_as_well_as_can_be(raw: bytes, rust_first: bool, pages: bool) -> None:
    mail = parse(raw, rust_first=rust_first, pages=pages)
    assert_sound(mail)
    assert parse_headers(raw, "x").digest == mail.digest


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_once_is_read_ever_since(name: str) -> None:
    for rust_first in (True, False):
        assert_sound(parse(FOUND[name], rust_first=rust_first))


@examples(200)
@given(st.lists(st.sampled_from(HTML_PIECES), max_size=25).map("".join))
def test_no_html_gets_anything_past_the_sanitiser(written: str) -> None:
    """Nor past a second one: what it lets through means the same when it is read again."""
    clean = html.sanitise(written)
    again = html.sanitise(clean)
    for page in (clean, again):
        assert_sound(ParsedMail(size=0, digest="", html=page))
    html.to_text(clean)


@examples(100)
@given(st.text(max_size=60))
def test_no_name_leaves_its_folder(written: str) -> None:
    assert_stays(safe_name(charsets.storable(written), "application/pdf", "attachment-1"))


PIECES: tuple[Callable[[bytes], object], ...] = (
    headers.text,
    headers.scan,
    mending.mended,
    lambda raw: addresses.read([raw]),
    lambda raw: charsets.decode(raw, raw[:20].decode("latin-1")),
    lambda raw: charsets.decode(raw, None),
    lambda raw: [transfer.decode(raw, encoding) for encoding in ("base64", "quoted-printable", "x-uuencode")],
)


@examples(100)
@given(st.binary(max_size=100))
def test_no_piece_of_the_parser_raises(raw: bytes) -> None:
    for piece in PIECES:
        piece(raw)


def test_an_answer_of_the_wrong_shape_is_refused() -> None:
    for data in (b"", b"\xc1", msgspec.msgpack.encode([[["not a mail"]]])):
        try:
            decode_answer(data)
        except msgspec.MsgspecError:
            continue
        raise AssertionError(data)

"""Content-Transfer-Encoding (RFC 2045 6), read as mildly as can be: what is broken costs its own letters."""

import binascii
import re
import string
from collections.abc import Callable

ORDINARY = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})
"""What every parser reads, spelled exactly so (in any case of letters)."""

_LETTERS = (string.ascii_letters + string.digits + "+/").encode()
_NO_LETTERS = bytes(set(range(256)) - set(_LETTERS))
_PADDINGS = 100
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)
_NAME = re.compile(r"[^\s;()]+")


def decode(content: bytes, encoding: str) -> bytes:
    """The bytes of a part, given its header; with an unknown encoding they stay as they are."""
    name = _NAME.search(encoding)
    decoder = _DECODERS.get(name[0].lower()) if name else None
    return decoder(content) if decoder else content


def _base64(content: bytes) -> bytes:
    if content.count(b" ") * 10 > len(content):
        return content  # words
    first, *others = content.split(b"=", _PADDINGS)
    pieces = [first.translate(None, _NO_LETTERS)]
    # What follows a padding is a second piece, or what somebody wrote below it.
    further = (other.translate(None, b"\r\n") for other in others)
    pieces += [other for other in further if not other.translate(None, _LETTERS)]
    return b"".join(map(_letters, pieces))


def _letters(piece: bytes) -> bytes:
    whole = piece[:-1] if len(piece) % 4 == 1 else piece
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _uuencode(content: bytes) -> bytes:
    begin = _UU_BEGIN.search(content)
    if begin is None:
        return content
    decoded = bytearray()
    for line in content[begin.end() :].splitlines():
        if line.strip() == b"end":
            break
        try:
            decoded += binascii.a2b_uu(line)
        except binascii.Error:
            continue
    return bytes(decoded)


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": _base64,
    "quoted-printable": binascii.a2b_qp,
    **dict.fromkeys(("x-uuencode", "uuencode", "uue", "x-uue"), _uuencode),
}

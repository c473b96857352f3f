"""A mail's bytes: its fields, and its text twice, for those who read plain text and those who read HTML.

The standard library's `EmailMessage` takes a millisecond for this, most of it spent on parsing and folding
what is spelled already.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterable
from urllib.parse import quote

_PLAIN = re.compile(rb"([\t -~]{0,78}\r\n)*")
OF_LINE = 57
"""Bytes of a file that make a line of base64 (RFC 2045 6.8)."""
_NAME_PIECE = 50
# What base64 may hold: a message and its parts have to be readable as they are (RFC 2046 5.2).
_SAFE_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9!#$&^_.+-]{1,64}")
_BOUNDARY = "=_"
"""Stands in no quoted-printable and no base64 text (RFC 2045 6.7)."""


def alternative(fields: Iterable[tuple[str, str]], text: str, html: str, unique: str) -> bytes:
    """A multipart/alternative mail (RFC 2046 5.1.4) of seven bits but for addresses, lines ended by CRLF.

    `fields` are names and values, safe and folded as `headers` makes them; `unique` is some letters and
    digits that no other mail has.
    """
    return _head(fields) + _texts(text, html, unique)


def beginning(fields: Iterable[tuple[str, str]], text: str, html: str, unique: str) -> bytes:
    """The same as the first part of a multipart/mixed mail (RFC 2046 5.1.3); files follow it, and `end`."""
    boundary = _outer(unique)
    head = _head(fields) + f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
    return head + f"--{boundary}\r\n".encode() + _texts(text, html, unique)


def file_head(name: str, media_type: str, unique: str) -> bytes:
    """What stands before a file, whose lines follow."""
    kind = media_type if _SAFE_TYPE.fullmatch(media_type) else "application/octet-stream"
    head = f"--{_outer(unique)}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
    return f"{head}Content-Disposition: attachment{_filename(name)}\r\n\r\n".encode("ascii")


def file_lines(content: bytes) -> bytes:
    """A piece of a file; all but its last are lines of `OF_LINE` bytes each."""
    return encodebytes(content).replace(b"\n", b"\r\n")


def end(unique: str) -> bytes:
    """What stands behind the last file."""
    return f"--{_outer(unique)}--\r\n".encode("ascii")


def _filename(name: str) -> str:
    """A file's name in as many pieces as lines need (RFC 2231): in ASCII, whatever it is.

    No character is cut in two, because readers decode piece by piece.
    """
    pieces = [""]
    for character in name:
        spelled = quote(character, safe="")
        if len(pieces[-1]) + len(spelled) > _NAME_PIECE:
            pieces.append("")
        pieces[-1] += spelled
    pieces[0] = f"UTF-8''{pieces[0]}"
    return "".join(f";\r\n filename*{number}*={piece}" for number, piece in enumerate(pieces))


def _outer(unique: str) -> str:
    return f"{_BOUNDARY}m{unique}"  # no `unique` begins with an m, so neither boundary begins like the other


def _head(fields: Iterable[tuple[str, str]]) -> bytes:
    return ("".join(f"{name}: {value}\r\n" for name, value in fields) + "MIME-Version: 1.0\r\n").encode()


def _texts(text: str, html: str, unique: str) -> bytes:
    boundary = _BOUNDARY + unique
    head = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    delimiter = f"--{boundary}".encode("ascii")
    return b"".join(
        (
            head.encode(),
            *(delimiter, b"\r\n", _part(b"plain", text), b"\r\n"),
            *(delimiter, b"\r\n", _part(b"html", html), b"\r\n"),
            *(delimiter, b"--\r\n"),
        )
    )


def _part(subtype: bytes, text: str) -> bytes:
    encoding, body = _encoded(b"\r\n".join((*text.encode().splitlines(), b"")))
    return b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: %b\r\n\r\n%b' % (
        subtype,
        encoding,
        body,
    )


def _encoded(body: bytes) -> tuple[bytes, bytes]:
    """A body of lines ended by CRLF in the plainest encoding that arrives unchanged, and that one's name."""
    if _PLAIN.fullmatch(body) and _BOUNDARY.encode() not in body:
        return b"7bit", body
    quoted = b2a_qp(body, istext=True)
    if len(quoted) <= 2 * len(body):  # people who look at it can still read it
        return b"quoted-printable", quoted
    return b"base64", encodebytes(body).replace(b"\n", b"\r\n")

"""Mails of tens of megabytes: below the size limit, so they are to be taken in whole."""

import base64
from collections.abc import Callable
from typing import Any

from tests.support.hostile.kind import ADDRESS, Fate, Kind, multipart, part, text, typed, with_file

MIB = 1024**2


def _base64(size: int, *, lines: bool = True) -> bytes:
    encode = base64.encodebytes if lines else base64.b64encode
    return encode(bytes(size))


def _recipients(separator: str) -> bytes:
    people = separator.join([ADDRESS, *(f"c{number}@customer.example" for number in range(100_000))])
    return f"To: {people}\n\nHello.\n".encode()


def _large(name: str, content: Callable[[], bytes], **fields: Any) -> Kind:
    return Kind(name, content, **{"alone": True, **fields})


SIZES = (
    _large(
        "file of 30 MB",
        lambda: with_file("application/pdf", _base64(30 * MIB), "attachment; filename=a.pdf"),
        reads={"text": "See the file."},
    ),
    _large(
        "file of 30 MB on one line",
        lambda: with_file("application/pdf", _base64(30 * MIB, lines=False), "attachment; filename=a.pdf"),
        reads={"text": "See the file."},
    ),
    _large(
        "file of 30 MB in 8 bits",
        lambda: with_file("image/png", b"\xff\0\n" * (10 * MIB), "attachment; filename=a.png", "binary"),
    ),
    _large(
        "files of 100 kB by the hundred",
        lambda: multipart(*[part("image/png; name=a.png", _base64(100_000), "base64")] * 300),
    ),
    _large(
        "mail of 30 MB in a mail",
        lambda: multipart(
            text("utf-8", b"See."),
            part("message/rfc822", b"Subject: inner\n" + text("utf-8", b"word\n" * (6 * MIB))),
        ),
    ),
    _large("text of 30 MB", lambda: text("utf-8", "Wörter\n".encode() * (4 * MIB))),
    _large("page of 30 MB", lambda: typed("text/html", b"<p>word</p>\n" * (5 * MIB // 2))),
    _large("page of 30 MB without a tag", lambda: typed("text/html", b"word & " * (4 * MIB))),
    _large("head of 30 MB", lambda: b"X-Long: y\n" * (3 * MIB) + b"\nHello.\n"),
    _large("parts by the million", lambda: multipart(*[b"\n"] * MIB), fate=Fate.UNREADABLE),
    _large(
        "noise of 30 MB", lambda: bytes(range(256)) * (30 * MIB // 256), fate=Fate.NOT_ADDRESSED, bare=True
    ),
    _large("recipients by the hundred thousand", lambda: _recipients(",\n "), without=("To",), alone=False),
    _large(
        "recipients by the hundred thousand on one line",
        lambda: _recipients(", "),
        without=("To",),
    ),
)

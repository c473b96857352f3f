"""Mails whose lines do not end, or begin, as they should (RFC 5322 2.1 to 2.3)."""

from collections.abc import Callable

from services.ingest.domain.mail import Address
from tests.support.hostile.kind import ADDRESS, SENDER, Fate, Kind


def _mail(
    name: str,
    *fields: bytes,
    body: bytes = b"Hello.",
    end: bytes = b"\r\n",
    change: Callable[[bytes], bytes] = bytes,
    fate: Fate = Fate.RECEIVED,
    alone: bool = False,
    **reads: object,
) -> Kind:
    """A whole mail with these line ends, of which `change` makes what it likes; its subject must survive."""
    head = (f"From: {SENDER}".encode(), f"To: {ADDRESS}".encode(), b"Subject: " + name.encode())
    raw = change(end.join((*head, *fields, b"", body, b"")))
    if fate is Fate.RECEIVED:
        reads = {"subject": name, "text": "Hello."} | reads
    return Kind(name, raw, reads, fate, bare=True, alone=alone)


LINES = (
    _mail("bare LF", end=b"\n"),
    _mail("bare CR", end=b"\r"),
    _mail("CR CR LF", end=b"\r\r\n"),
    _mail("line ends mixed", body=b"one\rtwo\nthree\r\nfour", text="one\ntwo\nthree\nfour"),
    _mail("NUL in the head", b"X-Odd: a\0b", b"Re\0ferences: <a@b>"),
    _mail("NUL in the body", body=b"Hel\0lo.\0"),
    _mail("NUL throughout", change=lambda raw: raw.replace(b"", b"\0"), fate=Fate.NOT_ADDRESSED),
    _mail("UTF-16 throughout", change=lambda raw: raw.decode().encode("utf-16"), fate=Fate.NOT_ADDRESSED),
    _mail(
        "byte order mark before the head", change=lambda raw: b"\xef\xbb\xbf" + raw, sender=Address(SENDER)
    ),
    _mail("blank line before the head", change=lambda raw: b"\r\n" + raw),
    _mail("mbox line before the head", change=lambda raw: b"From carl Sun Nov 22 10:00:00 2026\r\n" + raw),
    _mail("folded line before the head", change=lambda raw: b" folded\r\n" + raw),
    _mail(
        "words before the head",
        change=lambda raw: b"Nonsense here\r\n" + raw,
        text=f"Nonsense here\nFrom: {SENDER}\nTo: {ADDRESS}\nSubject: words before the head\n\nHello.",
    ),
    _mail("words in the head", b"Nonsense here", text="Nonsense here\n\nHello."),
    _mail(
        "no line between head and body",
        change=lambda raw: raw.replace(b"\r\n\r\n", b"\r\nWell, "),
        text="Well, Hello.",
    ),
    _mail("no body", change=lambda raw: raw.partition(b"\r\n\r\n")[0], text=""),
    _mail("line of spaces below the head", change=lambda raw: raw.replace(b"\r\n\r\n", b"\r\n \t \r\n")),
    _mail("field without a name", b": value"),
    _mail(
        "field with a space before its colon", b"Cc : a@customer.example", cc=(Address("a@customer.example"),)
    ),
    _mail("field name of a kilobyte", b"x" * 1000 + b": y"),
    _mail("field name in 8 bits", "Tö: a@b.example".encode()),
    _mail("field of a megabyte", b"X-Long: " + b"y" * 1_000_000, alone=True),
    _mail("field folded ten thousand times", b"X-Long: a" + b"\r\n a" * 10_000),
    _mail("fields by the thousand", *[b"X-%d: y" % number for number in range(3_000)]),
    _mail("line of a megabyte", body=b"y" * 1_000_000, alone=True, text="y" * 1_000_000),
    _mail("thirty thousand lines", body=b"\r\n" * 30_000 + b"end", text="\n" * 30_000 + "end"),
    _mail("dots alone", body=b".\r\n..\r\n.", text=".\n..\n."),
    Kind("nothing", b"", {"text": "", "subject": ""}, Fate.NOT_ADDRESSED, bare=True),
    Kind("one byte", b"\xff", {"subject": ""}, Fate.NOT_ADDRESSED, bare=True),
    Kind("noise", bytes(range(256)) * 40, fate=Fate.NOT_ADDRESSED, bare=True),
    Kind("picture and no mail", b"\x89PNG\r\n\x1a\n" + bytes(2000), fate=Fate.NOT_ADDRESSED, bare=True),
)

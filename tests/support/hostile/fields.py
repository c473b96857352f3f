"""Header fields that are doubled, missing, impossible, or made to name somebody else."""

from typing import Any

from tests.support.hostile.kind import ADDRESS, SENDER, Fate, Kind

_HELLO = b"\nHello.\n"


def _field(
    name: str,
    written: str | bytes,
    *,
    instead: str,
    fate: Fate = Fate.RECEIVED,
    alone: bool = False,
    **reads: Any,
) -> Kind:
    raw = written if isinstance(written, bytes) else written.encode()
    return Kind(name, raw + b"\n" + _HELLO, {"text": "Hello.", **reads}, fate, (instead,), alone=alone)


def _date(name: str, written: str, **reads: Any) -> Kind:
    return _field(f"date {name}", f"Date: {written}", instead="Date", **reads)


def _to(name: str, written: str | bytes, **fields: Any) -> Kind:
    raw = written if isinstance(written, bytes) else written.encode()
    return _field(name, b"To: " + raw, instead="To", **fields)


DATES = (
    _date("of year 0", "Sat, 1 Jan 0000 00:00:00 +0000"),
    _date("of year 1", "Mon, 1 Jan 0001 00:00:00 +1400"),
    _date("of year 9999", "Fri, 31 Dec 9999 23:59:59 -1400", date=None),
    _date("of year 99999", "1 Jan 99999 00:00:00 +0000", date=None),
    _date("of an endless year", "1 Jan " + "9" * 5000 + " 00:00:00 +0000", date=None),
    _date("of two digits", "1 Jan 26 00:00 GMT"),
    _date("on the 31st of February", "Sat, 31 Feb 2026 10:00:00 +0000"),
    _date("at 25 o'clock", "Sun, 22 Nov 2026 25:61:61 +0000"),
    _date("in a leap second", "Sun, 22 Nov 2026 23:59:60 +0000"),
    _date("in a zone beyond the world", "Sun, 22 Nov 2026 10:00:00 +9999"),
    _date("in a zone of ten thousand digits", "Sun, 22 Nov 2026 10:00:00 +" + "1" * 10_000),
    _date("in an endless zone", "Sun, 22 Nov 2026 10:00:00 " + "(" * 5000),
    _date("in French", "dim. 22 nov. 2026 10:00:00 +0100"),
    _date("in Japanese", "2026年11月22日 10:00", date=None),
    _date("in seconds", "1795341600"),
    _date("that is empty", "", date=None),
    _date("that is a line of commas", "," * 5000, date=None),
)

PEOPLE = (
    _to("group", f"Friends: a@customer.example, Us <{ADDRESS}>;"),
    _to("group that is never closed", f"Friends: a@customer.example, {ADDRESS}"),
    _to("group of nobody", "undisclosed-recipients:;", fate=Fate.NOT_ADDRESSED, to=()),
    _to("group in a group", f"a: b: c: {ADDRESS};;;"),
    _to("groups by the thousand", "g:;" * 2_000 + f", {ADDRESS}"),
    _to("address without a domain", f"jane@, {ADDRESS}"),
    _to("address of words", f"the help desk, {ADDRESS}"),
    _to("address in brackets without an end", f"<{ADDRESS}"),
    _to("address in three brackets", f"<<<{ADDRESS}>>>"),
    _to("address with a route", f"<@relay.example,@other.example:{ADDRESS}>"),
    _to("address in quotes", f'"{ADDRESS}"'),
    _to("address with a quoted local part", f'"very unusual"@customer.example, {ADDRESS}'),
    _to("address in comments", f"(((nested) (comment))) {ADDRESS} (another)"),
    _to("comments without an end", "(" * 50_000 + ADDRESS),
    _to("quotes without an end", '"' * 50_001 + f" <{ADDRESS}>"),
    _to("backslashes without an end", "\\" * 50_001 + f" <{ADDRESS}>"),
    _to("semicolons between addresses", f"a@customer.example; {ADDRESS}; b@customer.example"),
    _to("address as a link", f"mailto:{ADDRESS}"),
    _to("address in an encoded word", "=?utf-8?B?aGVscEBhY21lLnRlc3Q=?="),
    _to("address behind an encoded name", f"=?utf-8?Q?=22Us=22_=3Ceve=40evil.example=3E?= <{ADDRESS}>"),
    _to("address with a percent sign", f"help%acme.test@relay.example, {ADDRESS}"),
    _to("address with NUL", f"he\0lp@acme.test, {ADDRESS}"),
    _to("address of a kilobyte", "a" * 1000 + f"@customer.example, {ADDRESS}"),
    _to("domain of a kilobyte", f"a@{'b' * 1000}.example, {ADDRESS}"),
    _to("domain of dots", f"a@.., {ADDRESS}"),
    _to("domain that IDNA refuses", f"a@xn--{'0' * 80}.example, {ADDRESS}"),
    _to("IDN in letters", f"jörg@müller.example, {ADDRESS}"),
    _to("IDN in A-labels", f"a@xn--mller-kva.example, {ADDRESS}"),
    _to("IDN that looks like another", f"a@аpple.example, {ADDRESS}"),
    _to("IDN of a thousand letters", f"a@{'ü' * 1000}.example, {ADDRESS}"),
    _to("IDN from right to left", f"a@مثال.example, {ADDRESS}"),
    _to("SMTPUTF8 in all fields", f"用户 <用户@例え.example>, {ADDRESS}"),
    _to("full-width letters", "ｈｅｌｐ＠ａｃｍｅ．ｔｅｓｔ", fate=Fate.NOT_ADDRESSED),
    _to("our address in capitals", "HELP@ACME.TEST"),
    _to("our address with a dot behind", "help@acme.test."),
    _to("our address a hundred times", ", ".join([ADDRESS] * 100)),
    _to("names of a megabyte", f"{'x' * 1_000_000} <{ADDRESS}>", fate=Fate.NOT_ADDRESSED, alone=True),
    _field("sender that is empty", "From:", instead="From", sender=None),
    _field("sender that is none", "From: nobody at all", instead="From", sender=None),
    _field("sender that is two", f"From: a@customer.example, {SENDER}", instead="From"),
    _field("sender that is us", f"From: {ADDRESS}", instead="From"),
    _field("sender that is a machine", "From: <>", instead="From"),
    _field("sender with our address as its name", f'From: "{ADDRESS}" <eve@evil.example>', instead="From"),
    _field("sender in naked Latin-1", b"From: J\xf6rg <carl@customer.example>", instead="From"),
)

FIELDS = (
    Kind("From twice", b"From: eve@evil.example\n" + _HELLO),
    Kind("To twice", b"To: other@customer.example\n" + _HELLO, {"text": "Hello."}),
    Kind("Subject twice", b"Subject: the second\n" + _HELLO, {"subject": "Subject twice"}),
    Kind("Date twice", b"Date: Mon, 1 Jan 2001 00:00:00 +0000\n" + _HELLO),
    Kind(
        "Message-ID twice",
        b"Message-ID: <second@customer.example>\n" + _HELLO,
        {"message_id": "Message-ID-twice@customer.example"},
    ),
    Kind(
        "every field fifty times",
        (f"From: {SENDER}\nTo: {ADDRESS}\nSubject: x\nDate: x\nReferences: <a@b>\n" * 50).encode() + _HELLO,
    ),
    Kind(
        "fields in 8 bits by the thousand",
        b"".join(b"%s: %s <a@b.example>\n" % (each, b"\xcf\xf0\xe8\xe2" * 9) for each in (b"X", b"Cc")) * 1000
        + _HELLO,
        {"text": "Hello."},
    ),
    Kind("no From", _HELLO, {"sender": None}, without=("From",)),
    Kind("no To", _HELLO, fate=Fate.NOT_ADDRESSED, without=("To",)),
    Kind("no Subject", _HELLO, {"subject": ""}, without=("Subject",)),
    Kind("no Date", _HELLO, {"date": None}, without=("Date",)),
    Kind("no Message-ID", _HELLO, {"message_id": None}, without=("Message-ID",)),
    Kind("nothing but To", f"To: {ADDRESS}\n\n".encode(), bare=True),
    _field("Message-ID that is empty", "Message-ID: <>", instead="Message-ID", message_id=None),
    _field("Message-ID without brackets", "Message-ID: a b c", instead="Message-ID", message_id="a"),
    _field(
        "Message-ID of a kilobyte", f"Message-ID: <{'x' * 1000}@y>", instead="Message-ID", message_id=None
    ),
    _field("Message-ID with spaces", "Message-ID: <a b\n c@d>", instead="Message-ID"),
    _field("Message-ID in 8 bits", b"Message-ID: <\xff\xfe@d>", instead="Message-ID"),
    _field("Message-ID with NUL", b"Message-ID: <a\0b@d>", instead="Message-ID"),
    _field("Message-ID of brackets", "Message-ID: " + "<" * 50_000 + ">" * 50_000, instead="Message-ID"),
    Kind(
        "References to itself",
        b"References: <References-to-itself@customer.example>\n"
        b"In-Reply-To: <References-to-itself@customer.example>\n" + _HELLO,
    ),
    Kind(
        "References by the thousand",
        b"References:" + b"\n <x%d@y.example>" * 5000 % tuple(range(5000)) + b"\n" + _HELLO,
    ),
    Kind("References of nonsense", b"References: <<<> > , ;; \xff <@> <a@b\n" + _HELLO),
    Kind(
        "In-Reply-To of words",
        b"In-Reply-To: Your message of Sunday from Carl\n" + _HELLO,
        {"in_reply_to": ()},
    ),
    Kind("Reply-To of nonsense", b"Reply-To: ;;;<<>>@@\n" + _HELLO, {"reply_to": ()}),
    Kind("Reply-To of us", f"Reply-To: {ADDRESS}\n".encode() + _HELLO),
    Kind("header injected into a header", b"X-A: b\rBcc: eve@evil.example\n" + _HELLO),
)

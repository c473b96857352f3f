"""Real shapes of mail, by both parsers (design §3, pitfalls: Parsing mail). The mails: tests/data/mails."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.domain.mail import Address, ParsedMail
from services.ingest.parsing.parser import parse, parse_headers
from tests.unit.ingest.desk import MAILS, raw

JANE = Address("jane@customer.example", "Jane Doe")
NINE = datetime(2026, 11, 16, 9, tzinfo=UTC)
CORPUS = sorted(MAILS.glob("*.eml"))

EXPECTED: dict[str, dict[str, Any]] = {
    "plain": {
        "message_id": "plain@customer.example",
        "subject": "A plain question",
        "sender": JANE,
        "to": (Address("info@desk.example", "Info"),),
        "date": NINE,
        "text": "Good morning,\n\nthe printer on floor 3 is out of toner — again.\n\nJane",
        "html": "",
        "return_path": "jane@customer.example",
        "important": False,
    },
    "html-only": {
        "text": "Order 4711\n\nDear team,\nplease cancel.\n\n- one\n- two\n\nSum\t12 €\n\n"
        "bad good\n\npixel\n\nred",
    },
    "alternative": {"text": "the plain words", "html": "<p>the <b>formatted</b> words</p>"},
    "alternative-with-empty-text": {"text": "only here", "html": "<p>only <b>here</b></p>"},
    "html-with-plain-footer": {
        "text": "the message\n\nscanned by <nobody>",
        "html": "<p>the message</p><div>scanned by &lt;nobody&gt;</div>",
    },
    "inline-image": {
        "text": "[logo] hello",
        "html": '<p><img src="cid:logo@customer.example" alt="logo"> hello <img></p>',
    },
    "nested-message": {"text": "Please see the forwarded mail.", "subject": "nested message"},
    "unknown-charset": {"text": "café crème, s'il vous plaît"},
    "lying-charset": {"text": "Grüße aus Köln"},
    "utf8-labelled-ascii": {"text": "Grüße aus Köln", "defects": ()},
    "chinese": {"subject": "关于订单", "text": "请取消我的订单，谢谢。镕", "defects": ()},
    "japanese": {"text": "注文をキャンセルしてください。"},
    "broken-base64": {"text": "The file was cut."},
    "missing-end": {"text": "Nobody closed this mail."},
    "nul-bytes": {"subject": "nul bytes", "text": "before and after"},
    "no-sender": {"sender": None, "text": "I did not say who I am."},
    "no-message-id": {"message_id": None},
    "long-message-id": {"message_id": None},
    "empty": {"message_id": None, "sender": None, "to": (), "text": "", "size": 0},
    "headers-only": {"message_id": "headers-only@customer.example", "text": ""},
    "bare-cr": {"subject": "bare cr", "text": "first line\nsecond line", "sender": JANE},
    "bare-lf": {"subject": "bare lf", "text": "first line\nsecond line", "sender": JANE},
    "groups": {
        "to": (
            Address("info@desk.example"),
            Address("john@desk.example", "Doe, John"),
            Address("help@desk.example"),
        ),
        "cc": (),
        "invalid_addresses": (),
    },
    "bad-recipients": {
        "sender": Address("jane@customer.example", "Doe, Jane <evil@attacker.example>"),
        "to": tuple(Address(f"{name}@desk.example") for name in ("info", "help", "sales", "second")),
        "cc": (Address("missing@desk.example"), Address("other@desk.example")),
        "invalid_addresses": ("nobody", "desk.example"),
    },
    "encoded-words": {
        "subject": "Grüße und ein sehr langer Betreff mit Umlauten, der ändert été",
        "sender": Address("jane@customer.example", "Jäne Döe"),
    },
    "delivery-report": {"text": "Your mail could not be delivered.", "return_path": ""},
    "out-of-office": {
        "in_reply_to": ("answered@desk.example",),
        "references": ("root@customer.example", "answered@desk.example"),
    },
    "international-domain": {
        "sender": Address("jörg@xn--mller-kva.example", "Jörg"),
        "to": (Address("info@desk.example"), Address("sales@xn--strae-oqa.example", "Käse")),
    },
    "date-year-9999": {"date": None, "text": "text"},
    "date-nonsense": {"date": None, "text": "text"},
    "important": {"important": True},
}


@pytest.mark.parametrize("rust_first", [True, False], ids=["rust first", "leniently"])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_is_read_as_its_sender_meant_it(name: str, rust_first: bool) -> None:
    mail = parse(raw(name), rust_first=rust_first)
    assert {field: getattr(mail, field) for field in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_both_parsers_read_the_same(path: Path) -> None:
    """Embedded messages apart: the standard library writes them anew, with other line ends."""
    content = path.read_bytes()
    assert comparable(parse(content)) == comparable(parse(content, rust_first=False))


def comparable(mail: ParsedMail) -> tuple[ParsedMail, list[tuple[str, str, bool]]]:
    files = [(file.name, file.media_type, file.inline) for file in mail.attachments]
    return replace(mail, attachments=(), defects=()), files


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_headers_stay_legible_when_the_rest_is_not(path: Path) -> None:
    whole, headers = parse(path.read_bytes()), parse_headers(path.read_bytes(), "because")
    for field in ("size", "digest", "message_id", "subject", "sender", "to", "cc", "date", "references"):
        assert getattr(headers, field) == getattr(whole, field), field
    assert (headers.unparsed_reason, headers.text, headers.attachments) == ("because", "", ())


def test_html_comes_out_without_anything_that_runs_or_loads() -> None:
    html = parse(raw("html-only")).html
    for unwanted in (
        "script",
        "onload",
        "javascript",
        "tracker",
        "iframe",
        "form",
        "input",
        "never",
        "fixed",
    ):
        assert unwanted not in html, unwanted
    assert '<p style="color:red">' not in html  # its style asked for an image: it goes as a whole
    assert 'href="https://customer.example/order"' in html


def test_attachments_have_safe_and_unique_names_and_their_own_bytes() -> None:
    files = parse(raw("attachments")).attachments
    assert [(file.name, file.media_type, file.content) for file in files] == [
        ("report.pdf", "application/pdf", b"%PDF-1.4\n"),
        ("Report (2).PDF", "application/pdf", b"%PDF-1.5\n"),
        ("résumé.txt", "text/plain", "café".encode()),
        ("attachment-4.bin", "application/octet-stream", b"\x00\x01\x02"),
        ("_con.txt", "application/octet-stream", b"\x00\x01\x03"),
    ]


def test_a_picture_that_the_html_shows_is_inline() -> None:
    (logo,) = parse(raw("inline-image")).attachments
    assert (logo.content_id, logo.inline, logo.name) == ("logo@customer.example", True, "logo.png")


def test_an_embedded_mail_is_a_file_and_says_nothing_of_its_own() -> None:
    mail = parse(raw("nested-message"))
    (inner,) = mail.attachments
    assert (inner.name, inner.media_type) == ("forwarded.eml", "message/rfc822")
    assert b"inner words" in inner.content
    assert "inner words" not in mail.text
    report = parse(raw("delivery-report")).attachments
    assert [file.media_type for file in report] == ["message/delivery-status", "message/rfc822"]


def test_what_had_to_be_mended_is_said() -> None:
    assert "read leniently" in parse(raw("broken-base64")).defects[0]
    assert parse(raw("lying-charset")).defects == ("charset utf-8 did not fit, read as cp1252",)
    assert parse(raw("no-sender")).defects == ("there is no sender",)
    assert parse(raw("date-year-9999")).defects == ("the date is none",)
    assert parse(raw("plain")).defects == ()


def test_parts_nested_too_deeply_leave_the_headers() -> None:
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level) for level in range(2000)
    )
    mail = parse(b"From: jane@customer.example\n" + nested, rust_first=False)
    assert mail.unparsed_reason == "its parts are nested too deeply"
    assert mail.sender == Address("jane@customer.example")


def test_references_keep_their_root_however_many_there_are() -> None:
    ids = [f"{number}@x.example" for number in range(300)]
    mail = parse(b"References: " + b"\r\n ".join(b"<%s>" % one.encode() for one in ids) + b"\r\n\r\n")
    assert mail.references == (ids[0], *ids[-99:])

"""Which route a mail takes (RT-1, RT-2, RT-3, RT-4, AMB-45)."""

from typing import Any

import pytest

from services.ingest.domain.mail import Address, Attachment
from services.ingest.domain.mailboxes import Criteria, Fallback, Mailbox, Route
from services.ingest.domain.routes import Routed, find_route, meets
from tests.unit.ingest.desk import INFO, mail


def file(name: str, *, inline: bool = False) -> Attachment:
    return Attachment(name, "application/octet-stream", b"x", "0" * 64, inline=inline)


CRITERIA: list[tuple[str, Criteria, dict[str, Any], bool]] = [
    ("nothing asked", Criteria(), {}, True),
    ("important", Criteria(important=True), {"headers": {"importance": "High"}}, True),
    ("important by number", Criteria(important=True), {"headers": {"x-priority": "1 (Highest)"}}, True),
    ("not important", Criteria(important=True), {"headers": {"x-priority": "3"}}, False),
    ("must not be important", Criteria(important=False), {"headers": {"importance": "high"}}, False),
    ("extension", Criteria(attachment_extensions=(".pdf", ".docx")), {"attachments": (file("A.PDF"),)}, True),
    ("extension, no dot", Criteria(attachment_extensions=("pdf",)), {"attachments": (file("a.pdf"),)}, True),
    ("other extension", Criteria(attachment_extensions=(".pdf",)), {"attachments": (file("apdf"),)}, False),
    ("no attachment", Criteria(attachment_extensions=(".pdf",)), {}, False),
    (
        "a picture in the text",
        Criteria(attachment_extensions=(".png",)),
        {"attachments": (file("a.png", inline=True),)},
        False,
    ),
    ("keyword", Criteria(subject_keywords=("invoice", "bill")), {"subject": "Your INVOICE, please"}, True),
    ("keyword in a word", Criteria(subject_keywords=("voice",)), {"subject": "invoice"}, False),
    ("keyword of two words", Criteria(subject_keywords=("past due",)), {"subject": "Past  due!"}, True),
    ("keyword with signs", Criteria(subject_keywords=("C++",)), {"subject": "learn C++ now"}, True),
    ("keyword with accents", Criteria(subject_keywords=("été",)), {"subject": "ÉTÉ 2026"}, True),
    ("blank keyword", Criteria(subject_keywords=(" ",)), {"subject": "anything"}, False),
    ("recipient in To", Criteria(recipients=("INFO@desk.example",)), {"to": ("info@desk.example",)}, True),
    ("recipient in Cc", Criteria(recipients=("*@boss.example",)), {"cc": ("a@boss.example",)}, True),
    ("other recipient", Criteria(recipients=("boss@desk.example",)), {"to": ("info@desk.example",)}, False),
    ("sender", Criteria(senders=("x@y.example", "Jane@customer.example")), {}, True),
    ("sender's domain", Criteria(senders=("*customer.example",)), {}, True),
    ("sender's domain with @", Criteria(senders=("*@customer.example",)), {}, True),
    ("a domain that only ends like it", Criteria(senders=("*tomer.example",)), {}, False),
    ("subdomain", Criteria(senders=("*.example",)), {}, True),
    ("subdomains only", Criteria(senders=("*.customer.example",)), {}, False),
    ("no sender at all", Criteria(senders=("*customer.example",)), {"sender": None}, False),
    (
        "all that is asked",
        Criteria(subject_keywords=("invoice",), senders=("*other.example",)),
        {"subject": "invoice"},
        False,
    ),
]


@pytest.mark.parametrize(
    ("criteria", "fields", "expected"), [row[1:] for row in CRITERIA], ids=[row[0] for row in CRITERIA]
)
def test_criteria_are_met_as_the_catalogue_says(
    criteria: Criteria, fields: dict[str, Any], expected: bool
) -> None:
    """RT-3, AMB-45."""
    assert meets(criteria, mail(**fields)) is expected


def test_the_body_is_never_looked_at() -> None:
    """RT-3."""
    assert not meets(Criteria(subject_keywords=("invoice",)), mail(text="invoice", html="invoice"))


def box(*routes: Route, fallback: Fallback | None = None) -> Mailbox:
    return Mailbox("info", "info@desk.example", ("help@desk.example",), routes=routes, fallback=fallback)


def test_the_first_route_from_the_top_wins() -> None:
    """RT-1, RT-2: with what it says of process, category and automatic mail; one that is off is passed."""
    routes = (
        Route("off", "info@desk.example", "p0", enabled=False),
        Route("alias", "help@desk.example", "p1"),
        Route("strict", "info@desk.example", "p2", criteria=Criteria(subject_keywords=("invoice",))),
        Route("any", "Info@Desk.example", "p3", "c", send_automated_emails=True, test_mode=True),
        Route("late", "info@desk.example", "p4"),
    )
    assert find_route(box(*routes), "info@desk.example", mail()) == Routed("any", "p3", "c", True, True)
    assert find_route(box(*routes), "info@desk.example", mail(subject="invoice")) == Routed("strict", "p2")
    assert find_route(box(*routes), "help@desk.example", mail()) == Routed("alias", "p1")


def test_the_fallback_catches_the_primary_address_only() -> None:
    """RT-4."""
    assert find_route(INFO, "info@desk.example", mail()) == Routed(
        "fallback", "general", send_automated_emails=True
    )
    assert find_route(INFO, "old@desk.example", mail()) is None
    assert find_route(box(), "info@desk.example", mail()) is None


def test_automatic_mail_is_sent_only_where_a_route_says_so() -> None:
    """RT-2, NT-2."""
    assert Route("any", "info@desk.example", "p").send_automated_emails is False
    assert Fallback("p").send_automated_emails is False
    assert Address("a@b.example").domain == "b.example"


def test_a_sender_who_is_for_testing_has_a_way_of_their_own() -> None:
    """CT-18, GL-5: the first route that leads to a process in test; the fallback only if it does, too."""
    routes = (
        Route("live", "info@desk.example", "p1"),
        Route("off", "info@desk.example", "p2", test_mode=True, in_test=True, enabled=False),
        Route("strict", "info@desk.example", "p3", in_test=True, criteria=Criteria(important=True)),
        Route("test", "info@desk.example", "p4", test_mode=True, in_test=True),
    )
    info = "info@desk.example"
    assert find_route(box(*routes), info, mail()) == Routed("live", "p1")
    assert find_route(box(*routes), info, mail(), for_test=True) == Routed("test", "p4", test_mode=True)
    assert find_route(box(*routes), "help@desk.example", mail(), for_test=True) is None
    assert find_route(box(routes[0], fallback=Fallback("p5")), info, mail(), for_test=True) is None
    in_test = box(routes[0], fallback=Fallback("p5", in_test=True))
    assert find_route(in_test, info, mail(), for_test=True) == Routed("fallback", "p5")

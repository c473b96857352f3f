"""AMB-9, IN-7, design §7: what is the same mail, and what is the same effect."""

from services.ingest.domain.keys import effect_key, key_in_mailbox, mail_key
from services.ingest.parsing.parser import parse
from tests.unit.ingest.desk import mail, raw


def test_a_mail_is_known_by_its_message_id_whatever_a_relay_did_to_it() -> None:
    assert mail_key("acme", mail(subject="a")) == mail_key("acme", mail(subject="[list] a"))


def test_the_same_message_id_in_another_organisation_is_another_mail() -> None:
    assert mail_key("acme", mail()) != mail_key("other", mail())


def test_without_a_message_id_the_content_tells_and_trace_headers_do_not_count() -> None:
    one, copy = parse(raw("no-message-id")), parse(raw("no-message-id-other-trace"))
    other = parse(raw("no-message-id").replace(b"gives", b"has"))
    assert mail_key("acme", one) == mail_key("acme", copy)
    assert mail_key("acme", one) != mail_key("acme", other)


def test_a_digest_never_meets_a_message_id_of_the_same_letters() -> None:
    assert mail_key("acme", mail(message_id=None, digest="d")) != mail_key("acme", mail(message_id="d"))


def test_the_same_message_id_with_other_content_in_the_same_mailbox_is_another_mail() -> None:
    first, second = mail(digest="one"), mail(digest="two")
    seen = {mail_key("acme", first): "one"}
    assert key_in_mailbox("acme", first, seen) == mail_key("acme", first)
    assert key_in_mailbox("acme", second, seen) != mail_key("acme", second)
    assert key_in_mailbox("acme", second, {}) == mail_key("acme", second)


def test_an_effect_is_one_per_mail_and_target_in_any_case_of_letters() -> None:
    assert effect_key("k", "info@desk.example") == effect_key("k", "Info@desk.example")
    assert len({effect_key("k", "a@x"), effect_key("k", "b@x"), effect_key("l", "a@x")}) == 3


def test_line_ends_and_folding_do_not_change_the_digest() -> None:
    crlf = b"From: a@x.example\r\nSubject: one\r\n two\r\n\r\nbody\r\n"
    lf = b"Subject: one two\nFrom: a@x.example\nReceived: by y\n\nbody\n\n"
    assert parse(crlf).digest == parse(lf).digest


def test_pieces_of_garbage_are_different_mails_although_nobody_wrote_from_date_subject_or_body() -> None:
    """AMB-9: else all but the first would be taken for its repetition, and lost."""
    trace = b"Received: from 127.0.0.1; Sun, 22 Nov 2026 10:00:00 +0000\r\n"
    garbage = [
        trace + b"\r\n",
        trace + b"\x80\xff\xfe",
        trace + b"\x81\xff\xfe",
        trace + b"X-Only: one\r\n\r\n",
    ]
    assert len({parse(raw).digest for raw in garbage}) == len(garbage)

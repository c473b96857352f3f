"""From a request to the bytes that are sent (PA-2, PA-3, PA-6, PA-8, AMB-38; RFC 3834, 5321, 5322)."""

from dataclasses import replace

import pytest

from services.notify.domain.compose import compose
from services.notify.domain.mail import ComposedMail, Person, Refused, SendingMailbox, TemplateText
from shared.references import ticket
from shared.tokens import Signature, parse_message_id, parse_plus_address
from tests.support.letters import (
    CONVERSATION,
    HELP,
    KEYRING,
    MAIL,
    NOON,
    acknowledgement,
    organisation,
    parsed,
    part,
    reply,
)


def composed(asked: object, **changes: object) -> ComposedMail:
    return compose(asked, organisation(**changes), KEYRING, NOON)  # type: ignore[arg-type]


def test_an_answer_comes_home_by_the_signed_address() -> None:
    """PA-2, PA-3, AMB-38."""
    mail = composed(reply())
    address = parsed(mail.mime)["From"].addresses[0]
    plus = parse_plus_address(KEYRING, "acme", address.addr_spec)
    assert plus is not None
    assert (plus.base, plus.reference, plus.conversation) == (HELP.address, ticket(101203), CONVERSATION)
    assert address.display_name == "Service desk"
    assert parsed(mail.mime)["Reply-To"] is None


def test_an_answer_comes_home_by_the_signed_message_id() -> None:
    mail = composed(reply())
    assert parsed(mail.mime)["Message-ID"] == f"<{mail.message_id}>"
    own = parse_message_id(KEYRING, "acme", mail.message_id)
    assert own is not None
    assert (own.mail_id, own.conversation, own.signature) == (MAIL, CONVERSATION, Signature.VALID)


def test_the_same_request_gives_the_same_message_id() -> None:
    """It is fixed before the first attempt (design §2)."""
    assert composed(reply()).message_id == composed(reply()).message_id


def test_hidden_matching_data_moves_to_reply_to() -> None:
    """PA-6."""
    mail = composed(reply(), mailboxes={"help": replace(HELP, hide=True)})
    assert parsed(mail.mime)["From"].addresses[0].addr_spec == HELP.address
    assert "+101203-T." in parsed(mail.mime)["Reply-To"].addresses[0].addr_spec
    assert "+101203-T." in mail.home
    assert mail.sender.address == HELP.address


def test_a_mailbox_without_plus_addressing_sends_from_its_plain_address() -> None:
    """PA-1, PA-5: its server would bounce the answer."""
    mail = composed(reply(), mailboxes={"help": replace(HELP, plus=False)})
    assert mail.sender.address == mail.home == HELP.address


@pytest.mark.parametrize(
    ("local", "suffix"),
    [("a" * 24, "+101203-T."), ("a" * 30, "+"), ("a" * 40, "")],
    ids=["both fit", "the token fits", "neither fits"],
)
def test_a_long_mailbox_address_carries_what_fits(local: str, suffix: str) -> None:
    """PA-8."""
    mail = composed(reply(), mailboxes={"help": SendingMailbox(f"{local}@mailroom.test")})
    sender = mail.sender.address
    assert sender.startswith(f"{local}{suffix}")
    assert ("+" in sender) is bool(suffix)
    assert len(sender.partition("@")[0]) <= 64


def test_an_automatic_mail_says_what_it_is() -> None:
    """RFC 3834 5: no machine answers it."""
    mail = composed(acknowledgement())
    headers = parsed(mail.mime)
    assert headers["Auto-Submitted"] == "auto-replied"
    assert headers["X-Auto-Response-Suppress"] == "All"


def test_an_automatic_mail_that_answers_nothing_is_generated() -> None:
    mail = composed(acknowledgement(in_reply_to=None, references=()))
    assert parsed(mail.mime)["Auto-Submitted"] == "auto-generated"


def test_a_persons_mail_is_not_marked() -> None:
    assert parsed(composed(reply()).mime)["Auto-Submitted"] is None


def test_an_automatic_mail_repeats_nothing_that_its_recipient_wrote() -> None:
    """AMB-37: else strangers could send their words to anybody in our name."""
    bait = "WIN http://spam.example"
    texts = {"en": TemplateText("{{ reference }}", "{{ title }}")}
    asked = acknowledgement(
        to=(Person("anna@harbour.test", bait),), subject=bait, variables={"title": bait, "reference": bait}
    )
    with pytest.raises(Refused) as refused:
        composed(asked, templates={"acknowledgement": texts})
    assert refused.value.refusal.code == "template_variable_missing"
    assert bait.encode() not in composed(asked).mime


def test_a_persons_mail_may_use_any_variable_of_a_template() -> None:
    texts = {"en": TemplateText("{{ title }}", "{{ title }}")}
    asked = reply(text=None, template="acknowledgement", variables={"title": "Printer"})
    assert composed(asked, templates={"acknowledgement": texts}).subject == "Printer"


def test_text_and_html_say_the_same() -> None:
    mail = composed(reply(text="a < b\nand\n\nc & d ü\n"))
    assert parsed(mail.mime).get_content_type() == "multipart/alternative"
    assert part(mail.mime, "plain") == "a < b\nand\n\nc & d ü\n"
    assert "<p>a &lt; b<br>\nand</p>\n<p>c &amp; d ü</p>" in part(mail.mime, "html")


def test_an_answer_is_tied_to_its_thread() -> None:
    """RFC 5322 3.6.4, 3.6.5."""
    mail = composed(
        reply(in_reply_to="2@x.test", references=("1@x.test", "2@x.test"), subject="AW: RE: Printer")
    )
    headers = parsed(mail.mime)
    assert headers["In-Reply-To"] == "<2@x.test>"
    assert headers["References"].split() == ["<1@x.test>", "<2@x.test>"]
    assert headers["Subject"] == "Re: Printer"


def test_long_message_ids_are_neither_folded_nor_encoded() -> None:
    ids = tuple(f"{'x' * 200}{number}@harbour.test" for number in range(5))
    mime = composed(reply(in_reply_to=ids[-1], references=ids)).mime
    for each in ids:
        assert f"<{each}>".encode() in mime


def test_a_line_break_in_a_persons_subject_becomes_a_space() -> None:
    mail = composed(reply(subject="Printer\r\nBcc: all@example.org"))
    assert mail.subject == "Printer Bcc: all@example.org"
    assert parsed(mail.mime)["Bcc"] is None


def test_a_line_break_in_a_templates_subject_is_refused() -> None:
    texts = {"en": TemplateText("Hello\n{{ reference }}", "text")}
    with pytest.raises(Refused) as refused:
        composed(acknowledgement(), templates={"acknowledgement": texts})
    assert refused.value.refusal.code == "header_invalid"


def test_every_recipient_stands_once() -> None:
    twice = Person("ANNA@harbour.test", "Anna again")
    mail = composed(reply(cc=(twice, Person("ben@harbour.test"))))
    assert mail.recipients == ("anna@harbour.test", "ben@harbour.test")
    assert [each.addr_spec for each in parsed(mail.mime)["Cc"].addresses] == ["ben@harbour.test"]


def test_a_domain_beyond_ascii_is_written_in_ascii() -> None:
    mail = composed(reply(to=(Person("anna@hafen-münchen.test"),)))
    assert mail.recipients == ("anna@xn--hafen-mnchen-jlb.test",)
    assert not mail.needs_smtputf8


def test_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    mail = composed(reply(to=(Person("jürgen@harbour.test", "Jürgen"),)))
    assert mail.needs_smtputf8
    assert "<jürgen@harbour.test>".encode() in mail.mime


def test_what_is_sent_is_seven_bit_with_crlf() -> None:
    mime = composed(reply(text="ü" * 500 + "\n" + "x" * 2000, subject="Größe " * 40)).mime
    assert mime.isascii()
    assert b"\n" not in mime.replace(b"\r\n", b"")
    assert max(map(len, mime.split(b"\r\n"))) <= 998

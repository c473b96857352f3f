"""Which mails are never sent, and why (AMB-37, IN-5, IN-17)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.addresses import compared
from services.notify.domain.mail import Asked, Person, Refused, TemplateText
from services.notify.domain.policy import RULES, refusal
from services.notify.domain.rate import Allowance
from services.notify.domain.templates import choose, render
from tests.support.letters import HELP, acknowledgement, organisation, reply

BROKEN: dict[str, Asked] = {
    "mailbox_unknown": reply(mailbox="gone"),
    "no_recipient": reply(to=()),
    "address_unusable": reply(to=(Person("a@b@c.test"),)),
    "own_mailbox": reply(cc=(Person("Help@Mailroom.test"),)),
    "content_missing": reply(text=None),
    "template_unknown": reply(text=None, template="gone"),
    "automatic_without_template": reply(automatic=True),
    "recipient_is_a_machine": acknowledgement(to=(Person("owner-list@harbour.test"),)),
}


def test_every_rule_is_tried_here() -> None:
    assert list(BROKEN) == [rule.code for rule in RULES]


@pytest.mark.parametrize("code", BROKEN)
def test_a_mail_that_breaks_a_rule_is_refused_with_a_sentence(code: str) -> None:
    found = refusal(BROKEN[code], organisation())
    assert found is not None
    assert found.code == code
    assert found.detail.endswith((".", "(AMB-37)."))


@pytest.mark.parametrize("asked", [reply(), acknowledgement()], ids=["reply", "acknowledgement"])
def test_an_ordinary_mail_breaks_none(asked: Asked) -> None:
    assert refusal(asked, organisation()) is None


def test_mail_to_our_own_mailbox_is_refused_because_nobody_would_read_it() -> None:
    """IN-5 drops our own mail when it comes back."""
    found = refusal(reply(to=(Person(HELP.address),)), organisation())
    assert found is not None
    assert "IN-5" in found.detail


@pytest.mark.parametrize("local", ["MAILER-DAEMON", "owner-x", "list-request", "listserv", "majordomo"])
def test_machines_get_no_automatic_mail_but_people_may_write_to_them(local: str) -> None:
    """IN-17, RFC 5230 4.6."""
    nobody = (Person(f"{local}@harbour.test"),)
    assert refusal(acknowledgement(to=nobody), organisation()) is not None
    assert refusal(reply(to=nobody), organisation()) is None


addresses = st.sampled_from(["a@x.test", "A@x.test", "b@x.test", "c@x.test"])


@settings(max_examples=100)
@given(st.lists(st.lists(addresses, min_size=1, max_size=3), max_size=30), st.integers(1, 5), st.data())
def test_how_batches_are_cut_does_not_change_who_gets_mail(
    mails: list[list[str]], limit: int, data: Any
) -> None:
    """AMB-37: nobody gets more than the limit, and what was sent earlier counts like what is sent now."""
    cut = data.draw(st.integers(0, len(mails)))
    whole = Allowance(limit, {})
    together = [whole.admit(mail) is None for mail in mails]
    first = Allowance(limit, {})
    parts = [first.admit(mail) is None for mail in mails[:cut]]
    used: dict[str, int] = {}
    for mail, admitted in zip(mails, parts, strict=False):
        for address in {compared(each) for each in mail} if admitted else ():
            used[address] = used.get(address, 0) + 1
    second = Allowance(limit, used)
    parts += [second.admit(mail) is None for mail in mails[cut:]]
    assert parts == together
    for address in ("a@x.test", "b@x.test", "c@x.test"):
        got = [
            mail
            for mail, sent in zip(mails, together, strict=True)
            if sent and address in map(compared, mail)
        ]
        assert len(got) <= limit


TEXTS = {
    "en": TemplateText("s", "english"),
    "fr": TemplateText("s", "français"),
    "pt-BR": TemplateText("s", "brasileiro"),
}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "français"),
        ("fr-CA", "français"),
        ("pt-BR", "brasileiro"),
        ("pt", "english"),
        ("de", "english"),
    ],
)
def test_a_template_falls_back_to_the_base_language_and_then_to_english(language: str, text: str) -> None:
    """NT-1."""
    assert choose(TEXTS, language).text == text


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ missing }}", "template_variable_missing"),
        ("{% if %}", "template_broken"),
        ("{{ ''.__class__.__mro__ }}", "template_broken"),
        ("{{ range(9) }}", "template_variable_missing"),
        ("{{ 'x' * 1000000000 }}", "template_broken"),
        ("{{ 1 / 0 }}", "template_broken"),
    ],
)
def test_a_template_that_does_not_work_out_is_refused(source: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        render(TemplateText("s", source), {})
    assert refused.value.refusal.code == code


def test_html_templates_escape_what_they_are_given() -> None:
    rendered = render(TemplateText("{{ a }}", "{{ a }}", "<b>{{ a }}</b>"), {"a": "<x>"})
    assert (rendered.subject, rendered.text, rendered.html) == ("<x>", "<x>", "<b>&lt;x&gt;</b>")

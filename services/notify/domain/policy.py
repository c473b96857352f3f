"""Which mails are never sent: an ordered table of named rules. The first that is broken is the answer."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.notify.domain.addresses import compared, sendable
from services.notify.domain.mail import Asked, OrganisationView, Refusal

# Who must not be answered by a machine: mailing lists and mail systems (RFC 5230 4.6).
_NOBODY = re.compile(r"owner-.+|.+-(request|owner)|mailer-daemon|listserv|majordomo", re.I)


@dataclass(frozen=True, slots=True)
class Rule:
    """`broken` gives the sentence that says why the mail breaks it, or None."""

    code: str
    broken: Callable[[Asked, OrganisationView], str | None]


def _mailbox_unknown(asked: Asked, organisation: OrganisationView) -> str | None:
    if asked.mailbox in organisation.mailboxes:
        return None
    return f"There is no mailbox {asked.mailbox!r} to send from."


def _no_recipient(asked: Asked, _: OrganisationView) -> str | None:
    return None if asked.recipients else "It is addressed to nobody."


def _address_unusable(asked: Asked, _: OrganisationView) -> str | None:
    wrong = [person.address for person in asked.recipients if sendable(person.address) is None]
    return f"No mail can be sent to {wrong[0]!r}." if wrong else None


def _own_mailbox(asked: Asked, organisation: OrganisationView) -> str | None:
    for person in asked.recipients:
        for address in (person.address, compared(person.address)):
            if (mailbox := organisation.own_mailbox(address)) is not None:
                return (
                    f"{person.address} is our own mailbox {mailbox!r}: a mail of ours that comes back is "
                    "dropped (IN-5), so nobody would read it. Mail to internal teams is not possible yet."
                )
    return None


def _no_content(asked: Asked, _: OrganisationView) -> str | None:
    if (asked.template is None) != (asked.text is None):
        return None
    return "It needs either a template or a text."


def _template_unknown(asked: Asked, organisation: OrganisationView) -> str | None:
    if asked.template is None or asked.template in organisation.templates:
        return None
    return f"There is no template {asked.template!r}."


def _automatic_without_template(asked: Asked, _: OrganisationView) -> str | None:
    if asked.automatic and asked.template is None:
        return "An automatic mail is made from a template, so that it repeats nobody's words (AMB-37)."
    return None


def _nobody_there(asked: Asked, _: OrganisationView) -> str | None:
    if not asked.automatic:
        return None
    for person in asked.recipients:
        if _NOBODY.fullmatch(person.address.rpartition("@")[0]):
            return f"{person.address} is a machine's address; no automatic mail goes there."
    return None


RULES: tuple[Rule, ...] = (
    Rule("mailbox_unknown", _mailbox_unknown),
    Rule("no_recipient", _no_recipient),
    Rule("address_unusable", _address_unusable),
    Rule("own_mailbox", _own_mailbox),
    Rule("content_missing", _no_content),
    Rule("template_unknown", _template_unknown),
    Rule("automatic_without_template", _automatic_without_template),
    Rule("recipient_is_a_machine", _nobody_there),
)


def refusal(asked: Asked, organisation: OrganisationView) -> Refusal | None:
    """The first rule that the mail breaks, or None if it may be composed."""
    for rule in RULES:
        if (detail := rule.broken(asked, organisation)) is not None:
            return Refusal(rule.code, detail)
    return None

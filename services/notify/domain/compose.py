"""From what is asked for to the bytes that are sent. Pure: time, keys and configuration are passed in."""

from datetime import datetime
from email.utils import format_datetime

from services.notify.domain import headers, mime
from services.notify.domain.addresses import compared, sendable
from services.notify.domain.mail import (
    Asked,
    ComposedMail,
    OrganisationView,
    Person,
    Refused,
    SendingMailbox,
    TemplateText,
)
from services.notify.domain.templates import choose, html_of, render
from services.notify.domain.threading import reply_subject, thread
from shared.keyring import Keyring
from shared.template_variables import AUTOMATIC_VARIABLES
from shared.tokens import message_id, reply_address

Field = tuple[str, str]
"""A header field: its name and its value, folded."""


def compose(asked: Asked, organisation: OrganisationView, keyring: Keyring, now: datetime) -> ComposedMail:
    """Render, sign and write a mail that breaks no rule of `policy`.

    Raises `Refused` when a template or a header does not work out.
    """
    mailbox = organisation.mailboxes[asked.mailbox]
    home = _home(asked, organisation.name, mailbox, keyring)
    sender = Person(mailbox.address if mailbox.hide else home, mailbox.name)
    to, cc = _addressed(asked)
    content = _content(asked, organisation, mailbox, home)
    signed = message_id(
        keyring, organisation.name, _domain(mailbox.address), asked.mail, asked.conversation, asked.reference
    )
    needs_smtputf8 = not all(person.address.isascii() for person in (Person(home), sender, *to, *cc))
    try:
        fields = [
            ("Date", format_datetime(now)),
            ("Message-ID", headers.ids([signed])),
            *_people(sender, home, mailbox.name, to, cc),
            ("Subject", headers.text(content.subject)),
            *_ties(asked),
            *_marks(asked),
        ]
    except ValueError as error:
        raise Refused("header_invalid", f"A header cannot be written: {error}.") from error
    write = mime.beginning if asked.attachments else mime.alternative
    return ComposedMail(
        asked=asked,
        message_id=signed[1:-1],
        sender=sender,
        home=home,
        to=to,
        cc=cc,
        needs_smtputf8=needs_smtputf8,
        subject=content.subject,
        text=content.text,
        mime=write(fields, content.text, content.html or html_of(content.text), asked.mail.hex),
        composed_at=now,
    )


def _home(asked: Asked, organisation: str, mailbox: SendingMailbox, keyring: Keyring) -> str:
    """Where answers shall come: the signed plus address, or the plain one (PA-2, PA-5, PA-8)."""
    address = mailbox.address
    if mailbox.plus:
        address = reply_address(keyring, organisation, address, asked.conversation, asked.reference)
    spelled = sendable(address)
    if spelled is None:
        raise Refused("mailbox_unusable", f"Nothing can be sent from the address of {asked.mailbox!r}.")
    return spelled


def _addressed(asked: Asked) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    """To and Cc, each address once, and without names on automatic mail: senders choose their own names."""
    seen: set[str] = set()
    sides: list[tuple[Person, ...]] = []
    for side in (asked.to, asked.cc):
        people: list[Person] = []
        for person in side:
            address = sendable(person.address)
            if address is not None and compared(address) not in seen:
                seen.add(compared(address))
                people.append(Person(address, "" if asked.automatic else person.name))
        sides.append(tuple(people))
    return sides[0], sides[1]


def _content(
    asked: Asked, organisation: OrganisationView, mailbox: SendingMailbox, home: str
) -> TemplateText:
    if asked.template is None:
        # It may be the subject of a mail that came in, with whatever a stranger put there.
        subject = " ".join(headers.CONTROL.sub(" ", asked.subject or "").split()) or str(asked.reference)
        if asked.in_reply_to or asked.references:
            subject = reply_subject(subject)
        return TemplateText(subject, asked.text or "")
    given = {
        name: value
        for name, value in asked.variables.items()
        if not asked.automatic or name in AUTOMATIC_VARIABLES
    }
    ours = {"reference": str(asked.reference), "mailbox": mailbox.name or mailbox.address, "address": home}
    return render(choose(organisation.templates[asked.template], asked.language), given | ours)


def _people(
    sender: Person, home: str, name: str, to: tuple[Person, ...], cc: tuple[Person, ...]
) -> list[Field]:
    answers = (Person(home, name),) if sender.address != home else ()
    sides = (("From", (sender,)), ("Reply-To", answers), ("To", to), ("Cc", cc))
    return [(field, headers.addresses(people)) for field, people in sides if people]


def _ties(asked: Asked) -> list[Field]:
    tied = thread(asked.in_reply_to, asked.references)
    parents = (tied.in_reply_to,) if tied.in_reply_to is not None else ()
    sides = (("In-Reply-To", parents), ("References", tied.references))
    return [(field, headers.ids([f"<{each}>" for each in ids])) for field, ids in sides if ids]


def _marks(asked: Asked) -> list[Field]:
    """Tell other machines that a machine wrote this, so that none answers.

    RFC 3834 5: `auto-replied` answers a mail, `auto-generated` comes by itself. Exchange asks for a field of
    its own. Precedence is left out: RFC 3834 3.1.8 only allows it, and to some it means advertising.
    """
    if not asked.automatic:
        return []
    origin = "auto-replied" if asked.in_reply_to else "auto-generated"
    return [("Auto-Submitted", origin), ("X-Auto-Response-Suppress", "All")]


def _domain(address: str) -> str:
    return (sendable(address) or address).rpartition("@")[2]

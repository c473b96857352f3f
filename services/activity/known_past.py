"""What is known of the past when a schema has forgotten it, and what nobody knows any more."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import RequestAccepted, RequestRefused
from shared.contracts.activity_calls import CallMade
from shared.contracts.activity_contacts import ContactChanged, ContactMerged
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.ingest_requests import MailReinject, MailSetAside
from shared.contracts.notify_mails import OutgoingMail
from shared.contracts.notify_requests import MailCompose
from shared.decoding import Incoming

Event = tuple[Incoming[events.ActivityRecord], bytes]
"""An event with its bytes as it was published."""


@dataclass(slots=True)
class Past:
    """What happened and was said, oldest first, and what was read meanwhile and led to it.

    `requests` go by organisation and id. `erased` are the tombstones of contacts, whose ids are their
    subjects.
    """

    happened: list[Event] = field(default_factory=list)
    composed: list[Incoming[MailCompose]] = field(default_factory=list)
    answers: list[Incoming[RequestAccepted | RequestRefused]] = field(default_factory=list)
    set_aside: list[Incoming[MailSetAside]] = field(default_factory=list)
    contacts: list[Incoming[ContactChanged | ContactMerged]] = field(default_factory=list)
    erased: list[Envelope] = field(default_factory=list)
    reinjected: list[Incoming[MailReinject]] = field(default_factory=list)
    calls: list[Incoming[CallMade]] = field(default_factory=list)
    mails: list[Incoming[MailReceived]] = field(default_factory=list)
    reports: list[Incoming[OutgoingMail]] = field(default_factory=list)
    requests: dict[tuple[str, str], Incoming[asked.Request]] = field(default_factory=dict)


@dataclass(slots=True)
class Lost:
    """What could not be brought back."""

    contacts: int = 0
    texts: int = 0
    mails: int = 0

    def __iter__(self) -> Iterator[str]:
        for number, what in (
            (self.contacts, "contacts, of whom nobody knows the address any more"),
            (self.texts, "titles, descriptions and notes, whose texts no topic has"),
            (self.mails, "mails, which were never asked of notify: they show as failed"),
        ):
            if number:
                yield f"lost are {number} {what}"

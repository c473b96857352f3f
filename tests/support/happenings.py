"""What happens in an office beside plain records: word of its mails, files, people, and time that passes.

What needs an id that only the office knows is looked up when it happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol

from services.activity.uploads import ActivityAddFile
from services.activity.work_timers import fired
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_contacts import ContactEdit, ContactErase, ContactMerge
from shared.contracts.blob import Blob
from shared.contracts.ingest_mails import MailNotReinjected, MailReceived
from shared.contracts.mail import Content, Delivery, Mailbox, RecipientResult
from shared.contracts.notify_mails import MailComposed, MailDeferred, MailFailed, MailSent
from shared.unit_of_work import Incoming
from tests.support.office import HELP, NOON, addressed, incoming, user
from tests.support.second_life import Diary


async def _one_of(topic: str, type_: str, which: int, office: Diary) -> dict[str, Any] | None:
    """One of the records of a type that the office has said, if there is any."""
    said = await office.said(topic, type_)
    return said[which % len(said)] if said else None


class Happening(Protocol):
    """Something that happens in an office."""

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        """What the office has to work on because of it."""


@dataclass(frozen=True)
class Heard:
    """A record that says all there is to say."""

    record: Incoming[Any]

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        return [self.record]


@dataclass(frozen=True)
class TimePasses:
    """Timers fire that are due by then."""

    days: int

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        await office.advance(days=self.days)
        rows = await office.pool.fetch(
            "SELECT * FROM timers WHERE due_at <= $1 ORDER BY due_at, activity", office.clock.now()
        )
        return [
            fired(
                row["organisation"], row["activity"], row["generation"], row["due_at"], closes=row["closes"]
            )
            for row in rows
        ]


@dataclass(frozen=True)
class NotifyTells:
    """Word of one of the mails that were asked of notify."""

    number: int
    which: int
    kind: str

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        one = await _one_of("notify.requests.v1", "mail.compose", self.which, office)
        if one is None:
            return ()
        to = tuple(Mailbox.model_validate(each) for each in one["to"])
        names = "mail", "activity", "reference", "conversation"
        about = {name: one[name] for name in names} | {"at": office.clock.now()}
        message_id = f"{one['mail']}@acme.test"
        delivery = Delivery.ACCEPTED if self.kind == "sent" else Delivery.REFUSED
        results = tuple(RecipientResult(address=each.address, delivery=delivery) for each in to)
        told: Mapping[str, Any] = {
            "composed": lambda: MailComposed(
                **about,
                mailbox=one["mailbox"],
                message_id=message_id,
                sender=Mailbox(address=HELP),
                to=to,
                content=Content(subject="What was sent", text="As it was sent"),
            ),
            "sent": lambda: MailSent(**about, message_id=message_id, recipients=results, attempts=1),
            "deferred": lambda: MailDeferred(
                **about, reason="Away", attempts=1, next_attempt=office.clock.now() + timedelta(hours=1)
            ),
            "failed": lambda: MailFailed(**about, reason="No", recipients=results, attempts=1),
        }
        report = told[self.kind]()
        return [incoming(report, f"report-{self.number}", source="tests/notify", at=office.clock.now())]


@dataclass(frozen=True)
class IngestTells:
    """What came of one of the mails that were asked of ingest again, for a Ticket of its own."""

    number: int
    which: int
    letters: Sequence[Incoming[MailReceived]]
    found: bool

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        one = await _one_of("ingest.requests.v1", "mail.reinject", self.which, office)
        if one is None:
            return ()
        record: Any = MailNotReinjected(why="no_route", mail=one["mail"], activity=one["activity"])
        if self.found:
            mail = next(each.message for each in self.letters if str(each.message.mail) == one["mail"])
            record = mail.model_copy(
                update={"reinjected_for": record.activity, "targets": (addressed(HELP),)}
            )
        return [incoming(record, f"again-{self.number}", source="tests/ingest", at=NOON)]


@dataclass(frozen=True)
class OnFile:
    """Somebody puts a file on a Ticket, over HTTP, or calls it otherwise or takes it away."""

    number: int
    reference: str
    which: int
    kind: str

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        on: dict[str, Any] = {"actor": user("amelie"), "reference": self.reference}
        name = f"file-{self.number}"
        if self.kind == "add":
            digest = sha256(name.encode()).hexdigest()
            blob = Blob(object=f"acme/activity/{digest}", sha256=digest, size=len(name), name=name)
            return [
                incoming(ActivityAddFile(blob=blob, **on), name, source="tests/http", at=office.clock.now())
            ]
        there = await office.pool.fetch("SELECT id FROM files WHERE removed_at IS NULL ORDER BY id")
        if not there:
            return ()
        on["file"] = there[self.which % len(there)]["id"]
        request = asked.ActivityEditFile(name=name, tags=("plan",), **on)
        if self.kind == "remove":
            request = asked.ActivityRemoveFile(**on)
        return [incoming(request, name, at=office.clock.now())]


@dataclass(frozen=True)
class OnPerson:
    """Somebody edits a contact, makes it one with another, or erases it."""

    number: int
    which: int
    other: int
    kind: str

    async def records(self, office: Diary) -> Sequence[Incoming[Any]]:
        rows = await office.pool.fetch("SELECT id FROM contacts ORDER BY id")
        if not rows:
            return ()
        one, other = (rows[each % len(rows)]["id"] for each in (self.which, self.other))
        on: dict[str, Any] = {"actor": user("lea"), "contact": one}
        made: Mapping[str, Any] = {
            "edit": lambda: ContactEdit(last_name=f"Name {self.number}", extra_tag="cc", **on),
            "move": lambda: ContactEdit(address=f"sender{self.other}@harbour.test", **on),
            "merge": lambda: ContactMerge(into=other, **on),
            "erase": lambda: ContactErase(reason="asked_for", open_tickets=True, **on),
        }
        return [incoming(made[self.kind](), f"person-{self.number}", at=office.clock.now())]

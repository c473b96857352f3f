"""Tickets as HTTP shows them: header data for everybody, the rest for who may see the process (AMB-34)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.activity.domain.activity import Activity
from services.activity.labels import status_label
from services.activity.store_mails import Delivery, Mail
from shared.contracts.activity_requests import Actor
from shared.contracts.mail import Mailbox
from shared.organisation import Organisation, Unknown


class TicketHeader(BaseModel):
    """What anybody of the organisation sees. `permitted` says whether the caller may open it."""

    reference: str
    kind: str
    title: str
    status: str
    status_label: str
    process: str
    assignee: str | None
    queue: str | None
    permitted: bool


class TicketSummary(TicketHeader):
    """A line of a list, where the caller may see the process."""

    version: int
    category: str | None
    owner: str | None
    new_information: bool
    opened: datetime


class ContactView(BaseModel):
    """A contact with one of its tags (CT-2)."""

    tag: str
    id: UUID
    address: str
    first_name: str
    last_name: str
    auto_created: bool


class WaitView(BaseModel):
    """What it waits for (ST-9)."""

    type: str
    until: datetime
    days: int | None
    close_if_no_response: bool


class ResolutionView(BaseModel):
    """How, when and by whom it was resolved; `written` is the mail or note that says so."""

    method: str
    by: Actor
    at: datetime
    written: UUID | None


class ReopeningView(BaseModel):
    """By whom and when it was last reopened (ST-15)."""

    by: Actor
    at: datetime


class LinkView(BaseModel):
    """A linked Ticket, as header data (LK-7)."""

    reason: str
    ticket: TicketHeader


class TicketView(TicketSummary):
    """All of a Ticket but its timeline."""

    id: UUID
    description: str
    mailbox: str | None
    started_by: str
    wait: WaitView | None
    feedback_until: datetime | None
    first_resolution: ResolutionView | None
    resolution: ResolutionView | None
    reopening: ReopeningView | None
    contacts: list[ContactView]
    links: list[LinkView]


class AttachmentView(BaseModel):
    """A file of a mail. `size` is in bytes, `href` where it can be had."""

    name: str
    media_type: str
    size: int
    href: str


class MailView(BaseModel):
    """A mail in the timeline. `text` is its beginning if `text_is_cut`; `html` is where its HTML can be had.

    `at` is when it came in or was asked for: long before the Ticket that goes on with its thread (IN-14).
    `outcome` and `delivery` are an outgoing mail's. `doubts` are addresses that were not believed (AMB-38).
    From `removed` on its text and files are gone: they were kept for as long as they are to be.
    """

    id: UUID
    direction: str
    at: datetime
    purpose: str | None
    sender: Mailbox | None
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    subject: str
    text: str
    text_is_cut: bool
    html: str | None
    attachments: list[AttachmentView]
    automatic: str | None
    outcome: str | None
    delivery: Delivery | None
    doubts: tuple[str, ...]
    removed: datetime | None


class TimelineEntry(BaseModel):
    """One event of a Ticket; which of the fields are there depends on its type (ST-16).

    `note_removed` says that somebody wrote a note, which was kept for as long as it is to be.
    """

    version: int
    type: str
    at: datetime
    actor: Actor
    rule: str
    was: str | None = None
    status: str | None = None
    reason: str | None = None
    wait: str | None = None
    method: str | None = None
    details: dict[str, Any]
    note: str | None = None
    note_removed: bool = False
    mail: MailView | None = None


class StepOffer(BaseModel):
    """A step and whether it can be taken now; if not, why."""

    step: str
    allowed: bool
    code: str | None = None
    detail: str | None = None
    missing: tuple[str, ...] = ()


class Shown:
    """Makes views for one caller: his organisation, the processes he may see, his language."""

    def __init__(self, organisation: Organisation, processes: frozenset[str], language: str | None) -> None:
        self._organisation = organisation
        self._processes = processes
        self._language = language

    def row(self, row: Any) -> TicketHeader | TicketSummary:
        """A row of `activities` as a line of a list."""
        if row["process"] not in self._processes:
            return self.header(row)
        return TicketSummary(
            **self.header(row).model_dump(),
            version=row["version"],
            category=row["category"],
            owner=row["owner"],
            new_information=row["new_information"],
            opened=row["created_at"],
        )

    def header(self, row: Any) -> TicketHeader:
        """The header data of a row of `activities`."""
        return TicketHeader(
            reference=row["reference"],
            kind=row["kind"],
            title=row["title"],
            status=row["status"],
            status_label=status_label(row["status"], self._language),
            process=self._title(row["process"]),
            assignee=row["assignee"],
            queue=row["queue"],
            permitted=row["process"] in self._processes,
        )

    def ticket(self, activity: Activity, row: Any, contacts: list[Any], links: list[Any]) -> TicketView:
        """All of a Ticket."""
        summary = self.row(row)
        wait = activity.wait
        return TicketView(
            **summary.model_dump(),
            id=activity.id,
            description=activity.description,
            mailbox=activity.mailbox,
            started_by=activity.started_by.value,
            wait=wait
            and WaitView(
                type=wait.type.value,
                until=wait.until,
                days=wait.days,
                close_if_no_response=wait.close_if_no_response,
            ),
            feedback_until=activity.feedback_until,
            first_resolution=row["first_resolution"],
            resolution=row["resolution"],
            reopening=row["reopening"],
            contacts=[ContactView(**dict(contact)) for contact in contacts],
            links=[LinkView(reason=link["link_reason"], ticket=self.header(link)) for link in links],
        )

    def _title(self, process: str) -> str:
        try:
            return self._organisation.process(process).title
        except Unknown:
            return process


_SAID_ELSEWHERE = frozenset(
    {"type", "activity", "reference", "version", "at", "actor", "rule", "was", "status", "reason", "method"}
)


def timeline_entry(row: Any, mail: Mail | None, reference: str) -> TimelineEntry:
    """A row of `history` with the mail it is about."""
    return TimelineEntry(
        version=row["version"],
        type=row["type"],
        at=row["at"],
        actor=Actor(kind=row["actor_kind"], id=row["actor"]),
        rule=row["rule"],
        was=row["was"],
        status=row["status"],
        reason=row["reason"],
        wait=row["wait"],
        method=row["method"],
        details={name: value for name, value in row["event"].items() if name not in _SAID_ELSEWHERE},
        note=row["note_text"],
        note_removed=row["note"] is not None and row["note_text"] is None,
        mail=mail and mail_view(mail, reference),
    )


def mail_view(mail: Mail, reference: str) -> MailView:
    """A mail as it stands in the timeline of `reference`."""
    content, place = mail.content, f"/v1/tickets/{reference}/mails/{mail.id}"
    return MailView(
        id=mail.id,
        direction="in" if mail.incoming else "out",
        at=mail.at,
        purpose=mail.purpose,
        sender=mail.sender,
        to=mail.recipients.to,
        cc=mail.recipients.cc,
        subject=content.subject,
        text=content.text,
        text_is_cut=content.full_text is not None,
        html=f"{place}/html" if content.html else None,
        attachments=[
            AttachmentView(
                name=attachment.blob.name or f"attachment-{number}",
                media_type=attachment.blob.media_type,
                size=attachment.blob.size,
                href=f"{place}/attachments/{number}",
            )
            for number, attachment in enumerate(content.attachments)
        ],
        automatic=mail.automatic,
        outcome=mail.outcome,
        delivery=mail.delivery,
        doubts=mail.doubts,
        removed=mail.removed_at,
    )

"""An activity's timeline as HTTP shows it: what happened, with mails and notes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.activity.domain.links import Departure, DepartureState
from services.activity.resources import place_of
from services.activity.store_mails import Delivery, Mail
from shared.contracts.activity_requests import Actor
from shared.contracts.mail import Mailbox


class AttachmentView(BaseModel):
    """A file of a mail. `size` is in bytes, `href` where it can be had."""

    name: str
    media_type: str
    size: int
    href: str


class DepartureView(BaseModel):
    """A mail on its way to a new Ticket: `requested`, `done` with its reference, `failed` and why (CE-7)."""

    state: str
    reference: str | None
    why: str | None


class MailView(BaseModel):
    """A mail in the timeline. `text` is its beginning if `text_is_cut`; `html` is where its HTML can be had.

    `at` is when it came in or was asked for: long before the Ticket that goes on with its thread (IN-14).
    `outcome` and `delivery` are an outgoing mail's. `doubts` are addresses that were not believed (AMB-38).
    With `read_only` it began the Ticket that `departure` names: it is answered and shared there (CE-4).
    From `removed` on its text and files are gone: they were kept for as long as they are to be, or somebody
    who wrote or got it was `erased` (CT-21).
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
    erased: bool = False
    read_only: bool = False
    departure: DepartureView | None = None


class TimelineEntry(BaseModel):
    """One event of an activity; which of the fields are there depends on its type (ST-16).

    `note_removed` says that somebody wrote a note, which was kept for as long as it is to be. Where another
    Ticket was merged in, `brought` has what was noted, rated and resolved on it, newest first and as it is
    now; each of these is `of` the Ticket that it stands on (T33). Its mails are entries of their own.
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
    of: str | None = None
    brought: list["TimelineEntry"] = []


_SAID_ELSEWHERE = frozenset(
    {"type", "activity", "reference", "version", "at", "actor", "rule", "was", "status", "reason", "method"}
)


def timeline_entry(
    row: Any,
    mail: Mail | None,
    reference: str,
    departure: Departure | None = None,
    brought: Iterable[Any] = (),
) -> TimelineEntry:
    """A row of `history` with the mail it is about, and where that went from here.

    `brought` are the rows that came with a merge.
    """
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
        mail=mail and mail_view(mail, reference, departure),
        brought=[
            timeline_entry(each, None, reference).model_copy(update={"of": each["reference"]})
            for each in brought
        ],
    )


def merged_in(row: Any) -> UUID | None:
    """The Ticket whose merge into this one a row of `history` tells of (T33)."""
    return UUID(row["event"]["source"]["activity"]) if row["type"].endswith(".took_over") else None


def mail_view(mail: Mail, reference: str, departure: Departure | None = None) -> MailView:
    """A mail as it stands in the timeline of `reference`."""
    content, place = mail.content, f"{place_of(reference)}/mails/{mail.id}"
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
        erased=mail.erased_at is not None,
        read_only=departure is not None and departure.state is DepartureState.DONE,
        departure=departure
        and DepartureView(
            state=departure.state.value,
            reference=str(departure.reference) if departure.reference else None,
            why=departure.why,
        ),
    )

"""The mails that a recovered activity's workspace gets back, with where they stand (see `recover.py`)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from services.activity import announce
from services.activity.domain.activity import Activity
from services.activity.domain.links import DepartureState
from services.activity.known_past import Lost, Past
from services.activity.opening_tickets import mail_of
from services.activity.past_workspace import PastWorkspace
from services.activity.store_mails import Delivery, Mail, Recipients
from services.activity.work_reports import noted
from shared.contracts import activity_activities as events
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.ingest_requests import MailReinject
from shared.contracts.mail import TEXT_LIMIT, Attachment, Content
from shared.contracts.notify_requests import MailCompose
from shared.outbox import Outgoing

NEVER_ASKED = "It was asked for in the moment in which the database was lost, and never reached notify."


def mails(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """Mails that came in and went out, where they stand, and what became of them."""
    messages = {(each.envelope.organisation, each.message.mail): each.message for each in past.mails}
    purposes: dict[tuple[str, UUID], Any] = {}
    for each, _ in past.happened:
        organisation, record = each.envelope.organisation, each.message
        match record:
            case events.TicketOpened() | events.TicketMailAppended():
                if record.mail is not None:
                    _place(workspace, organisation, record.activity, record.mail, messages)
            case events.TicketMailContinued():
                workspace.continued(organisation, record)
            case events.TicketMailCopied():
                workspace.copied(organisation, record)
            case events.TicketMailShared():
                workspace.shared(organisation, record)
            case events.TicketDepartureMarked(state="done"):
                left = workspace.activities[organisation, record.activity]
                workspace.leave((organisation, record.mail), left)
            case events.TicketMailRequested():
                purposes[organisation, record.mail] = record
    for asked_of in past.composed:
        key = (asked_of.envelope.organisation, asked_of.message.mail)
        requested = purposes.pop(key, None)
        if key not in workspace.mails and requested is not None:
            _went_out(workspace, key[0], asked_of.message, requested.purpose)
    for (organisation, _), requested in purposes.items():
        if (organisation, requested.mail) not in workspace.mails:
            _never_asked(workspace, organisation, requested)
            lost.mails += 1
    for report in past.reports:
        known = workspace.mails.get((report.envelope.organisation, report.message.mail))
        if known is not None:
            workspace.keep(noted(known, report.message))
    given_back = {
        (each.envelope.organisation, each.message.mail, address.lower())
        for each in past.set_aside
        for address in each.message.addresses
    }
    workspace.effects |= {
        (each.envelope.organisation, each.message.mail, target.address.lower())
        for each in past.mails
        for target in each.message.targets
    } - given_back


def _place(
    workspace: PastWorkspace,
    organisation: str,
    id_: UUID,
    mail: UUID,
    messages: dict[tuple[str, UUID], MailReceived],
) -> None:
    activity, message = workspace.activities[organisation, id_], messages.get((organisation, mail))
    if message is None:
        return
    known = workspace.mails.get((organisation, mail)) or mail_of(organisation, message, ())
    workspace.keep(known)
    workspace.place(known, activity, _came_through(workspace, activity, message))


def _came_through(workspace: PastWorkspace, activity: Activity, message: MailReceived) -> str:
    """The mailbox because of which the mail stands there, as `work_mails.py` finds it."""
    organisation = workspace.organisations[activity.organisation]
    addressed = {organisation.mailbox_of(each.address) for each in (*message.to, *message.cc)}
    if activity.mailbox and (activity.mailbox in addressed or activity.opening_mail == message.mail):
        return activity.mailbox
    reference = str(activity.reference)
    named = [plus.mailbox for plus in message.plus if plus.reference == reference]
    return next(iter((*named, *(target.mailbox for target in message.targets), message.mailbox)))


def _went_out(workspace: PastWorkspace, organisation: str, compose: MailCompose, purpose: str) -> None:
    text = compose.text or ""
    files = tuple(Attachment(blob=each) for each in compose.attachments)
    reply = Content(subject=compose.subject or "", text=text[:TEXT_LIMIT], attachments=files)
    mail = Mail(
        organisation=organisation,
        id=compose.mail,
        conversation=compose.conversation,
        mailbox=compose.mailbox,
        at=compose.requested,
        content=reply if purpose == "reply" else Content(),
        references=compose.references,
        recipients=Recipients(to=compose.to, cc=compose.cc),
        purpose=purpose,
        outcome="requested",
    )
    workspace.keep(mail)
    workspace.place(mail, workspace.activities[organisation, compose.activity], compose.mailbox)


def _never_asked(workspace: PastWorkspace, organisation: str, requested: events.TicketMailRequested) -> None:
    activity = workspace.activities[organisation, requested.activity]
    mail = Mail(
        organisation=organisation,
        id=requested.mail,
        conversation=activity.conversation,
        mailbox=activity.mailbox or "",
        at=requested.at,
        content=Content(),
        purpose=requested.purpose,
        outcome="failed",
        delivery=Delivery(reason=NEVER_ASKED),
    )
    workspace.keep(mail)
    workspace.place(mail, activity, mail.mailbox)


def departures(workspace: PastWorkspace, past: Past) -> Iterator[Outgoing]:
    """What was to be asked of ingest in the moment in which the database was lost: it is asked now (CE-7)."""
    reached = {
        (each.envelope.organisation, each.message.activity, each.message.mail) for each in past.reinjected
    }
    for each, _ in past.happened:
        organisation, record = each.envelope.organisation, each.message
        if not isinstance(record, events.TicketDepartureMarked) or record.state != "requested":
            continue
        departure = workspace.activities[organisation, record.activity].departure(record.mail)
        mail = workspace.mails.get((organisation, record.mail))
        mailbox = workspace.standing.get((organisation, record.mail), {}).get(record.activity)
        missed = (organisation, record.activity, record.mail) not in reached
        if missed and mail and mailbox and departure and departure.state is DepartureState.REQUESTED:
            again = MailReinject(mail=record.mail, activity=record.activity, mailbox=mailbox)
            yield announce.mail_reinject(each.envelope, mail.conversation, again)

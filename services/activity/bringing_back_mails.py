"""The mails that a recovered activity's workspace gets back, with where they stand (see `recover.py`)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from services.activity import announce
from services.activity.domain.activity import Activity
from services.activity.domain.links import DepartureState
from services.activity.known_past import Lost, Past
from services.activity.opening_by_mail import mail_of
from services.activity.past_workspace import PastWorkspace
from services.activity.store_mails import Delivery, Mail, Recipients
from services.activity.work_reports import noted
from shared.contracts import activity_activities as events
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.ingest_requests import MailReinject
from shared.contracts.mail import TEXT_LIMIT, Attachment, Content
from shared.contracts.notify_requests import MailCompose
from shared.decoding import Incoming
from shared.outbox import Outgoing

NEVER_ASKED = "It was asked for in the moment in which the database was lost, and never reached notify."


class Mails:
    """The mails of the past, each put where it stood when it came or was asked for.

    What other activities have of them then follows from their events (`placement.py`).
    """

    def __init__(self, workspace: PastWorkspace, past: Past, lost: Lost) -> None:
        self._workspace = workspace
        self._lost = lost
        self._received = {(each.envelope.organisation, each.envelope.id): each.message for each in past.mails}
        self._composed = {
            (each.envelope.organisation, each.message.mail): each.message for each in past.composed
        }

    def cause(self, event: Incoming[Any]) -> MailReceived | None:
        """The mail that led to an event, if one did."""
        return self._received.get((event.envelope.organisation, event.envelope.causationid or ""))

    def place(self, event: Incoming[Any]) -> None:
        """What an event says of a mail that came in or was asked for."""
        match event.message:
            case events.ActivityOpened(mail=UUID()) | events.ActivityMailAppended():
                self._came_in(event)
            case events.ActivityMailRequested():
                self._was_asked_for(event)

    def _came_in(self, event: Incoming[Any]) -> None:
        workspace, message = self._workspace, self.cause(event)
        if message is not None:
            organisation = event.envelope.organisation
            activity = workspace.activities[organisation, event.message.activity]
            mail = workspace.mails.get((organisation, message.mail)) or mail_of(organisation, message, ())
            workspace.keep(mail)
            workspace.place(mail, activity, _came_through(workspace, activity, message))

    def _was_asked_for(self, event: Incoming[events.ActivityMailRequested]) -> None:
        workspace, requested = self._workspace, event.message
        key = event.envelope.organisation, requested.mail
        if key not in workspace.mails:
            activity = workspace.activities[key[0], requested.activity]
            compose = self._composed.get(key)
            self._lost.mails += compose is None
            mail = _asked(compose, activity, requested) if compose else _never_asked(activity, requested)
            workspace.keep(mail)
            workspace.place(mail, activity, mail.mailbox)


def outcomes(workspace: PastWorkspace, past: Past) -> None:
    """What became of mails that went out, and what those that came in have led to."""
    for report in past.reports:
        known = workspace.mails.get((report.envelope.organisation, report.message.mail))
        if known is not None:
            workspace.keep(noted(known, report.message))
    given_back = {
        (each.envelope.organisation, each.envelope.causationid, address.lower())
        for each in past.set_aside
        for address in each.message.addresses
    }
    # A mail that is told again for an activity of its own leads to nothing else, whatever it is addressed to.
    workspace.effects |= {
        (each.envelope.organisation, each.message.mail, target.address.lower())
        for each in past.mails
        for target in each.message.targets
        if each.message.reinjected_for is None
        and (each.envelope.organisation, each.envelope.id, target.address.lower()) not in given_back
    }


def _came_through(workspace: PastWorkspace, activity: Activity, message: MailReceived) -> str:
    """The mailbox because of which the mail stands there, as `work_mails.py` finds it."""
    organisation = workspace.organisations[activity.organisation]
    addressed = {organisation.mailbox_of(each.address) for each in (*message.to, *message.cc)}
    if activity.mailbox and (activity.mailbox in addressed or activity.opening_mail == message.mail):
        return activity.mailbox
    reference = str(activity.reference)
    named = [plus.mailbox for plus in message.plus if plus.reference == reference]
    return next(iter((*named, *(target.mailbox for target in message.targets), message.mailbox)))


def _asked(compose: MailCompose, activity: Activity, requested: events.ActivityMailRequested) -> Mail:
    text = compose.text or ""
    files = tuple(Attachment(blob=each) for each in compose.attachments)
    reply = Content(subject=compose.subject or "", text=text[:TEXT_LIMIT], attachments=files)
    return Mail(
        organisation=activity.organisation,
        id=compose.mail,
        conversation=compose.conversation,
        mailbox=compose.mailbox,
        at=compose.requested,
        content=reply if requested.purpose == "reply" else Content(),
        references=compose.references,
        recipients=Recipients(to=compose.to, cc=compose.cc),
        purpose=requested.purpose,
        outcome="requested",
    )


def _never_asked(activity: Activity, requested: events.ActivityMailRequested) -> Mail:
    return Mail(
        organisation=activity.organisation,
        id=requested.mail,
        conversation=activity.conversation,
        mailbox=activity.mailbox or "",
        at=requested.at,
        content=Content(),
        purpose=requested.purpose,
        outcome="failed",
        delivery=Delivery(reason=NEVER_ASKED),
    )


def departures(workspace: PastWorkspace, past: Past) -> Iterator[Outgoing]:
    """What was to be asked of ingest in the moment in which the database was lost: it is asked now (CE-7)."""
    reached = {
        (each.envelope.organisation, each.message.activity, each.message.mail) for each in past.reinjected
    }
    for each, _ in past.happened:
        organisation, record = each.envelope.organisation, each.message
        if not isinstance(record, events.ActivityDepartureMarked) or record.state != "requested":
            continue
        departure = workspace.activities[organisation, record.activity].departure(record.mail)
        mail = workspace.mails.get((organisation, record.mail))
        mailbox = workspace.standing.get((organisation, record.mail), {}).get(record.activity)
        missed = (organisation, record.activity, record.mail) not in reached
        if missed and mail and mailbox and departure and departure.state is DepartureState.REQUESTED:
            again = MailReinject(mail=record.mail, activity=record.activity, mailbox=mailbox)
            yield announce.mail_reinject(each.envelope, mail.conversation, again)

"""notify says what became of a mail: kept with the mail, and told in its activity's timeline (NT-14)."""

from dataclasses import replace
from typing import Any

from services.activity.approval_links import without_link
from services.activity.domain.steps import MailReported
from services.activity.domain.vocabulary import Outcome, Purpose
from services.activity.needs import Needs
from services.activity.store_mails import Delivery, Mail, Recipients
from services.activity.taking_steps import step_of, take
from services.activity.workspace import Workspace
from shared.contracts.notify_mails import (
    MailComposed,
    MailDeferred,
    MailFailed,
    MailRefused,
    MailSent,
    OutgoingMail,
)
from shared.unit_of_work import Incoming


class UnknownMail(LookupError):
    """The report is about a mail or an activity that does not exist here."""


def gather(incoming: Incoming[OutgoingMail], needs: Needs) -> None:
    """The mail and the activity that the report names."""
    organisation, report = incoming.envelope.organisation, incoming.message
    needs.activities.add((organisation, report.activity))
    needs.mails.add((organisation, report.mail))


def perform(workspace: Workspace, incoming: Incoming[OutgoingMail]) -> None:
    """Note what is reported. Raises `UnknownMail` before anything has changed."""
    organisation, report = incoming.envelope.organisation, incoming.message
    activity = workspace.activities.get((organisation, report.activity))
    mail = workspace.mails.get((organisation, report.mail))
    if activity is None or mail is None:
        raise UnknownMail(f"mail {report.mail} of activity {report.activity} is not known")
    after = noted(mail, report)
    if mail.erased_at:  # what became of it, and nothing of what it says and to whom (CT-21)
        told = after.delivery and after.delivery.model_copy(update={"recipients": (), "reason": None})
        after = replace(
            mail, message_id=after.message_id, sender=after.sender, outcome=after.outcome, delivery=told
        )
    workspace.keep(after)
    outcome = _OUTCOMES.get(type(report))
    if outcome:
        step = MailReported(report.mail, outcome)
        take(workspace, incoming.envelope, activity, step_of(activity, step, incoming.envelope))


_OUTCOMES: dict[type[OutgoingMail], Outcome] = {
    MailSent: Outcome.SENT,
    MailDeferred: Outcome.DEFERRED,
    MailFailed: Outcome.FAILED,
    MailRefused: Outcome.REFUSED,
}


def noted(mail: Mail, report: Any) -> Mail:
    """The mail with what the report says of it. Its content is what was really sent, once it is composed."""
    match report:
        case MailComposed():
            content = report.content
            if mail.purpose == Purpose.APPROVAL:
                # Whoever may read the timeline could decide by it in the approver's place (A25).
                content = content.model_copy(update={"text": without_link(content.text), "full_text": None})
            return replace(
                mail,
                message_id=report.message_id,
                sender=report.sender,
                recipients=Recipients(to=report.to, cc=report.cc),
                content=content,
                outcome="composed",
            )
        case MailSent():
            delivery = Delivery(recipients=report.recipients, attempts=report.attempts)
            return replace(mail, message_id=report.message_id, outcome="sent", delivery=delivery)
        case MailDeferred():
            delivery = Delivery(
                reason=report.reason, attempts=report.attempts, next_attempt=report.next_attempt
            )
            return replace(mail, outcome="deferred", delivery=delivery)
        case MailFailed():
            delivery = Delivery(recipients=report.recipients, reason=report.reason, attempts=report.attempts)
            return replace(mail, outcome="failed", delivery=delivery)
        case MailRefused():
            return replace(mail, outcome="refused", delivery=Delivery(reason=report.detail))
    raise TypeError(f"{type(report).__name__} is no report")

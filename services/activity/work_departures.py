"""A mail that was appended wrongly begins a new activity (section 7).

Somebody asks for it; ingest tells of the mail once more, to be appended nowhere, by the routes of the mailbox
that it came through; then the new activity is opened, and the old one says so. Each of the three is a
transaction of its own, and whichever comes a second time finds that it was done.
"""

from dataclasses import replace
from uuid import UUID

from services.activity import announce
from services.activity.domain.activity import Activity
from services.activity.domain.link_steps import MarkDeparture, StartNew
from services.activity.domain.links import Departure, DepartureState
from services.activity.domain.mail_facts import Target
from services.activity.domain.matching import Open, OpenedBecause
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import Status
from services.activity.domain.vocabulary import Actor
from services.activity.needs import Needs
from services.activity.opening_by_mail import mail_of, open_activity
from services.activity.request_names import Declined
from services.activity.routes_taken import way_of
from services.activity.store_mails import Mail
from services.activity.taking_steps import step_of, take
from services.activity.work_sharing import mail_on
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailNotReinjected, MailReceived
from shared.contracts.ingest_requests import MailReinject
from shared.unit_of_work import Incoming


def ask(
    workspace: Workspace,
    cause: Envelope,
    activity: Activity,
    request: asked.ActivityNewFromMail,
    actor: Actor,
) -> Activity | Refusal:
    """Ask ingest for it, once for each activity and mail (CE-7). Raises `Declined`."""
    known = activity.departure(request.mail)
    if known and known.state is not DepartureState.FAILED:
        return activity
    mail = None if activity.status is Status.CLOSED else _appended(workspace, activity, request)
    step, version = StartNew(request.mail), request.expected_version
    taken = step_of(activity, step, cause, actor, effect=announce.EFFECT, expected_version=version)
    after = take(workspace, cause, activity, taken)
    assert after is not None, "a request does something or is refused"
    if isinstance(after, Activity) and mail:
        mailbox = workspace.standing[mail.key][activity.id]
        again = MailReinject(mail=mail.id, activity=activity.id, mailbox=mailbox)
        workspace.said.append(announce.mail_reinject(cause, mail.conversation, again))
    return after


def _appended(workspace: Workspace, activity: Activity, request: asked.ActivityNewFromMail) -> Mail:
    """The mail, if it came in on the activity and did not open it (CE-2)."""
    mail = mail_on(workspace, activity, request.mail)
    if mail.id == activity.opening_mail:
        raise Declined("opening_mail", f"{activity.reference} is what this mail began (CE-2).", "mail")
    if not mail.incoming or not workspace.came_in_on(mail.id, activity):
        detail = f"Only a mail that was appended to {activity.reference} can begin another one (CE-2)."
        raise Declined("not_appended", detail, "mail")
    return mail


def gather(incoming: Incoming[MailNotReinjected], needs: Needs) -> None:
    """The activity that the mail was to leave, and those that have it from there."""
    organisation, message = incoming.envelope.organisation, incoming.message
    needs.activities.add((organisation, message.activity))
    needs.mails.add((organisation, message.mail))


def not_reinjected(workspace: Workspace, incoming: Incoming[MailNotReinjected]) -> None:
    """The mail stays what it was: whoever asked is told why (CE-7)."""
    message = incoming.message
    activity = workspace.activities.get((incoming.envelope.organisation, message.activity))
    if activity is not None:
        mark(workspace, incoming.envelope, activity, _failed(message.mail, message.why))


def reinjected(workspace: Workspace, incoming: Incoming[MailReceived]) -> None:
    """Open the new activity, whatever became of the mail before (IN-6, IN-7); both sides say so (CE-5)."""
    name, message = incoming.envelope.organisation, incoming.message
    assert message.reinjected_for is not None, "only such a mail is given here"
    activity = workspace.activities.get((name, message.reinjected_for))
    known = activity.departure(message.mail) if activity else None
    if activity is None or known is None or known.state is not DepartureState.REQUESTED:
        return
    organisation = workspace.organisations[name]
    ways = (each for each in message.targets if way_of(workspace, organisation, message, each))
    target = next(ways, None)
    if target is None:
        mark(workspace, incoming.envelope, activity, _failed(message.mail, "no_route"))
        return
    mail = workspace.mails.get((name, message.mail))
    if mail is not None and mail.erased_at is not None:  # while it was on its way (CT-21)
        mark(workspace, incoming.envelope, activity, _failed(message.mail, "not_kept"))
        return
    if mail is None or mail.removed_at is not None:
        mail = mail_of(name, message, ())
    workspace.keep(mail)
    effect = Open(
        Target(target.address.lower(), target.mailbox, routed=True),
        OpenedBecause.NEW_FROM_MAIL,
        # Links are between Tickets and Cases: an Action's Case has its (CE-8).
        tuple(dict.fromkeys(workspace.bearer(each).id for each in _concerned(workspace, activity, mail.id))),
    )
    opened = open_activity(workspace, incoming, mail, effect)
    done = Departure(mail.id, DepartureState.DONE, opened.id, opened.reference)
    mark(workspace, incoming.envelope, activity, done)


def mark(workspace: Workspace, cause: Envelope, activity: Activity, departure: Departure) -> None:
    """Tell the activity that asked what came of it, and those that have the mail from it since."""
    for each in _concerned(workspace, activity, departure.mail):
        each = workspace.activities[each.organisation, each.id]
        asked_on = None if each.id == activity.id else activity.id
        step = step_of(each, MarkDeparture(replace(departure, asked_on=asked_on)), cause)
        after = take(workspace, cause, each, step)
        if isinstance(after, Refusal):
            raise ValueError(f"an activity refused to be told what it asked for: {after}")


def _concerned(workspace: Workspace, activity: Activity, mail: UUID) -> list[Activity]:
    """In front the activity that asked, then those that splits and merges gave the mail meanwhile (CE-7)."""
    places = workspace.standing.get((activity.organisation, mail), {})
    there = (workspace.activities[activity.organisation, each] for each in sorted(places))
    given = (
        each
        for each in there
        if (known := each.departure(mail)) is not None and known.asked_on == activity.id
    )
    return [activity, *given]


def _failed(mail: UUID, why: str) -> Departure:
    return Departure(mail, DepartureState.FAILED, why=why)

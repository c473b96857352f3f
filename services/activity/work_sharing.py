"""A mail of one Ticket stands on others that it is linked with, too (SH-1 to SH-3)."""

from uuid import UUID

from services.activity.announce import EFFECT
from services.activity.domain.activity import Activity
from services.activity.domain.link_steps import ShareMail, TakeSharedMail
from services.activity.domain.links import DepartureState, Link, LinkReason
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import Status
from services.activity.domain.vocabulary import Actor
from services.activity.request_names import Declined
from services.activity.store_mails import Mail
from services.activity.taking_steps import step_of, take
from services.activity.work_links import others_of
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope


def perform(
    workspace: Workspace, cause: Envelope, activity: Activity, request: asked.ActivityShareMail, actor: Actor
) -> Activity | Refusal:
    """Share the mail with all of the others, or with none; who has it already is passed over.

    Nothing is asked about who may see those (SH-2). Raises `Declined`.
    """
    receivers: list[Activity] = []
    if activity.status is not Status.CLOSED:
        mail = writable(workspace, activity, request.mail)
        receivers = _receivers(workspace, activity, mail, request)
    step = ShareMail(request.mail, tuple(_link(other) for other in receivers))
    version = request.expected_version
    taken = step_of(activity, step, cause, actor, effect=EFFECT, expected_version=version)
    after = take(workspace, cause, activity, taken)
    assert after is not None, "a request does something or is refused"
    if isinstance(after, Activity):
        for other in receivers:
            _give(workspace, cause, after, other, mail, actor)
    return after


def mail_on(workspace: Workspace, activity: Activity, mail: UUID) -> Mail:
    """A mail that stands on the activity. Raises `Declined`."""
    found = workspace.mails.get((activity.organisation, mail))
    if found is None or activity.id not in workspace.standing.get(found.key, {}):
        raise Declined("not_found", f"{activity.reference} has no mail {mail}.", "mail")
    return found


def writable(workspace: Workspace, activity: Activity, mail: UUID) -> Mail:
    """The same, if people may answer and share it here: not what has left (CE-4). Raises `Declined`."""
    found, departure = mail_on(workspace, activity, mail), activity.departure(mail)
    if departure and departure.state is DepartureState.DONE:
        detail = f"This mail began {departure.reference}: go on there."
        raise Declined("mail_is_read_only", detail, str(departure.reference))
    return found


def _receivers(
    workspace: Workspace, activity: Activity, mail: Mail, request: asked.ActivityShareMail
) -> list[Activity]:
    others = others_of(workspace, activity, request.with_references)
    linked = workspace.bearer(activity).links
    if strangers := [str(other.reference) for other in others if other.id not in linked]:
        detail = (
            f"{activity.reference} is not linked with {', '.join(strangers)}: mails are shared along links."
        )
        raise Declined("not_linked", detail, *strangers)
    if closed := [str(other.reference) for other in others if other.status is Status.CLOSED]:
        raise Declined("closed", f"Closed and never to change again: {', '.join(closed)}.", *closed)
    places = workspace.standing.get(mail.key, {})
    return [each for each in others if each.id not in places or (mail.key, each.id) in workspace.aside]


def _give(
    workspace: Workspace, cause: Envelope, activity: Activity, other: Activity, mail: Mail, actor: Actor
) -> None:
    step = TakeSharedMail(mail.id, _link(activity))
    taken = step_of(other, step, cause, actor, effect=f"share/{other.id}")
    after = take(workspace, cause, other, taken)
    if not isinstance(after, Activity):
        raise ValueError(f"an open activity refused a shared mail: {after}")


def _link(activity: Activity) -> Link:
    return Link(activity.id, activity.reference, LinkReason.LINKED)

"""Somebody opens a Ticket or Case: a Draft for a user, submitted at once for others (T1, T3, C1, C2)."""

from typing import Any

from services.activity import announce, work_links
from services.activity.domain import steps
from services.activity.domain.activity import Activity
from services.activity.domain.refusals import Refusal
from services.activity.domain.vocabulary import ActorKind, StartedBy
from services.activity.request_names import Declined, Tags, actor_of, given_fields, permit, tag_people
from services.activity.rules import flow_of
from services.activity.taking_steps import Taken, take
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.organisation import Organisation, Unknown
from shared.references import ReferenceKind
from shared.tokens import conversation_of_activity
from shared.unit_of_work import Incoming


def perform(
    workspace: Workspace,
    incoming: Incoming[asked.Request],
    organisation: Organisation,
    request: asked.ActivityOpen,
    tags: Tags,
) -> Activity | Refusal:
    cause, actor = incoming.envelope, actor_of(request)
    try:
        process = organisation.process(request.process)
        mailbox = request.mailbox or process.default_mailbox
        if mailbox is not None:
            organisation.mailbox(mailbox)
    except Unknown as unknown:
        raise Declined("unknown_name", f"{unknown}.".capitalize()) from None
    permit(organisation, request, process.name)
    kind = ReferenceKind(request.type.partition(".")[0])
    if kind.value != process.kind.value:
        wanted = ReferenceKind(process.kind.value)
        detail = f"The process {process.name!r} is one of {wanted.plural}: ask for {wanted}.open."
        raise Declined("other_kind", detail, "process")
    source = work_links.source_of(workspace, organisation, request)
    links = work_links.first_links(workspace, source, request) if source else []
    bearer = workspace.bearer(source) if source else None
    copied = work_links.first_fields(organisation, process.name, bearer, request) if bearer else ()
    tag_people(workspace, incoming, organisation, process, tags)
    id_ = announce.effect_id(cause, "activity")
    opening: dict[str, Any] = {
        "activity": id_,
        "family": id_,
        "reference": workspace.next_reference(cause.organisation, kind),
        "flow": flow_of(organisation, process),
        "conversation": conversation_of_activity(cause.organisation, id_),
        "mailbox": mailbox,
        "title": request.title or "",
        "description": request.description or "",
        "category": request.category,
        "due": request.due,
        "contacts": tuple(tags.given),
        "extra": tags.extra,
        "fields": (*copied, *given_fields(organisation, process.name, request.fields)),
        "links": tuple(links),
        "copied": tuple(work_links.first_mails(workspace, source, request)) if source else (),
        "files": workspace.files.snapshot(bearer, cause, id_) if bearer and request.copy_files else (),
    }
    step: steps.Opening
    if request.draft or actor.kind is ActorKind.USER:
        step = steps.StartManually(**opening)
    else:
        step = steps.CreatedByIntegration(started_by=_STARTED_BY[actor.kind], **opening)
    effect = announce.effect_id(cause)
    taken = Taken(step=step, process=process.name, mailbox=mailbox, effect=effect, actor=actor)
    opened = take(workspace, cause, None, taken)
    assert opened is not None, "what is opened comes into being, or is refused"
    if source and isinstance(opened, Activity):
        work_links.opened_from(workspace, cause, opened, links, actor)
    return opened


_STARTED_BY = {
    ActorKind.ROBOT: StartedBy.ROBOTICS,
    ActorKind.SYSTEM: StartedBy.WORKFLOW,
    ActorKind.INTEGRATION: StartedBy.WORKFLOW,
}

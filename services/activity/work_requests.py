"""Somebody asks for a step: done or refused, answered, and answered the same again when it is repeated."""

import hashlib
from dataclasses import replace

from pydantic import TypeAdapter

from services.activity import (
    announce,
    converting,
    outgoing_mail,
    request_files,
    splits_and_merges,
    work_cases,
    work_contacts,
    work_departures,
    work_links,
    work_next,
    work_opening,
    work_sharing,
    work_sub_cases,
)
from services.activity.asked_steps import ALL_STEPS, SPLITS_AND_MERGES, WITH_BYTES, Named, note_of
from services.activity.domain.activity import Activity
from services.activity.domain.case_steps import WaitForAnswer
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import Status
from services.activity.needs import Needs
from services.activity.outgoing_mail import Reply
from services.activity.request_names import (
    Declined,
    Tags,
    actor_of,
    addresses,
    assignable,
    given_fields,
    permit,
    tag_people,
)
from services.activity.rules import sending_mailbox
from services.activity.running_cases import asking_of
from services.activity.store_mails import Recipients
from services.activity.store_requests import key_of
from services.activity.taking_steps import step_of, take
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.activity_answers import ActivityAnswer, RequestRefused
from shared.metrics import REQUESTS_ANSWERED
from shared.organisation import Organisation
from shared.topics import ACTIVITY_REQUESTS
from shared.unit_of_work import Incoming

_ANSWER: TypeAdapter[announce.Answer] = TypeAdapter(ActivityAnswer)


def gather(incoming: Incoming[asked.Request], needs: Needs) -> None:
    """What has to be read to carry out the request, and whether it was answered before."""
    organisation, request = incoming.envelope.organisation, incoming.message
    needs.requests.add(key_of(incoming.envelope))
    if isinstance(request, SPLITS_AND_MERGES):
        splits_and_merges.gather(organisation, request, needs)
    match request:
        case asked.OnActivity(reference=reference):
            needs.references.add((organisation, reference))
        case asked.ActivityOpen():
            needs.opening[organisation] += 1
    if isinstance(request, asked.CaseStartSubCase):
        needs.opening[organisation] += 1
    converting.gather(organisation, request, needs)
    work_links.gather(organisation, request, needs)
    work_next.gather(organisation, request, needs)
    work_contacts.gather(organisation, request, needs)
    request_files.gather(organisation, request, needs)
    needs.addresses |= {(organisation, address) for address in addresses(request)}
    if isinstance(request, asked.ActivityShareMail | asked.ActivityNewFromMail):
        needs.mails.add((organisation, request.mail))
    if isinstance(request, asked.ActivityReply):
        needs.threads.add((organisation, request.reference))
        if request.answers:
            needs.mails.add((organisation, request.answers))


def perform(workspace: Workspace, incoming: Incoming[asked.Request]) -> None:
    """Carry out the request and answer it; a repeat gets the first answer again."""
    cause = incoming.envelope
    known = workspace.answers.get(key_of(cause))
    if known:
        first = cause.model_copy(update={"time": known.asked_at})
        workspace.said.append(announce.answer(first, _ANSWER.validate_json(known.answer)))
        return
    answer = _answer(workspace, incoming)
    organisation = workspace.organisations.get(cause.organisation)
    if organisation is not None:
        answer = answer.model_copy(update={"configuration": organisation.version})
    workspace.counts.append(REQUESTS_ANSWERED.labels(getattr(answer, "code", "accepted")))
    workspace.answer(cause, digest_of(incoming.message), answer)


def digest_of(request: asked.Request, name: str | None = None) -> str:
    """Tells a repeated request from another one under the same id; `name` is another that it goes by.

    What was left to its default is left out, so that a later version with more fields says the same of it.
    """
    said = f"{name or request.type} {request.model_dump_json(exclude_defaults=True, exclude={'type'})}"
    return hashlib.sha256(said.encode()).hexdigest()


def _answer(workspace: Workspace, incoming: Incoming[asked.Request]) -> announce.Answer:
    cause, request = incoming.envelope, incoming.message
    reference = request.reference if isinstance(request, asked.OnActivity) else None
    tags = Tags()
    outcome: Activity | splits_and_merges.Done | Refusal | RequestRefused
    try:
        organisation = workspace.organisations.get(cause.organisation)
        if organisation is None:
            raise Declined("unknown_organisation", f"There is no organisation {cause.organisation!r}.")
        if workspace.answers_since is not None and cause.time < workspace.answers_since:
            detail = (
                f"It was made before {workspace.answers_since:%Y-%m-%d}: it may have been answered before."
            )
            raise Declined("request_too_old", detail)
        for name, said in request.unsaid:
            raise Declined("incomplete", f"Say {name!r}: null {said.null}.", name)
        if isinstance(request, asked.ActivityOpen):
            outcome = work_opening.perform(workspace, incoming, organisation, request, tags)
        elif isinstance(request, asked.WorkTakeNext):
            outcome = work_next.perform(workspace, cause, organisation, request)
        elif isinstance(request, work_contacts.Asked):
            return work_contacts.carry_out(workspace, cause, organisation, request)
        else:
            assert isinstance(request, asked.OnActivity)
            outcome = _step(workspace, incoming, organisation, request, tags)
    except Declined as declined:
        outcome = RequestRefused(
            request=announce.asked_by(cause),
            code=declined.code,
            detail=str(declined),
            reference=reference,
            missing=declined.missing,
            fields=declined.fields,
            contact=declined.contact,
        )
    if isinstance(outcome, Activity):
        outcome = (outcome,)
    if isinstance(outcome, tuple):
        for contact in tags.made:
            workspace.people.tell(cause, contact)
        departure = (
            outcome[0].departure(request.mail) if isinstance(request, asked.ActivityNewFromMail) else None
        )
        file = announce.effect_id(cause) if type(request) in WITH_BYTES else None
        opened = departure.reference if departure else None
        return announce.accepted(cause, *outcome, opened=opened, file=file)
    for contact in tags.made:
        workspace.people.remove(contact)
    return announce.refused(cause, outcome, reference) if isinstance(outcome, Refusal) else outcome


def _step(
    workspace: Workspace,
    incoming: Incoming[asked.Request],
    organisation: Organisation,
    request: asked.OnActivity,
    tags: Tags,
) -> Activity | splits_and_merges.Done | Refusal:
    cause = incoming.envelope
    activity = workspace.by_reference(cause.organisation, request.reference)
    if activity is None:
        raise Declined("not_found", f"There is no {request.reference}.")
    permit(organisation, request, activity.process)
    _require_kind(request, activity)
    if isinstance(request, asked.CaseLaunch):
        return work_cases.launch(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, asked.CaseStartSubCase):
        return work_sub_cases.start(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, asked.TicketConvert):
        return converting.perform(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, work_links.Tying):
        return work_links.perform(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, asked.ActivityShareMail):
        return work_sharing.perform(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, asked.ActivityNewFromMail):
        return work_departures.ask(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, SPLITS_AND_MERGES):
        return splits_and_merges.perform(workspace, cause, activity, request, actor_of(request))
    if isinstance(request, asked.ActivityAssign) and request.assignee is not None:
        assignable(organisation, request.assignee, activity.process)
    process = organisation.process(activity.process)
    if isinstance(request, asked.ActivityEdit):
        tag_people(workspace, incoming, organisation, process, tags, workspace.bearer(activity).contacts)
    reply = _reply(workspace, organisation, activity, request) if _writes(request, activity) else None
    fields = request.fields if isinstance(request, asked.ActivityEdit | asked.ActionAnswerCall) else {}
    values = given_fields(organisation, activity.process, fields)
    file = request_files.file_of(workspace, activity, incoming)
    named = Named(tuple(tags.given), tags.taken, tags.extra, values, file)
    step, version = ALL_STEPS[type(request)](request, named), request.expected_version
    if isinstance(step, WaitForAnswer):
        step = replace(step, asking=asking_of(workspace, cause, activity))
    taken = step_of(
        activity, step, cause, actor_of(request), effect=announce.EFFECT, expected_version=version
    )
    if activity.is_sub_case and isinstance(step, work_sub_cases.Sharing):
        return work_sub_cases.take_where_it_stands(workspace, cause, activity, taken)
    after = _taken(take(workspace, cause, activity, taken))
    if isinstance(after, Activity):
        note = note_of(request)
        if note is not None:
            workspace.note(after, taken.effect, note)
        if reply:
            outgoing_mail.reply(workspace, cause, after, taken.effect, reply)
    return after


def _require_kind(request: asked.OnActivity, activity: Activity) -> None:
    """Raises `Declined` where a step of one kind is asked for on an activity of another."""
    kind, _, step = request.type.partition(".")
    found = activity.reference.kind
    if kind != found:
        other = f"{found}.{step}"
        hint = f": ask for {other}" if other in ACTIVITY_REQUESTS.models else ""
        raise Declined(
            "other_kind", f"{request.reference} is no {kind.capitalize()}, but {found.phrase}{hint}."
        )


def _taken(outcome: Activity | Refusal | None) -> Activity | Refusal:
    assert outcome is not None, "a request does something or is refused"
    return outcome


def _writes(request: asked.OnActivity, activity: Activity) -> bool:
    """Whether a mail is to be written; for a closed Ticket the rules refuse it first."""
    return isinstance(request, asked.ActivityReply) and activity.status is not Status.CLOSED


def _reply(
    workspace: Workspace, organisation: Organisation, activity: Activity, request: asked.OnActivity
) -> Reply:
    assert isinstance(request, asked.ActivityReply)
    recipients = Recipients(to=request.to, cc=request.cc)
    if not request.to:
        usual = outgoing_mail.primary_recipients(workspace, workspace.bearer(activity))
        recipients = Recipients(to=usual.to, cc=request.cc or usual.cc)
    if not recipients.to:
        raise Declined("incomplete", "There is no primary contact, so say to whom the mail goes.", "to")
    if sending_mailbox(organisation, activity.process, activity.mailbox) is None:
        raise Declined("incomplete", "Neither it nor its process has a mailbox to send from.", "mailbox")
    bearer = workspace.bearer(activity)
    newest = (workspace.newest.get((each.organisation, each.id)) for each in (activity, bearer))
    answers = next((each for each in newest if each), None)
    if request.answers:
        answers = work_sharing.writable(workspace, activity, request.answers)
    files = request_files.sent_with(workspace, organisation, activity, request)
    return Reply(
        text=request.text,
        subject=request.subject or (bearer.title if bearer is not activity and not answers else None),
        recipients=recipients,
        answers=answers,
        files=files,
    )

"""Every activity as its events leave it, with the texts that its events do not hold (see `recover.py`)."""

from typing import Any
from uuid import UUID

from services.activity import work_links
from services.activity.announce import effect_id
from services.activity.approval_links import without_link
from services.activity.asked_steps import note_of
from services.activity.bringing_back_mails import Mails
from services.activity.domain.evolving import course_of
from services.activity.domain.vocabulary import StartedBy
from services.activity.known_past import Lost, Past
from services.activity.past_events import Texts
from services.activity.past_workspace import PastWorkspace
from services.activity.rules import process_rules
from services.activity.work_schedules import schedule_of
from shared import field_values
from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked
from shared.contracts.notify_requests import MailCompose
from shared.decoding import Incoming
from shared.field_values import FieldValue

ERASED = "CT-21"
"""The rule of events that took away what was written."""


def states(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """Every activity as its events leave it, with the texts that are known, and the mails on it."""
    written = {
        (each.envelope.organisation, each.envelope.causationid): each.message for each in past.composed
    }
    mails = Mails(workspace, past, lost)
    for each, value in past.happened:
        organisation, record = each.envelope.organisation, each.message
        cause = organisation, each.envelope.causationid or ""
        request = past.requests.get(cause)
        texts = _texts(workspace, mails, each, request, written.get(cause))
        if isinstance(record, events.ActivityOpened):
            lost.texts += texts.title is None
        elif isinstance(record, events.ActivityEdited):
            lost.texts += texts == Texts() and record.fields != ("category",)
        workspace.again(organisation, record, value, texts)
        mails.place(each)
        note = _note_in(record)
        if note is not None:
            text = note_of(request.message) if request else None
            if text is not None:
                workspace.note(workspace.activities[organisation, record.activity], note, text)
            else:
                lost.texts += 1


def _texts(
    workspace: PastWorkspace,
    mails: Mails,
    event: Incoming[Any],
    request: Incoming[asked.Request] | None,
    mail: MailCompose | None,
) -> Texts:
    """What was written on the activity by whatever led to the event."""
    match event.message, request.message if request else None:
        case events.ActivityOpened(task=events.Task()), _:
            return _of_action(workspace, event, request)
        case events.ActivityOpened(flow=events.Flow(), bearer=UUID()), _:
            return _of_sub_case(workspace, event, request)
        case events.ActivityOpened(flow=events.Flow(), parent=events.OtherActivity()), _:
            return _of_case(workspace, event, request)
        case events.ActivityOpened(parent=events.OtherActivity(activity=parent)), _:
            part = part_of(request, event.message.activity) if request else None
            original = workspace.activities[event.envelope.organisation, parent]
            if part is None:
                return Texts(fields=original.fields)
            return Texts(part.title.strip(), part.description, original.fields)
        case events.ActivityOpened(started_by=StartedBy.SCHEDULE), _:
            return _of_schedule(workspace, event)
        case events.ActivityOpened(mail=UUID()), _:
            came = mails.cause(event)
            return Texts(came.content.subject.strip(), without_link(came.content.text)) if came else Texts()
        case _, asked.ActivityOpen() | asked.ActivityEdit() as writing:
            return _written(workspace, event, writing)
        case events.ActivityEdited(), asked.ActionAnswerCall() as answer:
            return Texts(fields=answered_fields(workspace, event, answer))
        case events.ActivityEdited(rule=rule), _ if rule == ERASED:
            return Texts("", "")
        case events.ActivityEdited(rule="T4"), _:
            return Texts(mail.subject, mail.text) if mail else Texts()
    return Texts()


def _of_action(
    workspace: PastWorkspace, event: Incoming[Any], request: Incoming[asked.Request] | None
) -> Texts:
    """What an Action is called and says: as its Case has it, or who launched it by hand wrote (A1, CA-6)."""
    case = workspace.activities[event.envelope.organisation, event.message.parent.activity]
    type_ = case.flow.action(event.message.task.action) if case.flow else None
    asked_for = request.message if request else None
    written = asked_for.instructions if isinstance(asked_for, asked.CaseLaunch) else None
    return Texts(type_.title, written or type_.instructions) if type_ else Texts()


def _of_sub_case(
    workspace: PastWorkspace, event: Incoming[Any], request: Incoming[asked.Request] | None
) -> Texts:
    """What a Sub-Case is called and says: as the request has it, or as its Case and the Action (C2, CA-7)."""
    organisation, record = event.envelope.organisation, event.message
    parent = workspace.activities[organisation, record.parent.activity]
    wanted = request.message if request else None
    if isinstance(wanted, asked.CaseStartSubCase) and record.started_by == StartedBy.MANUAL:
        return Texts(wanted.title or parent.title, wanted.description or "")
    known = (each for each in course_of(parent).sub_cases if each.case.activity == record.activity)
    started = next(known, None)
    by = started.by if started else None
    action = workspace.activities.get((organisation, by.activity)) if by else None
    return Texts(parent.title, action.description if action else "")


def _of_case(
    workspace: PastWorkspace, event: Incoming[Any], request: Incoming[asked.Request] | None
) -> Texts:
    """What is written on a Case that a Ticket became: what the Ticket says, and the request instead (T30)."""
    organisation = workspace.organisations[event.envelope.organisation]
    ticket = workspace.activities[organisation.name, event.message.parent.activity]
    wanted = request.message if request and isinstance(request.message, asked.TicketConvert) else None
    if wanted is None:
        return Texts(ticket.title, ticket.description, ticket.fields)
    values, _ = field_values.read(process_rules(organisation, wanted.process, None).fields, wanted.fields)
    return Texts(
        wanted.title or ticket.title, wanted.description or ticket.description, (*ticket.fields, *values)
    )


def answered_fields(
    workspace: PastWorkspace, event: Incoming[Any], answer: asked.ActionAnswerCall
) -> tuple[FieldValue, ...]:
    """What an external system's answer brought for the custom fields of a Case (A23).

    They were read as the Action's own process knows them, which may be a Sub-Case's (CA-7).
    """
    organisation = workspace.organisations[event.envelope.organisation]
    stands_on = workspace.activities[organisation.name, event.message.activity]
    process = (workspace.by_reference(organisation.name, answer.reference) or stands_on).process
    values, _ = field_values.read(process_rules(organisation, process, None).fields, answer.fields)
    return values


def _of_schedule(workspace: PastWorkspace, event: Incoming[Any]) -> Texts:
    """What is written on a Case that a schedule began: what the schedule says now, if there is one still."""
    organisation = workspace.organisations[event.envelope.organisation]
    process = event.message.process
    schedule = schedule_of(organisation, process, event.envelope.causationid or "")
    if schedule is None:
        return Texts()
    values, _ = field_values.read(process_rules(organisation, process, None).fields, schedule.fields)
    return Texts(schedule.title.strip(), schedule.description, values)


def part_of(request: Incoming[asked.Request], activity: UUID) -> asked.SplitPart | None:
    """The part of a split that became this Ticket (T27)."""
    parts = request.message.parts if isinstance(request.message, asked.TicketSplit) else ()
    by_id = {effect_id(request.envelope, f"activity/part/{at}"): part for at, part in enumerate(parts)}
    return by_id.get(activity)


def _written(
    workspace: PastWorkspace, event: Incoming[Any], request: asked.ActivityOpen | asked.ActivityEdit
) -> Texts:
    """What a request wrote on a Ticket; a custom field that its process has no longer is lost."""
    organisation, record = workspace.organisations[event.envelope.organisation], event.message
    if isinstance(record, events.ActivityOpened):
        process, copied = record.process, _copied(workspace, event, request)
    else:
        # What a Sub-Case shares was named as its own process knows it (CA-7).
        named = request.reference if isinstance(request, asked.ActivityEdit) else ""
        about = workspace.by_reference(organisation.name, named)
        edited = workspace.activities[organisation.name, record.activity]
        process, copied = (about or edited).process, ()
    values, _ = field_values.read(process_rules(organisation, process, None).fields, request.fields)
    title, description = request.title, request.description
    if isinstance(record, events.ActivityOpened):
        title, description = title or "", description or ""
    return Texts(title, description, (*copied, *values))


def _copied(
    workspace: PastWorkspace, event: Incoming[Any], request: asked.ActivityOpen | asked.ActivityEdit
) -> tuple[FieldValue, ...]:
    """What the Ticket that it was opened from had in its custom fields (LK-5)."""
    organisation = workspace.organisations[event.envelope.organisation]
    if not isinstance(request, asked.ActivityOpen) or request.linked_to is None:
        return ()
    source = workspace.by_reference(organisation.name, request.linked_to)
    if source is None:
        return ()
    return work_links.first_fields(organisation, event.message.process, workspace.bearer(source), request)


def _note_in(record: events.ActivityRecord) -> UUID | None:
    """The note whose text an event brought: a mark for a person only names one."""
    match record:
        case events.ActivityNoted(note=note) | events.ActivityFeedbackGiven(note=note):
            return note
    return None

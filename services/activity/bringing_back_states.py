"""Every activity as its events leave it, with the texts that its events do not hold (see `recover.py`)."""

from uuid import UUID

from services.activity.asked_steps import note_of
from services.activity.domain import custom_fields
from services.activity.known_past import Lost, Past
from services.activity.past_events import Texts
from services.activity.past_workspace import PastWorkspace
from services.activity.rules import process_rules
from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked

ERASED = "CT-21"
"""The rule of events that took away what was written."""


def states(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """Every activity as its events leave it, with the texts that are known."""
    opening = {(each.envelope.organisation, each.message.mail): each.message.content for each in past.mails}
    written = {
        (each.envelope.organisation, each.envelope.causationid): each.message for each in past.composed
    }
    for each, value in past.happened:
        organisation, record = each.envelope.organisation, each.message
        texts = Texts()
        request = past.requests.get((organisation, each.envelope.causationid or ""))
        if isinstance(record, events.TicketOpened) and record.mail is not None:
            content = opening.get((organisation, record.mail))
            texts = Texts(content.subject.strip(), content.text) if content else texts
        elif request and isinstance(request.message, asked.TicketOpen | asked.TicketEdit):
            texts = _written(workspace, organisation, record, request.message)
        elif isinstance(record, events.TicketEdited) and record.rule == ERASED:
            texts = Texts("", "")
        elif isinstance(record, events.TicketEdited) and record.rule == "T4":
            mail = written.get((organisation, each.envelope.causationid))
            texts = Texts(mail.subject, mail.text) if mail else texts
        if isinstance(record, events.TicketOpened | events.TicketEdited) and texts == Texts():
            lost.texts += not isinstance(record, events.TicketEdited) or record.fields != ("category",)
        workspace.again(organisation, record, value, texts)
        note = _note_in(record)
        if note is not None:
            text = note_of(request.message) if request else None
            if text is not None:
                workspace.note(workspace.activities[organisation, record.activity], note, text)
            else:
                lost.texts += 1


def _written(
    workspace: PastWorkspace,
    organisation: str,
    record: events.ActivityRecord,
    request: asked.TicketOpen | asked.TicketEdit,
) -> Texts:
    """What a request wrote on a Ticket; a custom field that its process has no longer is lost."""
    activity = workspace.activities.get((organisation, record.activity))
    process = record.process if isinstance(record, events.TicketOpened) else activity and activity.process
    rules = process_rules(workspace.organisations[organisation], process, None).fields if process else ()
    values, _ = custom_fields.read(rules, request.fields)
    return Texts(request.title, request.description, values)


def _note_in(record: events.ActivityRecord) -> UUID | None:
    """The note whose text an event brought: a mark for a person only names one."""
    match record:
        case events.TicketNoted(note=note) | events.TicketFeedbackGiven(note=note):
            return note
    return None
